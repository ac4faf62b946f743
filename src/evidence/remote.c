#include "evidence/remote_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/address.h"
#include "config/global_catalog.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/url.h"
#include "evidence/http_embeddings.h"
#include "evidence/http_format.h"
#include "evidence/mcp_call.h"

enum {
    SCRATCH_LEN = 16 << 10,
    NUMBERS_MAX = 1 << 26, /* of one call: 256 MB */
    REASON_LEN = 320,
    NUMBERS_AT_A_TIME = 2048, /* of vectors, before the loop serves others */
};

/* ---- the end of a call */

static void destroy(struct remote_call *call) {
    http_post_cancel(call->post);
    mcp_call_cancel(call->mcp);
    loop_defer_cancel(&call->task);
    http_embeddings_free(call->reader);
    call->client->n_calls--;
    mem_free(call);
}

/* The call is gone before it is told: whoever is told may free the client. */
void remote_finish(struct remote_call *call, const struct evidence_answer *answer) {
    struct evidence_answer told = *answer;
    remote_done_fn *done = call->done;
    void *owner = call->owner;
    if (!told.model)
        told.model = call->client->model;
    destroy(call);
    done(owner, &told);
}

void remote_fail(struct remote_call *call, enum signal_code code, const char *format, ...) {
    char reason[REASON_LEN];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof(reason), format, args); /* cut is fine */
    va_end(args);
    remote_finish(call, &(struct evidence_answer){ .code = code,
                                                   .reason = arena_c_str(call->question.arena, str_from_c(reason)) });
}

static void on_failed_at_once(void *data) {
    struct remote_call *call = data;
    remote_finish(call, &call->answer);
}

void remote_fail_later(struct remote_call *call, enum signal_code code, const char *reason) {
    call->answer = (struct evidence_answer){ .code = code, .reason = reason };
    loop_defer(call->client->host.loop, &call->task, on_failed_at_once, call);
}

uint64_t remote_time_left(const struct remote_call *call) {
    uint64_t passed = loop_now_ms(call->client->host.loop) - call->start_ms;
    if (call->question.timeout_ms == 0)
        return UINT64_MAX;
    return call->question.timeout_ms > passed ? call->question.timeout_ms - passed : 0;
}

/* Takes the content of `body`. */
static void post(struct remote_call *call, struct buf *body, size_t answer_len_max, http_post_done_fn *done) {
    struct remote_client *client = call->client;
    struct http_post_options options = client->options;
    uint64_t left = remote_time_left(call);
    options.answer_len_max = answer_len_max;
    options.timeout_ms = left == UINT64_MAX ? 0 : left;
    call->post = http_post_start(&client->server, &options, body, done, call);
}

/* ---- verdicts */

static void ask_verdict(struct remote_call *call);

void remote_keep_answer(struct remote_call *call, struct evidence_answer *answer) {
    struct arena *arena = call->question.arena;
    float *numbers = ARENA_ARRAY(arena, float, answer->n);
    vsr_str *labels = ARENA_ARRAY(arena, vsr_str, answer->n_labels);
    memcpy(numbers, answer->numbers, answer->n * sizeof(*numbers));
    for (size_t i = 0; i < answer->n_labels; i++)
        labels[i] = arena_str(arena, answer->labels[i]);
    answer->numbers = numbers;
    answer->labels = labels;
}

static void read_verdict(struct remote_call *call, vsr_str body) {
    struct remote_client *client = call->client;
    struct arena *scratch = arena_new(SCRATCH_LEN, 0);
    struct evidence_answer answer = { .code = SIGNAL_OK };
    struct vsr_err err = VSR_ERR_NONE;
    int rc = client->kind->format->read(client->source, body, scratch, &answer, &err);
    if (rc == 0)
        remote_keep_answer(call, &answer);
    arena_free(scratch);
    if (rc == 0)
        remote_finish(call, &answer);
    else
        remote_fail(call, SIGNAL_FAILED, "%.*s: %s", VSR_FMT(client->server.authority), err.text);
}

