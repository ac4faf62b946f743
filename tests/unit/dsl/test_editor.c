/* The editor's functions: the shape of each answer, limits, and answers that do not fit. WebAssembly gives the same
 * bytes: tests/integration/dsl_wasm.test.mjs. */
#include "compiled.h"
#include "core/json.h"
#include "dsl/editor.h"

static vsr_str call(struct arena *arena, const char *name, vsr_str text, size_t len_max) {
    enum editor_function function = editor_function(str_from_c(name));
    struct buf out;
    vsr_str kept;
    CHECK_MSG(function != EDITOR_FUNCTIONS_N, "%s", name);
    buf_init(&out, len_max);
    editor_call(dsl_language(), function, text, &out);
    kept = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return kept;
}

#define AST_EMPTY \
    "{\"entrypoints\":[],\"recipes\":[],\"signals\":[],\"projectionPartitions\":[],\"projectionScores\":[]," \
    "\"projectionMappings\":[],\"routes\":[],\"decisionTrees\":[],\"models\":[],\"plugins\":[],\"testBlocks\":[]}"
#define SYMBOLS_EMPTY "\"symbols\":{\"signals\":[],\"models\":[],\"plugins\":[],\"routes\":[]}"
#define FOUND(message, at) \
    "\"diagnostics\":[{\"level\":\"error\",\"code\":\"E101\",\"message\":\"" message "\"," at \
    ",\"declLine\":1,\"declColumn\":1,\"fixes\":[]}]"
#define AT_BRACE "\"line\":1,\"column\":7,\"endLine\":1,\"endColumn\":8"
#define UNEXPECTED "unexpected \\\"{\\\" (expected name)"

#define HEADING_LINE "# =============================================================================\\n"
#define HEADING(name) HEADING_LINE "# " name "\\n" HEADING_LINE

/* clang-format off */
static const struct { const char *function, *text, *want; } cases[] = {
    { "signalCompile", "", "{\"yaml\":\"{}\\n\",\"crd\":\"apiVersion: vllm.ai/v1alpha1\\nkind: SemanticRouter\\n\\nmetadata:\\n  name: router\\n"
      "  namespace: default\\n\\nspec:\\n  config: {}\\n  vllmEndpoints: []\\n\",\"diagnostics\":[],\"ast\":" AST_EMPTY ",\"error\":null}" },
    { "signalCompile", "ROUTE {", "{\"yaml\":null,\"crd\":null," FOUND(UNEXPECTED, AT_BRACE) ",\"ast\":" AST_EMPTY
      ",\"error\":[\"1:7: " UNEXPECTED " [E101]\"]}" },
    { "signalValidate", "", "{\"diagnostics\":[],\"errorCount\":0," SYMBOLS_EMPTY ",\"error\":null}" },
    { "signalValidate", "ROUTE {", "{" FOUND(UNEXPECTED, AT_BRACE) ",\"errorCount\":1," SYMBOLS_EMPTY ",\"error\":null}" },
    { "signalParseAST", "", "{\"ast\":" AST_EMPTY ",\"diagnostics\":[]," SYMBOLS_EMPTY ",\"errorCount\":0,\"error\":null}" },
    { "signalFormat", "ROUTE r{MODEL m}", "{\"dsl\":\"ROUTE r {\\n  MODEL \\\"m\\\"\\n}\\n\",\"error\":null}" },
    { "signalFormat", "ROUTE {", "{\"dsl\":null,\"error\":[\"1:7: " UNEXPECTED " [E101]\"]}" },
    { "signalDecompile", "{\"kind\":\"null\"}", "{\"dsl\":\"" HEADING("SIGNALS") "\\n" HEADING("ROUTES") "\",\"diagnostics\":[],\"error\":null}" },
    { "signalDecompile", "{", "{\"dsl\":null,\"diagnostics\":[],\"error\":[\"1:2: expected a member's name in quotes, found the end of the text\"]}" },
};
/* clang-format on */

TEST(answers_have_their_shape) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str answer = call(arena, cases[i].function, str_from_c(cases[i].text), EDITOR_ANSWER_LEN_MAX);
        CHECK_STR(answer, cases[i].want, cases[i].function);
        arena_free(arena);
    }
}

TEST(names_are_sorted_and_each_is_there_once) {
    struct arena *arena = arena_new(0, 0);
    vsr_str answer =
        call(arena, "signalValidate",
             VSR_STR("SIGNAL domain b {} SIGNAL domain a {} RECIPE x { SIGNAL domain b {} SIGNAL pii b {} ROUTE r {} }"
                     "ROUTE r {} MODEL m {} PLUGIN p tools {}"
                     "PROJECTION mapping q { outputs: [{ name: \"low\" }, { name: 7 }, 7] }"
                     "RECIPE y { DECISION_TREE t { IF pii(b) { NAME z MODEL m } ELSE { MODEL m } } }"),
             EDITOR_ANSWER_LEN_MAX);
    CHECK_MSG(str_find(answer,
                       VSR_STR(
                           "\"symbols\":{\"signals\":[{\"name\":\"a\",\"type\":\"domain\"},{\"name\":\"b\",\"type\":"
                           "\"domain\"},{\"name\":\"b\",\"type\":\"pii\"},{\"name\":\"low\",\"type\":\"projection\"}],"
                           "\"models\":[\"m\"],\"plugins\":[\"p\"],\"routes\":[\"r\",\"t__branch_02\",\"z\"]}")) >= 0,
              "%.*s", VSR_FMT(answer));
    arena_free(arena);
}

