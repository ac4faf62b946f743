#include "text/tokenizer_bpe.h"

#include "core/arena.h"
#include "core/bits.h"
#include "core/mem.h"
#include "text/tokenizer_work.h"

enum {
    ID_BITS = 20,
    MERGE_BITS = 24,
    SHORT_PIECE = 32,        /* symbols up to which looking through all pairs beats a heap */
    CACHE_ENTRIES = 1 << 14, /* 1 MB */
    CACHES = 2,              /* so that two tokenizers that take turns keep what they remember */
};

#define SLOT_FREE UINT64_MAX
#define UNMERGEABLE (UINT32_C(1) << 31) /* a symbol that takes part in no merge; its id is below the bit */
#define SPACE_SYMBOL "\xE2\x96\x81"

struct bpe_symbol {
    uint32_t id;
    uint32_t start, end; /* bytes of the piece; end == start: merged into its left neighbour */
    uint32_t prev, next; /* TOKEN_NONE at the ends */
    uint32_t merge;      /* of this symbol with the next one */
};

struct bpe_candidate {
    uint64_t order; /* priority, position */
    uint32_t merge;
};

/* A piece and its tokens: one cache line. */
struct bpe_cached {
    uint32_t ids[BPE_CACHE_TOKENS];
    uint8_t lens[BPE_CACHE_TOKENS];
    uint8_t key_len, n_tokens; /* key_len 0: empty */
    char key[BPE_CACHE_KEY_LEN];
};
_Static_assert(sizeof(struct bpe_cached) == 64, "a cached piece is one cache line");

struct bpe_work {
    struct bpe_symbol *symbols;
    size_t n, cap;
    struct bpe_candidate *heap;
    size_t n_heap, heap_cap;
    uint32_t *halves; /* two per id: how an unused piece was last put together */
    size_t halves_cap;
    char *mapped; /* a piece in the byte alphabet */
    size_t mapped_cap;
    struct bpe_cache {
        uint64_t key;               /* the tokenizer that it belongs to */
        struct bpe_cached *entries; /* NULL until there is one */
    } caches[CACHES];               /* the one in use first */
};

void bpe_work_free(struct bpe_work *work) {
    if (!work)
        return;
    bpe_work_trim(work);
    for (size_t i = 0; i < CACHES; i++)
        mem_free(work->caches[i].entries);
    mem_free(work);
}

void bpe_work_trim(struct bpe_work *work) {
    mem_free(work->symbols);
    mem_free(work->heap);
    mem_free(work->halves);
    mem_free(work->mapped);
    work->symbols = NULL;
    work->heap = NULL;
    work->halves = NULL;
    work->mapped = NULL;
    work->n = work->cap = work->n_heap = work->heap_cap = work->halves_cap = work->mapped_cap = 0;
}

void bpe_init(struct bpe *bpe, struct arena *arena, size_t n_merges) {
    bpe->n_slots = 64;
    while (bpe->n_slots < n_merges * 2)
        bpe->n_slots *= 2;
    bpe->slots = ARENA_ARRAY(arena, uint64_t, bpe->n_slots);
    memset(bpe->slots, 0xFF, bpe->n_slots * sizeof(*bpe->slots));
    bpe->results = ARENA_ARRAY(arena, uint32_t, n_merges + 1);
    bpe->n_merges = 0;
}

