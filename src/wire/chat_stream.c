#include "wire/chat_stream.h"

#include "core/arena.h"
#include "core/json.h"
#include "core/utf8.h"

enum {
    SCRATCH_CHUNK_LEN = 4 << 10, /* an ordinary chunk with its tape */
    SCRATCH_LEN_MAX = 64 << 20,  /* tape of the largest frame, with room */
};

static void on_event(void *user, const struct sse_event *event);

void chat_stream_init(struct chat_stream *stream) {
    memset(stream, 0, sizeof(*stream));
    sse_init(&stream->sse, on_event, stream);
}

void chat_stream_done(struct chat_stream *stream) {
    sse_done(&stream->sse);
}

/* ---- which frames are worth parsing */

/*
 * Whether the text may hold a member `quoted` (name with its quotes) with a value other than null. A look at the bytes:
 * it may say yes for nothing, but says no only when that is so, unless the name is spelt with escapes.
 */
static bool may_hold(vsr_str data, vsr_str quoted) {
    ptrdiff_t found;
    while ((found = str_find(data, quoted)) >= 0) {
        vsr_str rest = str_trim(str_sub(data, (size_t)found + quoted.len, data.len));
        if (rest.len > 0 && rest.ptr[0] == ':') {
            rest = str_trim(str_sub(rest, 1, rest.len));
            if (!str_starts(rest, VSR_STR("null")))
                return true;
        }
        data = str_sub(data, (size_t)found + quoted.len, data.len);
    }
    return false;
}

static bool worth_parsing(const struct chat_stream *stream, vsr_str data) {
    return !stream->has_head || !stream->has_payload || may_hold(data, VSR_STR("\"usage\"")) ||
           may_hold(data, VSR_STR("\"finish_reason\"")) || may_hold(data, VSR_STR("\"error\""));
}

/* ---- one chunk */

static size_t copy_text(struct arena *scratch, const struct json_doc *doc, json_ref ref, char *out, size_t cap) {
    vsr_str text;
    if (ref == JSON_NONE || !json_str(scratch, doc, ref, &text))
        return 0;
    text = utf8_cut(text, cap);
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    return text.len;
}

static void read_head(struct chat_stream *stream, struct arena *scratch, const struct json_doc *doc) {
    json_ref id = json_get(doc, 0, VSR_STR("id"));
    if (stream->has_head || !json_is(doc, id, JSON_STRING))
        return;
    stream->has_head = true;
    stream->id_len = copy_text(scratch, doc, id, stream->id, sizeof(stream->id));
    stream->model_len =
        copy_text(scratch, doc, json_get(doc, 0, VSR_STR("model")), stream->model, sizeof(stream->model));
    (void)json_i64(doc, json_get(doc, 0, VSR_STR("created")), &stream->created); /* stays 0 when unknown */
}

static bool says_something(const struct json_doc *doc, json_ref delta) {
    static const vsr_str texts[] = { VSR_STR_INIT("content"), VSR_STR_INIT("reasoning_content"),
                                     VSR_STR_INIT("reasoning"), VSR_STR_INIT("refusal") };
    static const vsr_str calls[] = { VSR_STR_INIT("tool_calls"), VSR_STR_INIT("function_call") };
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        json_ref text = json_get(doc, delta, texts[i]);
        if (json_is(doc, text, JSON_STRING) ? json_str_len(doc, text) > 0 : json_first(doc, text) != JSON_NONE)
            return true;
    }
    for (size_t i = 0; i < VSR_COUNT(calls); i++)
        if (json_first(doc, json_get(doc, delta, calls[i])) != JSON_NONE)
            return true;
    return false;
}

static void read_finish(struct chat_stream *stream, struct arena *scratch, const struct json_doc *doc,
                        json_ref choice) {
    json_ref reason = json_get(doc, choice, VSR_STR("finish_reason"));
    int64_t index = 0;
    if (!json_is(doc, reason, JSON_STRING))
        return;
    (void)json_i64(doc, json_get(doc, choice, VSR_STR("index")), &index); /* 0 when a backend leaves it out */
    if (stream->n_finished++ > 0 && index >= stream->finish_index)
        return;
    stream->finish_index = index;
    stream->finish_reason_len = copy_text(scratch, doc, reason, stream->finish_reason, sizeof(stream->finish_reason));
}

static void read_choices(struct chat_stream *stream, struct arena *scratch, const struct json_doc *doc,
                         json_ref choices) {
    if (!json_is(doc, choices, JSON_ARRAY))
        return;
    for (json_ref choice = json_first(doc, choices); choice != JSON_NONE; choice = json_next(doc, choices, choice)) {
        if (!stream->has_payload && says_something(doc, json_get(doc, choice, VSR_STR("delta"))))
            stream->has_payload = true;
        read_finish(stream, scratch, doc, choice);
    }
}

static void read_usage(struct chat_stream *stream, const struct json_doc *doc, json_ref choices) {
    struct usage usage;
    if (!usage_read_answer(doc, &usage))
        return;
    if (usage.has || usage.malformed)
        stream->usage = usage;
    stream->usage_only = json_is(doc, choices, JSON_ARRAY) && json_first(doc, choices) == JSON_NONE;
}

static void read_parsed(struct chat_stream *stream, struct arena *scratch, const struct json_doc *doc) {
    json_ref choices = json_get(doc, 0, VSR_STR("choices")), error = json_get(doc, 0, VSR_STR("error"));
    if (error != JSON_NONE && !json_is(doc, error, JSON_NULL))
        stream->has_error = true;
    read_head(stream, scratch, doc);
    read_choices(stream, scratch, doc, choices);
    read_usage(stream, doc, choices);
}

/* The arena lives for one chunk: few are parsed, and a stream that waits for the next one should not hold it. */
static void read_chunk(struct chat_stream *stream, vsr_str data) {
    struct arena *scratch = arena_new(SCRATCH_CHUNK_LEN, SCRATCH_LEN_MAX);
    struct json_doc doc;
    if (json_parse(scratch, data, &doc, NULL) < 0 || !json_is(&doc, 0, JSON_OBJECT))
        stream->malformed = true;
    else
        read_parsed(stream, scratch, &doc);
    arena_free(scratch);
}

static void on_event(void *user, const struct sse_event *event) {
    struct chat_stream *stream = user;
    stream->usage_only = false;
    if (event->comment_only || stream->has_done) /* what follows [DONE] is no part of the answer */
        return;
    if (str_eq(str_trim(event->data), VSR_STR("[DONE]"))) {
        stream->has_done = true;
        return;
    }
    stream->n_frames++;
    if (str_eq(event->type, VSR_STR("error")))
        stream->has_error = true;
    if (worth_parsing(stream, event->data))
        read_chunk(stream, event->data);
}

/* ---- feeding */

void chat_stream_feed(struct chat_stream *stream, vsr_str bytes) {
    sse_feed(&stream->sse, bytes);
}

bool chat_stream_feed_frame(struct chat_stream *stream, vsr_str *bytes) {
    stream->usage_only = false; /* a stray blank line raises no event */
    return sse_feed_frame(&stream->sse, bytes);
}

void chat_stream_finish(struct chat_stream *stream) {
    stream->usage_only = false;
    sse_finish(&stream->sse);
    stream->ended = true;
}

bool chat_stream_complete(const struct chat_stream *stream) {
    return stream->has_done || (stream->ended && stream->n_finished > 0);
}
