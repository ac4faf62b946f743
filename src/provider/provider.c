#include "provider/provider.h"

#include "core/arena.h"
#include "core/assert.h"
#include "core/map.h"
#include "net/client.h"
#include "provider/balance.h"
#include "wire/chat_reasoning.h"

_Static_assert((int)CHAT_FAMILY_TEMPLATE_KWARGS == REASONING_CHAT_TEMPLATE_KWARGS, "wire mirrors config");
_Static_assert((int)CHAT_FAMILY_EFFORT == REASONING_EFFORT, "wire mirrors config");
_Static_assert((int)CHAT_FAMILY_TOP_LEVEL_EFFORT == REASONING_TOP_LEVEL_EFFORT, "wire mirrors config");
_Static_assert((int)CHAT_DIALECT_VLLM == DIALECT_VLLM, "wire mirrors config");
_Static_assert((int)CHAT_DIALECT_OPENAI == DIALECT_OPENAI, "wire mirrors config");
_Static_assert((int)CHAT_DIALECT_DEEPSEEK == DIALECT_DEEPSEEK, "wire mirrors config");
_Static_assert((int)CHAT_DIALECT_OPENROUTER == DIALECT_OPENROUTER, "wire mirrors config");
_Static_assert((int)CHAT_DIALECT_GENERIC == DIALECT_GENERIC, "wire mirrors config");

struct provider_set {
    struct provider_registry *registry;
    struct provider_model *models;
    size_t n_models;
    struct map names; /* logical model or LoRA -> struct provider_target */
};

/* ---- building */

/* Gives the registry's states back; a set that was built halfway holds some of them only. */
static void release_states(void *data) {
    struct provider_set *set = data;
    for (size_t m = 0; m < set->n_models; m++) {
        struct provider_model *model = &set->models[m];
        for (size_t i = 0; i < model->n_endpoints; i++)
            if (model->endpoints[i].state)
                registry_endpoint_unref(set->registry, model->endpoints[i].state);
        if (model->state)
            registry_model_unref(set->registry, model->state);
    }
}

/* One worker's part of a limit on all of them: at least one each. */
static size_t share_of(int64_t limit, size_t n_workers) {
    size_t share = (size_t)limit / n_workers;
    return share > 0 ? share : 1;
}

static vsr_str server_name_of(const struct config_backend_ref *ref) {
    return ref->tls_options ? ref->tls_options->server_name : VSR_STR("");
}

static void build_endpoint(struct arena *arena, struct provider_model *model, const struct provider_options *options,
                           struct provider_endpoint *endpoint, const struct config_backend_ref *ref) {
    const struct config_circuit *circuit = &model->config->reliability.circuit;
    vsr_str key;
    endpoint->ref = ref;
    endpoint->id = arena_printf(arena, "%.*s_%.*s", VSR_FMT(model->name), VSR_FMT(ref->name));
    endpoint->index = (uint32_t)(endpoint - model->endpoints);
    endpoint->checked = model->config->reliability.health_check_path.len > 0;
    endpoint->tls = ref->tls ? options->tls : NULL;
    if (ref->tls && options->tls_of && options->tls_of(options->tls_data, ref))
        endpoint->tls = options->tls_of(options->tls_data, ref);
    if (ref->via.host.len > 0) {
        endpoint->proxy = ARENA_NEW(arena, struct client_proxy);
        *endpoint->proxy = (struct client_proxy){ ref->via.host, ref->via.port, ref->via.authorization };
    }
    if (circuit->at.node) {
        endpoint->connections_max = share_of(circuit->max_connections, options->n_workers);
        endpoint->pending_max = share_of(circuit->max_pending, options->n_workers);
    }
    endpoint->pools = ARENA_ARRAY(arena, struct client_endpoint *, options->n_workers);
    key = arena_printf(arena, "%.*s %.*s:%u%.*s %s %.*s via %.*s:%u", VSR_FMT(endpoint->id), VSR_FMT(ref->host),
                       ref->port, VSR_FMT(ref->unix_path), ref->tls ? "tls" : "plain", VSR_FMT(server_name_of(ref)),
                       VSR_FMT(ref->via.host), ref->via.port);
    endpoint->state = registry_endpoint(options->registry, key);
}

