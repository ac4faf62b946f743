#include "dsl/check.h"

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/base.h"
#include "dsl/check_parts.h"
#include "dsl/spelling.h"

enum {
    SUGGEST_AMONG_MAX = 500, /* names that are compared for one suggestion */
    FIX_LEN_MAX = 1 << 16,
};

/* ---- telling */

bool dsl_check_may_be_lost(const struct check *c, vsr_str name) {
    return c->damaged && (c->unreadable || map_get(&c->torn, name));
}

struct dsl_name dsl_check_name_of(const struct dsl_value *value) {
    return (struct dsl_name){ .text = value->text, .at = value->at, .quoted = !value->bare };
}

vsr_str dsl_check_spelled(struct check *c, vsr_str name) {
    struct buf text;
    vsr_str spelled;
    if (spelling_is_identifier(name))
        return name;
    buf_init(&text, FIX_LEN_MAX);
    spell_name(&text, name);
    spelled = arena_str(c->scratch, buf_str(&text));
    buf_done(&text);
    return spelled;
}

void dsl_check_suggest_among(struct check *c, struct finding *finding, const struct dsl_name *found,
                             const vsr_str *names, size_t n) {
    struct buf text;
    vsr_str near;
    bool certain;
    if (!finding || n > SUGGEST_AMONG_MAX || !findings_may_compare(c->findings, n))
        return;
    near = findings_suggest(found->text, names, n, &certain);
    if (near.len == 0)
        return;
    buf_init(&text, FIX_LEN_MAX);
    if (found->quoted)
        spell_string(&text, near);
    else
        spell_name(&text, near);
    if (!buf_failed(&text))
        finding_fix(finding, found->at, buf_str(&text), "change to \"%.*s\"", VSR_FMT(near));
    finding->fix.doubtful = !certain;
    buf_done(&text);
}

void dsl_check_suggest(struct check *c, struct finding *finding, const struct dsl_name *found,
                       const struct map *names) {
    vsr_str *all;
    if (!finding || !names || names->n > SUGGEST_AMONG_MAX)
        return;
    all = ARENA_ARRAY(c->scratch, vsr_str, names->n);
    for (size_t i = 0; i < names->n; i++)
        all[i] = names->entries[i].key;
    dsl_check_suggest_among(c, finding, found, all, names->n);
}

void dsl_check_suggest_type(struct check *c, struct finding *finding, const struct dsl_name *found, const char *more,
                            const char *another) {
    size_t n = c->language->n_blocks[LANGUAGE_SIGNALS];
    vsr_str *names = ARENA_ARRAY(c->scratch, vsr_str, n + 2);
    memcpy(names, c->language->names[LANGUAGE_SIGNALS], n * sizeof(*names));
    if (more)
        names[n++] = str_from_c(more);
    if (another)
        names[n++] = str_from_c(another);
    dsl_check_suggest_among(c, finding, found, names, n);
}

/* ---- what syntax errors cost */

static bool is_syntax_error(const struct finding *finding) {
    return finding->level == FINDING_ERROR && strncmp(finding->code, "E10", 3) == 0;
}

/* Words between `from` and `to` that stand in none of the declarations; goes into recipes. */
static size_t tear(struct check *c, const struct tokens *tokens, size_t i, uint32_t to,
                   const struct dsl_program *program) {
    for (size_t d = 0; d <= program->n; d++) {
        const struct dsl_decl *decl = d < program->n ? &program->decls[d] : NULL;
        uint32_t end = decl ? decl->whole.start : to;
        for (; i < tokens->n && tokens->items[i].at.start < end; i++) {
            const struct token *token = &tokens->items[i];
            c->unreadable |= token->kind == TOKEN_ERROR;
            if (token->kind == TOKEN_IDENT || token->kind == TOKEN_STRING)
                map_put(&c->torn, token->text, c);
        }
        if (decl && decl->recipe)
            i = tear(c, tokens, i, decl->whole.end, decl->recipe);
        while (decl && i < tokens->n && tokens->items[i].at.start < decl->whole.end)
            i++;
    }
    return i;
}

