/*
 * What a slot stands for, so that it is found again in another document: what is written of its rule, of the rules that
 * it depends on, and what `global` says of the kind of signal.
 */
#include "config/global_tables.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "dsl/prove_theory.h"

vsr_str theory_type_of(const struct theory_scope *scope, int family) {
    if (family == CONFIG_PROJECTION)
        return VSR_STR("projection");
    if (family == CONFIG_KB_METRIC)
        return VSR_STR("kb_metric");
    if (family < 0 || (size_t)family >= scope->theory->families->n)
        return VSR_STR("unknown");
    return str_from_c(scope->theory->families->items[family].type);
}

/* ---- what is inherited */

#define EMBEDDINGS "model_catalog.embeddings"
#define TEXT "model_catalog.modules.prompt_compression", "router.signal_window_chars"
#define MODULE(name) ("model_catalog.modules." name)
#define SYSTEM "model_catalog.system"
#define EXTERNAL "model_catalog.external"

/*
 * What the rules of each kind read of `global` beside what is written in them. All others that `global` has do not
 * change what a signal says of a request, but may change when it cannot be evaluated, or what happens to the request
 * afterwards; dsl/change.h lists them.
 */
static const struct {
    const char *type;
    const char *paths[6];
} inherited[] = {
    { "keyword", { TEXT } },
    { "embedding", { TEXT, EMBEDDINGS } },
    { "domain", { TEXT, MODULE("classifier.domain"), MODULE("classifier.mcp"), SYSTEM } },
    { "fact_check", { TEXT, MODULE("hallucination_mitigation.fact_check"), SYSTEM } },
    { "user_feedback", { TEXT, MODULE("feedback_detector"), SYSTEM } },
    { "reask", { TEXT, EMBEDDINGS } },
    { "preference", { TEXT, MODULE("classifier.preference"), EXTERNAL, EMBEDDINGS } },
    { "language", { TEXT } },
    { "context", { TEXT, "router.context_estimate" } },
    { "structure", { TEXT } },
    { "complexity", { TEXT, MODULE("complexity"), EMBEDDINGS } },
    { "modality", { TEXT, MODULE("modality_detector") } },
    { "authz", { "services.authz" } },
    { "jailbreak", { TEXT, MODULE("prompt_guard"), SYSTEM, EXTERNAL, EMBEDDINGS } },
    { "pii", { TEXT, MODULE("classifier.pii"), SYSTEM } },
    { "kb", { TEXT, "model_catalog.kbs", EMBEDDINGS } },
    { "kb_metric", { TEXT, "model_catalog.kbs", EMBEDDINGS } },
    { "event", { TEXT } },
    { "classifier", { TEXT, EXTERNAL } },
};

/* What `global` says under the path, as text. */
static void add_global(const struct theory_scope *scope, vsr_str path, struct buf *out) {
    const struct schema *schema = &config_global_schema;
    const void *object = &scope->doc->global;
    while (path.len > 0) {
        const struct field *field = schema_field(schema, str_split(&path, '.'));
        VSR_ASSERT(field && (path.len == 0 || field->kind == FIELD_OBJECT));
        if (path.len == 0)
            (void)schema_print_field(schema, object, field, SCHEMA_MEANING, out); /* nothing: it is not said */
        object = (const char *)object + field->offset;
        schema = field->object;
    }
    buf_append_char(out, '\n');
}

/* A number for each text; nothing is like one that is too long. */
static uintptr_t number_of(struct theory *theory, struct buf *text) {
    vsr_str key = buf_failed(text) ? arena_printf(theory->arena, "too long: %u", (unsigned)theory->n_slots++)
                                   : arena_str(theory->arena, buf_str(text));
    uintptr_t number = (uintptr_t)map_get(&theory->meanings, key);
    if (!number) {
        number = theory->meanings.n + 1;
        map_put(&theory->meanings, key, (void *)number);
    }
    buf_done(text);
    return number;
}

static void add_inherited(const struct theory_scope *scope, vsr_str type, struct buf *out) {
    for (size_t i = 0; i < VSR_COUNT(inherited); i++)
        for (size_t k = 0; k < VSR_COUNT(inherited[i].paths) && inherited[i].paths[k]; k++)
            if (str_eq_c(type, inherited[i].type))
                add_global(scope, str_from_c(inherited[i].paths[k]), out);
}

