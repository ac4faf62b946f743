/*
 * dsl_lsp - `vsr dsl lsp`: the language server of editors, over standard input and output.
 *
 * While somebody types, changes follow each other: the program is checked in the first pause, and what can be proved
 * of it in a longer one. Whatever the editor sends meanwhile ends a proof at once.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/dsl_base.h"
#include "cli/dsl_source.h"
#include "config/diag.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/fd.h"
#include "dsl/lsp.h"

enum { READ_LEN = 1 << 16, PAUSE_MS = 100, PROVE_PAUSE_MS = 400, BASE_PAUSE_MS = 2000, COMPLAINT_LEN_MAX = 1 << 16 };

struct server {
    const struct cli *cli;
    struct lsp *lsp;
    struct buf out;
    struct arena *arena; /* of the base; NULL: none is known */
    char base[LSP_BASE_LEN_MAX + 1];
    struct stat seen; /* of the file when it was read last, or tried to be */
    bool looked;
};

/* ---- the base */

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void complain(struct server *server, const struct diag *diag, const struct vsr_err *err) {
    struct buf text;
    buf_init(&text, COMPLAINT_LEN_MAX);
    buf_append_c(&text, "vsr: the base is not known: ");
    if (err->code < 0)
        buf_append_c(&text, err->text);
    else
        diag_print(diag, &text, false);
    buf_append_char(&text, '\0');
    lsp_show(server->lsp, buf_failed(&text) ? "vsr: the base is not known" : text.ptr, &server->out);
    buf_done(&text);
}

/* One that cannot be read leaves the one before in force; the editor is told once for each change of the file. */
static void read_base(struct server *server) {
    struct arena *arena = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    struct dsl_base base;
    struct diag diag;
    if (dsl_base_read(arena, server->base, &base, &diag, &err) < 0) {
        complain(server, &diag, &err);
        arena_free(arena);
        return;
    }
    lsp_set_base(server->lsp, base.root);
    if (server->arena)
        arena_free(server->arena);
    server->arena = arena;
}

/* Reads the base when it, or what is called so, is another one than before. */
static void look_at_base(struct server *server) {
    vsr_str wanted = lsp_wanted_base(server->lsp);
    struct stat now = { 0 };
    if (wanted.len > 0 && !str_eq_c(wanted, server->base)) { /* the editor knows better than its command line */
        memcpy(server->base, wanted.ptr, wanted.len);
        server->base[wanted.len] = '\0';
        server->looked = false;
    }
    if (!server->base[0])
        return;
    if (stat(server->base, &now) == 0 && !S_ISREG(now.st_mode))
        now = (struct stat){ 0 }; /* a pipe would keep the editor waiting: it is as good as gone */
    if (server->looked && is_same(&now, &server->seen))
        return;
    server->seen = now;
    server->looked = true;
    read_base(server);
}

/* ---- the pipe */

