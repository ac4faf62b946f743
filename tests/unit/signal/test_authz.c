/* Roles of the caller. */
#include "fixture.h"

extern const struct signal_family signal_authz;

#define BINDINGS \
    "[{name: paid, role: premium, subjects: [{kind: Group, name: gold}, {kind: user, name: alice}]}," \
    " {name: staff, role: internal, subjects: [{kind: GROUP, name: eng}]}," \
    " {name: board, role: premium, subjects: [{kind: User, name: bob}]}," \
    " {name: internal, role: night, subjects: [{kind: Group, name: gold}]}]"

/* Gives slots as the engine does and says which names matched, in order: "premium,night,paid". */
static const char *matches(const char *rules, const char *user, const char *groups) {
    static char text[256];
    struct fixture f;
    struct request_facts facts = { 0 };
    vsr_str *names;
    size_t n, n_listed;
    text[0] = '\0';
    fixture_make(&f, &signal_authz, str_from_c(rules));
    n = signal_authz.names(&f.rules, f.arena, &names, &n_listed);
    CHECK_INT(facts_set_identity(f.arena, &facts, str_from_c(user), str_from_c(groups), NULL), 0, "identity");
    fixture_eval(&f, &facts);
    CHECK_INT(f.rc, 0, "eval");
    for (size_t i = 0; i < n; i++) {
        CHECK(bits_has(f.results.evaluated, i), "every name has a result");
        if (!bits_has(f.results.matched, i))
            continue;
        CHECK(f.results.confidence[i] == 1.0, "confidence");
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%.*s", text[0] ? "," : "",
                 i >= n_listed ? "(" : "", VSR_FMT(names[i]));
    }
    fixture_free(&f);
    return text;
}

/* Behind "(": names of bindings, which leaves may use and nobody lists. */
static const struct {
    const char *name, *user, *groups, *want;
} cases[] = {
    { "user", "alice", NULL, "premium,(paid" },
    { "group", "carol", "eng", "internal,(staff" },
    { "groups with blanks and empties", "carol", " eng ,, gold,", "premium,internal,night,(paid,(staff" },
    { "a role once, whoever grants it", "bob", "gold", "premium,night,(paid,(board" },
    { "names are exact", "Alice", "Gold,golden,gol", "" },
    { "a group is no user", "gold", "alice", "" },
    { "blanks around the id", " alice\t", NULL, "premium,(paid" },
    { "nobody", NULL, NULL, "" },
    { "groups without a user", "", "gold,eng", "" },
    { "a blank user", "  ", "gold,eng", "" },
};

TEST(bindings) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_MSG(strcmp(matches(BINDINGS, cases[i].user, cases[i].groups), cases[i].want) == 0,
                  "case \"%s\": got \"%s\", want \"%s\"", cases[i].name,
                  matches(BINDINGS, cases[i].user, cases[i].groups), cases[i].want);
}

TEST(leaves_name_roles_and_bindings) {
    struct fixture f;
    CHECK(fixture_decode(&f, &signal_authz, VSR_STR(BINDINGS)), "rules");
    CHECK(signal_authz.config.declares(&f.rules, VSR_STR("premium")), "role");
    CHECK(signal_authz.config.declares(&f.rules, VSR_STR("board")), "binding");
    CHECK(!signal_authz.config.declares(&f.rules, VSR_STR("Premium")), "case");
    CHECK(!signal_authz.config.declares(&f.rules, VSR_STR("alice")), "subject");
    fixture_free(&f);
}

static const struct {
    const char *rules, *problem;
} refused[] = {
    { "[{name: a, subjects: [{kind: User, name: x}]}]", "role" },
    { "[{name: a, role: ' ', subjects: [{kind: User, name: x}]}]", "role" },
    { "[{name: a, role: ' r', subjects: [{kind: User, name: x}]}]", "begin or end with blanks" },
    { "[{name: a, role: 'r:s', subjects: [{kind: User, name: x}]}]", "must not hold \":\"" },
    { "[{name: '', role: r, subjects: [{kind: User, name: x}]}]", "name" },
    { "[{name: a, role: r}]", "subjects" },
    { "[{name: a, role: r, subjects: []}]", "at least one subject" },
    { "[{name: a, role: r, subjects: [{kind: Robot, name: x}]}]", "\"Robot\" is not one of User, Group" },
    { "[{name: a, role: r, subjects: [{kind: User, name: ' '}]}]", "name" },
    { "[{name: a, role: r, subjects: [{name: x}]}]", "kind" },
};

TEST(bad_bindings) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++)
        fixture_must_refuse(&signal_authz, refused[i].rules, refused[i].problem);
}

RUN_TESTS(T(bindings), T(leaves_name_roles_and_bindings), T(bad_bindings))
