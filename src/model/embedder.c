#include "model/embedder.h"

static const char *const names[EMBEDDERS_COUNT] = {
    [EMBEDDER_QWEN3] = "qwen3",   [EMBEDDER_GEMMA] = "gemma",
    [EMBEDDER_MMBERT] = "mmbert", [EMBEDDER_MULTIMODAL] = "multimodal",
    [EMBEDDER_BERT] = "bert",     [EMBEDDER_REMOTE] = "remote",
    [EMBEDDER_AUTO] = "auto",
};

static const double EAGER = 0.7;     /* from here on a priority decides */
static const double IMPATIENT = 0.5; /* from here on latency decides when fewer dimensions do */
enum { DIM_FULL = 768 };

const char *embedder_name(enum embedder embedder) {
    return names[embedder];
}

int embedder_parse(vsr_str name, enum embedder *ret_embedder, struct vsr_err *err) {
    for (size_t i = 0; i < EMBEDDERS_COUNT; i++) {
        if (str_eq_c(name, names[i])) {
            *ret_embedder = (enum embedder)i;
            return 0;
        }
    }
    return err_set(err, VSR_E_INVALID,
                   "found \"%.*s\", expected one of qwen3, gemma, mmbert, multimodal, bert, remote, auto",
                   VSR_FMT(str_sub(name, 0, 64)));
}

enum embedder embedder_default(const bool has_path[static EMBEDDERS_COUNT]) {
    static const enum embedder order[] = { EMBEDDER_MMBERT, EMBEDDER_MULTIMODAL, EMBEDDER_QWEN3, EMBEDDER_GEMMA };
    for (size_t i = 0; i < VSR_COUNT(order); i++)
        if (has_path[order[i]])
            return order[i];
    return EMBEDDER_BERT;
}

static enum embedder prefer(const struct embedder_wish *wish) {
    if (wish->tokens > EMBEDDER_GEMMA_TOKENS_MAX)
        return EMBEDDER_QWEN3;
    if (wish->target_dim > 0 && wish->target_dim < DIM_FULL && wish->latency_priority > IMPATIENT)
        return EMBEDDER_GEMMA;
    if (wish->tokens > EMBEDDER_SHORT_TOKENS_MAX)
        return EMBEDDER_GEMMA;
    return wish->quality_priority <= EAGER && wish->latency_priority > EAGER ? EMBEDDER_GEMMA : EMBEDDER_QWEN3;
}

int embedder_choose(const struct embedder_wish *wish, enum embedder *ret_embedder, struct vsr_err *err) {
    static const enum embedder after_qwen3[] = { EMBEDDER_QWEN3, EMBEDDER_MMBERT, EMBEDDER_GEMMA };
    static const enum embedder after_gemma[] = { EMBEDDER_GEMMA, EMBEDDER_MMBERT, EMBEDDER_QWEN3 };
    const enum embedder *order;
    if (wish->tokens > EMBEDDER_TOKENS_MAX)
        return err_set(err, VSR_E_LIMIT, "the text has %zu tokens, an embedding model takes at most %d: split it",
                       wish->tokens, EMBEDDER_TOKENS_MAX);
    order = prefer(wish) == EMBEDDER_QWEN3 ? after_qwen3 : after_gemma;
    for (size_t i = 0; i < VSR_COUNT(after_qwen3); i++) {
        if (!wish->loaded[order[i]] || (order[i] == EMBEDDER_GEMMA && wish->tokens > EMBEDDER_GEMMA_TOKENS_MAX))
            continue;
        *ret_embedder = order[i];
        return 0;
    }
    return err_set(err, VSR_E_UNAVAILABLE, "no embedding model that takes %zu tokens is loaded", wish->tokens);
}
