#include "test.h"

#include "text/language_model.h"

/* The words of a text, by what separates them. */
static vsr_str words(vsr_str text, size_t len_max, char *out, size_t out_max) {
    struct language_reader reader;
    struct language_word word;
    enum language_token token;
    size_t len = 0;
    language_reader_init(&reader, text, len_max);
    while ((token = language_read(&reader, &word)) != LANGUAGE_TOKEN_END) {
        CHECK(len + LANGUAGE_WORD_LEN_MAX + 2 < out_max, "room");
        if (token == LANGUAGE_TOKEN_LINE)
            out[len++] = '/';
        if (token == LANGUAGE_TOKEN_COLON)
            out[len++] = ':';
        if (token != LANGUAGE_TOKEN_WORD)
            continue;
        for (size_t i = 0; i < word.n; i++)
            out[len++] = word.chars[i] < 0x80 ? (char)word.chars[i] : '?';
        out[len++] = ' ';
    }
    return str_make(out, len);
}

static const struct {
    const char *name, *text, *want;
} cases[] = {
    { "empty", "", "" },
    { "words", "The quick, brown FOX!", "the quick brown fox " },
    { "digits part", "abc123def", "abc def " },
    { "apostrophes stay", "don't can\xE2\x80\x99t 'tis", "don't can't tis " },
    { "lines and colons", "one: two\nthree:four", "one :two /three four " },
    { "addresses go", "see https://a.b/c?d and me@example.org now", "see and now " },
    { "code goes", "use `x = y` and ```\nfoo(bar)\n``` here", "use and here " },
    { "scripts part",
      "ab\xD0\xB1\xD0\xB2"
      "cd",
      "ab ?? cd " },
    { "a mark needs a letter", "\xCC\x81 a\xCC\x81", "a? " },
    { "invalid bytes part",
      "ab\xFF"
      "cd",
      "ab cd " },
    { "long words are cut", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxyyyy z",
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx z " },
};

TEST(words_are_read) {
    char out[1024];
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_STR(words(str_from_c(cases[i].text), 1024, out, sizeof(out)), cases[i].want, cases[i].name);
}

TEST(the_middle_is_left_out) {
    char out[256];
    CHECK_STR(words(VSR_STR("aaaaaaaaaabbbbbbbbbbcccccccccc"), 8, out, sizeof(out)), "aaaaaa cc ", "eight of thirty");
    CHECK_STR(words(VSR_STR("aa aa aa \xC3\xA4\xC3\xA4"), 4, out, sizeof(out)), "aa ",
              "the end starts within a character");
}

TEST(the_file_is_whole) {
    const struct language_model_header *header = language_model_header();
    const struct language_head *heads = language_model_heads();
    size_t n[LANGUAGE_GROUPS] = { 0 };
    CHECK(memcmp(header->magic, LANGUAGE_MODEL_MAGIC, sizeof(header->magic)) == 0, "magic");
    CHECK(header->n_dims == LANGUAGE_DIMS && header->n_buckets > 0 && header->n_heads <= LANGUAGE_HEADS_MAX, "sizes");
    CHECK(header->scale > 0 && header->exponent > 0 && header->exponent <= 1 && header->n_max >= 1, "numbers");
    for (size_t i = 0; i < header->n_heads; i++) {
        CHECK(heads[i].group < LANGUAGE_GROUPS && heads[i].language < LANGUAGE_COUNT, "head");
        CHECK_INT(language_find(str_make(heads[i].code, 2)), heads[i].language, "code and place agree");
        n[heads[i].group]++;
    }
    for (size_t i = 0; i < LANGUAGE_GROUPS; i++)
        CHECK(n[i] >= 2, "a script is shared by two at least");
    CHECK_INT(language_model_len(), language_vectors_at(header->n_heads) + (size_t)header->n_buckets * LANGUAGE_DIMS,
              "length of the file");
}

/* The fast sum over one word against its definition. */
TEST(sums_are_sums) {
    static const char *const texts[] = { "a", "donaudampfschifffahrtsgesellschaftskapit\xC3\xA4nsm\xC3\xBCtze",
                                         "\xD0\xB4\xD0\xB0" };
    const uint8_t *vectors =
        (const uint8_t *)language_model_header() + language_vectors_at(language_model_header()->n_heads);
    for (size_t t = 0; t < VSR_COUNT(texts); t++) {
        struct language_reader reader;
        struct language_word word;
        struct language_sum sum = { 0 };
        uint32_t hashes[LANGUAGE_NGRAMS_MAX];
        size_t n;
        language_reader_init(&reader, str_from_c(texts[t]), 1024);
        CHECK_INT(language_read(&reader, &word), LANGUAGE_TOKEN_WORD, texts[t]);
        n = language_ngrams(&word, hashes);
        language_sum_add_word(&sum, &word);
        CHECK_INT(sum.n, n, texts[t]);
        for (int d = 0; d < LANGUAGE_DIMS; d++) {
            int32_t want = 0;
            for (size_t i = 0; i < n; i++)
                want += vectors[(size_t)language_bucket(hashes[i], language_model_header()->n_buckets) * LANGUAGE_DIMS +
                                (size_t)d] -
                        LANGUAGE_VECTOR_ZERO;
            CHECK_INT(sum.dims[d], want, texts[t]);
        }
    }
}

/* A word of three letters between blanks: 4 + 4 + 3 + 2 + 1 n-grams without the blanks alone. */
TEST(ngrams_are_counted) {
    struct language_word word = { .script = SCRIPT_LATIN, .n = 3, .chars = { 'f', 'o', 'x' } };
    uint32_t hashes[LANGUAGE_NGRAMS_MAX];
    CHECK_INT(language_ngrams(&word, hashes), 3 + 4 + 3 + 2 + 1, "fox");
    word = (struct language_word){ .n = LANGUAGE_WORD_LEN_MAX };
    CHECK(language_ngrams(&word, hashes) <= LANGUAGE_NGRAMS_MAX, "the longest");
}

RUN_TESTS(T(words_are_read), T(the_middle_is_left_out), T(the_file_is_whole), T(sums_are_sums), T(ngrams_are_counted))
