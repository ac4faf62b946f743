/* All that a security rule reads, in pieces. */
#include "signal/chunks.h"

#include "test.h"

#include "core/arena.h"
#include "text/chunk.h"

struct request {
    struct request_facts facts;
    struct signal_request request;
};

static void make_request(struct request *r, struct arena *arena, vsr_str text) {
    *r = (struct request){ .facts = { .eval_text = text, .current_user = text } };
    r->request = (struct signal_request){ .arena = arena, .facts = &r->facts };
}

static struct signal_chunks chunks(struct request *r, unsigned with, uint64_t budget) {
    struct signal_chunks all;
    CHECK_INT(chunks_make(&r->request, SIGNAL_TEXT_FULL, with, budget, &all, NULL), 0, "chunks");
    return all;
}

static vsr_str repeat(struct arena *arena, const char *part, size_t times) {
    vsr_str text = { 0 };
    char *bytes = arena_alloc(arena, strlen(part) * times);
    for (size_t i = 0; i < times; i++)
        memcpy(bytes + i * strlen(part), part, strlen(part));
    text = str_make(bytes, strlen(part) * times);
    return text;
}

TEST(pieces_know_where_they_begin) {
    struct arena *arena = arena_new(0, 0);
    struct request r;
    struct signal_chunks all;
    vsr_str history[] = { VSR_STR("one two three four five six"), VSR_STR(" "),
                          VSR_STR("one two three four five six") };
    make_request(&r, arena, VSR_STR("alpha beta gamma delta epsilon"));
    r.facts.prior_user = (struct texts){ history, 3 };
    all = chunks(&r, CHUNKS_HISTORY, 20);
    CHECK_INT(all.n_contents, 2, "blank and repeated texts are left out");
    CHECK(all.n > 4, "pieces");
    for (size_t i = 0; i < all.n; i++) {
        const struct signal_chunk *chunk = &all.items[i];
        CHECK(chunk->text.ptr == all.contents[chunk->content].ptr + chunk->base, "base");
        CHECK(i == 0 || chunk->content >= all.items[i - 1].content, "in order");
    }
    CHECK_INT(chunks(&r, 0, 20).n_contents, 1, "without history");
    CHECK_INT(chunks(&r, CHUNKS_TOOL_RESULTS, 20).n_contents, 1, "there are no tools");
    arena_free(arena);
}

TEST(the_same_piece_is_there_once) {
    struct arena *arena = arena_new(0, 0);
    struct request r;
    struct signal_chunks all;
    make_request(&r, arena, repeat(arena, "a", 10000));
    all = chunks(&r, 0, CHUNK_UNITS_PII);
    CHECK_INT(all.n, 2, "all but the last are alike");
    CHECK(all.items[1].base > 9000, "the last");
    make_request(&r, arena, VSR_STR(" \n\t "));
    CHECK_INT(chunks(&r, 0, CHUNK_UNITS_PII).n, 0, "blank");
    make_request(&r, arena, VSR_STR(""));
    CHECK_INT(chunks(&r, CHUNKS_HISTORY | CHUNKS_TOOL_RESULTS, CHUNK_UNITS_PII).n, 0, "empty");
    arena_free(arena);
}

TEST(limits) {
    struct arena *arena = arena_new(0, 0);
    struct signal_chunks all = { .n = 5 };
    CHECK_INT(chunks_within(&all, 0), 5, "none");
    CHECK_INT(chunks_within(&all, 3), 3, "less");
    CHECK_INT(chunks_within(&all, 5), 5, "just");
    CHECK_INT(chunks_within(&all, INT64_MAX), 5, "more");
    CHECK_STR(str_from_c(chunks_too_many(arena, &all, 3)), "the texts have 5 pieces, and max_chunks is 3", "reason");
    arena_free(arena);
}

TEST(without_memory_there_is_an_error) {
    struct arena *arena = arena_new(0, 0);
    struct request r;
    struct signal_chunks all;
    make_request(&r, arena, repeat(arena, "some words ", 100000));
    arena_set_ceiling(arena, arena_bytes(arena) + 1000);
    CHECK_INT(chunks_make(&r.request, SIGNAL_TEXT_FULL, 0, 8, &all, NULL), VSR_E_NOMEM, "ceiling");
    arena_free(arena);
}

RUN_TESTS(T(pieces_know_where_they_begin), T(the_same_piece_is_there_once), T(limits),
          T(without_memory_there_is_an_error))
