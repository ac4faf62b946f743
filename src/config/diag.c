#include "config/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/yaml_tree.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/log.h"
#include "core/shown.h"

enum {
    MESSAGE_LEN_MAX = 1024,  /* longer texts are cut: a message is read by people */
    SUGGEST_DISTANCE_MAX = 3 /* config.md §11.2; of short words at most half may differ */
};

void diag_init(struct diag *diag, struct arena *arena, vsr_str file) {
    *diag = (struct diag){ .arena = arena, .file = file };
}

/* Error text may quote what the user wrote; whatever looks like `password: x` in it is masked (config.md §12). */
static vsr_str scrubbed(struct arena *arena, const char *text) {
    struct buf out;
    vsr_str copy;
    buf_init(&out, (size_t)MESSAGE_LEN_MAX * 2);
    log_scrub(&out, str_from_c(text));
    copy = arena_str(arena, buf_failed(&out) ? str_from_c("(text could not be shown)") : buf_str(&out));
    buf_done(&out);
    return copy;
}

__attribute__((format(printf, 6, 0))) static void add(struct diag *diag, enum diag_severity severity, const char *code,
                                                      struct diag_at at, vsr_str hint, const char *format,
                                                      va_list args) {
    char text[MESSAGE_LEN_MAX];
    size_t *count = severity == DIAG_ERROR ? &diag->n_errors : &diag->n_warnings;
    if ((*count)++ >= DIAG_MAX)
        return;
    (void)vsnprintf(text, sizeof(text), format, args);
    diag->items = arena_grow(diag->arena, diag->items, sizeof(*diag->items), diag->n_items, &diag->cap);
    diag->items[diag->n_items++] = (struct diag_item){
        .severity = severity,
        .code = code,
        .path = at.path,
        .line = at.line,
        .col = at.col,
        .message = scrubbed(diag->arena, text),
        .hint = hint,
    };
}

void diag_error(struct diag *diag, const char *code, struct diag_at at, vsr_str hint, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add(diag, DIAG_ERROR, code, at, hint, format, args);
    va_end(args);
}

void diag_warn(struct diag *diag, const char *code, struct diag_at at, vsr_str hint, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add(diag, DIAG_WARNING, code, at, hint, format, args);
    va_end(args);
}

static bool goes_before(const struct diag_item *a, const struct diag_item *b) {
    if (a->line != b->line)
        return a->line < b->line;
    return a->col < b->col;
}

/* Insertion sort: at most 2 * DIAG_MAX items, mostly in order already, and it keeps the order of arrival. */
void diag_sort(struct diag *diag) {
    for (size_t i = 1; i < diag->n_items; i++) {
        struct diag_item item = diag->items[i];
        size_t at = i;
        while (at > 0 && goes_before(&item, &diag->items[at - 1])) {
            diag->items[at] = diag->items[at - 1];
            at--;
        }
        diag->items[at] = item;
    }
}

static bool is_in_second(const struct diag_item *item) {
    return item->line >= YAML_SECOND_FILE;
}

uint32_t diag_item_line(const struct diag_item *item) {
    return is_in_second(item) ? item->line - YAML_SECOND_FILE : item->line;
}

vsr_str diag_item_file(const struct diag *diag, const struct diag_item *item) {
    return is_in_second(item) ? diag->second_file : diag->file;
}

static void print_item(const struct diag *diag, const struct diag_item *item, struct buf *out, bool colour) {
    const char *label = item->severity == DIAG_ERROR ? "error" : "warning";
    const char *paint = item->severity == DIAG_ERROR ? "\033[31m" : "\033[33m";
    shown_append(out, diag_item_file(diag, item));
    if (diag_item_line(item))
        buf_printf(out, ":%u:%u", diag_item_line(item), item->col);
    buf_printf(out, ": %s%s[%s]%s ", colour ? paint : "", label, item->code, colour ? "\033[0m" : "");
    if (item->path.len) {
        shown_append(out, item->path);
        buf_append_c(out, ": ");
    }
    shown_append(out, item->message);
    if (item->hint.len) {
        buf_append_c(out, "; ");
        shown_append(out, item->hint);
    }
    buf_append_char(out, '\n');
}

void diag_print(const struct diag *diag, struct buf *out, bool colour) {
    size_t total = diag->n_errors + diag->n_warnings;
    for (size_t i = 0; i < diag->n_items; i++)
        print_item(diag, &diag->items[i], out, colour);
    if (total > diag->n_items)
        buf_printf(out, "%.*s: %zu more not shown\n", VSR_FMT(diag->file), total - diag->n_items);
}

static void json_item(struct json_writer *w, const struct diag *diag, const struct diag_item *item) {
    json_write_begin_object(w);
    if (is_in_second(item)) {
        json_write_key(w, VSR_STR("file"));
        json_write_str(w, diag->second_file);
    }
    json_write_key(w, VSR_STR("code"));
    json_write_str(w, str_from_c(item->code));
    json_write_key(w, VSR_STR("path"));
    json_write_str(w, item->path);
    json_write_key(w, VSR_STR("line"));
    json_write_u64(w, diag_item_line(item));
    json_write_key(w, VSR_STR("column"));
    json_write_u64(w, item->col);
    json_write_key(w, VSR_STR("message"));
    json_write_str(w, item->message);
    json_write_key(w, VSR_STR("hint"));
    json_write_str(w, item->hint);
    json_write_end(w);
}

static void json_items(struct json_writer *w, const struct diag *diag, enum diag_severity severity) {
    json_write_begin_array(w);
    for (size_t i = 0; i < diag->n_items; i++)
        if (diag->items[i].severity == severity)
            json_item(w, diag, &diag->items[i]);
    json_write_end(w);
}

void diag_json(const struct diag *diag, struct json_writer *w) {
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("errors"));
    json_items(w, diag, DIAG_ERROR);
    json_write_key(w, VSR_STR("warnings"));
    json_items(w, diag, DIAG_WARNING);
    json_write_end(w);
}

vsr_str diag_suggest(struct diag *diag, vsr_str found, const vsr_str *candidates, size_t n) {
    size_t most = found.len / 2 < SUGGEST_DISTANCE_MAX ? found.len / 2 : SUGGEST_DISTANCE_MAX;
    size_t best_distance = (most ? most : 1) + 1;
    const vsr_str *best = NULL;
    /* Past the last error that is kept nobody reads the hint, and looking for it is what costs time. */
    if (diag_full(diag))
        return VSR_STR("");
    for (size_t i = 0; i < n; i++) {
        size_t distance = str_distance(found, candidates[i], SUGGEST_DISTANCE_MAX);
        if (distance == 0)
            return VSR_STR(""); /* the word is right, what is wrong is something else */
        /* A word of which nothing is left is no misspelling. */
        if (distance < best_distance && distance < found.len && distance < candidates[i].len) {
            best_distance = distance;
            best = &candidates[i];
        }
    }
    return best ? arena_printf(diag->arena, "did you mean \"%.*s\"?", VSR_FMT(*best)) : VSR_STR("");
}
