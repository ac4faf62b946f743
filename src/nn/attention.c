#include "nn/attention.h"

#include <math.h>

#include "core/assert.h"
#include "nn/attention_isa.h"
#include "nn/attention_vnni.h"
#include "nn/attention_walk.h"
#include "nn/cpu.h"

static attention_isa_run *kernel(void) {
    switch (cpu_isa()) {
#if defined(__x86_64__)
    case CPU_AVX512:
        return attention_avx512;
    case CPU_AVX2:
        return attention_avx2;
#endif
    default:
        return attention_portable;
    }
}

/* ---- items */

static size_t queries_of_item(const struct attention *attention) {
    size_t rows = attention_vnni_serves(attention) ? ATTENTION_VNNI_QUERIES : ATTENTION_QUERIES;
    return rows / (attention->heads / attention->kv_heads);
}

static size_t cut(const struct attention *attention, uint32_t first, uint32_t length, struct attention_item *items) {
    size_t n = 0;
    uint32_t queries = (uint32_t)queries_of_item(attention);
    for (uint32_t begin = 0; begin < length; begin += queries) {
        uint32_t end = length - begin < queries ? length : begin + queries;
        for (uint32_t head = 0; head < attention->kv_heads; head++, n++) {
            if (items)
                items[n] = (struct attention_item){ first, length, head, begin, end };
        }
    }
    return n;
}

size_t attention_items(const struct attention *attention, const uint32_t *starts, size_t n_sequences,
                       struct attention_item *items) {
    size_t n = 0;
    for (size_t s = 0; s < n_sequences; s++)
        n += cut(attention, starts[s], starts[s + 1] - starts[s], items ? items + n : NULL);
    return n;
}

size_t attention_items_max(const struct attention *attention, size_t n_tokens, size_t n_sequences) {
    return (n_tokens / queries_of_item(attention) + n_sequences) * attention->kv_heads;
}

/* ---- scratch */

static size_t lay_out(const struct attention *attention, void *base, struct attention_scratch *ret) {
    size_t group = attention->heads / attention->kv_heads, dim = attention->head_dim, used = 0;
    size_t dim_padded = attention_round_up(dim, ATTENTION_PANEL_MAX);
    *ret = (struct attention_scratch){ 0 };
    ret->q =
        attention_part(base, &used, group * (queries_of_item(attention) + ATTENTION_TILE_MAX) * dim * sizeof(float));
    ret->k = attention_part(base, &used, ATTENTION_KEYS * dim * sizeof(float));
    ret->v = attention_part(base, &used, ATTENTION_KEYS * dim_padded * sizeof(float));
    ret->scores = attention_part(base, &used, (size_t)ATTENTION_TILE_MAX * ATTENTION_KEYS * sizeof(float));
    ret->sums = attention_part(base, &used, ATTENTION_QUERIES * dim_padded * sizeof(float));
    ret->top = attention_part(base, &used, ATTENTION_QUERIES * sizeof(float));
    ret->weight = attention_part(base, &used, ATTENTION_QUERIES * sizeof(float));
    if (attention->positions) {
        size_t slots = attention->positions->n_slots + ATTENTION_SLOTS_PAD;
        ret->slot_panels = attention_part(base, &used, slots * dim * sizeof(float));
        ret->query_slots = attention_part(base, &used, ATTENTION_QUERIES * slots * sizeof(float));
        ret->key_slots = attention_part(base, &used, ATTENTION_KEYS * slots * sizeof(float));
        ret->key_tile = attention_part(base, &used, ATTENTION_TILE_MAX * dim * sizeof(float));
    }
    return used;
}

static void check(const struct attention *attention) {
    const struct attention_positions *positions = attention->positions;
    VSR_ASSERT(attention->kv_heads > 0 && attention->heads % attention->kv_heads == 0);
    VSR_ASSERT(attention->heads / attention->kv_heads <= ATTENTION_GROUP_MAX);
    VSR_ASSERT(attention->head_dim > 0 && attention->head_dim <= ATTENTION_HEAD_DIM_MAX);
    VSR_ASSERT(attention->scale > 0);
    VSR_ASSERT(!positions || (attention->heads == attention->kv_heads && !attention->causal && !attention->window));
    VSR_ASSERT(!positions || !attention->relative);
    VSR_ASSERT(!positions || (positions->n_slots > 0 && positions->n_slots <= ATTENTION_SLOTS_MAX));
}

size_t attention_scratch_len(const struct attention *attention) {
    struct attention_scratch parts;
    check(attention);
    return attention_vnni_serves(attention) ? attention_vnni_scratch_len(attention) : lay_out(attention, NULL, &parts);
}

void attention_run(const struct attention *attention, const struct attention_rows *rows,
                   const struct attention_item *item, void *scratch) {
    struct attention_scratch parts;
    check(attention);
    VSR_ASSERT(item->begin < item->end && item->end <= item->length && item->kv_head < attention->kv_heads);
    VSR_ASSERT(item->end - item->begin <= queries_of_item(attention));
    VSR_ASSERT(!attention->relative || item->length <= attention->relative_reach + 1);
    VSR_ASSERT(!attention->positions || item->length <= attention->positions->reach + 1);
    VSR_ASSERT(rows->out.type == ROWS_F32 || rows->out.type == ROWS_BF16);
    if (attention_vnni_serves(attention)) {
        attention_vnni_run(attention, rows, item, scratch);
        return;
    }
    (void)lay_out(attention, scratch, &parts);
    kernel()(attention, rows, item, &parts);
}

/* ---- tables of distances */

/* T5's buckets, 32 in two directions, without floating point: bounds fall exactly on a step. `distance` is j - i. */
static size_t bucket_of(ptrdiff_t distance) {
    static const size_t bounds[] = { 8, 12, 16, 23, 32, 46, 64, 91 };
    size_t size = (size_t)(distance < 0 ? -distance : distance), bucket = size < 8 ? size : 7;
    for (size_t k = 0; size >= 8 && k < VSR_COUNT(bounds); k++)
        bucket += bounds[k] <= size;
    return bucket + (distance > 0 ? 16 : 0);
}

void attention_relative_from_buckets(const float *table, size_t heads, size_t reach, float *ret) {
    for (size_t head = 0; head < heads; head++)
        for (size_t k = 0; k <= 2 * reach; k++)
            ret[head * (2 * reach + 1) + k] = table[bucket_of((ptrdiff_t)k - (ptrdiff_t)reach) * heads + head];
}

static ptrdiff_t log_bucket(ptrdiff_t distance, size_t buckets, size_t positions) {
    double middle = floor((double)buckets / 2), size = (double)(distance < 0 ? -distance : distance), far;
    if (buckets == 0 || size <= middle)
        return distance;
    far = ceil(log(size / middle) / log((double)(positions - 1) / middle) * (middle - 1)) + middle;
    return (ptrdiff_t)(distance < 0 ? -far : far);
}

void attention_slots(size_t buckets, size_t positions, size_t reach, int32_t *ret) {
    ptrdiff_t span = (ptrdiff_t)(buckets ? buckets : positions);
    for (size_t k = 0; k <= 2 * reach; k++) {
        ptrdiff_t slot = log_bucket((ptrdiff_t)reach - (ptrdiff_t)k, buckets, positions) + span;
        ret[k] = (int32_t)(slot < 0 ? 0 : slot >= 2 * span ? 2 * span - 1 : slot);
    }
}
