/*
 * http2_block - one header block of a client, and the request head that it stands for.
 *
 * Header blocks of a connection come one after the other, never interleaved, so a connection has one of these and
 * reuses it. Fields are kept as they come, up to the limits of an HTTP/1.1 head; what is past them is counted and
 * dropped. What results is an http1_head, because that is what a request is to everybody above net/: names are lower
 * case, `host` comes first and has the value of :authority, and several cookie fields are one (RFC 9113 8.2.3). nghttp2
 * has checked what RFC 9113 8.2 and 8.3 ask for; this checks what HTTP/1.1's parser would have, since the fields may go
 * upstream.
 */
#ifndef VSR_NET_HTTP2_BLOCK_H
#define VSR_NET_HTTP2_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "net/http1.h"

enum {
    HTTP2_LIST_LEN_MAX = HTTP1_HEAD_LEN_MAX,  /* sum of names, values and 32 for each, as RFC 9113 6.5.2 counts */
    HTTP2_LIST_LEN_HOSTILE = 16 * (64 << 10), /* what is unpacked for nothing before the peer is left */
    HTTP2_FIELD_COST = 32,
};

struct http2_block {
    struct buf bytes; /* for each field: two lengths (uint32_t), name, value */
    size_t list_len;  /* of all that came, kept or not */
    size_t n_fields;  /* kept, without pseudo-header fields */
    bool bad;         /* malformed */
    bool too_large;   /* fields are missing */
    bool open;        /* begun and not complete */
    int32_t stream_id;
    uint64_t since_ms; /* when it began */
};

void http2_block_init(struct http2_block *block);
void http2_block_done(struct http2_block *block);
void http2_block_begin(struct http2_block *block, int32_t stream_id, uint64_t now_ms);
/* False: it has become so large that reading on serves only whoever sends it. */
bool http2_block_add(struct http2_block *block, vsr_str name, vsr_str value);
/* Complete, one way or the other: gives back memory of an unusual one. */
void http2_block_end(struct http2_block *block);

/*
 * The request head. Returns 0, a status to refuse the request with (`*ret_why` says why), or -1 where it is malformed
 * (PROTOCOL_ERROR). With 0 or a status, `*ret_memory` holds what `ret_head` points into; free it with mem_free().
 */
int http2_block_head(const struct http2_block *block, struct http1_head *ret_head, void **ret_memory,
                     const char **ret_why);

/* ---- the same form for fields on their way out */

void http2_fields_put(struct buf *out, vsr_str name, vsr_str value);
/* The next field at `*pos`, which moves on. False at the end. */
bool http2_fields_next(vsr_str bytes, size_t *pos, struct http1_field *ret_field);

#endif
