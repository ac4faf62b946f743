/*
 * encoder_kind - what one protocol adds to an encoder. Private to the encoders.
 *
 * The kind's own state begins with `struct encoder` and is zeroed. encoder.c sees to it that nothing comes after END,
 * or between ERROR and END.
 */
#ifndef VSR_WIRE_ENCODER_KIND_H
#define VSR_WIRE_ENCODER_KIND_H

#include "core/buf.h"
#include "wire/encoder.h"
#include "wire/warnings.h"

struct arena;

struct encoder_kind {
    size_t size;                           /* of the state, which begins with struct encoder */
    void (*init)(struct encoder *encoder); /* optional */
    void (*take)(struct encoder *encoder, const struct answer_delta *delta);
    void (*ping)(struct encoder *encoder); /* a stream that has not ended */
    void (*done)(struct encoder *encoder); /* optional: frees what the state holds */
};

struct encoder {
    const struct encoder_kind *kind;
    struct encoder_options options;
    struct arena *arena;
    struct buf *out;
    int error_status;   /* whole: set by the kind when it has written an error */
    bool failed, ended; /* ERROR, END have been taken */
};

extern const struct encoder_kind encoder_chat, encoder_messages, encoder_responses;

/* Copies `text` into the encoder's arena. */
vsr_str encoder_keep(struct encoder *encoder, vsr_str text);
/* The id to show for an answer of this backend's id. */
vsr_str encoder_id(struct encoder *encoder, vsr_str backend_id, vsr_str prefix);
/* The error as the client's protocol writes bodies or events, appended to `out`; sets error_status when whole. Types
 * and codes of the backend stay where it speaks the client's protocol. */
void encoder_write_error(struct encoder *encoder, const struct answer_error *error);
/* For whole answers past ENCODER_BODY_LEN_MAX. */
extern const struct answer_error encoder_too_long;
/* A warning that the answer lost something. */
void encoder_warn(struct encoder *encoder, enum warning_severity severity, const char *reason, vsr_str detail);

#endif
