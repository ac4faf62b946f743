#include "model/tokenizer_pool.h"

#include <pthread.h>
#include <stddef.h>

#include "core/mem.h"
#include "text/tokenizer.h"

struct tokenizer_pool {
    pthread_mutex_t mutex;
    struct tokenizer_scratch *idle[TOKENIZER_POOL_MAX];
    size_t n;
};

struct tokenizer_pool *tokenizer_pool_new(void) {
    struct tokenizer_pool *pool = MEM_NEW(struct tokenizer_pool);
    (void)pthread_mutex_init(&pool->mutex, NULL); /* cannot fail with default attributes */
    return pool;
}

void tokenizer_pool_free(struct tokenizer_pool *pool) {
    if (!pool)
        return;
    for (size_t i = 0; i < pool->n; i++)
        tokenizer_scratch_free(pool->idle[i]);
    (void)pthread_mutex_destroy(&pool->mutex);
    mem_free(pool);
}

struct tokenizer_scratch *tokenizer_pool_take(struct tokenizer_pool *pool) {
    struct tokenizer_scratch *scratch;
    (void)pthread_mutex_lock(&pool->mutex); /* fails only for a mutex that is none */
    scratch = pool->n > 0 ? pool->idle[--pool->n] : NULL;
    (void)pthread_mutex_unlock(&pool->mutex);
    return scratch ? scratch : tokenizer_scratch_new();
}

void tokenizer_pool_give(struct tokenizer_pool *pool, struct tokenizer_scratch *scratch) {
    (void)pthread_mutex_lock(&pool->mutex);
    if (pool->n < TOKENIZER_POOL_MAX) {
        pool->idle[pool->n++] = scratch;
        scratch = NULL;
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    tokenizer_scratch_free(scratch);
}
