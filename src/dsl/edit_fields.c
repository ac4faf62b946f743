/* edit_fields - single fields of declarations, and single items of routes. */
#include "core/arena.h"
#include "dsl/edit_parts.h"
#include "dsl/spelling.h"

/* Items that a route has once; several count as one. */
static const struct {
    const char *keyword;
    enum dsl_item_kind kind;
} items[] = {
    { "PRIORITY", DSL_ITEM_PRIORITY },       { "TIER", DSL_ITEM_TIER },   { "WHEN", DSL_ITEM_WHEN },
    { "DESCRIPTION", DSL_ITEM_DESCRIPTION }, { "MODEL", DSL_ITEM_MODEL }, { "ALGORITHM", DSL_ITEM_ALGORITHM },
};

static bool has_fields(const struct dsl_decl *decl) {
    switch (decl->kind) {
    case DSL_ROUTING:
    case DSL_ENTRYPOINT:
    case DSL_SIGNAL_DECL:
    case DSL_PARTITION:
    case DSL_SCORE:
    case DSL_MAPPING:
    case DSL_MODEL:
    case DSL_PLUGIN:
        return true;
    default:
        return false;
    }
}

/* The index of the item in `items`; -1: of fields. */
static int find_item(struct editing *e, int *ret_item) {
    vsr_str field = e->edit->field;
    if (!field.ptr)
        return err_set(e->err, VSR_E_INVALID, "an edit of a field names it in \"field\"");
    *ret_item = -1;
    if (has_fields(e->decl)) {
        if (spelling_is_identifier(field))
            return 0;
        return err_set(e->err, VSR_E_INVALID, "\"%.*s\" cannot be the name of a field", VSR_FMT(field));
    }
    for (size_t i = 0; e->decl->kind == DSL_ROUTE && i < VSR_COUNT(items); i++)
        if (str_eq_c(field, items[i].keyword)) {
            *ret_item = (int)i;
            return 0;
        }
    if (e->decl->kind == DSL_ROUTE)
        return err_set(
            e->err, VSR_E_INVALID,
            "of a route, PRIORITY, TIER, WHEN, DESCRIPTION, MODEL and ALGORITHM are edited; replace it for \"%.*s\"",
            VSR_FMT(field));
    return err_set(e->err, VSR_E_INVALID, "%.*s has no fields; replace it", VSR_FMT(edit_what(e)));
}

/* ---- what is put in */

/* Whether `value`, which begins at byte `at` of the text around it, is one value and goes to `end`. */
static bool is_one(struct editing *e, vsr_str text, int item, uint32_t at, uint32_t end) {
    const struct dsl_decl *decl;
    struct findings findings;
    struct dsl_parsed parsed;
    findings_init(&findings, e->arena);
    dsl_parse(e->arena, text, &parsed, &findings);
    if (findings.n_of[FINDING_ERROR] > 0 || parsed.program.n != 1)
        return false;
    decl = parsed.program.decls;
    if (item < 0)
        return decl->fields.n == 1 && decl->fields.items[0].value.at.start == at &&
               decl->fields.items[0].value.at.end == end;
    return decl->body.n == 1 && decl->body.items[0].kind == items[item].kind && decl->body.items[0].whole.end == end;
}

static int check_value(struct editing *e, int item, vsr_str *ret_text) {
    vsr_str value = str_trim(e->edit->value), text, before;
    if (!e->edit->value.ptr)
        return err_set(e->err, VSR_E_INVALID, "an edit that sets a field has its \"value\"");
    if (item < 0)
        before = arena_printf(e->arena, "SIGNAL a b { %.*s: ", VSR_FMT(e->edit->field));
    else
        before = arena_printf(e->arena, "ROUTE a { %s ", items[item].keyword);
    text = arena_printf(e->arena, "%.*s%.*s}", VSR_FMT(before), VSR_FMT(value));
    if (value.len == 0 || !is_one(e, text, item, (uint32_t)before.len, (uint32_t)(before.len + value.len)))
        return err_set(e->err, VSR_E_INVALID, "this is not one value of %.*s: %.*s", VSR_FMT(e->edit->field),
                       VSR_FMT(value));
    *ret_text = item < 0 ? arena_printf(e->arena, "%.*s: %.*s", VSR_FMT(e->edit->field), VSR_FMT(value))
                         : arena_printf(e->arena, "%s %.*s", items[item].keyword, VSR_FMT(value));
    return 0;
}

