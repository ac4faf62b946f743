/* What log-probabilities make of a guard's verdict, also those that a server would send that means harm. */
#include <math.h>

#include "config/global_catalog.h"
#include "core/arena.h"
#include "core/json_write.h"
#include "evidence/http_format.h"
#include "signal/evidence.h"
#include "test.h"

/* ln of 0.8, 0.5, 0.2, 0.1, 0.05 */
#define P80 "-0.2231435513"
#define P50 "-0.6931471806"
#define P20 "-1.6094379124"
#define P10 "-2.302585093"
#define P05 "-2.9957322736"

#define TOKEN(text, p, top) "{\"token\":\"" text "\",\"logprob\":" p ",\"bytes\":[1],\"top_logprobs\":[" top "]}"
#define OTHER(text, p) "{\"token\":\"" text "\",\"logprob\":" p "}"
#define PLAIN(text) TOKEN(text, "-0.01", OTHER(text, "-0.01"))
#define QWEN(top) PLAIN("Safety") "," PLAIN(":") "," TOKEN(" Unsafe", P80, top) "," PLAIN("\\n")

static const struct {
    const char *name;
    int parser;
    const char *content, *tokens;
    double want; /* P(unsafe) */
} cases[] = {
    /* the three verdicts */
    { "unsafe", PARSER_QWEN3GUARD, "Safety: Unsafe\n", QWEN(OTHER(" Unsafe", P80) "," OTHER(" Safe", P20)), 0.8 },
    { "controversial weighs 0.6", PARSER_QWEN3GUARD, "Safety: Unsafe",
      QWEN(OTHER(" Unsafe", P80) "," OTHER(" Controversial", P20)), 0.8 + 0.6 * 0.2 },
    { "safe", PARSER_QWEN3GUARD, "Safety: Safe",
      PLAIN("Safety:") "," TOKEN(" Safe", P80, OTHER(" Safe", P80) "," OTHER(" Unsafe", P20)), 0.2 },
    { "certainly safe", PARSER_QWEN3GUARD, "Safety: Safe", PLAIN("Safety:") "," PLAIN(" Safe"), 0 },
    { "certainly unsafe", PARSER_QWEN3GUARD, "Safety: Unsafe", PLAIN("Safety:") "," PLAIN(" Unsafe"), 1 },
    { "certainly controversial", PARSER_QWEN3GUARD, "Safety: Controversial",
      PLAIN("Safety:") "," PLAIN(" Controversial"), 0.6 },
    { "what is no verdict does not count", PARSER_QWEN3GUARD, "Safety: Unsafe",
      QWEN(OTHER(" Unsafe", P80) "," OTHER(" Maybe", P10) "," OTHER(" Safe", P10)), 8.0 / 9 },
    { "other spellings are added", PARSER_QWEN3GUARD, "Safety: Unsafe",
      QWEN(OTHER(" Unsafe", P80) "," OTHER("Safe", P10) "," OTHER("\\n safe", P05) "," OTHER(" SAFE", P05)), 0.8 },
    { "a token twice counts once", PARSER_QWEN3GUARD, "Safety: Unsafe",
      QWEN(OTHER(" Unsafe", P80) "," OTHER(" Safe", P20) "," OTHER(" Safe", P20)), 0.8 },
    { "the token is not among its alternatives", PARSER_QWEN3GUARD, "Safety: Unsafe",
      PLAIN("Safety:") "," TOKEN(" Unsafe", P20, OTHER(" Safe", P80)), 0.2 },
    { "categories follow", PARSER_QWEN3GUARD, "Safety: Unsafe\nCategories: Safe things",
      QWEN(OTHER(" Safe", P20)) "," PLAIN("Categories: Safe things"), 0.8 },
    /* words in several tokens */
    { "the first token decides", PARSER_QWEN3GUARD, "Safety: Unsafe",
      PLAIN("Safety: ") "," TOKEN("Un", P80, OTHER("Safe", P10) "," OTHER("Cont", P10)) "," PLAIN("safe"),
      0.8 + 0.6 * 0.1 },
    { "one letter is enough", PARSER_QWEN3GUARD, "Safety: Unsafe",
      PLAIN("Safety: ") "," TOKEN("U", P50, OTHER("S", P50)) "," PLAIN("nsafe"), 0.5 },
    { "a beginning of no verdict", PARSER_QWEN3GUARD, "Safety: Unsafe",
      PLAIN("Safety: ") "," TOKEN("Un", P50,
                                  OTHER("Unk", P20) "," OTHER("Sat", P20) "," OTHER("S1", P05)) "," PLAIN("safe"),
      1 },
    { "the blank before it is a token", PARSER_QWEN3GUARD, "Safety: Unsafe",
      PLAIN("Safety:") "," PLAIN(" ") "," TOKEN("Unsafe", P50, OTHER("Safe", P50)), 0.5 },
    { "what stands before it in its token", PARSER_QWEN3GUARD, "Safety: Unsafe",
      PLAIN("Safety") "," TOKEN(": Unsafe", P50, OTHER(": Safe", P50)), 0.5 },
    { "a token with letters before it", PARSER_QWEN3GUARD, "Safety: Unsafe",
      TOKEN("Safety: Unsafe", P50, OTHER("Safety: Safe", P50)), 0.9 },
    /* other manners */
    { "json", PARSER_JSON, "{\"safety\": \"unsafe\"}",
      PLAIN("{\\\"safety\\\": \\\"") "," TOKEN("unsafe", P80, OTHER("safe", P20)) "," PLAIN("\\\"}"), 0.8 },
    { "json, its quote in the token", PARSER_JSON, "Here: {\"safety\": \"unsafe\"}",
      PLAIN("Here: {\\\"safety\\\":") "," TOKEN(" \\\"uns", P80, OTHER(" \\\"safe", P20)) "," PLAIN("afe\\\"}"), 0.8 },
    { "a flag", PARSER_JSON, "{\"is_jailbreak\": true}",
      PLAIN("{\\\"is_jailbreak\\\":") "," TOKEN(" true", P80, OTHER(" false", P20)) "," PLAIN("}"), 0.8 },
    { "a flag that is not set", PARSER_JSON, "{\"is_unsafe\":false}",
      PLAIN("{\\\"is_unsafe\\\":") "," TOKEN("false", P80, OTHER("true", P20)) "," PLAIN("}"), 0.2 },
    { "words of another manner are none", PARSER_JSON, "{\"is_unsafe\":false}",
      PLAIN("{\\\"is_unsafe\\\":") "," TOKEN("false", P80, OTHER("unsafe", P20)) "," PLAIN("}"), 0 },
    { "a word", PARSER_SIMPLE, "unsafe\nS1", TOKEN("unsafe", P80, OTHER("safe", P20)) "," PLAIN("\\nS1"), 0.8 },
    { "jailbreak is unsafe", PARSER_SIMPLE, "jailbreak",
      TOKEN("jail", P50, OTHER("unsafe", P20) "," OTHER("safe", P20)) "," PLAIN("break"), 7.0 / 9 },
    { "the first word", PARSER_SIMPLE, "Safe. There is no jailbreak.",
      TOKEN("Safe", P80, OTHER("Unsafe", P20)) "," PLAIN(". There is no jailbreak."), 0.2 },
    { "auto", PARSER_AUTO, "safe", TOKEN("safe", P80, OTHER("unsafe", P20)), 0.2 },
    { "thoughts", PARSER_QWEN3GUARD, "<think>Safety: Safe</think>\nSafety: Unsafe",
      PLAIN("<think>") "," PLAIN("Safety:") "," PLAIN(" Safe") "," PLAIN("</think>\\n") "," QWEN(OTHER(" Safe", P20)),
      0.8 },
    { "thoughts that only the tokens have, and a mark of the end", PARSER_QWEN3GUARD, "Safety: Unsafe",
      PLAIN("Safety:") "," PLAIN(" Safe\\n\\n") "," QWEN(OTHER(" Safe", P20)) "," PLAIN("<|im_end|>"), 0.8 },
    /* verdicts without a word of their own */
    { "a category", PARSER_QWEN3GUARD, "Categories: Jailbreak", PLAIN("Categories:") "," PLAIN(" Jailbreak"), 0.9 },
    { "a word that is turned round", PARSER_SIMPLE, "Not safe", PLAIN("Not") "," TOKEN(" safe", P50, OTHER(" un", P50)),
      0.8 },
    { "and another behind it", PARSER_SIMPLE, "not a jailbreak, safe",
      PLAIN("not a jailbreak,") "," TOKEN(" safe", P50, OTHER(" unsafe", P50)), 0.1 },
    /* what is missing or wrong */
    { "no tokens", PARSER_QWEN3GUARD, "Safety: Unsafe", "", 0.9 },
    { "other tokens", PARSER_QWEN3GUARD, "Safety: Unsafe", PLAIN("Safety:") "," PLAIN(" Safe"), 0.9 },
    { "tokens by number", PARSER_QWEN3GUARD, "Safety: Unsafe", PLAIN("token:8") "," PLAIN("token:9"), 0.9 },
    { "no alternatives", PARSER_QWEN3GUARD, "Safety: Unsafe", QWEN(""), 0.9 },
    { "alternatives that are no list", PARSER_QWEN3GUARD, "Safety: Unsafe",
      PLAIN("Safety:") ",{\"token\":\" Unsafe\",\"logprob\":-1,\"top_logprobs\":{\"a\":1}}", 0.9 },
    { "no number", PARSER_QWEN3GUARD, "Safety: Unsafe", QWEN("{\"token\":\" Safe\"}"), 0.9 },
    { "null for a number", PARSER_QWEN3GUARD, "Safety: Unsafe", QWEN(OTHER(" Safe", "null")), 0.9 },
    { "a text for a number", PARSER_QWEN3GUARD, "Safety: Unsafe", QWEN(OTHER(" Safe", "\"-1\"")), 0.9 },
    { "a text that is not a number", PARSER_QWEN3GUARD, "Safety: Unsafe", QWEN(OTHER(" Safe", "\"NaN\"")), 0.9 },
    { "past a double", PARSER_QWEN3GUARD, "Safety: Unsafe", QWEN(OTHER(" Safe", "-1e999")), 0.9 },
    { "no token", PARSER_QWEN3GUARD, "Safety: Unsafe", QWEN("{\"logprob\":-1}"), 0.9 },
    { "a positive one", PARSER_QWEN3GUARD, "Safety: Unsafe", QWEN(OTHER(" Safe", "0.5")), 0.9 },
    { "positive itself", PARSER_QWEN3GUARD, "Safety: Unsafe",
      PLAIN("Safety:") "," TOKEN(" Unsafe", "0.5", OTHER(" Unsafe", "0.5") "," OTHER(" Safe", "-99")), 0.9 },
    { "a token with another verdict before it", PARSER_JSON, "{\"x\":\"safe\",\"safety\":\"unsafe\"}",
      PLAIN("{\\\"x\\\":\\\"") "," TOKEN("safe\\\",\\\"safety\\\":\\\"unsafe", P50,
                                         OTHER("unsafe", P50)) "," PLAIN("\\\"}"),
      0.9 },
    { "positive by rounding", PARSER_QWEN3GUARD, "Safety: Safe",
      PLAIN("Safety:") "," TOKEN(" Safe", "1e-7", OTHER(" Safe", "1e-7")), 0 },
    { "more than 1 together", PARSER_QWEN3GUARD, "Safety: Unsafe", QWEN(OTHER(" Unsafe", P80) "," OTHER(" Safe", P50)),
      0.9 },
    { "none of them possible", PARSER_QWEN3GUARD, "Safety: Unsafe",
      PLAIN("Safety:") "," TOKEN(" Unsafe", "-9999", OTHER(" Safe", "-9999")), 0.9 },
    { "an impossible one", PARSER_QWEN3GUARD, "Safety: Unsafe", QWEN(OTHER(" Unsafe", P80) "," OTHER(" Safe", "-9999")),
      1 },
};

