#include "nn/tensor_store.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "core/assert.h"
#include "core/mem.h"
#include "nn/gemm.h"
#include "nn/pages.h"
#include "nn/tensor_hash.h"

enum { BUCKETS = 1024, HOLDING_CAP = 64 };

enum form { FORM_TABLE, FORM_MATRIX };

/* What a thing is made of, and what it is made into. */
struct key {
    enum form form;
    enum precision precision;
    bool has_bias;
    struct tensor_hash numbers, bias; /* the shape is in the hash */
};

struct thing {
    struct thing *next; /* of its bucket */
    struct key key;
    bool ready;   /* else somebody is making it */
    size_t users; /* holdings */
    size_t len;
    uint64_t counted; /* in which count */
    struct gemm *matrix;
    struct pages table;
};

struct tensor_store {
    pthread_mutex_t mutex; /* guards the rest, and users and ready of all things */
    pthread_cond_t made;   /* or given up */
    struct thing *buckets[BUCKETS];
    struct tensor_store_bytes bytes;
    size_t n;
    uint64_t count;
};

struct tensor_holding {
    struct tensor_store *store;
    struct thing **things; /* [cap], each once */
    size_t n, cap;
};

/* ---- stores */

struct tensor_store *tensor_store_new(void) {
    struct tensor_store *store = MEM_NEW(struct tensor_store);
    store->count = 1;                              /* a new thing is in none */
    (void)pthread_mutex_init(&store->mutex, NULL); /* cannot fail with default attributes, nor can the other */
    (void)pthread_cond_init(&store->made, NULL);
    return store;
}

void tensor_store_free(struct tensor_store *store) {
    if (!store)
        return;
    VSR_ASSERT(store->n == 0);
    (void)pthread_cond_destroy(&store->made);
    (void)pthread_mutex_destroy(&store->mutex);
    mem_free(store);
}

struct tensor_store_bytes tensor_store_bytes(struct tensor_store *store) {
    struct tensor_store_bytes bytes;
    (void)pthread_mutex_lock(&store->mutex); /* fails only for a mutex that is none */
    bytes = store->bytes;
    (void)pthread_mutex_unlock(&store->mutex);
    return bytes;
}

void tensor_store_recount(struct tensor_store *store) {
    (void)pthread_mutex_lock(&store->mutex);
    store->count++;
    (void)pthread_mutex_unlock(&store->mutex);
}

/* ---- things; the mutex is held */

static bool key_eq(const struct key *a, const struct key *b) {
    return a->form == b->form && a->precision == b->precision && a->has_bias == b->has_bias &&
           tensor_hash_eq(a->numbers, b->numbers) && tensor_hash_eq(a->bias, b->bias);
}

static struct thing **bucket_of(struct tensor_store *store, const struct key *key) {
    return &store->buckets[key->numbers.low % BUCKETS];
}

static struct thing *find(struct tensor_store *store, const struct key *key) {
    struct thing *thing = *bucket_of(store, key);
    while (thing && !key_eq(&thing->key, key))
        thing = thing->next;
    return thing;
}

static struct thing *add(struct tensor_store *store, const struct key *key) {
    struct thing *thing = MEM_NEW(struct thing), **bucket = bucket_of(store, key);
    thing->key = *key;
    thing->users = 1;
    thing->next = *bucket;
    *bucket = thing;
    store->n++;
    return thing;
}

static void take_out(struct tensor_store *store, struct thing *thing) {
    struct thing **at = bucket_of(store, &thing->key);
    while (*at != thing)
        at = &(*at)->next;
    *at = thing->next;
    store->n--;
}

static void thing_free(struct thing *thing) {
    gemm_free(thing->matrix);
    pages_free(&thing->table);
    mem_free(thing);
}

/* ---- holdings */

struct tensor_holding *tensor_holding_new(struct tensor_store *store) {
    struct tensor_holding *holding = MEM_NEW(struct tensor_holding);
    holding->store = store;
    return holding;
}

/* What nobody else has, for freeing without the mutex. */
static struct thing *let_go(struct tensor_holding *holding) {
    struct tensor_store *store = holding->store;
    struct thing *last = NULL;
    (void)pthread_mutex_lock(&store->mutex);
    for (size_t i = 0; i < holding->n; i++) {
        struct thing *thing = holding->things[i];
        if (--thing->users > 0) {
            store->bytes.spared -= thing->len;
            continue;
        }
        take_out(store, thing);
        store->bytes.held -= thing->len;
        thing->next = last;
        last = thing;
    }
    (void)pthread_mutex_unlock(&store->mutex);
    return last;
}

void tensor_holding_free(struct tensor_holding *holding) {
    if (!holding)
        return;
    for (struct thing *thing = let_go(holding), *next; thing; thing = next) {
        next = thing->next;
        thing_free(thing);
    }
    mem_free(holding->things);
    mem_free(holding);
}

