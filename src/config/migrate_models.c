/*
 * Models and where they run. Three layouts came before backend_refs: endpoints and an access key in the model; one
 * table of models and one of endpoints (model_config, vllm_endpoints, provider_profiles); and targets, backends and
 * auth profiles side by side. All become providers.models with backend_refs; what describes a model rather than where
 * it runs becomes its card.
 */
#include "config/migrate_tree.h"
#include "config/schema.h"
#include "config/yaml_notes.h"
#include "core/arena.h"

static const char *const card_fields[] = {
    "param_size", "context_window_size", "description", "capabilities", "quality_score", "modality", "tags", "loras"
};

/* ---- references to backends */

/* Fields of a backend reference, in the order in which they are written. */
static const char *const ref_fields[] = { "name",        "endpoint",  "base_url",    "protocol",    "weight",
                                          "type",        "provider",  "auth_header", "auth_prefix", "extra_headers",
                                          "api_version", "chat_path", "api_key",     "api_key_env", NULL };

/* host:port from fields of their own; empty without a host. */
static vsr_str joined_address(struct arena *arena, const struct yaml_node *endpoint) {
    vsr_str host = migrate_text(endpoint, "address"), port = migrate_text(endpoint, "port");
    bool v6;
    if (!host.len)
        host = migrate_text(endpoint, "host");
    v6 = str_find_char(host, ':') >= 0 && !str_starts(host, VSR_STR("["));
    if (!host.len || !port.len)
        return host;
    return arena_printf(arena, "%s%.*s%s:%.*s", v6 ? "[" : "", VSR_FMT(host), v6 ? "]" : "", VSR_FMT(port));
}

/* Adds the fields that are not set yet. */
static void add_fields(struct migrate *m, struct yaml_node *into, const struct yaml_node *from) {
    for (size_t i = 0; from && from->kind == YAML_MAPPING && i < from->n_items; i++)
        if (yaml_find(into, from->keys[i]->text) < 0 && !migrate_is_empty(from->items[i]))
            yaml_append(m->arena, into, yaml_copy(m->arena, from->keys[i]), yaml_copy(m->arena, from->items[i]));
}

static void rename_field(struct yaml_node *mapping, struct arena *arena, const char *old, const char *name) {
    ptrdiff_t at = yaml_find(mapping, str_from_c(old));
    if (at >= 0 && yaml_find(mapping, str_from_c(name)) < 0)
        mapping->keys[at]->text = arena_str(arena, str_from_c(name));
}

/*
 * One backend reference out of an endpoint of any layout, a profile of its vendor (may be NULL) and a key of its model
 * (NULL: none). The arguments stay as they are.
 */
static struct yaml_node *make_ref(struct migrate *m, struct yaml_node *endpoint, const struct yaml_node *profile,
                                  struct yaml_node *key) {
    struct yaml_node *ref = yaml_new(m->arena, YAML_MAPPING, endpoint);
    if (endpoint->kind == YAML_SCALAR) {
        migrate_set(m, ref, str_find(endpoint->text, VSR_STR("://")) >= 0 ? "base_url" : "endpoint", endpoint->text,
                    true, endpoint);
    } else {
        vsr_str address = joined_address(m->arena, endpoint);
        ref = yaml_copy(m->arena, endpoint);
        if (address.len && !yaml_get(ref, VSR_STR("endpoint")))
            migrate_set(m, ref, "endpoint", address, true, endpoint);
        if (address.len) {
            (void)migrate_take(ref, "address");
            (void)migrate_take(ref, "host");
            (void)migrate_take(ref, "port");
        }
    }
    ref->flow = false;
    rename_field(ref, m->arena, "access_key", "api_key");
    if (profile) {
        struct yaml_node *fields = yaml_copy(m->arena, (struct yaml_node *)profile);
        (void)migrate_take(fields, "name");
        rename_field(fields, m->arena, "type", "provider");
        rename_field(fields, m->arena, "access_key", "api_key");
        rename_field(fields, m->arena, "header", "auth_header");
        rename_field(fields, m->arena, "prefix", "auth_prefix");
        add_fields(m, ref, fields);
    }
    if (!migrate_is_empty(key) && !yaml_get(ref, VSR_STR("api_key")) && !yaml_get(ref, VSR_STR("api_key_env")))
        yaml_append(m->arena, ref, yaml_new_scalar(m->arena, VSR_STR("api_key"), key), yaml_copy(m->arena, key));
    migrate_order(m, ref, ref_fields);
    return ref;
}

