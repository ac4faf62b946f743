/* model_tokenize - `vsr model tokenize`: what a model's tokenizer makes of a text. */
#include "cli/cli.h"
#include "cli/model_row.h"
#include "cli/model_use.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "model/builtin.h"
#include "text/tokenizer.h"

enum { OUT_LEN_MAX = 256 << 20, ID_WIDTH = 8, PLACE_WIDTH = 12 };

struct tokenize {
    const struct cli *cli;
    struct model_use use;
    const struct tokenizer *tokenizer;
    struct tokenizer_scratch *scratch;
    struct tokenizer_options options;
};

static void print_json(const struct tokenize *t, vsr_str text, const struct encoding *encoding, struct json_writer *w) {
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("text"));
    json_write_str(w, text);
    json_write_key(w, VSR_STR("dropped"));
    json_write_u64(w, encoding->n_dropped);
    json_write_key(w, VSR_STR("tokens"));
    json_write_begin_array(w);
    for (size_t i = 0; i < encoding->n; i++) {
        json_write_begin_object(w);
        json_write_key(w, VSR_STR("id"));
        json_write_u64(w, encoding->ids[i]);
        json_write_key(w, VSR_STR("token"));
        json_write_str(w, tokenizer_token(t->tokenizer, encoding->ids[i]));
        json_write_key(w, VSR_STR("start"));
        json_write_u64(w, encoding->starts[i]);
        json_write_key(w, VSR_STR("end"));
        json_write_u64(w, encoding->ends[i]);
        json_write_end(w);
    }
    json_write_end(w);
    json_write_end(w);
}

static void print_text(const struct tokenize *t, const struct encoding *encoding, struct buf *out) {
    for (size_t i = 0; i < encoding->n; i++) {
        vsr_str token = tokenizer_token(t->tokenizer, encoding->ids[i]);
        char place[32] = "";
        if (encoding->sequences[i] != ENCODING_TEMPLATE)
            (void)snprintf(place, sizeof(place), "%u-%u", encoding->starts[i], encoding->ends[i]);
        buf_printf(out, "%*u %*s  %.*s\n", ID_WIDTH, encoding->ids[i], PLACE_WIDTH, place, VSR_FMT(token));
    }
    buf_printf(out, "%zu tokens", encoding->n);
    if (encoding->n_dropped)
        buf_printf(out, ", %zu more were cut off", encoding->n_dropped);
    buf_append_char(out, '\n');
}

static int print_all(struct tokenize *t, const vsr_str *texts, size_t n) {
    bool json = options_has(t->cli->options, "json");
    struct vsr_err err = VSR_ERR_NONE;
    struct json_writer w;
    struct buf out;
    int rc = 0, code;
    buf_init(&out, OUT_LEN_MAX);
    json_write_init_pretty(&w, &out, 2);
    if (json)
        json_write_begin_array(&w);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct encoding encoding;
        rc = tokenizer_encode(t->tokenizer, t->scratch, texts[i], &t->options, &encoding, &err);
        if (rc == 0 && json)
            print_json(t, texts[i], &encoding, &w);
        else if (rc == 0)
            print_text(t, &encoding, &out);
    }
    if (json) {
        json_write_end(&w);
        buf_append_char(&out, '\n');
    }
    code = rc < 0 ? cli_fail_err(t->cli, &err) : cli_finish(t->cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

static int open_tokenizer(struct tokenize *t, struct vsr_err *err) {
    struct tokenizer *tokenizer;
    int rc;
    if (builtin_is(t->use.directory)) { /* finding it has opened it */
        t->tokenizer = builtin_tokenizer();
        return 0;
    }
    rc = tokenizer_open(t->use.arena, t->use.directory, &tokenizer, err);
    if (rc == 0)
        t->tokenizer = tokenizer;
    return rc;
}

static int run_with(struct tokenize *t, int argc, char **argv) {
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str *texts;
    size_t n;
    int code;
    if (open_tokenizer(t, &err) < 0)
        return cli_fail_err(t->cli, &err);
    code = model_use_texts(t->cli, &t->use, argc, argv, &texts, &n);
    if (code != CLI_OK)
        return code;
    t->scratch = tokenizer_scratch_new();
    t->options.tokens_max = (size_t)options_number(t->cli->options, "tokens-max");
    t->options.bare = options_has(t->cli->options, "bare");
    return print_all(t, texts, n);
}

static int tokenize_run(const struct cli *cli, int argc, char **argv) {
    struct tokenize t = { .cli = cli };
    int code = model_use_find(cli, argv[0], &t.use);
    if (code == CLI_OK)
        code = run_with(&t, argc - 1, argv + 1);
    tokenizer_scratch_free(t.scratch);
    model_use_close(&t.use);
    return code;
}

static const struct option_spec tokenize_options[] = {
    MODEL_OPTION_DIR,
    { "tokens-max", 0, OPTION_NUMBER, 0, "N", "cut after so many tokens", NULL, NULL, NULL, 1, 1 << 20 },
    { "bare", 0, OPTION_FLAG, 0, NULL, "without the tokens that the model adds" },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_model_tokenize_spec = {
    .name = "tokenize",
    .summary = "show the tokens of a text",
    .usage = "vsr model tokenize [OPTION]... NAME TEXT...",
    .details =
        "Prints id, place in the text (bytes) and spelling of each token; `-` reads texts from standard input, one a\n"
        "line. Needs the tokenizer's file only, no weights.\n",
    .examples = "vsr model tokenize mom-embedding-light \"What is deep learning?\"\n",
    .operands = OPERANDS_TEXT,
    .operands_least = 2,
    .operands_most = MODEL_TEXTS_MAX,
    .options = tokenize_options,
    .n_options = VSR_COUNT(tokenize_options),
    .run = tokenize_run,
};
