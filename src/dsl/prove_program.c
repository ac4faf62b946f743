#include "dsl/prove_program.h"

#include "config/load.h"
#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/compile.h"
#include "dsl/findings.h"
#include "dsl/language.h"

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

static struct yaml_node *empty_base(struct arena *arena) {
    struct yaml_node *base = yaml_new(arena, YAML_MAPPING, NULL);
    yaml_append(arena, base, yaml_new_scalar(arena, VSR_STR("version"), NULL),
                yaml_new_scalar(arena, VSR_STR(CONFIG_CONTRACT), NULL));
    return base;
}

static const struct config_document *load(struct arena *arena, const struct language *language,
                                          const struct yaml_node *compiled, const struct yaml_node *base) {
    const struct config_load_options options = { .parts = *language->parts, .keep_env = true, .no_files = true };
    const struct config_document *doc = NULL;
    struct yaml_node *root;
    struct diag diag;
    if (base && base->kind == YAML_MAPPING) {
        root = copy(arena, base);
        yaml_tree_set_second_file(root);
    } else {
        root = empty_base(arena);
    }
    dsl_merge(arena, language, root, copy(arena, compiled));
    return config_load_tree(arena, root, VSR_STR("the program"), &options, &doc, &diag) == 0 ? doc : NULL;
}

bool dsl_prove_program(struct arena *arena, const struct language *language, const struct yaml_node *compiled,
                       const struct yaml_node *base, const struct prove_options *options, struct findings *findings,
                       struct prove_summary *ret_summary) {
    struct arena *scratch = arena_new(0, 0);
    struct prove_options with_families = *options;
    const struct config_document *doc = load(scratch, language, compiled, base);
    if (!doc && base)
        doc = load(scratch, language, compiled, NULL);
    with_families.families = language->parts->families;
    if (doc)
        dsl_prove(arena, doc, &with_families, findings, ret_summary);
    arena_free(scratch);
    return doc != NULL;
}
