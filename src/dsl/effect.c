#include "dsl/effect.h"

#include "core/arena.h"
#include "core/map.h"
#include "dsl/change.h"
#include "dsl/prove_routes.h"

/* One profile in both documents. */
struct comparison {
    struct arena *arena; /* of the solver and its theory */
    struct arena *result_arena;
    struct effects *effects;
    size_t n_before; /* effects of other profiles */
    vsr_str profile;
    const struct config_document *docs[2];
    struct solver solver;
    struct theory theory;
    struct theory_scope scopes[2];
    struct prove_routes routes[2];
    size_t *partners[2]; /* per route: the route of that name in the other document; SIZE_MAX: none */
    int *differs[2];     /* literal per route: it may win here, and its partner may not */
    const struct schema *schema;
    const char *circumstance; /* of the newest example */
};

static struct effect *add(struct comparison *c, enum effect_kind kind, const struct prove_route *before,
                          const struct prove_route *after) {
    struct effects *effects = c->effects;
    effects->items = arena_grow(c->result_arena, effects->items, sizeof(*effects->items), effects->n, &effects->cap);
    effects->items[effects->n] = (struct effect){ .kind = kind,
                                                  .profile = c->profile,
                                                  .circumstance = "",
                                                  .before = before ? before->config : NULL,
                                                  .after = after ? after->config : NULL };
    return &effects->items[effects->n++];
}

static void give_up(struct effects *effects, const char *reason) {
    effects->complete = false;
    if (!effects->reason)
        effects->reason = reason;
}

/* ---- partners */

static void find_partners(struct comparison *c) {
    for (int side = 0; side < 2; side++) {
        struct map names; /* of the other side: index + 1 */
        const struct prove_routes *other = &c->routes[1 - side];
        map_init(&names, c->arena);
        for (size_t i = 0; i < other->n; i++)
            map_put(&names, other->items[i].config->name, (void *)(uintptr_t)(i + 1));
        c->partners[side] = ARENA_ARRAY(c->arena, size_t, c->routes[side].n);
        for (size_t i = 0; i < c->routes[side].n; i++)
            c->partners[side][i] = (size_t)(uintptr_t)map_get(&names, c->routes[side].items[i].config->name) - 1;
    }
}

static const struct prove_route *partner(const struct comparison *c, int side, size_t route) {
    size_t index = c->partners[side][route];
    return index == SIZE_MAX ? NULL : &c->routes[1 - side].items[index];
}

static void find_differences(struct comparison *c) {
    for (int side = 0; side < 2; side++) {
        c->differs[side] = ARENA_ARRAY(c->arena, int, c->routes[side].n);
        for (size_t i = 0; i < c->routes[side].n; i++) {
            size_t other = c->partners[side][i];
            int wins = c->routes[side].items[i].wins;
            c->differs[side][i] =
                other == SIZE_MAX ? wins : solver_and2(&c->solver, wins, -c->routes[1 - side].items[other].wins);
        }
    }
}

/* ---- questions */

/* Among ordinary requests first. */
static enum solver_answer ask(struct comparison *c, int literal) {
    struct prove_circumstance circumstances[PROVE_CIRCUMSTANCES];
    enum solver_answer answer = SOLVER_IMPOSSIBLE;
    prove_circumstances(&c->theory, circumstances);
    for (size_t i = 0; i < PROVE_CIRCUMSTANCES && answer == SOLVER_IMPOSSIBLE; i++) {
        int both[] = { literal, circumstances[i].literal };
        c->circumstance = circumstances[i].text;
        answer = solver_ask(&c->solver, both, VSR_COUNT(both));
    }
    return answer;
}

/* Routes whose leaves an example tells, with what they are in the other document. */
struct cast {
    const struct prove_route **items;
    size_t n, cap;
    bool has_leaves;
};

