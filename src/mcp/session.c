#include "mcp/session.h"

#include <stdio.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/url.h"
#include "core/utf8.h"
#include "mcp/message.h"
#include "mcp/transport.h"
#include "net/loop.h"
#include "net/timer_wheel.h"

static const char *const versions[] = { "2025-06-18", "2025-03-26", "2024-11-05" }; /* the first is offered */

enum { SCRATCH_LEN = 16 << 10, REQUEST_LEN_MAX = 64 << 20 };

enum state { IDLE, STARTING, READY };

struct mcp_request {
    struct loop_link link; /* in session->requests */
    struct mcp_session *session;
    int64_t id;
    const char *method;
    struct buf params;
    bool sent, tried_again;
    struct loop_timer timer;
    struct loop_task task; /* tells a failure */
    int code;
    char reason[MCP_REASON_LEN];
    mcp_done_fn *done;
    void *owner;
};

struct mcp_session {
    struct mcp_place place;
    struct mcp_server_options options;
    struct arena *arena;
    const char *name_of_place;
    enum state state;
    struct mcp_transport *transport; /* NULL when idle */
    int64_t last_id, initialize_id;
    struct loop_link requests; /* in the order they came */
    size_t n_requests;
    uint64_t generation;
    unsigned n_failures, n_expired; /* since a request was answered */
    uint64_t retry_ms;              /* idle after a failure: when it may begin again */
    struct loop_timer timer;        /* of the handshake, or of the wait before it begins again */
    char reason[MCP_REASON_LEN];
    char server_name[MCP_NAME_LEN_MAX], server_version[MCP_NAME_LEN_MAX];
};

/* ---- the end of a request */

static void request_free(struct mcp_request *request) {
    loop_timer_stop(&request->timer);
    loop_defer_cancel(&request->task);
    loop_link_remove(&request->link);
    request->session->n_requests--;
    buf_done(&request->params);
    mem_free(request);
}

static void finish(struct mcp_request *request, const struct mcp_reply *reply) {
    mcp_done_fn *done = request->done;
    void *owner = request->owner;
    request_free(request);
    done(owner, reply);
}

static void on_failed(void *data) {
    struct mcp_request *request = data;
    char reason[MCP_REASON_LEN];
    memcpy(reason, request->reason, sizeof(reason));
    finish(request, &(struct mcp_reply){ .code = request->code, .reason = reason });
}

/* Told from the loop, so that whoever walks the requests is not surprised. */
static void fail(struct mcp_request *request, int code, const char *reason) {
    struct mcp_session *session = request->session;
    if (loop_task_queued(&request->task))
        return;
    loop_timer_stop(&request->timer);
    request->code = code;
    (void)snprintf(request->reason, sizeof(request->reason), "%s: %s", session->name_of_place, reason);
    loop_defer(session->place.loop, &request->task, on_failed, request);
}

static bool is_over(const struct mcp_request *request) {
    return loop_task_queued(&request->task);
}

static struct mcp_request *find(const struct mcp_session *session, int64_t id) {
    for (struct loop_link *link = session->requests.next; link != &session->requests; link = link->next) {
        struct mcp_request *request = (struct mcp_request *)link;
        if (request->id == id && request->sent && !is_over(request))
            return request;
    }
    return NULL;
}

/* ---- sending */

static void send(struct mcp_session *session, const struct buf *out, int64_t id) {
    session->transport->ops->send(session->transport, buf_str(out), id);
}

static void notify(struct mcp_session *session, const char *method, vsr_str params) {
    struct buf out;
    buf_init(&out, REQUEST_LEN_MAX);
    mcp_write_notification(&out, method, params);
    send(session, &out, 0);
    buf_done(&out);
}

static void give_up(struct mcp_request *request, const char *why) {
    struct mcp_session *session = request->session;
    char params[96];
    if (session->state != READY || !request->sent || is_over(request))
        return;
    (void)snprintf(params, sizeof(params), "{\"requestId\":%lld,\"reason\":\"%s\"}", (long long)request->id, why);
    session->transport->ops->forget(session->transport, request->id, false);
    notify(session, "notifications/cancelled", str_from_c(params));
}

static void send_request(struct mcp_request *request) {
    struct mcp_session *session = request->session;
    struct buf out;
    buf_init(&out, REQUEST_LEN_MAX);
    request->id = ++session->last_id;
    request->sent = true;
    mcp_write_request(&out, request->id, request->method, buf_str(&request->params));
    if (buf_failed(&out) || buf_failed(&request->params))
        fail(request, VSR_E_LIMIT, "the request would be too long");
    else
        send(session, &out, request->id);
    buf_done(&out);
}

