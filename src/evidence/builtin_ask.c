#include "evidence/builtin_ask.h"

#include <string.h>

#include "core/arena.h"
#include "core/assert.h"
#include "evidence/model_call.h"
#include "evidence/spans.h"
#include "model/builtin.h"

static const char *const kinds[] = {
    [BUILTIN_VECTOR] = "vectors of texts",
    [BUILTIN_CLASSES] = "classes of texts",
    [BUILTIN_TAGS] = "classes of tokens",
    [BUILTIN_PAIR_CLASSES] = "classes of pairs",
    [BUILTIN_PAIR_TAGS] = "classes of tokens in pairs",
};

static enum builtin_kind wanted(enum evidence_kind kind) {
    return kind == EVIDENCE_VECTOR ? BUILTIN_VECTOR : kind == EVIDENCE_SPANS ? BUILTIN_TAGS : BUILTIN_CLASSES;
}

int builtin_check(const struct builtin_model *model, enum evidence_kind kind, struct vsr_err *err) {
    if (model->kind == wanted(kind))
        return 0;
    return err_set(err, VSR_E_UNAVAILABLE, "model %.*s gives %s, and %s are wanted", VSR_FMT(model->name),
                   kinds[model->kind], kinds[wanted(kind)]);
}

static int read_spans(const struct builtin_scratch *scratch, vsr_str text, const struct builtin_model *model,
                      const struct builtin_result *result, struct arena *arena, struct evidence_answer *answer,
                      struct vsr_err *err) {
    struct builtin_tokens tokens = builtin_tokens(scratch);
    const struct bio_tokens tagged = { result->numbers, tokens.starts, tokens.ends, tokens.n };
    /* The built-in tagger was chosen and measured by its likeliest sequences. */
    return evidence_spans(arena, text, &tagged, BIO_VITERBI, model->labels, model->n_labels, answer, err);
}

static void read_numbers(const struct builtin_model *model, const struct builtin_result *result, struct arena *arena,
                         struct evidence_answer *answer) {
    float *numbers = ARENA_ARRAY(arena, float, model->width);
    memcpy(numbers, result->numbers, model->width * sizeof(float)); /* the scratch is used again */
    answer->numbers = numbers;
    answer->n = model->width;
    answer->labels = model->labels;
    answer->n_labels = model->n_labels;
    answer->similarity = model->similarity;
}

bool builtin_answer(struct builtin_scratch *scratch, vsr_str text, const struct builtin_model *const *models, size_t n,
                    struct arena *arena, struct evidence_answer *answers) {
    struct builtin_result results[BUILTIN_ASKS_MAX];
    struct vsr_err err = VSR_ERR_NONE;
    int rc;
    VSR_ASSERT(n <= BUILTIN_ASKS_MAX);
    rc = builtin_run(scratch, text, models, n, results, &err);
    if (rc == VSR_E_LIMIT)
        return false;
    for (size_t i = 0; i < n; i++) {
        int own = rc;
        answers[i] = (struct evidence_answer){ .code = SIGNAL_OK };
        if (own == 0 && models[i]->kind == BUILTIN_TAGS)
            own = read_spans(scratch, text, models[i], &results[i], arena, &answers[i], &err);
        else if (own == 0)
            read_numbers(models[i], &results[i], arena, &answers[i]);
        if (own < 0)
            answers[i] = evidence_failure(arena, own, err.text);
        answers[i].model = models[i]->name.ptr;
        answers[i].version = arena_c_str(arena, models[i]->version);
    }
    return true;
}
