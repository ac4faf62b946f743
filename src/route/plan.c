#include "route/plan.h"

#include <pthread.h>

#include "core/arena.h"
#include "core/assert.h"
#include "route/route.h"
#include "signal/compression.h"
#include "signal/rule_checks.h"

/* ---- families, as configuration wants them */

static struct config_family family_configs[CONFIG_FAMILIES_MAX];

static void copy_family_configs(void) {
    size_t n;
    const struct signal_family *const *families = signal_families(&n);
    for (size_t i = 0; i < n; i++)
        family_configs[i] = families[i]->config;
}

/* Configuration takes one array; descriptors live one per file. Copied together at the first call, constant from then
 * on. */
struct config_families route_families(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    size_t n;
    pthread_once(&once, copy_family_configs);
    (void)signal_families(&n);
    return (struct config_families){ family_configs, n };
}

/* ---- names for policy */

static const vsr_str projection_name = VSR_STR_INIT("projection"), metric_name = VSR_STR_INIT("kb_metric");

struct plan_builder {
    struct route *route;
    struct arena *arena;
    struct diag *diag;
    struct policy_type *types; /* of all families by index, then of projections and of metrics */
    size_t n_families;
};

static void build_types(struct plan_builder *b) {
    const struct signal_family *const *families = signal_families(&b->n_families);
    b->types = ARENA_ARRAY(b->arena, struct policy_type, b->n_families + 2);
    for (size_t i = 0; i < b->n_families; i++)
        b->types[i] = (struct policy_type){ .name = str_from_c(families[i]->config.type),
                                            .on_unknown = families[i]->on_unknown,
                                            .never_unknown = families[i]->never_unknown,
                                            .by_label = families[i]->config.labels };
    b->types[b->n_families] =
        (struct policy_type){ .name = projection_name, .on_unknown = ON_UNKNOWN_NO_MATCH, .never_unknown = true };
    b->types[b->n_families + 1] = (struct policy_type){ .name = metric_name, .on_unknown = ON_UNKNOWN_NO_MATCH };
}

static const struct policy_type *find_type(void *data, vsr_str type, int family) {
    const struct plan_builder *b = data;
    (void)type; /* config has looked it up in the same list */
    if (family == CONFIG_PROJECTION)
        return &b->types[b->n_families];
    if (family == CONFIG_KB_METRIC)
        return &b->types[b->n_families + 1];
    return family >= 0 && (size_t)family < b->n_families ? &b->types[family] : NULL;
}

static uint32_t find_slot(void *data, const struct policy_type *type, vsr_str name) {
    const struct plan_builder *b = data;
    return signal_slots_find(&b->route->slots, type->name, name);
}

static const struct route_family *family_of(const struct route *route, const struct policy_type *type) {
    for (size_t i = 0; i < route->n_families; i++)
        if (str_eq_c(type->name, route->families[i].family->config.type))
            return &route->families[i];
    return NULL;
}

static size_t find_alternates(void *data, const struct policy_type *type, vsr_str name, const uint32_t **ret_slots) {
    const struct plan_builder *b = data;
    const struct route_family *family = family_of(b->route, type);
    const struct config_list *rules;
    uint32_t *slots;
    size_t n;
    if (!family || !family->family->alternates)
        return 0;
    rules = &b->route->routing->signals.rules[type - b->types];
    slots = ARENA_ARRAY(b->arena, uint32_t, rules->n);
    n = family->family->alternates(rules, name, slots);
    for (size_t i = 0; i < n; i++)
        slots[i] += family->first_slot;
    *ret_slots = slots;
    return n;
}
_Static_assert(SIGNAL_SLOT_NONE == POLICY_SLOT_NONE, "signals and policy share slot numbers");

/* ---- building */

