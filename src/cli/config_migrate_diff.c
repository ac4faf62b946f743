#include "cli/config_migrate_diff.h"

#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"

struct lines {
    vsr_str *items;
    size_t n, cap;
};

struct diff {
    struct arena *arena;
    struct lines a, b;
    bool *gone, *fresh; /* [a.n], [b.n]: lines that only one text has */
};

static void split(struct arena *arena, vsr_str text, struct lines *ret_lines) {
    *ret_lines = (struct lines){ 0 };
    while (text.len) {
        ptrdiff_t end = str_find_char(text, '\n');
        size_t len = end < 0 ? text.len : (size_t)end;
        ret_lines->items = arena_grow(arena, ret_lines->items, sizeof(vsr_str), ret_lines->n, &ret_lines->cap);
        ret_lines->items[ret_lines->n++] = str_make(text.ptr, len);
        text = str_sub(text, len + (end >= 0), text.len);
    }
}

/* ---- the shortest edit script of the lines between `start` and the ends */

struct range {
    size_t start;    /* of both */
    size_t n_a, n_b; /* lines from there */
};

static bool same_line(const struct diff *d, const struct range *r, ptrdiff_t x, ptrdiff_t y) {
    return str_eq(d->a.items[r->start + (size_t)x], d->b.items[r->start + (size_t)y]);
}

/*
 * A diagonal k holds the places where x - y is k. A row of the search has, for each diagonal, the furthest x that is
 * reached with so many edits; rows are kept as pointers to their diagonal 0.
 */
static bool comes_down(const int *above, ptrdiff_t k, ptrdiff_t edits) {
    return k == -edits || (k != edits && above[k - 1] < above[k + 1]);
}

static ptrdiff_t slide(const struct diff *d, const struct range *r, ptrdiff_t x, ptrdiff_t k) {
    while (x < (ptrdiff_t)r->n_a && x - k < (ptrdiff_t)r->n_b && same_line(d, r, x, x - k))
        x++;
    return x;
}

/* Goes back along the rows and marks what is not common. */
static void walk_back(struct diff *d, const struct range *r, int *const *rows, ptrdiff_t edits) {
    ptrdiff_t x = (ptrdiff_t)r->n_a, k = x - (ptrdiff_t)r->n_b;
    for (; edits > 0; edits--) {
        const int *above = rows[edits - 1];
        bool down = comes_down(above, k, edits);
        k += down ? 1 : -1;
        x = above[k];
        if (down)
            d->fresh[r->start + (size_t)(x - k)] = true;
        else
            d->gone[r->start + (size_t)x] = true;
    }
}

/* Finds the script and marks its lines; false when it would be too long. */
static bool search(struct diff *d, const struct range *r) {
    int **rows = ARENA_ARRAY(d->arena, int *, DIFF_EDITS_MAX + 1);
    for (ptrdiff_t edits = 0; edits <= DIFF_EDITS_MAX; edits++) {
        int *row = rows[edits] = ARENA_ARRAY(d->arena, int, (size_t)edits * 2 + 1) + edits;
        for (ptrdiff_t k = -edits; k <= edits; k += 2) {
            const int *above = edits ? rows[edits - 1] : NULL;
            ptrdiff_t x = 0;
            if (above)
                x = comes_down(above, k, edits) ? above[k + 1] : above[k - 1] + 1;
            row[k] = (int)slide(d, r, x, k);
            if (row[k] >= (ptrdiff_t)r->n_a && row[k] - k >= (ptrdiff_t)r->n_b) {
                walk_back(d, r, rows, edits);
                return true;
            }
        }
    }
    return false;
}

static void compare(struct diff *d) {
    struct range r = { .n_a = d->a.n, .n_b = d->b.n };
    while (r.n_a && r.n_b && str_eq(d->a.items[r.start], d->b.items[r.start])) {
        r.start++;
        r.n_a--;
        r.n_b--;
    }
    while (r.n_a && r.n_b && same_line(d, &r, (ptrdiff_t)r.n_a - 1, (ptrdiff_t)r.n_b - 1)) {
        r.n_a--;
        r.n_b--;
    }
    if (search(d, &r))
        return;
    memset(d->gone + r.start, true, r.n_a);
    memset(d->fresh + r.start, true, r.n_b);
}

