#include "cli/http_call.h"

#include "config/address.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/url.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/tls.h"

static const struct client_limits limits = {
    .connect_timeout_ms = 10 * 1000,
    .pool_idle_ms = 1000,
    .connections_max = 1,
    .pending_max = 1,
    .dns_ttl_ms = 1000,
};

struct waiting {
    struct arena *arena;
    struct loop *loop;
    struct http_answer *answer;
    struct buf body;
    struct vsr_err err; /* code 0: the answer is complete */
};

static void on_head(void *owner, const struct http1_head *head) {
    struct waiting *waiting = owner;
    struct http_answer *answer = waiting->answer;
    answer->status = head->status;
    answer->n_fields = head->n_fields;
    answer->fields = ARENA_ARRAY(waiting->arena, struct http1_field, head->n_fields);
    for (size_t i = 0; i < head->n_fields; i++) {
        answer->fields[i].name = arena_str(waiting->arena, head->fields[i].name);
        answer->fields[i].value = arena_str(waiting->arena, head->fields[i].value);
    }
}

static void on_body(void *owner, vsr_str bytes) {
    struct waiting *waiting = owner;
    buf_append(&waiting->body, bytes);
}

static void on_end(void *owner) {
    struct waiting *waiting = owner;
    loop_stop(waiting->loop);
}

static void on_error(void *owner, const struct vsr_err *err, bool connected) {
    struct waiting *waiting = owner;
    (void)connected;
    waiting->err = *err;
    loop_stop(waiting->loop);
}

static const struct client_events events = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
};

static void start(const struct http_call *call, const struct address *address, struct client *client,
                  struct tls_client *tls, struct waiting *waiting) {
    struct http1_field fields[2];
    size_t n_fields = 0;
    const struct client_timeouts timeouts = { .total_ms = call->timeout_ms };
    struct client_request request = {
        .method = call->method,
        .target = arena_printf(waiting->arena, "%.*s%.*s", VSR_FMT(address->path), VSR_FMT(call->path)),
        .authority = address_authority(address, waiting->arena),
        .fields = fields,
        .body = call->body,
    };
    struct client_endpoint *endpoint =
        client_endpoint(client, &(struct client_place){ .host = address->host, .port = address->port, .tls = tls });
    if (call->body.len > 0)
        fields[n_fields++] = (struct http1_field){ VSR_STR("content-type"), VSR_STR("application/json") };
    if (call->token.len > 0)
        fields[n_fields++] = (struct http1_field){ VSR_STR("authorization"),
                                                   arena_printf(waiting->arena, "Bearer %.*s", VSR_FMT(call->token)) };
    request.n_fields = n_fields;
    (void)client_call_start(endpoint, &request, &timeouts, &events, waiting); /* ended by an event */
}

/* With everything made: runs the loop until the call is over. */
static int wait_for(const struct http_call *call, struct client *client, struct tls_client *tls,
                    const struct address *address, struct waiting *waiting, struct vsr_err *err) {
    int rc = 0;
    start(call, address, client, tls, waiting);
    loop_run(waiting->loop);
    if (waiting->err.code < 0) {
        *err = waiting->err;
        rc = err->code;
    } else if (buf_failed(&waiting->body)) {
        rc = err_set(err, VSR_E_LIMIT, "the answer is longer than %d bytes", HTTP_CALL_BODY_LEN_MAX);
    } else {
        waiting->answer->body = arena_str(waiting->arena, buf_str(&waiting->body));
    }
    return rc < 0 ? err_wrap(err, "%.*s", VSR_FMT(url_shown(waiting->arena, call->url))) : 0;
}

int http_call(struct arena *arena, const struct http_call *call, struct http_answer *ret_answer, struct vsr_err *err) {
    const struct tls_client_options tls_options = { 0 };
    struct waiting waiting = { .arena = arena, .answer = ret_answer };
    struct client *client = NULL;
    struct tls_client *tls = NULL;
    struct address address;
    const char *wrong = address_parse(call->url, false, arena, &address);
    int rc;
    if (wrong)
        return err_set(err, VSR_E_INVALID, "bad URL \"%.*s\": %s", VSR_FMT(url_shown(arena, call->url)), wrong);
    if (!http1_value_ok(call->token))
        return err_set(err, VSR_E_INVALID, "the token has characters that no header may carry");
    *ret_answer = (struct http_answer){ 0 };
    buf_init(&waiting.body, HTTP_CALL_BODY_LEN_MAX);
    rc = loop_new(&waiting.loop, err);
    if (rc == 0)
        rc = client_new(waiting.loop, &limits, &client, err);
    if (rc == 0 && address.tls)
        rc = tls_client_new(&tls_options, &tls, err);
    if (rc == 0)
        rc = wait_for(call, client, tls, &address, &waiting, err);
    client_free(client);
    tls_client_free(tls);
    loop_free(waiting.loop);
    buf_done(&waiting.body);
    return rc;
}

vsr_str http_answer_field(const struct http_answer *answer, const char *name) {
    for (size_t i = 0; i < answer->n_fields; i++)
        if (str_eq_nocase(answer->fields[i].name, str_from_c(name)))
            return answer->fields[i].value;
    return VSR_STR("");
}
