#include "evidence/mcp_result.h"

#include "core/arena.h"
#include "evidence/mcp_format.h"
#include "test.h"

static const struct {
    const char *name, *result, *want; /* the object's text */
} objects[] = {
    { "structured", "{\"content\":[],\"structuredContent\":{\"a\":1}}", "{\"a\":1}" },
    { "a text", "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"a\\\":1}\"}]}", "{\"a\":1}" },
    { "the second text", "{\"content\":[{\"type\":\"image\"},{\"type\":\"text\",\"text\":\"hi\"},{\"text\":\"{}\"}]}",
      "{}" },
    { "a failure", "{\"isError\":true,\"structuredContent\":{\"a\":1}}", NULL },
    { "prose", "{\"content\":[{\"type\":\"text\",\"text\":\"math\"}]}", NULL },
    { "a list", "{\"content\":[{\"type\":\"text\",\"text\":\"[1]\"}]}", NULL },
    { "nothing", "{}", NULL },
};

TEST(object) {
    for (size_t i = 0; i < VSR_COUNT(objects); i++) {
        struct arena *arena = arena_new(0, 0);
        const struct json_doc *got = NULL;
        struct json_doc doc;
        json_ref object = JSON_NONE;
        int rc;
        CHECK(json_parse(arena, str_from_c(objects[i].result), &doc, NULL) == 0, objects[i].name);
        rc = mcp_tool_object(arena, &doc, 0, &got, &object, NULL);
        CHECK_INT(rc, objects[i].want ? 0 : VSR_E_INVALID, objects[i].name);
        if (rc == 0)
            CHECK_STR(json_raw(got, object), objects[i].want, objects[i].name);
        arena_free(arena);
    }
}

#define TOOL(name) "{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{}}}}"

static const struct {
    const char *name, *wanted, *list, *tool;
    bool lists, probabilities;
} tools[] = {
    { "the usual ones", "",
      TOOL("classifier_x") "," TOOL("classify") "," TOOL("classify_text") "," TOOL("list_categories"), "classify_text",
      true, false },
    { "the shorter one", "", TOOL("my_Classifier") "," TOOL("classify"), "classify", false, false },
    { "something like it", "", TOOL("a") "," TOOL("my_Classifier") "," TOOL("classifiers"), "my_Classifier", false,
      false },
    { "by name", "a", TOOL("classify_text") "," TOOL("a"), "a", false, false },
    { "by a name that is not there", "b", TOOL("classify_text") "," TOOL("a"), "", false, false },
    { "one that takes no text", "", "{\"name\":\"classify_image\",\"inputSchema\":{\"properties\":{\"url\":{}}}}", "",
      false, false },
    { "one that says nothing of arguments", "", "{\"name\":\"classify\"}", "classify", false, true },
    { "one with probabilities", "",
      "{\"name\":\"classify\",\"inputSchema\":{\"properties\":{\"text\":{},\"with_probabilities\":{}}}}", "classify",
      false, true },
    { "none", "", "", "", false, false },
};

TEST(list_of_tools) {
    for (size_t i = 0; i < VSR_COUNT(tools); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str text = arena_printf(arena, "{\"tools\":[%s],\"nextCursor\":\"c%zu\"}", tools[i].list, i);
        struct mcp_tools found = { 0 };
        struct json_doc doc;
        CHECK(json_parse(arena, text, &doc, NULL) == 0, tools[i].name);
        CHECK(mcp_tools_read(arena, &doc, 0, &mcp_verdict.tool, str_from_c(tools[i].wanted), &found, NULL) == 0,
              tools[i].name);
        CHECK_STR(found.tool, tools[i].tool, tools[i].name);
        CHECK(found.has_lister == tools[i].lists, tools[i].name);
        CHECK(!found.tool.len || found.has_option == tools[i].probabilities, tools[i].name);
        CHECK(found.next.len == 2, tools[i].name);
        arena_free(arena);
    }
}

#define EMBEDDER(name, argument) "{\"name\":\"" name "\",\"inputSchema\":{\"properties\":{\"" argument "\":{}}}}"

static const struct {
    const char *name, *list, *tool;
} embedders[] = {
    { "the usual one", EMBEDDER("embed", "texts") "," EMBEDDER("embed_texts", "texts"), "embed_texts" },
    { "the brief one", EMBEDDER("my_embedder", "texts") "," EMBEDDER("embed", "texts"), "embed" },
    { "something like it", EMBEDDER("Text_Embeddings", "texts"), "Text_Embeddings" },
    { "one that takes a text at a time", EMBEDDER("embed", "text"), "" },
    { "a classifier", TOOL("classify_text") "," TOOL("list_categories"), "" },
};

TEST(embedders_among_tools) {
    for (size_t i = 0; i < VSR_COUNT(embedders); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str text = arena_printf(arena, "{\"tools\":[%s]}", embedders[i].list);
        struct mcp_tools found = { 0 };
        struct json_doc doc;
        CHECK(json_parse(arena, text, &doc, NULL) == 0, embedders[i].name);
        CHECK(mcp_tools_read(arena, &doc, 0, &mcp_vectors.tool, VSR_STR(""), &found, NULL) == 0, embedders[i].name);
        CHECK_STR(found.tool, embedders[i].tool, embedders[i].name);
        CHECK(!found.has_lister && !found.has_option, embedders[i].name);
        arena_free(arena);
    }
}

RUN_TESTS(T(object), T(list_of_tools), T(embedders_among_tools))
