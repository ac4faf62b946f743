/*
 * kb_base - a knowledge base compared with a text: labels by their examples, groups by their labels (signals.md §6.12).
 *
 * Compiled once, read-only: any thread. Rules and metrics of one recipe share a base, and one request compares it once.
 * The arithmetic, kb_evaluate(), needs no request.
 */
#ifndef VSR_SIGNAL_KB_BASE_H
#define VSR_SIGNAL_KB_BASE_H

#include "signal/family.h"

struct config_kb;
struct kb_base;

#define KB_NONE SIZE_MAX

/* Compiles the base for one family. NULL when its file was not read. */
const struct kb_base *kb_base_build(struct signal_builder *builder, const struct config_kb *kb);

/* KB_NONE: it has none of that name. */
size_t kb_base_label(const struct kb_base *base, vsr_str name);
size_t kb_base_group(const struct kb_base *base, vsr_str name);

/* Labels in order of their names, groups as configured. */
struct kb_verdict {
    const double *labels; /* scores */
    const bool *label_matched;
    double *groups; /* the greatest score of a member, not below 0 */
    bool *group_matched;
    double best_score;                           /* of all labels */
    size_t best_label, best_matched, best_group; /* KB_NONE: there is none */
};

/*
 * What follows from the scores of its labels. The best label is the one of the greatest score, by name where several
 * have it, and none when it is not `margin_threshold` before the second; the best group is the one of the greatest
 * score, of several the one with the fewest labels, then by name. Lives in `arena`, but for the scores.
 */
struct kb_verdict *kb_evaluate(const struct kb_base *base, const double *scores, struct arena *arena);

/* One request's comparison of one base. */
struct kb_result {
    const struct config_kb *kb;
    struct evidence_answer failure;   /* SIGNAL_OK: there is none */
    const struct kb_verdict *verdict; /* NULL: it failed */
    struct kb_result *next;
};

/* Asks for the vector of the text that the family reads. Fails where there is no window. */
int kb_base_ask(const struct kb_base *base, struct signal_request *request, const struct evidence_answer **ret_answer,
                struct vsr_err *err) VSR_MUST_CHECK;
/* The same, and compares; once for each request. */
int kb_base_compare(const struct kb_base *base, struct signal_request *request, const struct kb_result **ret_result,
                    struct vsr_err *err) VSR_MUST_CHECK;

#endif
