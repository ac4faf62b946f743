/* Listeners, model cards, providers and the names they share (config.md §5-7.2, §8). */
#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"
#include "net/http1.h"

/* ---- listeners */

enum { LISTENER_DEFAULT_PORT = 8899, LISTENER_DEFAULT_TIMEOUT_MS = 300000 };

static void add_default_listener(struct check *c) {
    struct config_listener *listener = ARENA_NEW(c->arena, struct config_listener);
    *listener = (struct config_listener){
        .at = { .path = VSR_STR("listeners[listener_0]") },
        .name = VSR_STR("listener_0"),
        .address = VSR_STR("0.0.0.0"),
        .port = LISTENER_DEFAULT_PORT,
        .timeout_ms = LISTENER_DEFAULT_TIMEOUT_MS,
    };
    c->doc->listeners = (struct config_list){ listener, 1 };
}

/* A client's key arrives in a header: one that no header can carry would only ever refuse. */
static void check_token(struct check *c, const struct config_listener *listener, const char *field, vsr_str token) {
    if (!check_is_key(token))
        diag_error(c->diag, "E_TYPE", schema_field_at(&config_listener_schema, listener, field, c->arena), VSR_STR(""),
                   "a key has characters that no header may carry");
}

static void derive_tokens(struct check *c, struct config_listener *listener) {
    size_t n_keys = listener->api_keys.n, n = n_keys + listener->api_key_envs.n;
    struct diag_at at = schema_field_at(&config_listener_schema, listener, "api_key_envs", c->arena);
    listener->tokens = (struct config_strings){ .items = ARENA_ARRAY(c->arena, vsr_str, n), .n = n };
    for (size_t i = 0; i < n_keys; i++)
        listener->tokens.items[i] = str_trim(listener->api_keys.items[i]);
    for (size_t i = n_keys; i < n; i++)
        listener->tokens.items[i] =
            str_trim(env_value(c->env, listener->api_key_envs.items[i - n_keys], at, c->arena, c->diag));
    for (size_t i = 0; i < n; i++)
        check_token(c, listener, i < n_keys ? "api_keys" : "api_key_envs", listener->tokens.items[i]);
}

void check_listeners(struct check *c) {
    struct map names, sockets;
    map_init(&names, c->scratch);
    map_init(&sockets, c->scratch);
    if (c->doc->listeners.n == 0)
        add_default_listener(c);
    CONFIG_EACH(struct config_listener, listener, &c->doc->listeners) {
        vsr_str socket = arena_printf(c->scratch, "%.*s:%lld", VSR_FMT(listener->address), (long long)listener->port);
        const struct config_listener *first = map_put(&sockets, socket, listener);
        if (first)
            diag_error(c->diag, "E_DUP", schema_field_at(&config_listener_schema, listener, "port", c->arena),
                       VSR_STR(""), "address and port are those of the listener at line %u, column %u",
                       schema_at(first).line, schema_at(first).col);
        check_unique(c, &names, listener->name, &config_listener_schema, listener, "listener");
        derive_tokens(c, listener);
    }
}

/* ---- names of the automatic model */

static void add_alias(struct check *c, vsr_str name) {
    struct config_strings *names = &c->doc->global.router.auto_model_names;
    name = str_trim(name);
    if (name.len == 0 || map_get(&c->taken, name))
        return;
    check_take(c, name, VSR_STR("a name of the automatic model"), schema_at(&c->doc->global.router), VSR_STR(""));
    names->items[names->n++] = name;
}

/* Replaces the list as written by the names that hold: trimmed, each once, or the three defaults. */
static void derive_aliases(struct check *c) {
    struct config_router *router = &c->doc->global.router;
    struct config_strings written = router->auto_model_names;
    router->has_auto_model_names = schema_present(&config_router_schema, router, "auto_model_names");
    router->auto_model_names = (struct config_strings){ .items = ARENA_ARRAY(c->arena, vsr_str, written.n + 3) };
    for (size_t i = 0; i < written.n; i++)
        add_alias(c, written.items[i]);
    if (router->has_auto_model_names)
        return;
    add_alias(c, VSR_STR("vllm-sr/auto"));
    add_alias(c, VSR_STR("auto"));
    add_alias(c, router->auto_model_name);
}

static void take_slug(struct check *c, vsr_str name, struct diag_at at) {
    static const vsr_str what = VSR_STR_INIT("a name by which an algorithm is asked for");
    const struct check_taken *first = map_get(&c->taken, name);
    if (!first || !str_eq(first->what, what))
        check_take(c, name, what, at, VSR_STR(""));
}

