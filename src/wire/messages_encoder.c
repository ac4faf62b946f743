/*
 * messages_encoder - answers as Anthropic Messages clients expect them.
 *
 * An answer is a list of blocks. A text or thinking block is open until something of another kind, or of another block
 * of the backend's, comes; blocks of tool calls are open until their call ends, so that parallel calls can grow side by
 * side. A stream sends blocks as they grow and forgets what was in them; a whole answer keeps them to the end.
 *
 * `message_start` waits for the first thing that is said, because usage known by then belongs into it. The last two
 * events wait for END: backends send the right usage behind the finish reason. No `message_stop` follows an error.
 */
#include "core/arena.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "wire/encoder_kind.h"
#include "wire/member_write.h"
#include "wire/sse_write.h"

enum { BLOCKS_MAX = 4096 };

enum block_kind { BLOCK_TEXT, BLOCK_REFUSAL, BLOCK_THINKING, BLOCK_TOOL, BLOCK_SERVER_TOOL, BLOCK_RAW };

struct block {
    enum block_kind kind;
    bool open;
    uint32_t key;     /* delta->index of what it holds */
    vsr_str id, name; /* of a call */
    struct buf text;  /* whole: text, thinking, arguments or raw JSON */
    struct buf more;  /* whole: signature, or citations joined by commas */
};

struct messages_encoder {
    struct encoder base;
    struct block *blocks;
    size_t n_blocks, blocks_cap;
    vsr_str id, model;
    struct usage usage;
    enum finish finish;
    vsr_str stop_sequence;
    bool begun; /* there was a BEGIN: id and model are known */
    bool started, has_client_tool, refused, too_long;
};

static const vsr_str none = VSR_STR_INIT("");

static struct messages_encoder *self(struct encoder *encoder) {
    return (struct messages_encoder *)encoder;
}

static bool is_streamed(const struct messages_encoder *e) {
    return e->base.options.streamed;
}

static void done(struct encoder *encoder) {
    struct messages_encoder *e = self(encoder);
    for (size_t i = 0; i < e->n_blocks; i++) {
        buf_done(&e->blocks[i].text);
        buf_done(&e->blocks[i].more);
    }
    mem_free(e->blocks);
}

/* ---- events */

static void begin_event(struct messages_encoder *e, struct json_writer *w, vsr_str type) {
    sse_write_begin(e->base.out, type);
    json_write_init(w, e->base.out);
    json_write_begin_object(w);
    member_str(w, "type", type);
}

static void end_event(struct messages_encoder *e, struct json_writer *w) {
    json_write_end(w);
    sse_write_end(e->base.out);
}

static void begin_index_event(struct messages_encoder *e, struct json_writer *w, vsr_str type, size_t index) {
    begin_event(e, w, type);
    member_key(w, "index");
    json_write_u64(w, index);
}

/* `{id, type, role, model}` of the message, inside an object. */
static void write_message_head(const struct messages_encoder *e, struct json_writer *w) {
    member_str(w, "id", e->id);
    member_str(w, "type", VSR_STR("message"));
    member_str(w, "role", VSR_STR("assistant"));
    member_str(w, "model", e->model);
}

static void send_message_start(struct messages_encoder *e) {
    struct usage usage = e->usage;
    struct json_writer w;
    usage.completion = 1; /* as Anthropic begins to count */
    begin_event(e, &w, VSR_STR("message_start"));
    member_key(&w, "message");
    json_write_begin_object(&w);
    write_message_head(e, &w);
    member_key(&w, "content");
    json_write_begin_array(&w);
    json_write_end(&w);
    member_key(&w, "stop_reason");
    json_write_null(&w);
    member_key(&w, "stop_sequence");
    json_write_null(&w);
    member_key(&w, "usage");
    usage_write_messages(&w, &usage);
    json_write_end(&w);
    end_event(e, &w);
}

/* Put together from literal pieces, because a stream is mostly these. `type` has its quotes,
 * `member` a comma and a colon, too. */
