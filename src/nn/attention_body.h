/*
 * attention_body - the code behind attention_isa.h, compiled by attention_portable.c, _avx2.c and _avx512.c.
 *
 * Both products, q k' and p v, are made of register tiles: TILE rows by PANEL = 2 vectors of columns are summed up over
 * the whole depth without leaving the registers. For each number on the left one broadcast, for each row of the panel
 * two loads. What stands on the right is therefore copied into panels first, once for all queries of the item:
 *
 *     keys     panel p holds keys PANEL * p ... of the block, transposed: [head_dim][PANEL]
 *     values   panel p holds columns PANEL * p ... of the block's values: [KEYS][PANEL]
 *
 * One element is one chain of additions over the depth, in the same order in any tile: rows do not influence each
 * other, and what a key outside a row's range adds is an exact zero.
 *
 * A bf16 variant for processors with a unit for it would replace multiply() and the two packings, nothing else.
 */
#ifndef VSR_NN_ATTENTION_BODY_H
#define VSR_NN_ATTENTION_BODY_H

#include "nn/attention_isa.h"
#include "nn/attention_walk.h"
#include "nn/simd.h"

/* Accumulators for TILE x 2, two panel vectors and one broadcast fill the register file. */
#if defined(__AVX512F__)
enum { TILE = 14 };
#elif defined(__AVX2__)
enum { TILE = 6 };
#else
enum { TILE = 4 };
#endif
enum { PANEL = 2 * VW, KEYS = ATTENTION_KEYS };
_Static_assert(KEYS % PANEL == 0, "blocks are made of panels");
/* A number for each row of a tile, in whole vectors. */
enum { TILE_LANES = (TILE + VW - 1) / VW * VW };
_Static_assert((int)PANEL <= (int)ATTENTION_PANEL_MAX && (int)TILE <= (int)ATTENTION_TILE_MAX, "scratch is for these");

/* ---- the product of a tile */

/*
 * c[r][0 .. PANEL) = (keep ? keep[r] * c[r] : 0) + sum over s of a[r * a_row + s * a_step] * b[s][0 .. PANEL).
 * `rows`, `a_row` and `a_step` are constants where this is inlined.
 */
SIMD void multiply(size_t rows, const float *a, size_t a_row, size_t a_step, const float *b, size_t depth, float *c,
                   size_t c_row, const float *keep) {
    vf sum[TILE][2];
    SIMD_UNROLL
    for (size_t r = 0; r < rows; r++) {
        vf factor = keep ? vf_set(keep[r]) : vf_zero();
        sum[r][0] = keep ? vf_mul(factor, vf_load(c + r * c_row, VW)) : vf_zero();
        sum[r][1] = keep ? vf_mul(factor, vf_load(c + r * c_row + VW, VW)) : vf_zero();
    }
    for (size_t s = 0; s < depth; s++, a += a_step, b += PANEL) {
        vf left = vf_load(b, VW), right = vf_load(b + VW, VW);
        SIMD_UNROLL
        for (size_t r = 0; r < rows; r++) {
            vf x = vf_set(a[r * a_row]);
            sum[r][0] = vf_fma(x, left, sum[r][0]);
            sum[r][1] = vf_fma(x, right, sum[r][1]);
        }
    }
    SIMD_UNROLL
    for (size_t r = 0; r < rows; r++) {
        vf_store(c + r * c_row, sum[r][0], VW);
        vf_store(c + r * c_row + VW, sum[r][1], VW);
    }
}

#if defined(__AVX512F__)
#define TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#elif defined(__AVX2__)
#define TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#else
#define TILE_ROWS(X) X(1) X(2) X(3) X(4)
#endif

/* The left side is a packed tile: [depth][TILE]. */
static void multiply_packed(size_t rows, const float *a, const float *b, size_t depth, float *c, size_t c_row) {
    switch (rows) {
#define X(n) \
    case n: \
        multiply(n, a, 1, TILE, b, depth, c, c_row, NULL); \
        break;
        TILE_ROWS(X)
#undef X
    }
}

