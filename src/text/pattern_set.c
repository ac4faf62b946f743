#include "text/pattern_set.h"

#include <hs/hs.h>
#include <pthread.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/bits.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "text/fold.h"
#include "text/regex.h"
#include "text/unicode.h"
#include "text/word.h"

struct pattern_item {
    char *expression;          /* for the engine */
    vsr_str literal;           /* folded as `compare` says, gaps of a phrase as GAP; empty: a regular expression */
    const struct regex *regex; /* NULL: a literal */
    unsigned flags;            /* HS_FLAG_* */
    vsr_str name;              /* as written, for messages */
    enum pattern_compare compare;
    struct word_edges edges; /* that need a boundary */
    uint32_t len;            /* bytes of a literal, or of a phrase's first part; 0 for a regular expression */
    const uint32_t *parts;   /* lengths of a phrase's further parts, the last one first */
    uint32_t n_parts;        /* how many those are */
    bool unsure;             /* the engine searches for more than this: a hit needs confirming */
};

/* Stands for any one character; no byte of UTF-8. */
#define GAP '\xFF'

struct pattern_set {
    hs_database_t *database;
    struct pattern_item *items;
    size_t n;
    bool uses[PATTERN_LOWERED + 1]; /* comparisons that occur */
    uint32_t *unsure;               /* indexes of patterns whose hits need confirming */
    size_t n_unsure;
    bool plain; /* the engine cannot be relied on: patterns are searched one by one */
};

struct pattern_scratch {
    hs_scratch_t *hs;
};

void pattern_list_init(struct pattern_list *list, struct arena *arena) {
    *list = (struct pattern_list){ .arena = arena };
    map_init(&list->by_key, arena);
}

/* Index of an equal pattern, or of `item` once added. The map's values are indexes plus one. */
static int list_add(struct pattern_list *list, const struct pattern_item *item, uint32_t *ret_index,
                    struct vsr_err *err) {
    vsr_str key = arena_printf(list->arena, "%d %d %u %s", (int)item->compare,
                               item->edges.before * 2 + item->edges.behind, item->flags, item->expression);
    uintptr_t found = (uintptr_t)map_get(&list->by_key, key);
    if (found) {
        *ret_index = (uint32_t)(found - 1);
        return 0;
    }
    if (list->n >= PATTERNS_MAX)
        return err_set(err, VSR_E_LIMIT, "more than %d different patterns", PATTERNS_MAX);
    list->items = arena_grow(list->arena, list->items, sizeof(*list->items), list->n, &list->cap);
    list->items[list->n] = *item;
    *ret_index = (uint32_t)list->n++;
    map_put(&list->by_key, key, (void *)((uintptr_t)*ret_index + 1));
    return 0;
}

/* Bytes as an expression that means exactly them. Letters and digits stay readable, which the engine does not care
 * about. */
static char *escape_literal(struct arena *arena, vsr_str text) {
    char *out = arena_alloc(arena, text.len * 4 + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'))
            out[len++] = c;
        else
            len += (size_t)snprintf(out + len, 5, "\\x%02x", (unsigned)(uint8_t)c);
    }
    return out;
}

static enum fold_kind fold_kind_of(enum pattern_compare compare) {
    return compare == PATTERN_LOWERED ? FOLD_LOWER : FOLD_CASE;
}

static int check_literal(vsr_str text, struct vsr_err *err) {
    if (text.len == 0 || utf8_check(text) != text.len)
        return err_set(err, VSR_E_INVALID, text.len ? "not UTF-8" : "empty");
    if (text.len > PATTERN_LITERAL_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "longer than %d bytes", PATTERN_LITERAL_LEN_MAX);
    return 0;
}

