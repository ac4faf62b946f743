/* Sentences, their words, and about how many tokens they cost. */
#include "text/sentence.h"

#include "core/arena.h"
#include "core/buf.h"
#include "unit/vectors.h"

static const struct {
    const char *name, *text, *want; /* sentences joined by " | " */
} splits[] = {
    { "empty", "", "" },
    { "blank", " \t\n ", "" },
    { "three marks", "One. Two! Three?", "One. | Two! | Three?" },
    { "the tail stays", "Done. And then", "Done. | And then" },
    { "marks stay together", "What?! No... Yes.", "What?! | No... | Yes." },
    { "no blank needed", "One.Two", "One. | Two" },
    { "other scripts", "你好。再见！真的？好", "你好。 | 再见！ | 真的？ | 好" },
    { "arabic, devanagari, ethiopic, armenian", "هل؟ नमस्ते। सब॥ ሰላም። Բարև։ x", "هل؟ | नमस्ते। | सब॥ | ሰላም። | Բարև։ | x" },
    { "numbers", "Pi is 3.14. Use v1.2.3 now.", "Pi is 3.14. | Use v1.2.3 now." },
    { "a number ends", "It is 3. 14 more.", "It is 3. | 14 more." },
    { "digits of other scripts", "٣.٤ x", "٣.٤ x" },
    { "an initial", "J. Doe came. He left.", "J. Doe came. | He left." },
    { "an initial inside", "Ask J. Doe now.", "Ask J. Doe now." },
    { "initials", "By J. R. Smith.", "By J. R. Smith." },
    { "an initial of another script", "Ж. Петров ушёл.", "Ж. Петров ушёл." },
    { "no capital behind", "Plan B. is off.", "Plan B. | is off." },
    { "not alone", "Said OK. Then left.", "Said OK. | Then left." },
    { "lower case", "Said a. Then left.", "Said a. | Then left." },
    { "two blanks", "J.  Doe", "J. | Doe" },
    { "only full stops have exceptions", "J! Doe 3!4", "J! | Doe 3! | 4" },
    { "lines", "first\nsecond\r\n\n- third\n", "first | second | - third" },
    { "a line breaks what looks like a name", "J.\nDoe", "J. | Doe" },
    { "marks on their own", ". x", ". | x" },
    { "trimmed", "  a . \u00A0b\u3000. c", "a . | b\u3000. | c" },
};

TEST(sentences) {
    for (size_t i = 0; i < VSR_COUNT(splits); i++) {
        vsr_str rest = str_from_c(splits[i].text), sentence;
        struct buf out;
        buf_init(&out, 4096);
        while (sentence_next(&rest, &sentence)) {
            buf_append_c(&out, out.len ? " | " : "");
            buf_append(&out, sentence);
        }
        CHECK_STR(buf_str(&out), splits[i].want, splits[i].name);
        buf_done(&out);
    }
}

TEST(shared_tokens) {
    VECTORS_EACH(v, "context.json", "compression_tokens")
    CHECK_INT(sentence_tokens(vectors_str(&v, v.given, "text")), vectors_number(&v, v.want, "tokens", -1), v.name);
}

static bool append_word(void *data, vsr_str word) {
    struct buf *out = data;
    buf_append_c(out, out->len ? " " : "");
    buf_append(out, word);
    return true;
}

static const struct {
    const char *text, *want;
} words[] = {
    { "", "" },
    { "Hello, (world)!", "Hello world" },
    { "-- ... '' ", "" },
    { "it's e.g. a_b 3.5%", "it's e.g a_b 3.5" },
    { "caf\u00E9 \u00ABno\u00BB", "caf\u00E9 no" },
    { "\u4F60", "\u4F60" },
    { "\u4F60\u597D\u5417", "\u4F60 \u597D \u4F60\u597D \u5417 \u597D\u5417" },
    { "Python\u51FD\u6570(x)", "Python \u51FD \u6570 \u51FD\u6570 x" },
    { "\u4F60\uFF0C\u597D", "\u4F60 \u597D" },
    { "a\u4F60 \u597D", "a \u4F60 \u597D" },
};

TEST(words_of_fields) {
    for (size_t i = 0; i < VSR_COUNT(words); i++) {
        struct buf out;
        buf_init(&out, 4096);
        sentence_words(str_from_c(words[i].text), append_word, &out);
        CHECK_STR(buf_str(&out), words[i].want, words[i].text);
        buf_done(&out);
    }
}

static bool count_to_three(void *data, vsr_str word) {
    (void)word;
    return ++*(int *)data < 3;
}

TEST(words_stop) {
    int n = 0;
    sentence_words(VSR_STR("a b c d e"), count_to_three, &n);
    CHECK_INT(n, 3, "latin");
    n = 0;
    sentence_words(VSR_STR("\u4F60\u597D\u5417\u4F60"), count_to_three, &n);
    CHECK_INT(n, 3, "cjk");
}

RUN_TESTS(T(sentences), T(shared_tokens), T(words_of_fields), T(words_stop))