/* The left side is a tile of probabilities: [rows][KEYS]. */
static void multiply_scores(size_t rows, const float *a, const float *b, size_t depth, float *c, size_t c_row,
                            const float *keep) {
    switch (rows) {
#define X(n) \
    case n: \
        multiply(n, a, KEYS, 1, b, depth, c, c_row, keep); \
        break;
        TILE_ROWS(X)
#undef X
    }
}

/* ---- packing */

/* `n` rows of `dim` numbers, at most PANEL, as columns of a panel: [dim][PANEL], zeros past the last row. */
static void pack_panel(const float *rows, size_t stride, size_t n, size_t dim, float *panel) {
    for (size_t c = 0; c < PANEL; c += VW) {
        size_t done = 0;
        if (c + VW <= n) {
            for (; done + 4 <= dim; done += 4) {
                vf x[4];
                for (size_t j = 0; j < 4; j++)
                    x[j] = vf_load_quads(rows + (c + j) * stride + done, 4 * stride);
                vf_transpose_quads(x);
                for (size_t j = 0; j < 4; j++)
                    vf_store(panel + (done + j) * PANEL + c, x[j], VW);
            }
        }
        for (size_t s = done; s < dim; s++)
            for (size_t j = c; j < c + VW; j++)
                panel[s * PANEL + j] = j < n ? rows[j * stride + s] : 0;
    }
}

typedef float quad __attribute__((vector_size(16)));

SIMD quad quad_load(const float *p) {
    quad x;
    memcpy(&x, p, sizeof(x));
    return x;
}

/* Four rows, four numbers of each, as columns of the tile. */
SIMD void pack_quads(const float *rows, size_t stride, float *tile) {
    quad r0 = quad_load(rows), r1 = quad_load(rows + stride), r2 = quad_load(rows + 2 * stride),
         r3 = quad_load(rows + 3 * stride);
    quad a = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), b = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
    quad c = __builtin_shufflevector(r2, r3, 0, 4, 1, 5), d = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
    quad columns[4] = { __builtin_shufflevector(a, c, 0, 1, 4, 5), __builtin_shufflevector(a, c, 2, 3, 6, 7),
                        __builtin_shufflevector(b, d, 0, 1, 4, 5), __builtin_shufflevector(b, d, 2, 3, 6, 7) };
    for (size_t s = 0; s < 4; s++)
        memcpy(tile + s * TILE, &columns[s], sizeof(quad));
}

/* `n` rows as a tile: [dim][TILE]. What is past the last row is not read. */
static void pack_tile(const float *rows, size_t stride, size_t n, size_t dim, float *tile) {
    size_t r = 0;
    for (; r + 4 <= n; r += 4) {
        size_t s = 0;
        for (; s + 4 <= dim; s += 4)
            pack_quads(rows + r * stride + s, stride, tile + s * TILE + r);
        for (; s < dim; s++)
            for (size_t j = r; j < r + 4; j++)
                tile[s * TILE + j] = rows[j * stride + s];
    }
    for (; r < n; r++)
        for (size_t s = 0; s < dim; s++)
            tile[s * TILE + r] = rows[r * stride + s];
}

/* `n` values of `dim` columns as panels [KEYS][PANEL], zeros past the last column. */
static void pack_values(const float *rows, size_t stride, size_t n, size_t dim, float *panels) {
    for (size_t c = 0; c < dim; c += VW) {
        float *panel = panels + c / PANEL * KEYS * PANEL + c % PANEL;
        size_t lanes = attention_least(dim - c, VW);
        for (size_t j = 0; j < n; j++)
            vf_store(panel + j * PANEL,
                     lanes == VW ? vf_load(rows + j * stride + c, VW) : vf_load(rows + j * stride + c, lanes), VW);
    }
    if (attention_round_up(dim, VW) % PANEL)
        for (size_t j = 0; j < n; j++)
            vf_store(panels + dim / PANEL * KEYS * PANEL + j * PANEL + VW, vf_zero(), VW);
}

/* ---- an item */

struct work {
    struct attention_walk walk;
    const struct attention_scratch *scratch;
    size_t n_tiles;   /* per head */
    size_t sums_row;  /* head_dim rounded up to panels */
    size_t slots_row; /* of query_slots and key_slots */
};

/* The first query of a tile. Tiles of a head differ by one row at most: none is left with few rows, which would be
 * slow. */
