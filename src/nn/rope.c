#include "nn/rope.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/assert.h"
#include "core/mem.h"
#include "nn/kernels.h"

enum { CHUNK = 512, CHUNKS_MAX = ROPE_POSITIONS_MAX / CHUNK };

struct rope {
    struct rope *next;
    struct rope_config config;
    size_t head_dim;
    float inverse[ROPE_HEAD_DIM_MAX / 2];
    pthread_mutex_t grow;      /* held while chunks are made */
    _Atomic(size_t) n_chunks;  /* made so far; their contents are written before it is */
    float *chunks[CHUNKS_MAX]; /* [CHUNK][head_dim]: cosines, then sines */
};

struct rope_library {
    pthread_mutex_t lock;
    struct rope *first;
};

struct rope_library *rope_library_new(void) {
    struct rope_library *library = MEM_NEW(struct rope_library);
    pthread_mutex_init(&library->lock, NULL);
    return library;
}

void rope_library_free(struct rope_library *library) {
    if (!library)
        return;
    for (struct rope *rope = library->first, *next; rope; rope = next) {
        next = rope->next;
        for (size_t k = 0; k < atomic_load(&rope->n_chunks); k++)
            mem_free(rope->chunks[k]);
        pthread_mutex_destroy(&rope->grow);
        mem_free(rope);
    }
    pthread_mutex_destroy(&library->lock);
    mem_free(library);
}

/* ---- frequencies */

/* The dimension whose wave turns `rotations` times within the original length. */
static double yarn_dimension(const struct rope_config *config, double head_dim, double rotations) {
    return head_dim * log(config->original_positions / (rotations * 2 * M_PI)) / (2 * log(config->theta));
}

static void yarn_ramp(const struct rope_config *config, double head_dim, double *ret_low, double *ret_high) {
    double low = yarn_dimension(config, head_dim, config->beta_fast),
           high = yarn_dimension(config, head_dim, config->beta_slow);
    if (config->truncate) {
        low = floor(low);
        high = ceil(high);
    }
    *ret_low = fmax(low, 0);
    *ret_high = fmin(high, head_dim - 1);
    if (*ret_low == *ret_high)
        *ret_high += 0.001;
}

static void make_frequencies(struct rope *rope) {
    const struct rope_config *config = &rope->config;
    double low = 0, high = 1;
    if (config->yarn)
        yarn_ramp(config, (double)rope->head_dim, &low, &high);
    for (size_t i = 0; i < rope->head_dim / 2; i++) {
        float power = (float)pow(config->theta, (double)((float)(2 * i) / (float)rope->head_dim));
        float plain = 1 / power, ramp, stretched;
        if (!config->yarn) {
            rope->inverse[i] = plain / (float)config->factor;
            continue;
        }
        ramp = ((float)i - (float)low) / (float)(high - low);
        ramp = ramp < 0 ? 0 : ramp > 1 ? 1 : ramp;
        stretched = 1 / ((float)config->factor * power);
        rope->inverse[i] = stretched * ramp + plain * (1 - ramp);
    }
}

static bool same(const struct rope_config *a, const struct rope_config *b) {
    return a->theta == b->theta && a->factor == b->factor && a->yarn == b->yarn &&
           a->original_positions == b->original_positions && a->beta_fast == b->beta_fast &&
           a->beta_slow == b->beta_slow && a->attention_factor == b->attention_factor && a->truncate == b->truncate;
}

static struct rope *make(const struct rope_config *config, size_t head_dim) {
    struct rope *rope = MEM_NEW(struct rope);
    rope->config = *config;
    rope->head_dim = head_dim;
    pthread_mutex_init(&rope->grow, NULL);
    make_frequencies(rope);
    return rope;
}

int rope_get(struct rope_library *library, const struct rope_config *config, size_t head_dim, struct rope **ret,
             struct vsr_err *err) {
    struct rope *rope;
    if (head_dim == 0 || head_dim % 2 || head_dim > ROPE_HEAD_DIM_MAX)
        return err_set(err, VSR_E_INVALID, "rotary positions: head_dim is %zu, expected an even number up to %d",
                       head_dim, ROPE_HEAD_DIM_MAX);
    pthread_mutex_lock(&library->lock);
    rope = library->first;
    while (rope && !(rope->head_dim == head_dim && same(&rope->config, config)))
        rope = rope->next;
    if (!rope) {
        rope = make(config, head_dim);
        rope->next = library->first;
        library->first = rope;
    }
    pthread_mutex_unlock(&library->lock);
    *ret = rope;
    return 0;
}

const float *rope_inverse_frequencies(const struct rope *rope) {
    return rope->inverse;
}

/* ---- tables */

static void fill_chunk(const struct rope *rope, size_t index, float *chunk) {
    size_t half = rope->head_dim / 2;
    float factor = (float)rope->config.attention_factor;
    for (size_t p = 0; p < CHUNK; p++) {
        float *row = chunk + p * rope->head_dim;
        for (size_t i = 0; i < half; i++) {
            double angle = (float)(index * CHUNK + p) * rope->inverse[i]; /* rounded to f32, as the reference has it */
            row[i] = (float)cos(angle) * factor;
            row[half + i] = (float)sin(angle) * factor;
        }
    }
}

static int grow(struct rope *rope, size_t n_chunks, struct vsr_err *err) {
    for (size_t k = atomic_load(&rope->n_chunks); k < n_chunks; k++) {
        float *chunk = mem_try_realloc(NULL, CHUNK * rope->head_dim * sizeof(float));
        if (!chunk)
            return err_set(err, VSR_E_NOMEM, "rotary positions: out of memory at position %zu", k * CHUNK);
        fill_chunk(rope, k, chunk);
        rope->chunks[k] = chunk;
        atomic_store_explicit(&rope->n_chunks, k + 1, memory_order_release);
    }
    return 0;
}

int rope_reserve(struct rope *rope, size_t n_positions, struct vsr_err *err) {
    size_t n_chunks = n_positions / CHUNK + (n_positions % CHUNK != 0);
    int rc;
    if (n_chunks <= atomic_load_explicit(&rope->n_chunks, memory_order_acquire))
        return 0;
    if (n_positions > ROPE_POSITIONS_MAX)
        return err_set(err, VSR_E_LIMIT, "a text of %zu tokens is longer than the %d that positions are made for",
                       n_positions, ROPE_POSITIONS_MAX);
    pthread_mutex_lock(&rope->grow);
    rc = grow(rope, n_chunks, err);
    pthread_mutex_unlock(&rope->grow);
    return rc;
}

void rope_apply(const struct rope *rope, size_t first, float *data, size_t stride, size_t n_rows, size_t n_heads) {
    VSR_ASSERT(n_rows == 0 || first + n_rows <= CHUNK * atomic_load_explicit(&rope->n_chunks, memory_order_acquire));
    for (size_t done = 0; done < n_rows;) {
        size_t chunk = (first + done) / CHUNK, at = (first + done) % CHUNK;
        size_t n = n_rows - done < CHUNK - at ? n_rows - done : CHUNK - at;
        kernel_rotate(rope->chunks[chunk] + at * rope->head_dim, data + done * stride, stride, n, n_heads,
                      rope->head_dim);
        done += n;
    }
}
