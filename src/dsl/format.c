#include "dsl/format.h"

#include "core/arena.h"
#include "dsl/format_parts.h"
#include "dsl/spelling.h"

static struct format_list declarations(const struct format *f, const struct dsl_program *program, uint32_t open,
                                       uint32_t close, int indent);

/* ---- headers */

static const struct language_block *block_of(const struct format *f, const struct dsl_decl *decl) {
    const struct language *language = f->language;
    switch (decl->kind) {
    case DSL_ROUTING:
        return language->routing;
    case DSL_ENTRYPOINT:
        return language->entrypoint;
    case DSL_SIGNAL_DECL:
        return language_block(language, LANGUAGE_SIGNALS, decl->type.text);
    case DSL_PARTITION:
        return language->partition;
    case DSL_SCORE:
        return language->score;
    case DSL_MAPPING:
        return language->mapping;
    case DSL_MODEL:
        return language->model;
    case DSL_PLUGIN:
        return language_block(language, LANGUAGE_PLUGINS, decl->type.text);
    default:
        return NULL;
    }
}

/* `strategy` is the one value that is a bare word in canonical text. */
static void flat_options(struct format *f, const struct dsl_fields *options) {
    buf_append_c(f->out, " (");
    for (size_t i = 0; i < options->n; i++) {
        const struct dsl_field *option = &options->items[i];
        buf_append_c(f->out, i ? ", " : "");
        spell_name(f->out, option->key.text);
        buf_append_c(f->out, " = ");
        if (option->value.kind == DSL_STRING && str_eq_c(option->key.text, "strategy"))
            spell_word(f->out, option->value.text);
        else
            format_flat_value(f, &option->value, NULL, f->out);
    }
    buf_append_char(f->out, ')');
}

static void write_name(struct format *f, const struct dsl_name *name) {
    if (!name->at.line)
        return;
    buf_append_char(f->out, ' ');
    spell_name(f->out, name->text);
}

/* The type of a signal stands before its name, that of a template behind it. */
static void write_header(struct format *f, const struct dsl_decl *decl) {
    buf_append_c(f->out, dsl_decl_keyword(decl->kind));
    if (decl->kind == DSL_SIGNAL_DECL)
        write_name(f, &decl->type);
    write_name(f, &decl->name);
    if (decl->kind == DSL_PLUGIN)
        write_name(f, &decl->type);
    if (decl->options.n)
        flat_options(f, &decl->options);
    buf_append_char(f->out, ' ');
}

/* The byte of the brace that opens what it declares. */
static uint32_t open_of(const struct format *f, const struct dsl_decl *decl) {
    if (decl->kind == DSL_ROUTE)
        return decl->body.at.start;
    if (decl->fields.at.line)
        return decl->fields.at.start;
    return format_open(f, decl->options.at.line ? decl->options.at.end : decl->name.at.end);
}

/* ---- what stands in braces */

static void write_routing_field(struct format *f, const struct format_unit *unit, int indent) {
    const struct dsl_field *field = unit->node;
    spell_name(f->out, field->key.text);
    buf_append_c(f->out, ": ");
    if (field->value.kind == DSL_STRING && str_eq_c(field->key.text, "strategy"))
        spell_word(f->out, field->value.text);
    else
        format_value(f, &field->value, unit->context, indent);
}

static void close_block(struct format *f, struct format_list *list, int indent) {
    buf_append_char(f->out, '{');
    format_units(f, list);
    format_indent(f, indent);
    buf_append_char(f->out, '}');
}

static void write_routing(struct format *f, const struct dsl_decl *decl, int indent) {
    struct format_list list = format_fields(f, &decl->fields, f->language->routing, indent + 2);
    list.write = write_routing_field;
    close_block(f, &list, indent);
}

static void write_template(struct format *f, const struct dsl_decl *decl, int indent) {
    if (decl->fields.n == 0 && format_n_comments(f, decl->fields.at.start, decl->fields.at.end) == 0)
        buf_append_c(f->out, "{}");
    else
        format_block(f, &decl->fields, block_of(f, decl), indent);
}

static void write_recipe(struct format *f, const struct dsl_decl *decl, int indent) {
    const struct dsl_program *scope = f->scope;
    struct format_list list = declarations(f, decl->recipe, open_of(f, decl) + 1, decl->whole.end - 1, indent + 2);
    f->scope = decl->recipe;
    close_block(f, &list, indent);
    f->scope = scope;
}

