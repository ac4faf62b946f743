#include "provider/registry.h"

#include <pthread.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/tls.h"

struct provider_registry {
    pthread_mutex_t lock;
    struct registry_entry *endpoints; /* of struct endpoint_state; a list: looked up at load only */
    struct registry_entry *models;    /* of struct model_state */
    struct registry_entry *contexts;  /* of struct tls_state */
};

struct tls_state {
    struct registry_entry entry; /* first */
    struct tls_client *tls;
};

struct provider_registry *provider_registry_new(void) {
    struct provider_registry *registry = MEM_NEW(struct provider_registry);
    pthread_mutex_init(&registry->lock, NULL);
    return registry;
}

void provider_registry_free(struct provider_registry *registry) {
    if (!registry)
        return;
    VSR_ASSERT(!registry->endpoints && !registry->models && !registry->contexts);
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

/* The entry of that key, made of `size` zeroed bytes when absent, with one more reference. */
static struct registry_entry *entry_ref(struct provider_registry *registry, struct registry_entry **list, vsr_str key,
                                        size_t size) {
    struct registry_entry *entry;
    registry_lock(registry);
    for (entry = *list; entry && !str_eq(entry->key, key);)
        entry = entry->next;
    if (!entry) {
        entry = mem_alloc(size);
        entry->key = copy_key(key);
        entry->next = *list;
        *list = entry;
    }
    entry->refs++;
    registry_unlock(registry);
    return entry;
}

static void entry_unref(struct provider_registry *registry, struct registry_entry **list,
                        struct registry_entry *entry) {
    registry_lock(registry);
    VSR_ASSERT(entry->refs > 0);
    if (--entry->refs == 0) {
        while (*list != entry)
            list = &(*list)->next;
        *list = entry->next;
        free_key(entry->key);
        mem_free(entry);
    }
    registry_unlock(registry);
}

/* An entry is the first member of its state, so one address is both. */
_Static_assert(offsetof(struct endpoint_state, entry) == 0 && offsetof(struct model_state, entry) == 0 &&
                   offsetof(struct tls_state, entry) == 0,
               "entries come first");

struct endpoint_state *registry_endpoint(struct provider_registry *registry, vsr_str key) {
    return (struct endpoint_state *)entry_ref(registry, &registry->endpoints, key, sizeof(struct endpoint_state));
}

struct model_state *registry_model(struct provider_registry *registry, vsr_str key) {
    return (struct model_state *)entry_ref(registry, &registry->models, key, sizeof(struct model_state));
}

void registry_endpoint_unref(struct provider_registry *registry, struct endpoint_state *state) {
    entry_unref(registry, &registry->endpoints, &state->entry);
}

void registry_model_unref(struct provider_registry *registry, struct model_state *state) {
    entry_unref(registry, &registry->models, &state->entry);
}

/* Made outside the lock: it reads files. Of two that are made at once the first to be entered stays. */
int registry_tls(struct provider_registry *registry, vsr_str key, const struct tls_client_options *options,
                 struct tls_client **ret_tls, struct vsr_err *err) {
    struct tls_state *state = (struct tls_state *)entry_ref(registry, &registry->contexts, key, sizeof(*state));
    struct tls_client *tls = NULL, *spare = NULL;
    int rc = 0;
    registry_lock(registry);
    tls = state->tls;
    registry_unlock(registry);
    if (!tls) {
        rc = tls_client_new(options, &tls, err);
        if (rc < 0) {
            entry_unref(registry, &registry->contexts, &state->entry);
            return rc;
        }
        registry_lock(registry);
        if (state->tls) {
            spare = tls;
            tls = state->tls;
        }
        state->tls = tls;
        registry_unlock(registry);
        tls_client_free(spare);
    }
    *ret_tls = tls;
    return rc;
}

void registry_tls_unref(struct provider_registry *registry, struct tls_client *tls) {
    struct registry_entry *entry;
    bool last;
    registry_lock(registry);
    for (entry = registry->contexts; entry && ((struct tls_state *)entry)->tls != tls;)
        entry = entry->next;
    VSR_ASSERT(entry);
    last = entry->refs == 1;
    registry_unlock(registry);
    entry_unref(registry, &registry->contexts, entry);
    if (last)
        tls_client_free(tls);
}

size_t registry_endpoint_count(struct provider_registry *registry) {
    size_t n = 0;
    registry_lock(registry);
    for (const struct registry_entry *entry = registry->endpoints; entry; entry = entry->next)
        n++;
    registry_unlock(registry);
    return n;
}
