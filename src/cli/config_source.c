#include "cli/config_source.h"

#include "cli/cli.h"
#include "cli/profile.h"
#include "core/arena.h"

int config_source_name(const struct cli *cli, int argc, char **argv, const char **ret_file) {
    if (argc > 0 && options_has(cli->options, "config"))
        return cli_usage(cli, "two files: \"%s\" and \"%s\"", options_text(cli->options, "config"), argv[0]);
    *ret_file = argc > 0 ? argv[0] : options_text(cli->options, "config");
    return 0;
}

const struct schema *config_source_schema(struct arena *arena) {
    struct config_load_options options = profile_load_options(false);
    struct config_parts *parts = ARENA_NEW(arena, struct config_parts);
    *parts = options.parts;
    return config_schema(arena, parts);
}

/* A file that cannot be read is the command line's mistake. */
static bool is_unreadable(const struct diag *diag) {
    return diag->n_errors > 0 && strcmp(diag->items[0].code, "E_IO") == 0;
}

int config_source_load(const struct cli *cli, const char *file, bool keep_env, struct config_source *ret_source) {
    struct config_source *source = ret_source;
    struct config_load_options options = profile_load_options(false);
    int rc;
    *source = (struct config_source){ .arena = arena_new(0, 0), .file = file ? file : PROFILE_DEMO_NAME };
    source->schema = config_source_schema(source->arena);
    options.keep_env = keep_env;
    if (file)
        rc = config_load_file(source->arena, file, &options, &source->doc, &source->diag);
    else
        rc = config_load_text(source->arena, profile_demo_text(), VSR_STR(PROFILE_DEMO_NAME), &options, &source->doc,
                              &source->diag);
    if (rc == 0)
        return 0;
    cli_print_diag(cli, &source->diag);
    return is_unreadable(&source->diag) ? CLI_USAGE : CLI_FAILURE;
}

void config_source_done(struct config_source *source) {
    arena_free(source->arena);
    source->arena = NULL;
}
