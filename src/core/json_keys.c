/*
 * Objects of a few members, which is nearly all, are compared by the first eight bytes and the length of each name; a
 * 64-bit set of hash bits says at once that a name is new. Larger ones, and those with escapes in their names, go
 * through an open-addressing table of half-empty slots.
 */
#include "core/json_keys.h"

#include <sys/random.h>

#include "core/json_block.h"
#include "core/json_string.h"
#include "core/mem.h"

enum {
    FEW_KEYS = 24,
    STACK_SLOTS = 256, /* enough for 128 names without allocating */
};

/* The bytes between the quotes. */
static vsr_str inside(const struct json_doc *doc, json_ref key) {
    const struct json_node *node = &doc->nodes[key];
    return str_make(doc->text.ptr + node->start + 1, node->end - node->start - 2);
}

static bool is_escaped(const struct json_doc *doc, json_ref key) {
    return doc->nodes[key].flags & JSON_FLAG_ESCAPED;
}

bool json_keys_same(const struct json_doc *doc, json_ref a, json_ref b) {
    if (is_escaped(doc, a) || is_escaped(doc, b))
        return json_string_same(inside(doc, a), inside(doc, b));
    return str_eq(inside(doc, a), inside(doc, b));
}

struct few {
    json_ref keys[FEW_KEYS];
    uint64_t heads[FEW_KEYS]; /* first eight bytes, zero-filled */
    uint64_t seen;            /* bit of every name so far */
    uint32_t n;
};

/* One load, except for a short name so near the end of the text that eight bytes do not follow. */
static uint64_t head_of(const struct json_doc *doc, vsr_str name) {
    uint64_t head = 0;
    if (name.len >= sizeof(head))
        return json_word_load(name.ptr);
    if ((size_t)(doc->text.ptr + doc->text.len - name.ptr) >= sizeof(head))
        return json_word_load(name.ptr) & (((uint64_t)1 << 8 * name.len) - 1);
    for (size_t i = 0; i < name.len; i++)
        head |= (uint64_t)(unsigned char)name.ptr[i] << 8 * i;
    return head;
}

/* The earlier key with the same name, or JSON_NONE. Names hold no escape. */
static json_ref few_add(struct few *few, const struct json_doc *doc, json_ref key) {
    vsr_str name = inside(doc, key);
    uint64_t head = head_of(doc, name);
    uint64_t bit = (uint64_t)1 << (((head ^ name.len) * 0x9E3779B97F4A7C15u) >> 58);
    if (few->seen & bit) {
        for (uint32_t i = 0; i < few->n; i++) {
            if (few->heads[i] == head && str_eq(inside(doc, few->keys[i]), name))
                return few->keys[i];
        }
    }
    few->seen |= bit;
    few->keys[few->n] = key;
    few->heads[few->n++] = head;
    return JSON_NONE;
}

struct slot {
    json_ref key_plus_1; /* 0: free */
    uint32_t hash;
};

struct table {
    const struct json_doc *doc;
    struct slot *slots;
    uint32_t mask;
    uint64_t seed;
};

static uint64_t random_seed(void) {
    uint64_t seed;
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed =
            (uint64_t)(uintptr_t)&seed ^ 0x9E3779B97F4A7C15u; /* early in the boot: the stack's place is random too */
    return seed;
}

static int hash_key(const struct table *table, json_ref key, uint32_t *ret_hash) {
    vsr_str name = inside(table->doc, key);
    char small[256], *plain = small;
    if (is_escaped(table->doc, key)) {
        if (name.len > sizeof(small) && !(plain = mem_try_realloc(NULL, name.len)))
            return VSR_E_NOMEM;
        name = str_make(plain, json_string_unescape(name, plain));
    }
    *ret_hash = (uint32_t)str_hash(name, table->seed);
    if (plain != small)
        mem_free(plain);
    return 0;
}

/* Sets `*ret_earlier` to the key with the same name that came before, or adds this one and sets JSON_NONE. */
static int table_add(struct table *table, json_ref key, json_ref *ret_earlier) {
    uint32_t hash = 0;
    int rc = hash_key(table, key, &hash);
    if (rc < 0)
        return rc;
    for (uint32_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        struct slot *slot = &table->slots[at];
        if (slot->key_plus_1 == 0) {
            *slot = (struct slot){ key + 1, hash };
            *ret_earlier = JSON_NONE;
            return 0;
        }
        if (slot->hash == hash && json_keys_same(table->doc, slot->key_plus_1 - 1, key)) {
            *ret_earlier = slot->key_plus_1 - 1;
            return 0;
        }
    }
}

static int repeated_in_table(struct table *table, json_ref object, json_ref *ret_key) {
    const struct json_node *nodes = table->doc->nodes;
    json_ref first = JSON_NONE;
    for (json_ref key = object + 1; key < nodes[object].next; key = nodes[key + 1].next) {
        json_ref earlier;
        int rc = table_add(table, key, &earlier);
        if (rc < 0)
            return rc;
        if (earlier < first)
            first = earlier;
    }
    *ret_key = first;
    return 0;
}

static int repeated_among_many(const struct json_doc *doc, json_ref object, size_t n_keys, json_ref *ret_key) {
    struct slot few[STACK_SLOTS];
    struct table table = { .doc = doc, .slots = few, .seed = random_seed() };
    size_t n_slots = STACK_SLOTS;
    int rc;
    while (n_slots < n_keys * 2)
        n_slots *= 2;
    if (n_slots > STACK_SLOTS && !(table.slots = mem_try_realloc(NULL, n_slots * sizeof(*table.slots))))
        return VSR_E_NOMEM;
    memset(table.slots, 0, n_slots * sizeof(*table.slots));
    table.mask = (uint32_t)(n_slots - 1);
    rc = repeated_in_table(&table, object, ret_key);
    if (table.slots != few)
        mem_free(table.slots);
    return rc;
}

int json_keys_repeated(const struct json_doc *doc, json_ref object, json_ref *ret_key) {
    const struct json_node *nodes = doc->nodes;
    struct few few; /* its arrays stay unset: clearing them would cost more than the search */
    json_ref first = JSON_NONE;
    few.seen = 0;
    few.n = 0;
    for (json_ref key = object + 1; key < nodes[object].next; key = nodes[key + 1].next) {
        json_ref earlier;
        if (few.n == FEW_KEYS || is_escaped(doc, key))
            return repeated_among_many(doc, object, json_count(doc, object), ret_key);
        earlier = few_add(&few, doc, key);
        if (earlier < first)
            first = earlier;
    }
    *ret_key = first;
    return 0;
}
