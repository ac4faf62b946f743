/* links: wire */
/*
 * The Responses API both ways. Requests: whatever a client sends is refused with a reason, or becomes a chat request
 * that is JSON, and items that can be stored and read again as a turn. Answers: any bytes of a backend, cut anywhere,
 * give the same events, which are JSON and end in a final one.
 */
#include <stdint.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json.h"
#include "wire/decoder.h"
#include "wire/encoder.h"
#include "wire/responses_chat.h"
#include "wire/responses_encoder.h"
#include "wire/responses_relay.h"
#include "wire/responses_request.h"
#include "wire/responses_write.h"
#include "wire/sse.h"
#include "wire/warnings.h"

enum { INPUT_LEN_MAX = 1 << 18, OUT_LEN_MAX = 64 << 20, ARENA_LEN_MAX = 256 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_json(struct arena *arena, const struct buf *text) {
    struct json_doc doc;
    VSR_ASSERT(!buf_failed(text));
    VSR_ASSERT(json_parse(arena, buf_str(text), &doc, NULL) == 0);
}

/* What a backend of this protocol would get, from this client and from one that speaks chat. */
static void check_backend_request(struct arena *arena, const struct responses_request *request,
                                  const struct responses_chat *chat, const struct buf *as_chat) {
    struct json_doc doc;
    struct buf out;
    struct vsr_err err = VSR_ERR_NONE;
    buf_init(&out, OUT_LEN_MAX);
    VSR_ASSERT(responses_forward(arena, request, chat, VSR_STR("b"), VSR_STR("low"), &out, &err) == 0 ||
               err.code == VSR_E_INVALID);
    if (err.code == 0)
        check_json(arena, &out);
    buf_reset(&out);
    VSR_ASSERT(json_parse(arena, buf_str(as_chat), &doc, NULL) == 0);
    VSR_ASSERT(chat_to_responses(arena, &doc, VSR_STR("b"), VSR_STR(""), NULL, &out, &err) == 0);
    check_json(arena, &out);
    buf_done(&out);
}

static void check_request(struct arena *arena, vsr_str text) {
    struct responses_request request;
    struct responses_chat chat = { 0 };
    struct responses_turn turn;
    struct warnings warnings;
    struct json_doc doc;
    struct vsr_err err = VSR_ERR_NONE;
    struct buf out, items;
    if (json_parse(arena, text, &doc, NULL) < 0)
        return;
    if (responses_read(arena, &doc, &request, &err) < 0) {
        VSR_ASSERT(err.text[0]);
        return;
    }
    buf_init(&out, OUT_LEN_MAX);
    buf_init(&items, OUT_LEN_MAX);
    warnings_init(&warnings, arena);
    if (responses_to_chat(arena, &request, &chat, &warnings, &out, &err) == 0) {
        check_json(arena, &out);
        VSR_ASSERT(responses_input_items(arena, &request, VSR_STR("resp_x"), &items, &err) == 0);
        check_json(arena, &items);
        turn = (struct responses_turn){ buf_str(&items), VSR_STR("[]") };
        chat = (struct responses_chat){ .turns = &turn, .n_turns = 1, .trimmed = true };
        buf_reset(&out);
        VSR_ASSERT(responses_to_chat(arena, &request, &chat, &warnings, &out, &err) == 0);
        check_json(arena, &out);
        check_backend_request(arena, &request, &chat, &out);
    } else {
        VSR_ASSERT(err.text[0]);
    }
    buf_done(&out);
    buf_done(&items);
}

struct answer_run {
    struct encoder *encoder;
    int n_ends, n_errors;
};

static void take(void *user, const struct answer_delta *delta) {
    struct answer_run *run = user;
    run->n_ends += delta->kind == DELTA_END;
    run->n_errors += delta->kind == DELTA_ERROR;
    encoder_take(run->encoder, delta);
}

/* `relayed`: to a client of the same protocol, in the backend's own words. */
static void decode(struct arena *arena, bool relayed, bool streamed, vsr_str text, size_t cut, struct buf *out) {
    static const char body[] = "{\"model\":\"m\",\"input\":\"\"}";
    struct json_doc doc;
    struct responses_request request;
    struct response_meta meta = { .id = VSR_STR("resp_x"), .model = VSR_STR("m"), .request = &request };
    struct encoder_options options = { .protocol = PROTOCOL_RESPONSES, .streamed = streamed, .response = &meta };
    struct answer_run run = { 0 };
    struct decoder *decoder;
    struct json_doc object;
    VSR_ASSERT(json_parse(arena, str_from_c(body), &doc, NULL) == 0);
    VSR_ASSERT(responses_read(arena, &doc, &request, NULL) == 0);
    run.encoder = relayed ? responses_relay_new(&options, arena, out) : encoder_new(&options, arena, out);
    decoder = decoder_new(PROTOCOL_RESPONSES, streamed, take, &run);
    for (int part = 0; part < 2; part++) {
        vsr_str bytes = part ? str_sub(text, cut, text.len) : str_sub(text, 0, cut);
        if (relayed)
            responses_relay_feed(run.encoder, bytes);
        decoder_feed(decoder, bytes);
    }
    decoder_end(decoder, true);
    VSR_ASSERT(run.n_ends == 1 && run.n_errors <= 1 && !buf_failed(out));
    VSR_ASSERT(json_parse(arena, responses_encoder_object(run.encoder), &object, NULL) == 0);
    decoder_free(decoder);
    encoder_free(run.encoder);
}

static void check_data(void *user, const struct sse_event *event) {
    struct json_doc doc;
    VSR_ASSERT(json_parse(user, event->data, &doc, NULL) == 0);
}

/* What we write ourselves names its type twice; what a backend wrote may lack one. */
static void check_event(void *user, const struct sse_event *event) {
    struct json_doc doc;
    VSR_ASSERT(json_parse(user, event->data, &doc, NULL) == 0);
    VSR_ASSERT(json_str_eq(&doc, json_get(&doc, 0, VSR_STR("type")), event->type));
}

static void check_answer(struct arena *arena, bool relayed, bool streamed, vsr_str text, size_t cut) {
    struct buf whole, parts;
    struct sse_parser parser;
    buf_init(&whole, OUT_LEN_MAX);
    buf_init(&parts, OUT_LEN_MAX);
    decode(arena, relayed, streamed, text, text.len, &whole);
    decode(arena, relayed, streamed, text, cut, &parts);
    VSR_ASSERT(str_eq(buf_str(&whole), buf_str(&parts)));
    if (streamed) {
        sse_init(&parser, relayed ? check_data : check_event, arena);
        sse_feed(&parser, buf_str(&whole));
        VSR_ASSERT(!sse_pending(&parser));
        sse_done(&parser);
    } else {
        check_json(arena, &whole);
    }
    buf_done(&whole);
    buf_done(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct arena *arena;
    vsr_str text;
    if (len < 3 || len > INPUT_LEN_MAX)
        return 0;
    arena = arena_new(0, ARENA_LEN_MAX);
    text = str_make((const char *)bytes + 3, len - 3);
    if (bytes[0] & 1)
        check_request(arena, text);
    else
        check_answer(arena, bytes[0] & 4, bytes[0] & 2, text,
                     text.len ? (size_t)(bytes[1] << 8 | bytes[2]) % text.len : 0);
    arena_free(arena);
    return 0;
}
