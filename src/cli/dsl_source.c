#include "cli/dsl_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/config_migrate_diff.h"
#include "cli/config_migrate_file.h"
#include "cli/dsl_verdict.h"
#include "cli/profile.h"
#include "config/load.h"
#include "config/yaml_edit.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/fd.h"
#include "core/json_write.h"
#include "dsl/decompile.h"
#include "dsl/examine.h"
#include "dsl/loading.h"
#include "dsl/notation.h"

enum { READ_LEN = 65536, COMPLAINTS_LEN_MAX = 64 << 20 };

/* ---- reading */

static int read_stdin(const struct cli *cli, struct dsl_source *source) {
    struct vsr_err err = VSR_ERR_NONE;
    struct buf bytes;
    ssize_t n = 1;
    int code = CLI_OK;
    buf_init(&bytes, YAML_BYTES_MAX + 1); /* as much as of a file; programs have a limit of their own */
    while (n > 0 && bytes.len <= YAML_BYTES_MAX) {
        size_t room = bytes.max - bytes.len < READ_LEN ? bytes.max - bytes.len : READ_LEN;
        n = buf_reserve(&bytes, room) == 0 ? read(STDIN_FILENO, bytes.ptr + bytes.len, room) : -1;
        if (n > 0)
            bytes.len += (size_t)n;
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    if (n < 0)
        (void)err_set(&err, VSR_E_IO, "cannot read standard input: %s", strerror(errno));
    else if (bytes.len > YAML_BYTES_MAX)
        (void)err_set(&err, VSR_E_LIMIT, "standard input is larger than %d bytes", YAML_BYTES_MAX);
    else
        source->text = arena_str(source->arena, buf_str(&bytes));
    if (err.code < 0)
        code = dsl_refuse_err(cli, source->file, &err, "E_IO");
    buf_done(&bytes);
    return code;
}

bool dsl_source_is_stream(const char *file) {
    struct stat status;
    return strcmp(file, "-") == 0 || (stat(file, &status) == 0 && !S_ISREG(status.st_mode));
}

static int read_program(const struct cli *cli, struct dsl_source *source) {
    struct vsr_err err = VSR_ERR_NONE;
    source->mode = dsl_source_new_mode();
    if (strcmp(source->file, "-") == 0) {
        source->name = VSR_STR("<stdin>");
        source->is_stream = true;
        return read_stdin(cli, source);
    }
    source->name = str_from_c(source->file);
    source->is_stream = dsl_source_is_stream(source->file);
    if (config_file_read(source->arena, source->file, YAML_BYTES_MAX, &source->text, &source->mode, &err) < 0)
        return dsl_refuse_err(cli, source->file, &err, "E_IO");
    return CLI_OK;
}

/* ---- YAML */

/* By the name; a stream, or a file without a name that says it, by what is written first: no declaration is a key. */
static bool is_yaml(const struct dsl_source *source) {
    vsr_str name = source->name, rest = source->text;
    if (str_ends(name, VSR_STR(".yaml")) || str_ends(name, VSR_STR(".yml")) || str_ends(name, VSR_STR(".json")))
        return true;
    while (rest.ptr && !str_ends(name, VSR_STR(".dsl"))) {
        vsr_str line = str_trim(str_split(&rest, '\n'));
        size_t end = 0;
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (str_starts(line, VSR_STR("---")) || strchr("{\"'", line.ptr[0]))
            return true;
        while (end < line.len && !strchr(": \t{\"", line.ptr[end]))
            end++;
        line = str_trim(str_sub(line, end, line.len));
        return line.len > 0 && line.ptr[0] == ':';
    }
    return false;
}

int dsl_source_decompile(const struct cli *cli, struct dsl_source *source) {
    struct yaml_node *root;
    struct diag diag;
    struct buf out;
    diag_init(&diag, source->arena, source->name);
    source->yaml = source->text;
    source->program_name = arena_printf(source->arena, "%.*s as a program", VSR_FMT(source->name));
    if (yaml_tree_parse(source->arena, source->yaml, &root, &diag) < 0)
        return dsl_refuse_diag(cli, &diag);
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    dsl_decompile(source->arena, source->language, root, &source->of_yaml, &out);
    findings_sort(&source->of_yaml);
    source->text = arena_str(source->arena, buf_str(&out));
    source->yaml_root = root;
    buf_done(&out);
    return CLI_OK;
}

const struct language *dsl_source_language(struct arena *arena) {
    struct config_parts *parts = ARENA_NEW(arena, struct config_parts);
    *parts = profile_load_options(false).parts;
    return language_build(arena, parts);
}

const struct language *dsl_source_quick_language(struct arena *arena) {
    struct config_parts *parts = ARENA_NEW(arena, struct config_parts);
    *parts = profile_load_options(false).parts;
    parts->try_build = NULL;
    return language_build(arena, parts);
}

int dsl_source_open(const struct cli *cli, const char *file, struct dsl_source *ret_source) {
    struct dsl_source *source = ret_source;
    int code;
    *source = (struct dsl_source){ .arena = arena_new(0, 0), .file = file };
    findings_init(&source->findings, source->arena);
    findings_init(&source->of_yaml, source->arena);
    source->language = dsl_source_language(source->arena);
    code = read_program(cli, source);
    source->program_name = source->name;
    return code == CLI_OK ? dsl_base_open(cli, source->arena, &source->base) : code;
}

int dsl_source_open_any(const struct cli *cli, const char *file, struct dsl_source *ret_source) {
    int code = dsl_source_open(cli, file, ret_source);
    return code == CLI_OK && is_yaml(ret_source) ? dsl_source_decompile(cli, ret_source) : code;
}

static int refuse_kind(const struct cli *cli, const struct dsl_source *source, const char *what) {
    struct vsr_err err = VSR_ERR_NONE;
    (void)err_set(&err, VSR_E_INVALID, "%.*s: %s", VSR_FMT(source->name), what);
    return dsl_refuse_err(cli, source->file, &err, "E_FORMAT");
}

int dsl_source_open_program(const struct cli *cli, const char *file, struct dsl_source *ret_source) {
    int code = dsl_source_open(cli, file, ret_source);
    if (code == CLI_OK && is_yaml(ret_source))
        return refuse_kind(cli, ret_source, "this is YAML, and a program is expected: see `vsr dsl decompile`");
    return code;
}

int dsl_source_open_yaml(const struct cli *cli, const char *file, struct dsl_source *ret_source) {
    int code = dsl_source_open(cli, file, ret_source);
    if (code == CLI_OK && str_ends(ret_source->name, str_from_c(dsl_notation.suffix)))
        return refuse_kind(cli, ret_source, "this is a program, and YAML is expected: see `vsr dsl compile`");
    return code == CLI_OK ? dsl_source_decompile(cli, ret_source) : code;
}

int dsl_source_find_base(const struct cli *cli, struct dsl_source *source) {
    const char *file;
    if (source->base.root || source->is_stream || source->yaml.ptr)
        return CLI_OK;
    file = config_find_base(source->arena, source->file, &dsl_notation);
    return file ? dsl_base_open_file(cli, source->arena, file, &source->base) : CLI_OK;
}

void dsl_source_done(struct dsl_source *source) {
    arena_free(source->arena);
    source->arena = NULL;
}

/* ---- judging */

void dsl_source_examine(struct dsl_source *source) {
    findings_init(&source->findings, source->arena);
    dsl_parse(source->arena, source->text, &source->parsed, &source->findings);
    source->compiled =
        dsl_examine(source->arena, source->language, &source->parsed, source->base.root, &source->findings);
    findings_sort(&source->findings);
}

/* A configuration is its own base; what is wrong with the rest of it is no matter of the program. */
static bool is_whole(const struct findings *findings) {
    for (size_t i = 0; i < findings->n; i++)
        if (findings->items[i].lost)
            return false;
    return true;
}

void dsl_source_load(struct dsl_source *source) {
    bool is_own = source->yaml.ptr && !source->base.root;
    const char *file = source->base.root ? arena_c_str(source->arena, source->base.file) : source->file;
    char *resolved = source->is_stream && !source->base.root ? NULL : realpath(file, NULL);
    struct dsl_base_of base = { is_own ? source->yaml_root : source->base.root,
                                is_own ? (vsr_str){ 0 } : source->base.file, resolved };
    source->loads = dsl_check_loading(source->language, &source->parsed, source->compiled, &base, &source->findings) &&
                    is_whole(&source->findings);
    source->was_loaded = !source->yaml.ptr;
    free(resolved);
}

/* ---- telling */

static void print(const struct dsl_source *source, int fd, bool colour, bool hints, struct buf *out) {
    bool shows = isatty(fd);
    const struct findings_style of_yaml = { source->name, shows ? source->yaml : VSR_STR(""), colour, hints, false };
    const struct findings_style of_text = { source->program_name, shows ? source->text : VSR_STR(""), colour, hints,
                                            false };
    findings_print(&source->of_yaml, &of_yaml, out);
    findings_print(&source->findings, &of_text, out);
}

void dsl_source_print(const struct cli *cli, const struct dsl_source *source, bool hints, struct buf *out) {
    print(source, STDOUT_FILENO, cli->colour, hints, out);
}

void dsl_source_complain(const struct cli *cli, const struct dsl_source *source) {
    struct buf out;
    buf_init(&out, COMPLAINTS_LEN_MAX);
    print(source, STDERR_FILENO, cli->colour_err, false, &out);
    (void)fd_write_all(STDERR_FILENO, buf_str(&out)); /* nowhere left to complain */
    buf_done(&out);
}

void dsl_source_complain_lost(const struct cli *cli, const struct dsl_source *source) {
    const struct findings_style style = { source->name, isatty(STDERR_FILENO) ? source->yaml : VSR_STR(""),
                                          cli->colour_err, false, false };
    struct buf out;
    buf_init(&out, COMPLAINTS_LEN_MAX);
    findings_print(&source->of_yaml, &style, &out);
    (void)fd_write_all(STDERR_FILENO, buf_str(&out)); /* nowhere left to complain */
    buf_done(&out);
}

static size_t count(const struct dsl_source *source, enum finding_level level) {
    return source->of_yaml.n_of[level] + source->findings.n_of[level];
}

static void print_count(struct buf *out, const char *before, size_t n, const char *what) {
    buf_printf(out, "%s%zu %s%s", before, n, what, n == 1 ? "" : "s");
}

void dsl_source_summary(const struct dsl_source *source, bool hints, struct buf *out) {
    size_t errors = count(source, FINDING_ERROR), warnings = count(source, FINDING_WARNING),
           constraints = count(source, FINDING_CONSTRAINT), n_hints = hints ? count(source, FINDING_HINT) : 0;
    if (errors + warnings + constraints + n_hints == 0) {
        buf_append_c(out, "No issues found.\n");
        return;
    }
    print_count(out, "", errors, "error");
    print_count(out, ", ", warnings, "warning");
    print_count(out, ", ", constraints, "constraint");
    if (hints)
        print_count(out, ", ", n_hints, "hint");
    buf_append_char(out, '\n');
}

void dsl_source_counts_json(const struct dsl_source *source, struct json_writer *w) {
    static const char *const names[] = { [FINDING_ERROR] = "errors",
                                         [FINDING_WARNING] = "warnings",
                                         [FINDING_CONSTRAINT] = "constraints",
                                         [FINDING_HINT] = "hints" };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        json_write_key(w, str_from_c(names[i]));
        json_write_u64(w, count(source, (enum finding_level)i));
    }
}

