/* dsl_new - `vsr dsl new`: a program to begin with. Each one compiles, has no findings, and passes its own tests. */
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/config_migrate_file.h"
#include "cli/dsl_source.h"
#include "core/buf.h"

static const char routes_text[] =
    "# Which model answers which request. Check it with `vsr dsl check`, try it with `vsr dsl test`,\n"
    "# serve it with `vsr serve -c FILE --base config.yaml`: models and keys are in the base.\n"
    "\n"
    "MODEL small {\n"
    "  description: \"answers quickly\"\n"
    "}\n"
    "\n"
    "MODEL large {\n"
    "  description: \"thinks first\"\n"
    "}\n"
    "\n"
    "SIGNAL keyword proof {\n"
    "  operator: \"OR\"\n"
    "  keywords: [\"prove\", \"proof\", \"theorem\"]\n"
    "}\n"
    "\n"
    "SIGNAL keyword homework {\n"
    "  operator: \"OR\"\n"
    "  keywords: [\"homework\", \"exercise\"]\n"
    "}\n"
    "\n"
    "SIGNAL context long {\n"
    "  min_tokens: \"8K\"\n"
    "  max_tokens: \"200K\"\n"
    "}\n"
    "\n"
    "# The highest priority that matches wins.\n"
    "ROUTE hard (description = \"proofs and long texts\") {\n"
    "  PRIORITY 100\n"
    "  WHEN (keyword(\"proof\") OR context(\"long\")) AND NOT keyword(\"homework\")\n"
    "  MODEL \"large\" (reasoning = true, effort = \"high\")\n"
    "}\n"
    "\n"
    "# Without WHEN a route takes whatever is left.\n"
    "ROUTE rest {\n"
    "  PRIORITY 1\n"
    "  MODEL \"small\"\n"
    "}\n"
    "\n"
    "TEST routing {\n"
    "  \"Prove that there are infinitely many primes.\" -> hard { keyword: [\"proof\"] }\n"
    "  \"A proof for my homework, please.\" -> rest\n"
    "  \"Hello!\" -> rest\n"
    "}\n";

static const char tree_text[] = "# Questions asked in order: the first that holds decides.\n"
                                "\n"
                                "MODEL small {\n"
                                "}\n"
                                "\n"
                                "MODEL coder {\n"
                                "}\n"
                                "\n"
                                "SIGNAL keyword secret {\n"
                                "  operator: \"OR\"\n"
                                "  keywords: [\"password\", \"private key\"]\n"
                                "}\n"
                                "\n"
                                "SIGNAL keyword code {\n"
                                "  operator: \"OR\"\n"
                                "  keywords: [\"function\", \"compile\", \"stack trace\"]\n"
                                "}\n"
                                "\n"
                                "DECISION_TREE start {\n"
                                "  IF keyword(\"secret\") {\n"
                                "    NAME \"refuse\"\n"
                                "    MODEL \"small\"\n"
                                "    PLUGIN fast_response {\n"
                                "      message: \"Please leave secrets out of it.\"\n"
                                "    }\n"
                                "  }\n"
                                "  ELSE IF keyword(\"code\") {\n"
                                "    NAME \"code\"\n"
                                "    MODEL \"coder\"\n"
                                "  }\n"
                                "  ELSE {\n"
                                "    NAME \"rest\"\n"
                                "    MODEL \"small\"\n"
                                "  }\n"
                                "}\n"
                                "\n"
                                "TEST start {\n"
                                "  \"My password is hunter2\" -> refuse\n"
                                "  \"Why does this function not compile?\" -> code\n"
                                "  \"Good morning\" -> rest\n"
                                "}\n";

static const char recipes_text[] =
    "# Several profiles in one program: what a client asks for decides which one routes.\n"
    "\n"
    "MODEL small {\n"
    "}\n"
    "\n"
    "MODEL large {\n"
    "}\n"
    "\n"
    "ENTRYPOINT {\n"
    "  model_names: [\"acme/fast\"]\n"
    "  recipe: \"fast\"\n"
    "}\n"
    "\n"
    "ENTRYPOINT {\n"
    "  model_names: [\"acme/best\"]\n"
    "  recipe: \"best\"\n"
    "}\n"
    "\n"
    "# Whoever asks for no profile.\n"
    "ROUTE rest {\n"
    "  PRIORITY 1\n"
    "  MODEL \"small\"\n"
    "}\n"
    "\n"
    "RECIPE fast (description = \"answers quickly\") {\n"
    "  ROUTE all {\n"
    "    PRIORITY 1\n"
    "    MODEL \"small\"\n"
    "  }\n"
    "}\n"
    "\n"
    "RECIPE best (description = \"answers well\") {\n"
    "  SIGNAL keyword thanks {\n"
    "    operator: \"OR\"\n"
    "    keywords: [\"thanks\", \"thank you\"]\n"
    "  }\n"
    "\n"
    "  ROUTE thanks {\n"
    "    PRIORITY 10\n"
    "    WHEN keyword(\"thanks\")\n"
    "    MODEL \"small\"\n"
    "  }\n"
    "\n"
    "  ROUTE rest {\n"
    "    PRIORITY 1\n"
    "    MODEL \"large\" (reasoning = true)\n"
    "  }\n"
    "\n"
    "  TEST best {\n"
    "    \"Thank you!\" -> thanks\n"
    "    \"Why is the sky blue?\" -> rest\n"
    "  }\n"
    "}\n";

static const struct {
    const char *name, *text;
} templates[] = { { "routes", routes_text }, { "tree", tree_text }, { "recipes", recipes_text } };

static const char *const template_names[] = { "routes", "tree", "recipes", NULL };

static const char *template_text(const char *name) {
    const char *text = NULL;
    for (size_t i = 0; i < VSR_COUNT(templates); i++)
        if (strcmp(templates[i].name, name) == 0)
            text = templates[i].text;
    return text; /* the option table checked the name */
}

/* Never over something: what is there was written by somebody. */
static int write_new(const struct cli *cli, const char *file, const char *text) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = config_file_write(file, str_from_c(text), dsl_source_new_mode(), false, &err);
    if (rc == VSR_E_EXISTS)
        return cli_fail(cli, "\"%s\" exists, and is not replaced", file);
    if (rc < 0)
        (void)cli_fail_err(cli, &err);
    return rc < 0 ? CLI_IO : CLI_OK;
}

static int new_run(const struct cli *cli, int argc, char **argv) {
    const char *text = template_text(options_text(cli->options, "template"));
    struct buf out;
    int code;
    if (argc > 0 && strcmp(argv[0], "-") != 0)
        return write_new(cli, argv[0], text);
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    buf_append_c(&out, text);
    code = dsl_source_write(cli, NULL, &out, 0);
    buf_done(&out);
    return code;
}

static const struct option_spec new_options[] = {
    { "template", 't', OPTION_TEXT, 0, "NAME",
      "routes: by priority; tree: questions in order; recipes: several profiles", "routes", .words = template_names },
};

const struct command command_dsl_new_spec = {
    .name = "new",
    .summary = "write a program to begin with",
    .usage = "vsr dsl new [OPTION]... [FILE]",
    .details = "Without FILE the program is printed. A file that exists is not replaced; the exit\n"
               "code is 1 then.\n",
    .examples = "vsr dsl new policy.dsl\n"
                "vsr dsl new --template tree policy.dsl\n",
    .operands = OPERANDS_FILE,
    .operands_most = 1,
    .options = new_options,
    .n_options = VSR_COUNT(new_options),
    .run = new_run,
};
