/* model_embed - `vsr model embed`: vectors of texts and pictures, and how alike they are. */
#include <fcntl.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/model_row.h"
#include "cli/model_use.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "model/engine.h"
#include "model/file.h"
#include "model/model.h"
#include "nn/kernels.h"
#include "nn/picture.h"
#include "nn/sentence_files.h"
#include "nn/vision.h"

enum { OUT_LEN_MAX = 256 << 20, SHOWN_NUMBERS = 6, PROMPTS_NAMED = 16 };

static const char *const exit_norms[] = { "final", "none", NULL };

struct embed_command {
    const struct cli *cli;
    struct model_use use;
    struct engine_call *calls; /* [n]: texts, then pictures */
    vsr_str *names;            /* [n]: a text, or the name of a picture's file */
    size_t n, n_texts;
    bool has_prompt;
    vsr_str prompt; /* with has_prompt: before each text, instead of the model's default */
};

/* A picture is always as many. */
static size_t tokens_of(const struct embed_command *e, size_t i) {
    return i < e->n_texts ? e->calls[i].n_tokens : vision_tokens(model_vision(e->use.model));
}

static void print_json(const struct embed_command *e, struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_array(&w);
    for (size_t i = 0; i < e->n; i++) {
        json_write_begin_object(&w);
        json_write_key(&w, i < e->n_texts ? VSR_STR("text") : VSR_STR("image"));
        json_write_str(&w, e->names[i]);
        json_write_key(&w, VSR_STR("tokens"));
        json_write_u64(&w, tokens_of(e, i));
        json_write_key(&w, VSR_STR("dropped"));
        json_write_u64(&w, e->calls[i].n_dropped);
        json_write_key(&w, VSR_STR("embedding"));
        json_write_begin_array(&w);
        for (size_t k = 0; k < e->calls[i].width; k++)
            json_write_double(&w, (double)e->calls[i].result[k]);
        json_write_end(&w);
        json_write_end(&w);
    }
    json_write_end(&w);
    buf_append_char(out, '\n');
}

static void print_text(const struct embed_command *e, struct buf *out) {
    for (size_t i = 0; i < e->n; i++) {
        const struct engine_call *call = &e->calls[i];
        buf_printf(out, "%zu  %.*s\n   %zu dimensions:", i + 1, VSR_FMT(e->names[i]), call->width);
        for (size_t k = 0; k < call->width && k < SHOWN_NUMBERS; k++)
            buf_printf(out, " %.4f", (double)call->result[k]);
        buf_append_c(out, call->width > SHOWN_NUMBERS ? " ...\n" : "\n");
    }
    for (size_t i = 1; i < e->n; i++) {
        buf_printf(out, "%zu is like", i + 1);
        for (size_t k = 0; k < i; k++)
            buf_printf(out, "  %zu: %.4f", k + 1,
                       (double)kernel_dot(e->calls[i].result, e->calls[k].result, e->calls[i].width));
        buf_append_char(out, '\n');
    }
}

