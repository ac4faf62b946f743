#include "config/check.h"

#include "config/address.h"
#include "core/arena.h"
#include "core/url.h"
#include "net/http1.h"

struct check_name *check_unique(struct check *c, struct map *map, vsr_str name, const struct schema *schema,
                                const void *object, const char *kind) {
    struct check_name *entry = map_get(map, name);
    if (entry) {
        struct diag_at first = schema_field_at(schema, entry->at, "name", c->scratch);
        diag_error(c->diag, "E_DUP", schema_field_at(schema, object, "name", c->arena), VSR_STR(""),
                   "%s name \"%.*s\" is already used at line %u, column %u", kind, VSR_FMT(name), first.line,
                   first.col);
        return entry;
    }
    entry = ARENA_NEW(c->scratch, struct check_name);
    entry->at = object;
    map_put(map, name, entry);
    return entry;
}

vsr_str check_suggest(struct check *c, const struct map *map, vsr_str found) {
    struct arena_mark mark = arena_mark(c->scratch);
    vsr_str *names = ARENA_ARRAY(c->scratch, vsr_str, map->n), hint;
    for (size_t i = 0; i < map->n; i++)
        names[i] = map->entries[i].key;
    hint = diag_suggest(c->diag, found, names, map->n);
    arena_rewind(c->scratch, mark);
    return hint;
}

bool check_is_open(const void *object, const char *field) {
    const struct config_at *at = object;
    const struct yaml_node *node = yaml_get(at->node, str_from_c(field));
    return node && node->reference;
}

struct diag_at check_placed(struct diag_at at, struct diag_at asked) {
    if (at.line == 0) {
        at.line = asked.line;
        at.col = asked.col;
    }
    return at;
}

bool check_is_http_url(struct check *c, vsr_str url) {
    struct address address;
    return (str_starts(url, VSR_STR("http://")) || str_starts(url, VSR_STR("https://"))) &&
           str_find_char(url, ' ') < 0 && str_find_char(url, '\t') < 0 &&
           !address_parse(url, false, c->scratch, &address);
}

bool check_is_missing(const void *object, const char *field, vsr_str text) {
    return str_trim(text).len == 0 && !check_is_open(object, field);
}

void check_tool_server(struct check *c, const struct schema *schema, const void *object,
                       const struct config_tool_server *server, struct diag_at asked) {
    bool is_stdio = server->transport_type == MCP_STDIO;
    const char *needed = server->transport_type == MCP_UNSET ? "transport_type" : is_stdio ? "command" : "url";
    struct diag_at at = check_placed(schema_field_at(schema, object, needed, c->arena), asked);
    if (check_is_open(object, "transport_type") || check_is_open(object, needed))
        return;
    if (server->transport_type == MCP_UNSET)
        diag_error(c->diag, "E_REQUIRED", at, VSR_STR(""), "missing, needed for a tool server: stdio or http");
    else if (str_trim(is_stdio ? server->command : server->url).len == 0)
        diag_error(c->diag, "E_REQUIRED", at, VSR_STR(""), "the transport %s needs a %s", is_stdio ? "stdio" : "http",
                   needed);
    else if (!is_stdio && !check_is_http_url(c, server->url))
        diag_error(c->diag, "E_TYPE", at, VSR_STR(""),
                   "expected an absolute URL such as https://host/mcp, found \"%.*s\"",
                   VSR_FMT(url_shown(c->scratch, server->url)));
}

struct diag_at check_pair_at(struct check *c, const void *object, const char *field, vsr_str key) {
    const struct config_at *at = object;
    const struct yaml_node *node = yaml_get_key(yaml_get(at->node, str_from_c(field)), key);
    struct diag_at place = schema_at(object);
    if (node) {
        place.line = node->line;
        place.col = node->col;
    }
    place.path = schema_path(c->arena, schema_path(c->arena, at->path, str_from_c(field)), key);
    return place;
}

int check_family(const struct check *c, vsr_str type) {
    type = str_trim(type);
    for (size_t i = 0; i < c->options->parts.families.n; i++)
        if (str_eq_nocase(type, str_from_c(c->options->parts.families.items[i].type)))
            return (int)i;
    return str_eq_nocase(type, VSR_STR("projection")) ? CONFIG_PROJECTION : CHECK_NO_FAMILY;
}

