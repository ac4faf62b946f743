#include "nn/weights.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "nn/json_fields.h"
#include "nn/model_file.h"

static const char single_name[] = "model.safetensors", index_name[] = "model.safetensors.index.json";

struct shard {
    vsr_str name;
    struct safetensors file;
    bool *used; /* [file.n] */
};

struct weights {
    atomic_size_t refs;
    struct arena *arena;
    vsr_str directory;
    struct shard *shards;
    size_t n_shards;
    vsr_str outer, inner; /* before the names of heads; between it and the names of the trunk */
    vsr_str prefix;       /* both */
    bool chosen;          /* they were, and are not looked for */
};

/* ---- opening */

static int open_shard(struct weights *w, vsr_str name, struct vsr_err *err) {
    struct shard *shard = &w->shards[w->n_shards];
    char path[MODEL_PATH_LEN_MAX];
    int rc;
    if (!model_path(path, w->directory, name))
        return err_set(err, VSR_E_INVALID, "the path of \"%.*s\" is too long or holds a NUL", VSR_FMT(name));
    rc = safetensors_open(w->arena, path, &shard->file, err);
    if (rc < 0)
        return rc;
    /* Other libraries store matrices of their own layout under the same names. */
    if (shard->file.format.len > 0 && !str_eq_c(shard->file.format, "pt") && !str_eq_c(shard->file.format, "mlx") &&
        !str_eq_c(shard->file.format, "np"))
        return err_set(err, VSR_E_INVALID, "\"%s\" is laid out for \"%.*s\"; expected a file saved by PyTorch (\"pt\")",
                       path, VSR_FMT(shard->file.format));
    shard->name = name;
    shard->used = ARENA_ARRAY(w->arena, bool, shard->file.n);
    w->n_shards++;
    return 0;
}

static int open_single(struct weights *w, struct vsr_err *err) {
    w->shards = ARENA_NEW(w->arena, struct shard);
    return open_shard(w, str_from_c(single_name), err);
}

static size_t find_shard(const struct weights *w, vsr_str name) {
    size_t i = 0;
    while (i < w->n_shards && !str_eq(w->shards[i].name, name))
        i++;
    return i;
}

/* Each tensor that the index names lies in the shard that it names. */
static int open_entry(struct weights *w, struct json_fields *f, json_ref key, json_ref value) {
    vsr_str tensor = fields_text_of(f, key), file = fields_text_of(f, value);
    size_t i;
    int rc;
    if (f->rc < 0)
        return f->rc;
    if (!model_file_is_basename(file) || !str_ends(file, VSR_STR(".safetensors"))) {
        fields_wrong_value(f, value, "\"%.*s\" is no name of a shard: expected \"NAME.safetensors\" without folders",
                           VSR_FMT(str_sub(file, 0, 100)));
        return f->rc;
    }
    i = find_shard(w, file);
    if (i == WEIGHTS_SHARDS_MAX)
        return err_set(f->err, VSR_E_LIMIT, "more than %d shards", WEIGHTS_SHARDS_MAX);
    if (i == w->n_shards && (rc = open_shard(w, arena_str(w->arena, file), f->err)) < 0)
        return rc;
    if (safetensors_find(&w->shards[i].file, tensor))
        return 0;
    fields_wrong_value(f, key, "tensor \"%.*s\" is not in \"%.*s\", where it should be", VSR_FMT(tensor),
                       VSR_FMT(file));
    return f->rc;
}