static void send_delta(struct messages_encoder *e, size_t index, vsr_str type, vsr_str member, vsr_str text, bool raw) {
    struct buf *out = e->base.out;
    buf_append(out, VSR_STR("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"));
    buf_append_u64(out, index);
    buf_append(out, VSR_STR(",\"delta\":{\"type\":"));
    buf_append(out, type);
    buf_append(out, member);
    if (raw)
        buf_append(out, text);
    else
        json_quote(out, text);
    buf_append(out, VSR_STR("}}\n\n"));
}

static void send_block_stop(struct messages_encoder *e, size_t index) {
    struct json_writer w;
    begin_index_event(e, &w, VSR_STR("content_block_stop"), index);
    end_event(e, &w);
}

static void ping(struct encoder *encoder) {
    sse_write(encoder->out, VSR_STR("ping"), VSR_STR("{\"type\":\"ping\"}"));
}

/* ---- blocks */

/* A call's arguments as the object they have to be. */
static void write_input(struct messages_encoder *e, struct json_writer *w, vsr_str arguments) {
    struct arena *scratch;
    struct json_doc doc;
    member_key(w, "input");
    if (str_trim(arguments).len == 0) {
        json_write_raw(w, VSR_STR("{}"));
        return;
    }
    scratch = arena_new(0, 0);
    if (json_parse(scratch, arguments, &doc, NULL) == 0 && json_is(&doc, 0, JSON_OBJECT)) {
        json_write_raw(w, str_trim(arguments));
    } else {
        encoder_warn(&e->base, WARNING_ERROR, "tool_arguments_malformed", VSR_STR("no JSON object"));
        json_write_raw(w, VSR_STR("{}"));
    }
    arena_free(scratch);
}

/* The block as it begins in a stream, or as it is in the end: what it holds is empty while it is streamed. */
static void write_block(struct messages_encoder *e, struct json_writer *w, const struct block *block) {
    if (block->kind == BLOCK_RAW) {
        json_write_raw(w, buf_str(&block->text));
        return;
    }
    json_write_begin_object(w);
    switch (block->kind) {
    case BLOCK_TEXT:
    case BLOCK_REFUSAL:
        member_str(w, "type", VSR_STR("text"));
        member_str(w, "text", buf_str(&block->text));
        if (block->more.len > 0) {
            member_key(w, "citations");
            json_write_begin_array(w);
            json_write_raw(w, buf_str(&block->more));
            json_write_end(w);
        }
        break;
    case BLOCK_THINKING:
        member_str(w, "type", VSR_STR("thinking"));
        member_str(w, "thinking", buf_str(&block->text));
        member_str(w, "signature", buf_str(&block->more));
        break;
    case BLOCK_TOOL:
    case BLOCK_SERVER_TOOL:
        member_str(w, "type", block->kind == BLOCK_TOOL ? VSR_STR("tool_use") : VSR_STR("server_tool_use"));
        member_str(w, "id", block->id);
        member_str(w, "name", block->name);
        write_input(e, w, buf_str(&block->text));
        break;
    case BLOCK_RAW:
        break;
    }
    json_write_end(w);
}

static void close_block(struct messages_encoder *e, size_t at) {
    if (!e->blocks[at].open)
        return;
    e->blocks[at].open = false;
    if (is_streamed(e))
        send_block_stop(e, at);
}

static bool is_call(enum block_kind kind) {
    return kind == BLOCK_TOOL || kind == BLOCK_SERVER_TOOL;
}

/* Calls stay open. */
static void close_said(struct messages_encoder *e) {
    for (size_t i = 0; i < e->n_blocks; i++)
        if (!is_call(e->blocks[i].kind))
            close_block(e, i);
}

