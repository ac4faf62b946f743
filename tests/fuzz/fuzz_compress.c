/* links: text */
/* Any bytes, any options: the kept sentences are sentences of the text, in order, and keep the budget. */
#include "core/arena.h"
#include "core/assert.h"
#include "text/compress.h"
#include "text/sentence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTION_BYTES = 9 };

/* Sentences do not overlap, stand in order, and leave nothing but blanks out. */
static void check_sentences(vsr_str text) {
    const char *end = text.ptr;
    size_t n = 0, bytes = 0;
    vsr_str rest = text, sentence;
    for (; sentence_next(&rest, &sentence); n++) {
        VSR_ASSERT(sentence.len > 0 && sentence.ptr >= end);
        VSR_ASSERT(sentence_tokens(str_make(end, (size_t)(sentence.ptr - end))) == 0);
        VSR_ASSERT(sentence_tokens(sentence) > 0);
        end = sentence.ptr + sentence.len;
        bytes += sentence.len;
    }
    VSR_ASSERT(bytes <= text.len && (n == 0) == (sentence_tokens(text) == 0));
}

/* Its bytes are bytes of the text, in order, apart from spaces between sentences. Each sentence's tokens are rounded
 * down, all of them together are not. */
static void check_kept(vsr_str text, vsr_str kept, const struct compress_options *options) {
    size_t pos = 0;
    for (size_t i = 0; i < kept.len; i++) {
        if (kept.ptr[i] == ' ')
            continue;
        while (pos < text.len && text.ptr[pos] != kept.ptr[i])
            pos++;
        VSR_ASSERT(pos < text.len);
        pos++;
    }
    VSR_ASSERT(sentence_tokens(kept) <= options->max_tokens + COMPRESS_SENTENCES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena;
    struct compress_options options;
    vsr_str text, kept, again;
    if (size < OPTION_BYTES)
        return 0;
    arena = arena_new(0, 0);
    options =
        (struct compress_options){ data[0] - 64.0, data[1] - 64.0, data[2] - 64.0, data[3] - 64.0, data[4] / 100.0,
                                   data[5],        data[6],        data[7],        data[8] };
    text = str_make((const char *)data + OPTION_BYTES, size - OPTION_BYTES);
    check_sentences(text);
    VSR_ASSERT(compress_text(arena, text, &options, &kept, NULL) == 0);
    VSR_ASSERT(compress_text(arena, text, &options, &again, NULL) == 0);
    VSR_ASSERT(str_eq(kept, again) && kept.len <= 2 * text.len); /* a space may be new between sentences */
    if (kept.ptr != text.ptr)
        check_kept(text, kept, &options);
    arena_free(arena);
    return 0;
}