/* `route` is of that side; NULL: nobody. */
static void cast_add(struct comparison *c, struct cast *cast, int side, const struct prove_route *route) {
    const struct prove_route *both[] = { route,
                                         route ? partner(c, side, (size_t)(route - c->routes[side].items)) : NULL };
    for (size_t i = 0; i < VSR_COUNT(both); i++)
        if (both[i]) {
            cast->items = arena_grow(c->arena, cast->items, sizeof(*cast->items), cast->n, &cast->cap);
            cast->items[cast->n++] = both[i];
            cast->has_leaves |= both[i]->n_nodes > 0;
        }
}

/* Of requests that a route without a condition takes, there is to tell who does not take them. */
static void cast_add_others(struct comparison *c, struct cast *cast) {
    for (size_t i = 0; i < c->routes[0].n; i++)
        cast_add(c, cast, 0, &c->routes[0].items[i]);
}

/* A route beside this one that may win in the solver's example, in the document before; NULL: none. */
static const struct prove_route *rival(const struct comparison *c, const struct prove_route *route) {
    for (size_t i = 0; i < c->routes[0].n; i++)
        if (&c->routes[0].items[i] != route && solver_holds(&c->solver, c->routes[0].items[i].wins))
            return &c->routes[0].items[i];
    return NULL;
}

/* The first route with a tier that matches in the example; NULL: none. */
static const struct prove_route *tiered(const struct comparison *c, int side) {
    for (size_t i = 0; i < c->routes[side].n; i++)
        if (c->routes[side].items[i].config->tier > 0 && solver_holds(&c->solver, c->routes[side].items[i].rail.is))
            return &c->routes[side].items[i];
    return NULL;
}

/*
 * Writes the example in words: the two routes, and whoever they compete with. Whether evaluating both policies over it
 * says what the solver says.
 */
static bool take_example(struct comparison *c, enum effect_kind kind, const struct prove_route *before,
                         const struct prove_route *after, vsr_str *ret_witness) {
    uint8_t *states = ARENA_ARRAY(c->arena, uint8_t, c->theory.n_leaves);
    struct cast cast = { .n = 0 };
    prove_states(&c->theory, states);
    cast_add(c, &cast, 0, before);
    cast_add(c, &cast, 1, after);
    if (kind == EFFECT_CONFIDENCE || kind == EFFECT_ORDER)
        cast_add(c, &cast, 0, rival(c, before));
    for (int side = 0; side < 2 && kind == EFFECT_ORDER; side++)
        cast_add(c, &cast, side, tiered(c, side));
    if (!cast.has_leaves)
        cast_add_others(c, &cast);
    *ret_witness = prove_witness(c->result_arena, &c->theory, cast.items, cast.n, states);
    return prove_states_agree(&c->routes[0], states) && prove_states_agree(&c->routes[1], states);
}

static struct effect *add_example(struct comparison *c, enum effect_kind kind, const struct prove_route *before,
                                  const struct prove_route *after, vsr_str witness) {
    struct effect *effect = add(c, kind, before, after);
    effect->witness = witness;
    effect->circumstance = c->circumstance;
    return effect;
}

/* Asks, and adds the effect with its example; NULL: there is none. What is not found out makes the list incomplete. */
static struct effect *add_if_possible(struct comparison *c, int literal, enum effect_kind kind,
                                      const struct prove_route *before, const struct prove_route *after) {
    enum solver_answer answer = ask(c, literal);
    vsr_str witness;
    if (answer == SOLVER_UNDECIDED)
        give_up(c->effects, "a question was too hard, or the time is used up");
    if (answer != SOLVER_POSSIBLE)
        return NULL;
    if (take_example(c, kind, before, after, &witness))
        return add_example(c, kind, before, after, witness);
    give_up(c->effects, "an example did not hold when it was evaluated");
    return NULL;
}

/* Some route that may win in the solver's example; NULL: no route matches. */
static const struct prove_route *winner(const struct comparison *c, int side) {
    for (size_t i = 0; i < c->routes[side].n; i++)
        if (solver_holds(&c->solver, c->routes[side].items[i].wins))
            return &c->routes[side].items[i];
    return NULL;
}

