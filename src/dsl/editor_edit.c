/* editor_edit - an edit as JSON: {"dsl": "...", "op": {"op": "set", "kind": "SIGNAL", "name": "x", ...}}. */
#include "dsl/edit.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "dsl/editor_parts.h"

static int wrong(struct vsr_err *err, const char *message) {
    return err_set(err, VSR_E_INVALID, "%s", message);
}

static int read_op(struct editor *e, const struct json_doc *doc, json_ref value, struct dsl_edit *edit,
                   struct vsr_err *err) {
    static const char *const names[] = {
#define F(id, name) name,
        DSL_EDITS(F)
#undef F
    };
    vsr_str text;
    if (!json_str(e->arena, doc, value, &text))
        return wrong(err, "\"op\" of an edit is a text");
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        if (str_eq_c(text, names[i])) {
            edit->op = (enum dsl_edit_op)i;
            return 0;
        }
    return wrong(err, "an edit is add, replace, delete, rename, set or remove");
}

static int read_line(const struct json_doc *doc, json_ref value, struct dsl_edit *edit, struct vsr_err *err) {
    int64_t line;
    if (!json_i64(doc, value, &line) || line < 1 || line > UINT32_MAX)
        return wrong(err, "\"line\" is the number of a line");
    edit->line = (uint32_t)line;
    return 0;
}

static int read_member(struct editor *e, const struct json_doc *doc, json_ref key, json_ref value,
                       struct dsl_edit *edit, struct vsr_err *err) {
    const struct {
        const char *name;
        vsr_str *to;
    } texts[] = { { "recipe", &edit->recipe }, { "kind", &edit->kind },  { "type", &edit->type },
                  { "name", &edit->name },     { "text", &edit->text },  { "newName", &edit->new_name },
                  { "field", &edit->field },   { "value", &edit->value } };
    if (json_is(doc, value, JSON_NULL))
        return 0;
    if (json_str_eq(doc, key, VSR_STR("op")))
        return read_op(e, doc, value, edit, err);
    if (json_str_eq(doc, key, VSR_STR("line")))
        return read_line(doc, value, edit, err);
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        if (!json_str_eq(doc, key, str_from_c(texts[i].name)))
            continue;
        if (json_str(e->arena, doc, value, texts[i].to))
            return 0;
        return err_set(err, VSR_E_INVALID, "\"%s\" of an edit is a text", texts[i].name);
    }
    return err_set(err, VSR_E_INVALID, "an edit has no %.*s", VSR_FMT(json_raw(doc, key)));
}

static int read_edit(struct editor *e, vsr_str *ret_source, struct dsl_edit *edit, struct vsr_err *err) {
    struct json_doc doc;
    json_ref op;
    int rc = json_parse(e->arena, e->text, &doc, err);
    if (rc < 0)
        return rc;
    if (!json_str(e->arena, &doc, json_get(&doc, 0, VSR_STR("dsl")), ret_source))
        return wrong(err, "the program is a text in \"dsl\"");
    if (ret_source->len > EDITOR_PROGRAM_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "the program is too large: %zu bytes, at most %d are taken", ret_source->len,
                       EDITOR_PROGRAM_LEN_MAX);
    op = json_get(&doc, 0, VSR_STR("op"));
    if (!json_is(&doc, op, JSON_OBJECT))
        return wrong(err, "the edit is an object in \"op\"");
    edit->op = EDIT_OPS;
    for (json_ref key = json_first(&doc, op); key != JSON_NONE && rc == 0;) {
        json_ref value = json_next(&doc, op, key);
        rc = read_member(e, &doc, key, value, edit, err);
        key = json_next(&doc, op, value);
    }
    if (rc == 0 && edit->op == EDIT_OPS)
        return wrong(err, "an edit says in \"op\" what it does");
    return rc;
}

void editor_edit(struct editor *e) {
    struct vsr_err err = VSR_ERR_NONE;
    struct dsl_edit edit = { 0 };
    struct buf text;
    vsr_str source;
    char message[VSR_ERR_TEXT_LEN + VSR_ERR_WHERE_LEN];
    int rc = read_edit(e, &source, &edit, &err);
    buf_init(&text, EDITOR_PROGRAM_LEN_MAX);
    if (rc == 0)
        rc = dsl_edit(e->arena, e->language, source, &edit, &text, &err);
    if (rc == 0 && buf_failed(&text))
        rc = err_set(&err, VSR_E_LIMIT, "the program would be too large");
    if (rc == 0) {
        json_write_key(&e->w, VSR_STR("dsl"));
        json_write_str(&e->w, buf_str(&text));
        editor_null(e, "error");
    } else {
        editor_null(e, "dsl");
        editor_error(e, str_from_c(err_print(&err, message, sizeof(message))));
    }
    buf_done(&text);
}
