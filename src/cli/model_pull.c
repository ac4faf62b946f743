/* model_pull - `vsr model pull`: gets models from a hub, a mirror or a directory. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/model_row.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "model/builtin.h"
#include "model/catalogue.h"
#include "model/hub.h"

enum { PULL_LEN_MAX = 1 << 20, PULL_MODELS_MAX = 64, DRAW_MS = 100 };

struct pull_command {
    const struct cli *cli;
    struct arena *arena;
    struct model_places places;
    struct hub_options options;
    const char *patterns[HUB_PATTERNS_MAX];
    const char *name; /* of the model that is being fetched */
    uint64_t drawn_ms;
};

struct pulled {
    vsr_str name, repo_id, directory;
    struct hub_result result;
    struct vsr_err err;
};

static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

static bool is_yes(const char *value) {
    static const char *const words[] = { "1", "on", "yes", "true" };
    for (size_t i = 0; i < VSR_COUNT(words); i++)
        if (str_eq_nocase(str_from_c(value), str_from_c(words[i])))
            return true;
    return false;
}

/* ---- progress */

static void progress(void *data, const struct hub_progress *now) {
    struct pull_command *c = data;
    uint64_t ms = clock_mono_ms();
    char text[128];
    if (ms - c->drawn_ms < DRAW_MS)
        return;
    c->drawn_ms = ms;
    (void)snprintf(text, sizeof(text), "%.64s, %zu of %zu files, MB", c->name, now->files_done, now->files_all);
    term_progress(text, (size_t)(now->bytes_done / 1000000), (size_t)(now->bytes_all / 1000000) + 1);
}

/* ---- what to get, and where to */

/* A catalogue name has its place; a repository outside the catalogue gets one by its name, without the owner. */
static int place_of(struct pull_command *c, struct pulled *p) {
    const char *as = options_text(c->cli->options, "as");
    vsr_str bare = p->name;
    if (as)
        return model_directory_literal(c->arena, &c->places, str_from_c(as), &p->directory, &p->err);
    if (catalogue_find(p->name) || str_starts(p->name, VSR_STR("models/")) || !model_repo_id_valid(p->name))
        return model_directory_path(c->arena, &c->places, p->name, &p->directory, &p->err);
    (void)str_split(&bare, '/'); /* the owner */
    return model_directory_literal(c->arena, &c->places, bare, &p->directory, &p->err);
}

static int repository_of(struct pull_command *c, struct pulled *p) {
    const char *repo = options_text(c->cli->options, "repo");
    p->repo_id = repo ? str_from_c(repo) : catalogue_repo(p->name, NULL, 0);
    if (p->repo_id.len == 0 && model_repo_id_valid(p->name) && !str_starts(p->name, VSR_STR("models/")))
        p->repo_id = p->name;
    if (p->repo_id.len > 0 || options_text(c->cli->options, "from"))
        return 0;
    p->result.failure = HUB_FAILURE_NOT_FOUND;
    return err_set(&p->err, VSR_E_NOT_FOUND,
                   "\"%.*s\" is not in the catalogue: see `vsr model list`, or name a repository as OWNER/NAME",
                   VSR_FMT(str_sub(p->name, 0, 128)));
}

/* The source may be the model's directory, or one in which models lie: a models directory, or a hub's cache. */
static int source_of(struct pull_command *c, struct pulled *p, vsr_str *ret_from) {
    const char *from = options_text(c->cli->options, "from");
    vsr_str dir = str_from_c(from ? from : ""), none = VSR_STR("");
    struct model_places places = { .models_dir = dir, .hub_dir = dir };
    struct model_directory found;
    struct vsr_err ignored = VSR_ERR_NONE;
    *ret_from = dir;
    if (!from || model_directory_holds(c->arena, dir))
        return 0;
    if (model_directory_find(c->arena, &places, p->name, p->repo_id, none, &found, &ignored) == 0) {
        *ret_from = found.path;
        return 0;
    }
    p->result.failure = HUB_FAILURE_NOT_FOUND;
    return err_set(&p->err, VSR_E_NOT_FOUND, "\"%s\" holds no model, and none in it is called %.*s", from,
                   VSR_FMT(str_sub(p->name, 0, 128)));
}