static int open_entries(struct weights *w, struct json_fields *f) {
    const struct json_doc *doc = &f->doc;
    json_ref map = fields_typed(f, 0, "weight_map", JSON_OBJECT);
    size_t n = 0;
    if (f->rc == 0 && (map == JSON_NONE || json_first(doc, map) == JSON_NONE))
        fields_wrong(f, 0, "weight_map", "expected the shard of each tensor");
    if (f->rc == 0 && json_duplicate_key(doc, map) != JSON_NONE)
        fields_wrong(f, 0, "weight_map", "a tensor stands in it twice");
    if (f->rc < 0)
        return f->rc;
    w->shards = ARENA_ARRAY(w->arena, struct shard, WEIGHTS_SHARDS_MAX);
    for (json_ref key = json_first(doc, map); key != JSON_NONE;) {
        json_ref value = json_next(doc, map, key);
        int rc = open_entry(w, f, key, value);
        if (rc < 0)
            return rc;
        key = json_next(doc, map, value);
        n++;
    }
    /* As many as the shards hold, and each one found in the shard it is said to be in: no tensor is in two shards, and
     * none is in a shard but not in the index. */
    return n == weights_count(w) ? 0
                                 : err_set(f->err, VSR_E_INVALID, "the index names %zu tensors, the shards hold %zu", n,
                                           weights_count(w));
}

static int open_sharded(struct weights *w, struct vsr_err *err) {
    struct json_fields f;
    vsr_str text = { 0 };
    int rc = model_file_read(w->arena, w->directory, str_from_c(index_name), &text, err);
    if (rc < 0)
        return rc;
    rc = fields_open(&f, text, err);
    if (rc == 0)
        rc = open_entries(w, &f);
    (void)fields_end(&f); /* its problem is in `rc` already */
    if (rc < 0)
        err_wrap(err, "%s", index_name);
    return rc;
}

/* What people try instead. */
static int no_weights(const struct weights *w, struct vsr_err *err) {
    const char *hint = "";
    if (model_file_exists(w->directory, VSR_STR("adapter_config.json")))
        hint = "; it is an adapter, which needs its base model";
    else if (model_file_exists(w->directory, VSR_STR("pytorch_model.bin")) ||
             model_file_exists(w->directory, VSR_STR("pytorch_model.bin.index.json")))
        hint = "; its pytorch_model.bin is a program as much as a file and is not read: convert it to safetensors";
    return err_set(err, VSR_E_NOT_FOUND, "\"%.*s\" has neither %s nor %s%s", VSR_FMT(w->directory), single_name,
                   index_name, hint);
}

int weights_open(vsr_str directory, struct weights **ret, struct vsr_err *err) {
    struct weights *w = MEM_NEW(struct weights);
    int rc;
    atomic_init(&w->refs, 1);
    w->arena = arena_new(0, 0);
    w->directory = arena_str(w->arena, directory);
    if (model_file_exists(directory, str_from_c(single_name)))
        rc = open_single(w, err);
    else if (model_file_exists(directory, str_from_c(index_name)))
        rc = open_sharded(w, err);
    else
        rc = no_weights(w, err);
    if (rc < 0)
        weights_unref(w);
    else
        *ret = w;
    return rc;
}

struct weights *weights_ref(struct weights *w) {
    atomic_fetch_add(&w->refs, 1);
    return w;
}

void weights_unref(struct weights *w) {
    if (!w || atomic_fetch_sub(&w->refs, 1) > 1)
        return;
    arena_free(w->arena);
    mem_free(w);
}

/* ---- names */

static const char *const outers[] = { "", "_orig_mod.", "base_model.model.", "base_model.model._orig_mod." };
const char *const weights_trunk_prefixes[] = { "", "model.", "bert.", "roberta.", "mpnet.", "deberta.", NULL };

struct found {
    struct shard *shard; /* NULL: nowhere */
    size_t index;
};

static struct found find_exact(const struct weights *w, vsr_str name) {
    for (size_t i = 0; i < w->n_shards; i++) {
        const struct tensor *tensor = safetensors_find(&w->shards[i].file, name);
        if (tensor)
            return (struct found){ &w->shards[i], (size_t)(tensor - w->shards[i].file.tensors) };
    }
    return (struct found){ 0 };
}

/* Joined in `text`; empty when it is longer than any name that is asked for. */
static vsr_str join(char text[static WEIGHTS_NAME_LEN_MAX], vsr_str a, vsr_str b, vsr_str c) {
    int len = snprintf(text, WEIGHTS_NAME_LEN_MAX, "%.*s%.*s%.*s", VSR_FMT(a), VSR_FMT(b), VSR_FMT(c));
    return str_make(text, len < 0 || len >= WEIGHTS_NAME_LEN_MAX ? 0 : (size_t)len);
}

