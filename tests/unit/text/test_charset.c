#include "test.h"

#include "core/arena.h"
#include "text/charset.h"
#include "text/unicode.h"

TEST(ranges_are_merged) {
    struct arena *arena = arena_new(0, 0);
    struct charset set;
    charset_init(&set, arena);
    charset_add(&set, 'd', 'f');
    charset_add(&set, 'a', 'b');
    charset_add(&set, 'c', 'c');
    charset_add(&set, 'x', 'w');
    charset_normalise(&set);
    CHECK_INT(set.n, 1, "one range");
    CHECK(charset_has(&set, 'a') && charset_has(&set, 'f') && !charset_has(&set, 'g') && !charset_has(&set, 'x'),
          "members");
    arena_free(arena);
}

TEST(complement_leaves_surrogates_out) {
    struct arena *arena = arena_new(0, 0);
    struct charset set;
    charset_init(&set, arena);
    charset_add(&set, 'b', 'c');
    charset_negate(&set);
    CHECK(charset_has(&set, 'a') && !charset_has(&set, 'b') && charset_has(&set, 0) && charset_has(&set, CHARSET_LAST),
          "members");
    CHECK(!charset_has(&set, 0xD800) && !charset_has(&set, 0xDFFF) && charset_has(&set, 0xE000), "surrogates");
    charset_negate(&set);
    CHECK(charset_has(&set, 'c') && !charset_has(&set, 'a') && !charset_has(&set, 0xD800), "twice");
    arena_free(arena);
}

/* A set closed under folding holds exactly the code points whose folding equals a member's. */
TEST(folds_are_closed) {
    static const struct charset_range starts[] = { { 'a', 'a' },      { 'K', 'K' },   { 's', 's' },
                                                   { '-', '-' },      { 'a', 'z' },   { 0x3C3, 0x3C3 },
                                                   { 0x1C5, 0x1C5 },  { 0xDF, 0xDF }, { 0x400, 0x42F },
                                                   { 0x4E00, 0x4E10 } };
    for (size_t i = 0; i < VSR_COUNT(starts); i++) {
        struct arena *arena = arena_new(0, 0);
        struct charset set, folded;
        charset_init(&set, arena);
        charset_init(&folded, arena);
        charset_add(&set, starts[i].first, starts[i].last);
        for (uint32_t cp = starts[i].first; cp <= starts[i].last; cp++)
            charset_add(&folded, unicode_fold(cp), unicode_fold(cp));
        charset_normalise(&folded);
        charset_add_folds(&set);
        for (uint32_t cp = 0; cp <= 0x1FFFF; cp++)
            CHECK_MSG(charset_has(&set, cp) == charset_has(&folded, unicode_fold(cp)), "start U+%04X, U+%04X",
                      starts[i].first, cp);
        arena_free(arena);
    }
}

RUN_TESTS(T(ranges_are_merged), T(complement_leaves_surrogates_out), T(folds_are_closed))