/* In the solver's example: a route that may win on one side only, and whoever wins on the other. */
static void find_change(const struct comparison *c, const struct prove_route *ret_change[2]) {
    ret_change[0] = winner(c, 0);
    ret_change[1] = winner(c, 1);
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < c->routes[side].n; i++)
            if (solver_holds(&c->solver, c->differs[side][i])) {
                ret_change[side] = &c->routes[side].items[i];
                return;
            }
}

static int wins_or_nobody(const struct comparison *c, int side, const struct prove_route *route) {
    return route ? route->wins : c->routes[side].clear[c->routes[side].n_ranks];
}

/* Each pair of routes is told once, then ruled out, until nothing is left. */
static void find_moves(struct comparison *c) {
    struct solver *solver = &c->solver;
    size_t n = c->routes[0].n + c->routes[1].n, at = 0;
    int *all = ARENA_ARRAY(c->arena, int, n), any;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < c->routes[side].n; i++)
            all[at++] = c->differs[side][i];
    any = solver_or(solver, all, n);
    for (;;) {
        const struct prove_route *change[2];
        enum solver_answer answer = ask(c, any);
        vsr_str witness;
        if (answer == SOLVER_UNDECIDED)
            give_up(c->effects, "a question was too hard, or the time is used up");
        if (answer != SOLVER_POSSIBLE)
            return;
        if (c->effects->n - c->n_before >= EFFECTS_MAX) {
            give_up(c->effects, "there are too many");
            return;
        }
        find_change(c, change);
        if (take_example(c, EFFECT_ROUTE, change[0], change[1], &witness))
            (void)add_example(c, EFFECT_ROUTE, change[0], change[1], witness);
        else
            give_up(c->effects, "an example did not hold when it was evaluated");
        /* Only what moves: where both may win on either side, nothing is ruled out. */
        any = solver_and2(solver, any,
                          -solver_and2(solver, wins_or_nobody(c, 0, change[0]), wins_or_nobody(c, 1, change[1])));
    }
}

/* The names of the parts that do something to requests of the route, `plugins, algorithm`; empty: they are the same. */
static vsr_str handling(const struct comparison *c, const struct config_decision *before,
                        const struct config_decision *after) {
    struct change_part *parts;
    size_t n = change_parts(c->arena, c->schema, before, after, &parts);
    vsr_str names = { 0 };
    for (size_t i = 0; i < n; i++)
        if (parts[i].notice == CHANGE_HANDLING)
            names = arena_printf(c->result_arena, "%.*s%s%s", VSR_FMT(names), names.len ? ", " : "", parts[i].name);
    return names;
}

/* Of requests that take the same route, what becomes of them there. */
static void find_outcomes(struct comparison *c) {
    for (size_t i = 0; i < c->routes[0].n; i++) {
        const struct prove_route *before = &c->routes[0].items[i], *after = partner(c, 0, i);
        vsr_str parts = after ? handling(c, before->config, after->config) : VSR_STR("");
        int both = after ? solver_and2(&c->solver, before->wins, after->wins) : -c->solver.yes;
        struct effect *effect;
        if (after && !prove_same_models(before->config, after->config))
            (void)add_if_possible(c, both, EFFECT_MODELS, before, after);
        effect = parts.len ? add_if_possible(c, both, EFFECT_HANDLING, before, after) : NULL;
        if (effect)
            effect->parts = parts;
    }
}

/* The models that answer when no route does. */
static void find_default(struct comparison *c) {
    int nobody = solver_and2(&c->solver, wins_or_nobody(c, 0, NULL), wins_or_nobody(c, 1, NULL));
    if (!str_eq(c->docs[0]->providers.defaults.default_model, c->docs[1]->providers.defaults.default_model))
        (void)add_if_possible(c, nobody, EFFECT_MODELS, NULL, NULL);
}

