/*
 * sentence_files - how a sentence embedder makes one vector of an encoder's output: the files that the
 * sentence-transformers library writes beside config.json.
 *
 *     modules.json                            Transformer, Pooling, then Dense and Normalize in any order
 *     1_Pooling/config.json                   which rows are pooled, and how
 *     2_Dense/config.json                     a linear map; its weights are 2_Dense/model.safetensors: weights_open()
 *     sentence_bert_config.json               longest input, lower case
 *     config_sentence_transformers.json       prompts by name
 *
 * All are optional; what is there must be understood. Any thread; memory is the arena's.
 */
#ifndef VSR_NN_SENTENCE_FILES_H
#define VSR_NN_SENTENCE_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/encoder_config.h"

enum {
    SENTENCE_STEPS_MAX = 8,
    SENTENCE_DIMS_MAX = 16384, /* as wide as the kernels take rows */
    SENTENCE_PROMPTS_MAX = 256,
    SENTENCE_PROMPT_LEN_MAX = 1 << 14,
};

enum sentence_pooling {
    SENTENCE_FIRST, /* of the first token */
    SENTENCE_MAX,   /* per dimension */
    SENTENCE_MEAN,
    SENTENCE_MEAN_SQRT, /* sum / sqrt(n) */
    SENTENCE_WEIGHTED,  /* mean weighted by 1..n */
    SENTENCE_LAST,
};

enum sentence_step_kind { SENTENCE_DENSE, SENTENCE_NORMALIZE };

struct sentence_step {
    enum sentence_step_kind kind;
    vsr_str path; /* of a dense one's weights, below the model's directory */
    size_t in, out;
    bool bias, has_activation;
    enum activation activation;
};

struct sentence_prompt {
    vsr_str name, text;
};

struct sentence_files {
    bool has_modules; /* else the family's own pooling, then a unit vector, and none of the next five; texts are read as
                         they are, whatever `lower_case` and `default_prompt` say */
    enum sentence_pooling pooling;
    bool include_prompt; /* whether the prompt's tokens are pooled too */
    size_t dims;         /* of what is pooled */
    size_t n_steps;
    struct sentence_step steps[SENTENCE_STEPS_MAX]; /* after pooling, in order */
    size_t tokens_max;                              /* longest input, special tokens counted; 0: not said */
    bool lower_case;
    size_t n_prompts;
    const struct sentence_prompt *prompts; /* in the order of the file */
    vsr_str default_prompt;                /* a name; empty: none */
};

/* From a model directory. VSR_E_INVALID names file and key, VSR_E_NOT_FOUND a file that modules.json leads to. */
int sentence_files_read(struct arena *arena, vsr_str directory, struct sentence_files *ret,
                        struct vsr_err *err) VSR_MUST_CHECK;

/* The text of a prompt by name; false when there is none of it. */
bool sentence_prompt_find(const struct sentence_files *files, vsr_str name, vsr_str *ret_text);

/* ---- single files, by their text */

/* Paths of the steps, all else of them still to be read; `ret_pooling_path` is that of the pooling. */
int sentence_modules_parse(struct arena *arena, vsr_str json, struct sentence_files *files, vsr_str *ret_pooling_path,
                           struct vsr_err *err) VSR_MUST_CHECK;
int sentence_pooling_parse(vsr_str json, struct sentence_files *files, struct vsr_err *err) VSR_MUST_CHECK;
int sentence_dense_parse(vsr_str json, struct sentence_step *step, struct vsr_err *err) VSR_MUST_CHECK;
int sentence_limits_parse(vsr_str json, struct sentence_files *files, struct vsr_err *err) VSR_MUST_CHECK;
int sentence_prompts_parse(struct arena *arena, vsr_str json, struct sentence_files *files,
                           struct vsr_err *err) VSR_MUST_CHECK;

#endif