static void note_damage(struct check *c, const struct dsl_parsed *parsed) {
    map_init(&c->torn, c->scratch);
    for (size_t i = 0; i < c->findings->n && !c->damaged; i++)
        c->damaged = is_syntax_error(&c->findings->items[i]);
    if (c->damaged)
        (void)tear(c, &parsed->tokens, 0, UINT32_MAX, &parsed->program);
}

/* ---- the catalogue of models */

static struct check_model *add_model(struct check *c, vsr_str name, const struct dsl_decl *decl) {
    struct check_model *model = map_get(&c->models, name);
    if (model)
        return model;
    model = ARENA_NEW(c->scratch, struct check_model);
    model->decl = decl;
    map_init(&model->loras, c->scratch);
    map_put(&c->models, name, model);
    return model;
}

static void add_lora(struct check *c, struct check_model *model, vsr_str name) {
    if (name.len == 0)
        return;
    map_put(&model->loras, name, model);
    if (!map_get(&c->loras, name))
        map_put(&c->loras, name, model);
}

static void add_declared_models(struct check *c, const struct dsl_program *program) {
    DSL_EACH(decl, program, DSL_MODEL) {
        struct check_model *model = add_model(c, decl->name.text, decl);
        size_t n;
        const struct dsl_value *loras = dsl_items_of(&decl->fields, "loras", &n);
        for (size_t i = 0; i < n; i++)
            if (loras[i].kind == DSL_OBJECT)
                add_lora(c, model, dsl_text_of(&loras[i].fields, "name"));
    }
}

static vsr_str name_in(const struct yaml_node *node) {
    const struct yaml_node *name = node->kind == YAML_MAPPING ? yaml_get(node, VSR_STR("name")) : NULL;
    return name && name->kind == YAML_SCALAR ? name->text : VSR_STR("");
}

static void add_base_model(void *data, vsr_str name, const struct yaml_node *node) {
    struct check *c = data;
    const struct yaml_node *loras = yaml_get(node, VSR_STR("loras"));
    struct check_model *model = add_model(c, name, NULL);
    for (size_t i = 0; loras && loras->kind == YAML_SEQUENCE && i < loras->n_items; i++)
        add_lora(c, model, name_in(loras->items[i]));
}

static void add_models(struct check *c, const struct dsl_program *program, const struct yaml_node *base) {
    map_init(&c->models, c->scratch);
    map_init(&c->loras, c->scratch);
    add_declared_models(c, program);
    dsl_base_models(base, add_base_model, c);
}

static void check_model_decls(struct check *c, const struct dsl_program *program) {
    DSL_EACH(decl, program, DSL_MODEL) {
        struct check_block block = {
            .what = arena_printf(c->scratch, "MODEL %.*s", VSR_FMT(decl->name.text)),
            .block = c->language->model,
            .fields = &decl->fields,
            .at = decl->at,
            .partial = true, /* LoRAs without a name are left out */
        };
        c->findings->decl = decl->at;
        dsl_check_block(c, &block);
    }
}

static void hint_unused_models(struct check *c, const struct dsl_program *program) {
    DSL_EACH(decl, program, DSL_MODEL) {
        const struct check_model *model = map_get(&c->models, decl->name.text);
        c->findings->decl = decl->at;
        if (model && model->decl == decl && !model->used)
            CHECK_TELL(c, HINT, "W220", decl->name.at, "MODEL %.*s is used by no route", VSR_FMT(decl->name.text));
    }
}

/* ---- scopes */

static struct check_declared *declare(struct check *c, struct map *names, vsr_str name, const struct dsl_decl *decl) {
    struct check_declared *declared = map_get(names, name);
    if (declared)
        return declared; /* told by the compiler; the first counts */
    declared = ARENA_NEW(c->scratch, struct check_declared);
    *declared = (struct check_declared){ .decl = decl, .name = name };
    map_put(names, name, declared);
    return declared;
}

