/*
 * chat_encoder - answers as Chat Completions clients expect them.
 *
 * Streamed: one chunk per delta, the role in a chunk of its own first. Usage comes as OpenAI sends it: in a chunk with
 * empty `choices` before `[DONE]`, and only when the client asked for it; finish reasons never carry it. No `[DONE]`
 * follows an error. Calls of tools that the provider runs are shown as calls but make no finish reason `tool_calls`:
 * the client has nothing to answer.
 */
#include "core/arena.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "wire/encoder_kind.h"
#include "wire/member_write.h"
#include "wire/sse_write.h"

/* What a choice needs beside its collected texts. Bufs hold elements of JSON arrays, joined by commas. */
struct chat_shown {
    bool role_sent, finished, has_client_tool;
    struct buf logprobs, images, annotations;
};

struct chat_encoder {
    struct encoder base;
    struct answer *answer; /* whole */
    struct chat_shown *choices[ANSWER_CHOICES_MAX];
    vsr_str id, model;
    vsr_str head; /* streamed: how each chunk begins */
    int64_t created;
    struct usage usage;
    bool begun;
};

static struct chat_encoder *self(struct encoder *encoder) {
    return (struct chat_encoder *)encoder;
}

static void init(struct encoder *encoder) {
    struct chat_encoder *e = self(encoder);
    if (!encoder->options.streamed)
        e->answer = answer_new(encoder->arena, ENCODER_BODY_LEN_MAX);
}

static void done(struct encoder *encoder) {
    struct chat_encoder *e = self(encoder);
    for (size_t i = 0; i < ANSWER_CHOICES_MAX; i++) {
        if (!e->choices[i])
            continue;
        buf_done(&e->choices[i]->logprobs);
        buf_done(&e->choices[i]->images);
        buf_done(&e->choices[i]->annotations);
        mem_free(e->choices[i]);
    }
}

/* NULL past the limit. */
static struct chat_shown *shown(struct chat_encoder *e, uint32_t index) {
    struct chat_shown *choice;
    if (index >= ANSWER_CHOICES_MAX)
        return NULL;
    if (e->choices[index])
        return e->choices[index];
    choice = e->choices[index] = MEM_NEW(struct chat_shown);
    buf_init(&choice->logprobs, ENCODER_BODY_LEN_MAX);
    buf_init(&choice->images, ENCODER_BODY_LEN_MAX);
    buf_init(&choice->annotations, ENCODER_BODY_LEN_MAX);
    return choice;
}

/* ---- finish */

static vsr_str finish_word(const struct chat_encoder *e, enum finish finish, bool has_client_tool) {
    switch (finish) {
    case FINISH_LENGTH:
    case FINISH_CONTEXT:
        return VSR_STR("length");
    case FINISH_CONTENT_FILTER:
    case FINISH_REFUSAL:
        return VSR_STR("content_filter");
    case FINISH_TOOL_CALLS:
        return VSR_STR("tool_calls");
    case FINISH_STOP:
        if (e->base.options.upstream == PROTOCOL_CHAT) /* OpenAI itself says stop where a call was forced */
            return VSR_STR("stop");
        break;
    case FINISH_NONE:
    case FINISH_PAUSE:
    case FINISH_STOP_SEQUENCE:
        break;
    }
    return has_client_tool ? VSR_STR("tool_calls") : VSR_STR("stop");
}

static void warn_finish(struct chat_encoder *e, enum finish finish) {
    if (finish == FINISH_NONE)
        encoder_warn(&e->base, WARNING_INFO, "finish_reason_unknown", VSR_STR("taken for stop"));
    if (finish == FINISH_PAUSE)
        encoder_warn(&e->base, WARNING_LOSSY, "pause_turn", VSR_STR("taken for stop"));
}

/* `id`, `object`, `created`, `model`, inside an object. */
static void write_head(const struct chat_encoder *e, struct json_writer *w, vsr_str object) {
    member_str(w, "id", e->id);
    member_str(w, "object", object);
    member_i64(w, "created", e->created);
    member_str(w, "model", e->model);
}

/* ---- chunks */

/*
 * Chunks are put together from literal pieces, with the head that all of them share written once: a stream is mostly
 * these.
 */
static void put(struct chat_encoder *e, vsr_str piece) {
    buf_append(e->base.out, piece);
}

static void put_value(struct chat_encoder *e, vsr_str text) {
    json_quote(e->base.out, text);
}