static size_t tile_begin(const struct work *w, size_t tile) {
    return w->walk.n_queries * tile / w->n_tiles;
}

static const float *tile_of(const struct work *w, size_t head, size_t tile) {
    return w->scratch->q + (head * w->n_tiles + tile) * w->walk.dim * TILE;
}

static void start(const struct work *w) {
    size_t rows = w->walk.group * w->walk.n_queries;
    memset(w->scratch->sums, 0, rows * w->sums_row * sizeof(float));
    memset(w->scratch->weight, 0, rows * sizeof(float));
    for (size_t r = 0; r < rows; r++)
        w->scratch->top[r] = -INFINITY;
    for (size_t head = 0; head < w->walk.group; head++) {
        for (size_t tile = 0; tile < w->n_tiles; tile++) {
            size_t begin = tile_begin(w, tile), n = tile_begin(w, tile + 1) - begin;
            const float *rows_q = w->walk.q + (w->walk.item->begin + begin) * w->walk.q_stride + head * w->walk.dim;
            pack_tile(rows_q, w->walk.q_stride, n, w->walk.dim,
                      w->scratch->q + (head * w->n_tiles + tile) * w->walk.dim * TILE);
        }
    }
}

/* ---- DeBERTa's terms */

/* Slots [first, end), rounded out to panels, of one of the two tables. */
static void pack_slots(const struct work *w, const float *table, size_t first, size_t end) {
    const struct attention_positions *positions = w->walk.attention->positions;
    for (size_t s = first / PANEL * PANEL; s < end; s += PANEL)
        pack_panel(table + s * positions->stride + w->walk.item->kv_head * w->walk.dim, positions->stride,
                   attention_least(positions->n_slots - s, PANEL), w->walk.dim,
                   w->scratch->slot_panels + s * w->walk.dim);
}

static void multiply_slots(const struct work *w, size_t rows, const float *tile, size_t first, size_t end, float *to) {
    for (size_t s = first / PANEL * PANEL; s < end; s += PANEL)
        multiply_packed(rows, tile, w->scratch->slot_panels + s * w->walk.dim, w->walk.dim, to + s, w->slots_row);
}

/* Slots of queries `begin` to `end` with keys `low` to `high`: slots fall as the key's place rises. */
static void slots_between(const struct work *w, size_t low, size_t high, size_t *ret_first, size_t *ret_end) {
    const struct attention_positions *positions = w->walk.attention->positions;
    const int32_t *slot = positions->slot + positions->reach;
    *ret_first = (size_t)slot[(ptrdiff_t)high - 1 - (ptrdiff_t)w->walk.item->begin];
    *ret_end = (size_t)slot[(ptrdiff_t)low - ((ptrdiff_t)w->walk.item->end - 1)] + 1;
}

static void start_positions(const struct work *w) {
    const struct attention_positions *positions = w->walk.attention->positions;
    size_t first, end;
    if (!positions->keys)
        return;
    slots_between(w, 0, w->walk.item->length, &first, &end);
    pack_slots(w, positions->keys, first, end);
    for (size_t tile = 0; tile < w->n_tiles; tile++) {
        size_t begin = tile_begin(w, tile), n = tile_begin(w, tile + 1) - begin;
        multiply_slots(w, n, tile_of(w, 0, tile), first, end, w->scratch->query_slots + begin * w->slots_row);
    }
}

static void block_positions(const struct work *w, size_t low, size_t high) {
    const struct attention_positions *positions = w->walk.attention->positions;
    size_t first, end;
    if (!positions->queries)
        return;
    slots_between(w, low, high, &first, &end);
    pack_slots(w, positions->queries, first, end);
    for (size_t j = low; j < high; j += TILE) {
        size_t n = attention_least(high - j, TILE);
        pack_tile(w->walk.k + j * w->walk.k_stride, w->walk.k_stride, n, w->walk.dim, w->scratch->key_tile);
        multiply_slots(w, n, w->scratch->key_tile, first, end, w->scratch->key_slots + (j - low) * w->slots_row);
    }
}

/* ---- scores of a row: bias, mask, exponential */

