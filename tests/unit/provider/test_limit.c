/* Whose budget a rule is, which rules a request falls under, and what tickets hold and give back. */
#include "provider/limit.h"

#include "config/load.h"
#include "core/arena.h"
#include "test.h"

struct bench {
    struct arena *arena;
    struct limit_set *set;
    struct limit_state *state;
    struct limit_lane *lane;
};

#define DOCUMENT(rules) \
    "version: v0.3\n" \
    "listeners:\n" \
    "- {name: a, address: 127.0.0.1, port: 1, api_keys: [first-key, second-key], api_key_envs: [LIMIT_TEST_KEY]}\n" \
    "routing: {}\n" \
    "global: {services: {ratelimit: {providers: [{type: local-limiter, rules: [" rules "]}]}}}\n"

static void open_bench(struct bench *b, const char *document) {
    static const struct config_load_options options = { 0 };
    const struct config_document *doc = NULL;
    struct diag diag;
    b->arena = arena_new(0, 0);
    setenv("LIMIT_TEST_KEY", "third-key", 1);
    diag_init(&diag, b->arena, VSR_STR("t"));
    (void)config_load_text(b->arena, str_from_c(document), VSR_STR("t"), &options, &doc, &diag);
    CHECK_MSG(doc != NULL, "%s: %.*s", document, diag.n_items ? (int)diag.items[0].message.len : 0,
              diag.n_items ? diag.items[0].message.ptr : "");
    CHECK_INT(limit_set_build(b->arena, doc, &b->set, NULL), 0, document);
    b->state = limit_state_new();
    b->lane = limit_lane_new(b->state, NULL);
}

static void close_bench(struct bench *b) {
    limit_lane_free(b->lane);
    limit_state_free(b->state);
    arena_free(b->arena);
}

/* `user tenant key groups model`, separated by blanks; `-` is nobody. Groups by commas; the model is the selected one.
 */
static struct limit_subject subject_of(struct arena *arena, const char *text) {
    vsr_str rest = str_from_c(text), parts[5];
    struct limit_subject subject = { 0 };
    for (size_t i = 0; i < VSR_COUNT(parts); i++) {
        parts[i] = str_split(&rest, ' ');
        if (str_eq(parts[i], VSR_STR("-")))
            parts[i] = VSR_STR("");
    }
    subject.user = parts[0];
    subject.tenant = parts[1];
    subject.key = parts[2].len ? limit_fingerprint(arena, parts[2]) : VSR_STR("");
    for (vsr_str groups = parts[3]; groups.len;) {
        vsr_str *items = ARENA_ARRAY(arena, vsr_str, subject.n_groups + 1);
        if (subject.n_groups)
            memcpy(items, subject.groups, subject.n_groups * sizeof(*items));
        items[subject.n_groups++] = str_split(&groups, ',');
        subject.groups = items;
    }
    subject.requested_model = VSR_STR("auto");
    subject.selected_model = parts[4];
    subject.currency = VSR_STR("USD");
    return subject;
}

static enum limit_answer ask(struct bench *b, const char *who, enum limit_phase phase, double tokens, double cost,
                             struct limit_ticket *ticket) {
    const struct limit_ask ask = { .set = b->set,
                                   .phase = phase,
                                   .subject = subject_of(b->arena, who),
                                   .tokens = tokens,
                                   .cost = cost,
                                   .arena = b->arena };
    return limit_take(b->lane, &ask, ticket, NULL, NULL);
}

/* Both asks of a request, as the pipeline makes them. */
static bool passes(struct bench *b, const char *who, struct limit_ticket *ticket) {
    return ask(b, who, LIMIT_EARLY, 0, 0, ticket) == LIMIT_PASSED &&
           ask(b, who, LIMIT_ROUTED, 10, 0.01, ticket) == LIMIT_PASSED;
}

