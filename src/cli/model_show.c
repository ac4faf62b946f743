/* model_show - `vsr model show`: what is known about one model. */
#include "cli/cli.h"
#include "cli/model_row.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
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

static int show_run(const struct cli *cli, int argc, char **argv) {
    const struct completeness_options options = { 0 };
    struct arena *arena = arena_new(0, 0);
    struct model_places places = model_row_places(cli, arena);
    struct model_row row;
    struct json_writer w;
    struct buf out;
    int code;
    (void)argc; /* exactly one, by the table */
    model_row_find(arena, &places, str_from_c(argv[0]), &options, &row);
    if (!row.present && !row.record) {
        code = cli_fail_err(cli, &row.err);
        arena_free(arena);
        return code;
    }
    buf_init(&out, SHOW_LEN_MAX);
    if (options_has(cli->options, "json")) {
        json_write_init_pretty(&w, &out, 2);
        model_row_json(&row, true, &w);
        buf_append_char(&out, '\n');
    } else {
        print_text(&row, cli->colour, &out);
    }
    code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    arena_free(arena);
    return code;
}

static const struct option_spec show_options[] = {
    MODEL_OPTION_DIR,
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_model_show_spec = {
    .name = "show",
    .summary = "say what is known about one model",
    .usage = "vsr model show [OPTION]... NAME",
    .details =
        "NAME is a name or alias of the catalogue, a repository (OWNER/NAME) or a directory. Shows what the catalogue\n"
        "knows, where the files lie, and what is wrong with them. Exits with 1 for a model that is neither known nor\n"
        "here.\n",
    .examples = "vsr model show mom-embedding-light\n"
                "vsr model show ./my-classifier --json\n",
    .operands = OPERANDS_TEXT,
    .operands_least = 1,
    .operands_most = 1,
    .options = show_options,
    .n_options = VSR_COUNT(show_options),
    .run = show_run,
};
