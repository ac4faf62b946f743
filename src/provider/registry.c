#include "provider/registry.h"

#include <pthread.h>

#include "core/assert.h"
#include "core/mem.h"

struct provider_registry {
    pthread_mutex_t lock;
    struct endpoint_state *endpoints; /* a list: looked up at load only */
    struct model_state *models;
};

struct provider_registry *provider_registry_new(void) {
    struct provider_registry *registry = MEM_NEW(struct provider_registry);
    pthread_mutex_init(&registry->lock, NULL);
    return registry;
}

void provider_registry_free(struct provider_registry *registry) {
    if (!registry)
        return;
    VSR_ASSERT(!registry->endpoints && !registry->models);
    pthread_mutex_destroy(&registry->lock);
    mem_free(registry);
}

void registry_lock(struct provider_registry *registry) {
    pthread_mutex_lock(&registry->lock);
}

void registry_unlock(struct provider_registry *registry) {
    pthread_mutex_unlock(&registry->lock);
}

static vsr_str copy_key(vsr_str key) {
    char *copy = mem_alloc(key.len + 1);
    if (key.len > 0)
        memcpy(copy, key.ptr, key.len);
    return str_make(copy, key.len);
}

static void free_key(vsr_str key) {
    mem_free((void *)(uintptr_t)key.ptr); /* ours, made by copy_key() */
}

struct endpoint_state *registry_endpoint(struct provider_registry *registry, vsr_str key) {
    struct endpoint_state *state;
    registry_lock(registry);
    for (state = registry->endpoints; state && !str_eq(state->key, key);)
        state = state->next;
    if (!state) {
        state = MEM_NEW(struct endpoint_state);
        state->key = copy_key(key);
        state->next = registry->endpoints;
        registry->endpoints = state;
    }
    state->refs++;
    registry_unlock(registry);
    return state;
}

struct model_state *registry_model(struct provider_registry *registry, vsr_str key) {
    struct model_state *state;
    registry_lock(registry);
    for (state = registry->models; state && !str_eq(state->key, key);)
        state = state->next;
    if (!state) {
        state = MEM_NEW(struct model_state);
        state->key = copy_key(key);
        state->next = registry->models;
        registry->models = state;
    }
    state->refs++;
    registry_unlock(registry);
    return state;
}

void registry_endpoint_unref(struct provider_registry *registry, struct endpoint_state *state) {
    struct endpoint_state **link = &registry->endpoints;
    registry_lock(registry);
    VSR_ASSERT(state->refs > 0);
    if (--state->refs == 0) {
        while (*link != state)
            link = &(*link)->next;
        *link = state->next;
        free_key(state->key);
        mem_free(state);
    }
    registry_unlock(registry);
}

void registry_model_unref(struct provider_registry *registry, struct model_state *state) {
    struct model_state **link = &registry->models;
    registry_lock(registry);
    VSR_ASSERT(state->refs > 0);
    if (--state->refs == 0) {
        while (*link != state)
            link = &(*link)->next;
        *link = state->next;
        free_key(state->key);
        mem_free(state);
    }
    registry_unlock(registry);
}

size_t registry_endpoint_count(struct provider_registry *registry) {
    size_t n = 0;
    registry_lock(registry);
    for (const struct endpoint_state *state = registry->endpoints; state; state = state->next)
        n++;
    registry_unlock(registry);
    return n;
}
