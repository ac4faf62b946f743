#include "text/token_shape.h"

#include "test.h"

static const struct {
    const char *text;
    enum token_shape want;
} cases[] = {
    { "", TOKEN_SHAPE_EMPTY },
    { " \t\n", TOKEN_SHAPE_EMPTY },
    { "\xE3\x80\x80", TOKEN_SHAPE_EMPTY },
    { "7", TOKEN_SHAPE_DIGITS },
    { " 2024 ", TOKEN_SHAPE_DIGITS },
    { "\xD9\xA3\xD9\xA4", TOKEN_SHAPE_DIGITS },
    { "\xC2\xB2", TOKEN_SHAPE_OTHER }, /* a superscript two is a number, no digit */
    { "3rd", TOKEN_SHAPE_DIGIT_AND_LETTER },
    { "a-1", TOKEN_SHAPE_DIGIT_AND_LETTER },
    { "5\xE6\x9C\x88", TOKEN_SHAPE_DIGIT_AND_LETTER },
    { "3.5", TOKEN_SHAPE_DIGIT_AND_OTHER },
    { "1 2", TOKEN_SHAPE_DIGIT_AND_OTHER },
    { "I", TOKEN_SHAPE_UPPER_ONE },
    { " \xC3\x89", TOKEN_SHAPE_UPPER_ONE },
    { "NATO", TOKEN_SHAPE_UPPER },
    { "\xD0\x9C\xD0\x93\xD0\xA3", TOKEN_SHAPE_UPPER },
    { "Paris", TOKEN_SHAPE_CAPITALIZED },
    { " \xC3\x89t\xC3\xA9", TOKEN_SHAPE_CAPITALIZED },
    { "\xC7\x85"
      "ep",
      TOKEN_SHAPE_CAPITALIZED }, /* a title-case letter */
    { "iPhone", TOKEN_SHAPE_MIXED },
    { "McDonald", TOKEN_SHAPE_MIXED },
    { "word", TOKEN_SHAPE_LOWER },
    { "\xCE\xB1", TOKEN_SHAPE_LOWER },
    { "\xE4\xB8\xAD\xE6\x96\x87", TOKEN_SHAPE_CJK },
    { "\xE3\x81\x8B\xE3\x83\xBC", TOKEN_SHAPE_CJK },
    { "\xED\x95\x9C", TOKEN_SHAPE_CJK },
    { "\xE4\xB8\xAD"
      "a",
      TOKEN_SHAPE_CASELESS },
    { "\xD7\xA9\xD7\x9C", TOKEN_SHAPE_CASELESS },
    { "@", TOKEN_SHAPE_AT },
    { "@@", TOKEN_SHAPE_AT },
    { "@a", TOKEN_SHAPE_OTHER },
    { ".", TOKEN_SHAPE_STOP },
    { "?!", TOKEN_SHAPE_STOP },
    { "-", TOKEN_SHAPE_DASH },
    { "_/\\", TOKEN_SHAPE_DASH },
    { "\xE2\x80\x94", TOKEN_SHAPE_DASH },
    { "(", TOKEN_SHAPE_BRACKET },
    { "\"'", TOKEN_SHAPE_BRACKET },
    { "\xC2\xAB", TOKEN_SHAPE_BRACKET },
    { "\xE3\x80\x8C", TOKEN_SHAPE_BRACKET },
    { "$", TOKEN_SHAPE_OTHER },
    { "don't", TOKEN_SHAPE_OTHER },
    { "a b", TOKEN_SHAPE_OTHER },
    { ". .", TOKEN_SHAPE_OTHER },
    { "\xF0\x9F\x98\x80", TOKEN_SHAPE_OTHER },
    { "\xFF", TOKEN_SHAPE_OTHER },
};

TEST(classes) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_INT(token_shape(str_from_c(cases[i].text)), cases[i].want, cases[i].text);
}

RUN_TESTS(T(classes))
