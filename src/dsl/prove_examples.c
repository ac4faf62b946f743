#include "dsl/prove_examples.h"

#include <math.h>
#include <string.h>

#include "core/arena.h"
#include "dsl/prove_parts.h"

static const char family_name[] = "embedding";

/* An embedding rule, and the routes whose conditions want it to match. */
struct user {
    vsr_str name;
    const void *rule;
    double threshold, least; /* similarities from which on it matches, and can match where nothing else does */
    int modality;
    int match;      /* literal */
    bool *mentions; /* [n_routes] */
    bool *wants;    /* [n_routes] */
};

struct search {
    struct proof *proof;
    const struct prove_examples *examples;
    const struct schema *schema;
    int family; /* index in config_families */
    struct user *users;
    size_t n_users, n_told;
};

/* ---- the rules */

static int family_of(const struct config_families *families) {
    for (size_t i = 0; i < families->n && i < CONFIG_FAMILIES_MAX; i++)
        if (strcmp(families->items[i].type, family_name) == 0)
            return (int)i;
    return -1;
}

/* Where nothing reaches its threshold, what is near enough matches softly. */
static void read_thresholds(const struct search *search, struct user *user) {
    const struct config_embedding_config *config =
        &search->proof->doc->global.model_catalog.embeddings.semantic.embedding_config;
    const double *threshold = rule_field(search->schema, user->rule, "threshold", FIELD_NUMBER);
    user->threshold = threshold ? *threshold : 0;
    user->least = config->enable_soft_matching ? fmin(config->min_score_threshold, user->threshold) : user->threshold;
}

static void find_uses(const struct search *search, struct user *user) {
    const struct prove_routes *routes = &search->proof->routes;
    user->mentions = ARENA_ARRAY(search->proof->arena, bool, routes->n + 1);
    user->wants = ARENA_ARRAY(search->proof->arena, bool, routes->n + 1);
    for (size_t i = 0; i < routes->n; i++) {
        const struct prove_route *route = &routes->items[i];
        for (uint32_t at = 0; at < route->n_nodes; at++) {
            const struct config_rule *rule = route->nodes[at].rule;
            if (!rule->type.len || rule->family != search->family || !str_eq(rule->name, user->name))
                continue;
            user->mentions[i] = true;
            user->wants[i] |= !prove_is_turned(route, (int32_t)at);
        }
    }
}

static void find_users(struct search *search) {
    struct proof *proof = search->proof;
    const struct config_list *rules = &proof->profile->routing->signals.rules[search->family];
    search->users = ARENA_ARRAY(proof->arena, struct user, rules->n + 1);
    for (size_t i = 0; i < rules->n; i++) {
        const void *rule = rule_at(rules, search->schema, i);
        const int *modality = rule_field(search->schema, rule, "query_modality", FIELD_ENUM);
        struct user *user = &search->users[search->n_users++];
        *user = (struct user){ .name = rule_text(search->schema, rule, "name"),
                               .rule = rule,
                               .modality = modality ? *modality : 0 };
        user->match = theory_slot(&proof->scope, search->family, user->name)->match;
        read_thresholds(search, user);
        find_uses(search, user);
    }
}

/* ---- pairs */

static bool is_member(const struct config_partition *partition, vsr_str name) {
    for (size_t i = 0; i < partition->members.n; i++)
        if (str_eq(partition->members.items[i], name))
            return true;
    return false;
}

static bool compete(const struct search *search, const struct user *a, const struct user *b) {
    CONFIG_EACH(const struct config_partition, partition, &search->proof->profile->routing->projections.partitions)
    if (partition->family == search->family && is_member(partition, a->name) && is_member(partition, b->name))
        return true;
    return false;
}

/* Both routes hold, each because of its own rule, and it matters which of them answers. */
static bool clash(const struct search *search, const struct user *users[2], const struct prove_route *routes[2]) {
    struct proof *proof = search->proof;
    const struct prove_route *all = proof->routes.items;
    int question[4];
    for (int i = 0; i < 2; i++) {
        size_t index = (size_t)(routes[i] - all);
        if (!users[i]->wants[index] || users[1 - i]->mentions[index])
            return false;
        question[i] = routes[i]->rail.is;
        question[2 + i] = users[i]->match;
    }
    return !prove_same_outcome(routes[0]->config, routes[1]->config) &&
           prove_ask_gently(proof, question, VSR_COUNT(question)) == SOLVER_POSSIBLE;
}

