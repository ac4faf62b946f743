#include "text/language_words.h"

#include "core/utf8.h"

/* ---- what is no language */

/* Length of the code that starts at `pos`: a fence to its end, or back-quoted words on one line. 0: none. */
static size_t code_len(vsr_str text, size_t pos) {
    vsr_str rest = str_sub(text, pos, text.len);
    ptrdiff_t end;
    if (str_starts(rest, VSR_STR("```"))) {
        end = str_find(str_sub(rest, 3, rest.len), VSR_STR("```"));
        return end < 0 ? rest.len : (size_t)end + 6;
    }
    if (!str_starts(rest, VSR_STR("`")))
        return 0;
    rest = str_sub(rest, 1, rest.len);
    end = str_find_char(rest, '`');
    return end < 0 || memchr(rest.ptr, '\n', (size_t)end) ? 0 : (size_t)end + 2;
}

/* Length of the run of printable ASCII at `pos`, which is where addresses live; other scripts may touch it. */
static size_t ascii_run_len(vsr_str text, size_t pos) {
    size_t end = pos;
    while (end < text.len && text.ptr[end] > ' ' && text.ptr[end] < 0x7F && text.ptr[end] != '`')
        end++;
    return end - pos;
}

static bool is_address(vsr_str run) {
    ptrdiff_t at = str_find_char(run, '@');
    if (str_find(run, VSR_STR("://")) >= 0 || str_starts(run, VSR_STR("www.")))
        return true;
    return at > 0 && str_find_char(str_sub(run, (size_t)at, run.len), '.') > 1;
}

/* Length of what begins at `pos` and is no language: code, or an address. */
static size_t skip_len(struct language_reader *reader) {
    vsr_str text = reader->text;
    size_t pos = reader->pos, run;
    if (text.ptr[pos] == '`')
        return code_len(text, pos);
    if (pos < reader->run_end)
        return 0;
    run = ascii_run_len(text, pos);
    reader->run_end = pos + (run ? run : 1);
    return run > 0 && is_address(str_sub(text, pos, reader->run_end)) ? run : 0;
}

/* ---- characters */

/* What a character is to a reader of words. */
enum kind { KIND_BREAK, KIND_LETTER, KIND_MARK, KIND_SYMBOL, KIND_LINE, KIND_COLON };

struct character {
    enum kind kind;
    enum unicode_script script; /* of a letter */
    uint32_t cp;                /* in lower case */
};

static struct character ascii_character(char c) {
    static const uint8_t symbols[128] = {
        ['{'] = 1, ['}'] = 1, ['('] = 1, [')'] = 1, ['['] = 1, [']'] = 1, [';'] = 1, ['='] = 1,
        ['<'] = 1, ['>'] = 1, ['|'] = 1, ['&'] = 1, ['*'] = 1, ['+'] = 1, ['/'] = 1, ['\\'] = 1,
        ['_'] = 1, ['$'] = 1, ['#'] = 1, ['^'] = 1, ['~'] = 1, ['@'] = 1, ['%'] = 1,
    };
    uint32_t lower = (uint32_t)(uint8_t)c | 0x20;
    if (lower - 'a' < 26)
        return (struct character){ KIND_LETTER, SCRIPT_LATIN, lower };
    return (struct character){ .kind = c == '\''             ? KIND_MARK
                                       : c == '\n'           ? KIND_LINE
                                       : c == ':'            ? KIND_COLON
                                       : symbols[(uint8_t)c] ? KIND_SYMBOL
                                                             : KIND_BREAK,
                               .cp = (uint32_t)c };
}

static struct character wide_character(uint32_t cp) {
    const char *category;
    if (cp == UTF8_INVALID)
        return (struct character){ .kind = KIND_BREAK };
    if (cp == 0x2019 || cp == 0x02BC || cp == 0x02BB) /* apostrophes of French, Ukrainian, Uzbek keyboards */
        return (struct character){ .kind = KIND_MARK, .cp = '\'' };
    if (cp == 0x200C) /* joins the parts of Persian words */
        return (struct character){ .kind = KIND_MARK, .cp = cp };
    if (cp == 0xFF1A)
        return (struct character){ .kind = KIND_COLON };
    category = unicode_category(cp);
    if (category[0] == 'L') {
        enum unicode_script script = unicode_script(cp);
        if (script == SCRIPT_OTHER && unicode_is_cjk(cp))
            script = SCRIPT_KATAKANA; /* the prolonged sound mark and its like */
        return (struct character){ KIND_LETTER, script, unicode_lower(cp) };
    }
    return (struct character){ .kind = category[0] == 'M' ? KIND_MARK : KIND_BREAK, .cp = cp };
}

/* The character at `*pos`, which moves behind it. */
static struct character next_character(vsr_str text, size_t *pos) {
    if ((uint8_t)text.ptr[*pos] < 0x80)
        return ascii_character(text.ptr[(*pos)++]);
    return wide_character(utf8_next(text, pos));
}

/* ---- words */

/* Reads on from the word's first letter. A word ends before whatever cannot belong to it. */
static void read_word(struct language_reader *reader, struct character first, struct language_word *word) {
    struct character c = first;
    word->script = first.script;
    word->n = word->n_letters = 0;
    for (size_t after = reader->pos, start;;) {
        word->n_letters += c.kind == KIND_LETTER;
        if (word->n < LANGUAGE_WORD_LEN_MAX)
            word->chars[word->n++] = c.cp;
        reader->pos = start = after;
        if (start >= reader->text.len || start == reader->gap_at)
            return;
        c = next_character(reader->text, &after);
        if (c.kind != KIND_MARK && (c.kind != KIND_LETTER || c.script != word->script))
            return;
        if (start < reader->gap_at && after > reader->gap_at)
            return;
    }
}

static bool colon_ends_thought(const struct language_reader *reader) {
    uint8_t next = reader->pos < reader->text.len ? (uint8_t)reader->text.ptr[reader->pos] : ' ';
    return next <= ' ' || next == '"' || next >= 0x80;
}

static void jump_gap(struct language_reader *reader) {
    if (reader->pos >= reader->gap_at && reader->pos < reader->gap_end)
        reader->pos = reader->gap_end;
}

void language_reader_init(struct language_reader *reader, vsr_str text, size_t len_max) {
    *reader = (struct language_reader){ .text = text, .gap_at = text.len, .gap_end = text.len };
    if (text.len <= len_max)
        return;
    reader->gap_at = len_max / 4 * 3;
    reader->gap_end = text.len - len_max / 4;
    while (reader->gap_end < text.len && ((uint8_t)text.ptr[reader->gap_end] & 0xC0) == 0x80)
        reader->gap_end++; /* to the start of a character */
}

enum language_token language_read(struct language_reader *reader, struct language_word *ret_word) {
    vsr_str text = reader->text;
    for (;;) {
        struct character c;
        jump_gap(reader);
        if (reader->pos >= text.len)
            return LANGUAGE_TOKEN_END;
        if ((uint8_t)text.ptr[reader->pos] < 0x80) {
            size_t skip = skip_len(reader);
            reader->pos += skip;
            if (skip)
                continue;
        }
        c = next_character(text, &reader->pos);
        switch (c.kind) {
        case KIND_LETTER:
            read_word(reader, c, ret_word);
            return LANGUAGE_TOKEN_WORD;
        case KIND_LINE:
            return LANGUAGE_TOKEN_LINE;
        case KIND_COLON:
            if (colon_ends_thought(reader))
                return LANGUAGE_TOKEN_COLON;
            break;
        case KIND_SYMBOL:
            reader->n_symbols++;
            break;
        default:
            break;
        }
    }
}
