/* model_list - `vsr model list`: the catalogue, and what of it is here. */
#include "cli/cli.h"
#include "cli/model_row.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "model/catalogue.h"

enum { LIST_LEN_MAX = 64 << 20, STATE_WIDTH = 11, BYTES_WIDTH = 9 };

struct list {
    struct arena *arena;
    struct model_places places;
    struct model_row *rows;
    size_t n;
};

/* Whether a directory is the one that a record's row speaks of already. */
static bool is_listed(const struct list *list, const struct model_directory *directory) {
    for (size_t i = 0; i < list->n; i++)
        if (list->rows[i].present && str_eq(list->rows[i].directory.path, directory->path))
            return true;
    return false;
}

static int collect(struct list *list, struct vsr_err *err) {
    const struct completeness_options options = { 0 };
    struct model_directory *found = NULL;
    size_t n_records, n_found = 0;
    const struct model_record *records = catalogue_records(&n_records);
    int rc = model_directory_list(list->arena, &list->places, &found, &n_found, err);
    if (rc < 0)
        return rc;
    list->rows = ARENA_ARRAY(list->arena, struct model_row, n_records + n_found);
    for (size_t i = 0; i < n_records; i++)
        model_row_find(list->arena, &list->places, str_from_c(records[i].local_path), &options, &list->rows[list->n++]);
    for (size_t i = 0; i < n_found; i++)
        if (!is_listed(list, &found[i]))
            model_row_from(list->arena, found[i], &options, &list->rows[list->n++]);
    return 0;
}

static bool wanted(const struct cli *cli, const struct model_row *row) {
    const char *purpose = options_text(cli->options, "purpose");
    if (options_has(cli->options, "installed") && !row->present)
        return false;
    return !purpose || (row->record && str_eq_c(str_from_c(purpose), model_purpose_name(row->record->purpose)));
}

static void print_json(const struct cli *cli, const struct list *list, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("models_dir"));
    json_write_str(&w, list->places.models_dir);
    json_write_key(&w, VSR_STR("hub_dir"));
    json_write_str(&w, list->places.hub_dir);
    json_write_key(&w, VSR_STR("models"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < list->n; i++)
        if (wanted(cli, &list->rows[i]))
            model_row_json(&list->rows[i], false, &w);
    json_write_end(&w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

static void print_row(const struct model_row *row, int name_width, bool colour, struct buf *out) {
    const char *state = model_row_state(row);
    const char *hue = !row->present ? TERM_DIM : row->completeness.n_problems > 0 ? TERM_RED : TERM_GREEN;
    char size[32] = "";
    if (row->present)
        (void)snprintf(size, sizeof(size), "%.1f MB", (double)row->completeness.weight_bytes / 1e6);
    else if (row->record && row->record->parameter_size)
        (void)snprintf(size, sizeof(size), "%.*s", (int)strcspn(row->record->parameter_size, " "),
                       row->record->parameter_size);
    buf_printf(out, "%s%-*s%s %-*.*s %*s  %s\n", term_if(colour, hue), STATE_WIDTH, state, term_if(colour, TERM_RESET),
               name_width, VSR_FMT(row->name), BYTES_WIDTH, size,
               row->record ? model_purpose_name(row->record->purpose) : "");
}

static void print_text(const struct cli *cli, const struct list *list, struct buf *out) {
    int width = 0;
    size_t n = 0, n_ready = 0;
    for (size_t i = 0; i < list->n; i++)
        if (wanted(cli, &list->rows[i]) && (int)list->rows[i].name.len > width)
            width = (int)list->rows[i].name.len;
    for (size_t i = 0; i < list->n; i++) {
        const struct model_row *row = &list->rows[i];
        if (!wanted(cli, row))
            continue;
        print_row(row, width, cli->colour, out);
        n++;
        n_ready += row->present && row->completeness.n_problems == 0;
    }
    buf_printf(out, "%s%zu models, %zu ready; models/ is \"%.*s\"\n", n > 0 ? "\n" : "", n, n_ready,
               VSR_FMT(list->places.models_dir));
}

static int list_run(const struct cli *cli, int argc, char **argv) {
    struct list list = { .arena = arena_new(0, 0) };
    struct vsr_err err = VSR_ERR_NONE;
    struct buf out;
    int code;
    (void)argc;
    (void)argv;
    list.places = model_row_places(cli, list.arena);
    if (collect(&list, &err) < 0) {
        arena_free(list.arena);
        return cli_fail_err(cli, &err);
    }
    buf_init(&out, LIST_LEN_MAX);
    if (options_has(cli->options, "json"))
        print_json(cli, &list, &out);
    else
        print_text(cli, &list, &out);
    code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    arena_free(list.arena);
    return code;
}

static const char *const purposes[] = {
#define X(name, text) text,
    MODEL_PURPOSES(X)
#undef X
        NULL
};

static const struct option_spec list_options[] = {
    MODEL_OPTION_DIR,
    { "installed", 'i', OPTION_FLAG, 0, NULL, "only those whose files are here" },
    { "purpose", 'p', OPTION_TEXT, 0, "PURPOSE", "only those for this", .words = purposes },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_model_list_spec = {
    .name = "list",
    .summary = "say which models there are, and which are here",
    .usage = "vsr model list [OPTION]...",
    .details =
        "Lists the catalogue, then models in the models directory and in the hub's cache that it does not know.\n"
        "A model is ready when its files are complete; incomplete when something is missing or damaged, which\n"
        "`vsr model show` explains; absent when it is not here. Sizes are those of the weight files; for absent\n"
        "models the number of parameters.\n",
    .examples = "vsr model list --installed\n"
                "vsr model list --purpose embedding --json\n",
    .operands = OPERANDS_NONE,
    .options = list_options,
    .n_options = VSR_COUNT(list_options),
    .run = list_run,
};
