/* Programs laid out: what changes, what stays, where comments go. */
#include "formatted.h"
#include "texts.h"

static const struct {
    const char *name, *text, *want;
} cases[] = {
    { "nothing", "", "" },
    { "comments alone", "# a\n\n\n# b\n#c", "# a\n\n# b\n#c\n" },
    { "no fields", "SIGNAL domain math {}", "SIGNAL domain math {\n}\n" },
    { "spaces, quotes, commas", "SIGNAL\tkeyword \"urgent\"{ keywords:[asap ,\"now\",],operator:OR }",
      "SIGNAL keyword urgent {\n  operator: \"OR\"\n  keywords: [\"asap\", \"now\"]\n}\n" },
    { "numbers", "SIGNAL embedding e { threshold: +0.720, candidates: [\"x\"] }",
      "SIGNAL embedding e {\n  threshold: 0.72\n  candidates: [\"x\"]\n}\n" },
    { "counts of tokens", "SIGNAL context c { max_tokens: 1.50 min_tokens: 8K }",
      "SIGNAL context c {\n  min_tokens: \"8K\"\n  max_tokens: 1.50\n}\n" },
    { "unknown and repeated fields", "SIGNAL domain d { zz: 1 description: \"a\" aa: null description: \"b\" }",
      "SIGNAL domain d {\n  description: \"a\"\n  description: \"b\"\n  zz: 1\n  aa: null\n}\n" },
    { "order of declarations", "ROUTE r { MODEL m }\n\n\n\nMODEL m {}\nSIGNAL domain d {}",
      "ROUTE r {\n  MODEL \"m\"\n}\n\nMODEL m {\n}\n\nSIGNAL domain d {\n}\n" },
    { "order of items",
      "ROUTE r (description = \"d\") { MODEL \"a\" (weight = 2.0, lora = x), b\n\n\nPRIORITY 07 WHEN domain(d) TIER 1 "
      "}",
      "ROUTE r (description = \"d\") {\n  MODEL \"a\" (lora = \"x\", weight = 2),\n        \"b\"\n\n  PRIORITY 7\n"
      "  WHEN domain(\"d\")\n  TIER 1\n}\n" },
    { "parentheses stay", "ROUTE r { WHEN (domain(a)) AND (domain(b) OR NOT (domain(c) AND domain(d))) }",
      "ROUTE r {\n  WHEN (domain(\"a\")) AND (domain(\"b\") OR NOT (domain(\"c\") AND domain(\"d\")))\n}\n" },
    { "items with blocks",
      "ROUTE r { MODEL m ALGORITHM static {} PLUGIN fast_response { message: hi } PLUGIN t EMIT retention {}"
      " EMIT retention { ttl_turns: 1 drop: false } EXTRA { annotations: { \"a b\": \"c\" } } }",
      "ROUTE r {\n  MODEL \"m\"\n  ALGORITHM static\n  PLUGIN fast_response {\n    message: \"hi\"\n  }\n  PLUGIN t\n"
      "  EMIT retention {}\n  EMIT retention {\n    drop: false\n    ttl_turns: 1\n  }\n"
      "  EXTRA {\n    annotations: { \"a b\": \"c\" }\n  }\n}\n" },
    { "loops", "ROUTE r { FOR v IN [a (lora = x), \"b\"] { MODEL v MODEL other } FOR w IN decision.candidates {} }",
      "ROUTE r {\n  FOR v IN [\"a\" (lora = \"x\"), \"b\"] {\n    MODEL v\n    MODEL \"other\"\n  }\n"
      "  FOR w IN decision.candidates {\n  }\n}\n" },
    { "variables that are words of routes", "ROUTE r { FOR NAME IN [NAME, FOR] { MODEL \"NAME\" } }",
      "ROUTE r {\n  FOR NAME IN [\"NAME\", \"FOR\"] {\n    MODEL \"NAME\"\n  }\n}\n" },
    { "templates", "PLUGIN cache response-cache { ttl_seconds: 5 enabled: true } PLUGIN x memory {}", NULL },
    { "trees",
      "DECISION_TREE t { IF domain(a) { NAME x MODEL m } # one\n ELSE IF domain(b) { MODEL m }\n# two\nELSE { MODEL m "
      "} }",
      "DECISION_TREE t {\n  IF domain(\"a\") {\n    NAME \"x\"\n    MODEL \"m\"\n  } # one\n  ELSE IF domain(\"b\") {\n"
      "    MODEL \"m\"\n  }\n  # two\n  ELSE {\n    MODEL \"m\"\n  }\n}\n" },
    { "tests", "TEST t { \"q\"->r \"p\" \xE2\x86\x92 \"s t\" { keyword: [urgent] } # x\n}",
      "TEST t {\n  \"q\" -> r\n  \"p\" -> \"s t\" { keyword: [\"urgent\"] } # x\n}\n" },
    { "recipes",
      "ENTRYPOINT { recipe: fast model_names: [x] } RECIPE fast (strategy=priority,) { ROUTING { strategy: "
      "\"confidence\" }\n"
      "ROUTE r { MODEL m\n}}",
      "ENTRYPOINT {\n  model_names: [\"x\"]\n  recipe: \"fast\"\n}\n\nRECIPE fast (strategy = priority) {\n  ROUTING "
      "{\n"
      "    strategy: confidence\n  }\n\n  ROUTE r {\n    MODEL \"m\"\n  }\n}\n" },
    { "adapters", "MODEL m { loras: [{ description: d name: a }, { name: b }] tags: [t] }",
      "MODEL m {\n  loras: [\n    { name: \"a\", description: \"d\" },\n    { name: \"b\" }\n  ]\n  tags: "
      "[\"t\"]\n}\n" },
    { "long lists",
      "SIGNAL keyword k { keywords: [\"01234567890123456789\", \"01234567890123456789\", \"01234567890123456789\", "
      "\"01234567890123456789\"] }",
      "SIGNAL keyword k {\n  keywords: [\n    \"01234567890123456789\",\n    \"01234567890123456789\",\n"
      "    \"01234567890123456789\",\n    \"01234567890123456789\"\n  ]\n}\n" },
    { "long objects",
      "SIGNAL structure s { feature: { type: \"density\", source: { type: \"keyword_set\", keywords: "
      "[\"0123456789012345678901234567890123456789\"] } } }",
      "SIGNAL structure s {\n  feature: {\n    source: { keywords: [\"0123456789012345678901234567890123456789\"], "
      "type: \"keyword_set\" }\n    type: \"density\"\n  }\n}\n" },
    { "long conditions",
      "ROUTE r { WHEN (keyword(\"aaaaaaaaaaaaaaaaaaaa\") OR keyword(\"bbbbbbbbbbbbbbbbbbbbbbb\")) "
      "AND NOT domain(\"dddddddddddddddddddddddddddd\") }",
      "ROUTE r {\n  WHEN (keyword(\"aaaaaaaaaaaaaaaaaaaa\") OR keyword(\"bbbbbbbbbbbbbbbbbbbbbbb\"))\n"
      "    AND NOT domain(\"dddddddddddddddddddddddddddd\")\n}\n" },
    { "long groups",
      "ROUTE r { WHEN (keyword(\"aaaaaaaaaaaaaaaaaaaa\") OR keyword(\"bbbbbbbbbbbbbbbbbbbbbbb\") OR "
      "keyword(\"cccccccccccccccccccc\")) AND NOT domain(\"dddddddddddddd\") }",
      "ROUTE r {\n  WHEN (\n      keyword(\"aaaaaaaaaaaaaaaaaaaa\")\n      OR keyword(\"bbbbbbbbbbbbbbbbbbbbbbb\")\n"
      "      OR keyword(\"cccccccccccccccccccc\")\n    )\n    AND NOT domain(\"dddddddddddddd\")\n}\n" },
};

