/*
 * keywords - the words of the routing language: where each may stand, and what it says. Static.
 *
 * The parser is written by hand (parse.h); whoever changes what it accepts changes this as well.
 */
#ifndef VSR_DSL_KEYWORDS_H
#define VSR_DSL_KEYWORDS_H

#include "core/str.h"

enum keyword_place {
    KEYWORD_DECLARATION, /* of a file */
    KEYWORD_OF_RECIPE,   /* of a recipe, which declares less */
    KEYWORD_ITEM,        /* in a route */
    KEYWORD_OF_BRANCH,   /* in a branch of a decision tree */
    KEYWORD_BRANCH,      /* IF, ELSE */
    KEYWORD_OPERATOR,    /* behind a condition */
    KEYWORD_CONDITION,   /* in front of one */
    KEYWORD_PROJECTION,  /* kinds */
    KEYWORD_EMIT,        /* kinds */
    KEYWORD_PLACES,
};

/* NULL-terminated. */
const char *const *dsl_keywords(enum keyword_place place);

/* The keyword behind that one, the first behind NULL; NULL: no more. Each once, whatever its places. */
const char *dsl_keyword_next(const char *keyword);

/* A sentence in Markdown; NULL: the word is no keyword. */
const char *dsl_keyword_help(vsr_str keyword);

#endif
