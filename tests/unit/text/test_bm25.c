#include "test.h"

#include <math.h>

#include "core/arena.h"
#include "text/bm25.h"
#include "text/stem.h"
#include "text/stop_words.h"
#include "text/tokens.h"
#include "unit/vectors.h"

static size_t read_tokens(struct arena *arena, vsr_str text, vsr_str *ret_tokens, size_t max) {
    struct tokens tokens;
    size_t n = 0;
    tokens_init(&tokens, text);
    while (tokens_next(&tokens) && n < max)
        ret_tokens[n++] = arena_str(arena, tokens.token);
    return n;
}

TEST(shared_tokens) {
    struct stemmer *stemmer;
    CHECK_INT(stemmer_new(&stemmer, NULL), 0, "stemmer");
    {
        VECTORS_EACH(v, "bm25.json", "bm25_tokens") {
            vsr_str found[64];
            struct tokens tokens;
            size_t n = 0;
            tokens_init(&tokens, vectors_str(&v, v.given, "text"));
            while (tokens_next(&tokens))
                if (!tokens.plain || !stop_word(tokens.token))
                    found[n++] = arena_str(v.arena, tokens.plain ? stemmer_stem(stemmer, tokens.token) : tokens.token);
            vectors_check_list(&v, vectors_get(&v, v.want, "tokens"), found, n, "tokens");
        }
    }
    stemmer_free(stemmer);
}

/* Every keyword's score and cover, by the rule's own order of the list. */
TEST(shared_scores) {
    VECTORS_EACH(v, "bm25.json", "keyword_rule") {
        json_ref rule = vectors_get(&v, v.given, "rule"), scores = vectors_get(&v, v.want, "scores");
        json_ref list = vectors_get(&v, rule, "keywords");
        vsr_str keywords[32];
        struct bm25_list bm25;
        struct bm25_result *results;
        struct stemmer *stemmer;
        size_t n = 0;
        for (json_ref ref = json_first(&v.doc, list); ref != JSON_NONE; ref = json_next(&v.doc, list, ref))
            keywords[n++] = vectors_text(&v, ref);
        CHECK_INT(stemmer_new(&stemmer, NULL), 0, "stemmer");
        bm25_list_init(&bm25, v.arena);
        CHECK_INT(bm25_list_add(&bm25, stemmer, keywords, n), 0, "first index");
        results = bm25_scan(bm25_set_build(&bm25), stemmer, v.arena, vectors_str(&v, v.given, "text"));
        for (size_t i = 0; i < n; i++) {
            double want = -1;
            CHECK(json_double(&v.doc, json_at(&v.doc, scores, i), &want), v.name);
            CHECK_NEAR(&v, results[i].score, want, "score of a keyword");
        }
        stemmer_free(stemmer);
    }
}

static const struct {
    const char *text, *tokens; /* joined by | */
} cases[] = {
    { "", "" },
    { "?! -- '", "" },
    { "Don't we'll 'quoted' rock'n'roll 5'4", "dont|well|quoted|rocknroll|5|4" },
    { "don\xE2\x80\x99t don\xCA\xBCt", "dont|dont" },
    { "it's'", "its" },
    { "Éclair naïve Ångström ĲSSEL", "eclair|naive|angstrom|ijssel" },
    { "e\xCC\x81te\xCC\x81", "ete" },
    { "Łódź smørrebrød Ærø Þór œuvre ẞ", "lodz|smorrebrod|aero|thor|oeuvre|ss" },
    { "\xEF\xAC\x81sh \xEF\xBC\xA1\xEF\xBC\xA2", "fish|ab" },
    { "йод", "йод" },
    { "\xD0\xB8\xCC\x86од", "\xD0\xB8\xCC\x86од" },
    { "\xCC\x81lone", "lone" },
    { "हिन्दी में", "हिन्दी|में" },
    { "北京 水 京a都 カメラ", "北京|水|京|a|都|カメ|メラ" },
    { "北京大x", "北京|京大|x" },
    { "H2O c++ user_id 3.14", "h2o|c|user|id|3|14" },
    { "a\xFF"
      "b",
      "a|b" },
};

TEST(tokens_are_words) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str tokens[32], joined = { 0 };
        size_t n = read_tokens(arena, str_from_c(cases[i].text), tokens, 32);
        for (size_t k = 0; k < n; k++)
            joined = arena_printf(arena, "%.*s%s%.*s", VSR_FMT(joined), k ? "|" : "", VSR_FMT(tokens[k]));
        CHECK_STR(joined, cases[i].tokens, cases[i].text);
    }
    arena_free(arena);
}

