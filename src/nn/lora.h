/*
 * lora - a low-rank adapter in the files of the PEFT library: what it adds to which linear layers of a base model.
 *
 *     y = x (W + s B A)^T + b        A [rank, in], B [out, rank], s = alpha / rank (or alpha / sqrt(rank))
 *
 * lora_open() reads adapter_config.json and adapter_model.safetensors and checks one against the other; lora_bind()
 * checks both against the base: each adapted layer exists, has these sizes, is one that the configuration means, and
 * none of those is missing. Whatever changes the result in a way that is not known here is an error.
 *
 * An adapter is folded into weights as they are loaded (lora_weight(), lora_bias()), or its factors are run beside the
 * base (nn/encoder_adapter.h), except with DoRA, which can only be folded.
 *
 * What the file holds and nobody took is an error of lora_finish(): it would change the result if it were applied.
 *
 * Loading is one thread, a bound adapter read-only for any once loading has ended. Tensors point into the mapped file,
 * until lora_free().
 */
#ifndef VSR_NN_LORA_H
#define VSR_NN_LORA_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/encoder_config.h"
#include "nn/encoder_linears.h"
#include "nn/safetensors.h"
#include "nn/weights.h"

struct arena;
struct lora_rules;

enum {
    LORA_RANK_MAX = 1024,
    LORA_TENSORS_MAX = 8192, /* 128 layers, seven matrices, two factors, and heads */
    LORA_NAMES_MAX = 1024,   /* in each list of the configuration */
};

struct lora_module {
    vsr_str path; /* as in the file, without "base_model.model." */
    vsr_str name; /* as the base names it, without prefix; set by lora_bind() */
    size_t layer; /* LINEAR_NO_LAYER: behind the last one; set by lora_bind() */
    size_t rank, in, out;
    float scale;
    const struct tensor *a, *b;     /* [rank, in], [out, rank] */
    const struct tensor *magnitude; /* [out], DoRA only; else NULL */
    const struct tensor *bias;      /* [out], times scale, is added to the layer's; usually NULL */
    bool used;
};

/* A tensor that takes the place of the base's. */
struct lora_saved {
    vsr_str path; /* as in the file, without "base_model.model." */
    vsr_str name; /* as the base names it, without prefix; set by lora_bind() */
    const struct tensor *tensor;
    bool used;
};

struct lora {
    struct arena *arena;
    vsr_str base; /* base_model_name_or_path; may be empty */
    enum encoder_task task;
    bool dora;
    struct lora_module *modules; /* [n_modules], by path */
    size_t n_modules;
    struct lora_saved *saved; /* [n_saved], by path */
    size_t n_saved;
    size_t first_layer; /* the layers before it are the base's; LINEAR_NO_LAYER: all are. Set by lora_bind() */
    struct lora_rules *rules;
};

/* Whether the directory holds an adapter and no weights of its own. A "lora_config.json" is no adapter: it stands in
 * directories whose weights an adapter was folded into. */
bool lora_is_adapter(vsr_str directory);

/* VSR_E_NOT_FOUND, VSR_E_IO, VSR_E_LIMIT, VSR_E_SYNTAX or VSR_E_INVALID with file, key or tensor. Free with
 * lora_free(). */
int lora_open(vsr_str directory, struct lora **ret, struct vsr_err *err) VSR_MUST_CHECK;
void lora_free(struct lora *lora);

/* The same from the bytes of both files, which must outlive the result. */
int lora_parse(vsr_str config, vsr_str tensors, struct lora **ret, struct vsr_err *err) VSR_MUST_CHECK;

/* Once, before the functions below. */
int lora_bind(struct lora *lora, const struct encoder_linears *linears, struct vsr_err *err) VSR_MUST_CHECK;

/* What is added to the linear layer `name`; NULL: nothing. */
struct lora_module *lora_find(const struct lora *lora, vsr_str name);
/* What replaces the base's tensor `name` ("classifier.weight"); NULL: nothing. */
struct lora_saved *lora_find_saved(const struct lora *lora, vsr_str name);

/* The factors in f32: `a` [rank][in], `b` [out][rank], not scaled. The module counts as used. */
int lora_factors(struct lora_module *module, float *a, float *b, struct vsr_err *err) VSR_MUST_CHECK;

/* weight [out][in] becomes that of the adapted layer; all in f32, in a fixed order of additions. The module counts as
 * used. */
int lora_fold(struct lora_module *module, float *weight, struct vsr_err *err) VSR_MUST_CHECK;

/* ---- the base with the adapter in it; `lora` may be NULL. Tensors of both count as used */

/* A tensor that is no layer's matrix or bias, such as a norm's: the base's, or what replaces it. */
int lora_tensor(struct lora *lora, struct weights *weights, enum weights_part part, vsr_str name,
                struct weights_shape shape, float *ret, struct vsr_err *err) VSR_MUST_CHECK;
/* "<name>.weight" [out][in] and "<name>.bias" [out] of a linear layer. An adapter may bring a bias that the base has
 * not: lora_has_bias(). */
int lora_weight(struct lora *lora, struct weights *weights, enum weights_part part, vsr_str name, size_t out, size_t in,
                float *ret, struct vsr_err *err) VSR_MUST_CHECK;
int lora_bias(struct lora *lora, struct weights *weights, enum weights_part part, vsr_str name, size_t out, float *ret,
              struct vsr_err *err) VSR_MUST_CHECK;
bool lora_has_bias(const struct lora *lora, const struct weights *weights, enum weights_part part, vsr_str name);
/* Rows of "<name>.weight", such as the number of classes. */
int lora_rows(const struct lora *lora, const struct weights *weights, enum weights_part part, vsr_str name,
              size_t *ret_rows, struct vsr_err *err) VSR_MUST_CHECK;

/* Fails when something of the adapter was not used. */
int lora_finish(const struct lora *lora, struct vsr_err *err) VSR_MUST_CHECK;

#endif
