/*
 * extproc_message - what Envoy's external processing filter says, and what is said to it, without a network.
 *
 * Messages in become heads and slices that the pipeline knows; answers are described by a few structs and packed. The
 * wire format is protobuf-c's business (src/proto/ext_proc.proto). Every value is hostile: a head that no HTTP message
 * could have is refused, and reading a message never takes more memory than its length and EXTPROC_SPARE_LEN. Pure, one
 * thread.
 */
#ifndef VSR_SERVE_EXTPROC_MESSAGE_H
#define VSR_SERVE_EXTPROC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/str.h"
#include "net/http1.h"

struct arena;

enum {
    EXTPROC_SPARE_LEN = 256 << 10,  /* structs of the fields of one head, many times over */
    EXTPROC_CHUNK_LEN = 64 << 10,   /* of a body that is streamed to Envoy */
    EXTPROC_HEAD_LEN_MAX = 64 << 10 /* names and values of a head together: gateway.md 12.5 */
};

/* The value of a kind is that of its answer. */
enum extproc_kind {
    EXTPROC_REQUEST_HEADERS,
    EXTPROC_RESPONSE_HEADERS,
    EXTPROC_REQUEST_BODY,
    EXTPROC_RESPONSE_BODY,
    EXTPROC_REQUEST_TRAILERS,
    EXTPROC_RESPONSE_TRAILERS,
    EXTPROC_KIND_COUNT
};

/* How Envoy sends a body; Envoy's numbers. */
enum extproc_mode {
    EXTPROC_NONE,
    EXTPROC_STREAMED,
    EXTPROC_BUFFERED,
    EXTPROC_BUFFERED_PARTIAL,
    EXTPROC_DUPLEX,
};

struct extproc_message {
    enum extproc_kind kind;
    bool observability; /* nobody waits for an answer */

    /* What Envoy's filter is configured to do; only a stream's first message says so. */
    bool has_config;
    enum extproc_mode request_mode, response_mode;
    bool body_unasked; /* send_body_without_waiting_for_header_response */

    /*
     * Of heads: `method`, `target` and a leading field `host` of a request, `status` of an answer; the pseudo-headers
     * are not among the fields. Of trailers: the fields alone.
     */
    struct http1_head head;
    int refusal; /* where reading failed: the status for a client whose head is at fault; 0: Envoy is */
    vsr_str body;
    bool end_of_stream;
};

/*
 * Reads one message. All of the result lies in `arena`, whose ceiling is changed. VSR_E_SYNTAX for what is no message,
 * VSR_E_INVALID for one that says nothing or whose head no HTTP message could have, VSR_E_LIMIT for a head past the
 * limits. On failure the kind is there as far as it is known, EXTPROC_KIND_COUNT where it is not, and `refusal`.
 */
int extproc_read(struct arena *arena, vsr_str bytes, struct extproc_message *ret_message,
                 struct vsr_err *err) VSR_MUST_CHECK;

/* A copy of `head` and all that it points to in `arena`. */
struct http1_head *extproc_keep_head(struct arena *arena, const struct http1_head *head);

/* ---- answers */

/* Headers to set and to remove. The first value of a name replaces what there is, further ones are appended. */
struct extproc_mutation {
    struct http1_field *set;
    size_t n_set;
    vsr_str *remove;
    size_t n_remove;
    size_t set_max, remove_max;
};

/*
 * What turns the fields that Envoy told us of into `now`. Names are compared without case; fields that belong to the
 * connection, name the host, or frame the body are Envoy's own business and never touched. The result lies in `arena`
 * and borrows names and values; it has room for EXTPROC_MORE_FIELDS of either kind.
 */
enum { EXTPROC_MORE_FIELDS = 8 };
void extproc_diff(struct arena *arena, const struct http1_field *was, size_t n_was, const struct http1_field *now,
                  size_t n_now, struct extproc_mutation *ret_mutation);
/* One more; past the room that extproc_diff() left it does nothing. */
void extproc_set(struct extproc_mutation *mutation, vsr_str name, vsr_str value);
void extproc_remove(struct extproc_mutation *mutation, vsr_str name);

/* Body modes as they are to be from now on, both of them: Envoy takes the whole of an override. */
struct extproc_modes {
    enum extproc_mode request, response;
    bool nothing_more; /* no message at all is wanted for the answer */
};

/* One `key: value` of the dynamic metadata. */
struct extproc_datum {
    const char *key;
    vsr_str text;
    double number; /* instead, when `text` has no pointer */
};

enum extproc_body {
    EXTPROC_BODY_KEEP,    /* what came goes on as it is */
    EXTPROC_BODY_REPLACE, /* `body` takes its place, also an empty one */
    EXTPROC_BODY_CHUNK,   /* duplex: the next part of what goes on */
};

struct extproc_answer {
    enum extproc_kind kind;
    const struct extproc_mutation *headers; /* NULL: none */
    bool clear_route_cache;
    enum extproc_body body_kind;
    vsr_str body;
    bool end_of_stream;                /* of a chunk */
    const struct extproc_modes *modes; /* NULL: as they are */
    const struct extproc_datum *data;  /* namespace envoy.filters.http.ext_proc, member vsr */
    size_t n_data;
};

/* Appends a packed ProcessingResponse. `scratch` is used and rewound. buf_failed() tells of a full buffer. */
void extproc_write(struct arena *scratch, const struct extproc_answer *answer, struct buf *out);

struct extproc_immediate {
    int status;
    const struct http1_field *fields;
    size_t n_fields;
    vsr_str body;
    vsr_str details; /* for Envoy's access log; without blanks */
};
/* The same for an answer to the client that takes the place of everything. */
void extproc_write_immediate(struct arena *scratch, const struct extproc_immediate *immediate, struct buf *out);

#endif
