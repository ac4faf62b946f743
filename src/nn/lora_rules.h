/*
 * lora_rules - what adapter_config.json says about which layers are adapted, and how strongly.
 *
 * Paths are those of the adapter file without "base_model.model.". Read-only after reading: any thread.
 */
#ifndef VSR_NN_LORA_RULES_H
#define VSR_NN_LORA_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/encoder_config.h"

struct arena;
struct name_pattern;

/* A list of names, one pattern for whole paths, or neither. */
struct lora_names {
    const vsr_str *items;
    size_t n;
    const struct name_pattern *pattern;
};

/* A value for the paths whose end matches. */
struct lora_override {
    const struct name_pattern *pattern;
    double value;
};

struct lora_overrides {
    struct lora_override *items; /* in the order of the file: the first match counts */
    size_t n;
};

struct lora_rules {
    vsr_str base;
    enum encoder_task task;
    bool dora, root_scale, lora_bias;
    bool saves_biases; /* "bias" is not "none" */
    bool all_linear;   /* instead of targets */
    struct lora_names targets, excluded, saved, layer_lists;
    const size_t *layers; /* to be adapted; NULL: all */
    size_t n_layers;
    double rank, alpha;
    struct lora_overrides ranks, alphas;
};

int lora_rules_parse(struct arena *arena, vsr_str json, struct lora_rules *ret, struct vsr_err *err) VSR_MUST_CHECK;

/* Whether the layer at `path` is adapted; `output`: it gives the scores of classes. */
bool lora_rules_adapt(const struct lora_rules *rules, vsr_str path, bool output);
/* Whether the module at `path` is replaced whole. */
bool lora_rules_save(const struct lora_rules *rules, vsr_str path);

size_t lora_rules_rank(const struct lora_rules *rules, vsr_str path);
/* s of W + s B A. */
float lora_rules_scale(const struct lora_rules *rules, vsr_str path);

#endif
