#include "wire/encoder.h"

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "wire/encoder_kind.h"

static const struct encoder_kind *const kinds[PROTOCOL_COUNT] = {
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

void encoder_warn(struct encoder *encoder, enum warning_severity severity, const char *reason, vsr_str detail) {
    warnings_add(encoder->options.warnings, severity, reason, VSR_STR("answer"), detail);
}
