/*
 * token_shape - what a token looks like in the text that it came from, in one of sixteen classes.
 *
 * A tokenizer that folds case loses what names and numbers look like; a model that tags tokens reads it here. The class
 * is that of the token's own bytes without white space at both ends. The first that fits, in this order (which is not
 * that of the numbers, because models are trained with the numbers):
 *
 *     empty; digits only; a digit and a letter; a digit and something else; Han, kana or Hangul only; letters only: one
 *     upper case, all upper case, first upper and the others lower, all lower, cased in another way, without case;
 *     @ only; marks that end or divide a sentence only; dashes and slashes only; brackets and quotes only; the rest
 *
 * Digits are Nd, letters L*, upper case Lu and Lt, lower case Ll. Any bytes are a text: what is ill-formed is of the
 * rest. Pure: any thread.
 */
#ifndef VSR_TEXT_TOKEN_SHAPE_H
#define VSR_TEXT_TOKEN_SHAPE_H

#include <stdint.h>

#include "core/str.h"

enum token_shape {
    TOKEN_SHAPE_EMPTY,
    TOKEN_SHAPE_DIGITS,
    TOKEN_SHAPE_DIGIT_AND_LETTER,
    TOKEN_SHAPE_DIGIT_AND_OTHER,
    TOKEN_SHAPE_UPPER_ONE,
    TOKEN_SHAPE_UPPER,
    TOKEN_SHAPE_CAPITALIZED,
    TOKEN_SHAPE_MIXED,
    TOKEN_SHAPE_LOWER,
    TOKEN_SHAPE_CJK,
    TOKEN_SHAPE_CASELESS,
    TOKEN_SHAPE_AT,
    TOKEN_SHAPE_STOP,
    TOKEN_SHAPE_DASH,
    TOKEN_SHAPE_BRACKET,
    TOKEN_SHAPE_OTHER,
    TOKEN_SHAPES,
};

enum token_shape token_shape(vsr_str bytes);

#endif
