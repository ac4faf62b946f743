/* model_verify - `vsr model verify`: whether the files of models are what was downloaded. */
#include "cli/cli.h"
#include "cli/model_row.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "model/duty.h"
#include "model/model.h"
#include "model/wish.h"
#include "nn/runtime.h"

enum { VERIFY_LEN_MAX = 64 << 20, VERIFY_MODELS_MAX = 64, DRAW_MS = 100 };

struct verify {
    const struct cli *cli;
    struct arena *arena;
    struct model_row *rows;
    size_t n;
    const struct duty *duty; /* NULL: of none */
    const char *name;        /* of the model that is being read */
    uint64_t bytes, drawn_ms;
};

static void progress(void *data, uint64_t n_bytes) {
    struct verify *v = data;
    uint64_t ms = clock_mono_ms();
    v->bytes += n_bytes;
    if (ms - v->drawn_ms < DRAW_MS)
        return;
    v->drawn_ms = ms;
    term_progress(v->name, v->n, v->n + 1);
}

static bool is_good(const struct model_row *row) {
    return row->present && row->completeness.n_problems == 0;
}

/* ---- whether a model serves a task */

static void add_problem(struct verify *v, struct model_row *row, struct model_problem problem) {
    struct completeness *found = &row->completeness;
    struct model_problem *all = ARENA_ARRAY(v->arena, struct model_problem, found->n_problems + 1);
    for (size_t i = 0; i < found->n_problems; i++)
        all[i] = found->problems[i];
    all[found->n_problems++] = problem;
    found->problems = all;
}

/* As a server would: its files, and those of what it adapts. */
static int open_model(const struct model_places *places, vsr_str name, struct nn_runtime *runtime, struct model **ret,
                      struct vsr_err *err) {
    const struct store_model wanted = { .name = name };
    struct wish *wish = wish_look(places, &wanted);
    struct model_options options = { .precision = PRECISION_F32, .base = wish->base };
    int rc = wish->absent.code;
    if (rc < 0)
        *err = wish->absent;
    else
        rc = model_open(runtime, wish->directory, &options, ret, err);
    wish_unref(wish);
    return rc;
}

static int check_task(struct verify *v, const struct model_places *places, struct model_row *row, vsr_str name,
                      struct vsr_err *err) {
    struct model_problem problems[DUTY_PROBLEMS_MAX];
    struct vsr_err why = VSR_ERR_NONE;
    struct nn_runtime *runtime = NULL;
    struct model *model = NULL;
    size_t n = 0;
    int rc = nn_runtime_new(&runtime, err);
    if (rc < 0)
        return rc;
    if (open_model(places, name, runtime, &model, &why) < 0)
        add_problem(v, row, (struct model_problem){ VSR_STR("loading"), arena_str(v->arena, str_from_c(why.text)) });
    else
        n = duty_check(v->duty, model, v->arena, problems);
    for (size_t i = 0; i < n; i++)
        add_problem(v, row, problems[i]);
    model_unref(model);
    nn_runtime_free(runtime);
    return 0;
}

static int check_tasks(struct verify *v, char **argv, int argc, struct vsr_err *err) {
    struct model_places places = model_row_places(v->cli, v->arena);
    int rc = 0;
    for (int i = 0; i < argc && v->duty && rc == 0; i++)
        if (is_good(&v->rows[i]))
            rc = check_task(v, &places, &v->rows[i], str_from_c(argv[i]), err);
    return rc;
}

static int look(struct verify *v, int argc, char **argv, struct vsr_err *err) {
    const struct completeness_options options = { .hashes = true, .progress = { progress, v } };
    struct model_places places = model_row_places(v->cli, v->arena);
    struct model_directory *found = NULL;
    size_t n_found = 0;
    int rc = argc > 0 ? 0 : model_directory_list(v->arena, &places, &found, &n_found, err);
    if (rc < 0)
        return rc;
    v->rows = ARENA_ARRAY(v->arena, struct model_row, (size_t)argc + n_found);
    for (int i = 0; i < argc; i++) {
        v->name = argv[i];
        model_row_find(v->arena, &places, str_from_c(argv[i]), &options, &v->rows[v->n++]);
    }
    for (size_t i = 0; i < n_found; i++) {
        v->name = found[i].path.ptr;
        model_row_from(v->arena, found[i], &options, &v->rows[v->n++]);
    }
    term_progress("", 1, 1);
    return 0;
}

