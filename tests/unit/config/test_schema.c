/* The engine: what text means by kind, every table of the document, printing. */
#include "test.h"

#include <math.h>

#include "config/document.h"
#include "config/schema.h"
#include "config/schema_value.h"
#include "core/arena.h"
#include "core/buf.h"
#include "fake_families.h"

enum { PRINT_LEN_MAX = 1 << 20, TABLES_MAX = 512 };

/* ---- the YAML dialect */

static const struct {
    const char *text;
    enum value_fit fit;
    bool value, old;
} bools[] = {
    { "true", VALUE_OK, true, false }, { "false", VALUE_OK, false, false },
    { "True", VALUE_OK, true, false }, { "FALSE", VALUE_OK, false, false },
    { "tRuE", VALUE_OK, true, false }, { "yes", VALUE_OK, true, true },
    { "No", VALUE_OK, false, true },   { "ON", VALUE_OK, true, true },
    { "off", VALUE_OK, false, true },  { "y", VALUE_TYPE, 0, 0 },
    { "n", VALUE_TYPE, 0, 0 },         { "1", VALUE_TYPE, 0, 0 },
    { "", VALUE_TYPE, 0, 0 },          { "truee", VALUE_TYPE, 0, 0 },
    { " true", VALUE_TYPE, 0, 0 },
};

TEST(bool_spellings) {
    for (size_t i = 0; i < VSR_COUNT(bools); i++) {
        bool value = false, old = false;
        CHECK_INT(value_bool(str_from_c(bools[i].text), &value, &old), bools[i].fit, bools[i].text);
        CHECK_INT(value, bools[i].value, bools[i].text);
        CHECK_INT(old, bools[i].old, bools[i].text);
    }
}

static const struct {
    const char *text;
    enum value_fit fit;
    int64_t value;
} ints[] = {
    { "0", VALUE_OK, 0 },
    { "42", VALUE_OK, 42 },
    { "-42", VALUE_OK, -42 },
    { "+7", VALUE_OK, 7 },
    { "0123", VALUE_OK, 123 },
    { "1_000", VALUE_OK, 1000 },
    { "1_000_000", VALUE_OK, 1000000 },
    { "0x1F", VALUE_OK, 31 },
    { "0xff_ff", VALUE_OK, 65535 },
    { "-0x10", VALUE_OK, -16 },
    { "0o17", VALUE_OK, 15 },
    { "300.0", VALUE_OK, 300 },
    { "1e3", VALUE_OK, 1000 },
    { "1.5e1", VALUE_OK, 15 },
    { "-0", VALUE_OK, 0 },
    { "9223372036854775807", VALUE_OK, INT64_MAX },
    { "-9223372036854775808", VALUE_OK, INT64_MIN },
    { "9223372036854775808", VALUE_RANGE, 0 },
    { "-9223372036854775809", VALUE_RANGE, 0 },
    { "0x8000000000000000", VALUE_RANGE, 0 },
    { "99999999999999999999999", VALUE_RANGE, 0 },
    { "1e30", VALUE_RANGE, 0 },
    { ".inf", VALUE_RANGE, 0 },
    { ".nan", VALUE_RANGE, 0 },
    { "300.5", VALUE_TYPE, 0 },
    { "", VALUE_TYPE, 0 },
    { "-", VALUE_TYPE, 0 },
    { "+", VALUE_TYPE, 0 },
    { "--1", VALUE_TYPE, 0 },
    { "_1", VALUE_TYPE, 0 },
    { "1_", VALUE_TYPE, 0 },
    { "1__0", VALUE_TYPE, 0 },
    { "0x", VALUE_TYPE, 0 },
    { "0xg", VALUE_TYPE, 0 },
    { "0o8", VALUE_TYPE, 0 },
    { "12:30", VALUE_TYPE, 0 },
    { "1 000", VALUE_TYPE, 0 },
    { "abc", VALUE_TYPE, 0 },
    { "1a", VALUE_TYPE, 0 },
    { "inf", VALUE_TYPE, 0 },
    { "0x1p3", VALUE_TYPE, 0 },
};

TEST(int_spellings) {
    for (size_t i = 0; i < VSR_COUNT(ints); i++) {
        int64_t value = 0;
        CHECK_INT(value_int(str_from_c(ints[i].text), &value), ints[i].fit, ints[i].text);
        if (ints[i].fit == VALUE_OK)
            CHECK_INT(value, ints[i].value, ints[i].text);
    }
}