static int print_all(const struct embed_command *e) {
    struct buf out;
    int code;
    buf_init(&out, OUT_LEN_MAX);
    if (options_has(e->cli->options, "json"))
        print_json(e, &out);
    else
        print_text(e, &out);
    code = cli_finish(e->cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

/* What is put before each text. */
static int find_prompt(struct embed_command *e, struct vsr_err *err) {
    const struct sentence_files *files = model_sentence_files(e->use.model);
    const char *name = options_text(e->cli->options, "prompt"), *text = options_text(e->cli->options, "prompt-text");
    vsr_str names = VSR_STR("");
    if (name && text)
        return err_set(err, VSR_E_INVALID, "--prompt and --prompt-text exclude each other");
    e->has_prompt = name || text;
    e->prompt = str_from_c(text);
    if (!name || sentence_prompt_find(files, str_from_c(name), &e->prompt))
        return 0;
    for (size_t i = 0; i < files->n_prompts && i < PROMPTS_NAMED; i++)
        names = arena_printf(e->use.arena, "%.*s%s%.*s", VSR_FMT(names), i ? ", " : "",
                             VSR_FMT(str_sub(files->prompts[i].name, 0, 40)));
    if (names.len == 0)
        return err_set(err, VSR_E_NOT_FOUND, "the model has no prompt \"%s\", nor any other: give one by --prompt-text",
                       name);
    return err_set(err, VSR_E_NOT_FOUND, "the model has no prompt \"%s\"; it has %.*s", name, VSR_FMT(names));
}

static struct engine_call call_of(const struct embed_command *e, vsr_str text) {
    const struct options *options = e->cli->options;
    return (struct engine_call){
        .model = e->use.model,
        .text = text,
        .prompt = e->has_prompt ? &e->prompt : NULL,
        .dims = (size_t)options_number(options, "dims"),
        .layers = (size_t)options_number(options, "layers"),
        .no_exit_norm = strcmp(options_text(options, "exit-norm"), exit_norms[1]) == 0,
        .long_text = model_use_long_text(e->cli),
        .priority = PRIORITY_ROUTING,
    };
}

/* What is not as it was asked for; all calls ask for the same. */
static void warn(const struct embed_command *e) {
    const unsigned notes = e->calls[0].cut.notes;
    for (unsigned note = 1; note <= notes; note <<= 1) {
        vsr_str text;
        if (!(notes & note))
            continue;
        text = matryoshka_note_text(model_matryoshka(e->use.model), (enum matryoshka_note)note, e->use.arena);
        cli_warn(e->cli, "%.*s", VSR_FMT(text));
    }
}

/* What --image names, behind the texts. */
static int add_images(struct embed_command *e, struct vsr_err *err) {
    size_t n = options_count(e->cli->options, "image");
    for (size_t i = 0; i < n; i++) {
        const char *path = options_nth(e->cli->options, "image", i);
        struct engine_call *call = &e->calls[e->n_texts + i];
        *call = call_of(e, VSR_STR(""));
        call->prompt = NULL;
        e->names[e->n_texts + i] = str_from_c(path);
        if (file_read(e->use.arena, AT_FDCWD, path, PICTURE_LEN_MAX, &call->picture, err) < 0)
            return err_wrap(err, "%s", path);
        if (call->picture.len == 0)
            return err_set(err, VSR_E_INVALID, "%s: the picture is empty", path);
    }
    return 0;
}

static int make_calls(struct embed_command *e, const vsr_str *texts, struct vsr_err *err) {
    int rc = find_prompt(e, err);
    if (rc < 0)
        return rc;
    e->calls = ARENA_ARRAY(e->use.arena, struct engine_call, e->n);
    e->names = ARENA_ARRAY(e->use.arena, vsr_str, e->n);
    for (size_t i = 0; i < e->n_texts; i++) {
        e->calls[i] = call_of(e, texts[i]);
        e->names[i] = texts[i];
    }
    return add_images(e, err);
}

static int run_with(struct embed_command *e, int argc, char **argv) {
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str none = VSR_STR(""), *texts = &none;
    size_t n_images = options_count(e->cli->options, "image");
    int code = CLI_OK, rc;
    if (argc > 0 || n_images == 0)
        code = model_use_texts(e->cli, &e->use, argc, argv, &texts, &e->n_texts);
    if (code != CLI_OK)
        return code;
    if (model_task(e->use.model) != MODEL_EMBED)
        return cli_fail(e->cli, "the model is a classifier: try `vsr model classify`");
    if (n_images > 0 && !model_vision(e->use.model))
        return cli_fail(e->cli, "the model reads no pictures: try mom-embedding-multimodal");
    e->n = e->n_texts + n_images;
    rc = make_calls(e, texts, &err);
    if (rc < 0)
        return cli_fail_err(e->cli, &err);
    rc = engine_run(e->use.engine, e->calls, e->n, &err);
    if (rc == 0)
        warn(e);
    code = rc < 0 ? cli_fail_err(e->cli, &err) : print_all(e);
    for (size_t i = 0; i < e->n; i++)
        engine_call_done(&e->calls[i]);
    return code;
}

static int embed_run(const struct cli *cli, int argc, char **argv) {
    struct embed_command e = { .cli = cli };
    struct model_choice choice = model_use_choice(cli);
    int code;
    choice.no_strip = options_has(cli->options, "no-strip");
    code = model_use_open_with(cli, argv[0], &choice, &e.use);
    if (code == CLI_OK)
        code = run_with(&e, argc - 1, argv + 1);
    model_use_close(&e.use);
    return code;
}

static const struct option_spec embed_options[] = {
    MODEL_OPTIONS_RUN,
    MODEL_OPTIONS_LONG,
    { "prompt", 0, OPTION_TEXT, 0, "NAME",
      "a prompt of the model to put before each text, such as query; by default the one that the model names" },
    { "prompt-text", 0, OPTION_TEXT, 0, "TEXT", "the same in your own words; empty: none" },
    { "no-strip", 0, OPTION_FLAG, 0, NULL, "keep white space at both ends of a text" },
    { "dims", 0, OPTION_NUMBER, 0, "N", "cut the vectors to so many dimensions, of those that the model has", NULL,
      NULL, NULL, 1, 65536 },
    { "layers", 0, OPTION_NUMBER, 0, "N", "leave the model after so many layers, if it can be left early", NULL, NULL,
      NULL, 1, 128 },
    { "exit-norm", 0, OPTION_TEXT, 0, "NAME",
      "where a model is left early: final, which applies the norm behind its last layer, or none", "final", NULL,
      exit_norms },
    { "image", 'i', OPTION_TEXT, OPTION_FILE | OPTION_REPEATABLE, "FILE",
      "a picture (PNG, JPEG, WebP or GIF) to make a vector of, by a multi-modal model" },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON: whole vectors" },
};

const struct command command_model_embed_spec = {
    .name = "embed",
    .summary = "make vectors of texts and pictures, and compare them",
    .usage = "vsr model embed [OPTION]... NAME [TEXT]...",
    .details =
        "Prints the first numbers of each text's vector and the similarities between the texts (the products of\n"
        "their vectors); with --json the vectors. `-` reads texts from standard input, one a line. With a model that\n"
        "reads pictures, --image adds some.\n",
    .examples = "vsr model embed mom-embedding-light \"a cat\" \"a kitten\" \"a tax form\"\n"
                "vsr model embed mom-embedding-multimodal \"a cat\" \"a tax form\" --image cat.jpg\n",
    .operands = OPERANDS_TEXT,
    .operands_least = 1,
    .operands_most = MODEL_TEXTS_MAX,
    .options = embed_options,
    .n_options = VSR_COUNT(embed_options),
    .run = embed_run,
};
