#include "evidence/remote.h"

#include <math.h>

#include "config/global_catalog.h"
#include "config/global_modules.h"
#include "core/arena.h"
#include "core/mem.h"
#include "net/client.h"
#include "unit/net/script.h"

static const struct client_limits limits = {
    .connect_timeout_ms = 60000,
    .pool_idle_ms = 60000,
    .connections_max = 16,
    .pending_max = 16,
    .dns_ttl_ms = 60000,
};

struct rig {
    struct script script;
    struct arena *arena;
    struct remote_host host;
    struct config_semantic semantic;
    struct config_external_model model;
    struct signal_source source;
    struct remote_client *client;
    struct remote_call *call;
    struct evidence_answer answer;
    int n_done;
};

static const char *no_environment(void *data, const char *name) {
    return data && strcmp(name, "KEY_OF_THE_SERVER") == 0 ? data : NULL;
}

static void rig_begin(struct rig *rig, const struct script_reply *replies, size_t n_replies) {
    struct vsr_err err = VSR_ERR_NONE;
    *rig = (struct rig){ .arena = arena_new(0, 0) };
    script_begin(&rig->script, replies, n_replies);
    CHECK_MSG(loop_new(&rig->host.loop, &err) == 0, "%s", err.text);
    CHECK_MSG(client_new(rig->host.loop, &limits, &rig->host.client, &err) == 0, "%s", err.text);
    rig->host.env = no_environment;
    rig->semantic.endpoint = (struct config_embedding_endpoint){
        .base_url = arena_printf(rig->arena, "http://127.0.0.1:%u/v1?x=y", rig->script.port),
        .model = VSR_STR("embedder"),
    };
    rig->model = (struct config_external_model){
        .llm_model_name = VSR_STR("judge"),
        .llm_endpoint = { .address = VSR_STR("127.0.0.1"), .port = rig->script.port },
        .access_key = VSR_STR("sesame"),
    };
}

static void rig_end(struct rig *rig) {
    remote_client_free(rig->client);
    client_free(rig->host.client);
    loop_free(rig->host.loop);
    script_end(&rig->script);
    arena_free(rig->arena);
}

static void on_done(void *owner, const struct evidence_answer *answer) {
    struct rig *rig = owner;
    rig->answer = *answer;
    rig->n_done++;
    rig->call = NULL;
}

static void make_client(struct rig *rig, enum signal_source_kind kind) {
    rig->source.kind = kind;
    rig->source.config = kind == SOURCE_HTTP_EMBEDDINGS ? (const void *)&rig->semantic : &rig->model;
    if (!rig->client)
        rig->client = remote_client_new(&rig->host, &rig->source);
}

static void start(struct rig *rig, enum signal_source_kind kind, const vsr_str *texts, size_t n_texts,
                  uint64_t timeout_ms) {
    const struct remote_question question = {
        .kind = kind == SOURCE_HTTP_EMBEDDINGS ? EVIDENCE_VECTOR : EVIDENCE_CLASSES,
        .texts = texts,
        .n_texts = n_texts,
        .timeout_ms = timeout_ms,
        .arena = rig->arena,
    };
    make_client(rig, kind);
    rig->call = remote_call_start(rig->client, &question, on_done, rig);
    CHECK(rig->call != NULL, "started");
}

static void ask_many(struct rig *rig, enum signal_source_kind kind, const vsr_str *texts, size_t n_texts,
                     const char *name) {
    int before = rig->n_done;
    start(rig, kind, texts, n_texts, 0);
    CHECK_INT(rig->n_done, before, "nothing from inside");
    SCRIPT_RUN(rig->host.loop, &rig->script, rig->n_done > before, name);
}

static void ask(struct rig *rig, enum signal_source_kind kind, const char *text, const char *name) {
    vsr_str one = str_from_c(text);
    ask_many(rig, kind, &one, 1, name);
}

#define CHECK_HAS(text, part, name) \
    CHECK_MSG(str_find((text), str_from_c(part)) >= 0, "case \"%s\": \"%s\" is not in \"%.*s\"", (name), (part), \
              VSR_FMT(text))

/* ---- embeddings */

#define VECTOR_3_4 "{\"data\":[{\"index\":0,\"embedding\":[3,-4]}]}"

