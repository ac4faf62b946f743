/*
 * prove_solver - questions about truth values, put to CaDiCaL.
 *
 * A literal is a number as the solver wants it: v or -v. Conditions become gates over literals, with constants folded;
 * a question is a list of assumptions, so that one formula serves all questions about a policy. What is asked is
 * bounded three times: conflicts per question, time and literals in all. Past a bound every answer is "undecided".
 * One thread; the solver ends with the arena.
 */
#ifndef VSR_DSL_PROVE_SOLVER_H
#define VSR_DSL_PROVE_SOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum {
    SOLVER_LITERALS_MAX = 1 << 24, /* in all clauses: about 200 MB of the library's memory */
    SOLVER_CONFLICTS = 20000,      /* of one question, when nobody says otherwise */
    SOLVER_ROUNDS_MAX = 5000,      /* examples of one question that may be refuted */
};

enum solver_answer { SOLVER_IMPOSSIBLE, SOLVER_POSSIBLE, SOLVER_UNDECIDED };

struct solver {
    struct arena *arena;
    void *cadical;
    int n_vars;
    int yes; /* the literal that is always true */
    size_t n_literals;
    uint64_t deadline_ns; /* in the thread's processor time; 0: none */
    int conflicts;
    bool (*stop)(void *data); /* optional: whether nobody wants answers any more; asked often */
    void *stop_data;
    bool too_large, too_late; /* what made answers undecided; being stopped is being late */
    bool gave_up;             /* some question took too many conflicts, or rounds */
    size_t n_questions;
    /*
     * Optional: looks at an example, and says clauses that rule it out when it cannot be for reasons that the formula
     * does not know yet. Whether it did.
     */
    bool (*refute)(void *data);
    void *refute_data;
};

/* `budget_ms`: of this thread's processor time, from now on; 0: no limit. */
void solver_init(struct solver *solver, struct arena *arena, int64_t budget_ms, int conflicts);

/* A new variable. */
int solver_var(struct solver *solver);

/* One of the literals holds. */
void solver_clause(struct solver *solver, const int *literals, size_t n);
#define SOLVER_CLAUSE(solver, ...) \
    solver_clause((solver), (const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))
/* At most one of them does. */
void solver_at_most_one(struct solver *solver, const int *literals, size_t n);

/* Literals that are equivalent to the conjunction and disjunction. */
int solver_and(struct solver *solver, const int *literals, size_t n);
int solver_or(struct solver *solver, const int *literals, size_t n);
int solver_and2(struct solver *solver, int a, int b);
int solver_or2(struct solver *solver, int a, int b);

/* Whether no question is answered any more. */
bool solver_is_over(struct solver *solver);
/* Whether everything said, and the assumptions, can be. */
enum solver_answer solver_ask(struct solver *solver, const int *assumptions, size_t n);
/* After POSSIBLE: whether the literal holds in the example found. */
bool solver_holds(const struct solver *solver, int literal);
/* After IMPOSSIBLE: whether the assumption was needed for that. */
bool solver_blamed(const struct solver *solver, int literal);

#endif
