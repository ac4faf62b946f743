/* config_docs - `vsr config docs`: the reference page, which the repository keeps as docs/configuration.md. */
#include "config/schema_docs.h"

#include "cli/cli.h"
#include "cli/config_source.h"
#include "core/arena.h"
#include "core/buf.h"

enum { DOCS_LEN_MAX = 16 << 20 };

static const char introduction[] =
    "# Configuration\n"
    "\n"
    "Every key of a `version: v0.3` document. This page is made from the tables by which vsr reads documents\n"
    "(`make docs`, or `vsr config docs`), so it cannot be out of date. [usage.md](usage.md) says how documents are\n"
    "checked, printed, compared and reloaded; [policy.md](policy.md) says what routing means by them.\n"
    "\n"
    "`vsr config explain PATH` shows one key of this page in the terminal, `vsr config schema` is the same for "
    "editors.\n"
    "\n"
    "## How to read it\n"
    "\n"
    "A path names a key: `routing.decisions[].priority` is the key `priority` of an entry of the list `decisions`.\n"
    "`.NAME` stands for a name of your own. A default is what holds when the key is not written; an empty cell means\n"
    "that there is nothing then. A key that is written as `null` counts as absent. Unknown keys are errors, except "
    "those\n"
    "that begin with `x-`.\n"
    "\n"
    "| type | how it is written |\n"
    "|---|---|\n"
    "| text | plain or quoted; `no` and `1e3` stay text where text is expected |\n"
    "| integer | `42`, `1_000`, `0x1F`, `0o17` |\n"
    "| number | `0.5`, `1e-3` |\n"
    "| true or false | `true`, `false`, without quotes |\n"
    "| duration | `300s`, `10ms`, `1h30m`; units `ns`, `us`, `ms`, `s`, `m`, `h`; `0` |\n"
    "| token count | `8000`, `1.5K`, `24k`, `2M` |\n"
    "| secret | text that is never printed; better a reference, or the name of a variable |\n"
    "\n"
    "Any scalar may be a reference to the environment: `$NAME`, `${NAME}`, `${NAME:-text}` (when unset or empty),\n"
    "`${NAME-text}` (when unset); `$$` is a dollar.\n";

static int docs_run(const struct cli *cli, int argc, char **argv) {
    struct arena *arena = arena_new(0, 0);
    struct buf out;
    int code;
    (void)argc;
    (void)argv;
    buf_init(&out, DOCS_LEN_MAX);
    buf_append_c(&out, introduction);
    schema_docs(config_source_schema(arena), arena, &out);
    code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    arena_free(arena);
    return code;
}

const struct command command_config_docs_spec = {
    .name = "docs",
    .summary = "print the reference page of all keys",
    .usage = "vsr config docs",
    .details = "Markdown: one section for each block, with every key, its type, default and meaning.\n",
    .examples = "vsr config docs >configuration.md\n",
    .operands = OPERANDS_NONE,
    .run = docs_run,
};
