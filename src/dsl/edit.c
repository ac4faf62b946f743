#include "dsl/edit_parts.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/buf.h"

/* ---- the text */

void edit_splice(struct editing *e, uint32_t start, uint32_t end, vsr_str text) {
    e->splices = arena_grow(e->arena, e->splices, sizeof(*e->splices), e->n, &e->cap);
    e->splices[e->n++] = (struct splice){ start, end, text };
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

uint32_t edit_margin(vsr_str source, uint32_t at) {
    while (at > 0 && is_blank(source.ptr[at - 1]))
        at--;
    return at;
}

bool edit_begins_line(vsr_str source, uint32_t margin) {
    return margin == 0 || source.ptr[margin - 1] == '\n';
}

bool edit_ends_line(vsr_str source, uint32_t at) {
    return at == source.len || source.ptr[at] == '\n';
}

/* The comment that begins at or behind `at`, NULL: none. They are in the order of the text. */
static const struct comment *comment_from(const struct editing *e, uint32_t at) {
    const struct tokens *tokens = &e->parsed.tokens;
    size_t low = 0, high = tokens->n_comments;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (tokens->comments[mid].at.start < at)
            low = mid + 1;
        else
            high = mid;
    }
    return low < tokens->n_comments ? &tokens->comments[low] : NULL;
}

uint32_t edit_tail(const struct editing *e, uint32_t at) {
    uint32_t end = at;
    while (end < e->source.len && is_blank(e->source.ptr[end]))
        end++;
    if (end < e->source.len && e->source.ptr[end] == '#') {
        const struct comment *comment = comment_from(e, end);
        if (comment && comment->at.start == end)
            while (end < e->source.len && e->source.ptr[end] != '\n')
                end++;
    }
    return edit_ends_line(e->source, end) ? end : at;
}

/* ---- what is meant */

/* "PROJECTION" and a type, or both in one; other kinds as they are. */
static bool is_of_kind(const struct dsl_decl *decl, vsr_str kind, vsr_str type) {
    static const vsr_str projection = VSR_STR_INIT("PROJECTION ");
    vsr_str keyword = str_from_c(dsl_decl_keyword(decl->kind));
    bool typed = decl->kind == DSL_SIGNAL_DECL || decl->kind == DSL_PLUGIN;
    if (str_eq_c(kind, "PROJECTION") && str_starts(keyword, projection))
        return !type.ptr || str_eq(str_sub(keyword, projection.len, keyword.len), type);
    return str_eq(kind, keyword) && (!type.ptr || (typed && str_eq(decl->type.text, type)));
}

static bool is_meant(const struct dsl_decl *decl, const struct dsl_edit *edit) {
    return is_of_kind(decl, edit->kind, edit->type) &&
           (!edit->name.ptr || (decl->name.at.line && str_eq(decl->name.text, edit->name))) &&
           (edit->line == 0 || decl->at.line == edit->line);
}

vsr_str edit_what(struct editing *e) {
    const struct dsl_edit *edit = e->edit;
    return arena_printf(e->arena, "%.*s%s%.*s%s%.*s%s", VSR_FMT(edit->kind), edit->type.ptr ? " " : "",
                        VSR_FMT(edit->type), edit->name.ptr ? " \"" : "", VSR_FMT(edit->name),
                        edit->name.ptr ? "\"" : "");
}

static int find_scope(struct editing *e) {
    size_t n = 0;
    e->scope = &e->parsed.program;
    if (!e->edit->recipe.ptr)
        return 0;
    DSL_EACH(decl, &e->parsed.program, DSL_RECIPE) {
        if (!str_eq(decl->name.text, e->edit->recipe))
            continue;
        e->recipe = decl;
        e->scope = decl->recipe;
        n++;
    }
    if (n == 1)
        return 0;
    return err_set(e->err, n == 0 ? VSR_E_NOT_FOUND : VSR_E_INVALID, "there %s RECIPE \"%.*s\"",
                   n == 0 ? "is no" : "is more than one", VSR_FMT(e->edit->recipe));
}