static inline size_t slot_of(const struct bpe *bpe, uint64_t pair) {
    return (size_t)((pair * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (bpe->n_slots - 1);
}

static inline uint32_t find_merge(const struct bpe *bpe, uint32_t left, uint32_t right) {
    uint64_t pair = (uint64_t)left << ID_BITS | right;
    if ((left | right) & UNMERGEABLE)
        return TOKEN_NONE;
    for (size_t i = slot_of(bpe, pair); bpe->slots[i] != SLOT_FREE; i = (i + 1) & (bpe->n_slots - 1))
        if (bpe->slots[i] >> MERGE_BITS == pair)
            return (uint32_t)(bpe->slots[i] & ((1u << MERGE_BITS) - 1));
    return TOKEN_NONE;
}

void bpe_skip_merge(struct bpe *bpe, uint32_t result) {
    bpe->results[bpe->n_merges++] = result;
}

void bpe_fetch_merge(const struct bpe *bpe, uint32_t left, uint32_t right) {
    __builtin_prefetch(&bpe->slots[slot_of(bpe, (uint64_t)left << ID_BITS | right)], 1);
}

void bpe_add_merge(struct bpe *bpe, uint32_t left, uint32_t right, uint32_t result) {
    uint64_t pair = (uint64_t)left << ID_BITS | right;
    size_t i = slot_of(bpe, pair);
    for (; bpe->slots[i] != SLOT_FREE; i = (i + 1) & (bpe->n_slots - 1))
        if (bpe->slots[i] >> MERGE_BITS == pair) {
            bpe_skip_merge(bpe, result); /* keeps the numbers those of the file */
            return;
        }
    bpe->slots[i] = pair << MERGE_BITS | bpe->n_merges;
    bpe->results[bpe->n_merges++] = result;
}

static inline uint32_t priority(const struct bpe *bpe, uint32_t merge) {
    return bpe->priorities ? bpe->priorities[merge] : merge;
}

static bool is_special(const struct bpe *bpe, uint32_t id) {
    return bpe->special && id < bpe->n_special && bits_has(bpe->special, id);
}

/* The id of a string of the vocabulary that a text may become. */
static uint32_t text_id(const struct bpe *bpe, vsr_str token) {
    uint32_t id = vocabulary_id(bpe->vocabulary, token);
    return id != TOKEN_NONE && is_special(bpe, id) ? TOKEN_NONE : id;
}

static bool crosses_into_space(vsr_str token) {
    for (size_t i = 0; i + 3 <= token.len; i++)
        if (memcmp(token.ptr + i, SPACE_SYMBOL, 3) == 0 && i > 0 &&
            (i < 3 || memcmp(token.ptr + i - 3, SPACE_SYMBOL, 3) != 0))
            return true;
    return false;
}

/* What a character without a token leaves behind keeps its neighbours apart. */
static bool keeps_unknown(const struct bpe *bpe) {
    bool all_bytes = bpe->byte_fallback;
    for (size_t i = 0; i < BPE_BYTE_IDS; i++)
        all_bytes &= bpe->byte_ids[i] != TOKEN_NONE;
    return all_bytes || bpe->unk != TOKEN_NONE;
}

static bool may_cut(const struct bpe *bpe) {
    if (bpe->bytes_are_chars || bpe->ignore_merges || bpe->prefix.len || bpe->suffix.len || bpe->unused ||
        !keeps_unknown(bpe) || text_id(bpe, VSR_STR(SPACE_SYMBOL)) == TOKEN_NONE)
        return false;
    for (size_t i = 0; i < bpe->n_merges; i++)
        if (crosses_into_space(vocabulary_token(bpe->vocabulary, bpe->results[i])))
            return false;
    return true;
}

void bpe_finish(struct bpe *bpe) {
    for (unsigned c = 0; c < VSR_COUNT(bpe->ascii_ids); c++) {
        char byte = (char)c;
        bpe->ascii_ids[c] = text_id(bpe, str_make(&byte, 1));
    }
    bpe->cut_before_space = may_cut(bpe);
    bpe->longest = 1;
    for (uint32_t id = 0; bpe->ignore_merges && id < bpe->vocabulary->n; id++) {
        size_t len = vocabulary_token(bpe->vocabulary, id).len;
        bpe->longest = len > bpe->longest ? len : bpe->longest;
    }
}

static uint32_t part_id(const struct bpe *bpe, vsr_str chars) {
    uint32_t part = bpe->n_parts ? vocabulary_id(&bpe->parts, chars) : TOKEN_NONE;
    return part == TOKEN_NONE ? TOKEN_NONE : (uint32_t)bpe->vocabulary->n + part;
}

static struct bpe_symbol *push_symbol(struct tokenizer_work *work, uint32_t id, size_t start, size_t end) {
    struct bpe_work *own = work->bpe;
    if (own->n == own->cap && !token_reserve(work, &own->symbols, &own->cap, sizeof(*own->symbols), own->n + 64))
        return NULL;
    own->symbols[own->n] = (struct bpe_symbol){ .id = id, .start = (uint32_t)start, .end = (uint32_t)end };
    return &own->symbols[own->n++];
}

static uint32_t affixed_id(const struct bpe *bpe, vsr_str c, bool first, bool last) {
    char joined[256];
    size_t len = 0;
    if (bpe->prefix.len + bpe->suffix.len + c.len > sizeof(joined))
        return TOKEN_NONE;
    if (!first && bpe->prefix.len) {
        memcpy(joined, bpe->prefix.ptr, bpe->prefix.len);
        len = bpe->prefix.len;
    }
    memcpy(joined + len, c.ptr, c.len);
    len += c.len;
    if (last && bpe->suffix.len) {
        memcpy(joined + len, bpe->suffix.ptr, bpe->suffix.len);
        len += bpe->suffix.len;
    }
    return text_id(bpe, str_make(joined, len));
}

static uint32_t char_id(const struct bpe *bpe, vsr_str piece, size_t at, size_t n) {
    vsr_str c = str_make(piece.ptr + at, n);
    if (bpe->prefix.len || bpe->suffix.len)
        return affixed_id(bpe, c, at == 0, at + n == piece.len);
    return (uint8_t)c.ptr[0] < 0x80 ? bpe->ascii_ids[(uint8_t)c.ptr[0]] : text_id(bpe, c);
}

static bool has_all_bytes(const struct bpe *bpe, vsr_str bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        if (bpe->byte_ids[(uint8_t)bytes.ptr[i]] == TOKEN_NONE)
            return false;
    return true;
}

/* A character without a token of its own. */
static void push_unknown(const struct bpe *bpe, struct tokenizer_work *work, vsr_str piece, size_t at, size_t n) {
    struct bpe_work *own = work->bpe;
    struct bpe_symbol *last = own->n ? &own->symbols[own->n - 1] : NULL;
    if (bpe->byte_fallback && has_all_bytes(bpe, str_make(piece.ptr + at, n))) {
        for (size_t i = 0; i < n; i++)
            (void)push_symbol(work, bpe->byte_ids[(uint8_t)piece.ptr[at + i]], at + i, at + i + 1);
        return;
    }
    if (bpe->unk == TOKEN_NONE)
        return;
    if (bpe->fuse_unk && last && last->id == (bpe->unk | UNMERGEABLE) && last->end == at)
        last->end = (uint32_t)(at + n);
    else
        (void)push_symbol(work, bpe->unk | UNMERGEABLE, at, at + n);
}

static void split_bytes(const struct bpe *bpe, struct tokenizer_work *work, vsr_str piece) {
    for (size_t i = 0; i < piece.len; i++) {
        uint32_t id = bpe->byte_ids[(uint8_t)piece.ptr[i]];
        if (id != TOKEN_NONE)
            (void)push_symbol(work, id, i, i + 1);
        else
            push_unknown(bpe, work, piece, i, 1);
    }
}

static void split_chars(const struct bpe *bpe, struct tokenizer_work *work, vsr_str piece) {
    for (size_t i = 0, n; i < piece.len; i += n) {
        uint32_t id;
        n = token_char_len(piece.ptr[i]);
        id = char_id(bpe, piece, i, n);
        if (id != TOKEN_NONE)
            (void)push_symbol(work, id, i, i + n);
        else
            push_unknown(bpe, work, piece, i, n);
    }
}

/* Unknown characters stay symbols: they may be part of a piece. */
static void split_sentencepiece(const struct bpe *bpe, struct tokenizer_work *work, vsr_str piece) {
    for (size_t i = 0, n; i < piece.len; i += n) {
        uint32_t id = TOKEN_NONE;
        n = bpe->frozen ? token_trie_longest(bpe->frozen, str_sub(piece, i, piece.len), &id) : 0;
        if (n) {
            (void)push_symbol(work, id | UNMERGEABLE, i, i + n);
            continue;
        }
        n = token_char_len(piece.ptr[i]);
        id = char_id(bpe, piece, i, n);
        if (id == TOKEN_NONE)
            id = part_id(bpe, str_make(piece.ptr + i, n));
        (void)push_symbol(work, id, i, i + n);
    }
}

static void split(const struct bpe *bpe, struct tokenizer_work *work, vsr_str piece) {
    work->bpe->n = 0;
    if (bpe->bytes_are_chars)
        split_bytes(bpe, work, piece);
    else if (bpe->sentencepiece)
        split_sentencepiece(bpe, work, piece);
    else
        split_chars(bpe, work, piece);
}

/* Looks the pair up, and remembers what an unused piece would be taken apart into. */
static inline uint32_t consider(const struct bpe *bpe, struct bpe_work *own, uint32_t left, uint32_t right) {
    uint32_t merge = find_merge(bpe, left, right);
    if (bpe->unused && merge != TOKEN_NONE && bits_has(bpe->unused, bpe->results[merge])) {
        own->halves[bpe->results[merge] * 2] = left;
        own->halves[bpe->results[merge] * 2 + 1] = right;
    }
    return merge;
}

/* Priority of merging two neighbours, TOKEN_NONE for never. */
static inline uint32_t order_pair(const struct bpe *bpe, struct bpe_work *own, struct bpe_symbol *left,
                                  const struct bpe_symbol *right) {
    left->merge = consider(bpe, own, left->id, right->id);
    return left->merge == TOKEN_NONE ? TOKEN_NONE : priority(bpe, left->merge);
}

/* Few symbols: the best pair is found by looking at all priorities, which lie together. */
static void merge_short(const struct bpe *bpe, struct bpe_work *own) {
    struct bpe_symbol *s = own->symbols;
    uint32_t orders[SHORT_PIECE];
    size_t n = own->n;
    for (size_t i = 0; i + 1 < n; i++)
        orders[i] = order_pair(bpe, own, &s[i], &s[i + 1]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            best = orders[i] < orders[best] ? i : best;
        if (orders[best] == TOKEN_NONE)
            break;
        s[best].id = bpe->results[s[best].merge];
        s[best].end = s[best + 1].end;
        n--;
        memmove(&s[best + 1], &s[best + 2], (n - best - 1) * sizeof(*s));
        if (best + 1 < n) /* orders[n - 1] and behind stand for no pair */
            memmove(&orders[best], &orders[best + 1], (n - best - 1) * sizeof(*orders));
        if (best > 0)
            orders[best - 1] = order_pair(bpe, own, &s[best - 1], &s[best]);
        if (best + 1 < n)
            orders[best] = order_pair(bpe, own, &s[best], &s[best + 1]);
    }
    own->n = n;
}

static void heap_push(struct tokenizer_work *work, struct bpe_candidate candidate) {
    struct bpe_work *own = work->bpe;
    size_t i = own->n_heap;
    if (i == own->heap_cap && !token_reserve(work, &own->heap, &own->heap_cap, sizeof(*own->heap), i + 64))
        return;
    own->n_heap++;
    for (; i > 0 && own->heap[(i - 1) / 2].order > candidate.order; i = (i - 1) / 2)
        own->heap[i] = own->heap[(i - 1) / 2];
    own->heap[i] = candidate;
}

static struct bpe_candidate heap_pop(struct bpe_work *own) {
    struct bpe_candidate top = own->heap[0], last = own->heap[--own->n_heap];
    size_t i = 0, n = own->n_heap;
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && own->heap[child + 1].order < own->heap[child].order)
            child++;
        if (own->heap[child].order >= last.order)
            break;
        own->heap[i] = own->heap[child];
    }
    if (n)
        own->heap[i] = last;
    return top;
}

