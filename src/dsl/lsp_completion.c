/* lsp_completion - what could be written next: keywords, types, fields, choices and names, as the place allows. */
#include "core/arena.h"
#include "core/buf.h"
#include "core/map.h"
#include "dsl/base.h"
#include "dsl/keywords.h"
#include "dsl/lsp_parts.h"
#include "dsl/spelling.h"

enum { ITEMS_MAX = 1000, DOCUMENTATION_LEN_MAX = 1 << 16 };

/* Of the protocol. */
enum {
    ITEM_FUNCTION = 3,
    ITEM_FIELD = 5,
    ITEM_CLASS = 7,
    ITEM_MODULE = 9,
    ITEM_KEYWORD = 14,
    ITEM_REFERENCE = 18,
    ITEM_ENUM_MEMBER = 20
};

struct completion {
    struct lsp_query *query;
    struct lsp_context context;
    uint32_t start, end; /* what is replaced */
    bool quoted;         /* a string was begun */
    size_t n;
    struct buf scratch;
    struct map models; /* that were offered */
};

/* ---- the word that is being written */

static bool is_word_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ascii_is_digit(c) || c == '_' || c == '.' || c == '-' ||
           c == '/';
}

/* Finds what stands around the cursor. False: a comment, where nothing is offered. */
static bool find_word(struct completion *c) {
    vsr_str text = lsp_text(c->query->document);
    size_t at = c->query->byte, line = at, quote = SIZE_MAX;
    while (line > 0 && text.ptr[line - 1] != '\n')
        line--;
    for (size_t i = line; i < at; i++) {
        if (quote != SIZE_MAX && text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '"')
            quote = quote == SIZE_MAX ? i : SIZE_MAX;
        else if (text.ptr[i] == '#' && quote == SIZE_MAX)
            return false;
    }
    c->quoted = quote != SIZE_MAX;
    c->start = (uint32_t)at;
    c->end = (uint32_t)at;
    if (c->quoted) {
        size_t end = at;
        c->start = (uint32_t)quote;
        while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '"' && is_word_byte(text.ptr[end]))
            end++;
        if (end < text.len && text.ptr[end] == '"') /* the rest of a string that is closed */
            c->end = (uint32_t)end + 1;
        return true;
    }
    while (c->start > line && is_word_byte(text.ptr[c->start - 1]))
        c->start--;
    while (c->end < text.len && is_word_byte(text.ptr[c->end]))
        c->end++;
    return true;
}

/* ---- items */

static vsr_str spelled(struct completion *c, vsr_str text, bool in_quotes) {
    buf_reset(&c->scratch);
    if (in_quotes || c->quoted)
        spell_string(&c->scratch, text);
    else
        spell_name(&c->scratch, text);
    return arena_str(c->query->arena, buf_str(&c->scratch));
}

static void offer(struct completion *c, vsr_str label, int kind, vsr_str new_text, const char *detail, vsr_str help) {
    struct json_writer *w = c->query->w;
    if (c->n == ITEMS_MAX)
        return;
    json_write_begin_object(w);
    lsp_write_member(w, "label", label);
    json_write_key(w, VSR_STR("kind"));
    json_write_i64(w, kind);
    if (detail && *detail)
        lsp_write_member(w, "detail", str_from_c(detail));
    if (help.len > 0) {
        json_write_key(w, VSR_STR("documentation"));
        json_write_begin_object(w);
        lsp_write_member(w, "kind", c->query->plain ? VSR_STR("plaintext") : VSR_STR("markdown"));
        lsp_write_member(w, "value", help);
        json_write_end(w);
    }
    lsp_write_member(w, "filterText", new_text);
    /* In the order in which they are offered. */
    lsp_write_member(w, "sortText", arena_printf(c->query->arena, "%04zu", c->n));
    json_write_key(w, VSR_STR("textEdit"));
    lsp_write_edit(c->query, c->start, c->end, new_text);
    json_write_end(w);
    c->n++;
}

static void offer_keywords(struct completion *c) {
    const char *const *words = lsp_keywords(&c->context);
    for (size_t i = 0; words[i] && !c->quoted; i++) {
        const char *help = dsl_keyword_help(str_from_c(words[i]));
        offer(c, str_from_c(words[i]), ITEM_KEYWORD, str_from_c(words[i]), "",
              str_from_c(c->query->plain ? NULL : help));
    }
}

static void offer_types(struct completion *c, enum language_kind kind, const char *detail) {
    const struct language *language = c->query->language;
    for (size_t i = 0; i < language->n_blocks[kind]; i++)
        offer(c, language->names[kind][i], ITEM_CLASS, spelled(c, language->names[kind][i], false), detail,
              VSR_STR(""));
}