/* Slots of one family: its rules, or what it says that it reports under. */
static void give_family_slots(struct plan_builder *b, const struct signal_family *family,
                              const struct config_list *rules) {
    struct route *route = b->route;
    struct route_family *out = &route->families[route->n_families++];
    vsr_str type = str_from_c(family->config.type), *names = NULL;
    size_t n = rules->n, n_listed = rules->n;
    if (family->names)
        n = family->names(rules, b->arena, &names, &n_listed);
    *out = (struct route_family){ .family = family,
                                  .rules = rules,
                                  .stage = family->stage,
                                  .first_slot = (uint32_t)route->slots.n,
                                  .n_slots = (uint32_t)n,
                                  .n_listed = (uint32_t)n_listed };
    for (size_t i = 0; i < n; i++)
        signal_slots_add(&route->slots, type, names ? names[i] : rule_name(rules, family->config.schema, i));
}

/* Slots of the metrics that scores read, by "kb:metric" in lower case. */
static void give_metric_slots(struct plan_builder *b) {
    struct route *route = b->route;
    uint32_t first = (uint32_t)route->slots.n;
    CONFIG_EACH(const struct config_score, score, &route->routing->projections.scores)
    CONFIG_EACH(const struct config_score_input, input, &score->inputs)
    if (input->family == CONFIG_KB_METRIC)
        signal_slots_add(&route->slots, metric_name,
                         arena_str_lower(b->arena, arena_printf(b->arena, "%.*s:%.*s", VSR_FMT(input->kb),
                                                                VSR_FMT(input->metric))));
    if (route->slots.n > first)
        route->families[route->n_families++] = (struct route_family){ .family = &signal_kb_metric,
                                                                      .stage = signal_kb_metric.stage,
                                                                      .first_slot = first,
                                                                      .n_slots = (uint32_t)route->slots.n - first };
}

/* Slots of all rules, family by family, then those of metrics and of projection outputs. */
static void give_slots(struct plan_builder *b) {
    struct route *route = b->route;
    size_t n;
    const struct signal_family *const *families = signal_families(&n);
    route->families = ARENA_ARRAY(b->arena, struct route_family, n + 1);
    for (size_t i = 0; i < n; i++)
        if (route->routing->signals.rules[i].n > 0)
            give_family_slots(b, families[i], &route->routing->signals.rules[i]);
    give_metric_slots(b);
    VSR_ASSERT(route->n_families <= EVIDENCE_ASKERS_MAX);
    route->first_output = (uint32_t)route->slots.n;
    CONFIG_EACH(const struct config_mapping, mapping, &route->routing->projections.mappings)
    CONFIG_EACH(const struct config_mapping_output, output, &mapping->outputs)
    signal_slots_add(&route->slots, projection_name, output->name);
    route->n_outputs = (uint32_t)route->slots.n - route->first_output;
}

static int compile_patterns(struct plan_builder *b, const struct pattern_list *list,
                            const struct signal_places *places) {
    struct vsr_err err = VSR_ERR_NONE;
    int bad = -1;
    int rc = pattern_set_build(b->arena, list, &b->route->patterns, &bad, &err);
    if (rc == 0)
        return 0;
    if (bad >= 0 && (size_t)bad < places->n)
        diag_error(b->diag, "E_RANGE", places->items[bad], VSR_STR("simplify the pattern"),
                   "pattern \"%.*s\" cannot be searched for: %s", VSR_FMT(pattern_list_name(list, (size_t)bad)),
                   err.text);
    else
        diag_error(b->diag, "E_RANGE",
                   (struct diag_at){ .path = schema_path(b->arena, b->route->scope->path, VSR_STR("signals")) },
                   (vsr_str){ 0 }, "the patterns cannot be searched for: %s", err.text);
    return rc;
}

/* Which rule each slot belongs to, for families that report under more names than rules. */
static void index_rules(struct plan_builder *b, struct route_family *family) {
    uint32_t *rule_of = ARENA_ARRAY(b->arena, uint32_t, family->n_slots);
    uint32_t *first_of = ARENA_ARRAY(b->arena, uint32_t, family->n_slots);
    uint32_t *seen = ARENA_ARRAY(b->arena, uint32_t, family->rules->n); /* index + 1 */
    for (uint32_t i = 0; i < family->n_slots; i++) {
        uint32_t rule = rule_of[i] = (uint32_t)family->family->rule_of(family->state, i);
        VSR_ASSERT(rule < family->rules->n);
        if (!seen[rule])
            seen[rule] = i + 1;
        first_of[i] = seen[rule] - 1;
    }
    family->rule_of = rule_of;
    family->first_of = first_of;
}

