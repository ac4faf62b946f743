/* config_print - `vsr config print` and `vsr config defaults`: documents in canonical form. */
#include "cli/cli.h"
#include "cli/config_source.h"
#include "cli/profile.h"
#include "core/arena.h"
#include "core/buf.h"

enum { PRINT_LEN_MAX = 256 << 20 }; /* a document of YAML_BYTES_MAX, its aliases written out */

static int print_document(const struct cli *cli, const struct config_source *source, bool effective) {
    struct buf out;
    int code;
    buf_init(&out, PRINT_LEN_MAX);
    schema_print(source->schema, source->doc, 0, effective, &out);
    code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

static int print_run(const struct cli *cli, int argc, char **argv) {
    bool effective = options_has(cli->options, "effective");
    struct config_source source;
    const char *file;
    int code = config_source_name(cli, argc, argv, &file);
    if (code != CLI_OK)
        return code;
    code = config_source_load(cli, file, !effective, &source);
    if (code == CLI_OK)
        code = print_document(cli, &source, effective);
    config_source_done(&source);
    return code;
}

static const struct option_spec print_options[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "the same as the operand FILE", .env = "VSR_CONFIG" },
    PROFILE_OPTION_BASE,
    { "effective", 'e', OPTION_FLAG, 0, NULL, "with every default, and variables replaced by their values" },
};

const struct command command_config_print_spec = {
    .name = "print",
    .summary = "print a document in canonical form",
    .usage = "vsr config print [OPTION]... [FILE]",
    .details =
        "Prints what the document says: one order of keys, one spelling of each value, no comments, no aliases.\n"
        "Printing that again changes nothing. Secrets are [REDACTED], unless they are references such as\n"
        "${NAME}. Without a file the built-in demo is printed.\n",
    .examples = "vsr config print policy.yaml\n"
                "vsr config print --effective policy.yaml\n",
    .operands = OPERANDS_FILE,
    .operands_most = 1,
    .options = print_options,
    .n_options = VSR_COUNT(print_options),
    .run = print_run,
};

/* ---- defaults */

static int defaults_run(const struct cli *cli, int argc, char **argv) {
    struct arena *arena = arena_new(0, 0);
    const struct config_document *doc;
    struct config_load_options options = profile_load_options(false);
    struct diag diag;
    int code = CLI_FAILURE;
    struct buf out;
    (void)argc;
    (void)argv;
    buf_init(&out, PRINT_LEN_MAX);
    if (config_load_text(arena, VSR_STR("version: v0.3\nrouting: {}\n"), VSR_STR("defaults"), &options, &doc, &diag) ==
        0) {
        schema_print(config_source_schema(arena), doc, 0, true, &out);
        code = cli_finish(cli, &out, CLI_OK);
    } else {
        cli_print_diag(cli, &diag);
    }
    buf_done(&out);
    arena_free(arena);
    return code;
}

const struct command command_config_defaults_spec = {
    .name = "defaults",
    .summary = "print the settings of a document that sets nothing",
    .usage = "vsr config defaults",
    .details = "A complete document: everything that has a default, with it. Lists are empty, so what their entries\n"
               "default to is not here; `vsr config explain` tells.\n",
    .operands = OPERANDS_NONE,
    .run = defaults_run,
};
