/* links: wire */
/*
 * The SSE parser and the chat relay, whatever the bytes and however they are split: the same events at any split, whole
 * frames that add up to the input, and nothing lost but usage chunks.
 *
 * The first byte chooses the size of the pieces.
 */
#include <stdint.h>

#include "core/assert.h"
#include "wire/chat_relay.h"

enum { LOG_LEN_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void log_event(void *user, const struct sse_event *event) {
    buf_printf(user, "%d %zu %zu %zu\n", event->comment_only, event->type.len, event->data.len, event->id.len);
    buf_append(user, event->type);
    buf_append(user, event->data);
    buf_append(user, event->id);
}

static void parse(vsr_str text, size_t step, struct buf *log) {
    struct sse_parser parser;
    sse_init(&parser, log_event, log);
    for (size_t at = 0; at < text.len; at += step)
        sse_feed(&parser, str_sub(text, at, at + step));
    sse_finish(&parser);
    sse_done(&parser);
}

static void append(void *user, vsr_str bytes) {
    buf_append(user, bytes);
}

/* Relays in pieces; what the accounting learned goes to `log`. Whether all bytes must have passed. */
static bool relay(vsr_str text, size_t step, enum chat_relay_mode mode, struct buf *out, struct buf *log) {
    struct chat_relay r;
    bool complete;
    chat_relay_init(&r, mode, append, out);
    for (size_t at = 0; at < text.len; at += step)
        chat_relay_feed(&r, str_sub(text, at, at + step));
    chat_relay_end(&r, true);
    buf_printf(log, "%d %d %d %d %d %d %lld", r.stream.has_done, r.stream.has_error, r.stream.has_payload,
               r.stream.has_head, r.stream.malformed, (int)r.stream.n_finished, (long long)r.stream.usage.prompt);
    buf_append(log, chat_stream_id(&r.stream));
    buf_append(log, chat_stream_finish_reason(&r.stream));
    complete = chat_stream_complete(&r.stream) || sse_broken(&r.stream.sse);
    chat_relay_done(&r);
    return complete;
}

/* Whether `part` is `whole` with some bytes left out. */
static bool is_subsequence(vsr_str part, vsr_str whole) {
    size_t at = 0;
    for (size_t i = 0; i < whole.len && at < part.len; i++)
        at += part.ptr[at] == whole.ptr[i];
    return at == part.len;
}

static void check_same(void (*check)(vsr_str text, size_t step, struct buf *log), vsr_str text, size_t step) {
    struct buf whole, split;
    buf_init(&whole, LOG_LEN_MAX);
    buf_init(&split, LOG_LEN_MAX);
    check(text, text.len + 1, &whole);
    check(text, step, &split);
    VSR_ASSERT(str_eq(buf_str(&whole), buf_str(&split)));
    buf_done(&whole);
    buf_done(&split);
}

static void relay_unchanged(vsr_str text, size_t step, struct buf *log) {
    struct buf out;
    buf_init(&out, LOG_LEN_MAX);
    if (relay(text, step, CHAT_RELAY_FRAMES, &out, log))
        VSR_ASSERT(str_eq(buf_str(&out), text));
    else /* half a frame at the end of a stream that is not complete stays back */
        VSR_ASSERT(str_starts(text, buf_str(&out)));
    buf_append(log, buf_str(&out));
    buf_done(&out);
}

static void relay_dropping(vsr_str text, size_t step, struct buf *log) {
    struct buf out;
    buf_init(&out, LOG_LEN_MAX);
    (void)relay(text, step, CHAT_RELAY_DROP_USAGE, &out, log); /* dropping needs no completeness */
    VSR_ASSERT(is_subsequence(buf_str(&out), text));
    buf_append(log, buf_str(&out));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    vsr_str text;
    size_t step;
    if (len == 0)
        return 0;
    step = (size_t)bytes[0] % 64 + 1;
    text = str_make((const char *)bytes + 1, len - 1);
    check_same(parse, text, step);
    check_same(relay_unchanged, text, step);
    check_same(relay_dropping, text, step);
    return 0;
}
