/* config_schema - `vsr config schema`: the contract for editors and other checkers. */
#include "config/schema_json.h"

#include "cli/cli.h"
#include "cli/config_source.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"

enum { SCHEMA_LEN_MAX = 16 << 20 };

static int schema_run(const struct cli *cli, int argc, char **argv) {
    struct arena *arena = arena_new(0, 0);
    struct json_writer w;
    struct buf out;
    int code;
    (void)argc;
    (void)argv;
    buf_init(&out, SCHEMA_LEN_MAX);
    json_write_init_pretty(&w, &out, 2);
    schema_json(config_source_schema(arena), "vsr configuration, version v0.3", arena, &w);
    buf_append_char(&out, '\n');
    code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    arena_free(arena);
    return code;
}

const struct command command_config_schema_spec = {
    .name = "schema",
    .summary = "print the JSON Schema of documents",
    .usage = "vsr config schema",
    .details =
        "Draft 2020-12. Editors that know it complete keys and mark mistakes as they are typed. It sees each key\n"
        "by itself: what holds between keys, such as references to models, `vsr config validate` checks.\n",
    .examples = "vsr config schema >v0.3.schema.json\n"
                "# in a document: yaml-language-server: $schema=v0.3.schema.json\n",
    .operands = OPERANDS_NONE,
    .run = schema_run,
};
