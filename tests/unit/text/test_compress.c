/* Compression against the plainest way to compute it, and what must hold for any text. */
#include "text/compress.h"

#include <math.h>

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"
#include "text/fold.h"
#include "text/sentence.h"

/* ---- the plainest way: words as texts, all pairs of sentences */

enum { PLAIN_SENTENCES = 24, PLAIN_WORDS = 64 };

struct plain {
    struct arena *arena;
    size_t n;
    vsr_str words[PLAIN_SENTENCES][PLAIN_WORDS];
    size_t n_words[PLAIN_SENTENCES];
    size_t row; /* being read */
    double w[PLAIN_SENTENCES][PLAIN_SENTENCES];
};

static bool plain_word(void *data, vsr_str word) {
    struct plain *p = data;
    CHECK(p->n_words[p->row] < PLAIN_WORDS, "room");
    p->words[p->row][p->n_words[p->row]++] = word;
    return true;
}

static double frequency(const struct plain *p, size_t sentence, vsr_str word) {
    double n = 0;
    for (size_t i = 0; i < p->n_words[sentence]; i++)
        n += str_eq(p->words[sentence][i], word);
    return p->n_words[sentence] ? n / (double)p->n_words[sentence] : 0;
}

static bool is_first(const struct plain *p, size_t sentence, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (str_eq(p->words[sentence][i], p->words[sentence][index]))
            return false;
    return true;
}

static double dot(const struct plain *p, size_t a, size_t b) {
    double sum = 0;
    for (size_t i = 0; i < p->n_words[a]; i++)
        if (is_first(p, a, i))
            sum += frequency(p, a, p->words[a][i]) * frequency(p, b, p->words[a][i]);
    return sum;
}

static double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

static void plain_rank(struct plain *p, double *rank) {
    size_t n = p->n;
    for (size_t i = 0; i < n; i++) {
        rank[i] = 1.0 / (double)n;
        for (size_t j = 0; j < n; j++)
            p->w[i][j] = i == j ? 0 : ratio(dot(p, i, j), sqrt(dot(p, i, i) * dot(p, j, j)));
    }
    for (int round = 0; round < 100; round++) {
        double next[PLAIN_SENTENCES], delta = 0;
        for (size_t i = 0; i < n; i++) {
            double sum = 0;
            for (size_t j = 0; j < n; j++) {
                double degree = 0;
                for (size_t k = 0; k < n; k++)
                    degree += p->w[j][k];
                sum += ratio(p->w[i][j], degree) * rank[j];
            }
            next[i] = .15 / (double)n + .85 * sum;
            delta = fmax(delta, fabs(next[i] - rank[i]));
        }
        memcpy(rank, next, n * sizeof(double));
        if (delta < 1e-5)
            break;
    }
}

static double plain_tfidf(const struct plain *p, size_t sentence) {
    double sum = 0;
    for (size_t i = 0; i < p->n_words[sentence]; i++) {
        size_t n_in = 0;
        for (size_t j = 0; j < p->n; j++)
            n_in += frequency(p, j, p->words[sentence][i]) > 0;
        if (is_first(p, sentence, i))
            sum += frequency(p, sentence, p->words[sentence][i]) * log((double)(p->n + 1) / (double)(n_in + 1));
    }
    return sum;
}

static double plain_novelty(const struct plain *p, size_t sentence) {
    double with_mean = 0, squares = 0;
    if (p->n_words[sentence] == 0)
        return 0;
    for (size_t i = 0; i < p->n; i++) {
        with_mean += dot(p, sentence, i) / (double)p->n;
        for (size_t j = 0; j < p->n; j++)
            squares += dot(p, i, j) / (double)(p->n * p->n);
    }
    with_mean = 1 - with_mean / sqrt(dot(p, sentence, sentence) * squares);
    return with_mean > 1e-12 ? with_mean : 0;
}

static void divide_by_greatest(double *numbers, size_t n) {
    double greatest = 0;
    for (size_t i = 0; i < n; i++)
        greatest = fmax(greatest, numbers[i]);
    for (size_t i = 0; i < n && greatest > 0; i++)
        numbers[i] /= greatest;
}

