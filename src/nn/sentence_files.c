#include "nn/sentence_files.h"

#include "core/arena.h"
#include "nn/json_fields.h"
#include "nn/kernels.h"
#include "nn/model_file.h"

enum { TOKENS_MAX = 1 << 24 };
_Static_assert((int)SENTENCE_DIMS_MAX <= (int)KERNELS_WIDTH_MAX, "vectors go through the kernels");

/* ---- modules.json */

enum module { MODULE_TRANSFORMER, MODULE_POOLING, MODULE_DENSE, MODULE_NORMALIZE };

static bool module_named(vsr_str type, enum module *ret_module) {
    static const char *const names[] = { "Transformer", "Pooling", "Dense", "Normalize" };
    ptrdiff_t dot = str_find_last_char(type, '.');
    /* Classes of other packages come with code of their own. */
    if (!str_starts(type, VSR_STR("sentence_transformers.")))
        return false;
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        if (!str_eq_c(str_sub(type, (size_t)dot + 1, type.len), names[i]))
            continue;
        *ret_module = (enum module)i;
        return true;
    }
    return false;
}

struct modules {
    struct json_fields f;
    struct arena *arena;
    struct sentence_files *files;
    vsr_str pooling_path;
    size_t n;
    int64_t last_index;
};

static vsr_str read_module_path(struct modules *m, json_ref item) {
    vsr_str path = fields_text(&m->f, item, "path", VSR_STR(""));
    if (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    if (path.len > 0 && !model_file_is_below(path))
        fields_wrong(&m->f, item, "path", "\"%.*s\" does not lie below the model's directory",
                     VSR_FMT(str_sub(path, 0, 100)));
    return arena_str(m->arena, path);
}

/* Steps are run as they stand; the first two are always the encoder and its pooling. */
static void add_module(struct modules *m, json_ref item, enum module module, vsr_str path) {
    struct sentence_files *files = m->files;
    if ((module == MODULE_TRANSFORMER) != (m->n == 0) || (module == MODULE_POOLING) != (m->n == 1)) {
        fields_wrong_value(&m->f, item, "expected a Transformer, then a Pooling, then Dense and Normalize modules");
    } else if (module == MODULE_TRANSFORMER && path.len > 0) {
        fields_wrong(&m->f, item, "path", "\"%.*s\" is not supported: the encoder's files must lie beside modules.json",
                     VSR_FMT(str_sub(path, 0, 100)));
    } else if (module == MODULE_POOLING) {
        m->pooling_path = path;
    } else if (module != MODULE_TRANSFORMER && files->n_steps == SENTENCE_STEPS_MAX) {
        fields_wrong_value(&m->f, item, "more than %d modules after the pooling", SENTENCE_STEPS_MAX);
    } else if (module != MODULE_TRANSFORMER) {
        files->steps[files->n_steps++] =
            (struct sentence_step){ .kind = module == MODULE_DENSE ? SENTENCE_DENSE : SENTENCE_NORMALIZE,
                                    .path = path };
    }
    m->n++;
}

static void read_module(struct modules *m, json_ref item) {
    enum module module = MODULE_TRANSFORMER;
    vsr_str type, path;
    int64_t index;
    if (!json_is(&m->f.doc, item, JSON_OBJECT)) {
        fields_wrong_value(&m->f, item, "expected an object");
        return;
    }
    type = fields_text(&m->f, item, "type", VSR_STR(""));
    path = read_module_path(m, item);
    index = fields_int(&m->f, item, "idx", m->last_index + 1, 0, INT32_MAX);
    if (index <= m->last_index)
        fields_wrong(&m->f, item, "idx", "modules are not in the order of their numbers");
    m->last_index = index;
    if (!module_named(type, &module))
        fields_wrong(&m->f, item, "type", "\"%.*s\" is not supported", VSR_FMT(str_sub(type, 0, 100)));
    if (m->f.rc == 0)
        add_module(m, item, module, path);
}

int sentence_modules_parse(struct arena *arena, vsr_str json, struct sentence_files *files, vsr_str *ret_pooling_path,
                           struct vsr_err *err) {
    struct modules m = { .arena = arena, .files = files, .last_index = -1 };
    if (fields_open_any(&m.f, json, err) == 0 && !json_is(&m.f.doc, 0, JSON_ARRAY))
        fields_wrong_value(&m.f, 0, "expected an array");
    if (m.f.rc == 0) {
        for (json_ref item = json_first(&m.f.doc, 0); item != JSON_NONE && m.f.rc == 0;
             item = json_next(&m.f.doc, 0, item))
            read_module(&m, item);
        if (m.n < 2)
            fields_wrong_value(&m.f, 0, "expected a Transformer and a Pooling at least");
    }
    *ret_pooling_path = m.pooling_path;
    files->has_modules = true;
    return fields_end(&m.f);
}

/* ---- Pooling */

static const struct {
    const char *key, *word; /* older files: a flag each; newer ones: a word */
    enum sentence_pooling pooling;
    bool fallback; /* the library's own */
} poolings[] = {
    { "pooling_mode_cls_token", "cls", SENTENCE_FIRST, false },
    { "pooling_mode_max_tokens", "max", SENTENCE_MAX, false },
    { "pooling_mode_mean_tokens", "mean", SENTENCE_MEAN, true },
    { "pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", SENTENCE_MEAN_SQRT, false },
    { "pooling_mode_weightedmean_tokens", "weightedmean", SENTENCE_WEIGHTED, false },
    { "pooling_mode_lasttoken", "lasttoken", SENTENCE_LAST, false },
};

static void read_pooling_word(struct json_fields *f, struct sentence_files *files) {
    vsr_str word = fields_text(f, 0, "pooling_mode", VSR_STR(""));
    for (size_t i = 0; i < VSR_COUNT(poolings); i++) {
        if (str_eq_c(word, poolings[i].word)) {
            files->pooling = poolings[i].pooling;
            return;
        }
    }
    fields_wrong(f, 0, "pooling_mode", "\"%.*s\" is not supported", VSR_FMT(str_sub(word, 0, 60)));
}

static void read_pooling_flags(struct json_fields *f, struct sentence_files *files) {
    size_t n = 0;
    for (size_t i = 0; i < VSR_COUNT(poolings); i++) {
        if (!fields_flag(f, 0, poolings[i].key, poolings[i].fallback))
            continue;
        files->pooling = poolings[i].pooling;
        n++;
    }
    if (n != 1)
        fields_wrong_value(f, 0, "%zu of the pooling modes are true; expected exactly one (\"%s\" is true by default)",
                           n, poolings[SENTENCE_MEAN].key);
}

int sentence_pooling_parse(vsr_str json, struct sentence_files *files, struct vsr_err *err) {
    struct json_fields f;
    if (fields_open(&f, json, err) == 0) {
        /* Newer releases of the library say it shorter. */
        const char *key = fields_get(&f, 0, "word_embedding_dimension") == JSON_NONE &&
                                  fields_get(&f, 0, "embedding_dimension") != JSON_NONE
                              ? "embedding_dimension"
                              : "word_embedding_dimension";
        files->dims = fields_size(&f, 0, key, FIELDS_REQUIRED, 1, SENTENCE_DIMS_MAX);
        files->include_prompt = fields_flag(&f, 0, "include_prompt", true);
        if (fields_get(&f, 0, "pooling_mode") != JSON_NONE)
            read_pooling_word(&f, files);
        else
            read_pooling_flags(&f, files);
    }
    return fields_end(&f);
}

/* ---- Dense */

static void read_dense_activation(struct json_fields *f, struct sentence_step *step) {
    static const struct {
        const char *name;
        enum activation activation;
    } words[] = {
        { "Tanh", ACTIVATION_TANH },
        { "ReLU", ACTIVATION_RELU },
        { "GELU", ACTIVATION_GELU },
        { "SiLU", ACTIVATION_SILU },
    };
    vsr_str name = fields_text(f, 0, "activation_function", VSR_STR("torch.nn.modules.activation.Tanh"));
    vsr_str last = str_sub(name, (size_t)(str_find_last_char(name, '.') + 1), name.len);
    step->has_activation = !str_eq_c(last, "Identity");
    if (!step->has_activation)
        return;
    for (size_t i = 0; i < VSR_COUNT(words); i++) {
        if (str_eq_c(last, words[i].name)) {
            step->activation = words[i].activation;
            return;
        }
    }
    fields_wrong(f, 0, "activation_function", "\"%.*s\" is not supported", VSR_FMT(str_sub(name, 0, 100)));
}

/* Newer releases can map the tokens instead of what was pooled. */
static void check_dense_place(struct json_fields *f, const char *key) {
    vsr_str place = fields_text(f, 0, key, VSR_STR("sentence_embedding"));
    if (!str_eq_c(place, "sentence_embedding"))
        fields_wrong(f, 0, key, "\"%.*s\" is not supported, only \"sentence_embedding\"",
                     VSR_FMT(str_sub(place, 0, 60)));
}

int sentence_dense_parse(vsr_str json, struct sentence_step *step, struct vsr_err *err) {
    struct json_fields f;
    if (fields_open(&f, json, err) == 0) {
        step->in = fields_size(&f, 0, "in_features", FIELDS_REQUIRED, 1, SENTENCE_DIMS_MAX);
        step->out = fields_size(&f, 0, "out_features", FIELDS_REQUIRED, 1, SENTENCE_DIMS_MAX);
        step->bias = fields_flag(&f, 0, "bias", true);
        read_dense_activation(&f, step);
        check_dense_place(&f, "module_input_name");
        check_dense_place(&f, "module_output_name");
    }
    return fields_end(&f);
}

/* ---- sentence_bert_config.json and config_sentence_transformers.json */

int sentence_limits_parse(vsr_str json, struct sentence_files *files, struct vsr_err *err) {
    struct json_fields f;
    if (fields_open(&f, json, err) == 0) {
        files->tokens_max = fields_size(&f, 0, "max_seq_length", 0, 1, TOKENS_MAX);
        files->lower_case = fields_flag(&f, 0, "do_lower_case", false);
    }
    return fields_end(&f);
}

static void read_prompts(struct json_fields *f, struct arena *arena, json_ref map, struct sentence_files *files) {
    const struct json_doc *doc = &f->doc;
    size_t n = json_count(doc, map);
    struct sentence_prompt *prompts;
    if (n > SENTENCE_PROMPTS_MAX) {
        fields_wrong(f, 0, "prompts", "%zu prompts, more than %d", n, SENTENCE_PROMPTS_MAX);
        return;
    }
    if (json_duplicate_key(doc, map) != JSON_NONE)
        fields_wrong(f, 0, "prompts", "a name stands in it twice");
    files->prompts = prompts = ARENA_ARRAY(arena, struct sentence_prompt, n);
    for (json_ref name = json_first(doc, map); name != JSON_NONE;) {
        json_ref value = json_next(doc, map, name);
        vsr_str text = fields_text_of(f, value);
        if (text.len > SENTENCE_PROMPT_LEN_MAX)
            fields_wrong(f, 0, "prompts", "a prompt is longer than %d bytes", SENTENCE_PROMPT_LEN_MAX);
        prompts[files->n_prompts++] =
            (struct sentence_prompt){ arena_str(arena, fields_text_of(f, name)), arena_str(arena, text) };
        name = json_next(doc, map, value);
    }
}

int sentence_prompts_parse(struct arena *arena, vsr_str json, struct sentence_files *files, struct vsr_err *err) {
    struct json_fields f;
    if (fields_open(&f, json, err) == 0) {
        json_ref map = fields_typed(&f, 0, "prompts", JSON_OBJECT);
        vsr_str name = fields_text(&f, 0, "default_prompt_name", VSR_STR("")), text;
        if (map != JSON_NONE)
            read_prompts(&f, arena, map, files);
        if (name.len > 0 && !sentence_prompt_find(files, name, &text))
            fields_wrong(&f, 0, "default_prompt_name", "there is no prompt \"%.*s\"", VSR_FMT(str_sub(name, 0, 60)));
        files->default_prompt = arena_str(arena, name);
    }
    return fields_end(&f);
}

bool sentence_prompt_find(const struct sentence_files *files, vsr_str name, vsr_str *ret_text) {
    for (size_t i = 0; i < files->n_prompts; i++) {
        if (!str_eq(files->prompts[i].name, name))
            continue;
        *ret_text = files->prompts[i].text;
        return true;
    }
    return false;
}

/* ---- the directory */

static vsr_str below(struct arena *arena, vsr_str path, vsr_str name) {
    return path.len == 0 ? name : arena_printf(arena, "%.*s/%.*s", VSR_FMT(path), VSR_FMT(name));
}

static int read_pooling(struct arena *arena, vsr_str directory, vsr_str path, struct sentence_files *files,
                        struct vsr_err *err) {
    vsr_str name = below(arena, path, VSR_STR("config.json")), text = { 0 };
    int rc = model_file_read(arena, directory, name, &text, err);
    if (rc == 0)
        rc = sentence_pooling_parse(text, files, err);
    return rc < 0 ? err_wrap(err, "%.*s", VSR_FMT(name)) : 0;
}

static int read_dense(struct arena *arena, vsr_str directory, struct sentence_step *step, size_t dims,
                      struct vsr_err *err) {
    vsr_str name = below(arena, step->path, VSR_STR("config.json")), text = { 0 };
    int rc = model_file_read(arena, directory, name, &text, err);
    if (rc == 0)
        rc = sentence_dense_parse(text, step, err);
    if (rc == 0 && step->in != dims)
        rc = err_set(err, VSR_E_INVALID, "key \"in_features\": %zu, but what comes in has %zu dimensions", step->in,
                     dims);
    return rc < 0 ? err_wrap(err, "%.*s", VSR_FMT(name)) : 0;
}

static int read_modules(struct arena *arena, vsr_str directory, struct sentence_files *files, struct vsr_err *err) {
    vsr_str text = { 0 }, pooling_path = { 0 };
    size_t dims;
    int rc = model_file_read(arena, directory, VSR_STR("modules.json"), &text, err);
    if (rc == VSR_E_NOT_FOUND)
        return 0;
    if (rc < 0)
        return rc;
    if (sentence_modules_parse(arena, text, files, &pooling_path, err) < 0)
        return err_wrap(err, "modules.json");
    if ((rc = read_pooling(arena, directory, pooling_path, files, err)) < 0)
        return rc;
    dims = files->dims;
    for (size_t i = 0; i < files->n_steps; i++) {
        struct sentence_step *step = &files->steps[i];
        step->in = step->out = dims;
        if (step->kind == SENTENCE_DENSE && (rc = read_dense(arena, directory, step, dims, err)) < 0)
            return rc;
        dims = step->out;
    }
    return 0;
}

/* The library names the file after the class that the encoder once had. */
static int read_limits(struct arena *arena, vsr_str directory, struct sentence_files *files, struct vsr_err *err) {
    static const char *const kinds[] = {
        "bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"
    };
    for (size_t i = 0; i < VSR_COUNT(kinds); i++) {
        vsr_str name = arena_printf(arena, "sentence_%s_config.json", kinds[i]);
        vsr_str text = { 0 };
        int rc = model_file_read(arena, directory, name, &text, err);
        if (rc == VSR_E_NOT_FOUND)
            continue;
        if (rc == 0)
            rc = sentence_limits_parse(text, files, err);
        return rc < 0 ? err_wrap(err, "%.*s", VSR_FMT(name)) : 0;
    }
    return 0;
}

static int read_prompt_file(struct arena *arena, vsr_str directory, struct sentence_files *files, struct vsr_err *err) {
    vsr_str text = { 0 };
    int rc = model_file_read(arena, directory, VSR_STR("config_sentence_transformers.json"), &text, err);
    if (rc == VSR_E_NOT_FOUND)
        return 0;
    if (rc == 0)
        rc = sentence_prompts_parse(arena, text, files, err);
    return rc < 0 ? err_wrap(err, "config_sentence_transformers.json") : 0;
}

int sentence_files_read(struct arena *arena, vsr_str directory, struct sentence_files *ret, struct vsr_err *err) {
    struct sentence_files files = { .include_prompt = true };
    struct vsr_err own = VSR_ERR_NONE; /* a file that is not there leaves no trace in the caller's */
    int rc = read_modules(arena, directory, &files, &own);
    if (rc == 0)
        rc = read_limits(arena, directory, &files, &own);
    if (rc == 0)
        rc = read_prompt_file(arena, directory, &files, &own);
    if (rc == 0)
        *ret = files;
    else if (err)
        *err = own;
    return rc;
}
