/*
 * A text is read line by line. The words of a line are counted apart until its end tells whether it is source code;
 * then they join the first line, the last line so far, or what is between the two.
 */
#include "text/language.h"

#include "text/language_model.h"
#include "text/language_words.h"

/* ---- languages */

static const vsr_str codes[] = {
#define X(code) VSR_STR_INIT(#code),
    LANGUAGES(X)
#undef X
};
_Static_assert(VSR_COUNT(codes) == LANGUAGE_COUNT && LANGUAGE_COUNT == 75, "signals.md §10 lists 75 languages");

vsr_str language_code(enum language language) {
    return language < LANGUAGE_NONE ? codes[language] : (vsr_str){ 0 };
}

enum language language_find(vsr_str code) {
    for (size_t i = 0; i < VSR_COUNT(codes); i++)
        if (str_eq(codes[i], code))
            return (enum language)i;
    return LANGUAGE_NONE;
}

/* ---- scripts */

/* The language of a script that one of ours has to itself. */
static enum language script_language(enum unicode_script script) {
    static const struct {
        enum unicode_script script;
        enum language language;
    } unique[] = {
        { SCRIPT_HANGUL, LANGUAGE_ko },   { SCRIPT_THAI, LANGUAGE_th },     { SCRIPT_GREEK, LANGUAGE_el },
        { SCRIPT_HEBREW, LANGUAGE_he },   { SCRIPT_ARMENIAN, LANGUAGE_hy }, { SCRIPT_GEORGIAN, LANGUAGE_ka },
        { SCRIPT_GUJARATI, LANGUAGE_gu }, { SCRIPT_GURMUKHI, LANGUAGE_pa }, { SCRIPT_TAMIL, LANGUAGE_ta },
        { SCRIPT_TELUGU, LANGUAGE_te },   { SCRIPT_BENGALI, LANGUAGE_bn },
    };
    for (size_t i = 0; i < VSR_COUNT(unique); i++)
        if (unique[i].script == script)
            return unique[i].language;
    return LANGUAGE_NONE;
}

/* What one letter weighs against a letter of an alphabet: a Han character is about a word's half, a syllable two
 * letters. */
static size_t script_weight(enum unicode_script script) {
    if (script == SCRIPT_HAN)
        return 3;
    return script == SCRIPT_HIRAGANA || script == SCRIPT_KATAKANA || script == SCRIPT_HANGUL ? 2 : 1;
}

/* ---- counting */

/* Words that were read. All zero: none. */
struct tally {
    size_t letters[SCRIPTS];
    size_t n_letters, weight;
    size_t n_words; /* CJK letters count as one each */
    struct language_sum sums[LANGUAGE_GROUPS];
};

static void tally_word(struct tally *tally, const struct language_word *word) {
    enum language_group group = language_group_of(word->script);
    size_t weight = script_weight(word->script);
    tally->letters[word->script] += word->n_letters;
    tally->n_letters += word->n_letters;
    tally->weight += word->n_letters * weight;
    tally->n_words += weight > 1 ? word->n_letters : 1;
    if (group != GROUP_NONE)
        language_sum_add_word(&tally->sums[group], word);
}

static void tally_add(struct tally *tally, const struct tally *other) {
    if (other->n_letters == 0)
        return;
    for (size_t i = 0; i < SCRIPTS; i++)
        tally->letters[i] += other->letters[i];
    for (size_t i = 0; i < LANGUAGE_GROUPS; i++)
        language_sum_add(&tally->sums[i], &other->sums[i]);
    tally->n_letters += other->n_letters;
    tally->weight += other->weight;
    tally->n_words += other->n_words;
}

static bool tally_enough(const struct tally *tally) {
    return tally->n_letters >= LANGUAGE_LETTERS_MIN || tally->letters[SCRIPT_HAN] + tally->letters[SCRIPT_HIRAGANA] +
                                                               tally->letters[SCRIPT_KATAKANA] +
                                                               tally->letters[SCRIPT_HANGUL] >
                                                           0;
}

/* How the text divides among languages; the rest is in scripts that none of ours is written in. */
struct division {
    double p[LANGUAGE_COUNT];
    enum language best; /* NONE also when most of the text is in other scripts */
};

static void divide_han(const struct tally *tally, double total, struct division *division) {
    size_t kana = tally->letters[SCRIPT_HIRAGANA] + tally->letters[SCRIPT_KATAKANA], han = tally->letters[SCRIPT_HAN];
    double share = (double)(han * script_weight(SCRIPT_HAN) + kana * script_weight(SCRIPT_KATAKANA)) / total;
    division->p[kana * 20 > han ? LANGUAGE_ja : LANGUAGE_zh] += share; /* a lone の decorates Chinese texts */
}

