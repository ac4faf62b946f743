#include "wire/image.h"

#include <stdio.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "wire/member_write.h"

/* ---- asking */

static void write_openai(struct json_writer *w, const struct image_request *request) {
    char size[48];
    vsr_str text = str_make(size, (size_t)snprintf(size, sizeof(size), "%lldx%lld", (long long)request->width,
                                                   (long long)request->height));
    member_str(w, "model", request->model);
    member_str(w, "prompt", request->prompt);
    member_u64(w, "n", 1);
    member_str(w, "size", text);
    if (request->quality.len)
        member_str(w, "quality", request->quality);
    if (request->style.len)
        member_str(w, "style", request->style);
}

static void write_omni(struct json_writer *w, const struct image_request *request) {
    member_key(w, "messages");
    json_write_begin_array(w);
    json_write_begin_object(w);
    member_str(w, "role", VSR_STR("user"));
    member_str(w, "content", request->prompt);
    json_write_end(w);
    json_write_end(w);
    member_str(w, "model", request->model);
    member_key(w, "extra_body");
    json_write_begin_object(w);
    member_i64(w, "width", request->width);
    member_i64(w, "height", request->height);
    member_i64(w, "num_inference_steps", request->steps);
    member_key(w, "true_cfg_scale");
    json_write_double(w, request->cfg_scale);
    if (request->has_seed) {
        member_i64(w, "seed", request->seed);
    }
    json_write_end(w);
}

void image_write_request(struct buf *out, const struct image_request *request) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    if (request->backend == IMAGE_OPENAI)
        write_openai(&w, request);
    else
        write_omni(&w, request);
    json_write_end(&w);
}

/* ---- reading */

static vsr_str text_of(struct arena *arena, const struct json_doc *doc, json_ref ref) {
    vsr_str text;
    return json_str(arena, doc, ref, &text) ? text : VSR_STR("");
}

static bool is_picture(vsr_str url) {
    return str_starts(url, VSR_STR("data:")) || str_starts(url, VSR_STR("http://")) ||
           str_starts(url, VSR_STR("https://"));
}

/* The first picture counts: one was asked for. */
static void take_url(struct image_answer *answer, vsr_str url) {
    if (answer->url.len == 0 && is_picture(url))
        answer->url = url;
}

/* `{type: image_url, image_url: {url}}`, where older servers write the url itself. */
static void take_part(struct arena *arena, const struct json_doc *doc, json_ref part, struct image_answer *answer) {
    json_ref image = json_get(doc, part, VSR_STR("image_url"));
    if (image == JSON_NONE) {
        if (answer->text.len == 0)
            answer->text = text_of(arena, doc, json_get(doc, part, VSR_STR("text")));
        return;
    }
    take_url(answer,
             text_of(arena, doc, json_is(doc, image, JSON_STRING) ? image : json_get(doc, image, VSR_STR("url"))));
}

static void take_parts(struct arena *arena, const struct json_doc *doc, json_ref list, struct image_answer *answer) {
    if (!json_is(doc, list, JSON_ARRAY))
        return;
    for (json_ref part = json_first(doc, list); part != JSON_NONE; part = json_next(doc, list, part))
        take_part(arena, doc, part, answer);
}

static void read_omni(struct arena *arena, const struct json_doc *doc, struct image_answer *answer) {
    json_ref choice = json_at(doc, json_get(doc, 0, VSR_STR("choices")), 0);
    json_ref message = json_get(doc, choice, VSR_STR("message"));
    json_ref content = json_get(doc, message, VSR_STR("content"));
    vsr_str text = text_of(arena, doc, content);
    take_parts(arena, doc, content, answer);
    take_parts(arena, doc, json_get(doc, message, VSR_STR("images")), answer);
    if (is_picture(text))
        take_url(answer, text);
    else if (text.len)
        answer->text = text;
}

static void read_openai(struct arena *arena, const struct json_doc *doc, struct image_answer *answer) {
    json_ref item = json_at(doc, json_get(doc, 0, VSR_STR("data")), 0);
    vsr_str bytes = text_of(arena, doc, json_get(doc, item, VSR_STR("b64_json")));
    vsr_str format = text_of(arena, doc, json_get(doc, 0, VSR_STR("output_format")));
    if (!str_eq(format, VSR_STR("jpeg")) && !str_eq(format, VSR_STR("webp")))
        format = VSR_STR("png");
    if (bytes.len)
        answer->url = arena_printf(arena, "data:image/%.*s;base64,%.*s", VSR_FMT(format), VSR_FMT(bytes));
    take_url(answer, text_of(arena, doc, json_get(doc, item, VSR_STR("url"))));
}

