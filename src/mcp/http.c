/*
 * http - a tool server over streamable HTTP: one URL, every message of ours a POST of its own.
 *
 * The answer is a message, or a stream of events whose data are messages, or 202 without either. Once the server has
 * given the session a name it is sent with every message, with the version of the protocol, and the session is ended
 * with a DELETE. A 404 for a named session means that the server has forgotten it.
 *
 * No stream is opened for messages that the server would begin itself, and one that ends before the answer came is not
 * taken up again: tools answer within their calls. Redirections are not followed.
 */
#include "config/address.h"
#include "core/arena.h"
#include "core/log.h"
#include "core/mem.h"
#include "mcp/message.h"
#include "mcp/server.h"
#include "mcp/transport.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/timer_wheel.h"
#include "wire/sse.h"

enum {
    NAME_LEN_MAX = 512, /* of a session */
    VERSION_LEN_MAX = 32,
    NOTIFY_MS = 10000, /* for what nobody waits for */
    DELETE_MS = 2000,
    LINGER_MS = 5000, /* for a stream to end behind its answer */
    FIELDS_MAX = 6,
    REASON_LEN = 200,
};

struct http;

/* A message under way. */
struct post {
    struct loop_link link;
    struct http *http;
    struct client_call *call; /* NULL: it is over */
    struct loop_timer timer;
    int64_t id; /* 0: nobody waits for an answer */
    struct buf body, answer;
    struct sse_parser sse;
    int status;
    bool is_stream, busy, dead;
};

struct http {
    struct mcp_transport base;
    struct loop *loop;
    struct client_endpoint *endpoint;
    struct arena *arena;
    vsr_str authority, path, authorization;
    char name[NAME_LEN_MAX], version[VERSION_LEN_MAX];
    size_t name_len, version_len;
    struct loop_link posts;
    struct client_call *delete_call;
    struct loop_task task;
    bool stopped;
    void (*on_gone)(void *data);
    void *gone_data;
};

/* ---- posts */

static void post_free(struct post *post) {
    if (post->busy) {
        post->dead = true;
        return;
    }
    client_call_cancel(post->call);
    loop_timer_stop(&post->timer);
    loop_link_remove(&post->link);
    buf_done(&post->body);
    buf_done(&post->answer);
    sse_done(&post->sse);
    mem_free(post);
}

static void unanswered(struct post *post, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void unanswered(struct post *post, int code, const char *format, ...) {
    struct http *http = post->http;
    int64_t id = post->dead ? 0 : post->id;
    char reason[REASON_LEN];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof(reason), format, args); /* cut is fine */
    va_end(args);
    post_free(post);
    if (id)
        http->base.events->on_unanswered(http->base.owner, id, code, reason);
    else
        LOG_DEBUG("a tool server did not take a message", LOG_S("server", http->authority), LOG_C("reason", reason));
}

static void on_post_late(void *data) {
    post_free(data);
}

/* ---- the answer */

static void give_message(struct post *post, vsr_str text) {
    struct http *http = post->http;
    if (!post->dead && !http->stopped)
        http->base.events->on_message(http->base.owner, text);
}

static void on_event(void *user, const struct sse_event *event) {
    struct post *post = user;
    bool is_message = event->type.len == 0 || str_eq_c(event->type, "message");
    if (!event->comment_only && is_message && str_trim(event->data).len)
        give_message(post, event->data);
}

static bool has_type(const struct http1_head *head, const char *type) {
    vsr_str value = http1_field(head, VSR_STR("content-type"));
    ptrdiff_t end = str_find_char(value, ';');
    return str_eq_nocase(str_trim(str_sub(value, 0, end < 0 ? value.len : (size_t)end)), str_from_c(type));
}

static bool is_name_ok(vsr_str name) {
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] < 0x21 || name.ptr[i] > 0x7e)
            return false;
    return name.len > 0 && name.len <= NAME_LEN_MAX;
}

static void on_head(void *owner, const struct http1_head *head) {
    struct post *post = owner;
    struct http *http = post->http;
    vsr_str name = http1_field(head, VSR_STR("mcp-session-id"));
    post->status = head->status;
    post->is_stream = head->status >= 200 && head->status <= 299 && has_type(head, "text/event-stream");
    if (http->name_len == 0 && http->version_len == 0 && is_name_ok(name)) {
        memcpy(http->name, name.ptr, name.len);
        http->name_len = name.len;
    }
}

