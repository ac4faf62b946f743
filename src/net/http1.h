/*
 * http1 - HTTP/1.1 messages (RFC 9110, 9112), strict, incremental, both directions.
 *
 * A parser is fed bytes as they come and reports a complete head, then body slices, then the end. It accepts what the
 * RFC allows and nothing that two implementations could read differently: bare CR or LF, obs-fold, space before a
 * colon, several or conflicting Content-Length, Content-Length beside Transfer-Encoding, any transfer coding but a
 * single final "chunked", chunk extensions that are not token[=value], malformed sizes, an absolute-form target whose
 * authority is not the Host, are errors. Head spans are slices of a buffer that the parser owns, valid until
 * http1_reset(). How the input is cut into slices changes nothing but where body slices end. One thread.
 *
 * Choices where the RFC leaves one:
 * - The white space around Content-Length and Transfer-Encoding is spaces, not tabs, which some readers do not trim.
 * - CONNECT is answered 501: vsr is a gateway, never a tunnel. Upgrade is ignored, so a 101 response is an error.
 * - HTTP/1.2 to 1.9 are read as 1.1 (RFC 9110 2.5); other major versions are 505.
 * - Expect is honoured on 1.1 when a body follows, and 417 when it asks for anything else.
 * - Trailer fields are checked and dropped: nothing here needs them, and merging them is how they do harm.
 * - A status line may lack the space before an empty reason phrase, because servers in the field leave it out.
 *
 * A head in one slice is copied once and scanned once, 16 bytes at a time where the machine allows: about 0.2 us for
 * ten fields.
 */
#ifndef VSR_NET_HTTP1_H
#define VSR_NET_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/str.h"

enum {
    HTTP1_HEAD_LEN_MAX = 64 << 10, /* gateway.md 12.5 */
    HTTP1_FIELDS_MAX = 128,
    HTTP1_METHOD_LEN_MAX = 32, /* twice the longest registered method */
    HTTP1_TARGET_LEN_MAX = 8 << 10,
    HTTP1_EMPTY_LINES_MAX = 4, /* before a request line; RFC 9112 2.2 asks to skip at least one */
    HTTP1_INTERIM_MAX = 16,    /* 1xx responses before the real one */
    HTTP1_CHUNK_LINE_LEN_MAX = 1 << 10,
    HTTP1_EXTENSIONS_LEN_MAX = 16 << 10, /* of all chunks of a message: they are dropped, so they are only a cost */
    HTTP1_TRAILER_LEN_MAX = 8 << 10,     /* the lines with their ends, without the empty line */
};

enum http1_side { HTTP1_REQUEST, HTTP1_RESPONSE };

struct http1_field {
    vsr_str name;  /* as sent */
    vsr_str value; /* trimmed of optional white space */
};

struct http1_head {
    /* request */
    vsr_str method, target;
    /* response */
    int status;
    vsr_str reason;

    int minor_version; /* 0 or 1 */
    struct http1_field *fields;
    size_t n_fields;

    bool has_length, chunked;
    uint64_t length;      /* of Content-Length, at most INT64_MAX */
    bool keep_alive;      /* what the message says about the connection; false when its end is the connection's */
    bool expect_continue; /* the client waits for a 100 before it sends the body */
};

enum http1_event {
    HTTP1_MORE,  /* needs more bytes */
    HTTP1_HEAD,  /* parser->head is complete */
    HTTP1_BODY,  /* *ret_body is a slice of the input */
    HTTP1_END,   /* message complete; bytes behind it were not consumed */
    HTTP1_ERROR, /* parser->error_status and err say what; the connection must close */
};

struct http1_parser {
    enum http1_side side;
    bool head_request;      /* RESPONSE: answer to a HEAD, has no body. Cleared by http1_reset(), so set it after */
    struct http1_head head; /* complete from HTTP1_HEAD to http1_reset() */
    int error_status;       /* request: 400, 414, 417, 431, 501, 503 (no memory), 505; response: 502 */

    /* What follows is the parser's own. */
    int state;
    const char *error_text;
    int error_code;
    uint32_t error_line, error_col; /* in the head; 0 when the error is elsewhere */
    struct buf head_bytes;
    size_t line_pos;     /* in head_bytes: where the line being read starts */
    size_t scan_pos;     /* in head_bytes: where the search for its end goes on */
    bool has_start_line; /* the request or status line has been read */
    unsigned n_empty_lines, n_interim;
    unsigned n_hosts, n_lengths, n_codings;
    bool says_close, says_keep_alive;
    uint64_t left; /* of the body, or of the chunk */
    size_t chunk_line_len, extensions_len, trailer_len;
    struct http1_field fields[HTTP1_FIELDS_MAX];
};

/* The parser must stay where it is while a head is in use: head.fields points into it. */
void http1_init(struct http1_parser *parser, enum http1_side side);
void http1_done(struct http1_parser *parser);
/* Ready for the next message on the same connection. Keeps the memory of an ordinary head. */
void http1_reset(struct http1_parser *parser);

/*
 * Consumes from the front of `*bytes` (moves it) and returns the next event. HTTP1_BODY: `*ret_body` is a slice of the
 * input, never empty. Interim (1xx) responses other than 101 are skipped. Call again until HTTP1_MORE (all bytes are
 * consumed), HTTP1_END or HTTP1_ERROR; the last two are then returned until http1_reset().
 */
enum http1_event http1_feed(struct http1_parser *parser, vsr_str *bytes, vsr_str *ret_body, struct vsr_err *err);

/*
 * The peer closed. HTTP1_END when that ends the message properly (a response body delimited by closing) or it had
 * ended, HTTP1_MORE when no byte of a message had come, else HTTP1_ERROR.
 */
enum http1_event http1_eof(struct http1_parser *parser, struct vsr_err *err);

/* Whether a byte of a message has come that is not complete yet. */
bool http1_in_message(const struct http1_parser *parser);

/* First field of that name without case, or the empty string with a NULL pointer. */
vsr_str http1_field(const struct http1_head *head, vsr_str name);
/* Whether a comma list in any field `name` holds `token`, without case. */
bool http1_field_has_token(const struct http1_head *head, vsr_str name, vsr_str token);

/* Whether the text may stand as a token (field name, method), a field value, a request target. */
bool http1_name_ok(vsr_str name);
bool http1_value_ok(vsr_str value);
/* Visible ASCII without '#', '"', '<', '>' and '\\'. Other characters that a URI must escape pass, as browsers send
 * them. */
bool http1_target_ok(vsr_str target);
/* uri-host [ ":" port ] as in a Host field, not empty. */
bool http1_host_ok(vsr_str host);

/* ---- writing. Callers pass only names and values that http1_name_ok and http1_value_ok accept (asserted in debug). */

void http1_write_request_line(struct buf *out, vsr_str method, vsr_str target);
void http1_write_status_line(struct buf *out, int status); /* 100 to 599, standard reason phrase */
void http1_write_field(struct buf *out, vsr_str name, vsr_str value);
void http1_write_field_u64(struct buf *out, vsr_str name, uint64_t value);
void http1_write_head_end(struct buf *out);
/* Size line of a chunk; data and http1_write_chunk_end() follow. `len` must not be 0. */
void http1_write_chunk_begin(struct buf *out, size_t len);
void http1_write_chunk_end(struct buf *out);
void http1_write_last_chunk(struct buf *out);

/* The standard reason phrase; "Unknown" for a status that has none. */
const char *http1_reason(int status);

#endif
