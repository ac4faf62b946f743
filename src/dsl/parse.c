/*
 * Declarations, and what happens when one is damaged.
 *
 * A damaged declaration is given up. Reading goes on at the next keyword of a declaration, which is believed when
 *   - all braces that the damaged one opened are closed again, and the keyword begins a line or is followed by what
 *     such a declaration begins with (MODEL and PLUGIN, which stand in routes too, must be); or
 *   - it begins a line, no further in than the damaged declaration did: then a brace was forgotten or is too many.
 * The second rule also looks back a few words from the mistake, because a forgotten brace is noticed only behind the
 * keyword: in `SIGNAL domain a { description: "x"` SIGNAL on the next line first passes for a field. It looks back no
 * further, so that time stays linear.
 *
 * Behind the last brace of the damaged declaration a line may also begin with what is no keyword but looks like one.
 *
 * A keyword that begins a line no further in than the RECIPE around it belongs to what is around the recipe: the recipe
 * is then over, and that too was told by the first mistake.
 */
#include "dsl/parse.h"

#include "core/arena.h"
#include "dsl/findings.h"
#include "dsl/parser.h"

enum {
    LOOK_BACK = 4,
    BRANCHES_MAX = 1000, /* priorities of the next tree begin 1000 below */
};

/* A list of declarations being read: the file, or the inside of a recipe. */
struct list {
    struct dsl_program *program;
    size_t cap;
    struct dsl_at decl; /* RECIPE; line 0: the file */
    size_t braces;      /* open around it */
    bool in_recipe;
    uint32_t recipe_col; /* where RECIPE begins its line; 0: it does not */
    bool unindented;     /* the recipe's declarations begin no further in than it */
    bool over;           /* by a keyword that belongs to what is around it */
};

struct parse_run {
    struct parser p;
    size_t n_decls;
    size_t lexical, lexical_end; /* findings about words, in the order of the text, that have no declaration yet */
};

struct decl_word {
    const char *word;
    enum dsl_decl_kind kind;
    bool in_recipe;
    const char *shape; /* what follows it: i an identifier, n a name, else the sign; ( stands for { too */
    bool (*parse)(struct parse_run *run, struct dsl_decl *decl);
    const char *removed; /* what to do instead; NULL: still in the language */
};

static void parse_list(struct parse_run *run, struct list *list);

/* ---- one kind of declaration each */

static bool parse_plain(struct parse_run *run, struct dsl_decl *decl) {
    return parse_fields(&run->p, &decl->fields);
}

static bool parse_named(struct parse_run *run, struct dsl_decl *decl) {
    return parse_name(&run->p, "name", &decl->name) && parse_plain(run, decl);
}

static bool parse_signal(struct parse_run *run, struct dsl_decl *decl) {
    struct parser *p = &run->p;
    if (!parse_identifier(p, "signal type", &decl->type))
        return false;
    if (str_eq_c(decl->type.text, "session_metric")) {
        (void)parse_error(
            p, "E110", decl->type.at,
            "signal type session_metric was removed in v0.3; a conversation signal counts turns and tool calls");
        return false;
    }
    p->token_counts = str_eq_c(decl->type.text, "context");
    return parse_named(run, decl);
}

static bool parse_projection(struct parse_run *run, struct dsl_decl *decl) {
    static const char *const kinds[] = { "partition", "score", "mapping" };
    for (size_t i = 0; i < VSR_COUNT(kinds); i++) {
        if (!parse_at_word(&run->p, kinds[i]))
            continue;
        decl->kind = (enum dsl_decl_kind)(DSL_PARTITION + i);
        parse_advance(&run->p);
        return parse_named(run, decl);
    }
    return parse_misspelled(&run->p, "\"partition\", \"score\" or \"mapping\"", kinds, VSR_COUNT(kinds));
}

static bool parse_template(struct parse_run *run, struct dsl_decl *decl) {
    return parse_name(&run->p, "name", &decl->name) && parse_identifier(&run->p, "plugin type", &decl->type) &&
           parse_plain(run, decl);
}

static bool parse_route(struct parse_run *run, struct dsl_decl *decl) {
    struct parser *p = &run->p;
    const struct dsl_item *description;
    if (!parse_name(p, "name", &decl->name) ||
        (parse_at_sign(p, '(') && !parse_options(p, COMMAS_FREE, true, &decl->options)) ||
        !parse_body(p, BODY_ROUTE, &decl->body))
        return false;
    description = dsl_item(&decl->body, DSL_ITEM_DESCRIPTION);
    if (description && dsl_field(&decl->options, VSR_STR("description")))
        (void)finding_add(p->findings, FINDING_WARNING, "W106", description->at,
                          "the description is given twice; that of DESCRIPTION counts");
    return true;
}