/* Adds what depends on the distance to scores of the query at `place` with keys `low` to `high`; `block` is the block's
 * first key. */
static void add_bias(const struct work *w, float *scores, size_t head, size_t place, size_t low, size_t high,
                     size_t block) {
    const struct attention *attention = w->walk.attention;
    if (attention->relative) {
        size_t h = w->walk.item->kv_head * w->walk.group + head, reach = attention->relative_reach;
        const float *bias = attention->relative + h * (2 * reach + 1) + reach + low - place;
        vf scale = vf_set(attention->scale);
        LANES(high - low, vf_store(scores + i, vf_fma(vf_load(scores + i, n), scale, vf_load(bias + i, n)), n););
    }
    if (attention->positions) {
        const struct attention_positions *positions = attention->positions;
        const int32_t *slot = positions->slot + positions->reach + low - place;
        const float *query = w->scratch->query_slots + (place - w->walk.item->begin) * w->slots_row;
        const float *keys = w->scratch->key_slots + (low - block) * w->slots_row;
        if (positions->keys)
            LANES(high - low, vf_store(scores + i, vf_add(vf_load(scores + i, n), vf_gather(query, slot + i, n)), n););
        if (positions->queries)
            LANES(high - low, vf x = vf_gather_step(keys + i * w->slots_row, slot + i, (int32_t)w->slots_row, n);
                  vf_store(scores + i, vf_add(vf_load(scores + i, n), x), n););
    }
}

static void fill(float *x, float value, size_t count) {
    LANES(count, vf_store(x + i, vf_set(value), n););
}

/*
 * `width` scores, a multiple of VW, of each row become e^(factor * (score - greatest of the row so far)); adds them to
 * `weight`. `ret_keep` is by how much what was summed up before has to shrink. `factor` has log2(e) in it. All rows do
 * one thing before any does the next: none of them waits for what it has just begun. Differences are taken before they
 * are multiplied: whatever the scores' size, the greatest becomes 1.
 */
static void exponentials(float *scores, size_t n_rows, size_t width, float factor, float *top, float *weight,
                         float ret_keep[TILE_LANES]) {
    vf scale = vf_set(factor);
    float base[TILE_LANES], before[TILE_LANES];
    for (size_t r = 0; r < n_rows; r++) {
        const float *row = scores + r * KEYS;
        vf max = vf_set(top[r]);
        for (size_t i = 0; i < width; i += VW)
            max = vf_max(max, vf_load(row + i, VW));
        before[r] = top[r];
        top[r] = vf_top(max);
        base[r] = top[r] == -INFINITY ? 0 : top[r]; /* nothing seen yet: all are 2^-inf = 0 */
    }
    LANES(n_rows, vf x = vf_mul(vf_sub(vf_load(before + i, n), vf_load(base + i, n)), scale);
          vf_store(ret_keep + i, vf_exp2_negative(x), n););
    for (size_t r = 0; r < n_rows; r++) {
        float *row = scores + r * KEYS;
        vf sum = vf_zero(), from = vf_set(base[r]);
        for (size_t i = 0; i < width; i += VW) {
            vf p = vf_exp2_negative(vf_mul(vf_sub(vf_load(row + i, VW), from), scale));
            vf_store(row + i, p, VW);
            sum = vf_add(sum, p);
        }
        weight[r] = weight[r] * ret_keep[r] + vf_sum(sum);
    }
}

/* ---- a block of keys */

/* Scores of the query at `place` with keys `low` to `high`, and on to a whole panel: -inf where it does not see. */
static void mask(const struct work *w, float *scores, size_t head, size_t place, size_t low, size_t high,
                 size_t block) {
    size_t from, to;
    attention_visible(&w->walk, place, place + 1, &from, &to);
    from = attention_least(attention_most(from, low), high);
    to = attention_most(attention_least(to, high), from);
    fill(scores, -INFINITY, from - low);
    fill(scores + (to - low), -INFINITY, low + attention_round_up(high - low, PANEL) - to);
    add_bias(w, scores + (from - low), head, place, from, to, block);
}

