#include "test.h"

#include "core/arena.h"

TEST(alignment_and_zeroing) {
    struct arena *arena = arena_new(256, 0);
    for (size_t len = 0; len < 600; len += 7) {
        char *ptr = arena_alloc(arena, len);
        CHECK_INT((uintptr_t)ptr % 16, 0, "aligned");
        for (size_t i = 0; i < len; i++)
            CHECK_INT(ptr[i], 0, "zeroed");
        memset(ptr, 0xab, len);
    }
    arena_free(arena);
}

TEST(ceiling) {
    struct arena *arena = arena_new(1024, 4096);
    CHECK(arena_try_alloc(arena, 8192) == NULL, "past the ceiling");
    CHECK(arena_try_alloc(arena, SIZE_MAX) == NULL, "absurd");
    CHECK(arena_try_alloc(arena, 1000) != NULL, "within");
    CHECK(arena_try_alloc(arena, 2000) != NULL, "still within");
    CHECK(arena_try_alloc(arena, 2000) == NULL, "one too many");
    CHECK(arena_bytes(arena) <= 4096, "accounted");
    CHECK(arena_alloc(arena, 2000) != NULL, "what may not fail goes past the ceiling");
    arena_set_ceiling(arena, 0);
    CHECK(arena_try_alloc(arena, 2000) != NULL, "no ceiling");
    arena_free(arena);
}

static char order[16];
static size_t n_order;
static void note(void *data) {
    order[n_order++] = *(const char *)data;
}

TEST(cleanups_run_backwards_and_once) {
    struct arena *arena = arena_new(0, 0);
    char letters[] = "abc";
    struct arena_mark mark;
    n_order = 0;
    arena_on_free(arena, note, &letters[0]);
    arena_on_free(arena, note, &letters[1]);
    mark = arena_mark(arena);
    arena_on_free(arena, note, &letters[2]);
    arena_rewind(arena, mark);
    CHECK_STR(str_make(order, n_order), "c", "rewind runs what came after");
    arena_reset(arena);
    CHECK_STR(str_make(order, n_order), "cba", "reset runs the rest");
    arena_free(arena);
    CHECK_STR(str_make(order, n_order), "cba", "nothing twice");
}

TEST(reset_keeps_one_chunk) {
    struct arena *arena = arena_new(1024, 0);
    for (int i = 0; i < 100; i++)
        (void)arena_alloc(arena, 500);
    CHECK(arena_bytes(arena) > 40000, "grew");
    arena_reset(arena);
    CHECK_INT(arena_bytes(arena), 1024, "one chunk left");
    arena_free(arena);
}

TEST(rewind_over_chunks) {
    struct arena *arena = arena_new(256, 0);
    char *kept = arena_c_str(arena, VSR_STR("kept"));
    struct arena_mark mark = arena_mark(arena);
    for (int i = 0; i < 50; i++)
        (void)arena_alloc(arena, 100);
    arena_rewind(arena, mark);
    CHECK_STR(str_from_c(kept), "kept", "before the mark");
    CHECK_INT(arena_bytes(arena), 256, "later chunks are gone");
    arena_free(arena);
}

TEST(text) {
    struct arena *arena = arena_new(0, 0);
    vsr_str copy = arena_str(arena, VSR_STR("a\0b"));
    CHECK_INT(copy.len, 3, "NUL inside");
    CHECK_INT(copy.ptr[3], 0, "terminated");
    CHECK_STR(arena_printf(arena, "%s-%d", "x", 7), "x-7", "printf");
    arena_free(arena);
}

TEST(grow) {
    struct arena *arena = arena_new(0, 0);
    int *list = NULL;
    size_t cap = 0;
    for (size_t n = 0; n < 1000; n++) {
        list = arena_grow(arena, list, sizeof(*list), n, &cap);
        list[n] = (int)n;
    }
    for (int i = 0; i < 1000; i++)
        CHECK_INT(list[i], i, "kept over growth");
    arena_free(arena);
}

TEST(grow_or_not) {
    struct arena *arena = arena_new(0, 1 << 16);
    int *list = NULL, *more;
    size_t cap = 0, n = 0;
    while ((more = arena_try_grow(arena, list, sizeof(*list), n, 7, &cap))) {
        list = more;
        for (size_t k = 0; k < 7; k++, n++)
            list[n] = (int)n;
    }
    CHECK(n >= 1024 && n <= (1 << 16) / sizeof(*list), "up to the ceiling");
    for (size_t i = 0; i < n; i++)
        CHECK_INT(list[i], (int)i, "the old array stays");
    CHECK(!arena_try_grow(arena, list, sizeof(*list), n, SIZE_MAX / 2, &cap), "more than there can be");
    arena_free(arena);
}

TEST(lower_case) {
    struct arena *arena = arena_new(0, 0);
    vsr_str lower = arena_str_lower(arena, VSR_STR("ABZaz@[\xC3\x84 1\0X"));
    CHECK_INT(lower.len, 13, "length");
    CHECK(memcmp(lower.ptr, "abzaz@[\xC3\x84 1\0x", 14) == 0, "letters, and a NUL behind");
    CHECK_STR(arena_str_lower(arena, str_make(NULL, 0)), "", "empty");
    arena_free(arena);
}

RUN_TESTS(T(lower_case), T(alignment_and_zeroing), T(ceiling), T(cleanups_run_backwards_and_once),
          T(reset_keeps_one_chunk), T(rewind_over_chunks), T(text), T(grow), T(grow_or_not))