/* The names that references have when they have none, so that they are the same when their order changes. */
static void name_refs(struct migrate *m, struct yaml_node *refs) {
    for (size_t i = 0; i < refs->n_items; i++) {
        vsr_str name = i == 0 ? VSR_STR("primary") : arena_printf(m->arena, "backend-%zu", i + 1);
        if (refs->items[i]->kind != YAML_MAPPING || migrate_text(refs->items[i], "name").len)
            continue;
        migrate_set(m, refs->items[i], "name", name, false, refs->items[i]);
        migrate_order(m, refs->items[i], ref_fields);
    }
}

/* ---- one model */

static void move_card_fields(struct migrate *m, struct yaml_node *model, vsr_str path) {
    vsr_str name = migrate_text(model, "name");
    for (size_t i = 0; name.len && i < VSR_COUNT(card_fields); i++) {
        struct migrate_pair pair = migrate_take(model, card_fields[i]);
        vsr_str from = schema_path(m->arena, path, str_from_c(card_fields[i]));
        if (!pair.key)
            continue;
        migrate_put(m, migrate_card(m, name, pair.key),
                    arena_printf(m->arena, "routing.modelCards[%.*s]", VSR_FMT(name)), card_fields[i], pair, from);
    }
}

/* `access: {endpoints, access_key, ...}` */
static void flatten_access(struct migrate *m, struct yaml_node *model, vsr_str path) {
    struct migrate_pair access = migrate_take(model, "access");
    vsr_str from = schema_path(m->arena, path, VSR_STR("access"));
    if (!access.key)
        return;
    if (access.value->kind != YAML_MAPPING) {
        if (!migrate_is_empty(access.value))
            migrate_set_aside(m, access, from, "no mapping");
        return;
    }
    for (size_t i = 0; i < access.value->n_items; i++) {
        struct migrate_pair pair = { access.value->keys[i], access.value->items[i] };
        vsr_str name = pair.key->text;
        migrate_put(m, model, path, arena_c_str(m->arena, name), pair, schema_path(m->arena, from, name));
    }
}

static void add_key(struct migrate *m, struct yaml_node *refs, struct yaml_node *key) {
    for (size_t i = 0; i < refs->n_items; i++) {
        struct yaml_node *ref = refs->items[i];
        if (ref->kind == YAML_MAPPING && yaml_find(ref, VSR_STR("api_key")) < 0 &&
            yaml_find(ref, VSR_STR("api_key_env")) < 0)
            yaml_append(m->arena, ref, yaml_new_scalar(m->arena, VSR_STR("api_key"), key), yaml_copy(m->arena, key));
    }
}