int pattern_list_literal(struct pattern_list *list, vsr_str text, enum pattern_compare compare, bool whole_word,
                         uint32_t *ret_index, struct vsr_err *err) {
    struct pattern_item item = { .compare = compare, .name = arena_str(list->arena, text) };
    int rc = check_literal(text, err);
    if (rc < 0)
        return rc;
    if (compare != PATTERN_EXACT) {
        text = fold_text(list->arena, text, fold_kind_of(compare));
        item.flags |= HS_FLAG_CASELESS;
    }
    if (whole_word)
        item.edges = word_edges(text);
    if (!item.edges.before && !item.edges.behind)
        item.flags |= HS_FLAG_SINGLEMATCH;
    item.expression = escape_literal(list->arena, text);
    item.literal = arena_str(list->arena, text);
    item.len = (uint32_t)text.len;
    return list_add(list, &item, ret_index, err);
}

static bool is_gap(vsr_str text, size_t pos) {
    size_t before = pos, behind = pos + 1;
    return text.ptr[pos] == '.' && pos > 0 && behind < text.len && unicode_is_word(utf8_prev(text, &before)) &&
           unicode_is_word(utf8_next(text, &behind));
}

/* The text is searched for in its folded form, where the engine's own idea of caseless letters changes no length. */
int pattern_list_phrase(struct pattern_list *list, vsr_str text, uint32_t *ret_index, struct vsr_err *err) {
    struct pattern_item item = { .compare = PATTERN_FOLDED,
                                 .name = arena_str(list->arena, text),
                                 .flags = HS_FLAG_CASELESS | HS_FLAG_UTF8 | HS_FLAG_DOTALL };
    struct arena *arena = list->arena;
    uint32_t *parts;
    char *literal;
    vsr_str expression = { 0 };
    size_t end;
    int rc = check_literal(text, err);
    if (rc < 0)
        return rc;
    text = fold_text(arena, text, FOLD_CASE);
    parts = ARENA_ARRAY(arena, uint32_t, text.len);
    literal = arena_c_str(arena, text);
    item.literal = str_make(literal, text.len);
    end = text.len;
    for (size_t pos = text.len; pos-- > 0;) {
        if (!is_gap(text, pos))
            continue;
        expression =
            arena_printf(arena, ".%s%.*s", escape_literal(arena, str_sub(text, pos + 1, end)), VSR_FMT(expression));
        parts[item.n_parts++] = (uint32_t)(end - pos - 1);
        literal[pos] = GAP;
        end = pos;
    }
    if (item.n_parts == 0)
        return pattern_list_literal(list, text, PATTERN_FOLDED, true, ret_index, err);
    expression = arena_printf(arena, "%s%.*s", escape_literal(arena, str_sub(text, 0, end)), VSR_FMT(expression));
    item.expression = arena_c_str(arena, expression);
    item.edges = word_edges(text);
    item.parts = parts;
    item.len = (uint32_t)end;
    return list_add(list, &item, ret_index, err);
}

int pattern_list_regex(struct pattern_list *list, const struct regex *regex, vsr_str name, uint32_t *ret_index,
                       struct vsr_err *err) {
    struct pattern_item item = { .compare = PATTERN_EXACT,
                                 .flags = HS_FLAG_UTF8 | HS_FLAG_SINGLEMATCH,
                                 .name = arena_str(list->arena, name) };
    bool exact;
    if (regex_matches_empty(regex))
        return err_set(err, VSR_E_INVALID, "can match the empty string, so it would match every text");
    item.expression = regex_expression(regex, list->arena, &exact);
    item.regex = regex;
    item.unsure = !exact;
    return list_add(list, &item, ret_index, err);
}

vsr_str pattern_list_name(const struct pattern_list *list, size_t index) {
    return list->items[index].name;
}

/* ---- whether the engine can be relied on */

struct probe {
    const char *const *expressions;
    unsigned n, flags;
    const char *hit; /* of the first expression */
};

static int count_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *data) {
    (void)id;
    (void)from;
    (void)to;
    (void)flags;
    ++*(int *)data;
    return 0;
}

