/*
 * parse - from text to a tree, over every mistake.
 *
 * Recursive descent with recovery: a mistake costs the declaration that it stands in and nothing else; reading goes on
 * at the next keyword of the list of declarations. At most FINDINGS_SYNTAX_MAX syntax errors are told. Linear time,
 * depth bounded by DSL_DEPTH_MAX. Any thread.
 */
#ifndef VSR_DSL_PARSE_H
#define VSR_DSL_PARSE_H

#include "dsl/tree.h"

struct buf;

struct dsl_parsed {
    vsr_str source; /* borrowed */
    struct tokens tokens;
    struct dsl_program program; /* the declarations that are whole */
    size_t work;                /* bytes and tokens looked at: linear in the text */
};

/* Codes E101 to E112, W104 to W106. Result in `arena`; keeps `source`. */
void dsl_parse(struct arena *arena, vsr_str source, struct dsl_parsed *ret_parsed, struct findings *findings);

/* Whether a bare word begins an item of routes: as the name of a model it is quoted. */
bool dsl_is_item_word(vsr_str word);
/* Whether a bare word may be a type of signal in a condition: it begins or joins nothing else, nor is it an operator in
 * small letters. */
bool dsl_is_signal_word(vsr_str word);

/* The tree as JSON for tools (dsl.md §8.5). */
void dsl_tree_json(const struct dsl_parsed *parsed, struct buf *out);

#endif
