/*
 * file_hash - the SHA-256 of a file's bytes, as the loader writes it to config_document.hash.
 *
 * To learn whether a file that may have changed really has, without loading it. Any thread; blocks while it reads.
 */
#ifndef VSR_CONFIG_FILE_HASH_H
#define VSR_CONFIG_FILE_HASH_H

#include "core/err.h"
#include "core/str.h"

enum { FILE_HASH_LEN = 64 };

/* The same of bytes that were read already. */
void text_hash(vsr_str text, char ret_hex[static FILE_HASH_LEN]);

/*
 * Writes 64 hexadecimal digits. VSR_E_NOT_FOUND, VSR_E_IO, or VSR_E_INVALID when it is no regular file: a pipe has only
 * one reading in it.
 */
int file_hash(const char *path, char ret_hex[static FILE_HASH_LEN], struct vsr_err *err) VSR_MUST_CHECK;

#endif
