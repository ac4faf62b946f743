#include "model/bio.h"

#include <string.h>

#include "core/arena.h"
#include "test.h"

static const vsr_str labels[] = { VSR_STR_INIT("O"), VSR_STR_INIT("B-A"), VSR_STR_INIT("I-A"), VSR_STR_INIT("B-B"),
                                  VSR_STR_INIT("I-B") };
enum { CLASSES = 5, TOKENS_MAX = 32 };

/*
 * Tokens of a text: `|` between them, of which the text itself has none. Tags, one for each: `.` outside, A/B begin,
 * a/b inside. What comes: "A:text" for each span.
 */
static const struct {
    const char *name, *tokens, *tags;
    enum bio_rule rule;
    const char *spans;
} cases[] = {
    { "nothing", "one| two", "..", BIO_LENIENT, "" },
    { "one word", "call| Ann| now", ".A.", BIO_LENIENT, "A:Ann" },
    { "inside goes on", "Ann| B| Cole", "Aaa", BIO_LENIENT, "A:Ann B Cole" },
    { "a new beginning", "Ann| and| Bob", "A.A", BIO_LENIENT, "A:Ann A:Bob" },
    { "neighbours are one", "Ann| Bob", "AA", BIO_LENIENT, "A:Ann Bob" },
    { "neighbours of two types", "Ann| Bob", "AB", BIO_LENIENT, "A:Ann B:Bob" },
    { "an orphan counts", "see| Ann", ".a", BIO_LENIENT, "A:Ann" },
    { "an orphan is dropped", "see| Ann", ".a", BIO_STRICT, "" },
    { "another type counts", "Ann| Bob", "Ab", BIO_LENIENT, "A:Ann B:Bob" },
    { "another type closes", "Ann| Bob| Cid", "Abb", BIO_STRICT, "A:Ann" },
    { "a cut word is whole", "call| An|nie| now", ".A..", BIO_LENIENT, "A:Annie" },
    { "from the middle too", "call| An|nie| now", "..A.", BIO_LENIENT, "A:Annie" },
    { "not past a mark", "a@b|.c|om,| x", "Aa..", BIO_LENIENT, "A:a@b.com" },
    { "one mark between", "12|-|34", "A.A", BIO_LENIENT, "A:12-34" },
    { "two marks between", "12|--|34", "A.A", BIO_LENIENT, "A:12 A:34" },
    { "a word between", "12|x|34", "A.A", BIO_LENIENT, "A:12x34" },
    { "white space alone", "x|  |y", ".A.", BIO_LENIENT, "" },
    { "two types of one word", "call| An|nie| now", ".AB.", BIO_LENIENT, "A:Annie" },
    { "two types that share a word", "Ann| Schmidt|str| 5", "AaBb", BIO_LENIENT, "A:Ann Schmidtstr B:Schmidtstr 5" },
    { "wide characters", "é|tienne| 日本", "A.B", BIO_LENIENT, "A:étienne B:日本" },
};

struct tokens {
    char text[256];
    size_t len;
    float probabilities[TOKENS_MAX * CLASSES];
    uint32_t starts[TOKENS_MAX], ends[TOKENS_MAX];
    size_t n;
};

static void add_token(struct tokens *t, vsr_str token, char tag) {
    static const char tags[] = ".AaBb";
    t->starts[t->n] = (uint32_t)t->len;
    memcpy(t->text + t->len, token.ptr, token.len);
    t->len += token.len;
    t->ends[t->n] = (uint32_t)t->len;
    for (size_t c = 0; c < CLASSES; c++)
        t->probabilities[t->n * CLASSES + c] = tags[c] == tag ? 0.8F : 0.05F;
    t->n++;
}

static void read_tokens(struct tokens *t, const char *text, const char *tags) {
    *t = (struct tokens){ .n = 0 };
    for (;;) {
        const char *bar = strchr(text, '|');
        size_t len = bar ? (size_t)(bar - text) : strlen(text);
        add_token(t, str_make(text, len), tags[t->n]);
        if (!bar)
            break;
        text = bar + 1;
    }
    CHECK_INT(t->n, strlen(tags), text);
}