static bool probe_finds(const struct probe *probe) {
    unsigned flags[4] = { probe->flags, probe->flags, probe->flags, probe->flags }, ids[4] = { 0, 1, 2, 3 };
    char text[101];
    int n = 0;
    hs_database_t *database = NULL;
    hs_scratch_t *scratch = NULL;
    hs_compile_error_t *problem = NULL;
    memset(text, 'z', sizeof(text));
    memcpy(text + 80, probe->hit, strlen(probe->hit));
    if (hs_compile_multi(probe->expressions, flags, ids, probe->n, HS_MODE_BLOCK, NULL, &database, &problem) ==
        HS_SUCCESS) {
        if (hs_alloc_scratch(database, &scratch) == HS_SUCCESS)
            (void)hs_scan(database, text, sizeof(text), 0, scratch, count_match, &n);
        hs_free_scratch(scratch);
        hs_free_database(database);
    } else {
        hs_free_compile_error(problem);
    }
    return n > 0;
}

/*
 * Vectorscan 5.4.9, as Debian 12 has it, overlooks matches behind the first 64 bytes of a text: of a single character,
 * and of few literals near the end. The two are tried once in a process. An engine that fails, or does not know the
 * processor, is not asked: patterns are then searched one by one, which is slow under a big policy, and right.
 */
static bool engine_sound;

static void try_engine(void) {
    static const char *const single[] = { "b+" }, *const few[] = { "refund", "refnud", "other" };
    const struct probe probes[] = {
        { single, 1, HS_FLAG_UTF8 | HS_FLAG_SINGLEMATCH, "b" },
        { few, 3, HS_FLAG_CASELESS, "refund" },
    };
    engine_sound = hs_valid_platform() == HS_SUCCESS && probe_finds(&probes[0]) && probe_finds(&probes[1]);
}

static bool engine_is_sound(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, try_engine);
    return engine_sound;
}

/* ---- compiling */

static void free_database(void *data) {
    hs_free_database(data);
}

static int compile(const struct pattern_set *set, struct arena *arena, hs_database_t **ret_database, int *ret_bad,
                   struct vsr_err *err) {
    struct arena_mark mark = arena_mark(arena);
    const char **expressions = ARENA_ARRAY(arena, const char *, set->n);
    unsigned *flags = ARENA_ARRAY(arena, unsigned, set->n);
    unsigned *ids = ARENA_ARRAY(arena, unsigned, set->n);
    hs_compile_error_t *problem = NULL;
    int rc = 0;
    for (size_t i = 0; i < set->n; i++) {
        expressions[i] = set->items[i].expression;
        flags[i] = set->items[i].flags;
        ids[i] = (unsigned)i;
    }
    if (hs_compile_multi(expressions, flags, ids, (unsigned)set->n, HS_MODE_BLOCK, NULL, ret_database, &problem) !=
        HS_SUCCESS) {
        *ret_bad = problem && problem->expression >= 0 ? problem->expression : -1;
        rc = err_set(err, VSR_E_INVALID, "%s", problem && problem->message ? problem->message : "cannot be compiled");
        if (problem)
            hs_free_compile_error(problem);
    }
    arena_rewind(arena, mark);
    return rc;
}

int pattern_set_build(struct arena *arena, const struct pattern_list *list, struct pattern_set **ret_set, int *ret_bad,
                      struct vsr_err *err) {
    struct pattern_set *set = ARENA_NEW(arena, struct pattern_set);
    *ret_bad = -1;
    if (list->n == 0) {
        *ret_set = NULL;
        return 0;
    }
    set->items = list->items;
    set->n = list->n;
    set->plain = !engine_is_sound();
    set->unsure = ARENA_ARRAY(arena, uint32_t, set->n);
    for (size_t i = 0; i < set->n; i++) {
        set->uses[set->items[i].compare] = true;
        if (set->items[i].regex && (set->items[i].unsure || set->plain))
            set->unsure[set->n_unsure++] = (uint32_t)i;
    }
    if (hs_valid_platform() == HS_SUCCESS) {
        int rc = compile(set, arena, &set->database, ret_bad, err);
        if (rc < 0)
            return rc;
        arena_on_free(arena, free_database, set->database);
    }
    *ret_set = set;
    return 0;
}

