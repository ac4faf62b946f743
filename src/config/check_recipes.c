/* Recipes as isolation scopes, and the model names that lead to them (config.md §8). */
#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"

static const vsr_str default_name = VSR_STR_INIT("default");

/* ---- names that requests may ask for */

void check_take(struct check *c, vsr_str name, vsr_str what, struct diag_at at, vsr_str hint) {
    const struct check_taken *first = map_get(&c->taken, name);
    struct check_taken *taken;
    if (first) {
        diag_error(c->diag, "E_NAME_TAKEN", at, hint, "\"%.*s\" is %.*s", VSR_FMT(name), VSR_FMT(first->what));
        return;
    }
    taken = ARENA_NEW(c->scratch, struct check_taken);
    *taken = (struct check_taken){ what, at };
    (void)map_put(&c->taken, name, taken); /* was absent */
}

/* ---- scopes */

static bool is_unreserved(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '_' || byte == '.' || byte == '~';
}

vsr_str config_scope_escape(struct arena *arena, vsr_str name) {
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, name.len * 3);
    size_t n = 0;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.ptr[i];
        if (is_unreserved(name.ptr[i])) {
            out[n++] = name.ptr[i];
        } else if (byte == ' ') {
            out[n++] = '+';
        } else {
            out[n++] = '%';
            out[n++] = digits[byte >> 4];
            out[n++] = digits[byte & 15];
        }
    }
    return (vsr_str){ out, n };
}

/* Whether the top level says anything that makes it a profile of its own. */
static bool has_profile(const struct config_routing *routing) {
    static const char *const content[] = { "strategy", "signals", "projections", "decisions" };
    for (size_t i = 0; i < VSR_COUNT(content); i++) {
        const struct yaml_node *node = yaml_get(routing->at.node, str_from_c(content[i]));
        if (node && !yaml_is_null(node) && (node->kind == YAML_SCALAR || node->n_items > 0))
            return true;
    }
    return false;
}

static struct config_scope scope_of(struct check *c, struct config_recipe *recipe) {
    return (struct config_scope){
        .name = recipe->name,
        .description = recipe->description,
        .path = schema_path(c->arena, recipe->at.path, VSR_STR("routing")),
        .prefix = str_eq(recipe->name, default_name)
                      ? VSR_STR("")
                      : arena_printf(c->arena, "%.*s::", VSR_FMT(config_scope_escape(c->arena, recipe->name))),
        .routing = &recipe->routing,
    };
}

static struct diag_at recipe_at(struct check *c, const struct config_recipe *recipe, const char *field) {
    return schema_field_at(&config_recipe_schema, recipe, field, c->arena);
}

static void check_recipe_name(struct check *c, const struct config_recipe *recipe) {
    if (str_trim(recipe->name).len != recipe->name.len)
        diag_error(c->diag, "E_RANGE", recipe_at(c, recipe, "name"), VSR_STR(""),
                   "the name must not begin or end with blanks");
    if (str_eq(recipe->name, default_name) && has_profile(&c->doc->routing))
        diag_error(c->diag, "E_CONFLICT", recipe_at(c, recipe, "name"),
                   VSR_STR("leave only modelCards in the top-level routing, or rename the recipe"),
                   "the top-level routing is already the recipe \"default\"");
}

void check_scopes(struct check *c) {
    struct config_document *doc = c->doc;
    struct map names;
    map_init(&names, c->scratch);
    doc->scopes = ARENA_ARRAY(c->arena, struct config_scope, doc->recipes.n + 1);
    doc->scopes[doc->n_scopes++] =
        (struct config_scope){ .name = default_name, .path = VSR_STR("routing"), .routing = &doc->routing };
    CONFIG_EACH(struct config_recipe, recipe, &doc->recipes) {
        (void)check_unique(c, &names, recipe->name, &config_recipe_schema, recipe, "recipe");
        check_recipe_name(c, recipe);
        if (str_eq(recipe->name, default_name))
            doc->scopes[0] = scope_of(c, recipe);
        else
            doc->scopes[doc->n_scopes++] = scope_of(c, recipe);
    }
}

/* ---- entrypoints */

static struct diag_at name_at(struct check *c, const struct config_entrypoint *entrypoint, size_t index) {
    const struct yaml_node *node = entrypoint->model_names.nodes[index];
    return (struct diag_at){ node->line, node->col,
                             arena_printf(c->arena, "%.*s.model_names[%zu]", VSR_FMT(entrypoint->at.path), index) };
}

/* Trims the names and drops repeated ones; a name of nothing is no name. */
static void derive_names(struct check *c, struct config_entrypoint *entrypoint) {
    struct config_strings *names = &entrypoint->model_names;
    vsr_str what = arena_printf(c->scratch, "an entrypoint of recipe %.*s", VSR_FMT(entrypoint->recipe));
    struct map seen; /* name -> its node */
    size_t n = 0;
    map_init(&seen, c->scratch);
    for (size_t i = 0; i < names->n; i++) {
        vsr_str name = str_trim(names->items[i]);
        if (name.len == 0 || map_put(&seen, name, (void *)names->nodes[i]))
            continue;
        if (!names->nodes[i]->reference)
            check_take(c, name, what, name_at(c, entrypoint, i), VSR_STR("a name leads to one place only"));
        names->items[n] = name;
        names->nodes[n++] = names->nodes[i];
    }
    names->n = n;
    if (n == 0)
        diag_error(c->diag, "E_REQUIRED",
                   schema_field_at(&config_entrypoint_schema, entrypoint, "model_names", c->arena), VSR_STR(""),
                   "at least one name that is not blank is required");
}

static void resolve_recipe(struct check *c, struct config_entrypoint *entrypoint) {
    vsr_str *names;
    if (check_is_open(entrypoint, "recipe"))
        return;
    entrypoint->scope = config_scope(c->doc, entrypoint->recipe);
    if (entrypoint->scope)
        return;
    names = ARENA_ARRAY(c->scratch, vsr_str, c->doc->n_scopes);
    for (size_t i = 0; i < c->doc->n_scopes; i++)
        names[i] = c->doc->scopes[i].name;
    diag_error(c->diag, "E_REF", schema_field_at(&config_entrypoint_schema, entrypoint, "recipe", c->arena),
               diag_suggest(c->diag, entrypoint->recipe, names, c->doc->n_scopes), "recipe \"%.*s\" is not defined",
               VSR_FMT(entrypoint->recipe));
}

void check_entrypoints(struct check *c) {
    CONFIG_EACH(struct config_entrypoint, entrypoint, &c->doc->entrypoints) {
        if (!schema_present(&config_entrypoint_schema, entrypoint, "priority"))
            entrypoint->priority = c->doc->global.router.admission.default_priority;
        derive_names(c, entrypoint);
        resolve_recipe(c, entrypoint);
    }
}
