/*
 * embedder - the names by which configuration and API choose an embedding model, and the choice `auto`.
 *
 * Immutable; any thread.
 */
#ifndef VSR_MODEL_EMBEDDER_H
#define VSR_MODEL_EMBEDDER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

enum { EMBEDDER_TOKENS_MAX = 32768, EMBEDDER_GEMMA_TOKENS_MAX = 2048, EMBEDDER_SHORT_TOKENS_MAX = 512 };

enum embedder {
    EMBEDDER_QWEN3,
    EMBEDDER_GEMMA,
    EMBEDDER_MMBERT,
    EMBEDDER_MULTIMODAL,
    EMBEDDER_BERT,
    EMBEDDER_REMOTE,
    EMBEDDER_AUTO, /* chosen anew for each text */
    EMBEDDERS_COUNT,
};

const char *embedder_name(enum embedder embedder);
/* VSR_E_INVALID lists the names. */
int embedder_parse(vsr_str name, enum embedder *ret_embedder, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * The embedder of a consumer that names none (semantic cache, memory, vector store): the first of mmbert, multimodal,
 * qwen3 and gemma for which `has_path` is set, else bert.
 */
enum embedder embedder_default(const bool has_path[static EMBEDDERS_COUNT]);

struct embedder_wish {
    size_t tokens;                             /* of the text, by the tokenizer, not by its words */
    double quality_priority, latency_priority; /* 0 to 1 */
    size_t target_dim;                         /* 0: the model's own */
    bool loaded[EMBEDDERS_COUNT];
};

/*
 * Chooses for `auto` among qwen3, gemma and mmbert. A text longer than Gemma's context never goes to Gemma, neither for
 * speed nor because another one is not loaded. VSR_E_LIMIT: past EMBEDDER_TOKENS_MAX, the text must be split;
 * VSR_E_UNAVAILABLE: none that fits is loaded.
 */
int embedder_choose(const struct embedder_wish *wish, enum embedder *ret_embedder, struct vsr_err *err) VSR_MUST_CHECK;

#endif
