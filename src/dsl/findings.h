/*
 * findings - what is wrong with a program, or could be better: all of it, with places and fixes.
 *
 * A finding has a stable code (E101, W401: docs/dsl.md lists them; codes are never used again for something else), a
 * level, a stretch of the text, and sometimes the one change that mends it. At most FINDINGS_MAX of each level are
 * kept, the rest counted. Lives in an arena; one thread.
 */
#ifndef VSR_DSL_FINDINGS_H
#define VSR_DSL_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "dsl/token.h"

struct arena;
struct buf;
struct json_writer;

enum {
    FINDINGS_MAX = 1000,
    FINDINGS_SYNTAX_MAX = 100,
    FINDINGS_COMPARED_MAX = 100000, /* names, for suggestions: less than a second even if they are as long as may be */
};

/* CONSTRAINT: a value breaks its contract. HINT: shown by editors; the command line shows it when asked. */
enum finding_level { FINDING_ERROR, FINDING_WARNING, FINDING_CONSTRAINT, FINDING_HINT };

/* The text in [at.start, at.end) becomes `new_text`. */
struct finding_fix {
    vsr_str description; /* `change to "math"`; empty: there is no fix */
    vsr_str new_text;
    struct dsl_at at;
    bool doubtful; /* shown, for a human to choose; findings_apply() leaves it out */
};

struct finding {
    struct arena *arena; /* of the texts */
    enum finding_level level;
    const char *code;
    vsr_str message;
    struct dsl_at at;   /* what is wrong */
    struct dsl_at decl; /* keyword of the declaration that it is in; line 0: in none */
    struct finding_fix fix;
    vsr_str witness; /* of an analysis: facts that show it; empty: none */
    vsr_str file;    /* that it is about; empty: the one that is looked at */
    bool lost;       /* what stands there does not get into the configuration */
};

struct findings {
    struct arena *arena;
    struct finding *items;
    size_t n, cap;
    size_t n_of[4];     /* by level; also counts what was dropped */
    struct dsl_at decl; /* given to each finding added; the checks move it along */
    vsr_str prefix;     /* put in front of each message (`recipe "fast": `) */
    size_t n_compared;  /* names that were compared for suggestions */
};

void findings_init(struct findings *findings, struct arena *arena);

/* Returns the finding, so that a fix may be added at once; NULL when it was only counted. */
struct finding *finding_add(struct findings *findings, enum finding_level level, const char *code, struct dsl_at at,
                            const char *format, ...) __attribute__((format(printf, 5, 6)));
/* NULL `finding` is allowed. Copies. `at`: what the new text replaces. */
void finding_fix(struct finding *finding, struct dsl_at at, vsr_str new_text, const char *description, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Nearest of the candidates for `found`: Levenshtein over lower-cased bytes, at most half of the candidate + 1, the
 * first in byte order among equals (dsl.md §6.1). Empty: none is near.
 */
vsr_str findings_nearest(vsr_str found, const vsr_str *candidates, size_t n);

/*
 * The candidate to offer for `found`. `*ret_certain`: it is surely meant, for it alone is the same word but for
 * capitals and what joins its parts (`_`, `-`, blank), or at most one slip away (two, if `found` has more than five
 * letters), or begins with `found`, of at least four letters; and no digit differs. Two neighbours that changed
 * places are one slip. Else the nearest.
 */
vsr_str findings_suggest(vsr_str found, const vsr_str *candidates, size_t n, bool *ret_certain);

/* Puts the one candidate that begins with `found`, whatever its capitals, into `*ret`; false: none, or several. */
bool findings_begun(vsr_str found, const vsr_str *candidates, size_t n, vsr_str *ret);

/* Takes `n` comparisons from the budget; false: there are not so many left, and no suggestion is made. */
bool findings_may_compare(struct findings *findings, size_t n);

/* By place, then in the order of arrival. */
void findings_sort(struct findings *findings);

/* What is shown beside the text of a finding. */
struct findings_style {
    vsr_str file;   /* put in front; empty: nothing */
    vsr_str source; /* for excerpts with a caret; empty: none */
    bool colour;
    bool hints;    /* with HINT */
    bool examples; /* the witness of a finding on a line of its own, the last one */
};

/* `LINE:COL: level: message (fix: ...) [CODE]`, one line each (dsl.md §6), with an excerpt below where asked. */
void findings_print(const struct findings *findings, const struct findings_style *style, struct buf *out);
/*
 * An array of {"level","code","message","line","column","endLine","endColumn","declLine","declColumn",
 * "fixes":[{"description","newText","range":{"line","column","endLine","endColumn"}}],"witness"?,"file"?}
 */
void findings_json(const struct findings *findings, vsr_str source, bool hints, struct json_writer *w);

/* Line and column (code points) of a byte of the text. Walks the text from the start of `from`. */
void dsl_place(vsr_str source, struct dsl_at from, uint32_t byte, uint32_t *ret_line, uint32_t *ret_col);

/*
 * Applies the fixes that are certain in the order of the text and appends the new text. One that overlaps the one
 * before it, or begins where that begins, is left out: it may mean the same mistake. Returns how many were applied.
 */
size_t findings_apply(const struct findings *findings, vsr_str source, struct buf *out);

#endif