static int build_model(struct arena *arena, const struct provider_options *options, struct provider_model *model,
                       const struct config_provider_model *config, struct vsr_err *err) {
    const struct config_backend_ref *refs = config->backend_refs.items;
    if (config->backend_refs.n > PROVIDER_ENDPOINTS_MAX)
        return err_set(err, VSR_E_INVALID, "model %.*s has %zu endpoints, and at most %d are allowed",
                       VSR_FMT(config->name), config->backend_refs.n, PROVIDER_ENDPOINTS_MAX);
    model->name = config->name;
    model->config = config;
    model->registry = options->registry;
    model->state = registry_model(options->registry, config->name);
    model->endpoints = ARENA_ARRAY(arena, struct provider_endpoint, config->backend_refs.n);
    for (size_t i = 0; i < config->backend_refs.n; i++)
        build_endpoint(arena, model, options, &model->endpoints[model->n_endpoints++], &refs[i]);
    balance_init(arena, model, options->n_workers, options->seed);
    return 0;
}

static void add_name(struct arena *arena, struct provider_set *set, vsr_str name, struct provider_model *model,
                     vsr_str lora) {
    struct provider_target *target;
    if (map_get(&set->names, name))
        return; /* the first in document order wins; the loader has warned */
    target = ARENA_NEW(arena, struct provider_target);
    target->model = model;
    target->lora = lora;
    map_put(&set->names, name, target);
}

static struct provider_model *model_of(const struct provider_set *set, const struct config_provider_model *config) {
    for (size_t i = 0; i < set->n_models; i++)
        if (set->models[i].config == config)
            return &set->models[i];
    return NULL;
}

static void add_loras(struct arena *arena, struct provider_set *set, const struct config_document *doc) {
    const struct config_model_card *cards = doc->routing.model_cards.items;
    for (size_t c = 0; c < doc->routing.model_cards.n; c++) {
        struct provider_model *model = cards[c].provider ? model_of(set, cards[c].provider) : NULL;
        const struct config_lora *loras = cards[c].loras.items;
        for (size_t i = 0; model && i < cards[c].loras.n; i++)
            add_name(arena, set, loras[i].name, model, loras[i].name);
    }
}

int provider_set_build(struct arena *arena, const struct config_document *doc, const struct provider_options *options,
                       struct provider_set **ret_set, struct vsr_err *err) {
    struct provider_set *set = ARENA_NEW(arena, struct provider_set);
    const struct config_provider_model *configs = doc->providers.models.items;
    VSR_ASSERT(options->n_workers >= 1 && options->n_workers <= PROVIDER_WORKERS_MAX);
    set->registry = options->registry;
    set->models = ARENA_ARRAY(arena, struct provider_model, doc->providers.models.n);
    set->n_models = doc->providers.models.n;
    map_init(&set->names, arena);
    arena_on_free(arena, release_states, set);
    for (size_t i = 0; i < set->n_models; i++) {
        int rc = build_model(arena, options, &set->models[i], &configs[i], err);
        if (rc < 0)
            return rc;
        set->models[i].default_effort = doc->providers.defaults.default_reasoning_effort;
        add_name(arena, set, configs[i].name, &set->models[i], str_make(NULL, 0));
    }
    add_loras(arena, set, doc);
    *ret_set = set;
    return 0;
}

/* ---- looking up */

bool provider_set_find(const struct provider_set *set, vsr_str name, struct provider_target *ret_target) {
    const struct provider_target *target = map_get(&set->names, name);
    if (!target)
        return false;
    *ret_target = *target;
    return true;
}

size_t provider_set_count(const struct provider_set *set) {
    return set->n_models;
}

struct provider_model *provider_set_at(const struct provider_set *set, size_t index) {
    VSR_ASSERT(index < set->n_models);
    return &set->models[index];
}

