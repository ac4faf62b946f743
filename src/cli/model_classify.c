/* model_classify - `vsr model classify`: what a classifier says of texts, or a tagger of parts of them. */
#include "cli/cli.h"
#include "cli/model_memory.h"
#include "cli/model_row.h"
#include "cli/model_use.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "model/bio.h"
#include "model/engine.h"
#include "model/model.h"

enum { OUT_LEN_MAX = 256 << 20, TOP = 3, DECIMALS = 4 };

/* A model that is asked. */
struct asked {
    const bool *risk; /* [classes]; NULL: none was named */
    struct model *model;
    const char *adapter; /* as it was named; NULL: the model is asked itself */
    struct bio *bio;     /* of a tagger */
};

struct classify {
    const struct cli *cli;
    struct model_use use;
    struct asked *asked;
    size_t n_asked;
    const char *rule; /* of rules[] */
    vsr_str *texts;
    struct engine_call *calls; /* [n][n_asked] */
    size_t n;
};

static const char *const rules[] = { "lenient", "strict", "viterbi", "model", NULL };

/* "model": as signals ask it. */
static enum bio_rule rule_of(const struct classify *c, const struct asked *asked) {
    if (strcmp(c->rule, "model") == 0)
        return model_bio_rule(asked->model);
    for (enum bio_rule rule = BIO_LENIENT; rule < BIO_VITERBI; rule++)
        if (strcmp(c->rule, rules[rule]) == 0)
            return rule;
    return BIO_VITERBI;
}

/* ---- spans */

/* The tokens of the text alone, without those of the template. */
static size_t spans_of(const struct classify *c, const struct asked *asked, const struct engine_call *call,
                       struct bio_span **ret) {
    struct arena *arena = c->use.arena;
    float *probabilities = ARENA_ARRAY(arena, float, call->n_tokens * call->width);
    uint32_t *starts = ARENA_ARRAY(arena, uint32_t, call->n_tokens);
    uint32_t *ends = ARENA_ARRAY(arena, uint32_t, call->n_tokens);
    struct bio_tokens tokens = { probabilities, starts, ends, 0 };
    uint8_t tagged = call->is_pair ? 1 : 0;
    for (size_t i = 0; i < call->n_tokens; i++) {
        if (call->sequences[i] != tagged)
            continue;
        memcpy(probabilities + tokens.n * call->width, call->result + i * call->width,
               call->width * sizeof(*probabilities));
        starts[tokens.n] = call->starts[i];
        ends[tokens.n++] = call->ends[i];
    }
    return bio_decode(asked->bio, rule_of(c, asked), call->is_pair ? call->second : call->text, &tokens, arena, ret);
}

/* ---- printing */

static vsr_str label_of(const struct asked *asked, size_t class) {
    return model_labels(asked->model)->names[class];
}

static void spans_json(const struct classify *c, const struct asked *asked, const struct engine_call *call,
                       struct json_writer *w) {
    struct bio_span *spans;
    size_t n = spans_of(c, asked, call, &spans);
    json_write_key(w, VSR_STR("spans"));
    json_write_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_write_begin_object(w);
        json_write_key(w, VSR_STR("type"));
        json_write_str(w, bio_type(asked->bio, spans[i].type));
        json_write_key(w, VSR_STR("start"));
        json_write_u64(w, spans[i].start);
        json_write_key(w, VSR_STR("end"));
        json_write_u64(w, spans[i].end);
        json_write_key(w, VSR_STR("confidence"));
        json_write_double(w, (double)spans[i].mean);
        json_write_end(w);
    }
    json_write_end(w);
}

static void classes_json(const struct asked *asked, const struct engine_call *call, struct json_writer *w) {
    json_write_key(w, VSR_STR("probabilities"));
    json_write_begin_object(w);
    for (size_t i = 0; i < call->width; i++) {
        json_write_key(w, label_of(asked, i));
        json_write_double(w, (double)call->result[i]);
    }
    json_write_end(w);
}

/* Members of an object. */
static void answer_json(const struct classify *c, const struct asked *asked, const struct engine_call *call,
                        struct json_writer *w) {
    json_write_key(w, VSR_STR("tokens"));
    json_write_u64(w, call->n_tokens);
    json_write_key(w, VSR_STR("dropped"));
    json_write_u64(w, call->n_dropped);
    if (asked->bio)
        spans_json(c, asked, call, w);
    else
        classes_json(asked, call, w);
}

static void adapters_json(const struct classify *c, const struct engine_call *calls, struct json_writer *w) {
    json_write_key(w, VSR_STR("adapters"));
    json_write_begin_array(w);
    for (size_t i = 0; i < c->n_asked; i++) {
        json_write_begin_object(w);
        json_write_key(w, VSR_STR("adapter"));
        json_write_str(w, str_from_c(c->asked[i].adapter));
        answer_json(c, &c->asked[i], &calls[i], w);
        json_write_end(w);
    }
    json_write_end(w);
}

