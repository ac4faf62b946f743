#include "wire/decoder.h"

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "wire/decoder_kind.h"
#include "wire/error_body.h"

enum {
    SCRATCH_CHUNK_LEN = 8 << 10,
    SCRATCH_LEN_MAX = 64 << 20, /* tape of the largest event, with room */
    BODY_SCRATCH_LEN_MAX = 1 << 30,
    MESSAGE_LEN_MAX = 4 << 10, /* of an error; a longer one is cut */
};

static const struct decoder_kind *const kinds[PROTOCOL_COUNT] = {
    [PROTOCOL_CHAT] = &decoder_chat,
    [PROTOCOL_MESSAGES] = &decoder_messages,
    [PROTOCOL_RESPONSES] = &decoder_responses,
};

static void on_event(void *user, const struct sse_event *event);

bool decoder_supports(enum protocol protocol) {
    return protocol < PROTOCOL_COUNT && kinds[protocol];
}

struct decoder *decoder_new(enum protocol protocol, bool streamed, answer_delta_fn *on_delta, void *user) {
    struct decoder *decoder;
    VSR_ASSERT(decoder_supports(protocol));
    decoder = mem_alloc(kinds[protocol]->size);
    decoder->kind = kinds[protocol];
    decoder->streamed = streamed;
    decoder->on_delta = on_delta;
    decoder->user = user;
    decoder->scratch = arena_new(SCRATCH_CHUNK_LEN, streamed ? SCRATCH_LEN_MAX : BODY_SCRATCH_LEN_MAX);
    sse_init(&decoder->sse, on_event, decoder);
    sse_set_max(&decoder->sse, DECODER_EVENT_LEN_MAX);
    buf_init(&decoder->body, DECODER_BODY_LEN_MAX);
    return decoder;
}

void decoder_free(struct decoder *decoder) {
    if (!decoder)
        return;
    if (decoder->kind->done)
        decoder->kind->done(decoder);
    sse_done(&decoder->sse);
    buf_done(&decoder->body);
    arena_free(decoder->scratch);
    mem_free(decoder);
}

bool decoder_ended(const struct decoder *decoder) {
    return decoder->ended;
}

bool decoder_malformed(const struct decoder *decoder) {
    return decoder->malformed;
}

/* ---- saying */

void decoder_say(struct decoder *decoder, const struct answer_delta *delta) {
    if (decoder->ended)
        return;
    decoder->ended = delta->kind == DELTA_END;
    decoder->on_delta(decoder->user, delta);
}

void decoder_fail(struct decoder *decoder, const struct answer_error *error) {
    struct answer_delta delta = { .kind = DELTA_ERROR, .error = *error };
    if (delta.error.message.len == 0)
        delta.error.message = VSR_STR("the backend reported an error");
    decoder_say(decoder, &delta);
    decoder_say(decoder, &(struct answer_delta){ .kind = DELTA_END });
}

void decoder_fail_format(struct decoder *decoder, const char *reason) {
    vsr_str message = arena_printf(decoder->scratch, "Response transformation error: %s", reason);
    decoder_fail(decoder, &(struct answer_error){ .status = 502, .message = message });
}

/* ---- feeding */

static void on_event(void *user, const struct sse_event *event) {
    struct decoder *decoder = user;
    struct json_doc doc;
    if (event->comment_only || decoder->ended)
        return;
    if (str_eq(str_trim(event->data), VSR_STR("[DONE]"))) {
        decoder->kind->on_stop(decoder, true);
        return;
    }
    arena_reset(decoder->scratch);
    if (json_parse(decoder->scratch, event->data, &doc, NULL) < 0 || !json_is(&doc, 0, JSON_OBJECT)) {
        decoder->malformed = true;
        return;
    }
    decoder->kind->on_event(decoder, event->type, &doc);
}

static void check_broken(struct decoder *decoder) {
    if (!sse_broken(&decoder->sse) || decoder->ended)
        return;
    decoder->malformed = true;
    decoder_fail_format(decoder, "an event of the stream has more than 32 MiB");
}

void decoder_feed(struct decoder *decoder, vsr_str bytes) {
    if (decoder->ended)
        return;
    if (decoder->streamed) {
        sse_feed(&decoder->sse, bytes);
        check_broken(decoder);
    } else if (buf_append(&decoder->body, bytes) < 0) {
        decoder_fail_format(decoder, "the answer is too long");
    }
}