/* NULL past the limit, or without memory. Closes what must not stay open beside it. */
static struct block *add_block(struct messages_encoder *e, enum block_kind kind, uint32_t key) {
    struct block *block;
    close_said(e);
    if (e->n_blocks == e->blocks_cap) {
        size_t cap = e->blocks_cap ? e->blocks_cap * 2 : 4;
        struct block *blocks = cap > BLOCKS_MAX ? NULL : mem_try_realloc(e->blocks, cap * sizeof(struct block));
        if (!blocks) {
            e->too_long = true;
            return NULL;
        }
        e->blocks = blocks;
        e->blocks_cap = cap;
    }
    block = &e->blocks[e->n_blocks++];
    *block = (struct block){ .kind = kind, .open = true, .key = key };
    buf_init(&block->text, ENCODER_BODY_LEN_MAX);
    buf_init(&block->more, ENCODER_BODY_LEN_MAX);
    return block;
}

static size_t index_of(const struct messages_encoder *e, const struct block *block) {
    return (size_t)(block - e->blocks);
}

static void send_block_start(struct messages_encoder *e, const struct block *block) {
    struct json_writer w;
    if (!is_streamed(e))
        return;
    begin_index_event(e, &w, VSR_STR("content_block_start"), index_of(e, block));
    member_key(&w, "content_block");
    write_block(e, &w, block);
    end_event(e, &w);
}

/* The open block that this belongs to, or a new one. A call has no place here. */
static struct block *said_block(struct messages_encoder *e, enum block_kind kind, uint32_t key) {
    struct block *block;
    for (size_t i = e->n_blocks; i-- > 0;)
        if (e->blocks[i].open && e->blocks[i].kind == kind && e->blocks[i].key == key)
            return &e->blocks[i];
    block = add_block(e, kind, key);
    if (block)
        send_block_start(e, block);
    return block;
}

static void grow(struct messages_encoder *e, struct buf *out, vsr_str text) {
    if (buf_append(out, text) < 0)
        e->too_long = true;
}

/* ---- deltas */

static void take_text(struct messages_encoder *e, const struct answer_delta *delta, enum block_kind kind) {
    struct block *block = said_block(e, kind, delta->index);
    bool is_thinking = kind == BLOCK_THINKING;
    if (!block)
        return;
    if (!is_streamed(e))
        grow(e, &block->text, delta->text);
    else if (is_thinking)
        send_delta(e, index_of(e, block), VSR_STR("\"thinking_delta\""), VSR_STR(",\"thinking\":"), delta->text, false);
    else
        send_delta(e, index_of(e, block), VSR_STR("\"text_delta\""), VSR_STR(",\"text\":"), delta->text, false);
}

static void take_signature(struct messages_encoder *e, const struct answer_delta *delta) {
    struct block *block = said_block(e, BLOCK_THINKING, delta->index);
    if (!block)
        return;
    if (is_streamed(e))
        send_delta(e, index_of(e, block), VSR_STR("\"signature_delta\""), VSR_STR(",\"signature\":"), delta->text,
                   false);
    else
        grow(e, &block->more, delta->text);
}

static void take_citation(struct messages_encoder *e, const struct answer_delta *delta) {
    struct block *block;
    if (delta->family != PROTOCOL_MESSAGES) {
        encoder_warn(&e->base, WARNING_LOSSY, "citation_dropped", none);
        return;
    }
    block = said_block(e, BLOCK_TEXT, delta->index);
    if (!block)
        return;
    if (is_streamed(e)) {
        send_delta(e, index_of(e, block), VSR_STR("\"citations_delta\""), VSR_STR(",\"citation\":"), delta->text, true);
        return;
    }
    if (block->more.len > 0)
        grow(e, &block->more, VSR_STR(","));
    grow(e, &block->more, delta->text);
}

/* A block that is complete as it comes. */
static void add_raw(struct messages_encoder *e, uint32_t key, vsr_str raw) {
    struct block *block = add_block(e, BLOCK_RAW, key);
    if (!block)
        return;
    grow(e, &block->text, raw);
    send_block_start(e, block);
    if (is_streamed(e))
        buf_done(&block->text);
    close_block(e, index_of(e, block));
}

static void take_redacted(struct messages_encoder *e, const struct answer_delta *delta) {
    struct json_writer w;
    struct buf raw;
    buf_init(&raw, ENCODER_BODY_LEN_MAX);
    json_write_init(&w, &raw);
    json_write_begin_object(&w);
    member_str(&w, "type", VSR_STR("redacted_thinking"));
    member_str(&w, "data", delta->text);
    json_write_end(&w);
    if (buf_failed(&raw))
        e->too_long = true;
    else
        add_raw(e, delta->index, buf_str(&raw));
    buf_done(&raw);
}

