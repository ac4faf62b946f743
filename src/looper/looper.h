/*
 * looper - what a looper is: one descriptor per type of `algorithm` that calls several models and makes one answer of
 * theirs (decisions.md §6).
 *
 * A looper owns the config struct and table of its block, and the rules that hold for it. Descriptors are constant: any
 * thread. loopers.c lists them all. One that says `ready: false` is validated and planned, and not executed: the first
 * candidate answers instead, and loading says so.
 */
#ifndef VSR_LOOPER_LOOPER_H
#define VSR_LOOPER_LOOPER_H

#include "config/document.h"

/* All loopers, in the order of the reference page. Static. */
struct config_kinds looper_kinds(void);

#endif
