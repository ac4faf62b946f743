/* Bodies of requests: queries with padding, messages with pictures and generated text, limits. */
#include "suites.h"

#include <string.h>

#include "core/json.h"
#include "probe/request.h"

/* 1 x 1, white. */
#define PICTURE "R0lGODdhAQABAIAAAAAAAP///ywAAAAAAQABAAACAkQBADs="
#define PICTURE_SHA256 "sha256:cd251e1117213163d1cda55ad6f7ec3e6046042739c67efe0c939f6bded51efe"

static int make(struct suite_fixture *f, const char *fixtures, const char *variant, vsr_str model, vsr_str *ret_body,
                struct vsr_err *err) {
    suite_of_variants(f, fixtures, variant);
    return probe_request(f->suite, suite_variant(f, 0, 0), model, f->arena, ret_body, err);
}

static const struct {
    const char *name, *variant, *want;
} bodies[] = {
    { "query", "{id: v, query: hello}", "{\"text\":\"hello\"}" },
    { "no query to speak of", "{id: v, query: ''}", "{\"text\":\"\"}" },
    { "a query of lines", "{id: v, query: \"a\\n\\\"b\\\"\\u00e9\"}", "{\"text\":\"a\\n\\\"b\\\"\xc3\xa9\"}" },
    { "repeated", "{id: v, query: a, repeat: 3}", "{\"text\":\"a\\na\\na\"}" },
    { "padded", "{id: v, query: q, padding: {text: p, repeat: 2}}", "{\"text\":\"p\\np\\nq\"}" },
    { "padded behind", "{id: v, query: q, padding: {text: p, repeat: 2, placement: after}}",
      "{\"text\":\"q\\np\\np\"}" },
    { "padded around", "{id: v, query: q, padding: {text: p, repeat: 2, placement: around}}",
      "{\"text\":\"p\\nq\\np\"}" },
    { "padded around, three", "{id: v, query: q, padding: {text: p, repeat: 3, placement: around}}",
      "{\"text\":\"p\\nq\\np\\np\"}" },
    { "padded around, one", "{id: v, query: q, padding: {text: p, placement: around}}", "{\"text\":\"q\\np\"}" },
    { "padded and repeated", "{id: v, query: q, repeat: 2, padding: {text: p}}", "{\"text\":\"p\\nq\\nq\"}" },
    { "padded with nothing", "{id: v, query: q, padding: {text: '', repeat: 9}}", "{\"text\":\"q\"}" },
    { "padding around nothing", "{id: v, query: '', padding: {text: p, repeat: 2, placement: around}}",
      "{\"text\":\"p\\np\"}" },
    { "tools", "{id: v, query: q, tools: [{type: function, function: {name: f, strict: true}}]}",
      "{\"text\":\"q\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"strict\":true}}]}" },
    { "messages", "{id: v, messages: [{role: user, content: a}, {role: assistant, content: null}, {role: tool}]}",
      "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":null},{\"role\":"
      "\"tool\"}]}" },
    { "scalars",
      "{id: v, messages: [true, 'true', false, null, ~, '', 'null', 0, -1.50, 1e3, 1E-2, '1', 01, 1., .5, -a, 0x1F, "
      "yes, True, +1, 1e]}",
      "{\"messages\":[true,\"true\",false,null,null,\"\",\"null\",0,-1.50,1e3,1E-2,\"1\",\"01\",\"1.\",\".5\",\"-a\","
      "\"0x1F\",\"yes\",\"True\",\"+1\",\"1e\"]}" },
    { "picture", "{id: v, messages: [{role: user, content: [{type: image_fixture, fixture: dot}]}]}",
      "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/gif;"
      "base64," PICTURE "\"}}]}]}" },
    { "generated text in front",
      "{id: v, messages: [{role: user, content: [{type: text, text: abc}]}], "
      "generated_text: {message_index: 0, content_index: 0, target_text_bytes: 5}}",
      "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"xx\"},{\"type\":\"text\","
      "\"text\":\"abc\"}]}]}" },
    { "generated text at the end",
      "{id: v, messages: [{role: system, content: s}, {role: user, content: [{text: \"\\u00e9\"}]}], "
      "generated_text: {message_index: 1, content_index: 1, target_text_bytes: 3, character: '\"'}}",
      "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":[{\"text\":\"\xc3\xa9\"},"
      "{\"type\":\"text\",\"text\":\"\\\"\"}]}]}" },
    { "generated text in a list of nothing",
      "{id: v, messages: [{content: []}], generated_text: {message_index: 0, content_index: 0, target_text_bytes: 1}}",
      "{\"messages\":[{\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}]}" },
    { "parts that count as text, and others",
      "{id: v, messages: [{content: [{type: ' Input_Text ', text: ab}, {type: output_text, text: cd}, {type: refusal, "
      "text: no}, {type: text, text: 12}, {type: text}, {text: '34'}]}], "
      "generated_text: {message_index: 0, content_index: 6, target_text_bytes: 7}}",
      "{\"messages\":[{\"content\":[{\"type\":\" Input_Text \",\"text\":\"ab\"},{\"type\":\"output_text\",\"text\":"
      "\"cd\"},{\"type\":\"refusal\",\"text\":\"no\"},{\"type\":\"text\",\"text\":12},{\"type\":\"text\"},{\"text\":"
      "\"34\"},{\"type\":\"text\",\"text\":\"x\"}]}]}" },
};

static const char fixtures[] =
    "fixtures: {images: {dot: {description: a dot, media_type: image/gif, data_base64: " PICTURE
    ", sha256: '" PICTURE_SHA256 "'}}}\n";

TEST(what_is_asked) {
    for (size_t i = 0; i < VSR_COUNT(bodies); i++) {
        struct suite_fixture f;
        struct vsr_err err = VSR_ERR_NONE;
        vsr_str body = VSR_STR("");
        CHECK_INT(make(&f, fixtures, bodies[i].variant, VSR_STR(""), &body, &err), 0, bodies[i].name);
        CHECK_STR(body, bodies[i].want, bodies[i].name);
        suite_done(&f);
    }
}

TEST(the_model_comes_along) {
    struct suite_fixture f;
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str body;
    CHECK_INT(make(&f, "", "{id: v, query: q}", VSR_STR("a\"b"), &body, &err), 0, "rc");
    CHECK_STR(body, "{\"model\":\"a\\\"b\",\"text\":\"q\"}", "body");
    suite_done(&f);
}

#define CONTENT(text) "{id: v, messages: [{role: user, content: " text "}]}"
#define GENERATED(messages, text) "{id: v, messages: " messages ", generated_text: {" text "}}"

static const struct {
    const char *variant, *want;
} refused[] = {
    { CONTENT("[{type: image_url, image_url: {url: 'http://127.0.0.1/a.png'}}]"),
      "a part of type image_url is not allowed; use image_fixture" },
    { CONTENT("[{type: ' INPUT_image', image_url: a}]"),
      "a part of type  INPUT_image is not allowed; use image_fixture" },
    { CONTENT("[{type: image_fixture}]"), "a part of type image_fixture has `fixture` and nothing else" },
    { CONTENT("[{type: image_fixture, fixture: dot, detail: low}]"),
      "a part of type image_fixture has `fixture` and nothing else" },
    { CONTENT("[{type: image_fixture, fixture: cat}]"), "fixtures.images has no picture \"cat\"" },
    { CONTENT("[{type: image_fixture, fixture: [dot]}]"), "fixtures.images has no picture \"\"" },
    { GENERATED("[]", "message_index: 0, content_index: 0, target_text_bytes: 1"),
      "generated_text names message 0 of 0" },
    { GENERATED("[{content: []}]", "message_index: 1, content_index: 0, target_text_bytes: 1"),
      "generated_text names message 1 of 1" },
    { GENERATED("[hello]", "message_index: 0, content_index: 0, target_text_bytes: 1"),
      "generated_text needs a message with content" },
    { GENERATED("[{role: user}]", "message_index: 0, content_index: 0, target_text_bytes: 1"),
      "generated_text needs a message with content" },
    { GENERATED("[{content: hello}]", "message_index: 0, content_index: 0, target_text_bytes: 9"),
      "generated_text needs a message whose content is a list" },
    { GENERATED("[{content: [{text: ab}]}]", "message_index: 0, content_index: 0, target_text_bytes: 2"),
      "generated_text does not fit: the message has 2 bytes of text in 1 parts" },
    { GENERATED("[{content: [{text: ab}]}]", "message_index: 0, content_index: 2, target_text_bytes: 9"),
      "generated_text does not fit: the message has 2 bytes of text in 1 parts" },
};

TEST(what_cannot_be_asked) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++) {
        struct suite_fixture f;
        struct vsr_err err = VSR_ERR_NONE;
        vsr_str body;
        CHECK_INT(make(&f, fixtures, refused[i].variant, VSR_STR(""), &body, &err), VSR_E_INVALID, refused[i].variant);
        CHECK_STR(str_from_c(err.text), refused[i].want, refused[i].variant);
        suite_done(&f);
    }
}

