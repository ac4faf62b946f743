/* The option parser: what a command line means, and what is said about a wrong one. */
#include "test.h"

#include "cli/options.h"
#include "core/buf.h"

enum { ARGS_MAX = 16 };

#define ENV_NAME "VSR_TEST_OPTION"

static const char *const colours[] = { "red", "green", "blue", NULL };

static const struct option_spec specs[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "a file" },
    { "colour", 0, OPTION_TEXT, 0, "NAME", "a word", "red", NULL, colours },
    { "workers", 'w', OPTION_NUMBER, 0, "N", "a number", "4", ENV_NAME, .least = 1, .greatest = 256 },
    { "rate", 0, OPTION_DECIMAL, 0, "X", "a decimal", "0.5", .least = 0, .greatest = 100 },
    { "listen", 'l', OPTION_TEXT, OPTION_REPEATABLE, "ADDR", "a list", "here" },
    { "time", 't', OPTION_NUMBER, OPTION_MAYBE, "N", "perhaps a number", .least = 1, .greatest = 1000 },
    { "json", 'j', OPTION_FLAG, 0, NULL, "a flag" },
    { "quiet", 'q', OPTION_FLAG, 0, NULL, "another" },
    { "big", 0, OPTION_NUMBER, 0, "N", "the largest number", .least = 0, .greatest = UINT64_MAX },
};

/* Splits at blanks (`''` is an empty argument) into writable memory, as main() gets it. */
static int split(const char *line, char *memory, size_t len, char **argv) {
    int argc = 0;
    snprintf(memory, len, "%s", line);
    for (char *at = memory; *at;) {
        char *blank = strchr(at, ' ');
        if (blank)
            *blank = 0;
        argv[argc++] = strcmp(at, "''") == 0 ? at + 2 : at;
        if (!blank)
            break;
        at = blank + 1;
    }
    argv[argc] = NULL;
    return argc;
}

/* What was understood, in one line: `c=FILE w=N ... | operands`. */
static void show(const struct options *options, struct buf *out) {
    if (options_text(options, "config"))
        buf_printf(out, "c=%s ", options_text(options, "config"));
    if (options_has(options, "colour"))
        buf_printf(out, "colour=%s ", options_text(options, "colour"));
    if (options_has(options, "workers"))
        buf_printf(out, "w=%llu ", (unsigned long long)options_number(options, "workers"));
    if (options_has(options, "rate"))
        buf_printf(out, "rate=%.2f ", options_decimal(options, "rate"));
    for (size_t i = 0; i < options_count(options, "listen") && options_has(options, "listen"); i++)
        buf_printf(out, "l=%s ", options_nth(options, "listen", i));
    if (options_has(options, "time"))
        buf_printf(out, "t=%llu ", (unsigned long long)options_number(options, "time"));
    if (options_has(options, "json"))
        buf_append_c(out, "j ");
    if (options_has(options, "quiet"))
        buf_append_c(out, "q ");
    if (options_has(options, "big"))
        buf_printf(out, "big=%llu ", (unsigned long long)options_number(options, "big"));
    buf_append_char(out, '|');
    for (size_t i = 0; i < options->n_operands; i++)
        buf_printf(out, " [%s]", options->operands[i]);
}

static const struct {
    const char *line, *want;
} good[] = {
    { "", "|" },
    { "one two", "| [one] [two]" },
    { "--config a.yaml", "c=a.yaml |" },
    { "--config=a.yaml", "c=a.yaml |" },
    { "--config=a=b", "c=a=b |" },
    { "--config=", "c= |" },
    { "-c a.yaml", "c=a.yaml |" },
    { "-ca.yaml", "c=a.yaml |" },
    { "-c=a.yaml", "c=a.yaml |" },
    { "--config -", "c=- |" },
    { "--config --json", "c=--json |" },
    { "-c a -c b", "c=b |" },
    { "one --json two -q three", "j q | [one] [two] [three]" },
    { "-jq", "j q |" },
    { "-qc x", "c=x q |" },
    { "-qcx", "c=x q |" },
    { "-qjw8", "w=8 j q |" },
    { "--json -- --quiet -q", "j | [--quiet] [-q]" },
    { "-- --", "| [--]" },
    { "-", "| [-]" },
    { "'' --json", "j | []" },
    { "--workers 1", "w=1 |" },
    { "--workers 256", "w=256 |" },
    { "--workers=007", "w=7 |" },
    { "--rate 0", "rate=0.00 |" },
    { "--rate 99.5", "rate=99.50 |" },
    { "--rate 1e2", "rate=100.00 |" },
    { "--colour blue", "colour=blue |" },
    { "-l a -l b --listen=c", "l=a l=b l=c |" },
    { "--time", "t=0 |" },
    { "--time=7", "t=7 |" },
    { "--time 7", "t=0 | [7]" },
    { "-t x", "t=0 | [x]" },
    { "--big 18446744073709551615", "big=18446744073709551615 |" },
};

TEST(understands) {
    for (size_t i = 0; i < VSR_COUNT(good); i++) {
        char memory[256], *argv[ARGS_MAX + 1];
        int argc = split(good[i].line, memory, sizeof(memory), argv);
        struct options options;
        struct vsr_err err = VSR_ERR_NONE;
        struct buf out;
        int rc = options_parse(specs, VSR_COUNT(specs), argc, argv, &options, &err);
        CHECK_MSG(rc == 0, "case \"%s\": %s", good[i].line, err.text);
        buf_init(&out, 4096);
        show(&options, &out);
        CHECK_STR(buf_str(&out), good[i].want, good[i].line);
        buf_done(&out);
    }
}