TEST(long_tokens_are_cut) {
    struct arena *arena = arena_new(0, 0);
    char *text = arena_alloc(arena, 5000);
    vsr_str token;
    memset(text, 'x', 5000);
    CHECK_INT(read_tokens(arena, str_make(text, 5000), &token, 1), 1, "one");
    CHECK_INT(token.len, TOKEN_LEN_MAX, "its beginning");
    arena_free(arena);
}

static double score_of(const char *keyword, const char *text) {
    struct arena *arena = arena_new(0, 0);
    struct bm25_list list;
    struct stemmer *stemmer;
    vsr_str keywords[] = { str_from_c(keyword) };
    double score;
    CHECK_INT(stemmer_new(&stemmer, NULL), 0, "stemmer");
    bm25_list_init(&list, arena);
    (void)bm25_list_add(&list, stemmer, keywords, 1);
    score = bm25_scan(bm25_set_build(&list), stemmer, arena, str_from_c(text))->score;
    stemmer_free(stemmer);
    arena_free(arena);
    return score;
}

TEST(stop_words_stay_apart_from_stems) {
    CHECK(score_of("ours", "it is our book") == 0, "a stop word of the text is no stem");
    CHECK(score_of("ours", "it is ours") > 0, "the word itself is");
    CHECK(score_of("our", "it is our book") > 0, "a kept stop word is found");
    CHECK(score_of("our", "it is ours") > 0, "and by a word with that stem");
    CHECK(score_of("the refund", "the") == 0, "a stop word beside a word was left out");
}

/* Words of syllables, whose stems end in every way that the stemmer knows. */
static uint32_t seed = 5;
static uint32_t below(uint32_t n) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

TEST(filter_loses_no_word) {
    static const char *const heads[] = { "", "a", "y", "d", "l", "t", "s", "ye", "ski", "cr", "gen", "commun", "ae" };
    static const char *const tails[] = { "",      "s",       "ies",     "ied",     "ed", "ing", "ying",
                                         "eed",   "ingly",   "ational", "iveness", "y",  "e",   "ement",
                                         "ously", "ization", "ly",      "li",      "'s", "sses" };
    for (int round = 0; round < 20000; round++) {
        char word[64];
        snprintf(word, sizeof(word), "%s%s%s", heads[below(VSR_COUNT(heads))],
                 below(2) ? heads[below(VSR_COUNT(heads))] : "", tails[below(VSR_COUNT(tails))]);
        if (word[0] && word[0] != '\'')
            CHECK(score_of(word, word) > 0, word);
    }
}

TEST(words_of_one_stem_find_each_other) {
    static const char *const pairs[][2] = {
        { "die", "dying" },           { "dying", "die" },           { "lie", "lying" },         { "tying", "tie" },
        { "skies", "sky" },           { "use", "using" },           { "relational", "relate" }, { "cry", "cries" },
        { "compile", "compilation" }, { "communism", "communism" }, { "agreed", "agree" }
    };
    for (size_t i = 0; i < VSR_COUNT(pairs); i++)
        CHECK(score_of(pairs[i][0], pairs[i][1]) > 0, pairs[i][0]);
}

TEST(greatest_score_is_that_of_the_keyword_itself) {
    struct arena *arena = arena_new(0, 0);
    struct bm25_list list;
    struct stemmer *stemmer;
    vsr_str keywords[] = { VSR_STR("refund policy refund"), VSR_STR("policy"), VSR_STR("!?") };
    struct bm25_result *results;
    CHECK_INT(stemmer_new(&stemmer, NULL), 0, "stemmer");
    bm25_list_init(&list, arena);
    CHECK_INT(bm25_list_add(&list, stemmer, keywords, 3), 0, "index");
    results = bm25_scan(bm25_set_build(&list), stemmer, arena, keywords[0]);
    CHECK(fabs(results[0].score - bm25_list_best(&list, 0)) < 1e-12, "all tokens");
    CHECK(results[0].covered == 2 && results[0].tokens == 2, "distinct tokens");
    CHECK(bm25_list_best(&list, 2) == 0 && results[2].tokens == 0, "no token");
    stemmer_free(stemmer);
    arena_free(arena);
}

RUN_TESTS(T(shared_tokens), T(shared_scores), T(tokens_are_words), T(long_tokens_are_cut),
          T(stop_words_stay_apart_from_stems), T(filter_loses_no_word), T(words_of_one_stem_find_each_other),
          T(greatest_score_is_that_of_the_keyword_itself))