/* `data: {"id":...,"choices":[` in the arena. */
static void make_head(struct chat_encoder *e) {
    struct json_writer w;
    struct buf head;
    buf_init(&head, ENCODER_BODY_LEN_MAX);
    sse_write_begin(&head, str_make(NULL, 0));
    json_write_init(&w, &head);
    json_write_begin_object(&w);
    write_head(e, &w, VSR_STR("chat.completion.chunk"));
    buf_append(&head, VSR_STR(",\"choices\":["));
    e->head = arena_str(e->base.arena, buf_str(&head));
    buf_done(&head);
}

/* What follows are members of `delta`. */
static void begin_delta(struct chat_encoder *e, uint32_t choice) {
    put(e, e->head);
    put(e, VSR_STR("{\"index\":"));
    buf_append_u64(e->base.out, choice);
    put(e, VSR_STR(",\"delta\":{"));
}

/* `finish` empty: null. `logprobs`: a raw array, or empty. */
static void end_delta(struct chat_encoder *e, vsr_str logprobs, vsr_str finish) {
    if (logprobs.len > 0) {
        put(e, VSR_STR("},\"logprobs\":{\"content\":"));
        put(e, logprobs);
        put(e, VSR_STR(",\"refusal\":null"));
    }
    put(e, VSR_STR("},\"finish_reason\":"));
    if (finish.len > 0)
        put_value(e, finish);
    else
        put(e, VSR_STR("null"));
    put(e, VSR_STR("}]}\n\n"));
}

static const vsr_str none = VSR_STR_INIT("");

static void send_role(struct chat_encoder *e, struct chat_shown *choice, uint32_t index) {
    if (choice->role_sent)
        return;
    choice->role_sent = true;
    begin_delta(e, index);
    put(e, VSR_STR("\"role\":\"assistant\",\"content\":\"\""));
    end_delta(e, none, none);
}

/* `member` with its quotes and colon. */
static void send_text(struct chat_encoder *e, const struct answer_delta *delta, vsr_str member) {
    begin_delta(e, delta->choice);
    put(e, member);
    put_value(e, delta->text);
    end_delta(e, none, none);
}

static void send_tool(struct chat_encoder *e, const struct answer_delta *delta) {
    begin_delta(e, delta->choice);
    put(e, VSR_STR("\"tool_calls\":[{\"index\":"));
    buf_append_u64(e->base.out, delta->index);
    if (delta->kind == DELTA_TOOL_BEGIN) {
        put(e, VSR_STR(",\"id\":"));
        put_value(e, delta->id.len > 0 ? delta->id : protocol_mint_id(e->base.arena, VSR_STR("call_")));
        put(e, VSR_STR(",\"type\":\"function\",\"function\":{\"name\":"));
        put_value(e, delta->name);
        put(e, VSR_STR(",\"arguments\":\"\""));
    } else {
        put(e, VSR_STR(",\"function\":{\"arguments\":"));
        put_value(e, delta->text);
    }
    put(e, VSR_STR("}}]"));
    end_delta(e, none, none);
}

static void write_image(struct json_writer *w, vsr_str url) {
    json_write_begin_object(w);
    member_str(w, "type", VSR_STR("image_url"));
    member_key(w, "image_url");
    json_write_begin_object(w);
    member_str(w, "url", url);
    json_write_end(w);
    json_write_end(w);
}

static void send_image(struct chat_encoder *e, const struct answer_delta *delta) {
    struct json_writer w;
    begin_delta(e, delta->choice);
    put(e, VSR_STR("\"images\":["));
    json_write_init(&w, e->base.out);
    write_image(&w, delta->text);
    put(e, VSR_STR("]"));
    end_delta(e, none, none);
}

static void send_annotation(struct chat_encoder *e, const struct answer_delta *delta) {
    begin_delta(e, delta->choice);
    put(e, VSR_STR("\"annotations\":["));
    put(e, delta->text);
    put(e, VSR_STR("]"));
    end_delta(e, none, none);
}

static void send_logprobs(struct chat_encoder *e, const struct answer_delta *delta) {
    begin_delta(e, delta->choice);
    end_delta(e, delta->text, none);
}

static void send_finish(struct chat_encoder *e, struct chat_shown *choice, uint32_t index, enum finish finish) {
    if (choice->finished)
        return;
    choice->finished = true;
    warn_finish(e, finish);
    begin_delta(e, index);
    end_delta(e, none, finish_word(e, finish, choice->has_client_tool));
}

static void send_end(struct chat_encoder *e) {
    struct json_writer w;
    for (uint32_t i = 0; i < ANSWER_CHOICES_MAX; i++)
        if (e->choices[i])
            send_finish(e, e->choices[i], i, FINISH_NONE);
    if (e->base.options.include_usage && e->usage.has) {
        put(e, e->head);
        put(e, VSR_STR("],\"usage\":"));
        json_write_init(&w, e->base.out);
        usage_write_chat(&w, &e->usage);
        put(e, VSR_STR("}\n\n"));
    }
    sse_write(e->base.out, none, VSR_STR("[DONE]"));
}

