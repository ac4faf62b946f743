#include "core/arena.h"
#include "core/buf.h"
#include "dsl/compile_parts.h"
#include "dsl/key.h"
#include "dsl/spelling.h"

enum {
    NAMES_LEN_MAX = 4096,
    FIX_LEN_MAX = 1 << 20,
};

vsr_str compile_names(struct compile *c, enum language_kind kind) {
    const struct language *language = c->language;
    struct buf text;
    if (c->names[kind].len)
        return c->names[kind];
    buf_init(&text, NAMES_LEN_MAX);
    for (size_t i = 0; i < language->n_blocks[kind]; i++) {
        buf_append_c(&text, i ? ", " : "");
        buf_append(&text, language->names[kind][i]);
    }
    c->names[kind] = arena_str(c->arena, buf_str(&text));
    buf_done(&text);
    return c->names[kind];
}

/* As the name can be written: quoted if it was, or has to be. */
static vsr_str spelled(struct compile *c, vsr_str name, bool quoted) {
    struct buf out;
    vsr_str text;
    buf_init(&out, FIX_LEN_MAX);
    if (quoted)
        spell_string(&out, name);
    else
        spell_name(&out, name);
    text = arena_str(c->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

void compile_suggest(struct compile *c, struct finding *finding, const struct dsl_name *name, const vsr_str *names,
                     size_t n) {
    vsr_str near = VSR_STR("");
    bool certain = false;
    if (finding && n <= COMPILE_SUGGEST_MAX && findings_may_compare(c->findings, n))
        near = findings_suggest(name->text, names, n, &certain);
    if (near.len) {
        finding_fix(finding, name->at, spelled(c, near, name->quoted), "change to \"%.*s\"", VSR_FMT(near));
        finding->fix.doubtful = !certain;
    }
}

/* ---- what is declared twice */

/* The names of one scope, by what they name: `signal keyword a`. */
struct names {
    struct compile *c;
    struct map seen; /* -> const struct dsl_name */
};

static void declare(struct names *names, const char *what, vsr_str type, const struct dsl_name *name) {
    struct compile *c = names->c;
    const vsr_str parts[] = { str_from_c(what), type, name->text };
    vsr_str key = dsl_key(c->arena, parts, VSR_COUNT(parts));
    const struct dsl_name *first = map_get(&names->seen, key);
    if (!first) {
        map_put(&names->seen, key, (void *)name);
        return;
    }
    finding_add(c->findings, FINDING_ERROR, "E202", name->at, "%s%s%.*s \"%.*s\" is already declared at line %u", what,
                type.len ? " " : "", VSR_FMT(type), VSR_FMT(name->text), first->at.line);
}

vsr_str compile_branch_name(struct compile *c, const struct dsl_decl *tree, size_t index) {
    vsr_str end = arena_printf(c->arena, "__branch_%02zu", index + 1);
    char *name = ARENA_ARRAY(c->arena, char, tree->name.text.len + end.len);
    memcpy(name, tree->name.text.ptr, tree->name.text.len); /* a name may hold NUL */
    memcpy(name + tree->name.text.len, end.ptr, end.len);
    return str_make(name, tree->name.text.len + end.len);
}

static void declare_branches(struct names *names, const struct dsl_decl *tree) {
    for (size_t i = 0; i < tree->n_branches; i++) {
        const struct dsl_item *name = dsl_item(&tree->branches[i].body, DSL_ITEM_NAME);
        struct dsl_name *made;
        if (name) {
            declare(names, "route", VSR_STR(""), &name->name);
            continue;
        }
        made = ARENA_NEW(names->c->arena, struct dsl_name);
        *made = (struct dsl_name){ compile_branch_name(names->c, tree, i), tree->branches[i].at, false };
        declare(names, "route", VSR_STR(""), made);
    }
}

static void declare_recipe(struct names *names, const struct dsl_decl *recipe) {
    if (str_eq_c(recipe->name.text, "default"))
        finding_add(names->c->findings, FINDING_ERROR, "E202", recipe->name.at,
                    "RECIPE \"default\": the name stands for the top level; choose another one");
    else
        declare(names, "RECIPE", VSR_STR(""), &recipe->name);
}

static void declare_decl(struct names *names, const struct dsl_decl *decl) {
    switch (decl->kind) {
    case DSL_SIGNAL_DECL:
        declare(names, "SIGNAL", decl->type.text, &decl->name);
        break;
    case DSL_PARTITION:
    case DSL_SCORE:
    case DSL_MAPPING:
    case DSL_MODEL:
    case DSL_PLUGIN:
        declare(names, dsl_decl_keyword(decl->kind), VSR_STR(""), &decl->name);
        break;
    case DSL_ROUTE:
        declare(names, "route", VSR_STR(""), &decl->name);
        break;
    case DSL_TREE:
        declare(names, dsl_decl_keyword(decl->kind), VSR_STR(""), &decl->name);
        declare_branches(names, decl);
        break;
    case DSL_RECIPE:
        declare_recipe(names, decl);
        break;
    case DSL_ROUTING:
    case DSL_ENTRYPOINT:
    case DSL_TEST:
        break;
    }
}

void compile_check_names(struct compile *c, const struct dsl_program *program) {
    struct names names = { .c = c };
    map_init(&names.seen, c->arena);
    for (size_t i = 0; i < program->n; i++) {
        c->findings->decl = program->decls[i].at;
        declare_decl(&names, &program->decls[i]);
    }
}
