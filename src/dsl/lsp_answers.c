/* lsp_answers - what a whole document has to say: findings, fixes, outline, layout. */
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/format.h"
#include "dsl/lsp_parts.h"

enum { MESSAGE_LEN_MAX = 1 << 20 };

/* ---- pieces */

void lsp_write_member(struct json_writer *w, const char *name, vsr_str text) {
    json_write_key(w, str_from_c(name));
    json_write_str(w, text);
}

static void write_place(struct lsp_query *query, const char *name, uint32_t byte) {
    struct lsp_place place = lsp_place_of(query->document, query->encoding, byte);
    json_write_key(query->w, str_from_c(name));
    json_write_begin_object(query->w);
    json_write_key(query->w, VSR_STR("line"));
    json_write_u64(query->w, place.line);
    json_write_key(query->w, VSR_STR("character"));
    json_write_u64(query->w, place.character);
    json_write_end(query->w);
}

static void write_range(struct lsp_query *query, uint32_t start, uint32_t end) {
    json_write_begin_object(query->w);
    write_place(query, "start", start);
    write_place(query, "end", end);
    json_write_end(query->w);
}

void lsp_write_range_member(struct lsp_query *query, const char *name, uint32_t start, uint32_t end) {
    json_write_key(query->w, str_from_c(name));
    write_range(query, start, end);
}

void lsp_write_edit(struct lsp_query *query, uint32_t start, uint32_t end, vsr_str text) {
    json_write_begin_object(query->w);
    lsp_write_range_member(query, "range", start, end);
    lsp_write_member(query->w, "newText", text);
    json_write_end(query->w);
}

/* ---- diagnostics */

/* With the example, where there is one. */
static void write_message(struct lsp_query *query, const struct finding *finding) {
    struct buf text;
    if (finding->witness.len == 0) {
        lsp_write_member(query->w, "message", finding->message);
        return;
    }
    buf_init(&text, MESSAGE_LEN_MAX);
    buf_printf(&text, "%.*s\nFor example: %.*s", VSR_FMT(finding->message), VSR_FMT(finding->witness));
    lsp_write_member(query->w, "message", buf_failed(&text) ? finding->message : buf_str(&text));
    buf_done(&text);
}

static void write_diagnostic(struct lsp_query *query, const struct finding *finding) {
    static const int severities[] = {
        [FINDING_ERROR] = 1, [FINDING_WARNING] = 2, [FINDING_CONSTRAINT] = 2, [FINDING_HINT] = 4
    };
    struct json_writer *w = query->w;
    json_write_begin_object(w);
    lsp_write_range_member(query, "range", finding->at.start, finding->at.end);
    json_write_key(w, VSR_STR("severity"));
    json_write_i64(w, severities[finding->level]);
    lsp_write_member(w, "code", str_from_c(finding->code));
    lsp_write_member(w, "source", VSR_STR("vsr"));
    write_message(query, finding);
    if (strcmp(finding->code, "W220") == 0) { /* declared and not used: shown faded */
        json_write_key(w, VSR_STR("tags"));
        json_write_begin_array(w);
        json_write_i64(w, 1);
        json_write_end(w);
    }
    json_write_end(w);
}

void lsp_diagnostics(struct lsp_query *query) {
    const struct findings *findings = &query->document->findings, *proofs = &query->document->proofs;
    json_write_begin_array(query->w);
    for (size_t i = 0; i < findings->n; i++)
        write_diagnostic(query, &findings->items[i]);
    for (size_t i = 0; query->document->proved && i < proofs->n; i++)
        write_diagnostic(query, &proofs->items[i]);
    json_write_end(query->w);
}

/* ---- code actions */