static void convert_endpoints(struct migrate *m, struct yaml_node *model, vsr_str path) {
    struct migrate_pair endpoints = migrate_take(model, "endpoints"), key = migrate_take(model, "access_key");
    vsr_str to = schema_path(m->arena, path, VSR_STR("backend_refs"));
    struct yaml_node *refs;
    if (!endpoints.key && !key.key)
        return;
    if (endpoints.key && endpoints.value->kind == YAML_SEQUENCE) {
        for (size_t i = 0; i < endpoints.value->n_items; i++)
            if (endpoints.value->items[i]->kind == YAML_MAPPING || !migrate_is_empty(endpoints.value->items[i]))
                endpoints.value->items[i] = make_ref(m, endpoints.value->items[i], NULL, key.value);
        endpoints.value->flow = false;
        name_refs(m, endpoints.value);
    }
    migrate_put(m, model, path, "backend_refs", endpoints, schema_path(m->arena, path, VSR_STR("endpoints")));
    refs = yaml_get(model, VSR_STR("backend_refs"));
    if (migrate_is_empty(key.value))
        return;
    if (!refs || refs->kind != YAML_SEQUENCE || refs->n_items == 0) {
        migrate_set_aside(m, key, schema_path(m->arena, path, VSR_STR("access_key")),
                          "no backend that it could be for");
        return;
    }
    add_key(m, refs, key.value);
    if (yaml_get_key(refs->items[0], VSR_STR("api_key")))
        yaml_notes_give(m->arena, key.key, yaml_get_key(refs->items[0], VSR_STR("api_key")));
    migrate_report(m, MIGRATE_MOVED, key.key, schema_path(m->arena, path, VSR_STR("access_key")),
                   arena_printf(m->arena, "%.*s[].api_key", VSR_FMT(to)), "%s", "");
}

static void convert_model(struct migrate *m, struct yaml_node *model, vsr_str path) {
    flatten_access(m, model, path);
    convert_endpoints(m, model, path);
    move_card_fields(m, model, path);
    if (migrate_text(model, "name").len)
        (void)migrate_card(m, migrate_text(model, "name"), model);
}

/* ---- tables: `name: {...}`, or a list of mappings with names */

/* Gives the elements of a mapping their keys as `name`, so that it becomes a list. Takes `table`. */
static struct yaml_node *as_list(struct migrate *m, struct yaml_node *table) {
    struct yaml_node *list;
    if (!table || table->kind != YAML_MAPPING)
        return table;
    list = yaml_new(m->arena, YAML_SEQUENCE, table);
    for (size_t i = 0; i < table->n_items; i++) {
        struct yaml_node *item = table->items[i], *key = table->keys[i];
        if (yaml_is_null(item))
            item = yaml_new(m->arena, YAML_MAPPING, key);
        if (item->kind == YAML_MAPPING && yaml_find(item, VSR_STR("name")) < 0) {
            static const char *const first[] = { "name", NULL };
            migrate_set(m, item, "name", key->text, true, key);
            migrate_order(m, item, first);
            item->flow = false;
        }
        if (key->notes && !item->notes) {
            item->notes = key->notes;
            key->notes = NULL;
        }
        yaml_push(m->arena, list, item);
    }
    return list;
}

static void index_names(struct migrate *m, const struct yaml_node *list, struct map *ret_names) {
    map_init(ret_names, m->arena);
    for (size_t i = 0; list && list->kind == YAML_SEQUENCE && i < list->n_items; i++) {
        vsr_str name = migrate_text(list->items[i], "name");
        if (name.len && !map_get(ret_names, name))
            map_put(ret_names, name, list->items[i]);
    }
}

/* ---- model_config, vllm_endpoints, provider_profiles */

struct tables {
    struct yaml_node *endpoints, *profiles; /* lists; NULL when there are none */
    struct map endpoint_names, profile_names;
    struct map used; /* what a model came to use, by address: names of the two lists may be the same */
};

/* Nodes have no names of their own in a map of texts: their address is their name. */
static void mark_used(struct migrate *m, struct tables *t, const struct yaml_node *node) {
    struct yaml_node *const at = (struct yaml_node *)node;
    map_put(&t->used, arena_str(m->arena, str_make((const char *)&at, sizeof(at))), at);
}

static bool is_used(const struct tables *t, const struct yaml_node *node) {
    return map_get(&t->used, str_make((const char *)&node, sizeof(node))) != NULL;
}

