#include "nn/lora_rules.h"

#include <math.h>

#include "core/arena.h"
#include "nn/json_fields.h"
#include "nn/lora.h"
#include "nn/name_pattern.h"

/*
 * Of all patterns of a list together: each is tried behind every dot of every adapted layer's path. Plenty for a
 * literal for each layer of a model, or for some dozen real patterns.
 */
enum { PATTERNS_COST_MAX = 2048 };

struct reader {
    struct json_fields f;
    struct arena *arena;
    struct lora_rules *rules;
};

/* ---- reading */

/* Keys that change the result in ways that are not computed here. */
static void check_demands(struct reader *r) {
    static const char *const empty[] = { "fan_in_fan_out",    "layer_replication", "trainable_token_indices",
                                         "target_parameters", "use_qalora",        "alora_invocation_tokens",
                                         "megatron_config",   "velora_config",     "arrow_config",
                                         "use_bdlora",        "monteclora_config" };
    static const char *const rebased[] = { "pissa", "olora", "corda", "loftq", "lora_ga" };
    json_ref init = fields_get(&r->f, 0, "init_lora_weights");
    for (size_t i = 0; i < VSR_COUNT(empty); i++) {
        json_ref ref = fields_get(&r->f, 0, empty[i]);
        if (ref != JSON_NONE && !json_is(&r->f.doc, ref, JSON_FALSE) &&
            !((json_is(&r->f.doc, ref, JSON_ARRAY) || json_is(&r->f.doc, ref, JSON_OBJECT)) &&
              json_first(&r->f.doc, ref) == JSON_NONE))
            fields_wrong(&r->f, 0, empty[i], "%.*s is not supported",
                         VSR_FMT(str_sub(json_raw(&r->f.doc, ref), 0, 60)));
    }
    /* These take something out of the base's weights before training: what is saved fits another base. */
    for (size_t i = 0; i < VSR_COUNT(rebased) && json_is(&r->f.doc, init, JSON_STRING); i++) {
        if (str_starts(fields_text_of(&r->f, init), str_from_c(rebased[i])))
            fields_wrong(&r->f, 0, "init_lora_weights",
                         "\"%s\" changes the base as well: convert it to a plain adapter", rebased[i]);
    }
}

static vsr_str kept(struct reader *r, json_ref value) {
    return arena_str(r->arena, fields_text_of(&r->f, value));
}

static const struct name_pattern *read_pattern(struct reader *r, const char *key, vsr_str text) {
    struct name_pattern *pattern = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    if (name_pattern_build(r->arena, text, &pattern, &err) < 0)
        fields_wrong(&r->f, 0, key, "%s", err.text);
    return pattern;
}

static struct lora_names read_list(struct reader *r, const char *key, json_ref list) {
    const struct json_doc *doc = &r->f.doc;
    size_t n = json_count(doc, list), at = 0;
    vsr_str *items;
    if (n > LORA_NAMES_MAX) {
        fields_wrong(&r->f, 0, key, "%zu names, more than %d", n, LORA_NAMES_MAX);
        return (struct lora_names){ 0 };
    }
    items = ARENA_ARRAY(r->arena, vsr_str, n);
    for (json_ref item = json_first(doc, list); item != JSON_NONE; item = json_next(doc, list, item)) {
        items[at] = kept(r, item);
        if (items[at++].len == 0)
            fields_wrong(&r->f, 0, key, "an empty name");
    }
    return (struct lora_names){ .items = items, .n = n };
}

/* A list of names, or a text: a pattern, or where `is_name` one name. */
static struct lora_names read_names(struct reader *r, const char *key, bool is_name) {
    json_ref ref = fields_get(&r->f, 0, key);
    vsr_str *item;
    if (ref == JSON_NONE)
        return (struct lora_names){ 0 };
    if (json_is(&r->f.doc, ref, JSON_ARRAY))
        return read_list(r, key, ref);
    if (!is_name)
        return (struct lora_names){ .pattern = read_pattern(r, key, fields_text(&r->f, 0, key, VSR_STR(""))) };
    item = ARENA_NEW(r->arena, vsr_str);
    *item = kept(r, ref);
    return (struct lora_names){ .items = item, .n = 1 };
}

static void read_targets(struct reader *r) {
    json_ref ref = fields_get(&r->f, 0, "target_modules");
    r->rules->all_linear =
        json_is(&r->f.doc, ref, JSON_STRING) && str_eq_nocase(fields_text_of(&r->f, ref), VSR_STR("all-linear"));
    if (ref == JSON_NONE)
        fields_wrong(&r->f, 0, "target_modules", "missing; expected names, a pattern or \"all-linear\"");
    if (!r->rules->all_linear)
        r->rules->targets = read_names(r, "target_modules", false);
}