struct tensor_holding_bytes tensor_holding_bytes(struct tensor_holding *holding) {
    struct tensor_holding_bytes bytes = { 0 };
    (void)pthread_mutex_lock(&holding->store->mutex);
    for (size_t i = 0; i < holding->n; i++) {
        struct thing *thing = holding->things[i];
        bytes.all += thing->len;
        bytes.shared += thing->users > 1 ? thing->len : 0;
        bytes.first += thing->counted == holding->store->count ? 0 : thing->len;
        thing->counted = holding->store->count;
    }
    (void)pthread_mutex_unlock(&holding->store->mutex);
    return bytes;
}

static bool has(const struct tensor_holding *holding, const struct thing *thing) {
    size_t i = 0;
    while (i < holding->n && holding->things[i] != thing)
        i++;
    return i < holding->n;
}

static void keep(struct tensor_holding *holding, struct thing *thing) {
    if (holding->n == holding->cap) {
        size_t cap = holding->cap ? 2 * holding->cap : HOLDING_CAP;
        struct thing **things = mem_alloc(cap * sizeof(struct thing *)); /* bounded by the layers of a model */
        if (holding->n)
            memcpy(things, holding->things, holding->n * sizeof(struct thing *));
        mem_free(holding->things);
        holding->things = things;
        holding->cap = cap;
    }
    holding->things[holding->n++] = thing;
}

/* ---- asking */

/* A thing in the holding. True: it is there; false: the caller makes it, nobody else does, and says made() or failed().
 */
static bool get(struct tensor_holding *holding, const struct key *key, struct thing **ret) {
    struct tensor_store *store = holding->store;
    struct thing *thing;
    bool ready;
    (void)pthread_mutex_lock(&store->mutex);
    while ((thing = find(store, key)) && !thing->ready)
        (void)pthread_cond_wait(&store->made, &store->mutex);
    ready = thing != NULL;
    if (!thing) {
        thing = add(store, key);
    } else if (!has(holding, thing)) {
        thing->users++;
        store->bytes.spared += thing->len;
        keep(holding, thing);
    }
    (void)pthread_mutex_unlock(&store->mutex);
    *ret = thing;
    return ready;
}

static void made(struct tensor_holding *holding, struct thing *thing, size_t len) {
    struct tensor_store *store = holding->store;
    keep(holding, thing);
    (void)pthread_mutex_lock(&store->mutex);
    thing->len = len;
    thing->ready = true;
    store->bytes.held += len;
    (void)pthread_cond_broadcast(&store->made);
    (void)pthread_mutex_unlock(&store->mutex);
}

/* Who waited for it tries for himself. */
static void failed(struct tensor_store *store, struct thing *thing) {
    (void)pthread_mutex_lock(&store->mutex);
    take_out(store, thing);
    (void)pthread_cond_broadcast(&store->made);
    (void)pthread_mutex_unlock(&store->mutex);
    thing_free(thing);
}

static struct tensor_hash hash_of(const float *values, size_t rows, size_t cols) {
    const struct tensor tensor = { .data = values,
                                   .len = rows * cols * sizeof(*values),
                                   .n = rows * cols,
                                   .dtype = DTYPE_F32,
                                   .n_dims = 2,
                                   .dims = { rows, cols } };
    return tensor_hash(&tensor);
}

int tensor_holding_gemm(struct tensor_holding *holding, struct gemm_library *library, const float *weights,
                        const float *bias, size_t out, size_t in, enum precision precision, const struct gemm **ret,
                        struct vsr_err *err) {
    struct key key = {
        .form = FORM_MATRIX, .precision = precision, .has_bias = bias != NULL, .numbers = hash_of(weights, out, in)
    };
    struct thing *thing;
    if (bias)
        key.bias = hash_of(bias, 1, out);
    if (!get(holding, &key, &thing)) {
        int rc = gemm_new(library, weights, bias, out, in, precision, &thing->matrix, err);
        if (rc < 0) {
            failed(holding->store, thing);
            return rc;
        }
        made(holding, thing, gemm_bytes(thing->matrix));
    }
    *ret = thing->matrix;
    return 0;
}

const float *tensor_holding_table(struct tensor_holding *holding, struct pages *values, size_t rows, size_t cols) {
    struct key key = { .form = FORM_TABLE, .numbers = hash_of(values->data, rows, cols) };
    struct thing *thing;
    if (get(holding, &key, &thing)) {
        pages_free(values);
    } else {
        thing->table = *values;
        *values = (struct pages){ .data = NULL };
        made(holding, thing, thing->table.len);
    }
    return thing->table.data;
}
