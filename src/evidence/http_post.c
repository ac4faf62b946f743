#include "evidence/http_post.h"

#include <stdio.h>

#include "config/address.h"
#include "core/assert.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/random.h"
#include "net/client.h"
#include "net/loop.h"

enum {
    SCRATCH_LEN = 16 << 10,
    ERROR_WORD_LEN_MAX = 64,
    RETRY_AFTER_S_MAX = 3600, /* more is as good as never */
};

struct http_post {
    const struct http_server *server;
    struct http_post_options options;
    struct buf body, answer;
    struct client_call *call; /* NULL between attempts */
    struct loop_timer timer;  /* the end of an attempt, or of the wait between two */
    struct loop_task task;    /* a server that cannot be asked is told from the loop */
    uint64_t start_ms;
    unsigned n_attempts;
    int status;
    bool longer; /* than its limit is the answer */
    uint64_t retry_after_ms;
    http_post_done_fn *done;
    void *owner;
    char reason[HTTP_POST_REASON_LEN];
};

/* ---- servers */

static vsr_str without_query(vsr_str url) {
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] == '?' || url.ptr[i] == '#')
            return str_sub(url, 0, i);
    return url;
}

static bool is_key_ok(vsr_str token) {
    return http1_value_ok(token) && str_trim(token).len == token.len;
}

void http_server_init(struct http_server *server, const struct http_server_options *options, struct arena *arena) {
    struct address address;
    *server = (struct http_server){ .loop = options->loop };
    server->wrong = address_parse(without_query(options->url), false, arena, &address);
    if (server->wrong)
        return;
    if (address.tls && !options->tls) {
        server->wrong = "there is no TLS here";
        return;
    }
    if (!is_key_ok(options->token)) {
        server->wrong = "its key has characters that no header may carry";
        return;
    }
    server->tls = address.tls;
    server->authority = address_authority(&address, arena);
    server->path = str_ends(address.path, options->suffix)
                       ? arena_str(arena, address.path)
                       : arena_printf(arena, "%.*s%.*s", VSR_FMT(address.path), VSR_FMT(options->suffix));
    if (server->path.len == 0)
        server->path = VSR_STR("/");
    if (options->token.len)
        server->authorization = arena_printf(arena, "Bearer %.*s", VSR_FMT(options->token));
    server->endpoint =
        client_endpoint(options->client, &(struct client_place){ .host = address.host,
                                                                 .port = address.port,
                                                                 .tls = address.tls ? options->tls : NULL });
}

void http_server_done(struct http_server *server) {
    if (server->endpoint)
        client_endpoint_unref(server->endpoint);
    server->endpoint = NULL;
}

/* ---- the end */

static void destroy(struct http_post *post) {
    client_call_cancel(post->call);
    loop_timer_stop(&post->timer);
    loop_defer_cancel(&post->task);
    buf_done(&post->body);
    buf_done(&post->answer);
    mem_free(post);
}

static void finish(struct http_post *post, enum signal_code code) {
    const struct http_post_answer answer = {
        .code = code,
        .status = post->status,
        .longer = post->longer,
        .reason = code == SIGNAL_OK ? NULL : post->reason,
        .body = code == SIGNAL_OK ? buf_str(&post->answer) : VSR_STR(""),
    };
    client_call_cancel(post->call);
    post->call = NULL;
    loop_timer_stop(&post->timer);
    post->done(post->owner, &answer);
    destroy(post);
}

void http_post_cancel(struct http_post *post) {
    if (post)
        destroy(post);
}

/* ---- attempts */

static void attempt(struct http_post *post);

static bool has_time(const struct http_post *post, uint64_t *ret_left_ms) {
    uint64_t passed = loop_now_ms(post->server->loop) - post->start_ms;
    *ret_left_ms = post->options.timeout_ms > passed ? post->options.timeout_ms - passed : 0;
    return post->options.timeout_ms > 0;
}

