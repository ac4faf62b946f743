/*
 * filler - the thread behind evidence_fill_later(), and what it does for one recipe. Private to evidence/.
 */
#ifndef VSR_EVIDENCE_FILLER_H
#define VSR_EVIDENCE_FILLER_H

#include <stdbool.h>

struct evidence_binding;
struct evidence_lane;
struct filler;

/* NULL is allowed. */
void filler_free(struct filler *filler);

/* fill.c: tries every bank that is not filled, once. `*stop` (NULL: never) ends it early. True: all are filled. */
bool fill_banks(struct evidence_lane *lane, struct evidence_binding *binding, const _Atomic bool *stop,
                bool builtin_only);

#endif
