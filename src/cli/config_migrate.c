/* config_migrate - `vsr config migrate`: an older document becomes one of the contract, in a file of its own. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/config_migrate_diff.h"
#include "cli/config_migrate_file.h"
#include "cli/config_source.h"
#include "cli/profile.h"
#include "cli/term.h"
#include "config/migrate.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"

enum {
    DOCUMENT_LEN_MAX = 256 << 20, /* a document of YAML_BYTES_MAX, its aliases written out */
    REPORT_LEN_MAX = 512 << 20,   /* its difference to the old one */
};

struct job {
    const struct cli *cli;
    struct arena *arena;
    const char *source;
    const char *target;
    vsr_str text; /* old */
    mode_t mode;
    struct buf out; /* new */
    struct migration migration;
    struct diag diag; /* of reading the old document, then of checking the new one */
    bool valid;       /* the new one loads */
    bool written;
};

/* ---- names */

/* `policy.yaml` -> `policy.migrated.yaml`; an extension does not begin the name. */
static const char *default_target(struct arena *arena, const char *source) {
    const char *name = strrchr(source, '/') ? strrchr(source, '/') + 1 : source, *dot = strrchr(name, '.');
    size_t stem = dot && dot != name ? (size_t)(dot - source) : strlen(source);
    return arena_c_str(arena, arena_printf(arena, "%.*s.migrated%s", (int)stem, source, source + stem));
}

static int check_target(const struct job *job) {
    bool exists = access(job->target, F_OK) == 0;
    if (config_file_same(job->source, job->target))
        return cli_fail(job->cli, "\"%s\" is the document itself, which is never changed; name another --output",
                        job->target);
    if (exists && !options_has(job->cli->options, "force") && !options_has(job->cli->options, "dry-run"))
        return cli_fail(job->cli, "\"%s\" exists; replace it with --force or name another --output", job->target);
    return CLI_OK;
}

/* ---- the report */

static void print_note(struct buf *out, const struct job *job, const struct migrate_note *note) {
    bool colour = job->cli->colour;
    buf_append_c(out, job->source);
    if (note->line)
        buf_printf(out, ":%u:%u", note->line, note->col);
    buf_printf(out, ": %s%s%s", term_if(colour && note->kind == MIGRATE_CHECK, TERM_YELLOW),
               migrate_kind_name(note->kind), term_if(colour && note->kind == MIGRATE_CHECK, TERM_RESET));
    if (note->path.len)
        buf_printf(out, " %.*s", VSR_FMT(note->path));
    if (note->to.len)
        buf_printf(out, " -> %.*s", VSR_FMT(note->to));
    buf_printf(out, "%s%.*s\n", note->message.len ? ": " : "", VSR_FMT(note->message));
}

static size_t count(const struct migration *migration, enum migrate_kind kind) {
    size_t n = 0;
    for (size_t i = 0; i < migration->n_notes; i++)
        n += migration->notes[i].kind == kind;
    return n;
}

/* What needs a human comes with its place; the rest is counted, or comes too when asked for. */
static void report_text(const struct job *job, struct buf *out) {
    const struct migration *migration = &job->migration;
    bool all = options_has(job->cli->options, "verbose");
    for (size_t i = 0; i < migration->n_notes; i++)
        if (all || migration->notes[i].kind == MIGRATE_CHECK)
            print_note(out, job, &migration->notes[i]);
    diag_print(&job->diag, out, job->cli->colour);
    buf_printf(out, "%s: %s%zu moved, %zu dropped, %zu to look at; the new document %s\n", job->target,
               job->written ? "" : "not written, ", count(migration, MIGRATE_MOVED), count(migration, MIGRATE_DROPPED),
               migration->n_checks, job->valid ? "is valid" : "does not load yet");
}

static void json_text(struct json_writer *w, const char *key, vsr_str text) {
    json_write_key(w, str_from_c(key));
    json_write_str(w, text);
}

static void json_note(struct json_writer *w, const struct migrate_note *note) {
    json_write_begin_object(w);
    json_text(w, "kind", str_from_c(migrate_kind_name(note->kind)));
    json_text(w, "path", note->path);
    json_text(w, "to", note->to);
    json_write_key(w, VSR_STR("line"));
    json_write_u64(w, note->line);
    json_write_key(w, VSR_STR("column"));
    json_write_u64(w, note->col);
    json_text(w, "message", note->message);
    json_write_end(w);
}

static void report_json(const struct job *job, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_text(&w, "source", str_from_c(job->source));
    json_text(&w, "output", str_from_c(job->target));
    json_write_key(&w, VSR_STR("written"));
    json_write_bool(&w, job->written);
    json_write_key(&w, VSR_STR("valid"));
    json_write_bool(&w, job->valid);
    json_write_key(&w, VSR_STR("changes"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < job->migration.n_notes; i++)
        json_note(&w, &job->migration.notes[i]);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("validation"));
    diag_json(&job->diag, &w);
    if (!job->written)
        json_text(&w, "document", buf_str(&job->out));
    json_write_end(&w);
    buf_append_char(out, '\n');
}

