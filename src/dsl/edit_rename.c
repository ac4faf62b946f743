/*
 * edit_rename - another name for a declaration, there and wherever the program refers to it.
 *
 * What a word refers to is what the language server says of it, so strings, comments, other scopes, and other things of
 * the same name stay. Where the new name would make the program worse (it means something else there, or a reference
 * could not be told), nothing is changed.
 */
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/check.h"
#include "dsl/compile.h"
#include "dsl/edit_parts.h"
#include "dsl/lsp_walk.h"
#include "dsl/spelling.h"

enum { NAME_LEN_MAX = 1 << 16 };

/* The part of a reference that is the name: all of it, or what stands before a colon (`rule:level`, `rule:label`). */
static bool may_refer(const struct token *token, vsr_str name) {
    if (token->kind != TOKEN_IDENT && token->kind != TOKEN_STRING)
        return false;
    return str_eq(token->text, name) ||
           (str_starts(token->text, name) && token->text.len > name.len && token->text.ptr[name.len] == ':');
}

static vsr_str spelled(struct editing *e, const struct token *token, bool declared) {
    vsr_str rest = declared ? VSR_STR("") : str_sub(token->text, e->decl->name.text.len, token->text.len);
    vsr_str text = arena_printf(e->arena, "%.*s%.*s", VSR_FMT(e->edit->new_name), VSR_FMT(rest));
    struct buf out;
    buf_init(&out, 4 * NAME_LEN_MAX + 16);
    if (token->kind == TOKEN_STRING)
        spell_string(&out, text);
    else if (declared)
        spell_name(&out, text);
    else
        spell_word(&out, text);
    text = arena_str(e->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* ---- references */

/*
 * Counts what refers to the declaration by its name, itself included; with `spell`, edits it. Fails with VSR_E_LIMIT.
 */
static int each_reference(struct editing *e, const struct dsl_parsed *parsed, const struct dsl_decl *decl, bool spell,
                          size_t *ret_n) {
    const struct tokens *tokens = &parsed->tokens;
    struct lsp_document *document = ARENA_NEW(e->arena, struct lsp_document);
    struct lsp_walk *walk = ARENA_NEW(e->arena, struct lsp_walk);
    size_t looked_up = 0;
    document->parsed = *parsed;
    lsp_walk_init(walk, e->language, document);
    *ret_n = 0;
    for (size_t i = 0; i < tokens->n && tokens->items[i].kind != TOKEN_END; i++) {
        const struct token *token = &tokens->items[i];
        bool declared = token->at.start == decl->name.at.start, refers = declared;
        if (!declared && may_refer(token, decl->name.text)) {
            struct lsp_context context;
            if (++looked_up > EDIT_REFERENCES_MAX)
                return err_set(e->err, VSR_E_LIMIT, "the name stands in more than %d places", EDIT_REFERENCES_MAX);
            lsp_walk_context(walk, token, &context);
            refers = lsp_declared(document, &context, token->text).decl == decl;
        }
        if (refers && spell)
            edit_splice(e, token->at.start, token->at.end, spelled(e, token, declared));
        *ret_n += refers;
        lsp_walk_take(walk, token);
    }
    return 0;
}

/* The declaration as it stands in the program after the edit, which has the same ones; NULL: it does not. */
static const struct dsl_decl *renamed(const struct editing *e, const struct dsl_program *after) {
    size_t recipe = e->recipe ? (size_t)(e->recipe - e->parsed.program.decls) : 0;
    size_t i = (size_t)(e->decl - e->scope->decls);
    if (e->recipe && (recipe >= after->n || !after->decls[recipe].recipe))
        return NULL;
    after = e->recipe ? after->decls[recipe].recipe : after;
    return i < after->n ? &after->decls[i] : NULL;
}

/* What referred to something else, or to nothing, may not come to mean this one: a model, say, that nobody declared. */
static int check_references(struct editing *e, size_t n_before) {
    struct findings findings;
    struct dsl_parsed parsed;
    const struct dsl_decl *decl;
    size_t n = 0;
    int rc = 0;
    findings_init(&findings, e->arena);
    dsl_parse(e->arena, edit_apply(e), &parsed, &findings);
    decl = renamed(e, &parsed.program);
    if (decl)
        rc = each_reference(e, &parsed, decl, false, &n);
    if (rc == 0 && n != n_before)
        rc = err_set(e->err, VSR_E_INVALID, "\"%.*s\" stands in the program and would come to mean something else",
                     VSR_FMT(e->edit->new_name));
    return rc;
}

/* A model called as the variable of a loop would be that variable there. */
static bool is_variable(const struct editing *e, vsr_str name) {
    const struct token *items = e->parsed.tokens.items;
    for (size_t i = 0; i + 2 < e->parsed.tokens.n; i++)
        if (token_is_word(&items[i], VSR_STR("FOR")) && token_is_word(&items[i + 1], name))
            return true;
    return false;
}

/* ---- whether the program is none the worse */

static void examine(struct editing *e, vsr_str text, struct findings *ret_findings) {
    struct dsl_parsed parsed;
    findings_init(ret_findings, e->arena);
    dsl_parse(e->arena, text, &parsed, ret_findings);
    (void)dsl_compile(e->arena, e->language, &parsed.program, ret_findings);
    dsl_check(e->arena, e->language, &parsed, NULL, ret_findings);
}

static int check_result(struct editing *e) {
    struct findings before, after;
    examine(e, e->source, &before);
    examine(e, edit_apply(e), &after);
    for (int level = FINDING_ERROR; level <= FINDING_HINT; level++) {
        if (after.n_of[level] <= before.n_of[level])
            continue;
        for (size_t i = 0; i < after.n; i++) /* the first that speaks of the new name, as a rule the reason */
            if ((int)after.items[i].level == level && str_find(after.items[i].message, e->edit->new_name) >= 0)
                return err_set(e->err, VSR_E_INVALID, "after renaming: %u:%u: %.*s", after.items[i].at.line,
                               after.items[i].at.col, VSR_FMT(after.items[i].message));
        return err_set(e->err, VSR_E_INVALID, "after renaming, checks would find more than before");
    }
    return 0;
}

int edit_rename(struct editing *e) {
    vsr_str name = e->edit->new_name;
    size_t n;
    int rc;
    if (!e->decl->name.at.line)
        return err_set(e->err, VSR_E_INVALID, "%.*s has no name", VSR_FMT(edit_what(e)));
    if (name.len == 0 || name.len > NAME_LEN_MAX)
        return err_set(e->err, VSR_E_INVALID, "\"newName\" is a name of 1 to %d bytes", NAME_LEN_MAX);
    if (memchr(name.ptr, '\0', name.len))
        return err_set(e->err, VSR_E_INVALID, "\"newName\" cannot hold the character NUL");
    for (size_t i = 0; i < e->scope->n; i++) {
        const struct dsl_decl *other = &e->scope->decls[i];
        if (other != e->decl && other->kind == e->decl->kind && str_eq(other->type.text, e->decl->type.text) &&
            str_eq(other->name.text, name))
            return err_set(e->err, VSR_E_EXISTS, "\"%.*s\" is declared already, in line %u", VSR_FMT(name),
                           other->at.line);
    }
    if (e->decl->kind == DSL_MODEL && is_variable(e, name))
        return err_set(e->err, VSR_E_EXISTS, "\"%.*s\" is the variable of a loop", VSR_FMT(name));
    rc = each_reference(e, &e->parsed, e->decl, true, &n);
    if (rc == 0)
        rc = check_references(e, n);
    return rc < 0 ? rc : check_result(e);
}