static int find_decl(struct editing *e) {
    size_t n = 0;
    if (!e->edit->kind.ptr)
        return err_set(e->err, VSR_E_INVALID, "an edit says in \"kind\" which declaration is meant");
    for (size_t i = 0; i < e->scope->n; i++)
        if (is_meant(&e->scope->decls[i], e->edit)) {
            e->decl = &e->scope->decls[i];
            n++;
        }
    if (n == 1)
        return 0;
    if (n == 0)
        return err_set(e->err, VSR_E_NOT_FOUND, "there is no %.*s", VSR_FMT(edit_what(e)));
    return err_set(e->err, VSR_E_INVALID, "%zu declarations are %.*s: say its type, name or line", n,
                   VSR_FMT(edit_what(e)));
}

/* ---- whole declarations */

/* The text of `add` and `replace`: one declaration, and nothing else but comments. */
static int check_text(struct editing *e, vsr_str *ret_text, enum dsl_decl_kind *ret_kind) {
    vsr_str text = str_trim(e->edit->text);
    struct findings findings;
    struct dsl_parsed parsed;
    findings_init(&findings, e->arena);
    dsl_parse(e->arena, text, &parsed, &findings);
    if (findings.n_of[FINDING_ERROR] > 0 && findings.n > 0) {
        const struct finding *first = &findings.items[0];
        for (size_t i = 1; i < findings.n && first->level != FINDING_ERROR; i++)
            first = &findings.items[i];
        return err_set(e->err, VSR_E_INVALID, "the text has errors: %u:%u: %.*s", first->at.line, first->at.col,
                       VSR_FMT(first->message));
    }
    if (parsed.program.n != 1)
        return err_set(e->err, VSR_E_INVALID, "the text is %zu declarations; it has to be one", parsed.program.n);
    *ret_text = text;
    *ret_kind = parsed.program.decls[0].kind;
    return 0;
}

/* Behind the last of its kind, else behind the last of all. */
static const struct dsl_decl *neighbour(const struct dsl_program *scope, enum dsl_decl_kind kind) {
    const struct dsl_decl *last = scope->n > 0 ? &scope->decls[scope->n - 1] : NULL;
    DSL_EACH(decl, scope, kind) {
        last = decl;
    }
    return last;
}

static int add(struct editing *e) {
    enum dsl_decl_kind kind;
    const struct dsl_decl *last;
    vsr_str text, all = e->source;
    int rc = check_text(e, &text, &kind);
    if (rc < 0)
        return rc;
    last = neighbour(e->scope, kind);
    if (last) {
        uint32_t at = edit_tail(e, last->whole.end);
        bool breaks = at < all.len && edit_ends_line(all, at);
        edit_splice(e, at, at, arena_printf(e->arena, "\n\n%.*s%s", VSR_FMT(text), breaks ? "" : "\n"));
    } else if (e->recipe) {
        uint32_t at = e->recipe->whole.end - 1;
        edit_splice(e, at, at, arena_printf(e->arena, "\n%.*s\n", VSR_FMT(text)));
    } else {
        bool breaks = all.len == 0 || all.ptr[all.len - 1] == '\n';
        edit_splice(e, (uint32_t)all.len, (uint32_t)all.len,
                    arena_printf(e->arena, "%s%.*s\n", breaks ? "" : "\n", VSR_FMT(text)));
    }
    return 0;
}

static int replace(struct editing *e) {
    enum dsl_decl_kind kind;
    vsr_str text;
    int rc = check_text(e, &text, &kind);
    uint32_t end = e->decl->whole.end;
    if (rc < 0)
        return rc;
    if (!edit_ends_line(e->source, edit_tail(e, end)))
        /* What stands behind it would be part of a comment at the text's end. */
        text = arena_printf(e->arena, "%.*s\n", VSR_FMT(text));
    edit_splice(e, e->decl->whole.start, end, text);
    return 0;
}

/* Start of the comments that stand right above, each on a line of its own. */
static uint32_t with_comments(const struct editing *e, uint32_t start) {
    const struct tokens *tokens = &e->parsed.tokens;
    const struct comment *next = comment_from(e, start);
    size_t i = next ? (size_t)(next - tokens->comments) : tokens->n_comments;
    uint32_t line = e->decl->at.line;
    while (i > 0 && tokens->comments[i - 1].own_line && tokens->comments[i - 1].at.line + 1 == line) {
        i--;
        line--;
        start = edit_margin(e->source, tokens->comments[i].at.start);
    }
    return start;
}

