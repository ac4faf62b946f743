#include "wire/encoder.h"

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "wire/encoder_kind.h"
#include "wire/error_body.h"

static const struct encoder_kind *const kinds[PROTOCOL_COUNT] = {
    [PROTOCOL_CHAT] = &encoder_chat,
    [PROTOCOL_MESSAGES] = &encoder_messages,
    [PROTOCOL_RESPONSES] = &encoder_responses,
};

bool encoder_supports(enum protocol protocol) {
    return protocol < PROTOCOL_COUNT && kinds[protocol];
}

struct encoder *encoder_new(const struct encoder_options *options, struct arena *arena, struct buf *out) {
    struct encoder *encoder;
    VSR_ASSERT(encoder_supports(options->protocol));
    encoder = mem_alloc(kinds[options->protocol]->size);
    encoder->kind = kinds[options->protocol];
    encoder->options = *options;
    encoder->arena = arena;
    encoder->out = out;
    if (encoder->kind->init)
        encoder->kind->init(encoder);
    return encoder;
}

void encoder_free(struct encoder *encoder) {
    if (!encoder)
        return;
    if (encoder->kind->done)
        encoder->kind->done(encoder);
    mem_free(encoder);
}

void encoder_take(struct encoder *encoder, const struct answer_delta *delta) {
    if (encoder->ended || (encoder->failed && delta->kind != DELTA_END))
        return;
    encoder->kind->take(encoder, delta);
    encoder->failed |= delta->kind == DELTA_ERROR;
    encoder->ended = delta->kind == DELTA_END;
}

void encoder_ping(struct encoder *encoder) {
    if (encoder->options.streamed && !encoder->ended && !encoder->failed)
        encoder->kind->ping(encoder);
}

int encoder_error_status(const struct encoder *encoder) {
    return encoder->error_status;
}

const char *encoder_content_type(const struct encoder *encoder) {
    return encoder->options.streamed ? "text/event-stream; charset=utf-8" : "application/json";
}

vsr_str encoder_keep(struct encoder *encoder, vsr_str text) {
    return arena_str(encoder->arena, text);
}

vsr_str encoder_id(struct encoder *encoder, vsr_str backend_id, vsr_str prefix) {
    if (encoder->options.id.len > 0)
        return encoder->options.id;
    if (backend_id.len > 0 && encoder->options.upstream == encoder->options.protocol)
        return encoder_keep(encoder, backend_id);
    return protocol_mint_id(encoder->arena, prefix);
}

const struct answer_error encoder_too_long = {
    .status = 502,
    .message = VSR_STR_INIT("Response transformation error: the answer is too long"),
};

/* NULL: by status. */
static const char *word(struct encoder *encoder, vsr_str text) {
    return text.len > 0 ? arena_c_str(encoder->arena, text) : NULL;
}

void encoder_write_error(struct encoder *encoder, const struct answer_error *error) {
    bool same = encoder->options.upstream == encoder->options.protocol;
    struct error_body body = {
        .protocol = encoder->options.protocol,
        .status = error->status >= 400 && error->status <= 599 ? error->status : 502,
        .message = error->message,
        .type = same ? word(encoder, error->type) : NULL,
        .code = word(encoder, error->code),
    };
    if (encoder->options.streamed) {
        error_event_write(encoder->out, &body);
        return;
    }
    encoder->error_status = body.status;
    error_body_write(encoder->out, &body);
}

void encoder_warn(struct encoder *encoder, enum warning_severity severity, const char *reason, vsr_str detail) {
    warnings_add(encoder->options.warnings, severity, reason, VSR_STR("answer"), detail);
}
