#include "model/model.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/mem.h"
#include "model/builtin.h"
#include "model/file.h"
#include "model/fingerprint.h"
#include "nn/backend.h"
#include "nn/embedder.h"
#include "nn/encoder_adapter.h"
#include "nn/head.h"
#include "nn/lora.h"
#include "nn/multimodal.h"
#include "nn/rope.h"
#include "nn/runtime.h"
#include "nn/sentence_files.h"
#include "nn/vision.h"
#include "nn/weights.h"
#include "text/tokenizer.h"

enum { CONFIG_LEN_MAX = 1 << 20 };

struct model {
    atomic_size_t n_refs;
    struct arena *arena;
    vsr_str directory;
    uint64_t serial;
    char version[FINGERPRINT_LEN + 1];
    const struct builtin_model *builtin; /* NULL: read from the directory */
    enum model_task task;
    struct encoder_config config;
    struct sentence_files files;
    struct labels labels;
    const struct tokenizer *tokenizer;
    struct trunk *trunk; /* NULL: the base's */
    struct model *base;  /* that it is stacked on; NULL: none */
    struct encoder_adapter *adapter;
    bool folded; /* an adapter is in the trunk's weights */
    struct head *head;
    struct embedder *embedder;
    struct vision *vision; /* NULL: it reads no pictures */
    size_t tokens_max;
    struct preparation preparation;
    struct matryoshka matryoshka;
    char kinds[ENCODER_LAYERS_MAX + 1][2]; /* only their addresses count */
};

static const char *const task_names[] = { "classify", "tag", "embed" };

const char *model_task_name(enum model_task task) {
    return task_names[task];
}

/* ---- loading */

struct opening {
    struct model *model;
    struct device device;
    struct lora *lora; /* NULL: the directory is no adapter */
    vsr_str trunk;     /* where config.json and the trunk's weights lie */
    struct nn_runtime *runtime;
    const struct model_options *options;
    struct weights *weights;
    bool has_parts; /* the directory is of several models: `parts` */
    struct multimodal parts;
    struct vsr_err *err;
};

/* Sizes of the trunk of texts, which the tensors say. */
static int read_parts(struct opening *o, vsr_str json) {
    int rc;
    if (o->trunk.ptr != o->model->directory.ptr)
        return err_set(o->err, VSR_E_INVALID, "adapters of models with several parts are not known");
    rc = multimodal_open(o->trunk, json, &o->parts, o->err);
    o->has_parts = rc == 0;
    if (rc == 0)
        o->model->config = o->parts.text;
    return rc;
}

static int read_config(struct opening *o) {
    struct model *model = o->model;
    vsr_str path = arena_printf(model->arena, "%.*s/config.json", VSR_FMT(o->trunk)), text;
    int rc = file_read(model->arena, AT_FDCWD, arena_c_str(model->arena, path), CONFIG_LEN_MAX, &text, o->err);
    if (rc == 0 && multimodal_is(text))
        return read_parts(o, text);
    if (rc == 0)
        rc = encoder_config_read(model->arena, text, &model->config, o->err);
    return rc < 0 ? err_wrap(o->err, "config.json") : 0;
}

/* An adapter says itself what it is for, and its labels are its own. */
static int open_adapter(struct opening *o) {
    struct encoder_config *config = &o->model->config;
    struct encoder_linears linears = encoder_linears(o->model->arena, config);
    int rc = lora_open(o->model->directory, &o->lora, o->err);
    if (rc == 0)
        rc = lora_bind(o->lora, &linears, o->err);
    if (rc < 0)
        return rc;
    config->task = o->lora->task;
    config->problem = PROBLEM_SINGLE_LABEL; /* whatever the base's head was for */
    config->n_labels = 0;
    config->labels = NULL;
    return 0;
}

static int find_base(struct opening *o) {
    struct model *base = o->options->stacked_on;
    if (!lora_is_adapter(o->model->directory))
        return err_set(o->err, VSR_E_INVALID, "it is no adapter, and so cannot be stacked on another model");
    if (base->base || base->folded)
        return err_set(o->err, VSR_E_INVALID, "it cannot be stacked on %.*s, which is an adapter itself: give its base",
                       VSR_FMT(base->directory));
    if (!trunk_on_cpu(base->trunk))
        return err_set(o->err, VSR_E_UNAVAILABLE, "it cannot be stacked on a model that runs on \"%s\": fold it",
                       model_device(base));
    model_ref(base);
    o->model->base = base;
    o->trunk = base->directory;
    return 0;
}