static void set_unused_aside(struct migrate *m, const struct tables *t, const struct yaml_node *list, const char *path,
                             const char *why) {
    for (size_t i = 0; list && i < list->n_items; i++) {
        struct yaml_node *item = list->items[i];
        struct migrate_pair pair = { yaml_new_scalar(m->arena, VSR_STR(""), item), item };
        if (!is_used(t, item))
            migrate_set_aside(m, pair, schema_element_path(m->arena, str_from_c(path), item, i), why);
    }
}

static struct yaml_node *profile_of(const struct tables *t, const struct yaml_node *endpoint) {
    vsr_str name = migrate_text(endpoint, "provider_profile");
    if (!name.len)
        name = migrate_text(endpoint, "profile");
    return name.len ? map_get(&t->profile_names, name) : NULL;
}

static void push_endpoint(struct migrate *m, struct tables *t, struct yaml_node *refs, struct yaml_node *endpoint,
                          struct yaml_node *key) {
    struct yaml_node *profile = profile_of(t, endpoint), *ref = make_ref(m, endpoint, profile, key);
    if (profile) {
        (void)migrate_take(ref, "provider_profile");
        (void)migrate_take(ref, "profile");
        mark_used(m, t, profile);
    }
    (void)migrate_take(ref, "models");
    yaml_push(m->arena, refs, ref);
    mark_used(m, t, endpoint);
}

static void tables_init(struct migrate *m, struct tables *t, struct yaml_node *endpoints, struct yaml_node *profiles) {
    *t = (struct tables){ .endpoints = endpoints, .profiles = profiles };
    index_names(m, endpoints, &t->endpoint_names);
    index_names(m, profiles, &t->profile_names);
    map_init(&t->used, m->arena);
}

/* The endpoints that the model prefers, or those that name the model. */
static struct yaml_node *refs_of(struct migrate *m, struct tables *t, struct yaml_node *model, vsr_str path,
                                 struct yaml_node *key) {
    struct migrate_pair preferred = migrate_take(model, "preferred_endpoints");
    struct yaml_node *refs = yaml_new(m->arena, YAML_SEQUENCE, model);
    vsr_str name = migrate_text(model, "name");
    for (size_t i = 0; preferred.key && preferred.value->kind == YAML_SEQUENCE && i < preferred.value->n_items; i++) {
        const struct yaml_node *wanted = preferred.value->items[i];
        struct yaml_node *endpoint = wanted->kind == YAML_SCALAR ? map_get(&t->endpoint_names, wanted->text) : NULL;
        if (endpoint)
            push_endpoint(m, t, refs, endpoint, key);
        else
            migrate_report(m, MIGRATE_CHECK, wanted, schema_path(m->arena, path, VSR_STR("preferred_endpoints")),
                           VSR_STR(""), "\"%.*s\" is not in vllm_endpoints", VSR_FMT(wanted->text));
    }
    for (size_t i = 0; !preferred.key && t->endpoints && i < t->endpoints->n_items; i++) {
        const struct yaml_node *served = yaml_get(t->endpoints->items[i], VSR_STR("models"));
        for (size_t s = 0; served && served->kind == YAML_SEQUENCE && s < served->n_items; s++)
            if (served->items[s]->kind == YAML_SCALAR && str_eq(served->items[s]->text, name))
                push_endpoint(m, t, refs, t->endpoints->items[i], key);
    }
    return refs;
}

static void convert_table_model(struct migrate *m, struct tables *t, struct yaml_node *model, vsr_str path) {
    struct migrate_pair key = migrate_take(model, "access_key"), policy = migrate_take(model, "pii_policy");
    struct yaml_node *refs = refs_of(m, t, model, path, key.value);
    struct migrate_pair pair = { yaml_new_scalar(m->arena, VSR_STR("backend_refs"), model), refs };
    if (!migrate_is_empty(policy.value))
        migrate_set_aside(m, policy, schema_path(m->arena, path, VSR_STR("pii_policy")),
                          "models have no policies any more: write a pii signal and a decision that keeps it private");
    rename_field(model, m->arena, "model_id", "provider_model_id");
    name_refs(m, refs);
    if (refs->n_items)
        migrate_put(m, model, path, "backend_refs", pair, schema_path(m->arena, path, VSR_STR("preferred_endpoints")));
    else if (key.key)
        migrate_set_aside(m, key, schema_path(m->arena, path, VSR_STR("access_key")),
                          "no backend that it could be for");
}