static void print_json(const struct verify *v, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_array(&w);
    for (size_t i = 0; i < v->n; i++)
        model_row_json(&v->rows[i], false, &w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

/* What it was downloaded as, where that is recorded. */
static void print_origin(const struct model_row *row, struct buf *out) {
    if (row->directory.repo_id.len > 0)
        buf_printf(out, " from %.*s", VSR_FMT(row->directory.repo_id));
    if (row->directory.commit.len > 0)
        buf_printf(out, ", commit %.*s", VSR_FMT(row->directory.commit));
}

static void print_row(const struct model_row *row, bool colour, struct buf *out) {
    const struct completeness *found = &row->completeness;
    buf_printf(out, "%s%.*s%s: ", term_if(colour, is_good(row) ? TERM_GREEN : TERM_RED), VSR_FMT(row->name),
               term_if(colour, TERM_RESET));
    if (!row->present) {
        buf_printf(out, "%s\n", row->err.text);
        return;
    }
    if (found->n_problems > 0)
        buf_printf(out, "%zu problems\n", found->n_problems);
    else if (row->directory.layout == MODEL_LAYOUT_BUILTIN)
        buf_printf(out, "part of the program, version %.*s", VSR_FMT(row->directory.commit));
    else if (found->has_manifest)
        buf_printf(out, "complete, %zu files as downloaded", found->n_hashed);
    else
        buf_append_c(out, "complete; its content cannot be compared, because there is no manifest");
    if (found->n_problems == 0) {
        if (row->directory.layout != MODEL_LAYOUT_BUILTIN)
            print_origin(row, out);
        buf_append_char(out, '\n');
    }
    for (size_t i = 0; i < found->n_problems; i++)
        buf_printf(out, "  %.*s: %.*s\n", VSR_FMT(found->problems[i].file), VSR_FMT(found->problems[i].text));
}

static int print(const struct verify *v) {
    bool good = true;
    struct buf out;
    int code;
    buf_init(&out, VERIFY_LEN_MAX);
    for (size_t i = 0; i < v->n; i++)
        good = good && is_good(&v->rows[i]);
    if (options_has(v->cli->options, "json"))
        print_json(v, &out);
    else
        for (size_t i = 0; i < v->n; i++)
            print_row(&v->rows[i], v->cli->colour, &out);
    code = cli_finish(v->cli, &out, good ? CLI_OK : CLI_FAILURE);
    buf_done(&out);
    return code;
}

static int verify_run(const struct cli *cli, int argc, char **argv) {
    struct verify v = { .cli = cli, .arena = arena_new(0, 0), .name = "" };
    struct vsr_err err = VSR_ERR_NONE;
    const char *task = options_text(cli->options, "task");
    int code;
    v.duty = task ? duty_named(str_from_c(task)) : NULL; /* one of the words */
    if (task && argc == 0)
        code = cli_usage(cli, "--task is of models that are named");
    else
        code = look(&v, argc, argv, &err) < 0 || check_tasks(&v, argv, argc, &err) < 0 ? cli_fail_err(cli, &err)
                                                                                       : print(&v);
    arena_free(v.arena);
    return code;
}

static const struct option_spec verify_options[] = {
    MODEL_OPTION_DIR,
    { "task", 't', OPTION_TEXT, 0, "TASK", "also load each, and check that it can serve this task",
      .words = duty_names },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_model_verify_spec = {
    .name = "verify",
    .summary = "check that models are complete and as they were downloaded",
    .usage = "vsr model verify [OPTION]... [NAME]...",
    .details =
        "Checks what `vsr model list` checks, and compares the content of every file with the hash of its\n"
        "download. Without names all models that are here. Exits with 1 when anything is wrong or absent.\n"
        "With --task the models are loaded, and their kind and labels compared with what rules of that task need.\n",
    .examples = "vsr model verify\n"
                "vsr model verify mom-embedding-light --json\n"
                "vsr model verify ./my-classifier --task domain\n",
    .operands = OPERANDS_TEXT,
    .operands_most = VERIFY_MODELS_MAX,
    .options = verify_options,
    .n_options = VSR_COUNT(verify_options),
    .run = verify_run,
};
