/*
 * The scan is one pass with an explicit stack of open containers, in front of it a vectorised check of the whole text's
 * UTF-8 (which only strings can hold; anywhere else the bytes are a syntax error anyway).
 *
 * Nodes are first collected on the stack, which is all that an ordinary request needs, and copied to the arena in their
 * exact number. When they are too many, the rest of the text is searched for the bytes that a further node needs in
 * front of it (comma, colon, bracket), and one allocation of that bound ends all growing: at most 8 bytes of nodes per
 * byte of text, and untouched pages where the commas were prose.
 */
#include "core/json.h"

#include "core/arena.h"
#include "core/assert.h"
#include "core/json_block.h"
#include "core/json_keys.h"
#include "core/json_number.h"
#include "core/json_string.h"
#include "core/utf8.h"

enum { STACK_NODES = 512 };

struct scan {
    struct json_doc doc; /* nodes are in `few` until they are too many */
    const char *end;
    struct json_node *few;
    uint32_t cap;
    uint32_t depth;
    json_string_scan *string;
    struct arena *arena;
    int code; /* of the failure */
    const char *place;
    const char *expected; /* one of these two says what is wrong */
    const char *message;
    json_ref open[JSON_DEPTH_MAX];
};

static const char *fail_expected(struct scan *s, const char *place, const char *expected) {
    s->code = VSR_E_SYNTAX;
    s->place = place;
    s->expected = expected;
    return NULL;
}

static const char *fail_message(struct scan *s, int code, const char *place, const char *message) {
    s->code = code;
    s->place = place;
    s->message = message;
    return NULL;
}

static inline const char *skip_blank(const char *p, const char *end) {
    if (JSON_LIKELY(p < end && (unsigned char)*p > ' '))
        return p;
    if (end - p >= 2 && *p == ' ' && (unsigned char)p[1] > ' ') /* "key": 1, */
        return p + 1;
    while (end - p >= JSON_BLOCK_LEN) {
        uint32_t ink = json_block_ink(p);
        if (ink)
            return p + __builtin_ctz(ink);
        p += JSON_BLOCK_LEN;
    }
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

typedef uint8_t json_lanes __attribute__((vector_size(JSON_BLOCK_LEN)));

/* Commas, colons and opening brackets in `n_blocks` blocks, few enough that a lane's count fits a byte. */
static size_t count_marks(const char *p, size_t n_blocks) {
    json_lanes counts = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < n_blocks; i++, p += JSON_BLOCK_LEN) {
        json_lanes block;
        memcpy(&block, p, sizeof(block));
        counts -=
            (json_lanes)((block == ',') | (block == ':') | ((block | 0x20) == '{')); /* true is -1; '[' | 0x20 is '{' */
    }
    for (size_t lane = 0; lane < JSON_BLOCK_LEN; lane++)
        n += counts[lane];
    return n;
}

/* Upper bound of the nodes that start behind `p`: each stands behind a comma, a colon or an opening bracket. */
static size_t nodes_bound(const char *p, const char *end) {
    size_t bytes_bound = (size_t)(end - p) / 2 + JSON_DEPTH_MAX + 1; /* a node and its mark are two bytes */
    size_t n = 0;
    while (end - p >= JSON_BLOCK_LEN) {
        size_t n_blocks = (size_t)(end - p) / JSON_BLOCK_LEN;
        if (n_blocks > UINT8_MAX)
            n_blocks = UINT8_MAX;
        n += count_marks(p, n_blocks);
        p += n_blocks * JSON_BLOCK_LEN;
    }
    n += (size_t)(end - p);
    return n < bytes_bound ? n : bytes_bound;
}

static __attribute__((noinline)) bool make_room(struct scan *s, const char *p) {
    size_t cap = s->doc.n_nodes + 1 + nodes_bound(p, s->end);
    struct json_node *nodes;
    VSR_ASSERT(s->doc.nodes == s->few); /* the bound holds, so this happens once */
    nodes = arena_try_alloc_raw(s->arena, cap * sizeof(*nodes));
    if (!nodes) {
        (void)fail_message(s, VSR_E_NOMEM, p, "out of memory for the nodes of a JSON text");
        return false;
    }
    memcpy(nodes, s->few, s->doc.n_nodes * sizeof(*nodes));
    s->doc.nodes = nodes;
    s->cap = (uint32_t)cap;
    return true;
}

/* Adds a node that starts at `p`; NULL when there is no memory. */
static inline struct json_node *push(struct scan *s, const char *p, enum json_type type) {
    uint32_t index = s->doc.n_nodes;
    struct json_node *node;
    if (JSON_UNLIKELY(index == s->cap) && !make_room(s, p))
        return NULL;
    node = &s->doc.nodes[index];
    node->start = (uint32_t)(p - s->doc.text.ptr);
    node->next = s->doc.n_nodes = index + 1;
    node->type = (uint16_t)type;
    node->flags = 0;
    return node;
}

