#include "dsl/prove_solver.h"

#include <ccadical.h>
#include <time.h>

#include "core/arena.h"
#include "core/assert.h"

enum { PAIRWISE_MAX = 6 };               /* literals that exclude each other pair by pair; more get counters */
enum { POSSIBLE = 10, IMPOSSIBLE = 20 }; /* as the library answers */

static void release(void *cadical) {
    ccadical_release(cadical);
}

/* Of this thread: what others take of a busy machine does not count. */
static uint64_t processor_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int is_late(void *data) {
    const struct solver *solver = data;
    if (solver->deadline_ns && processor_ns() > solver->deadline_ns)
        return true;
    return solver->stop && solver->stop(solver->stop_data);
}

void solver_init(struct solver *solver, struct arena *arena, int64_t budget_ms, int conflicts) {
    *solver = (struct solver){ .arena = arena, .conflicts = conflicts > 0 ? conflicts : SOLVER_CONFLICTS };
    solver->cadical = ccadical_init();
    arena_on_free(arena, release, solver->cadical);
    ccadical_set_option(solver->cadical, "quiet", 1);
    ccadical_set_option(solver->cadical, "phase", 0); /* examples in which as little as possible happens */
    if (budget_ms > 0)
        solver->deadline_ns = processor_ns() + (uint64_t)budget_ms * 1000000;
    ccadical_set_terminate(solver->cadical, solver, is_late);
    solver->yes = solver_var(solver);
    SOLVER_CLAUSE(solver, solver->yes);
}

int solver_var(struct solver *solver) {
    return ++solver->n_vars;
}

void solver_clause(struct solver *solver, const int *literals, size_t n) {
    solver->n_literals += n;
    if (solver->n_literals > SOLVER_LITERALS_MAX) {
        solver->too_large = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        VSR_ASSERT(literals[i] != 0);
        ccadical_add(solver->cadical, literals[i]);
    }
    ccadical_add(solver->cadical, 0);
}

/* Counters: `before` says that one of the literals so far holds. */
void solver_at_most_one(struct solver *solver, const int *literals, size_t n) {
    int before = 0;
    if (n <= PAIRWISE_MAX) {
        for (size_t i = 0; i < n; i++)
            for (size_t k = i + 1; k < n; k++)
                SOLVER_CLAUSE(solver, -literals[i], -literals[k]);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        int now = solver_var(solver);
        SOLVER_CLAUSE(solver, -literals[i], now);
        if (before) {
            SOLVER_CLAUSE(solver, -before, now);
            SOLVER_CLAUSE(solver, -before, -literals[i]);
        }
        before = now;
    }
}

int solver_and(struct solver *solver, const int *literals, size_t n) {
    int *kept = ARENA_ARRAY(solver->arena, int, n + 1), gate;
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool seen = literals[i] == solver->yes;
        if (literals[i] == -solver->yes)
            return -solver->yes;
        for (size_t k = 0; k < n_kept && !seen && n <= PAIRWISE_MAX; k++) {
            if (kept[k] == -literals[i])
                return -solver->yes;
            seen = kept[k] == literals[i];
        }
        if (!seen)
            kept[n_kept++] = literals[i];
    }
    if (n_kept == 0)
        return solver->yes;
    if (n_kept == 1)
        return kept[0];
    gate = solver_var(solver);
    for (size_t i = 0; i < n_kept; i++) {
        SOLVER_CLAUSE(solver, -gate, kept[i]);
        kept[i] = -kept[i];
    }
    kept[n_kept] = gate;
    solver_clause(solver, kept, n_kept + 1);
    return gate;
}

int solver_or(struct solver *solver, const int *literals, size_t n) {
    int *negated = ARENA_ARRAY(solver->arena, int, n);
    for (size_t i = 0; i < n; i++)
        negated[i] = -literals[i];
    return -solver_and(solver, negated, n);
}

int solver_and2(struct solver *solver, int a, int b) {
    return solver_and(solver, (const int[]){ a, b }, 2);
}

int solver_or2(struct solver *solver, int a, int b) {
    return solver_or(solver, (const int[]){ a, b }, 2);
}

static int solve(struct solver *solver, const int *assumptions, size_t n) {
    for (size_t i = 0; i < n; i++)
        ccadical_assume(solver->cadical, assumptions[i]);
    ccadical_limit(solver->cadical, "conflicts", solver->conflicts);
    return ccadical_solve(solver->cadical);
}

bool solver_is_over(struct solver *solver) {
    solver->too_late = solver->too_late || is_late(solver);
    return solver->too_large || solver->too_late;
}

enum solver_answer solver_ask(struct solver *solver, const int *assumptions, size_t n) {
    solver->n_questions++;
    for (int round = 0; round < SOLVER_ROUNDS_MAX; round++) {
        int status;
        if (solver_is_over(solver))
            return SOLVER_UNDECIDED;
        status = solve(solver, assumptions, n);
        if (status == IMPOSSIBLE)
            return SOLVER_IMPOSSIBLE;
        if (status != POSSIBLE)
            break;
        if (!solver->refute || !solver->refute(solver->refute_data))
            return SOLVER_POSSIBLE;
    }
    solver->too_late = solver->too_late || is_late(solver);
    solver->gave_up |= !solver->too_late;
    return SOLVER_UNDECIDED;
}

bool solver_holds(const struct solver *solver, int literal) {
    int variable = literal < 0 ? -literal : literal;
    return (ccadical_val(solver->cadical, variable) > 0) == (literal > 0);
}

bool solver_blamed(const struct solver *solver, int literal) {
    return ccadical_failed(solver->cadical, literal) != 0;
}
