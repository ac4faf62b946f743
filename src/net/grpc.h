/*
 * grpc - what gRPC adds to HTTP: length-prefixed messages, statuses, timeouts. Pure; one thread.
 *
 * A message is one byte of flags, four bytes of length (big endian), and that many bytes. The only flag says that the
 * message is compressed, which is not offered here: no `grpc-encoding` is ever accepted, so a peer that sets it breaks
 * the protocol. A reader is fed bytes as they come; how they are split changes nothing.
 */
#ifndef VSR_NET_GRPC_H
#define VSR_NET_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

enum {
    GRPC_PREFIX_LEN = 5,
    GRPC_KEEP_LEN_MAX = 16 << 10,   /* a reader whose buffer grew past it gives it back after the message */
    GRPC_TIMEOUT_DIGITS_MAX = 8,    /* of `grpc-timeout` */
    GRPC_STATUS_TEXT_LEN_MAX = 512, /* of `grpc-message`, before it is encoded */
};

/* Those that are used here; a peer may send others. */
enum grpc_status {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
};

enum grpc_event {
    GRPC_MORE,       /* all bytes are consumed, no message is complete */
    GRPC_MESSAGE,    /* *ret_message is valid until the next call, or while the input is */
    GRPC_COMPRESSED, /* the flag is set: UNIMPLEMENTED */
    GRPC_TOO_LONG,   /* longer than the reader takes: RESOURCE_EXHAUSTED */
    GRPC_MALFORMED,  /* flags that nobody defined: INTERNAL */
};

struct grpc_reader {
    struct buf message;
    size_t len_max;
    uint32_t want; /* length of the message under way */
    uint8_t prefix[GRPC_PREFIX_LEN], n_prefix;
    uint8_t ended; /* a grpc_event that ends reading for good; 0: none */
};

void grpc_reader_init(struct grpc_reader *reader, size_t len_max);
void grpc_reader_done(struct grpc_reader *reader);

/*
 * Consumes from the front of `*bytes` (moves it). A message that lies whole in the input is a slice of it, so nothing
 * is copied. Call again until GRPC_MORE; the events that are errors are then returned for ever.
 */
enum grpc_event grpc_feed(struct grpc_reader *reader, vsr_str *bytes, vsr_str *ret_message);
/* Whether a part of a message has come. */
bool grpc_reader_pending(const struct grpc_reader *reader);

/* Appends prefix and message. Messages of 4 GiB cannot be said; buf_failed() tells of a full buffer. */
void grpc_write(struct buf *out, vsr_str message);
/* The prefix alone, for a message of `len` bytes that goes out by itself. */
void grpc_write_prefix(uint8_t out[GRPC_PREFIX_LEN], uint32_t len);

/* `grpc-timeout`: up to 8 digits and one of H M S m u n; rounded up to whole milliseconds. False when it is none. */
bool grpc_timeout_ms(vsr_str header, uint64_t *ret_ms);

/* `application/grpc`, with or without `+proto`; parameters are allowed. Other sub-types are not ours. */
bool grpc_content_type_ok(vsr_str header);

/* Percent-encoding of `grpc-message`: what is not printable ASCII, and `%`. Text past GRPC_STATUS_TEXT_LEN_MAX is cut.
 */
void grpc_encode_message(struct buf *out, vsr_str text);

#endif