static inline const char *finish(struct scan *s, struct json_node *node, const char *end) {
    node->end = (uint32_t)(end - s->doc.text.ptr);
    return end;
}

static const char *fail_string(struct scan *s, const char *p) {
    const char *place, *message = json_string_fault(p, s->end, &place);
    return fail_message(s, VSR_E_SYNTAX, place, message);
}

static inline const char *scan_string(struct scan *s, const char *p) {
    struct json_node *node = push(s, p, JSON_STRING);
    bool escaped = false;
    const char *end;
    if (!node)
        return NULL;
    end = json_string_end(s->string, p + 1, s->end, &escaped);
    if (JSON_UNLIKELY(!end))
        return fail_string(s, p + 1);
    node->flags = escaped ? JSON_FLAG_ESCAPED : 0;
    return finish(s, node, end);
}

static const char *skip_digits(const char *p, const char *end) {
    while (p < end && ascii_is_digit(*p))
        p++;
    return p;
}

/* `p` stands where at least one digit must follow. */
static const char *scan_digits(struct scan *s, const char *p) {
    const char *end = skip_digits(p, s->end);
    return end > p ? end : fail_expected(s, p, "a digit");
}

static const char *scan_exponent(struct scan *s, const char *p) {
    p++;
    if (p < s->end && (*p == '+' || *p == '-'))
        p++;
    return scan_digits(s, p);
}

static const char *scan_number(struct scan *s, const char *p) {
    struct json_node *node = push(s, p, JSON_NUMBER);
    const char *digits = p + (*p == '-'), *after;
    if (!node)
        return NULL;
    after = scan_digits(s, digits);
    if (!after)
        return NULL;
    if (*digits == '0' && after - digits > 1)
        return fail_message(s, VSR_E_SYNTAX, digits, "number with a leading zero");
    node->flags = JSON_FLAG_INTEGER;
    if (after < s->end && *after == '.') {
        node->flags = 0;
        after = scan_digits(s, after + 1);
    }
    if (after && after < s->end && (*after | 0x20) == 'e') {
        node->flags = 0;
        after = scan_exponent(s, after);
    }
    return after ? finish(s, node, after) : NULL;
}

static const char *scan_literal(struct scan *s, const char *p, vsr_str word, enum json_type type) {
    struct json_node *node;
    if ((size_t)(s->end - p) < word.len || memcmp(p, word.ptr, word.len) != 0)
        return fail_expected(s, p, "a value");
    node = push(s, p, type);
    return node ? finish(s, node, p + word.len) : NULL;
}

static inline const char *scan_scalar(struct scan *s, const char *p) {
    switch (p < s->end ? *p : '\0') { /* a NUL byte in the text starts no value either */
    case '"':
        return scan_string(s, p);
    case 't':
        return scan_literal(s, p, VSR_STR("true"), JSON_TRUE);
    case 'f':
        return scan_literal(s, p, VSR_STR("false"), JSON_FALSE);
    case 'n':
        return scan_literal(s, p, VSR_STR("null"), JSON_NULL);
    case '-':
    case '0' ... '9':
        return scan_number(s, p);
    default:
        return fail_expected(s, p, "a value");
    }
}

/* A member's name and colon. Returns where its value starts. */
static inline const char *scan_name(struct scan *s, const char *p) {
    if (p == s->end || *p != '"')
        return fail_expected(s, p, "a member's name in quotes");
    p = scan_string(s, p);
    if (!p)
        return NULL;
    p = skip_blank(p, s->end);
    if (p == s->end || *p != ':')
        return fail_expected(s, p, "':'");
    return skip_blank(p + 1, s->end);
}

static const char *close_container(struct scan *s, const char *p) {
    json_ref ref = s->open[--s->depth], key;
    struct json_node *node = &s->doc.nodes[ref];
    node->next = s->doc.n_nodes;
    /* With one member its value is the last node inside. */
    if (node->type == JSON_OBJECT && node->next - ref > 3 && s->doc.nodes[ref + 2].next < node->next) {
        if (json_keys_repeated(&s->doc, ref, &key) < 0)
            return fail_message(s, VSR_E_NOMEM, p, "out of memory for the names of a JSON object");
        node->flags = key == JSON_NONE ? 0 : JSON_FLAG_DUPLICATE;
    }
    return finish(s, node, p + 1);
}

/* From an opening bracket to its first child, or behind the closing bracket when there is none. */
static inline const char *open_container(struct scan *s, const char *p, bool *ret_is_empty) {
    bool is_object = *p == '{';
    struct json_node *node;
    if (s->depth == JSON_DEPTH_MAX)
        return fail_message(s, VSR_E_LIMIT, p, "nesting deeper than 128 levels");
    node = push(s, p, is_object ? JSON_OBJECT : JSON_ARRAY);
    if (!node)
        return NULL;
    s->open[s->depth++] = node->next - 1;
    p = skip_blank(p + 1, s->end);
    *ret_is_empty = p < s->end && *p == (is_object ? '}' : ']');
    if (*ret_is_empty)
        return close_container(s, p);
    return is_object ? scan_name(s, p) : p;
}
_Static_assert(JSON_DEPTH_MAX == 128, "the message above says so");