static int find_trunk(struct opening *o) {
    o->trunk = o->model->directory;
    if (o->options->stacked_on)
        return find_base(o);
    if (!lora_is_adapter(o->trunk))
        return 0;
    if (o->options->base.len == 0)
        return err_set(o->err, VSR_E_INVALID,
                       "it is an adapter: the directory of the model that it adapts must be given");
    o->trunk = o->options->base;
    o->model->folded = true;
    return 0;
}

static enum model_task task_of(const struct encoder_config *config) {
    return config->task == TASK_SEQUENCE ? MODEL_CLASSIFY : config->task == TASK_TOKENS ? MODEL_TAG : MODEL_EMBED;
}

_Static_assert((int)MODEL_TOKENS_MAX <= (int)ROPE_POSITIONS_MAX, "what is not cut can be rotated");

/* What the model, its embedder files and its tokenizer were made for, the least of these. */
static size_t longest_input(const struct model *model, size_t wanted) {
    size_t longest = model->config.positions < MODEL_TOKENS_MAX ? model->config.positions : MODEL_TOKENS_MAX;
    size_t tokenizer = tokenizer_length_max(model->tokenizer);
    if (model->files.tokens_max && model->files.tokens_max < longest)
        longest = model->files.tokens_max;
    if (tokenizer && tokenizer < longest)
        longest = tokenizer;
    return wanted && wanted < longest ? wanted : longest;
}

/* See prepared_text.h. */
static struct preparation preparation_of(const struct model *model, const struct model_options *options) {
    const struct sentence_files *files = &model->files;
    struct preparation how = { .lower = files->lower_case, .strip = !options->no_strip };
    if (model->task != MODEL_EMBED || !files->has_modules)
        return (struct preparation){ .strip = false };
    if (files->default_prompt.len > 0)
        (void)sentence_prompt_find(files, files->default_prompt, &how.prompt); /* there is one: it has been checked */
    return how;
}

static int open_tokenizer(const struct opening *o) {
    struct model *model = o->model;
    struct tokenizer *tokenizer;
    int rc = tokenizer_open(model->arena, model->directory, &tokenizer, o->err);
    if (rc == VSR_E_NOT_FOUND && o->lora) /* an adapter may leave it to its base */
        rc = tokenizer_open(model->arena, o->trunk, &tokenizer, o->err);
    if (rc < 0)
        return err_wrap(o->err, "tokenizer");
    model->tokenizer = tokenizer;
    /* Others may lie beyond, such as those for images: no text becomes one. */
    if (tokenizer_ids_end(model->tokenizer) > model->config.vocabulary)
        return err_set(o->err, VSR_E_INVALID, "the tokenizer makes tokens up to %zu of texts, the model has %zu",
                       tokenizer_ids_end(model->tokenizer) - 1, model->config.vocabulary);
    model->tokens_max = longest_input(model, o->options->tokens_max);
    return 0;
}

static int open_head(const struct opening *o) {
    struct model *model = o->model;
    int rc = head_new(o->runtime, &model->config, o->weights, o->lora, &model->head, o->err);
    if (rc == 0)
        rc = labels_read(model->arena, model->directory, o->options->label_file, head_classes(model->head),
                         &model->labels, o->err);
    return rc;
}

static int open_output(const struct opening *o) {
    struct model *model = o->model;
    int rc;
    weights_ignore(o->weights, VSR_STR("pooler.")); /* where the head does not read it, nobody does */
    if (model->config.task == TASK_MASKED_LM)       /* it predicts words; an adapter reads it by itself */
        weights_ignore(o->weights, VSR_STR("head."));
    if (model->task != MODEL_EMBED)
        return open_head(o);
    rc = embedder_new(o->runtime, &model->config, &model->files, o->trunk, &model->embedder, o->err);
    if (rc == 0 && o->has_parts) {
        model->matryoshka = matryoshka_of_multimodal(&o->parts);
        return 0;
    }
    return rc < 0 ? rc
                  : matryoshka_read(model->arena, o->trunk, &model->config, embedder_dims(model->embedder),
                                    &model->matryoshka, o->err);
}