/* Exchanges the end of a LayerNorm's name for what old files say. */
static struct found find_old_name(const struct weights *w, vsr_str name) {
    static const struct {
        vsr_str now, then;
    } ends[] = {
        { VSR_STR_INIT("LayerNorm.weight"), VSR_STR_INIT("LayerNorm.gamma") },
        { VSR_STR_INIT("LayerNorm.bias"), VSR_STR_INIT("LayerNorm.beta") },
    };
    char text[WEIGHTS_NAME_LEN_MAX];
    for (size_t i = 0; i < VSR_COUNT(ends); i++) {
        if (str_ends(name, ends[i].now))
            return find_exact(w, join(text, str_sub(name, 0, name.len - ends[i].now.len), ends[i].then, VSR_STR("")));
    }
    return (struct found){ 0 };
}

static struct found find(const struct weights *w, enum weights_part part, vsr_str name) {
    char text[WEIGHTS_NAME_LEN_MAX];
    vsr_str full = join(text, w->outer, part == WEIGHTS_TRUNK ? w->inner : VSR_STR(""), name);
    struct found found = find_exact(w, full);
    return found.shard ? found : find_old_name(w, full);
}

bool weights_has(const struct weights *w, enum weights_part part, vsr_str name) {
    return find(w, part, name).shard != NULL;
}

static int missing(const struct weights *w, enum weights_part part, vsr_str name, struct vsr_err *err) {
    return err_set(err, VSR_E_NOT_FOUND, "tensor \"%.*s%.*s%.*s\" is missing", VSR_FMT(w->outer),
                   VSR_FMT(part == WEIGHTS_TRUNK ? w->inner : VSR_STR("")), VSR_FMT(name));
}

void weights_choose(struct weights *w, vsr_str outer, vsr_str inner) {
    char text[WEIGHTS_NAME_LEN_MAX];
    w->outer = arena_str(w->arena, outer);
    w->inner = arena_str(w->arena, inner);
    w->prefix = arena_str(w->arena, join(text, outer, inner, VSR_STR("")));
    w->chosen = true;
}

int weights_probe(struct weights *w, vsr_str embedding, struct vsr_err *err) {
    char text[WEIGHTS_NAME_LEN_MAX];
    if (w->chosen)
        return weights_has(w, WEIGHTS_TRUNK, embedding) ? 0 : missing(w, WEIGHTS_TRUNK, embedding, err);
    for (size_t o = 0; o < VSR_COUNT(outers); o++) {
        for (size_t i = 0; weights_trunk_prefixes[i]; i++) {
            vsr_str outer = str_from_c(outers[o]), inner = str_from_c(weights_trunk_prefixes[i]);
            if (!find_exact(w, join(text, outer, inner, embedding)).shard)
                continue;
            w->outer = outer;
            w->inner = inner;
            w->prefix = arena_str(w->arena, join(text, outer, inner, VSR_STR("")));
            return 0;
        }
    }
    return err_set(err, VSR_E_NOT_FOUND,
                   "no tensor \"%.*s\", also behind the usual prefixes: these are weights of another architecture",
                   VSR_FMT(embedding));
}

vsr_str weights_prefix(const struct weights *w) {
    return w->prefix;
}

/* ---- asking */

bool weights_has_shape(const struct tensor *tensor, struct weights_shape shape) {
    return tensor->n_dims == shape.n_dims &&
           (shape.n_dims == 0 || memcmp(tensor->dims, shape.dims, shape.n_dims * sizeof(*shape.dims)) == 0);
}

int weights_get(struct weights *w, enum weights_part part, vsr_str name, struct weights_shape shape,
                const struct tensor **ret, struct vsr_err *err) {
    struct found found = find(w, part, name);
    const struct tensor *tensor;
    VSR_ASSERT(shape.n_dims <= TENSOR_DIMS_MAX);
    if (!found.shard)
        return missing(w, part, name, err);
    tensor = &found.shard->file.tensors[found.index];
    if (!weights_has_shape(tensor, shape)) {
        char is[TENSOR_SHAPE_TEXT_LEN], wanted[TENSOR_SHAPE_TEXT_LEN];
        return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" is %s, expected %s by config.json", VSR_FMT(tensor->name),
                       tensor_shape_text(tensor->dims, tensor->n_dims, is),
                       tensor_shape_text(shape.dims, shape.n_dims, wanted));
    }
    found.shard->used[found.index] = true;
    *ret = tensor;
    return 0;
}