static const struct {
    const char *text;
    enum value_fit fit;
    double value;
} numbers[] = {
    { "0", VALUE_OK, 0 },        { "1.5", VALUE_OK, 1.5 },      { "-1.5", VALUE_OK, -1.5 },
    { ".5", VALUE_OK, 0.5 },     { "5.", VALUE_OK, 5 },         { "1e-3", VALUE_OK, 0.001 },
    { "1E3", VALUE_OK, 1000 },   { "+2.5e+2", VALUE_OK, 250 },  { "0.1", VALUE_OK, 0.1 },
    { "1e400", VALUE_RANGE, 0 }, { ".inf", VALUE_RANGE, 0 },    { "-.Inf", VALUE_RANGE, 0 },
    { "+.INF", VALUE_RANGE, 0 }, { ".NaN", VALUE_RANGE, 0 },    { "inf", VALUE_TYPE, 0 },
    { "nan", VALUE_TYPE, 0 },    { "infinity", VALUE_TYPE, 0 }, { "0x10", VALUE_TYPE, 0 },
    { "1e", VALUE_TYPE, 0 },     { "e5", VALUE_TYPE, 0 },       { ".", VALUE_TYPE, 0 },
    { "", VALUE_TYPE, 0 },       { "1,5", VALUE_TYPE, 0 },      { "1.2.3", VALUE_TYPE, 0 },
    { "1_0", VALUE_TYPE, 0 },    { "- 1", VALUE_TYPE, 0 },      { "1e5.0", VALUE_TYPE, 0 },
    { "1f", VALUE_TYPE, 0 },
};

TEST(number_spellings) {
    for (size_t i = 0; i < VSR_COUNT(numbers); i++) {
        double value = 0;
        CHECK_INT(value_number(str_from_c(numbers[i].text), &value), numbers[i].fit, numbers[i].text);
        CHECK(numbers[i].fit != VALUE_OK || value == numbers[i].value, numbers[i].text);
    }
}

static const struct {
    const char *text;
    int64_t ms; /* -1: malformed */
} durations[] = {
    { "300s", 300000 },
    { "10ms", 10 },
    { "1h30m", 5400000 },
    { "0", 0 },
    { "0s", 0 },
    { "1.5h", 5400000 },
    { "1m0.5s", 60500 },
    { ".5s", 500 },
    { "1.001s", 1001 },
    { "1ns", 1 },
    { "1500us", 2 },
    { "2\xC2\xB5s", 1 },
    { "2\xCE\xBCs", 1 },
    { " 5s ", 5000 },
    { "1h1h", 7200000 },
    { "2000ns", 1 },
    { "1000000ns", 1 },
    { "87600h", 315360000000 },
    { "5.s", 5000 },
    { "", -1 },
    { "300", -1 },
    { "-5s", -1 },
    { "+5s", -1 },
    { "5", -1 },
    { "s", -1 },
    { ".s", -1 },
    { "5 s", -1 },
    { "5sec", -1 },
    { "5d", -1 },
    { "1h-30m", -1 },
    { "5S", -1 },
    { "1.2.3s", -1 },
    { "99999999999999999999s", -1 },
    { "18446744073709551615h", -1 },
    { "1e3s", -1 },
    { "00", -1 },
};

TEST(duration_spellings) {
    for (size_t i = 0; i < VSR_COUNT(durations); i++) {
        int64_t ms = -1;
        bool ok = schema_duration(str_from_c(durations[i].text), &ms);
        CHECK_INT(ok ? ms : -1, durations[i].ms, durations[i].text);
    }
}

static const struct {
    const char *text;
    int64_t tokens; /* -1: malformed */
} token_counts[] = {
    { "0", 0 },
    { "", 0 },
    { "  ", 0 },
    { "8000", 8000 },
    { "1K", 1000 },
    { "1k", 1000 },
    { "1.5K", 1500 },
    { "32k", 32000 },
    { "2M", 2000000 },
    { "1.5m", 1500000 },
    { " 8K ", 8000 },
    { ".5K", 500 },
    { "1.0001K", 1000 },
    { "1.9999", 1 },
    { "0.0015K", 1 },
    { "K", -1 },
    { "M", -1 },
    { ".", -1 },
    { ".K", -1 },
    { "-1", -1 },
    { "+1", -1 },
    { "1G", -1 },
    { "1KK", -1 },
    { "1 K", -1 },
    { "1.2.3", -1 },
    { "1e3", -1 },
    { "0x10", -1 },
    { "inf", -1 },
    { "99999999999999999999", -1 },
    { "9999999999999999M", -1 },
};

