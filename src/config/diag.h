/*
 * diag - the problems of one configuration document, all of them.
 *
 * A problem has a code (E_REF, config.md §11.2), a path (`routing.decisions[coding].rules`), a position, a message and
 * sometimes a hint. Problems are printed sorted by position as `FILE:LINE:COL: error[CODE] PATH: message; hint`. At
 * most DIAG_MAX errors and as many warnings are kept; the rest are counted. Lives in an arena; one thread.
 */
#ifndef VSR_CONFIG_DIAG_H
#define VSR_CONFIG_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;
struct buf;
struct json_writer;

enum { DIAG_MAX = 100 };

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

struct diag_item {
    enum diag_severity severity;
    const char *code; /* "E_REF", or "W_..." for warnings */
    vsr_str path;
    uint32_t line, col; /* 1-based; 0 = whole document; from YAML_SECOND_FILE on lines of the second file */
    vsr_str message;
    vsr_str hint; /* empty when there is none */
};

struct diag {
    struct arena *arena; /* keeps */
    vsr_str file;        /* as the user named it */
    vsr_str second_file; /* of a document made from two; empty: there is one */
    struct diag_item *items;
    size_t n_items, cap;
    size_t n_errors, n_warnings; /* also counts what was dropped past DIAG_MAX */
};

void diag_init(struct diag *diag, struct arena *arena, vsr_str file);

/* Where in the document: both callers of the schema engine and semantic checks pass it along. */
struct diag_at {
    uint32_t line, col;
    vsr_str path;
};

void diag_error(struct diag *diag, const char *code, struct diag_at at, vsr_str hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void diag_warn(struct diag *diag, const char *code, struct diag_at at, vsr_str hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Whether further errors are only counted, so that their texts need not be made. */
static inline bool diag_full(const struct diag *diag) {
    return diag->n_errors >= DIAG_MAX;
}

/* Orders by line, column, then order of arrival. */
void diag_sort(struct diag *diag);

/* Where a problem is: the file, and the line in it. */
vsr_str diag_item_file(const struct diag *diag, const struct diag_item *item);
uint32_t diag_item_line(const struct diag_item *item);

/* One line each; `colour` for terminals. */
void diag_print(const struct diag *diag, struct buf *out, bool colour);
/*
 * {"errors":[{"code","path","line","column","message","hint"}],"warnings":[...]}; what is in the second file has its
 * name in "file".
 */
void diag_json(const struct diag *diag, struct json_writer *w);

/*
 * `did you mean "x"?` for the nearest of the candidates (Levenshtein <= 3, and <= half of the word), else the empty
 * string. Lives in diag's arena.
 */
vsr_str diag_suggest(struct diag *diag, vsr_str found, const vsr_str *candidates, size_t n);

#endif
