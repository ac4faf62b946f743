/*
 * places - every kind of place that tests of store/ run against, with how it is made and taken away.
 */
#ifndef VSR_TESTS_STORE_PLACES_H
#define VSR_TESTS_STORE_PLACES_H

#include <stdlib.h>

#include "server.h"
#include "store/response_store.h"
#include "test.h"

struct place_state {
    char skipped[256]; /* why there is none */
    char dir[64];      /* its files, or its address; "": none */
    char path[128], key[128];
    struct server_process server;
};

struct place {
    const char *name;
    /* False: this machine cannot have one. */
    bool (*begin)(struct place_state *state, struct response_store_options *options);
    void (*end)(struct place_state *state);
};

static bool memory_begin(struct place_state *state, struct response_store_options *options) {
    (void)state;
    options->kind = RESPONSE_STORE_MEMORY;
    return true;
}

static void memory_end(struct place_state *state) {
    (void)state;
}

static void make_dir(struct place_state *state) {
    (void)snprintf(state->dir, sizeof(state->dir), "/tmp/vsr-store-XXXXXX");
    if (!mkdtemp(state->dir))
        fail_msg("%s cannot be made", state->dir);
}

static void remove_dir(struct place_state *state) {
    char command[128];
    if (!state->dir[0])
        return;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", state->dir);
    if (system(command) != 0)
        print_message("%s stays\n", state->dir);
}

/* In directories that are not there yet. */
static bool sqlite_begin(struct place_state *state, struct response_store_options *options) {
    make_dir(state);
    (void)snprintf(state->path, sizeof(state->path), "%s/state/vsr/responses.db", state->dir);
    options->kind = RESPONSE_STORE_SQLITE;
    options->path = str_from_c(state->path);
    return true;
}

static bool redis_begin(struct place_state *state, struct response_store_options *options, enum redis_flavour flavour) {
    if (!redis_server_begin(&state->server, flavour, state->skipped, sizeof(state->skipped)))
        return false;
    (void)snprintf(state->dir, sizeof(state->dir), "127.0.0.1:%u", state->server.port);
    (void)snprintf(state->path, sizeof(state->path), "%s/cert.pem", state->server.dir);
    (void)snprintf(state->key, sizeof(state->key), "%s/key.pem", state->server.dir);
    options->kind = RESPONSE_STORE_REDIS;
    options->redis = (struct redis_options){ .address = str_from_c(state->dir), .retries = 3 };
    if (flavour == REDIS_PASSWORD) {
        options->redis.password = VSR_STR(REDIS_TEST_PASSWORD);
        options->redis.key_prefix = VSR_STR("vsr test");
        options->redis.db = 2;
    }
    if (flavour == REDIS_TLS) {
        options->redis.tls = true;
        options->redis.tls_ca = options->redis.tls_cert = str_from_c(state->path);
        options->redis.tls_key = str_from_c(state->key);
    }
    return true;
}

static bool redis_plain_begin(struct place_state *state, struct response_store_options *options) {
    return redis_begin(state, options, REDIS_PLAIN);
}

static bool redis_password_begin(struct place_state *state, struct response_store_options *options) {
    return redis_begin(state, options, REDIS_PASSWORD);
}

static bool redis_tls_begin(struct place_state *state, struct response_store_options *options) {
    return redis_begin(state, options, REDIS_TLS);
}

static bool postgres_begin(struct place_state *state, struct response_store_options *options) {
    if (!postgres_server_begin(&state->server, state->skipped, sizeof(state->skipped)))
        return false;
    options->kind = RESPONSE_STORE_POSTGRES;
    options->postgres = (struct postgres_options){ .host = VSR_STR("127.0.0.1"),
                                                   .port = state->server.port,
                                                   .database = VSR_STR("postgres"),
                                                   .user = VSR_STR("vsr"),
                                                   .password = VSR_STR(POSTGRES_TEST_PASSWORD),
                                                   .table = VSR_STR("of \"vsr\"") };
    return true;
}

static void end_server(struct place_state *state) {
    server_end(&state->server);
}

static const struct place places[] = {
    { "memory", memory_begin, memory_end },
    { "sqlite", sqlite_begin, remove_dir },
    { "postgres", postgres_begin, end_server },
    { "redis", redis_plain_begin, end_server },
    { "redis, password", redis_password_begin, end_server },
    { "redis, TLS", redis_tls_begin, end_server },
};

static inline const struct place *place_named(const char *name) {
    for (size_t i = 0; i < VSR_COUNT(places); i++)
        if (strcmp(places[i].name, name) == 0)
            return &places[i];
    return NULL;
}

#endif
