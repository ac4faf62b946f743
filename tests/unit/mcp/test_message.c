#include "mcp/message.h"

#include "core/arena.h"
#include "test.h"

struct seen {
    struct mcp_message messages[8];
    size_t n;
    struct buf log;
};

static void on_message(void *user, const struct mcp_message *message) {
    static const char *const kinds[] = { "request", "notification", "result", "error" };
    struct seen *seen = user;
    buf_printf(&seen->log, "%s %lld %.*s %lld;", kinds[message->kind], (long long)message->id, VSR_FMT(message->method),
               (long long)message->code);
}

static const struct {
    const char *name, *text, *want; /* NULL: refused */
    int code;
} cases[] = {
    { "a result", "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}", "result 7  0;", 0 },
    { "an error", "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32601,\"message\":\"m\"}}", "error 7  -32601;",
      0 },
    { "an error for nobody", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"m\"}}",
      "error 0  -32700;", 0 },
    { "a request", "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"ping\"}", "request 0 ping 0;", 0 },
    { "a notification", "{\"jsonrpc\":\"2.0\",\"method\":\"a/b\",\"params\":{}}", "notification 0 a/b 0;", 0 },
    { "a list", "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1},{\"jsonrpc\":\"2.0\",\"method\":\"m\"}]",
      "result 1  0;notification 0 m 0;", 0 },
    { "an id of another kind is none of ours", "{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":{}}", "result 0  0;", 0 },
    { "a fraction", "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"result\":{}}", "result 0  0;", 0 },
    { "an empty list", "[]", NULL, VSR_E_PROTOCOL },
    { "a list in a list", "[[]]", NULL, VSR_E_PROTOCOL },
    { "one bad message spoils the list", "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1},{}]", NULL, VSR_E_PROTOCOL },
    { "no JSON", "{\"jsonrpc\"", NULL, VSR_E_SYNTAX },
    { "a text", "\"jsonrpc\"", NULL, VSR_E_PROTOCOL },
    { "an older version", "{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":1}", NULL, VSR_E_PROTOCOL },
    { "no version", "{\"id\":1,\"result\":1}", NULL, VSR_E_PROTOCOL },
    { "a member twice", "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"result\":1}", NULL, VSR_E_PROTOCOL },
    { "neither this nor that", "{\"jsonrpc\":\"2.0\",\"id\":1}", NULL, VSR_E_PROTOCOL },
    { "a result for nobody", "{\"jsonrpc\":\"2.0\",\"result\":1}", NULL, VSR_E_PROTOCOL },
    { "an error without a code", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}", NULL, VSR_E_PROTOCOL },
    { "a request with an object as id", "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}", NULL, VSR_E_PROTOCOL },
    { "a method that is no text", "{\"jsonrpc\":\"2.0\",\"method\":1}", NULL, VSR_E_PROTOCOL },
};

TEST(reads) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct vsr_err err = VSR_ERR_NONE;
        struct seen seen = { 0 };
        int rc;
        buf_init(&seen.log, 1 << 16);
        rc = mcp_message_read(arena, str_from_c(cases[i].text), on_message, &seen, &err);
        CHECK_INT(rc, cases[i].code, cases[i].name);
        CHECK_STR(buf_str(&seen.log), cases[i].want ? cases[i].want : "", cases[i].name);
        CHECK((rc < 0) == (err.text[0] != '\0'), cases[i].name);
        buf_done(&seen.log);
        arena_free(arena);
    }
}

static void read_lists(size_t n, int want) {
    struct arena *arena = arena_new(0, 0);
    struct seen seen = { 0 };
    struct buf text;
    buf_init(&seen.log, 1 << 20);
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%s{\"jsonrpc\":\"2.0\",\"id\":%zu,\"result\":1}", i ? "," : "[", i + 1);
    buf_append_char(&text, ']');
    CHECK_INT(mcp_message_read(arena, buf_str(&text), on_message, &seen, NULL), want, "batch");
    buf_done(&text);
    buf_done(&seen.log);
    arena_free(arena);
}

TEST(a_list_has_a_limit) {
    read_lists(MCP_BATCH_MAX, 0);
    read_lists(MCP_BATCH_MAX + 1, VSR_E_LIMIT);
}

TEST(writes) {
    struct buf out;
    buf_init(&out, 1 << 16);
    mcp_write_request(&out, 3, "tools/list", VSR_STR("{\"cursor\":\"x\"}"));
    CHECK_STR(buf_str(&out), "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\",\"params\":{\"cursor\":\"x\"}}",
              "request");
    buf_reset(&out);
    mcp_write_notification(&out, "notifications/initialized", VSR_STR(""));
    CHECK_STR(buf_str(&out), "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", "notification");
    buf_reset(&out);
    mcp_write_result(&out, VSR_STR("\"a\""), VSR_STR("{}"));
    CHECK_STR(buf_str(&out), "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{}}", "result");
    buf_reset(&out);
    mcp_write_error(&out, VSR_STR("9"), MCP_E_METHOD, "none");
    CHECK_STR(buf_str(&out), "{\"jsonrpc\":\"2.0\",\"id\":9,\"error\":{\"code\":-32601,\"message\":\"none\"}}",
              "error");
    buf_done(&out);
}

/* However the bytes are cut, the lines are the same. */
TEST(lines_at_any_cut) {
    static const char text[] = "one\ntwo\r\n\n{\"a\": 1}\nrest";
    for (size_t step = 1; step < sizeof(text); step++) {
        struct mcp_lines lines;
        struct buf log;
        buf_init(&log, 1 << 16);
        mcp_lines_init(&lines);
        for (size_t at = 0; at < sizeof(text) - 1; at += step) {
            vsr_str bytes = str_sub(VSR_STR("one\ntwo\r\n\n{\"a\": 1}\nrest"), at, at + step), line;
            while (mcp_lines_next(&lines, &bytes, &line))
                buf_printf(&log, "<%.*s>", VSR_FMT(line));
            CHECK_INT(bytes.len, 0, "all was taken");
        }
        CHECK_STR(buf_str(&log), "<one><two><><{\"a\": 1}>", "lines");
        mcp_lines_done(&lines);
        buf_done(&log);
    }
}

TEST(a_line_has_a_limit) {
    struct mcp_lines lines;
    struct buf long_line;
    vsr_str bytes, line;
    buf_init(&long_line, MCP_MESSAGE_LEN_MAX + 16);
    CHECK(buf_reserve(&long_line, MCP_MESSAGE_LEN_MAX + 3) == 0, "memory");
    memset(long_line.ptr, 'x', MCP_MESSAGE_LEN_MAX + 3);
    long_line.len = MCP_MESSAGE_LEN_MAX + 3;
    mcp_lines_init(&lines);
    bytes = buf_str(&long_line);
    CHECK(!mcp_lines_next(&lines, &bytes, &line) && lines.broken, "too long");
    bytes = VSR_STR("x\n");
    CHECK(!mcp_lines_next(&lines, &bytes, &line), "for good");
    mcp_lines_done(&lines);
    mcp_lines_init(&lines);
    long_line.ptr[MCP_MESSAGE_LEN_MAX] = '\n';
    bytes = buf_str(&long_line);
    CHECK(mcp_lines_next(&lines, &bytes, &line), "the longest");
    CHECK_INT(line.len, MCP_MESSAGE_LEN_MAX, "its length");
    mcp_lines_done(&lines);
    buf_done(&long_line);
}

RUN_TESTS(T(reads), T(a_list_has_a_limit), T(writes), T(lines_at_any_cut), T(a_line_has_a_limit))
