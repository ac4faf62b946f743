#include "model/prepared_text.h"

#include "core/mem.h"
#include "core/utf8.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

enum { PREPARED_LEN_MAX = 2 * TOKENIZER_TEXT_LEN_MAX }; /* lower case takes at most half as much again */

enum { CAPITAL_SIGMA = 0x3A3, SMALL_SIGMA = 0x3C3, FINAL_SIGMA = 0x3C2, CAPITAL_I_DOT = 0x130, DOT_ABOVE = 0x307 };

/* ---- white space */

static bool is_stripped(uint32_t cp) {
    return (cp >= 0x1C && cp <= 0x1F) || (cp != UTF8_INVALID && unicode_is_space(cp));
}

static void strip(vsr_str text, size_t *ret_from, size_t *ret_to) {
    size_t from = 0, to = text.len;
    for (size_t pos = 0; pos < text.len && is_stripped(utf8_next(text, &pos));)
        from = pos;
    for (size_t pos = to; pos > from && is_stripped(utf8_prev(text, &pos));)
        to = pos;
    *ret_from = from;
    *ret_to = to;
}

/* ---- lower case */

/* A sigma ends its word: behind a cased letter and not before one, whatever case ignores lying between. */
static bool ends_word(vsr_str text, size_t start, size_t end) {
    uint32_t cp = UTF8_INVALID;
    for (size_t pos = start; pos > 0;)
        if (!unicode_is_case_ignorable(cp = utf8_prev(text, &pos)))
            break;
    if (!unicode_is_cased(cp))
        return false;
    cp = UTF8_INVALID;
    for (size_t pos = end; pos < text.len;)
        if (!unicode_is_case_ignorable(cp = utf8_next(text, &pos)))
            break;
    return !unicode_is_cased(cp);
}

/* The code point at [start, end) in lower case. Returns how many bytes. */
static size_t lower_one(vsr_str text, size_t start, size_t end, uint32_t cp, char ret[static 8]) {
    size_t n;
    if (cp == UTF8_INVALID) {
        ret[0] = text.ptr[start];
        return 1;
    }
    if (cp == CAPITAL_SIGMA)
        return utf8_encode(ends_word(text, start, end) ? FINAL_SIGMA : SMALL_SIGMA, ret);
    if (cp != CAPITAL_I_DOT)
        return utf8_encode(unicode_lower(cp), ret);
    n = utf8_encode('i', ret);
    return n + utf8_encode(DOT_ABOVE, ret + n);
}

/* Both outputs are as long as each other, the places by one more. */
static int lower(struct prepared_text *p, struct vsr_err *err) {
    vsr_str text = p->text;
    size_t prompt_len = 0, cap = text.len + text.len / 2 + 8;
    buf_init(&p->lowered, PREPARED_LEN_MAX);
    p->places = mem_try_realloc(NULL, (cap + 1) * sizeof(*p->places));
    if (!p->places || buf_reserve(&p->lowered, cap) < 0)
        return err_set(err, VSR_E_NOMEM, "no memory for a text of %zu bytes in lower case", text.len);
    for (size_t pos = 0; pos < text.len;) {
        size_t start = pos, at = p->lowered.len, n;
        uint32_t cp = utf8_next(text, &pos);
        char bytes[8];
        n = lower_one(text, start, pos, cp, bytes);
        (void)buf_append(&p->lowered, str_make(bytes, n)); /* has room */
        for (size_t i = 0; i < n; i++)
            p->places[at + i] = start < p->prompt_len ? 0 : (uint32_t)(p->from + start - p->prompt_len);
        if (start < p->prompt_len)
            prompt_len = p->lowered.len;
    }
    p->places[p->lowered.len] = (uint32_t)p->to;
    p->text = buf_str(&p->lowered);
    p->prompt_len = prompt_len;
    return 0;
}

/* ---- all of it */

int prepared_text_make(const struct preparation *how, vsr_str text, struct prepared_text *ret, struct vsr_err *err) {
    size_t from = 0, to, in_prompt = how->prompt.len;
    *ret = (struct prepared_text){ .text = text, .to = text.len };
    if (how->prompt.len > TOKENIZER_TEXT_LEN_MAX || text.len > TOKENIZER_TEXT_LEN_MAX - how->prompt.len)
        return err_set(err, VSR_E_LIMIT, "a text of %zu bytes, with a prompt of %zu, is longer than %d", text.len,
                       how->prompt.len, TOKENIZER_TEXT_LEN_MAX);
    if (in_prompt > 0) {
        buf_init(&ret->joined, PREPARED_LEN_MAX);
        (void)buf_append(&ret->joined, how->prompt);
        (void)buf_append(&ret->joined, text);
        if (buf_failed(&ret->joined))
            return err_set(err, VSR_E_NOMEM, "no memory for a text of %zu bytes", text.len);
        ret->text = buf_str(&ret->joined);
    }
    to = ret->text.len;
    if (how->strip)
        strip(ret->text, &from, &to);
    ret->text = str_sub(ret->text, from, to);
    ret->from = from > in_prompt ? from - in_prompt : 0;
    ret->to = to > in_prompt ? to - in_prompt : 0;
    if (ret->to < ret->from)
        ret->to = ret->from;
    ret->prompt_len = (to < in_prompt ? to : in_prompt) - (from < in_prompt ? from : in_prompt);
    if (to < from || from >= in_prompt)
        ret->prompt_len = 0;
    return how->lower ? lower(ret, err) : 0;
}

void prepared_text_done(struct prepared_text *prepared) {
    buf_done(&prepared->joined);
    buf_done(&prepared->lowered);
    mem_free(prepared->places);
    prepared->places = NULL;
}

/* ---- places */

static uint32_t start_of(const struct prepared_text *p, size_t at) {
    if (at < p->prompt_len)
        return (uint32_t)p->from;
    return p->places ? p->places[at] : (uint32_t)(p->from + at - p->prompt_len);
}

/* Of a letter that became several bytes all have its place: the next place is where it ends. */
static uint32_t end_of(const struct prepared_text *p, size_t at) {
    if (!p->places)
        return (uint32_t)(p->from + at - p->prompt_len);
    while (at < p->text.len && p->places[at] == p->places[at - 1])
        at++;
    return p->places[at];
}

void prepared_text_place(const struct prepared_text *prepared, uint32_t *start, uint32_t *end) {
    size_t from = *start, to = *end;
    if (to <= prepared->prompt_len && prepared->prompt_len > 0) {
        *start = *end = 0;
        return;
    }
    *start = start_of(prepared, from);
    *end = to > from ? end_of(prepared, to) : *start;
}