static void divide(const struct tally *tally, struct division *division) {
    double total = (double)tally->weight, other = 0;
    *division = (struct division){ .best = LANGUAGE_NONE };
    if (!tally_enough(tally))
        return;
    divide_han(tally, total, division);
    for (int i = 0; i < SCRIPTS; i++) {
        enum unicode_script script = (enum unicode_script)i;
        double share = (double)(tally->letters[i] * script_weight(script)) / total;
        enum language_group group = language_group_of(script);
        enum language language = script_language(script);
        if (group != GROUP_NONE)
            language_sum_divide(&tally->sums[group], group, share, division->p);
        else if (language != LANGUAGE_NONE)
            division->p[language] += share;
        else if (script != SCRIPT_HAN && script != SCRIPT_HIRAGANA && script != SCRIPT_KATAKANA)
            other += share;
    }
    for (int i = 0; i < LANGUAGE_COUNT; i++)
        if (division->p[i] > other) {
            other = division->p[i];
            division->best = (enum language)i;
        }
}

/* ---- lines */

/* A line that is to overrule the rest of the prompt must be long enough, and sure enough, to be no heading and no name.
 */
enum { INSTRUCTION_WEIGHT_MIN = 15, INSTRUCTION_WORDS_MIN = 3 };
#define INSTRUCTION_P_MIN 0.9
#define INSTRUCTION_SHARE (2.0 / 3) /* what it counts against the whole */

struct lines {
    struct tally first, between, last; /* lines of prose */
    struct tally maybe;                /* lines that are code if there is code at all */
    struct tally line;                 /* the one being read */
    size_t code_letters;
    bool first_after_code, last_before_code;
    bool after_colon; /* the line before the last one announces it */
    bool colon;       /* the last line that was read ends in one */
};

/* Brackets and operators: prose has a few here and there. */
static bool is_code(const struct tally *line, size_t n_symbols) {
    enum { SYMBOLS_MIN = 4, LETTERS_PER_SYMBOL = 8 };
    return n_symbols >= SYMBOLS_MIN && n_symbols * LETTERS_PER_SYMBOL >= line->n_letters;
}

/* Lines that begin or end like this occur in code, and in prose. `text`: the line with its blanks. */
static bool may_be_code(vsr_str text) {
    static const vsr_str starts[] = {
        VSR_STR_INIT("//"),      VSR_STR_INIT("/*"),    VSR_STR_INIT("* "),     VSR_STR_INIT("#"),
        VSR_STR_INIT("--"),      VSR_STR_INIT("    "),  VSR_STR_INIT("\t"),     VSR_STR_INIT("import "),
        VSR_STR_INIT("from "),   VSR_STR_INIT("def "),  VSR_STR_INIT("class "), VSR_STR_INIT("package "),
        VSR_STR_INIT("func "),   VSR_STR_INIT("fn "),   VSR_STR_INIT("let "),   VSR_STR_INIT("using "),
        VSR_STR_INIT("return "), VSR_STR_INIT("var "),  VSR_STR_INIT("const "), VSR_STR_INIT("static "),
        VSR_STR_INIT("struct "), VSR_STR_INIT("enum "), VSR_STR_INIT("await "), VSR_STR_INIT("} "),
    };
    static const vsr_str ends[] = {
        VSR_STR_INIT(";"), VSR_STR_INIT("{"), VSR_STR_INIT("}"), VSR_STR_INIT(")"), VSR_STR_INIT("*/"),
    };
    vsr_str line = str_trim(text);
    for (size_t i = 0; i < VSR_COUNT(starts); i++)
        if (str_starts(text, starts[i]) || str_starts(line, starts[i]))
            return true;
    for (size_t i = 0; i < VSR_COUNT(ends); i++)
        if (str_ends(line, ends[i]))
            return true;
    return false;
}

