/*
 * schema - configuration structs described once, by static field tables.
 *
 * A table row names a key, says what it holds and where in the C struct it goes. From the tables come decoding,
 * defaults, range and enum checks, unknown-key errors with suggestions, canonical printing and the reference
 * documentation. Whoever owns a struct owns its table: a signal family defines both and hands the table down to config/
 * as data.
 *
 * Every decoded struct begins with `struct config_at at`: the node it came from and which of its fields were written,
 * so that "absent" and "zero" differ and every later check can point at line and column.
 *
 *     struct band { struct config_at at; vsr_str name; int64_t min_tokens; };
 *     static const struct field band_fields[] = {
 *         { "name", FIELD_STRING, offsetof(struct band, name), .flags = FIELD_REQUIRED, .help = "..." },
 *         { "min_tokens", FIELD_TOKENS, offsetof(struct band, min_tokens), .help = "..." },
 *     };
 *     const struct schema band_schema = SCHEMA("band", struct band, band_fields);
 */
#ifndef VSR_CONFIG_SCHEMA_H
#define VSR_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/diag.h"
#include "config/yaml_tree.h"
#include "core/str.h"

struct arena;
struct buf;
struct schema;

enum { SCHEMA_FIELDS_MAX = 64 }; /* presence fits one word */

/* First member of every decoded struct. */
struct config_at {
    const struct yaml_node *node; /* the mapping it was read from; NULL when it was made from defaults */
    vsr_str path;                 /* `routing.decisions[coding]` */
    uint64_t present;             /* bit i: field i of the table was written */
};

/* A list of decoded structs of one schema, laid out one behind the other. */
struct config_list {
    void *items;
    size_t n;
};