TEST(embeddings_ask_and_normalise) {
    static const struct script_reply reply = { .status = 200, .body = VECTOR_3_4 };
    char secret[] = "secret";
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    rig.semantic.endpoint.api_key_env = VSR_STR("KEY_OF_THE_SERVER");
    rig.semantic.endpoint.dimensions = 2;
    rig.host.env_data = secret;
    ask(&rig, SOURCE_HTTP_EMBEDDINGS, "a \"text\"", "embeddings");
    CHECK_INT(rig.answer.code, SIGNAL_OK, "code");
    CHECK_INT(rig.answer.n, 2, "numbers");
    CHECK(fabsf(rig.answer.numbers[0] - 0.6f) < 1e-6f && fabsf(rig.answer.numbers[1] + 0.8f) < 1e-6f, "unit length");
    CHECK_STR(str_from_c(rig.answer.model), "embedder", "model");
    CHECK_STR(script_body(&rig.script, 0), "{\"model\":\"embedder\",\"input\":[\"a \\\"text\\\"\"],\"dimensions\":2}",
              "body");
    CHECK_HAS(buf_str(&rig.script.requests[0]), "POST /v1/embeddings HTTP/1.1\r\n", "target");
    CHECK_HAS(buf_str(&rig.script.requests[0]), "\r\nauthorization: Bearer secret\r\n", "key");
    rig_end(&rig);
}

