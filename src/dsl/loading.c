#include "dsl/loading.h"

#include "config/load.h"
#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/compile.h"
#include "dsl/findings.h"
#include "dsl/language.h"

/* ---- a document */

/* A copy without notes: whoever wrote the tree keeps them. */
static struct yaml_node *copy(struct arena *arena, const struct yaml_node *node) {
    struct yaml_node *made = yaml_clone(arena, node);
    made->notes = NULL;
    for (size_t i = 0; i < made->n_items; i++) {
        if (made->kind == YAML_MAPPING)
            made->keys[i] = copy(arena, node->keys[i]);
        made->items[i] = copy(arena, node->items[i]);
    }
    return made;
}

const struct config_document *dsl_load(struct arena *arena, const struct language *language,
                                       const struct yaml_node *compiled, const struct dsl_base_of *base,
                                       struct diag *ret_diag) {
    const struct config_load_options options = {
        .parts = *language->parts, .keep_env = true, .no_files = !base->file, .made_from = base->file
    };
    const struct config_document *doc = NULL;
    struct yaml_node *root;
    if (base->root && base->root->kind == YAML_MAPPING) {
        root = copy(arena, base->root);
        yaml_tree_set_second_file(root);
    } else {
        root = yaml_new(arena, YAML_MAPPING, NULL);
    }
    if (dsl_merge(arena, language, root, copy(arena, compiled)) < 0) {
        diag_init(ret_diag, arena, VSR_STR("the program"));
        diag_error(ret_diag, "E_LIMIT", (struct diag_at){ 0 }, VSR_STR("take the routing out of the base"),
                   DSL_MERGE_TOO_LARGE);
        return NULL;
    }
    config_complete_base(arena, root);
    return config_load_tree(arena, root, VSR_STR("the program"), &options, &doc, ret_diag) == 0 ? doc : NULL;
}

/* ---- where things stand */

struct teller {
    struct arena *arena; /* of texts that are told */
    const struct dsl_parsed *parsed;
    struct findings *findings;
    size_t n_before;      /* findings of the language */
    bool models_are_free; /* neither the program nor a base declares any */
};

static bool is_before(struct dsl_at at, uint32_t line, uint32_t col) {
    return at.line < line || (at.line == line && at.col <= col);
}

/* The token at the place, or the last one before it. */
static size_t token_at(const struct tokens *tokens, uint32_t line, uint32_t col) {
    size_t low = 0, high = tokens->n;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (is_before(tokens->items[mid].at, line, col))
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* The declaration around the place, and the recipe around that; NULL: there is none. */
static const struct dsl_decl *decl_at(const struct dsl_program *program, struct dsl_at at,
                                      const struct dsl_decl **ret_recipe) {
    const struct dsl_decl *inner;
    for (size_t i = 0; i < program->n; i++) {
        const struct dsl_decl *decl = &program->decls[i];
        if (at.start < decl->whole.start || at.start >= decl->whole.end)
            continue;
        if (decl->kind != DSL_RECIPE)
            return decl;
        inner = decl_at(decl->recipe, at, ret_recipe);
        if (inner)
            *ret_recipe = decl;
        return inner ? inner : decl;
    }
    return NULL;
}

/* ---- what was told before */

/* A problem of loading, and where it stands in the program. */
struct problem {
    const struct diag_item *item;
    struct dsl_at at, key, value;         /* the token; with a `:`, `=` or `(` between, those around it; or itself */
    const struct dsl_decl *decl, *recipe; /* NULL: in none */
    vsr_str rest;                         /* of the path, beyond the declaration */
};

static bool binds(const struct token *token) {
    return token_is(token, ':') || token_is(token, '=') || token_is(token, '(');
}

/* Both sides of `key: value`, `key = value`, `type("name")`, whichever of the two the token is. */
static void find_field(const struct tokens *tokens, size_t token, struct problem *ret) {
    ret->at = ret->key = ret->value = tokens->items[token].at;
    if (token + 2 < tokens->n && binds(&tokens->items[token + 1]))
        ret->value = tokens->items[token + 2].at;
    if (token >= 2 && binds(&tokens->items[token - 1]))
        ret->key = tokens->items[token - 2].at;
}

static bool is_word_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '"';
}