static int open_vision(const struct opening *o) {
    struct model *model = o->model;
    int rc = vision_new(o->runtime, o->device, &o->parts.image, o->parts.image_weights, o->options->precision,
                        &model->vision, o->err);
    if (rc == 0 && vision_dims(model->vision) != embedder_dims(model->embedder))
        rc = err_set(o->err, VSR_E_INVALID, "vectors of pictures have %zu dimensions, those of texts %zu",
                     vision_dims(model->vision), embedder_dims(model->embedder));
    return rc < 0 ? err_wrap(o->err, "the part for pictures") : 0;
}

static int open_weights(struct opening *o) {
    struct model *model = o->model;
    int rc = 0;
    if (o->has_parts)
        o->weights = weights_ref(o->parts.text_weights);
    else
        rc = weights_open(o->trunk, &o->weights, o->err);
    if (rc == 0 && model->base)
        rc = encoder_adapter_new(trunk_on_cpu(model->base->trunk), o->weights, o->lora, &model->adapter, o->err);
    else if (rc == 0)
        rc = trunk_new(o->runtime, o->device, &model->config, o->weights, o->lora, o->options->precision, &model->trunk,
                       o->err);
    if (rc == 0)
        rc = open_output(o);
    if (rc == 0 && !model->base) /* else its base has done so */
        rc = weights_finish(o->weights, o->err);
    if (rc == 0 && o->lora)
        rc = lora_finish(o->lora, o->err);
    weights_unref(o->weights);
    if (rc == 0 && o->has_parts && o->parts.image_weights)
        rc = open_vision(o);
    return rc;
}

static int open_directory(struct opening *o) {
    const struct model_options *options = o->options;
    struct model *model = o->model;
    struct vsr_err *err = o->err;
    int rc = device_named(options->device, &o->device, err);
    if (rc == 0)
        rc = find_trunk(o);
    if (rc == 0)
        rc = read_config(o);
    if (rc == 0 && o->trunk.ptr != model->directory.ptr)
        rc = open_adapter(o);
    if (rc == 0)
        rc = sentence_files_read(model->arena, o->trunk, &model->files, err);
    model->task = task_of(&model->config);
    model->preparation = preparation_of(model, options);
    if (rc == 0)
        rc = open_tokenizer(o);
    if (rc == 0)
        rc = open_weights(o);
    lora_free(o->lora);
    multimodal_close(&o->parts);
    return rc;
}

static enum model_task builtin_task(const struct builtin_model *builtin) {
    bool tags = builtin->kind == BUILTIN_TAGS || builtin->kind == BUILTIN_PAIR_TAGS;
    return builtin->kind == BUILTIN_VECTOR ? MODEL_EMBED : tags ? MODEL_TAG : MODEL_CLASSIFY;
}

/* Its labels are its own, whatever file of labels is named, and it runs on the processor in f32. */
static int open_builtin(struct opening *o) {
    struct model *model = o->model;
    size_t wanted = o->options->tokens_max, n;
    vsr_str *none;
    int rc;
    if (o->options->stacked_on)
        return err_set(o->err, VSR_E_INVALID, "it is no adapter, and so cannot be stacked on another model");
    rc = builtin_open(model->directory, &model->builtin, o->err);
    if (rc < 0)
        return rc;
    n = model->builtin->n_labels;
    none = ARENA_ARRAY(model->arena, vsr_str, n);
    model->task = builtin_task(model->builtin);
    model->tokenizer = builtin_tokenizer();
    model->files.include_prompt = true;
    model->labels = (struct labels){ .n = n, .names = model->builtin->labels, .descriptions = none, .prompts = none };
    model->tokens_max = wanted && wanted < BUILTIN_TOKENS_MAX ? wanted : BUILTIN_TOKENS_MAX;
    model->matryoshka = (struct matryoshka){ .dims = model->builtin->width, .dims_least = 1 };
    return 0;
}

int model_open(struct nn_runtime *runtime, vsr_str directory, const struct model_options *options, struct model **ret,
               struct vsr_err *err) {
    static atomic_uint_fast64_t serials;
    struct model *model = MEM_NEW(struct model);
    struct opening opening = { .model = model, .runtime = runtime, .options = options, .err = err };
    int rc;
    atomic_init(&model->n_refs, 1);
    model->arena = arena_new(0, 0);
    model->directory = arena_str(model->arena, directory);
    model->serial = atomic_fetch_add(&serials, 1) + 1;
    rc = builtin_is(directory) ? open_builtin(&opening) : open_directory(&opening);
    if (rc < 0) {
        model_unref(model);
        return err_wrap(err, "model %.*s", VSR_FMT(directory));
    }
    if (model->builtin)
        (void)snprintf(model->version, sizeof(model->version), "%.*s", VSR_FMT(model->builtin->version)); /* shorter */
    else
        fingerprint_of(model->directory, opening.trunk.ptr == model->directory.ptr ? VSR_STR("") : opening.trunk,
                       model->version);
    *ret = model;
    return 0;
}

