/*
 * labels - what the outputs of a classifier are called.
 *
 * Several kinds of file say so, by maps from index to label, from label to index, or both. All maps of a file are taken
 * together; they must agree, leave no index out and use no label twice. The same rules hold for every task: a label
 * that is taken for another one is a wrong answer that looks right.
 */
#ifndef VSR_NN_LABELS_H
#define VSR_NN_LABELS_H

#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum {
    LABELS_MAX = 4096,
    LABEL_LEN_MAX = 256,
    LABEL_NOTE_LEN_MAX = 1 << 16, /* of a description or system prompt */
};
#define LABELS_NONE SIZE_MAX

struct labels {
    size_t n;
    const vsr_str *names;        /* [n] */
    const vsr_str *descriptions; /* [n], empty where there is none */
    const vsr_str *prompts;      /* [n] system prompts of categories, empty where there is none */
};

/* From the text of a mapping file or config.json. VSR_E_NOT_FOUND when it holds no labels, VSR_E_INVALID for maps that
 * break the rules. Memory is `arena`'s. */
int labels_parse(struct arena *arena, vsr_str json, struct labels *ret, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * The labels of a model directory with a classifier of `n_rows` rows (0: not known). `mapping` is a file in it, or
 * empty: then it is the first of category_mapping.json, pii_type_mapping.json, jailbreak_type_mapping.json,
 * fact_check_mapping.json and label_mapping.json that is there, else config.json, else LABEL_0, LABEL_1, ...
 * VSR_E_INVALID when their number is not that of the rows.
 */
int labels_read(struct arena *arena, vsr_str directory, vsr_str mapping, size_t n_rows, struct labels *ret,
                struct vsr_err *err) VSR_MUST_CHECK;

/* LABELS_NONE when no label is spelled so, ASCII letters in any case. An exact match is preferred. */
size_t labels_find(const struct labels *labels, vsr_str name);

#endif
