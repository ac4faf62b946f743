/* model_show - `vsr model show`: what is known about models, and what they take in memory. */
#include "cli/cli.h"
#include "cli/model_memory.h"
#include "cli/model_row.h"
#include "cli/model_use.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "model/builtin.h"
#include "model/catalogue.h"

enum { SHOW_LEN_MAX = 16 << 20, LABEL_WIDTH = 12 };

static void field(struct buf *out, const char *label, vsr_str value) {
    if (value.len > 0)
        buf_printf(out, "%-*s %.*s\n", LABEL_WIDTH, label, VSR_FMT(value));
}

static void fields(struct buf *out, const char *label, const char *const *values, size_t max) {
    for (size_t i = 0; i < max && values[i]; i++)
        if (i == 0)
            buf_printf(out, "%-*s %s", LABEL_WIDTH, label, values[i]);
        else
            buf_printf(out, ", %s", values[i]);
    if (values[0])
        buf_append_char(out, '\n');
}

static void print_record(const struct model_record *record, struct buf *out) {
    field(out, "purpose", str_from_c(model_purpose_name(record->purpose)));
    field(out, "what", str_from_c(record->description));
    field(out, "repository", str_from_c(record->repo_id));
    if (record->gated)
        field(out, "gated", VSR_STR("its terms must be accepted at the hub first"));
    field(out, "means", str_from_c(record->capability));
    field(out, "parameters", str_from_c(record->parameter_size));
    field(out, "adapts", str_from_c(record->base_repo_id));
    if (record->embedding_dim > 0)
        buf_printf(out, "%-*s %u\n", LABEL_WIDTH, "dimensions", record->embedding_dim);
    if (record->num_classes > 0)
        buf_printf(out, "%-*s %u\n", LABEL_WIDTH, "classes", record->num_classes);
    buf_printf(out, "%-*s %u tokens", LABEL_WIDTH, "context", record->max_context_length);
    if (record->base_model_max_context != record->max_context_length)
        buf_printf(out, ", the trunk takes %u", record->base_model_max_context);
    buf_append_char(out, '\n');
    fields(out, "aliases", record->aliases, CATALOGUE_ALIASES_MAX);
    fields(out, "tags", record->tags, CATALOGUE_TAGS_MAX);
}

/* Finding it has opened it. */
static void print_builtin(const struct model_row *row, struct buf *out) {
    const struct builtin_model *model;
    if (builtin_open(row->directory.path, &model, NULL) < 0)
        return;
    field(out, "location", VSR_STR("part of the program"));
    field(out, "version", model->version);
    field(out, "type", row->completeness.model_type);
    buf_printf(out, "%-*s %zu\n", LABEL_WIDTH, model->n_labels ? "classes" : "dimensions", model->width);
    for (size_t i = 0; i < model->n_labels; i++)
        buf_printf(out, "%-*s %.*s\n", LABEL_WIDTH, i ? "" : "labels", VSR_FMT(model->labels[i]));
    buf_printf(out, "%-*s %llu bytes, those of the trunk among them\n", LABEL_WIDTH, "weights",
               (unsigned long long)row->completeness.weight_bytes);
}

static void print_text(const struct model_row *row, bool colour, struct buf *out) {
    const struct completeness *found = &row->completeness;
    const char *state = model_row_state(row);
    buf_printf(out, "%s%.*s%s: %s%s%s\n", term_if(colour, TERM_BOLD), VSR_FMT(row->name), term_if(colour, TERM_RESET),
               term_if(colour, row->present && found->n_problems == 0 ? TERM_GREEN : TERM_RED), state,
               term_if(colour, TERM_RESET));
    if (row->record)
        print_record(row->record, out);
    if (!row->present) {
        buf_printf(out, "\n%s\n", row->err.text);
        return;
    }
    if (row->directory.layout == MODEL_LAYOUT_BUILTIN) {
        print_builtin(row, out);
        return;
    }
    field(out, "location", row->directory.path);
    field(out, "from", row->directory.repo_id);
    field(out, "commit", row->directory.commit);
    field(out, "type", found->model_type);
    buf_printf(out, "%-*s %llu bytes%s\n", LABEL_WIDTH, "weights", (unsigned long long)found->weight_bytes,
               found->adapter ? ", an adapter" : "");
    field(out, "manifest", found->has_manifest ? VSR_STR("") : VSR_STR("none: its content cannot be verified"));
    for (size_t i = 0; i < found->n_problems; i++)
        buf_printf(out, "%s%.*s%s: %.*s\n", term_if(colour, TERM_RED), VSR_FMT(found->problems[i].file),
                   term_if(colour, TERM_RESET), VSR_FMT(found->problems[i].text));
}

