#include "wire/messages_edit.h"

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"
#include "wire/chat_reasoning.h"

enum { TEXT_LEN_MAX = 1 << 16 };

#define ASK "\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]"
#define LOOP(thinking) \
    "\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":[" thinking \
    "{\"type\":\"tool_use\",\"id\":\"i\",\"name\":\"f\",\"input\":{}}]},{\"role\":\"user\",\"content\":[" \
    "{\"type\":\"tool_result\",\"tool_use_id\":\"i\"}]}]"
#define SIGNED "{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"s\"},"
#define UNSIGNED "{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"\"},"
#define THINK(budget) "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":" budget "}"

static const struct {
    const char *name, *text;
    bool on;
    enum chat_family family;
    const char *effort, *want; /* NULL: unchanged */
} reasonings[] = {
    { "on", "{" ASK ",\"max_tokens\":9000}", true, CHAT_FAMILY_EFFORT, "high",
      "{" ASK ",\"max_tokens\":9000," THINK("8999") "}" },
    { "default effort and tokens", "{" ASK "}", true, CHAT_FAMILY_EFFORT, "", "{" ASK "," THINK("4095") "}" },
    { "what goes with it",
      "{" ASK ",\"max_tokens\":9000,\"temperature\":1,\"top_k\":3,\"top_p\":1,\"tool_choice\":{\"type\":\"any\"}}",
      true, CHAT_FAMILY_EFFORT, "low", "{" ASK ",\"max_tokens\":9000,\"top_p\":1," THINK("1024") "}" },
    { "free choice stays", "{" ASK ",\"max_tokens\":9000,\"tool_choice\":{\"type\":\"auto\"}}", true,
      CHAT_FAMILY_EFFORT, "low",
      "{" ASK ",\"max_tokens\":9000,\"tool_choice\":{\"type\":\"auto\"}," THINK("1024") "}" },
    { "replaced", "{" ASK ",\"max_tokens\":9000," THINK("2000") "}", true, CHAT_FAMILY_NONE, "low",
      "{" ASK ",\"max_tokens\":9000," THINK("1024") "}" },
    { "tokens with a fraction", "{" ASK ",\"max_tokens\":1500.0}", true, CHAT_FAMILY_EFFORT, "",
      "{" ASK ",\"max_tokens\":1500.0," THINK("1499") "}" },
    { "too few tokens", "{" ASK ",\"max_tokens\":1024,\"temperature\":1}", true, CHAT_FAMILY_EFFORT, "low", NULL },
    { "off", "{" ASK "," THINK("2000") "}", false, CHAT_FAMILY_EFFORT, "", "{" ASK "}" },
    { "off without a family", "{" ASK "," THINK("2000") "}", false, CHAT_FAMILY_NONE, "", NULL },
    { "tools called without thinking", "{" LOOP("") ",\"max_tokens\":9000}", true, CHAT_FAMILY_EFFORT, "low", NULL },
    { "tools called with thinking", "{" LOOP(SIGNED) ",\"max_tokens\":9000}", true, CHAT_FAMILY_EFFORT, "low",
      "{" LOOP(SIGNED) ",\"max_tokens\":9000," THINK("1024") "}" },
};

/* Applies the edit and compares. */
static void check(struct json_edit *edit, const char *text, const char *want, const char *name) {
    struct buf out;
    buf_init(&out, TEXT_LEN_MAX);
    CHECK_INT(json_edit_changed(edit), want != NULL, name);
    CHECK_INT(json_edit_apply(edit, &out), 0, name);
    CHECK_STR(buf_str(&out), want ? want : text, name);
    buf_done(&out);
}

TEST(reasoning) {
    for (size_t i = 0; i < VSR_COUNT(reasonings); i++) {
        struct arena *arena = arena_new(0, 0);
        struct chat_reasoning reasoning = { .on = reasonings[i].on,
                                            .family = reasonings[i].family,
                                            .effort = str_from_c(reasonings[i].effort) };
        struct json_edit *edit;
        struct json_doc doc;
        CHECK_INT(json_parse(arena, str_from_c(reasonings[i].text), &doc, NULL), 0, reasonings[i].name);
        edit = json_edit_new(arena, &doc);
        CHECK_INT(messages_edit_reasoning(arena, edit, &doc, &reasoning, NULL), 0, reasonings[i].name);
        check(edit, reasonings[i].text, reasonings[i].want, reasonings[i].name);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *text, *want;
} unsigned_cases[] = {
    { "nothing to do", "{" LOOP(SIGNED) "," THINK("2000") "}", NULL },
    { "string content", "{" ASK "}", NULL },
    { "no messages", "{}", NULL },
    { "removed with thinking", "{" LOOP(UNSIGNED) "," THINK("2000") "}", "{" LOOP("") "}" },
    { "another one is signed", "{" LOOP(UNSIGNED SIGNED) "," THINK("2000") "}",
      "{" LOOP(SIGNED) "," THINK("2000") "}" },
    { "nothing else was said",
      "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\"}]},"
      "{\"role\":\"user\",\"content\":\"q\"}]," THINK("2000") "}",
      "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]," THINK("2000") "}" },
};

TEST(unsigned_thinking) {
    for (size_t i = 0; i < VSR_COUNT(unsigned_cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct json_edit *edit;
        struct json_doc doc;
        CHECK_INT(json_parse(arena, str_from_c(unsigned_cases[i].text), &doc, NULL), 0, unsigned_cases[i].name);
        edit = json_edit_new(arena, &doc);
        CHECK_INT(messages_edit_unsigned_thinking(edit, &doc, NULL), 0, unsigned_cases[i].name);
        check(edit, unsigned_cases[i].text, unsigned_cases[i].want, unsigned_cases[i].name);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *text, *want;
} limits[] = {
    { "left out", "{" ASK "}", "{" ASK ",\"max_tokens\":4096}" },
    { "null", "{\"max_tokens\":null," ASK "}", "{\"max_tokens\":4096," ASK "}" },
    { "said", "{" ASK ",\"max_tokens\":7}", NULL },
    { "said to be none", "{" ASK ",\"max_tokens\":0}", NULL },
};

TEST(max_tokens) {
    for (size_t i = 0; i < VSR_COUNT(limits); i++) {
        struct arena *arena = arena_new(0, 0);
        struct json_edit *edit;
        struct json_doc doc;
        CHECK_INT(json_parse(arena, str_from_c(limits[i].text), &doc, NULL), 0, limits[i].name);
        edit = json_edit_new(arena, &doc);
        CHECK_INT(messages_edit_max_tokens(edit, &doc, NULL), 0, limits[i].name);
        check(edit, limits[i].text, limits[i].want, limits[i].name);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *text, *want;
} systems[] = {
    { "none", "{\"a\":1}", "{\"a\":1,\"system\":\"New \\\"rule\\\"\"}" },
    { "null", "{\"system\":null}", "{\"system\":\"New \\\"rule\\\"\"}" },
    { "string", "{\"system\":\"Old\\n\"}", "{\"system\":\"New \\\"rule\\\"\\n\\nOld\\n\"}" },
    { "empty string", "{\"system\":\"\"}", "{\"system\":\"New \\\"rule\\\"\"}" },
    { "blocks", "{\"system\":[{\"type\":\"text\",\"text\":\"Old\",\"cache_control\":{}}]}",
      "{\"system\":[{\"type\":\"text\",\"text\":\"New \\\"rule\\\"\"},{\"type\":\"text\",\"text\":\"Old\","
      "\"cache_control\":{}}]}" },
};

TEST(system_prompt) {
    for (size_t i = 0; i < VSR_COUNT(systems); i++) {
        struct arena *arena = arena_new(0, 0);
        struct json_edit *edit;
        struct json_doc doc;
        CHECK_INT(json_parse(arena, str_from_c(systems[i].text), &doc, NULL), 0, systems[i].name);
        edit = json_edit_new(arena, &doc);
        CHECK_INT(messages_edit_system(arena, edit, &doc, VSR_STR("New \"rule\""), NULL), 0, systems[i].name);
        check(edit, systems[i].text, systems[i].want, systems[i].name);
        arena_free(arena);
    }
}

RUN_TESTS(T(reasoning), T(unsigned_thinking), T(max_tokens), T(system_prompt))
