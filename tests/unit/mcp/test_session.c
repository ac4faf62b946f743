#include "mcp/session.h"

#include <sys/stat.h>

#include "core/arena.h"
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
    struct mcp_place place;
    struct mcp_session *session;
    struct script script;
    struct arena *arena;
    int n_gone;
};

/* What one request came to. */
struct outcome {
    int n, code;
    int64_t error;
    char reason[MCP_REASON_LEN];
    struct buf result;
};

static void on_done(void *owner, const struct mcp_reply *reply) {
    struct outcome *outcome = owner;
    outcome->n++;
    outcome->code = reply->code;
    outcome->error = reply->error;
    snprintf(outcome->reason, sizeof(outcome->reason), "%s", reply->reason ? reply->reason : "");
    if (!outcome->result.max)
        buf_init(&outcome->result, PEER_GOT_MAX);
    buf_reset(&outcome->result);
    if (reply->code == 0)
        buf_append(&outcome->result, json_raw(reply->doc, reply->result));
}

static void outcome_done(struct outcome *outcome) {
    buf_done(&outcome->result);
}

static void rig_begin(struct rig *rig) {
    struct vsr_err err = VSR_ERR_NONE;
    *rig = (struct rig){ .arena = arena_new(0, 0), .script.listen_fd = -1 };
    CHECK_MSG(loop_new(&rig->place.loop, &err) == 0, "%s", err.text);
    CHECK_MSG(client_new(rig->place.loop, &limits, &rig->place.client, &err) == 0, "%s", err.text);
}

static void on_gone(void *data) {
    struct rig *rig = data;
    rig->n_gone++;
}

static void rig_end(struct rig *rig) {
    if (rig->session)
        mcp_session_free(rig->session, on_gone, rig);
    while (rig->session && !rig->n_gone) {
        if (rig->script.listen_fd >= 0)
            script_turn(&rig->script);
        loop_run_once(rig->place.loop, 2);
    }
    client_free(rig->place.client);
    loop_free(rig->place.loop);
    if (rig->script.listen_fd >= 0)
        script_end(&rig->script);
    arena_free(rig->arena);
}

/* ---- stdio: the server is a shell script that reads a line and writes one */

#define SAYS(text) "echo '" text "';"
#define INITIALIZED(version) \
    "read l;" SAYS( \
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"" version \
        "\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"shell\",\"version\":\"1.2\"}}}") "read l;"
#define BEGINS INITIALIZED("2025-06-18")

static void start_shell(struct rig *rig, const char *script) {
    const vsr_str args[] = { VSR_STR("-c"), str_from_c(script) };
    const struct mcp_server_options options = {
        .kind = MCP_OVER_STDIO, .command = VSR_STR("sh"), .args = args, .n_args = VSR_COUNT(args)
    };
    rig_begin(rig);
    rig->session = mcp_session_new(&rig->place, &options);
}

static struct mcp_request *ask(struct rig *rig, struct outcome *outcome) {
    *outcome = (struct outcome){ 0 };
    return mcp_session_request(rig->session, "tools/list", VSR_STR("{}"), 60000, on_done, outcome);
}