/* Walks a list: CONFIG_EACH(struct config_decision, decision, &routing->decisions) { ... } */
#define CONFIG_EACH(type, item, list) \
    for (type *item = (list)->items, *item##_end = item ? item + (list)->n : NULL; item != item##_end; item++)

struct config_strings {
    vsr_str *items;
    const struct yaml_node **nodes; /* where each was written */
    size_t n;
};

struct config_string_lists {
    struct config_strings *items;
    size_t n;
};

struct config_numbers {
    double *items;
    size_t n;
};

struct config_ints {
    int64_t *items;
    size_t n;
};

/* Free-form map from string to string, in document order. */
struct config_pairs {
    vsr_str *keys;
    vsr_str *values;
    size_t n;
};

/* Maps from names that are never checked, in document order. */
struct config_number_map {
    vsr_str *keys;
    double *values;
    size_t n;
};

struct config_strings_map {
    vsr_str *keys;
    struct config_strings *values;
    size_t n;
};

enum field_kind {
    FIELD_BOOL,         /* bool */
    FIELD_INT,          /* int64_t */
    FIELD_NUMBER,       /* double */
    FIELD_STRING,       /* vsr_str */
    FIELD_ENUM,         /* int: index into `choices` (exact spelling unless FIELD_NOCASE) */
    FIELD_DURATION,     /* int64_t, milliseconds; Go-style text: 300s, 10ms, 1h30m */
    FIELD_TOKENS,       /* int64_t; token count literal: 1.5K, 32k, 2M (signals.md §4.2) */
    FIELD_STRINGS,      /* struct config_strings; a list of strings */
    FIELD_STRING_LISTS, /* struct config_string_lists */
    FIELD_PAIRS,        /* struct config_pairs; keys are never checked */
    FIELD_OBJECT,       /* the nested struct by value; absent: all defaults, at.node NULL */
    FIELD_OPTIONAL,     /* pointer to the nested struct; NULL when absent */
    FIELD_OBJECTS,      /* struct config_list of nested structs */
    FIELD_OBJECT_MAP,   /* struct config_list; each struct gets its key in the field marked FIELD_KEY of its table */
    FIELD_NODE,         /* const struct yaml_node *; handed on undecoded, NULL when absent */
    FIELD_INT_OR_AUTO,  /* int64_t; the word `auto` is FIELD_AUTO */
    FIELD_NUMBER_LIST,  /* struct config_numbers; a range holds for each */
    FIELD_INT_LIST,     /* struct config_ints; a range holds for each */
    FIELD_NUMBER_MAP,   /* struct config_number_map; a range holds for each value */
    FIELD_STRINGS_MAP,  /* struct config_strings_map; FIELD_NONBLANK holds for each list */
    FIELD_VARIANT, /* void *, a struct of the table that the sibling `selector` names among `variants`, see below */
};

enum { FIELD_AUTO = -1 };

enum {
    FIELD_REQUIRED = 1u << 0,
    FIELD_NONBLANK =
        1u << 1,            /* STRING: not empty after trimming; STRINGS: the same for each; lists: one entry or more */
    FIELD_SECRET = 1u << 2, /* printed as [REDACTED], never in messages; PAIRS: values whose name sounds secret */
    FIELD_VERBATIM = 1u << 3,   /* no environment substitution (regular expressions, templates) */
    FIELD_NOCASE = 1u << 4,     /* ENUM: compared without case */
    FIELD_KEY = 1u << 5,        /* in an OBJECT_MAP: filled from the key, not a key itself */
    FIELD_LEAST_OPEN = 1u << 6, /* NUMBER: strictly greater than `least` */
    FIELD_RANGE = 1u << 7,      /* `least` and `greatest` hold (INT, NUMBER, DURATION in ms, TOKENS) */
    FIELD_ANY = 1u << 8,        /* PAIRS: a value may be a list or mapping; it is kept as JSON text */
    FIELD_OLD =
        1u << 10, /* a name that is rewritten before decoding (alias.h): never decoded; for the JSON Schema alone */
    FIELD_HINT =
        1u << 11, /* STRING: `choices` are for readers and editors; something later than decoding checks them */
    FIELD_UNSET = 1u << 9, /* absent means what no value says (schema_present() tells): never printed as a default */
};

/* Rows that are no keys to whoever writes, prints or reads about a document. */
enum { FIELD_HIDDEN = FIELD_KEY | FIELD_OLD };

/*
 * One of the tables that a FIELD_VARIANT may have. Two names may share a table; a name with schema NULL takes no block,
 * and writing one is an error. An old name is rewritten before decoding, like FIELD_OLD, and only the JSON Schema has
 * it.
 */
struct field_variant {
    const char *name;
    const struct schema *schema;
    bool old;
};

/*
 * A variant's table is chosen by the text of the key `selector` beside it (or by that key's fallback), compared like
 * that field compares: FIELD_NOCASE counts. A text that names none is E_ENUM at the selector, and the block is not
 * decoded: NULL. A block that is absent is as good as an empty one, unless FIELD_REQUIRED says that it must be there:
 * its defaults hold, its required keys are missed. NULL stands for "no table chosen", and for names without a table.
 */
struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    unsigned flags;
    const char *fallback;        /* default as YAML text, decoded like a written value; NULL: zero */
    double least, greatest;      /* inclusive; used with FIELD_RANGE. INFINITY for no upper bound */
    const char *const *choices;  /* ENUM, and STRING and STRINGS that take only some words: NULL-terminated */
    const struct schema *object; /* nested tables */
    const char *help;            /* one sentence for the reference page */
    const char *selector;        /* VARIANT: a STRING or ENUM of the same table */
    const struct field_variant *variants;
    size_t n_variants;
};

struct schema {
    const char *name; /* of one object, for messages: "decision" */
    size_t size;
    const struct field *fields;
    size_t n_fields;
    /*
     * Optional: checks across fields of one decoded object (exclusive keys, lower <= upper). Reports into `diag`.
     * Called only when the object's own fields, and what is nested in it, are in order.
     */
    void (*check)(const void *object, struct arena *arena, struct diag *diag);
    /* Optional: decodes a node that is not a mapping (shorthand forms). True when it took the node. */
    bool (*shorthand)(const struct yaml_node *node, void *object, struct arena *arena, struct diag *diag);
    /*
     * Optional: whether a field flagged FIELD_VERBATIM is verbatim in this object, as written (keywords are, when their
     * method is regex). NULL: always.
     */
    bool (*verbatim)(const struct yaml_node *object, const struct field *field);
};

