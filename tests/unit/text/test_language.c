#include "test.h"

#include "text/language.h"
#include "text/window.h"
#include "unit/vectors.h"

static vsr_str detect(struct arena *arena, vsr_str text, double *ret_confidence) {
    struct language_guess guess;
    CHECK_INT(language_detect(arena, text, &guess, NULL), 0, "detect");
    if (ret_confidence)
        *ret_confidence = guess.confidence;
    return guess.code;
}

TEST(shared_languages) {
    VECTORS_EACH(v, "language.json", "language") {
        json_ref want = vectors_get(&v, v.want, "language");
        vsr_str code = detect(v.arena, vectors_str(&v, v.given, "text"), NULL);
        vsr_str wanted = json_is(&v.doc, want, JSON_NULL) ? (vsr_str){ 0 } : vectors_text(&v, want);
        CHECK_MSG(str_eq(code, wanted), "case \"%s\": got \"%.*s\"", v.name, VSR_FMT(code));
    }
}

static const struct {
    const char *name, *text, *code;
} cases[] = {
    { "empty", "", "" },
    { "english", "Could you explain how the engine of a steam locomotive works?", "en" },
    { "french", "Pourriez-vous m'expliquer comment fonctionne une locomotive ?", "fr" },
    { "one han character", "水", "zh" },
    { "kana decides for japanese", "東京の天気", "ja" },
    { "a decorating kana is no japanese", "我们今天去吃优の良品零食店里面的很多种类的小吃和饮料吧", "zh" },
    { "han with latin words", "请用Python写一个quicksort函数", "zh" },
    { "korean with latin words", "이 코드를 Python으로 바꿔 주세요", "ko" },
    { "khmer is not ours", "សួស្តីពិភពលោក", "" },
    { "fence only", "```\nprint('hello world')\nfor x in y: pass\n```", "" },
    { "open fence", "```js\nconst answer = await fetch(url)", "" },
    { "bare code", "int main(void) { for (i = 0; i < n; i++) { sum += a[i]; } return sum; }", "" },
    { "instruction beside inline code", "Bitte erkläre mir, was `std::move(x)` in diesem Zusammenhang bedeutet", "de" },
    { "address only", "https://example.com/some/long/english/path mail@example.com", "" },
    { "address in chinese text", "请总结https://example.com/the/quick/brown/fox.html这篇文章", "zh" },
    { "numbers", "3.14159 2.71828", "" },
};

TEST(own_texts) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_STR(detect(arena, str_from_c(cases[i].text), NULL), cases[i].code, cases[i].name);
    arena_free(arena);
}

TEST(confidence_is_a_share) {
    struct arena *arena = arena_new(0, 0);
    double confidence;
    detect(arena, VSR_STR("Μπορείς να εξηγήσεις"), &confidence);
    CHECK(confidence == 1.0, "pure script");
    detect(arena, VSR_STR("Μπορείς να εξηγήσεις abcde"), &confidence);
    CHECK(confidence > 0.7 && confidence < 0.8, "a quarter is latin");
    detect(arena, VSR_STR("12"), &confidence);
    CHECK(confidence == 0, "none");
    arena_free(arena);
}

TEST(hostile_texts_are_survived) {
    struct arena *arena = arena_new(0, 0);
    static const char *const texts[] = { "\xFF\xFE", "```",  "`",   "\xE4\xBD",         "a`b\n`c",
                                         "@",        "www.", "://", "a\xCC\x81\xCC\x81" };
    size_t len = 1 << 20;
    char *big = malloc(len);
    for (size_t i = 0; i < VSR_COUNT(texts); i++)
        detect(arena, str_from_c(texts[i]), NULL);
    memset(big, '`', len);
    detect(arena, str_make(big, len), NULL);
    memset(big, 'x', len);
    detect(arena, str_make(big, len), NULL);
    for (size_t i = 0; i < len; i++)
        big[i] = i % 2 ? '`' : 'a';
    detect(arena, str_make(big, len), NULL);
    free(big);
    arena_free(arena);
}

TEST(codes_are_known) {
    static const char *const known[] = { "en", "de", "zh", "ja", "nb", "he", "tl", "sr" };
    for (size_t i = 0; i < VSR_COUNT(known); i++)
        CHECK(language_supported(str_from_c(known[i])), known[i]);
    CHECK(!language_supported(VSR_STR("EN")) && !language_supported(VSR_STR("")) && !language_supported(VSR_STR("km")),
          "others");
}

TEST(shared_windows) {
    VECTORS_EACH(v, "context.json", "signal_window") {
        struct window_ranges ranges = window_ranges((size_t)vectors_number(&v, v.given, "code_points", 0),
                                                    (size_t)vectors_number(&v, v.given, "limit", 0));
        json_ref kept = vectors_get(&v, v.want, "kept");
        size_t i = 0;
        CHECK_INT(ranges.n, vectors_count(&v, kept), v.name);
        for (json_ref range = json_first(&v.doc, kept); range != JSON_NONE;
             range = json_next(&v.doc, kept, range), i++) {
            double from, to;
            CHECK(json_double(&v.doc, json_at(&v.doc, range, 0), &from) &&
                      json_double(&v.doc, json_at(&v.doc, range, 1), &to),
                  v.name);
            CHECK(ranges.from[i] == (size_t)from && ranges.to[i] == (size_t)to, v.name);
        }
    }
}

TEST(windows_of_texts) {
    struct arena *arena = arena_new(0, 0);
    CHECK_STR(window_text(arena, VSR_STR("0123456789"), 10), "0123456789", "fits");
    CHECK_STR(window_text(arena, VSR_STR("0123456789"), 6), "01\n…\n45\n…\n89", "cut");
    CHECK_STR(window_text(arena, VSR_STR("äöüÄÖÜßéèê"), 6), "äö\n…\nÖÜ\n…\nèê", "code points");
    CHECK_STR(window_text(arena, VSR_STR("0123456789"), 0), "0123456789", "off");
    arena_free(arena);
}

RUN_TESTS(T(shared_languages), T(own_texts), T(confidence_is_a_share), T(hostile_texts_are_survived),
          T(codes_are_known), T(shared_windows), T(windows_of_texts))