static bool parse_test_case(struct parser *p) {
    struct dsl_test_case test = { 0 };
    if (parse_peek(p, 0)->kind != TOKEN_STRING)
        return parse_unexpected(p, "query in quotes or \"}\"");
    if (!parse_name(p, "query", &test.query))
        return false;
    if (parse_peek(p, 0)->kind != TOKEN_ARROW)
        return parse_unexpected(p, "\"->\"");
    parse_advance(p);
    if (!parse_name(p, "route name", &test.route) || (parse_at_sign(p, '{') && !parse_fields(p, &test.facts)))
        return false;
    parse_push(p, &p->cases, &test, sizeof(test));
    return true;
}

static bool parse_test(struct parse_run *run, struct dsl_decl *decl) {
    struct parser *p = &run->p;
    if (!parse_name(p, "name", &decl->name) || !parse_expect(p, '{', "\"{\""))
        return false;
    while (!parse_at_sign(p, '}')) {
        if (!parse_test_case(p))
            return false;
    }
    parse_advance(p);
    decl->cases = parse_take(p, &p->cases, 0, sizeof(*decl->cases), &decl->n_cases);
    return true;
}

/* ---- DECISION_TREE name { IF a { } ELSE IF b { } ELSE { } } */

static bool parse_branch(struct parser *p, struct dsl_at start, bool conditional) {
    struct dsl_branch branch = { .at = start };
    if (conditional && !parse_expr(p, &branch.when))
        return false;
    if (!parse_body(p, BODY_BRANCH, &branch.body))
        return false;
    parse_push(p, &p->branches, &branch, sizeof(branch));
    return true;
}

static bool parse_if(struct parser *p, struct dsl_at start) {
    return parse_expect_word(p, "IF", "\"IF\"") && parse_branch(p, start, true);
}

static bool parse_tree(struct parse_run *run, struct dsl_decl *decl) {
    struct parser *p = &run->p;
    bool conditional = true;
    if (!parse_name(p, "name", &decl->name) || !parse_expect(p, '{', "\"{\"") || !parse_if(p, parse_peek(p, 0)->at))
        return false;
    while (conditional) {
        struct dsl_at start = parse_peek(p, 0)->at;
        if (!parse_expect_word(p, "ELSE", "\"ELSE\""))
            return false;
        conditional = parse_at_word(p, "IF");
        if (conditional ? !parse_if(p, start) : !parse_branch(p, start, false))
            return false;
    }
    if (!parse_expect(p, '}', "\"}\""))
        return false;
    decl->branches = parse_take(p, &p->branches, 0, sizeof(*decl->branches), &decl->n_branches);
    return true;
}

/* ---- RECIPE name { ... } */

static bool begins_line(struct parser *p, const struct token *token) {
    size_t at = token->at.start;
    while (at > 0 && p->source.ptr[at - 1] && strchr(" \t\r\f\v", p->source.ptr[at - 1]))
        at--;
    p->work += token->at.start - at;
    return at + (token->at.col - 1) == token->at.start; /* nothing but blanks since column 1 */
}

static bool parse_recipe(struct parse_run *run, struct dsl_decl *decl) {
    struct parser *p = &run->p;
    const struct token *keyword = &p->tokens[p->at - 1];
    struct list inside = { .in_recipe = true, .decl = decl->at };
    if (!parse_name(p, "name", &decl->name) ||
        (parse_at_sign(p, '(') && !parse_options(p, COMMAS_FREE, false, &decl->options)) ||
        !parse_expect(p, '{', "\"{\""))
        return false;
    decl->recipe = ARENA_NEW(p->arena, struct dsl_program);
    inside.program = decl->recipe;
    inside.braces = p->braces;
    if (begins_line(p, keyword)) {
        const struct token *first = parse_peek(p, 0);
        inside.recipe_col = keyword->at.col;
        inside.unindented = first->at.line > keyword->at.line && first->at.col <= keyword->at.col;
    }
    parse_list(run, &inside);
    p->findings->decl = decl->at;
    (void)parse_accept(p, '}'); /* where it is missing, that was told, and what is whole stays */
    return true;
}

