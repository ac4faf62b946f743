/*
 * risk - which labels of a guard mean an attack.
 *
 * Whoever makes one answer out of several parts of a text must know: harm in one part is harm, and an average hides it.
 * Labels are compared without regard to the case of ASCII letters. Pure: any thread.
 */
#ifndef VSR_SIGNAL_RISK_H
#define VSR_SIGNAL_RISK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct config_strings;

struct signal_risk {
    const struct config_strings *labels; /* that mean an attack; kept */
    bool written;                        /* by the configuration; else they are what guards usually say */
};

/*
 * Marks those of `labels` that are a risk: the listed ones; where none is and the list is not written, all that are no
 * usual word for "harmless". False, and none is marked: the labels say nothing.
 */
bool signal_risk_mark(const struct signal_risk *risk, const vsr_str *labels, size_t n, bool *ret_is_risk);

/* Both may be NULL. */
bool signal_risk_same(const struct signal_risk *a, const struct signal_risk *b);

#endif