/* Whether the text has the word, and neither within another nor as a value in quotes. */
static bool has_word(vsr_str text, vsr_str word) {
    ptrdiff_t at;
    while (word.len > 0 && (at = str_find(text, word)) >= 0) {
        size_t end = (size_t)at + word.len;
        if ((at == 0 || !is_word_byte(text.ptr[at - 1])) && (end == text.len || !is_word_byte(text.ptr[end])))
            return true;
        text = str_sub(text, end, text.len);
    }
    return false;
}

/* Whether what is said of the declaration is about the field; the declaration's own name counts for nothing. */
static bool names(const struct finding *finding, const struct dsl_decl *decl, vsr_str field) {
    vsr_str unknown = VSR_STR("unknown field \""), before = decl->name.text, rest = finding->message;
    ptrdiff_t at;
    if (strcmp(finding->code, "C301") == 0)
        before = unknown;
    at = before.len > 0 ? str_find(rest, before) : -1;
    if (at >= 0)
        rest = str_sub(rest, (size_t)at + before.len, rest.len);
    return has_word(rest, field);
}

/* The last word of the path: `operator` of `keywords[k].operator`. Empty: an element. */
static vsr_str field_of(vsr_str path) {
    ptrdiff_t dot = str_find_last_char(path, '.');
    vsr_str word = str_sub(path, (size_t)(dot + 1), path.len);
    return str_find_char(word, '[') >= 0 ? VSR_STR("") : word;
}

/* The same of the object that the field is in: `target` of `target.kind`. */
static vsr_str outermost_of(vsr_str rest) {
    ptrdiff_t dot = str_find_char(rest, '.');
    return dot > 0 ? str_sub(rest, 0, (size_t)dot) : VSR_STR("");
}

/* What stands at the place, with quotes, as messages name it. */
static vsr_str quoted(struct arena *arena, const struct teller *t, struct dsl_at at) {
    vsr_str text = str_sub(t->parsed->source, at.start, at.end);
    return text.len > 0 && text.ptr[0] == '"' ? text : arena_printf(arena, "\"%.*s\"", VSR_FMT(text));
}

/* Findings that say what loading refuses with that code, of what they stand at. No other warning does. */
static bool same_by_code(const struct finding *finding, const struct diag_item *item) {
    static const struct {
        const char *finding, *refusal;
    } same[] = {
        { "W201", "E_REF" }, { "W202", "E_REF" },        { "W205", "E_REF" },
        { "W206", "E_REF" }, { "W207", "E_NAME_TAKEN" }, { "W208", "E_REF" },
        { "C322", "E_REF" }, { "W211", "E_NO_BACKEND" }, { "C320", "E_CYCLE" },
    };
    for (size_t i = 0; i < VSR_COUNT(same); i++)
        if (strcmp(finding->code, same[i].finding) == 0 && strcmp(item->code, same[i].refusal) == 0)
            return true;
    return false;
}

/*
 * A constraint says it of the same field; of what is around it, naming it; and of what is missing, since what has the
 * wrong kind is left out, anywhere, naming it or, where the keyword stands for it, the object that it is in.
 */
static bool same_field(const struct finding *f, const struct problem *problem, bool covers) {
    vsr_str field = field_of(problem->item->path);
    uint32_t start = f->at.start;
    if (problem->at.start == problem->decl->at.start)
        return names(f, problem->decl, field) || names(f, problem->decl, outermost_of(problem->rest));
    if (strcmp(problem->item->code, "E_REQUIRED") == 0 && names(f, problem->decl, problem->rest))
        return true;
    return start == problem->at.start || start == problem->key.start || start == problem->value.start ||
           (covers && names(f, problem->decl, field));
}