/* Models that only endpoints name. */
static void add_served_models(struct migrate *m, const struct tables *t, struct yaml_node *models) {
    struct map names;
    index_names(m, models, &names);
    for (size_t i = 0; t->endpoints && i < t->endpoints->n_items; i++) {
        const struct yaml_node *served = yaml_get(t->endpoints->items[i], VSR_STR("models"));
        for (size_t s = 0; served && served->kind == YAML_SEQUENCE && s < served->n_items; s++) {
            struct yaml_node *model;
            if (served->items[s]->kind != YAML_SCALAR || map_get(&names, served->items[s]->text))
                continue;
            model = yaml_new(m->arena, YAML_MAPPING, served->items[s]);
            migrate_set(m, model, "name", served->items[s]->text, true, served->items[s]);
            yaml_push(m->arena, models, model);
            map_put(&names, migrate_text(model, "name"), model);
        }
    }
}

static struct yaml_node *taken_list(struct migrate *m, struct yaml_node *mapping, const char *name, vsr_str path) {
    struct migrate_pair pair = migrate_take(mapping, name);
    struct yaml_node *list = pair.key ? as_list(m, pair.value) : NULL;
    if (!list || migrate_is_empty(list))
        return NULL;
    if (list->kind == YAML_SEQUENCE) {
        yaml_notes_give(m->arena, pair.key, list->items[0]);
        return list;
    }
    migrate_set_aside(m, pair, path, "neither a list nor a mapping");
    return NULL;
}

static void convert_tables(struct migrate *m) {
    struct yaml_node *models = taken_list(m, m->root, "model_config", VSR_STR("model_config"));
    struct tables t;
    struct migrate_pair pair;
    tables_init(m, &t, taken_list(m, m->root, "vllm_endpoints", VSR_STR("vllm_endpoints")),
                taken_list(m, m->root, "provider_profiles", VSR_STR("provider_profiles")));
    if (!models)
        models = yaml_new(m->arena, YAML_SEQUENCE, t.endpoints);
    add_served_models(m, &t, models);
    for (size_t i = 0; i < models->n_items; i++)
        if (models->items[i]->kind == YAML_MAPPING)
            convert_table_model(m, &t, models->items[i],
                                schema_element_path(m->arena, VSR_STR("model_config"), models->items[i], i));
    set_unused_aside(m, &t, t.endpoints, "vllm_endpoints", "no model names this endpoint");
    set_unused_aside(m, &t, t.profiles, "provider_profiles", "no endpoint names this profile");
    models->flow = false;
    pair = (struct migrate_pair){ yaml_new_scalar(m->arena, VSR_STR("models"), models), models };
    if (models->n_items)
        migrate_put_at(m, VSR_STR("providers.models"), pair, VSR_STR("model_config"));
}

/* ---- model_targets, backends, auth_profiles */

static vsr_str first_text(const struct yaml_node *mapping, const char *const *names) {
    for (size_t i = 0; names[i]; i++)
        if (migrate_text(mapping, names[i]).len)
            return migrate_text(mapping, names[i]);
    return VSR_STR("");
}

static const char *const auth_names[] = { "auth_profile", "auth", NULL };
static const char *const backend_names[] = { "backend", "backend_ref", "ref", "name", NULL };

/* Takes the names that were understood; what is no text was not. */
static void take_texts(struct yaml_node *mapping, const char *const *names) {
    for (size_t i = 0; names[i]; i++)
        if (migrate_text(mapping, names[i]).len)
            (void)migrate_take(mapping, names[i]);
}

