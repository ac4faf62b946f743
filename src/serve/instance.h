/*
 * instance - a name for this process that the next one in its place has, too.
 *
 * A state directory holds files `instance-N`, each with a random name; a process holds the lock of one of them while it
 * lives. So two processes that share a directory differ, and one that is started again finds the name of its
 * predecessor. Control thread only.
 */
#ifndef VSR_SERVE_INSTANCE_H
#define VSR_SERVE_INSTANCE_H

#include "core/err.h"

enum { INSTANCE_LEN = 32 };

struct instance {
    int fd;                      /* that holds the lock; -1: no name */
    char name[INSTANCE_LEN + 1]; /* hexadecimal */
};

/* Makes the directory. Without a name, with `err`, when it cannot be written. */
int instance_claim(const char *state_dir, struct instance *ret_instance, struct vsr_err *err) VSR_MUST_CHECK;
void instance_release(struct instance *instance);

#endif
