/* A parsed pattern written down again for Hyperscan, whose dialect is PCRE's: every class, folding and anchor spelled
 * out. */
#include "core/arena.h"
#include "core/buf.h"
#include "text/regex_ast.h"

enum {
    SET_RANGES_MAX = 32,           /* of a set that is written out */
    EXPRESSION_LEN_MAX = 64 << 20, /* the engine itself stops at 16,000 bytes */
};

struct writer {
    struct buf *out;
    bool exact;
};

static void write_code_point(struct buf *out, uint32_t cp) {
    if (cp < 0x80 && (ascii_is_digit((char)cp) || (ascii_lower((char)cp) >= 'a' && ascii_lower((char)cp) <= 'z')))
        buf_append_char(out, (char)cp);
    else
        buf_printf(out, "\\x{%x}", (unsigned)cp);
}

static void write_range(struct buf *out, uint32_t first, uint32_t last) {
    write_code_point(out, first);
    if (last > first) {
        buf_append_char(out, '-');
        write_code_point(out, last);
    }
}

static void write_set(struct writer *w, const struct charset *set) {
    struct buf *out = w->out;
    bool big = set->n > SET_RANGES_MAX;
    if (set->n == 0) { /* matches nothing; `[^...]` of everything would be refused */
        buf_append_c(out, "(?:\\z[a])");
        return;
    }
    if (set->n == 1 && set->ranges[0].first == set->ranges[0].last) {
        write_code_point(out, set->ranges[0].first);
        return;
    }
    buf_append_char(out, '[');
    for (size_t i = 0; i < set->n && !(big && set->ranges[i].first >= 0x80); i++)
        write_range(out, set->ranges[i].first, set->ranges[i].last);
    if (big) { /* that many ranges reach beyond ASCII */
        write_range(out, 0x80, CHARSET_LAST);
        w->exact = false;
    }
    buf_append_char(out, ']');
}

static void write_node(struct writer *w, const struct regex_node *node);

static void write_children(struct writer *w, const struct regex_node *node, const char *between) {
    struct buf *out = w->out;
    buf_append_c(out, "(?:");
    for (size_t i = 0; i < node->n_children; i++) {
        if (i > 0)
            buf_append_c(out, between);
        write_node(w, node->children[i]);
    }
    buf_append_char(out, ')');
}

static void write_repeat(struct writer *w, const struct regex_node *node) {
    struct buf *out = w->out;
    if (node->max == 0 || node->children[0]->kind == REGEX_ASSERT) {
        /* An assertion repeated is itself, or nothing; Hyperscan refuses to repeat it. */
        if (node->min > 0 && node->max != 0)
            write_node(w, node->children[0]);
        return;
    }
    write_children(w, node, "");
    if (node->max == REGEX_UNBOUNDED && node->min <= 1)
        buf_append_char(out, node->min == 0 ? '*' : '+');
    else if (node->max == REGEX_UNBOUNDED)
        buf_printf(out, "{%d,}", node->min);
    else
        buf_printf(out, "{%d,%d}", node->min, node->max);
}

static void write_node(struct writer *w, const struct regex_node *node) {
    struct buf *out = w->out;
    static const char *const asserts[] = {
        [ASSERT_BEGIN_TEXT] = "\\A",  [ASSERT_END_TEXT] = "\\z", [ASSERT_BEGIN_LINE] = "(?m:^)",
        [ASSERT_END_LINE] = "(?m:$)", [ASSERT_WORD] = "\\b",     [ASSERT_NOT_WORD] = "\\B",
    };
    switch (node->kind) {
    case REGEX_EMPTY:
        break;
    case REGEX_SET:
        write_set(w, &node->set);
        break;
    case REGEX_ASSERT:
        buf_append_c(out, asserts[node->assert]);
        break;
    case REGEX_CONCAT:
        write_children(w, node, "");
        break;
    case REGEX_ALTERNATE:
        write_children(w, node, "|");
        break;
    case REGEX_REPEAT:
        write_repeat(w, node);
        break;
    }
}

char *regex_expression(const struct regex *regex, struct arena *arena, bool *ret_exact) {
    struct buf out;
    struct writer w = { .out = &out, .exact = true };
    char *text;
    buf_init(&out, EXPRESSION_LEN_MAX);
    write_node(&w, regex->root);
    text = arena_c_str(arena, buf_str(&out));
    *ret_exact = w.exact;
    buf_done(&out);
    return text;
}
