#include "text/unicode.h"

#include <utf8proc.h>

#include "core/utf8.h"

enum { CODE_POINT_MAX = 0x10FFFF };

struct fold_run {
    uint32_t first, last;
    int32_t delta;
    uint32_t stride;
};

struct script_range {
    uint32_t first, last;
    uint32_t script;
};

#include "text/unicode_tables.h"

static utf8proc_category_t category_of(uint32_t cp) {
    return cp > CODE_POINT_MAX ? UTF8PROC_CATEGORY_CN : utf8proc_category((utf8proc_int32_t)cp);
}

const char *unicode_category(uint32_t cp) {
    return cp > CODE_POINT_MAX ? "Cn" : utf8proc_category_string((utf8proc_int32_t)cp);
}

static bool is_ascii_letter(uint32_t cp) {
    return (cp | 32) - 'a' < 26;
}

bool unicode_is_letter(uint32_t cp) {
    utf8proc_category_t category;
    if (cp < 0x80)
        return is_ascii_letter(cp);
    category = category_of(cp);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool unicode_is_alnum(uint32_t cp) {
    utf8proc_category_t category;
    if (cp < 0x80)
        return is_ascii_letter(cp) || cp - '0' < 10;
    category = category_of(cp);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) || category == UTF8PROC_CATEGORY_ND;
}

bool unicode_is_digit(uint32_t cp) {
    return cp < 0x80 ? cp - '0' < 10 : category_of(cp) == UTF8PROC_CATEGORY_ND;
}

bool unicode_is_upper(uint32_t cp) {
    return unicode_lower(cp) != cp;
}

bool unicode_is_space(uint32_t cp) {
    if (cp < 0x80)
        return cp == ' ' || cp - '\t' < 5;
    return cp == 0x85 || cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 ||
           cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

/* Other_Lowercase and Other_Uppercase: letters and marks of other categories. */
static const struct {
    uint32_t first, last;
} other_cased[] = {
    { 0xAA, 0xAA },       { 0xBA, 0xBA },       { 0x2B0, 0x2B8 },     { 0x2C0, 0x2C1 },     { 0x2E0, 0x2E4 },
    { 0x345, 0x345 },     { 0x37A, 0x37A },     { 0x1D2C, 0x1D6A },   { 0x1D78, 0x1D78 },   { 0x1D9B, 0x1DBF },
    { 0x2071, 0x2071 },   { 0x207F, 0x207F },   { 0x2090, 0x209C },   { 0x2160, 0x217F },   { 0x24B6, 0x24E9 },
    { 0x2C7C, 0x2C7D },   { 0xA69C, 0xA69D },   { 0xA770, 0xA770 },   { 0xA7F8, 0xA7F9 },   { 0xAB5C, 0xAB5F },
    { 0x10780, 0x10780 }, { 0x10783, 0x10785 }, { 0x10787, 0x107B0 }, { 0x107B2, 0x107BA }, { 0x1F130, 0x1F149 },
    { 0x1F150, 0x1F169 }, { 0x1F170, 0x1F189 },
};

bool unicode_is_cased(uint32_t cp) {
    utf8proc_category_t category;
    if (cp < 0x80)
        return is_ascii_letter(cp);
    category = category_of(cp);
    if (category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT)
        return true;
    for (size_t i = 0; i < VSR_COUNT(other_cased); i++)
        if (cp >= other_cased[i].first && cp <= other_cased[i].last)
            return true;
    return false;
}

bool unicode_is_case_ignorable(uint32_t cp) {
    /* Of Word_Break: MidLetter, MidNumLet and Single_Quote. */
    static const uint32_t within_words[] = { 0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,  0x5F4,  0x2018, 0x2019,
                                             0x2024, 0x2027, 0xFE13, 0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A };
    utf8proc_category_t category = category_of(cp);
    for (size_t i = 0; i < VSR_COUNT(within_words); i++)
        if (cp == within_words[i])
            return true;
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME || category == UTF8PROC_CATEGORY_CF ||
           category == UTF8PROC_CATEGORY_LM || category == UTF8PROC_CATEGORY_SK;
}

static const struct script_range *script_range_of(uint32_t cp) {
    size_t low = 0, high = VSR_COUNT(script_ranges);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (cp > script_ranges[middle].last)
            low = middle + 1;
        else if (cp < script_ranges[middle].first)
            high = middle;
        else
            return &script_ranges[middle];
    }
    return NULL;
}

enum unicode_script unicode_script(uint32_t cp) {
    const struct script_range *range;
    if (cp < 0x80)
        return is_ascii_letter(cp) ? SCRIPT_LATIN : SCRIPT_OTHER;
    if (cp >= 0x4E00 && cp <= 0x9FFF)
        return SCRIPT_HAN;
    range = script_range_of(cp);
    return range ? (enum unicode_script)range->script : SCRIPT_OTHER;
}

static const char *const script_names[SCRIPTS] = {
#define X(id, name) [SCRIPT_##id] = name,
    UNICODE_SCRIPTS(X)
#undef X
};