/* In front of the closing brace: on a line of its own where the brace has one. */
static void insert(struct editing *e, uint32_t brace, vsr_str text) {
    uint32_t line = edit_margin(e->source, brace);
    if (line > 0 && edit_begins_line(e->source, line)) {
        edit_splice(e, line, line,
                    arena_printf(e->arena, "%.*s  %.*s\n", VSR_FMT(str_sub(e->source, line, brace)), VSR_FMT(text)));
        return;
    }
    edit_splice(e, brace, brace,
                arena_printf(e->arena, "%s%.*s ", e->source.ptr[brace - 1] == ' ' ? "" : " ", VSR_FMT(text)));
}

/* ---- what is taken out */

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * [start, end) and the comma that belonged to it: the one before, else the one behind. A line that then holds nothing
 * goes with it, and with the comment at its end.
 */
static void take_out(struct editing *e, uint32_t start, uint32_t end) {
    vsr_str all = e->source;
    uint32_t line = edit_margin(all, start), before = line, behind = end, tail;
    bool first = edit_begins_line(all, line);
    while (before > 0 && is_space(all.ptr[before - 1]))
        before--;
    while (behind < all.len && is_space(all.ptr[behind]))
        behind++;
    if (before > 0 && all.ptr[before - 1] == ',' && !(e->n > 0 && e->splices[e->n - 1].end >= before)) {
        if (first)
            edit_splice(e, before - 1, before, VSR_STR(""));
        else
            start = before - 1;
    } else if (behind < all.len && all.ptr[behind] == ',') {
        end = behind + 1;
    }
    tail = edit_tail(e, end);
    if (first && tail < all.len && edit_ends_line(all, tail)) {
        edit_splice(e, line, tail + 1, VSR_STR(""));
        return;
    }
    if (start > 1 && all.ptr[start - 1] == ' ' && end < all.len && all.ptr[end] == ' ')
        start--; /* one of two blanks is enough */
    edit_splice(e, start, end, VSR_STR(""));
}

/* All but `kept`. Returns how many there were. */
static size_t take_out_items(struct editing *e, enum dsl_item_kind kind, const struct dsl_item *kept) {
    size_t n = 0;
    for (size_t i = 0; i < e->decl->body.n; i++) {
        const struct dsl_item *item = &e->decl->body.items[i];
        if (item->kind == kind && item != kept) {
            take_out(e, item->whole.start, item->whole.end);
            n++;
        }
    }
    return n;
}

/* ---- the edits */

int edit_set(struct editing *e) {
    const struct dsl_decl *decl = e->decl;
    int item = -1, rc = find_item(e, &item);
    vsr_str text = { 0 };
    if (rc == 0)
        rc = check_value(e, item, &text);
    if (rc < 0)
        return rc;
    if (item < 0) {
        const struct dsl_field *field = dsl_field(&decl->fields, e->edit->field);
        if (field)
            edit_splice(e, field->value.at.start, field->value.at.end, str_trim(e->edit->value));
        else
            insert(e, decl->fields.at.end - 1, text);
    } else {
        const struct dsl_item *last = dsl_item(&decl->body, items[item].kind);
        (void)take_out_items(e, items[item].kind, last);
        if (last)
            edit_splice(e, last->whole.start, last->whole.end, text);
        else
            insert(e, decl->body.at.end - 1, text);
    }
    return 0;
}

int edit_remove(struct editing *e) {
    const struct dsl_decl *decl = e->decl;
    int item = -1, rc = find_item(e, &item);
    size_t n = 0;
    if (rc < 0)
        return rc;
    if (item >= 0)
        n = take_out_items(e, items[item].kind, NULL);
    for (size_t i = 0; item < 0 && i < decl->fields.n; i++) {
        const struct dsl_field *field = &decl->fields.items[i];
        if (str_eq(field->key.text, e->edit->field)) {
            take_out(e, field->key.at.start, field->value.at.end);
            n++;
        }
    }
    if (n == 0)
        return err_set(e->err, VSR_E_NOT_FOUND, "%.*s has no %.*s", VSR_FMT(edit_what(e)), VSR_FMT(e->edit->field));
    return 0;
}
