#include <inttypes.h>

#include "core/arena.h"
#include "dsl/format_parts.h"
#include "dsl/spelling.h"

/* ---- conditions */

static const char *operator_of(const struct dsl_expr *chain) {
    return chain->kind == DSL_AND ? "AND " : "OR ";
}

static void flat_signal(const struct format *f, const struct dsl_expr *expr, struct buf *out) {
    buf_append(out, expr->type.text);
    buf_append_char(out, '(');
    spell_string(out, expr->name.text);
    format_flat_fields(f, &expr->fields, f->language->leaf, ", ", ": ", out);
    buf_append_char(out, ')');
}

static void flat_condition(const struct format *f, const void *node, const void *context, struct buf *out) {
    const struct dsl_expr *expr = node;
    buf_append_c(out, expr->parens ? "(" : "");
    if (expr->kind == DSL_SIGNAL)
        flat_signal(f, expr, out);
    if (expr->kind == DSL_NOT)
        buf_append_c(out, "NOT ");
    for (size_t i = 0; i < expr->n_items && !buf_failed(out); i++) {
        if (i) {
            buf_append_char(out, ' ');
            buf_append_c(out, operator_of(expr));
        }
        flat_condition(f, expr->items[i], context, out);
    }
    buf_append_c(out, expr->parens ? ")" : "");
}

static void start_line(struct format *f, int indent) {
    buf_append_char(f->out, '\n');
    format_indent(f, indent);
}

/* What does not fit is broken before each operator of its outermost chain. */
static void write_condition(struct format *f, const struct dsl_expr *expr, int indent, size_t reserve) {
    bool chain = expr->kind == DSL_AND || expr->kind == DSL_OR;
    if (format_fits(f, flat_condition, expr, NULL, reserve))
        return;
    if (expr->parens && chain) {
        buf_append_char(f->out, '(');
        start_line(f, indent + 2);
    } else if (expr->parens) {
        buf_append_char(f->out, '(');
    }
    if (expr->kind == DSL_SIGNAL)
        flat_signal(f, expr, f->out);
    if (expr->kind == DSL_NOT)
        buf_append_c(f->out, "NOT ");
    for (size_t i = 0; i < expr->n_items; i++) {
        int inner = chain && expr->parens ? indent + 2 : indent;
        if (i) {
            start_line(f, inner);
            buf_append_c(f->out, operator_of(expr));
        }
        write_condition(f, expr->items[i], chain && !expr->items[i]->parens ? inner + 2 : inner, 1);
    }
    if (expr->parens && chain)
        start_line(f, indent);
    if (expr->parens)
        buf_append_char(f->out, ')');
}

void format_condition(struct format *f, const struct dsl_expr *expr, int indent, size_t reserve) {
    write_condition(f, expr, indent, reserve);
}

/* ---- models */

/* `param_size` belongs to the card, and stands behind what belongs to the reference. */
static void flat_ref(const struct format *f, const void *node, const void *context, struct buf *out) {
    const struct dsl_model_ref *ref = node;
    (void)context;
    spell_string(out, ref->model.text);
    format_flat_options(f, &ref->options, f->language->ref, out);
}

static uint32_t ref_end(const struct dsl_model_ref *ref) {
    return ref->options.at.line ? ref->options.at.end : ref->model.at.end;
}

static struct format_list refs_list(const struct format *f, const struct dsl_model_list *models, uint32_t open,
                                    uint32_t close, int indent) {
    struct format_list list = { .n = models->n, .open = open, .close = close, .indent = indent, .separator = "," };
    list.units = ARENA_ARRAY(f->arena, struct format_unit, models->n);
    for (size_t i = 0; i < models->n; i++) {
        uint32_t start = models->items[i].model.at.start, end = ref_end(&models->items[i]);
        list.units[i] = (struct format_unit){ .node = &models->items[i], .start = start, .body = end, .end = end };
    }
    return list;
}