static struct block *call_block(struct messages_encoder *e, uint32_t number) {
    for (size_t i = e->n_blocks; i-- > 0;)
        if (is_call(e->blocks[i].kind) && e->blocks[i].key == number)
            return &e->blocks[i];
    return NULL;
}

static void take_tool_begin(struct messages_encoder *e, const struct answer_delta *delta) {
    struct block *block = add_block(e, delta->server ? BLOCK_SERVER_TOOL : BLOCK_TOOL, delta->index);
    if (!block)
        return;
    e->has_client_tool |= !delta->server;
    block->id =
        delta->id.len > 0 ? encoder_keep(&e->base, delta->id) : protocol_mint_id(e->base.arena, VSR_STR("toolu_"));
    block->name = encoder_keep(&e->base, delta->name);
    send_block_start(e, block);
}

static void take_tool(struct messages_encoder *e, const struct answer_delta *delta) {
    struct block *block = call_block(e, delta->index);
    if (!block || !block->open)
        return;
    if (delta->kind == DELTA_TOOL_END)
        close_block(e, index_of(e, block));
    else if (is_streamed(e))
        send_delta(e, index_of(e, block), VSR_STR("\"input_json_delta\""), VSR_STR(",\"partial_json\":"), delta->text,
                   false);
    else
        grow(e, &block->text, delta->text);
}

static void take_foreign(struct messages_encoder *e, const struct answer_delta *delta) {
    if (delta->family == PROTOCOL_MESSAGES)
        add_raw(e, delta->index, delta->text);
    else
        encoder_warn(&e->base, WARNING_LOSSY, "block_dropped", delta->name);
}

/* ---- the end */

static vsr_str stop_reason(struct messages_encoder *e) {
    switch (e->finish) {
    case FINISH_LENGTH:
        return VSR_STR("max_tokens");
    case FINISH_TOOL_CALLS:
        return VSR_STR("tool_use");
    case FINISH_CONTENT_FILTER:
    case FINISH_REFUSAL:
        return VSR_STR("refusal");
    case FINISH_PAUSE:
        return VSR_STR("pause_turn");
    case FINISH_STOP_SEQUENCE:
        return VSR_STR("stop_sequence");
    case FINISH_CONTEXT:
        return VSR_STR("model_context_window_exceeded");
    case FINISH_NONE:
        encoder_warn(&e->base, WARNING_INFO, "finish_reason_unknown", VSR_STR("taken for end_turn"));
        break;
    case FINISH_STOP: /* OpenAI's word also where a call was forced */
        break;
    }
    return e->has_client_tool ? VSR_STR("tool_use") : VSR_STR("end_turn");
}

/* `stop_reason` and `stop_sequence`, inside an object. */
static void write_stop(struct messages_encoder *e, struct json_writer *w) {
    member_str(w, "stop_reason", stop_reason(e));
    member_key(w, "stop_sequence");
    if (e->finish == FINISH_STOP_SEQUENCE && e->stop_sequence.len > 0)
        json_write_str(w, e->stop_sequence);
    else
        json_write_null(w);
}

static void send_end(struct messages_encoder *e) {
    struct json_writer w;
    for (size_t i = 0; i < e->n_blocks; i++)
        close_block(e, i);
    begin_event(e, &w, VSR_STR("message_delta"));
    member_key(&w, "delta");
    json_write_begin_object(&w);
    write_stop(e, &w);
    json_write_end(&w);
    member_key(&w, "usage");
    usage_write_messages(&w, &e->usage);
    end_event(e, &w);
    begin_event(e, &w, VSR_STR("message_stop"));
    end_event(e, &w);
}