static void check_scores(const vsr_str *sentences, size_t n, const char *name) {
    struct plain *p = calloc(1, sizeof(*p));
    struct arena *arena = p->arena = arena_new(0, 0);
    struct compress_options o = compress_profile(COMPRESS_SECURITY);
    struct compress_score scores[PLAIN_SENTENCES];
    double rank[PLAIN_SENTENCES], tfidf[PLAIN_SENTENCES], novelty[PLAIN_SENTENCES];
    p->n = n;
    for (p->row = 0; p->row < n; p->row++)
        sentence_words(fold_text(arena, sentences[p->row], FOLD_LOWER), plain_word, p);
    plain_rank(p, rank);
    for (size_t i = 0; i < n; i++) {
        tfidf[i] = plain_tfidf(p, i);
        novelty[i] = plain_novelty(p, i);
    }
    divide_by_greatest(rank, n);
    divide_by_greatest(tfidf, n);
    divide_by_greatest(novelty, n);
    CHECK_INT(compress_scores(arena, sentences, n, &o, scores, NULL), 0, name);
    for (size_t i = 0; i < n; i++) {
        double position = 1 - .6 * sin(M_PI * (double)i / (double)(n - 1));
        double composite = .15 * rank[i] + .30 * position + .25 * tfidf[i] + .30 * novelty[i];
        CHECK_MSG(fabs(scores[i].textrank - rank[i]) < 1e-9, "%s: rank %zu is %.12g, want %.12g", name, i,
                  scores[i].textrank, rank[i]);
        CHECK_MSG(fabs(scores[i].position - position) < 1e-9, "%s: position %zu", name, i);
        CHECK_MSG(fabs(scores[i].tfidf - tfidf[i]) < 1e-9, "%s: tf-idf %zu is %.12g, want %.12g", name, i,
                  scores[i].tfidf, tfidf[i]);
        CHECK_MSG(fabs(scores[i].novelty - novelty[i]) < 1e-9, "%s: novelty %zu is %.12g, want %.12g", name, i,
                  scores[i].novelty, novelty[i]);
        CHECK_MSG(fabs(scores[i].composite - composite) < 1e-9, "%s: composite %zu", name, i);
    }
    arena_free(arena);
    free(p);
}

TEST(scores_by_hand) {
    const vsr_str sentences[] = { VSR_STR("The cat sat on the mat."),
                                  VSR_STR("A cat and a DOG."),
                                  VSR_STR("..."),
                                  VSR_STR("Dogs bark."),
                                  VSR_STR("the the the"),
                                  VSR_STR("\u4F60\u597D cat \u4F60") };
    check_scores(sentences, VSR_COUNT(sentences), "mixed");
    check_scores(sentences, 2, "two");
    check_scores(sentences + 2, 2, "one without words, one without edges");
}

static uint32_t random_state;