/* Each rule lets one request pass: the second passes too when it has another budget, or falls under no rule. */
static const struct {
    const char *name, *match, *first, *second;
    bool want;
} budgets[] = {
    { "no match: each user", "{}", "alice - - - m", "bob - - - m", true },
    { "no match: one user", "{}", "alice - - - m", "alice - - - n", false },
    { "no match: nobody is one", "{}", "- - - - m", "- - - - m", false },
    { "any user", "{user: \"*\"}", "alice - - - m", "bob - - - m", true },
    { "one user", "{user: alice}", "alice - - - m", "alice - - - m", false },
    { "another user", "{user: alice}", "bob - - - m", "bob - - - m", true },
    { "a group", "{group: gold}", "alice - - crew,gold m", "alice - - gold m", false },
    { "a group, each user", "{group: gold}", "alice - - gold m", "bob - - gold m", true },
    { "not in the group", "{group: gold}", "alice - - golden m", "alice - - golden m", true },
    { "any tenant: all its users", "{tenant: \"*\"}", "alice acme - - m", "bob acme - - m", false },
    { "any tenant: another", "{tenant: \"*\"}", "alice acme - - m", "alice other - - m", true },
    { "a tenant's users", "{tenant: \"*\", user: \"*\"}", "alice acme - - m", "bob acme - - m", true },
    { "one tenant", "{tenant: acme}", "alice other - - m", "alice other - - m", true },
    { "any key: whoever shows it", "{key: \"*\"}", "alice - first-key - m", "bob - first-key - m", false },
    { "any key: another", "{key: \"*\"}", "alice - first-key - m", "alice - second-key - m", true },
    { "a key by its variable", "{key: LIMIT_TEST_KEY}", "- - third-key - m", "- - third-key - m", false },
    { "not that key", "{key: LIMIT_TEST_KEY}", "- - first-key - m", "- - first-key - m", true },
    { "a key that nobody has", "{key: LIMIT_TEST_OTHER}", "- - third-key - m", "- - third-key - m", true },
    { "each model", "{model: \"*\"}", "alice - - - m", "alice - - - n", true },
    { "each model: the same", "{model: \"*\"}", "alice - - - m", "alice - - - m", false },
    { "one model", "{model: m}", "alice - - - m", "alice - - - m", false },
    { "another model", "{model: m}", "alice - - - n", "alice - - - n", true },
    { "as it was requested", "{model: auto}", "alice - - - m", "alice - - - n", false },
    { "a name that looks like two parts", "{tenant: \"*\", user: \"*\"}", "b|user=c a - - m", "c a|user=b - - m",
      true },
};

TEST(whose_budget) {
    for (size_t i = 0; i < VSR_COUNT(budgets); i++) {
        struct bench b;
        struct limit_ticket first = { 0 }, second = { 0 };
        struct arena *arena = arena_new(0, 0);
        vsr_str text =
            arena_printf(arena, DOCUMENT("{name: r, requests_per_unit: 1, match: %s}") "%c", budgets[i].match, 0);
        open_bench(&b, text.ptr);
        CHECK(passes(&b, budgets[i].first, &first), budgets[i].name);
        CHECK_INT(passes(&b, budgets[i].second, &second), budgets[i].want, budgets[i].name);
        limit_settle(b.lane, &first, 0, 0);
        limit_settle(b.lane, &second, 0, 0);
        close_bench(&b);
        arena_free(arena);
    }
}