static void send_waiting(struct mcp_session *session) {
    for (struct loop_link *link = session->requests.next; link != &session->requests; link = link->next) {
        struct mcp_request *request = (struct mcp_request *)link;
        if (!request->sent && !is_over(request))
            send_request(request);
    }
}

/* ---- losing it */

static void start(struct mcp_session *session);

static void on_retry(void *data) {
    mcp_session_wake(data);
}

static uint64_t restart_ms(const struct mcp_session *session) {
    uint64_t delay = MCP_RESTART_MS;
    for (unsigned i = 1; i < session->n_failures && delay < MCP_RESTART_MS_MAX; i++)
        delay *= 2;
    return delay < MCP_RESTART_MS_MAX ? delay : MCP_RESTART_MS_MAX;
}

static void on_left_behind(void *data) {
    size_t *n_ending = data;
    --*n_ending;
}

static void stop_transport(struct mcp_session *session) {
    size_t *n_ending = session->place.n_ending; /* outlives the session, as what ends may */
    if (session->transport && n_ending)
        ++*n_ending;
    if (session->transport)
        session->transport->ops->stop(session->transport, n_ending ? on_left_behind : NULL, n_ending);
    session->transport = NULL;
    session->state = IDLE;
    session->initialize_id = 0;
    loop_timer_stop(&session->timer);
}

/* It cannot go on; another try follows after a while. */
static void lose(struct mcp_session *session, int code, const char *reason) {
    uint64_t delay;
    bool was_ready = session->state == READY;
    (void)snprintf(session->reason, sizeof(session->reason), "%s", reason);
    stop_transport(session);
    session->n_failures++;
    delay = restart_ms(session);
    session->retry_ms = loop_now_ms(session->place.loop) + delay;
    LOG_WARN(was_ready ? "a tool server was lost" : "a tool server could not be reached",
             LOG_C("server", session->name_of_place), LOG_C("reason", session->reason), LOG_U("next_try_ms", delay));
    for (struct loop_link *link = session->requests.next; link != &session->requests; link = link->next)
        fail((struct mcp_request *)link, code, session->reason);
    if (session->options.kind == MCP_OVER_STDIO)
        loop_timer_start(session->place.loop, &session->timer, delay, on_retry, session);
}

/* ---- the handshake */

static bool is_known(vsr_str version) {
    for (size_t i = 0; i < VSR_COUNT(versions); i++)
        if (str_eq_c(version, versions[i]))
            return true;
    return false;
}

/* Visible text, cut to what fits. */
static void copy_name(const struct json_doc *doc, json_ref node, struct arena *scratch, char out[MCP_NAME_LEN_MAX]) {
    vsr_str text;
    out[0] = '\0';
    if (!json_str(scratch, doc, node, &text))
        return;
    text = utf8_cut(text, MCP_NAME_LEN_MAX - 1);
    for (size_t i = 0; i < text.len; i++)
        out[i] = (unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f ? '?' : text.ptr[i];
    out[text.len] = '\0';
}

static void begin_ready(struct mcp_session *session, vsr_str version) {
    session->state = READY;
    session->generation++;
    loop_timer_stop(&session->timer);
    session->transport->ops->ready(session->transport, version);
    LOG_INFO("a tool server is ready", LOG_C("server", session->name_of_place), LOG_C("name", session->server_name),
             LOG_C("version", session->server_version), LOG_S("protocol", version));
    notify(session, "notifications/initialized", VSR_STR(""));
    send_waiting(session);
}

static void on_initialized(struct mcp_session *session, const struct mcp_message *message) {
    struct arena *scratch = arena_new(SCRATCH_LEN, 0);
    json_ref info = json_get(message->doc, message->result, VSR_STR("serverInfo"));
    vsr_str version = { 0 };
    session->transport->ops->forget(session->transport, session->initialize_id, true);
    session->initialize_id = 0;
    if (message->kind == MCP_ERROR) {
        lose(session, VSR_E_UNAVAILABLE, "it refused to begin");
    } else if (!json_str(scratch, message->doc, json_get(message->doc, message->result, VSR_STR("protocolVersion")),
                         &version)) {
        lose(session, VSR_E_PROTOCOL, "it did not say which version of the protocol it speaks");
    } else if (!is_known(version)) {
        lose(session, VSR_E_PROTOCOL, "it speaks another version of the protocol");
    } else {
        copy_name(message->doc, json_get(message->doc, info, VSR_STR("name")), scratch, session->server_name);
        copy_name(message->doc, json_get(message->doc, info, VSR_STR("version")), scratch, session->server_version);
        begin_ready(session, version);
    }
    arena_free(scratch);
}

static void send_initialize(struct mcp_session *session) {
    struct buf params, out;
    struct json_writer w;
    buf_init(&params, REQUEST_LEN_MAX);
    buf_init(&out, REQUEST_LEN_MAX);
    json_write_init(&w, &params);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("protocolVersion"));
    json_write_str(&w, str_from_c(versions[0]));
    json_write_key(&w, VSR_STR("capabilities"));
    json_write_begin_object(&w);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("clientInfo"));
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("name"));
    json_write_str(&w, VSR_STR("vsr"));
    json_write_key(&w, VSR_STR("version"));
    json_write_str(&w, VSR_STR(VSR_VERSION));
    json_write_end(&w);
    json_write_end(&w);
    session->initialize_id = ++session->last_id;
    mcp_write_request(&out, session->initialize_id, "initialize", buf_str(&params));
    send(session, &out, session->initialize_id);
    buf_done(&params);
    buf_done(&out);
}

