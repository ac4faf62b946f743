/*
 * extproc_answer - the answer's half of a stream: what the backend says comes in from Envoy, what the client is to get
 * goes back.
 */
#include "core/arena.h"
#include "core/log.h"
#include "serve/answer.h"
#include "serve/extproc_bodies.h"
#include "serve/extproc_call.h"
#include "serve/extproc_front.h"
#include "serve/extproc_server.h"
#include "serve/pipeline.h"
#include "serve/request.h"
#include "wire/decoder.h"

/* ---- what Envoy says */

/* Envoy has answered by itself, before the request was dispatched: another filter refused it, or it never came. */
static void give_up(struct extproc_call *call, const struct extproc_message *message) {
    extproc_close_request(call, false);
    call->state = EXTPROC_PASSING;
    extproc_pass(call, message);
}

/* A body whose head was not shown: it passes, unless it is in other words than the client's. */
static void take_headless(struct extproc_call *call, const struct extproc_message *message) {
    struct vsr_err err = VSR_ERR_NONE;
    if (call->state != EXTPROC_FORWARDED || !extproc_translates(call)) {
        give_up(call, message);
        return;
    }
    if (!atomic_exchange(&call->extproc->seen->heads_hidden, true))
        LOG_WARN("Envoy does not show the headers of answers: what has to be translated is refused when a backend has "
                 "answered it; response_header_mode must be SEND");
    (void)err_set(&err, VSR_E_PROTOCOL, "Envoy does not show the headers of answers"); /* that is the error */
    pipeline_upstream_error(call->request, &err, true);
}

static void end_upstream(struct extproc_call *call) {
    call->upstream_complete = true;
    pipeline_upstream_end(call->request);
}

void extproc_answer_headers(struct extproc_call *call, const struct extproc_message *message) {
    if (call->state != EXTPROC_FORWARDED) {
        if (call->upstream) /* once is enough */
            extproc_pass(call, message);
        else
            give_up(call, message);
        return;
    }
    call->state = EXTPROC_ANSWERING;
    call->upstream = extproc_keep_head(call->request->arena, &message->head);
    call->upstream->chunked = !call->upstream->has_length; /* Envoy says where the body ends, not a connection */
    call->upstream_bare = message->end_of_stream;
    call->answer_headers_owed = true;
    pipeline_upstream_head(call->request, call->upstream);
    if (call->upstream_bare && !call->ended && !call->aborted)
        end_upstream(call);
}

/* The rest of an answer passes unseen once it is larger than Envoy's buffer: it cannot be translated then. */
static void refuse_partial(struct extproc_call *call) {
    struct vsr_err err = VSR_ERR_NONE;
    (void)err_set(&err, VSR_E_LIMIT, "the answer is larger than the proxy's buffer"); /* that is the error */
    pipeline_upstream_error(call->request, &err, true);
}

/*
 * Whether an answer that is said again in other words has had its last ones: a stream its last event, a whole one all
 * of its JSON text. Its own end may come too late: where trailers follow there is no piece left then that could take
 * what the translation still has to say.
 */
static bool has_said_all(const struct extproc_call *call) {
    const struct request *request = call->request;
    return call->answer_end.complete || (request->cell == RELAY_TRANSLATED && decoder_ended(request->decoder));
}

/* As for requests: BUFFERED mode has one piece. What passes ends when Envoy says so. */
static bool is_last(const struct extproc_call *call, const struct extproc_message *message) {
    bool duplex = call->response_mode == EXTPROC_DUPLEX;
    if (message->end_of_stream || duplex) /* in duplex mode nothing waits for the end */
        return message->end_of_stream;
    if (call->late_head && call->response_mode == EXTPROC_BUFFERED)
        return true;
    return (call->late_head || call->request->cell == RELAY_TRANSLATED) && has_said_all(call);
}

static void note_shown(struct extproc_call *call) {
    uint64_t *notes = grpc_stream_notes(call->stream);
    call->body_shown = true;
    if (call->response_mode == EXTPROC_NONE && notes)
        extproc_bodies_shown(notes);
}