/* The answer about texts `first` to `first + n - 1`, whose numbers are text i's [i,1], the last one first. */
static const char *piece_of(struct arena *arena, size_t first, size_t n) {
    struct buf out;
    const char *text;
    buf_init(&out, 1 << 16);
    buf_append_c(&out, "{\"data\":[");
    for (size_t i = n; i > 0; i--)
        buf_printf(&out, "%s{\"index\":%zu,\"embedding\":[%zu,1]}", i < n ? "," : "", i - 1, first + i - 1);
    buf_append_c(&out, "]}");
    text = arena_c_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static const struct {
    const char *name;
    int64_t dimensions;
    size_t n_pieces, pieces[3];
} batches[] = {
    { "dimensions unknown", 0, 3, { REMOTE_FIRST_MAX, REMOTE_BATCH_MAX, 2 } },
    { "dimensions asked for", 2, 2, { REMOTE_BATCH_MAX, REMOTE_FIRST_MAX + 2 } },
};

TEST(embeddings_of_many_texts_go_in_pieces) {
    enum { TEXTS = REMOTE_FIRST_MAX + REMOTE_BATCH_MAX + 2 };
    for (size_t b = 0; b < VSR_COUNT(batches); b++) {
        struct arena *arena = arena_new(0, 0);
        struct script_reply replies[3] = { { 0 } };
        vsr_str texts[TEXTS];
        struct rig rig;
        size_t first = 0;
        for (size_t i = 0; i < batches[b].n_pieces; first += batches[b].pieces[i++])
            replies[i] = (struct script_reply){ .status = 200, .body = piece_of(arena, first, batches[b].pieces[i]) };
        rig_begin(&rig, replies, batches[b].n_pieces);
        rig.semantic.endpoint.dimensions = batches[b].dimensions;
        for (size_t i = 0; i < TEXTS; i++)
            texts[i] = arena_printf(rig.arena, "text %zu", i);
        ask_many(&rig, SOURCE_HTTP_EMBEDDINGS, texts, TEXTS, batches[b].name);
        CHECK_INT(rig.answer.code, SIGNAL_OK, batches[b].name);
        CHECK_INT(rig.answer.n, TEXTS * 2, batches[b].name);
        for (int i = 0; i < TEXTS; i++)
            CHECK(fabsf(rig.answer.numbers[2 * i] - (float)(i / sqrt(i * i + 1.0))) < 1e-6f, batches[b].name);
        CHECK_INT(rig.script.n_asked, batches[b].n_pieces, batches[b].name);
        rig_end(&rig);
        arena_free(arena);
    }
}

/* A vector and what does not belong there: `n` numbers, `padding` blanks. */
static const char *long_vector(struct arena *arena, size_t n, const char *number, size_t padding) {
    struct buf out;
    const char *text;
    buf_init(&out, 64 << 20);
    buf_append_c(&out, "{\"data\":[{\"index\":0,\"embedding\":[");
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s%s", i ? "," : "", number);
    buf_append_c(&out, "]}]");
    for (size_t i = 0; i < padding; i++)
        buf_append_char(&out, ' ');
    buf_append_c(&out, "}");
    text = arena_c_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static const struct {
    const char *name, *number;
    size_t n, padding;
    int64_t dimensions;
    enum signal_code code;
    const char *reason;
} lengths[] = {
    { "as many as there may be", "\n          -0.12345678901234567", REMOTE_DIMS_MAX, 0, 0, SIGNAL_OK, NULL },
    { "one more", "1", REMOTE_DIMS_MAX + 1, 0, 0, SIGNAL_FAILED, NULL },
    { "asked for, on lines of their own", "\n          -1.2345678901234567e-05", 4096, 0, 4096, SIGNAL_OK, NULL },
    { "some room", "1", 2, 64000, 2, SIGNAL_OK, NULL },
    { "too much room", "1", 2, 70000, 2, SIGNAL_FAILED, "; vectors of 2 numbers were expected" },
    { "too much room, whatever the number", "1", 2, 1 << 20, 0, SIGNAL_FAILED, "bytes" },
    { "a server that gives what it always gives", "\n          -1.2345678901234567e-05", 4096, 0, 256, SIGNAL_FAILED,
      "bytes; vectors of 256 numbers were expected" },
};

/* What is parsed on the loop is as long as what was asked for. */
TEST(embeddings_have_a_length) {
    for (size_t i = 0; i < VSR_COUNT(lengths); i++) {
        struct arena *arena = arena_new(0, 0);
        struct script_reply reply = { .status = 200 };
        struct rig rig;
        reply.body = long_vector(arena, lengths[i].n, lengths[i].number, lengths[i].padding);
        rig_begin(&rig, &reply, 1);
        rig.semantic.endpoint.dimensions = lengths[i].dimensions;
        ask(&rig, SOURCE_HTTP_EMBEDDINGS, "x", lengths[i].name);
        CHECK_INT(rig.answer.code, lengths[i].code, lengths[i].name);
        if (lengths[i].reason)
            CHECK_HAS(str_from_c(rig.answer.reason), lengths[i].reason, lengths[i].name);
        if (lengths[i].code == SIGNAL_OK) {
            CHECK_INT(rig.answer.n, lengths[i].n, lengths[i].name);
            CHECK(fabs(fabs((double)rig.answer.numbers[lengths[i].n - 1]) - 1 / sqrt((double)lengths[i].n)) < 1e-6,
                  lengths[i].name);
        }
        rig_end(&rig);
        arena_free(arena);
    }
}

/* A long vector but for its last byte, which the test sends: from then on the turns of the loop are those that reading
 * takes. */
struct held_back {
    struct arena *arena;
    struct script_reply reply;
};

static void held_back_begin(struct held_back *held) {
    const char *body;
    held->arena = arena_new(0, 0);
    body = long_vector(held->arena, REMOTE_DIMS_MAX, "1", 0);
    held->reply = (struct script_reply){
        .act = SCRIPT_RAW,
        .body = arena_printf(held->arena,
                             "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%.*s",
                             strlen(body), (int)(strlen(body) - 1), body)
                    .ptr,
    };
}

/* So many turns of reading, fewer when the call is over. */
static void read_for(struct rig *rig, const struct held_back *held, int n_turns) {
    static const vsr_str text = VSR_STR_INIT("x");
    rig_begin(rig, &held->reply, 1);
    start(rig, SOURCE_HTTP_EMBEDDINGS, &text, 1, 0);
    SCRIPT_RUN(rig->host.loop, &rig->script, rig->script.n_asked == 1, "the question");
    for (int i = 0; i < 20; i++)
        (void)loop_run_once(rig->host.loop, 2);
    CHECK_INT(rig->n_done, 0, "the last byte is not there");
    CHECK(peer_send_str(&rig->script.peers[0], VSR_STR("}"), NULL), "the last byte");
    for (int i = 0; i < n_turns && rig->n_done == 0; i++)
        (void)loop_run_once(rig->host.loop, PUMP_MS_MAX);
}

/* The loop serves others in between, and the call may be cancelled there: after each turn, until one time it is over.
 */
TEST(a_call_is_cancelled_while_its_answer_is_read) {
    enum { TURNS_MIN = 3, TURNS_MAX = 1000 };
    struct held_back held;
    struct rig rig;
    int n_turns = 1;
    held_back_begin(&held);
    for (read_for(&rig, &held, n_turns); rig.n_done == 0 && n_turns < TURNS_MAX; read_for(&rig, &held, ++n_turns)) {
        remote_call_cancel(rig.call);
        pump_turns(rig.host.loop, 10);
        CHECK_INT(rig.n_done, 0, "nobody is told");
        rig_end(&rig);
    }
    CHECK_INT(rig.n_done, 1, "read");
    CHECK_INT(rig.answer.code, SIGNAL_OK, "well");
    CHECK_INT(rig.answer.n, REMOTE_DIMS_MAX, "whole");
    CHECK_MSG(n_turns > TURNS_MIN, "read in %d turns of the loop, want more than %d", n_turns, TURNS_MIN);
    rig_end(&rig);
    arena_free(held.arena);
}

static const struct {
    const char *name;
    int64_t retries;
    struct script_reply replies[4];
    enum signal_code code;
    size_t n_asked;
    const char *reason;
} failures[] = {
    { "503 and then well",
      1,
      { { .status = 503, .body = "no" }, { .status = 200, .body = VECTOR_3_4 } },
      SIGNAL_OK,
      2,
      NULL },
    { "429 and then well",
      2,
      { { .status = 429, .body = "" }, { .status = 200, .body = VECTOR_3_4 } },
      SIGNAL_OK,
      2,
      NULL },
    { "a broken connection and then well",
      1,
      { { .act = SCRIPT_RESET }, { .status = 200, .body = VECTOR_3_4 } },
      SIGNAL_OK,
      2,
      NULL },
    { "half an answer and then well",
      1,
      { { .act = SCRIPT_CUT, .status = 200, .body = VECTOR_3_4 }, { .status = 200, .body = VECTOR_3_4 } },
      SIGNAL_OK,
      2,
      NULL },
    { "500 too often",
      2,
      { { .status = 500, .body = "{\"error\":{\"message\":\"a b c\",\"code\":\"oops\"}}" } },
      SIGNAL_UNAVAILABLE,
      3,
      "status 500, oops" },
    { "401 is final",
      3,
      { { .status = 401, .body = "{\"error\":{\"type\":\"invalid_key\"}}" } },
      SIGNAL_FAILED,
      1,
      "status 401, invalid_key" },
    { "sentences of the server are not repeated",
      0,
      { { .status = 400, .body = "{\"error\":\"your text was: x\"}" } },
      SIGNAL_FAILED,
      1,
      "status 400" },
    { "413", 3, { { .status = 413, .body = "" } }, SIGNAL_TOO_LONG, 1, "status 413" },
    { "a redirection",
      0,
      { { .status = 307, .body = "", .fields = "location: http://127.0.0.1:1/\r\n" } },
      SIGNAL_FAILED,
      1,
      "status 307" },
    { "no HTTP", 0, { { .act = SCRIPT_RAW, .body = "220 smtp ready\r\n" } }, SIGNAL_FAILED, 1, "127.0.0.1" },
    { "wrong JSON", 3, { { .status = 200, .body = "{\"data\":[" } }, SIGNAL_FAILED, 1, "no JSON (line 1, column 10)" },
    { "the length of another model",
      0,
      { { .status = 200, .body = "{\"data\":[{\"embedding\":[1,2,3]}]}" } },
      SIGNAL_FAILED,
      1,
      "has 3 numbers, expected 2" },
};

TEST(embeddings_fail) {
    for (size_t i = 0; i < VSR_COUNT(failures); i++) {
        size_t n_replies = 0;
        struct rig rig;
        while (n_replies < 4 && (failures[i].replies[n_replies].status || failures[i].replies[n_replies].act))
            n_replies++;
        rig_begin(&rig, failures[i].replies, n_replies);
        rig.semantic.endpoint.dimensions = 2;
        rig.semantic.endpoint.max_retries = failures[i].retries;
        ask(&rig, SOURCE_HTTP_EMBEDDINGS, "x", failures[i].name);
        CHECK_INT(rig.answer.code, failures[i].code, failures[i].name);
        CHECK_INT(rig.script.n_asked, failures[i].n_asked, failures[i].name);
        if (failures[i].reason)
            CHECK_HAS(str_from_c(rig.answer.reason), failures[i].reason, failures[i].name);
        CHECK(failures[i].code == SIGNAL_OK || rig.answer.n == 0, failures[i].name);
        if (rig.answer.reason)
            CHECK_MSG(!strstr(rig.answer.reason, "your text"), "case \"%s\"", failures[i].name);
        rig_end(&rig);
    }
}

TEST(a_key_that_is_not_set) {
    static const struct script_reply reply = { .status = 200, .body = VECTOR_3_4 };
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    rig.semantic.endpoint.api_key_env = VSR_STR("KEY_OF_THE_SERVER");
    ask(&rig, SOURCE_HTTP_EMBEDDINGS, "x", "key");
    CHECK_INT(rig.answer.code, SIGNAL_UNAVAILABLE, "code");
    CHECK_HAS(str_from_c(rig.answer.reason), "KEY_OF_THE_SERVER", "names the variable");
    CHECK_INT(rig.script.n_asked, 0, "nothing was asked");
    rig_end(&rig);
}

TEST(nobody_listens) {
    static const struct script_reply reply = { .status = 200, .body = VECTOR_3_4 };
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    rig.semantic.endpoint.base_url = VSR_STR("http://127.0.0.1:1/v1/embeddings");
    ask(&rig, SOURCE_HTTP_EMBEDDINGS, "x", "refused");
    CHECK_INT(rig.answer.code, SIGNAL_UNAVAILABLE, "code");
    CHECK_STR(remote_client_name(rig.client), "http://127.0.0.1:1/v1/embeddings", "the suffix comes once");
    rig_end(&rig);
}

/* Reasons are in traces and logs. */
TEST(secrets_of_a_url_are_not_told) {
    static const struct script_reply reply = { .status = 200, .body = VECTOR_3_4 };
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    rig.semantic.endpoint.base_url = VSR_STR("http://me:geheim@127.0.0.1:1/v1?key=geheim");
    ask(&rig, SOURCE_HTTP_EMBEDDINGS, "x", "embeddings");
    CHECK_INT(rig.answer.code, SIGNAL_UNAVAILABLE, "code");
    CHECK_STR(str_from_c(rig.answer.reason), "http://[REDACTED]@127.0.0.1:1/v1?[REDACTED]: this is not an IPv6 address",
              "reason");
    remote_client_free(rig.client);
    rig.client = NULL;
    rig.model.llm_endpoint.address = VSR_STR("me:geheim@127.0.0.1");
    ask(&rig, SOURCE_HTTP_GUARD, "x", "guard");
    CHECK(strstr(rig.answer.reason, "127.0.0.1") && !strstr(rig.answer.reason, "geheim"), rig.answer.reason);
    rig_end(&rig);
}

TEST(secrets_of_a_tool_servers_url_are_not_told) {
    static const struct script_reply reply = { .status = 200, .body = "" };
    struct config_mcp_classifier mcp = { .server = { .transport_type = MCP_HTTP,
                                                     .url = VSR_STR("http://a:geheim@b/?geheim") } };
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    rig.source = (struct signal_source){ .kind = SOURCE_MCP_CLASSIFY, .config = &mcp };
    rig.client = remote_client_new(&rig.host, &rig.source);
    CHECK_STR(remote_client_name(rig.client), "mcp: http://[REDACTED]@b/?[REDACTED]", "name");
    rig_end(&rig);
}

/* ---- guards */

#define SAID(text, more) "{\"choices\":[{\"message\":{\"content\":\"" text "\"}" more "}]}"
#define LOGPROBS \
    ",\"logprobs\":{\"content\":[{\"token\":\"unsafe\",\"logprob\":-0.2231435513,\"top_logprobs\":[{\"token\":" \
    "\"safe\",\"logprob\":-1.6094379124}]}]}"

static bool asks_for(const struct rig *rig, size_t request, const char *what) {
    return str_find(buf_str(&rig->script.requests[request]), str_from_c(what)) >= 0;
}

TEST(a_guard_that_tells_log_probabilities) {
    static const struct script_reply reply = { .status = 200, .body = SAID("unsafe", LOGPROBS) };
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    ask(&rig, SOURCE_HTTP_GUARD, "x", "guard");
    CHECK_INT(rig.answer.code, SIGNAL_OK, "code");
    CHECK(asks_for(&rig, 0, "\"logprobs\":true,\"top_logprobs\":5"), "asked for them");
    CHECK_MSG(fabsf(rig.answer.numbers[1] - 0.8f) < 1e-6f, "%g", (double)rig.answer.numbers[1]);
    rig_end(&rig);
}

TEST(a_guard_that_refuses_log_probabilities) {
    static const struct script_reply replies[] = {
        { .status = 400, .body = "{\"error\":\"logprobs\"}" },
        { .status = 200, .body = SAID("safe", "") },
    };
    struct rig rig;
    rig_begin(&rig, replies, VSR_COUNT(replies));
    ask(&rig, SOURCE_HTTP_GUARD, "x", "first");
    CHECK_INT(rig.answer.code, SIGNAL_OK, "code");
    CHECK_MSG(fabsf(rig.answer.numbers[1] - 0.1f) < 1e-6f, "%g", (double)rig.answer.numbers[1]);
    CHECK_INT(rig.script.n_asked, 2, "once more");
    CHECK(asks_for(&rig, 0, "logprobs") && !asks_for(&rig, 1, "logprobs"), "without them");
    ask(&rig, SOURCE_HTTP_GUARD, "y", "second");
    CHECK_INT(rig.script.n_asked, 3, "remembered");
    CHECK(!asks_for(&rig, 2, "logprobs"), "remembered");
    rig_end(&rig);
}

/* One thing after the other, and no more questions than that. */
TEST(a_guard_that_refuses_everything) {
    static const struct script_reply replies[] = {
        { .status = 422, .body = "" },
        { .status = 400, .body = "" },
        { .status = 400, .body = "" },
        { .status = 422, .body = "" },
        { .status = 200, .body = SAID("{\\\"safety\\\":\\\"safe\\\"}", "") },
    };
    struct rig rig;
    rig_begin(&rig, replies, VSR_COUNT(replies));
    rig.model.parser_type = PARSER_JSON;
    ask(&rig, SOURCE_HTTP_GUARD, "x", "refused");
    CHECK_INT(rig.answer.code, SIGNAL_FAILED, "code");
    CHECK_INT(rig.script.n_asked, 3, "three questions");
    CHECK(asks_for(&rig, 1, "response_format") && !asks_for(&rig, 1, "logprobs"), "the second");
    CHECK(!asks_for(&rig, 2, "response_format") && !asks_for(&rig, 2, "logprobs"), "the third");
    ask(&rig, SOURCE_HTTP_GUARD, "x", "again");
    CHECK_INT(rig.answer.code, SIGNAL_OK, "what never helped is not remembered");
    CHECK(asks_for(&rig, 3, "logprobs") && asks_for(&rig, 4, "response_format"), "from the beginning");
    rig_end(&rig);
}

TEST(https_without_tls) {
    static const struct script_reply reply = { .status = 200, .body = VECTOR_3_4 };
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    rig.semantic.endpoint.base_url = VSR_STR("https://127.0.0.1:1/v1");
    ask(&rig, SOURCE_HTTP_EMBEDDINGS, "x", "https");
    CHECK_INT(rig.answer.code, SIGNAL_UNAVAILABLE, "code");
    rig_end(&rig);
}

TEST(no_answer_in_time) {
    static const struct script_reply reply = { .act = SCRIPT_SILENCE };
    vsr_str text = VSR_STR("x");
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    rig.semantic.endpoint.max_retries = 100;
    start(&rig, SOURCE_HTTP_EMBEDDINGS, &text, 1, 40);
    SCRIPT_RUN(rig.host.loop, &rig.script, rig.n_done == 1, "deadline");
    CHECK_INT(rig.answer.code, SIGNAL_TIMEOUT, "code");
    CHECK_INT(rig.script.n_asked, 1, "the attempt took all of the time");
    rig_end(&rig);
}

TEST(a_wait_past_the_deadline_is_not_begun) {
    static const struct script_reply reply = { .status = 503, .body = "", .fields = "retry-after: 3600\r\n" };
    vsr_str text = VSR_STR("x");
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    rig.semantic.endpoint.max_retries = 5;
    start(&rig, SOURCE_HTTP_EMBEDDINGS, &text, 1, 600000);
    SCRIPT_RUN(rig.host.loop, &rig.script, rig.n_done == 1, "retry-after");
    CHECK_INT(rig.answer.code, SIGNAL_UNAVAILABLE, "code");
    rig_end(&rig);
}

TEST(nobody_waits_for_longer_than_an_answer_may_take) {
    static const struct script_reply reply = { .status = 429, .body = "", .fields = "retry-after: 3600\r\n" };
    vsr_str text = VSR_STR("x");
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    rig.semantic.endpoint.max_retries = 5;
    start(&rig, SOURCE_HTTP_EMBEDDINGS, &text, 1, 0);
    SCRIPT_RUN(rig.host.loop, &rig.script, rig.n_done == 1, "retry-after");
    CHECK_INT(rig.answer.code, SIGNAL_UNAVAILABLE, "code");
    CHECK_INT(rig.script.n_asked, 1, "asked once");
    rig_end(&rig);
}

TEST(cancelled_calls_say_nothing) {
    static const struct script_reply replies[] = { { .status = 503, .body = "" }, { .act = SCRIPT_SILENCE } };
    vsr_str text = VSR_STR("x");
    struct rig rig;
    rig_begin(&rig, replies, 2);
    rig.semantic.endpoint.max_retries = 5;
    start(&rig, SOURCE_HTTP_EMBEDDINGS, &text, 1, 0);
    remote_call_cancel(rig.call); /* before anything happened */
    start(&rig, SOURCE_HTTP_EMBEDDINGS, &text, 1, 0);
    SCRIPT_RUN(rig.host.loop, &rig.script, rig.script.n_asked == 1, "asked");
    pump_turns(rig.host.loop, 10);
    remote_call_cancel(rig.call); /* between two attempts */
    start(&rig, SOURCE_HTTP_EMBEDDINGS, &text, 1, 0);
    SCRIPT_RUN(rig.host.loop, &rig.script, rig.script.n_asked == 2, "asked again");
    remote_call_cancel(rig.call); /* while it waits */
    pump_turns(rig.host.loop, 50);
    CHECK_INT(rig.n_done, 0, "nothing was told");
    rig_end(&rig);
}

static void on_last(void *owner, const struct evidence_answer *answer) {
    struct rig *rig = owner;
    on_done(owner, answer);
    remote_client_free(rig->client);
    rig->client = NULL;
}

/* As a request does that is the last one of its generation. */
TEST(who_is_told_may_free_the_client) {
    static const struct script_reply reply = { .status = 200, .body = VECTOR_3_4 };
    vsr_str text = VSR_STR("x");
    struct rig rig;
    struct remote_question question = { .kind = EVIDENCE_VECTOR, .texts = &text, .n_texts = 1 };
    rig_begin(&rig, &reply, 1);
    question.arena = rig.arena;
    make_client(&rig, SOURCE_HTTP_EMBEDDINGS);
    rig.call = remote_call_start(rig.client, &question, on_last, &rig);
    SCRIPT_RUN(rig.host.loop, &rig.script, rig.n_done == 1, "told");
    CHECK_INT(rig.answer.code, SIGNAL_OK, "code");
    CHECK(rig.client == NULL, "freed");
    rig_end(&rig);
}

TEST(what_a_source_does_not_give) {
    static const struct script_reply reply = { .status = 200, .body = VECTOR_3_4 };
    vsr_str texts[2] = { VSR_STR("x"), VSR_STR("y") };
    struct rig rig;
    rig_begin(&rig, &reply, 1);
    ask_many(&rig, SOURCE_HTTP_CLASSIFY, texts, 2, "two texts");
    CHECK_INT(rig.answer.code, SIGNAL_FAILED, "two texts");
    rig_end(&rig);
}

RUN_TESTS(T(embeddings_ask_and_normalise), T(embeddings_of_many_texts_go_in_pieces), T(embeddings_fail),
          T(embeddings_have_a_length), T(a_call_is_cancelled_while_its_answer_is_read), T(a_key_that_is_not_set),
          T(nobody_listens), T(secrets_of_a_url_are_not_told), T(secrets_of_a_tool_servers_url_are_not_told),
          T(a_guard_that_tells_log_probabilities), T(a_guard_that_refuses_log_probabilities),
          T(a_guard_that_refuses_everything), T(https_without_tls), T(no_answer_in_time),
          T(a_wait_past_the_deadline_is_not_begun), T(nobody_waits_for_longer_than_an_answer_may_take),
          T(cancelled_calls_say_nothing), T(who_is_told_may_free_the_client), T(what_a_source_does_not_give))
