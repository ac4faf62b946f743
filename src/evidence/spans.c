#include "evidence/spans.h"

#include "core/arena.h"

int evidence_spans(struct arena *arena, vsr_str text, const struct bio_tokens *tokens, enum bio_rule rule,
                   const vsr_str *labels, size_t n, struct evidence_answer *answer, struct vsr_err *err) {
    struct evidence_span *spans;
    struct bio_span *found;
    struct bio *bio;
    vsr_str *types;
    int rc = bio_build(arena, labels, n, &bio, err);
    if (rc < 0)
        return rc;
    answer->n_spans = bio_decode(bio, rule, text, tokens, arena, &found);
    spans = ARENA_ARRAY(arena, struct evidence_span, answer->n_spans);
    for (size_t i = 0; i < answer->n_spans; i++)
        spans[i] = (struct evidence_span){ found[i].start, found[i].end, found[i].type, (double)found[i].mean };
    answer->spans = spans;
    answer->n_labels = bio_types(bio);
    types = ARENA_ARRAY(arena, vsr_str, answer->n_labels);
    for (uint32_t i = 0; i < answer->n_labels; i++)
        types[i] = bio_type(bio, i);
    answer->labels = types;
    return 0;
}