/* Whether there is something to read before the pause is over; negative: for ever. */
static bool wait_for_input(int timeout_ms) {
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
    int n;
    do
        n = poll(&in, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n != 0; /* reading tells what is wrong */
}

static bool has_input(void *data) {
    (void)data;
    return wait_for_input(0);
}

static int send(struct server *server) {
    struct buf *out = &server->out;
    int code = CLI_OK;
    if (buf_failed(out))
        code = cli_fail(server->cli, "the answers are too long");
    else if (out->len > 0 && fd_write_all(STDOUT_FILENO, buf_str(out)) < 0)
        code = (cli_fail(server->cli, "cannot write to the editor: %s", strerror(errno)), CLI_IO);
    buf_reset(out);
    return code;
}

/* What is done in a pause. */
static void go_on(struct server *server) {
    if (lsp_is_unsettled(server->lsp)) {
        look_at_base(server);
        lsp_settle(server->lsp, &server->out);
    } else if (lsp_is_unproved(server->lsp)) {
        lsp_prove(server->lsp, has_input, NULL, &server->out);
    } else {
        look_at_base(server);
    }
}

/* How long to wait for the editor before something else is done. */
static int pause_ms(const struct server *server) {
    if (lsp_is_unsettled(server->lsp))
        return PAUSE_MS;
    if (lsp_is_unproved(server->lsp))
        return PROVE_PAUSE_MS;
    return server->base[0] ? BASE_PAUSE_MS : -1;
}

/* 1: went on; 0: the input ended; -1: it cannot be read. */
static int step(struct server *server) {
    char bytes[READ_LEN];
    ssize_t n;
    if (!wait_for_input(pause_ms(server))) {
        go_on(server);
        return 1;
    }
    do
        n = read(STDIN_FILENO, bytes, sizeof(bytes));
    while (n < 0 && errno == EINTR);
    if (n > 0)
        lsp_feed(server->lsp, str_make(bytes, (size_t)n), &server->out);
    return n > 0 ? 1 : n == 0 ? 0 : -1;
}

static int serve(struct server *server) {
    const struct cli *cli = server->cli;
    bool orderly;
    const char *fault;
    int code = CLI_OK, more = 1;
    while (code == CLI_OK && more > 0 && !lsp_is_over(server->lsp, &orderly, &fault)) {
        more = step(server);
        if (more < 0)
            return (cli_fail(cli, "cannot read from the editor: %s", strerror(errno)), CLI_IO);
        code = send(server);
    }
    if (code != CLI_OK)
        return code;
    if (!lsp_is_over(server->lsp, &orderly, &fault))
        return orderly ? CLI_OK : cli_fail(cli, "the editor went away without saying so");
    if (fault)
        return cli_fail(cli, "%s", fault);
    return orderly ? CLI_OK : CLI_FAILURE;
}

/* A command line that names what cannot be read is told so at once, and not in a window. */
static int check_base(struct server *server) {
    const char *base = options_text(server->cli->options, "base");
    struct arena *arena;
    struct dsl_base unused;
    int code;
    if (!base || !*base)
        return CLI_OK;
    if (strlen(base) > LSP_BASE_LEN_MAX)
        return cli_usage(server->cli, "--base: the path is longer than %d bytes", LSP_BASE_LEN_MAX);
    arena = arena_new(0, 0);
    code = dsl_base_open(server->cli, arena, &unused);
    arena_free(arena);
    if (code == CLI_OK)
        memcpy(server->base, base, strlen(base) + 1);
    return code;
}

static int lsp_run(const struct cli *cli, int argc, char **argv) {
    struct arena *arena = arena_new(0, 0);
    struct server server = { .cli = cli, .lsp = lsp_new(dsl_source_quick_language(arena)) };
    int code;
    (void)argc;
    (void)argv;
    buf_init(&server.out, LSP_OUTPUT_LEN_MAX);
    code = check_base(&server);
    if (code == CLI_OK)
        code = serve(&server);
    buf_done(&server.out);
    lsp_free(server.lsp);
    if (server.arena)
        arena_free(server.arena);
    arena_free(arena);
    return code;
}

static const struct option_spec lsp_options[] = {
    DSL_OPTION_BASE_KNOWN,
    { "stdio", 0, OPTION_FLAG, 0, NULL, "speak over standard input and output, which it does anyway" },
};

const struct command command_dsl_lsp_spec = {
    .name = "lsp",
    .summary = "serve editors: findings, completion, hover, definitions, layout",
    .usage = "vsr dsl lsp [OPTION]...",
    .details =
        "A server of the Language Server Protocol 3.17 that editors start for files of the routing language. It\n"
        "reads requests from standard input and ends with 0 when the editor says `shutdown` and `exit`, else with 1.\n"
        "The base may also be named by the editor, in initializationOptions.base, which goes before --base; it is\n"
        "read again when it changes.\n",
    .examples = "vsr dsl lsp\n"
                "vsr dsl lsp --base config.yaml\n",
    .operands = OPERANDS_NONE,
    .options = lsp_options,
    .n_options = VSR_COUNT(lsp_options),
    .run = lsp_run,
};