static void print_json(const struct classify *c, struct buf *out) {
    struct json_writer w;
    bool memory = options_has(c->cli->options, "memory");
    json_write_init_pretty(&w, out, 2);
    if (memory) {
        json_write_begin_object(&w);
        json_write_key(&w, VSR_STR("answers"));
    }
    json_write_begin_array(&w);
    for (size_t i = 0; i < c->n; i++) {
        const struct engine_call *calls = c->calls + i * c->n_asked;
        json_write_begin_object(&w);
        json_write_key(&w, VSR_STR("text"));
        json_write_str(&w, c->texts[i]);
        if (c->asked[0].adapter)
            adapters_json(c, calls, &w);
        else
            answer_json(c, &c->asked[0], calls, &w);
        json_write_end(&w);
    }
    json_write_end(&w);
    if (memory) {
        model_memory_json(&c->use, &w);
        json_write_end(&w);
    }
    buf_append_char(out, '\n');
}

static void spans_text(const struct classify *c, const struct asked *asked, const struct engine_call *call,
                       struct buf *out) {
    vsr_str text = call->is_pair ? call->second : call->text;
    struct bio_span *spans;
    size_t n = spans_of(c, asked, call, &spans);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "  %.*s %.*f  %u-%u  %.*s\n", VSR_FMT(bio_type(asked->bio, spans[i].type)), DECIMALS,
                   (double)spans[i].mean, spans[i].start, spans[i].end,
                   VSR_FMT(str_sub(text, spans[i].start, spans[i].end)));
    if (n == 0)
        buf_append_c(out, "  nothing\n");
}

/* The likeliest classes first; the first of equals. */
static void classes_text(const struct asked *asked, const struct engine_call *call, struct buf *out) {
    float below = 2;
    size_t last = 0;
    for (size_t k = 0; k < TOP && k < call->width; k++) {
        size_t best = call->width;
        for (size_t i = 0; i < call->width; i++) {
            float p = call->result[i];
            bool left = p < below || (p == below && k > 0 && i > last);
            if (left && (best == call->width || p > call->result[best]))
                best = i;
        }
        if (best == call->width)
            return;
        buf_printf(out, "  %.*f  %.*s\n", DECIMALS, (double)call->result[best], VSR_FMT(label_of(asked, best)));
        below = call->result[best];
        last = best;
    }
}

static void print_text(const struct classify *c, struct buf *out) {
    for (size_t i = 0; i < c->n * c->n_asked; i++) {
        const struct engine_call *call = &c->calls[i];
        const struct asked *asked = &c->asked[i % c->n_asked];
        if (i % c->n_asked == 0)
            buf_printf(out, "%.*s\n", VSR_FMT(c->texts[i / c->n_asked]));
        if (asked->adapter)
            buf_printf(out, " %s\n", asked->adapter);
        if (call->n_dropped)
            buf_printf(out, "  (%zu tokens were cut off)\n", call->n_dropped);
        if (asked->bio)
            spans_text(c, asked, call, out);
        else
            classes_text(asked, call, out);
    }
    if (options_has(c->cli->options, "memory"))
        model_memory_text(&c->use, out);
}

/* ---- running */

