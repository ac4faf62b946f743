/* Names of signal rules, rules that are implied, and what nothing refers to (config.md §7.3, signals.md §13). */
#include <stdlib.h>

#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"

/* By contract the first field of a family's rule is its name. */
static vsr_str rule_name(const struct config_family *family, const char *rule) {
    const void *slot = rule + family->schema->fields[0].offset;
    return *(const vsr_str *)slot;
}

static void check_name(struct check *c, const struct config_family *family, const char *rule) {
    vsr_str name = rule_name(family, rule);
    struct diag_at at = schema_field_at(family->schema, rule, "name", c->arena);
    if (str_trim(name).len != name.len)
        diag_error(c->diag, "E_RANGE", at, VSR_STR(""), "the name must not begin or end with blanks");
    if (str_find_char(name, ':') >= 0)
        diag_error(c->diag, "E_RANGE", at, VSR_STR("a colon separates the parts of a reference"),
                   "the name must not hold \":\"");
}

static void check_family_rules(struct check *c, size_t index) {
    const struct config_family *family = &c->options->parts.families.items[index];
    const struct config_list *rules = &c->routing->signals.rules[index];
    const char *kind = arena_printf(c->arena, "%s rule", family->type).ptr;
    for (size_t i = 0; i < rules->n; i++) {
        const char *rule = (const char *)rules->items + i * family->schema->size;
        check_unique(c, &c->rules[index], rule_name(family, rule), family->schema, rule, kind);
        check_name(c, family, rule);
    }
    if (family->check && rules->n)
        family->check(c->doc, rules, c->arena, c->diag);
}

/* ---- implied rules */

/* Names that leaves of one family use. */
struct implied {
    struct arena *arena;
    vsr_str type;
    vsr_str *items;
    size_t n, cap;
};

static void collect_names(struct implied *names, const struct config_rule *rule) {
    if (rule->name.len && str_eq_nocase(str_trim(rule->type), names->type)) {
        names->items = arena_grow(names->arena, names->items, sizeof(*names->items), names->n, &names->cap);
        names->items[names->n++] = rule->name;
    }
    CONFIG_EACH(const struct config_rule, child, &rule->conditions)
    collect_names(names, child);
}

static int compare_names(const void *left, const void *right) {
    const vsr_str *a = left, *b = right;
    return str_cmp(*a, *b);
}

static void imply_rules(struct check *c, size_t index) {
    const struct config_family *family = &c->options->parts.families.items[index];
    struct implied names = { .arena = c->scratch, .type = str_from_c(family->type) };
    size_t n = 0;
    CONFIG_EACH(const struct config_decision, decision, &c->routing->decisions)
    if (decision->rules)
        collect_names(&names, decision->rules);
    if (names.n == 0)
        return;
    qsort(names.items, names.n, sizeof(*names.items), compare_names);
    for (size_t i = 0; i < names.n; i++)
        if (i == 0 || !str_eq(names.items[i], names.items[n - 1]))
            names.items[n++] = names.items[i];
    family->imply(names.items, n, c->arena, &c->routing->signals.rules[index]);
}

void check_signals(struct check *c) {
    for (size_t i = 0; i < c->options->parts.families.n; i++)
        if (c->options->parts.families.items[i].imply && c->routing->signals.rules[i].n == 0)
            imply_rules(c, i);
    for (size_t i = 0; i < c->options->parts.families.n; i++)
        check_family_rules(c, i);
}

/* ---- unused */

static void warn_unused_rules(struct check *c, size_t index) {
    const struct config_family *family = &c->options->parts.families.items[index];
    /* A family that reads more than names into a reference is not judged. */
    for (size_t i = 0; i < c->rules[index].n && !family->declares; i++) {
        const struct check_name *entry = c->rules[index].entries[i].value;
        if (!entry->used)
            diag_warn(c->diag, "W_UNUSED", schema_at(entry->at), VSR_STR(""),
                      "%s rule \"%.*s\" is used by no decision and no projection", family->type,
                      VSR_FMT(c->rules[index].entries[i].key));
    }
}

/* A mapping of which one output is used is in use: the other bands are what that one is not. */
static void warn_unused_mappings(struct check *c) {
    for (size_t i = 0; i < c->outputs.n; i++) {
        const struct check_name *output = c->outputs.entries[i].value;
        struct check_name *mapping = output->owner;
        mapping->used |= output->used;
    }
    for (size_t i = 0; i < c->mappings.n; i++) {
        const struct check_name *mapping = c->mappings.entries[i].value;
        if (!mapping->used)
            diag_warn(c->diag, "W_UNUSED", schema_at(mapping->at), VSR_STR(""),
                      "mapping \"%.*s\" is used by no decision and no score", VSR_FMT(c->mappings.entries[i].key));
    }
}

void check_unused(struct check *c) {
    for (size_t i = 0; i < c->options->parts.families.n; i++)
        warn_unused_rules(c, i);
    warn_unused_mappings(c);
}
