/*
 * normal_form - the Unicode normalization forms, with what became of each code point.
 *
 * Built once in an arena from utf8proc's tables (a few milliseconds): which pairs compose, and which code points are
 * inert, that is, unchanged and without influence on their neighbours. Only runs around other code points are worked
 * on. Immutable once built: any thread.
 */
#ifndef VSR_TEXT_NORMAL_FORM_H
#define VSR_TEXT_NORMAL_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct normal_form;
struct token_text;
struct tokenizer_work;

enum normal_form_kind { NORMAL_FORM_C, NORMAL_FORM_D, NORMAL_FORM_KC, NORMAL_FORM_KD };

struct normal_form *normal_form_build(struct arena *arena, enum normal_form_kind kind);

/*
 * Replaces `*text` by its normal form, in a buffer of `work` unless nothing changes. Ranges go from left to right: a
 * code point that came out of one takes the range of the next one that went in, an additional one that of its left
 * neighbour, a composition that of its first part.
 */
void normal_form_apply(const struct normal_form *form, struct tokenizer_work *work, struct token_text *text);

#endif