static void offer_decls(struct completion *c, const struct dsl_program *program, enum dsl_decl_kind kind,
                        bool in_quotes) {
    struct map seen;
    map_init(&seen, c->query->arena);
    DSL_EACH(decl, program, kind) {
        if (kind == DSL_SIGNAL_DECL && c->context.type.len > 0 && !str_eq(decl->type.text, c->context.type))
            continue;
        if (map_put(&seen, decl->name.text, (void *)decl))
            continue;
        offer(c, decl->name.text, ITEM_REFERENCE, spelled(c, decl->name.text, in_quotes),
              decl->type.text.len > 0
                  ? arena_c_str(c->query->arena, arena_printf(c->query->arena, "%s %.*s", dsl_decl_keyword(kind),
                                                              VSR_FMT(decl->type.text)))
                  : dsl_decl_keyword(kind),
              VSR_STR(""));
    }
}

static void offer_base_model(void *data, vsr_str name, const struct yaml_node *model) {
    struct completion *c = data;
    if (!map_put(&c->models, name, (void *)model))
        offer(c, name, ITEM_REFERENCE, spelled(c, name, true), "model of the base", VSR_STR(""));
}

/* What the program declares first; the base has more. */
static void offer_models(struct completion *c) {
    const struct dsl_program *whole = &c->query->document->parsed.program;
    offer_decls(c, whole, DSL_MODEL, true);
    map_init(&c->models, c->query->arena);
    DSL_EACH(decl, whole, DSL_MODEL)
    map_put(&c->models, decl->name.text, (void *)decl);
    dsl_base_models(c->query->base, offer_base_model, c);
}

static void offer_outputs(struct completion *c) {
    const struct dsl_program *program = c->context.program;
    DSL_EACH(decl, program, DSL_MAPPING) {
        size_t n;
        const struct dsl_value *outputs = lsp_outputs(decl, &n);
        for (size_t i = 0; i < n; i++) {
            const struct dsl_value *name = lsp_output_name(&outputs[i]);
            if (name)
                offer(c, name->text, ITEM_REFERENCE, spelled(c, name->text, true),
                      arena_c_str(c->query->arena,
                                  arena_printf(c->query->arena, "output of %.*s", VSR_FMT(decl->name.text))),
                      VSR_STR(""));
        }
    }
}

static void offer_signals(struct completion *c) {
    if (str_eq_c(c->context.type, "projection"))
        offer_outputs(c);
    else
        offer_decls(c, c->context.program, DSL_SIGNAL_DECL, true);
}

static void offer_routes(struct completion *c) {
    const struct dsl_program *program = c->context.program;
    offer_decls(c, program, DSL_ROUTE, false);
    DSL_EACH(decl, program, DSL_TREE)
    for (size_t i = 0; i < decl->n_branches; i++) {
        const struct dsl_item *item = dsl_item(&decl->branches[i].body, DSL_ITEM_NAME);
        if (item)
            offer(c, item->name.text, ITEM_REFERENCE, spelled(c, item->name.text, false), "branch", VSR_STR(""));
    }
}

/* ---- fields */

static void note_keys(const struct token *tokens, size_t n, struct map *said, const struct token *opened, uint32_t at) {
    size_t depth = 0;
    for (size_t i = 0; i < n; i++) {
        const struct token *token = &tokens[i];
        if (token->at.start <= opened->at.start)
            continue;
        if (token_is(token, '{') || token_is(token, '[') || token_is(token, '('))
            depth++;
        else if ((token_is(token, '}') || token_is(token, ']') || token_is(token, ')')) && depth-- == 0)
            return;
        else if (depth == 0 && token->at.start != at && token->kind == TOKEN_IDENT && i + 1 < n &&
                 (token_is(&tokens[i + 1], ':') || token_is(&tokens[i + 1], '=')))
            (void)map_put(said, token->text, (void *)token);
    }
}

static void offer_field(struct completion *c, const struct language_field *field, const struct map *said) {
    vsr_str new_text = field->name, help;
    vsr_str text = lsp_text(c->query->document);
    uint32_t after = c->end;
    if (map_get(said, field->name))
        return;
    while (after < text.len && text.ptr[after] == ' ')
        after++;
    if (after == text.len || (text.ptr[after] != ':' && text.ptr[after] != '='))
        new_text = arena_printf(c->query->arena, c->context.option ? "%.*s = " : "%.*s: ", VSR_FMT(field->name));
    buf_reset(&c->scratch);
    lsp_field_text(field, c->query->plain, &c->scratch);
    help = arena_str(c->query->arena, buf_str(&c->scratch));
    offer(c, field->name, ITEM_FIELD, new_text, field->field->flags & FIELD_REQUIRED ? "required" : "", help);
}