/* Whether the language said it, of the same declaration. LoRAs are told at their model. */
static bool is_told(const struct teller *t, const struct problem *problem) {
    vsr_str word = quoted(t->arena, t, problem->at);
    for (size_t i = 0; problem->decl && i < t->n_before; i++) {
        const struct finding *f = &t->findings->items[i];
        bool covers = f->at.start <= problem->at.start &&
                      problem->at.start < (f->at.end > f->at.start ? f->at.end : f->at.start + 1);
        if (f->at.line == 0 || (!covers && (f->decl.line == 0 || f->decl.start != problem->decl->at.start)))
            continue;
        if (f->level == FINDING_CONSTRAINT && same_field(f, problem, covers))
            return true;
        if (f->level != FINDING_HINT && same_by_code(f, problem->item) &&
            (covers || (strcmp(f->code, "W206") == 0 && str_find(f->message, word) >= 0)))
            return true;
    }
    return false;
}

/* ---- telling */

static vsr_str name_of(struct arena *arena, const struct dsl_decl *decl) {
    const char *keyword = dsl_decl_keyword(decl->kind);
    if (decl->kind == DSL_ROUTE)
        return arena_printf(arena, "route \"%.*s\": ", VSR_FMT(decl->name.text));
    if (decl->type.at.line)
        return arena_printf(arena, "%s %.*s %.*s: ", keyword, VSR_FMT(decl->type.text), VSR_FMT(decl->name.text));
    return arena_printf(arena, "%s%s%.*s: ", keyword, decl->name.text.len ? " " : "", VSR_FMT(decl->name.text));
}

/* What a path says beyond the declaration: `keywords[0]` of `routing.signals.keywords[k].keywords[0]`. */
static vsr_str rest_of(struct arena *arena, vsr_str path, const struct dsl_decl *decl) {
    vsr_str element = arena_printf(arena, "[%.*s]", VSR_FMT(decl->name.text));
    ptrdiff_t at = decl->name.text.len ? str_find(path, element) : -1, end = at + (ptrdiff_t)element.len;
    if (decl->kind == DSL_ENTRYPOINT) /* those have a number alone */
        end = at = str_find_char(path, '.');
    if (at < 0)
        return path;
    while ((size_t)end < path.len && path.ptr[end] == '.')
        end++;
    return str_sub(path, (size_t)end, path.len);
}

/* Whether the text is about a model or a LoRA that no card has. */
static bool is_about_cards(vsr_str message) {
    return str_find(message, VSR_STR(" is not defined in routing.modelCards")) >= 0 ||
           str_find(message, VSR_STR(" is not listed by card ")) >= 0;
}

/*
 * What loading refuses and examples of the language leave open (dsl.md §13.8, §13.9), and models where none are
 * declared (§6.1): only hints, since somebody may complete it later.
 */
static bool is_open(const struct teller *t, const struct diag_item *item) {
    return (strcmp(item->code, "E_CONFLICT") == 0 && str_ends(item->path, VSR_STR(".confidence.hybrid_weights"))) ||
           (strcmp(item->code, "E_REQUIRED") == 0 && str_starts(item->message, VSR_STR("model_path is required "))) ||
           (t->models_are_free && strcmp(item->code, "E_REF") == 0 && is_about_cards(item->message));
}

static void tell(struct teller *t, const struct diag_item *item, enum finding_level level, const char *code) {
    struct problem problem = { .item = item };
    const struct dsl_decl *decl;
    vsr_str prefix = t->findings->prefix, what = VSR_STR("");
    find_field(&t->parsed->tokens, token_at(&t->parsed->tokens, item->line, item->col), &problem);
    decl = problem.decl = decl_at(&t->parsed->program, problem.at, &problem.recipe);
    problem.rest = decl ? rest_of(t->arena, item->path, decl) : item->path;
    if (is_told(t, &problem))
        return;
    if (decl)
        what = name_of(t->arena, decl);
    if (str_starts(item->message, problem.rest)) /* it names the field itself */
        problem.rest = VSR_STR("");
    t->findings->decl = decl ? decl->at : (struct dsl_at){ 0 };
    if (problem.recipe)
        t->findings->prefix = arena_printf(t->arena, "recipe \"%.*s\": ", VSR_FMT(problem.recipe->name.text));
    (void)finding_add(t->findings, level, code, problem.at, "%.*s%.*s%s%.*s%s%.*s", VSR_FMT(what),
                      VSR_FMT(problem.rest), problem.rest.len ? ": " : "", VSR_FMT(item->message),
                      item->hint.len ? "; " : "", VSR_FMT(item->hint));
    t->findings->prefix = prefix;
}