/* ---- printing */

static void print_line(struct buf *out, char mark, vsr_str line, bool colour) {
    const char *paint = mark == '+' ? TERM_GREEN : mark == '-' ? TERM_RED : "";
    buf_printf(out, "%s%c%.*s%s\n", term_if(colour, paint), mark, VSR_FMT(line), term_if(colour && *paint, TERM_RESET));
}

/* A place in both texts. */
struct place {
    size_t a, b;
};

static bool is_changed(const struct diff *d, struct place at) {
    return (at.a < d->a.n && d->gone[at.a]) || (at.b < d->b.n && d->fresh[at.b]);
}

/* Steps over one line: a removed one, else an added one, else one of both. */
static char next_line(const struct diff *d, struct place *at, vsr_str *ret_line) {
    if (at->a < d->a.n && d->gone[at->a]) {
        *ret_line = d->a.items[at->a++];
        return '-';
    }
    *ret_line = d->b.items[at->b++];
    if (d->fresh[at->b - 1])
        return '+';
    at->a++;
    return ' ';
}

/* Where the hunk that begins at `at` ends: behind a change that no other follows within the context of both. */
static struct place hunk_end(const struct diff *d, struct place at) {
    struct place end = at;
    vsr_str line;
    size_t quiet = 0;
    while ((at.a < d->a.n || at.b < d->b.n) && quiet <= (size_t)DIFF_CONTEXT * 2) {
        quiet = next_line(d, &at, &line) == ' ' ? quiet + 1 : 0;
        if (quiet <= DIFF_CONTEXT)
            end = at;
    }
    return end;
}

static void print_hunk(struct buf *out, const struct diff *d, struct place start, struct place end, bool colour) {
    size_t n_a = end.a - start.a, n_b = end.b - start.b;
    buf_printf(out, "%s@@ -%zu,%zu +%zu,%zu @@%s\n", term_if(colour, TERM_CYAN), start.a + (n_a > 0), n_a,
               start.b + (n_b > 0), n_b, term_if(colour, TERM_RESET));
    while (start.a < end.a || start.b < end.b) {
        vsr_str line;
        char mark = next_line(d, &start, &line);
        print_line(out, mark, line, colour);
    }
}

static void print_hunks(struct buf *out, const struct diff *d, bool colour) {
    struct place at = { 0 }, printed = { 0 };
    while (at.a < d->a.n || at.b < d->b.n) {
        size_t context = at.a - printed.a < DIFF_CONTEXT ? at.a - printed.a : DIFF_CONTEXT;
        vsr_str line;
        if (!is_changed(d, at)) {
            (void)next_line(d, &at, &line);
            continue;
        }
        printed = hunk_end(d, at);
        print_hunk(out, d, (struct place){ at.a - context, at.b - context }, printed, colour);
        at = printed;
    }
}

void diff_print(struct buf *out, vsr_str old_name, vsr_str old_text, vsr_str new_name, vsr_str new_text, bool colour) {
    struct diff d = { .arena = arena_new(0, 0) };
    if (!str_eq(old_text, new_text)) {
        split(d.arena, old_text, &d.a);
        split(d.arena, new_text, &d.b);
        d.gone = ARENA_ARRAY(d.arena, bool, d.a.n);
        d.fresh = ARENA_ARRAY(d.arena, bool, d.b.n);
        compare(&d);
        buf_printf(out, "%s--- %.*s\n+++ %.*s%s\n", term_if(colour, TERM_BOLD), VSR_FMT(old_name), VSR_FMT(new_name),
                   term_if(colour, TERM_RESET));
        print_hunks(out, &d, colour);
    }
    arena_free(d.arena);
}
