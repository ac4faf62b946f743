/*
 * request - one request as signal families see it: its facts, and the texts derived from them.
 *
 * Every text is made when a family first asks for it, and at most once; the failure to make one is the same at every
 * call. One thread.
 */
#ifndef VSR_SIGNAL_REQUEST_H
#define VSR_SIGNAL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "signal/modality.h"
#include "text/pattern_set.h"
#include "wire/facts.h"

struct arena;
struct compress_options;
struct evidence_asks;
struct kb_result;
struct keyword_findings;
struct stemmer;

/* Which of its two texts a family reads (signals.md §2.2); builder->text says. */
enum signal_text {
    SIGNAL_TEXT_COMPRESSED, /* eval_text, shortened where the configuration asks for it */
    SIGNAL_TEXT_FULL,       /* eval_text as it came */
    SIGNAL_TEXTS,
};

/* What has been made of one text so far. */
struct signal_view {
    bool windowed, searched, window_searched;
    int window_rc, hits_rc, window_hits_rc;
    vsr_str window;
    struct pattern_hits hits, window_hits;
};

/* What the security families found, for headers, traces and records. */
struct signal_jailbreak {
    bool detected;
    vsr_str type;      /* a label of the guard, "contrastive", or "classification_error" of what could not be checked */
    double confidence; /* of the strongest rule */
};

struct signal_pii {
    bool detected;
    const vsr_str *types; /* that some rule denies, sorted */
    size_t n_types;
};

struct signal_request {
    struct arena *arena;
    const struct request_facts *facts;
    double bytes_per_token;             /* 0: 4.0 */
    const uint64_t *wanted;             /* per slot: rules to evaluate; others are left alone */
    const struct pattern_set *patterns; /* NULL: the recipe has none */
    struct pattern_scratch *scratch;
    struct stemmer *stemmer;    /* NULL: no rule stems */
    size_t regex_steps;         /* left of REGEX_STEPS_MAX */
    size_t window_max;          /* code points that windowed families read; 0: all */
    uint64_t token_count;       /* what context rules compare */
    struct evidence_asks *asks; /* what models are asked: signal/evidence.h */
    void *memo;                 /* the evaluating family's own, from ask() to eval(); NULL at first */

    struct modality_verdict modality; /* the family's; method NULL: not asked, or nobody could tell */
    struct signal_jailbreak jailbreak;
    struct signal_pii pii;
    const struct compress_options *compress; /* NULL: both texts are the same */

    /* request.c's */
    bool compressed;
    int compress_rc;
    vsr_str compressed_text;
    struct signal_view views[SIGNAL_TEXTS];

    struct keyword_findings *keywords; /* keyword.c's: what it found, for people who ask later */
    struct kb_result *kbs;             /* kb_base.c's: knowledge bases that were compared with the text */
};

/* The text itself. Lives in the request's arena or in the facts. */
int signal_request_text(struct signal_request *request, enum signal_text which, vsr_str *ret_text,
                        struct vsr_err *err) VSR_MUST_CHECK;

/* Its beginning, middle and end when it is long (signals.md §2.2): what windowed families read. */
int signal_request_window(struct signal_request *request, enum signal_text which, vsr_str *ret_text,
                          struct vsr_err *err) VSR_MUST_CHECK;

/* Which patterns of the recipe occur in it. */
int signal_request_hits(struct signal_request *request, enum signal_text which, const struct pattern_hits **ret_hits,
                        struct vsr_err *err) VSR_MUST_CHECK;

/* Which of them occur in the window. */
int signal_request_window_hits(struct signal_request *request, enum signal_text which,
                               const struct pattern_hits **ret_hits, struct vsr_err *err) VSR_MUST_CHECK;

#endif