/* The estimate stands for the usage until that is known, and money for the model's own currency alone. */
TEST(tokens_and_money) {
    struct bench b;
    struct limit_ticket ticket = { 0 };
    open_bench(&b, DOCUMENT("{name: r, tokens_per_unit: 100, cost_per_unit: 1, unit: month}"));
    CHECK(passes(&b, "alice - - - m", &ticket), "first");
    CHECK_INT((int)ticket.verdict.remaining, 90, "10 tokens are taken");
    limit_settle(b.lane, &ticket, 95, 0.5);
    ticket = (struct limit_ticket){ 0 };
    CHECK_INT(ask(&b, "alice - - - m", LIMIT_ROUTED, 6, 0, &ticket), LIMIT_DENIED, "5 are left");
    CHECK_INT(ticket.verdict.kind, LIMIT_TOKENS, "by tokens");
    CHECK_INT((int)(ticket.verdict.remaining + 0.001), 5, "5 are left");
    CHECK_INT(ask(&b, "alice - - - m", LIMIT_ROUTED, 5, 0.6, &ticket), LIMIT_DENIED, "half a dollar is left");
    CHECK_INT(ticket.verdict.kind, LIMIT_COST, "by money");
    CHECK_INT(ask(&b, "alice - - - m", LIMIT_ROUTED, 101, 0, &ticket), LIMIT_DENIED, "more than there ever is");
    CHECK(ticket.verdict.too_large, "too large");
    CHECK_INT(ask(&b, "alice - - - m", LIMIT_ROUTED, 5, 0.5, &ticket), LIMIT_PASSED, "the rest");
    CHECK_INT(ask(&b, "alice - - - m", LIMIT_EARLY, 0, 0, &(struct limit_ticket){ 0 }), LIMIT_DENIED,
              "a full budget ends it before the body");
    limit_refund(b.lane, &ticket);
    CHECK_INT(ask(&b, "alice - - - m", LIMIT_EARLY, 0, 0, &ticket), LIMIT_PASSED, "refunded");
    close_bench(&b);
}

/* Another model answers: its rules are asked in place of the first one's, and what was early stays. */
TEST(another_model) {
    struct bench b;
    struct limit_ticket ticket = { 0 };
    struct limit_ask again = { .phase = LIMIT_ROUTED, .tokens = 10, .again = true };
    open_bench(&b, DOCUMENT("{name: all, requests_per_unit: 5, unit: day},"
                            " {name: a, tokens_per_unit: 100, requests_per_unit: 9, match: {model: m}, unit: day},"
                            " {name: b, requests_per_unit: 1, match: {model: n}, unit: day}"));
    again.set = b.set;
    again.arena = b.arena;
    for (int i = 0; i < 2; i++) {
        ticket = (struct limit_ticket){ 0 };
        CHECK(passes(&b, "alice - - - m", &ticket), "the first model");
        limit_reroute(b.lane, &ticket);
        CHECK_INT(ticket.n_held, 1, "what was early stays");
        again.subject = subject_of(b.arena, "alice - - - n");
        CHECK_INT(limit_take(b.lane, &again, &ticket, NULL, NULL), i == 0 ? LIMIT_PASSED : LIMIT_DENIED, "one of n");
        CHECK_INT(ticket.n_held, i == 0 ? 2 : 1, "a refusal leaves what was early");
        limit_settle(b.lane, &ticket, 90, 0);
    }
    ticket = (struct limit_ticket){ 0 };
    CHECK(passes(&b, "alice - - - m", &ticket), "the first model was not charged");
    limit_refund(b.lane, &ticket);
    ticket = (struct limit_ticket){ 0 };
    CHECK_INT(ask(&b, "alice - - - m", LIMIT_EARLY, 0, 0, &ticket), LIMIT_PASSED, "early");
    CHECK_INT((int)ticket.verdict.remaining, 2, "two requests were counted once each, and this one");
    limit_refund(b.lane, &ticket);
    close_bench(&b);
}

/* What the first ask was given goes back when the second is refused. */
TEST(later_refusal_refunds) {
    struct bench b;
    struct limit_ticket ticket = { 0 };
    open_bench(&b, DOCUMENT("{name: all, requests_per_unit: 2, concurrent: 2, unit: day}, "
                            "{name: dear, requests_per_unit: 1, unit: day, match: {model: dear}}"));
    for (int i = 0; i < 2; i++) {
        CHECK_INT(ask(&b, "alice - - - dear", LIMIT_EARLY, 0, 0, &ticket), LIMIT_PASSED, "early");
        CHECK_INT(ask(&b, "alice - - - dear", LIMIT_ROUTED, 1, 0, &ticket), i == 0 ? LIMIT_PASSED : LIMIT_DENIED,
                  "routed");
        limit_settle(b.lane, &ticket, 1, 0);
    }
    CHECK(passes(&b, "alice - - - cheap", &ticket), "the refused one was not counted");
    limit_settle(b.lane, &ticket, 1, 0);
    CHECK(!passes(&b, "alice - - - cheap", &ticket), "the others were");
    close_bench(&b);
}