void extproc_answer_body(struct extproc_call *call, const struct extproc_message *message) {
    if (call->state != EXTPROC_ANSWERING) {
        if (call->request)
            take_headless(call, message);
        else
            extproc_pass(call, message);
        return;
    }
    note_shown(call);
    if (call->response_mode != EXTPROC_DUPLEX)
        call->answer_chunks_owed++;
    call->chunk = message->body;
    if (call->upstream_complete || call->ended || call->aborted)
        return; /* behind the end: dropped */
    (void)json_end_feed(&call->answer_end, message->body);
    if (message->body.len > 0)
        pipeline_upstream_body(call->request, message->body);
    if (call->ended || call->aborted)
        return;
    if (is_last(call, message))
        end_upstream(call);
    else if (call->late_head && call->response_mode == EXTPROC_BUFFERED_PARTIAL)
        refuse_partial(call);
}

void extproc_answer_trailers(struct extproc_call *call, const struct extproc_message *message) {
    if (call->state != EXTPROC_ANSWERING) {
        extproc_pass(call, message);
        return;
    }
    call->answer_trailers_owed = true;
    if (!call->upstream_complete && !call->ended && !call->aborted)
        end_upstream(call);
}

/* ---- what the client is to get */

static bool is_stream(const struct extproc_call *call) {
    const struct http1_head head = { .fields = call->answer_fields, .n_fields = call->n_answer_fields };
    vsr_str type = http1_field(&head, VSR_STR("content-type")), wanted = VSR_STR("text/event-stream");
    return str_eq_nocase(str_sub(type, 0, wanted.len), wanted);
}

/* Whether the pipeline's head can be made of the backend's by changing headers. */
static bool fits(const struct extproc_call *call) {
    return call->has_head && call->status == call->upstream->status;
}

static void diff(const struct extproc_call *call, struct extproc_mutation *ret_mutation) {
    extproc_diff(call->request->arena, call->upstream->fields, call->upstream->n_fields, call->answer_fields,
                 call->n_answer_fields, ret_mutation);
}

/* How Envoy had better send the body: false when it is well as it is. */
static bool wants_mode(const struct extproc_call *call, struct extproc_modes *ret_modes) {
    enum extproc_mode wanted = call->response_mode;
    if (call->upstream_bare || call->response_mode == EXTPROC_DUPLEX)
        return false;
    if (call->late_head)
        wanted = EXTPROC_BUFFERED;
    else if (is_stream(call))
        wanted = EXTPROC_STREAMED;
    else if (wanted == EXTPROC_NONE)
        wanted = EXTPROC_BUFFERED; /* usage is in the body */
    *ret_modes = (struct extproc_modes){ .request = call->request_mode, .response = wanted };
    return wanted != call->response_mode;
}

/*
 * A translation's own head comes with its body, and Envoy may hold the headers until then; where it does not, or only
 * if it lets itself be asked, they go out as they are most likely to be.
 */
static void foresee(struct extproc_call *call, struct extproc_mutation *ret_mutation) {
    struct http1_field *fields;
    size_t n;
    if (call->response_mode == EXTPROC_BUFFERED || call->response_mode == EXTPROC_BUFFERED_PARTIAL)
        return;
    n = answer_preview(call->request, call->upstream, &fields);
    extproc_diff(call->request->arena, call->upstream->fields, call->upstream->n_fields, fields, n, ret_mutation);
    extproc_remove(ret_mutation, VSR_STR("content-length"));
    call->upstream->fields = fields;
    call->upstream->n_fields = n;
}