static void send_delta(struct chat_encoder *e, struct chat_shown *choice, const struct answer_delta *delta) {
    send_role(e, choice, delta->choice);
    switch (delta->kind) {
    case DELTA_TEXT:
        send_text(e, delta, VSR_STR("\"content\":"));
        break;
    case DELTA_REASONING:
    case DELTA_REASONING_SUMMARY:
        send_text(e, delta, VSR_STR("\"reasoning_content\":"));
        break;
    case DELTA_REFUSAL:
        send_text(e, delta, VSR_STR("\"refusal\":"));
        break;
    case DELTA_TOOL_BEGIN:
    case DELTA_TOOL_ARGUMENTS:
        send_tool(e, delta);
        break;
    case DELTA_IMAGE:
        send_image(e, delta);
        break;
    case DELTA_CITATION:
        send_annotation(e, delta);
        break;
    case DELTA_LOGPROBS:
        send_logprobs(e, delta);
        break;
    case DELTA_FINISH:
        send_finish(e, choice, delta->choice, delta->finish);
        break;
    default:
        break;
    }
}

/* ---- whole */

static void add_raw(struct buf *out, vsr_str raw) {
    if (out->len > 0)
        buf_append_char(out, ',');
    buf_append(out, raw);
}

static void collect(struct chat_shown *choice, const struct answer_delta *delta) {
    struct json_writer w;
    switch (delta->kind) {
    case DELTA_LOGPROBS: /* an array: its inside */
        add_raw(&choice->logprobs, str_sub(delta->text, 1, delta->text.len - 1));
        break;
    case DELTA_CITATION:
        add_raw(&choice->annotations, delta->text);
        break;
    case DELTA_IMAGE:
        if (choice->images.len > 0)
            buf_append_char(&choice->images, ',');
        json_write_init(&w, &choice->images);
        write_image(&w, delta->text);
        break;
    default:
        break;
    }
}

static void write_tools(struct chat_encoder *e, struct json_writer *w, const struct answer_choice *choice) {
    member_key(w, "tool_calls");
    json_write_begin_array(w);
    for (size_t i = 0; i < choice->n_tools; i++) {
        const struct answer_tool *tool = &choice->tools[i];
        json_write_begin_object(w);
        member_str(w, "id", tool->id.len > 0 ? tool->id : protocol_mint_id(e->base.arena, VSR_STR("call_")));
        member_str(w, "type", VSR_STR("function"));
        member_key(w, "function");
        json_write_begin_object(w);
        member_str(w, "name", tool->name);
        member_str(w, "arguments", tool->arguments);
        json_write_end(w);
        json_write_end(w);
    }
    json_write_end(w);
}

static void write_array(struct json_writer *w, vsr_str key, const struct buf *elements) {
    if (elements->len == 0)
        return;
    json_write_key(w, key);
    json_write_begin_array(w);
    json_write_raw(w, buf_str(elements));
    json_write_end(w);
}

static void write_reasoning(struct json_writer *w, const struct answer_choice *choice) {
    vsr_str reasoning = choice->reasoning.len > 0 ? choice->reasoning : choice->summary;
    if (reasoning.len == 0)
        return;
    member_str(w, "reasoning_content", reasoning);
}

static void write_text(struct json_writer *w, vsr_str key, vsr_str text, bool null_when_empty) {
    json_write_key(w, key);
    if (text.len == 0 && null_when_empty)
        json_write_null(w);
    else
        json_write_str(w, text);
}

static void write_choice(struct chat_encoder *e, struct json_writer *w, const struct answer_choice *choice) {
    const struct chat_shown *extra = shown(e, choice->index);
    json_write_begin_object(w);
    member_u64(w, "index", choice->index);
    member_key(w, "message");
    json_write_begin_object(w);
    member_str(w, "role", VSR_STR("assistant"));
    write_text(w, VSR_STR("content"), choice->text, choice->n_tools > 0 || choice->refusal.len > 0);
    write_reasoning(w, choice);
    write_text(w, VSR_STR("refusal"), choice->refusal, true);
    write_array(w, VSR_STR("annotations"), &extra->annotations);
    write_array(w, VSR_STR("images"), &extra->images);
    if (choice->n_tools > 0)
        write_tools(e, w, choice);
    json_write_end(w);
    member_key(w, "logprobs");
    if (extra->logprobs.len > 0) {
        json_write_begin_object(w);
        write_array(w, VSR_STR("content"), &extra->logprobs);
        member_key(w, "refusal");
        json_write_null(w);
        json_write_end(w);
    } else {
        json_write_null(w);
    }
    member_str(w, "finish_reason", finish_word(e, choice->finish, extra->has_client_tool));
    warn_finish(e, choice->finish);
    json_write_end(w);
}