/* ---- all declarations */

static const char to_yaml[] = "put these settings in the YAML config";

static const struct decl_word decl_words[] = {
    { "ROUTING", DSL_ROUTING, true, "{", parse_plain, NULL },
    { "ENTRYPOINT", DSL_ENTRYPOINT, false, "{", parse_plain, NULL },
    { "RECIPE", DSL_RECIPE, false, "n(", parse_recipe, NULL },
    { "SIGNAL", DSL_SIGNAL_DECL, true, "in", parse_signal, NULL },
    { "PROJECTION", DSL_PARTITION, true, "in", parse_projection, NULL },
    { "ROUTE", DSL_ROUTE, true, "n(", parse_route, NULL },
    { "DECISION_TREE", DSL_TREE, true, "n{", parse_tree, NULL },
    { "MODEL", DSL_MODEL, false, "n{", parse_named, NULL },
    { "PLUGIN", DSL_PLUGIN, true, "ni{", parse_template, NULL },
    { "TEST", DSL_TEST, true, "n{", parse_test, NULL },
    { "GLOBAL", 0, true, "{", NULL, to_yaml },
    { "BACKEND", 0, true, "in", NULL, to_yaml },
    { "SIGNAL_GROUP", 0, true, "n{", NULL, "use PROJECTION partition" },
    { "SESSION_STATE", 0, true, "n{", NULL, "delete this one" },
};

static const struct decl_word *find_word(const struct token *token) {
    for (size_t i = 0; token->kind == TOKEN_IDENT && i < VSR_COUNT(decl_words); i++) {
        if (str_eq_c(token->text, decl_words[i].word))
            return &decl_words[i];
    }
    return NULL;
}

static void tell_removed(struct parser *p, const struct decl_word *word) {
    const struct token *name = parse_peek(p, 1);
    vsr_str shown = str_eq_c(str_from_c(word->shape), "n{") && name->text.len <= 64 ? name->text : (vsr_str){ 0 };
    bool partition = str_eq_c(str_from_c(word->word), "SIGNAL_GROUP") && shown.len > 0;
    (void)parse_error(p, "E110", parse_peek(p, 0)->at, "%s blocks were removed in v0.3; %s%s%.*s", word->word,
                      word->removed, partition ? " " : "", partition ? (int)shown.len : 0, shown.ptr);
    parse_advance(p);
}

static bool tell_no_decl(struct parser *p, const struct list *list) {
    const char *words[VSR_COUNT(decl_words)];
    size_t n = 0;
    for (size_t i = 0; i < VSR_COUNT(decl_words); i++) {
        if (!decl_words[i].removed && (decl_words[i].in_recipe || !list->in_recipe))
            words[n++] = decl_words[i].word;
    }
    return parse_misspelled(p, list->in_recipe ? "declaration or \"}\"" : "declaration", words, n);
}

static bool parse_decl(struct parse_run *run, struct list *list) {
    struct parser *p = &run->p;
    const struct token *keyword = parse_peek(p, 0);
    const struct decl_word *word = find_word(keyword);
    struct dsl_decl decl = { .at = keyword->at };
    p->token_counts = false;
    p->depth = 0;
    p->findings->decl = list->decl;
    if (!word || (list->in_recipe && !word->in_recipe))
        return tell_no_decl(p, list);
    if (word->removed) {
        tell_removed(p, word);
        return false;
    }
    decl.kind = word->kind;
    p->findings->decl = keyword->at;
    parse_advance(p);
    if (!word->parse(run, &decl))
        return false;
    decl.whole = parse_whole(p, decl.at);
    list->program->decls = arena_grow(p->arena, list->program->decls, sizeof(decl), list->program->n, &list->cap);
    list->program->decls[list->program->n++] = decl;
    run->n_decls++;
    return true;
}

/* ---- behind a mistake */

static bool has_shape(const struct token *token, const char *shape) {
    for (; *shape; shape++) {
        bool fits;
        token++; /* END fits nothing, and is the last one */
        switch (*shape) {
        case 'i':
            fits = token->kind == TOKEN_IDENT;
            break;
        case 'n':
            fits = token->kind == TOKEN_IDENT || token->kind == TOKEN_STRING;
            break;
        case '(':
            fits = token_is(token, '(') || token_is(token, '{');
            break;
        default:
            fits = token_is(token, *shape);
        }
        if (!fits)
            return false;
    }
    return true;
}