unsigned theory_inherited(struct theory_scope *scope, vsr_str type) {
    uintptr_t number = (uintptr_t)map_get(&scope->inherited, type);
    struct buf out;
    if (number)
        return (unsigned)number;
    buf_init(&out, THEORY_MEANING_LEN_MAX);
    buf_append_c(&out, "inherited\n");
    add_inherited(scope, type, &out);
    number = number_of(scope->theory, &out);
    map_put(&scope->inherited, arena_str(scope->theory->arena, type), (void *)number);
    return (unsigned)number;
}

/* ---- families */

/* Which slots a rule tree reads: two trees that read the same, and are written alike, hold alike. */
static void add_tree_meaning(struct theory_scope *scope, const struct config_rule *rule, struct buf *out) {
    if (rule->type.len)
        buf_printf(out, " %u", (unsigned)theory_slot(scope, rule->family, rule->name)->id);
    CONFIG_EACH(const struct config_rule, child, &rule->conditions)
    add_tree_meaning(scope, child, out);
}

/* What the rules of a family mean together, for families whose rules depend on each other. */
static void add_family_meaning(struct theory_scope *scope, int family, struct buf *out) {
    const struct config_family *f = &scope->theory->families->items[family];
    const struct config_list *rules = &scope->routing->signals.rules[family];
    buf_printf(out, "family %s\n", f->type);
    for (size_t i = 0; i < rules->n; i++) {
        const void *rule = rule_at(rules, f->schema, i);
        struct config_rule *tree = f->tree ? f->tree(rule) : NULL;
        schema_print_flow(f->schema, rule, SCHEMA_MEANING, out);
        if (tree)
            add_tree_meaning(scope, tree, out);
    }
    CONFIG_EACH(const struct config_partition, partition, &scope->routing->projections.partitions)
    for (size_t i = 0; i < partition->members.n && partition->family == family; i++)
        buf_printf(out, "\n%d %a %.*s %.*s %.*s", partition->semantics, partition->temperature,
                   VSR_FMT(partition->name), VSR_FMT(partition->members.items[i]), VSR_FMT(partition->fallback));
}

static uintptr_t family_meaning(struct theory_scope *scope, int family) {
    uintptr_t *meaning = &scope->family_meanings[family];
    struct buf out;
    if (*meaning)
        return *meaning;
    buf_init(&out, THEORY_MEANING_LEN_MAX);
    add_family_meaning(scope, family, &out);
    *meaning = number_of(scope->theory, &out);
    return *meaning;
}

/* Where a rule stands alone: two that are written alike report alike. */
static bool stands_alone(vsr_str type) {
    static const char *const alone[] = { "keyword",    "fact_check", "user_feedback", "context",
                                         "structure",  "pii",        "jailbreak",     "kb",
                                         "modality",   "event",      "conversation",  "metadata",
                                         "classifier", NULL };
    for (size_t i = 0; alone[i]; i++)
        if (str_eq_c(type, alone[i]))
            return true;
    return false;
}

/* ---- slots */

/* The rule that a slot of that name belongs to; NULL: none is declared. */
static const void *rule_of_slot(struct theory_scope *scope, int family, vsr_str name) {
    const struct config_family *f = &scope->theory->families->items[family];
    ptrdiff_t colon = f->levels || f->labels ? str_find_last_char(name, ':') : -1;
    const void *rule = theory_rule(scope, family, name);
    return rule || colon < 0 ? rule : theory_rule(scope, family, str_sub(name, 0, (size_t)colon));
}

vsr_str theory_slot_meaning(struct theory_scope *scope, int family, vsr_str name, vsr_str key) {
    struct theory *theory = scope->theory;
    vsr_str type = theory_type_of(scope, family);
    const void *rule;
    if (family == CONFIG_PROJECTION)
        return theory_output_meaning(scope, name);
    if (family == CONFIG_KB_METRIC)
        return arena_printf(theory->arena, "%.*s @%u", VSR_FMT(key), theory_inherited(scope, type));
    if (family < 0 || (size_t)family >= theory->families->n)
        return (vsr_str){ 0 };
    if (!stands_alone(type))
        return arena_printf(theory->arena, "%.*s #%zu @%u", VSR_FMT(key), (size_t)family_meaning(scope, family),
                            theory_inherited(scope, type));
    rule = rule_of_slot(scope, family, name);
    if (!rule)
        return (vsr_str){ 0 };
    return arena_printf(theory->arena, "%.*s @%u\n%.*s", VSR_FMT(key), theory_inherited(scope, type),
                        VSR_FMT(rule_meaning(theory->arena, theory->families->items[family].schema, rule)));
}
