#include "text/tokens.h"

#include "core/utf8.h"
#include "text/unicode.h"

void tokens_init(struct tokens *tokens, vsr_str text) {
    tokens->text = text;
    tokens->pos = 0;
    tokens->token = (vsr_str){ 0 };
    tokens->plain = tokens->paired = false;
}

/* Letters that are no letter plus mark to Unicode, but are typed without their stroke or as two letters. */
static const char *spelled_out(uint32_t cp) {
    switch (cp) {
    case 0xDF:
        return "ss";
    case 0xE6:
        return "ae";
    case 0xF0:
    case 0x111:
        return "d";
    case 0xF8:
        return "o";
    case 0xFE:
        return "th";
    case 0x127:
        return "h";
    case 0x142:
        return "l";
    case 0x153:
        return "oe";
    case 0x167:
        return "t";
    default:
        return NULL;
    }
}

static bool is_mark(uint32_t cp) {
    return cp >= 0x300 && unicode_is_word(cp) && !unicode_is_alnum(cp);
}

static bool is_apostrophe(uint32_t cp) {
    return cp == '\'' || cp == 0x2019 || cp == 0x2BC;
}

static bool is_ascii_alnum(uint32_t cp) {
    return (cp | 32) - 'a' < 26 || cp - '0' < 10;
}

/* Letter or digit of a run that is not CJK. */
static bool is_run_char(uint32_t cp) {
    if (cp < 0x80)
        return is_ascii_alnum(cp);
    return cp != UTF8_INVALID && !is_apostrophe(cp) && unicode_is_alnum(cp) && !unicode_is_cjk(cp);
}

static bool is_run_letter(uint32_t cp) {
    return is_run_char(cp) && unicode_is_letter(cp);
}

/* ---- one token */

struct token_writer {
    char *out;
    size_t len;
    bool plain;
};

static void put_bytes(struct token_writer *w, const char *bytes, size_t n) {
    if (w->len + n > TOKEN_LEN_MAX)
        return;
    memcpy(w->out + w->len, bytes, n);
    w->len += n;
}

static void put_point(struct token_writer *w, uint32_t cp) {
    const char *spelling = spelled_out(cp);
    char bytes[4];
    if (spelling) {
        put_bytes(w, spelling, strlen(spelling));
        return;
    }
    w->plain &= cp - 'a' < 26;
    put_bytes(w, bytes, utf8_encode(cp, bytes));
}

static void put_folded(struct token_writer *w, uint32_t cp) {
    uint32_t parts[UNICODE_DECOMPOSED_MAX];
    size_t n;
    cp = unicode_fold(cp);
    if (cp < 0x80 || unicode_script(cp) != SCRIPT_LATIN) {
        put_point(w, cp);
        return;
    }
    n = unicode_decompose(cp, parts);
    for (size_t i = 0; i < n; i++)
        if (!is_mark(parts[i]))
            put_point(w, unicode_fold(parts[i]));
}

/* Whether the apostrophe before `pos` stands between two letters. */
static bool joins(vsr_str text, size_t pos, bool after_letter) {
    return after_letter && pos < text.len && is_run_letter(utf8_next(text, &pos));
}

/* The run that begins at `tokens->pos`. */
static void read_run(struct tokens *tokens) {
    struct token_writer w = { tokens->room, 0, true };
    vsr_str text = tokens->text;
    size_t pos = tokens->pos;
    bool latin = false, after_letter = false;
    while (pos < text.len) {
        size_t next = pos;
        uint32_t cp = utf8_next(text, &next);
        if (is_run_char(cp)) {
            after_letter = unicode_is_letter(cp);
            latin = cp < 0x80 ? after_letter : unicode_script(cp) == SCRIPT_LATIN;
            put_folded(&w, cp);
        } else if (is_mark(cp) && cp != UTF8_INVALID) {
            if (!latin)
                put_folded(&w, cp);
        } else if (!is_apostrophe(cp) || !joins(text, next, after_letter)) {
            break;
        }
        pos = next;
    }
    tokens->pos = pos;
    tokens->token = str_make(w.out, w.len);
    tokens->plain = w.plain && w.len > 0;
}

/* The CJK character at `tokens->pos`, with the one behind it. */
static bool read_pair(struct tokens *tokens) {
    size_t first = tokens->pos, second = first, end;
    bool more;
    (void)utf8_next(tokens->text, &second);
    end = second;
    more = second < tokens->text.len && unicode_is_cjk(utf8_next(tokens->text, &end));
    tokens->pos = second;
    if (!more && tokens->paired) { /* the last one of a run was in a pair already */
        tokens->paired = false;
        return false;
    }
    tokens->token = str_sub(tokens->text, first, more ? end : second);
    tokens->plain = false;
    tokens->paired = more;
    return true;
}

bool tokens_next(struct tokens *tokens) {
    while (tokens->pos < tokens->text.len) {
        size_t next = tokens->pos;
        uint32_t cp = utf8_next(tokens->text, &next);
        if (is_run_char(cp)) {
            read_run(tokens);
            if (tokens->token.len > 0)
                return true;
        } else if (cp >= 0x1100 && unicode_is_cjk(cp)) {
            if (read_pair(tokens))
                return true;
        } else {
            tokens->pos = next;
        }
    }
    return false;
}