/* False: they have to wait for the pipeline, or something else took their place. */
static bool settle_headers(struct extproc_call *call) {
    struct extproc_mutation mutation = { 0 };
    struct extproc_modes modes;
    struct extproc_answer answer = { .kind = EXTPROC_RESPONSE_HEADERS, .headers = &mutation };
    bool complete = call->upstream_bare;
    if (!call->answer_headers_owed)
        return true;
    if (complete && !call->ended)
        return false;
    if (call->ended && (!call->upstream_complete || !fits(call) || (complete && call->gathered.len > 0))) {
        extproc_reply(call);
        return false;
    }
    if (!fits(call) && call->response_mode == EXTPROC_DUPLEX)
        return false; /* Envoy sends the body all the same */
    call->late_head = !fits(call);
    if (call->late_head) {
        foresee(call, &mutation);
    } else {
        diff(call, &mutation);
        if (call->upstream->has_length && call->length != (int64_t)call->upstream->length && !complete)
            extproc_remove(&mutation, VSR_STR("content-length"));
    }
    if (wants_mode(call, &modes))
        answer.modes = &modes;
    extproc_send(call, &answer);
    call->answer_headers_owed = false;
    return true;
}

static void send_duplex(struct extproc_call *call) {
    vsr_str rest = buf_str(&call->gathered);
    bool last = call->ended && !call->answer_trailers_owed;
    if (call->upstream_bare)
        return;
    while (rest.len > 0 || last) {
        struct extproc_answer answer = { .kind = EXTPROC_RESPONSE_BODY, .body_kind = EXTPROC_BODY_CHUNK };
        answer.body = str_sub(rest, 0, EXTPROC_CHUNK_LEN);
        rest = str_sub(rest, answer.body.len, rest.len);
        answer.end_of_stream = last && rest.len == 0;
        extproc_send(call, &answer);
        if (rest.len == 0)
            break;
    }
    buf_reset(&call->gathered);
}

/* Answers one piece with what has gathered. */
static void send_piece(struct extproc_call *call) {
    struct extproc_mutation mutation = { 0 };
    struct extproc_answer answer = { .kind = EXTPROC_RESPONSE_BODY, .headers = &mutation };
    vsr_str said = buf_str(&call->gathered);
    if (call->late_head && call->has_head) {
        diff(call, &mutation);
        extproc_set(&mutation, VSR_STR("content-length"), arena_printf(call->request->arena, "%zu", said.len));
        call->late_head = false;
    }
    if (!call->chunk.ptr || !str_eq(said, call->chunk)) {
        answer.body_kind = EXTPROC_BODY_REPLACE;
        answer.body = said;
    }
    call->chunk = VSR_STR("");
    extproc_send(call, &answer);
    call->answer_chunks_owed--;
    buf_reset(&call->gathered);
}

/* False as above. */
static bool settle_pieces(struct extproc_call *call) {
    if (call->late_head && call->has_head && !fits(call)) {
        if (call->ended)
            extproc_reply(call);
        return false;
    }
    if (call->answer_chunks_owed == 0)
        return true;
    if (call->upstream_complete && !call->ended)
        return false; /* the last piece waits for the last word */
    while (call->answer_chunks_owed > 0)
        send_piece(call);
    return true;
}

static void settle_end(struct extproc_call *call) {
    if (!call->ended)
        return;
    if (call->gathered.len > 0) { /* trailers have come in place of the piece that it needs: better cut than short */
        LOG_WARN("Envoy sent trailers before the end of an answer could be given to it");
        extproc_reply(call);
        return;
    }
    if (call->answer_trailers_owed)
        extproc_send(call, &(struct extproc_answer){ .kind = EXTPROC_RESPONSE_TRAILERS });
    call->state = EXTPROC_PASSING;
    call->swallow = true;
    extproc_close_request(call, true);
}

void extproc_answer_settle(struct extproc_call *call) {
    if (call->aborted) {
        extproc_reply(call);
        return;
    }
    if (!settle_headers(call))
        return;
    if (call->response_mode == EXTPROC_DUPLEX)
        send_duplex(call);
    else if (!settle_pieces(call))
        return;
    if (call->ended && !call->upstream_complete && call->response_mode != EXTPROC_DUPLEX && call->gathered.len > 0)
        return; /* goes out with the next piece */
    settle_end(call);
}
