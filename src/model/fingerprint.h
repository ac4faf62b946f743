/*
 * fingerprint - which model a directory holds, told by the content of its files.
 *
 * For caches that outlive the process and for traces: two directories with the same files have the same fingerprint,
 * wherever they lie and whenever they were written. Small files count whole; of a big one its length, its beginning,
 * its end and some thousand places between count, which any training or conversion changes, so that a gigabyte takes
 * milliseconds. It guards against mistakes, not against forgery. Any thread.
 */
#ifndef VSR_MODEL_FINGERPRINT_H
#define VSR_MODEL_FINGERPRINT_H

#include "core/str.h"

enum { FINGERPRINT_LEN = 16 };

/* Hexadecimal digits and a NUL to `ret`. `base` of an adapter, else empty. Files that cannot be read count as absent.
 */
void fingerprint_of(vsr_str directory, vsr_str base, char ret[static FINGERPRINT_LEN + 1]);

#endif