/* A field or an option can be called like a keyword. */
static bool is_key(const struct token *token) {
    return token_is(token + 1, ':') || token_is(token + 1, '=');
}

/* MODEL and PLUGIN stand inside of routes too. */
static bool is_item_word(const struct decl_word *word) {
    return word->kind == DSL_MODEL || word->kind == DSL_PLUGIN;
}

/* What a damaged declaration was. */
struct damage {
    size_t start;   /* its first token */
    size_t mistake; /* where reading stopped */
    uint32_t col;   /* a keyword that begins a line no further in than this is no part of it */
};

/* Whether the keyword at `i` belongs to what is around the recipe. */
static bool ends_recipe(struct parser *p, const struct list *list, const struct decl_word *word, size_t i) {
    const struct token *token = &p->tokens[i];
    return list->recipe_col && token->at.col <= list->recipe_col && (!list->unindented || !word->in_recipe) &&
           begins_line(p, token) && has_shape(token, word->shape);
}

static bool begins_decl(struct parser *p, const struct list *list, const struct damage *damage,
                        const struct decl_word *word, size_t i, size_t braces) {
    const struct token *token = &p->tokens[i];
    bool first = begins_line(p, token), shaped = has_shape(token, word->shape);
    if (i == damage->start)
        return false;
    if (i < damage->mistake)
        return first && token->at.col <= damage->col && shaped;
    if (braces <= list->braces && (shaped || (first && !is_item_word(word))))
        return true;
    return first && token->at.col <= damage->col && (braces <= list->braces || shaped || !is_item_word(word));
}

/* A line that begins like a declaration though not with a keyword: one with a slip, which deserves to be told. */
static bool resembles_decl(struct parser *p, const struct list *list, const struct damage *damage, size_t i,
                           size_t braces) {
    const struct token *token = &p->tokens[i];
    return i > damage->mistake && braces == list->braces && token_is(token - 1, '}') && token->kind == TOKEN_IDENT &&
           token->at.col <= damage->col && (has_shape(token, "n") || has_shape(token, "{")) && begins_line(p, token);
}

static void resume_at(struct parser *p, size_t i, size_t braces) {
    p->at = i;
    p->braces = braces;
    p->values.n = p->fields.n = p->exprs.n = p->refs.n = p->items.n = p->branches.n = p->cases.n = 0;
}

/* A brace below the damaged declaration's keyword is its own, though it opened none. */
static bool closes_recipe(struct parser *p, const struct list *list, const struct damage *damage,
                          const struct token *token) {
    if (!list->in_recipe || !token_is(token, '}'))
        return false;
    return !list->recipe_col || damage->col <= list->recipe_col || token->at.col != damage->col ||
           !begins_line(p, token);
}

static void recover(struct parser *p, struct list *list, const struct damage *damage) {
    size_t braces = p->braces, i = damage->start;
    if (damage->mistake - damage->start > LOOK_BACK)
        i = damage->mistake - LOOK_BACK;
    for (;; i++) {
        const struct token *token = &p->tokens[i];
        const struct decl_word *word = find_word(token);
        p->work++;
        if (word && !is_key(token)) {
            list->over = ends_recipe(p, list, word, i);
            if (list->over || begins_decl(p, list, damage, word, i, braces))
                break;
        }
        if (token->kind == TOKEN_END || (!word && resembles_decl(p, list, damage, i, braces)))
            break;
        if (i < damage->mistake)
            continue;
        if (braces <= list->braces && closes_recipe(p, list, damage, token))
            break;
        braces += token_is(token, '{');
        braces -= token_is(token, '}') && braces > list->braces;
    }
    resume_at(p, i, list->braces - list->over);
}

/* Words are read before anybody knows what they stand in. */
static void place_lexical(struct parse_run *run, size_t end, struct dsl_at decl) {
    const struct findings *findings = run->p.findings;
    for (; run->lexical < run->lexical_end && findings->items[run->lexical].at.start < end; run->lexical++)
        findings->items[run->lexical].decl = decl;
}

