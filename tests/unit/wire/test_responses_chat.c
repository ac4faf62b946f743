#include "wire/responses_chat.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "test.h"
#include "wire/responses_request.h"
#include "wire/warnings.h"

/* One stored turn: a question and a call of a tool that waits for its output. */
#define TURN_INPUT \
    "[{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":" \
    "\"weather?\"}]}]"
#define TURN_OUTPUT \
    "[{\"id\":\"rs_1\",\"type\":\"reasoning\",\"summary\":[],\"content\":[{\"type\":\"reasoning_text\",\"text\":" \
    "\"look " \
    "it up\"}]}," \
    "{\"id\":\"fc_1\",\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"look\",\"arguments\":\"{\\\"a\\\":1}" \
    "\"}]"

/* `want` is the chat body, or the message of an error and, behind a bar, the place. */
static const struct {
    const char *name, *turn_input, *turn_output, *body, *want, *warning;
} cases[] = {
    { "text", NULL, NULL, "{\"model\":\"m\",\"input\":\"hi\"}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}" },
    { "instructions and members", NULL, NULL,
      "{\"model\":\"m\",\"instructions\":\"be \\u00e9\",\"input\":\"hi\",\"max_output_tokens\":5,\"temperature\":0.10,"
      "\"top_p\":1,\"metadata\":{\"a\":\"b\"},\"user\":\"u\",\"truncation\":\"auto\",\"reasoning\":{\"effort\":\"low\"}"
      ","
      "\"unknown\":1}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"be \\u00e9\"},{\"role\":\"user\",\"content\":"
      "\"hi\"}],\"max_tokens\":5,\"temperature\":0.10,\"top_p\":1,\"metadata\":{\"a\":\"b\"},\"user\":\"u\","
      "\"reasoning_effort\":\"low\"}" },
    { "stream", NULL, NULL, "{\"model\":\"m\",\"input\":\"\",\"stream\":true}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"stream\":true,\"stream_options\":{"
      "\"include_usage\":true}}" },
    { "roles and parts", NULL, NULL,
      "{\"model\":\"m\",\"input\":[{\"role\":\"developer\",\"content\":\"d\"},{\"type\":\"message\",\"role\":"
      "\"system\","
      "\"content\":[{\"type\":\"input_text\",\"text\":\"s\"}]},{\"content\":[{\"type\":\"input_text\",\"text\":"
      "\"a\\n\"},{"
      "\"type\":\"input_text\",\"text\":\"b\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
      "\"text\":"
      "\"x\",\"annotations\":[]}]}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"developer\",\"content\":\"d\"},{\"role\":\"system\",\"content\":"
      "\"s\"},{"
      "\"role\":\"user\",\"content\":\"a\\n b\"},{\"role\":\"assistant\",\"content\":\"x\"}]}" },
    { "image and file", NULL, NULL,
      "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"see\"},{"
      "\"type\":"
      "\"input_image\",\"image_url\":\"data:x\",\"detail\":\"low\"},{\"type\":\"input_file\",\"filename\":\"f\","
      "\"file_data\":\"d\"}]}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"see\"},{\"type\":"
      "\"image_url\",\"image_url\":{\"url\":\"data:x\",\"detail\":\"low\"}},{\"type\":\"file\",\"file\":{\"filename\":"
      "\"f\","
      "\"file_data\":\"d\"}}]}]}" },
    { "image by id", NULL, NULL,
      "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"file_id\":\"f\"}]}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[]}]}", "image_file_id_unresolved" },
    { "refusal", NULL, NULL,
      "{\"model\":\"m\",\"input\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"no\"}]}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\",\"refusal\":\"no\"}]}" },
    { "parallel calls, outputs out of place", NULL, NULL,
      "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"let "
      "me\"},{"
      "\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"{}\"},{\"type\":\"function_call\","
      "\"call_id\":\"b\",\"name\":\"g\",\"arguments\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"b\","
      "\"output\":"
      "\"B\"},{\"role\":\"user\",\"content\":\"and?\"},{\"type\":\"function_call_output\",\"call_id\":\"a\",\"output\":"
      "[{"
      "\"type\":\"input_text\",\"text\":\"A\"}]}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"let "
      "me\","
      "\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"id\":"
      "\"b\","
      "\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":"
      "\"a\","
      "\"content\":\"A\"},{\"role\":\"tool\",\"tool_call_id\":\"b\",\"content\":\"B\"},{\"role\":\"user\",\"content\":"
      "\"and?\"}]}" },
    { "two steps", NULL, NULL,
      "{\"model\":\"m\",\"input\":[{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"{}\"},{"
      "\"type\":\"function_call_output\",\"call_id\":\"a\",\"output\":\"A\"},{\"type\":\"function_call\",\"call_id\":"
      "\"b\","
      "\"name\":\"g\",\"arguments\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"b\",\"output\":\"B\"}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\",\"type\":"
      "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"a\","
      "\"content\":\"A\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"b\",\"type\":\"function\","
      "\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"b\",\"content\":"
      "\"B\"}]}" },
    { "turn with a call, reasoning within the loop", TURN_INPUT, TURN_OUTPUT,
      "{\"model\":\"m\",\"previous_response_id\":\"resp_1\",\"input\":[{\"type\":\"function_call_output\",\"call_id\":"
      "\"c1\","
      "\"output\":\"sun\"}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"weather?\"},{\"role\":\"assistant\",\"content\":"
      "null,"
      "\"reasoning_content\":\"look it "
      "up\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":"
      "\"look\",\"arguments\":\"{\\\"a\\\":1}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"sun\"}]"
      "}" },
    { "reasoning before the last question stays here", TURN_INPUT, TURN_OUTPUT,
      "{\"model\":\"m\",\"input\":\"never mind\"}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"weather?\"},{\"role\":\"assistant\",\"content\":"
      "null,"
      "\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"{\\\"a\\\":"
      "1}\"}}"
      "]},{\"role\":\"user\",\"content\":\"never mind\"}]}" },
    { "call of a tool server", NULL, NULL,
      "{\"model\":\"m\",\"input\":[{\"type\":\"mcp_call\",\"id\":\"mcp_1\",\"name\":\"f\",\"arguments\":\"{}\","
      "\"output\":"
      "\"42\",\"server_label\":\"s\"}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"mcp_1\","
      "\"type\":"
      "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"mcp_"
      "1\","
      "\"content\":\"42\"}]}" },
    { "tools flat and nested", NULL, NULL,
      "{\"model\":\"m\",\"input\":\"\",\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{\"x\":1},"
      "\"strict\":"
      "true},{\"type\":\"function\",\"function\":{\"name\":\"g\"}},{\"type\":\"web_search\"}],\"tool_choice\":{"
      "\"type\":"
      "\"function\",\"name\":\"f\"},\"parallel_tool_calls\":false}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"tools\":[{\"type\":\"function\","
      "\"function\":{"
      "\"name\":\"f\",\"parameters\":{\"x\":1},\"strict\":true}},{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]"
      ","
      "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},\"parallel_tool_calls\":false}" },
    { "choice among some", NULL, NULL,
      "{\"model\":\"m\",\"input\":\"\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],\"tool_choice\":{\"type\":"
      "\"allowed_tools\",\"mode\":\"required\",\"tools\":[]}}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"tools\":[{\"type\":\"function\","
      "\"function\":{"
      "\"name\":\"f\"}}],\"tool_choice\":\"required\"}",
      "tool_choice_widened" },
    { "schema", NULL, NULL,
      "{\"model\":\"m\",\"input\":\"\",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":{\"a\":"
      "1},"
      "\"strict\":true},\"verbosity\":\"low\"}}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"verbosity\":\"low\",\"response_format\":{"
      "\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"a\":1},\"strict\":true}}}" },
    { "logprobs", NULL, NULL, "{\"model\":\"m\",\"input\":\"\",\"include\":[\"message.output_text.logprobs\"]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"logprobs\":true}" },
    { "unknown item", NULL, NULL, "{\"model\":\"m\",\"input\":[{\"type\":\"dream\"}]}",
      "{\"model\":\"m\",\"messages\":[]}", "unknown_item_dropped" },
    { "output of no call", NULL, NULL,
      "{\"model\":\"m\",\"input\":[{\"type\":\"function_call_output\",\"call_id\":\"x\",\"output\":\"\"}]}",
      "no function call with this call_id is in the conversation|input[0].call_id" },
    { "reference", NULL, NULL, "{\"model\":\"m\",\"input\":[{\"type\":\"item_reference\",\"id\":\"x\"}]}",
      "item_reference is not supported: send the item itself, or previous_response_id|input[0].type" },
    { "role", NULL, NULL, "{\"model\":\"m\",\"input\":[{\"role\":\"king\",\"content\":\"\"}]}",
      "role must be user, assistant, system or developer|input[0].role" },
    { "content", NULL, NULL, "{\"model\":\"m\",\"input\":[{\"role\":\"user\"}]}",
      "content must be a string or an array of parts|input[0].content" },
    { "arguments", NULL, NULL,
      "{\"model\":\"m\",\"input\":[{\"type\":\"function_call\",\"call_id\":\"x\",\"name\":\"f\",\"arguments\":{}}]}",
      "arguments must be a string of JSON|input[0].arguments" },
    { "item", NULL, NULL, "{\"model\":\"m\",\"input\":[7]}", "an item of the input must be an object|input[0]" },
    { "no input", NULL, NULL, "{\"model\":\"m\"}", "input field is required: a string or an array of items|input" },
    { "messages", NULL, NULL, "{\"model\":\"m\",\"messages\":[]}",
      "input field is required: this endpoint takes `input`, not `messages`|input" },
    { "no model", NULL, NULL, "{\"input\":\"\"}", "model field is required|model" },
    { "shape", NULL, NULL, "{\"model\":\"m\",\"input\":\"\",\"stream\":1}", "stream must be true or false|stream" },
    { "background without store", NULL, NULL, "{\"model\":\"m\",\"input\":\"\",\"background\":true,\"store\":false}",
      "background needs store: an answer that nobody waits for must be kept|background" },
    { "no object", NULL, NULL, "[]", "the request body must be a JSON object|" },
};

static int unseal(void *user, struct arena *arena, vsr_str sealed, vsr_str *ret_text) {
    (void)user;
    (void)arena;
    if (!str_starts(sealed, VSR_STR("s:")))
        return VSR_E_INVALID;
    *ret_text = str_sub(sealed, 2, sealed.len);
    return 0;
}

static int translate(struct arena *arena, const char *body, const struct responses_chat *chat,
                     struct warnings *warnings, struct buf *out, struct vsr_err *err) {
    struct json_doc *doc = ARENA_NEW(arena, struct json_doc);
    struct responses_request request;
    int rc = json_parse(arena, str_from_c(body), doc, err);
    if (rc == 0)
        rc = responses_read(arena, doc, &request, err);
    return rc < 0 ? rc : responses_to_chat(arena, &request, chat, warnings, out, err);
}

TEST(translations) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct responses_turn turn = { str_from_c(cases[i].turn_input), str_from_c(cases[i].turn_output) };
        struct responses_chat chat = { .turns = &turn, .n_turns = cases[i].turn_input ? 1 : 0 };
        struct vsr_err err = VSR_ERR_NONE;
        struct warnings warnings;
        struct json_doc again;
        struct buf out;
        int rc;
        warnings_init(&warnings, arena);
        buf_init(&out, 1 << 20);
        rc = translate(arena, cases[i].body, &chat, &warnings, &out, &err);
        if (rc < 0) {
            CHECK_STR(arena_printf(arena, "%s|%s", err.text, err.where), cases[i].want, cases[i].name);
        } else {
            CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
            CHECK(json_parse(arena, buf_str(&out), &again, &err) == 0, cases[i].name);
        }
        CHECK_STR(warnings.n ? str_from_c(warnings.items[0].reason) : VSR_STR(""),
                  cases[i].warning ? cases[i].warning : "", cases[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

TEST(sealed_reasoning) {
    static const char body[] =
        "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"q\"},{\"type\":\"reasoning\",\"summary\":[],"
        "\"encrypted_content\":\"%s\"},{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"{}"
        "\"}]}";
    struct arena *arena = arena_new(0, 0);
    struct responses_chat chat = { .unseal = unseal };
    struct vsr_err err = VSR_ERR_NONE;
    struct buf out;
    buf_init(&out, 1 << 20);
    char text[512];
    (void)snprintf(text, sizeof(text), body, "s:deep");
    CHECK_INT(translate(arena, text, &chat, NULL, &out, &err), 0, "ours");
    CHECK(str_find(buf_str(&out), VSR_STR("\"reasoning_content\":\"deep\"")) > 0, "ours");
    (void)snprintf(text, sizeof(text), body, "other");
    buf_reset(&out);
    CHECK_INT(translate(arena, text, &chat, NULL, &out, &err), VSR_E_INVALID, "another's");
    CHECK_STR(str_from_c(err.where), "input[1].encrypted_content", "another's");
    buf_done(&out);
    arena_free(arena);
}

/* Where older turns were left out, an output may have lost its call. */
TEST(trimmed_history) {
    struct arena *arena = arena_new(0, 0);
    struct responses_chat chat = { .trimmed = true };
    struct vsr_err err = VSR_ERR_NONE;
    struct warnings warnings;
    struct buf out;
    buf_init(&out, 1 << 20);
    warnings_init(&warnings, arena);
    CHECK_INT(
        translate(arena,
                  "{\"model\":\"m\",\"input\":[{\"type\":\"function_call_output\",\"call_id\":\"x\",\"output\":\"\"}"
                  ",{\"role\":\"user\",\"content\":\"q\"}]}",
                  &chat, &warnings, &out, &err),
        0, "trimmed");
    CHECK_STR(buf_str(&out), "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}", "trimmed");
    CHECK_INT(warnings.n, 1, "trimmed");
    buf_done(&out);
    arena_free(arena);
}

TEST(stored_items) {
    static const struct {
        const char *name, *body, *want;
    } items[] = {
        { "text", "{\"model\":\"m\",\"input\":\"hi \\u00e9\"}",
          "[{\"id\":\"ID\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"user\",\"content\":[{\"type\":"
          "\"input_text\",\"text\":\"hi \\u00e9\"}]}]" },
        { "easy message", "{\"model\":\"m\",\"input\":[{\"role\":\"assistant\",\"content\":\"x\",\"extra\":1.50}]}",
          "[{\"id\":\"ID\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":"
          "\"output_text\",\"text\":\"x\",\"annotations\":[]}],\"extra\":1.50}]" },
        { "own id and status",
          "{\"model\":\"m\",\"input\":[{\"type\":\"function_call_output\",\"status\":\"incomplete\",\"id\":\"mine\","
          "\"call_id\":\"c\",\"output\":\"o\"}]}",
          "[{\"id\":\"mine\",\"type\":\"function_call_output\",\"status\":\"incomplete\",\"call_id\":\"c\",\"output\":"
          "\"o\"}]" },
    };
    for (size_t i = 0; i < VSR_COUNT(items); i++) {
        struct arena *arena = arena_new(0, 0);
        struct json_doc doc;
        struct responses_request request;
        struct vsr_err err = VSR_ERR_NONE;
        struct buf out;
        vsr_str got;
        ptrdiff_t at;
        buf_init(&out, 1 << 20);
        CHECK_INT(json_parse(arena, str_from_c(items[i].body), &doc, &err), 0, items[i].name);
        CHECK_INT(responses_read(arena, &doc, &request, &err), 0, items[i].name);
        CHECK_INT(responses_input_items(arena, &request, VSR_STR("resp_1"), &out, &err), 0, items[i].name);
        got = buf_str(&out);
        at = str_find(got, VSR_STR("msg_"));
        if (at > 0)
            got = arena_printf(arena, "%.*sID%.*s", VSR_FMT(str_sub(got, 0, (size_t)at)),
                               VSR_FMT(str_sub(got, (size_t)at + 28, got.len)));
        CHECK_STR(got, items[i].want, items[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

RUN_TESTS(T(translations), T(sealed_reasoning), T(trimmed_history), T(stored_items))
