#include "cli/dsl_examples.h"

#include "cli/profile.h"
#include "dsl/findings.h"
#include "dsl/prove_examples.h"
#include "dsl/tree.h"
#include "route/route.h"
#include "serve/snapshot.h"

/* ---- whether there are any */

bool examples_are_there(const struct dsl_program *program) {
    size_t n = 0;
    for (size_t i = 0; i < program->n; i++) {
        const struct dsl_decl *decl = &program->decls[i];
        if (decl->kind == DSL_RECIPE && examples_are_there(decl->recipe))
            return true;
        n += decl->kind == DSL_SIGNAL_DECL && str_eq_c(decl->type.text, "embedding");
    }
    return n > 1;
}

/* ---- W410 */

static const struct snapshot_recipe *recipe_of(const struct snapshot *snapshot, const struct config_scope *scope) {
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        if (snapshot->recipes[i].scope == scope)
            return &snapshot->recipes[i];
    return NULL;
}

static bool meet(void *data, const struct prove_meeting *m, bool *ret_meet, double *ret_similarity) {
    const struct snapshot_recipe *recipe = recipe_of(data, m->profile);
    return recipe &&
           route_examples_meet(recipe->route, m->type, m->a, m->least_a, m->b, m->least_b, ret_meet, ret_similarity);
}

/* ---- W413 */

struct softmax {
    const struct snapshot_recipe *recipe;
    struct findings *findings;
};

static struct dsl_at place_of(const struct yaml_node *node) {
    if (!node)
        return (struct dsl_at){ .line = 1, .col = 1 };
    return (struct dsl_at){ node->start, node->end, node->line, node->col };
}

static const struct config_partition *partition_named(const struct snapshot_recipe *recipe, vsr_str name) {
    CONFIG_EACH(const struct config_partition, partition, &recipe->scope->routing->projections.partitions)
    if (str_eq(partition->name, name))
        return partition;
    return NULL;
}

static const struct yaml_node *member_node(const struct config_partition *partition, vsr_str name) {
    const struct yaml_node *node = partition->at.node;
    const struct yaml_node *members = node ? yaml_get(node, VSR_STR("members")) : NULL;
    for (size_t i = 0; members && members->kind == YAML_SEQUENCE && i < members->n_items; i++)
        if (members->items[i]->kind == YAML_SCALAR && str_eq(str_trim(members->items[i]->text), name))
            return members->items[i];
    return node;
}

static void tell_alike(void *data, const struct route_alike *alike) {
    const struct softmax *softmax = data;
    const struct config_partition *partition = partition_named(softmax->recipe, alike->partition);
    vsr_str prefix = softmax->recipe->scope->prefix.len ? softmax->recipe->scope->name : VSR_STR("");
    if (!partition)
        return;
    softmax->findings->decl = place_of(partition->at.node);
    (void)finding_add(softmax->findings, FINDING_WARNING, "W413", place_of(member_node(partition, alike->b)),
                      "%s%.*s%sPROJECTION partition %.*s: the examples of \"%.*s\" and \"%.*s\" are %.2f alike in the "
                      "middle, so the softmax hardly tells the two apart",
                      prefix.len ? "recipe \"" : "", VSR_FMT(prefix), prefix.len ? "\": " : "",
                      VSR_FMT(alike->partition), VSR_FMT(alike->a), VSR_FMT(alike->b), alike->similarity);
}

/* ---- both */

void examples_look(const struct profile *profile, int64_t budget_ms, struct findings *findings) {
    struct snapshot *snapshot = profile->snapshot;
    const struct prove_options options = { .families = route_families(), .budget_ms = budget_ms };
    const struct prove_examples examples = { meet, snapshot };
    struct dsl_at decl = findings->decl;
    for (size_t i = 0; i < snapshot->n_recipes; i++) {
        struct softmax softmax = { &snapshot->recipes[i], findings };
        route_alike(snapshot->recipes[i].route, tell_alike, &softmax);
    }
    findings->decl = decl;
    dsl_prove_examples(findings->arena, snapshot->doc, &options, &examples, findings);
}