/*
 * A build that only reads the tables, and never loads a document, does without the checks and what they need
 * (VSR_TABLES_ONLY: the editor's library of wasm/). The last initialiser of a member counts.
 */
#ifdef VSR_TABLES_ONLY
#define TABLE_CHECK(function) NULL
#define SCHEMA_END .check = NULL
#else
#define TABLE_CHECK(function) function
#define SCHEMA_END
#endif

#define SCHEMA(label, type, table, ...) \
    { \
        .name = (label), .size = sizeof(type), .fields = (table), .n_fields = VSR_COUNT(table), ##__VA_ARGS__, \
        SCHEMA_END \
    }

/*
 * Fills `*object` (schema->size bytes) from `node`; NULL node: defaults only. Everything wrong is reported to `diag`;
 * decoding goes on behind a problem, so one run finds all. Returns whether this object was free of errors. Result
 * points into `arena` and the tree.
 */
bool schema_decode(const struct schema *schema, const struct yaml_node *node, vsr_str path, void *object,
                   struct arena *arena, struct diag *diag);

/* The field of that name, or NULL. */
const struct field *schema_field(const struct schema *schema, vsr_str name);

/* The path of `key` below `path`. */
vsr_str schema_path(struct arena *arena, vsr_str path, vsr_str key);
/* The path of a list's element: `path[name]` when the element has a name, else `path[index]`. */
vsr_str schema_element_path(struct arena *arena, vsr_str path, const struct yaml_node *element, size_t index);

/*
 * Whether values under this name of a header or a variable are secrets: authorization, api-key, token, secret, cookie
 * (config.md §12), password, access-key and private-key are in it. Case does not count, `_` is as good as `-`.
 */
bool schema_sounds_secret(vsr_str name);

/*
 * The variant that `object`, a mapping of the table `schema`, chooses for the FIELD_VARIANT `field`. NULL when it names
 * none, or holds an open reference. Reports nothing.
 */
const struct field_variant *schema_variant(const struct schema *schema, const struct field *field,
                                           const struct yaml_node *object);

/* The block behind a field that holds at most one, NULL when it holds none; its table goes to *ret_nested. */
const void *schema_block(const struct schema *schema, const void *object, const struct field *field,
                         const struct schema **ret_nested);

/* What an entry of a list is called: its name, else its model, else its type; empty: nothing. */
vsr_str schema_identity(const struct schema *schema, const void *object);

/* Whether the field of that name was written in the document. The name must be in the table. */
bool schema_present(const struct schema *schema, const void *object, const char *field);

/* Place of a decoded object, or of one of its fields (the object's own place when the field was not written). */
struct diag_at schema_at(const void *object);
struct diag_at schema_field_at(const struct schema *schema, const void *object, const char *field, struct arena *arena);

/*
 * Prints the object as canonical YAML at `indent`: what was written, references to the environment as they stand there;
 * `effective`: what holds, with defaults and without references that were replaced. What is printed reads back to the
 * same, and is then printed the same. A secret is [REDACTED], unless a bare reference stands for it.
 */
void schema_print(const struct schema *schema, const void *object, int indent, bool effective, struct buf *out);

enum schema_view {
    SCHEMA_WRITTEN,   /* what was written */
    SCHEMA_EFFECTIVE, /* what holds */
    SCHEMA_MEANING,   /* what holds, with secrets in clear text: to be compared, never to be shown */
};

/* The same of an object, or of one field of it, on one line. */
void schema_print_flow(const struct schema *schema, const void *object, enum schema_view view, struct buf *out);
/* False, and nothing printed, when nothing holds for it: it was not written and has no default. */
bool schema_print_field(const struct schema *schema, const void *object, const struct field *field,
                        enum schema_view view, struct buf *out);

/* Parses a Go-style duration or a token literal; false when malformed. */
bool schema_duration(vsr_str text, int64_t *ret_ms);
bool schema_tokens(vsr_str text, int64_t *ret_tokens);

#endif
