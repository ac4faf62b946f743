/*
 * probe_command - `vsr probe`: runs a profile's test suite, in this process or against a router.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/http_call.h"
#include "cli/model_row.h"
#include "cli/profile.h"
#include "cli/profile_models.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "probe/report.h"
#include "serve/snapshot.h"

enum { REPORT_LEN_MAX = 256 << 20 };

struct probe_command {
    const struct cli *cli;
    struct arena *arena;
    const char *directory; /* that was named in place of the suite; NULL: none was */
    const char *suite_file, *config_file;
    const struct probe_suite *suite;
    struct profile profile;
    struct probe_options options;
    struct probe_local local;
    vsr_str router;
};

/* ---- files */

static bool is_directory(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A directory stands for the suite in it, a suite for the configuration beside it. */
static void find_files(struct probe_command *c, const char *operand) {
    const char *config = options_text(c->cli->options, "config"), *slash;
    size_t len = strlen(operand);
    while (len > 1 && operand[len - 1] == '/')
        len--;
    if (is_directory(operand))
        c->directory = operand;
    c->suite_file = c->directory ? arena_printf(c->arena, "%.*s/probes.yaml%c", (int)len, operand, 0).ptr : operand;
    slash = strrchr(c->suite_file, '/');
    c->config_file =
        config  ? config
        : slash ? arena_printf(c->arena, "%.*s/config.yaml%c", (int)(slash - c->suite_file), c->suite_file, 0).ptr
                : "config.yaml";
}

/* A directory of a profile has the name of its suite. */
static int check_name(struct probe_command *c, struct diag *diag) {
    char path[PATH_MAX];
    const char *name;
    if (!c->directory || !realpath(c->directory, path))
        return 0;
    name = strrchr(path, '/') + 1;
    if (str_eq_c(c->suite->name, name))
        return 0;
    diag_error(diag, "E_CONFLICT", schema_field_at(&probe_suite_schema, c->suite, "name", c->arena), VSR_STR(""),
               "found \"%.*s\", expected \"%s\" as its directory is called", VSR_FMT(c->suite->name), name);
    return VSR_E_INVALID;
}

static int read_suite(struct probe_command *c, struct diag *diag, struct vsr_err *err) {
    FILE *file = fopen(c->suite_file, "rbe");
    struct buf text;
    int rc = 0;
    if (!file)
        return err_set(err, VSR_E_IO, "cannot read \"%s\": %s", c->suite_file, strerror(errno));
    buf_init(&text, YAML_BYTES_MAX + 1);
    while (rc == 0 && !feof(file) && !ferror(file) && text.len <= YAML_BYTES_MAX) {
        rc = buf_reserve(&text, 1);
        if (rc == 0)
            text.len += fread(text.ptr + text.len, 1, text.cap - text.len, file);
    }
    if (ferror(file))
        rc = err_set(err, VSR_E_IO, "cannot read \"%s\": %s", c->suite_file, strerror(errno));
    else if (rc < 0 || text.len > YAML_BYTES_MAX)
        rc = err_set(err, VSR_E_LIMIT, "\"%s\" is larger than %d bytes", c->suite_file, YAML_BYTES_MAX);
    (void)fclose(file); /* it was only read */
    if (rc == 0)
        rc = probe_suite_parse(c->arena, buf_str(&text), str_from_c(c->suite_file), &c->suite, diag);
    if (rc == 0)
        rc = check_name(c, diag);
    buf_done(&text);
    return rc;
}

static int write_file(const struct cli *cli, const char *path, const struct buf *text) {
    FILE *file;
    bool ok;
    if (buf_failed(text))
        return cli_fail(cli, "\"%s\" would be larger than %zu bytes", path, text->max);
    file = fopen(path, "wbe");
    ok = file && fwrite(text->ptr, 1, text->len, file) == text->len;
    if (file && fclose(file) != 0)
        ok = false;
    return ok ? CLI_OK : cli_fail(cli, "cannot write \"%s\": %s", path, strerror(errno));
}

/* ---- a router elsewhere */

static int ask_router(void *data, size_t worker, struct arena *arena, vsr_str body,
                      const struct probe_decision *decision, struct probe_answer *ret_answer, struct vsr_err *err) {
    const struct probe_command *c = data;
    uint64_t begin_ns = clock_mono_ns();
    struct http_call call = {
        .url = c->router,
        .method = VSR_STR("POST"),
        .path = VSR_STR("/api/v1/eval?trace=true"),
        .body = body,
        .timeout_ms = (uint64_t)c->suite->evaluation.request_timeout_seconds * 1000,
        .token = str_from_c(options_text(c->cli->options, "token")),
    };
    struct http_answer answer;
    int rc = http_call(arena, &call, &answer, err);
    (void)worker;
    (void)decision;
    if (rc < 0)
        return rc;
    if (answer.status != 200)
        return err_set(err, VSR_E_UNAVAILABLE, "the router answers %d: %.200s", answer.status,
                       arena_printf(arena, "%.*s%c", VSR_FMT(answer.body), 0).ptr);
    ret_answer->document = answer.body;
    ret_answer->time_ns = clock_mono_ns() - begin_ns;
    return 0;
}

/* ---- running */

static void progress(void *data, size_t done, size_t total) {
    (void)data;
    term_progress("probes", done, total);
}

static void json_lines(const struct probe_summary *summary, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    probe_report_json(summary, &w);
    (void)buf_append_char(out, '\n'); /* whoever writes the buffer asks whether it failed */
}

static int write_files(struct probe_command *c, const struct probe_summary *summary) {
    const char *junit = options_text(c->cli->options, "junit"), *report = options_text(c->cli->options, "report");
    struct buf out;
    int code = CLI_OK;
    buf_init(&out, REPORT_LEN_MAX);
    if (junit) {
        probe_report_junit(summary, &out);
        code = write_file(c->cli, junit, &out);
        buf_reset(&out);
    }
    if (report && code == CLI_OK) {
        json_lines(summary, &out);
        code = write_file(c->cli, report, &out);
    }
    buf_done(&out);
    return code;
}

static int print(struct probe_command *c, const struct probe_summary *summary) {
    struct buf out;
    int code = write_files(c, summary);
    if (code != CLI_OK)
        return code;
    buf_init(&out, REPORT_LEN_MAX);
    if (options_has(c->cli->options, "json"))
        json_lines(summary, &out);
    else
        probe_report_text(summary, c->cli->colour, &out);
    code = cli_finish(c->cli, &out, summary->n_complaints == 0 ? CLI_OK : CLI_FAILURE);
    buf_done(&out);
    return code;
}

static int run(struct probe_command *c) {
    struct probe_outcomes outcomes;
    struct probe_summary summary;
    struct vsr_err err = VSR_ERR_NONE;
    int code;
    if (probe_run(&c->options, &outcomes, &err) < 0) {
        code = cli_fail_err(c->cli, &err);
    } else {
        probe_summarize(&c->options, &outcomes, c->arena, &summary);
        code = print(c, &summary);
    }
    probe_outcomes_free(&outcomes);
    return code;
}

static struct evidence_lane *lane_of(void *data, size_t worker) {
    return profile_models_lane(data, worker);
}

static void set_options(struct probe_command *c, size_t jobs) {
    size_t n = options_count(c->cli->options, "probe-id");
    vsr_str *ids = ARENA_ARRAY(c->arena, vsr_str, n);
    const char *router = options_text(c->cli->options, "router");
    for (size_t i = 0; i < n; i++)
        ids[i] = str_from_c(options_nth(c->cli->options, "probe-id", i));
    c->router = str_from_c(router ? router : "");
    c->local = (struct probe_local){ c->profile.snapshot, lane_of, c->profile.models };
    c->options = (struct probe_options){
        .suite = c->suite,
        .snapshot = c->profile.snapshot,
        .ids = ids,
        .n_ids = n,
        .jobs = jobs,
        .by_independence = options_has(c->cli->options, "independent"),
        .asker = router ? (struct probe_asker){ ask_router, c } : probe_local(&c->local),
        .progress = progress,
    };
}

/* Whoever asks a router elsewhere needs names only. */
static int load_profile(struct probe_command *c, const char *base, size_t jobs) {
    bool asks = !options_has(c->cli->options, "no-models") && !options_text(c->cli->options, "router");
    const struct profile_options options = { .file = c->config_file,
                                             .base = base,
                                             .n_threads = jobs,
                                             .models_dir = asks ? options_text(c->cli->options, "models-dir") : NULL };
    return profile_load_with(&options, &c->profile);
}

static int run_suite(struct probe_command *c) {
    struct diag diag = { .arena = c->arena };
    struct vsr_err err = VSR_ERR_NONE;
    size_t jobs = options_number(c->cli->options, "jobs");
    const char *base;
    int code = profile_base(c->cli, c->config_file, &base);
    if (code != CLI_OK)
        return code;
    if (read_suite(c, &diag, &err) < 0) {
        if (err.code == VSR_E_IO)
            return cli_usage(c->cli, "%s", err.text);
        if (err.code < 0)
            return cli_fail_err(c->cli, &err);
        cli_print_diag(c->cli, &diag);
        return CLI_FAILURE;
    }
    VSR_ASSERT(c->suite != NULL);
    if (jobs == 0)
        jobs = (size_t)c->suite->evaluation.concurrency;
    if (load_profile(c, base, jobs) < 0) {
        code = profile_complain(c->cli, &c->profile);
    } else {
        if (c->profile.models)
            profile_models_load(c->profile.models, c->cli, c->profile.snapshot);
        set_options(c, jobs);
        code = run(c);
    }
    profile_done(&c->profile);
    return code;
}

static int probe_run_command(const struct cli *cli, int argc, char **argv) {
    struct probe_command c = { .cli = cli, .arena = arena_new(0, 0) };
    int code;
    (void)argc; /* exactly one, by the table */
    if (options_has(cli->options, "independent") && options_has(cli->options, "router")) {
        arena_free(c.arena);
        return cli_usage(cli, "--independent and --router exclude each other: the proof needs the engine itself");
    }
    find_files(&c, argv[0]);
    code = run_suite(&c);
    arena_free(c.arena);
    return code;
}

static const struct option_spec probe_options[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "the profile; without it config.yaml beside the suite" },
    PROFILE_OPTION_BASE,
    { "router", 0, OPTION_TEXT, 0, "URL", "ask the evaluation API of a running router instead of this process" },
    { "token", 0, OPTION_TEXT, 0, "TOKEN", "of that router's management API; the variable hides it from other users",
      .env = "VSR_MANAGEMENT_TOKEN" },
    { "probe-id", 0, OPTION_TEXT, OPTION_REPEATABLE, "ID", "only this probe, `decision:variant`" },
    { "jobs", 'j', OPTION_NUMBER, 0, "N", "probes at the same time; without it as the suite says", .least = 1,
      .greatest = PROBE_CONCURRENCY_MAX },
    { "independent", 0, OPTION_FLAG, 0, NULL,
      "count only probes whose decision no unavailable signal can change, and list the others" },
    PROFILE_OPTIONS_MODELS,
    { "junit", 0, OPTION_TEXT, OPTION_FILE, "FILE", "write JUnit XML" },
    { "report", 0, OPTION_TEXT, OPTION_FILE, "FILE", "write the JSON report" },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_probe_spec = {
    .name = "probe",
    .summary = "run a profile's test suite",
    .usage = "vsr probe [OPTION]... FILE\n"
             "vsr probe [OPTION]... DIRECTORY",
    .details =
        "Each probe of a probes.yaml is one request with an expectation: the decision, and what led there. A\n"
        "directory stands for the probes.yaml in it. Exits with 0 when the suite is accepted, 1 when it is not,\n"
        "2 for a file that cannot be read.\n",
    .examples = "vsr probe recipes/demo\n"
                "vsr probe --json --junit junit.xml recipes/demo/probes.yaml\n"
                "vsr probe --router http://127.0.0.1:8080 recipes/demo\n",
    .operands = OPERANDS_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .options = probe_options,
    .n_options = VSR_COUNT(probe_options),
    .run = probe_run_command,
};
