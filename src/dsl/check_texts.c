/* Texts that only other floors can judge: regular expressions, names and values of headers (dsl.md §6.2). */
#include "core/arena.h"
#include "core/utf8.h"
#include "dsl/check_parts.h"

enum {
    SHOWN_LEN_MAX = 200,
    PATTERN_BYTES_MAX =
        16384, /* of patterns, at worst a tenth of a millisecond each: loading judges what comes behind */
};

static void check_text(struct check *c, vsr_str what, enum config_text kind, const char *code, enum finding_level level,
                       const struct dsl_value *value) {
    const struct config_parts *parts = c->language->parts;
    struct arena_mark mark;
    const char *fault;
    if (!parts->text_fault || value->kind != DSL_STRING || value->text.len == 0)
        return; /* C302 and C305 tell the rest */
    mark = arena_mark(c->scratch);
    fault = parts->text_fault(c->scratch, kind, value->text);
    if (fault)
        (void)finding_add(c->findings, level, code, value->at, "%.*s: \"%.*s\"%s is %s", VSR_FMT(what),
                          VSR_FMT(utf8_cut(value->text, SHOWN_LEN_MAX)), value->text.len > SHOWN_LEN_MAX ? "..." : "",
                          fault);
    arena_rewind(c->scratch, mark);
}

static bool says(const struct dsl_fields *fields, const char *key, const char *word) {
    return str_eq_nocase(dsl_text_of(fields, key), str_from_c(word));
}

/* ---- patterns */

static void check_pattern(struct check *c, vsr_str what, const struct dsl_value *pattern) {
    if (c->pattern_bytes < PATTERN_BYTES_MAX)
        check_text(c, what, CONFIG_TEXT_PATTERN, "C312", FINDING_CONSTRAINT, pattern);
    c->pattern_bytes += pattern->text.len;
}

void dsl_check_keyword_patterns(struct check *c, vsr_str what, const struct dsl_fields *fields) {
    size_t n;
    const struct dsl_value *keywords = dsl_items_of(fields, "keywords", &n);
    if (!says(fields, "method", "regex"))
        return;
    for (size_t i = 0; i < n; i++)
        check_pattern(c, what, &keywords[i]);
}

void dsl_check_structure_pattern(struct check *c, vsr_str what, const struct dsl_fields *fields) {
    const struct dsl_value *feature = dsl_value_of(fields, "feature");
    const struct dsl_value *source =
        feature && feature->kind == DSL_OBJECT ? dsl_value_of(&feature->fields, "source") : NULL;
    const struct dsl_value *pattern =
        source && source->kind == DSL_OBJECT ? dsl_value_of(&source->fields, "pattern") : NULL;
    if (pattern && says(&source->fields, "type", "regex"))
        check_pattern(c, what, pattern);
}

/* ---- headers */

static void check_header(struct check *c, vsr_str what, const struct dsl_value *header) {
    const struct dsl_value *name = header->kind == DSL_OBJECT ? dsl_value_of(&header->fields, "name") : NULL;
    const struct dsl_value *value = header->kind == DSL_OBJECT ? dsl_value_of(&header->fields, "value") : NULL;
    if (name)
        check_text(c, what, CONFIG_TEXT_HEADER_NAME, "C316", FINDING_CONSTRAINT, name);
    if (value)
        check_text(c, what, CONFIG_TEXT_HEADER_VALUE, "C316", FINDING_CONSTRAINT, value);
}

/* One that cannot be there need not be taken away: that is harmless, and not what was meant. */
void dsl_check_headers(struct check *c, vsr_str what, const struct dsl_fields *fields) {
    static const char *const lists[] = { "add", "update" };
    size_t n;
    const struct dsl_value *items;
    for (size_t k = 0; k < VSR_COUNT(lists); k++) {
        items = dsl_items_of(fields, lists[k], &n);
        for (size_t i = 0; i < n; i++)
            check_header(c, what, &items[i]);
    }
    items = dsl_items_of(fields, "delete", &n);
    for (size_t i = 0; i < n; i++)
        check_text(c, what, CONFIG_TEXT_HEADER_NAME, "C316", FINDING_WARNING, &items[i]);
}