/* What the families of a recipe share while they compile. */
struct plan_shared {
    struct pattern_list patterns;
    struct signal_places places;
};

static void build_family(struct plan_builder *b, struct plan_shared *shared, struct route_family *family) {
    struct route *route = b->route;
    const struct signal_family *f = family->family;
    const struct config_prompt_compression *compression = &route->doc->global.model_catalog.modules.prompt_compression;
    struct signal_builder builder = { .arena = b->arena,
                                      .doc = route->doc,
                                      .routing = route->routing,
                                      .rules = family->rules,
                                      .first_slot = family->first_slot,
                                      .n_slots = family->n_slots,
                                      .stage = family->stage,
                                      .text = compression_text_of(compression, str_from_c(f->config.type)),
                                      .slots = &route->slots,
                                      .patterns = &shared->patterns,
                                      .places = &shared->places,
                                      .sources = &route->sources,
                                      .banks = &route->banks,
                                      .diag = b->diag };
    if (!f->build)
        return;
    family->state = f->build(&builder);
    family->stage = builder.stage;
    family->asked = builder.asked;
    family->n_asked = builder.n_asked;
    route->needs_stemmer |= builder.needs_stemmer;
    if (f->rule_of)
        index_rules(b, family);
}

static int build_families(struct plan_builder *b) {
    size_t errors_before = b->diag->n_errors;
    struct plan_shared shared = { 0 };
    pattern_list_init(&shared.patterns, b->arena);
    for (size_t i = 0; i < b->route->n_families; i++)
        build_family(b, &shared, &b->route->families[i]);
    if (b->diag->n_errors > errors_before)
        return VSR_E_INVALID;
    return compile_patterns(b, &shared.patterns, &shared.places);
}

static int build_policy(struct plan_builder *b) {
    struct route *route = b->route;
    const struct config_routing *routing = route->routing;
    struct policy_names names = { .data = b, .type = find_type, .slot = find_slot, .alternates = find_alternates };
    struct policy_options options = { .by_confidence = routing->strategy == STRATEGY_CONFIDENCE,
                                      .untiered_first = routing->untiered_first };
    struct vsr_err err = VSR_ERR_NONE;
    int rc;
    route->compete = compete_build(b->arena, route, &names);
    rc = projections_build(b->arena, &routing->projections, &names, &route->projections, &err);
    if (rc < 0) {
        diag_error(b->diag, rc == VSR_E_LIMIT ? "E_RANGE" : "E_REF",
                   (struct diag_at){ .path = schema_path(b->arena, route->scope->path, VSR_STR("projections.scores")) },
                   (vsr_str){ 0 }, "%s", err.text);
        return rc;
    }
    route->policy = policy_build(b->arena, &routing->decisions, &options, &names);
    return 0;
}

uint32_t plan_find_member(void *data, vsr_str name) {
    const struct plan_member_finder *finder = data;
    size_t n;
    const struct signal_family *const *families = signal_families(&n);
    VSR_ASSERT(finder->family >= 0 && (size_t)finder->family < n);
    return signal_slots_find(&finder->route->slots, str_from_c(families[finder->family]->config.type), name);
}

uint32_t plan_beside_slot(struct route *route, uint32_t slot, const char *what, struct arena *arena) {
    struct signal_slot *named = &route->slots.items[slot];
    return signal_slots_add(&route->slots, named->type, arena_printf(arena, "%.*s:%s", VSR_FMT(named->name), what));
}

/* ---- what is needed */

bool plan_wants(const struct route_family *family, const uint64_t *wanted) {
    size_t end = family->first_slot + family->n_slots;
    return bits_next(wanted, family->first_slot, end) < end;
}