/* What is wrong with the base has no place in the program. */
static void tell_base(struct teller *t, const struct diag_item *item, vsr_str base_name) {
    t->findings->decl = (struct dsl_at){ 0 };
    (void)finding_add(t->findings, FINDING_WARNING, "W230", (struct dsl_at){ 0 },
                      "loading refuses the base, %.*s%sline %u, column %u: %.*s%s%.*s%s%.*s", VSR_FMT(base_name),
                      base_name.len ? ", " : "", diag_item_line(item), item->col, VSR_FMT(item->path),
                      item->path.len ? ": " : "", VSR_FMT(item->message), item->hint.len ? "; " : "",
                      VSR_FMT(item->hint));
}

static bool is_of_base(const struct diag_item *item) {
    return item->line >= YAML_SECOND_FILE || item->line == 0; /* nothing in a program is missing at its top */
}

/* What the base may declare is no mistake of a program that was loaded without it. */
static bool needs_base(const struct diag_item *item) {
    return strcmp(item->code, "E_REF") == 0 || strcmp(item->code, "E_NO_BACKEND") == 0;
}

static size_t tell_all(struct teller *t, const struct diag *diag, bool base_missing) {
    size_t n = 0;
    for (size_t i = 0; i < diag->n_items; i++) {
        const struct diag_item *item = &diag->items[i];
        if (item->severity != DIAG_ERROR || is_of_base(item) || (base_missing && needs_base(item)))
            continue;
        tell(t, item, is_open(t, item) ? FINDING_HINT : FINDING_ERROR, "E230");
        n++;
    }
    return n;
}

/* What can never match is served, and most likely not meant. A name may be a label of a classifier of one's own. */
static void tell_never(struct teller *t, const struct diag *diag) {
    for (size_t i = 0; i < diag->n_items; i++) {
        const struct diag_item *item = &diag->items[i];
        if (item->severity == DIAG_WARNING && !is_of_base(item) && strcmp(item->code, "W_NEVER") == 0)
            tell(t, item, str_ends(item->path, VSR_STR(".name")) ? FINDING_HINT : FINDING_WARNING, "W231");
    }
}

/* Loads, and if nothing is wrong with that, builds the engine. Returns whether it all went well. */
static bool try_out(struct arena *arena, const struct language *language, const struct yaml_node *compiled,
                    const struct dsl_base_of *base, struct diag *ret_diag) {
    const struct config_document *doc = dsl_load(arena, language, compiled, base, ret_diag);
    if (doc && language->parts->try_build)
        language->parts->try_build(arena, doc, ret_diag);
    return ret_diag->n_errors == 0;
}

bool dsl_check_loading(const struct language *language, const struct dsl_parsed *parsed,
                       const struct yaml_node *compiled, const struct dsl_base_of *base, struct findings *findings) {
    static const struct dsl_base_of none;
    struct teller teller = { .parsed = parsed, .findings = findings, .n_before = findings->n };
    struct dsl_at decl = findings->decl;
    struct diag diag, alone;
    bool loads;
    size_t n;
    if (findings->n_of[FINDING_ERROR] > 0 || compiled->n_items == 0)
        return findings->n_of[FINDING_ERROR] == 0;
    teller.arena = arena_new(0, 0);
    teller.models_are_free = !base->root;
    DSL_EACH(model, &parsed->program, DSL_MODEL)
    teller.models_are_free = false;
    loads = try_out(teller.arena, language, compiled, base, &diag);
    if (loads) {
        tell_never(&teller, &diag);
    } else {
        n = tell_all(&teller, &diag, false);
        for (size_t i = 0; base->name.ptr && i < diag.n_items; i++)
            if (diag.items[i].severity == DIAG_ERROR && is_of_base(&diag.items[i]))
                tell_base(&teller, &diag.items[i], base->name);
        if (n == 0 && base->root && !try_out(teller.arena, language, compiled, &none, &alone))
            (void)tell_all(&teller, &alone, true);
    }
    findings->decl = decl;
    arena_free(teller.arena);
    return loads;
}