static int pull_one(struct pull_command *c, const char *name, struct pulled *p) {
    const struct model_record *record = catalogue_find(str_from_c(name));
    const char *revision = options_text(c->cli->options, "revision");
    struct hub_request request = { 0 };
    int rc;
    *p = (struct pulled){ .name = str_from_c(name), .err = VSR_ERR_NONE };
    c->name = name;
    p->result.failure = HUB_FAILURE_LOCAL; /* for what goes wrong before anybody is asked */
    if (builtin_is(p->name))
        return err_set(&p->err, VSR_E_INVALID, "%s is part of the program: there is nothing to get", name);
    if ((rc = place_of(c, p)) < 0 || (rc = repository_of(c, p)) < 0 || (rc = source_of(c, p, &request.from)) < 0)
        return rc;
    request.repo_id = p->repo_id;
    request.directory = p->directory;
    request.revision = str_from_c(revision ? revision : record ? record->revision : NULL);
    rc = hub_pull(c->arena, &c->options, &request, &p->result, &p->err);
    term_progress("", 1, 1);
    return rc;
}

/* ---- printing */

static void print_json(const struct pulled *p, struct json_writer *w) {
    bool failed = p->err.code < 0;
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("name"));
    json_write_str(w, p->name);
    json_write_key(w, VSR_STR("repo_id"));
    json_write_str(w, p->repo_id);
    json_write_key(w, VSR_STR("location"));
    json_write_str(w, p->directory);
    json_write_key(w, VSR_STR("commit"));
    json_write_str(w, p->result.commit);
    json_write_key(w, VSR_STR("state"));
    json_write_str(w, failed ? VSR_STR("failed") : p->result.unchanged ? VSR_STR("unchanged") : VSR_STR("ready"));
    json_write_key(w, VSR_STR("files"));
    json_write_u64(w, p->result.n_files);
    json_write_key(w, VSR_STR("bytes"));
    json_write_u64(w, p->result.bytes);
    json_write_key(w, VSR_STR("files_fetched"));
    json_write_u64(w, p->result.n_fetched);
    json_write_key(w, VSR_STR("bytes_fetched"));
    json_write_u64(w, p->result.bytes_fetched);
    if (failed) {
        json_write_key(w, VSR_STR("error"));
        json_write_begin_object(w);
        json_write_key(w, VSR_STR("kind"));
        json_write_str(w, str_from_c(hub_failure_name(p->result.failure)));
        json_write_key(w, VSR_STR("message"));
        json_write_str(w, str_from_c(p->err.text));
        json_write_end(w);
    }
    json_write_end(w);
}

static void print_text(const struct pulled *p, bool colour, struct buf *out) {
    const struct hub_result *r = &p->result;
    buf_printf(out, "%s%.*s%s ", term_if(colour, TERM_GREEN), VSR_FMT(p->directory), term_if(colour, TERM_RESET));
    if (r->unchanged)
        buf_append_c(out, "is up to date");
    else
        buf_printf(out, "is ready: %zu files, %.1f MB, of which %.1f MB were fetched", r->n_files,
                   (double)r->bytes / 1e6, (double)r->bytes_fetched / 1e6);
    if (r->commit.len > 0)
        buf_printf(out, "; commit %.*s", VSR_FMT(str_sub(r->commit, 0, 12)));
    buf_append_char(out, '\n');
}

static int pull_all(struct pull_command *c, const char *const *names, size_t n) {
    bool json = options_has(c->cli->options, "json");
    int code = CLI_OK;
    struct json_writer w;
    struct buf out;
    buf_init(&out, PULL_LEN_MAX);
    json_write_init_pretty(&w, &out, 2);
    if (json)
        json_write_begin_array(&w);
    for (size_t i = 0; i < n; i++) {
        struct pulled p;
        if (pull_one(c, names[i], &p) < 0)
            code = json ? CLI_FAILURE : cli_fail(c->cli, "%s: %s", names[i], p.err.text);
        if (json)
            print_json(&p, &w);
        else if (p.err.code == 0)
            print_text(&p, c->cli->colour, &out);
    }
    if (json) {
        json_write_end(&w);
        buf_append_char(&out, '\n');
    }
    code = cli_finish(c->cli, &out, code);
    buf_done(&out);
    return code;
}

/* ---- from the command line */

static void set_options(struct pull_command *c) {
    const struct options *options = c->cli->options;
    size_t n = options_count(options, "include");
    for (size_t i = 0; i < n && i < HUB_PATTERNS_MAX; i++)
        c->patterns[i] = options_nth(options, "include", i);
    c->options = (struct hub_options){
        .endpoint = str_from_c(options_text(options, "endpoint")),
        .token = str_trim(str_from_c(environment("HF_TOKEN"))),
        .ca_file = str_from_c(environment("SSL_CERT_FILE")),
        .offline = options_has(options, "offline") || is_yes(environment("HF_HUB_OFFLINE")),
        .force = options_has(options, "force"),
        .parallel = (unsigned)options_number(options, "jobs"),
        .stall_seconds = (unsigned)options_number(options, "timeout"),
        .patterns = c->patterns,
        .n_patterns = n,
        .progress = term_colour(2) ? progress : NULL,
        .data = c,
    };
}

