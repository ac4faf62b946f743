#include "text/sentencepiece.h"

#include "text/tokenizer_work.h"

#define SPACE_SYMBOL "\xE2\x96\x81"

/* What the text begins with, in its normal form: `*ret_len` bytes of it become the result. */
static vsr_str normal_prefix(const struct sentencepiece *model, vsr_str text, size_t *ret_len) {
    vsr_str replacement;
    uint32_t value;
    size_t len = model->user_defined ? token_trie_longest(model->user_defined, text, &value) : 0;
    if (!len) {
        len = charsmap_longest(&model->charsmap, text, &replacement);
        if (len) {
            *ret_len = len;
            return replacement;
        }
        len = token_char_len(text.ptr[0]); /* no rule ends inside a character: all of it is there */
    }
    *ret_len = len;
    return str_make(text.ptr, len);
}

struct writer {
    const struct sentencepiece *model;
    struct tokenizer_work *work;
    const struct token_text *text;
    struct token_out *out;
    bool after_space;
};

/* Every byte begins where its source does; where it ends is known when the next one begins. */
static void write_bytes(struct writer *w, vsr_str bytes, size_t at) {
    uint32_t start = token_text_start(w->text, at);
    token_out_bytes(w->work, w->out, bytes, start, start);
}

static vsr_str space_of(const struct sentencepiece *model) {
    return model->escape_whitespaces ? VSR_STR(SPACE_SYMBOL) : VSR_STR(" ");
}

static void write_space(struct writer *w, size_t at) {
    write_bytes(w, space_of(w->model), at);
}

/* One rule's result for the source at `at`. */
static void write_prefix(struct writer *w, vsr_str bytes, size_t at) {
    while (w->after_space && bytes.len && bytes.ptr[0] == ' ')
        bytes = str_sub(bytes, 1, bytes.len);
    if (bytes.len) {
        for (size_t i = 0; i < bytes.len; i++)
            if (bytes.ptr[i] == ' ')
                write_space(w, at);
            else
                write_bytes(w, str_sub(bytes, i, i + 1), at);
        w->after_space = bytes.ptr[bytes.len - 1] == ' ';
    }
    if (!w->model->remove_extra_whitespaces)
        w->after_space = false;
}

/* Start of the text behind spaces that are dropped at its beginning. */
static size_t skip_spaces(const struct sentencepiece *model, vsr_str text) {
    size_t at = 0;
    while (model->remove_extra_whitespaces && at < text.len) {
        size_t len;
        if (!str_eq(normal_prefix(model, str_sub(text, at, text.len), &len), VSR_STR(" ")))
            break;
        at += len;
    }
    return at;
}

/* Drops spaces at the end. Returns where the text ends in the original. */
static uint32_t drop_spaces(const struct writer *w, uint32_t end) {
    vsr_str space = space_of(w->model);
    struct token_out *out = w->out;
    while (w->model->remove_extra_whitespaces && str_ends(str_make(out->ptr, out->len), space)) {
        out->len -= space.len;
        end = out->starts[out->len];
    }
    return end;
}

void sentencepiece_normalize(const struct sentencepiece *model, struct tokenizer_work *work, struct token_text *text) {
    vsr_str bytes = str_make(text->ptr, text->len);
    size_t at = skip_spaces(model, bytes);
    bool dummy = at < text->len && model->add_dummy_prefix; /* a text of nothing but spaces has none */
    struct writer w = { .model = model,
                        .work = work,
                        .text = text,
                        .out = token_out_next(work),
                        .after_space = model->remove_extra_whitespaces };
    uint32_t end = text->len ? token_text_end(text, text->len - 1) : 0;
    if (dummy && !model->whitespace_as_suffix)
        write_space(&w, at);
    for (size_t len; at < text->len && !work->failed; at += len) {
        vsr_str result = normal_prefix(model, str_sub(bytes, at, text->len), &len);
        write_prefix(&w, result, at);
    }
    if (work->failed)
        return;
    end = drop_spaces(&w, end);
    if (dummy && model->whitespace_as_suffix)
        token_out_bytes(work, w.out, space_of(model), end, end);
    for (size_t i = w.out->len; i-- > 0;)
        w.out->ends[i] = i + 1 < w.out->len ? w.out->starts[i + 1] : end;
    *text = token_out_text(w.out);
}