static void read_layers(struct reader *r) {
    const struct json_doc *doc = &r->f.doc;
    json_ref ref = fields_get(&r->f, 0, "layers_to_transform");
    bool is_list = json_is(doc, ref, JSON_ARRAY);
    size_t n = is_list ? json_count(doc, ref) : 1, at = 0, *layers;
    if (ref == JSON_NONE || n == 0)
        return;
    if (n > ENCODER_LAYERS_MAX) {
        fields_wrong(&r->f, 0, "layers_to_transform", "%zu layers, more than %d", n, ENCODER_LAYERS_MAX);
        return;
    }
    r->rules->layers = layers = ARENA_ARRAY(r->arena, size_t, n);
    r->rules->n_layers = n;
    for (json_ref item = is_list ? json_first(doc, ref) : ref; item != JSON_NONE;
         item = is_list ? json_next(doc, ref, item) : JSON_NONE) {
        int64_t layer;
        if (!json_i64(doc, item, &layer) || layer < 0 || layer >= ENCODER_LAYERS_MAX)
            fields_wrong(&r->f, 0, "layers_to_transform", "%.*s is no layer",
                         VSR_FMT(str_sub(json_raw(doc, item), 0, 60)));
        else
            layers[at++] = (size_t)layer;
    }
}

static struct lora_overrides read_overrides(struct reader *r, const char *key, double least, double most) {
    const struct json_doc *doc = &r->f.doc;
    json_ref map = fields_typed(&r->f, 0, key, JSON_OBJECT);
    size_t n = map == JSON_NONE ? 0 : json_count(doc, map), cost = 0;
    struct lora_overrides overrides = { .items =
                                            ARENA_ARRAY(r->arena, struct lora_override, n < LORA_NAMES_MAX ? n : 0) };
    if (n > LORA_NAMES_MAX)
        fields_wrong(&r->f, 0, key, "%zu patterns, more than %d", n, LORA_NAMES_MAX);
    if (n == 0 || n > LORA_NAMES_MAX)
        return overrides;
    for (json_ref name = json_first(doc, map); name != JSON_NONE && r->f.rc == 0;) {
        json_ref value = json_next(doc, map, name);
        struct lora_override *item = &overrides.items[overrides.n++];
        if (!json_double(doc, value, &item->value) || item->value < least || item->value > most)
            fields_wrong(&r->f, 0, key, "%.*s: expected a number from %g to %g",
                         VSR_FMT(str_sub(json_raw(doc, name), 0, 60)), least, most);
        item->pattern = read_pattern(r, key, fields_text_of(&r->f, name));
        cost += item->pattern ? name_pattern_cost(item->pattern) : 0;
        if (cost > PATTERNS_COST_MAX)
            fields_wrong(&r->f, 0, key,
                         "its patterns take more than %d steps together; expected names, or few patterns",
                         PATTERNS_COST_MAX);
        name = json_next(doc, map, value);
    }
    return overrides;
}

static void read_task(struct reader *r) {
    static const struct {
        const char *name;
        enum encoder_task task;
    } tasks[] = {
        { "SEQ_CLS", TASK_SEQUENCE },
        { "TOKEN_CLS", TASK_TOKENS },
        { "CAUSAL_LM", TASK_CAUSAL_LM },
        { "FEATURE_EXTRACTION", TASK_NONE },
        { "", TASK_NONE },
    };
    vsr_str name = fields_text(&r->f, 0, "task_type", VSR_STR(""));
    for (size_t i = 0; i < VSR_COUNT(tasks); i++) {
        if (str_eq_c(name, tasks[i].name)) {
            r->rules->task = tasks[i].task;
            return;
        }
    }
    fields_wrong(&r->f, 0, "task_type", "\"%.*s\" is not supported", VSR_FMT(str_sub(name, 0, 60)));
}

static void read_bias(struct reader *r) {
    vsr_str word = fields_text(&r->f, 0, "bias", VSR_STR("none"));
    r->rules->saves_biases = !str_eq_c(word, "none");
    if (r->rules->saves_biases && !str_eq_c(word, "all") && !str_eq_c(word, "lora_only"))
        fields_wrong(&r->f, 0, "bias", "\"%.*s\" is neither none, all nor lora_only", VSR_FMT(str_sub(word, 0, 60)));
}

