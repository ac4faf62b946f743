/* The ways in which conditions can hold. */
#include "dsl/clauses.h"

#include "compiled.h"

/* Leaves are called a to z; x and y exclude each other. */
static uint32_t leaf(void *data, const struct dsl_expr *expr) {
    (void)data;
    return (uint32_t)(expr->name.text.ptr[0] - 'a');
}

static bool exclude(void *data, uint32_t one, uint32_t other) {
    (void)data;
    return (one == 'x' - 'a' && other == 'y' - 'a') || (one == 'y' - 'a' && other == 'x' - 'a');
}

static const struct clause_theory theory = { leaf, exclude, NULL };

static void print_leaves(struct buf *out, const uint32_t *leaves, uint32_t n, const char *before) {
    for (uint32_t i = 0; i < n; i++)
        buf_printf(out, "%s%c", before, (char)('a' + leaves[i]));
}

/* `ab!c | d`, `none`, `too many`. Frees nothing: all of it is in `arena`. */
static vsr_str ways_of(struct arena *arena, const char *condition, size_t budget) {
    vsr_str source = arena_printf(arena, "ROUTE r { WHEN %s MODEL m }", condition);
    struct arena *work = arena_new(0, 0);
    struct findings findings;
    struct dsl_parsed parsed;
    struct clauses clauses;
    struct buf out;
    vsr_str text;
    findings_init(&findings, arena);
    dsl_parse(arena, source, &parsed, &findings);
    CHECK_MSG(parsed.program.n == 1, "no program: %s", condition);
    clauses = clauses_of(arena, work, &theory, dsl_item(&parsed.program.decls[0].body, DSL_ITEM_WHEN)->when, &budget);
    buf_init(&out, COMPILED_LEN_MAX);
    buf_append_c(&out, clauses.too_many ? "too many" : clauses.n ? "" : "none");
    for (size_t i = 0; i < clauses.n; i++) {
        buf_append_c(&out, i ? " | " : "");
        print_leaves(&out, clauses.items[i].yes, clauses.items[i].n_yes, "");
        print_leaves(&out, clauses.items[i].no, clauses.items[i].n_no, "!");
    }
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    arena_free(work);
    return text;
}

#define S(name) "domain(" name ")"

static const struct {
    const char *name, *condition, *want;
} cases[] = {
    { "a leaf", S("a"), "a" },
    { "not", "NOT " S("a"), "!a" },
    { "not not", "NOT NOT " S("a"), "a" },
    { "and, in the order of leaves", S("c") " AND " S("a") " AND NOT " S("b"), "ac!b" },
    { "or", S("b") " OR " S("a"), "a | b" },
    { "product", "(" S("a") " OR " S("b") ") AND (" S("c") " OR " S("d") ")", "ac | ad | bc | bd" },
    { "the negation of a product", "NOT ((" S("a") " OR " S("b") ") AND " S("c") ")", "!a!b | !c" },
    { "the negation of a sum", "NOT (" S("a") " AND " S("b") " OR " S("c") ")", "!a!c | !b!c" },
    { "a negation inside of a negation", "NOT (" S("a") " AND NOT " S("b") ")", "!a | b" },
    { "equal ways stand once", "(" S("a") " OR " S("b") ") AND (" S("b") " OR " S("a") ")", "a | ab | b" },
    { "equal leaves stand once", S("a") " AND " S("a"), "a" },
    { "contradictions are left out", "(" S("a") " OR " S("b") ") AND NOT " S("a"), "b!a" },
    { "nothing is left", S("a") " AND NOT " S("a"), "none" },
    { "nor of what excludes each other", S("x") " AND (" S("y") " OR " S("a") ")", "ax" },
    { "denied, they may go together", "NOT " S("x") " AND NOT " S("y"), "!x!y" },
};

TEST(conditions_have_ways) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        CHECK_STR(ways_of(arena, cases[i].condition, 1000), cases[i].want, cases[i].name);
        arena_free(arena);
    }
}

TEST(the_budget_binds) {
    struct arena *arena = arena_new(0, 0);
    const char *condition = "(" S("a") " OR " S("b") ") AND (" S("c") " OR " S("d") ")";
    CHECK_STR(ways_of(arena, condition, 5), "too many", "too little");
    CHECK_STR(ways_of(arena, condition, 100), "ac | ad | bc | bd", "enough");
    arena_free(arena);
}

RUN_TESTS(T(conditions_have_ways), T(the_budget_binds))
