/* config_explain - `vsr config explain`: the documentation of one key, and its value in a document. */
#include "cli/cli.h"
#include "cli/config_source.h"
#include "cli/profile.h"
#include "cli/term.h"
#include "config/explain.h"
#include "core/arena.h"
#include "core/buf.h"

enum { EXPLAIN_LEN_MAX = 16 << 20 };

static int explain_tables(const struct cli *cli, vsr_str path, const struct explain_style *style, struct buf *out) {
    struct arena *arena = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    int code = CLI_OK;
    if (explain_key(config_source_schema(arena), path, style, out, &err) < 0) {
        (void)cli_fail_err(cli, &err);
        code = err.code == VSR_E_NOT_FOUND ? CLI_FAILURE : CLI_USAGE;
    }
    arena_free(arena);
    return code;
}

static int explain_document(const struct cli *cli, const char *file, vsr_str path, const struct explain_style *style,
                            struct buf *out) {
    struct config_source source;
    int code = config_source_load(cli, file, false, &source);
    if (code == CLI_OK) {
        const vsr_str files[] = { str_from_c(file), source.diag.second_file };
        buf_append_char(out, '\n');
        if (explain_values(source.schema, source.doc, path, files, style, out) == 0)
            buf_printf(out, "  %s has no such place\n", file);
    }
    config_source_done(&source);
    return code;
}

static int explain_run(const struct cli *cli, int argc, char **argv) {
    const struct explain_style style = { term_if(cli->colour, TERM_BOLD), term_if(cli->colour, TERM_DIM),
                                         term_if(cli->colour, TERM_RESET) };
    vsr_str path = argc > 0 ? str_from_c(argv[0]) : VSR_STR("");
    const char *file = options_text(cli->options, "config");
    struct buf out;
    int code;
    buf_init(&out, EXPLAIN_LEN_MAX);
    code = explain_tables(cli, path, &style, &out);
    if (code == CLI_OK && file && path.len)
        code = explain_document(cli, file, path, &style, &out);
    if (code == CLI_OK)
        code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

static const struct option_spec explain_options[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "also say what holds in this document, and where it stands",
      .env = "VSR_CONFIG" },
    PROFILE_OPTION_BASE,
};

const struct command command_config_explain_spec = {
    .name = "explain",
    .summary = "explain a key, and its value in a document",
    .usage = "vsr config explain [OPTION]... [PATH]",
    .details =
        "A path names keys from the top: routing.decisions[].priority, also without the brackets. With --config\n"
        "it may pick an entry, routing.decisions[coding].priority, and secrets are masked. Without a path the\n"
        "blocks of a document are listed. Exits with 1 when there is no such key.\n",
    .examples = "vsr config explain routing.decisions\n"
                "vsr config explain 'routing.decisions[].priority' -c policy.yaml\n",
    .operands = OPERANDS_TEXT,
    .operands_most = 1,
    .options = explain_options,
    .n_options = VSR_COUNT(explain_options),
    .run = explain_run,
};