void model_ref(struct model *model) {
    (void)atomic_fetch_add(&model->n_refs, 1);
}

void model_unref(struct model *model) {
    if (!model || atomic_fetch_sub(&model->n_refs, 1) > 1)
        return;
    embedder_free(model->embedder);
    vision_free(model->vision);
    head_free(model->head);
    encoder_adapter_free(model->adapter);
    trunk_free(model->trunk);
    model_unref(model->base);
    arena_free(model->arena);
    mem_free(model);
}

/* ---- what it is */

vsr_str model_directory_of(const struct model *model) {
    return model->directory;
}

enum model_task model_task(const struct model *model) {
    return model->task;
}

const struct builtin_model *model_builtin(const struct model *model) {
    return model->builtin;
}

enum bio_rule model_bio_rule(const struct model *model) {
    return model->builtin ? BIO_VITERBI : BIO_LENIENT;
}

const char *model_architecture(const struct model *model) {
    return model->builtin ? "mixer" : encoder_family_name(model->config.family);
}

const struct encoder_config *model_config(const struct model *model) {
    return &model->config;
}

enum precision model_precision(const struct model *model) {
    return model->builtin ? PRECISION_F32 : trunk_precision(model_trunk(model));
}

const char *model_device(const struct model *model) {
    return model->builtin ? backend_cpu.name : trunk_device(model_trunk(model)).backend->name;
}

const struct trunk *model_trunk(const struct model *model) {
    return model->base ? model->base->trunk : model->trunk;
}

const struct encoder_adapter *model_adapter(const struct model *model) {
    return model->adapter;
}

const struct tokenizer *model_tokenizer(const struct model *model) {
    return model->tokenizer;
}

const struct sentence_files *model_sentence_files(const struct model *model) {
    return &model->files;
}

struct preparation model_preparation(const struct model *model) {
    return model->preparation;
}

const struct head *model_head(const struct model *model) {
    return model->head;
}

const struct embedder *model_embedder(const struct model *model) {
    return model->embedder;
}

const struct vision *model_vision(const struct model *model) {
    return model->vision;
}

const struct matryoshka *model_matryoshka(const struct model *model) {
    return &model->matryoshka;
}

const struct labels *model_labels(const struct model *model) {
    return &model->labels;
}

size_t model_width(const struct model *model) {
    if (model->builtin)
        return model->builtin->width;
    return model->head ? head_classes(model->head) : embedder_dims(model->embedder);
}

size_t model_tokens_max(const struct model *model) {
    return model->tokens_max;
}

vsr_str model_warning(const struct model *model, size_t n) {
    const vsr_str all[] = { model->config.warning, model->matryoshka.warning };
    for (size_t i = 0; i < VSR_COUNT(all); i++)
        if (all[i].len > 0 && n-- == 0)
            return all[i];
    return VSR_STR("");
}

struct model_bytes model_bytes(const struct model *model) {
    struct tensor_holding_bytes trunk, output, vision = { 0 };
    if (model->builtin) {
        size_t shared = builtin_bytes();
        return (struct model_bytes){ .all = shared + arena_bytes(model->arena), .shared = shared };
    }
    trunk = model->adapter ? encoder_adapter_bytes(model->adapter) : trunk_bytes(model->trunk);
    output = model->head ? head_bytes(model->head) : embedder_bytes(model->embedder);
    if (model->vision)
        vision = vision_bytes(model->vision);
    return (struct model_bytes){ .all = trunk.all + output.all + vision.all + arena_bytes(model->arena),
                                 .shared = trunk.shared + output.shared + vision.shared };
}

uint64_t model_serial(const struct model *model) {
    return model->serial;
}

const char *model_version(const struct model *model) {
    return model->version;
}

const void *model_kind(const struct model *model, size_t layers, bool no_exit_norm) {
    return model->base ? model_kind(model->base, layers, no_exit_norm) : &model->kinds[layers][no_exit_norm];
}
