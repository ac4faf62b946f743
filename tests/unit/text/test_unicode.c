#include "test.h"

#include <utf8proc.h>

#include "core/arena.h"
#include "core/utf8.h"
#include "text/fold.h"
#include "text/unicode.h"

static const struct {
    const char *name;
    uint32_t cp;
    bool word, cjk, alnum;
} classes[] = {
    { "a", 'a', true, false, true },
    { "digit", '7', true, false, true },
    { "underscore", '_', true, false, false },
    { "hyphen", '-', false, false, false },
    { "e acute", 0xE9, true, false, true },
    { "cyrillic", 0x434, true, false, true },
    { "devanagari sign", 0x940, true, false, false },
    { "arabic digit", 0x663, true, false, true },
    { "roman numeral is no digit", 0x2160, false, false, false },
    { "han", 0x4F60, false, true, true },
    { "han extension B", 0x20000, false, true, true },
    { "hiragana", 0x3042, false, true, true },
    { "katakana", 0x30AB, false, true, true },
    { "prolonged sound", 0x30FC, false, true, true },
    { "hangul", 0xD55C, false, true, true },
    { "ideographic full stop", 0x3002, false, false, false },
    { "emoji", 0x1F600, false, false, false },
    { "invalid", UINT32_MAX, false, false, false },
};

TEST(classes_of_code_points) {
    for (size_t i = 0; i < VSR_COUNT(classes); i++) {
        CHECK_INT(unicode_is_word(classes[i].cp), classes[i].word, classes[i].name);
        CHECK_INT(unicode_is_cjk(classes[i].cp), classes[i].cjk, classes[i].name);
        CHECK_INT(unicode_is_alnum(classes[i].cp), classes[i].alnum, classes[i].name);
    }
}

/* utf8proc knows full case folding; where that is one character it is the simple one too. */
static uint32_t reference_fold(uint32_t cp) {
    utf8proc_int32_t out[8];
    int boundary = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)cp, out, 8, UTF8PROC_CASEFOLD, &boundary);
    if (cp == 0x130 || cp == 0xFB05 || cp == 0x1FD3 || cp == 0x1FE3)
        return cp;
    return n == 1 ? (uint32_t)out[0] : (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
}

TEST(folding_equals_utf8proc) {
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        uint32_t folded = unicode_fold(cp);
        CHECK_MSG(folded == reference_fold(cp), "U+%04X folds to U+%04X, utf8proc says U+%04X", cp, folded,
                  reference_fold(cp));
        CHECK_MSG(unicode_fold(folded) == folded, "U+%04X: folding twice differs", cp);
    }
}

/* Keyword boundaries are looked at in the folded text, so folding must not change what is a word. */
TEST(folding_keeps_classes) {
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        CHECK_MSG(unicode_is_word(cp) == unicode_is_word(unicode_fold(cp)), "U+%04X", cp);
        CHECK_MSG(unicode_is_word(cp) == unicode_is_word(unicode_lower(cp)), "U+%04X", cp);
        CHECK_MSG(unicode_is_cjk(cp) == unicode_is_cjk(unicode_fold(cp)), "U+%04X", cp);
    }
}

