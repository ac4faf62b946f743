/* links: dsl route select looper plugin */
/*
 * Any text as what an editor says. The first byte chooses: a raw stream, a sequence of messages (one a line), or a
 * program that is asked about at every sort of place. Everything that is sent is framed and valid JSON.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/dsl/parts.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"
#include "dsl/language.h"
#include "dsl/lsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_LEN_MAX = 512 << 20 };

static void say(struct arena *arena, struct lsp *lsp, vsr_str body, struct buf *out) {
    lsp_feed(lsp, arena_printf(arena, "Content-Length: %zu\r\n\r\n", body.len), out);
    lsp_feed(lsp, body, out);
}

/* Asks for everything at one place, and writes something there. */
static void ask(struct arena *arena, struct lsp *lsp, unsigned line, unsigned character, struct buf *out) {
    static const char *const methods[] = { "hover",      "definition", "completion", "documentSymbol",
                                           "formatting", "codeAction", "didChange" };
    for (size_t i = 0; i < VSR_COUNT(methods); i++) {
        bool changes = i + 1 == VSR_COUNT(methods);
        vsr_str range = arena_printf(arena,
                                     "\"range\":{\"start\":{\"line\":%u,\"character\":%u},\"end\":{\"line\":%u,"
                                     "\"character\":%u}}",
                                     line, character, line, character + 2);
        say(arena, lsp,
            arena_printf(
                arena,
                "{%s\"method\":\"textDocument/%s\",\"params\":{\"textDocument\":{\"uri\":\"u\"},"
                "\"position\":{\"line\":%u,\"character\":%u},%.*s,\"contentChanges\":[{%.*s,\"text\":\"{\"}]}}",
                changes ? "" : "\"id\":1,", methods[i], line, character, VSR_FMT(range), VSR_FMT(range)),
            out);
    }
}

static bool never(void *data) {
    (void)data;
    return false;
}

/* Some time on the way; and then the editor has to try again. */
static bool soon(void *data) {
    uint32_t *seed = data;
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 16) % 64 == 0;
}

static void say_program(struct arena *arena, struct lsp *lsp, vsr_str text, struct buf *out) {
    struct buf body;
    uint32_t seed = (uint32_t)text.len;
    buf_init(&body, OUT_LEN_MAX);
    buf_append_c(&body, "{\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{\"uri\":\"u\",\"text\":");
    json_quote(&body, text);
    buf_append_c(&body, "}}}");
    say(arena, lsp, buf_str(&body), out);
    buf_done(&body);
    lsp_settle(lsp, out);
    for (int i = 0; i < 6; i++) {
        seed = seed * 1664525 + 1013904223;
        ask(arena, lsp, i == 0 ? 0 : (seed >> 8) % 8, (seed >> 16) % 64, out);
    }
    lsp_settle(lsp, out);
    while (lsp_is_unproved(lsp))
        lsp_prove(lsp, seed % 4 ? never : soon, &seed, out);
}

static void check(struct arena *arena, vsr_str sent) {
    while (sent.len > 0) {
        ptrdiff_t end = str_find(sent, VSR_STR("\r\n\r\n"));
        struct vsr_err err = VSR_ERR_NONE;
        struct json_doc doc;
        uint64_t len;
        VSR_ASSERT(end > 16 && str_to_u64(str_sub(sent, 16, (size_t)end), &len));
        sent = str_sub(sent, (size_t)end + 4, sent.len);
        VSR_ASSERT(len <= sent.len && json_parse(arena, str_sub(sent, 0, (size_t)len), &doc, &err) == 0);
        sent = str_sub(sent, (size_t)len, sent.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    struct lsp *lsp = lsp_new(dsl_language());
    vsr_str input = str_make((const char *)data, size);
    char mode = size > 0 ? (char)(data[0] % 3) : 0;
    struct buf out;
    buf_init(&out, OUT_LEN_MAX);
    input = str_sub(input, 1, input.len);
    if (mode > 0)
        say(arena, lsp, VSR_STR("{\"id\":0,\"method\":\"initialize\"}"), &out);
    if (mode == 0)
        lsp_feed(lsp, input, &out);
    else if (mode == 1)
        for (vsr_str rest = input; rest.ptr;)
            say(arena, lsp, str_split(&rest, '\n'), &out);
    else
        say_program(arena, lsp, input, &out);
    lsp_settle(lsp, &out);
    VSR_ASSERT(!buf_failed(&out));
    check(arena, buf_str(&out));
    buf_done(&out);
    lsp_free(lsp);
    arena_free(arena);
    return 0;
}
