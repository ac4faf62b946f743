/*
 * dsl_test_run - what becomes of the query of a TEST, asked of one of three: the engine in this process, a running
 * router, or nobody, with the facts that the test itself gives.
 *
 * One thread; blocks.
 */
#ifndef VSR_CLI_DSL_TEST_RUN_H
#define VSR_CLI_DSL_TEST_RUN_H

#include "cli/config_source.h"
#include "cli/profile.h"
#include "dsl/tree.h"

struct arena;
struct cli;

enum test_runner { TEST_NATIVE, TEST_FACTS, TEST_ROUTER };

struct test_asker {
    const struct cli *cli;
    enum test_runner runner;
    struct profile profile;            /* NATIVE */
    struct config_source source;       /* FACTS */
    vsr_str url, token;                /* ROUTER */
    const struct dsl_program *program; /* ROUTER: its entrypoints lead to recipes */
};

struct test_answer {
    vsr_str decision; /* empty: none */
    double confidence;
    vsr_str because;        /* "keyword:urgent, domain:law" */
    const vsr_str *matched; /* "keyword:urgent" */
    size_t n_matched;
    vsr_str missing; /* families whose signals were not available, for people; empty: none */
};

/* Loads what the runner needs of `file`. Complains; returns an exit code. Call test_asker_done() in any case. */
int test_asker_open(struct test_asker *asker, const char *file);
void test_asker_done(struct test_asker *asker);

/*
 * `recipe`: whose TEST it is; empty: that of the program itself. The answer lives in `arena`. Fails with whatever kept
 * the query from being evaluated.
 */
int test_ask(struct test_asker *asker, struct arena *arena, vsr_str recipe, const struct dsl_test_case *test,
             struct test_answer *ret_answer, struct vsr_err *err) VSR_MUST_CHECK;

struct dsl_source;

/* Whether a program that was examined is sound enough to be run. */
bool test_can_run(const struct dsl_source *source);
/*
 * Runs all TEST blocks of a program that was examined in this process, looks at the examples of its signals, and adds
 * what fails to its findings (E601 to E604, W410, W413). Complains about what keeps it from running; returns an exit
 * code, which does not count failed tests.
 */
int test_check(const struct cli *cli, struct dsl_source *source);

/* Calls fn for each signal that the braces behind a case name. False when what stands there is no text. */
bool test_facts(const struct dsl_test_case *test, bool (*fn)(void *data, vsr_str type, vsr_str name), void *data);

#endif
