/* Policies about callers: who is let in, and what a leaf may name. */
#include "fixture.h"

#define SIGNALS \
    FIXTURE_HEAD "routing:\n" \
                 "  signals:\n" \
                 "    keywords: [{name: help, operator: OR, keywords: [help]}]\n" \
                 "    role_bindings:\n" \
                 "      - {name: paid, role: premium, subjects: [{kind: Group, name: gold}]}\n" \
                 "      - {name: board, role: premium, subjects: [{kind: User, name: bob}]}\n"

#define BY_ROLE \
    SIGNALS "  decisions:\n" \
            "    - {name: board_lane, priority: 9, rules: {type: authz, name: board}}\n" \
            "    - {name: premium_lane, priority: 5, rules: {type: authz, name: premium}}\n" \
            "    - {name: others, priority: 1}\n"

#define BY_SCORE \
    SIGNALS "  projections:\n" \
            "    scores:\n" \
            "      - {name: worth, method: weighted_sum, inputs: [{type: authz, name: premium, weight: 0.5}]}\n" \
            "    mappings:\n" \
            "      - {name: band, source: worth, outputs: [{name: low, lt: 0.5}, {name: high, gte: 0.5}]}\n" \
            "  decisions:\n" \
            "    - {name: premium_lane, priority: 5, rules: {type: projection, name: high}}\n" \
            "    - {name: others, priority: 1}\n"

#define UNUSED \
    SIGNALS "  decisions:\n" \
            "    - {name: helping, priority: 5, rules: {type: keyword, name: help}}\n"

#define FAIL_OPEN "global: {services: {authz: {fail_open: true}}}\n"

static const struct {
    const char *name, *policy, *user, *groups, *decision; /* decision NULL: refused */
} cases[] = {
    { "role by group", BY_ROLE, "carol", "gold", "premium_lane" },
    { "binding by its own name", BY_ROLE, "bob", NULL, "board_lane" },
    { "neither", BY_ROLE, "carol", "silver", "others" },
    { "nobody", BY_ROLE, NULL, NULL, NULL },
    { "groups without a user", BY_ROLE, NULL, "gold", NULL },
    { "nobody, open", BY_ROLE FAIL_OPEN, NULL, "gold", "others" },
    { "projection of a role", BY_SCORE, "bob", NULL, "premium_lane" },
    { "projection without it", BY_SCORE, "carol", NULL, "others" },
    { "projection needs it", BY_SCORE, NULL, NULL, NULL },
    { "declared and unused", UNUSED, NULL, NULL, "helping" },
};

TEST(who_is_let_in) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        for (int full = 0; full < 2; full++) {
            struct fixture f;
            struct request_facts facts;
            const struct route_outcome *outcome;
            fixture_must_load(&f, cases[i].policy);
            facts = *fixture_prompt(&f, VSR_STR("help me"));
            CHECK_INT(facts_set_identity(f.memory, &facts, str_from_c(cases[i].user), str_from_c(cases[i].groups),
                                         NULL),
                      0, cases[i].name);
            outcome = fixture_route(&f, &facts, full);
            CHECK(!cases[i].decision == (outcome->refusal != NULL), cases[i].name);
            CHECK(!outcome->refusal == !route_refusal(f.route, &facts), cases[i].name);
            if (cases[i].decision)
                CHECK_STR(outcome->decision->name, cases[i].decision, cases[i].name);
            else
                CHECK(!outcome->decision, cases[i].name);
            fixture_free(&f);
        }
    }
}

static void collect(void *data, const char *family, vsr_str name) {
    struct buf *out = data;
    buf_printf(out, "%s:%.*s ", family, VSR_FMT(name));
}

static void collect_matches(void *data, const char *family, const vsr_str *names, size_t n_names) {
    for (size_t i = 0; i < n_names; i++)
        collect(data, family, names[i]);
}

TEST(roles_are_listed) {
    struct fixture f;
    struct request_facts facts;
    struct buf out;
    fixture_must_load(&f, BY_ROLE);
    buf_init(&out, 4096);
    route_names(f.route, collect, &out);
    CHECK_STR(buf_str(&out), "keyword:help authz:premium ", "names");
    facts = *fixture_prompt(&f, VSR_STR("help me"));
    CHECK_INT(facts_set_identity(f.memory, &facts, VSR_STR("bob"), VSR_STR("gold"), NULL), 0, "identity");
    fixture_route(&f, &facts, true);
    buf_reset(&out);
    route_matches(f.state, collect_matches, &out);
    CHECK_STR(buf_str(&out), "keyword:help authz:premium ", "matches");
    buf_reset(&out);
    route_trace_text(f.state, false, &out);
    CHECK(str_find(buf_str(&out), VSR_STR("authz:board")) >= 0, "the trace names the grant");
    buf_done(&out);
    fixture_free(&f);
}

TEST(refusal_is_traced) {
    struct fixture f;
    struct buf out;
    struct json_writer w;
    fixture_must_load(&f, BY_ROLE);
    fixture_route(&f, fixture_prompt(&f, VSR_STR("help me")), true);
    buf_init(&out, 1 << 20);
    json_write_init(&w, &out);
    route_trace_json(f.state, &w);
    CHECK(str_find(buf_str(&out), VSR_STR("\"refusal\":\"the policy asks who the caller is")) >= 0, "json");
    buf_reset(&out);
    route_trace_text(f.state, false, &out);
    CHECK(str_find(buf_str(&out), VSR_STR("refused: the policy asks who")) >= 0, "text");
    buf_done(&out);
    fixture_free(&f);
}

RUN_TESTS(T(who_is_let_in), T(roles_are_listed), T(refusal_is_traced))