/* The pair of `at` with its right neighbour, if it merges, becomes a candidate. */
static void propose(const struct bpe *bpe, struct tokenizer_work *work, uint32_t at) {
    struct bpe_symbol *s = work->bpe->symbols;
    uint32_t merge = TOKEN_NONE;
    if (s[at].next != TOKEN_NONE)
        merge = consider(bpe, work->bpe, s[at].id, s[s[at].next].id);
    s[at].merge = merge;
    if (merge != TOKEN_NONE)
        heap_push(work, (struct bpe_candidate){ (uint64_t)priority(bpe, merge) << 32 | at, merge });
}

static void merge_long(const struct bpe *bpe, struct tokenizer_work *work) {
    struct bpe_work *own = work->bpe;
    struct bpe_symbol *s = own->symbols;
    size_t n = own->n, kept = 0;
    own->n_heap = 0;
    for (size_t i = 0; i < n; i++) {
        s[i].prev = i ? (uint32_t)i - 1 : TOKEN_NONE;
        s[i].next = i + 1 < n ? (uint32_t)i + 1 : TOKEN_NONE;
    }
    for (size_t i = 0; i < n; i++)
        propose(bpe, work, (uint32_t)i);
    while (own->n_heap) {
        struct bpe_candidate top = heap_pop(own);
        uint32_t at = (uint32_t)top.order, right;
        if (s[at].start == s[at].end || s[at].merge != top.merge) /* gone, or another pair by now */
            continue;
        right = s[at].next;
        s[at].id = bpe->results[top.merge];
        s[at].end = s[right].end;
        s[at].next = s[right].next;
        s[right].end = s[right].start;
        if (s[at].next != TOKEN_NONE)
            s[s[at].next].prev = at;
        if (s[at].prev != TOKEN_NONE)
            propose(bpe, work, s[at].prev);
        propose(bpe, work, at);
    }
    for (size_t i = 0; i < n; i++)
        if (s[i].start != s[i].end)
            s[kept++] = s[i];
    own->n = kept;
}

