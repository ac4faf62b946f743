/*
 * grammar - the grammar of the routing language in EBNF: the one text that documentation and tools show. Static.
 *
 * The parser is written by hand (parse.h); whoever changes what it accepts changes this as well.
 */
#ifndef VSR_DSL_GRAMMAR_H
#define VSR_DSL_GRAMMAR_H

extern const char dsl_grammar[];

#endif