size_t pattern_set_count(const struct pattern_set *set) {
    return set ? set->n : 0;
}

int pattern_scratch_new(const struct pattern_set *set, struct pattern_scratch **ret_scratch, struct vsr_err *err) {
    struct pattern_scratch *scratch = MEM_NEW(struct pattern_scratch);
    if (set->database && hs_alloc_scratch(set->database, &scratch->hs) != HS_SUCCESS) {
        mem_free(scratch);
        return err_set(err, VSR_E_NOMEM, "no memory for the pattern engine");
    }
    *ret_scratch = scratch;
    return 0;
}

void pattern_scratch_free(struct pattern_scratch *scratch) {
    if (!scratch)
        return;
    hs_free_scratch(scratch->hs);
    mem_free(scratch);
}

/* ---- scanning */

struct scan {
    const struct pattern_item *items;
    vsr_str text;
    unsigned accept; /* bit per pattern_compare that this form of the text answers */
    uint64_t *hits;
};

/* Where the hit that ends at `to` begins. The engine does not track it; the lengths tell. */
static size_t hit_start(const struct pattern_item *item, vsr_str text, size_t to) {
    for (uint32_t i = 0; i < item->n_parts; i++) {
        to -= item->parts[i];
        (void)utf8_prev(text, &to);
    }
    return to - item->len;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *data) {
    struct scan *scan = data;
    const struct pattern_item *item = &scan->items[id];
    (void)from;
    (void)flags;
    if (!(scan->accept & (1u << item->compare)) || bits_has(scan->hits, id))
        return 0;
    if (word_stands(item->edges, scan->text, hit_start(item, scan->text, (size_t)to), (size_t)to))
        bits_add(scan->hits, id);
    return 0;
}

static int scan_form(const struct pattern_set *set, struct pattern_scratch *scratch, vsr_str text, unsigned accept,
                     uint64_t *hits, struct vsr_err *err) {
    struct scan scan = { .items = set->items, .text = text, .accept = accept, .hits = hits };
    hs_error_t rc = hs_scan(set->database, text.ptr, (unsigned)text.len, 0, scratch->hs, on_match, &scan);
    if (rc != HS_SUCCESS)
        return err_set(err, VSR_E_INTERNAL, "the pattern engine failed with code %d", rc);
    return 0;
}

/* Where an occurrence of the literal at `from` ends; 0 when there is none. */
static size_t literal_end(vsr_str literal, vsr_str text, size_t from) {
    for (size_t i = 0; i < literal.len; i++) {
        if (from >= text.len)
            return 0;
        if (literal.ptr[i] == GAP)
            (void)utf8_next(text, &from);
        else if (literal.ptr[i] != text.ptr[from++])
            return 0;
    }
    return from;
}

static bool literal_occurs(const struct pattern_item *item, vsr_str text) {
    for (size_t from = 0; from < text.len; from++) {
        const char *start = memchr(text.ptr + from, item->literal.ptr[0], text.len - from);
        size_t to;
        if (!start)
            return false;
        from = (size_t)(start - text.ptr);
        to = literal_end(item->literal, text, from);
        if (to > 0 && word_stands(item->edges, text, from, to))
            return true;
    }
    return false;
}