static void declare_signal(struct check_scope *scope, const struct dsl_decl *decl) {
    struct check *c = scope->c;
    struct map *names = map_get(&scope->types, decl->type.text);
    const struct config_family *family = dsl_check_family(c, decl->type.text);
    struct check_declared *declared;
    vsr_str role;
    if (!names) {
        names = ARENA_NEW(c->scratch, struct map);
        map_init(names, c->scratch);
        map_put(&scope->types, decl->type.text, names);
    }
    declared = declare(c, names, decl->name.text, decl);
    role = dsl_text_of(&decl->fields, "role");
    if (family && family->declares && role.len && !map_get(names, role)) /* a binding also stands for its role */
        map_put(names, role, declared);
}

static void declare_outputs(struct check_scope *scope, const struct dsl_decl *decl) {
    size_t n;
    const struct dsl_value *outputs = dsl_items_of(&decl->fields, "outputs", &n);
    struct check_declared *mapping = declare(scope->c, &scope->mappings, decl->name.text, decl);
    for (size_t i = 0; i < n; i++) {
        vsr_str name = outputs[i].kind == DSL_OBJECT ? dsl_text_of(&outputs[i].fields, "name") : VSR_STR("");
        struct check_declared *output;
        if (name.len == 0 || map_get(&scope->outputs, name))
            continue;
        output = declare(scope->c, &scope->outputs, name, decl);
        output->output = &outputs[i];
        output->mapping = mapping;
    }
}

static void declare_branches(struct check_scope *scope, const struct dsl_decl *tree) {
    struct check *c = scope->c;
    for (size_t i = 0; i < tree->n_branches; i++) {
        const struct dsl_item *name = dsl_item(&tree->branches[i].body, DSL_ITEM_NAME);
        vsr_str text =
            name ? name->name.text : arena_printf(c->scratch, "%.*s__branch_%02zu", VSR_FMT(tree->name.text), i + 1);
        declare(c, &scope->routes, text, tree);
    }
}

static void declare_all(struct check_scope *scope) {
    struct check *c = scope->c;
    map_init(&scope->types, c->scratch);
    map_init(&scope->outputs, c->scratch);
    map_init(&scope->mappings, c->scratch);
    map_init(&scope->scores, c->scratch);
    map_init(&scope->templates, c->scratch);
    map_init(&scope->routes, c->scratch);
    for (size_t i = 0; i < scope->program->n; i++) {
        const struct dsl_decl *decl = &scope->program->decls[i];
        if (decl->kind == DSL_SIGNAL_DECL)
            declare_signal(scope, decl);
        else if (decl->kind == DSL_MAPPING)
            declare_outputs(scope, decl);
        else if (decl->kind == DSL_SCORE)
            declare(c, &scope->scores, decl->name.text, decl);
        else if (decl->kind == DSL_PLUGIN)
            declare(c, &scope->templates, decl->name.text, decl);
        else if (decl->kind == DSL_ROUTE)
            declare(c, &scope->routes, decl->name.text, decl);
        else if (decl->kind == DSL_TREE)
            declare_branches(scope, decl);
    }
}

static void check_routing(const struct check_scope *scope) {
    DSL_EACH(decl, scope->program, DSL_ROUTING) {
        struct check_block block = {
            .what = VSR_STR("ROUTING"),
            .block = scope->c->language->routing,
            .fields = &decl->fields,
            .at = decl->at,
        };
        scope->c->findings->decl = decl->at;
        dsl_check_block(scope->c, &block);
    }
}

/* ---- what nothing uses */

static void hint_unused(const struct check_scope *scope, const char *what, vsr_str type, const struct map *names) {
    for (size_t i = 0; i < names->n; i++) {
        const struct check_declared *declared = names->entries[i].value;
        const struct dsl_decl *decl = declared->decl;
        if (declared->used || !str_eq(names->entries[i].key, declared->name))
            continue;
        scope->c->findings->decl = decl->at;
        CHECK_TELL(scope->c, HINT, "W220", decl->name.at, "%s%s%.*s %.*s is not used", what, type.len ? " " : "",
                   VSR_FMT(type), VSR_FMT(declared->name));
    }
}

