/*
 * pages - large aligned memory straight from the system: packed weights, activations.
 *
 * Zeroed, page-aligned, in huge pages where the system has them to give, and back to the system when freed. Any thread.
 */
#ifndef VSR_NN_PAGES_H
#define VSR_NN_PAGES_H

#include <stddef.h>

#include "core/err.h"

struct pages {
    void *data; /* NULL: none */
    size_t len;
};

/* VSR_E_NOMEM; `what` says in the error what it was for. Length 0 gives none. */
int pages_new(size_t len, const char *what, struct pages *ret, struct vsr_err *err) VSR_MUST_CHECK;
void pages_free(struct pages *pages);

/* At least `len` bytes, half as much again when it must grow. What was in them is gone then. */
int pages_grow(struct pages *pages, size_t len, struct vsr_err *err) VSR_MUST_CHECK;

#endif