/* Without the engine. All regular expressions count as hits that need confirming. */
static int scan_plainly(const struct pattern_set *set, struct arena *arena, vsr_str text, uint64_t *hits,
                        struct vsr_err *err) {
    vsr_str forms[PATTERN_LOWERED + 1] = { text };
    for (int i = PATTERN_FOLDED; i <= PATTERN_LOWERED; i++) {
        if (set->uses[i])
            forms[i] = fold_text(arena, text, fold_kind_of((enum pattern_compare)i));
        if (set->uses[i] && !forms[i].ptr)
            return err_set(err, VSR_E_NOMEM, "no memory to fold the text");
    }
    for (size_t i = 0; i < set->n; i++)
        if (set->items[i].regex || literal_occurs(&set->items[i], forms[set->items[i].compare]))
            bits_add(hits, i);
    return 0;
}

static size_t count_unsure(const struct pattern_set *set, const uint64_t *found) {
    size_t n = 0;
    for (size_t i = 0; i < set->n_unsure; i++)
        n += bits_has(found, set->unsure[i]);
    return n;
}

/* Takes back the hits of patterns that were searched for too generously. */
static void confirm_hits(const struct pattern_set *set, struct arena *arena, vsr_str text, size_t *steps,
                         struct pattern_hits *hits) {
    size_t n_left = count_unsure(set, hits->found);
    for (size_t i = 0; n_left > 0; i++) {
        uint32_t index = set->unsure[i];
        bool occurs = false;
        size_t share, left;
        if (!bits_has(hits->found, index))
            continue;
        left = share = *steps / n_left--;
        if (regex_occurs(set->items[index].regex, arena, text, &left, &occurs, NULL) < 0)
            bits_add(hits->undecided, index);
        *steps -= share - left;
        bits_put(hits->found, index, occurs);
    }
}

/* One pass for each form of the text that differs. `ascii`: all forms are the text itself. */
static int scan_forms(const struct pattern_set *set, struct pattern_scratch *scratch, struct arena *arena, vsr_str text,
                      bool ascii, uint64_t *hits, struct vsr_err *err) {
    vsr_str forms[PATTERN_LOWERED + 1] = { text, text, text };
    for (int i = PATTERN_FOLDED; i <= PATTERN_LOWERED && !ascii; i++) {
        if (set->uses[i])
            forms[i] = fold_non_ascii(arena, text, fold_kind_of((enum pattern_compare)i));
        if (!forms[i].ptr)
            return err_set(err, VSR_E_NOMEM, "no memory to fold the text");
    }
    for (int i = PATTERN_EXACT; i <= PATTERN_LOWERED; i++) {
        unsigned accept = 0;
        int rc;
        for (int k = PATTERN_EXACT; k <= PATTERN_LOWERED; k++) /* forms that are the same bytes share one scan */
            if (set->uses[k] && forms[k].ptr == forms[i].ptr)
                accept |= 1u << k;
        if (!(accept & (1u << i)) || (accept & ((1u << i) - 1)))
            continue;
        rc = scan_form(set, scratch, forms[i], accept, hits, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int pattern_set_scan(const struct pattern_set *set, struct pattern_scratch *scratch, struct arena *arena, vsr_str text,
                     size_t *steps, struct pattern_hits *ret_hits, struct vsr_err *err) {
    struct pattern_hits hits = { ARENA_ARRAY(arena, uint64_t, BITS_WORDS(set->n)),
                                 ARENA_ARRAY(arena, uint64_t, BITS_WORDS(set->n)) };
    bool ascii = unicode_is_ascii(text);
    int rc;
    VSR_ASSERT(scratch);
    if (text.len == 0) {
        *ret_hits = hits;
        return 0;
    }
    if (text.len > INT32_MAX)
        return err_set(err, VSR_E_LIMIT, "the text is too long to be searched");
    if (!ascii && utf8_check(text) != text.len)
        return err_set(err, VSR_E_INVALID, "the text is not UTF-8");
    if (set->plain)
        rc = scan_plainly(set, arena, text, hits.found, err);
    else
        rc = scan_forms(set, scratch, arena, text, ascii, hits.found, err);
    if (rc < 0)
        return rc;
    confirm_hits(set, arena, text, steps, &hits);
    *ret_hits = hits;
    return 0;
}