static void hint_all_unused(const struct check_scope *scope) {
    for (size_t i = 0; i < scope->types.n; i++)
        if (dsl_check_family(scope->c, scope->types.entries[i].key)) /* else E201 */
            hint_unused(scope, "SIGNAL", scope->types.entries[i].key, scope->types.entries[i].value);
    hint_unused(scope, "PROJECTION score", VSR_STR(""), &scope->scores);
    hint_unused(scope, "PLUGIN", VSR_STR(""), &scope->templates);
    /* A mapping of which one output is used is in use: the other bands are what that one is not. */
    hint_unused(scope, "PROJECTION mapping", VSR_STR(""), &scope->mappings);
}

static void check_scope(struct check *c, const struct dsl_program *program) {
    struct check_scope scope = { .c = c, .program = program };
    declare_all(&scope);
    check_routing(&scope);
    dsl_check_signals(&scope);
    dsl_check_projections(&scope);
    dsl_check_routes(&scope);
    dsl_check_tests(&scope);
    dsl_check_conflicts(&scope);
    if (!c->damaged)
        hint_all_unused(&scope);
}

/* ---- recipes and entrypoints */

static void check_recipes(struct check *c, const struct dsl_program *program) {
    vsr_str prefix = c->findings->prefix;
    DSL_EACH(decl, program, DSL_RECIPE) {
        struct check_block block = {
            .what = arena_printf(c->scratch, "RECIPE %.*s", VSR_FMT(decl->name.text)),
            .block = c->language->routing,
            .fields = &decl->options,
            .at = decl->at,
            .also = "description",
        };
        c->findings->decl = decl->at;
        dsl_check_block(c, &block);
        c->findings->prefix = arena_printf(c->arena, "recipe \"%.*s\": ", VSR_FMT(decl->name.text));
        check_scope(c, decl->recipe);
        c->findings->prefix = prefix;
    }
}

static void check_virtual_models(struct check *c, const struct dsl_decl *decl, struct map *mapped) {
    size_t n;
    const struct dsl_value *names = dsl_items_of(&decl->fields, "model_names", &n);
    for (size_t i = 0; i < n; i++) {
        const struct dsl_value *name = &names[i], *first;
        if (name->kind != DSL_STRING)
            continue;
        first = map_get(mapped, name->text);
        if (name->text.len == 0)
            CHECK_TELL(c, CONSTRAINT, "C305", name->at, "ENTRYPOINT: a name of model_names must not be empty");
        else if (first)
            CHECK_TELL(c, WARNING, "W207", name->at, "ENTRYPOINT: model \"%.*s\" is already mapped at line %u",
                       VSR_FMT(name->text), first->at.line);
        else
            map_put(mapped, name->text, (void *)name);
    }
}

static void check_entrypoints(struct check *c, const struct dsl_program *program) {
    struct map mapped;
    map_init(&mapped, c->scratch);
    DSL_EACH(decl, program, DSL_ENTRYPOINT) {
        struct check_block block = {
            .what = VSR_STR("ENTRYPOINT"),
            .block = c->language->entrypoint,
            .fields = &decl->fields,
            .at = decl->at,
            .partial = true,
            .names_only = true, /* values are E207 */
        };
        c->findings->decl = decl->at;
        dsl_check_block(c, &block);
        check_virtual_models(c, decl, &mapped);
    }
}

void dsl_check(struct arena *arena, const struct language *language, const struct dsl_parsed *parsed,
               const struct yaml_node *base, struct findings *findings) {
    struct check c = { .arena = arena, .language = language, .findings = findings };
    struct dsl_at decl = findings->decl;
    c.scratch = arena_new(1 << 16, 0);
    note_damage(&c, parsed);
    add_models(&c, &parsed->program, base);
    check_model_decls(&c, &parsed->program);
    check_scope(&c, &parsed->program);
    check_recipes(&c, &parsed->program);
    check_entrypoints(&c, &parsed->program);
    if (!c.damaged)
        hint_unused_models(&c, &parsed->program);
    findings->decl = decl;
    arena_free(c.scratch);
}
