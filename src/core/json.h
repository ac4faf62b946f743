/*
 * json - a strict RFC 8259 scan of a text into a tape of spans.
 *
 * The tape is an array of nodes in document order; each node names the bytes of its value in the source. Nothing is
 * copied or decoded until asked for. An object's children are key, value, key, value; an array's are its elements.
 *
 *     {"a":[1,true]}        0 OBJECT next=5   1 STRING "a"   2 ARRAY next=5   3 NUMBER   4 TRUE
 *
 * Strict: UTF-8 is checked, lone surrogate escapes, raw control characters, leading zeros, trailing text and a byte
 * order mark are errors, with the line and column. Duplicate keys are accepted and flagged (json_get finds the last
 * one, as most readers do); whoever cares asks json_duplicate_key(). Reading a tape is any thread.
 */
#ifndef VSR_CORE_JSON_H
#define VSR_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum {
    JSON_DEPTH_MAX = 128,         /* gateway.md 12.5; deeper than any real request */
    JSON_TEXT_LEN_MAX = 1u << 30, /* spans are 32 bits */
};

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum {
    JSON_FLAG_ESCAPED = 1u << 0,   /* STRING: holds at least one backslash */
    JSON_FLAG_INTEGER = 1u << 1,   /* NUMBER: no point, no exponent */
    JSON_FLAG_DUPLICATE = 1u << 2, /* OBJECT: some key occurs twice */
};

struct json_node {
    uint32_t start, end; /* bytes of the value in the text, quotes and brackets included: [start, end) */
    uint32_t next;       /* index of the node behind this value and all that it holds */
    uint16_t type;       /* enum json_type */
    uint16_t flags;
};

/* A node's index in the tape. The root is 0. */
typedef uint32_t json_ref;
#define JSON_NONE UINT32_MAX

struct json_doc {
    vsr_str text;            /* borrowed; must outlive the tape */
    struct json_node *nodes; /* in the arena given to json_parse */
    uint32_t n_nodes;
};

/*
 * Scans `text`, which must outlive the tape, into nodes in `arena`. Fails with VSR_E_SYNTAX (err->line, err->col set;
 * columns count bytes), VSR_E_LIMIT (nesting past JSON_DEPTH_MAX, text past JSON_TEXT_LEN_MAX) or VSR_E_NOMEM.
 */
int json_parse(struct arena *arena, vsr_str text, struct json_doc *ret_doc, struct vsr_err *err) VSR_MUST_CHECK;

static inline enum json_type json_type_of(const struct json_doc *doc, json_ref ref) {
    return (enum json_type)doc->nodes[ref].type;
}
static inline bool json_is(const struct json_doc *doc, json_ref ref, enum json_type type) {
    return ref != JSON_NONE && doc->nodes[ref].type == type;
}

/* The source bytes of the value. */
static inline vsr_str json_raw(const struct json_doc *doc, json_ref ref) {
    return str_make(doc->text.ptr + doc->nodes[ref].start, doc->nodes[ref].end - doc->nodes[ref].start);
}

/* First child of an array (element) or object (key); JSON_NONE when empty. */
json_ref json_first(const struct json_doc *doc, json_ref parent);
/* Next sibling of `child` inside `parent`; JSON_NONE at the end. In an object, keys and values alternate. */
json_ref json_next(const struct json_doc *doc, json_ref parent, json_ref child);
/* Number of elements, or of members. Linear in the children. */
size_t json_count(const struct json_doc *doc, json_ref parent);

/* Value of the member `key` (the last one when it occurs twice); JSON_NONE when absent or `object` is none or no
 * object. */
json_ref json_get(const struct json_doc *doc, json_ref object, vsr_str key);
/* Element `index` of an array; JSON_NONE when absent. */
json_ref json_at(const struct json_doc *doc, json_ref array, size_t index);

/* First key of `object` that stands in it twice; JSON_NONE when all differ. */
json_ref json_duplicate_key(const struct json_doc *doc, json_ref object);

/*
 * The text of a STRING node, unescaped. Without escapes it is a slice of the source, else it lies in `arena`. False
 * when the node is no string or memory is exhausted.
 */
bool json_str(struct arena *arena, const struct json_doc *doc, json_ref ref, vsr_str *ret_text);
/* Whether a STRING node equals `text` once unescaped. Allocates nothing. */
bool json_str_eq(const struct json_doc *doc, json_ref ref, vsr_str text);
/* Unescaped length in bytes of a STRING node. */
size_t json_str_len(const struct json_doc *doc, json_ref ref);

bool json_bool(const struct json_doc *doc, json_ref ref, bool *ret_value);
/* Integer literal (no point, no exponent) that fits; false otherwise. */
bool json_i64(const struct json_doc *doc, json_ref ref, int64_t *ret_value);
/* The nearest double; false also for a literal past the largest one (1e999). */
bool json_double(const struct json_doc *doc, json_ref ref, double *ret_value);

/* 1-based line and column (in bytes) of an offset in `text`. */
void json_position(vsr_str text, size_t offset, uint32_t *ret_line, uint32_t *ret_col);

#endif
