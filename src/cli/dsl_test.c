/*
 * dsl_test - `vsr dsl test`: runs the TEST blocks of a program, those of recipes too.
 *
 *   E601  the query could not be evaluated
 *   E602  no route takes it
 *   E603  another route takes it
 *   E604  a signal that the test names did not match
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/dsl_examples.h"
#include "cli/dsl_source.h"
#include "cli/dsl_test_report.h"
#include "cli/dsl_verdict.h"
#include "cli/model_row.h"
#include "cli/profile_models.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"

enum { MESSAGE_LEN_MAX = 4096 };

struct run {
    const struct cli *cli;
    struct dsl_source *source; /* findings are added to its own */
    struct test_asker asker;
    struct test_outcome *outcomes;
    size_t n, cap, n_passed;
};

bool test_can_run(const struct dsl_source *source) {
    const size_t *n = source->findings.n_of;
    return n[FINDING_ERROR] + n[FINDING_CONSTRAINT] == 0;
}

/* ---- which tests there are */

static void collect(struct run *run, const struct dsl_program *program, vsr_str recipe) {
    struct arena *arena = run->source->arena;
    for (size_t i = 0; i < program->n; i++) {
        const struct dsl_decl *decl = &program->decls[i];
        if (decl->kind == DSL_RECIPE)
            collect(run, decl->recipe, decl->name.text);
        for (size_t k = 0; decl->kind == DSL_TEST && k < decl->n_cases; k++) {
            run->outcomes = arena_grow(arena, run->outcomes, sizeof(struct test_outcome), run->n, &run->cap);
            run->outcomes[run->n++] = (struct test_outcome){ .decl = decl, .test = &decl->cases[k], .recipe = recipe };
        }
    }
}

/* ---- judging */

struct judging {
    struct run *run;
    struct test_outcome *outcome;
};