int image_read_answer(struct arena *arena, const struct json_doc *doc, enum image_backend backend,
                      struct image_answer *ret_answer, struct vsr_err *err) {
    struct image_answer answer = { 0 };
    if (json_is(doc, 0, JSON_OBJECT)) {
        if (backend == IMAGE_OPENAI)
            read_openai(arena, doc, &answer);
        else
            read_omni(arena, doc, &answer);
        (void)usage_read_answer(doc, &answer.usage);
    }
    if (answer.url.len == 0)
        return err_set(err, VSR_E_INVALID, "there is no picture in the backend's answer");
    *ret_answer = answer;
    return 0;
}

/* ---- saying */

static void write_content(struct json_writer *w, const struct image_chat *chat) {
    json_write_begin_array(w);
    if (chat->text.len) {
        json_write_begin_object(w);
        member_str(w, "type", VSR_STR("text"));
        member_str(w, "text", chat->text);
        json_write_end(w);
    }
    if (chat->url.len) {
        json_write_begin_object(w);
        member_str(w, "type", VSR_STR("image_url"));
        member_key(w, "image_url");
        json_write_begin_object(w);
        member_str(w, "url", chat->url);
        json_write_end(w);
        json_write_end(w);
    }
    json_write_end(w);
}

static void write_usage(struct json_writer *w, const struct usage *usage) {
    member_key(w, "usage");
    json_write_begin_object(w);
    member_i64(w, "prompt_tokens", usage->prompt);
    member_i64(w, "completion_tokens", usage->completion);
    member_i64(w, "total_tokens", usage->prompt + usage->completion);
    json_write_end(w);
}

static void begin_object(struct json_writer *w, const struct image_chat *chat, vsr_str kind) {
    json_write_begin_object(w);
    member_str(w, "id", chat->id);
    member_str(w, "object", kind);
    member_i64(w, "created", chat->created);
    member_str(w, "model", chat->model);
    member_key(w, "choices");
    json_write_begin_array(w);
}

/* `member`: what carries the message, `message` or `delta`. */
static void write_choice(struct json_writer *w, const struct image_chat *chat, vsr_str member, bool says, bool ends) {
    json_write_begin_object(w);
    member_u64(w, "index", 0);
    json_write_key(w, member);
    json_write_begin_object(w);
    if (says) {
        member_str(w, "role", VSR_STR("assistant"));
        member_key(w, "content");
        write_content(w, chat);
    }
    json_write_end(w);
    member_key(w, "finish_reason");
    if (ends)
        json_write_str(w, VSR_STR("stop"));
    else
        json_write_null(w);
    json_write_end(w);
}

static void write_chunk(struct buf *out, const struct image_chat *chat, bool says, bool ends, bool usage) {
    struct json_writer w;
    (void)buf_append_c(out, "data: ");
    json_write_init(&w, out);
    begin_object(&w, chat, VSR_STR("chat.completion.chunk"));
    if (says || ends)
        write_choice(&w, chat, VSR_STR("delta"), says, ends);
    json_write_end(&w);
    if (usage)
        write_usage(&w, &chat->usage);
    json_write_end(&w);
    (void)buf_append_c(out, "\n\n");
}

void image_write_chat(struct buf *out, const struct image_chat *chat) {
    struct json_writer w;
    if (chat->streamed) {
        write_chunk(out, chat, true, false, false);
        write_chunk(out, chat, false, true, false);
        if (chat->include_usage && chat->usage.has)
            write_chunk(out, chat, false, false, true);
        (void)buf_append_c(out, "data: [DONE]\n\n");
        return;
    }
    json_write_init(&w, out);
    begin_object(&w, chat, VSR_STR("chat.completion"));
    write_choice(&w, chat, VSR_STR("message"), true, true);
    json_write_end(&w);
    if (chat->usage.has)
        write_usage(&w, &chat->usage);
    json_write_end(&w);
}

vsr_str image_prompt(vsr_str text, const vsr_str *prefixes, size_t n) {
    text = str_trim(text);
    for (size_t i = 0; i < n; i++) {
        vsr_str prefix = str_trim(prefixes[i]);
        if (prefix.len == 0 || prefix.len >= text.len || !str_eq_nocase(str_sub(text, 0, prefix.len), prefix))
            continue;
        return str_trim(str_sub(text, prefix.len, text.len));
    }
    return text;
}
