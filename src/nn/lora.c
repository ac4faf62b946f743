#include "nn/lora.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "nn/lora_rules.h"
#include "nn/model_file.h"

static const char config_name[] = "adapter_config.json", tensors_name[] = "adapter_model.safetensors";

bool lora_is_adapter(vsr_str directory) {
    return model_file_exists(directory, str_from_c(config_name)) &&
           !model_file_exists(directory, VSR_STR("model.safetensors")) &&
           !model_file_exists(directory, VSR_STR("model.safetensors.index.json"));
}

/* ---- names of the file's tensors */

enum part { PART_A, PART_B, PART_B_BIAS, PART_MAGNITUDE, PART_SAVED, PART_UNKNOWN };

/* Endings behind the layer's path, written with and without the adapter's name. */
static const struct {
    const char *ending;
    enum part part;
} endings[] = {
    { ".lora_A.weight", PART_A },
    { ".lora_A.default.weight", PART_A },
    { ".lora_B.weight", PART_B },
    { ".lora_B.default.weight", PART_B },
    { ".lora_B.bias", PART_B_BIAS },
    { ".lora_B.default.bias", PART_B_BIAS },
    { ".lora_magnitude_vector", PART_MAGNITUDE },
    { ".lora_magnitude_vector.weight", PART_MAGNITUDE },
    { ".lora_magnitude_vector.default", PART_MAGNITUDE },
    { ".lora_magnitude_vector.default.weight", PART_MAGNITUDE },
};

static enum part part_of(vsr_str path, vsr_str *ret_module) {
    for (size_t i = 0; i < VSR_COUNT(endings); i++) {
        vsr_str ending = str_from_c(endings[i].ending);
        if (!str_ends(path, ending))
            continue;
        *ret_module = str_sub(path, 0, path.len - ending.len);
        return endings[i].part;
    }
    return str_find(path, VSR_STR(".lora_")) >= 0 ? PART_UNKNOWN : PART_SAVED;
}

/* "classifier.modules_to_save.default.weight" is "classifier.weight". */
static vsr_str without_wrapper(struct arena *arena, vsr_str path) {
    static const vsr_str wrappers[] = { VSR_STR_INIT(".modules_to_save.default."), VSR_STR_INIT(".modules_to_save.") };
    for (size_t i = 0; i < VSR_COUNT(wrappers); i++) {
        ptrdiff_t at = str_find(path, wrappers[i]);
        if (at >= 0)
            return arena_printf(arena, "%.*s.%.*s", VSR_FMT(str_sub(path, 0, (size_t)at)),
                                VSR_FMT(str_sub(path, (size_t)at + wrappers[i].len, path.len)));
    }
    return path;
}

/* ---- collecting */

/* Tensors come in the order of their names, so those of a layer are mostly neighbours. */
static struct lora_module *module_at(struct lora *lora, vsr_str path) {
    for (size_t i = lora->n_modules; i-- > 0;) {
        if (str_eq(lora->modules[i].path, path))
            return &lora->modules[i];
    }
    lora->modules[lora->n_modules] = (struct lora_module){ .path = path, .layer = LINEAR_NO_LAYER };
    return &lora->modules[lora->n_modules++];
}

static int add_factor(struct lora *lora, enum part part, vsr_str path, const struct tensor *tensor,
                      struct vsr_err *err) {
    struct lora_module *module = module_at(lora, path);
    const struct tensor **slot = part == PART_A        ? &module->a
                                 : part == PART_B      ? &module->b
                                 : part == PART_B_BIAS ? &module->bias
                                                       : &module->magnitude;
    if (*slot)
        return err_set(err, VSR_E_INVALID, "\"%.*s\" and \"%.*s\" are the same", VSR_FMT((*slot)->name),
                       VSR_FMT(tensor->name));
    *slot = tensor;
    return 0;
}

static int add_saved(struct lora *lora, vsr_str path, const struct tensor *tensor, struct vsr_err *err) {
    path = without_wrapper(lora->arena, path);
    for (size_t i = 0; i < lora->n_saved; i++) {
        if (str_eq(lora->saved[i].path, path))
            return err_set(err, VSR_E_INVALID, "\"%.*s\" and \"%.*s\" are the same",
                           VSR_FMT(lora->saved[i].tensor->name), VSR_FMT(tensor->name));
    }
    if (!lora_rules_save(lora->rules, path) && !(lora->rules->saves_biases && str_ends(path, VSR_STR(".bias"))))
        return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" has no place: it is no factor, and not in modules_to_save",
                       VSR_FMT(tensor->name));
    lora->saved[lora->n_saved++] = (struct lora_saved){ .path = path, .tensor = tensor };
    return 0;
}