/* The token of a SentencePiece symbol that is no piece: its bytes, or the unknown token, one for a run of them. */
static void emit_unknown(const struct bpe *bpe, struct tokenizer_work *work, const struct token_text *text,
                         size_t start, size_t end, bool after_unknown) {
    uint32_t from = token_text_start(text, start), to = token_text_end(text, end - 1);
    if (bpe->byte_fallback) { /* the last byte has the place of all of them, as in the library */
        for (size_t i = start; i < end; i++)
            token_list_push(work, bpe->byte_ids[(uint8_t)text->ptr[i]], from, i + 1 == end ? to : from);
    } else if (after_unknown && work->tokens.n) {
        work->tokens.ends[work->tokens.n - 1] = to;
    } else {
        token_list_push(work, bpe->unk, from, to);
    }
}

static size_t symbol_len(const struct bpe *bpe, uint32_t id) {
    return id < bpe->vocabulary->n ? vocabulary_token(bpe->vocabulary, id).len
                                   : vocabulary_token(&bpe->parts, id - (uint32_t)bpe->vocabulary->n).len;
}

/* Takes unused pieces apart, depth first, with a stack of its own: pieces nest as deep as they are long. */
static void emit_symbol(const struct bpe *bpe, struct tokenizer_work *work, const struct token_text *text, uint32_t id,
                        size_t start, size_t end, bool *after_unknown) {
    size_t depth = 0;
    for (;;) {
        while (bpe->unused && id < bpe->vocabulary->n && bits_has(bpe->unused, id) &&
               work->bpe->halves[id * 2] != TOKEN_NONE) {
            if (!token_reserve(work, &work->stack, &work->stack_cap, sizeof(*work->stack), depth + 1))
                return;
            work->stack[depth++] = work->bpe->halves[id * 2 + 1];
            id = work->bpe->halves[id * 2];
        }
        if (depth)
            end = start + symbol_len(bpe, id);
        if (id >= bpe->vocabulary->n) {
            emit_unknown(bpe, work, text, start, end, *after_unknown);
            *after_unknown = true;
        } else {
            token_push(work, text, id, start, end);
            *after_unknown = false;
        }
        if (!depth)
            return;
        id = work->stack[--depth];
        start = end;
        end = start + symbol_len(bpe, id);
    }
}

