#include "signal/rule_checks.h"

#include "core/arena.h"
#include "core/map.h"
#include "text/pattern_set.h"
#include "text/regex.h"

vsr_str rule_name(const struct config_list *rules, const struct schema *schema, size_t index) {
    const char *rule = (const char *)rules->items + index * schema->size;
    return *(const vsr_str *)(const void *)(rule + schema->fields[0].offset);
}

void rule_check_case_names(const struct config_list *rules, const struct schema *schema, struct arena *arena,
                           struct diag *diag) {
    struct map seen; /* folded name -> index + 1 */
    map_init(&seen, arena);
    for (size_t i = 0; i < rules->n; i++) {
        vsr_str name = rule_name(rules, schema, i), other;
        uintptr_t before = (uintptr_t)map_put(&seen, arena_str_lower(arena, name), (void *)(uintptr_t)(i + 1));
        if (!before)
            continue;
        other = rule_name(rules, schema, before - 1);
        if (!str_eq(other, name))
            diag_error(diag, "E_DUP",
                       schema_field_at(schema, (const char *)rules->items + i * schema->size, "name", arena),
                       (vsr_str){ 0 }, "name \"%.*s\" differs from \"%.*s\" in case only", VSR_FMT(name),
                       VSR_FMT(other));
    }
}

void rule_check_exists(const void *rule, const struct schema *schema, bool exists,
                       const struct config_predicate *predicate, struct arena *arena, struct diag *diag) {
    if (exists && predicate)
        diag_error(diag, "E_CONFLICT", schema_field_at(schema, rule, "predicate", arena),
                   VSR_STR("use feature.type count"), "predicate and feature.type \"exists\" exclude each other");
}

struct diag_at rule_entry_at(const void *object, const char *field, const struct config_strings *list, size_t index,
                             struct arena *arena) {
    struct diag_at at = schema_at(object);
    at.path = arena_printf(arena, "%.*s.%s[%zu]", VSR_FMT(at.path), field, index);
    if (list->nodes && list->nodes[index]) {
        at.line = list->nodes[index]->line;
        at.col = list->nodes[index]->col;
    }
    return at;
}

struct regex *rule_parse_regex(vsr_str pattern, bool case_sensitive, struct diag_at at, struct arena *arena,
                               struct diag *diag) {
    struct regex_options options = { .ignore_case = !case_sensitive };
    struct regex *regex;
    struct vsr_err err = VSR_ERR_NONE;
    if (regex_parse(arena, pattern, &options, &regex, &err) < 0) {
        diag_error(diag, "E_TYPE", at, VSR_STR("patterns are regular expressions in RE2 syntax"),
                   "pattern \"%.*s\" is not a regular expression: %s (byte %u)", VSR_FMT(pattern), err.text, err.col);
        return NULL;
    }
    if (regex_matches_empty(regex)) {
        diag_error(diag, "E_RANGE", at, VSR_STR("require at least one character"),
                   "pattern \"%.*s\" can match the empty string, so it would match every text", VSR_FMT(pattern));
        return NULL;
    }
    return regex;
}

void rule_check_literals(const void *object, const char *field, const struct config_strings *list, struct arena *arena,
                         struct diag *diag) {
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].len > PATTERN_LITERAL_LEN_MAX)
            diag_error(diag, "E_RANGE", rule_entry_at(object, field, list, i, arena), (vsr_str){ 0 },
                       "entry has %zu bytes, at most %d can be searched for", list->items[i].len,
                       PATTERN_LITERAL_LEN_MAX);
}