static void on_body(void *owner, vsr_str bytes) {
    struct post *post = owner;
    if (!post->is_stream) {
        if (buf_append(&post->answer, bytes) < 0)
            unanswered(post, VSR_E_LIMIT, "its answer is too long");
        return;
    }
    post->busy = true;
    sse_feed(&post->sse, bytes);
    post->busy = false;
    if (post->dead)
        post_free(post);
    else if (sse_broken(&post->sse))
        unanswered(post, VSR_E_LIMIT, "an event of its answer is too long");
}

static void on_end(void *owner) {
    struct post *post = owner;
    struct http *http = post->http;
    post->call = NULL;
    if (post->status == 404 && http->name_len > 0) {
        int64_t id = post->id;
        post_free(post);
        http->base.events->on_expired(http->base.owner, id);
        return;
    }
    if (post->status < 200 || post->status > 299) {
        unanswered(post, post->status == 429 || post->status >= 500 ? VSR_E_UNAVAILABLE : VSR_E_PROTOCOL, "status %d",
                   post->status);
        return;
    }
    post->busy = true;
    if (post->is_stream)
        sse_finish(&post->sse);
    else if (str_trim(buf_str(&post->answer)).len)
        give_message(post, buf_str(&post->answer));
    post->busy = false;
    if (post->id && !post->dead)
        unanswered(post, VSR_E_PROTOCOL, "its answer ended without a response");
    else
        post_free(post);
}

static void on_error(void *owner, const struct vsr_err *err, bool connected) {
    struct post *post = owner;
    int code = err->code == VSR_E_TIMEOUT || err->code == VSR_E_PROTOCOL ? err->code : VSR_E_UNAVAILABLE;
    (void)connected;
    post->call = NULL;
    unanswered(post, code, "%s", err->text);
}

static const struct client_events events = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
};

/* ---- sending */

static struct client_call *send(struct http *http, const char *method, vsr_str body, uint64_t total_ms,
                                const struct client_events *call_events, void *owner) {
    const struct client_timeouts timeouts = { .total_ms = total_ms };
    struct http1_field fields[FIELDS_MAX];
    struct client_request request = {
        .method = str_from_c(method),
        .target = http->path,
        .authority = http->authority,
        .fields = fields,
        .body = body,
    };
    size_t n = 0;
    if (body.len)
        fields[n++] = (struct http1_field){ VSR_STR("content-type"), VSR_STR("application/json") };
    fields[n++] = (struct http1_field){ VSR_STR("accept"), VSR_STR("application/json, text/event-stream") };
    if (http->authorization.len)
        fields[n++] = (struct http1_field){ VSR_STR("authorization"), http->authorization };
    if (http->name_len)
        fields[n++] = (struct http1_field){ VSR_STR("mcp-session-id"), str_make(http->name, http->name_len) };
    if (http->version_len)
        fields[n++] =
            (struct http1_field){ VSR_STR("mcp-protocol-version"), str_make(http->version, http->version_len) };
    request.n_fields = n;
    return client_call_start(http->endpoint, &request, &timeouts, call_events, owner);
}

static void http_send(struct mcp_transport *transport, vsr_str text, int64_t id) {
    struct http *http = (struct http *)transport;
    struct post *post = MEM_NEW(struct post);
    post->http = http;
    post->id = id;
    buf_init(&post->body, text.len);
    (void)buf_append(&post->body, text); /* a small copy without memory sends nothing that parses */
    buf_init(&post->answer, MCP_MESSAGE_LEN_MAX);
    sse_init(&post->sse, on_event, post);
    loop_link_append(&http->posts, &post->link);
    post->call = send(http, "POST", buf_str(&post->body), id ? 0 : NOTIFY_MS, &events, post);
}