static float risk(struct arena *arena, const char *content, int parser, const char *logprobs, const char *name) {
    const struct config_external_model model = { .llm_model_name = VSR_STR("g"), .parser_type = parser };
    const struct signal_source source = { .config = &model };
    struct evidence_answer answer = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    struct buf body;
    buf_init(&body, 8 << 20);
    buf_append_c(&body, "{\"choices\":[{\"message\":{\"content\":");
    json_quote(&body, str_from_c(content));
    buf_printf(&body, "},\"logprobs\":%s}]}", logprobs);
    CHECK_MSG(http_guard.read(&source, buf_str(&body), arena, &answer, &err) == 0, "case \"%s\": %s", name, err.text);
    CHECK_MSG(answer.n == 2 && fabsf(answer.numbers[0] + answer.numbers[1] - 1) < 1e-6f, "case \"%s\"", name);
    buf_done(&body);
    return answer.numbers[1];
}

TEST(odds) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        const char *logprobs = arena_printf(arena, "{\"content\":[%s]}", cases[i].tokens).ptr;
        double got = (double)risk(arena, cases[i].content, cases[i].parser, logprobs, cases[i].name);
        CHECK_MSG(fabs(got - cases[i].want) < 1e-6, "case \"%s\": %g, want %g", cases[i].name, got, cases[i].want);
        arena_free(arena);
    }
}