static int check_options(const struct pull_command *c, size_t n) {
    static const char *const of_one[] = { "as", "repo", "revision" };
    if (n == 0)
        return cli_usage(c->cli, "which model? `--default` gets the set that a configuration without models means");
    for (size_t i = 0; i < VSR_COUNT(of_one); i++)
        if (n > 1 && options_has(c->cli->options, of_one[i]))
            return cli_usage(c->cli, "--%s is for one model at a time", of_one[i]);
    if (options_count(c->cli->options, "include") > HUB_PATTERNS_MAX)
        return cli_usage(c->cli, "--include at most %d times", HUB_PATTERNS_MAX);
    return CLI_OK;
}

static size_t default_names(const char *names[static PULL_MODELS_MAX]) {
    size_t n_records, n = 0;
    const struct model_record *records = catalogue_records(&n_records);
    for (size_t i = 0; i < n_records && n < PULL_MODELS_MAX; i++)
        if (records[i].is_default)
            names[n++] = records[i].local_path;
    return n;
}

static int pull_run(const struct cli *cli, int argc, char **argv) {
    struct pull_command c = { .cli = cli, .arena = arena_new(0, 0) };
    const char *names[2 * PULL_MODELS_MAX]; /* the default ones, and as many operands */
    size_t n = options_has(cli->options, "default") ? default_names(names) : 0;
    int code;
    for (int i = 0; i < argc && n < VSR_COUNT(names); i++)
        names[n++] = argv[i];
    code = check_options(&c, n);
    if (code == CLI_OK) {
        c.places = model_row_places(cli, c.arena);
        set_options(&c);
        code = pull_all(&c, names, n);
    }
    arena_free(c.arena);
    return code;
}

static const struct option_spec pull_options[] = {
    MODEL_OPTION_DIR,
    { "default", 0, OPTION_FLAG, 0, NULL, "the set that a configuration which names no models means" },
    { "from", 0, OPTION_TEXT, OPTION_FILE, "DIR",
      "copy instead of asking a hub; DIR is a model's directory, or one in which models lie" },
    { "endpoint", 0, OPTION_TEXT, 0, "URL", "the hub, or a mirror of it", HUB_ENDPOINT, "HF_ENDPOINT" },
    { "revision", 'r', OPTION_TEXT, 0, "REV", "branch, tag or commit; without it the catalogue's, else main" },
    { "repo", 0, OPTION_TEXT, 0, "OWNER/NAME", "get the files from this repository" },
    { "as", 0, OPTION_TEXT, 0, "NAME", "name in the models directory, or a path" },
    { "include", 0, OPTION_TEXT, OPTION_REPEATABLE, "PATTERN", "get files of this pattern too: 'onnx/*.json'" },
    { "offline", 0, OPTION_FLAG, 0, NULL, "ask nobody; HF_HUB_OFFLINE=1 does the same" },
    { "force", 0, OPTION_FLAG, 0, NULL, "replace files that vsr did not bring, check every byte of those it did" },
    { "jobs", 'j', OPTION_NUMBER, 0, "N", "files at the same time", "4", .least = 1, .greatest = HUB_PARALLEL_MAX },
    { "timeout", 0, OPTION_NUMBER, 0, "SECONDS", "without a byte until a connection counts as dead", "30", .least = 1,
      .greatest = 3600 },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_model_pull_spec = {
    .name = "pull",
    .summary = "get models from a hub, a mirror or a directory",
    .usage = "vsr model pull [OPTION]... NAME...\n"
             "vsr model pull --default",
    .details =
        "NAME is a name or alias of the catalogue, or a repository (OWNER/NAME). Only files that running the model\n"
        "needs are fetched. Sizes and hashes are checked, and the model takes its place when all of it is there; an\n"
        "attempt that was cut is continued by the next one. HF_TOKEN is shown to the hub and to nobody that it\n"
        "redirects to. Exits with 1 when a model could not be got.\n",
    .examples = "vsr model pull mom-embedding-light\n"
                "vsr model pull sentence-transformers/all-MiniLM-L6-v2 --as my-embedder\n"
                "vsr model pull --from /mnt/stick/models mom-embedding-light\n"
                "vsr model pull --endpoint https://hub.example.com gemma\n",
    .operands = OPERANDS_TEXT,
    .operands_most = PULL_MODELS_MAX,
    .options = pull_options,
    .n_options = VSR_COUNT(pull_options),
    .run = pull_run,
};