/* ---- a worker's pools */

static bool same_proxy(const struct client_proxy *a, const struct client_proxy *b) {
    return !a == !b && (!a || str_eq(a->authorization, b->authorization));
}

/* Whether connections to the one serve the other; what else a place has is part of the state's identity. */
static bool same_place(const struct provider_endpoint *a, const struct provider_endpoint *b) {
    return a->tls == b->tls && same_proxy(a->proxy, b->proxy) && a->connections_max == b->connections_max &&
           a->pending_max == b->pending_max;
}

/* One state is one endpoint of one model. */
static const struct provider_endpoint *same_endpoint(const struct provider_model *model,
                                                     const struct provider_endpoint *endpoint) {
    for (size_t i = 0; i < model->n_endpoints; i++)
        if (model->endpoints[i].state == endpoint->state && same_place(&model->endpoints[i], endpoint))
            return &model->endpoints[i];
    return NULL;
}

static void share_pools(const struct provider_model *next, const struct provider_model *now, size_t worker) {
    for (size_t i = 0; i < next->n_endpoints; i++) {
        const struct provider_endpoint *endpoint = &next->endpoints[i], *before = same_endpoint(now, endpoint);
        if (before && before->pools[worker] && !endpoint->pools[worker])
            endpoint->pools[worker] = client_endpoint_ref(before->pools[worker]);
    }
}

void provider_set_enter(const struct provider_set *next, const struct provider_set *now, size_t worker) {
    for (size_t i = 0; now && i < next->n_models; i++) {
        const struct provider_target *before = map_get(&now->names, next->models[i].name);
        if (before)
            share_pools(&next->models[i], before->model, worker);
    }
}

void provider_set_leave(const struct provider_set *set, size_t worker) {
    for (size_t i = 0; i < set->n_models; i++)
        for (size_t j = 0; j < set->models[i].n_endpoints; j++) {
            struct client_endpoint **pool = &set->models[i].endpoints[j].pools[worker];
            if (*pool)
                client_endpoint_unref(*pool);
            *pool = NULL;
        }
}

/* ---- one endpoint */

vsr_str provider_endpoint_model_id(const struct provider_model *model, const struct provider_endpoint *endpoint,
                                   vsr_str lora) {
    if (lora.len > 0)
        return lora;
    return endpoint->ref->model_id.len > 0 ? endpoint->ref->model_id : model->name;
}

/* Whether the target's first segment is `/v1`, whole: never `/v1beta`. */
static bool has_v1_segment(vsr_str target) {
    if (!str_starts(target, VSR_STR("/v1")))
        return false;
    return target.len == 3 || target.ptr[3] == '/' || target.ptr[3] == '?';
}

/* By enum protocol: what a vendor's API has behind its base. */
static const vsr_str suffixes[] = {
    [PROTOCOL_CHAT] = VSR_STR_INIT("/chat/completions"), [PROTOCOL_MESSAGES] = VSR_STR_INIT("/messages"),
    [PROTOCOL_RESPONSES] = VSR_STR_INIT("/responses"),   [PROTOCOL_COMPLETIONS] = VSR_STR_INIT("/completions"),
    [PROTOCOL_EMBEDDINGS] = VSR_STR_INIT("/embeddings"), [PROTOCOL_IMAGES] = VSR_STR_INIT("/images/generations"),
};
_Static_assert(VSR_COUNT(suffixes) == PROTOCOL_COUNT, "each protocol has its path");

static size_t path_len(vsr_str target) {
    ptrdiff_t mark = str_find_char(target, '?');
    return mark < 0 ? target.len : (size_t)mark;
}

/* The client's target behind `/v1`, or what the protocol has there. */
static vsr_str behind_v1(enum protocol protocol, vsr_str target) {
    return has_v1_segment(target) ? str_sub(target, 3, target.len) : suffixes[protocol];
}