TEST(logprobs_that_are_no_list) {
    static const char *const forms[] = { "null",
                                         "[]",
                                         "{}",
                                         "7",
                                         "{\"content\":null}",
                                         "{\"content\":{}}",
                                         "{\"content\":[null,7,\"x\",[]]}",
                                         "{\"tokens\":[\"Safety\"]}" };
    for (size_t i = 0; i < VSR_COUNT(forms); i++) {
        struct arena *arena = arena_new(0, 0);
        double got = (double)risk(arena, "Safety: Unsafe", PARSER_QWEN3GUARD, forms[i], forms[i]);
        CHECK_MSG(fabs(got - 0.9) < 1e-6, "%s: %g", forms[i], got);
        arena_free(arena);
    }
}

/* A token has at most 64 alternatives; and looking for a text in tokens that almost have it again and again ends. */
TEST(many) {
    enum { REPLY_LEN = 300000 };
    for (size_t n = 64; n <= 65; n++) {
        struct arena *arena = arena_new(0, 0);
        struct buf tokens;
        double got;
        buf_init(&tokens, 1 << 20);
        buf_append_c(&tokens, "{\"content\":[" PLAIN("Safety:") ",{\"token\":\" Unsafe\",\"logprob\":" P50
                                                                ",\"top_logprobs\":[" OTHER(" Safe", P50));
        for (size_t i = 1; i < n; i++)
            buf_printf(&tokens, ",{\"token\":\"%zu\",\"logprob\":-99}", i);
        buf_append_c(&tokens, "]}]}");
        buf_append_char(&tokens, '\0');
        got = (double)risk(arena, "Safety: Unsafe", PARSER_QWEN3GUARD, tokens.ptr, "alternatives");
        CHECK_MSG(fabs(got - (n == 64 ? 0.5 : 0.9)) < 1e-6, "%zu alternatives: %g", n, got);
        buf_done(&tokens);
        arena_free(arena);
    }
    {
        struct arena *arena = arena_new(0, 0);
        char *filling = arena_alloc(arena, REPLY_LEN + 1), *reply;
        vsr_str tokens;
        memset(filling, 'a', REPLY_LEN);
        reply = (char *)(uintptr_t)arena_printf(arena, "Safety: Unsafe\n%s", filling).ptr;
        tokens = arena_printf(arena, "{\"content\":[" PLAIN("%s%s") "]}", filling, "b", filling, "b");
        CHECK(fabs((double)risk(arena, reply, PARSER_QWEN3GUARD, tokens.ptr, "long") - 0.9) < 1e-6, "long");
        arena_free(arena);
    }
}

RUN_TESTS(T(odds), T(logprobs_that_are_no_list), T(many))