static int add_tensor(struct lora *lora, const struct tensor *tensor, struct vsr_err *err) {
    static const vsr_str start = VSR_STR_INIT("base_model.model.");
    vsr_str path, module = { 0 };
    enum part part;
    /* Names that the base cannot have either; what they cost to match grows with their length. */
    if (tensor->name.len > WEIGHTS_NAME_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "the name \"%.*s...\" is longer than %d bytes",
                       VSR_FMT(str_sub(tensor->name, 0, 60)), WEIGHTS_NAME_LEN_MAX);
    if (!str_starts(tensor->name, start))
        return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" does not begin with \"%.*s\"", VSR_FMT(tensor->name),
                       VSR_FMT(start));
    path = str_sub(tensor->name, start.len, tensor->name.len);
    part = part_of(path, &module);
    if (part == PART_UNKNOWN)
        return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" is of a kind that is not supported", VSR_FMT(tensor->name));
    if (tensor->dtype == DTYPE_BOOL)
        return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" holds BOOL, expected numbers", VSR_FMT(tensor->name));
    return part == PART_SAVED ? add_saved(lora, path, tensor, err) : add_factor(lora, part, module, tensor, err);
}

/* ---- one module against the rules */

static bool is_vector(const struct tensor *tensor, size_t n) {
    return tensor->n_dims == 1 && tensor->dims[0] == n;
}

static int check_module(const struct lora *lora, struct lora_module *m, struct vsr_err *err) {
    char a[TENSOR_SHAPE_TEXT_LEN], b[TENSOR_SHAPE_TEXT_LEN];
    if (!m->a || !m->b)
        return err_set(err, VSR_E_INVALID, "\"%.*s\" has no lora_%s", VSR_FMT(m->path), m->a ? "B" : "A");
    if (m->a->n_dims != 2 || m->b->n_dims != 2 || m->a->dims[0] != m->b->dims[1])
        return err_set(err, VSR_E_INVALID, "\"%.*s\": A is %s and B %s, expected [rank, in] and [out, rank]",
                       VSR_FMT(m->path), tensor_shape_text(m->a->dims, m->a->n_dims, a),
                       tensor_shape_text(m->b->dims, m->b->n_dims, b));
    m->rank = m->a->dims[0];
    m->in = m->a->dims[1];
    m->out = m->b->dims[0];
    if ((m->magnitude != NULL) != lora->rules->dora || (m->magnitude && m->magnitude->n != m->out))
        return err_set(err, VSR_E_INVALID, "\"%.*s\": the magnitudes are not what use_dora says", VSR_FMT(m->path));
    if ((m->bias != NULL) != lora->rules->lora_bias || (m->bias && !is_vector(m->bias, m->out)))
        return err_set(err, VSR_E_INVALID, "\"%.*s\": the bias is not what lora_bias says", VSR_FMT(m->path));
    return 0;
}

static int by_module_path(const void *a, const void *b) {
    return str_cmp(((const struct lora_module *)a)->path, ((const struct lora_module *)b)->path);
}

static int by_saved_path(const void *a, const void *b) {
    return str_cmp(((const struct lora_saved *)a)->path, ((const struct lora_saved *)b)->path);
}

static int collect(struct lora *lora, const struct safetensors *file, struct vsr_err *err) {
    int rc = 0;
    if (file->n > LORA_TENSORS_MAX)
        return err_set(err, VSR_E_LIMIT, "%zu tensors, more than %d", file->n, LORA_TENSORS_MAX);
    lora->modules = ARENA_ARRAY(lora->arena, struct lora_module, file->n);
    lora->saved = ARENA_ARRAY(lora->arena, struct lora_saved, file->n);
    for (size_t i = 0; i < file->n && rc == 0; i++)
        rc = add_tensor(lora, &file->tensors[i], err);
    for (size_t i = 0; i < lora->n_modules && rc == 0; i++)
        rc = check_module(lora, &lora->modules[i], err);
    if (rc == 0 && lora->n_modules == 0 && lora->n_saved == 0)
        rc = err_set(err, VSR_E_INVALID, "it adapts nothing");
    qsort(lora->modules, lora->n_modules, sizeof(*lora->modules), by_module_path);
    qsort(lora->saved, lora->n_saved, sizeof(*lora->saved), by_saved_path);
    return rc;
}

/* ---- opening */

