#include "serve/stores.h"

#include <limits.h>

#include "config/document.h"
#include "config/load.h"
#include "core/arena.h"
#include "core/json_write.h"
#include "core/log.h"
#include "core/mem.h"
#include "serve/instance.h"
#include "store/response_store.h"

enum { RESPONSE_TTL_S = 30 * 86400 }; /* where the configuration says 0 */

struct stores {
    struct metrics *metrics;
    char state_dir[PATH_MAX]; /* "": none */
    struct instance instance;
    struct response_store *responses;
};

/* ---- options */

static const enum response_store_kind kinds[] = {
    [BACKEND_MEMORY] = RESPONSE_STORE_MEMORY,
    [BACKEND_SQLITE] = RESPONSE_STORE_SQLITE,
    [BACKEND_REDIS] = RESPONSE_STORE_REDIS,
    [BACKEND_POSTGRES] = RESPONSE_STORE_POSTGRES,
};

static enum response_store_kind kind_of(const struct stores *stores, const struct config_response_api *api) {
    enum response_store_kind kind = RESPONSE_STORE_MEMORY;
    if (api->enabled && (size_t)api->store_backend < VSR_COUNT(kinds))
        kind = kinds[api->store_backend];
    return kind == RESPONSE_STORE_SQLITE && !stores->state_dir[0] ? RESPONSE_STORE_MEMORY : kind;
}

/* One time limit for both directions: what is written is answered. `pool_size` has no effect, since one connection
 * carries any number of commands. */
static struct redis_options redis_options(const struct config_response_redis *redis) {
    int64_t io_s = redis->read_timeout > redis->write_timeout ? redis->read_timeout : redis->write_timeout;
    return (struct redis_options){
        .address = redis->address,
        .password = redis->password,
        .key_prefix = redis->key_prefix,
        .db = redis->db,
        .tls = redis->tls_enabled,
        .tls_cert = redis->tls_cert_path,
        .tls_key = redis->tls_key_path,
        .tls_ca = redis->tls_ca_path,
        .retries = (unsigned)redis->max_retries,
        .connect_ms = (uint64_t)redis->dial_timeout * 1000,
        .io_ms = (uint64_t)io_s * 1000,
    };
}

static struct postgres_options postgres_options(const struct config_postgres *postgres) {
    return (struct postgres_options){
        .host = postgres->host,
        .port = postgres->port,
        .database = postgres->database,
        .user = postgres->user,
        .password = postgres->password,
        .ssl_mode = postgres->ssl_mode,
        .table = postgres->table_name,
    };
}

/* In `arena`, for as long as the call that gets them. */
static struct response_store_options response_options(const struct stores *stores, struct arena *arena,
                                                      const struct config_document *doc) {
    const struct config_response_api *api = &doc->global.services.response_api;
    return (struct response_store_options){
        .kind = kind_of(stores, api),
        .ttl_s = api->ttl_seconds ? api->ttl_seconds : RESPONSE_TTL_S,
        .event_ttl_s = api->event_ttl_seconds,
        .responses_max = (size_t)api->max_responses,
        .redis = redis_options(&api->redis),
        .postgres = postgres_options(&api->postgres),
        .path = arena_printf(arena, "%s/responses.db", stores->state_dir),
        .instance = str_from_c(stores->instance.name),
        .metrics = stores->metrics,
    };
}

/* ---- life */

static void find_state_dir(struct stores *stores, const struct config_document *doc,
                           const struct config_load_options *load) {
    const char *dir = load->env ? load->env(load->env_data, "VSR_STATE_DIR") : getenv("VSR_STATE_DIR");
    if (dir && dir[0])
        (void)snprintf(stores->state_dir, sizeof(stores->state_dir), "%s", dir);
    else if (doc->base_dir.len)
        (void)snprintf(stores->state_dir, sizeof(stores->state_dir), "%.*s/.vsr", VSR_FMT(doc->base_dir));
}

/* Without a name nobody can tell what a former process has left unfinished: the rest works. */
static void claim_instance(struct stores *stores) {
    struct vsr_err err = VSR_ERR_NONE;
    stores->instance.fd = -1;
    if (stores->state_dir[0] && instance_claim(stores->state_dir, &stores->instance, &err) < 0)
        LOG_WARN("the state directory cannot be used", LOG_C("directory", stores->state_dir), LOG_C("error", err.text));
}

int stores_new(const struct config_document *doc, const struct config_load_options *load, struct metrics *metrics,
               struct stores **ret_stores, struct vsr_err *err) {
    struct stores *stores = MEM_NEW(struct stores);
    struct arena *arena = arena_new(0, 0);
    struct response_store_options options;
    int rc;
    stores->metrics = metrics;
    find_state_dir(stores, doc, load);
    claim_instance(stores);
    options = response_options(stores, arena, doc);
    rc = response_store_open(&options, &stores->responses, err);
    arena_free(arena);
    if (rc < 0)
        stores_free(stores);
    else
        *ret_stores = stores;
    return rc;
}

void stores_free(struct stores *stores) {
    if (!stores)
        return;
    response_store_free(stores->responses);
    instance_release(&stores->instance);
    mem_free(stores);
}

void stores_configure(struct stores *stores, const struct config_document *doc) {
    struct arena *arena = arena_new(0, 0);
    const struct response_store_options options = response_options(stores, arena, doc);
    response_store_configure(stores->responses, &options);
    arena_free(arena);
}

struct response_store *stores_responses(const struct stores *stores) {
    return stores->responses;
}

vsr_str stores_state_dir(const struct stores *stores) {
    return str_from_c(stores->state_dir);
}

/* ---- readiness */

/* A store that is away is no reason to be unready: memory stands for it, and requests that do not need it go on. */
void stores_write_ready(const struct stores *stores, struct json_writer *w) {
    struct response_store_status status;
    response_store_status(stores->responses, &status);
    json_write_key(w, VSR_STR("stores"));
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("name"));
    json_write_str(w, VSR_STR("responses"));
    json_write_key(w, VSR_STR("backend"));
    json_write_str(w, str_from_c(response_store_kind_name(status.kind)));
    json_write_key(w, VSR_STR("up"));
    json_write_bool(w, status.up);
    json_write_key(w, VSR_STR("queued"));
    json_write_u64(w, status.queued);
    json_write_key(w, VSR_STR("held_in_memory"));
    json_write_u64(w, status.held);
    json_write_key(w, VSR_STR("lost"));
    json_write_u64(w, status.lost);
    if (status.error[0]) {
        json_write_key(w, VSR_STR("error"));
        json_write_str(w, str_from_c(status.error));
    }
    json_write_end(w);
    json_write_end(w);
}