static void emit_sentencepiece(const struct bpe *bpe, struct tokenizer_work *work, const struct token_text *text,
                               size_t start, bool *after_unknown) {
    const struct bpe_work *own = work->bpe;
    for (size_t i = 0; i < own->n; i++) {
        uint32_t id = own->symbols[i].id == TOKEN_NONE ? TOKEN_NONE : own->symbols[i].id & ~UNMERGEABLE;
        emit_symbol(bpe, work, text, id, start + own->symbols[i].start, start + own->symbols[i].end, after_unknown);
    }
}

static void emit(struct tokenizer_work *work, const struct token_text *text, size_t start) {
    const struct bpe_work *own = work->bpe;
    for (size_t i = 0; i < own->n; i++)
        token_push(work, text, own->symbols[i].id & ~UNMERGEABLE, start + own->symbols[i].start,
                   start + own->symbols[i].end);
}

/* Bytes of the piece in the byte alphabet, where the vocabulary is written in it. */
static bool whole_piece(const struct bpe *bpe, struct tokenizer_work *work, vsr_str piece, uint32_t *ret_id) {
    struct bpe_work *own = work->bpe;
    size_t len = 0;
    if (!bpe->bytes_are_chars) {
        *ret_id = text_id(bpe, piece);
        return *ret_id != TOKEN_NONE;
    }
    if (!token_reserve(work, &own->mapped, &own->mapped_cap, 1, bpe->longest))
        return false;
    for (size_t i = 0; i < piece.len; i++) {
        vsr_str c = vocabulary_token(bpe->vocabulary, bpe->byte_ids[(uint8_t)piece.ptr[i]]);
        if (c.len == 0 || len + c.len > bpe->longest)
            return false;
        memcpy(own->mapped + len, c.ptr, c.len);
        len += c.len;
    }
    *ret_id = text_id(bpe, str_make(own->mapped, len));
    return *ret_id != TOKEN_NONE;
}

