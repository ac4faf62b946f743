/*
 * chunks - all that a security rule reads of a request, in pieces for a model (signals.md §2.3): the text that is
 * evaluated, and on demand earlier turns and what tools returned. A piece that is there twice is checked once.
 */
#ifndef VSR_SIGNAL_CHUNKS_H
#define VSR_SIGNAL_CHUNKS_H

#include "signal/request.h"

enum { CHUNKS_HISTORY = 1u << 0, CHUNKS_TOOL_RESULTS = 1u << 1, CHUNKS_CHOICES = 4 };

struct signal_chunk {
    vsr_str text;
    uint32_t content; /* which text it is a piece of */
    size_t base;      /* where it begins there, in bytes */
};

struct signal_chunks {
    const vsr_str *contents; /* texts, each different from the others */
    size_t n_contents;
    const struct signal_chunk *items; /* in order of contents */
    size_t n;
};

/* `with` is a choice of flags. Lives in the request's arena. VSR_E_NOMEM when it does not fit there. */
int chunks_make(struct signal_request *request, enum signal_text which, unsigned with, uint64_t budget,
                struct signal_chunks *ret_chunks, struct vsr_err *err) VSR_MUST_CHECK;

/* The chunks of each choice of flags, made when they are first asked for: a family's memo for one request. */
struct chunks_memo {
    const struct signal_chunks *made[CHUNKS_CHOICES];
};

int chunks_of(struct chunks_memo *memo, struct signal_request *request, enum signal_text which, unsigned with,
              uint64_t budget, const struct signal_chunks **ret_chunks, struct vsr_err *err) VSR_MUST_CHECK;

/* How many a rule with that limit (0: none) checks: the first ones. */
size_t chunks_within(const struct signal_chunks *chunks, int64_t max);
/* Why a rule did not check all of them. */
const char *chunks_too_many(struct arena *arena, const struct signal_chunks *chunks, size_t max);

#endif