static const struct {
    const char *name, *script;
    int code;
    const char *result; /* or a part of the reason */
} conversations[] = {
    { "an answer", BEGINS "read l;" SAYS("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"a\":1}}") "read l", 0,
      "{\"a\":1}" },
    { "an older version",
      INITIALIZED("2024-11-05") "read l;" SAYS("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":1}") "read l", 0, "1" },
    { "an error",
      BEGINS
      "read l;" SAYS("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32602,\"message\":\"secret\"}}") "read l",
      VSR_E_INVALID, "answered tools/list with error -32602" },
    { "noise and other messages",
      "echo starting; echo >&2 problem;" BEGINS
      "read l; echo '{broken'; echo hello;" SAYS("{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":1}")
          SAYS("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}")
              SAYS("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":2}") "read l",
      0, "2" },
    { "it asks something itself",
      BEGINS "read l;" SAYS("{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}") "read p;" SAYS(
          "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"roots/list\"}") "read q; printf "
                                                                      "'{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":[%s,%"
                                                                      "s]}\\n' "
                                                                      "\"$p\" \"$q\"; read l",
      0,
      "[{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32601,"
      "\"message\":\"vsr offers no such method\"}}]" },
    { "it ends at once", "exit 7", VSR_E_UNAVAILABLE, "ended with status 7" },
    { "it ends instead of an answer", BEGINS "read l; exit 0", VSR_E_UNAVAILABLE, "ended with status 0" },
    { "a version nobody knows", INITIALIZED("1999-01-01") "read l", VSR_E_PROTOCOL, "another version" },
    { "no version", "read l;" SAYS("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}") "read l", VSR_E_PROTOCOL,
      "version" },
    { "it refuses", "read l;" SAYS("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"x\"}}") "read l",
      VSR_E_UNAVAILABLE, "refused" },
    { "a message without end", BEGINS "read l; head -c 5000000 /dev/zero | tr '\\0' x; read l", VSR_E_LIMIT,
      "too long" },
};

TEST(stdio_conversations) {
    for (size_t i = 0; i < VSR_COUNT(conversations); i++) {
        struct outcome outcome;
        struct rig rig;
        start_shell(&rig, conversations[i].script);
        ask(&rig, &outcome);
        CHECK_INT(outcome.n, 0, "nothing from inside");
        PUMP(rig.place.loop, outcome.n == 1, conversations[i].name);
        CHECK_INT(outcome.code, conversations[i].code, conversations[i].name);
        if (outcome.code == 0)
            CHECK_STR(buf_str(&outcome.result), conversations[i].result, conversations[i].name);
        else
            CHECK_MSG(strstr(outcome.reason, conversations[i].result), "case \"%s\": \"%s\" has no \"%s\"",
                      conversations[i].name, outcome.reason, conversations[i].result);
        CHECK(!strstr(outcome.reason, "secret"), "sentences of the server are not repeated");
        outcome_done(&outcome);
        rig_end(&rig);
    }
}

TEST(stdio_no_such_program) {
    const struct mcp_server_options options = { .kind = MCP_OVER_STDIO, .command = VSR_STR("/nowhere/program") };
    struct outcome outcome;
    struct rig rig;
    rig_begin(&rig);
    rig.session = mcp_session_new(&rig.place, &options);
    ask(&rig, &outcome);
    PUMP(rig.place.loop, outcome.n == 1, "failed");
    CHECK_INT(outcome.code, VSR_E_UNAVAILABLE, "code");
    CHECK(strstr(outcome.reason, "/nowhere/program"), "names it");
    outcome_done(&outcome);
    rig_end(&rig);
}

/* What the server was told is in its answer: the handshake as it should be, and of our environment only the harmless.
 */
TEST(stdio_what_the_server_sees) {
    static const char script[] =
        "read i; echo "
        "'{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},"
        "\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}}}'; read n; read r;"
        "printf '{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":[%s,%s,%s,\"%s\",\"%s\"]}\\n' \"$i\" \"$n\" \"$r\" "
        "\"$GIVEN\" "
        "\"$A_KEY_OF_OURS\"; read l";
    const vsr_str args[] = { VSR_STR("-c"), VSR_STR_INIT("") };
    const struct mcp_variable env = { VSR_STR("GIVEN"), VSR_STR("yes") };
    vsr_str all[2] = { args[0], str_from_c(script) };
    const struct mcp_server_options options = {
        .kind = MCP_OVER_STDIO, .command = VSR_STR("sh"), .args = all, .n_args = 2, .env = &env, .n_env = 1
    };
    struct outcome outcome;
    struct rig rig;
    setenv("A_KEY_OF_OURS", "secret", 1);
    rig_begin(&rig);
    rig.session = mcp_session_new(&rig.place, &options);
    ask(&rig, &outcome);
    PUMP(rig.place.loop, outcome.n == 1, "answered");
    CHECK_STR(buf_str(&outcome.result),
              "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\","
              "\"capabilities\":{},\"clientInfo\":{\"name\":\"vsr\",\"version\":\"" VSR_VERSION "\"}}},"
              "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"},"
              "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{}},\"yes\",\"\"]",
              "what it saw");
    CHECK_STR(str_from_c(mcp_session_server_name(rig.session)), "s", "name");
    outcome_done(&outcome);
    rig_end(&rig);
}

/* The first two lives end early; the third answers. */
TEST(stdio_begins_again) {
    static const char script[] =
        "n=$(cat \"$COUNT\" 2>/dev/null || echo 0); echo $((n + 1)) > \"$COUNT\"; [ \"$n\" -lt 2 ] && exit 1;"
        "answer() { read l; id=${l#*'\"id\":'}; echo \"{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"id\\\":${id%%,*},$1}\"; };"
        "answer '\"result\":{\"protocolVersion\":\"2025-06-18\"}'; read l; answer '\"result\":true'; read l";
    char file[] = "/tmp/vsr-test-count-XXXXXX";
    int fd = mkstemp(file);
    const struct mcp_variable env = { VSR_STR("COUNT"), str_from_c(file) };
    const vsr_str args[] = { VSR_STR("-c"), str_from_c(script) };
    const struct mcp_server_options options = {
        .kind = MCP_OVER_STDIO, .command = VSR_STR("sh"), .args = args, .n_args = 2, .env = &env, .n_env = 1
    };
    struct outcome outcome;
    struct rig rig;
    close(fd);
    unlink(file);
    rig_begin(&rig);
    rig.session = mcp_session_new(&rig.place, &options);
    ask(&rig, &outcome);
    PUMP(rig.place.loop, outcome.n == 1, "the first life ends");
    CHECK_INT(outcome.code, VSR_E_UNAVAILABLE, "code");
    ask(&rig, &outcome);
    PUMP(rig.place.loop, outcome.n == 1, "in between");
    CHECK_INT(outcome.code, VSR_E_UNAVAILABLE, "told at once");
    PUMP(rig.place.loop, mcp_session_is_ready(rig.session), "it comes back by itself");
    CHECK_INT(mcp_session_generation(rig.session), 1, "generation");
    ask(&rig, &outcome);
    PUMP(rig.place.loop, outcome.n == 1, "and answers");
    CHECK_STR(buf_str(&outcome.result), "true", "result");
    outcome_done(&outcome);
    unlink(file);
    rig_end(&rig);
}

TEST(stdio_slow_and_cancelled) {
    /* Answers a request only when its cancellation has come: with a number that is waited for no more, then the next.
     */
    static const char script[] = BEGINS
        "read l; read c;" SAYS("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":1}") "read l; printf "
                                                                              "'{\"jsonrpc\":\"2.0\",\"id\":3,"
                                                                              "\"result\":%s}\\n' \"$c\"; read l";
    struct outcome slow = { 0 }, next;
    struct rig rig;
    start_shell(&rig, script);
    mcp_session_wake(rig.session);
    PUMP(rig.place.loop, mcp_session_is_ready(rig.session), "ready");
    (void)mcp_session_request(rig.session, "tools/call", VSR_STR("{}"), 20, on_done, &slow);
    PUMP(rig.place.loop, slow.n == 1, "too slow");
    CHECK_INT(slow.code, VSR_E_TIMEOUT, "code");
    ask(&rig, &next);
    PUMP(rig.place.loop, next.n == 1, "the next");
    CHECK_STR(buf_str(&next.result),
              "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":2,"
              "\"reason\":\"it took too long\"}}",
              "the server was told");
    CHECK_INT(slow.n, 1, "the late answer is told to nobody");
    mcp_request_cancel(ask(&rig, &slow));
    pump_turns(rig.place.loop, 5);
    CHECK_INT(slow.n, 0, "cancelled");
    outcome_done(&slow);
    outcome_done(&next);
    rig_end(&rig);
}

TEST(tools_that_change) {
    struct outcome outcome;
    struct rig rig;
    start_shell(&rig, BEGINS "read l;" SAYS("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}")
                          SAYS("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":1}") "read l");
    ask(&rig, &outcome);
    PUMP(rig.place.loop, outcome.n == 1, "answered");
    CHECK_INT(mcp_session_generation(rig.session), 2, "generation");
    outcome_done(&outcome);
    rig_end(&rig);
}

/* ---- HTTP */

#define INITIALIZE \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-03-26\",\"capabilities\":{}," \
    "\"serverInfo\":{\"name\":\"web\",\"version\":\"2\"}}}"
#define NAMED "mcp-session-id: abc-123\r\n"
#define EVENTS "content-type: text/event-stream\r\n"
#define RESULT(id, value) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" value "}"
/* Without the content type that script_write() adds. */
#define STREAM_HEAD "HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream; charset=utf-8\r\nconnection: close\r\n\r\n"
#define STREAM(text) \
    { .act = SCRIPT_RAW, .body = STREAM_HEAD text }
#define STREAM_END(text) \
    { .act = SCRIPT_LAST, .body = STREAM_HEAD text }
#define TAKEN \
    { .status = 202, .body = "" }

static void start_web(struct rig *rig, const struct script_reply *replies, size_t n_replies) {
    struct mcp_server_options options = { .kind = MCP_OVER_HTTP, .token = VSR_STR("sesame") };
    rig_begin(rig);
    script_begin(&rig->script, replies, n_replies);
    options.url = arena_printf(rig->arena, "http://127.0.0.1:%u/mcp", rig->script.port);
    rig->session = mcp_session_new(&rig->place, &options);
}

#define CHECK_HAS(text, part, name) \
    CHECK_MSG(str_find((text), str_from_c(part)) >= 0, "case \"%s\": \"%s\" is not in \"%.*s\"", (name), (part), \
              VSR_FMT(text))
#define CHECK_LACKS(text, part, name) \
    CHECK_MSG(str_find((text), str_from_c(part)) < 0, "case \"%s\": \"%s\" is in \"%.*s\"", (name), (part), \
              VSR_FMT(text))

TEST(http_answers_as_json) {
    static const struct script_reply replies[] = { { .status = 200, .body = INITIALIZE, .fields = NAMED },
                                                   TAKEN,
                                                   { .status = 200, .body = RESULT("2", "[1]") },
                                                   { .status = 200, .body = "" } };
    struct outcome outcome;
    struct rig rig;
    vsr_str first, third;
    start_web(&rig, replies, VSR_COUNT(replies));
    ask(&rig, &outcome);
    SCRIPT_RUN(rig.place.loop, &rig.script, outcome.n == 1, "answered");
    CHECK_INT(outcome.code, 0, outcome.reason);
    CHECK_STR(buf_str(&outcome.result), "[1]", "result");
    first = buf_str(&rig.script.requests[0]);
    CHECK_HAS(first, "POST /mcp HTTP/1.1\r\n", "one URL");
    CHECK_HAS(first, "\r\naccept: application/json, text/event-stream\r\n", "accept");
    CHECK_HAS(first, "\r\nauthorization: Bearer sesame\r\n", "token");
    CHECK_LACKS(first, "mcp-session-id", "not yet");
    CHECK_LACKS(first, "mcp-protocol-version", "not yet");
    for (size_t i = 1; i < 3; i++) { /* the notification and the request, in the order the server took them */
        third = buf_str(&rig.script.requests[i]);
        CHECK_HAS(third, "\r\nmcp-session-id: abc-123\r\n", "session");
        CHECK_HAS(third, "\r\nmcp-protocol-version: 2025-03-26\r\n", "version");
    }
    mcp_session_free(rig.session, on_gone, &rig);
    rig.session = NULL;
    SCRIPT_RUN(rig.place.loop, &rig.script, rig.n_gone == 1, "ended");
    CHECK_HAS(buf_str(&rig.script.requests[3]), "DELETE /mcp HTTP/1.1\r\n", "the end");
    CHECK_HAS(buf_str(&rig.script.requests[3]), "\r\nmcp-session-id: abc-123\r\n", "of this session");
    outcome_done(&outcome);
    rig_end(&rig);
}

/* The request waits for the handshake, so that replies come in the script's order. */
static void begin_web(struct rig *rig, const struct script_reply *replies, size_t n_replies) {
    start_web(rig, replies, n_replies);
    mcp_session_wake(rig->session);
    SCRIPT_RUN(rig->place.loop, &rig->script, mcp_session_is_ready(rig->session) && rig->script.n_asked == 2, "ready");
    pump_turns(rig->place.loop, 5);
}

static const struct {
    const char *name;
    struct script_reply reply;
    int code;
    const char *result;
} web_answers[] = {
    { "an event of a stream that goes on", STREAM("data: " RESULT("2", "5") "\n\n"), 0, "5" },
    { "an event without its last line", STREAM_END(": hello\n\nevent: message\ndata: " RESULT("2", "5")), 0, "5" },
    { "several events",
      STREAM("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\nid: 1\ndata: " RESULT(
          "2", "{\"x\":\ndata: 1}") "\n\n"),
      0, "{\"x\":\n1}" },
    { "events without the answer", STREAM_END("data: {\"jsonrpc\":\"2.0\",\"method\":\"m\"}\n\n"), VSR_E_PROTOCOL,
      "without a response" },
    { "an error of the protocol",
      { .status = 200, .body = "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32000,\"message\":\"x\"}}" },
      VSR_E_INVALID,
      "error -32000" },
    { "no JSON", { .status = 200, .body = "<html>" }, VSR_E_PROTOCOL, "without a response" },
    { "another answer", { .status = 200, .body = RESULT("9", "1") }, VSR_E_PROTOCOL, "without a response" },
    { "nothing", { .status = 202, .body = "" }, VSR_E_PROTOCOL, "without a response" },
    { "503", { .status = 503, .body = "x" }, VSR_E_UNAVAILABLE, "status 503" },
    { "401", { .status = 401, .body = "x" }, VSR_E_PROTOCOL, "status 401" },
    { "a broken connection", { .act = SCRIPT_RESET }, VSR_E_UNAVAILABLE, "" },
};

TEST(http_answers) {
    for (size_t i = 0; i < VSR_COUNT(web_answers); i++) {
        const struct script_reply replies[] = { { .status = 200, .body = INITIALIZE },
                                                TAKEN,
                                                web_answers[i].reply,
                                                { .status = 200, .body = RESULT("3", "\"next\"") } };
        struct outcome outcome, next;
        struct rig rig;
        begin_web(&rig, replies, VSR_COUNT(replies));
        ask(&rig, &outcome);
        SCRIPT_RUN(rig.place.loop, &rig.script, outcome.n == 1, web_answers[i].name);
        CHECK_INT(outcome.code, web_answers[i].code, web_answers[i].name);
        if (outcome.code == 0)
            CHECK_STR(buf_str(&outcome.result), web_answers[i].result, web_answers[i].name);
        else
            CHECK_MSG(strstr(outcome.reason, web_answers[i].result), "case \"%s\": \"%s\" has no \"%s\"",
                      web_answers[i].name, outcome.reason, web_answers[i].result);
        ask(&rig, &next);
        SCRIPT_RUN(rig.place.loop, &rig.script, next.n == 1, "one request that fails leaves the session");
        CHECK_STR(buf_str(&next.result), "\"next\"", web_answers[i].name);
        outcome_done(&outcome);
        outcome_done(&next);
        rig_end(&rig);
    }
}

TEST(http_session_that_was_forgotten) {
    static const struct script_reply replies[] = {
        { .status = 200, .body = INITIALIZE, .fields = NAMED },
        TAKEN,
        { .status = 404, .body = "{}" }, /* the request */
        { .status = 200, .body = "" },   /* DELETE, or the new handshake: in the order of connections */
        { .status = 200, .body = "" },
    };
    struct outcome outcome;
    struct rig rig;
    begin_web(&rig, replies, VSR_COUNT(replies));
    ask(&rig, &outcome);
    SCRIPT_RUN(rig.place.loop, &rig.script, rig.script.n_asked >= 5, "it begins anew");
    for (size_t i = 3; i < 5; i++) {
        vsr_str request = buf_str(&rig.script.requests[i]);
        if (str_find(request, VSR_STR("\"initialize\"")) >= 0)
            CHECK_LACKS(request, "mcp-session-id", "without the old name");
        else
            CHECK_HAS(request, "DELETE", "the old one is ended");
    }
    SCRIPT_RUN(rig.place.loop, &rig.script, outcome.n == 1, "the new handshake fails here");
    CHECK_INT(outcome.code, VSR_E_PROTOCOL, "code");
    outcome_done(&outcome);
    rig_end(&rig);
}

TEST(http_nobody_there) {
    const struct mcp_server_options options = { .kind = MCP_OVER_HTTP, .url = VSR_STR("http://127.0.0.1:1/") };
    struct outcome outcome;
    struct rig rig;
    rig_begin(&rig);
    rig.session = mcp_session_new(&rig.place, &options);
    ask(&rig, &outcome);
    PUMP(rig.place.loop, outcome.n == 1, "refused");
    CHECK_INT(outcome.code, VSR_E_UNAVAILABLE, "code");
    ask(&rig, &outcome);
    PUMP(rig.place.loop, outcome.n == 1, "at once");
    CHECK_INT(outcome.code, VSR_E_UNAVAILABLE, "code");
    outcome_done(&outcome);
    rig_end(&rig);
}

TEST(http_bad_url) {
    const struct mcp_server_options options = { .kind = MCP_OVER_HTTP,
                                                .url = VSR_STR("ftp://me:geheim@127.0.0.1/?key=geheim") };
    struct outcome outcome;
    struct rig rig;
    rig_begin(&rig);
    rig.session = mcp_session_new(&rig.place, &options);
    ask(&rig, &outcome);
    PUMP(rig.place.loop, outcome.n == 1, "failed");
    CHECK(strstr(outcome.reason, "bad URL"), outcome.reason);
    CHECK(strstr(outcome.reason, "@127.0.0.1/"), outcome.reason);
    CHECK(!strstr(outcome.reason, "geheim"), outcome.reason);
    outcome_done(&outcome);
    rig_end(&rig);
}

RUN_TESTS(T(stdio_conversations), T(stdio_no_such_program), T(stdio_what_the_server_sees), T(stdio_begins_again),
          T(stdio_slow_and_cancelled), T(tools_that_change), T(http_answers_as_json), T(http_answers),
          T(http_session_that_was_forgotten), T(http_nobody_there), T(http_bad_url))