static void write_whole(struct messages_encoder *e) {
    struct json_writer w;
    json_write_init(&w, e->base.out);
    json_write_begin_object(&w);
    write_message_head(e, &w);
    member_key(&w, "content");
    json_write_begin_array(&w);
    for (size_t i = 0; i < e->n_blocks; i++)
        if (!e->refused || e->blocks[i].kind != BLOCK_TEXT) /* what was refused stands in place of the text */
            write_block(e, &w, &e->blocks[i]);
    json_write_end(&w);
    write_stop(e, &w);
    member_key(&w, "usage");
    usage_write_messages(&w, &e->usage);
    json_write_end(&w);
}

/* ---- the kind */

static void begin(struct messages_encoder *e, const struct answer_delta *delta) {
    bool says = delta->kind == DELTA_BEGIN;
    if (e->begun)
        return;
    e->begun = true;
    e->id = encoder_id(&e->base, says ? delta->id : none, VSR_STR("msg_"));
    e->model =
        e->base.options.model.len > 0 ? e->base.options.model : encoder_keep(&e->base, says ? delta->name : none);
}

static void start(struct messages_encoder *e, const struct answer_delta *delta) {
    begin(e, delta);
    if (e->started)
        return;
    e->started = true;
    if (is_streamed(e))
        send_message_start(e);
}

static void take_said(struct messages_encoder *e, const struct answer_delta *delta) {
    switch (delta->kind) {
    case DELTA_TEXT:
        take_text(e, delta, BLOCK_TEXT);
        break;
    case DELTA_REFUSAL:
        e->refused = true;
        take_text(e, delta, BLOCK_REFUSAL);
        break;
    case DELTA_REASONING:
    case DELTA_REASONING_SUMMARY:
        take_text(e, delta, BLOCK_THINKING);
        break;
    case DELTA_REASONING_SIGNATURE:
        take_signature(e, delta);
        break;
    case DELTA_REASONING_REDACTED:
        take_redacted(e, delta);
        break;
    case DELTA_TOOL_BEGIN:
        take_tool_begin(e, delta);
        break;
    case DELTA_TOOL_ARGUMENTS:
    case DELTA_TOOL_END:
        take_tool(e, delta);
        break;
    case DELTA_CITATION:
        take_citation(e, delta);
        break;
    case DELTA_FOREIGN:
        take_foreign(e, delta);
        break;
    case DELTA_IMAGE:
        encoder_warn(&e->base, WARNING_LOSSY, "image_dropped", none);
        break;
    case DELTA_LOGPROBS:
        encoder_warn(&e->base, WARNING_LOSSY, "logprobs_dropped", none);
        break;
    case DELTA_FINISH:
        e->finish = delta->finish;
        e->stop_sequence = encoder_keep(&e->base, delta->stop_sequence);
        break;
    default:
        break;
    }
}

static void check_length(struct messages_encoder *e) {
    if (!e->too_long || e->base.failed)
        return;
    e->base.failed = true; /* what still comes is not taken */
    encoder_write_error(&e->base, &encoder_too_long);
}

static void take_end(struct messages_encoder *e, const struct answer_delta *delta) {
    if (e->base.failed)
        return;
    start(e, delta);
    if (is_streamed(e))
        send_end(e);
    else
        write_whole(e);
}

static void take(struct encoder *encoder, const struct answer_delta *delta) {
    struct messages_encoder *e = self(encoder);
    switch (delta->kind) {
    case DELTA_BEGIN:
        begin(e, delta);
        break;
    case DELTA_USAGE:
        e->usage = *delta->usage;
        break;
    case DELTA_PING:
        if (is_streamed(e))
            ping(encoder);
        break;
    case DELTA_ERROR:
        encoder_write_error(encoder, &delta->error);
        break;
    case DELTA_END:
        take_end(e, delta);
        break;
    default:
        if (delta->choice > 0) {
            encoder_warn(encoder, WARNING_LOSSY, "choices_dropped", none);
            break;
        }
        start(e, delta);
        take_said(e, delta);
        check_length(e);
    }
}

const struct encoder_kind encoder_messages = {
    .size = sizeof(struct messages_encoder),
    .take = take,
    .ping = ping,
    .done = done,
};