static void read_all(struct reader *r) {
    struct lora_rules *rules = r->rules;
    vsr_str type = fields_text(&r->f, 0, "peft_type", VSR_STR(""));
    if (!str_eq_c(type, "LORA"))
        fields_wrong(&r->f, 0, "peft_type", "\"%.*s\" is not supported, only \"LORA\"", VSR_FMT(str_sub(type, 0, 60)));
    check_demands(r);
    rules->base = arena_str(r->arena, fields_text(&r->f, 0, "base_model_name_or_path", VSR_STR("")));
    rules->rank = (double)fields_size(&r->f, 0, "r", FIELDS_REQUIRED, 1, LORA_RANK_MAX);
    if (fields_get(&r->f, 0, "lora_alpha") == JSON_NONE)
        fields_wrong(&r->f, 0, "lora_alpha", "missing; expected a number");
    rules->alpha = fields_number(&r->f, 0, "lora_alpha", 0, -1e6, 1e6);
    rules->dora = fields_flag(&r->f, 0, "use_dora", false);
    rules->root_scale = fields_flag(&r->f, 0, "use_rslora", false);
    rules->lora_bias = fields_flag(&r->f, 0, "lora_bias", false);
    read_task(r);
    read_bias(r);
    read_targets(r);
    read_layers(r);
    rules->excluded = read_names(r, "exclude_modules", false);
    rules->saved = read_names(r, "modules_to_save", true);
    rules->layer_lists = read_names(r, "layers_pattern", true);
    rules->ranks = read_overrides(r, "rank_pattern", 1, LORA_RANK_MAX);
    rules->alphas = read_overrides(r, "alpha_pattern", -1e6, 1e6);
}

int lora_rules_parse(struct arena *arena, vsr_str json, struct lora_rules *ret, struct vsr_err *err) {
    struct lora_rules rules = { 0 };
    struct reader r = { .arena = arena, .rules = &rules };
    int rc;
    if (fields_open(&r.f, json, err) == 0)
        read_all(&r);
    rc = fields_end(&r.f);
    if (rc == 0)
        *ret = rules;
    return rc;
}

/* ---- paths */

/* "attn.Wqkv" is the end of "layers.0.attn.Wqkv", but not of "layers.0.xattn.Wqkv". */
static bool ends_with(vsr_str path, vsr_str name) {
    return str_ends(path, name) && (path.len == name.len || path.ptr[path.len - name.len - 1] == '.');
}

static bool names_match(const struct lora_names *names, vsr_str path) {
    for (size_t i = 0; i < names->n; i++) {
        if (ends_with(path, names->items[i]))
            return true;
    }
    return names->pattern && name_pattern_matches(names->pattern, path);
}

/* Whether the components of `name` follow one another somewhere in `path`. */
static bool goes_through(vsr_str path, vsr_str name) {
    for (size_t at = 0; at + name.len <= path.len; at++) {
        bool starts = at == 0 || path.ptr[at - 1] == '.',
             ends = at + name.len == path.len || path.ptr[at + name.len] == '.';
        if (starts && ends && str_eq(str_sub(path, at, at + name.len), name))
            return true;
    }
    return false;
}

/* The first number, behind the name of a list of layers where those are given. */
static bool layer_of(const struct lora_rules *rules, vsr_str path, uint64_t *ret_layer) {
    vsr_str before = { 0 };
    for (vsr_str rest = path; rest.ptr;) {
        vsr_str part = str_split(&rest, '.');
        bool counts = rules->layer_lists.n == 0;
        for (size_t i = 0; i < rules->layer_lists.n; i++)
            counts = counts || str_eq(rules->layer_lists.items[i], before);
        if (counts && str_to_u64(part, ret_layer))
            return true;
        before = part;
    }
    return false;
}

static bool layer_is_meant(const struct lora_rules *rules, vsr_str path) {
    uint64_t layer;
    if (!rules->layers)
        return true;
    if (!layer_of(rules, path, &layer))
        return false;
    for (size_t i = 0; i < rules->n_layers; i++) {
        if (rules->layers[i] == layer)
            return true;
    }
    return false;
}

bool lora_rules_save(const struct lora_rules *rules, vsr_str path) {
    bool classifies = rules->task == TASK_SEQUENCE || rules->task == TASK_TOKENS;
    for (size_t i = 0; i < rules->saved.n; i++) {
        if (goes_through(path, rules->saved.items[i]))
            return true;
    }
    return classifies && (goes_through(path, VSR_STR("classifier")) || goes_through(path, VSR_STR("score")));
}

bool lora_rules_adapt(const struct lora_rules *rules, vsr_str path, bool output) {
    if (lora_rules_save(rules, path) || names_match(&rules->excluded, path) || !layer_is_meant(rules, path))
        return false;
    return rules->all_linear ? !output : names_match(&rules->targets, path);
}

/* A key matches the path or what follows one of its dots. */
static double override(const struct lora_overrides *overrides, vsr_str path, double fallback) {
    for (size_t i = 0; i < overrides->n; i++) {
        for (vsr_str rest = path; rest.ptr; (void)str_split(&rest, '.')) {
            if (name_pattern_matches(overrides->items[i].pattern, rest))
                return overrides->items[i].value;
        }
    }
    return fallback;
}

size_t lora_rules_rank(const struct lora_rules *rules, vsr_str path) {
    return (size_t) override(&rules->ranks, path, rules->rank);
}

float lora_rules_scale(const struct lora_rules *rules, vsr_str path) {
    double rank = (double)lora_rules_rank(rules, path), alpha = override(&rules->alphas, path, rules->alpha);
    return (float)(alpha / (rules->root_scale ? sqrt(rank) : rank));
}
