#include "text/tokenizer_wordpiece.h"

#include "text/tokenizer_work.h"

/* Whether [start, end) has more than `max` code points. */
static bool is_longer(const struct token_text *text, size_t start, size_t end, size_t max) {
    size_t n = 0;
    if (end - start <= max)
        return false;
    for (size_t i = start; i < end; i++)
        n += ((uint8_t)text->ptr[i] & 0xC0) != 0x80;
    return n > max;
}

void wordpiece_encode(const struct wordpiece *model, struct tokenizer_work *work, const struct token_text *text,
                      size_t start, size_t end) {
    size_t first = work->tokens.n, at = start;
    if (start == end)
        return;
    if (is_longer(text, start, end, model->chars_max)) {
        token_push(work, text, model->unk, start, end);
        return;
    }
    while (at < end) {
        uint32_t id;
        size_t len = token_trie_longest(at == start ? &model->starts : &model->continues,
                                        str_make(text->ptr + at, end - at), &id);
        if (len == 0) {
            work->tokens.n = first;
            token_push(work, text, model->unk, start, end);
            return;
        }
        token_push(work, text, id, at, at + len);
        at += len;
    }
}

void word_level_encode(const struct word_level *model, struct tokenizer_work *work, const struct token_text *text,
                       size_t start, size_t end) {
    uint32_t id = TOKEN_NONE;
    if (start == end)
        return;
    if (token_trie_longest(&model->words, str_make(text->ptr + start, end - start), &id) != end - start)
        id = model->unk;
    if (id != TOKEN_NONE)
        token_push(work, text, id, start, end);
}