static struct lora *new_lora(void) {
    struct lora *lora = MEM_NEW(struct lora);
    lora->arena = arena_new(0, 0);
    lora->rules = ARENA_NEW(lora->arena, struct lora_rules);
    lora->first_layer = LINEAR_NO_LAYER;
    return lora;
}

static int read_rules(struct lora *lora, vsr_str text, struct vsr_err *err) {
    int rc = lora_rules_parse(lora->arena, text, lora->rules, err);
    if (rc < 0)
        return err_wrap(err, "%s", config_name);
    lora->base = lora->rules->base;
    lora->task = lora->rules->task;
    lora->dora = lora->rules->dora;
    return 0;
}

static int read_tensors(struct lora *lora, const struct safetensors *file, struct vsr_err *err) {
    int rc = collect(lora, file, err);
    return rc < 0 ? err_wrap(err, "%s", tensors_name) : 0;
}

/* Hands out `lora`, or frees it. */
static int finish(struct lora *lora, int rc, struct lora **ret) {
    if (rc < 0)
        lora_free(lora);
    else
        *ret = lora;
    return rc;
}

int lora_parse(vsr_str config, vsr_str tensors, struct lora **ret, struct vsr_err *err) {
    struct lora *lora = new_lora();
    struct safetensors file;
    int rc = read_rules(lora, config, err);
    if (rc == 0)
        rc = safetensors_parse(lora->arena, tensors, &file, err);
    if (rc == 0)
        rc = read_tensors(lora, &file, err);
    return finish(lora, rc, ret);
}

int lora_open(vsr_str directory, struct lora **ret, struct vsr_err *err) {
    struct lora *lora = new_lora();
    struct safetensors file;
    char path[MODEL_PATH_LEN_MAX];
    vsr_str text = { 0 };
    int rc = model_file_read(lora->arena, directory, str_from_c(config_name), &text, err);
    if (rc == 0)
        rc = read_rules(lora, text, err);
    if (rc == 0 && !model_path(path, directory, str_from_c(tensors_name)))
        rc = err_set(err, VSR_E_INVALID, "the path of %s is too long or holds a NUL", tensors_name);
    if (rc == 0)
        rc = safetensors_open(lora->arena, path, &file, err);
    if (rc == 0)
        rc = read_tensors(lora, &file, err);
    return finish(lora, rc, ret);
}

void lora_free(struct lora *lora) {
    if (!lora)
        return;
    arena_free(lora->arena);
    mem_free(lora);
}

/* ---- against the base */

/* The layer at a path; the path may have the trunk's prefix, of which `ret_prefix` is the length. */
static const struct encoder_linear *linear_at(const struct encoder_linears *linears, vsr_str path, size_t *ret_prefix) {
    for (size_t i = 0; weights_trunk_prefixes[i]; i++) {
        vsr_str prefix = str_from_c(weights_trunk_prefixes[i]);
        const struct encoder_linear *linear;
        if (!str_starts(path, prefix))
            continue;
        linear = encoder_linear_find(linears, str_sub(path, prefix.len, path.len));
        if (linear && (prefix.len == 0 || linear->part == WEIGHTS_TRUNK)) {
            *ret_prefix = prefix.len;
            return linear;
        }
    }
    return NULL;
}

/* The trunk's prefix in this adapter; that of the first module in it. */
static vsr_str trunk_prefix(const struct lora *lora, const struct encoder_linears *linears) {
    for (size_t i = 0; i < lora->n_modules; i++) {
        size_t len = 0;
        const struct encoder_linear *linear = linear_at(linears, lora->modules[i].path, &len);
        if (linear && linear->part == WEIGHTS_TRUNK)
            return str_sub(lora->modules[i].path, 0, len);
    }
    return VSR_STR("");
}

/* Rank and scale by the rules: of layers that the base has, whose number is bounded. */
static int apply_rules(const struct lora *lora, struct lora_module *m, struct vsr_err *err) {
    size_t rank = lora_rules_rank(lora->rules, m->path);
    if (rank != m->rank)
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is adapted with rank %zu, expected rank %zu by %s",
                       VSR_FMT(m->path), m->rank, rank, config_name);
    m->scale = lora_rules_scale(lora->rules, m->path);
    return 0;
}