struct show {
    const struct cli *cli;
    struct arena *arena;
    struct model_row *rows;
    size_t n;
    struct model_use use; /* with --memory: all of them, loaded */
    bool memory;
};

static int find_rows(struct show *s, char **names) {
    const struct completeness_options options = { 0 };
    struct model_places places = model_row_places(s->cli, s->arena);
    s->rows = ARENA_ARRAY(s->arena, struct model_row, s->n);
    for (size_t i = 0; i < s->n; i++) {
        model_row_find(s->arena, &places, str_from_c(names[i]), &options, &s->rows[i]);
        if (!s->rows[i].present && !s->rows[i].record)
            return cli_fail_err(s->cli, &s->rows[i].err);
    }
    return CLI_OK;
}

/* One that is no adapter is told so when it is opened. */
static int check_base(const struct show *s) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->rows[i].completeness.adapter;
    if (n > 0 || s->n == 1 || !options_text(s->cli->options, "base"))
        return CLI_OK;
    return cli_fail(s->cli, "none of the %zu models is an adapter: they have no base", s->n);
}

static int load(struct show *s, char **names) {
    const struct model_choice choice = { .precision = model_use_precision(s->cli),
                                         .threads = 1,
                                         .one_of_several = s->n > 1 };
    int code = check_base(s);
    if (code == CLI_OK)
        code = model_use_open_with(s->cli, names[0], &choice, &s->use);
    for (size_t i = 1; i < s->n && code == CLI_OK; i++)
        code = model_use_open_beside(s->cli, &s->use, names[i]);
    return code;
}

static void print_rows_json(const struct show *s, struct buf *out) {
    bool one = s->n == 1 && !s->memory;
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    if (!one) {
        json_write_begin_object(&w);
        json_write_key(&w, VSR_STR("models"));
        json_write_begin_array(&w);
    }
    for (size_t i = 0; i < s->n; i++)
        model_row_json(&s->rows[i], true, &w);
    if (!one)
        json_write_end(&w);
    if (s->memory)
        model_memory_json(&s->use, &w);
    if (!one)
        json_write_end(&w);
    buf_append_char(out, '\n');
}

static void print_rows(const struct show *s, struct buf *out) {
    for (size_t i = 0; i < s->n; i++) {
        buf_append_c(out, i > 0 ? "\n" : "");
        print_text(&s->rows[i], s->cli->colour, out);
    }
    if (!s->memory)
        return;
    buf_append_char(out, '\n');
    model_memory_text(&s->use, out);
}

static int show_run(const struct cli *cli, int argc, char **argv) {
    struct show s = { .cli = cli, .arena = arena_new(0, 0), .n = (size_t)argc };
    struct buf out;
    int code = find_rows(&s, argv);
    s.memory = options_has(cli->options, "memory");
    if (code == CLI_OK && s.memory)
        code = load(&s, argv);
    if (code == CLI_OK) {
        buf_init(&out, SHOW_LEN_MAX);
        if (options_has(cli->options, "json"))
            print_rows_json(&s, &out);
        else
            print_rows(&s, &out);
        code = cli_finish(cli, &out, CLI_OK);
        buf_done(&out);
    }
    model_use_close(&s.use);
    arena_free(s.arena);
    return code;
}

static const struct option_spec show_options[] = {
    MODEL_OPTIONS_LOAD,
    MODEL_OPTION_MEMORY("load the models together, and say what they take in memory and what of it they share"),
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON; of several models, or with --memory, an object of both" },
};

const struct command command_model_show_spec = {
    .name = "show",
    .summary = "say what is known about models",
    .usage = "vsr model show [OPTION]... NAME...",
    .details =
        "NAME is a name or alias of the catalogue, a repository (OWNER/NAME) or a directory. Shows what the catalogue\n"
        "knows, where the files lie, and what is wrong with them. Exits with 1 for a model that is neither known nor\n"
        "here. With --memory the models are loaded into one process, where weights that are alike are held once.\n",
    .examples = "vsr model show mom-embedding-light\n"
                "vsr model show ./my-classifier --json\n"
                "vsr model show --memory mmbert32k-intent-merged mmbert32k-pii-merged\n",
    .operands = OPERANDS_TEXT,
    .operands_least = 1,
    .operands_most = MODEL_BESIDE_MAX,
    .options = show_options,
    .n_options = VSR_COUNT(show_options),
    .run = show_run,
};
