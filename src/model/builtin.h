/*
 * builtin - the models that are part of the program: one trunk (nn/mixer.h), and a light head of it for each task.
 *
 * They are called "builtin/domain", "builtin/embedding" and so on, wherever a configuration or a command takes the name
 * of a model. Nothing is read from the disk and nothing large is copied: weights are used where the program is mapped.
 * The trunk and its tokenizer are made ready when a process opens the first of them, and stay until it ends.
 *
 * A text is run where it is asked about, on the caller's thread; several models share one pass over it. What engine.h
 * does for models from disk (queues, batches, long texts, remembered answers) it does for these too; this is the way
 * around it, for short texts. Any thread, each with a scratch of its own.
 */
#ifndef VSR_MODEL_BUILTIN_H
#define VSR_MODEL_BUILTIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct builtin_scratch; /* working memory; grows to the longest text and keeps it */
struct mixer_head;
struct similarity_scale;
struct tokenizer;

#define BUILTIN_PREFIX "builtin/"

enum {
    BUILTIN_MODELS_MAX = 16,
    BUILTIN_TOKENS_MAX = 2048,      /* that they are made for; engine.h cuts longer texts into windows */
    BUILTIN_TEXT_LEN_MAX = 1 << 19, /* bytes of a text that is run directly */
    BUILTIN_SECOND = 0x80,          /* see builtin_shapes() */
};

enum builtin_kind {
    BUILTIN_VECTOR,       /* one row of unit length */
    BUILTIN_CLASSES,      /* one row of probabilities */
    BUILTIN_TAGS,         /* one for each token */
    BUILTIN_PAIR_CLASSES, /* of a pair: one row */
    BUILTIN_PAIR_TAGS,    /* of a pair: one for each token of the second text */
};

/* Immutable, for the life of the process. */
struct builtin_model {
    vsr_str name;    /* "builtin/domain" */
    vsr_str task;    /* "domain" */
    vsr_str version; /* changes with any of the numbers that it is made of */
    enum builtin_kind kind;
    const vsr_str *labels; /* [n_labels]; none of a vector */
    size_t n_labels;
    size_t width;                              /* numbers in a row */
    const struct similarity_scale *similarity; /* of vectors: what their cosines mean */
    const struct mixer_head *head;             /* NULL: the trunk alone */
};

/* Whether it is the name of a built-in model, existing or not. */
bool builtin_is(vsr_str name);
/* "builtin/embedding" and so on, all there are. */
const vsr_str *builtin_names(size_t *ret_n);
bool builtin_is_pair(const struct builtin_model *model);

/* VSR_E_NOT_FOUND lists the names; VSR_E_INVALID: what is built in cannot be read. */
int builtin_open(vsr_str name, const struct builtin_model **ret, struct vsr_err *err) VSR_MUST_CHECK;

/* Of the trunk; once a model is open. */
const struct tokenizer *builtin_tokenizer(void);
/* Of what was made of the files, in memory: all models that are open. */
size_t builtin_bytes(void);
/* Of the files that it consists of, in the program: its head's and the trunk's. */
size_t builtin_weight_bytes(const struct builtin_model *model);

struct builtin_scratch *builtin_scratch_new(void);
/* NULL is allowed. */
void builtin_scratch_free(struct builtin_scratch *scratch);

/* The next text is read anew even if it is the same: for measurements. */
void builtin_scratch_forget(struct builtin_scratch *scratch);

struct builtin_result {
    float *numbers; /* [n_rows][width of the model], in the scratch until its next use */
    size_t n_rows;
};

/*
 * One text, `n` models: `results[i]` is of `models[i]`, none of which takes a pair. What was
 * computed for the text of the call before is not computed again when it is the same. Allocates nothing once the
 * scratch has grown. A text without tokens has an answer too, which says nothing about it. VSR_E_LIMIT for a text of
 * more than BUILTIN_TEXT_LEN_MAX bytes or BUILTIN_TOKENS_MAX tokens, VSR_E_NOMEM.
 */
int builtin_run(struct builtin_scratch *scratch, vsr_str text, const struct builtin_model *const *models, size_t n,
                struct builtin_result *results, struct vsr_err *err) VSR_MUST_CHECK;
/* The same for a pair and models that take one: of hallucination the context and the answer, of nli the premise and the
 * hypothesis. Each may have MIXER_TOKENS_MAX tokens. */
int builtin_run_pair(struct builtin_scratch *scratch, vsr_str first, vsr_str second,
                     const struct builtin_model *const *models, size_t n, struct builtin_result *results,
                     struct vsr_err *err) VSR_MUST_CHECK;

/* The tokens that rows of tags are of: those of the text that was run, of a pair the second. In the scratch. */
struct builtin_tokens {
    const uint32_t *ids, *starts, *ends; /* starts and ends: bytes of the text */
    size_t n;
};
struct builtin_tokens builtin_tokens(const struct builtin_scratch *scratch);

/* ---- for whoever tokenises himself (model/engine.h) */

/* What a model reads of each token beside its id, to `ret` [n]: the shape of its bytes [start, end) of `text`. */
void builtin_shapes(vsr_str text, const uint32_t *ids, const uint32_t *starts, const uint32_t *ends, size_t n,
                    uint8_t *ret);
/*
 * One text, or a pair whose second text has BUILTIN_SECOND in its shapes, for one model. A row for each token where it
 * tags; those of a pair's first text are its first label for certain.
 */
int builtin_run_tokens(struct builtin_scratch *scratch, const struct builtin_model *model, const uint32_t *ids,
                       const uint8_t *shapes, size_t n, struct builtin_result *ret, struct vsr_err *err) VSR_MUST_CHECK;

#endif