static void fail(struct judging *j, const char *code, struct dsl_at at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void fail(struct judging *j, const char *code, struct dsl_at at, const char *format, ...) {
    char text[MESSAGE_LEN_MAX];
    const struct test_outcome *o = j->outcome;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (!j->outcome->code)
        j->outcome->code = code;
    j->run->source->findings.decl = o->decl->at;
    (void)finding_add(&j->run->source->findings, FINDING_ERROR, code, at, "%s%.*s%sTEST %.*s: %s",
                      o->recipe.len ? "recipe \"" : "", VSR_FMT(o->recipe), o->recipe.len ? "\": " : "",
                      VSR_FMT(o->decl->name.text), text);
}

static bool expect_signal(void *data, vsr_str type, vsr_str name) {
    struct judging *j = data;
    const struct test_answer *answer = &j->outcome->answer;
    vsr_str want = arena_printf(j->run->source->arena, "%.*s:%.*s", VSR_FMT(type), VSR_FMT(name));
    for (size_t i = 0; i < answer->n_matched; i++)
        if (str_eq(answer->matched[i], want))
            return true;
    fail(j, "E604", j->outcome->test->facts.at, "%.*s(\"%.*s\") did not match \"%.*s\"", VSR_FMT(type), VSR_FMT(name),
         VSR_FMT(j->outcome->test->query.text));
    return true;
}

static void judge(struct judging *j) {
    const struct dsl_test_case *test = j->outcome->test;
    const struct test_answer *answer = &j->outcome->answer;
    const char *unavailable = answer->missing.len ? "; not available: " : "";
    if (answer->decision.len == 0)
        fail(j, "E602", test->query.at, "no route takes \"%.*s\", expected \"%.*s\"%s%.*s", VSR_FMT(test->query.text),
             VSR_FMT(test->route.text), unavailable, VSR_FMT(answer->missing));
    else if (!str_eq(answer->decision, test->route.text))
        fail(j, "E603", test->query.at, "\"%.*s\" goes to \"%.*s\" (confidence %.3f%s%.*s), expected \"%.*s\"%s%.*s",
             VSR_FMT(test->query.text), VSR_FMT(answer->decision), answer->confidence,
             answer->because.len ? ", because of " : "", VSR_FMT(answer->because), VSR_FMT(test->route.text),
             unavailable, VSR_FMT(answer->missing));
    if (!test_facts(test, expect_signal, j))
        fail(j, "E601", test->facts.at, "what is expected of signals are their names, by their type");
}

static void ask(struct run *run, struct test_outcome *outcome) {
    struct judging j = { run, outcome };
    struct vsr_err err = VSR_ERR_NONE;
    uint64_t begin_ns = clock_mono_ns();
    outcome->first = run->source->findings.n;
    outcome->unasked =
        test_ask(&run->asker, run->source->arena, outcome->recipe, outcome->test, &outcome->answer, &err) < 0;
    outcome->time_us = (clock_mono_ns() - begin_ns) / 1000;
    if (outcome->unasked)
        fail(&j, "E601", outcome->test->query.at, "\"%.*s\" could not be evaluated: %s",
             VSR_FMT(outcome->test->query.text), err.text);
    else
        judge(&j);
    outcome->n = run->source->findings.n - outcome->first;
    run->n_passed += outcome->code == NULL;
}

/* ---- printing */

static struct test_report report_of(const struct run *run) {
    return (struct test_report){ .name = run->source->name,
                                 .text = run->source->text,
                                 .findings = &run->source->findings,
                                 .outcomes = run->outcomes,
                                 .n = run->n,
                                 .n_passed = run->n_passed };
}

static int write_junit(const struct run *run, const char *file) {
    const struct test_report report = report_of(run);
    struct buf out;
    int code;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    test_report_junit(&report, &out);
    code = dsl_source_write(run->cli, file, &out, dsl_source_new_mode());
    buf_done(&out);
    return code;
}

static int print(const struct run *run) {
    const struct test_report report = report_of(run);
    struct buf out;
    int code;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    if (options_has(run->cli->options, "tap")) {
        test_report_tap(&report, &out);
    } else if (options_has(run->cli->options, "json")) {
        test_report_json(&report, &out);
    } else {
        dsl_source_print(run->cli, run->source, false, &out);
        buf_printf(&out, "%zu test%s: %zu passed, %zu failed\n", run->n, run->n == 1 ? "" : "s", run->n_passed,
                   run->n - run->n_passed);
    }
    code = dsl_source_write(run->cli, NULL, &out, 0);
    buf_done(&out);
    return code;
}

static int print_result(const struct run *run) {
    const char *junit = options_text(run->cli->options, "junit");
    int code = junit ? write_junit(run, junit) : CLI_OK;
    if (code == CLI_OK && !(junit && strcmp(junit, "-") == 0))
        code = print(run);
    return code == CLI_OK && run->n_passed < run->n ? CLI_FAILURE : code;
}

/* ---- the command */

/*
 * Asks every test of a program that was examined; `needed`: the asker, also when there is none. Complains; returns an
 * exit code, which does not count failed tests.
 */
static int run_all(struct run *run, const char *file, bool needed) {
    int code = CLI_OK;
    run->asker.program = &run->source->parsed.program;
    collect(run, &run->source->parsed.program, VSR_STR(""));
    if (run->n > 0 || needed)
        code = test_asker_open(&run->asker, file);
    for (size_t i = 0; code == CLI_OK && i < run->n; i++)
        ask(run, &run->outcomes[i]);
    return code;
}

int test_check(const struct cli *cli, struct dsl_source *source) {
    struct run run = { .cli = cli, .source = source, .asker = { .cli = cli, .runner = TEST_NATIVE } };
    bool has_examples = examples_are_there(&source->parsed.program) && !options_has(cli->options, "no-models");
    int code = run_all(&run, source->file, has_examples);
    if (code == CLI_OK && has_examples)
        examples_look(&run.asker.profile, 0, source->yaml.ptr ? &source->of_yaml : &source->findings);
    test_asker_done(&run.asker);
    return code;
}

/* A program that is wrong is not run. What is only doubtful has been said by `vsr dsl check`. */
static int run_tests(struct run *run, const char *file) {
    struct dsl_source *source = run->source;
    int code = dsl_source_open_program(run->cli, file, source);
    if (code != CLI_OK)
        return code;
    dsl_source_examine(source);
    if (!test_can_run(source))
        return dsl_refuse(run->cli, source);
    findings_init(&source->findings, source->arena);
    code = run_all(run, file, false);
    return code == CLI_OK ? print_result(run) : code;
}

static int test_run(const struct cli *cli, int argc, char **argv) {
    struct dsl_source source;
    struct run run = { .cli = cli, .source = &source, .asker = { .cli = cli } };
    const char *runner = options_text(cli->options, "runner"), *token = options_text(cli->options, "token");
    const char *junit = options_text(cli->options, "junit");
    int code;
    (void)argc; /* exactly one, by the table */
    run.asker.runner = strcmp(runner, "native") == 0  ? TEST_NATIVE
                       : strcmp(runner, "facts") == 0 ? TEST_FACTS
                                                      : TEST_ROUTER;
    run.asker.url = str_from_c(runner);
    run.asker.token = str_from_c(token ? token : "");
    if (run.asker.runner == TEST_ROUTER && !strstr(runner, "://"))
        return cli_usage(cli, "--runner: expected native, facts or the URL of a router, found \"%s\"", runner);
    if (junit && strcmp(junit, "-") == 0 && (options_has(cli->options, "tap") || options_has(cli->options, "json")))
        return cli_usage(cli, "--junit - is printed, and so are --tap and --json: give --junit a file");
    if (run.asker.runner != TEST_ROUTER && strcmp(argv[0], "-") == 0)
        return cli_usage(cli, "a program is run with what stands beside it: name its file");
    code = run_tests(&run, argv[0]);
    test_asker_done(&run.asker);
    dsl_source_done(&source);
    return code;
}

static const struct option_spec test_options[] = {
    { "runner", 'r', OPTION_TEXT, 0, "RUNNER",
      "native: this process; facts: signals are as the tests say; or the URL of a router's management API", "native" },
    { "token", 0, OPTION_TEXT, 0, "TOKEN", "of that router's management API; the variable hides it from other users",
      .env = "VSR_MANAGEMENT_TOKEN" },
    PROFILE_OPTION_BASE,
    PROFILE_OPTIONS_MODELS,
    { "junit", 0, OPTION_TEXT, OPTION_FILE, "FILE", "write JUnit XML; `-`: print it, instead of the findings" },
    { "tap", 0, OPTION_FLAG, 0, NULL, "print TAP, for test dashboards" },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_dsl_test_spec = {
    .name = "test",
    .summary = "run the TEST blocks of a program",
    .usage = "vsr dsl test [OPTION]... FILE",
    .details =
        "Each line of a TEST is one request of a user with a query, and passes when it goes to the route that it\n"
        "names, and every signal in the braces behind it matched. Tests inside a RECIPE ask that recipe. With\n"
        "--runner facts no query is evaluated: the signals in the braces are all that matched. Exits with 1 when a\n"
        "test fails.\n",
    .examples = "vsr dsl test policy.dsl\n"
                "vsr dsl test --runner facts --tap policy.dsl\n"
                "vsr dsl test --junit junit.xml policy.dsl\n"
                "vsr dsl test --runner http://127.0.0.1:8080 policy.dsl\n",
    .operands = OPERANDS_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .options = test_options,
    .n_options = VSR_COUNT(test_options),
    .run = test_run,
};