static struct bpe_cached *cached_place(const struct bpe_work *own, vsr_str piece) {
    return &own->caches[0].entries[str_hash(piece, 0) & (CACHE_ENTRIES - 1)];
}

static bool from_cache(struct tokenizer_work *work, const struct token_text *text, size_t start, vsr_str piece,
                       const struct bpe_cached *entry) {
    if (entry->key_len != piece.len || memcmp(entry->key, piece.ptr, piece.len) != 0)
        return false;
    for (size_t i = 0; i < entry->n_tokens; i++) {
        token_push(work, text, entry->ids[i], start, start + entry->lens[i]);
        start += entry->lens[i];
    }
    return true;
}

/* Remembers the piece when its tokens cover it and are few. */
static void to_cache(const struct bpe_work *own, vsr_str piece, struct bpe_cached *entry) {
    size_t at = 0;
    if (own->n > BPE_CACHE_TOKENS)
        return;
    for (size_t i = 0; i < own->n; at = own->symbols[i++].end)
        if (own->symbols[i].start != at || own->symbols[i].id & UNMERGEABLE)
            return;
    if (at != piece.len)
        return;
    for (size_t i = 0; i < own->n; i++) {
        entry->ids[i] = own->symbols[i].id;
        entry->lens[i] = (uint8_t)(own->symbols[i].end - own->symbols[i].start);
    }
    entry->n_tokens = (uint8_t)own->n;
    entry->key_len = (uint8_t)piece.len;
    memcpy(entry->key, piece.ptr, piece.len);
}

