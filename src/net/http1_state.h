/*
 * http1_state - what the files of http1 share. Private to http1*.c.
 *
 * http1_head.c reads the head in state HEAD and leaves the state that the message's framing calls for; http1_body.c
 * walks the others up to END. A failure is recorded once, by http1_fail(), and reported by http1_feed() from then on.
 */
#ifndef VSR_NET_HTTP1_STATE_H
#define VSR_NET_HTTP1_STATE_H

#include "net/http1.h"

enum http1_state {
    HTTP1_STATE_HEAD,
    HTTP1_STATE_LENGTH,   /* parser->left bytes of body are to come */
    HTTP1_STATE_TO_CLOSE, /* the body ends with the connection */

    HTTP1_STATE_SIZE, /* first digit of a chunk's size */
    HTTP1_STATE_SIZE_MORE,
    HTTP1_STATE_EXT_NAME, /* first character of an extension's name */
    HTTP1_STATE_EXT_NAME_MORE,
    HTTP1_STATE_EXT_VALUE, /* first character of its value */
    HTTP1_STATE_EXT_VALUE_MORE,
    HTTP1_STATE_EXT_QUOTED,
    HTTP1_STATE_EXT_ESCAPED,
    HTTP1_STATE_EXT_UNQUOTED, /* behind the closing quote */
    HTTP1_STATE_SIZE_LF,

    HTTP1_STATE_DATA, /* parser->left bytes of the chunk are to come */
    HTTP1_STATE_DATA_CR,
    HTTP1_STATE_DATA_LF,

    HTTP1_STATE_TRAILER, /* first character of a trailer line, or the CR of the empty one */
    HTTP1_STATE_TRAILER_NAME,
    HTTP1_STATE_TRAILER_VALUE,
    HTTP1_STATE_TRAILER_LF,
    HTTP1_STATE_FINAL_LF,

    HTTP1_STATE_END,
    HTTP1_STATE_ERROR,
};

/* Records the failure; `status` is for a request, a response's is always 502. Returns -1. */
int http1_fail(struct http1_parser *parser, int status, const char *text);

/* Forgets the head being read; its bytes stay. */
void http1_head_restart(struct http1_parser *parser);

/* In state HEAD. Returns HTTP1_HEAD, HTTP1_MORE or HTTP1_ERROR. */
enum http1_event http1_head_feed(struct http1_parser *parser, vsr_str *bytes);

/* In the states from LENGTH to FINAL_LF. Returns HTTP1_BODY, HTTP1_END, HTTP1_MORE or HTTP1_ERROR. */
enum http1_event http1_body_feed(struct http1_parser *parser, vsr_str *bytes, vsr_str *ret_body);

/* Whether the comma list holds `token`, without case. */
bool http1_list_has(vsr_str list, vsr_str token);

#endif