/* Anthropic's API begins with `/v1` whatever its base; a base that has it already is meant the same way. */
static vsr_str messages_path(struct arena *arena, const struct config_backend_ref *ref, vsr_str target) {
    vsr_str base = ref->path_prefix, rest = behind_v1(PROTOCOL_MESSAGES, target);
    if (ref->chat_path.len > 0)
        return ref->chat_full_path;
    if (str_ends(base, VSR_STR("/v1")))
        base.len -= 3;
    return arena_printf(arena, "%.*s/v1%.*s", VSR_FMT(base), VSR_FMT(rest));
}

/* Beside the vendor's chat path, with the query that it was given (Azure's api-version). */
static vsr_str sibling_path(struct arena *arena, const struct config_backend_ref *ref, enum protocol protocol,
                            vsr_str target) {
    vsr_str chat = ref->chat_full_path, path = str_sub(chat, 0, path_len(chat));
    vsr_str query = str_sub(chat, path.len, chat.len), rest = behind_v1(protocol, target);
    vsr_str base = str_ends(path, suffixes[PROTOCOL_CHAT]) ? str_sub(path, 0, path.len - suffixes[PROTOCOL_CHAT].len)
                   : ref->path_prefix.len > 0              ? ref->path_prefix
                                                           : VSR_STR("/v1");
    rest = str_sub(rest, 0, path_len(rest));
    return arena_printf(arena, "%.*s%.*s%.*s", VSR_FMT(base), VSR_FMT(rest), VSR_FMT(query));
}

vsr_str provider_endpoint_path(struct arena *arena, const struct provider_endpoint *endpoint, enum protocol protocol,
                               vsr_str target) {
    const struct config_backend_ref *ref = endpoint->ref;
    if (protocol == PROTOCOL_MESSAGES)
        return messages_path(arena, ref, target);
    if (ref->chat_full_path.len > 0)
        return protocol == PROTOCOL_CHAT ? ref->chat_full_path : sibling_path(arena, ref, protocol, target);
    if (target.len > 0 && (ref->path_prefix.len == 0 || !has_v1_segment(target)))
        return target;
    return arena_printf(arena, "%.*s%.*s", VSR_FMT(ref->path_prefix.len > 0 ? ref->path_prefix : VSR_STR("/v1")),
                        VSR_FMT(behind_v1(protocol, target)));
}

enum protocol provider_endpoint_protocol(const struct provider_endpoint *endpoint) {
    switch (endpoint->ref->api) {
    case API_ANTHROPIC:
        return PROTOCOL_MESSAGES;
    case API_OPENAI_RESPONSES:
        return PROTOCOL_RESPONSES;
    default:
        return PROTOCOL_CHAT;
    }
}

void provider_endpoint_reasoning(const struct provider_model *model, const struct provider_endpoint *endpoint, bool on,
                                 vsr_str effort, struct chat_reasoning *ret_reasoning) {
    const struct config_reasoning_family *family = model->config->family;
    *ret_reasoning = (struct chat_reasoning){
        .family = family ? (enum chat_family)family->type : CHAT_FAMILY_NONE,
        .dialect = (enum chat_dialect)endpoint->ref->dialect,
        .parameter = family ? family->parameter : str_make(NULL, 0),
        .effort = effort.len > 0 ? effort : model->default_effort,
        .on = on,
    };
}

struct client_place provider_endpoint_place(const struct provider_endpoint *endpoint) {
    const struct config_backend_ref *ref = endpoint->ref;
    return (struct client_place){
        .host = ref->host,
        .port = ref->port,
        .unix_path = ref->unix_path,
        .tls = endpoint->tls,
        .server_name = server_name_of(ref),
        .proxy = endpoint->proxy,
        .connections_max = endpoint->connections_max,
        .pending_max = endpoint->pending_max,
    };
}

struct client_endpoint *provider_endpoint_pool(const struct provider_endpoint *endpoint, size_t worker,
                                               struct client *client) {
    if (!endpoint->pools[worker]) {
        const struct client_place place = provider_endpoint_place(endpoint);
        endpoint->pools[worker] = client_endpoint(client, &place);
    }
    return endpoint->pools[worker];
}