/* The names by which clients ask for a looper alone (config.md §8): those that are listed, or the one that it has. */
static void take_slugs(struct check *c, const void *looper, const struct config_strings *listed, vsr_str name) {
    const struct config_at *at = looper;
    for (size_t i = 0; i < listed->n; i++) {
        const struct yaml_node *node = listed->nodes[i];
        if (!node->reference)
            take_slug(c, str_trim(listed->items[i]),
                      (struct diag_at){ node->line, node->col,
                                        arena_printf(c->arena, "%.*s.model_names[%zu]", VSR_FMT(at->path), i) });
    }
    if (listed->n == 0)
        take_slug(c, name, schema_at(&c->doc->global.integrations.looper));
}

static void take_all_slugs(struct check *c) {
    const struct config_looper *looper = &c->doc->global.integrations.looper;
    take_slugs(c, &looper->remom, &looper->remom.model_names, VSR_STR("vllm-sr/remom"));
    take_slugs(c, &looper->fusion, &looper->fusion.model_names, VSR_STR("vllm-sr/fusion"));
    take_slugs(c, &looper->flow, &looper->flow.model_names, VSR_STR("vllm-sr/flow"));
}

/* Model cards and LoRAs of one name are told apart by checks of their own. */
static void take_model(struct check *c, vsr_str name, const struct schema *schema, const void *object) {
    static const vsr_str what = VSR_STR_INIT("a model");
    const struct check_taken *first = map_get(&c->taken, name);
    if (!first || !str_eq(first->what, what))
        check_take(c, name, what, schema_field_at(schema, object, "name", c->arena),
                   VSR_STR("rename it, or list other names in global.router.auto_model_names"));
}

/* ---- model cards */

static void index_loras(struct check *c, struct config_model_card *card) {
    CONFIG_EACH(struct config_lora, lora, &card->loras) {
        struct config_model_card *first = map_get(&c->index->loras, lora->name);
        struct diag_at at = schema_field_at(&config_lora_schema, lora, "name", c->arena);
        take_model(c, lora->name, &config_lora_schema, lora);
        if (map_get(&c->index->cards, lora->name))
            diag_warn(c->diag, "W_NAME", at, VSR_STR(""),
                      "the LoRA \"%.*s\" is called like a model card; the card is meant", VSR_FMT(lora->name));
        if (first)
            diag_warn(c->diag, "W_NAME", at, VSR_STR(""),
                      "the LoRA \"%.*s\" is already listed by card \"%.*s\", which is meant", VSR_FMT(lora->name),
                      VSR_FMT(first->name));
        else
            map_put(&c->index->loras, lora->name, card);
    }
}

static void index_cards(struct check *c) {
    struct map names;
    map_init(&names, c->scratch);
    CONFIG_EACH(struct config_model_card, card, &c->doc->routing.model_cards) {
        check_unique(c, &names, card->name, &config_model_card_schema, card, "model card");
        take_model(c, card->name, &config_model_card_schema, card);
        if (!map_get(&c->index->cards, card->name))
            map_put(&c->index->cards, card->name, card);
    }
    CONFIG_EACH(struct config_model_card, card, &c->doc->routing.model_cards)
    index_loras(c, card);
}

static void warn_unroutable(struct check *c) {
    CONFIG_EACH(struct config_model_card, card, &c->doc->routing.model_cards)
    if (!card->provider && c->doc->has_providers && !check_is_open(card, "name"))
        diag_warn(c->diag, "W_NOT_ROUTABLE", schema_at(card), VSR_STR(""),
                  "model \"%.*s\" has no entry in providers.models, so nothing can be sent to it", VSR_FMT(card->name));
}

/* ---- providers */

static void resolve_family(struct check *c, struct config_provider_model *model, const struct map *families) {
    if (model->reasoning_family.len == 0 || check_is_open(model, "reasoning_family"))
        return;
    model->family = map_get(families, model->reasoning_family);
    if (!model->family)
        diag_error(c->diag, "E_REF",
                   schema_field_at(&config_provider_model_schema, model, "reasoning_family", c->arena),
                   check_suggest(c, families, model->reasoning_family),
                   "reasoning family \"%.*s\" is not defined in providers.defaults.reasoning_families",
                   VSR_FMT(model->reasoning_family));
}

/* A model without endpoints makes sense only when something else is said about it. */
static bool is_metadata(const struct config_provider_model *model) {
    return model->reasoning_family.len || model->pricing || model->reliability.at.node ||
           schema_present(&config_provider_model_schema, model, "api_format") || model->external_model_ids.n ||
           model->provider_model_id.len;
}

static void derive_pricing(struct config_pricing *pricing) {
    const struct yaml_node *node = pricing->at.node;
    pricing->has_cached_input = !yaml_is_null(yaml_get(node, VSR_STR("cached_input_per_1m")));
    pricing->has_cache_write = !yaml_is_null(yaml_get(node, VSR_STR("cache_write_per_1m")));
}

