/*
 * selector - what a selection algorithm is: one descriptor per type of `algorithm` that chooses one model among the
 * references of a decision (decisions.md §5).
 *
 * A selector owns the config struct and table of its block, and the rules that hold for it. Descriptors are constant:
 * any thread. selectors.c lists them all. One that says `ready: false` is validated in full and not executed: the first
 * candidate is taken instead, and loading says so.
 */
#ifndef VSR_SELECT_SELECTOR_H
#define VSR_SELECT_SELECTOR_H

#include "config/document.h"

/* All selectors, in the order of the reference page. Static. */
struct config_kinds select_kinds(void);

#endif
