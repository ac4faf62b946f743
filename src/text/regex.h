/*
 * regex - regular expressions in RE2 syntax: parsed, checked, counted.
 *
 * Patterns of a recipe are searched all at once by pattern_set, with Hyperscan. Hyperscan speaks PCRE's dialect,
 * which differs from RE2's in `$`, `\s`, case folding and more, and accepts what RE2 refuses; so a pattern is parsed
 * here, and regex_expression() writes it down again with every class and folding spelled out. Hyperscan also reports
 * each match once per possible end, which does not tell how many leftmost, non-overlapping matches there are:
 * regex_count() finds those with a simulation of the automaton (Pike's), in time linear in the text for each match
 * found.
 *
 * Syntax: literals, `.`, classes with \d \s \w \p{..} [:alpha:], groups (named ones too, nothing is captured), (?imsU)
 * flags, alternation, * + ? {n,m} and their lazy forms, ^ $ \A \z \b \B, \Q..\E. No back-references and no look-around:
 * an error. \d, \s, \w and \b are ASCII. Immutable once parsed: any thread.
 */
#ifndef VSR_TEXT_REGEX_H
#define VSR_TEXT_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

struct arena;
struct regex;

enum {
    REGEX_LEN_MAX = 16384,     /* bytes of a pattern */
    REGEX_DEPTH_MAX = 128,     /* nested groups: bounds the stack */
    REGEX_REPEAT_MAX = 1000,   /* {n,m}, as in RE2 */
    REGEX_PROGRAM_MAX = 20000, /* instructions once repeats are written out */
};

/*
 * What one text may cost the automaton, all patterns together. A worker serves nobody else meanwhile: at the measured
 * 3 to 12 ns a step, these are 50 ms at worst.
 */
enum { REGEX_STEPS_MAX = 1 << 22 };

struct regex_options {
    bool ignore_case; /* as if the pattern began with (?i) */
};

/*
 * Parses into `arena`. Fails with VSR_E_SYNTAX or VSR_E_LIMIT; err->text says what is wrong, err->col the 1-based byte
 * of the pattern.
 */
int regex_parse(struct arena *arena, vsr_str pattern, const struct regex_options *options, struct regex **ret_regex,
                struct vsr_err *err) VSR_MUST_CHECK;

/* Whether it can match without consuming a character. Such a pattern matches everywhere, which is never meant. */
bool regex_matches_empty(const struct regex *regex);

/*
 * The same language as an expression for Hyperscan (UTF-8 mode, no other flag). NUL-terminated, in `arena`. Big sets
 * such as \pL are written as "anything outside ASCII", because expressions are limited in length and huge ones cost the
 * engine dearly; then *ret_exact is false, and a hit has to be confirmed with regex_occurs().
 */
char *regex_expression(const struct regex *regex, struct arena *arena, bool *ret_exact);

/* Whether there is a match. Scratch, steps and failure as below. */
int regex_occurs(const struct regex *regex, struct arena *arena, vsr_str text, size_t *steps, bool *ret_occurs,
                 struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Number of leftmost-first, non-overlapping, non-empty matches. Needs scratch from `arena`, which it gives back. Lowers
 * `*steps`, which begin with REGEX_STEPS_MAX or a share of it, by what it costs. Fails with VSR_E_LIMIT when they do
 * not suffice, and leaves none then.
 */
int regex_count(const struct regex *regex, struct arena *arena, vsr_str text, size_t *steps, size_t *ret_count,
                struct vsr_err *err) VSR_MUST_CHECK;

#endif
