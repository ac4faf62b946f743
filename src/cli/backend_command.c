#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/backend.h"
#include "cli/backend_raw.h"
#include "cli/backend_record.h"
#include "cli/backend_store.h"
#include "cli/backend_worker.h"
#include "cli/cli.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "net/tls.h"

/* As in recipes/demo/config.yaml. */
#define DEMO_MODELS "demo/small-8b,demo/coder-32b,demo/thinker-large,demo/reader-1m,demo/polyglot-24b,demo/agent-70b"

enum { BACKEND_MODELS_LEN_MAX = 1 << 20, BACKEND_BANNER_LEN_MAX = 64 << 10 };

/* What `--fixed` answers: small, and complete enough for any client. */
#define FIXED_BODY \
    "{\"id\":\"chatcmpl-fixed\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"fixed\"," \
    "\"choices\":[{" \
    "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"This answer is always the " \
    "same.\",\"refusal\":null}," \
    "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":7," \
    "\"total_tokens\":15}}"

/* ---- from options to a backend */

static int read_listeners(struct backend *backend, const struct options *options, struct vsr_err *err) {
    for (size_t i = 0; i < options_count(options, "listen"); i++) {
        for (vsr_str rest = str_from_c(options_nth(options, "listen", i)); rest.ptr;) {
            int rc = backend_add_listener(backend, str_trim(str_split(&rest, ',')), err);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

static int read_models(struct backend *backend, const struct options *options, struct vsr_err *err) {
    const char *models = options_text(options, "models");
    for (vsr_str rest = str_from_c(models ? models : DEMO_MODELS); rest.ptr;) {
        vsr_str model = str_trim(str_split(&rest, ','));
        if (model.len == 0)
            continue;
        if (backend->n_models == BACKEND_MODELS_MAX)
            return err_set(err, VSR_E_LIMIT, "more than %d models", BACKEND_MODELS_MAX);
        backend->models[backend->n_models++] = model;
    }
    return 0;
}

/* GET /v1/models. */
static void write_models(const struct backend *backend, struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("object"));
    json_write_str(&w, VSR_STR("list"));
    json_write_key(&w, VSR_STR("data"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < backend->n_models; i++) {
        json_write_begin_object(&w);
        json_write_key(&w, VSR_STR("id"));
        json_write_str(&w, backend->models[i]);
        json_write_key(&w, VSR_STR("object"));
        json_write_str(&w, VSR_STR("model"));
        json_write_key(&w, VSR_STR("created"));
        json_write_u64(&w, backend->created_s);
        json_write_key(&w, VSR_STR("owned_by"));
        json_write_str(&w, backend->name);
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
}

static int read_tls(struct backend *backend, const struct options *options, struct vsr_err *err) {
    const char *cert = options_text(options, "tls-cert"), *key = options_text(options, "tls-key");
    struct tls_server_options tls = { .client_auth = TLS_CLIENT_NONE };
    if (!cert)
        return 0;
    tls.cert_file = str_from_c(cert);
    tls.key_file = str_from_c(key);
    return tls_server_new(&tls, &backend->tls, err);
}

static int read_backend(struct backend *backend, const struct options *options, struct vsr_err *err) {
    int rc;
    backend->name = str_from_c(options_text(options, "name"));
    if (!http1_value_ok(backend->name))
        return err_set(err, VSR_E_INVALID, "--name must be fit for a header");
    if (options_has(options, "tls-cert") != options_has(options, "tls-key"))
        return err_set(err, VSR_E_INVALID, "--tls-cert and --tls-key need each other");
    backend->seed = options_number(options, "seed");
    backend->created_s = clock_wall_ms() / 1000;
    backend->fixed = options_has(options, "fixed");
    backend->fixed_body = VSR_STR(FIXED_BODY);
    backend->behaviour = behaviour_none();
    rc = behaviour_from_options(&backend->behaviour, options, err);
    if (rc < 0)
        return rc;
    rc = read_listeners(backend, options, err);
    if (rc == 0)
        rc = read_models(backend, options, err);
    return rc;
}

/* ---- running */

/* The addresses, for people on stderr, for programs on stdout. */
static int announce(const struct cli *cli, const struct backend *backend, size_t n_workers) {
    bool json = options_has(cli->options, "json");
    struct buf out;
    int code = CLI_OK;
    buf_init(&out, BACKEND_BANNER_LEN_MAX);
    buf_append_c(&out, json ? "{\"listening\":[" : "vsr backend: listening on ");
    for (size_t i = 0; i < backend->n_listeners; i++)
        buf_printf(&out, json ? "%s\"%s\"" : "%s%s", i == 0 ? "" : json ? "," : ", ", backend->listeners[i].shown);
    if (json) {
        buf_append_c(&out, "]}\n");
        code = cli_finish(cli, &out, CLI_OK);
    } else {
        buf_printf(&out, " (%zu worker%s)\n", n_workers, n_workers == 1 ? "" : "s");
        (void)fprintf(stderr, "%.*s", VSR_FMT(buf_str(&out)));
    }
    buf_done(&out);
    return code;
}

static void wait_for_signal(const sigset_t *signals) {
    int signum;
    while (sigwait(signals, &signum) != 0)
        continue;
}

static int serve_raw(const struct cli *cli, struct backend *backend, const sigset_t *signals) {
    struct raw_server *server = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    int code;
    if (raw_server_start(backend, &server, &err) < 0)
        return cli_fail_err(cli, &err);
    code = announce(cli, backend, 1);
    if (code == CLI_OK)
        wait_for_signal(signals);
    raw_server_stop(server);
    return code;
}

static int serve(const struct cli *cli, struct backend *backend, const sigset_t *signals) {
    size_t n_workers = (size_t)options_number(cli->options, "workers");
    struct backend_worker *workers = mem_alloc(n_workers * sizeof(*workers));
    struct vsr_err err = VSR_ERR_NONE;
    int code;
    if (backend_start(backend, workers, n_workers, &err) < 0) {
        mem_free(workers);
        return cli_fail_err(cli, &err);
    }
    code = announce(cli, backend, n_workers);
    if (code == CLI_OK)
        wait_for_signal(signals);
    backend_stop(workers, n_workers);
    mem_free(workers);
    return code;
}

/* Signals are blocked before any thread starts, so that only sigwait() sees them. */
static int run(const struct cli *cli, struct backend *backend) {
    const struct behaviour *behaviour = &backend->behaviour;
    struct buf models;
    sigset_t signals;
    int code;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    buf_init(&models, BACKEND_MODELS_LEN_MAX);
    write_models(backend, &models);
    backend->models_body = buf_str(&models);
    backend->record = backend_record_new();
    backend->store = backend_store_new();
    code =
        behaviour->garbage || behaviour->slow_head ? serve_raw(cli, backend, &signals) : serve(cli, backend, &signals);
    backend_record_free(backend->record);
    backend_store_free(backend->store);
    buf_done(&models);
    return code;
}

static int backend_run(const struct cli *cli, int argc, char **argv) {
    struct backend *backend = MEM_NEW(struct backend);
    struct vsr_err err = VSR_ERR_NONE;
    int code;
    (void)argc;
    (void)argv;
    if (read_backend(backend, cli->options, &err) < 0)
        code = cli_usage(cli, "%s", err.text);
    else if (read_tls(backend, cli->options, &err) < 0)
        code = cli_fail_err(cli, &err);
    else
        code = run(cli, backend);
    tls_server_unref(backend->tls);
    mem_free(backend);
    return code;
}

static const struct option_spec backend_options[] = {
    { "listen", 'l', OPTION_TEXT, OPTION_REPEATABLE, "ADDR:PORT",
      "where to listen; also a comma list; port 0 takes a free one", "127.0.0.1:8000", "VSR_BACKEND_LISTEN" },
    { "name", 0, OPTION_TEXT, 0, "NAME", "how the server calls itself in its answers", "vsr-backend" },
    { "models", 0, OPTION_TEXT, 0, "A,B",
      "what GET /v1/models lists; without it the models of the demo policy. Any model is answered for" },
    { "workers", 'w', OPTION_NUMBER, 0, "N", "threads", "1", .least = 1, .greatest = BACKEND_WORKERS_MAX },
    { "tokens", 0, OPTION_NUMBER, 0, "N", "length of every answer; without it what the text comes to", .least = 1,
      .greatest = BEHAVIOUR_TOKENS_MAX },
    { "rate", 0, OPTION_DECIMAL, 0, "TOKENS", "tokens per second of a stream; 0: as fast as they go", "0", .least = 0,
      .greatest = BEHAVIOUR_RATE_MAX },
    { "fixed", 0, OPTION_FLAG, 0, NULL, "always the same short answer, without reading the request: for benchmarks" },
    { "status", 0, OPTION_NUMBER, 0, "CODE", "answer everything with this status", .least = BEHAVIOUR_STATUS_LEAST,
      .greatest = BEHAVIOUR_STATUS_MOST },
    { "retry-after", 0, OPTION_NUMBER, 0, "SECONDS", "Retry-After beside an error", .least = 0,
      .greatest = UINT32_MAX },
    { "fail-rate", 0, OPTION_DECIMAL, 0, "SHARE", "share of requests, 0 to 1, that fail with --status, or 500",
      .least = 0, .greatest = 1 },
    { "health", 0, OPTION_NUMBER, 0, "CODE", "status of GET /health", .least = BEHAVIOUR_STATUS_LEAST,
      .greatest = BEHAVIOUR_STATUS_MOST },
    { "stall", 0, OPTION_NUMBER, 0, "MS", "wait before the head", .least = 0, .greatest = BEHAVIOUR_STALL_MS_MAX },
    { "work", 0, OPTION_NUMBER, 0, "MS", "how long a response in the background takes", .least = 0,
      .greatest = BEHAVIOUR_STALL_MS_MAX },
    { "cut", 0, OPTION_NUMBER, 0, "BYTES", "cut the connection after so many bytes of the body", .least = 0,
      .greatest = UINT64_MAX },
    { "hang", 0, OPTION_FLAG, 0, NULL, "never answer" },
    { "reset", 0, OPTION_FLAG, 0, NULL, "cut the connection instead of answering" },
    { "no-done", 0, OPTION_FLAG, 0, NULL, "end a stream without its last event, such as `data: [DONE]`" },
    { "no-terminal", 0, OPTION_FLAG, 0, NULL, "end a stream behind its last word: no finish reason, no usage" },
    { "error-event", 0, OPTION_NUMBER, 0, "N", "fail a stream after N tokens, with an error event", .least = 0,
      .greatest = UINT64_MAX },
    { "overloaded", 0, OPTION_FLAG, 0, NULL, "answer as an overloaded provider does: 529 to Messages, 503 to others" },
    { "thinking", 0, OPTION_NUMBER, 0, "N", "think for N tokens before each answer", .least = 0,
      .greatest = BEHAVIOUR_TOKENS_MAX },
    { "redacted", 0, OPTION_FLAG, 0, NULL, "a redacted thought before each answer; Messages alone" },
    { "refusal", 0, OPTION_FLAG, 0, NULL, "refuse to answer" },
    { "parallel-tools", 0, OPTION_NUMBER, 0, "N", "call N tools at once where a request has any", .least = 0,
      .greatest = BEHAVIOUR_PARALLEL_MAX },
    { "usage", 0, OPTION_TEXT, 0, "WHERE",
      "where a stream reports its tokens: as-asked, same (with the finish reason), after, every, preview, none" },
    { "finish", 0, OPTION_TEXT, 0, "REASON",
      "how answers end: stop, length, tool_calls, content_filter, refusal, stop_sequence, pause_turn" },
    { "cached", 0, OPTION_NUMBER, 0, "N", "tokens of the prompt that a cache had", .least = 0,
      .greatest = BEHAVIOUR_TOKENS_MAX },
    { "cache-write", 0, OPTION_NUMBER, 0, "N", "tokens of the prompt that a cache took", .least = 0,
      .greatest = BEHAVIOUR_TOKENS_MAX },
    { "garbage", 0, OPTION_FLAG, 0, NULL, "answer with bytes that are no HTTP" },
    { "slow-head", 0, OPTION_NUMBER, OPTION_MAYBE, "MS", "send the head byte by byte, MS (100) apart", .least = 1,
      .greatest = BEHAVIOUR_STALL_MS_MAX },
    { "seed", 0, OPTION_NUMBER, 0, "N", "of what is random", "1", .least = 0, .greatest = UINT64_MAX },
    { "tls-cert", 0, OPTION_TEXT, OPTION_FILE, "FILE", "certificate chain, PEM; serves HTTPS" },
    { "tls-key", 0, OPTION_TEXT, OPTION_FILE, "FILE", "private key, PEM" },
    { "json", 0, OPTION_FLAG, 0, NULL, "print the addresses as JSON on stdout" },
};

const struct command command_backend_spec = {
    .name = "backend",
    .summary = "a stand-in for a model server, for demos, tests and benchmarks",
    .usage = "vsr backend [OPTION]...",
    .details =
        "Plays every provider: Chat Completions, completions, Anthropic's Messages with count_tokens, Responses "
        "(kept in\n"
        "memory, also in the background), embeddings, pictures, and Azure's paths. It says which model was asked, "
        "and refuses\n"
        "what the provider refuses. It calls the first tool of a request whose last message speaks of a tool. "
        "What it can be\n"
        "told by options it can also be told for one request, by the header\n"
        "`x-backend-behaviour: stall=200,cut=17,status=429`, or for one listener, by `PUT /_behaviour` with such "
        "a list as its\n"
        "body (empty: as the options say). `GET /_last` shows the last request as it came, `GET /_stats` how many "
        "there were.\n"
        "--garbage and --slow-head, which no HTTP server can do, turn the whole server into one that does "
        "nothing else; as a\n"
        "behaviour of one request, garbage is a body that is no JSON.\n",
    .examples = "vsr backend\n"
                "vsr backend --listen 127.0.0.1:8001,127.0.0.1:8002 --rate 50\n"
                "vsr backend --listen 0 --json --fail-rate 0.2 --status 503\n",
    .operands = OPERANDS_NONE,
    .options = backend_options,
    .n_options = VSR_COUNT(backend_options),
    .run = backend_run,
};
