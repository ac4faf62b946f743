/* Texts that other floors judge: patterns and headers, at the places where they stand; C312, C316. */
#include "checked.h"

#define NO_NAME "is no name of a header: those have letters, digits and !#$%&'*+-.^_`|~ alone [C316]\n"
#define NO_VALUE "is no value of a header: control characters cannot be sent [C316]\n"

static const struct checked_case cases[] = {
    { "C312: each entry of a keyword signal", 0,
      "SIGNAL keyword k { method: \"regex\" keywords: [\"a+\", \"(b\",\n\"x*\", \"(?=y)\"] }",
      "1:53: constraint: SIGNAL keyword k: \"(b\" is no regular expression in RE2 syntax: missing closing ): `(b` "
      "(byte 1) [C312]\n"
      "2:1: constraint: SIGNAL keyword k: \"x*\" is a pattern of which nothing at all is a match, so that every text "
      "has one [C312]\n"
      "2:7: constraint: SIGNAL keyword k: \"(?=y)\" is no regular expression in RE2 syntax: look-around is not "
      "supported: `(?=` (byte 1) [C312]\n" },
    { "C312: the method in other letters", 0, "SIGNAL keyword k { method: Regex keywords: [\"[\"] }",
      "1:45: constraint: SIGNAL keyword k: \"[\" is no regular expression in RE2 syntax: missing closing ]: `[` (byte "
      "1) [C312]\n" },
    { "words are no patterns", 0,
      "SIGNAL keyword k { keywords: [\"(b\", \"*\"] }\nSIGNAL keyword l { method: \"exact\" keywords: [\"[\"] }\n"
      "SIGNAL keyword m { method: \"fuzzy\" keywords: [\"(\"] }",
      "" },
    { "patterns", 0,
      "SIGNAL keyword k { method: \"regex\" keywords: [\"\\\\bok\\\\b\", \"(?i)a|b\", \"\\\\p{Greek}+\", "
      "\"^#\\\\s*x\"] }",
      "" },
    { "C312: of a structure", 0,
      "SIGNAL structure s { feature: { type: \"count\", source: { type: \"regex\", pattern: \"[z-a]\" } } }",
      "1:82: constraint: SIGNAL structure s: \"[z-a]\" is no regular expression in RE2 syntax: invalid character class "
      "range `z-a` (byte 2) [C312]\n" },
    { "what another source has is none", 0,
      "SIGNAL structure s { feature: { type: \"count\", source: { type: \"keyword_set\", keywords: [\"a\"], pattern: "
      "\"[z-a]\" } } }",
      "" },
    { "C316: names and values", 0,
      "ROUTE r { MODEL m PLUGIN header_mutation {\nadd: [{ name: \"x y\", value: \"1\" }, { name: \"fine\", value: "
      "\"a\\nb\" }]\n"
      "update: [{ name: \"\xC3\xA9\", value: \"\\x00\" }] } }",
      "2:15: constraint: route \"r\": PLUGIN header_mutation: \"x y\" " NO_NAME
      "2:59: constraint: route \"r\": PLUGIN header_mutation: \"a\\nb\" " NO_VALUE
      "3:18: constraint: route \"r\": PLUGIN header_mutation: \"\xC3\xA9\" " NO_NAME
      "3:30: constraint: route \"r\": PLUGIN header_mutation: \"\" " NO_VALUE },
    { "C316: in a template, and where it is used", 0,
      "PLUGIN t header_mutation { add: [{ name: \"a:b\", value: \"1\" }] }\n"
      "ROUTE r { MODEL m PLUGIN t { add: [{ name: \"b c\", value: \"1\" }] } }",
      "1:42: constraint: PLUGIN t: \"a:b\" " NO_NAME "2:44: constraint: route \"r\": PLUGIN t: \"b c\" " NO_NAME },
    { "C316: what is never there is taken away", 0,
      "ROUTE r { MODEL m PLUGIN header_mutation { delete: [\"x-fine\", \"x y\"] } }",
      "1:63: warning: route \"r\": PLUGIN header_mutation: \"x y\" " NO_NAME },
    { "headers", 0,
      "ROUTE r { MODEL m PLUGIN header-mutation { add: [{ name: \"!#$%&'*+-.^_`|~09Az\", value: \" \xC3\xA9 \\t\" }] } "
      "}",
      "" },
};

TEST(each_case_is_told) {
    checked_cases(cases, VSR_COUNT(cases));
}

TEST(nobody_judges_them) {
    static struct config_parts parts;
    struct compiled c;
    parts = *dsl_parts();
    parts.text_fault = NULL;
    compiled_make(&c, VSR_STR("SIGNAL keyword k { method: \"regex\" keywords: [\"(\"] }"));
    dsl_check(c.arena, language_build(c.arena, &parts), &c.parsed, NULL, &c.findings);
    CHECK_STR(compiled_findings(&c), "", "nothing is told");
    compiled_done(&c);
}

TEST(long_patterns_are_told_in_short) {
    struct arena *arena = arena_new(0, 0);
    struct compiled c;
    struct buf text;
    vsr_str told;
    buf_init(&text, COMPILED_LEN_MAX);
    buf_append_c(&text, "SIGNAL keyword k { method: \"regex\" keywords: [\"(");
    for (int i = 0; i < 30000; i++)
        buf_append_c(&text, "\xC3\xA9");
    buf_append_c(&text, "\"] }");
    checked_make(&c, arena_str(arena, buf_str(&text)), NULL);
    told = compiled_findings(&c);
    CHECK_MSG(str_find(told, VSR_STR("\xC3\xA9\"... is no regular expression")) > 0 && told.len < 1000, "%.*s",
              VSR_FMT(told));
    compiled_done(&c);
    buf_done(&text);
    arena_free(arena);
}

RUN_TESTS(T(each_case_is_told), T(nobody_judges_them), T(long_patterns_are_told_in_short))
