/* lsp_hover - what a word means, and where it is declared. */
#include "config/schema_text.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/utf8.h"
#include "dsl/keywords.h"
#include "dsl/lsp_parts.h"

enum { HOVER_LEN_MAX = 1 << 20, SHOWN_LEN_MAX = 4096 };

/* ---- texts */

void lsp_field_text(const struct language_field *field, bool plain, struct buf *out) {
    vsr_str holds = language_default(field);
    schema_text_type(field->field, plain ? "" : "`", out);
    if (str_eq_c(holds, "required"))
        buf_append_c(out, "; required");
    else if (holds.len > 0)
        buf_printf(out, plain ? "; default %.*s" : "; default `%.*s`", VSR_FMT(holds));
    if (field->field->help)
        buf_printf(out, "\n\n%s", field->field->help);
}

/* Sentences about keywords have code in them, which plain text shows without its marks. */
static void append_sentence(struct buf *out, const char *sentence, bool plain) {
    for (; *sentence; sentence++)
        if (!plain || *sentence != '`')
            buf_append_char(out, *sentence);
}

/* As code, whatever is in it. */
static void append_source(struct buf *out, vsr_str source, bool plain) {
    size_t run = 0, longest = 2;
    vsr_str shown = utf8_cut(source, SHOWN_LEN_MAX);
    for (size_t i = 0; i < shown.len; i++) {
        run = shown.ptr[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest && !plain; i++)
        buf_append_char(out, '`');
    buf_append_c(out, plain ? "" : "vsr\n");
    buf_append(out, shown);
    if (shown.len < source.len)
        buf_append_c(out, "\n...");
    for (size_t i = 0; i <= longest && !plain; i++)
        buf_append_c(out, i == 0 ? "\n`" : "`");
}

static void append_block(struct buf *out, const char *what, const struct language_block *block, vsr_str where,
                         bool plain) {
    const char *mark = plain ? "" : "`";
    buf_printf(out, "%s%s %.*s%s", mark, what, VSR_FMT(block->name), mark);
    if (where.len > 0)
        buf_printf(out, ", in YAML %s%.*s%s", mark, VSR_FMT(where), mark);
    buf_append_c(out, block->n_fields > 0 ? "\n" : "\n\nHas no fields.");
    for (size_t i = 0; i < block->n_fields; i++) {
        const struct field *field = block->fields[i].field;
        buf_printf(out, "\n- %s%.*s%s", mark, VSR_FMT(block->fields[i].name), mark);
        if (field->help)
            buf_printf(out, ": %s", field->help);
    }
}

/* ---- hover */

static void describe_type(struct lsp_query *query, enum language_kind kind, vsr_str name, struct buf *out) {
    static const char *const what[] = { "SIGNAL", "ALGORITHM", "PLUGIN" };
    const struct language_block *block = language_block(query->language, kind, name);
    vsr_str where = VSR_STR("");
    if (!block)
        return;
    if (kind == LANGUAGE_SIGNALS)
        where = arena_printf(query->arena, "routing.signals.%.*s", VSR_FMT(block->list));
    append_block(out, what[kind], block, where, query->plain);
}

static void describe(struct lsp_query *query, const struct lsp_context *context, const struct token *token,
                     struct buf *out) {
    struct lsp_declared declared = lsp_declared(query->document, context, token->text);
    const char *help = NULL;
    if (declared.decl) {
        append_source(out, str_sub(lsp_text(query->document), declared.whole.start, declared.whole.end), query->plain);
        return;
    }
    switch (context->role) {
    case ROLE_DECLARATION:
    case ROLE_ITEM:
    case ROLE_BRANCH:
    case ROLE_OPERATOR:
    case ROLE_PROJECTION:
    case ROLE_EMIT:
        help = dsl_keyword_help(token->text);
        break;
    case ROLE_CONDITION:
    case ROLE_SIGNAL_TYPE:
        describe_type(query, LANGUAGE_SIGNALS, token->text, out);
        help = str_eq_c(token->text, "projection") ? dsl_keyword_help(token->text) : NULL;
        break;
    case ROLE_ALGORITHM:
        describe_type(query, LANGUAGE_ALGORITHMS, token->text, out);
        break;
    case ROLE_PLUGIN:
    case ROLE_PLUGIN_TYPE:
        describe_type(query, LANGUAGE_PLUGINS, token->text, out);
        break;
    case ROLE_FIELD: {
        const struct language_field *field = context->block ? language_field(context->block, token->text) : NULL;
        if (!field)
            break;
        buf_printf(out, query->plain ? "%.*s: " : "**%.*s**: ", VSR_FMT(field->name));
        lsp_field_text(field, query->plain, out);
        break;
    }
    case ROLE_VALUE:
        if (context->field)
            lsp_field_text(context->field, query->plain, out);
        break;
    default:
        break;
    }
    if (help)
        append_sentence(out, help, query->plain);
}

void lsp_hover(struct lsp_query *query) {
    const struct tokens *tokens = &query->document->parsed.tokens;
    size_t n = lsp_token_at(tokens, query->byte);
    struct lsp_context context;
    struct buf out;
    buf_init(&out, HOVER_LEN_MAX);
    if (n < tokens->n && tokens->items[n].kind != TOKEN_PUNCTUATION && tokens->items[n].kind != TOKEN_ERROR) {
        lsp_context_at(query->document, query->language, tokens, n, &context);
        describe(query, &context, &tokens->items[n], &out);
    }
    if (out.len == 0 || buf_failed(&out)) {
        json_write_null(query->w);
    } else {
        json_write_begin_object(query->w);
        json_write_key(query->w, VSR_STR("contents"));
        json_write_begin_object(query->w);
        lsp_write_member(query->w, "kind", query->plain ? VSR_STR("plaintext") : VSR_STR("markdown"));
        lsp_write_member(query->w, "value", buf_str(&out));
        json_write_end(query->w);
        lsp_write_range_member(query, "range", tokens->items[n].at.start, tokens->items[n].at.end);
        json_write_end(query->w);
    }
    buf_done(&out);
}

/* ---- definition */

void lsp_definition(struct lsp_query *query) {
    const struct tokens *tokens = &query->document->parsed.tokens;
    size_t n = lsp_token_at(tokens, query->byte);
    struct lsp_declared declared = { 0 };
    struct lsp_context context;
    if (n < tokens->n && (tokens->items[n].kind == TOKEN_IDENT || tokens->items[n].kind == TOKEN_STRING)) {
        lsp_context_at(query->document, query->language, tokens, n, &context);
        declared = lsp_declared(query->document, &context, tokens->items[n].text);
    }
    if (!declared.decl) {
        json_write_null(query->w);
        return;
    }
    json_write_begin_object(query->w);
    lsp_write_member(query->w, "uri", str_make(query->document->uri, query->document->uri_len));
    lsp_write_range_member(query, "range", declared.name.start, declared.name.end);
    json_write_end(query->w);
}