/* `ref`: a backend's name, or a mapping that names one and sets its weight. */
static void push_target(struct migrate *m, struct yaml_node *refs, struct tables *t, struct yaml_node *ref,
                        vsr_str auth, vsr_str path) {
    vsr_str name = ref->kind == YAML_SCALAR ? ref->text : first_text(ref, backend_names);
    struct yaml_node *backend = name.len ? map_get(&t->endpoint_names, name) : NULL, *profile, *made;
    if (!backend) {
        migrate_report(m, MIGRATE_CHECK, ref, path, VSR_STR(""), "\"%.*s\" is not in providers.backends",
                       VSR_FMT(name));
        return;
    }
    if (first_text(backend, auth_names).len)
        auth = first_text(backend, auth_names);
    if (first_text(ref, auth_names).len)
        auth = first_text(ref, auth_names);
    profile = auth.len ? map_get(&t->profile_names, auth) : NULL;
    if (profile)
        mark_used(m, t, profile);
    else if (auth.len)
        migrate_report(m, MIGRATE_CHECK, ref, path, VSR_STR(""), "\"%.*s\" is not in providers.auth_profiles",
                       VSR_FMT(auth));
    mark_used(m, t, backend);
    made = make_ref(m, backend, profile, NULL);
    take_texts(made, auth_names);
    if (migrate_text(ref, "weight").len) {
        (void)migrate_take(made, "weight");
        migrate_set(m, made, "weight", migrate_text(ref, "weight"), false, ref);
    }
    migrate_order(m, made, ref_fields);
    yaml_push(m->arena, refs, made);
}

static void convert_target(struct migrate *m, struct tables *t, struct yaml_node *target, vsr_str path) {
    static const char *const lists[] = { "backends", "backend_refs", "targets" };
    struct yaml_node *refs = yaml_new(m->arena, YAML_SEQUENCE, target), *list = NULL;
    vsr_str auth = first_text(target, auth_names);
    struct migrate_pair one;
    take_texts(target, auth_names);
    rename_field(target, m->arena, "model", "name");
    rename_field(target, m->arena, "model_id", "provider_model_id");
    for (size_t i = 0; !list && i < VSR_COUNT(lists); i++)
        list = migrate_take(target, lists[i]).value;
    one = migrate_take(target, "backend");
    if (one.key)
        push_target(m, refs, t, one.value, auth, path);
    for (size_t i = 0; list && list->kind == YAML_SEQUENCE && i < list->n_items; i++)
        push_target(m, refs, t, list->items[i], auth, path);
    /* A target that names no backend ran on all of them. */
    for (size_t i = 0; !one.key && !list && t->endpoints && i < t->endpoints->n_items; i++)
        if (migrate_text(t->endpoints->items[i], "name").len)
            push_target(m, refs, t, t->endpoints->items[i], auth, path);
    name_refs(m, refs);
    if (refs->n_items)
        yaml_append(m->arena, target, yaml_new_scalar(m->arena, VSR_STR("backend_refs"), target), refs);
    target->flow = false;
}