static int bind_module(struct lora *lora, struct lora_module *m, const struct encoder_linears *linears, vsr_str prefix,
                       struct vsr_err *err) {
    size_t len = 0;
    const struct encoder_linear *linear = linear_at(linears, m->path, &len);
    if (!linear || (linear->part == WEIGHTS_TRUNK && len != prefix.len))
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is adapted, but no linear layer of the base", VSR_FMT(m->path));
    if ((linear->out > 0 && linear->out != m->out) || linear->in != m->in)
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is adapted as [%zu, %zu], but [%zu, %zu] in the base",
                       VSR_FMT(m->path), m->out, m->in, linear->out, linear->in);
    if (!lora_rules_adapt(lora->rules, m->path, linear->output))
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is adapted, but %s does not mean it", VSR_FMT(m->path),
                       config_name);
    m->name = linear->name;
    m->layer = linear->layer;
    /* A layer of the trunk without a number stands behind them all: a pooler. */
    lora->first_layer = m->layer < lora->first_layer ? m->layer : lora->first_layer;
    return apply_rules(lora, m, err);
}

/* A file from which tensors got lost would be another model, not an error that shows. */
static int check_complete(const struct lora *lora, const struct encoder_linears *linears, vsr_str prefix,
                          struct vsr_err *err) {
    char text[WEIGHTS_NAME_LEN_MAX];
    for (size_t i = 0; i < linears->n; i++) {
        const struct encoder_linear *linear = &linears->items[i];
        int len = snprintf(text, sizeof(text), "%.*s%.*s", VSR_FMT(prefix), VSR_FMT(linear->name));
        VSR_ASSERT(len > 0 && (size_t)len < sizeof(text));
        /* Which heads exist is for the base to say. */
        if (linear->layer == LINEAR_NO_LAYER || !lora_rules_adapt(lora->rules, str_make(text, (size_t)len), false))
            continue;
        if (!lora_find(lora, linear->name))
            return err_set(err, VSR_E_INVALID, "%s means \"%s\", but the file has nothing for it", config_name, text);
    }
    return 0;
}

/* The layer that a saved bias or weight belongs to, if it is one that adapters know. */
static void bind_saved(struct lora *lora, struct lora_saved *saved, const struct encoder_linears *linears,
                       vsr_str prefix) {
    ptrdiff_t dot = str_find_last_char(saved->path, '.');
    vsr_str module = str_sub(saved->path, 0, dot < 0 ? 0 : (size_t)dot);
    size_t len = 0;
    const struct encoder_linear *linear = linear_at(linears, module, &len);
    saved->name = saved->path;
    if (linear && linear->part == WEIGHTS_TRUNK)
        saved->name = str_sub(saved->path, len, saved->path.len);
    else if (prefix.len > 0 && str_starts(saved->path, prefix))
        saved->name = str_sub(saved->path, prefix.len, saved->path.len); /* a norm's bias, an embedding table */
    if (linear)
        lora->first_layer = linear->layer < lora->first_layer ? linear->layer : lora->first_layer;
    else if (!str_starts(saved->name, VSR_STR("classifier")) && !str_starts(saved->name, VSR_STR("score")) &&
             !str_starts(saved->name, VSR_STR("head.")) && !str_starts(saved->name, VSR_STR("pooler.")))
        lora->first_layer = 0; /* somewhere in the trunk */
}

int lora_bind(struct lora *lora, const struct encoder_linears *linears, struct vsr_err *err) {
    vsr_str prefix = trunk_prefix(lora, linears);
    int rc = 0;
    for (size_t i = 0; i < lora->n_modules && rc == 0; i++)
        rc = bind_module(lora, &lora->modules[i], linears, prefix, err);
    for (size_t i = 0; i < lora->n_saved && rc == 0; i++)
        bind_saved(lora, &lora->saved[i], linears, prefix);
    return rc < 0 ? rc : check_complete(lora, linears, prefix, err);
}

struct lora_module *lora_find(const struct lora *lora, vsr_str name) {
    for (size_t i = 0; i < lora->n_modules; i++) {
        if (str_eq(lora->modules[i].name, name))
            return &lora->modules[i];
    }
    return NULL;
}

struct lora_saved *lora_find_saved(const struct lora *lora, vsr_str name) {
    for (size_t i = 0; i < lora->n_saved; i++) {
        if (str_eq(lora->saved[i].name, name))
            return &lora->saved[i];
    }
    return NULL;
}

int lora_finish(const struct lora *lora, struct vsr_err *err) {
    for (size_t i = 0; i < lora->n_modules; i++) {
        if (!lora->modules[i].used)
            return err_set(err, VSR_E_INVALID, "\"%.*s\" is adapted, but has no place in the model",
                           VSR_FMT(lora->modules[i].path));
    }
    for (size_t i = 0; i < lora->n_saved; i++) {
        if (!lora->saved[i].used)
            return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" of the adapter has no place in the model",
                           VSR_FMT(lora->saved[i].tensor->name));
    }
    return 0;
}