static void write_branch(struct format *f, const struct format_unit *unit, int indent) {
    const struct dsl_branch *branch = unit->node;
    const struct dsl_decl *tree = unit->context;
    buf_append_c(f->out, branch == tree->branches ? "IF " : branch->when ? "ELSE IF " : "ELSE ");
    if (branch->when) {
        format_condition(f, branch->when, indent + 2, 2);
        buf_append_char(f->out, ' ');
    }
    format_body(f, &branch->body, indent);
}

static void write_tree(struct format *f, const struct dsl_decl *decl, int indent) {
    struct format_list list = { .n = decl->n_branches, .open = open_of(f, decl) + 1, .close = decl->whole.end - 1 };
    list.indent = indent + 2;
    list.write = write_branch;
    list.units = ARENA_ARRAY(f->arena, struct format_unit, list.n);
    for (size_t i = 0; i < list.n; i++) {
        const struct dsl_branch *branch = &decl->branches[i];
        list.units[i] = (struct format_unit){ .node = branch,
                                              .context = decl,
                                              .start = branch->at.start,
                                              .body = branch->body.at.start,
                                              .end = branch->body.at.end };
    }
    close_block(f, &list, indent);
}

static void write_case(struct format *f, const struct format_unit *unit, int indent) {
    const struct dsl_test_case *test = unit->node;
    spell_string(f->out, test->query.text);
    buf_append_c(f->out, " -> ");
    spell_name(f->out, test->route.text);
    if (test->facts.at.line) {
        struct dsl_value facts = { .kind = DSL_OBJECT, .at = test->facts.at, .fields = test->facts };
        buf_append_char(f->out, ' ');
        format_value(f, &facts, NULL, indent);
    }
}

static void write_cases(struct format *f, const struct dsl_decl *decl, int indent) {
    struct format_list list = { .n = decl->n_cases, .open = open_of(f, decl) + 1, .close = decl->whole.end - 1 };
    list.indent = indent + 2;
    list.write = write_case;
    list.units = ARENA_ARRAY(f->arena, struct format_unit, list.n);
    for (size_t i = 0; i < list.n; i++) {
        const struct dsl_test_case *test = &decl->cases[i];
        bool facts = test->facts.at.line != 0;
        list.units[i] = (struct format_unit){ .node = test,
                                              .start = test->query.at.start,
                                              .body = facts ? test->facts.at.start : test->route.at.end,
                                              .end = facts ? test->facts.at.end : test->route.at.end };
    }
    close_block(f, &list, indent);
}

/* ---- declarations */

static void write_declaration(struct format *f, const struct format_unit *unit, int indent) {
    const struct dsl_decl *decl = unit->node;
    struct arena_mark mark = arena_mark(f->arena);
    write_header(f, decl);
    switch (decl->kind) {
    case DSL_ROUTING:
        write_routing(f, decl, indent);
        break;
    case DSL_RECIPE:
        write_recipe(f, decl, indent);
        break;
    case DSL_ROUTE:
        format_body(f, &decl->body, indent);
        break;
    case DSL_TREE:
        write_tree(f, decl, indent);
        break;
    case DSL_TEST:
        write_cases(f, decl, indent);
        break;
    case DSL_PLUGIN:
        write_template(f, decl, indent);
        break;
    default:
        format_block(f, &decl->fields, block_of(f, decl), indent);
    }
    arena_rewind(f->arena, mark);
}

static struct format_list declarations(const struct format *f, const struct dsl_program *program, uint32_t open,
                                       uint32_t close, int indent) {
    struct format_list list = { .n = program->n, .open = open, .close = close, .indent = indent, .spaced = true };
    list.write = write_declaration;
    list.units = ARENA_ARRAY(f->arena, struct format_unit, program->n);
    for (size_t i = 0; i < program->n; i++) {
        const struct dsl_decl *decl = &program->decls[i];
        list.units[i] = (struct format_unit){
            .node = decl, .start = decl->at.start, .body = open_of(f, decl), .end = decl->whole.end
        };
    }
    return list;
}

void dsl_format(const struct language *language, const struct dsl_parsed *parsed, struct buf *out) {
    struct format f = { .language = language, .parsed = parsed, .scope = &parsed->program, .out = out };
    struct format_list list;
    f.arena = arena_new(0, 0);
    list = declarations(&f, &parsed->program, 0, (uint32_t)parsed->source.len, 0);
    list.whole_file = true;
    format_units(&f, &list);
    arena_free(f.arena);
}
