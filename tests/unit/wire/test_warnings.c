#include "wire/warnings.h"

#include "core/arena.h"
#include "test.h"

static const struct {
    const char *name, *reason, *field, *want;
} cases[] = {
    { "plain", "image_dropped", "messages.0.content.1", "lossy;image_dropped;messages.0.content.1" },
    { "no field", "image_dropped", "", "lossy;image_dropped;" },
    { "separators", "r", "a,b;c%d", "lossy;r;a%2Cb%3Bc%25d" },
    { "line ends and blanks", "r", "a\r\n b", "lossy;r;a%0D%0A%20b" },
    { "not ASCII", "r", "\xc3\xb6", "lossy;r;%C3%B6" },
};

TEST(header) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct warnings warnings;
        warnings_init(&warnings, arena);
        CHECK_STR(warnings_header(&warnings, arena), "", "none");
        for (int twice = 0; twice < 2; twice++)
            warnings_add(&warnings, WARNING_LOSSY, cases[i].reason, str_from_c(cases[i].field), VSR_STR("detail"));
        CHECK_STR(warnings_header(&warnings, arena), cases[i].want, cases[i].name);
        arena_free(arena);
    }
}

static void add_many(struct warnings *warnings, struct arena *arena, size_t n, size_t field_len) {
    for (size_t i = 0; i < n; i++) {
        vsr_str field = arena_printf(arena, "%zu%0*d", i, (int)field_len, 0);
        warnings_add(warnings, i % 2 ? WARNING_INFO : WARNING_ERROR, "r", field, field);
    }
}

TEST(past_the_count) {
    struct arena *arena = arena_new(0, 0);
    struct warnings warnings;
    warnings_init(&warnings, arena);
    add_many(&warnings, arena, WARNINGS_MAX + 3, 1);
    CHECK_INT(warnings.n, WARNINGS_MAX, "kept");
    CHECK(str_ends(warnings_header(&warnings, arena), VSR_STR(",error;warnings_truncated;count=3")), "counted");
    arena_free(arena);
}

TEST(past_the_length) {
    struct arena *arena = arena_new(0, 0);
    struct warnings warnings;
    vsr_str header;
    warnings_init(&warnings, arena);
    add_many(&warnings, arena, WARNINGS_MAX, 200);
    header = warnings_header(&warnings, arena);
    CHECK(header.len <= WARNINGS_HEADER_LEN_MAX, "length");
    CHECK(str_find(header, VSR_STR(",error;warnings_truncated;count=")) > 0, "said");
    arena_free(arena);
}

TEST(nobody_listens) {
    warnings_add(NULL, WARNING_INFO, "r", VSR_STR("f"), VSR_STR("d"));
}

RUN_TESTS(T(header), T(past_the_count), T(past_the_length), T(nobody_listens))