int dsl_source_code(const struct dsl_source *source, bool strict) {
    bool fails = count(source, FINDING_ERROR) > 0;
    if (strict)
        fails |= count(source, FINDING_WARNING) + count(source, FINDING_CONSTRAINT) > 0;
    return fails ? CLI_FAILURE : CLI_OK;
}

/* ---- writing */

mode_t dsl_source_new_mode(void) {
    mode_t mask = umask(0); /* there is no other way to ask; commands have one thread */
    (void)umask(mask);
    return (S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH) & ~mask;
}

/* A pipe, a terminal, /dev/null: nothing that could be replaced. */
static int write_stream(const struct cli *cli, const char *file, vsr_str text) {
    struct vsr_err err = VSR_ERR_NONE;
    int fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY), failure = 0;
    if (fd < 0 || fd_write_all(fd, text) < 0)
        failure = errno;
    if (fd >= 0 && close(fd) < 0 && failure == 0)
        failure = errno;
    if (failure == 0)
        return CLI_OK;
    (void)err_set(&err, VSR_E_IO, "cannot write \"%s\": %s", file, strerror(failure));
    return dsl_refuse_err(cli, file, &err, "E_IO");
}

static int write_file(const struct cli *cli, const char *file, vsr_str text, mode_t mode) {
    struct vsr_err err = VSR_ERR_NONE;
    struct stat status;
    char *resolved;
    int code = CLI_OK;
    bool exists = stat(file, &status) == 0;
    if (exists && !S_ISREG(status.st_mode))
        return write_stream(cli, file, text);
    resolved = exists ? realpath(file, NULL) : NULL; /* what a link leads to changes, not the link */
    if (config_file_write(resolved ? resolved : file, text, exists ? status.st_mode : mode, true, &err) < 0)
        code = dsl_refuse_err(cli, file, &err, "E_IO");
    free(resolved);
    return code;
}