/* The first two routes that do, in the order of the document. */
static bool find_clash(const struct search *search, const struct user *users[2],
                       const struct prove_route *ret_routes[2]) {
    const struct prove_routes *routes = &search->proof->routes;
    for (size_t i = 0; i < routes->n; i++)
        for (size_t k = 0; k < routes->n && users[0]->wants[i]; k++) {
            ret_routes[0] = &routes->items[i];
            ret_routes[1] = &routes->items[k];
            if (i != k && clash(search, users, ret_routes))
                return true;
        }
    return false;
}

/* Near enough: one of the two examples itself reaches both thresholds. Else it takes a text between them. */
static void tell(struct search *search, const struct user *users[2], const struct prove_route *const *routes,
                 double similarity) {
    struct proof *proof = search->proof;
    const struct prove_route *both[] = { routes[0], routes[1] };
    bool near = similarity >= fmin(users[0]->threshold, users[1]->threshold);
    struct dsl_at at = prove_place_of(((const struct config_at *)users[1]->rule)->node);
    struct finding *finding;
    proof->findings->decl = at;
    finding = finding_add(proof->findings, near ? FINDING_WARNING : FINDING_HINT, "W410", at,
                          "embedding rules \"%.*s\" and \"%.*s\" %s match one text (their nearest examples are %.2f "
                          "alike), so routes \"%.*s\" and \"%.*s\" can hold together%s, and the %s decides between "
                          "their models; in a softmax partition the nearer rule would",
                          VSR_FMT(users[0]->name), VSR_FMT(users[1]->name), near ? "can" : "could", similarity,
                          VSR_FMT(routes[0]->config->name), VSR_FMT(routes[1]->config->name), proof->circumstance,
                          routes[0]->rank == routes[1]->rank ? "confidence" : "order of the routes");
    prove_set_witness(proof, finding, both, 2);
    search->n_told++;
}

static void look_at_pair(struct search *search, const struct user *a, const struct user *b) {
    const struct prove_meeting meeting = {
        search->proof->profile, str_from_c(family_name), a->name, b->name, a->least, b->least
    };
    const struct user *users[] = { a, b };
    const struct prove_route *routes[2];
    struct arena_mark mark;
    double similarity = 0;
    bool meet = false;
    if (a->modality != b->modality || compete(search, a, b))
        return;
    mark = arena_mark(search->proof->arena);
    if (find_clash(search, users, routes) &&
        search->examples->meet(search->examples->data, &meeting, &meet, &similarity) && meet)
        tell(search, users, routes, similarity);
    arena_rewind(search->proof->arena, mark);
}

static void look_at_pairs(struct search *search) {
    struct solver *solver = &search->proof->solver;
    for (size_t i = 1; i < search->n_users; i++)
        for (size_t k = 0; k < i; k++)
            if (search->n_told < PROVE_MEETINGS_MAX && !solver_is_over(solver))
                look_at_pair(search, &search->users[k], &search->users[i]);
}

/* ---- profiles */

static void look_at_profile(struct proof *proof, const struct prove_options *options,
                            const struct prove_examples *examples) {
    struct search search = { .proof = proof, .examples = examples, .family = family_of(&options->families) };
    const struct config_routing *routing = proof->profile->routing;
    if (search.family < 0 || routing->signals.rules[search.family].n < 2 || routing->decisions.n > PROVE_ROUTES_MAX)
        return;
    search.schema = options->families.items[search.family].schema;
    prove_begin(proof, options);
    find_users(&search);
    look_at_pairs(&search);
}

void dsl_prove_examples(struct arena *arena, const struct config_document *doc, const struct prove_options *options,
                        const struct prove_examples *examples, struct findings *findings) {
    vsr_str prefix = findings->prefix;
    struct dsl_at decl = findings->decl;
    for (size_t i = 0; i < doc->n_scopes; i++) {
        struct proof proof = { .arena = arena_new(0, 0), .doc = doc, .profile = &doc->scopes[i], .findings = findings };
        if (proof.profile->prefix.len)
            findings->prefix = arena_printf(arena, "recipe \"%.*s\": ", VSR_FMT(proof.profile->name));
        look_at_profile(&proof, options, examples);
        findings->prefix = prefix;
        arena_free(proof.arena);
    }
    findings->decl = decl;
}