static void resolve_card(struct check *c, struct config_provider_model *model) {
    struct config_model_card *card = map_get(&c->index->cards, model->name);
    if (check_is_open(model, "name"))
        return;
    if (!card)
        diag_error(c->diag, "E_REF", schema_field_at(&config_provider_model_schema, model, "name", c->arena),
                   check_suggest(c, &c->index->cards, model->name),
                   "model \"%.*s\" is not defined in routing.modelCards", VSR_FMT(model->name));
    else if (!card->provider)
        card->provider = model;
}

static void check_provider_model(struct check *c, struct config_provider_model *model, const struct map *families) {
    resolve_card(c, model);
    resolve_family(c, model, families);
    if (model->pricing)
        derive_pricing(model->pricing);
    derive_reliability(c, &model->reliability, model->backend_refs.n);
    derive_backends(c, model);
    if (model->backend_refs.n == 0 && !is_metadata(model))
        diag_error(c->diag, "E_NO_BACKEND", schema_at(model), VSR_STR(""), "model \"%.*s\" has no backend_refs",
                   VSR_FMT(model->name));
}

static void check_default_effort(struct check *c, const struct config_provider_defaults *defaults) {
    static const char *const known[] = { "none", "minimal", "low", "medium", "high", "xhigh" };
    for (size_t i = 0; i < VSR_COUNT(known); i++)
        if (str_eq_c(defaults->default_reasoning_effort, known[i]))
            return;
    if (!check_is_open(defaults, "default_reasoning_effort"))
        diag_warn(c->diag, "W_EFFORT",
                  schema_field_at(&config_provider_defaults_schema, defaults, "default_reasoning_effort", c->arena),
                  VSR_STR(""), "\"%.*s\" is none of none, minimal, low, medium, high, xhigh; it is passed on as it is",
                  VSR_FMT(defaults->default_reasoning_effort));
}

static void check_default_model(struct check *c, const struct config_provider_defaults *defaults) {
    vsr_str name = defaults->default_model;
    struct config_model_card *card = map_get(&c->index->cards, name);
    struct diag_at at;
    if (name.len == 0 || check_is_open(defaults, "default_model"))
        return;
    at = schema_field_at(&config_provider_defaults_schema, defaults, "default_model", c->arena);
    if (!card)
        card = map_get(&c->index->loras, name);
    if (!card)
        diag_error(c->diag, "E_REF", at, check_suggest(c, &c->index->cards, name),
                   "model \"%.*s\" is not defined in routing.modelCards", VSR_FMT(name));
    else if (!card->provider)
        diag_error(c->diag, "E_NO_BACKEND", at, VSR_STR(""), "model \"%.*s\" has no entry in providers.models",
                   VSR_FMT(name));
}

void check_models(struct check *c) {
    struct config_providers *providers = &c->doc->providers;
    struct map families, names;
    map_init(&families, c->scratch);
    map_init(&names, c->scratch);
    derive_aliases(c);
    take_all_slugs(c);
    index_cards(c);
    CONFIG_EACH(struct config_reasoning_family, family, &providers->defaults.reasoning_families)
    map_put(&families, family->name, family);
    CONFIG_EACH(struct config_provider_model, model, &providers->models) {
        check_unique(c, &names, model->name, &config_provider_model_schema, model, "model");
        if (!map_get(&c->index->models, model->name))
            map_put(&c->index->models, model->name, model);
        check_provider_model(c, model, &families);
    }
    warn_unroutable(c);
    check_default_effort(c, &providers->defaults);
    check_default_model(c, &providers->defaults);
}

/* ---- authz */

static bool is_provider_name(vsr_str name) {
    for (size_t i = 1; config_provider_names[i]; i++)
        if (str_eq_c(name, config_provider_names[i]))
            return true;
    return false;
}

static void report_provider_name(struct check *c, struct diag_at at, vsr_str name) {
    vsr_str names[16];
    size_t n = 0;
    for (size_t i = 1; config_provider_names[i] && n < VSR_COUNT(names); i++)
        names[n++] = str_from_c(config_provider_names[i]);
    diag_error(c->diag, "E_ENUM", at, diag_suggest(c->diag, name, names, n),
               "\"%.*s\" is not a provider: the keys are providers, the values names of headers", VSR_FMT(name));
}

static void check_key_header(struct check *c, const struct config_authz_provider *provider, vsr_str name,
                             vsr_str header) {
    if (!is_provider_name(name))
        report_provider_name(c, check_pair_at(c, provider, "headers", name), name);
    else if (!http1_name_ok(header))
        diag_error(c->diag, "E_TYPE", check_pair_at(c, provider, "headers", name), VSR_STR(""),
                   "the value must be the name of a header");
}

void check_authz(struct check *c) {
    CONFIG_EACH(struct config_authz_provider, provider, &c->doc->global.services.authz.providers)
    for (size_t i = 0; i < provider->headers.n; i++)
        check_key_header(c, provider, provider->headers.keys[i], provider->headers.values[i]);
}
