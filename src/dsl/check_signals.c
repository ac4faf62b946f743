/* What signals say of themselves, beyond kinds and ranges (dsl.md §4.3, §6.2). Some of it is told by the compiler. */
#include "core/arena.h"
#include "dsl/check_parts.h"

struct site {
    struct check_scope *scope;
    const struct dsl_decl *decl;
    vsr_str what; /* `SIGNAL keyword k` */
};

/* ---- context */

static void check_context(const struct site *site) {
    struct check *c = site->scope->c;
    const struct dsl_value *least = dsl_value_of(&site->decl->fields, "min_tokens");
    const struct dsl_value *most = dsl_value_of(&site->decl->fields, "max_tokens");
    int64_t low = 0, high = 0;
    if (!least || !most || !schema_tokens(least->text, &low) || !schema_tokens(most->text, &high) || high == 0)
        return; /* 0: no limit */
    if (low > high)
        CHECK_TELL(c, CONSTRAINT, "C311", least->at, "%.*s: min_tokens %.*s is more than max_tokens %.*s",
                   VSR_FMT(site->what), VSR_FMT(least->text), VSR_FMT(most->text));
}

/* ---- domain */

static void check_scored_models(const struct site *site) {
    struct check *c = site->scope->c;
    size_t n;
    const struct dsl_value *scores = dsl_items_of(&site->decl->fields, "model_scores", &n);
    vsr_str where = arena_printf(c->scratch, "%.*s: ", VSR_FMT(site->what));
    for (size_t i = 0; i < n; i++) {
        const struct dsl_value *model = scores[i].kind == DSL_OBJECT ? dsl_value_of(&scores[i].fields, "model") : NULL;
        if (model && model->kind == DSL_STRING) {
            struct dsl_name name = dsl_check_name_of(model);
            dsl_check_model_name(c, where, &name);
        }
    }
}

/* ---- trees inside signals */

static void tell_tree(const struct site *site, const struct dsl_at *at, const char *text) {
    CHECK_TELL(site->scope->c, CONSTRAINT, "C313", *at, "%.*s: composer: %s", VSR_FMT(site->what), text);
}

static void check_tree_leaf(const struct site *site, const struct dsl_value *node, const struct dsl_value *type) {
    struct check *c = site->scope->c;
    const struct dsl_value *name = dsl_value_of(&node->fields, "name");
    struct dsl_name found;
    if (type->kind != DSL_STRING)
        return;
    if (str_eq_c(type->text, "projection")) {
        tell_tree(site, &type->at, "a projection cannot be used here: it is computed after signals");
        return;
    }
    if (!dsl_check_family(c, type->text)) {
        found = dsl_check_name_of(type);
        dsl_check_suggest_type(c,
                               CHECK_TELL(c, CONSTRAINT, "C313", type->at,
                                          "%.*s: composer: unknown signal type \"%.*s\"", VSR_FMT(site->what),
                                          VSR_FMT(type->text)),
                               &found, NULL, NULL);
        return;
    }
    if (str_eq(type->text, site->decl->type.text)) {
        tell_tree(site, &type->at, "a signal of its own type cannot be used here");
        return;
    }
    if (!name || name->kind != DSL_STRING || name->text.len == 0) {
        tell_tree(site, name ? &name->at : &node->at, "a leaf needs the name of a signal");
        return;
    }
    found = dsl_check_name_of(name);
    (void)dsl_check_signal(site->scope, type->text, &found, &found.at, false);
}

/* `{ operator, conditions }` or `{ type, name }`; the parser bounds its depth. */
static void check_tree(const struct site *site, const struct dsl_value *node) {
    const struct dsl_value *type, *op, *conditions;
    vsr_str word;
    if (node->kind != DSL_OBJECT)
        return; /* C302 */
    type = dsl_value_of(&node->fields, "type");
    op = dsl_value_of(&node->fields, "operator");
    conditions = dsl_value_of(&node->fields, "conditions");
    if (type && (op || conditions)) {
        tell_tree(site, &node->at, "a node has either type and name, or operator and conditions");
        return;
    }
    if (type) {
        check_tree_leaf(site, node, type);
        return;
    }
    word = op && op->kind == DSL_STRING ? op->text : VSR_STR("");
    if (word.len == 0) {
        tell_tree(site, &node->at, "a node needs type and name, or operator and conditions");
        return;
    }
    if (!conditions || conditions->kind != DSL_ARRAY || conditions->n_items == 0) {
        tell_tree(site, conditions ? &conditions->at : &node->at, "an operator needs conditions");
        return;
    }
    if (str_eq_nocase(word, VSR_STR("NOT")) && conditions->n_items != 1)
        tell_tree(site, &conditions->at, "NOT takes exactly one condition");
    for (size_t i = 0; i < conditions->n_items; i++)
        check_tree(site, &conditions->items[i]);
}

/* ---- all of them */

/* The reference takes one without a threshold; what it then means is anyone's guess. */
static void check_embedding(const struct site *site) {
    if (!dsl_value_of(&site->decl->fields, "threshold"))
        CHECK_TELL(site->scope->c, CONSTRAINT, "C305", site->decl->at, "%.*s: threshold is required",
                   VSR_FMT(site->what));
}

static void check_special(const struct site *site) {
    vsr_str type = site->decl->type.text;
    const struct dsl_value *composer = dsl_value_of(&site->decl->fields, "composer");
    if (str_eq_c(type, "context"))
        check_context(site);
    else if (str_eq_c(type, "keyword"))
        dsl_check_keyword_patterns(site->scope->c, site->what, &site->decl->fields);
    else if (str_eq_c(type, "structure"))
        dsl_check_structure_pattern(site->scope->c, site->what, &site->decl->fields);
    else if (str_eq_c(type, "domain"))
        check_scored_models(site);
    else if (str_eq_c(type, "embedding"))
        check_embedding(site);
    else if (composer && str_eq_c(type, "complexity"))
        check_tree(site, composer);
}

void dsl_check_signals(struct check_scope *scope) {
    struct check *c = scope->c;
    DSL_EACH(decl, scope->program, DSL_SIGNAL_DECL) {
        struct site site = { .scope = scope, .decl = decl };
        /* Compiling tells what their features lack (E206). */
        bool contract = str_eq_c(decl->type.text, "structure") || str_eq_c(decl->type.text, "conversation");
        struct check_block block = {
            .block = language_block(c->language, LANGUAGE_SIGNALS, decl->type.text),
            .fields = &decl->fields,
            .at = decl->at,
            .partial = contract,
            .contract = contract,
        };
        c->findings->decl = decl->at;
        if (!block.block)
            continue; /* E201 */
        site.what = block.what =
            arena_printf(c->scratch, "SIGNAL %.*s %.*s", VSR_FMT(decl->type.text), VSR_FMT(decl->name.text));
        dsl_check_block(c, &block);
        check_special(&site);
    }
}