static void on_handshake_late(void *data) {
    lose(data, VSR_E_TIMEOUT, "it did not begin in time");
}

/* ---- what the server sends */

static void answer_server(struct mcp_session *session, const struct mcp_message *message) {
    struct buf out;
    buf_init(&out, MCP_MESSAGE_LEN_MAX);
    if (str_eq_c(message->method, "ping"))
        mcp_write_result(&out, message->id_raw, VSR_STR("{}"));
    else
        mcp_write_error(&out, message->id_raw, MCP_E_METHOD, "vsr offers no such method");
    if (!buf_failed(&out))
        send(session, &out, 0);
    buf_done(&out);
}

static void answer_request(struct mcp_request *request, const struct mcp_message *message) {
    struct mcp_session *session = request->session;
    struct mcp_reply reply = { .doc = message->doc, .result = message->result };
    char reason[MCP_REASON_LEN];
    session->transport->ops->forget(session->transport, request->id, true);
    session->n_failures = session->n_expired = 0;
    if (message->kind == MCP_ERROR) {
        reply.code = VSR_E_INVALID;
        reply.error = message->code;
        reply.reason = reason;
        (void)snprintf(reason, sizeof(reason), "%s: it answered %s with error %lld", session->name_of_place,
                       request->method, (long long)message->code);
    }
    finish(request, &reply);
}

static void take_message(void *user, const struct mcp_message *message) {
    struct mcp_session *session = user;
    struct mcp_request *request;
    if (!session->transport) /* lost by a message before this one */
        return;
    switch (message->kind) {
    case MCP_REQUEST:
        answer_server(session, message);
        break;
    case MCP_NOTIFICATION:
        if (str_eq_c(message->method, "notifications/tools/list_changed") && session->state == READY)
            session->generation++;
        break;
    case MCP_RESULT:
    case MCP_ERROR:
        if (session->initialize_id && message->id == session->initialize_id)
            on_initialized(session, message);
        else if ((request = find(session, message->id)) != NULL)
            answer_request(request, message);
        break; /* else to one that was given up */
    }
}

static void on_message(void *owner, vsr_str text) {
    struct mcp_session *session = owner;
    struct arena *arena = arena_new(SCRATCH_LEN, 0);
    struct vsr_err err = VSR_ERR_NONE;
    if (mcp_message_read(arena, text, take_message, session, &err) < 0)
        LOG_WARN("a tool server sent what is no message", LOG_C("server", session->name_of_place),
                 LOG_C("error", err.text));
    arena_free(arena);
}

static void on_unanswered(void *owner, int64_t id, int code, const char *reason) {
    struct mcp_session *session = owner;
    struct mcp_request *request = find(session, id);
    if (id == session->initialize_id)
        lose(session, code, reason);
    else if (request)
        fail(request, code, reason);
}

static void on_expired(void *owner, int64_t id) {
    struct mcp_session *session = owner;
    struct mcp_request *request = find(session, id);
    if (++session->n_expired > 1) { /* without an answer since */
        lose(session, VSR_E_UNAVAILABLE, "it forgets its sessions at once");
        return;
    }
    LOG_INFO("a tool server has forgotten its session; a new one begins", LOG_C("server", session->name_of_place));
    if (request && !request->tried_again) {
        request->tried_again = true;
        request->sent = false;
    }
    for (struct loop_link *link = session->requests.next; link != &session->requests; link = link->next)
        if (((struct mcp_request *)link)->sent)
            fail((struct mcp_request *)link, VSR_E_UNAVAILABLE, "it has forgotten the session");
    stop_transport(session);
    start(session);
}

static void on_lost(void *owner, int code, const char *reason) {
    lose(owner, code == VSR_E_CLOSED ? VSR_E_UNAVAILABLE : code, reason);
}

static const struct mcp_transport_events events = {
    .on_message = on_message,
    .on_unanswered = on_unanswered,
    .on_expired = on_expired,
    .on_lost = on_lost,
};