static void report_type(struct check *c, struct diag_at at, vsr_str type, bool projections) {
    vsr_str names[CONFIG_FAMILIES_MAX + 1], all = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < c->options->parts.families.n; i++)
        names[n++] = str_from_c(c->options->parts.families.items[i].type);
    if (projections)
        names[n++] = VSR_STR("projection");
    for (size_t i = 0; i < n; i++)
        all = arena_printf(c->scratch, "%.*s%s%.*s", VSR_FMT(all), i ? ", " : "", VSR_FMT(names[i]));
    diag_error(c->diag, "E_ENUM", at, diag_suggest(c->diag, type, names, n), "\"%.*s\" is not one of %.*s",
               VSR_FMT(type), VSR_FMT(all));
}

void check_unknown_type(struct check *c, struct diag_at at, vsr_str type) {
    report_type(c, at, type, true);
}

void check_unknown_family(struct check *c, struct diag_at at, vsr_str type) {
    report_type(c, at, type, false);
}

/* The rule in `<rule>:<level>`; reports a name without a level that exists. */
static bool split_level(struct check *c, struct diag_at at, const struct config_family *f, vsr_str name,
                        vsr_str *ret_rule) {
    ptrdiff_t colon = str_find_last_char(name, ':');
    vsr_str level = colon < 0 ? VSR_STR("") : str_sub(name, (size_t)colon + 1, name.len), names[8], all = { 0 };
    size_t n = 0;
    *ret_rule = colon < 0 ? name : str_sub(name, 0, (size_t)colon);
    for (; f->levels[n] && n < VSR_COUNT(names); n++) {
        if (colon >= 0 && str_eq_c(level, f->levels[n]))
            return true;
        names[n] = str_from_c(f->levels[n]);
        all = arena_printf(c->scratch, "%.*s%s%.*s:%s", VSR_FMT(all), n ? ", " : "", VSR_FMT(*ret_rule), f->levels[n]);
    }
    diag_error(c->diag, "E_REF", at, colon < 0 ? VSR_STR("") : diag_suggest(c->diag, level, names, n),
               "%s \"%.*s\" does not end in a level, as in %.*s", f->type, VSR_FMT(name), VSR_FMT(all));
    return false;
}

bool check_rule_name(struct check *c, struct diag_at at, int family, vsr_str name) {
    const struct config_family *f = &c->options->parts.families.items[family];
    struct check_name *entry;
    bool declared;
    if (f->levels && !split_level(c, at, f, name, &name))
        return false;
    entry = map_get(&c->rules[family], name);
    declared = f->declares ? f->declares(&c->routing->signals.rules[family], name) : entry != NULL;
    if (entry)
        entry->used = true;
    if (!declared)
        diag_error(c->diag, "E_REF", at, check_suggest(c, &c->rules[family], name),
                   "%s rule \"%.*s\" is not declared under routing.signals.%s in recipe %.*s", f->type, VSR_FMT(name),
                   f->list_key, VSR_FMT(c->scope->name));
    return declared;
}

bool check_label_name(struct check *c, struct diag_at at, int family, vsr_str rule, vsr_str label) {
    const struct config_family *f = &c->options->parts.families.items[family];
    const struct check_name *entry = map_get(&c->rules[family], rule);
    const struct config_strings *labels = entry && f->labels_of ? f->labels_of(entry->at) : NULL;
    if (!labels)
        return true; /* nothing to compare with, or reported already */
    for (size_t i = 0; i < labels->n; i++)
        if (str_eq(labels->items[i], label))
            return true;
    diag_error(c->diag, "E_REF", at, diag_suggest(c->diag, label, labels->items, labels->n),
               "%s \"%.*s\" has no label \"%.*s\"", f->type, VSR_FMT(rule), VSR_FMT(label));
    return false;
}

struct check_name *check_output_name(struct check *c, struct diag_at at, vsr_str name) {
    struct check_name *entry = map_get(&c->outputs, name);
    const char *other = map_get(&c->scores, name) ? "score" : map_get(&c->mappings, name) ? "mapping" : NULL;
    if (entry)
        entry->used = true;
    else if (other)
        diag_error(c->diag, "E_REF", at, VSR_STR("name an output of a mapping"),
                   "\"%.*s\" is a %s, not the output of a mapping, in recipe %.*s", VSR_FMT(name), other,
                   VSR_FMT(c->scope->name));
    else
        diag_error(c->diag, "E_REF", at, check_suggest(c, &c->outputs, name),
                   "projection \"%.*s\" is not the output of a mapping in recipe %.*s", VSR_FMT(name),
                   VSR_FMT(c->scope->name));
    return entry;
}

/* ---- what goes into requests */

bool check_is_key(vsr_str key) {
    return http1_value_ok(key) && str_find_char(key, '\t') < 0;
}

bool check_is_path(vsr_str path) {
    return path.len > 0 && path.ptr[0] == '/' && http1_target_ok(path);
}