static bool wants(const struct json_doc *doc, json_ref only, const char *kind) {
    if (!json_is(doc, only, JSON_ARRAY))
        return true;
    for (json_ref item = json_first(doc, only); item != JSON_NONE; item = json_next(doc, only, item)) {
        const char *dot = kind;
        if (json_str_eq(doc, item, str_from_c(kind)) || json_str_eq(doc, item, VSR_STR("")))
            return true;
        while ((dot = strchr(dot, '.')) != NULL) { /* a kind includes those below it */
            if (json_str_eq(doc, item, str_make(kind, (size_t)(dot - kind))))
                return true;
            dot++;
        }
    }
    return false;
}

static void begin_changes(struct lsp_query *query) {
    json_write_key(query->w, VSR_STR("edit"));
    json_write_begin_object(query->w);
    json_write_key(query->w, VSR_STR("changes"));
    json_write_begin_object(query->w);
    json_write_key(query->w, str_make(query->document->uri, query->document->uri_len));
    json_write_begin_array(query->w);
}

static void end_changes(struct lsp_query *query) {
    json_write_end(query->w);
    json_write_end(query->w);
    json_write_end(query->w);
}

static void write_fix(struct lsp_query *query, const struct finding *finding) {
    struct json_writer *w = query->w;
    json_write_begin_object(w);
    lsp_write_member(w, "title", finding->fix.description);
    lsp_write_member(w, "kind", VSR_STR("quickfix"));
    json_write_key(w, VSR_STR("diagnostics"));
    json_write_begin_array(w);
    write_diagnostic(query, finding);
    json_write_end(w);
    begin_changes(query);
    lsp_write_edit(query, finding->fix.at.start, finding->fix.at.end, finding->fix.new_text);
    end_changes(query);
    json_write_end(w);
}

static void write_fix_all(struct lsp_query *query) {
    const struct lsp_document *document = query->document;
    struct buf out;
    buf_init(&out, LSP_MESSAGE_LEN_MAX);
    if (findings_apply(&document->findings, lsp_text(document), &out) > 0 && !buf_failed(&out)) {
        json_write_begin_object(query->w);
        lsp_write_member(query->w, "title", VSR_STR("Apply all fixes"));
        lsp_write_member(query->w, "kind", VSR_STR("source.fixAll.vsr"));
        begin_changes(query);
        lsp_write_edit(query, 0, (uint32_t)document->len, buf_str(&out));
        end_changes(query);
        json_write_end(query->w);
    }
    buf_done(&out);
}

void lsp_actions(struct lsp_query *query, const struct json_doc *doc, json_ref only) {
    const struct findings *findings = &query->document->findings;
    json_write_begin_array(query->w);
    for (size_t i = 0; wants(doc, only, "quickfix") && i < findings->n; i++) {
        const struct finding *finding = &findings->items[i];
        if (finding->fix.description.len > 0 && finding->at.start <= query->end && finding->at.end >= query->byte)
            write_fix(query, finding);
    }
    if (wants(doc, only, "source.fixAll.vsr"))
        write_fix_all(query);
    json_write_end(query->w);
}

/* ---- symbols */

/* Of the protocol. */
enum {
    SYMBOL_MODULE = 2,
    SYMBOL_NAMESPACE = 3,
    SYMBOL_CLASS = 5,
    SYMBOL_FIELD = 8,
    SYMBOL_ENUM = 10,
    SYMBOL_FUNCTION = 12,
    SYMBOL_VARIABLE = 13,
    SYMBOL_OBJECT = 19,
    SYMBOL_EVENT = 24,
};

static int symbol_kind(enum dsl_decl_kind kind) {
    switch (kind) {
    case DSL_RECIPE:
        return SYMBOL_MODULE;
    case DSL_ENTRYPOINT:
    case DSL_ROUTING:
        return SYMBOL_OBJECT;
    case DSL_SIGNAL_DECL:
    case DSL_SCORE:
        return SYMBOL_VARIABLE;
    case DSL_PARTITION:
    case DSL_MAPPING:
        return SYMBOL_ENUM;
    case DSL_ROUTE:
    case DSL_TREE:
        return SYMBOL_FUNCTION;
    case DSL_MODEL:
        return SYMBOL_CLASS;
    case DSL_PLUGIN:
        return SYMBOL_NAMESPACE;
    case DSL_TEST:
        return SYMBOL_EVENT;
    }
    return SYMBOL_OBJECT;
}