const struct route_family *plan_family_at(const struct route *route, uint32_t slot) {
    for (size_t i = 0; i < route->n_families; i++) {
        const struct route_family *family = &route->families[i];
        if (slot >= family->first_slot && slot < family->first_slot + family->n_slots)
            return family;
    }
    return NULL;
}

static void want_all_rules(const struct route_family *family, uint64_t *wanted) {
    for (uint32_t i = 0; i < family->n_slots; i++)
        bits_add(wanted, family->first_slot + i);
}

/* What one rule reports under is wanted together. */
static void want_whole_rules(const struct route_family *family, uint64_t *wanted) {
    for (int pass = 0; pass < 2; pass++) /* parts of a rule come in runs, its name behind all of them */
        for (uint32_t i = 0; i < family->n_slots; i++) {
            uint32_t first = family->first_of[i];
            if (pass == 0 && bits_has(wanted, family->first_slot + i))
                bits_add(wanted, family->first_slot + first);
            if (pass == 1 && bits_has(wanted, family->first_slot + first))
                bits_add(wanted, family->first_slot + i);
        }
}

void plan_complete(const struct route *route, uint64_t *wanted) {
    do { /* composers read nothing that has composers itself, so the second round is the last */
        projections_want(route->projections, wanted);
        for (size_t i = 0; i < route->n_families; i++) {
            const struct route_family *family = &route->families[i];
            if ((!family->family->all_or_nothing && !family->family->rule_of) || !plan_wants(family, wanted))
                continue;
            if (family->family->all_or_nothing)
                want_all_rules(family, wanted);
            else
                want_whole_rules(family, wanted);
        }
    } while (compete_want(route->compete, wanted));
}

/* A rule with a tree is judged behind everything that the tree reads. */
static void settle_stages(struct route *route, struct arena *arena) {
    const struct compete *compete = route->compete;
    for (size_t i = 0; i < route->n_families; i++) {
        struct route_family *family = &route->families[i];
        uint64_t *read = family->family->config.tree ? ARENA_ARRAY(arena, uint64_t, BITS_WORDS(route->slots.n)) : NULL;
        if (read) {
            want_all_rules(family, read);
            (void)compete_want(compete, read);
        }
        for (size_t k = 0; k < route->n_families && read; k++)
            if (plan_wants(&route->families[k], read) && route->families[k].stage > family->stage)
                family->stage = route->families[k].stage;
    }
}

/* What each decision, with those before it, refers to of the rules that must not be skipped. */
static void find_unskipped(struct plan_builder *b, const uint64_t *guarded) {
    struct route *route = b->route;
    const struct policy *policy = route->policy;
    size_t n_words = BITS_WORDS(route->slots.n);
    route->unskipped = ARENA_ARRAY(b->arena, uint64_t *, policy->n_decisions);
    for (size_t i = 0; i < policy->n_decisions; i++) {
        uint64_t *slots = route->unskipped[i] = ARENA_ARRAY(b->arena, uint64_t, n_words);
        policy_slots(policy, i, slots);
        plan_complete(route, slots);
        for (size_t w = 0; w < n_words; w++)
            slots[w] = (slots[w] & guarded[w]) | (i ? route->unskipped[i - 1][w] : 0);
    }
}

static void find_guarded(struct plan_builder *b) {
    struct route *route = b->route;
    uint64_t *guarded = ARENA_ARRAY(b->arena, uint64_t, BITS_WORDS(route->slots.n));
    bool any = false;
    for (size_t i = 0; i < route->n_families; i++)
        if (route->families[i].family->never_skipped && plan_wants(&route->families[i], route->wanted)) {
            want_all_rules(&route->families[i], guarded);
            any = true;
        }
    if (any)
        find_unskipped(b, guarded);
}

/* What the settings say of families. */
static void settle_families(struct plan_builder *b) {
    const struct config_router *router = &b->route->doc->global.router;
    b->route->lazy = router->lazy_signals == LAZY_SIGNALS_STAGED;
    for (size_t i = 0; i < b->route->n_families; i++) {
        struct route_family *family = &b->route->families[i];
        family->timeout_ms = config_signal_timeout_ms(router, str_from_c(family->family->config.type));
        if (family->family->needs_evidence)
            family->missing = arena_printf(b->arena, "no model for %s", family->family->needs_evidence).ptr;
    }
}

