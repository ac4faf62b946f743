#include "cli/model_use.h"

#include <stdio.h>
#include <string.h>

#include "cli/model_row.h"
#include "core/arena.h"
#include "core/mem.h"
#include "model/engine.h"
#include "model/model.h"
#include "nn/lora.h"
#include "nn/runtime.h"

const char *const model_long_texts[] = { "chunk", "sample", "truncate", NULL };
const char *const model_precisions[] = { "f32", "bf16", "int8", NULL };

static int find(const struct cli *cli, struct arena *arena, vsr_str name, vsr_str *ret) {
    const struct completeness_options options = { 0 };
    struct model_places places = model_row_places(cli, arena);
    struct model_row row;
    model_row_find(arena, &places, name, &options, &row);
    if (!row.present && row.record)
        return cli_fail(cli, "%.*s is not here; get it by `vsr model pull %.*s`", VSR_FMT(row.name), VSR_FMT(name));
    if (!row.present)
        return cli_fail_err(cli, &row.err);
    *ret = row.directory.path;
    return CLI_OK;
}

int model_use_find(const struct cli *cli, const char *name, struct model_use *ret) {
    *ret = (struct model_use){ .arena = arena_new(0, 0) };
    return find(cli, ret->arena, str_from_c(name), &ret->directory);
}

/* The option, else what the adapter's own file names. */
static int find_base(const struct cli *cli, struct arena *arena, vsr_str directory, bool one_of_several, vsr_str *ret) {
    const char *given = options_text(cli->options, "base");
    struct vsr_err err = VSR_ERR_NONE;
    struct lora *lora;
    vsr_str name;
    if (!lora_is_adapter(directory))
        return given && !one_of_several ? cli_fail(cli, "%.*s is no adapter: it has no base", VSR_FMT(directory))
                                        : CLI_OK;
    if (given)
        return find(cli, arena, str_from_c(given), ret);
    if (lora_open(directory, &lora, &err) < 0)
        return cli_fail_err(cli, &err);
    name = arena_str(arena, lora->base);
    lora_free(lora);
    if (name.len == 0)
        return cli_fail(cli, "the adapter does not say what it adapts: give --base");
    if (!model_directory_is_public(name))
        return cli_fail(cli, "the adapter names \"%.*s\", a path of the machine that it was made on: give --base",
                        VSR_FMT(str_sub(name, 0, 128)));
    return find(cli, arena, name, ret);
}

static struct model_options options_of(const struct cli *cli, const struct model_choice *choice, vsr_str base) {
    const char *device = options_text(cli->options, "device");
    return (struct model_options){ .precision = choice->precision,
                                   .tokens_max = choice->tokens_max,
                                   .base = base,
                                   .no_strip = choice->no_strip,
                                   .device = device ? str_from_c(device) : VSR_STR("") };
}

static void warn(const struct cli *cli, const struct model *model) {
    vsr_str text;
    for (size_t i = 0; (text = model_warning(model, i)).len > 0; i++)
        cli_warn(cli, "model %.*s: %.*s", VSR_FMT(model_directory_of(model)), VSR_FMT(text));
}

static int start(const struct cli *cli, struct model_use *use, const struct model_choice *choice, struct vsr_err *err) {
    const struct model_options model = options_of(cli, choice, use->base);
    const struct engine_options engine = { .threads = choice->threads, .cache_len_max = choice->cache_len_max };
    int rc = nn_runtime_new(&use->runtime, err);
    if (rc == 0)
        rc = model_open(use->runtime, use->directory, &model, &use->model, err);
    if (rc == 0)
        rc = engine_new(use->runtime, &engine, &use->engine, err);
    return rc;
}

int model_use_open_with(const struct cli *cli, const char *name, const struct model_choice *choice,
                        struct model_use *ret) {
    struct vsr_err err = VSR_ERR_NONE;
    int code = model_use_find(cli, name, ret);
    if (code == CLI_OK)
        code = find_base(cli, ret->arena, ret->directory, choice->one_of_several, &ret->base);
    if (code != CLI_OK)
        return code;
    if (start(cli, ret, choice, &err) < 0)
        return cli_fail_err(cli, &err);
    warn(cli, ret->model);
    return CLI_OK;
}

enum precision model_use_precision(const struct cli *cli) {
    enum precision precision = precision_default();
    const char *word = options_text(cli->options, "precision");
    if (word)
        (void)precision_named(str_from_c(word), &precision); /* one of the allowed words */
    return precision;
}

struct model_choice model_use_choice(const struct cli *cli) {
    return (struct model_choice){ .precision = model_use_precision(cli),
                                  .tokens_max = (size_t)options_number(cli->options, "max-tokens"),
                                  .threads = model_use_threads(cli) };
}