/* ---- confidences */

static bool same_rule(struct comparison *c, const struct config_rule *const rules[2]);

static bool same_children(struct comparison *c, const struct config_rule *const rules[2]) {
    const struct config_rule *left = rules[0]->conditions.items, *right = rules[1]->conditions.items;
    if (rules[0]->conditions.n != rules[1]->conditions.n)
        return false;
    for (size_t i = 0; i < rules[0]->conditions.n; i++)
        if (!same_rule(c, (const struct config_rule *const[2]){ &left[i], &right[i] }))
            return false;
    return true;
}

static bool same_predicate(const struct config_predicate *a, const struct config_predicate *b) {
    if (!a || !b)
        return a == b;
    return a->bounds == b->bounds && a->gt == b->gt && a->gte == b->gte && a->lt == b->lt && a->lte == b->lte;
}

/*
 * Reads slots that mean the same, and so report the same confidence: of an output of a mapping that takes the score,
 * the slope and the bounds, which may differ where the same requests reach it.
 */
static bool same_leaf(struct comparison *c, const struct config_rule *const rules[2]) {
    const struct theory_slot *const *slots[2];
    size_t n[2];
    for (int side = 0; side < 2; side++)
        slots[side] = theory_leaf_slots(&c->scopes[side], rules[side], &n[side]);
    for (size_t i = 0; i < n[0] && n[0] == n[1]; i++)
        if (slots[0][i] != slots[1][i])
            return false;
    return n[0] == n[1];
}

/* Written alike over what reports alike, so that confidences are the same. */
static bool same_rule(struct comparison *c, const struct config_rule *const rules[2]) {
    const struct config_rule *a = rules[0], *b = rules[1];
    if (!a || !b)
        return a == b;
    if ((a->type.len > 0) != (b->type.len > 0) || (a->type.len && !same_leaf(c, rules)))
        return false;
    return str_eq(a->label, b->label) && same_predicate(a->predicate, b->predicate) && a->on_error == b->on_error &&
           a->on_unknown == b->on_unknown && a->negated == b->negated && a->op == b->op && same_children(c, rules);
}

static bool same_confidence(struct comparison *c, const struct prove_route *a, const struct prove_route *b) {
    return a->config->priority == b->config->priority && a->config->on_unknown == b->config->on_unknown &&
           same_rule(c, (const struct config_rule *const[2]){ a->config->rules, b->config->rules });
}

/* That some other route may win beside it. */
static int has_rival(struct comparison *c, int side, const struct prove_route *route) {
    const struct prove_routes *routes = &c->routes[side];
    int *rivals = ARENA_ARRAY(c->arena, int, routes->n);
    size_t n = 0;
    for (size_t i = 0; i < routes->n; i++)
        if (&routes->items[i] != route && routes->items[i].rank == route->rank)
            rivals[n++] = routes->items[i].wins;
    return solver_or(&c->solver, rivals, n);
}

static void find_confidences(struct comparison *c) {
    for (size_t i = 0; i < c->routes[0].n; i++) {
        const struct prove_route *before = &c->routes[0].items[i], *after = partner(c, 0, i);
        int question[3];
        if (!after || same_confidence(c, before, after))
            continue;
        question[0] = before->wins;
        question[1] = after->wins;
        question[2] = has_rival(c, 0, before);
        (void)add_if_possible(c, solver_and(&c->solver, question, VSR_COUNT(question)), EFFECT_CONFIDENCE, before,
                              after);
    }
}

/* With `untiered: first`, that a tier matches, which makes confidences decide between routes without one. */
static int tier_matches(struct comparison *c, int side) {
    const struct prove_routes *routes = &c->routes[side];
    int *matches = ARENA_ARRAY(c->arena, int, routes->n);
    size_t n = 0;
    for (size_t i = 0; i < routes->n && routes->scope->routing->untiered_first && !routes->by_confidence; i++)
        if (routes->items[i].config->tier > 0)
            matches[n++] = routes->items[i].rail.is;
    return solver_or(&c->solver, matches, n);
}

