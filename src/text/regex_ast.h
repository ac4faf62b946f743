/*
 * regex_ast - the tree of a parsed regular expression. Shared by the files regex*.c only.
 */
#ifndef VSR_TEXT_REGEX_AST_H
#define VSR_TEXT_REGEX_AST_H

#include "text/charset.h"
#include "text/regex.h"

enum regex_node_kind {
    REGEX_EMPTY,
    REGEX_SET,       /* one code point of `set` */
    REGEX_ASSERT,    /* no code point */
    REGEX_CONCAT,    /* children in order */
    REGEX_ALTERNATE, /* first child preferred */
    REGEX_REPEAT,    /* children[0], min..max times */
};

enum regex_assert {
    ASSERT_BEGIN_TEXT,
    ASSERT_END_TEXT,
    ASSERT_BEGIN_LINE,
    ASSERT_END_LINE,
    ASSERT_WORD,
    ASSERT_NOT_WORD
};

enum { REGEX_UNBOUNDED = -1 };

struct regex_node {
    enum regex_node_kind kind;
    enum regex_assert assert;
    struct charset set;
    struct regex_node **children;
    size_t n_children, cap;
    int min, max; /* REPEAT; max REGEX_UNBOUNDED: no limit */
    bool lazy;
};

struct regex_program;

struct regex {
    struct regex_node *root;
    const struct regex_program *program;
};

/* Writes the tree out as a program. Fails with VSR_E_LIMIT. */
int regex_program_build(struct arena *arena, const struct regex_node *root, const struct regex_program **ret_program,
                        struct vsr_err *err) VSR_MUST_CHECK;
/* Counts matches, at most `max`. */
int regex_program_count(const struct regex_program *program, struct arena *arena, vsr_str text, size_t max,
                        size_t *steps, size_t *ret_count, struct vsr_err *err) VSR_MUST_CHECK;

#endif