int weights_get_f32(struct weights *w, enum weights_part part, vsr_str name, struct weights_shape shape, float *ret,
                    struct vsr_err *err) {
    const struct tensor *tensor = NULL;
    int rc = weights_get(w, part, name, shape, &tensor, err);
    if (rc < 0)
        return rc;
    if (!dtype_to_f32(tensor->dtype, tensor->data, tensor->n, ret))
        return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" holds %s, expected numbers", VSR_FMT(tensor->name),
                       dtype_name(tensor->dtype));
    return 0;
}

int weights_dim(const struct weights *w, enum weights_part part, vsr_str name, size_t dim, size_t *ret_size,
                struct vsr_err *err) {
    struct found found = find(w, part, name);
    if (!found.shard)
        return missing(w, part, name, err);
    if (dim >= found.shard->file.tensors[found.index].n_dims)
        return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" has no dimension %zu", VSR_FMT(name), dim);
    *ret_size = found.shard->file.tensors[found.index].dims[dim];
    return 0;
}

/* ---- the account */

/* Without the outer prefix, and without the inner one if it has that. */
static vsr_str bare_name(const struct weights *w, vsr_str name) {
    if (str_starts(name, w->outer))
        name = str_sub(name, w->outer.len, name.len);
    return str_starts(name, w->inner) ? str_sub(name, w->inner.len, name.len) : name;
}

void weights_ignore(struct weights *w, vsr_str start) {
    for (size_t i = 0; i < w->n_shards; i++) {
        struct shard *shard = &w->shards[i];
        for (size_t t = 0; t < shard->file.n; t++)
            shard->used[t] = shard->used[t] || str_starts(bare_name(w, shard->file.tensors[t].name), start);
    }
}

static bool is_unused_by_all(vsr_str name) {
    static const char *const starts[] = { "decoder.", "cls.", "lm_head.", "lm_predictions.", "mask_predictions." };
    for (size_t i = 0; i < VSR_COUNT(starts); i++) {
        if (str_starts(name, str_from_c(starts[i])))
            return true;
    }
    return str_ends(name, VSR_STR(".position_ids"));
}

int weights_finish(const struct weights *w, struct vsr_err *err) {
    vsr_str first = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < w->n_shards; i++) {
        const struct shard *shard = &w->shards[i];
        for (size_t t = 0; t < shard->file.n; t++) {
            vsr_str name = shard->file.tensors[t].name;
            if (shard->used[t] || is_unused_by_all(bare_name(w, name)) || (w->chosen && !str_starts(name, w->outer)))
                continue;
            if (n++ == 0)
                first = name;
        }
    }
    if (n == 0)
        return 0;
    return err_set(
        err, VSR_E_INVALID,
        "%zu tensors have no place in the model, the first is \"%.*s\": config.json and weights do not match", n,
        VSR_FMT(first));
}

size_t weights_count(const struct weights *w) {
    size_t n = 0;
    for (size_t i = 0; i < w->n_shards; i++)
        n += w->shards[i].file.n;
    return n;
}

const struct tensor *weights_at(const struct weights *w, size_t index) {
    for (size_t i = 0; i < w->n_shards; i++) {
        if (index < w->shards[i].file.n)
            return &w->shards[i].file.tensors[index];
        index -= w->shards[i].file.n;
    }
    return NULL;
}

void weights_forget_pages(const struct tensor *tensor) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)tensor->data, to = from + tensor->len;
    from = (from + page - 1) / page * page; /* whole pages only: the first and last hold the neighbours' bytes too */
    to = to / page * page;
    if (from < to)
        (void)madvise((void *)from, to - from, MADV_DONTNEED); /* a hint */
}
