#include "text/tokenizer_trie.h"

#include <stdlib.h>

#include "core/arena.h"
#include "text/tokenizer_work.h"

enum {
    BLOCK = 256,
    OPEN_BLOCKS = 16, /* only the youngest blocks are searched for room, which bounds the time a node takes */
};

/* Free nodes form a ring through `base` (next) and `value` (previous); `parent` FREE marks them. */
#define FREE (UINT32_MAX - 1)

struct builder {
    struct arena *arena;
    struct trie_node *nodes;
    size_t n, cap;
    uint32_t head; /* first free node, TOKEN_NONE: none */
};

/* Keys [low, high) share their first `depth` bytes and lead to `node`. */
struct range {
    uint32_t node, low, high, depth;
};

static void unlink_free(struct builder *b, uint32_t node) {
    uint32_t next = b->nodes[node].base, prev = b->nodes[node].value;
    if (next == node) {
        b->head = TOKEN_NONE;
    } else {
        b->nodes[prev].base = next;
        b->nodes[next].value = prev;
        if (b->head == node)
            b->head = next;
    }
}

static void take(struct builder *b, uint32_t node, uint32_t parent) {
    unlink_free(b, node);
    b->nodes[node] = (struct trie_node){ .base = 0, .parent = parent, .value = TOKEN_NONE };
}

static void link_free(struct builder *b, uint32_t node) {
    uint32_t last;
    b->nodes[node].parent = FREE;
    if (b->head == TOKEN_NONE) {
        b->head = node;
        b->nodes[node].base = b->nodes[node].value = node;
        return;
    }
    last = b->nodes[b->head].value;
    b->nodes[last].base = node;
    b->nodes[node].value = last;
    b->nodes[node].base = b->head;
    b->nodes[b->head].value = node;
}

/* What stays free in a closed block is nobody's child. */
static void close_block(struct builder *b, size_t block) {
    for (uint32_t node = (uint32_t)(block * BLOCK); node < (block + 1) * BLOCK; node++)
        if (b->nodes[node].parent == FREE) {
            unlink_free(b, node);
            b->nodes[node] = (struct trie_node){ .base = 0, .parent = TOKEN_NONE, .value = TOKEN_NONE };
        }
}

static void add_block(struct builder *b) {
    size_t block = b->n / BLOCK;
    if (block >= OPEN_BLOCKS)
        close_block(b, block - OPEN_BLOCKS);
    while (b->n + BLOCK > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : BLOCK * 16;
        struct trie_node *moved = ARENA_ARRAY(b->arena, struct trie_node, cap);
        if (b->n)
            memcpy(moved, b->nodes, b->n * sizeof(*moved));
        b->nodes = moved;
        b->cap = cap;
    }
    b->n += BLOCK;
    for (uint32_t node = (uint32_t)(block * BLOCK); node < b->n; node++)
        link_free(b, node);
}

static bool fits(const struct builder *b, uint32_t base, const uint8_t *labels, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (b->nodes[base ^ labels[i]].parent != FREE)
            return false;
    return true;
}

static uint32_t find_base(struct builder *b, const uint8_t *labels, size_t n) {
    if (b->head != TOKEN_NONE) {
        uint32_t node = b->head;
        do {
            if (fits(b, node ^ labels[0], labels, n))
                return node ^ labels[0];
            node = b->nodes[node].base;
        } while (node != b->head);
    }
    add_block(b);
    return (uint32_t)(b->n - BLOCK) ^ labels[0];
}

static int compare(const void *a, const void *b) {
    const struct trie_key *left = a, *right = b;
    int order = str_cmp(left->key, right->key);
    if (order)
        return order;
    return left->value < right->value ? -1 : left->value > right->value;
}

static uint8_t byte_of(const struct trie_key *keys, const struct range *range, uint32_t i) {
    return (uint8_t)keys[i].key.ptr[range->depth];
}

/* Gives the node its value and its children a place; what is left to do behind them goes onto the stack. */
static struct range *expand(struct builder *b, const struct trie_key *keys, struct range range, struct range *stack,
                            size_t *n, size_t *cap) {
    uint8_t labels[256];
    size_t n_labels = 0;
    uint32_t base;
    while (range.low < range.high && keys[range.low].key.len == range.depth)
        b->nodes[range.node].value = keys[range.low++].value;
    for (uint32_t i = range.low; i < range.high; i++)
        if (n_labels == 0 || labels[n_labels - 1] != byte_of(keys, &range, i))
            labels[n_labels++] = byte_of(keys, &range, i);
    if (n_labels == 0)
        return stack;
    base = find_base(b, labels, n_labels);
    b->nodes[range.node].base = base;
    for (size_t k = 0; k < n_labels; k++)
        take(b, base ^ labels[k], range.node);
    for (size_t k = 0; k < n_labels; k++) {
        uint32_t low = range.low;
        while (range.low < range.high && byte_of(keys, &range, range.low) == labels[k])
            range.low++;
        stack = arena_grow(b->arena, stack, sizeof(*stack), *n, cap);
        stack[(*n)++] = (struct range){ base ^ labels[k], low, range.low, range.depth + 1 };
    }
    return stack;
}

void token_trie_build(struct token_trie *trie, struct arena *arena, struct trie_key *keys, size_t n) {
    struct arena *own = arena_new(1 << 20, 0);
    struct builder b = { .arena = own, .head = TOKEN_NONE };
    struct range *stack = NULL;
    size_t depth = 0, cap = 0, first = 0;
    if (n > 1)
        qsort(keys, n, sizeof(*keys), compare);
    while (first < n && keys[first].key.len == 0)
        first++;
    add_block(&b);
    take(&b, TRIE_ROOT, TOKEN_NONE);
    stack = arena_grow(own, stack, sizeof(*stack), 0, &cap);
    stack[depth++] = (struct range){ TRIE_ROOT, (uint32_t)first, (uint32_t)n, 0 };
    while (depth > 0) {
        struct range range = stack[--depth];
        stack = expand(&b, keys, range, stack, &depth, &cap);
    }
    for (size_t i = 0; i < b.n; i++)
        if (b.nodes[i].parent == FREE)
            b.nodes[i] = (struct trie_node){ .base = 0, .parent = TOKEN_NONE, .value = TOKEN_NONE };
    trie->n_nodes = b.n;
    trie->nodes = ARENA_ARRAY(arena, struct trie_node, b.n);
    memcpy(trie->nodes, b.nodes, b.n * sizeof(*b.nodes));
    arena_free(own);
}

size_t token_trie_longest(const struct token_trie *trie, vsr_str text, uint32_t *ret_value) {
    uint32_t node = TRIE_ROOT;
    size_t longest = 0;
    for (size_t i = 0; i < text.len;) {
        node = token_trie_step(trie, node, (uint8_t)text.ptr[i++]);
        if (node == TOKEN_NONE)
            break;
        if (token_trie_value(trie, node) != TOKEN_NONE) {
            *ret_value = token_trie_value(trie, node);
            longest = i;
        }
    }
    return longest;
}