static void encode_word(const struct bpe *bpe, struct tokenizer_work *work, const struct token_text *text, size_t start,
                        size_t end, bool *after_unknown) {
    struct bpe_work *own = work->bpe;
    vsr_str piece = str_make(text->ptr + start, end - start);
    bool cacheable = piece.len <= BPE_CACHE_KEY_LEN && !bpe->unused;
    struct bpe_cached *entry = cacheable ? cached_place(own, piece) : NULL;
    uint32_t id;
    if (cacheable && from_cache(work, text, start, piece, entry)) {
        *after_unknown = false;
        return;
    }
    if (bpe->ignore_merges && whole_piece(bpe, work, piece, &id)) {
        token_push(work, text, id, start, end);
        return;
    }
    split(bpe, work, piece);
    if (work->failed)
        return;
    if (own->n <= SHORT_PIECE)
        merge_short(bpe, own);
    else
        merge_long(bpe, work);
    if (bpe->sentencepiece) {
        for (size_t i = 0; cacheable && i < own->n; i++)
            cacheable = own->symbols[i].id < bpe->vocabulary->n;
        emit_sentencepiece(bpe, work, text, start, after_unknown);
    } else {
        emit(work, text, start);
    }
    if (cacheable)
        to_cache(own, piece, entry);
}

/* Brings the tokenizer's cache to the front; without one, that of the tokenizer that was not here for the longest time
 * is emptied for it. */
static void choose_cache(struct bpe_work *own, uint64_t key) {
    struct bpe_cache chosen;
    size_t i = 0;
    while (i + 1 < CACHES && own->caches[i].key != key)
        i++;
    chosen = own->caches[i];
    memmove(&own->caches[1], &own->caches[0], i * sizeof(chosen));
    if (!chosen.entries)
        chosen.entries = mem_alloc(CACHE_ENTRIES * sizeof(struct bpe_cached));
    else if (chosen.key != key)
        memset(chosen.entries, 0, CACHE_ENTRIES * sizeof(struct bpe_cached));
    chosen.key = key;
    own->caches[0] = chosen;
}

static bool prepare(const struct bpe *bpe, struct tokenizer_work *work) {
    size_t halves = bpe->unused ? bpe->vocabulary->n * 2 : 0;
    if (!work->bpe)
        work->bpe = MEM_NEW(struct bpe_work);
    if (work->bpe->caches[0].key != bpe->cache_key)
        choose_cache(work->bpe, bpe->cache_key);
    if (halves && !token_reserve(work, &work->bpe->halves, &work->bpe->halves_cap, sizeof(uint32_t), halves))
        return false;
    if (halves)
        memset(work->bpe->halves, 0xFF, halves * sizeof(uint32_t));
    return true;
}

/* End of the word that begins at `start`: before the next U+2581 that follows another character. */
static size_t word_end(const struct token_text *text, size_t start, size_t end) {
    size_t i = start;
    while (i + 3 <= end && memcmp(text->ptr + i, SPACE_SYMBOL, 3) == 0)
        i += 3;
    for (; i < end; i++) {
        const char *next = memchr(text->ptr + i, SPACE_SYMBOL[0], end - i);
        if (!next)
            return end;
        i = (size_t)(next - text->ptr);
        if (i + 3 <= end && memcmp(next, SPACE_SYMBOL, 3) == 0 && i > start)
            return i;
    }
    return end;
}

void bpe_encode(const struct bpe *bpe, struct tokenizer_work *work, const struct token_text *text, size_t start,
                size_t end) {
    bool after_unknown = false;
    if (start == end || !prepare(bpe, work))
        return;
    if (!bpe->cut_before_space) {
        encode_word(bpe, work, text, start, end, &after_unknown);
        return;
    }
    while (start < end && !work->failed) {
        size_t cut = word_end(text, start, end);
        encode_word(bpe, work, text, start, cut, &after_unknown);
        start = cut;
    }
}
