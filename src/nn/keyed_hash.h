/*
 * keyed_hash - 128-bit hashes under a secret of this process, for content that strangers choose: nobody can make two
 * things that pass for each other. They are other numbers in each process, and not to be stored. Any thread.
 */
#ifndef VSR_NN_KEYED_HASH_H
#define VSR_NN_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

struct keyed_hash {
    uint64_t low, high;
};

struct keyed_hash keyed_hash(const void *data, size_t len);

#endif