int dsl_source_write(const struct cli *cli, const char *file, const struct buf *text, mode_t mode) {
    if (buf_failed(text))
        return cli_fail(cli, "the output is too long");
    if (file && strcmp(file, "-") != 0)
        return write_file(cli, file, buf_str(text), mode);
    if (fd_write_all(STDOUT_FILENO, buf_str(text)) == 0)
        return CLI_OK;
    (void)cli_fail(cli, "cannot write the output: %s", strerror(errno));
    return CLI_IO;
}

/* ---- commands that write a program over itself */

bool dsl_source_is_contradiction(const struct cli *cli) {
    return options_has(cli->options, "output") &&
           (options_has(cli->options, "check") || options_has(cli->options, "diff"));
}

int dsl_source_show_diff(const struct cli *cli, const struct dsl_source *source, vsr_str before, vsr_str after) {
    struct buf out;
    int code;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    diff_print(&out, source->name, before, source->name, after, cli->colour);
    code = dsl_source_write(cli, NULL, &out, 0);
    buf_done(&out);
    return code;
}

int dsl_source_rewrite(const struct cli *cli, const struct dsl_source *source, vsr_str before,
                       const struct buf *after) {
    const char *output = options_text(cli->options, "output");
    if (!output && !source->is_stream && !source->yaml.ptr) {
        if (!buf_failed(after) && str_eq(before, buf_str(after)))
            return CLI_OK;
        output = source->file;
    }
    return dsl_source_write(cli, output, after, source->mode);
}
