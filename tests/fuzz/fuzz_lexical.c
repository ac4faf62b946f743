/* links: text */
/*
 * Any keyword and any text, by BM25, n-grams and slips: searching ends, results stay in their ranges, and a keyword is
 * found in itself.
 */
#include "core/arena.h"
#include "core/assert.h"
#include "core/bits.h"
#include "core/utf8.h"
#include "text/bm25.h"
#include "text/fuzzy.h"
#include "text/ngram.h"
#include "text/stem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bm25(struct arena *arena, vsr_str keyword, vsr_str text) {
    struct bm25_list list;
    struct stemmer *stemmer;
    struct bm25_result *result;
    if (stemmer_new(&stemmer, NULL) < 0)
        return;
    bm25_list_init(&list, arena);
    VSR_ASSERT(bm25_list_add(&list, stemmer, &keyword, 1) == 0);
    result = bm25_scan(bm25_set_build(&list), stemmer, arena, text);
    VSR_ASSERT(result->covered <= result->tokens && result->score >= 0);
    result = bm25_scan(bm25_set_build(&list), stemmer, arena, keyword);
    VSR_ASSERT(result->covered == result->tokens);
    stemmer_free(stemmer);
}

static void check_ngram(struct arena *arena, vsr_str keyword, vsr_str text, uint32_t arity) {
    struct ngram_list list = { .arena = arena };
    struct ngram_options options = { .arity = arity, .threshold = 0.4, .case_sensitive = arity & 1 };
    struct ngram_result *result;
    struct ngram_set *set;
    if (ngram_list_add(&list, keyword, &options) == NGRAM_NONE)
        return;
    set = ngram_set_build(&list);
    if (ngram_scan(set, arena, text, &result, NULL) == 0)
        VSR_ASSERT(result->best >= 0 && result->best <= 1 && (result->hit != NGRAM_NONE) == (result->best >= 0.4));
}

static void check_fuzzy(struct arena *arena, vsr_str keyword, vsr_str text, uint32_t threshold) {
    struct fuzzy_list list = { .arena = arena };
    struct fuzzy_set *set;
    uint64_t open = 1;
    if (fuzzy_list_add(&list, keyword, threshold) == FUZZY_NONE)
        return;
    set = fuzzy_set_build(&list);
    (void)!fuzzy_find(set, arena, text, &open, NULL);
    open = 1;
    if (fuzzy_find(set, arena, keyword, &open, NULL) == 0)
        VSR_ASSERT(open == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    uint32_t knob = size > 0 ? data[0] : 0;
    vsr_str text = str_make((const char *)data + (size > 0), size - (size > 0)), keyword = str_split(&text, '\0');
    check_bm25(arena, keyword, text);
    check_ngram(arena, keyword, text, 2 + knob % 31);
    check_fuzzy(arena, keyword, text, knob % 101);
    arena_free(arena);
    return 0;
}