static void http_forget(struct mcp_transport *transport, int64_t id, bool answered) {
    struct http *http = (struct http *)transport;
    for (struct loop_link *link = http->posts.next; link != &http->posts; link = link->next) {
        struct post *post = (struct post *)link;
        if (post->id != id)
            continue;
        post->id = 0;
        if (answered)
            loop_timer_start(http->loop, &post->timer, LINGER_MS, on_post_late, post);
        else
            post_free(post);
        return;
    }
}

static void http_ready(struct mcp_transport *transport, vsr_str version) {
    struct http *http = (struct http *)transport;
    http->version_len = version.len < VERSION_LEN_MAX ? version.len : VERSION_LEN_MAX;
    memcpy(http->version, version.ptr, http->version_len);
}

/* ---- the end */

static void destroy(struct http *http) {
    client_call_cancel(http->delete_call);
    loop_defer_cancel(&http->task);
    client_endpoint_unref(http->endpoint);
    if (http->on_gone)
        http->on_gone(http->gone_data);
    arena_free(http->arena);
    mem_free(http);
}

static void on_gone_task(void *data) {
    destroy(data);
}

static void on_delete_head(void *owner, const struct http1_head *head) {
    (void)owner;
    (void)head;
}

static void on_delete_body(void *owner, vsr_str bytes) {
    (void)owner;
    (void)bytes;
}

static void on_delete_end(void *owner) {
    struct http *http = owner;
    http->delete_call = NULL;
    destroy(http);
}

static void on_delete_error(void *owner, const struct vsr_err *err, bool connected) {
    (void)err; /* the server ends sessions by itself, sooner or later */
    (void)connected;
    on_delete_end(owner);
}

static const struct client_events delete_events = {
    .on_head = on_delete_head,
    .on_body = on_delete_body,
    .on_end = on_delete_end,
    .on_error = on_delete_error,
};

static void http_stop(struct mcp_transport *transport, void (*on_gone)(void *data), void *data) {
    struct http *http = (struct http *)transport;
    struct loop_link *next;
    http->stopped = true;
    http->on_gone = on_gone;
    http->gone_data = data;
    for (struct loop_link *link = http->posts.next; link != &http->posts; link = next) {
        next = link->next;
        post_free((struct post *)link);
    }
    if (http->name_len)
        http->delete_call = send(http, "DELETE", VSR_STR(""), DELETE_MS, &delete_events, http);
    else
        loop_defer(http->loop, &http->task, on_gone_task, http);
}

static const struct mcp_transport_ops http_ops = {
    .send = http_send,
    .forget = http_forget,
    .ready = http_ready,
    .stop = http_stop,
};

/* ---- the beginning */

static int read_url(struct http *http, const struct mcp_place *place, const struct mcp_server_options *options,
                    struct vsr_err *err) {
    struct address address;
    const char *wrong = address_parse(options->url, false, http->arena, &address);
    if (wrong)
        return err_set(err, VSR_E_INVALID, "bad URL: %s", wrong);
    if (address.tls && !place->tls)
        return err_set(err, VSR_E_INVALID, "there is no TLS here");
    if (!http1_value_ok(options->token))
        return err_set(err, VSR_E_INVALID, "its token has characters that no header may carry");
    http->authority = address_authority(&address, http->arena);
    http->path = address.path.len ? arena_str(http->arena, address.path) : VSR_STR("/");
    if (options->token.len)
        http->authorization = arena_printf(http->arena, "Bearer %.*s", VSR_FMT(options->token));
    http->endpoint = client_endpoint(place->client, &(struct client_place){ .host = address.host,
                                                                            .port = address.port,
                                                                            .tls = address.tls ? place->tls : NULL });
    return 0;
}

int mcp_http_open(const struct mcp_place *place, const struct mcp_server_options *options,
                  const struct mcp_transport_events *transport_events, void *owner,
                  struct mcp_transport **ret_transport, struct vsr_err *err) {
    struct http *http = MEM_NEW(struct http);
    int rc;
    http->base = (struct mcp_transport){ .ops = &http_ops, .events = transport_events, .owner = owner };
    http->loop = place->loop;
    http->arena = arena_new(0, 0);
    loop_link_init(&http->posts);
    rc = read_url(http, place, options, err);
    if (rc < 0) {
        arena_free(http->arena);
        mem_free(http);
        return rc;
    }
    *ret_transport = &http->base;
    return 0;
}