/* Whatever has a lower case, or is one, is cased. */
TEST(cased_letters) {
    static const uint32_t cased[] = { 'a', 'Z', 0xAA, 0x1C5, 0x2B0, 0x345, 0x2160, 0x24B6, 0x1D6A, 0x10FF, 0x1F189 };
    static const uint32_t others[] = { '1', '\'', 0x2C2, 0x5D0, 0x4E2D, 0x1F18A, UTF8_INVALID };
    static const uint32_t ignorable[] = { '\'', '.', ':', '^', 0xAD, 0xB7, 0x2B0, 0x301, 0x2019, 0x200D, 0xFF1A };
    static const uint32_t counted[] = { 'a', ' ', ',', '-', 0x2018 - 1, 0x3B1, UTF8_INVALID };
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++)
        if (unicode_lower(cp) != cp)
            CHECK_MSG(unicode_is_cased(cp) && unicode_is_cased(unicode_lower(cp)), "U+%04X", cp);
    for (size_t i = 0; i < VSR_COUNT(cased); i++)
        CHECK_MSG(unicode_is_cased(cased[i]), "U+%04X", cased[i]);
    for (size_t i = 0; i < VSR_COUNT(others); i++)
        CHECK_MSG(!unicode_is_cased(others[i]), "U+%04X", others[i]);
    for (size_t i = 0; i < VSR_COUNT(ignorable); i++)
        CHECK_MSG(unicode_is_case_ignorable(ignorable[i]), "U+%04X", ignorable[i]);
    for (size_t i = 0; i < VSR_COUNT(counted); i++)
        CHECK_MSG(!unicode_is_case_ignorable(counted[i]), "U+%04X", counted[i]);
}

static void count_pair(void *data, uint32_t cp, uint32_t folded) {
    CHECK_MSG(unicode_fold(cp) == folded && cp != folded, "U+%04X", cp);
    ++*(size_t *)data;
}

TEST(fold_pairs_are_all) {
    size_t listed = 0, found = 0;
    unicode_fold_pairs(count_pair, &listed);
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++)
        found += unicode_fold(cp) != cp;
    CHECK_INT(listed, found, "pairs");
}

static const struct {
    const char *name, *text, *folded, *lowered;
} folds[] = {
    { "ascii", "Hello", "hello", "hello" },
    { "nothing to do", "hello 你好", "hello 你好", "hello 你好" },
    { "cyrillic", "ЗАКОН", "закон", "закон" },
    { "long s", "ſo", "so", "ſo" },
    { "kelvin", "5 K", "5 k", "5 k" },
    { "final sigma", "ΟΔΟΣ ος", "οδοσ οσ", "οδοσ ος" },
    { "grows", "Ⱥ", "ⱥ", "ⱥ" },
    { "sharp s stays", "straße", "straße", "straße" },
};

TEST(folding_texts) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(folds); i++) {
        CHECK_STR(fold_text(arena, str_from_c(folds[i].text), FOLD_CASE), folds[i].folded, folds[i].name);
        CHECK_STR(fold_text(arena, str_from_c(folds[i].text), FOLD_LOWER), folds[i].lowered, folds[i].name);
    }
    CHECK_STR(fold_non_ascii(arena, VSR_STR("ABC Ж"), FOLD_CASE), "ABC ж", "ascii untouched");
    arena_free(arena);
}

TEST(scripts) {
    CHECK_INT(unicode_script('a'), SCRIPT_LATIN, "a");
    CHECK_INT(unicode_script(0x3B1), SCRIPT_GREEK, "alpha");
    CHECK_INT(unicode_script(0x10D0), SCRIPT_GEORGIAN, "georgian");
    CHECK_INT(unicode_script('1'), SCRIPT_OTHER, "digit");
    CHECK_INT(unicode_script_named(VSR_STR("Greek")), SCRIPT_GREEK, "name");
    CHECK_INT(unicode_script_named(VSR_STR("greek")), SCRIPT_OTHER, "names are exact");
}

static const struct {
    const char *text;
    size_t units;
} units[] = {
    { "", 0 },       { "please output markdown table", 4 },
    { "don't", 2 },  { "Use Python3 函数 now!", 5 },
    { "... !!", 0 }, { "안녕 こんにちは", 7 },
};

TEST(text_units) {
    for (size_t i = 0; i < VSR_COUNT(units); i++)
        CHECK_INT(unicode_count_units(str_from_c(units[i].text)), units[i].units, units[i].text);
}

RUN_TESTS(T(classes_of_code_points), T(folding_equals_utf8proc), T(folding_keeps_classes), T(cased_letters),
          T(fold_pairs_are_all), T(folding_texts), T(scripts), T(text_units))
