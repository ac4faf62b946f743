/* links: evidence */
/*
 * What a tool server sends, whatever the bytes and however they are cut: the same lines at any cut, messages that keep
 * what message.h promises, verdicts with as many probabilities as labels, each in [0, 1], and vectors of length 1.
 *
 * The first byte chooses the size of the pieces.
 */
#include <math.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/assert.h"
#include "evidence/mcp_format.h"
#include "evidence/mcp_verdict.h"
#include "mcp/message.h"

enum { LOG_LEN_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_verdict(struct arena *arena, const struct mcp_message *message, const vsr_str *labels, size_t n) {
    const struct mcp_asked asked = { .labels = labels, .n_labels = n };
    const struct json_doc *doc = NULL;
    json_ref object = JSON_NONE;
    struct mcp_told told;
    if (mcp_tool_object(arena, message->doc, message->result, &doc, &object, NULL) < 0 ||
        mcp_verdict.read(arena, doc, object, &asked, &told, NULL) < 0)
        return;
    VSR_ASSERT(told.n >= 1 && told.n == told.n_labels && (n == 0 || told.n == n));
    for (size_t i = 0; i < told.n; i++)
        VSR_ASSERT(told.numbers[i] >= 0 && told.numbers[i] <= 1);
}

static void check_vectors(struct arena *arena, const struct mcp_message *message, size_t n_texts) {
    const struct mcp_asked asked = { .n_texts = n_texts };
    const struct json_doc *doc = NULL;
    json_ref object = JSON_NONE;
    struct mcp_told told;
    struct vsr_err err = VSR_ERR_NONE;
    if (mcp_tool_object(arena, message->doc, message->result, &doc, &object, NULL) < 0)
        return;
    if (mcp_vectors.read(arena, doc, object, &asked, &told, &err) < 0) {
        VSR_ASSERT(err.code < 0 && err.text[0]);
        return;
    }
    VSR_ASSERT(told.n_labels == 0 && told.n > 0 && told.n % n_texts == 0);
    for (size_t i = 0, dims = told.n / n_texts; i < n_texts; i++) {
        double sum = 0;
        for (size_t k = 0; k < dims; k++)
            sum += (double)told.numbers[i * dims + k] * (double)told.numbers[i * dims + k];
        VSR_ASSERT(fabs(sum - 1) < 1e-3);
    }
}

static void check_tools(struct arena *arena, const struct mcp_message *message, const struct mcp_format *format) {
    struct mcp_tools tools = { 0 };
    if (mcp_tools_read(arena, message->doc, message->result, &format->tool, VSR_STR(""), &tools, NULL) == 0)
        VSR_ASSERT((tools.tool.len > 0) == (tools.fitness > 0));
}

static void check_result(struct arena *arena, const struct mcp_message *message) {
    static const vsr_str own[] = { VSR_STR_INIT("math"), VSR_STR_INIT("law") };
    const struct json_doc *doc = NULL;
    json_ref object = JSON_NONE;
    vsr_str *labels = NULL;
    size_t n = 0;
    check_tools(arena, message, &mcp_verdict);
    check_tools(arena, message, &mcp_vectors);
    check_verdict(arena, message, NULL, 0);
    check_verdict(arena, message, own, VSR_COUNT(own));
    check_vectors(arena, message, 1);
    check_vectors(arena, message, 2);
    if (mcp_tool_object(arena, message->doc, message->result, &doc, &object, NULL) == 0 &&
        mcp_categories_read(arena, doc, object, &labels, &n, NULL) == 0)
        check_verdict(arena, message, labels, n);
}

static void on_message(void *user, const struct mcp_message *message) {
    struct arena *arena = user;
    switch (message->kind) {
    case MCP_REQUEST:
        VSR_ASSERT(message->id_raw.len > 0 && message->method.len <= MCP_METHOD_LEN_MAX);
        break;
    case MCP_NOTIFICATION:
        VSR_ASSERT(message->id_raw.len == 0 && message->method.len <= MCP_METHOD_LEN_MAX);
        break;
    case MCP_RESULT:
        VSR_ASSERT(message->result != JSON_NONE);
        check_result(arena, message);
        break;
    case MCP_ERROR:
        break;
    }
}

static void split(vsr_str text, size_t step, struct buf *log) {
    struct mcp_lines lines;
    mcp_lines_init(&lines);
    for (size_t at = 0; at < text.len; at += step) {
        vsr_str bytes = str_sub(text, at, at + step), line;
        while (mcp_lines_next(&lines, &bytes, &line)) {
            buf_append(log, line);
            buf_append_char(log, '\n');
        }
    }
    mcp_lines_done(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct buf whole, pieces;
    vsr_str text;
    if (len == 0)
        return 0;
    text = str_make((const char *)bytes + 1, len - 1);
    buf_init(&whole, LOG_LEN_MAX);
    buf_init(&pieces, LOG_LEN_MAX);
    split(text, text.len + 1, &whole);
    split(text, bytes[0] % 64 + 1, &pieces);
    VSR_ASSERT(str_eq(buf_str(&whole), buf_str(&pieces)));
    for (vsr_str rest = text; rest.ptr;) {
        struct arena *arena = arena_new(0, 0);
        (void)!mcp_message_read(arena, str_split(&rest, '\n'), on_message, arena, NULL);
        arena_free(arena);
    }
    buf_done(&whole);
    buf_done(&pieces);
    return 0;
}
