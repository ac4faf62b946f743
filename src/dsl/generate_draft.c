#include "dsl/generate_draft.h"

#include "core/arena.h"
#include "dsl/domain_labels.h"
#include "dsl/examine.h"
#include "dsl/loading.h"
#include "dsl/prove_program.h"

enum {
    PARSE_ERRORS_SHOWN = 10,
    HEAD_LEN_MAX = 512, /* of a declaration, to its brace */
};

static const vsr_str keywords[] = {
    VSR_STR_INIT("DECISION_TREE"), VSR_STR_INIT("ENTRYPOINT"), VSR_STR_INIT("PROJECTION"), VSR_STR_INIT("ROUTING"),
    VSR_STR_INIT("RECIPE"),        VSR_STR_INIT("SIGNAL"),     VSR_STR_INIT("ROUTE"),      VSR_STR_INIT("MODEL"),
    VSR_STR_INIT("PLUGIN"),        VSR_STR_INIT("TEST"),
};

static const vsr_str fence = VSR_STR_INIT("```");

/* ---- the program in an answer */

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ascii_is_digit(c) || c == '_' || c == '-' || c == '.' ||
           c == '/';
}

/* Whether a declaration may begin at `at`: a keyword, then a blank or a brace. */
static bool keyword_at(vsr_str text, size_t at) {
    vsr_str rest = str_sub(text, at, text.len);
    for (size_t i = 0; i < VSR_COUNT(keywords); i++)
        if (rest.len > keywords[i].len && str_starts(rest, keywords[i]))
            return is_blank(rest.ptr[keywords[i].len]) || rest.ptr[keywords[i].len] == '{';
    return false;
}

static vsr_str first_line(vsr_str text) {
    ptrdiff_t end = str_find_char(text, '\n');
    return end < 0 ? text : str_sub(text, 0, (size_t)end);
}

/* What nobody writes in a sentence: a keyword, and a brace behind it in its line. */
static bool declares(vsr_str text, size_t at) {
    vsr_str rest = str_sub(text, at, text.len - at < HEAD_LEN_MAX ? text.len : at + HEAD_LEN_MAX);
    return keyword_at(text, at) && str_find_char(first_line(rest), '{') >= 0;
}

static vsr_str without_thoughts(vsr_str text) {
    static const vsr_str open = VSR_STR_INIT("<think>"), close = VSR_STR_INIT("</think>");
    ptrdiff_t end;
    if (!str_starts(text, open))
        return text;
    end = str_find(text, close);
    return end < 0 ? text : str_trim(str_sub(text, (size_t)end + close.len, text.len));
}

/* Whether nothing but blanks stands before `at` in its line. */
static bool begins_line(vsr_str text, size_t at) {
    while (at > 0 && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == '\t'))
        at--;
    return at == 0 || text.ptr[at - 1] == '\n';
}

/* Whether nothing but the name of a language stands between `at` and the end of its line, which *ret_end gets. */
static bool ends_line(vsr_str text, size_t at, size_t *ret_end) {
    while (at < text.len && (is_word(text.ptr[at]) || text.ptr[at] == '+'))
        at++;
    while (at < text.len && is_blank(text.ptr[at]) && text.ptr[at] != '\n')
        at++;
    if (at < text.len && text.ptr[at] != '\n')
        return false;
    *ret_end = at;
    return true;
}

/* The next fence from `at` on; text.len: none. */
static size_t next_fence(vsr_str text, size_t at) {
    ptrdiff_t found = str_find(str_sub(text, at, text.len), fence);
    return found < 0 ? text.len : at + (size_t)found;
}

/* The next one that stands in front of its line. */
static size_t next_fence_line(vsr_str text, size_t at) {
    while ((at = next_fence(text, at)) < text.len && !begins_line(text, at))
        at += fence.len;
    return at < text.len ? at : text.len;
}

/* The first one that stands in front of its line or at the end of it; else the first of all. */
static size_t opening_fence(vsr_str text) {
    size_t first = next_fence(text, 0), at = first, end;
    while (at < text.len && !begins_line(text, at) && !ends_line(text, at + fence.len, &end))
        at = next_fence(text, at + fence.len);
    return at < text.len ? at : first;
}