int model_use_open(const struct cli *cli, const char *name, struct model_use *ret) {
    const struct model_choice choice = model_use_choice(cli);
    return model_use_open_with(cli, name, &choice, ret);
}

enum long_text model_use_long_text(const struct cli *cli) {
    enum long_text long_text = LONG_TEXT_TRUNCATE;
    (void)long_text_named(str_from_c(options_text(cli->options, "long-text")), &long_text); /* one of the words */
    return long_text;
}

int model_use_open_beside(const struct cli *cli, struct model_use *use, const char *name) {
    const struct model_choice choice = { .precision = model_precision(use->model) };
    struct model_options options;
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str directory = { 0 }, base = { 0 };
    int code;
    if (use->n_beside == MODEL_BESIDE_MAX)
        return cli_fail(cli, "more than %d models", MODEL_BESIDE_MAX + 1);
    code = find(cli, use->arena, str_from_c(name), &directory);
    if (code == CLI_OK)
        code = find_base(cli, use->arena, directory, true, &base);
    if (code != CLI_OK)
        return code;
    options = options_of(cli, &choice, base);
    if (model_open(use->runtime, directory, &options, &use->beside[use->n_beside], &err) < 0)
        return cli_fail_err(cli, &err);
    warn(cli, use->beside[use->n_beside++]);
    return CLI_OK;
}

static int stack(const struct cli *cli, struct model_use *use, const char *name) {
    struct model_options options = { .stacked_on = use->model,
                                     .tokens_max = (size_t)options_number(cli->options, "max-tokens") };
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str directory = { 0 };
    int code;
    if (use->n_beside == MODEL_BESIDE_MAX)
        return cli_fail(cli, "more than %d adapters", MODEL_BESIDE_MAX);
    code = find(cli, use->arena, str_from_c(name), &directory);
    if (code != CLI_OK)
        return code;
    if (model_open(use->runtime, directory, &options, &use->beside[use->n_beside], &err) < 0)
        return cli_fail_err(cli, &err);
    warn(cli, use->beside[use->n_beside++]);
    return CLI_OK;
}

int model_use_stack(const struct cli *cli, struct model_use *use) {
    int code = CLI_OK;
    for (size_t i = 0; i < options_count(cli->options, "adapter") && code == CLI_OK; i++)
        code = stack(cli, use, options_nth(cli->options, "adapter", i));
    return code;
}

size_t model_use_threads(const struct cli *cli) {
    size_t given = (size_t)options_number(cli->options, "threads");
    return given ? given : engine_threads_default();
}

void model_use_close(struct model_use *use) {
    engine_free(use->engine);
    for (size_t i = 0; i < use->n_beside; i++)
        model_unref(use->beside[i]);
    model_unref(use->model);
    nn_runtime_free(use->runtime);
    arena_free(use->arena);
    *use = (struct model_use){ .arena = NULL };
}

/* ---- texts */

struct texts {
    struct arena *arena;
    vsr_str *items;
    size_t n;
};

static int add_text(const struct cli *cli, struct texts *texts, vsr_str text) {
    if (texts->n == MODEL_TEXTS_MAX)
        return cli_fail(cli, "more than %d texts", MODEL_TEXTS_MAX);
    texts->items[texts->n++] = arena_str(texts->arena, text);
    return CLI_OK;
}

static int add_lines(const struct cli *cli, struct texts *texts) {
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    int code = CLI_OK;
    while (code == CLI_OK && (len = getline(&line, &cap, stdin)) >= 0) {
        if (len > 0 && line[len - 1] == '\n')
            len--;
        code = len > MODEL_TEXT_LEN_MAX ? cli_fail(cli, "a line is longer than %d bytes", MODEL_TEXT_LEN_MAX)
                                        : add_text(cli, texts, str_make(line, (size_t)len));
    }
    mem_free(line);
    return code;
}

int model_use_texts(const struct cli *cli, struct model_use *use, int argc, char **argv, vsr_str **ret, size_t *ret_n) {
    struct texts texts = { .arena = use->arena };
    int code = CLI_OK;
    texts.items = ARENA_ARRAY(use->arena, vsr_str, MODEL_TEXTS_MAX);
    for (int i = 0; i < argc && code == CLI_OK; i++)
        code = strcmp(argv[i], "-") == 0 ? add_lines(cli, &texts) : add_text(cli, &texts, str_from_c(argv[i]));
    if (code == CLI_OK && texts.n == 0)
        code = cli_fail(cli, "there is no text");
    *ret = texts.items;
    *ret_n = texts.n;
    return code;
}