static void read_body(struct decoder *decoder) {
    struct vsr_err err = VSR_ERR_NONE;
    struct json_doc doc;
    if (json_parse(decoder->scratch, buf_str(&decoder->body), &doc, &err) < 0) {
        decoder->malformed = true;
        decoder_fail_format(decoder, err.text);
    } else if (!json_is(&doc, 0, JSON_OBJECT)) {
        decoder->malformed = true;
        decoder_fail_format(decoder, "the answer is no JSON object");
    } else {
        decoder->kind->on_body(decoder, &doc);
    }
}

void decoder_end(struct decoder *decoder, bool clean) {
    if (decoder->ended)
        return;
    if (clean && decoder->streamed) {
        sse_finish(&decoder->sse);
        if (!decoder->ended)
            decoder->kind->on_stop(decoder, false);
    } else if (clean) {
        read_body(decoder);
    }
    if (!decoder->ended)
        decoder_fail(decoder, &(struct answer_error){ .status = 502,
                                                      .code = VSR_STR("stream_aborted"),
                                                      .message = VSR_STR("the backend's answer ended early") });
}

/* ---- errors */

vsr_str decoder_text(struct arena *scratch, const struct json_doc *doc, json_ref ref) {
    vsr_str text;
    if (ref == JSON_NONE || !json_is(doc, ref, JSON_STRING) || !json_str(scratch, doc, ref, &text))
        return str_make(NULL, 0);
    return text;
}

int decoder_error_status(vsr_str type, int fallback) {
    static const struct {
        vsr_str type;
        int status;
    } types[] = {
        { VSR_STR_INIT("invalid_request_error"), 400 }, { VSR_STR_INIT("authentication_error"), 401 },
        { VSR_STR_INIT("billing_error"), 402 },         { VSR_STR_INIT("permission_error"), 403 },
        { VSR_STR_INIT("not_found_error"), 404 },       { VSR_STR_INIT("request_too_large"), 413 },
        { VSR_STR_INIT("rate_limit_error"), 429 },      { VSR_STR_INIT("rate_limit_exceeded"), 429 },
        { VSR_STR_INIT("insufficient_quota"), 429 },    { VSR_STR_INIT("api_error"), 500 },
        { VSR_STR_INIT("server_error"), 500 },          { VSR_STR_INIT("timeout_error"), 504 },
        { VSR_STR_INIT("overloaded_error"), 529 },
    };
    for (size_t i = 0; i < VSR_COUNT(types); i++)
        if (str_eq(types[i].type, type))
            return types[i].status;
    return fallback;
}

void decoder_read_error(struct arena *arena, const struct json_doc *doc, json_ref object, struct answer_error *error) {
    if (json_is(doc, object, JSON_STRING)) {
        error->message = utf8_cut(decoder_text(arena, doc, object), MESSAGE_LEN_MAX);
        return;
    }
    error->message = utf8_cut(decoder_text(arena, doc, json_get(doc, object, VSR_STR("message"))), MESSAGE_LEN_MAX);
    error->type = utf8_cut(decoder_text(arena, doc, json_get(doc, object, VSR_STR("type"))), MESSAGE_LEN_MAX);
    error->code = utf8_cut(decoder_text(arena, doc, json_get(doc, object, VSR_STR("code"))), MESSAGE_LEN_MAX);
}

/*
 * All families nest an object `error`; what stands beside it differs. Others put `message` or `detail` (FastAPI) at the
 * top.
 */
static void read_error_doc(struct arena *arena, const struct json_doc *doc, struct answer_error *error) {
    json_ref nested = json_get(doc, 0, VSR_STR("error"));
    decoder_read_error(arena, doc, nested != JSON_NONE && !json_is(doc, nested, JSON_NULL) ? nested : 0, error);
    if (error->message.len == 0)
        error->message = utf8_cut(decoder_text(arena, doc, json_get(doc, 0, VSR_STR("detail"))), MESSAGE_LEN_MAX);
}

void decoder_error_body(enum protocol protocol, int status, vsr_str body, struct arena *arena,
                        struct answer_error *ret_error) {
    struct json_doc doc;
    (void)protocol; /* they agree on where the message stands; only what is written differs */
    *ret_error = (struct answer_error){ .status = status };
    if (json_parse(arena, body, &doc, NULL) == 0)
        read_error_doc(arena, &doc, ret_error);
    if (ret_error->message.len == 0)
        ret_error->message = arena_printf(arena, "the backend answered with status %d", status);
}