static bool can_step(const struct remote_call *call) {
    const struct http_format *format = call->client->kind->format;
    return format->steps && call->steps < format->steps(call->client->source) && remote_time_left(call) > 0;
}

static void on_verdict(void *owner, const struct http_post_answer *answer) {
    struct remote_call *call = owner;
    struct remote_client *client = call->client;
    call->post = NULL;
    if (answer->code == SIGNAL_OK) {
        if (client->steps < call->steps)
            client->steps = call->steps;
        read_verdict(call, answer->body);
    } else if ((answer->status == 400 || answer->status == 422) && can_step(call)) {
        call->steps++;
        ask_verdict(call);
    } else {
        remote_fail(call, answer->code, "%s", answer->reason);
    }
}

static void ask_verdict(struct remote_call *call) {
    struct remote_client *client = call->client;
    struct buf body;
    buf_init(&body, HTTP_QUESTION_LEN_MAX);
    client->kind->format->write(&body, client->source, call->question.texts[0], call->steps);
    if (buf_failed(&body))
        remote_fail_later(call, SIGNAL_TOO_LONG, "the question would be too long");
    else
        post(call, &body, REMOTE_VERDICT_LEN_MAX, on_verdict);
    buf_done(&body);
}

static void start_verdict(struct remote_call *call) {
    call->steps = call->client->steps;
    ask_verdict(call);
}

/* ---- vectors */

static bool has_room(struct remote_call *call, size_t dims) {
    size_t n_texts = call->question.n_texts;
    if (!call->vectors && dims <= NUMBERS_MAX / n_texts)
        call->vectors = arena_try_alloc_raw(call->question.arena, n_texts * dims * sizeof(float));
    return call->vectors != NULL;
}

void remote_keep_vectors(struct remote_call *call, const float *numbers, size_t n, size_t dims,
                         const struct evidence_answer *who) {
    size_t n_texts = call->question.n_texts;
    if (!has_room(call, dims)) {
        remote_fail(call, SIGNAL_FAILED, "%.*s: no memory for %zu vectors of %zu numbers", VSR_FMT(call->client->name),
                    n_texts, dims);
        return;
    }
    memcpy(call->vectors + call->place * dims, numbers, n * dims * sizeof(*numbers));
    call->dims = dims;
    call->place += n;
    if (call->place == n_texts)
        remote_finish(call, &(struct evidence_answer){ .code = SIGNAL_OK,
                                                       .numbers = call->vectors,
                                                       .n = n_texts * dims,
                                                       .model = who->model,
                                                       .version = who->version });
    else if (remote_time_left(call) == 0)
        remote_fail(call, SIGNAL_TIMEOUT, "%.*s: %zu of %zu texts in time", VSR_FMT(call->client->name), call->place,
                    n_texts);
    else
        call->client->kind->start(call);
}

static void fail_vectors(struct remote_call *call, const struct vsr_err *err) {
    remote_fail(call, SIGNAL_FAILED, "%.*s: %s", VSR_FMT(call->client->server.authority), err->text);
}

static void read_vectors(void *data) {
    struct remote_call *call = data;
    struct http_vectors vectors;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = http_embeddings_step(call->reader, NUMBERS_AT_A_TIME, &vectors, &err);
    if (rc == HTTP_EMBEDDINGS_MORE) {
        loop_defer(call->client->host.loop, &call->task, read_vectors, call);
        return;
    }
    http_embeddings_free(call->reader);
    call->reader = NULL;
    if (rc < 0) {
        fail_vectors(call, &err);
        return;
    }
    remote_keep_vectors(call, vectors.numbers, vectors.n, vectors.dims, &(struct evidence_answer){ 0 });
    mem_free(vectors.numbers);
}

