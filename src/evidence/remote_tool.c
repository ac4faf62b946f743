/* Sources that are tools of a server. */
#include "config/global_catalog.h"
#include "core/arena.h"
#include "core/url.h"
#include "evidence/mcp_call.h"
#include "evidence/remote_state.h"
#include "mcp/message.h"

/* ---- clients */

static void init_tool(struct remote_client *client, const struct mcp_format *format,
                      const struct config_tool_server *config) {
    struct vsr_err err = VSR_ERR_NONE;
    bool is_stdio = config->transport_type == MCP_STDIO;
    uint64_t timeout_ms = client->source->timeout_ms > 0 ? (uint64_t)client->source->timeout_ms
                          : config->timeout_seconds > 0  ? (uint64_t)config->timeout_seconds * 1000
                                                         : REMOTE_MCP_TIMEOUT_MS;
    client->options = (struct http_post_options){ .attempt_ms = timeout_ms };
    client->name = arena_printf(client->arena, "mcp: %.*s",
                                VSR_FMT(is_stdio ? config->command : url_shown(client->arena, config->url)));
    if (!client->host.mcp)
        client->server.wrong = "tool servers are not asked here";
    else if (mcp_desk_new(client->host.loop, client->host.mcp, format, config, &client->desk, &err) < 0)
        client->server.wrong = arena_c_str(client->arena, str_from_c(err.text));
}

void remote_init_classifier(struct remote_client *client) {
    const struct config_mcp_classifier *config = client->source->config;
    init_tool(client, &mcp_verdict, &config->server);
}

void remote_init_embedder(struct remote_client *client) {
    const struct config_semantic *semantic = client->source->config;
    init_tool(client, &mcp_vectors, &semantic->mcp.server);
}

/* ---- questions */

static void ask(struct remote_call *call, const struct mcp_asked *asked, mcp_answer_fn *done) {
    struct remote_client *client = call->client;
    uint64_t left = remote_time_left(call), limit = client->options.attempt_ms;
    if (client->desk)
        call->mcp = mcp_call_start(client->desk, asked, left < limit ? left : limit, done, call);
    else
        remote_fail_later(call, SIGNAL_UNAVAILABLE, client->server.wrong);
}

/* Who answered; false: nobody did, and the call is over. */
static bool was_answered(struct remote_call *call, const struct mcp_answer *answer, struct evidence_answer *ret_who) {
    struct arena *arena = call->question.arena;
    call->mcp = NULL;
    if (answer->code != SIGNAL_OK) {
        remote_fail(call, answer->code, "%s", answer->reason);
        return false;
    }
    *ret_who = (struct evidence_answer){ .code = SIGNAL_OK };
    if (answer->name && *answer->name)
        ret_who->model = arena_c_str(arena, str_from_c(answer->name));
    if (answer->version && *answer->version)
        ret_who->version = arena_c_str(arena, str_from_c(answer->version));
    return true;
}

/* ---- classes */

static void on_class(void *owner, const struct mcp_answer *answer) {
    struct remote_call *call = owner;
    struct evidence_answer told;
    if (!was_answered(call, answer, &told))
        return;
    told.numbers = answer->told.numbers;
    told.labels = answer->told.labels;
    told.n = answer->told.n;
    told.n_labels = answer->told.n_labels;
    remote_keep_answer(call, &told);
    remote_finish(call, &told);
}

void remote_ask_class(struct remote_call *call) {
    const struct signal_source *source = call->client->source;
    struct arena *scratch = arena_new(0, 0);
    vsr_str *labels = ARENA_ARRAY(scratch, vsr_str, source->n_labels);
    for (size_t i = 0; i < source->n_labels; i++)
        labels[i] = source->labels[i].name;
    ask(call,
        &(struct mcp_asked){
            .texts = call->question.texts, .n_texts = 1, .labels = labels, .n_labels = source->n_labels },
        on_class);
    arena_free(scratch);
}

/* ---- vectors */

/*
 * Texts whose answer fits into one message, also where the server sends each number twice, as text and as structured
 * content, on a line of its own: 3 as long as nobody knows how long vectors are, 32 of 1536 numbers.
 */
static size_t texts_at_once(const struct remote_client *client) {
    enum { NUMBER_LEN = 80, TEXT_LEN = 1 << 10, ANSWER_LEN = 64 << 10 };
    size_t dims = client->dims_seen ? client->dims_seen : REMOTE_DIMS_MAX;
    size_t n = (MCP_MESSAGE_LEN_MAX - ANSWER_LEN) / (TEXT_LEN + dims * NUMBER_LEN);
    return n < REMOTE_BATCH_MAX ? n : REMOTE_BATCH_MAX;
}

static void on_embeddings(void *owner, const struct mcp_answer *answer) {
    struct remote_call *call = owner;
    struct remote_client *client = call->client;
    size_t dims = answer->code == SIGNAL_OK ? answer->told.n / call->n_asked : 0;
    struct evidence_answer who;
    if (!was_answered(call, answer, &who))
        return;
    client->dims_seen = dims;
    if (call->dims > 0 && dims != call->dims)
        remote_fail(call, SIGNAL_FAILED, "%.*s: its vectors have %zu numbers, and those before had %zu",
                    VSR_FMT(client->name), dims, call->dims);
    else
        remote_keep_vectors(call, answer->told.numbers, call->n_asked, dims, &who);
}

void remote_ask_embeddings(struct remote_call *call) {
    const struct config_semantic *semantic = call->client->source->config;
    size_t left = call->question.n_texts - call->place, room = texts_at_once(call->client);
    call->n_asked = left < room ? left : room;
    ask(call,
        &(struct mcp_asked){ .texts = call->question.texts + call->place,
                             .n_texts = call->n_asked,
                             .dims_least = (size_t)semantic->embedding_config.target_dimension },
        on_embeddings);
}
