/* Texts in overlapping pieces. */
#include "text/chunk.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/utf8.h"
#include "unit/vectors.h"

TEST(shared_chunks) {
    VECTORS_EACH(v, "context.json", "security_chunks") {
        vsr_str part = vectors_str(&v, v.given, "text"), text, chunk;
        json_ref chunks = vectors_get(&v, v.want, "chunks"), want = json_first(&v.doc, chunks);
        struct chunker chunker;
        struct buf all;
        buf_init(&all, 1 << 20);
        for (int i = 0; i < (int)vectors_number(&v, v.given, "repeat", 1); i++)
            buf_append(&all, part);
        text = buf_str(&all);
        CHECK_INT(chunk_units(text), vectors_number(&v, v.want, "units", -1), v.name);
        chunker = chunker_make(text, (uint64_t)vectors_number(&v, v.given, "budget", 0),
                               (size_t)vectors_number(&v, v.given, "overlap", 0));
        for (; chunk_next(&chunker, &chunk); want = json_next(&v.doc, chunks, want)) {
            double from, to;
            CHECK(want != JSON_NONE, v.name);
            CHECK(json_double(&v.doc, json_first(&v.doc, want), &from), v.name);
            CHECK(json_double(&v.doc, json_next(&v.doc, want, json_first(&v.doc, want)), &to), v.name);
            CHECK_INT(utf8_count(str_make(text.ptr, (size_t)(chunk.ptr - text.ptr))), from, v.name);
            CHECK_INT(utf8_count(str_make(text.ptr, (size_t)(chunk.ptr - text.ptr) + chunk.len)), to, v.name);
        }
        CHECK(want == JSON_NONE, v.name);
        buf_done(&all);
    }
}

/* Every byte is in a chunk, chunks move on, neighbours overlap as asked, none is over its budget. */
static void check_chunks(vsr_str text, uint64_t budget, size_t overlap) {
    struct chunker chunker = chunker_make(text, budget, overlap);
    const char *start = NULL, *end = text.ptr;
    for (vsr_str chunk; chunk_next(&chunker, &chunk);) {
        CHECK(chunk.len > 0 && chunk.ptr <= end && chunk.ptr + chunk.len > end, "no gap, and further");
        CHECK(!start || chunk.ptr > start, "moves on");
        CHECK(chunk_units(chunk) <= budget || utf8_count(chunk) == 1, "within the budget");
        CHECK(!start || utf8_count(str_make(chunk.ptr, (size_t)(end - chunk.ptr))) <= overlap, "overlap");
        start = chunk.ptr;
        end = chunk.ptr + chunk.len;
    }
    CHECK(end == text.ptr + text.len, "to the end");
}

TEST(chunks_of_any_text) {
    static const char *const texts[] = { "", "a", "\u4F60", "ab cd \u4F60\u597D, 3.14 \xFF\xFE x", "\xE4\xBD" };
    for (size_t i = 0; i < VSR_COUNT(texts); i++)
        for (uint64_t budget = 0; budget < 20; budget++)
            check_chunks(str_from_c(texts[i]), budget, 0);
}

TEST(the_overlap_may_be_longer_than_a_chunk) {
    struct chunker chunker = chunker_make(VSR_STR("abcdef"), 3, 64);
    vsr_str chunk;
    for (const char *want = "ab\0bc\0cd\0de\0ef"; chunk_next(&chunker, &chunk); want += 3)
        CHECK_STR(chunk, want, "one code point further each time");
}

TEST(words_stay_whole) {
    static const struct {
        const char *text, *first;
        uint64_t budget;
    } cases[] = {
        { "aaaa bbbb cccc dd", "aaaa bbbb ", 14 },      { "aaaa bbbb cccc dd", "aaaa bbbb cccc", 17 },
        { "aaaa bbbb cccc dd", "aaaa bbbb cccc ", 18 }, { "a bbbbbbbbbbbbbbbbbbbbb", "a bbbbbbbb", 12 },
        { "aaaa\u3000bbbb", "aaaa\u3000", 8 },          { "aaaa bbbb\u3000cc dd", "aaaa bbbb\u3000", 14 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct chunker chunker = chunker_make(str_from_c(cases[i].text), cases[i].budget, 0);
        vsr_str chunk;
        CHECK(chunk_next(&chunker, &chunk), cases[i].text);
        CHECK_STR(chunk, cases[i].first, cases[i].text);
    }
}

RUN_TESTS(T(shared_chunks), T(chunks_of_any_text), T(the_overlap_may_be_longer_than_a_chunk), T(words_stay_whole))