/* One a line, below each other; comments up to the end of the first stand above the item. */
static void write_models(struct format *f, const struct dsl_item *item, int indent) {
    enum { BEHIND_KEYWORD = sizeof("MODEL ") - 1 };
    struct format_list list =
        refs_list(f, &item->models, item->models.n ? ref_end(&item->models.items[0]) : item->at.end, item->whole.end,
                  indent + BEHIND_KEYWORD);
    format_attach(f, &list);
    buf_append_c(f->out, "MODEL ");
    for (size_t i = 0; i < list.n; i++) {
        if (i) {
            buf_append_c(f->out, ",");
            format_behind(f, &list.units[i - 1]);
            buf_append_char(f->out, '\n');
            format_above(f, list.units[i].above, list.units[i].end, list.indent);
            format_indent(f, list.indent);
        }
        flat_ref(f, list.units[i].node, NULL, f->out);
    }
}

/* ---- FOR */

static void write_listed(struct format *f, const struct format_unit *unit, int indent) {
    (void)indent;
    flat_ref(f, unit->node, NULL, f->out);
}

static void flat_listed(const struct format *f, const void *node, const void *context, struct buf *out) {
    const struct dsl_model_list *models = node;
    buf_append_char(out, '[');
    for (size_t i = 0; i < models->n && !buf_failed(out); i++) {
        buf_append_c(out, i ? ", " : "");
        flat_ref(f, &models->items[i], context, out);
    }
    buf_append_char(out, ']');
}

static void write_output(struct format *f, const struct format_unit *unit, int indent) {
    const struct dsl_model_ref *ref = unit->node;
    const struct dsl_item *loop = unit->context;
    (void)indent;
    buf_append_c(f->out, "MODEL ");
    if (str_eq(ref->model.text, loop->name.text) && !dsl_is_item_word(ref->model.text))
        spell_name(f->out, ref->model.text);
    else
        spell_string(f->out, ref->model.text);
    format_flat_options(f, &ref->options, f->language->ref, f->out);
}

/* Where the list of models, or the name of the source, ends. */
static uint32_t source_end(const struct dsl_item *item) {
    return item->source.at.line ? item->source.at.end
           : item->models.n     ? ref_end(&item->models.items[item->models.n - 1])
                                : item->name.at.end;
}

/* Comments of the list stand above the item: none is left in it. */
static void write_source(struct format *f, const struct dsl_item *item, int indent) {
    struct format_list list = refs_list(f, &item->models, 0, 0, indent + 2);
    list.write = write_listed;
    if (item->source.at.line) {
        spell_name(f->out, item->source.text);
    } else if (!format_fits(f, flat_listed, &item->models, NULL, 2)) {
        buf_append_char(f->out, '[');
        for (size_t i = 0; i < list.n; i++) {
            start_line(f, indent + 2);
            flat_ref(f, list.units[i].node, NULL, f->out);
            buf_append_c(f->out, i + 1 < list.n ? "," : "");
        }
        start_line(f, indent);
        buf_append_char(f->out, ']');
    }
}

static void write_for(struct format *f, const struct dsl_item *item, int indent) {
    struct format_list outputs;
    uint32_t open = format_open(f, source_end(item));
    buf_printf(f->out, "FOR %.*s IN ", VSR_FMT(item->name.text));
    write_source(f, item, indent);
    buf_append_c(f->out, " {");
    outputs = refs_list(f, &item->outputs, open + 1, item->whole.end - 1, indent + 2);
    outputs.separator = NULL;
    outputs.write = write_output;
    for (size_t i = 0; i < outputs.n; i++) {
        outputs.units[i].context = item;
        outputs.units[i].start = format_with_word(f, outputs.units[i].start, VSR_STR("MODEL"));
    }
    format_units(f, &outputs);
    format_indent(f, indent);
    buf_append_char(f->out, '}');
}

/* ---- ALGORITHM, PLUGIN, EMIT, EXTRA */

/* The block of a plugin: that of the template of this name in the scope, else of the type. */
static const struct language_block *plugin_block(const struct format *f, vsr_str name) {
    const struct dsl_decl *template = NULL;
    DSL_EACH(decl, f->scope, DSL_PLUGIN)
    if (str_eq(decl->name.text, name))
        template = decl;
    return language_block(f->language, LANGUAGE_PLUGINS, template ? template->type.text : name);
}

