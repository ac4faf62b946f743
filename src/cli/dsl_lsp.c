/*
 * dsl_lsp - `vsr dsl lsp`: the language server of editors, over standard input and output.
 *
 * While somebody types, changes follow each other; the program is checked in the first pause.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/dsl_source.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/fd.h"
#include "dsl/lsp.h"

enum { READ_LEN = 1 << 16, PAUSE_MS = 100 };

/* Whether there is something to read before the pause is over. */
static bool wait_for_input(bool may_pause) {
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
    int n;
    do
        n = poll(&in, 1, may_pause ? PAUSE_MS : -1);
    while (n < 0 && errno == EINTR);
    return n != 0; /* reading tells what is wrong */
}

static int send(const struct cli *cli, struct buf *out) {
    int code = CLI_OK;
    if (buf_failed(out))
        code = cli_fail(cli, "the answers are too long");
    else if (out->len > 0 && fd_write_all(STDOUT_FILENO, buf_str(out)) < 0)
        code = (cli_fail(cli, "cannot write to the editor: %s", strerror(errno)), CLI_IO);
    buf_reset(out);
    return code;
}

/* 1: went on; 0: the input ended; -1: it cannot be read. */
static int step(struct lsp *lsp, struct buf *out) {
    char bytes[READ_LEN];
    ssize_t n;
    if (!wait_for_input(lsp_is_unsettled(lsp))) {
        lsp_settle(lsp, out);
        return 1;
    }
    do
        n = read(STDIN_FILENO, bytes, sizeof(bytes));
    while (n < 0 && errno == EINTR);
    if (n > 0)
        lsp_feed(lsp, str_make(bytes, (size_t)n), out);
    return n > 0 ? 1 : n == 0 ? 0 : -1;
}

static int serve(const struct cli *cli, struct lsp *lsp, struct buf *out) {
    bool orderly;
    const char *fault;
    int code = CLI_OK, more = 1;
    while (code == CLI_OK && more > 0 && !lsp_is_over(lsp, &orderly, &fault)) {
        more = step(lsp, out);
        if (more < 0)
            return (cli_fail(cli, "cannot read from the editor: %s", strerror(errno)), CLI_IO);
        code = send(cli, out);
    }
    if (code != CLI_OK)
        return code;
    if (!lsp_is_over(lsp, &orderly, &fault))
        return orderly ? CLI_OK : cli_fail(cli, "the editor went away without saying so");
    if (fault)
        return cli_fail(cli, "%s", fault);
    return orderly ? CLI_OK : CLI_FAILURE;
}

static int lsp_run(const struct cli *cli, int argc, char **argv) {
    struct arena *arena = arena_new(0, 0);
    struct lsp *lsp = lsp_new(dsl_source_language(arena));
    struct buf out;
    int code;
    (void)argc;
    (void)argv;
    buf_init(&out, LSP_OUTPUT_LEN_MAX);
    code = serve(cli, lsp, &out);
    buf_done(&out);
    lsp_free(lsp);
    arena_free(arena);
    return code;
}

static const struct option_spec lsp_options[] = {
    { "stdio", 0, OPTION_FLAG, 0, NULL, "speak over standard input and output, which it does anyway" },
};

const struct command command_dsl_lsp_spec = {
    .name = "lsp",
    .summary = "serve editors: findings, completion, hover, definitions, layout",
    .usage = "vsr dsl lsp [--stdio]",
    .details =
        "A server of the Language Server Protocol 3.17 that editors start for files of the routing language. It\n"
        "reads requests from standard input and ends with 0 when the editor says `shutdown` and `exit`, else with 1.\n",
    .examples = "vsr dsl lsp\n",
    .operands = OPERANDS_NONE,
    .options = lsp_options,
    .n_options = VSR_COUNT(lsp_options),
    .run = lsp_run,
};
