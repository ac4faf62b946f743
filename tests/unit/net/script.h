/*
 * script - a server that answers one question after the other as a list of replies says, in the test's own thread.
 *
 * A reply is written as it stands, apart from the head that `status` makes. SCRIPT_RUN turns the loop and the server
 * until a condition holds.
 */
#ifndef VSR_TESTS_NET_SCRIPT_H
#define VSR_TESTS_NET_SCRIPT_H

#include "peer.h"

enum { SCRIPT_PEERS_MAX = 16, SCRIPT_REQUESTS_MAX = 16 };

enum script_act {
    SCRIPT_ANSWER,  /* status and body */
    SCRIPT_RAW,     /* the body is the whole answer, head included */
    SCRIPT_LAST,    /* the same, and the end of the connection */
    SCRIPT_SILENCE, /* nothing ever comes */
    SCRIPT_RESET,   /* the connection breaks */
    SCRIPT_CUT,     /* half of the answer, then the end */
};

struct script_reply {
    enum script_act act;
    int status;
    const char *body;
    const char *fields; /* further lines of the head, each with its end; NULL: none */
};

struct script {
    int listen_fd;
    uint16_t port;
    const struct script_reply *replies;
    size_t n_replies, n_asked; /* a question past the last reply gets the last one again */
    struct peer peers[SCRIPT_PEERS_MAX];
    size_t n_peers;
    struct buf requests[SCRIPT_REQUESTS_MAX]; /* heads and bodies as they came */
};

static inline void script_begin(struct script *script, const struct script_reply *replies, size_t n_replies) {
    *script = (struct script){ .replies = replies, .n_replies = n_replies };
    script->listen_fd = peer_listen(&script->port);
    for (size_t i = 0; i < SCRIPT_REQUESTS_MAX; i++)
        buf_init(&script->requests[i], PEER_GOT_MAX);
}

static inline void script_end(struct script *script) {
    for (size_t i = 0; i < script->n_peers; i++)
        peer_close(&script->peers[i]);
    close(script->listen_fd);
    for (size_t i = 0; i < SCRIPT_REQUESTS_MAX; i++)
        buf_done(&script->requests[i]);
}

static inline void script_write(struct script *script, struct peer *peer, const struct script_reply *reply) {
    struct buf out;
    vsr_str bytes;
    (void)script;
    buf_init(&out, PEER_GOT_MAX);
    if (reply->act != SCRIPT_RAW && reply->act != SCRIPT_LAST)
        buf_printf(&out, "HTTP/1.1 %d Whatever\r\ncontent-type: application/json\r\n%scontent-length: %zu\r\n\r\n",
                   reply->status, reply->fields ? reply->fields : "", strlen(reply->body));
    buf_append_c(&out, reply->body);
    bytes = reply->act == SCRIPT_CUT ? str_sub(buf_str(&out), 0, out.len - strlen(reply->body) / 2 - 1) : buf_str(&out);
    (void)peer_send_str(peer, bytes, NULL); /* a client that does not want the rest may be gone */
    buf_done(&out);
}

/* The request at the front of what came, complete or empty. */
static inline vsr_str script_request(struct peer *peer) {
    vsr_str got = peer_poll(peer), head;
    ptrdiff_t end = str_find(got, VSR_STR("\r\n\r\n")), at;
    uint64_t length = 0;
    if (end < 0)
        return VSR_STR("");
    head = str_sub(got, 0, (size_t)end + 2);
    at = str_find(head, VSR_STR("content-length: "));
    if (at >= 0) {
        vsr_str rest = str_sub(head, (size_t)at + strlen("content-length: "), head.len);
        CHECK(str_to_u64(str_sub(rest, 0, (size_t)str_find(rest, VSR_STR("\r\n"))), &length), "length");
    }
    return got.len >= (size_t)end + 4 + length ? str_sub(got, 0, (size_t)end + 4 + length) : VSR_STR("");
}

static inline void script_serve(struct script *script, struct peer *peer) {
    vsr_str request = script_request(peer);
    size_t n = script->n_asked;
    const struct script_reply *reply = &script->replies[n < script->n_replies ? n : script->n_replies - 1];
    if (request.len == 0)
        return;
    if (n < SCRIPT_REQUESTS_MAX)
        buf_append(&script->requests[n], request);
    buf_consume(&peer->got, request.len);
    script->n_asked++;
    if (reply->act == SCRIPT_SILENCE)
        return;
    if (reply->act != SCRIPT_RESET)
        script_write(script, peer, reply);
    if (reply->act == SCRIPT_RESET || reply->act == SCRIPT_CUT)
        peer_reset(peer);
    if (reply->act == SCRIPT_LAST)
        peer_close(peer);
}

static inline void script_turn(struct script *script) {
    if (script->n_peers < SCRIPT_PEERS_MAX && peer_accept(&script->peers[script->n_peers], script->listen_fd))
        script->n_peers++;
    for (size_t i = 0; i < script->n_peers; i++)
        if (script->peers[i].fd >= 0)
            script_serve(script, &script->peers[i]);
}

#define SCRIPT_RUN(loop, script, cond, name) PUMP(loop, (script_turn(script), (cond)), name)

/* The body of question `n`. */
static inline vsr_str script_body(const struct script *script, size_t n) {
    vsr_str request = buf_str(&script->requests[n]);
    ptrdiff_t end = str_find(request, VSR_STR("\r\n\r\n"));
    return end < 0 ? VSR_STR("") : str_sub(request, (size_t)end + 4, request.len);
}

#endif