TEST(at_once) {
    struct bench b;
    struct limit_ticket tickets[3] = { 0 };
    open_bench(&b, DOCUMENT("{name: r, concurrent: 2}"));
    CHECK(passes(&b, "alice - - - m", &tickets[0]) && passes(&b, "alice - - - m", &tickets[1]), "two");
    CHECK(!passes(&b, "alice - - - m", &tickets[2]), "no third");
    CHECK_INT(tickets[2].verdict.retry_after_s, LIMIT_RETRY_BUSY_S, "soon");
    limit_settle(b.lane, &tickets[0], 0, 0);
    limit_settle(b.lane, &tickets[0], 0, 0);
    CHECK(passes(&b, "alice - - - m", &tickets[2]), "one has ended");
    CHECK(!passes(&b, "alice - - - m", &tickets[0]), "and only one, however often it is settled");
    limit_settle(b.lane, &tickets[1], 0, 0);
    limit_settle(b.lane, &tickets[2], 0, 0);
    close_bench(&b);
}

TEST(nothing_is_limited) {
    struct limit_set *set = (struct limit_set *)1;
    static const struct config_load_options options = { 0 };
    const struct config_document *doc = NULL;
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    diag_init(&diag, arena, VSR_STR("t"));
    (void)config_load_text(arena, VSR_STR("version: v0.3\nrouting: {}\n"), VSR_STR("t"), &options, &doc, &diag);
    CHECK(doc && limit_set_build(arena, doc, &set, NULL) == 0 && !set, "no rules, no set");
    arena_free(arena);
}

/* A model beside the selected one: requests are counted once in each bucket, tokens and money by whoever takes them. */
TEST(two_models_at_once) {
    static const char *const rules =
        "{name: each, match: {model: \"*\"}, requests_per_unit: 9, unit: day},"
        "{name: auto, match: {model: auto}, requests_per_unit: 9, concurrent: 9, unit: day},"
        "{name: all, tokens_per_unit: 1000, unit: day}";
    struct bench b;
    struct limit_ticket first = { 0 }, second = { 0 };
    struct limit_ask asked = { .phase = LIMIT_ROUTED, .tokens = 10, .beside = &first };
    char document[1024];
    (void)snprintf(document, sizeof(document), DOCUMENT("%s"), rules);
    open_bench(&b, document);
    CHECK(passes(&b, "alice - - - m", &first), "the first");
    CHECK_INT(first.n_held, 4, "requests of m, of auto and at once, tokens");
    asked.set = b.set;
    asked.arena = b.arena;
    asked.subject = subject_of(b.arena, "alice - - - n");
    CHECK_INT(limit_take(b.lane, &asked, &second, NULL, NULL), LIMIT_PASSED, "beside it");
    CHECK_INT(second.n_held, 2, "requests of n, tokens");
    limit_settle(b.lane, &second, 300, 0);
    limit_settle(b.lane, &first, 500, 0);
    CHECK_INT(ask(&b, "alice - - - o", LIMIT_ROUTED, 201, 0, &first), LIMIT_DENIED, "both have taken tokens");
    CHECK_INT(ask(&b, "alice - - - o", LIMIT_ROUTED, 200, 0, &first), LIMIT_PASSED, "and no more");
    limit_settle(b.lane, &first, 0, 0);
    close_bench(&b);
}

RUN_TESTS(T(whose_budget), T(tokens_and_money), T(another_model), T(two_models_at_once), T(later_refusal_refunds),
          T(at_once), T(nothing_is_limited))