TEST(layout) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str text = check_formatted(arena, str_from_c(cases[i].text), cases[i].name);
        if (cases[i].want)
            CHECK_STR(text, cases[i].want, cases[i].name);
    }
    arena_free(arena);
}

TEST(comments_stay_with_what_they_are_about) {
    static const char text[] = "# file\n"
                               "\n"
                               "# of a\n"
                               "SIGNAL keyword a { # header\n"
                               "  # of keywords\n"
                               "  keywords: [ # list\n"
                               "    \"x\", # of x\n"
                               "\n"
                               "    # of y\n"
                               "    \"y\"\n"
                               "    # end of list\n"
                               "  ] # behind keywords\n"
                               "  operator: # odd\n"
                               "    \"OR\" # behind operator\n"
                               "  # end of a\n"
                               "} # behind a\n"
                               "# of r\n"
                               "ROUTE r {\n"
                               "  # of when\n"
                               "  WHEN keyword(a) # inside\n"
                               "    AND keyword(a) # behind when\n"
                               "  MODEL # odd too\n"
                               "    a, # of model a\n"
                               "    # above b\n"
                               "    b # of model b\n"
                               "  PLUGIN fast_response { # nothing\n"
                               "  }\n"
                               "}\n"
                               "\n"
                               "\n"
                               "# end of file";
    static const char want[] = "# file\n"
                               "\n"
                               "# of a\n"
                               "SIGNAL keyword a { # header\n"
                               "  # odd\n"
                               "  operator: \"OR\" # behind operator\n"
                               "  # of keywords\n"
                               "  keywords: [ # list\n"
                               "    \"x\", # of x\n"
                               "\n"
                               "    # of y\n"
                               "    \"y\"\n"
                               "    # end of list\n"
                               "  ] # behind keywords\n"
                               "  # end of a\n"
                               "} # behind a\n"
                               "\n"
                               "# of r\n"
                               "ROUTE r {\n"
                               "  # of when\n"
                               "  # inside\n"
                               "  WHEN keyword(\"a\") AND keyword(\"a\") # behind when\n"
                               "  # odd too\n"
                               "  MODEL \"a\", # of model a\n"
                               "        # above b\n"
                               "        \"b\" # of model b\n"
                               "  PLUGIN fast_response { # nothing\n"
                               "  }\n"
                               "}\n"
                               "\n"
                               "# end of file\n";
    struct arena *arena = arena_new(0, 0);
    check_same_text(check_formatted(arena, str_from_c(text), "comments"), str_from_c(want), "comments");
    arena_free(arena);
}

TEST(canonical_text) {
    if (!test_shared_dir())
        skip();
    for (size_t i = 0; i < VSR_COUNT(published_profiles); i++) {
        struct arena *arena = arena_new(0, 0);
        (void)check_formatted(arena, text_of_published(arena, published_profiles[i], "recipe.dsl"),
                              published_profiles[i]);
        arena_free(arena);
    }
}

/* A line of 100 columns, with the comma that might follow, stays one; one of 101 does not. */
TEST(lists_fill_a_line) {
    for (size_t n = 78; n <= 79; n++) {
        struct arena *arena = arena_new(0, 0);
        char word[80];
        vsr_str text, got;
        memset(word, 'x', sizeof(word));
        text = arena_printf(arena, "SIGNAL keyword k {\n  keywords: [\"%.*s\", \"y\"]\n}\n", (int)n, word);
        got = check_formatted(arena, text, "a line");
        CHECK(str_eq(got, text) == (n == 78), "columns");
        CHECK(str_ends(got, VSR_STR("x\",\n    \"y\"\n  ]\n}\n")) == (n == 79), "items");
        arena_free(arena);
    }
}

RUN_TESTS(T(lists_fill_a_line), T(layout), T(comments_stay_with_what_they_are_about), T(canonical_text))
