/*
 * notation - programs of the routing language as documents: what config_load needs to read policy.dsl.
 *
 * Syntax errors, hard errors and what would be left out (unknown fields, values of another kind) become errors of the
 * document, the other findings of parsing and compiling its warnings. References and values are judged by the
 * configuration's own checks, which see base and program together.
 */
#ifndef VSR_DSL_NOTATION_H
#define VSR_DSL_NOTATION_H

#include "config/notation.h"

/* Files named *.dsl. */
extern const struct config_notation dsl_notation;

#endif
