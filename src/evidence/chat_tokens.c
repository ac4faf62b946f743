#include "evidence/chat_tokens.h"

#include <math.h>

#include "core/arena.h"
#include "core/buf.h"

/* Of a text that is looked for, which bounds the looking; of what may stand behind it. */
enum { TEXT_LEN_MAX = 64 << 10, BEHIND_LEN_MAX = 256 };

/* What rounding makes of a probability of 1, as a logarithm and as a sum. */
static const double logprob_slack = 0.001, sum_slack = 0.02;

static bool is_letter(char c) {
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

/* ---- where the word is */

static json_ref tokens_of(const struct json_doc *doc) {
    json_ref choice = json_at(doc, json_get(doc, 0, VSR_STR("choices")), 0);
    return json_get(doc, json_get(doc, choice, VSR_STR("logprobs")), VSR_STR("content"));
}

/*
 * Where the text begins in all tokens: at their end, for thoughts come before it; behind it may be blanks, and marks of
 * the end.
 */
static ptrdiff_t find_text(vsr_str all, vsr_str text) {
    if (text.len == 0 || text.len > TEXT_LEN_MAX)
        return -1;
    for (size_t behind = 0; behind <= BEHIND_LEN_MAX && behind + text.len <= all.len; behind++) {
        size_t begin = all.len - text.len - behind;
        if (str_eq(str_sub(all, begin, begin + text.len), text))
            return (ptrdiff_t)begin;
    }
    return -1;
}

/* The token that byte `offset` of the text is in, and which of its bytes that is. */
static json_ref find_token(const struct json_doc *doc, struct arena *arena, vsr_str text, size_t offset,
                           size_t *ret_within) {
    json_ref tokens = tokens_of(doc), found = JSON_NONE;
    struct buf all;
    vsr_str token;
    ptrdiff_t begin;
    if (!json_is(doc, tokens, JSON_ARRAY))
        return JSON_NONE;
    buf_init(&all, doc->text.len);
    for (json_ref node = json_first(doc, tokens); node != JSON_NONE; node = json_next(doc, tokens, node))
        if (json_str(arena, doc, json_get(doc, node, VSR_STR("token")), &token))
            buf_append(&all, token);
    begin = buf_failed(&all) ? -1 : find_text(buf_str(&all), text);
    buf_done(&all);
    if (begin < 0)
        return JSON_NONE;
    offset += (size_t)begin;
    for (json_ref node = json_first(doc, tokens); node != JSON_NONE && found == JSON_NONE;
         node = json_next(doc, tokens, node)) {
        if (!json_str(arena, doc, json_get(doc, node, VSR_STR("token")), &token))
            continue;
        if (offset >= token.len) {
            offset -= token.len;
            continue;
        }
        found = node;
        *ret_within = offset;
    }
    return found;
}

/* ---- alternatives */

/* Which of the words the token is or begins, behind what is no letter; `n_words`: none. */
static size_t word_of(vsr_str token, const vsr_str *words, size_t n_words) {
    size_t begin = 0, end;
    vsr_str run;
    while (begin < token.len && !is_letter(token.ptr[begin]))
        begin++;
    for (end = begin; end < token.len && is_letter(token.ptr[end]);)
        end++;
    run = str_sub(token, begin, end);
    for (size_t i = 0; i < n_words && run.len > 0; i++)
        if (str_eq_nocase(run, words[i]) ||
            (end == token.len && run.len < words[i].len && str_eq_nocase(run, str_sub(words[i], 0, run.len))))
            return i;
    return n_words;
}

static bool read_probability(const struct json_doc *doc, json_ref node, double *ret) {
    double logprob;
    if (!json_double(doc, json_get(doc, node, VSR_STR("logprob")), &logprob) || !(logprob <= logprob_slack))
        return false;
    *ret = exp(logprob < 0 ? logprob : 0);
    return true;
}

struct odds {
    const vsr_str *words;
    size_t n_words;
    double *by_word;
    vsr_str seen[CHAT_TOKENS_TOP_MAX + 1]; /* the token itself is among its alternatives, or is not */
    size_t n_seen;
    double sum;
};

static bool add(struct odds *odds, const struct json_doc *doc, struct arena *arena, json_ref node) {
    double probability;
    vsr_str token;
    size_t word;
    if (!json_str(arena, doc, json_get(doc, node, VSR_STR("token")), &token) ||
        !read_probability(doc, node, &probability))
        return false;
    for (size_t i = 0; i < odds->n_seen; i++)
        if (str_eq(odds->seen[i], token))
            return true;
    odds->seen[odds->n_seen++] = token;
    odds->sum += probability;
    word = word_of(token, odds->words, odds->n_words);
    if (word < odds->n_words)
        odds->by_word[word] += probability;
    return true;
}

static bool has_letters(vsr_str text) {
    for (size_t i = 0; i < text.len; i++)
        if (is_letter(text.ptr[i]))
            return true;
    return false;
}

bool chat_tokens_odds(const struct json_doc *doc, struct arena *arena, vsr_str text, vsr_str word, const vsr_str *words,
                      size_t n_words, double *ret_odds) {
    struct odds odds = { .words = words, .n_words = n_words, .by_word = ret_odds };
    double all = 0;
    size_t within = 0;
    json_ref token = find_token(doc, arena, text, (size_t)(word.ptr - text.ptr), &within), top;
    vsr_str chosen;
    for (size_t i = 0; i < n_words; i++)
        ret_odds[i] = 0;
    if (token == JSON_NONE || !json_str(arena, doc, json_get(doc, token, VSR_STR("token")), &chosen) ||
        has_letters(str_sub(chosen, 0, within)) || word_of(chosen, words, n_words) == n_words)
        return false;
    top = json_get(doc, token, VSR_STR("top_logprobs"));
    if (!json_is(doc, top, JSON_ARRAY) || json_count(doc, top) == 0 || json_count(doc, top) > CHAT_TOKENS_TOP_MAX ||
        !add(&odds, doc, arena, token))
        return false;
    for (json_ref node = json_first(doc, top); node != JSON_NONE; node = json_next(doc, top, node))
        if (!add(&odds, doc, arena, node))
            return false;
    for (size_t i = 0; i < n_words; i++)
        all += ret_odds[i];
    if (!(all > 0) || odds.sum > 1 + sum_slack)
        return false;
    for (size_t i = 0; i < n_words; i++)
        ret_odds[i] /= all;
    return true;
}
