/*
 * model - one model that is loaded: tokenizer, trunk, and what it was trained to say.
 *
 * Everything is read from its directory, and what the directory leaves open is an error, never a guess. A model whose
 * name says that it is built in (builtin.h) has no directory: it is what the program holds, with a trunk of its own
 * kind. Immutable once loaded: any thread. A model is run by an engine (engine.h), which owns the threads.
 */
#ifndef VSR_MODEL_MODEL_H
#define VSR_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "model/bio.h"
#include "model/prepared_text.h"
#include "nn/encoder_config.h"
#include "nn/labels.h"
#include "nn/matryoshka.h"
#include "nn/precision.h"

struct builtin_model;
struct embedder;
struct encoder_adapter;
struct nn_runtime;
struct head;
struct model;
struct sentence_files;
struct tokenizer;
struct trunk;
struct vision;

enum { MODEL_TOKENS_MAX = 131072 };

enum model_task {
    MODEL_CLASSIFY, /* one probability for each class of a text, or of a pair */
    MODEL_TAG,      /* the same for each token */
    MODEL_EMBED,    /* one vector for a text, or a picture */
};

struct model_options {
    enum precision precision;
    size_t tokens_max;  /* of one input, special tokens counted; 0: what the model was made for */
    vsr_str label_file; /* in the directory; empty: the usual ones are tried */
    vsr_str base;       /* of an adapter: the directory of the model that it adapts */
    vsr_str device;     /* as device_named() in nn/backend.h takes it; empty: auto */
    /*
     * An adapter runs beside this model, which it adapts, in one pass with it and with whatever else is stacked on it,
     * instead of being folded into a copy: `base`, precision and device are then this model's, which is held by a
     * reference. NULL: folded. For one adapter alone, or one with DoRA, a copy is faster, or the only way.
     */
    struct model *stacked_on;
    bool no_strip; /* an embedder reads white space at both ends of a text, which its library does not */
};

/* Of weights in memory; the table of tokens is mapped and not counted. */
struct model_bytes {
    size_t all;
    size_t shared; /* of these, with other models that are loaded (nn/tensor_store.h) */
};

/* `directory` may be the name of a built-in model. With one reference. Keeps `runtime`. Errors name the file and what
 * was expected of it. Takes as long as reading and packing its weights.
 */
int model_open(struct nn_runtime *runtime, vsr_str directory, const struct model_options *options, struct model **ret,
               struct vsr_err *err) VSR_MUST_CHECK;
/* It is freed with the last reference; an engine holds one for each call that it runs. NULL is allowed to unref. */
void model_ref(struct model *model);
void model_unref(struct model *model);

vsr_str model_directory_of(const struct model *model);
enum model_task model_task(const struct model *model);
const char *model_task_name(enum model_task task);
/* NULL: it was read from a directory. Else it has neither trunk nor head nor embedder of those below. */
const struct builtin_model *model_builtin(const struct model *model);
/* How spans are made of its tags: the built-in tagger was chosen and measured by its likeliest sequences. */
enum bio_rule model_bio_rule(const struct model *model);
/* "modernbert", "mixer". */
const char *model_architecture(const struct model *model);
const struct encoder_config *model_config(const struct model *model);
enum precision model_precision(const struct model *model);
/* What it runs on: "cpu". */
const char *model_device(const struct model *model);
/* That of its base where it is stacked; then with model_adapter(), else that is NULL. */
const struct trunk *model_trunk(const struct model *model);
const struct encoder_adapter *model_adapter(const struct model *model);
const struct tokenizer *model_tokenizer(const struct model *model);
const struct sentence_files *model_sentence_files(const struct model *model);
/* Of each text before it is tokenised, with the prompt that the model has for callers who name none. */
struct preparation model_preparation(const struct model *model);
/* NULL where the task has none. */
const struct head *model_head(const struct model *model);
const struct embedder *model_embedder(const struct model *model);
/* What reads pictures, into the space of its texts; NULL: nothing does. */
const struct vision *model_vision(const struct model *model);
/* What its vectors may be cut to; all 0 where the task has none. */
const struct matryoshka *model_matryoshka(const struct model *model);
/* No labels: n 0, for an embedder. */
const struct labels *model_labels(const struct model *model);
/* Numbers in one row of its results: classes, or dimensions. */
size_t model_width(const struct model *model);
size_t model_tokens_max(const struct model *model);
/* What the operator should see about its files though it runs, a line each; empty: no more. */
vsr_str model_warning(const struct model *model, size_t n);
/* Changes as others are loaded and freed. */
struct model_bytes model_bytes(const struct model *model);
/* Tells this load from any other of this process, for keys of caches. */
uint64_t model_serial(const struct model *model);
/* The same for the same files, in every process: model/fingerprint.h. Lives with the model. */
const char *model_version(const struct model *model);
/* The same for calls that may run together: those that leave one trunk after the same number of layers and in the
 * same way. */
const void *model_kind(const struct model *model, size_t layers, bool no_exit_norm);

#endif