static void offer_fields(struct completion *c) {
    const struct tokens *tokens = &c->query->document->parsed.tokens;
    const struct language_block *block = c->context.block;
    struct map said;
    if (c->quoted)
        return;
    map_init(&said, c->query->arena);
    if (c->context.opened)
        note_keys(tokens->items, tokens->n, &said, c->context.opened, c->start);
    for (size_t i = 0; block && i < block->n_fields; i++)
        offer_field(c, &block->fields[i], &said);
    if (c->context.strategy) {
        if (!map_get(&said, VSR_STR("description")))
            offer(c, VSR_STR("description"), ITEM_FIELD, VSR_STR("description = "), "", VSR_STR(""));
        if (!map_get(&said, VSR_STR("strategy")))
            offer(c, VSR_STR("strategy"), ITEM_FIELD, VSR_STR("strategy = "), "", VSR_STR(""));
    }
}

static void offer_values(struct completion *c) {
    const struct language_field *field = c->context.field;
    if (!field)
        return;
    if (field->field->kind == FIELD_BOOL && !c->quoted) {
        offer(c, VSR_STR("true"), ITEM_ENUM_MEMBER, VSR_STR("true"), "", VSR_STR(""));
        offer(c, VSR_STR("false"), ITEM_ENUM_MEMBER, VSR_STR("false"), "", VSR_STR(""));
    }
    for (size_t i = 0; field->field->choices && field->field->choices[i]; i++)
        if (*field->field->choices[i]) /* the empty one stands for "not written" */
            offer(c, str_from_c(field->field->choices[i]), ITEM_ENUM_MEMBER,
                  spelled(c, str_from_c(field->field->choices[i]), true), "", VSR_STR(""));
}

/* ---- the list */

static void offer_all(struct completion *c) {
    const struct dsl_program *whole = &c->query->document->parsed.program;
    offer_keywords(c);
    switch (c->context.role) {
    case ROLE_SIGNAL_TYPE:
        offer_types(c, LANGUAGE_SIGNALS, "signal");
        break;
    case ROLE_CONDITION:
        offer_types(c, LANGUAGE_SIGNALS, "signal");
        offer(c, VSR_STR("projection"), ITEM_CLASS, VSR_STR("projection"), "output of a mapping", VSR_STR(""));
        break;
    case ROLE_SIGNAL:
        offer_signals(c);
        break;
    case ROLE_MODEL:
        offer_models(c);
        break;
    case ROLE_ALGORITHM:
        offer_types(c, LANGUAGE_ALGORITHMS, "algorithm");
        break;
    case ROLE_PLUGIN:
        offer_decls(c, c->context.program, DSL_PLUGIN, false);
        offer_types(c, LANGUAGE_PLUGINS, "plugin");
        break;
    case ROLE_PLUGIN_TYPE:
        offer_types(c, LANGUAGE_PLUGINS, "plugin");
        break;
    case ROLE_FIELD:
        offer_fields(c);
        break;
    case ROLE_VALUE:
        offer_values(c);
        break;
    case ROLE_SCORE:
        offer_decls(c, c->context.program, DSL_SCORE, true);
        break;
    case ROLE_ROUTE:
        offer_routes(c);
        break;
    case ROLE_RECIPE:
        offer_decls(c, whole, DSL_RECIPE, true);
        break;
    default:
        break;
    }
}

void lsp_completion(struct lsp_query *query) {
    struct completion c = { .query = query };
    buf_init(&c.scratch, DOCUMENTATION_LEN_MAX);
    json_write_begin_object(query->w);
    json_write_key(query->w, VSR_STR("isIncomplete"));
    json_write_bool(query->w, false);
    json_write_key(query->w, VSR_STR("items"));
    json_write_begin_array(query->w);
    if (find_word(&c)) {
        struct findings ignored;
        struct tokens before;
        findings_init(&ignored, query->arena);
        tokens_read(query->arena, str_sub(lsp_text(query->document), 0, c.start), &before, &ignored);
        lsp_context_at(query->document, query->language, &before, before.n, &c.context);
        offer_all(&c);
    }
    json_write_end(query->w);
    json_write_end(query->w);
    buf_done(&c.scratch);
}
