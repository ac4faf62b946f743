#include "dsl/emit.h"

#include "config/document.h"
#include "config/yaml_edit.h"
#include "core/arena.h"

enum { LABEL_LEN_MAX = 63 };

/* ---- names of Kubernetes */

static bool is_label(vsr_str text) {
    if (text.len == 0 || text.len > LABEL_LEN_MAX || text.ptr[0] == '-' || text.ptr[text.len - 1] == '-')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || ascii_is_digit(c) || c == '-'))
            return false;
    }
    return true;
}

bool emit_is_namespace(vsr_str name) {
    return is_label(name);
}

bool emit_is_name(vsr_str name) {
    if (name.len > EMIT_NAME_LEN_MAX || name.len == 0 || name.ptr[name.len - 1] == '.')
        return false;
    for (vsr_str rest = name; rest.ptr;)
        if (!is_label(str_split(&rest, '.')))
            return false;
    return true;
}

/* ---- making */

static struct yaml_node *plain(struct arena *arena, const char *text) {
    return yaml_new_scalar(arena, str_from_c(text), NULL);
}

static struct yaml_node *quoted(struct arena *arena, vsr_str text) {
    struct yaml_node *node = yaml_new_scalar(arena, text, NULL);
    node->quoted = true;
    return node;
}

static void put(struct arena *arena, struct yaml_node *node, const char *key, struct yaml_node *value) {
    if (value)
        yaml_append(arena, node, plain(arena, key), value);
}

static struct yaml_node *get(const struct yaml_node *node, const char *key) {
    return node ? yaml_get(node, str_from_c(key)) : NULL;
}

static vsr_str text_of(const struct yaml_node *node, const char *key) {
    const struct yaml_node *value = get(node, key);
    return value && value->kind == YAML_SCALAR ? value->text : VSR_STR("");
}

/* Entries of a list; 0 when it is none. */
static size_t n_entries(const struct yaml_node *list) {
    return list && list->kind == YAML_SEQUENCE ? list->n_items : 0;
}

static const char *const policy_keys[] = { "routing", "entrypoints", "recipes", NULL };

static void put_policy(struct arena *arena, const struct yaml_node *document, struct yaml_node *config) {
    for (const char *const *key = policy_keys; *key; key++)
        put(arena, config, *key, get(document, *key));
}

/* ---- endpoints */

struct host {
    vsr_str name, namespace;
    int port;
};

/* `[scheme://]host[:port][/path]`. False: an address in numbers of IPv6, or a socket, which is no service. */
static bool read_host(vsr_str text, bool tls, struct host *ret) {
    vsr_str service = VSR_STR(".svc"), rest;
    ptrdiff_t at = str_find(text, VSR_STR("://"));
    uint64_t port;
    if (at >= 0) {
        tls = str_starts(text, VSR_STR("https"));
        text = str_sub(text, (size_t)at + 3, text.len);
    }
    at = str_find_char(text, '/');
    text = at >= 0 ? str_sub(text, 0, (size_t)at) : text;
    *ret = (struct host){ .port = tls ? 443 : 80 };
    at = str_find_char(text, ':');
    if (at >= 0 && (!str_to_u64(str_sub(text, (size_t)at + 1, text.len), &port) || port == 0 || port > 65535))
        return false;
    ret->port = at >= 0 ? (int)port : ret->port;
    ret->name = at >= 0 ? str_sub(text, 0, (size_t)at) : text;
    if (ret->name.len == 0)
        return false;
    /* `service.namespace.svc.cluster.local` names both. */
    rest = ret->name;
    at = str_find(rest, service);
    if (at > 0 && ((size_t)at + service.len == rest.len || rest.ptr[(size_t)at + service.len] == '.')) {
        rest = str_sub(rest, 0, (size_t)at);
        at = str_find_char(rest, '.');
        ret->name = at > 0 ? str_sub(rest, 0, (size_t)at) : ret->name;
        ret->namespace = at > 0 ? str_sub(rest, (size_t)at + 1, rest.len) : VSR_STR("");
    }
    return true;
}

