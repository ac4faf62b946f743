#include "serve/responses_service.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "net/loop.h"
#include "serve/run_front.h"
#include "serve/sealed.h"
#include "serve/worker.h"
#include "wire/responses_id.h"

struct entry {
    struct entry *next;
    struct worker *worker;
    char id[RESPONSES_ID_LEN_MAX];
    size_t id_len;
};

struct responses_service {
    pthread_mutex_t lock;
    struct entry *entries; /* guarded; a few hundred at most */
    struct sealer *sealer;
};

/* On its way to the worker. */
struct stop {
    struct worker *worker;
    char id[RESPONSES_ID_LEN_MAX];
    size_t id_len;
};

int responses_service_new(vsr_str state_dir, struct responses_service **ret_service, struct vsr_err *err) {
    struct responses_service *service = MEM_NEW(struct responses_service);
    vsr_str key = str_from_c(getenv("VSR_RESPONSES_KEY"));
    int rc;
    (void)pthread_mutex_init(&service->lock, NULL);
    rc = sealer_new(key, state_dir, &service->sealer, err);
    if (rc < 0 && key.len == 0) { /* nothing that is configured is wrong: what is sealed lasts as long as the process */
        LOG_WARN("the key that seals reasoning cannot be kept", LOG_C("error", err ? err->text : ""));
        rc = sealer_new(key, VSR_STR(""), &service->sealer, err);
    }
    if (rc < 0)
        responses_service_free(service);
    else
        *ret_service = service;
    return rc;
}

void responses_service_free(struct responses_service *service) {
    if (!service)
        return;
    while (service->entries) {
        struct entry *entry = service->entries;
        service->entries = entry->next;
        mem_free(entry);
    }
    sealer_free(service->sealer);
    (void)pthread_mutex_destroy(&service->lock);
    mem_free(service);
}

const struct sealer *responses_service_sealer(const struct responses_service *service) {
    return service->sealer;
}

static vsr_str entry_id(const struct entry *entry) {
    return str_make(entry->id, entry->id_len);
}

void responses_service_add(struct responses_service *service, vsr_str id, struct worker *worker) {
    struct entry *entry = MEM_NEW(struct entry);
    entry->worker = worker;
    entry->id_len = id.len < sizeof(entry->id) ? id.len : sizeof(entry->id);
    memcpy(entry->id, id.ptr, entry->id_len);
    (void)pthread_mutex_lock(&service->lock);
    entry->next = service->entries;
    service->entries = entry;
    (void)pthread_mutex_unlock(&service->lock);
}

/* Where the entry of `id` hangs, or the end of the list. Under the lock. */
static struct entry **find(struct responses_service *service, vsr_str id) {
    struct entry **link = &service->entries;
    while (*link && !str_eq(entry_id(*link), id))
        link = &(*link)->next;
    return link;
}

void responses_service_remove(struct responses_service *service, vsr_str id) {
    struct entry **link, *entry;
    (void)pthread_mutex_lock(&service->lock);
    link = find(service, id);
    entry = *link;
    if (entry)
        *link = entry->next;
    (void)pthread_mutex_unlock(&service->lock);
    mem_free(entry);
}

static void on_stop(void *data) {
    struct stop *stop = data;
    run_stop(stop->worker, str_make(stop->id, stop->id_len));
    mem_free(stop);
}

/* The worker removes its entries before its loop ends, so under the lock the loop is there. */
bool responses_service_stop(struct responses_service *service, vsr_str id) {
    struct entry *entry;
    struct stop *stop;
    (void)pthread_mutex_lock(&service->lock);
    entry = *find(service, id);
    if (entry) {
        stop = MEM_NEW(struct stop);
        stop->worker = entry->worker;
        stop->id_len = entry->id_len;
        memcpy(stop->id, entry->id, entry->id_len);
        loop_post(entry->worker->loop, on_stop, stop);
    }
    (void)pthread_mutex_unlock(&service->lock);
    return entry != NULL;
}
