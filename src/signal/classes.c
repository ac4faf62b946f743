#include "signal/classes.h"

#include <math.h>

#include "config/global_catalog.h"
#include "core/arena.h"
#include "core/assert.h"

/* ---- sources */

static void take_model(void *data, const struct signal_model *model) {
    *(struct signal_model *)data = *model;
}

uint32_t classes_model(struct signal_builder *builder, signal_models *models, const void *rule) {
    struct signal_source source = { .kind = SOURCE_MODEL };
    models(builder->doc, rule, take_model, &source.model);
    return source.model.path.len ? signal_source_add(builder, &source) : CLASSES_NO_SOURCE;
}

uint32_t classes_guard(struct signal_builder *builder, signal_models *models, const struct signal_risk *risk) {
    struct signal_source source = { .kind = SOURCE_MODEL, .risk = risk };
    models(builder->doc, NULL, take_model, &source.model);
    return source.model.path.len ? signal_source_add(builder, &source) : CLASSES_NO_SOURCE;
}

uint32_t classes_server(struct signal_builder *builder, enum signal_source_kind kind,
                        const struct config_external_model *server) {
    struct signal_source source = { .kind = kind, .config = server };
    if (!server)
        return CLASSES_NO_SOURCE;
    source.timeout_ms = server->llm_timeout_seconds * 1000;
    return signal_source_add(builder, &source);
}

/* ---- failing */

void classes_fail(const struct signal_request *request, struct signal_results *results, uint32_t first, size_t n,
                  const struct evidence_answer *answer) {
    for (uint32_t slot = first; slot < first + n; slot++)
        if (bits_has(request->wanted, slot))
            signal_fail_because(results, slot, answer->code, answer->reason);
}

/* ---- one classification for all rules */

static const struct evidence_ask *switched_off(struct signal_request *request, const char *off) {
    struct evidence_ask *ask = ARENA_NEW(request->arena, struct evidence_ask);
    ask->answered = true;
    ask->answer = (struct evidence_answer){ .code = SIGNAL_UNAVAILABLE, .reason = off };
    return ask;
}

struct classes_asking classes_asking(const struct signal_builder *builder, uint32_t source, const char *off) {
    return (struct classes_asking){ .n_rules = builder->rules->n,
                                    .first_slot = builder->first_slot,
                                    .source = source,
                                    .text = builder->text,
                                    .off = off };
}

static int find_answer(const struct classes_asking *asking, struct signal_request *request,
                       const struct evidence_ask **ret_ask, struct vsr_err *err) {
    vsr_str text;
    int rc = signal_request_window(request, asking->text, &text, err);
    if (rc < 0)
        return rc;
    *ret_ask = asking->source == CLASSES_NO_SOURCE
                   ? switched_off(request, asking->off)
                   : evidence_ask(request->asks, EVIDENCE_CLASSES, asking->source, text);
    return 0;
}

void classes_ask(const struct classes_asking *asking, struct signal_request *request) {
    const struct evidence_ask *asked;
    (void)!find_answer(asking, request, &asked, NULL); /* eval() fails the same way */
}

int classes_answer(const struct classes_asking *asking, struct signal_request *request, struct signal_results *results,
                   const struct evidence_answer **ret_answer, struct vsr_err *err) {
    const struct evidence_ask *asked;
    int rc = find_answer(asking, request, &asked, err);
    if (rc < 0)
        return rc;
    *ret_answer = asked->answer.code == SIGNAL_OK ? &asked->answer : NULL;
    if (!*ret_answer)
        classes_fail(request, results, asking->first_slot, asking->n_rules, &asked->answer);
    return 0;
}

/* ---- labels */

enum { LABELS_TOLD = 16, LABEL_TOLD_LEN = 48 }; /* of a model's labels, in a reason */

struct evidence_answer classes_strange(const struct signal_request *request, const struct evidence_answer *answer,
                                       const char *expected) {
    vsr_str all = { 0 };
    for (size_t i = 0; i < answer->n_labels && i < LABELS_TOLD; i++)
        all = arena_printf(request->arena, "%.*s%s\"%.*s\"", VSR_FMT(all), i ? ", " : "",
                           VSR_FMT(str_sub(answer->labels[i], 0, LABEL_TOLD_LEN)));
    all = arena_printf(request->arena, "the model's labels are %.*s%s, and none of them is %s", VSR_FMT(all),
                       answer->n_labels > LABELS_TOLD ? ", ..." : "", expected);
    return (struct evidence_answer){
        .code = SIGNAL_UNAVAILABLE, .reason = all.ptr, .model = answer->model, .version = answer->version
    };
}

const char *classes_cut(const struct signal_request *request, const struct evidence_answer *answer) {
    return arena_printf(request->arena, "the end of a text was left out%s%s: use long_text: chunk",
                        answer->model ? " by " : "", answer->model ? answer->model : "")
        .ptr;
}

/* ---- numbers */

size_t classes_top(const struct evidence_answer *answer) {
    size_t top = 0;
    VSR_ASSERT(answer->n > 0);
    for (size_t i = 1; i < answer->n; i++)
        if (answer->numbers[i] > answer->numbers[top])
            top = i;
    return top;
}

ptrdiff_t classes_find(const struct evidence_answer *answer, vsr_str label) {
    for (size_t i = 0; i < answer->n_labels; i++)
        if (str_eq_nocase(answer->labels[i], label))
            return (ptrdiff_t)i;
    return -1;
}

double classes_entropy(const float *probabilities, size_t n) {
    double bits = 0;
    for (size_t i = 0; i < n; i++)
        if (probabilities[i] > 0)
            bits -= (double)probabilities[i] * log2((double)probabilities[i]);
    return n > 1 ? bits / log2((double)n) : 0;
}

enum classes_doubt classes_doubt(double entropy) {
    static const double from[] = { 0.2, 0.4, 0.6, 0.8 };
    size_t level = 0;
    while (level < VSR_COUNT(from) && entropy >= from[level])
        level++;
    return (enum classes_doubt)level;
}