TEST(token_spellings) {
    for (size_t i = 0; i < VSR_COUNT(token_counts); i++) {
        int64_t tokens = -1;
        bool ok = schema_tokens(str_from_c(token_counts[i].text), &tokens);
        CHECK_INT(ok ? tokens : -1, token_counts[i].tokens, token_counts[i].text);
    }
}

/* ---- strings are verbatim */

static const struct {
    const char *yaml, *want;
} verbatim[] = {
    { "no", "no" },
    { "on", "on" },
    { "yes", "yes" },
    { "1e3", "1e3" },
    { "0123", "0123" },
    { "12:30", "12:30" },
    { "true", "true" },
    { "1_000", "1_000" },
    { "0x1F", "0x1F" },
    { "3.10", "3.10" },
    { "'~'", "~" },
    { "\"null\"", "null" },
    { "a b", "a b" },
    { "'it''s'", "it's" },
    { "\"a\\tb\"", "a\tb" },
    { "''", "" },
    { "-1", "-1" },
    { "!!str ~", "~" },
    { "2024-01-01", "2024-01-01" },
};

TEST(string_spellings) {
    for (size_t i = 0; i < VSR_COUNT(verbatim); i++) {
        struct arena *arena = arena_new(0, 0);
        struct config_load_options options = fake_options();
        const struct config_document *doc = NULL;
        struct diag diag;
        vsr_str text =
            arena_printf(arena, "version: v0.3\nrouting: {modelCards: [{name: m, description: %s, tags: [%s]}]}\n",
                         verbatim[i].yaml, verbatim[i].yaml);
        const struct config_model_card *card;
        CHECK_INT(config_load_text(arena, text, VSR_STR("t"), &options, &doc, &diag), 0, verbatim[i].yaml);
        card = doc->routing.model_cards.items;
        CHECK_STR(card->description, verbatim[i].want, verbatim[i].yaml);
        CHECK_STR(card->tags.items[0], verbatim[i].want, verbatim[i].yaml);
        CHECK_INT(diag.n_warnings, 0, verbatim[i].yaml);
        arena_free(arena);
    }
}

/* ---- every table */

struct tables {
    const struct schema *seen[TABLES_MAX];
    size_t n;
};

static size_t slot_size(const struct field *field) {
    switch (field->kind) {
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_ENUM:
        return sizeof(int);
    case FIELD_STRING:
        return sizeof(vsr_str);
    case FIELD_STRINGS:
        return sizeof(struct config_strings);
    case FIELD_STRING_LISTS:
        return sizeof(struct config_string_lists);
    case FIELD_PAIRS:
        return sizeof(struct config_pairs);
    case FIELD_NUMBER_LIST:
        return sizeof(struct config_numbers);
    case FIELD_INT_LIST:
        return sizeof(struct config_ints);
    case FIELD_NUMBER_MAP:
        return sizeof(struct config_number_map);
    case FIELD_STRINGS_MAP:
        return sizeof(struct config_strings_map);
    case FIELD_OBJECT:
        return field->object->size;
    case FIELD_OBJECTS:
    case FIELD_OBJECT_MAP:
        return sizeof(struct config_list);
    default:
        return 8;
    }
}