static uint64_t delay_ms(const struct http_post *post) {
    uint64_t delay = HTTP_POST_DELAY_MS;
    struct random random;
    for (unsigned i = 1; i < post->n_attempts && delay < HTTP_POST_DELAY_MS_MAX; i++)
        delay *= 2;
    if (delay > HTTP_POST_DELAY_MS_MAX)
        delay = HTTP_POST_DELAY_MS_MAX;
    random_init(&random);
    delay = delay / 2 + random_next(&random) % (delay / 2 + 1);
    return delay < post->retry_after_ms ? post->retry_after_ms : delay;
}

static void on_wait_over(void *data) {
    attempt(data);
}

/* The attempt failed as post->reason tells. */
static void fail(struct http_post *post, enum signal_code code, bool transient) {
    uint64_t left, delay;
    client_call_cancel(post->call);
    post->call = NULL;
    loop_timer_stop(&post->timer);
    LOG_DEBUG("a server did not answer a question", LOG_S("server", post->server->authority),
              LOG_C("reason", post->reason), LOG_U("attempt", post->n_attempts),
              LOG_S("answer", buf_str(&post->answer)));
    if (!transient || post->n_attempts > post->options.retries) {
        finish(post, code);
        return;
    }
    delay = delay_ms(post);
    if ((has_time(post, &left) && left <= delay) ||
        (post->options.attempt_ms > 0 && post->retry_after_ms > post->options.attempt_ms)) {
        finish(post, code);
        return;
    }
    loop_timer_start(post->server->loop, &post->timer, delay, on_wait_over, post);
}

static void say(struct http_post *post, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct http_post *post, const char *format, ...) {
    va_list args;
    int len = snprintf(post->reason, sizeof(post->reason), "%.*s: ", VSR_FMT(str_sub(post->server->authority, 0, 80)));
    va_start(args, format);
    (void)vsnprintf(post->reason + len, sizeof(post->reason) - (size_t)len, format, args); /* cut is fine */
    va_end(args);
}

static void on_late(void *data) {
    struct http_post *post = data;
    uint64_t left;
    bool over = has_time(post, &left) && left == 0;
    say(post, "no answer in time");
    fail(post, SIGNAL_TIMEOUT, !over);
}

/* ---- the answer */

static bool is_success(const struct http_post *post) {
    return post->status >= 200 && post->status <= 299;
}

static void on_head(void *owner, const struct http1_head *head) {
    struct http_post *post = owner;
    uint64_t seconds;
    post->status = head->status;
    post->retry_after_ms = 0;
    if (str_to_u64(http1_field(head, VSR_STR("retry-after")), &seconds))
        post->retry_after_ms = (seconds < RETRY_AFTER_S_MAX ? seconds : RETRY_AFTER_S_MAX) * 1000;
}

static bool is_word(vsr_str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.ptr[i]);
        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '_' && c != '-' && c != '.')
            return false;
    }
    return text.len > 0 && text.len <= ERROR_WORD_LEN_MAX;
}

/*
 * What the server calls the failure, when that is one word: {"error":{"code":...,"type":...}} or {"error":"..."}. Its
 * sentences stay out, because they may quote the question. Empty: nothing of that kind.
 */
static vsr_str error_word(struct arena *arena, vsr_str body) {
    struct json_doc doc;
    vsr_str word;
    json_ref error;
    if (json_parse(arena, body, &doc, NULL) < 0)
        return VSR_STR("");
    error = json_get(&doc, 0, VSR_STR("error"));
    if (json_str(arena, &doc, error, &word) && is_word(word))
        return word;
    if (json_str(arena, &doc, json_get(&doc, error, VSR_STR("code")), &word) && is_word(word))
        return word;
    if (json_str(arena, &doc, json_get(&doc, error, VSR_STR("type")), &word) && is_word(word))
        return word;
    return VSR_STR("");
}

static void fail_by_status(struct http_post *post) {
    struct arena *scratch = arena_new(SCRATCH_LEN, 0);
    vsr_str word = error_word(scratch, buf_str(&post->answer));
    bool transient = post->status == 429 || post->status >= 500;
    enum signal_code code = transient ? SIGNAL_UNAVAILABLE : post->status == 413 ? SIGNAL_TOO_LONG : SIGNAL_FAILED;
    say(post, "status %d%s%.*s", post->status, word.len ? ", " : "", VSR_FMT(word));
    arena_free(scratch);
    fail(post, code, transient);
}

