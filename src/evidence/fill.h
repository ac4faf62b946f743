/*
 * fill - gives the examples of recipes their vectors (signal/bank.h).
 *
 * What models of the program embed is there before the recipe is used. The rest comes from a thread of its own: out of
 * memory or the disk when the embedder has seen the texts before (vector_cache.h), else by asking it, many texts at a
 * time, behind those that requests wait for. A server is first asked about one text of ours: when its vector is not the
 * one that was kept, another model has come behind the name, and all that was kept of it is forgotten. A bank that
 * cannot be filled says why, and is tried again: soon at first, later every minute, for as long as its generation is
 * the last.
 */
#ifndef VSR_EVIDENCE_FILL_H
#define VSR_EVIDENCE_FILL_H

#include <stddef.h>

struct evidence;
struct evidence_binding;
struct evidence_lane;

enum {
    FILL_TEXTS_MAX = 64, /* asked for at a time */
    FILL_RETRY_MS = 1000,
    FILL_RETRY_MS_MAX = 60000,
};

/* Those whose embedder is built in. On the caller's thread. */
void evidence_fill_now(struct evidence_binding *binding);

/*
 * The rest, on a thread of the process. Supersedes what was begun before. Any thread, one at a time. The bindings live
 * until release(data), which comes on that thread when they are no longer needed, or from evidence_free().
 */
void evidence_fill_later(struct evidence *evidence, struct evidence_binding *const *bindings, size_t n,
                         void (*release)(void *data), void *data);

/* The rest, on a lane that has a loop of its own; once. */
void evidence_fill_wait(struct evidence_lane *lane, struct evidence_binding *binding);

struct evidence_fill_state {
    size_t banks, filled;
};
/* Adds those of `binding`, which may be NULL. Any thread. */
void evidence_fill_count(const struct evidence_binding *binding, struct evidence_fill_state *state);

#endif
