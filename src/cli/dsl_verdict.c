#include "cli/dsl_verdict.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/config_source.h"
#include "cli/dsl_source.h"
#include "cli/dsl_test_run.h"
#include "cli/profile.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "dsl/notation.h"

/* ---- the object of --json */

void dsl_verdict_json(const struct dsl_source *source, bool valid, bool hints, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("file"));
    json_write_str(&w, source->name);
    json_write_key(&w, VSR_STR("valid"));
    json_write_bool(&w, valid);
    if (source->was_loaded) {
        json_write_key(&w, VSR_STR("loads"));
        json_write_bool(&w, source->loads);
    }
    dsl_source_counts_json(source, &w);
    if (source->yaml.ptr) { /* diagnostics are about a text that nobody has: here it is */
        json_write_key(&w, VSR_STR("program"));
        json_write_str(&w, source->text);
        json_write_key(&w, VSR_STR("conversion"));
        findings_json(&source->of_yaml, source->yaml, hints, &w);
    }
    json_write_key(&w, VSR_STR("diagnostics"));
    findings_json(&source->findings, source->text, hints, &w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

static bool wants_json(const struct cli *cli) {
    return options_knows(cli->options, "json") && options_has(cli->options, "json");
}

/* ---- refusing */

int dsl_refuse(const struct cli *cli, const struct dsl_source *source) {
    struct buf out;
    int code;
    if (!wants_json(cli)) {
        dsl_source_complain(cli, source);
        return CLI_FAILURE;
    }
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    dsl_verdict_json(source, false, false, &out);
    code = dsl_source_write(cli, NULL, &out, 0);
    buf_done(&out);
    return code == CLI_OK ? CLI_FAILURE : code;
}

/* A source of which nothing is known but what is told of it. */
static void begin(struct dsl_source *source, vsr_str name) {
    *source = (struct dsl_source){ .arena = arena_new(0, 0), .name = name, .program_name = name };
    findings_init(&source->findings, source->arena);
    findings_init(&source->of_yaml, source->arena);
}

static void add_item(struct findings *findings, const struct diag *diag, const struct diag_item *item) {
    struct dsl_at at = { .line = diag_item_line(item), .col = item->col };
    struct finding *finding =
        finding_add(findings, item->severity == DIAG_ERROR ? FINDING_ERROR : FINDING_WARNING, item->code, at,
                    "%.*s%s%.*s%s%.*s", VSR_FMT(item->path), item->path.len ? ": " : "", VSR_FMT(item->message),
                    item->hint.len ? "; " : "", VSR_FMT(item->hint));
    vsr_str file = diag_item_file(diag, item);
    if (finding && !str_eq(file, diag->file))
        finding->file = file;
}

/* A file that cannot be read comes first, and has no place. */
static bool is_unreadable(const struct diag *diag) {
    return diag->n_items > 0 && strcmp(diag->items[0].code, "E_IO") == 0;
}

int dsl_refuse_diag(const struct cli *cli, const struct diag *diag) {
    struct dsl_source source;
    int code;
    begin(&source, diag->file);
    for (size_t i = 0; i < diag->n_items; i++)
        add_item(&source.findings, diag, &diag->items[i]);
    /* What was counted and not kept counts here, too. */
    source.findings.n_of[FINDING_ERROR] = diag->n_errors;
    source.findings.n_of[FINDING_WARNING] = diag->n_warnings;
    code = dsl_refuse(cli, &source);
    dsl_source_done(&source);
    return code == CLI_FAILURE && is_unreadable(diag) ? CLI_IO : code;
}

int dsl_refuse_err(const struct cli *cli, const char *file, const struct vsr_err *err, const char *code) {
    bool is_io = err->code == VSR_E_IO;
    struct dsl_at at = { .line = err->line, .col = err->col };
    struct dsl_source source;
    int rc = CLI_FAILURE;
    if (wants_json(cli)) {
        begin(&source, str_from_c(strcmp(file, "-") == 0 ? "<stdin>" : file));
        (void)finding_add(&source.findings, FINDING_ERROR,
                          is_io                      ? "E_IO"
                          : err->code == VSR_E_LIMIT ? "E_LIMIT"
                                                     : code,
                          at, "%s", err->text);
        rc = dsl_refuse(cli, &source);
        dsl_source_done(&source);
    } else {
        (void)cli_fail_err(cli, err);
    }
    return rc == CLI_FAILURE && is_io ? CLI_IO : rc;
}

/* ---- policies */

/* Whether it is a program that is wrong by itself; then it was refused, with `*ret_code`. A pipe cannot be read twice.
 */
static bool refuse_program(const struct cli *cli, const char *file, int *ret_code) {
    struct dsl_source source;
    bool is_wrong = true;
    if (!str_ends(str_from_c(file), str_from_c(dsl_notation.suffix)) || dsl_source_is_stream(file))
        return false;
    *ret_code = dsl_source_open(cli, file, &source);
    if (*ret_code == CLI_OK)
        *ret_code = dsl_source_find_base(cli, &source);
    if (*ret_code == CLI_OK) {
        dsl_source_examine(&source);
        dsl_source_load(&source);
        findings_sort(&source.findings);
        is_wrong = !test_can_run(&source);
        if (is_wrong)
            *ret_code = dsl_refuse(cli, &source);
    }
    dsl_source_done(&source);
    return is_wrong;
}

int dsl_refuse_policy(const struct cli *cli, const char *file, const struct diag *diag, const struct vsr_err *err) {
    int code;
    if (diag->n_errors == 0)
        return dsl_refuse_err(cli, file, err, "E_BUILD");
    if (!is_unreadable(diag) && refuse_program(cli, file, &code))
        return code;
    return dsl_refuse_diag(cli, diag);
}

int dsl_policy_load(const struct cli *cli, const char *file, struct config_source *ret_source) {
    struct vsr_err err = VSR_ERR_NONE;
    int code;
    *ret_source = (struct config_source){ .file = file };
    if (strcmp(file, "-") == 0)
        return cli_usage(cli, "a policy is read with what stands beside it: name its file");
    if (profile_check_readable(file, &err) < 0)
        return dsl_refuse_err(cli, file, &err, "E_IO");
    code = config_source_read(cli, file, true, ret_source);
    return code == CLI_FAILURE ? dsl_refuse_policy(cli, file, &ret_source->diag, &err) : code;
}