static void find_needs(struct plan_builder *b) {
    struct route *route = b->route;
    const struct rule_set *rules = &route->policy->rules;
    route->wanted = ARENA_ARRAY(b->arena, uint64_t, BITS_WORDS(route->slots.n));
    route->unwanted = ARENA_ARRAY(b->arena, uint64_t, BITS_WORDS(route->slots.n));
    route->all = ARENA_ARRAY(b->arena, uint64_t, BITS_WORDS(route->slots.n));
    for (size_t i = 0; i < rules->n_leaves; i++) {
        if (rules->leaves[i].slot != POLICY_SLOT_NONE)
            bits_add(route->wanted, rules->leaves[i].slot);
        for (size_t k = 0; k < rules->leaves[i].n_alternates; k++)
            bits_add(route->wanted, rules->leaves[i].alternates[k]);
    }
    plan_complete(route, route->wanted);
    for (size_t i = 0; i < route->n_families; i++) {
        const struct route_family *family = &route->families[i];
        want_all_rules(family, route->all);
        route->keeps_best |= family->family->keeps_best;
        route->needs_identity |= family->family->needs_identity && plan_wants(family, route->wanted);
        route->has_stages |= family->stage > SIGNAL_STAGE_CHEAP && plan_wants(family, route->wanted);
    }
    for (size_t w = 0; w < BITS_WORDS(route->slots.n); w++)
        route->unwanted[w] = route->all[w] & ~route->wanted[w];
}

int route_build(struct arena *arena, const struct config_document *doc, const struct config_scope *scope,
                struct route **ret_route, struct diag *diag) {
    struct route *route = ARENA_NEW(arena, struct route);
    struct plan_builder b = { .route = route, .arena = arena, .diag = diag };
    int rc;
    route->doc = doc;
    route->window_max = (size_t)doc->global.router.signal_window_chars;
    route->compresses = compress_options_from(&doc->global.model_catalog.modules.prompt_compression, &route->compress);
    route->scope = scope;
    route->routing = scope->routing;
    signal_slots_init(&route->slots, arena);
    build_types(&b);
    give_slots(&b);
    rc = build_families(&b);
    if (rc == 0)
        rc = build_policy(&b);
    if (rc < 0)
        return VSR_E_INVALID;
    projections_close(route->projections, arena, route->slots.n);
    compete_close(route->compete, arena, route->slots.n);
    settle_stages(route, arena);
    settle_families(&b);
    find_needs(&b);
    find_guarded(&b);
    *ret_route = route;
    return 0;
}

static void tell_models(const struct route *route, const struct route_family *family, signal_model_fn *fn, void *data) {
    for (uint32_t i = 0; i < family->n_slots; i++) {
        const void *rule = NULL;
        if (!bits_has(route->wanted, family->first_slot + i))
            continue;
        if (family->rules)
            rule = (const char *)family->rules->items + plan_rule_of(family, i) * family->family->config.schema->size;
        family->family->models(route->doc, rule, fn, data);
    }
}

void route_models(const struct route *route, signal_model_fn *fn, void *data) {
    for (size_t i = 0; i < route->n_families; i++)
        if (route->families[i].family->models)
            tell_models(route, &route->families[i], fn, data);
}

void route_asked(const struct route *route,
                 void (*fn)(void *data, const char *family, const struct signal_source *source), void *data) {
    for (size_t i = 0; i < route->n_families; i++) {
        const struct route_family *family = &route->families[i];
        for (size_t k = 0; k < family->n_asked && plan_wants(family, route->wanted); k++)
            fn(data, family->family->config.type, &route->sources.items[family->asked[k]]);
    }
}

void route_try_build(struct arena *arena, const struct config_document *doc, struct diag *diag) {
    struct route *route;
    for (size_t i = 0; i < doc->n_scopes; i++)
        (void)route_build(arena, doc, &doc->scopes[i], &route, diag); /* what fails is told */
}