/* Puts the line that was read where it belongs. `text`: all of it. */
static void end_line(struct lines *lines, vsr_str text, size_t n_symbols) {
    vsr_str line = str_trim(text);
    bool code = is_code(&lines->line, n_symbols), prose = !code && !may_be_code(text);
    if (lines->line.n_letters == 0)
        return;
    if (code) {
        lines->code_letters += lines->line.n_letters;
    } else if (!prose) {
        tally_add(&lines->maybe, &lines->line);
    } else if (lines->first.n_letters == 0) {
        lines->first = lines->line;
    } else {
        tally_add(&lines->between, &lines->last);
        lines->last = lines->line;
        lines->after_colon = lines->colon;
    }
    lines->first_after_code |= !prose && lines->first.n_letters == 0;
    lines->last_before_code = !prose;
    lines->colon = str_ends(line, VSR_STR(":")) || str_ends(line, VSR_STR("："));
    lines->line = (struct tally){ 0 };
}

static void read_lines(vsr_str text, struct lines *lines) {
    struct language_reader reader;
    struct language_word word;
    size_t start = 0;
    language_reader_init(&reader, text, LANGUAGE_LEN_MAX);
    for (;;) {
        enum language_token token = language_read(&reader, &word);
        if (token == LANGUAGE_TOKEN_WORD) {
            tally_word(&lines->line, &word);
            continue;
        }
        if (token == LANGUAGE_TOKEN_COLON &&
            (lines->first.n_letters > 0 || lines->line.weight < INSTRUCTION_WEIGHT_MIN))
            continue;
        end_line(lines, str_sub(text, start, reader.pos), reader.n_symbols);
        if (token == LANGUAGE_TOKEN_END)
            return;
        start = reader.pos;
        reader.n_symbols = 0;
    }
}

/* ---- deciding */

static bool is_instruction(const struct tally *line, struct division *division) {
    if (line->weight < INSTRUCTION_WEIGHT_MIN || line->n_words < INSTRUCTION_WORDS_MIN)
        return false;
    divide(line, division);
    return division->best != LANGUAGE_NONE && division->p[division->best] >= INSTRUCTION_P_MIN;
}

static void blend(struct division *whole, const struct division *instruction) {
    for (int i = 0; i < LANGUAGE_COUNT; i++)
        whole->p[i] = INSTRUCTION_SHARE * instruction->p[i] + (1 - INSTRUCTION_SHARE) * whole->p[i];
    whole->best = instruction->best;
}

/*
 * The line that says what to do with the rest: the first one; or the last one, where more than one line stands above it
 * and none announces it. False when it agrees with the rest, or no line is sure.
 */
static bool find_instruction(const struct lines *lines, enum language rest, struct division *ret_instruction) {
    if (is_instruction(&lines->first, ret_instruction) && ret_instruction->best != rest)
        return true;
    return lines->between.n_letters > 0 && !lines->after_colon && is_instruction(&lines->last, ret_instruction) &&
           ret_instruction->best != rest;
}

static void decide(const struct lines *lines, struct division *division) {
    size_t n_code = lines->code_letters;
    struct division instruction;
    struct tally whole = lines->first;
    tally_add(&whole, &lines->between);
    tally_add(&whole, &lines->last);
    if (n_code > 0)
        n_code += lines->maybe.n_letters;
    else
        tally_add(&whole, &lines->maybe);
    divide(&whole, division);
    if (n_code > whole.n_letters) {
        if (!lines->first_after_code && is_instruction(&lines->first, division))
            return;
        if (!lines->last_before_code && is_instruction(&lines->last, division))
            return;
        *division = (struct division){ .best = LANGUAGE_NONE };
    } else if (find_instruction(lines, division->best, &instruction)) {
        blend(division, &instruction);
    }
}

/* The languages of at least LANGUAGE_SHARE_MIN, sorted; of equals the first by code. */
static void write_shares(const struct division *division, struct language_guess *guess) {
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        size_t at = guess->n_shares;
        if (division->p[i] < LANGUAGE_SHARE_MIN || guess->n_shares == LANGUAGE_SHARES_MAX)
            continue;
        for (; at > 0 && guess->shares[at - 1].p < division->p[i]; at--)
            guess->shares[at] = guess->shares[at - 1];
        guess->shares[at] = (struct language_share){ (enum language)i, division->p[i] };
        guess->n_shares++;
    }
}

void language_detect(vsr_str text, struct language_guess *ret_guess) {
    struct lines lines = { 0 };
    struct division division;
    read_lines(text, &lines);
    decide(&lines, &division);
    *ret_guess = (struct language_guess){ .language = division.best };
    if (division.best == LANGUAGE_NONE)
        return;
    ret_guess->confidence =
        division.p[division.best] < 1 ? division.p[division.best] : 1; /* a sum may exceed it by a bit */
    write_shares(&division, ret_guess);
}

void language_warm_up(void) {
    (void)language_model_touch();
}
