#include "text/sentence.h"

#include "core/utf8.h"
#include "text/unicode.h"

/* Most bytes are ASCII, and every one is looked at a few times. */
static inline uint32_t next_cp(vsr_str text, size_t *pos) {
    return (uint8_t)text.ptr[*pos] < 0x80 ? (uint8_t)text.ptr[(*pos)++] : utf8_next(text, pos);
}

static inline bool is_space(uint32_t cp) {
    return cp < 0x80 ? cp == ' ' || cp - '\t' < 5 : unicode_is_space(cp);
}

static inline bool is_cjk(uint32_t cp) {
    return cp >= 0x80 && unicode_is_cjk(cp);
}

static inline bool is_terminator(uint32_t cp) {
    if (cp < 0x80)
        return cp == '.' || cp == '!' || cp == '?';
    switch (cp) {
    case 0x3002:
    case 0xFF01:
    case 0xFF1F:
    case 0x061F:
    case 0x0964:
    case 0x0965:
    case 0x1362:
    case 0x0589:
        return true;
    default:
        return false;
    }
}

static bool is_line_end(uint32_t cp) {
    return cp == '\n' || cp == '\r';
}

static vsr_str skip_blanks(vsr_str text) {
    size_t pos = 0, next = 0;
    while (next < text.len && is_space(next_cp(text, &next)))
        pos = next;
    return str_sub(text, pos, text.len);
}

static vsr_str trim_end(vsr_str text) {
    size_t end = text.len, before = text.len;
    while (before > 0 && is_space(utf8_prev(text, &before)))
        end = before;
    return str_sub(text, 0, end);
}

/* Decoded at `pos`; 0 outside of the text. */
static uint32_t cp_at(vsr_str text, size_t pos) {
    return pos < text.len ? next_cp(text, &pos) : 0;
}

static uint32_t cp_before(vsr_str text, size_t pos) {
    return pos > 0 ? utf8_prev(text, &pos) : 0;
}

/* A single capital between `dot` and a blank or the beginning of the sentence. */
static bool follows_initial(vsr_str text, size_t dot) {
    size_t letter = dot;
    return dot > 0 && unicode_is_upper(utf8_prev(text, &letter)) && (letter == 0 || is_space(cp_before(text, letter)));
}

/* A blank, then a capital. */
static bool leads_to_name(vsr_str text, size_t behind) {
    return behind < text.len && is_space(next_cp(text, &behind)) && unicode_is_upper(cp_at(text, behind));
}

/* Whether the terminator at `pos` ends nothing; `behind` is the place after it. */
static bool is_inner(vsr_str text, uint32_t cp, size_t pos, size_t behind) {
    if (cp != '.')
        return false;
    if (unicode_is_digit(cp_before(text, pos)) && unicode_is_digit(cp_at(text, behind)))
        return true;
    return follows_initial(text, pos) && leads_to_name(text, behind);
}

/* Where the sentence at the front of `text` ends, and behind it the next can begin. */
static size_t sentence_len(vsr_str text) {
    for (size_t pos = 0; pos < text.len;) {
        size_t start = pos;
        uint32_t cp = next_cp(text, &pos);
        if (is_line_end(cp))
            return start;
        if (!is_terminator(cp) || is_inner(text, cp, start, pos))
            continue;
        while (is_terminator(cp_at(text, pos)))
            (void)next_cp(text, &pos);
        return pos;
    }
    return text.len;
}

bool sentence_next(vsr_str *rest, vsr_str *ret_sentence) {
    vsr_str text = skip_blanks(*rest);
    size_t len;
    if (text.len == 0)
        return false;
    len = sentence_len(text);
    *ret_sentence = trim_end(str_sub(text, 0, len));
    *rest = skip_blanks(str_sub(text, len, text.len));
    return true;
}

bool sentence_field(vsr_str *rest, vsr_str *ret_field) {
    vsr_str text = skip_blanks(*rest);
    size_t pos = 0, next = 0;
    if (text.len == 0)
        return false;
    while (next < text.len && !is_space(next_cp(text, &next)))
        pos = next;
    *ret_field = str_sub(text, 0, pos);
    *rest = str_sub(text, pos, text.len);
    return true;
}

/* Stops behind the first token past `most`. */
static uint64_t count_tokens(vsr_str text, uint64_t most) {
    uint64_t tenths = 0;
    bool is_word = false; /* the field that is being read has been counted as a word */
    for (size_t pos = 0; pos < text.len && tenths / 10 <= most;) {
        uint32_t cp = next_cp(text, &pos);
        if (is_space(cp)) {
            is_word = false;
        } else if (is_cjk(cp)) {
            tenths += 15;
        } else if (!is_word) {
            tenths += 13;
            is_word = true;
        }
    }
    return tenths / 10; /* one of either is more than 1 */
}

uint64_t sentence_tokens(vsr_str text) {
    return count_tokens(text, UINT64_MAX);
}

bool sentence_tokens_exceed(vsr_str text, uint64_t most) {
    return count_tokens(text, most) > most;
}

/* ---- words */

static vsr_str trim_marks(vsr_str text) {
    size_t start = 0, end = text.len, pos = 0;
    while (pos < text.len && !unicode_is_alnum(next_cp(text, &pos)))
        start = pos;
    pos = end;
    while (pos > start && !unicode_is_alnum(utf8_prev(text, &pos)))
        end = pos;
    return str_sub(text, start, end);
}

struct words {
    bool (*fn)(void *data, vsr_str word);
    void *data;
};

static bool give_run(const struct words *words, vsr_str run) {
    vsr_str word = trim_marks(run);
    return word.len == 0 || words->fn(words->data, word);
}

/* A CJK character, alone and with the one before it. */
static bool give_cjk(const struct words *words, vsr_str field, size_t previous, size_t start, size_t end) {
    return words->fn(words->data, str_sub(field, start, end)) &&
           (previous == start || words->fn(words->data, str_sub(field, previous, end)));
}

static bool give_field(const struct words *words, vsr_str field) {
    size_t run = 0, previous = 0; /* of the run, of the CJK character that ends here */
    bool after_cjk = false;
    for (size_t pos = 0; pos < field.len;) {
        size_t start = pos;
        if (!is_cjk(next_cp(field, &pos))) {
            after_cjk = false;
            continue;
        }
        if (!after_cjk && !give_run(words, str_sub(field, run, start)))
            return false;
        if (!give_cjk(words, field, after_cjk ? previous : start, start, pos))
            return false;
        after_cjk = true;
        previous = start;
        run = pos;
    }
    return give_run(words, str_sub(field, run, field.len));
}

void sentence_words(vsr_str text, bool (*fn)(void *data, vsr_str word), void *data) {
    const struct words words = { fn, data };
    vsr_str field;
    while (sentence_field(&text, &field))
        if (!give_field(&words, field))
            return;
}