static int print_all(const struct classify *c) {
    struct buf out;
    int code;
    buf_init(&out, OUT_LEN_MAX);
    if (options_has(c->cli->options, "json"))
        print_json(c, &out);
    else
        print_text(c, &out);
    code = cli_finish(c->cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

/* Labels of every model that is asked. */
static int find_risk(const struct classify *c, struct asked *asked, struct vsr_err *err) {
    const struct labels *labels = model_labels(asked->model);
    size_t n = options_count(c->cli->options, "risk");
    bool *risk = ARENA_ARRAY(c->use.arena, bool, labels->n);
    for (size_t i = 0; i < n; i++) {
        const char *name = options_nth(c->cli->options, "risk", i);
        size_t found = labels_find(labels, str_from_c(name));
        if (found == LABELS_NONE)
            return err_set(err, VSR_E_NOT_FOUND, "the model has no class \"%s\"", name);
        risk[found] = true;
    }
    asked->risk = n ? risk : NULL;
    return 0;
}

static int prepare_one(struct classify *c, struct asked *asked, struct vsr_err *err) {
    const struct labels *labels = model_labels(asked->model);
    if (model_task(asked->model) == MODEL_EMBED)
        return err_set(err, VSR_E_INVALID,
                       asked->adapter ? "adapter %s is of an embedder, no classifier"
                                      : "the model is an embedder: try `vsr model embed`",
                       asked->adapter);
    if (find_risk(c, asked, err) < 0)
        return err->code;
    if (model_task(asked->model) != MODEL_TAG)
        return 0;
    return bio_build(c->use.arena, labels->names, labels->n, &asked->bio, err);
}

/* The adapters where there are some, else the model. */
static int prepare(struct classify *c, struct vsr_err *err) {
    size_t n = c->use.n_beside;
    int rc = 0;
    c->rule = options_text(c->cli->options, "bio");
    c->n_asked = n ? n : 1;
    c->asked = ARENA_ARRAY(c->use.arena, struct asked, c->n_asked);
    for (size_t i = 0; i < c->n_asked && rc == 0; i++) {
        c->asked[i] = (struct asked){ .model = n ? c->use.beside[i] : c->use.model,
                                      .adapter = n ? options_nth(c->cli->options, "adapter", i) : NULL };
        rc = prepare_one(c, &c->asked[i], err);
    }
    return rc;
}

static int run_with(struct classify *c, int argc, char **argv) {
    const char *second = options_text(c->cli->options, "pair");
    struct vsr_err err = VSR_ERR_NONE;
    int code = model_use_texts(c->cli, &c->use, argc, argv, &c->texts, &c->n), rc;
    size_t n_calls;
    if (code != CLI_OK)
        return code;
    rc = prepare(c, &err);
    if (rc < 0)
        return cli_fail_err(c->cli, &err);
    n_calls = c->n * c->n_asked;
    c->calls = ARENA_ARRAY(c->use.arena, struct engine_call, n_calls);
    for (size_t i = 0; i < n_calls; i++)
        c->calls[i] = (struct engine_call){ .model = c->asked[i % c->n_asked].model,
                                            .text = c->texts[i / c->n_asked],
                                            .second = second ? str_from_c(second) : VSR_STR(""),
                                            .is_pair = second != NULL,
                                            .long_text = model_use_long_text(c->cli),
                                            .risk = c->asked[i % c->n_asked].risk,
                                            .priority = PRIORITY_ROUTING };
    rc = engine_run(c->use.engine, c->calls, n_calls, &err);
    code = rc < 0 ? cli_fail_err(c->cli, &err) : print_all(c);
    for (size_t i = 0; i < n_calls; i++)
        engine_call_done(&c->calls[i]);
    return code;
}

static int classify_run(const struct cli *cli, int argc, char **argv) {
    struct classify c = { .cli = cli };
    int code = model_use_open(cli, argv[0], &c.use);
    if (code == CLI_OK)
        code = model_use_stack(cli, &c.use);
    if (code == CLI_OK)
        code = run_with(&c, argc - 1, argv + 1);
    model_use_close(&c.use);
    return code;
}

static const struct option_spec classify_options[] = {
    MODEL_OPTIONS_RUN,
    MODEL_OPTIONS_LONG,
    { "pair", 0, OPTION_TEXT, 0, "TEXT", "the second text of a pair: hypothesis, answer" },
    { "adapter", 'a', OPTION_TEXT, OPTION_REPEATABLE, "NAME",
      "an adapter of the model that is asked in its place, in one pass with the others" },
    { "risk", 0, OPTION_TEXT, OPTION_REPEATABLE, "LABEL",
      "a class that counts wherever it is: of a long text the window where such classes weigh most answers" },
    { "bio", 0, OPTION_TEXT, 0, "RULE",
      "how spans are made of tags: lenient, strict, viterbi, or as signals make them of this model", "model", NULL,
      rules },
    MODEL_OPTION_MEMORY("say what the model and its adapters take in memory, and what of it they share"),
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON; with --memory an object of answers and memory" },
};

const struct command command_model_classify_spec = {
    .name = "classify",
    .summary = "ask a classifier or a tagger about texts",
    .usage = "vsr model classify [OPTION]... NAME TEXT...",
    .details =
        "Prints the likeliest classes of each text, or the spans that a tagger finds, in bytes. `-` reads texts from\n"
        "standard input, one a line. With --json all probabilities. With --adapter, which may be given several times, "
        "NAME\n"
        "is the base of low-rank adapters: each of them is asked instead of it, all in one pass over the base.\n",
    .examples = "vsr model classify ./my-classifier \"Is this a question?\"\n"
                "vsr model classify mom-halugate-explainer \"It rains.\" --pair \"The street is wet.\"\n"
                "vsr model classify ./base --adapter ./intent --adapter ./pii \"Write to ann@example.com\"\n",
    .operands = OPERANDS_TEXT,
    .operands_least = 2,
    .operands_most = MODEL_TEXTS_MAX,
    .options = classify_options,
    .n_options = VSR_COUNT(classify_options),
    .run = classify_run,
};
