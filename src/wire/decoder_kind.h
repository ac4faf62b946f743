/*
 * decoder_kind - what one protocol adds to a decoder. Private to the decoders.
 *
 * decoder.c splits frames, scans JSON and sees to the end; a kind reads one event, or one whole answer, and says deltas
 * with decoder_say(). The kind's own state begins with `struct decoder` and is zeroed.
 */
#ifndef VSR_WIRE_DECODER_KIND_H
#define VSR_WIRE_DECODER_KIND_H

#include "core/buf.h"
#include "core/json.h"
#include "wire/decoder.h"
#include "wire/sse.h"

struct arena;

struct decoder_kind {
    size_t size; /* of the state, which begins with struct decoder */
    /* One event of a stream whose data is a JSON object; `type` is of its `event:` line, or empty. */
    void (*on_event)(struct decoder *decoder, vsr_str type, const struct json_doc *doc);
    /* The stream's `[DONE]`, or its clean end (`done` false): says what is open, and END if that is a proper end. */
    void (*on_stop)(struct decoder *decoder, bool done);
    /* A whole answer, a JSON object. Says everything up to END, or fails. */
    void (*on_body)(struct decoder *decoder, const struct json_doc *doc);
    void (*done)(struct decoder *decoder); /* optional: frees what the state holds */
};

struct decoder {
    const struct decoder_kind *kind;
    answer_delta_fn *on_delta;
    void *user;
    struct sse_parser sse;
    struct buf body;       /* whole: what has come; */
    struct arena *scratch; /* reset before each event */
    bool streamed, ended, malformed;
};

extern const struct decoder_kind decoder_chat, decoder_messages, decoder_responses;

/* Nothing after END. */
void decoder_say(struct decoder *decoder, const struct answer_delta *delta);
/* ERROR, then END. An empty message is replaced by one about the status. */
void decoder_fail(struct decoder *decoder, const struct answer_error *error);
/* The same for an answer that cannot be read: 502, "Response transformation error: <reason>". */
void decoder_fail_format(struct decoder *decoder, const char *reason);

/* Text of a string node in scratch or in the document; empty for anything else. */
vsr_str decoder_text(struct arena *scratch, const struct json_doc *doc, json_ref ref);

/* The `{message, type, code}` of an error object as both families write it, or a bare string. */
void decoder_read_error(struct arena *arena, const struct json_doc *doc, json_ref object, struct answer_error *error);

/* HTTP status that an error type or code stands for; `fallback` for unknown ones. */
int decoder_error_status(vsr_str type, int fallback);

#endif