static size_t decode(struct arena *arena, enum bio_rule rule, const struct tokens *t, struct bio_span **ret,
                     const struct bio **ret_bio) {
    struct vsr_err err = VSR_ERR_NONE;
    struct bio *bio;
    const struct bio_tokens tokens = { t->probabilities, t->starts, t->ends, t->n };
    CHECK_MSG(bio_build(arena, labels, CLASSES, &bio, &err) == 0, "%s", err.text);
    *ret_bio = bio;
    return bio_decode(bio, rule, str_make(t->text, t->len), &tokens, arena, ret);
}

TEST(spans) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct tokens t;
        struct bio_span *found;
        const struct bio *bio;
        char text[512] = "";
        size_t n, len = 0;
        read_tokens(&t, cases[i].tokens, cases[i].tags);
        n = decode(arena, cases[i].rule, &t, &found, &bio);
        for (size_t k = 0; k < n; k++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s:%.*s", k ? " " : "",
                                    VSR_FMT(bio_type(bio, found[k].type)), (int)(found[k].end - found[k].start),
                                    t.text + found[k].start);
        CHECK_STR(str_from_c(text), cases[i].spans, cases[i].name);
        arena_free(arena);
    }
}

/* The likeliest labels alone would be "O I-A"; "B-A I-A" is the likeliest that is well formed. */
TEST(viterbi) {
    static const float rows[] = { 0.5F, 0.4F, 0, 0.1F, 0, 0.3F, 0.05F, 0.6F, 0, 0.05F };
    struct arena *arena = arena_new(0, 0);
    struct tokens t;
    struct bio_span *found;
    const struct bio *bio;
    read_tokens(&t, "Ann| Cole", "..");
    memcpy(t.probabilities, rows, sizeof(rows));
    CHECK_INT(decode(arena, BIO_VITERBI, &t, &found, &bio), 1, "one");
    CHECK_INT(found[0].start, 0, "from the beginning");
    CHECK_INT(found[0].end, 8, "to the end");
    CHECK(found[0].mean > 0.524F && found[0].mean < 0.526F, "mean of 0.4 and 0.65");
    CHECK(found[0].least > 0.39F && found[0].least < 0.41F, "least");
    CHECK(found[0].greatest > 0.64F && found[0].greatest < 0.66F, "greatest");
    arena_free(arena);
}

/* Both grow over "5550100"; the second is the surer one. */
TEST(two_types_of_one_word) {
    static const float rows[] = { 0.3F, 0.6F, 0, 0.1F, 0, 0.1F, 0, 0, 0.9F, 0 };
    struct arena *arena = arena_new(0, 0);
    struct tokens t;
    struct bio_span *found;
    const struct bio *bio;
    read_tokens(&t, "555|0100", "..");
    memcpy(t.probabilities, rows, sizeof(rows));
    CHECK_INT(decode(arena, BIO_VITERBI, &t, &found, &bio), 1, "one");
    CHECK_STR(bio_type(bio, found[0].type), "B", "type");
    CHECK(found[0].start == 0 && found[0].end == 7, "all of it");
    arena_free(arena);
}

TEST(plain_labels) {
    static const vsr_str plain[] = { VSR_STR_INIT("supported"), VSR_STR_INIT("hallucinated") };
    static const float rows[] = { 0.9F, 0.1F, 0.2F, 0.8F, 0.4F, 0.6F, 0.9F, 0.1F };
    static const uint32_t starts[] = { 0, 2, 4, 6 }, ends[] = { 1, 3, 5, 7 };
    const struct bio_tokens tokens = { rows, starts, ends, 4 };
    struct arena *arena = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    struct bio *bio;
    struct bio_span *found;
    assert_int_equal(bio_build(arena, plain, 2, &bio, &err), 0);
    CHECK_INT(bio_types(bio), 1, "types");
    CHECK_INT(bio_decode(bio, BIO_LENIENT, VSR_STR("a b c d"), &tokens, arena, &found), 1, "one span");
    CHECK(found[0].start == 2 && found[0].end == 5, "neighbours of one label");
    CHECK_INT(bio_build(arena, plain, 1, &bio, &err), VSR_E_INVALID, "one label");
    CHECK_INT(bio_decode(bio, BIO_VITERBI, VSR_STR(""), &(struct bio_tokens){ .n = 0 }, arena, &found), 0, "no tokens");
    arena_free(arena);
}

RUN_TESTS(T(spans), T(viterbi), T(two_types_of_one_word), T(plain_labels))