/* Of the vectors to come; 0: not known. */
static size_t dims_of(const struct remote_call *call) {
    return call->dims ? call->dims : call->client->dims;
}

static void on_vectors(void *owner, const struct http_post_answer *answer) {
    struct remote_call *call = owner;
    struct vsr_err err = VSR_ERR_NONE;
    call->post = NULL;
    if (answer->longer && dims_of(call) > 0)
        remote_fail(call, answer->code, "%s; vectors of %zu numbers were expected", answer->reason, dims_of(call));
    else if (answer->code != SIGNAL_OK)
        remote_fail(call, answer->code, "%s", answer->reason);
    else if (http_embeddings_begin(answer->body, call->n_asked, dims_of(call), &call->reader, &err) < 0)
        fail_vectors(call, &err);
    else
        read_vectors(call);
}

static void ask_vectors(struct remote_call *call) {
    const struct remote_client *client = call->client;
    const struct config_semantic *semantic = client->source->config;
    size_t left = call->question.n_texts - call->place, room = dims_of(call) ? REMOTE_BATCH_MAX : REMOTE_FIRST_MAX;
    struct buf body;
    call->n_asked = left < room ? left : room;
    buf_init(&body, HTTP_QUESTION_LEN_MAX);
    http_embeddings_write(&body, semantic->endpoint.model, call->question.texts + call->place, call->n_asked,
                          client->dims);
    if (buf_failed(&body))
        remote_fail_later(call, SIGNAL_TOO_LONG, "the question would be too long");
    else
        post(call, &body, http_embeddings_len_max(call->n_asked, dims_of(call)), on_vectors);
    buf_done(&body);
}

/* ---- clients */

static vsr_str look_up(const struct remote_client *client, vsr_str variable) {
    const char *name = arena_c_str(client->arena, variable), *value;
    value = client->host.env ? client->host.env(client->host.env_data, name) : getenv(name);
    return str_trim(str_from_c(value));
}

static void init_server(struct remote_client *client, vsr_str url, const char *suffix, vsr_str token) {
    const struct http_server_options options = {
        .loop = client->host.loop,
        .client = client->host.client,
        .tls = client->host.tls,
        .url = url,
        .suffix = str_from_c(suffix),
        .token = token,
    };
    http_server_init(&client->server, &options, client->arena);
    if (!client->server.wrong)
        client->name = arena_printf(client->arena, "%s://%.*s%.*s", client->server.tls ? "https" : "http",
                                    VSR_FMT(client->server.authority), VSR_FMT(client->server.path));
    else
        client->server.wrong =
            arena_printf(client->arena, "%.*s: %s", VSR_FMT(url_shown(client->arena, url)), client->server.wrong).ptr;
}

static void init_embeddings(struct remote_client *client) {
    const struct config_embedding_endpoint *endpoint =
        &((const struct config_semantic *)client->source->config)->endpoint;
    vsr_str variable = str_trim(endpoint->api_key_env), key = variable.len ? look_up(client, variable) : variable;
    client->dims = (size_t)endpoint->dimensions;
    client->model = arena_c_str(client->arena, endpoint->model);
    client->options = (struct http_post_options){
        .attempt_ms =
            endpoint->timeout_seconds > 0 ? (uint64_t)endpoint->timeout_seconds * 1000 : REMOTE_EMBEDDINGS_TIMEOUT_MS,
        .retries = (unsigned)endpoint->max_retries,
    };
    init_server(client, endpoint->base_url, "/embeddings", key);
    if (variable.len && key.len == 0)
        client->server.wrong = arena_printf(client->arena,
                                            "the environment variable %.*s, which holds the key of %.*s, "
                                            "is not set",
                                            VSR_FMT(variable), VSR_FMT(client->name))
                                   .ptr;
}