static const struct {
    const char *line, *want;
} bad[] = {
    { "--jsn", "unknown option \"--jsn\"; did you mean \"--json\"?" },
    { "--Json", "unknown option \"--Json\"; did you mean \"--json\"?" },
    { "--conf=x", "unknown option \"--conf\"; did you mean \"--config\"?" },
    { "--xyz", "unknown option \"--xyz\"" },
    { "--=x", "unknown option \"--\"" },
    { "-x", "unknown option \"-x\"" },
    { "-jx", "unknown option \"-x\"" },
    { "--config", "--config needs a value: FILE" },
    { "-c", "-c needs a value: FILE" },
    { "-jc", "-c needs a value: FILE" },
    { "--json=1", "--json takes no value" },
    { "--workers 0", "--workers must be a whole number from 1 to 256, not \"0\"" },
    { "--workers 257", "--workers must be a whole number from 1 to 256, not \"257\"" },
    { "--workers -1", "--workers must be a whole number from 1 to 256, not \"-1\"" },
    { "--workers 1x", "--workers must be a whole number from 1 to 256, not \"1x\"" },
    { "--workers=", "--workers must be a whole number from 1 to 256, not \"\"" },
    { "-w 0x10", "-w must be a whole number from 1 to 256, not \"0x10\"" },
    { "--big 18446744073709551616",
      "--big must be a whole number from 0 to 18446744073709551615, not \"18446744073709551616\"" },
    { "--rate 100.1", "--rate must be a number from 0 to 100, not \"100.1\"" },
    { "--rate -1", "--rate must be a number from 0 to 100, not \"-1\"" },
    { "--rate nan", "--rate must be a number from 0 to 100, not \"nan\"" },
    { "--rate 0x1", "--rate must be a number from 0 to 100, not \"0x1\"" },
    { "--rate 1e999", "--rate must be a number from 0 to 100, not \"1e999\"" },
    { "--rate=", "--rate must be a number from 0 to 100, not \"\"" },
    { "--rate .", "--rate must be a number from 0 to 100, not \".\"" },
    { "--colour pink", "--colour must be red, green or blue, not \"pink\"" },
    { "--time=0", "--time must be a whole number from 1 to 1000, not \"0\"" },
};

TEST(complains) {
    for (size_t i = 0; i < VSR_COUNT(bad); i++) {
        char memory[256], *argv[ARGS_MAX + 1];
        int argc = split(bad[i].line, memory, sizeof(memory), argv);
        struct options options;
        struct vsr_err err = VSR_ERR_NONE;
        int rc = options_parse(specs, VSR_COUNT(specs), argc, argv, &options, &err);
        CHECK_INT(rc, VSR_E_INVALID, bad[i].line);
        CHECK_STR(str_from_c(err.text), bad[i].want, bad[i].line);
    }
}

TEST(stands_in) {
    static const struct {
        const char *name, *line, *env;
        int rc;
        uint64_t want;
    } cases[] = {
        { "default", "", NULL, 0, 4 },
        { "environment over default", "", "9", 0, 9 },
        { "command line over environment", "-w 3", "9", 0, 3 },
        { "empty variable", "", "", 0, 4 },
        { "bad variable", "", "many", VSR_E_INVALID, 0 },
        { "bad variable that nobody asks", "-w 3", "many", 0, 3 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        char memory[64], *argv[ARGS_MAX + 1];
        int argc = split(cases[i].line, memory, sizeof(memory), argv), rc;
        struct options options;
        struct vsr_err err = VSR_ERR_NONE;
        if (cases[i].env)
            setenv(ENV_NAME, cases[i].env, 1);
        else
            unsetenv(ENV_NAME);
        rc = options_parse(specs, VSR_COUNT(specs), argc, argv, &options, &err);
        CHECK_INT(rc, cases[i].rc, cases[i].name);
        if (rc < 0) {
            CHECK_STR(str_from_c(err.text), ENV_NAME " must be a whole number from 1 to 256, not \"many\"",
                      cases[i].name);
            continue;
        }
        CHECK_INT(options_number(&options, "workers"), cases[i].want, cases[i].name);
        CHECK(!options_has(&options, "workers") == (argc == 0), cases[i].name);
    }
    unsetenv(ENV_NAME);
}

TEST(defaults) {
    char *argv[] = { NULL };
    struct options options;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_INT(options_parse(specs, VSR_COUNT(specs), 0, argv, &options, &err), 0, "empty");
    CHECK(options_text(&options, "config") == NULL, "no default");
    CHECK_STR(str_from_c(options_text(&options, "colour")), "red", "default");
    CHECK(options_decimal(&options, "rate") == 0.5, "default");
    CHECK_INT(options_count(&options, "listen"), 1, "default of a repeatable option");
    CHECK_STR(str_from_c(options_nth(&options, "listen", 0)), "here", "default of a repeatable option");
    CHECK(options_nth(&options, "listen", 1) == NULL, "past the end");
    CHECK_INT(options_count(&options, "config"), 0, "no value");
    CHECK_INT(options_number(&options, "time"), 0, "no value");
}

/* As many as fit, and one more. */
TEST(limit) {
    static char flag[] = "-j", *argv[OPTIONS_GIVEN_MAX + 2];
    struct options options;
    struct vsr_err err = VSR_ERR_NONE;
    for (size_t i = 0; i < VSR_COUNT(argv) - 1; i++)
        argv[i] = flag;
    CHECK_INT(options_parse(specs, VSR_COUNT(specs), OPTIONS_GIVEN_MAX, argv, &options, &err), 0, "at the limit");
    CHECK_INT(options_parse(specs, VSR_COUNT(specs), OPTIONS_GIVEN_MAX + 1, argv, &options, &err), VSR_E_LIMIT,
              "one past it");
}

RUN_TESTS(T(understands), T(complains), T(stands_in), T(defaults), T(limit))