static const struct language_block *item_block(const struct format *f, const struct dsl_item *item) {
    switch (item->kind) {
    case DSL_ITEM_ALGORITHM:
        return language_block(f->language, LANGUAGE_ALGORITHMS, item->name.text);
    case DSL_ITEM_PLUGIN:
        return plugin_block(f, item->name.text);
    case DSL_ITEM_EMIT:
        return f->language->retention;
    default:
        return f->language->extra;
    }
}

static void write_block(struct format *f, const char *keyword, const struct dsl_item *item, int indent) {
    bool braces = item->kind == DSL_ITEM_EMIT || item->kind == DSL_ITEM_EXTRA;
    size_t n_comments = item->fields.at.line ? format_n_comments(f, item->fields.at.start, item->fields.at.end) : 0;
    buf_append_c(f->out, keyword);
    if (item->name.at.line) {
        buf_append_char(f->out, ' ');
        spell_name(f->out, item->name.text);
    }
    if (item->fields.n > 0 || n_comments > 0) {
        buf_append_char(f->out, ' ');
        format_block(f, &item->fields, item_block(f, item), indent);
    } else if (braces) {
        buf_append_c(f->out, " {}");
    }
}

/* ---- items */

static void write_item(struct format *f, const struct format_unit *unit, int indent) {
    const struct dsl_item *item = unit->node;
    struct arena_mark mark = arena_mark(f->arena);
    switch (item->kind) {
    case DSL_ITEM_PRIORITY:
        buf_printf(f->out, "PRIORITY %" PRId64, item->value.integer);
        break;
    case DSL_ITEM_TIER:
        buf_printf(f->out, "TIER %" PRId64, item->value.integer);
        break;
    case DSL_ITEM_WHEN:
        buf_append_c(f->out, "WHEN ");
        format_condition(f, item->when, indent + 2, 0);
        break;
    case DSL_ITEM_DESCRIPTION:
        buf_append_c(f->out, "DESCRIPTION ");
        spell_string(f->out, item->value.text);
        break;
    case DSL_ITEM_NAME:
        buf_append_c(f->out, "NAME ");
        spell_string(f->out, item->name.text);
        break;
    case DSL_ITEM_MODEL:
        write_models(f, item, indent);
        break;
    case DSL_ITEM_FOR:
        write_for(f, item, indent);
        break;
    case DSL_ITEM_ALGORITHM:
        write_block(f, "ALGORITHM", item, indent);
        break;
    case DSL_ITEM_PLUGIN:
        write_block(f, "PLUGIN", item, indent);
        break;
    case DSL_ITEM_EMIT:
        write_block(f, "EMIT", item, indent);
        break;
    case DSL_ITEM_EXTRA:
        write_block(f, "EXTRA", item, indent);
        break;
    }
    arena_rewind(f->arena, mark);
}

/* Up to where comments of an item stand above it. */
static uint32_t item_body(const struct format *f, const struct dsl_item *item) {
    switch (item->kind) {
    case DSL_ITEM_MODEL:
        return item->models.n ? ref_end(&item->models.items[0]) : item->whole.end;
    case DSL_ITEM_FOR:
        return format_open(f, source_end(item));
    case DSL_ITEM_ALGORITHM:
    case DSL_ITEM_PLUGIN:
    case DSL_ITEM_EMIT:
    case DSL_ITEM_EXTRA:
        return item->fields.at.line ? item->fields.at.start : item->whole.end;
    default:
        return item->whole.end;
    }
}

void format_body(struct format *f, const struct dsl_body *body, int indent) {
    struct arena_mark mark = arena_mark(f->arena);
    struct format_list list = { .n = body->n, .open = body->at.start + 1, .close = body->at.end - 1 };
    list.indent = indent + 2;
    list.write = write_item;
    list.units = ARENA_ARRAY(f->arena, struct format_unit, body->n);
    for (size_t i = 0; i < body->n; i++) {
        const struct dsl_item *item = &body->items[i];
        list.units[i] = (struct format_unit){
            .node = item, .start = item->at.start, .body = item_body(f, item), .end = item->whole.end
        };
    }
    buf_append_char(f->out, '{');
    format_units(f, &list);
    format_indent(f, indent);
    buf_append_char(f->out, '}');
    arena_rewind(f->arena, mark);
}
