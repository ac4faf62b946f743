#include "cli/config_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/profile.h"
#include "core/arena.h"
#include "core/buf.h"

enum { READ_LEN = 65536 };

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

/* Pipes have no path that could be resolved: `vsr config diff <(...) FILE`. */
static bool is_stream(const char *file) {
    struct stat status;
    return strcmp(file, "-") == 0 || (stat(file, &status) == 0 && S_ISFIFO(status.st_mode));
}

static int read_stream(const struct cli *cli, const char *file, struct arena *arena, vsr_str *ret_text) {
    int fd = strcmp(file, "-") == 0 ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC);
    struct buf text;
    ssize_t n = fd < 0 ? -1 : 1;
    buf_init(&text, YAML_BYTES_MAX + 1);
    while (n > 0 && text.len <= YAML_BYTES_MAX) {
        size_t room = YAML_BYTES_MAX + 1 - text.len;
        if (room > READ_LEN)
            room = READ_LEN;
        n = buf_reserve(&text, room) == 0 ? read(fd, text.ptr + text.len, room) : -1;
        if (n > 0)
            text.len += (size_t)n;
    }
    if (n >= 0)
        *ret_text = arena_str(arena, buf_str(&text));
    buf_done(&text);
    if (fd >= 0)
        (void)close(fd); /* it was only read */
    return n >= 0 ? 0 : cli_usage(cli, "cannot read \"%s\": %s", file, strerror(errno));
}

static int load(const struct config_load_options *options, const struct cli *cli, const char *file,
                struct config_source *source) {
    vsr_str text = profile_demo_text();
    if (file && !is_stream(file))
        return config_load_file(source->arena, file, options, &source->doc, &source->diag);
    if (file) {
        int code = read_stream(cli, file, source->arena, &text);
        if (code != 0)
            return code;
    }
    return config_load_text(source->arena, text, str_from_c(source->file), options, &source->doc, &source->diag);
}

int config_source_read(const struct cli *cli, const char *file, bool keep_env, struct config_source *ret_source) {
    struct config_source *source = ret_source;
    struct config_load_options options = profile_load_options(false);
    int rc;
    *source = (struct config_source){ .arena = arena_new(0, 0), .file = file ? file : PROFILE_DEMO_NAME };
    source->schema = config_source_schema(source->arena);
    options.keep_env = keep_env;
    rc = profile_base(cli, file, &options.base);
    if (rc != CLI_OK)
        return rc;
    rc = load(&options, cli, file, source);
    return rc < 0 ? CLI_FAILURE : rc;
}

int config_source_load(const struct cli *cli, const char *file, bool keep_env, struct config_source *ret_source) {
    int code = config_source_read(cli, file, keep_env, ret_source);
    if (code != CLI_FAILURE)
        return code;
    cli_print_diag(cli, &ret_source->diag);
    return is_unreadable(&ret_source->diag) ? CLI_USAGE : CLI_FAILURE;
}

void config_source_done(struct config_source *source) {
    arena_free(source->arena);
    source->arena = NULL;
}