static int report(const struct job *job) {
    struct buf out, notes;
    int code = job->valid ? CLI_OK : CLI_FAILURE;
    buf_init(&out, REPORT_LEN_MAX);
    buf_init(&notes, REPORT_LEN_MAX);
    if (options_has(job->cli->options, "json")) {
        report_json(job, &out);
    } else if (options_has(job->cli->options, "dry-run")) {
        diff_print(&out, str_from_c(job->source), job->text, str_from_c(job->target), buf_str(&job->out),
                   job->cli->colour);
        report_text(job, &notes);
        (void)fwrite(notes.ptr, 1, notes.len, stderr);
    } else {
        report_text(job, &out);
    }
    code = cli_finish(job->cli, &out, code);
    buf_done(&notes);
    buf_done(&out);
    return code;
}

/* ---- the steps */

static int convert(struct job *job) {
    struct vsr_err err = VSR_ERR_NONE;
    if (config_file_read(job->arena, job->source, YAML_BYTES_MAX, &job->text, &job->mode, &err) < 0) {
        (void)cli_fail_err(job->cli, &err);
        return CLI_USAGE;
    }
    diag_init(&job->diag, job->arena, str_from_c(job->source));
    if (config_migrate(job->arena, job->text, &job->out, &job->migration, &job->diag) == 0)
        return CLI_OK;
    cli_print_diag(job->cli, &job->diag);
    return CLI_FAILURE;
}

/* By the rules of `vsr validate`, but for the environment: variables are those of the machine that will serve it. */
static void validate(struct job *job) {
    struct config_load_options options = profile_load_options(false);
    const struct config_document *doc;
    options.keep_env = true;
    job->valid =
        config_load_text(job->arena, buf_str(&job->out), str_from_c(job->target), &options, &doc, &job->diag) == 0;
}

static int write_target(struct job *job) {
    struct vsr_err err = VSR_ERR_NONE;
    if (options_has(job->cli->options, "dry-run"))
        return CLI_OK;
    if (config_file_write(job->target, buf_str(&job->out), job->mode, options_has(job->cli->options, "force"), &err) <
        0)
        return cli_fail_err(job->cli, &err);
    job->written = true;
    return CLI_OK;
}

static int run_steps(struct job *job) {
    int code = check_target(job);
    if (code == CLI_OK)
        code = convert(job);
    if (code != CLI_OK)
        return code;
    validate(job);
    code = write_target(job);
    return code == CLI_OK ? report(job) : code;
}

static int migrate_run(const struct cli *cli, int argc, char **argv) {
    struct job job = { .cli = cli };
    int code = config_source_name(cli, argc, argv, &job.source);
    if (code != CLI_OK)
        return code;
    if (!job.source)
        return cli_usage(cli, "which document? name it, or give --config FILE");
    job.arena = arena_new(0, 0);
    buf_init(&job.out, DOCUMENT_LEN_MAX);
    job.target = options_text(cli->options, "output");
    if (!job.target)
        job.target = default_target(job.arena, job.source);
    code = run_steps(&job);
    buf_done(&job.out);
    arena_free(job.arena);
    return code;
}

static const struct option_spec migrate_options[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "the same as the operand FILE", .env = "VSR_CONFIG" },
    { "output", 'o', OPTION_TEXT, OPTION_FILE, "FILE",
      "where to write; NAME.migrated.yaml beside NAME.yaml if left out" },
    { "force", 'f', OPTION_FLAG, 0, NULL, "replace a file that is there" },
    { "dry-run", 'n', OPTION_FLAG, 0, NULL, "write nothing, print the difference" },
    { "verbose", 'v', OPTION_FLAG, 0, NULL, "tell every change, not only what has to be looked at" },
    { "json", 0, OPTION_FLAG, 0, NULL, "report as JSON" },
};

const struct command command_config_migrate_spec = {
    .name = "migrate",
    .summary = "convert a document of an older layout",
    .usage = "vsr config migrate [OPTION]... FILE",
    .details =
        "Writes a new document of the contract and never touches the old one. Comments move with what they stand at.\n"
        "What has no place any more is kept under x-unplaced, which loading ignores. The new document is checked, and\n"
        "what still needs a human is listed with its place.\n"
        "Exits with 0 when the new document is valid, 1 when it was written but does not load yet, when it was not\n"
        "written because a file is there, or when the old one is not YAML, 2 when the old one cannot be read.\n",
    .examples = "vsr config migrate old.yaml\n"
                "vsr config migrate --dry-run old.yaml\n"
                "vsr config migrate --config old.yaml --output new.yaml --force\n",
    .operands = OPERANDS_FILE,
    .operands_most = 1,
    .options = migrate_options,
    .n_options = VSR_COUNT(migrate_options),
    .run = migrate_run,
};
