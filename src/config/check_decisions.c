/* Decisions: rule trees, models, algorithm (config.md §7.5, decisions.md §2). */
#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"

enum {
    RULE_DEPTH_MAX = 32, /* config.md §7.5.1; a `not` counts as a node */
    LORAS_LEN_MAX = 512, /* of the adapters that a message lists */
};

/* ---- rule trees */

static struct diag_at rule_at(struct check *c, const struct config_rule *rule, const char *field) {
    return schema_field_at(&config_rule_schema, rule, field, c->arena);
}

static bool wrote(const struct config_rule *rule, const char *field) {
    return schema_present(&config_rule_schema, rule, field);
}

/* What a branch says and a leaf must not, and the other way round. */
static void check_shape(struct check *c, const struct config_rule *rule, const char *kind, const char *const *foreign) {
    for (; *foreign; foreign++)
        if (wrote(rule, *foreign))
            diag_error(c->diag, "E_CONFLICT", rule_at(c, rule, *foreign), VSR_STR(""), "\"%s\" does not belong to a %s",
                       *foreign, kind);
}

/* What the rule itself says to the label and the predicate. */
static void check_labelled(struct check *c, const struct config_rule *rule, const struct config_family *family) {
    const struct check_name *entry = map_get(&c->rules[rule->family], rule->name);
    const char *problem;
    if (!check_is_open(rule, "label"))
        check_label_name(c, rule_at(c, rule, "label"), rule->family, rule->name, rule->label);
    problem = entry && family->refuses ? family->refuses(entry->at, rule->predicate) : NULL;
    if (problem)
        diag_error(c->diag, "E_RANGE", rule_at(c, rule, "predicate"), VSR_STR(""), "%s", problem);
}

static void check_label(struct check *c, const struct config_rule *rule) {
    const struct config_family *family = rule->family >= 0 ? &c->options->parts.families.items[rule->family] : NULL;
    if (family && family->labels) {
        if (rule->label.len == 0)
            diag_error(c->diag, "E_REQUIRED", rule_at(c, rule, "label"), VSR_STR(""),
                       "a leaf of type %s needs this key", family->type);
        if (!rule->predicate)
            diag_error(c->diag, "E_REQUIRED", rule_at(c, rule, "predicate"), VSR_STR(""),
                       "a leaf of type %s needs this key", family->type);
        if (rule->label.len && rule->predicate)
            check_labelled(c, rule, family);
        return;
    }
    if (wrote(rule, "label"))
        diag_error(c->diag, "E_CONFLICT", rule_at(c, rule, "label"), VSR_STR(""), "only a classifier has labels");
    if (wrote(rule, "on_error"))
        diag_error(c->diag, "E_CONFLICT", rule_at(c, rule, "on_error"), VSR_STR("use on_unknown"),
                   "only a classifier has on_error");
}

static void check_leaf(struct check *c, struct config_rule *rule) {
    static const char *const foreign[] = { "operator", "conditions", NULL };
    check_shape(c, rule, "leaf, which has a type", foreign);
    rule->family = check_family(c, rule->type);
    if (rule->family == CHECK_NO_FAMILY) {
        if (!check_is_open(rule, "type"))
            check_unknown_type(c, rule_at(c, rule, "type"), rule->type);
        return;
    }
    check_label(c, rule);
    if (rule->name.len == 0)
        diag_error(c->diag, "E_REQUIRED", rule_at(c, rule, "name"), VSR_STR(""), "a leaf needs this key");
    else if (check_is_open(rule, "name"))
        return;
    else if (rule->family == CONFIG_PROJECTION)
        check_output_name(c, rule_at(c, rule, "name"), rule->name);
    else
        check_rule_name(c, rule_at(c, rule, "name"), rule->family, rule->name);
}

