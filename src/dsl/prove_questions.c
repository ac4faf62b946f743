/* Questions about a profile, and the examples that answer them. */
#include <string.h>

#include "core/arena.h"
#include "dsl/prove_parts.h"

struct dsl_at prove_place_of(const struct yaml_node *node) {
    struct dsl_at at = { .line = 1, .col = 1 };
    if (!node)
        return at;
    at = (struct dsl_at){ node->start, node->end, node->line, node->col };
    if (at.line > YAML_SECOND_FILE)
        at.line -= YAML_SECOND_FILE;
    return at;
}

struct dsl_at prove_place_of_rule(const struct prove_route *route, const struct config_rule *rule) {
    return prove_place_of(rule->at.node ? rule->at.node : route->config->at.node);
}

static bool take_example(struct proof *proof) {
    uint8_t *states = proof->pool[proof->n_pool++ % proof->pool_max];
    prove_states(&proof->theory, states);
    proof->states = states;
    if (prove_states_agree(&proof->routes, states))
        return true;
    proof->disagreed = true;
    return false;
}

enum solver_answer prove_ask(struct proof *proof, const int *assumptions, size_t n) {
    enum solver_answer answer = solver_ask(&proof->solver, assumptions, n);
    if (answer == SOLVER_POSSIBLE && !take_example(proof))
        return SOLVER_UNDECIDED;
    return answer;
}

enum solver_answer prove_ask_gently(struct proof *proof, const int *assumptions, size_t n) {
    struct prove_circumstance circumstances[PROVE_CIRCUMSTANCES];
    int *all = ARENA_ARRAY(proof->arena, int, n + 1);
    enum solver_answer answer = SOLVER_IMPOSSIBLE;
    prove_circumstances(&proof->theory, circumstances);
    memcpy(all, assumptions, n * sizeof(*all));
    for (size_t i = 0; i < (proof->ordinary ? 1 : PROVE_CIRCUMSTANCES) && answer == SOLVER_IMPOSSIBLE; i++) {
        all[n] = circumstances[i].literal;
        proof->circumstance = circumstances[i].text;
        answer = prove_ask(proof, all, n + 1);
    }
    return answer;
}

void prove_set_witness(struct proof *proof, struct finding *finding, const struct prove_route *const *routes,
                       size_t n) {
    if (finding)
        finding->witness = prove_witness(proof->findings->arena, &proof->theory, routes, n, proof->states);
}