static void begin_symbol(struct lsp_query *query, vsr_str name, vsr_str detail, int kind, struct dsl_at whole,
                         struct dsl_at selection) {
    bool inside = selection.start >= whole.start && selection.end <= whole.end;
    json_write_begin_object(query->w);
    lsp_write_member(query->w, "name", name.len > 0 ? name : VSR_STR("\"\"")); /* must not be empty */
    lsp_write_member(query->w, "detail", detail);
    json_write_key(query->w, VSR_STR("kind"));
    json_write_i64(query->w, kind);
    lsp_write_range_member(query, "range", whole.start, whole.end);
    if (!inside)
        selection = whole;
    lsp_write_range_member(query, "selectionRange", selection.start, selection.end);
}

static void write_program(struct lsp_query *query, const struct dsl_program *program);

static void write_children(struct lsp_query *query, const struct dsl_decl *decl) {
    size_t n;
    const struct dsl_value *outputs;
    if (decl->kind == DSL_RECIPE && decl->recipe) {
        write_program(query, decl->recipe);
    } else if (decl->kind == DSL_MAPPING) {
        outputs = lsp_outputs(decl, &n);
        for (size_t i = 0; i < n; i++) {
            const struct dsl_value *name = lsp_output_name(&outputs[i]);
            if (!name)
                continue;
            begin_symbol(query, name->text, VSR_STR("output"), SYMBOL_FIELD, outputs[i].at, name->at);
            json_write_end(query->w);
        }
    } else if (decl->kind == DSL_TREE) {
        for (size_t i = 0; i < decl->n_branches; i++) {
            const struct dsl_branch *branch = &decl->branches[i];
            const struct dsl_item *item = dsl_item(&branch->body, DSL_ITEM_NAME);
            if (!item)
                continue;
            begin_symbol(query, item->name.text, VSR_STR("branch"), SYMBOL_FUNCTION, branch->body.at, item->name.at);
            json_write_end(query->w);
        }
    }
}

static void write_program(struct lsp_query *query, const struct dsl_program *program) {
    for (size_t i = 0; i < program->n; i++) {
        const struct dsl_decl *decl = &program->decls[i];
        const char *keyword = dsl_decl_keyword(decl->kind);
        bool named = decl->name.at.line > 0;
        vsr_str detail = decl->type.text.len > 0
                             ? arena_printf(query->arena, "%s %.*s", keyword, VSR_FMT(decl->type.text))
                             : str_from_c(keyword);
        begin_symbol(query, named ? decl->name.text : str_from_c(keyword), named ? detail : VSR_STR(""),
                     symbol_kind(decl->kind), decl->whole, named ? decl->name.at : decl->at);
        json_write_key(query->w, VSR_STR("children"));
        json_write_begin_array(query->w);
        write_children(query, decl);
        json_write_end(query->w);
        json_write_end(query->w);
    }
}

void lsp_symbols(struct lsp_query *query) {
    json_write_begin_array(query->w);
    write_program(query, &query->document->parsed.program);
    json_write_end(query->w);
}

/* ---- layout */

void lsp_formatting(struct lsp_query *query) {
    struct lsp_document *document = query->document;
    struct buf out;
    if (document->has_syntax_errors) { /* what was not understood would be lost */
        json_write_null(query->w);
        return;
    }
    buf_init(&out, LSP_MESSAGE_LEN_MAX);
    dsl_format(query->language, &document->parsed, &out);
    if (buf_failed(&out)) {
        json_write_null(query->w);
    } else {
        json_write_begin_array(query->w);
        if (!str_eq(buf_str(&out), lsp_text(document)))
            lsp_write_edit(query, 0, (uint32_t)document->len, buf_str(&out));
        json_write_end(query->w);
    }
    buf_done(&out);
}