TEST(tests_are_told_once_at_the_first) {
    static const struct {
        const char *text;
        const char *at; /* NULL: nothing is told */
    } programs[] = {
        { "ROUTE r { MODEL m }", NULL },
        { "ROUTE r { MODEL m }\nTEST t {} TEST u {}", "\"line\":2,\"column\":1" },
        { "RECIPE x {\n ROUTE r { MODEL m } TEST t {} }\nTEST u {}", "\"line\":2,\"column\":22" },
    };
    for (size_t i = 0; i < VSR_COUNT(programs); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str answer = call(arena, "signalValidate", str_from_c(programs[i].text), EDITOR_ANSWER_LEN_MAX);
        ptrdiff_t found = str_find(answer, VSR_STR("W222"));
        CHECK(programs[i].at ? found >= 0 : found < 0, programs[i].text);
        if (found >= 0) {
            vsr_str behind = str_sub(answer, (size_t)found + 4, answer.len);
            CHECK(str_find(behind, str_from_c(programs[i].at)) >= 0, programs[i].text);
            CHECK(str_find(behind, VSR_STR("W222")) < 0, programs[i].text);
        }
        arena_free(arena);
    }
}

TEST(input_past_the_limit_is_not_looked_at) {
    struct arena *arena = arena_new(0, 0);
    char *text = arena_alloc(arena, EDITOR_TREE_LEN_MAX + 1);
    memset(text, ' ', EDITOR_TREE_LEN_MAX + 1);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        bool tree = strcmp(cases[i].function, "signalDecompile") == 0;
        size_t max = tree ? EDITOR_TREE_LEN_MAX : EDITOR_PROGRAM_LEN_MAX;
        vsr_str at = call(arena, cases[i].function, str_make(text, max), EDITOR_ANSWER_LEN_MAX);
        vsr_str past = call(arena, cases[i].function, str_make(text, max + 1), EDITOR_ANSWER_LEN_MAX);
        CHECK(str_find(at, VSR_STR("too large")) < 0, cases[i].function);
        CHECK(str_starts(past, VSR_STR("{\"error\":[\"the input is too large: ")), cases[i].function);
    }
    CHECK(editor_function(VSR_STR("signal")) == EDITOR_FUNCTIONS_N, "no such function");
    arena_free(arena);
}

TEST(an_answer_that_does_not_fit_says_so) {
    struct arena *arena = arena_new(0, 0);
    for (size_t len_max = 39; len_max < 60; len_max++)
        CHECK_STR(call(arena, "signalValidate", VSR_STR("ROUTE {"), len_max),
                  "{\"error\":[\"the answer is too large\"]}", "too large");
    arena_free(arena);
}

TEST(the_description_names_every_block_once) {
    struct arena *arena = arena_new(0, 0);
    vsr_str answer = call(arena, "signalSchema", VSR_STR(""), EDITOR_ANSWER_LEN_MAX);
    struct json_doc doc;
    json_ref blocks;
    CHECK(json_parse(arena, answer, &doc, NULL) == 0, "JSON");
    blocks = json_get(&doc, 0, VSR_STR("blocks"));
    CHECK_INT(json_count(&doc, json_get(&doc, 0, VSR_STR("signals"))), dsl_language()->n_blocks[LANGUAGE_SIGNALS],
              "signals");
    CHECK_INT(json_count(&doc, json_get(&doc, 0, VSR_STR("plugins"))), dsl_language()->n_blocks[LANGUAGE_PLUGINS],
              "plugins");
    for (json_ref block = json_first(&doc, blocks); block != JSON_NONE; block = json_next(&doc, blocks, block)) {
        json_ref fields = json_get(&doc, block, VSR_STR("fields"));
        for (json_ref field = json_first(&doc, fields); field != JSON_NONE; field = json_next(&doc, fields, field)) {
            int64_t index;
            if (json_i64(&doc, json_get(&doc, field, VSR_STR("block")), &index))
                CHECK(index >= 0 && (size_t)index < json_count(&doc, blocks), "index");
            CHECK(json_is(&doc, json_get(&doc, field, VSR_STR("kind")), JSON_STRING), "kind");
        }
    }
    arena_free(arena);
}

RUN_TESTS(T(answers_have_their_shape), T(names_are_sorted_and_each_is_there_once), T(tests_are_told_once_at_the_first),
          T(input_past_the_limit_is_not_looked_at), T(an_answer_that_does_not_fit_says_so),
          T(the_description_names_every_block_once))