static void convert_targets(struct migrate *m, struct yaml_node *providers) {
    static const char *const blocks[] = { "model_targets", "backends", "auth_profiles" };
    struct yaml_node *targets, *models = yaml_get(providers, VSR_STR("models"));
    struct migrate_pair pair;
    struct tables t;
    for (size_t i = 0; !migrate_is_empty(models) && i < VSR_COUNT(blocks); i++) {
        vsr_str path = arena_printf(m->arena, "providers.%s", blocks[i]);
        migrate_set_aside(m, migrate_take(providers, blocks[i]), path, "providers.models is there as well, and wins");
    }
    targets = taken_list(m, providers, "model_targets", VSR_STR("providers.model_targets"));
    tables_init(m, &t, taken_list(m, providers, "backends", VSR_STR("providers.backends")),
                taken_list(m, providers, "auth_profiles", VSR_STR("providers.auth_profiles")));
    if (targets)
        migrate_report(m, MIGRATE_CHECK, targets, VSR_STR("providers.model_targets"), VSR_STR("providers.models"),
                       "see that every model has the backends and keys it should have");
    for (size_t i = 0; targets && i < targets->n_items; i++)
        if (targets->items[i]->kind == YAML_MAPPING)
            convert_target(m, &t, targets->items[i],
                           schema_element_path(m->arena, VSR_STR("providers.model_targets"), targets->items[i], i));
    set_unused_aside(m, &t, t.endpoints, "providers.backends", "no model uses this backend");
    set_unused_aside(m, &t, t.profiles, "providers.auth_profiles", "no backend uses this profile");
    if (!targets)
        return;
    targets->flow = false;
    pair = (struct migrate_pair){ yaml_new_scalar(m->arena, VSR_STR("models"), targets), targets };
    migrate_put(m, providers, VSR_STR("providers"), "models", pair, VSR_STR("providers.model_targets"));
}

/* ---- the block */

static void move_defaults(struct migrate *m, struct yaml_node *from, vsr_str path) {
    static const char *const names[] = { "default_model", "reasoning_families", "default_reasoning_effort" };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        struct migrate_pair pair = migrate_take(from, names[i]);
        if (pair.key)
            migrate_put_at(m, arena_printf(m->arena, "providers.defaults.%s", names[i]), pair,
                           schema_path(m->arena, path, str_from_c(names[i])));
    }
}

void migrate_models(struct migrate *m) {
    struct yaml_node *providers = yaml_get(m->root, VSR_STR("providers")), *models;
    ptrdiff_t at;
    move_defaults(m, providers, VSR_STR("providers"));
    move_defaults(m, m->root, VSR_STR(""));
    if (providers && providers->kind == YAML_MAPPING) {
        struct migrate_pair external = migrate_take(providers, "external_models");
        if (external.key)
            migrate_put_at(m, VSR_STR("global.model_catalog.external"), external, VSR_STR("providers.external_models"));
        convert_targets(m, providers);
    }
    convert_tables(m);
    providers = yaml_get(m->root, VSR_STR("providers"));
    at = yaml_find(providers, VSR_STR("models"));
    if (at < 0)
        return;
    if (providers->items[at]->kind == YAML_MAPPING) {
        migrate_report(m, MIGRATE_MOVED, providers->keys[at], VSR_STR("providers.models"), VSR_STR("providers.models"),
                       "a list now, its keys are names");
        providers->items[at] = as_list(m, providers->items[at]);
    }
    models = providers->items[at];
    for (size_t i = 0; models->kind == YAML_SEQUENCE && i < models->n_items; i++)
        if (models->items[i]->kind == YAML_MAPPING)
            convert_model(m, models->items[i],
                          schema_element_path(m->arena, VSR_STR("providers.models"), models->items[i], i));
}

static bool is_lora(const struct yaml_node *cards, vsr_str name) {
    for (size_t i = 0; cards && cards->kind == YAML_SEQUENCE && i < cards->n_items; i++)
        if (migrate_named(yaml_get(cards->items[i], VSR_STR("loras")), name))
            return true;
    return false;
}

void migrate_default_card(struct migrate *m) {
    const struct yaml_node *defaults = yaml_get(yaml_get(m->root, VSR_STR("providers")), VSR_STR("defaults"));
    const struct yaml_node *cards = yaml_get(yaml_get(m->root, VSR_STR("routing")), VSR_STR("modelCards"));
    vsr_str name = migrate_text(defaults, "default_model");
    if (name.len && !is_lora(cards, name))
        (void)migrate_card(m, name, yaml_get(defaults, VSR_STR("default_model")));
}