static void on_body(void *owner, vsr_str bytes) {
    struct http_post *post = owner;
    if (!is_success(post)) {
        (void)buf_append(&post->answer, str_sub(bytes, 0, HTTP_POST_ERROR_LEN_MAX - post->answer.len));
        if (post->answer.len == HTTP_POST_ERROR_LEN_MAX)
            fail_by_status(post);
        return;
    }
    if (buf_append(&post->answer, bytes) < 0) {
        post->longer = true; /* and final: there is no other attempt */
        say(post, "the answer is longer than %zu bytes", post->options.answer_len_max);
        fail(post, SIGNAL_FAILED, false);
    }
}

static void on_end(void *owner) {
    struct http_post *post = owner;
    post->call = NULL;
    if (is_success(post))
        finish(post, SIGNAL_OK);
    else
        fail_by_status(post);
}

static void on_error(void *owner, const struct vsr_err *err, bool connected) {
    struct http_post *post = owner;
    bool transient =
        err->code == VSR_E_REFUSED || err->code == VSR_E_DNS || err->code == VSR_E_CLOSED || err->code == VSR_E_TIMEOUT;
    enum signal_code code = err->code == VSR_E_TIMEOUT                                ? SIGNAL_TIMEOUT
                            : err->code == VSR_E_PROTOCOL || err->code == VSR_E_NOMEM ? SIGNAL_FAILED
                                                                                      : SIGNAL_UNAVAILABLE;
    (void)connected;
    post->call = NULL;
    say(post, "%s", err->text);
    fail(post, code, transient);
}

static const struct client_events events = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
};

static void attempt(struct http_post *post) {
    const struct http_server *server = post->server;
    const struct client_timeouts timeouts = { 0 }; /* the timer here serves */
    const struct http1_field fields[] = {
        { VSR_STR("content-type"), VSR_STR("application/json") },
        { VSR_STR("accept"), VSR_STR("application/json") },
        { VSR_STR("authorization"), server->authorization },
    };
    const struct client_request request = {
        .method = VSR_STR("POST"),
        .target = server->path,
        .authority = server->authority,
        .fields = fields,
        .n_fields = VSR_COUNT(fields) - (server->authorization.len == 0),
        .body = buf_str(&post->body),
    };
    uint64_t limit_ms = post->options.attempt_ms, left;
    if (has_time(post, &left) && (limit_ms == 0 || left < limit_ms))
        limit_ms = left;
    post->n_attempts++;
    post->status = 0;
    post->retry_after_ms = 0;
    buf_reset(&post->answer);
    if (limit_ms > 0)
        loop_timer_start(server->loop, &post->timer, limit_ms, on_late, post);
    post->call = client_call_start(server->endpoint, &request, &timeouts, &events, post);
}

static void on_wrong(void *data) {
    struct http_post *post = data;
    (void)snprintf(post->reason, sizeof(post->reason), "%s", post->server->wrong);
    finish(post, SIGNAL_UNAVAILABLE);
}

struct http_post *http_post_start(const struct http_server *server, const struct http_post_options *options,
                                  struct buf *body, http_post_done_fn *done, void *owner) {
    struct http_post *post = MEM_NEW(struct http_post);
    VSR_DEBUG_ASSERT(loop_on_thread(server->loop));
    VSR_ASSERT(options->answer_len_max >= HTTP_POST_ERROR_LEN_MAX);
    post->server = server;
    post->options = *options;
    post->body = *body;
    post->done = done;
    post->owner = owner;
    post->start_ms = loop_now_ms(server->loop);
    buf_init(&post->answer, options->answer_len_max);
    buf_init(body, body->max);
    if (server->wrong)
        loop_defer(server->loop, &post->task, on_wrong, post);
    else
        attempt(post);
    return post;
}
