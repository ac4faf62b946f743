#include "store/store_options.h"

#include "core/arena.h"
#include "store/event_log.h"
#include "store/response_store.h"

enum {
    RESPONSES_MAX = 1000,
    CONNECT_MS = 5000,
    IO_MS = 3000,
};
#define FILE_LEN_MAX ((uint64_t)16 << 30)

static const size_t redis_texts[] = {
    offsetof(struct redis_options, address),  offsetof(struct redis_options, username),
    offsetof(struct redis_options, password), offsetof(struct redis_options, key_prefix),
    offsetof(struct redis_options, tls_cert), offsetof(struct redis_options, tls_key),
    offsetof(struct redis_options, tls_ca),   offsetof(struct redis_options, tls_name),
};

static const size_t postgres_texts[] = {
    offsetof(struct postgres_options, host),     offsetof(struct postgres_options, database),
    offsetof(struct postgres_options, user),     offsetof(struct postgres_options, password),
    offsetof(struct postgres_options, ssl_mode), offsetof(struct postgres_options, table),
};

static const size_t texts[] = {
    offsetof(struct response_store_options, path),
    offsetof(struct response_store_options, instance),
};

static vsr_str *text_at(void *object, size_t offset) {
    return (vsr_str *)(void *)((char *)object + offset);
}

static void copy_texts(struct arena *arena, void *object, const size_t *offsets, size_t n) {
    for (size_t i = 0; i < n; i++) {
        vsr_str *text = text_at(object, offsets[i]);
        *text = arena_str(arena, *text); /* with a NUL, as libraries want it */
    }
}

static bool equal_texts(const void *a, const void *b, const size_t *offsets, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!str_eq(*text_at((void *)(uintptr_t)a, offsets[i]), *text_at((void *)(uintptr_t)b, offsets[i])))
            return false;
    return true;
}

static void fill_u64(uint64_t *value, uint64_t fallback) {
    if (*value == 0)
        *value = fallback;
}

void redis_options_copy(struct arena *arena, const struct redis_options *options, struct redis_options *ret_options) {
    struct redis_options copy = *options;
    copy_texts(arena, &copy, redis_texts, VSR_COUNT(redis_texts));
    if (copy.key_prefix.len == 0)
        copy.key_prefix = VSR_STR("sr:");
    else if (!str_ends(copy.key_prefix, VSR_STR(":")))
        copy.key_prefix = arena_printf(arena, "%.*s:", VSR_FMT(copy.key_prefix));
    fill_u64(&copy.connect_ms, CONNECT_MS);
    fill_u64(&copy.io_ms, IO_MS);
    *ret_options = copy;
}

static void postgres_fill(struct postgres_options *postgres) {
    if (postgres->port == 0)
        postgres->port = 5432;
    if (postgres->table.len == 0)
        postgres->table = VSR_STR("vsr_responses");
    fill_u64(&postgres->connect_ms, CONNECT_MS);
    fill_u64(&postgres->io_ms, IO_MS);
}

struct response_store_options *store_options_copy(struct arena *arena, const struct response_store_options *options) {
    struct response_store_options *copy = ARENA_NEW(arena, struct response_store_options);
    *copy = *options;
    copy_texts(arena, copy, texts, VSR_COUNT(texts));
    redis_options_copy(arena, &options->redis, &copy->redis);
    copy_texts(arena, &copy->postgres, postgres_texts, VSR_COUNT(postgres_texts));
    postgres_fill(&copy->postgres);
    if (copy->ttl_s <= 0)
        copy->ttl_s = STORE_TTL_S;
    if (copy->event_ttl_s <= 0)
        copy->event_ttl_s = EVENT_LOG_TTL_S;
    if (copy->responses_max == 0)
        copy->responses_max = RESPONSES_MAX;
    fill_u64(&copy->file_len_max, FILE_LEN_MAX);
    return copy;
}

static bool equal_redis(const struct redis_options *a, const struct redis_options *b) {
    return equal_texts(a, b, redis_texts, VSR_COUNT(redis_texts)) && a->db == b->db && a->tls == b->tls &&
           a->tls_skip_verify == b->tls_skip_verify && a->retries == b->retries && a->connect_ms == b->connect_ms &&
           a->io_ms == b->io_ms;
}

static bool equal_postgres(const struct postgres_options *a, const struct postgres_options *b) {
    return equal_texts(a, b, postgres_texts, VSR_COUNT(postgres_texts)) && a->port == b->port &&
           a->connect_ms == b->connect_ms && a->io_ms == b->io_ms;
}

bool store_options_equal(const struct response_store_options *a, const struct response_store_options *b) {
    if (a->kind != b->kind || a->ttl_s != b->ttl_s || a->event_ttl_s != b->event_ttl_s ||
        a->responses_max != b->responses_max || a->file_len_max != b->file_len_max)
        return false;
    if (!str_eq(a->instance, b->instance))
        return false;
    switch (a->kind) {
    case RESPONSE_STORE_SQLITE:
        return str_eq(a->path, b->path);
    case RESPONSE_STORE_REDIS:
        return equal_redis(&a->redis, &b->redis);
    case RESPONSE_STORE_POSTGRES:
        return equal_postgres(&a->postgres, &b->postgres);
    default:
        return true;
    }
}

bool store_options_same_place(const struct response_store_options *a, const struct response_store_options *b) {
    if (a->kind != b->kind || !str_eq(a->instance, b->instance))
        return false;
    switch (a->kind) {
    case RESPONSE_STORE_SQLITE:
        return str_eq(a->path, b->path);
    case RESPONSE_STORE_REDIS:
        return str_eq(a->redis.address, b->redis.address) && str_eq(a->redis.key_prefix, b->redis.key_prefix) &&
               a->redis.db == b->redis.db;
    case RESPONSE_STORE_POSTGRES:
        return str_eq(a->postgres.host, b->postgres.host) && a->postgres.port == b->postgres.port &&
               str_eq(a->postgres.database, b->postgres.database) && str_eq(a->postgres.table, b->postgres.table);
    default:
        return true;
    }
}