/* ---- 10 MiB */

static const char generated[] =
    "{id: v, messages: [{content: []}], generated_text: {message_index: 0, content_index: 0, target_text_bytes: %zu}}";

static int make_generated(size_t len, vsr_str *ret_body, struct suite_fixture *f) {
    struct vsr_err err = VSR_ERR_NONE;
    char variant[256];
    snprintf(variant, sizeof(variant), generated, len);
    return make(f, "", variant, VSR_STR(""), ret_body, &err);
}

TEST(a_body_has_a_limit) {
    static const char around[] = "{\"messages\":[{\"content\":[{\"type\":\"text\",\"text\":\"\"}]}]}";
    size_t longest = PROBE_BODY_LEN_MAX - (sizeof(around) - 1);
    struct suite_fixture f;
    vsr_str body;
    CHECK_INT(make_generated(longest, &body, &f), 0, "at the limit");
    CHECK_INT(body.len, PROBE_BODY_LEN_MAX, "at the limit");
    suite_done(&f);
    CHECK_INT(make_generated(longest + 1, &body, &f), VSR_E_LIMIT, "past the limit");
    suite_done(&f);
    CHECK_INT(make_generated(PROBE_GENERATED_BYTES_MAX, &body, &f), VSR_E_LIMIT, "as much as a suite may ask for");
    suite_done(&f);
}

TEST(a_query_has_a_limit) {
    struct suite_fixture f;
    struct vsr_err err = VSR_ERR_NONE;
    struct buf variant;
    vsr_str body;
    buf_init(&variant, 1 << 16);
    buf_append_c(&variant, "{id: v, query: q, padding: {repeat: 10000, text: ");
    for (int i = 0; i < 2000; i++)
        buf_append_char(&variant, 'p');
    buf_append_c(&variant, "}}");
    buf_append_char(&variant, '\0');
    CHECK_INT(make(&f, "", variant.ptr, VSR_STR(""), &body, &err), VSR_E_LIMIT, "20 MB");
    CHECK_STR(str_from_c(err.text), "the request would be larger than 10485760 bytes", "message");
    suite_done(&f);
    buf_done(&variant);
}

RUN_TESTS(T(what_is_asked), T(the_model_comes_along), T(what_cannot_be_asked), T(a_body_has_a_limit),
          T(a_query_has_a_limit))
