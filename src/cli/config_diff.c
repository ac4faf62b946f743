/* config_diff - `vsr config diff`: what two documents say differently. */
#include "config/diff.h"

#include "cli/cli.h"
#include "cli/config_source.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/utf8.h"

enum { DIFF_LEN_MAX = 64 << 20, SHOWN_LEN_MAX = 160 };

/* How each kind looks, by enum change_kind. */
static const struct {
    const char *sign, *paint, *name;
} kinds[] = {
    [CHANGE_ADDED] = { "+", TERM_GREEN, "added" },
    [CHANGE_REMOVED] = { "-", TERM_RED, "removed" },
    [CHANGE_VALUE] = { "~", TERM_YELLOW, "changed" },
    [CHANGE_ORDER] = { ">", TERM_CYAN, "reordered" },
};

/* ---- text */

/* A value, cut where it is too long for a line: --json has all of it. */
static void print_shown(struct buf *out, vsr_str text) {
    vsr_str shown = utf8_cut(text, SHOWN_LEN_MAX);
    buf_printf(out, "%.*s%s", VSR_FMT(shown), shown.len < text.len ? "..." : "");
}

static void change_text(const struct config_change *change, bool colour, struct buf *out) {
    buf_printf(out, "  %s%s %.*s%s", term_if(colour, kinds[change->kind].paint), kinds[change->kind].sign,
               VSR_FMT(change->path), term_if(colour, TERM_RESET));
    if (change->kind == CHANGE_VALUE && str_eq(change->before, change->after)) {
        buf_append_c(out, ": another secret\n"); /* nothing else looks the same and is not */
        return;
    }
    buf_append_c(out, change->kind == CHANGE_ORDER ? ": order " : ": ");
    if (change->kind != CHANGE_ADDED)
        print_shown(out, change->before);
    if (change->kind == CHANGE_VALUE || change->kind == CHANGE_ORDER)
        buf_append_c(out, " -> ");
    if (change->kind != CHANGE_REMOVED)
        print_shown(out, change->after);
    buf_append_char(out, '\n');
}

static void changes_text(const struct config_changes *changes, bool colour, struct buf *out) {
    vsr_str recipe = { 0 };
    for (size_t i = 0; i < changes->n; i++) {
        const struct config_change *change = &changes->items[i];
        if (i == 0 || !str_eq(recipe, change->recipe)) {
            recipe = change->recipe;
            buf_printf(out, "%s%s%s%.*s%s\n", i ? "\n" : "", term_if(colour, TERM_BOLD),
                       recipe.len ? "recipe " : "document", VSR_FMT(recipe), term_if(colour, TERM_RESET));
        }
        change_text(change, colour, out);
    }
    if (changes->n == 0)
        buf_append_c(out, "no difference\n");
}

/* ---- JSON */

static void member(struct json_writer *w, const char *key, vsr_str text) {
    json_write_key(w, str_from_c(key));
    if (text.len)
        json_write_str(w, text);
    else
        json_write_null(w);
}

static void changes_json(const struct config_changes *changes, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("same"));
    json_write_bool(&w, changes->n == 0);
    json_write_key(&w, VSR_STR("changes"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < changes->n; i++) {
        const struct config_change *change = &changes->items[i];
        json_write_begin_object(&w);
        member(&w, "change", str_from_c(kinds[change->kind].name));
        member(&w, "recipe", change->recipe);
        member(&w, "path", change->path);
        member(&w, "before", change->before);
        member(&w, "after", change->after);
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

/* ---- the command */

static int print_changes(const struct cli *cli, const struct config_source *a, const struct config_source *b) {
    struct arena *arena = arena_new(0, 0);
    struct config_changes changes;
    struct buf out;
    int code;
    buf_init(&out, DIFF_LEN_MAX);
    config_diff(a->schema, a->doc, b->doc, arena, &changes);
    if (options_has(cli->options, "json"))
        changes_json(&changes, &out);
    else
        changes_text(&changes, cli->colour, &out);
    code = cli_finish(cli, &out, changes.n ? CLI_FAILURE : CLI_OK);
    buf_done(&out);
    arena_free(arena);
    return code;
}

/* One table for both: blocks are compared when they have the same. */
static int diff_run(const struct cli *cli, int argc, char **argv) {
    struct config_source a, b = { 0 };
    int code = config_source_load(cli, argv[0], true, &a);
    (void)argc;
    if (code == CLI_OK)
        code = config_source_load(cli, argv[1], true, &b);
    if (code == CLI_OK)
        code = print_changes(cli, &a, &b);
    else
        code = CLI_USAGE; /* 1 says that they differ, which nobody knows */
    if (b.arena)
        config_source_done(&b);
    config_source_done(&a);
    return code;
}

static const struct option_spec diff_options[] = {
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_config_diff_spec = {
    .name = "diff",
    .summary = "compare what two documents mean",
    .usage = "vsr config diff [OPTION]... OLD NEW",
    .details =
        "Layout, comments and defaults that are written out make no difference. Entries of lists are matched by\n"
        "name; + is new, - is gone, ~ has another value, > is in another order. Secrets are compared, but never\n"
        "shown. Exits with 0 when both mean the same, 1 when they differ, 2 when one is not valid.\n",
    .examples = "vsr config diff running.yaml new.yaml\n"
                "vsr config diff --json running.yaml new.yaml\n",
    .operands = OPERANDS_FILE,
    .operands_least = 2,
    .operands_most = 2,
    .options = diff_options,
    .n_options = VSR_COUNT(diff_options),
    .run = diff_run,
};
