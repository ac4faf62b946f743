/* The prover against the engine, in every world of random small policies: what is never, always, unreached, tied, left.
 */
#include "worlds.h"

enum { ROUNDS = 600, ROUNDS_LONG = 20000, WORLDS_MAX = 6000 };

struct found {
    bool some_match[WORLD_ROUTES_MAX], some_miss[WORLD_ROUTES_MAX], reached[WORLD_ROUTES_MAX];
    bool tied[WORLD_ROUTES_MAX][WORLD_ROUTES_MAX], uncaught;
};

static void look(struct found *found, const struct judged *judged, size_t n) {
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        any |= judged->matches[i];
        found->some_match[i] |= judged->matches[i];
        found->some_miss[i] |= !judged->matches[i];
        found->reached[i] |= judged->may_win[i];
        for (size_t k = 0; k < i; k++)
            found->tied[k][i] |= judged->may_win[i] && judged->may_win[k];
    }
    found->uncaught |= !any;
}

static void find_all(struct found *found, struct worlds *w, const struct config_routing *routing) {
    bool dims[WORLD_DIMS] = { 0 };
    struct judged judged;
    judged_init(&judged, w, routing);
    worlds_all_dims(routing, dims);
    memset(w->choices, 0, sizeof(w->choices));
    do {
        world_set_any(w);
        judged_world(&judged, w);
        look(found, &judged, routing->decisions.n);
    } while (worlds_next(w, dims));
}

static bool tells(const struct proved *p, const char *code, const char *start) {
    for (size_t i = 0; i < p->findings.n; i++)
        if (strcmp(p->findings.items[i].code, code) == 0 && str_starts(p->findings.items[i].message, str_from_c(start)))
            return true;
    return false;
}

/* The part that differs from policy to policy. */
static vsr_str routes_of(vsr_str policy) {
    ptrdiff_t at = str_find(policy, VSR_STR("  decisions:"));
    return str_sub(policy, at < 0 ? 0 : (size_t)at, policy.len);
}

static void check_same(struct proved *p, vsr_str policy, const char *what, size_t route, bool told, bool is) {
    if (told == is)
        return;
    print_error("%.*s\n", VSR_FMT(routes_of(policy)));
    print_error("%.*s\n", VSR_FMT(proved_text(p)));
    fail_msg("%s of r%zu: the proof says %d, the worlds %d", what, route, told, is);
}

static bool is_tiered(const struct config_routing *routing) {
    CONFIG_EACH(const struct config_decision, decision, &routing->decisions)
    if (decision->tier > 0)
        return true;
    return false;
}

static void compare(struct proved *p, vsr_str policy, const struct found *found, const struct config_routing *routing) {
    const struct config_decision *routes = routing->decisions.items;
    bool cautious = routing->untiered_first && is_tiered(routing); /* see dsl/prove_routes.h */
    char start[128];
    for (size_t i = 0; i < routing->decisions.n; i++) {
        bool unreachable;
        snprintf(start, sizeof(start), "route \"r%zu\": WHEN is never", i);
        check_same(p, policy, "never", i, tells(p, "W402", start), !found->some_match[i]);
        snprintf(start, sizeof(start), "route \"r%zu\": WHEN is always", i);
        check_same(p, policy, "always", i, tells(p, "W403", start),
                   found->some_match[i] && !found->some_miss[i] && routes[i].rules);
        snprintf(start, sizeof(start), "route \"r%zu\" is", i);
        unreachable = tells(p, "W401", start);
        if (cautious && unreachable)
            CHECK(!found->reached[i], "no request reaches what is called unreachable");
        if (!cautious)
            check_same(p, policy, "unreachable", i, unreachable, found->some_match[i] && !found->reached[i]);
        for (size_t k = 0; k < i && !cautious; k++) {
            bool differ = !str_eq(((struct config_model_ref *)routes[i].model_refs.items)->model,
                                  ((struct config_model_ref *)routes[k].model_refs.items)->model);
            snprintf(start, sizeof(start), "routes \"r%zu\" and \"r%zu\"", k, i);
            check_same(p, policy, "tie", i, tells(p, "W407", start),
                       found->tied[k][i] && differ && routes[i].priority == routes[k].priority &&
                           routing->strategy != STRATEGY_CONFIDENCE);
        }
    }
    check_same(p, policy, "uncaught", 0, tells(p, "W408", "no route takes"), found->uncaught);
}

TEST(random_policies) {
    int rounds = getenv("VSR_TEST_LONG") ? ROUNDS_LONG : ROUNDS;
    for (int round = 0; round < rounds; round++) {
        struct proved p = { .arena = arena_new(0, 0) };
        vsr_str policy = proved_yaml(p.arena, random_policy(p.arena).ptr);
        struct found found = { 0 };
        bool dims[WORLD_DIMS] = { 0 };
        struct worlds w;
        proved_document(&p, loaded(p.arena, policy, "random.yaml"));
        CHECK_MSG(p.summary.complete, "a small policy is not analysed to the end:\n%.*s%.*s",
                  VSR_FMT(routes_of(policy)), VSR_FMT(proved_text(&p)));
        worlds_init(&w, p.arena);
        worlds_all_dims(&p.doc->routing, dims);
        if (worlds_over(dims) > WORLDS_MAX) {
            proved_done(&p);
            continue;
        }
        find_all(&found, &w, &p.doc->routing);
        compare(&p, policy, &found, &p.doc->routing);
        proved_done(&p);
    }
}

RUN_TESTS(T(random_policies))