static void check_branch(struct check *c, const struct config_rule *rule, bool is_root) {
    static const char *const foreign[] = { "name", "label", "predicate", "on_error", "on_unknown", NULL };
    if (rule->op == OPERATOR_NONE && wrote(rule, "name")) {
        diag_error(c->diag, "E_REQUIRED", rule_at(c, rule, "type"), VSR_STR(""), "a leaf needs this key");
        return;
    }
    check_shape(c, rule, "branch, which has an operator", foreign);
    if (rule->op == OPERATOR_NONE && !check_is_open(rule, "operator"))
        diag_error(c->diag, "E_REQUIRED", rule_at(c, rule, "operator"), VSR_STR(""),
                   "a node needs a type, or an operator and conditions");
    else if (rule->op == OPERATOR_NOT && rule->conditions.n != 1)
        diag_error(c->diag, "E_RANGE", rule_at(c, rule, "conditions"), VSR_STR(""),
                   "NOT takes exactly one condition, found %zu", rule->conditions.n);
    else if (rule->conditions.n == 0 && !is_root)
        diag_error(c->diag, "E_REQUIRED", rule_at(c, rule, "conditions"), VSR_STR(""), "must have at least one entry");
    else if (rule->conditions.n == 0 && rule->op == OPERATOR_OR)
        diag_warn(c->diag, "W_NEVER", schema_at(rule),
                  VSR_STR("leave out the rules for a decision that always matches"),
                  "an OR without conditions never matches");
}

/* `depth` is that of this node, the root's being 1. The recursion is bounded by the nesting of the document. */
static void check_rule(struct check *c, struct config_rule *rule, unsigned depth, bool is_root) {
    depth += rule->negated;
    if (depth > RULE_DEPTH_MAX) {
        diag_error(c->diag, "E_RANGE", schema_at(rule), VSR_STR(""), "rules are nested deeper than %d levels",
                   RULE_DEPTH_MAX);
        return;
    }
    if (wrote(rule, "type")) {
        check_leaf(c, rule);
        return;
    }
    check_branch(c, rule, is_root);
    CONFIG_EACH(struct config_rule, child, &rule->conditions)
    check_rule(c, child, depth + 1, false);
}

/* A root that says nothing is an unconditional decision. */
static void check_root(struct check *c, struct config_decision *decision) {
    struct config_rule *root = decision->rules;
    if (root && root->at.present == 0)
        decision->rules = NULL;
    else if (root)
        check_rule(c, root, 1, true);
}

/* ---- trees inside signal rules */

static void check_tree_types(struct check *c, const struct config_rule *rule, const struct config_family *family) {
    if (rule->type.len && rule->family == CONFIG_PROJECTION)
        diag_error(c->diag, "E_ENUM", rule_at(c, rule, "type"), VSR_STR("projections are computed after signals"),
                   "a projection cannot be used here");
    else if (rule->type.len && rule->family >= 0 && family == &c->options->parts.families.items[rule->family])
        diag_error(c->diag, "E_ENUM", rule_at(c, rule, "type"), VSR_STR(""),
                   "a rule of family %s cannot be used in another rule of that family", family->type);
    CONFIG_EACH(const struct config_rule, child, &rule->conditions)
    check_tree_types(c, child, family);
}

void check_rule_trees(struct check *c) {
    for (size_t i = 0; i < c->options->parts.families.n; i++) {
        const struct config_family *family = &c->options->parts.families.items[i];
        const struct config_list *rules = &c->routing->signals.rules[i];
        for (size_t k = 0; k < rules->n && family->tree; k++) {
            struct config_rule *tree = family->tree((const char *)rules->items + k * family->schema->size);
            if (!tree)
                continue;
            check_rule(c, tree, 1, true);
            check_tree_types(c, tree, family);
        }
    }
}

static bool is_unconditional(const struct config_decision *decision) {
    const struct config_rule *root = decision->rules;
    return !root || (root->op == OPERATOR_AND && root->conditions.n == 0 && !root->negated);
}

/* ---- models */

static struct diag_at ref_at(struct check *c, const struct config_model_ref *ref, const char *field) {
    return schema_field_at(&config_model_ref_schema, ref, field, c->arena);
}

static bool card_lists(const struct config_model_card *card, vsr_str lora) {
    CONFIG_EACH(struct config_lora, item, &card->loras)
    if (str_eq(item->name, lora))
        return true;
    return false;
}

static void check_lora(struct check *c, const struct config_model_ref *ref) {
    vsr_str all = { 0 };
    if (card_lists(ref->card, ref->lora_name))
        return;
    if (diag_full(c->diag))
        return;
    CONFIG_EACH(struct config_lora, lora, &ref->card->loras)
    if (all.len < LORAS_LEN_MAX)
        all = arena_printf(c->scratch, "%.*s%s%.*s", VSR_FMT(all), all.len ? ", " : "", VSR_FMT(lora->name));
    diag_error(c->diag, "E_REF", ref_at(c, ref, "lora_name"), VSR_STR(""),
               "LoRA \"%.*s\" is not listed by card \"%.*s\", which has %.*s", VSR_FMT(ref->lora_name),
               VSR_FMT(ref->card->name), VSR_FMT(all.len ? all : VSR_STR("none")));
}