static void write_whole(struct chat_encoder *e) {
    struct json_writer w;
    json_write_init(&w, e->base.out);
    json_write_begin_object(&w);
    write_head(e, &w, VSR_STR("chat.completion"));
    member_key(&w, "choices");
    json_write_begin_array(&w);
    for (size_t i = 0; i < answer_n_choices(e->answer); i++)
        write_choice(e, &w, answer_choice(e->answer, i));
    json_write_end(&w);
    if (e->usage.has) {
        member_key(&w, "usage");
        usage_write_chat(&w, &e->usage);
    }
    json_write_end(&w);
}

static bool extras_failed(const struct chat_encoder *e) {
    for (size_t i = 0; i < ANSWER_CHOICES_MAX; i++)
        if (e->choices[i] && (buf_failed(&e->choices[i]->logprobs) || buf_failed(&e->choices[i]->images) ||
                              buf_failed(&e->choices[i]->annotations)))
            return true;
    return false;
}

static void end_whole(struct chat_encoder *e) {
    if (answer_head(e->answer)->too_long || extras_failed(e))
        encoder_write_error(&e->base, &encoder_too_long);
    else
        write_whole(e);
}

/* ---- the kind */

static void begin(struct chat_encoder *e, const struct answer_delta *delta) {
    bool says = delta->kind == DELTA_BEGIN;
    if (e->begun)
        return;
    e->begun = true;
    e->id = encoder_id(&e->base, says ? delta->id : none, VSR_STR("chatcmpl-"));
    e->model =
        e->base.options.model.len > 0 ? e->base.options.model : encoder_keep(&e->base, says ? delta->name : none);
    e->created = says && delta->created > 0 ? delta->created : e->base.options.now_s;
    if (e->base.options.streamed)
        make_head(e);
    if (e->base.options.streamed && says)
        send_role(e, shown(e, 0), 0);
}

/* What Chat Completions has no words for. */
static bool is_lost(struct chat_encoder *e, const struct answer_delta *delta) {
    switch (delta->kind) {
    case DELTA_REASONING_SIGNATURE: /* of no use without the protocol that asks for it back */
        return true;
    case DELTA_REASONING_REDACTED:
        encoder_warn(&e->base, WARNING_LOSSY, "redacted_thinking_dropped", none);
        return true;
    case DELTA_CITATION:
        if (delta->family == PROTOCOL_CHAT)
            return false;
        encoder_warn(&e->base, WARNING_LOSSY, "citation_dropped", none);
        return true;
    case DELTA_FOREIGN:
        encoder_warn(&e->base, WARNING_LOSSY, "block_dropped", delta->name);
        return true;
    default:
        return delta->choice >= ANSWER_CHOICES_MAX;
    }
}

static void take_said(struct chat_encoder *e, const struct answer_delta *delta) {
    struct chat_shown *choice = shown(e, delta->choice);
    if (delta->kind == DELTA_TOOL_BEGIN && !delta->server)
        choice->has_client_tool = true;
    if (e->base.options.streamed)
        send_delta(e, choice, delta);
    else
        collect(choice, delta);
}

static void take_error(struct chat_encoder *e, const struct answer_delta *delta) {
    encoder_write_error(&e->base, &delta->error);
}

static void take_end(struct chat_encoder *e, const struct answer_delta *delta) {
    if (e->base.failed)
        return;
    begin(e, delta);
    if (e->base.options.streamed)
        send_end(e);
    else
        end_whole(e);
}

static void take(struct encoder *encoder, const struct answer_delta *delta) {
    struct chat_encoder *e = self(encoder);
    if (e->answer)
        answer_take(e->answer, delta);
    switch (delta->kind) {
    case DELTA_BEGIN:
        begin(e, delta);
        break;
    case DELTA_USAGE:
        e->usage = *delta->usage;
        break;
    case DELTA_PING:
        break;
    case DELTA_ERROR:
        take_error(e, delta);
        break;
    case DELTA_END:
        take_end(e, delta);
        break;
    default:
        begin(e, delta);
        if (!is_lost(e, delta))
            take_said(e, delta);
    }
}

static void ping(struct encoder *encoder) {
    buf_append(encoder->out, VSR_STR(": keep-alive\n\n"));
}

const struct encoder_kind encoder_chat = {
    .size = sizeof(struct chat_encoder),
    .init = init,
    .take = take,
    .ping = ping,
    .done = done,
};