static void check_field(const struct schema *schema, size_t index) {
    const struct field *field = &schema->fields[index];
    bool nested = field->kind == FIELD_OBJECT || field->kind == FIELD_OPTIONAL || field->kind == FIELD_OBJECTS ||
                  field->kind == FIELD_OBJECT_MAP;
    bool ranged = field->kind == FIELD_INT || field->kind == FIELD_NUMBER || field->kind == FIELD_DURATION ||
                  field->kind == FIELD_TOKENS || field->kind == FIELD_INT_OR_AUTO || field->kind == FIELD_INT_LIST ||
                  field->kind == FIELD_NUMBER_LIST || field->kind == FIELD_NUMBER_MAP;
    CHECK(field->name && *field->name, schema->name);
    CHECK(field->help && *field->help, field->name);
    CHECK(field->offset >= sizeof(struct config_at), field->name);
    CHECK(field->offset + slot_size(field) <= schema->size, field->name);
    CHECK(nested == (field->object != NULL), field->name);
    CHECK((field->kind == FIELD_ENUM || field->kind == FIELD_STRING || field->kind == FIELD_STRINGS) || !field->choices,
          field->name);
    CHECK(field->kind != FIELD_ENUM || field->choices, field->name);
    CHECK(!(field->flags & FIELD_RANGE) || (ranged && field->least <= field->greatest), field->name);
    CHECK(!field->fallback || !nested || field->kind == FIELD_OBJECTS, field->name);
    CHECK((field->kind == FIELD_VARIANT) == (field->selector && field->n_variants > 0), field->name);
    CHECK(!field->fallback || !(field->flags & FIELD_REQUIRED), field->name);
    for (size_t other = 0; other < index; other++)
        CHECK(strcmp(field->name, schema->fields[other].name) != 0, field->name);
}

static void walk_table(struct tables *tables, const struct schema *schema) {
    for (size_t i = 0; i < tables->n; i++)
        if (tables->seen[i] == schema)
            return;
    CHECK(tables->n < TABLES_MAX, schema->name);
    tables->seen[tables->n++] = schema;
    CHECK(schema->n_fields <= SCHEMA_FIELDS_MAX, schema->name);
    CHECK(schema->size >= sizeof(struct config_at), schema->name);
    for (size_t i = 0; i < schema->n_fields; i++) {
        check_field(schema, i);
        if (schema->fields[i].object)
            walk_table(tables, schema->fields[i].object);
        for (size_t v = 0; v < schema->fields[i].n_variants; v++)
            if (schema->fields[i].variants[v].schema)
                walk_table(tables, schema->fields[i].variants[v].schema);
    }
}

/* Defaults alone must decode without a word, whatever the table. */
static void check_defaults(const struct schema *schema) {
    struct arena *arena = arena_new(0, 0);
    void *object = arena_alloc(arena, schema->size);
    struct config_at *at = object;
    struct schema quiet = *schema;
    struct diag diag;
    quiet.check = NULL;
    diag_init(&diag, arena, VSR_STR("t"));
    CHECK(schema_decode(&quiet, NULL, VSR_STR("x"), object, arena, &diag), schema->name);
    CHECK_INT(diag.n_errors + diag.n_warnings, 0, schema->name);
    CHECK(at->present == 0 && at->node == NULL, schema->name);
    CHECK_STR(at->path, "x", schema->name);
    arena_free(arena);
}

TEST(every_table) {
    struct arena *arena = arena_new(0, 0);
    struct tables tables = { .n = 0 };
    walk_table(&tables, config_schema(arena, &fake_parts));
    CHECK(tables.n > 25, "tables found");
    for (size_t i = 0; i < tables.n; i++)
        check_defaults(tables.seen[i]);
    arena_free(arena);
}

/* ---- printing */

static const struct config_document *load(struct arena *arena, vsr_str text) {
    struct config_load_options options = fake_options();
    const struct config_document *doc = NULL;
    struct diag diag;
    (void)config_load_text(arena, text, VSR_STR("t"), &options, &doc, &diag);
    CHECK_MSG(doc != NULL, "%.*s\n%.*s", VSR_FMT(diag.items[0].message), VSR_FMT(text));
    return doc;
}