/* ---- beginning */

static void start(struct mcp_session *session) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = session->options.kind == MCP_OVER_STDIO
                 ? mcp_stdio_open(&session->place, &session->options, &events, session, &session->transport, &err)
                 : mcp_http_open(&session->place, &session->options, &events, session, &session->transport, &err);
    if (rc < 0) {
        lose(session, VSR_E_UNAVAILABLE, err.text);
        return;
    }
    session->state = STARTING;
    loop_timer_start(session->place.loop, &session->timer, MCP_HANDSHAKE_MS, on_handshake_late, session);
    send_initialize(session);
}

void mcp_session_wake(struct mcp_session *session) {
    if (session->state == IDLE && loop_now_ms(session->place.loop) >= session->retry_ms)
        start(session);
}

/* ---- requests */

static void on_request_late(void *data) {
    struct mcp_request *request = data;
    give_up(request, "it took too long");
    fail(request, VSR_E_TIMEOUT, "no answer in time");
}

struct mcp_request *mcp_session_request(struct mcp_session *session, const char *method, vsr_str params,
                                        uint64_t timeout_ms, mcp_done_fn *done, void *owner) {
    struct mcp_request *request = MEM_NEW(struct mcp_request);
    VSR_DEBUG_ASSERT(loop_on_thread(session->place.loop));
    request->session = session;
    request->method = method;
    request->done = done;
    request->owner = owner;
    buf_init(&request->params, REQUEST_LEN_MAX);
    (void)buf_append(&request->params, params); /* looked at when it is sent */
    loop_link_append(&session->requests, &request->link);
    session->n_requests++;
    loop_timer_start(session->place.loop, &request->timer, timeout_ms, on_request_late, request);
    mcp_session_wake(session);
    if (session->n_requests > MCP_REQUESTS_MAX)
        fail(request, VSR_E_LIMIT, "too many requests are under way");
    else if (session->state == IDLE)
        fail(request, VSR_E_UNAVAILABLE, session->reason);
    else if (session->state == READY)
        send_request(request);
    return request;
}

void mcp_request_cancel(struct mcp_request *request) {
    if (!request)
        return;
    give_up(request, "it is not needed any more");
    request_free(request);
}

/* ---- life */

static void copy_options(struct mcp_session *session, const struct mcp_server_options *options) {
    struct arena *arena = session->arena;
    vsr_str *args = ARENA_ARRAY(arena, vsr_str, options->n_args);
    struct mcp_variable *env = ARENA_ARRAY(arena, struct mcp_variable, options->n_env);
    for (size_t i = 0; i < options->n_args; i++)
        args[i] = arena_str(arena, options->args[i]);
    for (size_t i = 0; i < options->n_env; i++)
        env[i] =
            (struct mcp_variable){ arena_str(arena, options->env[i].name), arena_str(arena, options->env[i].value) };
    session->options = (struct mcp_server_options){
        .kind = options->kind,
        .command = arena_str(arena, options->command),
        .args = args,
        .n_args = options->n_args,
        .env = env,
        .n_env = options->n_env,
        .folder = arena_str(arena, options->folder),
        .url = arena_str(arena, options->url),
        .token = arena_str(arena, options->token),
    };
}

struct mcp_session *mcp_session_new(const struct mcp_place *place, const struct mcp_server_options *options) {
    struct mcp_session *session = MEM_NEW(struct mcp_session);
    session->place = *place;
    session->arena = arena_new(0, 0);
    copy_options(session, options);
    session->name_of_place =
        arena_c_str(session->arena,
                    options->kind == MCP_OVER_STDIO ? options->command : url_shown(session->arena, options->url));
    loop_link_init(&session->requests);
    return session;
}

void mcp_session_free(struct mcp_session *session, void (*on_gone)(void *data), void *data) {
    struct mcp_transport *transport;
    if (!session)
        return;
    VSR_ASSERT(loop_link_empty(&session->requests));
    loop_timer_stop(&session->timer);
    transport = session->transport;
    arena_free(session->arena);
    mem_free(session);
    if (transport)
        transport->ops->stop(transport, on_gone, data);
    else if (on_gone)
        on_gone(data);
}

bool mcp_session_is_ready(const struct mcp_session *session) {
    return session->state == READY;
}

uint64_t mcp_session_generation(const struct mcp_session *session) {
    return session->generation;
}

const char *mcp_session_server_name(const struct mcp_session *session) {
    return session->server_name;
}

const char *mcp_session_server_version(const struct mcp_session *session) {
    return session->server_version;
}

const char *mcp_session_place(const struct mcp_session *session) {
    return session->name_of_place;
}