/* A text that begins with a declaration has fences in its strings alone. */
static vsr_str inside_fence(vsr_str text) {
    size_t open = declares(text, 0) ? text.len : opening_fence(text), start, end = text.len;
    if (open == text.len)
        return text;
    start = open + fence.len;
    if (ends_line(text, start, &start))
        end = next_fence_line(text, start);
    return str_sub(text, start, end < text.len ? end : next_fence(text, start));
}

/*
 * The first keyword outside of strings and comments, `braced`: that declares something; text.len: none. Quotes of a
 * sentence end with its line.
 */
static size_t first_keyword(vsr_str text, bool braced) {
    bool quoted = false, comment = false;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '\n')
            quoted = comment = false;
        else if (c == '"' && !comment)
            quoted = !quoted;
        else if (c == '#' && !quoted)
            comment = true;
        else if (!quoted && !comment && (at == 0 || !is_word(text.ptr[at - 1])) &&
                 (braced ? declares(text, at) : keyword_at(text, at)))
            return at;
    }
    return text.len;
}

static vsr_str from_first_declaration(vsr_str text) {
    size_t at = first_keyword(text, true);
    return str_sub(text, at < text.len ? at : first_keyword(text, false), text.len);
}

/* Up to the last brace that closes everything; all of it when there is none. */
static vsr_str to_last_declaration(struct arena *arena, vsr_str text) {
    struct findings unused;
    struct tokens tokens;
    int64_t depth = 0;
    size_t end = 0;
    findings_init(&unused, arena);
    tokens_read(arena, text, &tokens, &unused);
    if (tokens.doubtful)
        tokens_read_doubting(arena, text, &tokens, &unused);
    for (size_t i = 0; i < tokens.n; i++) {
        depth += token_is(&tokens.items[i], '{');
        if (token_is(&tokens.items[i], '}') && depth > 0 && --depth == 0)
            end = tokens.items[i].at.end;
    }
    /* What is still open is a declaration that was cut off, when it begins like one. */
    return depth > 0 || end == 0 ? text : str_sub(text, 0, end);
}

vsr_str generate_sanitise(struct arena *arena, vsr_str answer) {
    vsr_str text = inside_fence(without_thoughts(str_trim(answer)));
    return str_trim(to_last_declaration(arena, from_first_declaration(str_trim(text))));
}

/* ---- what is wrong with it */

static const struct dsl_at start = { .line = 1, .col = 1 };

static bool has_categories(const struct dsl_decl *decl) {
    const struct dsl_field *field = dsl_field(&decl->fields, VSR_STR("mmlu_categories"));
    return field && field->value.kind == DSL_ARRAY && field->value.n_items > 0;
}

/* A domain without categories stands for the field of knowledge that it is called like: other names match nothing. */
static void check_domains(struct arena *arena, const struct dsl_program *program, struct findings *findings) {
    DSL_EACH(decl, program, DSL_SIGNAL_DECL) {
        vsr_str near;
        bool certain;
        if (!str_eq_c(decl->type.text, "domain") || domain_is_label(decl->name.text) || has_categories(decl))
            continue;
        near = domain_suggest(arena, decl->name.text, &certain);
        findings->decl = decl->at;
        (void)
            finding_add(findings, FINDING_WARNING, "W221", decl->name.at,
                        "domain \"%.*s\" is no field of knowledge and has no mmlu_categories: it never matches%s%.*s%s",
                        VSR_FMT(decl->name.text), near.len > 0 ? ". Did you mean \"" : "", VSR_FMT(near),
                        near.len > 0 ? "\"?" : "");
    }
    DSL_EACH(recipe, program, DSL_RECIPE) {
        findings->prefix = arena_printf(arena, "recipe \"%.*s\": ", VSR_FMT(recipe->name.text));
        check_domains(arena, recipe->recipe, findings);
        findings->prefix = VSR_STR("");
    }
}

static void check_whole(const struct generate_draft *draft, bool cut_off, struct findings *findings) {
    if (draft->text.len == 0 || (draft->parsed.program.n == 0 && findings->n_of[FINDING_ERROR] == 0))
        (void)finding_add(findings, FINDING_ERROR, "E101", start, "the answer has no declaration in it");
    else if (cut_off)
        (void)finding_add(findings, FINDING_ERROR, "E101", start,
                          "the answer was cut off because it was too long: write a shorter program");
}