/* From behind a value to the next one, closing what ends between them. NULL at the end of the text and on failure. */
static inline const char *next_value(struct scan *s, const char *p) {
    while (s->depth > 0) {
        bool in_object = s->doc.nodes[s->open[s->depth - 1]].type == JSON_OBJECT;
        char c;
        p = skip_blank(p, s->end);
        c = p < s->end ? *p : '\0';
        if (c == ',') {
            p = skip_blank(p + 1, s->end);
            return in_object ? scan_name(s, p) : p;
        }
        if (c != (in_object ? '}' : ']'))
            return fail_expected(s, p, in_object ? "',' or '}'" : "',' or ']'");
        p = close_container(s, p);
        if (!p)
            return NULL;
    }
    p = skip_blank(p, s->end);
    return p == s->end ? NULL : fail_expected(s, p, "the end of the text");
}

static void scan_text(struct scan *s) {
    const char *p = skip_blank(s->doc.text.ptr, s->end);
    while (p) {
        if (p < s->end && (*p == '{' || *p == '[')) {
            bool is_empty = false;
            p = open_container(s, p, &is_empty);
            if (!is_empty)
                continue;
        } else {
            p = scan_scalar(s, p);
        }
        if (p)
            p = next_value(s, p);
    }
}

void json_position(vsr_str text, size_t offset, uint32_t *ret_line, uint32_t *ret_col) {
    const char *line = text.ptr, *place = text.ptr + (offset < text.len ? offset : text.len), *feed;
    uint32_t n = 1;
    while (line < place && (feed = memchr(line, '\n', (size_t)(place - line)))) {
        line = feed + 1;
        n++;
    }
    *ret_line = n;
    *ret_col = (uint32_t)(place - line) + 1;
}

static int report(const struct scan *s, struct vsr_err *err) {
    size_t offset = (size_t)(s->place - s->doc.text.ptr);
    unsigned char found = offset < s->doc.text.len ? (unsigned char)*s->place : 0;
    uint32_t line, col;
    if (!err)
        return s->code;
    if (s->message)
        (void)err_set(err, s->code, "%s", s->message);
    else if (offset == s->doc.text.len)
        (void)err_set(err, s->code, "expected %s, found the end of the text", s->expected);
    else if (found > ' ' && found < 0x7F)
        (void)err_set(err, s->code, "expected %s, found '%c'", s->expected, found);
    else
        (void)err_set(err, s->code, "expected %s, found byte 0x%02X", s->expected, found);
    json_position(s->doc.text, offset, &line, &col);
    err_at(err, str_make(NULL, 0), line, col);
    return s->code;
}

/* Moves nodes that still are on the stack into the arena. */
static int keep_nodes(struct scan *s) {
    size_t len = s->doc.n_nodes * sizeof(*s->few);
    struct json_node *nodes;
    if (s->doc.nodes != s->few)
        return 0;
    nodes = arena_try_alloc_raw(s->arena, len);
    if (!nodes) {
        (void)fail_message(s, VSR_E_NOMEM, s->end, "out of memory for the nodes of a JSON text");
        return VSR_E_NOMEM;
    }
    memcpy(nodes, s->few, len);
    s->doc.nodes = nodes;
    return 0;
}

/* What the scan could not know: it saw only the text before the first byte that is no UTF-8. */
static void check_utf8_end(struct scan *s) {
    vsr_str text = s->doc.text;
    size_t good = (size_t)(s->end - text.ptr);
    if (good == text.len || (s->code && s->place < s->end))
        return;
    (void)fail_message(s, VSR_E_SYNTAX, s->end, "invalid UTF-8");
}

int json_parse(struct arena *arena, vsr_str text, struct json_doc *ret_doc, struct vsr_err *err) {
    struct json_node few[STACK_NODES];
    struct scan s = { .cap = STACK_NODES };
    if (text.len > JSON_TEXT_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "JSON text longer than %u bytes", (unsigned)JSON_TEXT_LEN_MAX);
    if (!text.ptr)
        text = VSR_STR("");
    s.doc = (struct json_doc){ .text = text, .nodes = few };
    s.few = few;
    s.end = text.ptr + utf8_check(text);
    s.string = json_string_scanner_best()->scan;
    s.arena = arena;
    if (text.len >= 3 && memcmp(text.ptr, "\xEF\xBB\xBF", 3) == 0)
        (void)fail_message(&s, VSR_E_SYNTAX, text.ptr, "byte order mark before the text");
    else
        scan_text(&s);
    check_utf8_end(&s);
    if (s.code == 0)
        s.code = keep_nodes(&s);
    if (s.code < 0)
        return report(&s, err);
    *ret_doc = s.doc;
    return 0;
}