static void find_orders(struct comparison *c) {
    struct solver *solver = &c->solver;
    int tiers[2] = { tier_matches(c, 0), tier_matches(c, 1) };
    int changed =
        solver_or2(solver, solver_and2(solver, tiers[0], -tiers[1]), solver_and2(solver, -tiers[0], tiers[1]));
    for (size_t i = 0; i < c->routes[0].n && changed != -solver->yes; i++) {
        const struct prove_route *before = &c->routes[0].items[i], *after = partner(c, 0, i);
        int question[4];
        if (!after || before->config->tier > 0)
            continue;
        question[0] = before->wins;
        question[1] = after->wins;
        question[2] = has_rival(c, 0, before);
        question[3] = changed;
        (void)add_if_possible(c, solver_and(solver, question, VSR_COUNT(question)), EFFECT_ORDER, before, after);
    }
}

/* ---- profiles */

static void compare(struct comparison *c, const struct config_scope *const profiles[2],
                    const struct prove_options *options) {
    int64_t budget_ms = options->budget_ms ? options->budget_ms : PROVE_BUDGET_MS;
    for (int side = 0; side < 2; side++)
        if (profiles[side]->routing->decisions.n > PROVE_ROUTES_MAX) {
            give_up(c->effects, "there are too many routes");
            return;
        }
    solver_init(&c->solver, c->arena, budget_ms < 0 ? 0 : budget_ms, options->conflicts);
    theory_init(&c->theory, c->arena, &c->solver, &options->families);
    c->solver.refute = theory_refute;
    c->solver.refute_data = &c->theory;
    for (int side = 0; side < 2; side++) {
        theory_scope_init(&c->scopes[side], &c->theory, c->docs[side], profiles[side]->routing, true);
        prove_routes_build(&c->routes[side], &c->scopes[side]);
    }
    theory_close(&c->theory);
    find_partners(c);
    find_differences(c);
    find_moves(c);
    find_outcomes(c);
    find_default(c);
    find_confidences(c);
    find_orders(c);
    if (c->solver.too_large)
        give_up(c->effects, "the conditions are too large");
}

static void compare_profiles(struct arena *arena, const struct schema *schema, const struct config_document *before,
                             const struct config_document *after, const struct prove_options *options,
                             struct effects *effects) {
    for (size_t i = 0; i < before->n_scopes; i++) {
        const struct config_scope *profiles[2] = { &before->scopes[i], config_scope(after, before->scopes[i].name) };
        struct comparison c = { .result_arena = arena, .effects = effects, .n_before = effects->n };
        c.profile = profiles[0]->name;
        c.schema = schema;
        c.docs[0] = before;
        c.docs[1] = after;
        if (!profiles[1]) {
            add(&c, EFFECT_REMOVED, NULL, NULL);
            continue;
        }
        c.arena = arena_new(0, 0);
        compare(&c, profiles, options);
        arena_free(c.arena);
    }
    for (size_t i = 0; i < after->n_scopes; i++)
        if (!config_scope(before, after->scopes[i].name)) {
            struct comparison c = { .result_arena = arena, .effects = effects, .profile = after->scopes[i].name };
            add(&c, EFFECT_ADDED, NULL, NULL);
        }
}

/* ---- model names */

struct entries {
    const struct config_document *doc;
    struct map recipes; /* model name -> its struct config_entrypoint */
};

static void entries_init(struct entries *entries, struct arena *arena, const struct config_document *doc) {
    entries->doc = doc;
    map_init(&entries->recipes, arena);
    CONFIG_EACH(const struct config_entrypoint, entrypoint, &doc->entrypoints)
    for (size_t i = 0; i < entrypoint->model_names.n; i++)
        if (!map_get(&entries->recipes, entrypoint->model_names.items[i])) /* the first one counts */
            map_put(&entries->recipes, entrypoint->model_names.items[i], (void *)entrypoint);
}