enum unicode_script unicode_script_named(vsr_str name) {
    for (int i = 0; i < SCRIPTS; i++)
        if (script_names[i] && str_eq_c(name, script_names[i]))
            return (enum unicode_script)i;
    return SCRIPT_OTHER;
}

void unicode_script_ranges(enum unicode_script script, void (*fn)(void *data, uint32_t first, uint32_t last),
                           void *data) {
    for (size_t i = 0; i < VSR_COUNT(script_ranges); i++)
        if (script_ranges[i].script == script)
            fn(data, script_ranges[i].first, script_ranges[i].last);
}

/* Kana marks that Unicode files under "common" or "inherited" although only these scripts use them. */
static bool is_kana_mark(uint32_t cp) {
    return (cp >= 0x3099 && cp <= 0x309C) || cp == 0x30FC || cp == 0xFF70 || cp == 0x3006;
}

bool unicode_is_cjk(uint32_t cp) {
    enum unicode_script script;
    if (cp < 0x1100 || cp > CODE_POINT_MAX)
        return false;
    script = unicode_script(cp);
    return script == SCRIPT_HAN || script == SCRIPT_HIRAGANA || script == SCRIPT_KATAKANA || script == SCRIPT_HANGUL ||
           is_kana_mark(cp);
}

bool unicode_is_word(uint32_t cp) {
    utf8proc_category_t category;
    if (cp < 0x80)
        return is_ascii_letter(cp) || cp - '0' < 10 || cp == '_';
    category = category_of(cp);
    if (category < UTF8PROC_CATEGORY_LU || category > UTF8PROC_CATEGORY_ND) /* LU .. LO, MN, MC, ME, ND */
        return false;
    return !unicode_is_cjk(cp);
}
_Static_assert(UTF8PROC_CATEGORY_LO < UTF8PROC_CATEGORY_MN && UTF8PROC_CATEGORY_ME + 1 == UTF8PROC_CATEGORY_ND,
               "letters, marks and decimal digits are neighbours");

uint32_t unicode_fold(uint32_t cp) {
    size_t low = 0, high = VSR_COUNT(fold_runs);
    if (cp < 0x80)
        return cp - 'A' < 26 ? cp + 32 : cp;
    if (cp >= 0x2E00 && cp < 0xA640) /* CJK and kana have no case */
        return cp;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct fold_run *run = &fold_runs[middle];
        if (cp > run->last)
            low = middle + 1;
        else if (cp < run->first)
            high = middle;
        else
            return (cp - run->first) % run->stride == 0 ? (uint32_t)((int32_t)cp + run->delta) : cp;
    }
    return cp;
}

uint32_t unicode_lower(uint32_t cp) {
    if (cp < 0x80)
        return cp - 'A' < 26 ? cp + 32 : cp;
    if (cp > CODE_POINT_MAX || (cp >= 0x2E00 && cp < 0xA640))
        return cp;
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
}

size_t unicode_decompose(uint32_t cp, uint32_t ret_parts[static UNICODE_DECOMPOSED_MAX]) {
    utf8proc_int32_t parts[UNICODE_DECOMPOSED_MAX];
    int boundary = 0;
    utf8proc_ssize_t n = -1;
    if (cp >= 0x80 && cp <= CODE_POINT_MAX)
        n = utf8proc_decompose_char((utf8proc_int32_t)cp, parts, UNICODE_DECOMPOSED_MAX,
                                    UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
    if (n < 1 || n > UNICODE_DECOMPOSED_MAX) {
        ret_parts[0] = cp;
        return 1;
    }
    for (utf8proc_ssize_t i = 0; i < n; i++)
        ret_parts[i] = (uint32_t)parts[i];
    return (size_t)n;
}

void unicode_fold_pairs(void (*fn)(void *data, uint32_t cp, uint32_t folded), void *data) {
    for (size_t i = 0; i < VSR_COUNT(fold_runs); i++)
        for (uint32_t cp = fold_runs[i].first; cp <= fold_runs[i].last; cp += fold_runs[i].stride)
            fn(data, cp, (uint32_t)((int32_t)cp + fold_runs[i].delta));
}

bool unicode_is_ascii(vsr_str text) {
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t i = 0;
    uint64_t seen = 0;
    for (; i + 8 <= text.len; i += 8) {
        uint64_t word;
        memcpy(&word, text.ptr + i, 8);
        seen |= word;
    }
    for (; i < text.len; i++)
        seen |= (uint8_t)text.ptr[i];
    return (seen & high_bits) == 0;
}

size_t unicode_count_units(vsr_str text) {
    size_t units = 0;
    bool in_run = false;
    for (size_t pos = 0; pos < text.len;) {
        uint32_t cp = utf8_next(text, &pos);
        if (unicode_is_cjk(cp)) {
            units++;
            in_run = false;
        } else if (unicode_is_alnum(cp)) {
            units += !in_run;
            in_run = true;
        } else {
            in_run = false;
        }
    }
    return units;
}