/* One tile of queries of one head against keys of the block, which starts at key `block`. */
static void run_tile(struct work *w, size_t head, size_t tile, size_t block, size_t block_end) {
    const struct attention_scratch *scratch = w->scratch;
    size_t begin = tile_begin(w, tile), n = tile_begin(w, tile + 1) - begin, low, high, width, row;
    float keep[TILE_LANES], factor = (w->walk.attention->relative ? 1 : w->walk.attention->scale) * 0x1.715476p0f;
    attention_visible(&w->walk, w->walk.item->begin + begin, w->walk.item->begin + begin + n, &low, &high);
    low = block + (attention_most(low, block) - block) / PANEL * PANEL;
    high = attention_least(high, block_end);
    if (low >= high)
        return;
    width = attention_round_up(high - low, PANEL);
    for (size_t c = 0; c < width; c += PANEL)
        multiply_packed(n, tile_of(w, head, tile), scratch->k + (low - block + c) * w->walk.dim, w->walk.dim,
                        scratch->scores + c, KEYS);
    row = head * w->walk.n_queries + begin;
    attention_fetch(&w->walk, n);
    for (size_t r = 0; r < n; r++)
        mask(w, scratch->scores + r * KEYS, head, w->walk.item->begin + begin + r, low, high, block);
    exponentials(scratch->scores, n, width, factor, &scratch->top[row], &scratch->weight[row], keep);
    for (size_t c = 0; c < w->sums_row; c += PANEL)
        multiply_scores(n, scratch->scores, scratch->v + (c / PANEL * KEYS + (low - block)) * PANEL, high - low,
                        scratch->sums + row * w->sums_row + c, w->sums_row, keep);
}

static void run_block(struct work *w, size_t block, size_t end) {
    for (size_t key = block; key < end; key += PANEL)
        pack_panel(w->walk.k + key * w->walk.k_stride, w->walk.k_stride, attention_least(end - key, PANEL), w->walk.dim,
                   w->scratch->k + (key - block) * w->walk.dim);
    pack_values(w->walk.v + block * w->walk.v_stride, w->walk.v_stride, end - block, w->walk.dim, w->scratch->v);
    if (w->walk.attention->positions)
        block_positions(w, block, end);
    for (size_t head = 0; head < w->walk.group; head++)
        for (size_t tile = 0; tile < w->n_tiles; tile++)
            run_tile(w, head, tile, block, end);
}

static void finish(const struct work *w, const struct rows_out *out) {
    for (size_t head = 0; head < w->walk.group; head++) {
        for (size_t r = 0; r < w->walk.n_queries; r++) {
            size_t row = head * w->walk.n_queries + r;
            size_t at = (w->walk.item->first + w->walk.item->begin + r) * out->stride +
                        (w->walk.item->kv_head * w->walk.group + head) * w->walk.dim;
            const float *sums = w->scratch->sums + row * w->sums_row;
            float weight = w->scratch->weight[row];
            vf factor = vf_set(weight == 0 ? 0 : 1 / weight);
            if (out->type == ROWS_BF16)
                LANES(w->walk.dim,
                      vf_store_bf16((uint16_t *)out->data + at + i, vf_mul(vf_load(sums + i, n), factor), n););
            else
                LANES(w->walk.dim, vf_store((float *)out->data + at + i, vf_mul(vf_load(sums + i, n), factor), n););
        }
    }
}

void SIMD_NAME(attention)(const struct attention *attention, const struct attention_rows *rows,
                          const struct attention_item *item, const struct attention_scratch *scratch) {
    struct work w = { .walk = attention_walk_of(attention, rows, item), .scratch = scratch };
    size_t low, high;
    w.n_tiles = (w.walk.n_queries + TILE - 1) / TILE;
    w.sums_row = attention_round_up(attention->head_dim, PANEL);
    start(&w);
    if (attention->positions) {
        w.slots_row = attention->positions->n_slots + ATTENTION_SLOTS_PAD;
        start_positions(&w);
    }
    attention_visible(&w.walk, item->begin, item->end, &low, &high);
    for (size_t block = low / PANEL * PANEL; block < high; block += KEYS) {
        attention_plan(&w.walk, attention_least(block + KEYS, high), low, high, KEYS);
        run_block(&w, block, attention_least(block + KEYS, high));
    }
    finish(&w, &rows->out);
}

#endif