/* The URL of an external model: its address may hold a port or a path, or be an IPv6 address without brackets. */
static vsr_str external_url(const struct config_llm_endpoint *endpoint, struct arena *arena) {
    struct address address;
    const char *wrong = address_parse(endpoint->address, endpoint->protocol == 1, arena, &address);
    if (wrong)
        return endpoint->address; /* told when it is parsed once more */
    if (endpoint->port > 0)
        address.port = (uint16_t)endpoint->port;
    return arena_printf(arena, "%s://%.*s%.*s", address.tls ? "https" : "http",
                        VSR_FMT(address_authority(&address, arena)), VSR_FMT(address.path));
}

static void init_external(struct remote_client *client) {
    const struct config_external_model *model = client->source->config;
    const struct http_format *format = client->kind->format;
    uint64_t timeout_ms = client->source->timeout_ms > 0   ? (uint64_t)client->source->timeout_ms
                          : model->llm_timeout_seconds > 0 ? (uint64_t)model->llm_timeout_seconds * 1000
                                                           : format->timeout_ms;
    client->model = arena_c_str(client->arena, model->llm_model_name);
    client->options = (struct http_post_options){ .attempt_ms = timeout_ms };
    init_server(client, external_url(&model->llm_endpoint, client->arena), format->suffix, model->access_key);
}

static const struct remote_kind kinds[] = {
    [SOURCE_HTTP_EMBEDDINGS] = { EVIDENCE_VECTOR, NULL, init_embeddings, ask_vectors },
    [SOURCE_HTTP_CLASSIFY] = { EVIDENCE_CLASSES, &http_classify, init_external, start_verdict },
    [SOURCE_HTTP_GUARD] = { EVIDENCE_CLASSES, &http_guard, init_external, start_verdict },
    [SOURCE_HTTP_LABEL] = { EVIDENCE_CLASSES, &http_label, init_external, start_verdict },
    [SOURCE_HTTP_ROUTE] = { EVIDENCE_CLASSES, &http_route, init_external, start_verdict },
    [SOURCE_MCP_CLASSIFY] = { EVIDENCE_CLASSES, NULL, remote_init_classifier, remote_ask_class },
    [SOURCE_MCP_EMBEDDINGS] = { EVIDENCE_VECTOR, NULL, remote_init_embedder, remote_ask_embeddings },
};

struct remote_client *remote_client_new(const struct remote_host *host, const struct signal_source *source) {
    struct remote_client *client = MEM_NEW(struct remote_client);
    VSR_ASSERT(source->kind < VSR_COUNT(kinds) && kinds[source->kind].init);
    client->host = *host;
    client->source = source;
    client->kind = &kinds[source->kind];
    client->arena = arena_new(0, 0);
    client->kind->init(client);
    return client;
}

void remote_client_free(struct remote_client *client) {
    if (!client)
        return;
    VSR_ASSERT(client->n_calls == 0);
    http_server_done(&client->server);
    mcp_desk_free(client->desk);
    arena_free(client->arena);
    mem_free(client);
}

vsr_str remote_client_name(const struct remote_client *client) {
    return client->name;
}

/* ---- calls */

static bool is_fit(const struct remote_client *client, const struct remote_question *question) {
    size_t texts_max = client->kind->gives == EVIDENCE_VECTOR ? REMOTE_TEXTS_MAX : 1;
    return question->kind == client->kind->gives && question->n_texts >= 1 && question->n_texts <= texts_max;
}

struct remote_call *remote_call_start(struct remote_client *client, const struct remote_question *question,
                                      remote_done_fn *done, void *owner) {
    struct remote_call *call = MEM_NEW(struct remote_call);
    call->client = client;
    call->question = *question;
    call->done = done;
    call->owner = owner;
    call->start_ms = loop_now_ms(client->host.loop);
    client->n_calls++;
    if (is_fit(client, question))
        client->kind->start(call);
    else
        remote_fail_later(call, SIGNAL_FAILED, "the source does not give what is asked of it");
    return call;
}

void remote_call_cancel(struct remote_call *call) {
    if (call)
        destroy(call);
}