static struct yaml_node *endpoint(struct arena *arena, const struct yaml_node *model, const struct yaml_node *ref) {
    vsr_str where = text_of(ref, "endpoint").len ? text_of(ref, "endpoint") : text_of(ref, "base_url");
    vsr_str name = text_of(ref, "name"), family = text_of(model, "reasoning_family"), weight = text_of(ref, "weight");
    struct yaml_node *node, *backend, *service;
    struct host host;
    if (where.len == 0 || !read_host(where, str_eq_c(text_of(ref, "protocol"), "https"), &host))
        return NULL;
    node = yaml_new(arena, YAML_MAPPING, NULL);
    backend = yaml_new(arena, YAML_MAPPING, NULL);
    service = yaml_new(arena, YAML_MAPPING, NULL);
    put(arena, node, "name", quoted(arena, name.len ? name : text_of(model, "name")));
    put(arena, node, "model", quoted(arena, text_of(model, "name")));
    if (family.len)
        put(arena, node, "reasoningFamily", quoted(arena, family));
    put(arena, backend, "type", plain(arena, "service"));
    put(arena, service, "name", quoted(arena, host.name));
    if (host.namespace.len)
        put(arena, service, "namespace", quoted(arena, host.namespace));
    put(arena, service, "port", yaml_new_scalar(arena, arena_printf(arena, "%d", host.port), NULL));
    put(arena, backend, "service", service);
    put(arena, node, "backend", backend);
    if (weight.len && !str_eq_c(weight, "0") && !str_eq_c(weight, "1"))
        put(arena, node, "weight", yaml_new_scalar(arena, weight, NULL));
    return node;
}

static struct yaml_node *endpoints(struct arena *arena, const struct yaml_node *document) {
    const struct yaml_node *models = get(get(document, "providers"), "models");
    struct yaml_node *list = yaml_new(arena, YAML_SEQUENCE, NULL);
    for (size_t i = 0; i < n_entries(models); i++) {
        const struct yaml_node *refs = get(models->items[i], "backend_refs");
        for (size_t j = 0; j < n_entries(refs); j++) {
            struct yaml_node *node = endpoint(arena, models->items[i], refs->items[j]);
            if (node)
                yaml_push(arena, list, node);
        }
    }
    return list;
}

/* ---- flat keys of older operators */

static const struct {
    const char *list, *key;
} legacy_lists[] = {
    { "complexity", "complexity_rules" },
    { "keywords", "keyword_rules" },
    { "embeddings", "embedding_rules" },
    { "domains", "categories" },
    { "fact_check", "fact_check_rules" },
    { "user_feedbacks", "user_feedback_rules" },
    { "reasks", "reask_rules" },
    { "preferences", "preference_rules" },
    { "language", "language_rules" },
    { "context", "context_rules" },
    { "structure", "structure_rules" },
    { "modality", "modality_rules" },
    { "role_bindings", "role_bindings" },
    { "jailbreak", "jailbreak" },
    { "pii", "pii" },
    { "kb", "kb" },
    { "conversation", "conversation" },
    { "events", "events" },
};

static void put_legacy(struct arena *arena, const struct yaml_node *document, struct yaml_node *config) {
    const struct yaml_node *routing = get(document, "routing"), *signals = get(routing, "signals");
    const struct yaml_node *defaults = get(get(document, "providers"), "defaults");
    put(arena, config, "decisions", get(routing, "decisions"));
    put(arena, config, "strategy", get(routing, "strategy"));
    for (size_t i = 0; i < VSR_COUNT(legacy_lists); i++)
        put(arena, config, legacy_lists[i].key, get(signals, legacy_lists[i].list));
    put(arena, config, "default_model", get(defaults, "default_model"));
    put(arena, config, "reasoning_families", get(defaults, "reasoning_families"));
}

/* ---- resources */

struct yaml_node *emit_crd(struct arena *arena, const struct yaml_node *document, const struct emit_options *options) {
    struct yaml_node *root = yaml_new(arena, YAML_MAPPING, NULL), *metadata = yaml_new(arena, YAML_MAPPING, NULL);
    struct yaml_node *spec = yaml_new(arena, YAML_MAPPING, NULL), *config = yaml_new(arena, YAML_MAPPING, NULL);
    put(arena, root, "apiVersion", plain(arena, "vllm.ai/v1alpha1"));
    put(arena, root, "kind", plain(arena, "SemanticRouter"));
    put(arena, metadata, "name", quoted(arena, options->name.len ? options->name : VSR_STR("router")));
    put(arena, metadata, "namespace", quoted(arena, options->namespace.len ? options->namespace : VSR_STR("default")));
    put(arena, root, "metadata", metadata);
    put_policy(arena, document, config);
    if (options->legacy)
        put_legacy(arena, document, config);
    put(arena, spec, "config", config);
    put(arena, spec, "vllmEndpoints", endpoints(arena, document));
    put(arena, root, "spec", spec);
    return root;
}

struct yaml_node *emit_helm(struct arena *arena, const struct yaml_node *document) {
    struct yaml_node *root = yaml_new(arena, YAML_MAPPING, NULL), *config = yaml_new(arena, YAML_MAPPING, NULL);
    if (yaml_find(document, VSR_STR("version")) < 0)
        put(arena, config, "version", plain(arena, CONFIG_CONTRACT));
    for (size_t i = 0; document->kind == YAML_MAPPING && i < document->n_items; i++)
        yaml_append(arena, config, document->keys[i], document->items[i]);
    put(arena, root, "config", config);
    return root;
}