static void check_model_ref(struct check *c, struct config_model_ref *ref) {
    if (check_is_open(ref, "model"))
        return;
    ref->card = map_get(&c->index->cards, ref->model);
    if (!ref->card) {
        ref->card = map_get(&c->index->loras, ref->model);
        /* The model of this reference is the adapter itself. */
        if (ref->card && ref->lora_name.len == 0)
            ref->lora_name = ref->model;
    }
    if (!ref->card) {
        diag_error(c->diag, "E_REF", ref_at(c, ref, "model"), check_suggest(c, &c->index->cards, ref->model),
                   "model \"%.*s\" is not defined in routing.modelCards", VSR_FMT(ref->model));
        return;
    }
    if (ref->lora_name.len && !check_is_open(ref, "lora_name"))
        check_lora(c, ref);
    ref->provider = ref->card->provider;
    if (!ref->provider && c->doc->has_providers)
        diag_error(c->diag, "E_NO_BACKEND", ref_at(c, ref, "model"), VSR_STR(""),
                   "model \"%.*s\" has no entry in providers.models", VSR_FMT(ref->card->name));
}

/* ---- modality */

static bool names_both(const struct config_rule *rule) {
    if (str_eq_nocase(str_trim(rule->type), VSR_STR("modality")) && str_eq_c(rule->name, "BOTH"))
        return true;
    CONFIG_EACH(const struct config_rule, child, &rule->conditions)
    if (names_both(child))
        return true;
    return false;
}

/* Text and image of one answer come from one model that makes both, or from one of each kind (config.md §7.5.3). */
static void check_modality(struct check *c, const struct config_decision *decision) {
    static const char *const both[] = { "omni", "multimodal", "both" };
    bool omni = false, text = false, image = false;
    if (!decision->rules || !names_both(decision->rules))
        return;
    CONFIG_EACH(const struct config_model_ref, ref, &decision->model_refs) {
        vsr_str modality = ref->card ? ref->card->modality : VSR_STR("");
        for (size_t i = 0; i < VSR_COUNT(both); i++)
            omni |= str_eq_c(modality, both[i]);
        text |= modality.len == 0 || str_eq_c(modality, "ar") || str_eq_c(modality, "text");
        image |= str_eq_c(modality, "diffusion");
    }
    if (!omni && !(text && image))
        diag_error(c->diag, "E_REQUIRED", schema_field_at(&config_decision_schema, decision, "modelRefs", c->arena),
                   VSR_STR(""),
                   "a decision on modality BOTH needs a card of modality omni, or one of ar and one of diffusion");
}

/* ---- all decisions */

static void warn_tiers(struct check *c) {
    const struct config_decision *untiered = NULL;
    bool tiered = false;
    CONFIG_EACH(const struct config_decision, decision, &c->routing->decisions) {
        tiered |= decision->tier > 0;
        if (decision->tier == 0 && !untiered)
            untiered = decision;
    }
    if (tiered && untiered)
        diag_warn(c->diag, "W_TIERS", schema_at(untiered), VSR_STR("give every decision a tier, or none"),
                  "decision \"%.*s\" has no tier while others have one; it comes %s", VSR_FMT(untiered->name),
                  c->routing->untiered_first ? "first" : "last");
}

static void warn_no_default(struct check *c) {
    const struct config_list *decisions = &c->routing->decisions;
    if (!c->doc->has_providers || decisions->n == 0 || c->doc->providers.defaults.default_model.len)
        return;
    CONFIG_EACH(const struct config_decision, decision, decisions)
    if (is_unconditional(decision))
        return;
    diag_warn(c->diag, "W_NO_DEFAULT", schema_at(c->routing),
              VSR_STR("set providers.defaults.default_model, or add a decision without rules"),
              "requests that match no decision are refused: there is no default model");
}

void check_decisions(struct check *c) {
    struct map names;
    map_init(&names, c->scratch);
    CONFIG_EACH(struct config_decision, decision, &c->routing->decisions) {
        check_unique(c, &names, decision->name, &config_decision_schema, decision, "decision");
        check_root(c, decision);
        CONFIG_EACH(struct config_model_ref, ref, &decision->model_refs)
        check_model_ref(c, ref);
        check_modality(c, decision);
        check_algorithm(c, decision);
        check_plugins(c, decision);
    }
    warn_tiers(c);
    warn_no_default(c);
}
