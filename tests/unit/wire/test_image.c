/* Requests for pictures, answers with pictures, and how they are said. */
#include "wire/image.h"

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

TEST(requests) {
    struct image_request request = { .backend = IMAGE_OMNI,
                                     .model = VSR_STR("m"),
                                     .prompt = VSR_STR("a \"cat\""),
                                     .width = 512,
                                     .height = 256,
                                     .steps = 50,
                                     .cfg_scale = 4,
                                     .has_seed = true,
                                     .seed = -1 };
    struct buf out;
    buf_init(&out, 4096);
    image_write_request(&out, &request);
    CHECK_STR(buf_str(&out),
              "{\"messages\":[{\"role\":\"user\",\"content\":\"a \\\"cat\\\"\"}],\"model\":\"m\",\"extra_body\":{"
              "\"width\":512,\"height\":256,\"num_inference_steps\":50,\"true_cfg_scale\":4,\"seed\":-1}}",
              "omni");
    buf_reset(&out);
    request.backend = IMAGE_OPENAI;
    request.quality = VSR_STR("hd");
    image_write_request(&out, &request);
    CHECK_STR(buf_str(&out),
              "{\"model\":\"m\",\"prompt\":\"a \\\"cat\\\"\",\"n\":1,\"size\":\"512x256\",\"quality\":\"hd\"}",
              "openai");
    buf_done(&out);
}

static const struct {
    const char *name, *body;
    enum image_backend backend;
    const char *want; /* url and text; NULL: refused */
} answers[] = {
    { "url", "{\"data\":[{\"url\":\"https://h/p.png\"}]}", IMAGE_OPENAI, "https://h/p.png " },
    { "bytes", "{\"data\":[{\"b64_json\":\"QUJD\"}]}", IMAGE_OPENAI, "data:image/png;base64,QUJD " },
    { "jpeg", "{\"output_format\":\"jpeg\",\"data\":[{\"b64_json\":\"QUJD\"}]}", IMAGE_OPENAI,
      "data:image/jpeg;base64,QUJD " },
    { "a format that is none", "{\"output_format\":\"x\\r\\n\",\"data\":[{\"b64_json\":\"QUJD\"}]}", IMAGE_OPENAI,
      "data:image/png;base64,QUJD " },
    { "nothing", "{\"data\":[]}", IMAGE_OPENAI, NULL },
    { "no list", "{\"data\":{\"url\":\"https://h\"}}", IMAGE_OPENAI, NULL },
    { "no url", "{\"data\":[{\"url\":\"javascript:1\"}]}", IMAGE_OPENAI, NULL },
    { "no object", "[]", IMAGE_OPENAI, NULL },
    { "part",
      "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"here\"},{\"type\":\"image_url\","
      "\"image_url\":{\"url\":\"data:image/png;base64,AA\"}}]}}]}",
      IMAGE_OMNI, "data:image/png;base64,AA here" },
    { "bare part",
      "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"image_url\",\"image_url\":\"https://h/i\"}]}}]}",
      IMAGE_OMNI, "https://h/i " },
    { "images",
      "{\"choices\":[{\"message\":{\"content\":\"so\",\"images\":[{\"image_url\":{\"url\":\"https://h/i\"}}]}}]}",
      IMAGE_OMNI, "https://h/i so" },
    { "content is the url", "{\"choices\":[{\"message\":{\"content\":\"data:image/png;base64,AA\"}}]}", IMAGE_OMNI,
      "data:image/png;base64,AA " },
    { "text only", "{\"choices\":[{\"message\":{\"content\":\"no\"}}]}", IMAGE_OMNI, NULL },
    { "no choices", "{\"choices\":[]}", IMAGE_OMNI, NULL },
    { "odd types", "{\"choices\":[{\"message\":{\"content\":[1,null,[]],\"images\":7}}]}", IMAGE_OMNI, NULL },
};

TEST(reads) {
    for (size_t i = 0; i < VSR_COUNT(answers); i++) {
        struct arena *arena = arena_new(0, 0);
        struct image_answer answer;
        struct json_doc doc;
        int rc;
        CHECK_INT(json_parse(arena, str_from_c(answers[i].body), &doc, NULL), 0, answers[i].name);
        rc = image_read_answer(arena, &doc, answers[i].backend, &answer, NULL);
        CHECK_INT(rc == 0, answers[i].want != NULL, answers[i].name);
        if (rc == 0)
            CHECK_STR(arena_printf(arena, "%.*s %.*s", VSR_FMT(answer.url), VSR_FMT(answer.text)), answers[i].want,
                      answers[i].name);
        arena_free(arena);
    }
}

TEST(says) {
    struct image_chat chat = { .id = VSR_STR("i"),
                               .model = VSR_STR("m"),
                               .created = 5,
                               .text = VSR_STR("t"),
                               .url = VSR_STR("https://h"),
                               .usage = { .prompt = 1, .completion = 2, .has = true } };
    static const char content[] = "\"content\":[{\"type\":\"text\",\"text\":\"t\"},{\"type\":\"image_url\",\"image_"
                                  "url\":{\"url\":\"https://h\"}}]";
    struct arena *arena = arena_new(0, 0);
    struct buf out;
    buf_init(&out, 8192);
    image_write_chat(&out, &chat);
    CHECK_STR(
        buf_str(&out),
        arena_printf(arena,
                     "{\"id\":\"i\",\"object\":\"chat.completion\",\"created\":5,\"model\":\"m\",\"choices\":[{"
                     "\"index\":0,\"message\":{\"role\":\"assistant\",%s},\"finish_reason\":\"stop\"}],\"usage\":{"
                     "\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}%c",
                     content, 0)
            .ptr,
        "whole");
    buf_reset(&out);
    chat.streamed = true;
    chat.text = VSR_STR("");
    image_write_chat(&out, &chat);
    CHECK_STR(buf_str(&out),
              "data: {\"id\":\"i\",\"object\":\"chat.completion.chunk\",\"created\":5,\"model\":\"m\",\"choices\":[{"
              "\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
              "\"url\":\"https://h\"}}]},\"finish_reason\":null}]}\n\n"
              "data: {\"id\":\"i\",\"object\":\"chat.completion.chunk\",\"created\":5,\"model\":\"m\",\"choices\":[{"
              "\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
              "data: [DONE]\n\n",
              "streamed");
    buf_done(&out);
    arena_free(arena);
}

static const struct {
    const char *text, *want;
} prompts[] = {
    { "a cat", "a cat" },
    { "Draw: a cat ", "a cat" },
    { "please DRAW a cat", "a cat" },
    { "draw:", "draw:" },
    { "drawing of a cat", "drawing of a cat" },
};

TEST(prompt) {
    static const vsr_str prefixes[] = { VSR_STR_INIT(""), VSR_STR_INIT("draw:"), VSR_STR_INIT("Please draw ") };
    for (size_t i = 0; i < VSR_COUNT(prompts); i++)
        CHECK_STR(image_prompt(str_from_c(prompts[i].text), prefixes, VSR_COUNT(prefixes)), prompts[i].want,
                  prompts[i].text);
}

RUN_TESTS(T(requests), T(reads), T(says), T(prompt))
