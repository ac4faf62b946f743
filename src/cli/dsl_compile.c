/* dsl_compile - `vsr dsl compile`: from a program to configuration, in the wrapping that a deployment takes. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/dsl_source.h"
#include "config/diag.h"
#include "config/load.h"
#include "config/yaml_edit.h"
#include "config/yaml_write.h"
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/compile.h"
#include "dsl/emit.h"

static struct emit_options resource(const struct cli *cli) {
    return (struct emit_options){ .name = str_from_c(options_text(cli->options, "name")),
                                  .namespace = str_from_c(options_text(cli->options, "namespace")),
                                  .legacy = options_has(cli->options, "crd-legacy") };
}

/* What the options ask for. */
static struct yaml_node *emit(const struct cli *cli, struct dsl_source *source) {
    const char *format = options_text(cli->options, "format");
    const struct emit_options options = resource(cli);
    struct yaml_node *document = source->base.root ? source->base.root : source->compiled;
    if (strcmp(format, "crd") == 0)
        return emit_crd(source->arena, document, &options);
    return strcmp(format, "helm") == 0 ? emit_helm(source->arena, document) : document;
}

/* ---- what is written over */

static bool is_same_file(const char *a, vsr_str b, struct arena *arena) {
    struct stat of_a, of_b;
    return b.len > 0 && stat(a, &of_a) == 0 && stat(arena_c_str(arena, b), &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

/* One with listeners, backends or settings; not a resource, values of a chart, or what else was written here before. */
static bool is_whole(const struct yaml_node *root) {
    static const char *const keys[] = { "listeners", "providers", "global" };
    for (size_t i = 0; root->kind == YAML_MAPPING && i < VSR_COUNT(keys); i++)
        if (yaml_find(root, str_from_c(keys[i])) >= 0)
            return true;
    return root->kind == YAML_MAPPING && yaml_find(root, VSR_STR("version")) >= 0 && !config_is_routing_alone(root);
}

/* Where routing alone would take the place of a configuration, all else in that would be lost. */
static int check_output(const struct cli *cli, const struct dsl_source *source) {
    const char *output = options_text(cli->options, "output");
    struct vsr_err err = VSR_ERR_NONE;
    struct dsl_base there;
    struct diag diag;
    if (!output || strcmp(output, "-") == 0 || dsl_source_is_stream(output) || access(output, F_OK) < 0 ||
        is_same_file(output, source->base.file, source->arena) || (source->base.root && is_whole(source->base.root)) ||
        dsl_base_read(source->arena, output, &there, &diag, &err) < 0 || !is_whole(there.root))
        return CLI_OK;
    return cli_usage(cli,
                     "\"%s\" is a configuration that says more than routing, and that would be lost: write to another "
                     "name, or put the program into it with --base %s",
                     output, output);
}

static int write_result(const struct cli *cli, struct dsl_source *source) {
    struct buf out;
    int code;
    bool is_tree = strcmp(options_text(cli->options, "format"), "json-ast") == 0;
    if (!is_tree && source->base.root &&
        dsl_merge(source->arena, source->language, source->base.root, source->compiled) < 0)
        return cli_fail(cli, DSL_MERGE_TOO_LARGE);
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    if (is_tree) {
        dsl_tree_json(&source->parsed, &out);
        buf_append_char(&out, '\n');
    } else {
        yaml_write(emit(cli, source), &out);
    }
    /* What holds a base holds its secrets. */
    code = dsl_source_write(cli, options_text(cli->options, "output"), &out,
                            source->base.root ? source->base.mode : dsl_source_new_mode());
    buf_done(&out);
    return code;
}

static int check_names(const struct cli *cli) {
    const struct emit_options options = resource(cli);
    if (!emit_is_name(options.name))
        return cli_usage(cli, "--name: \"%.*s\" is no name of a Kubernetes object", VSR_FMT(options.name));
    if (!emit_is_namespace(options.namespace))
        return cli_usage(cli, "--namespace: \"%.*s\" is no name of a namespace", VSR_FMT(options.namespace));
    return CLI_OK;
}

static int compile_run(const struct cli *cli, int argc, char **argv) {
    struct dsl_source source;
    int code = check_names(cli);
    (void)argc; /* exactly one, by the table */
    if (code != CLI_OK)
        return code;
    code = dsl_source_open_program(cli, argv[0], &source);
    if (code == CLI_OK)
        code = check_output(cli, &source);
    if (code == CLI_OK) {
        dsl_source_examine(&source);
        dsl_source_complain(cli, &source);
        code = dsl_source_code(&source, options_has(cli->options, "strict"));
    }
    if (code == CLI_OK)
        code = write_result(cli, &source);
    dsl_source_done(&source);
    return code;
}

static const char *const formats[] = { "yaml", "crd", "helm", "json-ast", NULL };

static const struct option_spec compile_options[] = {
    DSL_OPTION_OUTPUT,
    DSL_OPTION_BASE,
    { "format", 'f', OPTION_TEXT, 0, "FORMAT",
      "yaml; crd, a SemanticRouter resource; helm, values of a chart; json-ast, the tree for tools", "yaml",
      .words = formats },
    { "name", 0, OPTION_TEXT, 0, "NAME", "of the resource", "router" },
    { "namespace", 0, OPTION_TEXT, 0, "NAME", "of the resource", "default" },
    { "crd-legacy", 0, OPTION_FLAG, 0, NULL, "in the resource also the flat keys that older operators read" },
    DSL_OPTION_STRICT,
};

const struct command command_dsl_compile_spec = {
    .name = "compile",
    .summary = "turn a program into configuration",
    .usage = "vsr dsl compile [OPTION]... FILE",
    .details = "Prints the keys `routing`, `entrypoints` and `recipes` that the program stands for. With --base the "
               "result is\n"
               "that configuration with its routing replaced: comments and all other keys stay, and so does what the\n"
               "language cannot say of decisions and models that are still there. Findings go to standard error; with\n"
               "errors nothing is written, and routing alone is not written over a configuration that says more.\n",
    .examples = "vsr dsl compile policy.dsl\n"
                "vsr dsl compile --base config.yaml -o config.yaml policy.dsl\n"
                "vsr dsl compile --format crd --name edge policy.dsl | kubectl apply -f -\n",
    .operands = OPERANDS_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .options = compile_options,
    .n_options = VSR_COUNT(compile_options),
    .run = compile_run,
};