static uint32_t draw(uint32_t below) {
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

/* Words of few kinds, so that sentences share some. */
static vsr_str draw_sentence(struct arena *arena, uint32_t vocabulary) {
    static const char *const others[] = { "\u6570\u636E", "\u6570", "--", "C\u00C9", "c\u00E9" };
    struct buf out;
    vsr_str text;
    buf_init(&out, 4096);
    for (uint32_t n = draw(12); n > 0; n--) {
        if (draw(8) == 0)
            buf_printf(&out, "%s ", others[draw(VSR_COUNT(others))]);
        else
            buf_printf(&out, "%c%u ", draw(2) ? 'w' : 'W', draw(vocabulary));
    }
    buf_append_char(&out, '.');
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

TEST(scores_of_random_sentences) {
    for (random_state = 0; random_state < 80; random_state++) {
        struct arena *arena = arena_new(0, 0);
        uint32_t seed = random_state;
        vsr_str sentences[PLAIN_SENTENCES];
        size_t n = 2 + draw(PLAIN_SENTENCES - 1);
        char name[32];
        snprintf(name, sizeof(name), "seed %u", seed);
        for (size_t i = 0; i < n; i++)
            sentences[i] = draw_sentence(arena, 3 + seed % 60);
        check_scores(sentences, n, name);
        arena_free(arena);
        random_state = seed;
    }
}

/* ---- which sentences */

#define FOUR "Alpha beta. Gamma delta. Alpha alpha beta. Epsilon zeta."

static const struct {
    const char *name, *text, *want;
    struct compress_options options;
} choices[] = {
    { "no budget", FOUR, FOUR, { .position_weight = 1 } },
    { "within the budget", FOUR, FOUR, { .max_tokens = 100 } },
    { "too short to bother", FOUR, FOUR, { .max_tokens = 4, .min_length = sizeof(FOUR) - 1 } },
    { "one byte longer",
      FOUR,
      "Alpha beta. Epsilon zeta.",
      { .max_tokens = 4, .min_length = sizeof(FOUR) - 2, .position_weight = 1, .position_depth = 1 } },
    { "one sentence", "a b c d e f g", "a b c d e f g", { .max_tokens = 2 } },
    { "first ones", FOUR, "Alpha beta. Gamma delta.", { .max_tokens = 5, .preserve_first_n = 2 } },
    { "last ones, in order", FOUR, "Alpha alpha beta.", { .max_tokens = 4, .preserve_last_n = 2 } },
    { "first before last",
      FOUR,
      "Alpha beta. Epsilon zeta.",
      { .max_tokens = 4, .preserve_first_n = 1, .preserve_last_n = 1 } },
    { "a misfit is passed over",
      "One two three four five six. Seven. Eight nine.",
      "Seven. Eight nine.",
      { .max_tokens = 4, .preserve_first_n = 3 } },
    { "nothing fits", "One two three. Four five six.", "One two three. Four five six.", { .max_tokens = 2 } },
    { "equal scores: the earlier one",
      "Aa. Bb. Cc. Dd.",
      "Aa. Bb.",
      { .max_tokens = 2, .position_weight = 1, .position_depth = 0 } },
    { "places equally far from the ends score equal",
      "Aa. Bb. Cc. Dd. Ee. Ff. Gg.",
      "Aa. Bb. Gg.",
      { .max_tokens = 3, .position_weight = 1, .position_depth = .5 } },
    { "rare words", "x y. x y. x z. q q. x y.", "q q.", { .max_tokens = 2, .tfidf_weight = 2 } },
    { "central words", "a b. a c. a d. e f.", "a b. a c.", { .max_tokens = 4, .textrank_weight = 1 } },
    { "unlike the rest", "a b. a b. e f. a b.", "e f.", { .max_tokens = 2, .novelty_weight = 1 } },
    { "more preserved than there are",
      FOUR,
      "Alpha beta. Gamma delta.",
      { .max_tokens = 5, .preserve_first_n = SIZE_MAX, .preserve_last_n = SIZE_MAX } },
    { "lines of code",
      "int a;\nint b;\nreturn a;",
      "int a; return a;",
      { .max_tokens = 4, .preserve_first_n = 1, .preserve_last_n = 1 } },
};

TEST(choices_of_sentences) {
    for (size_t i = 0; i < VSR_COUNT(choices); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str text = str_from_c(choices[i].text), kept;
        CHECK_INT(compress_text(arena, text, &choices[i].options, &kept, NULL), 0, choices[i].name);
        CHECK_STR(kept, choices[i].want, choices[i].name);
        CHECK((kept.ptr == text.ptr) == str_eq(text, kept), "the text itself when nothing changes");
        arena_free(arena);
    }
}

TEST(profiles) {
    struct compress_options coding = compress_profile(COMPRESS_CODING);
    CHECK(coding.tfidf_weight == .40 && coding.position_depth == .6, "coding");
    CHECK(coding.preserve_first_n == 2 && coding.preserve_last_n == 4 && coding.max_tokens == 0, "coding");
    for (int i = 0; i < COMPRESS_PROFILES; i++) {
        struct compress_options o = compress_profile((enum compress_profile)i);
        double sum = o.textrank_weight + o.position_weight + o.tfidf_weight + o.novelty_weight;
        CHECK(sum > .8 && sum < 1.01, "weights");
    }
}

/* `n` sentences "s0." ... of which all but the sampled ones are invisible. */
static vsr_str numbered(struct arena *arena, size_t n) {
    struct buf out;
    vsr_str text;
    buf_init(&out, 1 << 24);
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "s%zu. ", i);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

TEST(many_sentences_are_sampled) {
    static const struct {
        size_t total, second, last_but_one;
    } cases[] = { { 500, 1, 498 }, { 501, 1, 499 }, { 1000, 1, 997 }, { 100000, 1, 99798 } };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct compress_options o = { .max_tokens = 499, .preserve_first_n = 500 };
        vsr_str kept, rest, sentence;
        size_t n = 0, at = 0, before = 0;
        CHECK_INT(compress_text(arena, numbered(arena, cases[i].total), &o, &kept, NULL), 0, "compress");
        for (rest = kept; sentence_next(&rest, &sentence); n++) {
            before = at;
            at = (size_t)strtoull(sentence.ptr + 1, NULL, 10);
            CHECK(n == 0 ? at == 0 : at > before, "in order");
            if (n == 1)
                CHECK_INT(at, cases[i].second, "second");
        }
        CHECK_INT(n, 499, "as many as the budget");
        CHECK_INT(at, cases[i].last_but_one, "the last but one is the last that fits");
        arena_free(arena);
    }
}

TEST(the_same_twice) {
    struct arena *a = arena_new(0, 0), *b = arena_new(1 << 20, 0);
    struct compress_options o = compress_profile(COMPRESS_DEFAULT);
    struct buf text;
    vsr_str one, two;
    buf_init(&text, 1 << 22);
    random_state = 7;
    for (size_t i = 0; i < 700; i++)
        buf_append(&text, draw_sentence(a, 400));
    o.max_tokens = 900;
    CHECK_INT(compress_text(a, buf_str(&text), &o, &one, NULL), 0, "one");
    CHECK_INT(compress_text(b, buf_str(&text), &o, &two, NULL), 0, "two");
    CHECK(str_eq(one, two), "equal");
    CHECK(sentence_tokens(one) < 1200 && one.len > 0, "smaller");
    buf_done(&text);
    arena_free(a);
    arena_free(b);
}

TEST(words_are_bounded) {
    struct arena *arena = arena_new(0, 0);
    struct compress_options o = { .max_tokens = 2, .novelty_weight = 1 };
    struct buf text;
    vsr_str kept;
    buf_init(&text, 1 << 25);
    for (size_t i = 0; i < (3 << 18); i++)
        buf_printf(&text, "w%zu ", i);
    buf_append_c(&text, ". two words. three more words.");
    CHECK_INT(compress_text(arena, buf_str(&text), &o, &kept, NULL), 0, "a sentence of many words");
    CHECK_STR(kept, "two words.", "the long one does not fit");
    buf_done(&text);
    arena_free(arena);
}

TEST(without_memory) {
    struct arena *arena = arena_new(4096, 0);
    struct compress_options o = compress_profile(COMPRESS_DEFAULT);
    vsr_str text = numbered(arena, 2000), kept;
    struct vsr_err err = VSR_ERR_NONE;
    o.max_tokens = 50;
    arena_set_ceiling(arena, arena_bytes(arena) + 8192);
    CHECK_INT(compress_text(arena, text, &o, &kept, &err), VSR_E_NOMEM, "ceiling");
    CHECK(str_find(str_from_c(err.text), VSR_STR("no memory")) >= 0, "says so");
    arena_free(arena);
}

RUN_TESTS(T(scores_by_hand), T(scores_of_random_sentences), T(choices_of_sentences), T(profiles),
          T(many_sentences_are_sampled), T(the_same_twice), T(words_are_bounded), T(without_memory))