static int delete (struct editing *e) {
    uint32_t start = e->decl->whole.start, end = e->decl->whole.end;
    uint32_t first = edit_margin(e->source, start), tail = edit_tail(e, end);
    if (edit_begins_line(e->source, first) && edit_ends_line(e->source, tail)) {
        start = with_comments(e, first);
        end = tail < e->source.len ? tail + 1 : tail; /* with its line break, and the empty line behind it */
        if (end < e->source.len && e->source.ptr[end] == '\n')
            end++;
    }
    edit_splice(e, start, end, VSR_STR(""));
    return 0;
}

/* ---- the result */

static int compare(const void *a, const void *b) {
    const struct splice *one = a, *other = b;
    return one->start < other->start ? -1 : one->start > other->start;
}

vsr_str edit_apply(struct editing *e) {
    struct buf text;
    vsr_str kept;
    uint32_t at = 0;
    if (e->n > 0)
        qsort(e->splices, e->n, sizeof(*e->splices), compare);
    buf_init(&text, DSL_BYTES_MAX);
    for (size_t i = 0; i < e->n; i++) {
        const struct splice *splice = &e->splices[i];
        buf_append(&text, str_sub(e->source, at, splice->start));
        buf_append(&text, splice->text);
        at = splice->end > at ? splice->end : at; /* two may share a comma */
    }
    buf_append(&text, str_sub(e->source, at, e->source.len));
    kept = buf_failed(&text) ? (vsr_str){ 0 } : arena_str(e->arena, buf_str(&text));
    buf_done(&text);
    return kept;
}

static size_t count(const struct dsl_program *program) {
    size_t n = program->n;
    DSL_EACH(decl, program, DSL_RECIPE) {
        n += count(decl->recipe);
    }
    return n;
}

/* Declarations that come or go, those inside of them included. */
static long difference(const struct editing *e) {
    long gone = 1 + (e->decl && e->decl->kind == DSL_RECIPE ? (long)count(e->decl->recipe) : 0);
    struct findings findings;
    struct dsl_parsed put;
    if (e->edit->op == EDIT_DELETE)
        return -gone;
    if (e->edit->op != EDIT_ADD && e->edit->op != EDIT_REPLACE)
        return 0;
    findings_init(&findings, e->arena);
    dsl_parse(e->arena, e->edit->text, &put, &findings);
    return (long)count(&put.program) - (e->edit->op == EDIT_REPLACE ? gone : 0);
}

/* The result reads as well as the program did, and has the declarations that it should have: what is damaged can
 * swallow what stands behind it. */
static bool reads(struct editing *e, vsr_str text) {
    struct findings findings;
    struct dsl_parsed parsed;
    findings_init(&findings, e->arena);
    dsl_parse(e->arena, text, &parsed, &findings);
    return findings.n_of[FINDING_ERROR] <= e->findings.n_of[FINDING_ERROR] &&
           (long)count(&parsed.program) - (long)count(&e->parsed.program) == difference(e);
}

static int run(struct editing *e) {
    switch (e->edit->op) {
    case EDIT_ADD:
        return add(e);
    case EDIT_REPLACE:
        return replace(e);
    case EDIT_DELETE:
        return delete (e);
    case EDIT_RENAME:
        return edit_rename(e);
    case EDIT_SET:
        return edit_set(e);
    case EDIT_REMOVE:
        return edit_remove(e);
    case EDIT_OPS:
        break;
    }
    return err_set(e->err, VSR_E_INVALID, "there is no such edit");
}

int dsl_edit(struct arena *arena, const struct language *language, vsr_str source, const struct dsl_edit *edit,
             struct buf *out, struct vsr_err *err) {
    struct editing e = { .arena = arena, .language = language, .edit = edit, .source = source, .err = err };
    vsr_str text;
    int rc;
    findings_init(&e.findings, arena);
    dsl_parse(arena, source, &e.parsed, &e.findings);
    rc = find_scope(&e);
    if (rc == 0 && edit->op != EDIT_ADD)
        rc = find_decl(&e);
    if (rc == 0)
        rc = run(&e);
    if (rc < 0)
        return rc;
    text = edit_apply(&e);
    if (!text.ptr)
        return err_set(err, VSR_E_LIMIT, "the program would be too large");
    if (!reads(&e, text))
        return err_set(err, VSR_E_INVALID, "the program would have errors after the edit");
    buf_append(out, text);
    return 0;
}