static vsr_str print(struct arena *arena, const struct config_document *doc, bool effective) {
    struct buf out;
    vsr_str text;
    buf_init(&out, PRINT_LEN_MAX);
    schema_print(config_schema(arena, &fake_parts), doc, 0, effective, &out);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static const char document[] =
    "version: v0.3\n"
    "providers:\n"
    "  defaults:\n"
    "    reasoning_families: {q: {type: reasoning_effort, parameter: effort}}\n"
    "  models:\n"
    "    - {name: m, backend_refs: [{endpoint: \"h:1\", api_key: hunter2, weight: 0,\n"
    "       extra_headers: {x-api-key: hunter3, x-team: \"a: b\"}}], reliability: {}}\n"
    "routing:\n"
    "  modelCards: [{name: m, tags: [no, \"1\", a b], description: \"line\\nline\", quality_score: 0.1}]\n"
    "  signals: {keywords: [{name: k, keywords: [x], sequences: [[a, b], []], composer: {a: [b, 'c']}}]}\n"
    "  decisions:\n"
    "    - name: d\n"
    "      rules: {operator: and, conditions: [{type: keyword, name: k}, {not: yes, type: keyword, name: k}]}\n"
    "      annotations: {team: [a, {db_password: hunter5}], api_key: hunter6, max_tokens: 5}\n"
    "listeners: [{name: l, address: localhost, port: 0x50, timeout: 1.5s, api_keys: [hunter4, \"\"]}]\n";

static const char canonical[] = "version: v0.3\n"
                                "listeners:\n"
                                "  - name: l\n"
                                "    address: localhost\n"
                                "    port: 80\n"
                                "    timeout: 1500ms\n"
                                "    api_keys: [\"[REDACTED]\", \"\"]\n"
                                "providers:\n"
                                "  defaults:\n"
                                "    reasoning_families:\n"
                                "      q:\n"
                                "        type: reasoning_effort\n"
                                "        parameter: effort\n"
                                "  models:\n"
                                "    - name: m\n"
                                "      reliability: {}\n"
                                "      backend_refs:\n"
                                "        - endpoint: \"h:1\"\n"
                                "          weight: 0\n"
                                "          extra_headers: {x-api-key: \"[REDACTED]\", x-team: \"a: b\"}\n"
                                "          api_key: \"[REDACTED]\"\n"
                                "routing:\n"
                                "  modelCards:\n"
                                "    - name: m\n"
                                "      description: \"line\\nline\"\n"
                                "      quality_score: 0.1\n"
                                "      tags: [\"no\", \"1\", a b]\n"
                                "  signals:\n"
                                "    keywords:\n"
                                "      - name: k\n"
                                "        keywords: [x]\n"
                                "        sequences: [[a, b], []]\n"
                                "        composer: {a: [b, \"c\"]}\n"
                                "  decisions:\n"
                                "    - name: d\n"
                                "      rules:\n"
                                "        operator: AND\n"
                                "        conditions:\n"
                                "          - type: keyword\n"
                                "            name: k\n"
                                "          - type: keyword\n"
                                "            name: k\n"
                                "            not: true\n"
                                "      annotations: {team: [a, {db_password: \"[REDACTED]\"}], "
                                "api_key: \"[REDACTED]\", max_tokens: \"5\"}\n";

TEST(printing) {
    struct arena *arena = arena_new(0, 0);
    vsr_str once = print(arena, load(arena, str_from_c(document)), false);
    CHECK_STR(once, canonical, "canonical");
    CHECK_STR(print(arena, load(arena, once), false), canonical, "printing what was printed changes nothing");
    arena_free(arena);
}

TEST(printing_defaults) {
    static const char *const wanted[] = {
        "auto_model_name: MoM\n",    "timeout_sec: 60\n",        "structured_bytes_per_token: 3\n",
        "base_ejection_time: 30s\n", "lb_policy: round_robin\n", "user_id_header: x-authz-user-id\n",
        "use_reasoning: false\n",    "name: listener_0\n",       "port: 8899\n"
    };
    struct arena *arena = arena_new(0, 0);
    vsr_str text = VSR_STR("version: v0.3\nproviders: {models: [{name: m, backend_refs: [{endpoint: h}]}]}\n"
                           "routing: {modelCards: [{name: m}], decisions: [{name: d, modelRefs: [{model: m}]}]}\n");
    vsr_str full = print(arena, load(arena, text), true);
    for (size_t i = 0; i < VSR_COUNT(wanted); i++)
        CHECK(str_find(full, str_from_c(wanted[i])) >= 0, wanted[i]);
    CHECK_STR(print(arena, load(arena, full), true), arena_c_str(arena, full), "the effective document loads");
    arena_free(arena);
}

RUN_TESTS(T(bool_spellings), T(int_spellings), T(number_spellings), T(duration_spellings), T(token_spellings),
          T(string_spellings), T(every_table), T(printing), T(printing_defaults))