static void parse_list(struct parse_run *run, struct list *list) {
    struct parser *p = &run->p;
    while (!list->over && !(list->in_recipe && parse_at_sign(p, '}'))) {
        const struct token *first = parse_peek(p, 0);
        struct damage damage = { .start = p->at, .col = begins_line(p, first) ? first->at.col : 1 };
        if (first->kind == TOKEN_END) {
            if (list->in_recipe)
                (void)parse_unexpected(p, "declaration or \"}\"");
            break;
        }
        if (run->n_decls >= DSL_DECLARATIONS_MAX) {
            (void)parse_error(p, "E106", first->at, "a program has at most %d declarations; split it",
                              DSL_DECLARATIONS_MAX);
            while (parse_peek(p, 0)->kind != TOKEN_END)
                parse_advance(p);
            break;
        }
        place_lexical(run, first->at.start, list->decl);
        if (!parse_decl(run, list)) {
            damage.mistake = p->at;
            recover(p, list, &damage);
        }
        place_lexical(run, parse_peek(p, 0)->at.start, find_word(first) ? first->at : list->decl);
    }
}

/* ---- what whole declarations must not do */

static bool has_model(const struct dsl_body *body) {
    for (size_t i = 0; i < body->n; i++) {
        const struct dsl_item *item = &body->items[i];
        if (item->kind == DSL_ITEM_MODEL || (item->kind == DSL_ITEM_FOR && item->models.n && item->outputs.n))
            return true;
    }
    return false;
}

static void check_tree(struct parser *p, const struct dsl_decl *decl) {
    for (size_t i = 0; i < decl->n_branches; i++) {
        if (!has_model(&decl->branches[i].body))
            (void)parse_error(p, "E111", decl->branches[i].at,
                              "DECISION_TREE \"%.*s\" branch %zu must declare at least one MODEL",
                              VSR_FMT(decl->name.text), i + 1);
    }
    if (decl->n_branches > BRANCHES_MAX)
        (void)parse_error(p, "E111", decl->branches[BRANCHES_MAX].at,
                          "DECISION_TREE \"%.*s\" has more than %d branches; split it", VSR_FMT(decl->name.text),
                          BRANCHES_MAX);
}

/* Routes and trees order themselves in different ways: one scope has only one of them. */
static void check_scope(struct parser *p, const struct dsl_program *program) {
    const struct dsl_decl *first = NULL;
    bool told = false;
    for (size_t i = 0; i < program->n; i++) {
        const struct dsl_decl *decl = &program->decls[i];
        p->findings->decl = decl->at;
        if (decl->kind == DSL_RECIPE) {
            p->findings->prefix = arena_printf(p->arena, "recipe \"%.*s\": ", VSR_FMT(decl->name.text));
            check_scope(p, decl->recipe);
            p->findings->prefix = (vsr_str){ 0 };
        }
        if (decl->kind == DSL_TREE)
            check_tree(p, decl);
        if (decl->kind != DSL_TREE && decl->kind != DSL_ROUTE)
            continue;
        if (first && first->kind != decl->kind && !told) {
            (void)parse_error(p, "E112", decl->at, "DECISION_TREE and ROUTE cannot coexist in one program");
            told = true;
        }
        first = first ? first : decl;
    }
}

static void read(struct parser *p, bool doubting, struct dsl_parsed *parsed) {
    struct parse_run run = { .p = *p, .lexical = p->findings->n };
    struct list list = { .program = &parsed->program };
    parsed->program = (struct dsl_program){ 0 };
    if (doubting)
        tokens_read_doubting(p->arena, p->source, &parsed->tokens, p->findings);
    else
        tokens_read(p->arena, p->source, &parsed->tokens, p->findings);
    run.p.tokens = parsed->tokens.items;
    run.lexical_end = p->findings->n;
    parse_list(&run, &list);
    check_scope(&run.p, &parsed->program);
    parsed->work += run.p.work + parsed->tokens.work;
}

void dsl_parse(struct arena *arena, vsr_str source, struct dsl_parsed *ret_parsed, struct findings *findings) {
    struct parser p = { .arena = arena, .source = source, .findings = findings };
    struct findings before = *findings;
    p.errors_before = findings->n_of[FINDING_ERROR];
    p.scratch = arena_new(0, 0);
    *ret_parsed = (struct dsl_parsed){ .source = source };
    read(&p, false, ret_parsed);
    if (ret_parsed->tokens.doubtful && findings->n_of[FINDING_ERROR] > p.errors_before) {
        findings->n = before.n;
        memcpy(findings->n_of, before.n_of, sizeof(before.n_of));
        arena_reset(p.scratch);
        read(&p, true, ret_parsed);
    }
    findings->decl = (struct dsl_at){ 0 };
    findings_sort(findings);
    arena_free(p.scratch);
}