static vsr_str recipe_of(const struct entries *entries, vsr_str model_name) {
    const struct config_entrypoint *entrypoint = map_get(&entries->recipes, model_name);
    return entrypoint ? entrypoint->recipe : (vsr_str){ 0 };
}

static void compare_entry(struct arena *arena, const struct entries *sides, int side, vsr_str name,
                          struct effects *effects) {
    vsr_str recipes[2] = { recipe_of(&sides[0], name), recipe_of(&sides[1], name) };
    struct comparison c = { .result_arena = arena, .effects = effects, .profile = recipes[side] };
    if (str_eq(recipes[0], recipes[1]) || (side == 1 && recipes[0].len))
        return;
    add(&c, EFFECT_ENTRY, NULL, NULL)->witness =
        arena_printf(arena, "%.*s: %.*s -> %.*s", VSR_FMT(name), VSR_FMT(recipes[0].len ? recipes[0] : VSR_STR("none")),
                     VSR_FMT(recipes[1].len ? recipes[1] : VSR_STR("none")));
}

static void compare_entries(struct arena *arena, const struct config_document *before,
                            const struct config_document *after, struct effects *effects) {
    struct arena *scratch = arena_new(0, 0);
    struct entries sides[2];
    entries_init(&sides[0], scratch, before);
    entries_init(&sides[1], scratch, after);
    for (int side = 0; side < 2; side++)
        CONFIG_EACH(const struct config_entrypoint, entrypoint, &sides[side].doc->entrypoints)
    for (size_t i = 0; i < entrypoint->model_names.n; i++)
        compare_entry(arena, sides, side, entrypoint->model_names.items[i], effects);
    arena_free(scratch);
}

void effects_find(struct arena *arena, const struct schema *schema, const struct config_document *before,
                  const struct config_document *after, const struct prove_options *options,
                  struct effects *ret_effects) {
    *ret_effects = (struct effects){ .complete = true };
    compare_profiles(arena, schema, before, after, options, ret_effects);
    compare_entries(arena, before, after, ret_effects);
}

/* ---- words */

static vsr_str quoted(struct arena *arena, const struct config_decision *decision) {
    return decision ? arena_printf(arena, "\"%.*s\"", VSR_FMT(decision->name)) : VSR_STR("no route");
}

static vsr_str text_of(struct arena *arena, const struct effect *effect) {
    vsr_str before = quoted(arena, effect->before), after = quoted(arena, effect->after);
    switch (effect->kind) {
    case EFFECT_ROUTE:
        return arena_printf(arena, "requests of %.*s go to %.*s", VSR_FMT(before), VSR_FMT(after));
    case EFFECT_MODELS:
        if (!effect->before)
            return VSR_STR("requests that no route takes go to another default model");
        return arena_printf(arena, "requests of %.*s go to other models", VSR_FMT(before));
    case EFFECT_HANDLING:
        return arena_printf(arena, "requests of %.*s are handled in another way (%.*s)", VSR_FMT(before),
                            VSR_FMT(effect->parts));
    case EFFECT_CONFIDENCE:
        return arena_printf(arena, "%.*s may have another confidence, which decides between routes of its rank",
                            VSR_FMT(before));
    case EFFECT_ORDER:
        return arena_printf(
            arena, "%.*s may win over routes of its rank in another order: whether a tier matches decides that",
            VSR_FMT(before));
    case EFFECT_ADDED:
        return VSR_STR("the profile is new");
    case EFFECT_REMOVED:
        return VSR_STR("the profile is gone");
    case EFFECT_ENTRY:
        return arena_printf(arena, "a model name leads elsewhere (%.*s)", VSR_FMT(effect->witness));
    }
    return VSR_STR("");
}

vsr_str effect_text(struct arena *arena, const struct effect *effect) {
    return arena_printf(arena, "%.*s%s", VSR_FMT(text_of(arena, effect)), effect->circumstance);
}