static void take(struct findings *all, const struct finding *from, enum finding_level level) {
    struct finding *to = finding_add(all, level, from->code, from->at, "%.*s", VSR_FMT(from->message));
    if (to) {
        to->decl = from->decl;
        to->fix = from->fix;
        to->witness = from->witness;
    }
}

static void take_over(struct findings *all, const struct findings *some) {
    for (size_t i = 0; i < some->n; i++)
        take(all, &some->items[i], some->items[i].level);
}

/* That a proof was given up (W411) is no fault of the program; that ordinary requests are left over is one of a new
 * program. */
static void prove(struct arena *arena, const struct language *language, const struct yaml_node *base,
                  struct generate_draft *draft) {
    static const struct prove_options options = { .ordinary = true };
    const size_t *n_of = draft->findings.n_of;
    struct findings proofs;
    if (n_of[FINDING_ERROR] + n_of[FINDING_CONSTRAINT] > 0)
        return;
    findings_init(&proofs, arena);
    (void)dsl_prove_program(arena, language, draft->compiled, base, &options, &proofs, NULL);
    for (size_t i = 0; i < proofs.n; i++) {
        const struct finding *finding = &proofs.items[i];
        if (strcmp(finding->code, "W408") == 0)
            take(&draft->findings, finding, FINDING_WARNING);
        else if (strcmp(finding->code, "W411") != 0)
            take(&draft->findings, finding, finding->level);
    }
}

/* The answer and its text are set. */
static void judge(struct arena *arena, const struct language *language, const struct yaml_node *base, bool cut_off,
                  struct generate_draft *draft) {
    findings_init(&draft->syntax, arena);
    findings_init(&draft->findings, arena);
    dsl_parse(arena, draft->text, &draft->parsed, &draft->syntax);
    check_whole(draft, cut_off, &draft->syntax);
    take_over(&draft->findings, &draft->syntax);
    if (draft->syntax.n_of[FINDING_ERROR] == 0) {
        draft->compiled = dsl_examine(arena, language, &draft->parsed, base, &draft->findings);
        check_domains(arena, &draft->parsed.program, &draft->findings);
        (void)dsl_check_loading(language, &draft->parsed, draft->compiled, &(struct dsl_base_of){ .root = base },
                                &draft->findings);
        prove(arena, language, base, draft);
    }
    findings_sort(&draft->findings);
}

void generate_judge(struct arena *arena, const struct language *language, const struct yaml_node *base, vsr_str answer,
                    bool cut_off, struct generate_draft *ret_draft) {
    *ret_draft = (struct generate_draft){ .answer = answer, .text = generate_sanitise(arena, answer) };
    judge(arena, language, base, cut_off, ret_draft);
}

void generate_judge_text(struct arena *arena, const struct language *language, const struct yaml_node *base,
                         vsr_str text, struct generate_draft *ret_draft) {
    *ret_draft = (struct generate_draft){ .answer = text, .text = text };
    judge(arena, language, base, false, ret_draft);
}

vsr_str generate_parse_error(struct arena *arena, const struct generate_draft *draft) {
    vsr_str text = VSR_STR("");
    size_t shown = 0;
    for (size_t i = 0; i < draft->syntax.n && shown < PARSE_ERRORS_SHOWN; i++) {
        const struct finding *finding = &draft->syntax.items[i];
        if (finding->level != FINDING_ERROR)
            continue;
        text = arena_printf(arena, "%.*s%s%u:%u: %.*s", VSR_FMT(text), shown++ > 0 ? "; " : "", finding->at.line,
                            finding->at.col, VSR_FMT(finding->message));
    }
    return text;
}

size_t generate_faults(const struct generate_draft *draft) {
    const size_t *n_of = draft->findings.n_of;
    return n_of[FINDING_ERROR] + n_of[FINDING_WARNING] + n_of[FINDING_CONSTRAINT];
}

bool generate_is_better(const struct generate_draft *a, const struct generate_draft *b) {
    bool parses = a->syntax.n_of[FINDING_ERROR] == 0, other = b->syntax.n_of[FINDING_ERROR] == 0;
    size_t errors = a->findings.n_of[FINDING_ERROR], others = b->findings.n_of[FINDING_ERROR];
    if (parses != other)
        return parses;
    return errors != others ? errors < others : generate_faults(a) < generate_faults(b);
}
