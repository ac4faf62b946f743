#include "wire/chat_relay.h"

#include "test.h"

#define CHUNK(choices) "data: {\"id\":\"c1\",\"created\":7,\"model\":\"m\",\"choices\":" choices
#define ONE CHUNK("[{\"index\":0,\"delta\":{\"content\":\"hi\"}}],\"usage\":null}\n\n")
#define STOP CHUNK("[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")
#define USAGE CHUNK("[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n")
#define USAGE_CRLF CHUNK(" [ ] , \"usage\" : {\"prompt_tokens\":9}}\r\n\r\n")
#define USAGE_CR CHUNK("[],\"usage\":{\"prompt_tokens\":9}}\r\r")
#define FILTER CHUNK("[],\"prompt_filter_results\":[]}\n\n")
#define BOTH CHUNK("[{\"index\":0,\"delta\":{\"content\":\"x\"}}],\"usage\":{\"prompt_tokens\":1}}\n\n")
#define DONE "data: [DONE]\n\n"

/* What the client must get in CHAT_RELAY_DROP_USAGE mode; in the others it gets the input. */
static const struct {
    const char *name, *text, *want;
} cases[] = {
    { "usual order", ONE STOP USAGE DONE, ONE STOP DONE },
    { "usage first", USAGE ONE STOP DONE, ONE STOP DONE },
    { "usage twice", ONE USAGE USAGE DONE, ONE DONE },
    { "usage last", ONE USAGE, ONE },
    { "nothing to drop", ONE STOP DONE, ONE STOP DONE },
    { "usage beside content", BOTH DONE, BOTH DONE },
    { "empty choices without usage", FILTER ONE USAGE DONE, FILTER ONE DONE },
    { "crlf", ": ping\r\n\r\n" USAGE_CRLF "data: [DONE]\r\n\r\n", ": ping\r\n\r\ndata: [DONE]\r\n\r\n" },
    { "cr", ": ping\r\r" USAGE_CR "data: [DONE]\r\r", ": ping\r\rdata: [DONE]\r\r" },
    { "stray blank lines", "\n\n" ONE "\n" USAGE "\n" DONE "\n", "\n\n" ONE "\n\n" DONE "\n" },
    { "only usage", USAGE, "" },
    { "last frame without blank line", ONE "data: [DONE]\n", ONE "data: [DONE]\n" },
    { "last usage without blank line", ONE CHUNK("[],\"usage\":{\"prompt_tokens\":9}}"), ONE },
    { "empty", "", "" },
};

static void forward(void *user, vsr_str bytes) {
    buf_append(user, bytes);
}

static void relay(vsr_str text, enum chat_relay_mode mode, size_t first, size_t step, bool clean, struct buf *out) {
    struct chat_relay r;
    chat_relay_init(&r, mode, forward, out);
    for (size_t at = 0; at < text.len;) {
        size_t len = at == 0 ? first : step;
        vsr_str piece = str_sub(text, at, at + len);
        char *copy = malloc(piece.len ? piece.len : 1);
        memcpy(copy, piece.ptr, piece.len);
        chat_relay_feed(&r, str_make(copy, piece.len));
        free(copy);
        at += len;
    }
    chat_relay_end(&r, clean);
    chat_relay_done(&r);
}

TEST(drops_usage_at_any_split) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str text = str_from_c(cases[i].text);
        for (size_t first = 1; first <= text.len + 1; first++) {
            for (size_t step = 1; step <= 400; step += 57) {
                struct buf out;
                buf_init(&out, 1 << 16);
                relay(text, CHAT_RELAY_DROP_USAGE, first, step, true, &out);
                CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
                buf_done(&out);
            }
        }
    }
}

/* Whether the stream ends in half a frame and is not complete with it: that half stays back where frames are held. */
static bool ends_in_half(vsr_str text) {
    return text.len > 0 && text.ptr[text.len - 1] != '\n' && text.ptr[text.len - 1] != '\r';
}

TEST(other_modes_change_nothing) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str text = str_from_c(cases[i].text);
        for (size_t first = 1; first <= text.len + 1; first++) {
            struct buf out;
            buf_init(&out, 1 << 16);
            relay(text, CHAT_RELAY_FRAMES, first, 13, true, &out);
            CHECK_STR(buf_str(&out), ends_in_half(text) ? cases[i].want : cases[i].text, cases[i].name);
            buf_reset(&out);
            relay(text, CHAT_RELAY_BYTES, first, 13, true, &out);
            CHECK_STR(buf_str(&out), cases[i].text, cases[i].name);
            buf_done(&out);
        }
    }
}

/* A stream cut at any byte leaves the client with whole frames, and never with a usage chunk that it did not ask for.
 */
TEST(cut_leaves_whole_frames) {
    static const char text[] = ONE STOP USAGE DONE;
    static const size_t ends[] = { 0, sizeof(ONE) - 1, sizeof(ONE STOP) - 1, sizeof(ONE STOP USAGE) - 1,
                                   sizeof(ONE STOP USAGE DONE) - 1 };
    for (size_t cut = 0; cut < sizeof(text); cut++) {
        struct buf out;
        size_t whole = 0;
        for (size_t i = 0; i < VSR_COUNT(ends); i++)
            if (ends[i] <= cut)
                whole = ends[i];
        buf_init(&out, 1 << 16);
        relay(str_make(text, cut), CHAT_RELAY_FRAMES, 50, 7, false, &out);
        CHECK_MSG(out.len == whole, "cut at %zu: %zu bytes, want %zu", cut, out.len, whole);
        /* A body that ends with its connection looks clean wherever it is cut. Once finished, a tail does no harm. */
        buf_reset(&out);
        relay(str_make(text, cut), CHAT_RELAY_FRAMES, 50, 7, true, &out);
        if (cut < sizeof(ONE STOP) - 4)
            CHECK_MSG(out.len == whole, "ended at %zu: %zu bytes, want %zu", cut, out.len, whole);
        buf_done(&out);
    }
}

TEST(late_lf_goes_with_its_frame) {
    struct buf out;
    struct chat_relay r;
    buf_init(&out, 1 << 16);
    chat_relay_init(&r, CHAT_RELAY_DROP_USAGE, forward, &out);
    chat_relay_feed(&r, VSR_STR(CHUNK("[],\"usage\":{\"prompt_tokens\":9}}\r\n\r")));
    chat_relay_feed(&r, VSR_STR("\n"));
    CHECK_INT(out.len, 0, "dropped with its frame");
    chat_relay_feed(&r, VSR_STR("data: a\r\n\r"));
    chat_relay_feed(&r, VSR_STR("\ndata: [DONE]\n\n"));
    CHECK_STR(buf_str(&out), "data: a\r\n\r\ndata: [DONE]\n\n", "kept with its frame");
    CHECK(chat_stream_complete(&r.stream), "complete");
    CHECK_INT(r.stream.usage.prompt, 9, "accounted all the same");
    chat_relay_done(&r);
    buf_done(&out);
}

TEST(whole_frames_are_not_copied) {
    static const char text[] = ONE STOP DONE;
    struct buf out;
    struct chat_relay r;
    buf_init(&out, 1 << 16);
    chat_relay_init(&r, CHAT_RELAY_DROP_USAGE, forward, &out);
    chat_relay_feed(&r, VSR_STR(ONE STOP DONE));
    CHECK_INT(r.held.cap, 0, "nothing was ever held");
    CHECK_STR(buf_str(&out), text, "bytes");
    chat_relay_done(&r);
    buf_done(&out);
}

TEST(huge_frame_passes) {
    size_t n = SSE_FRAME_LEN_MAX * 3;
    char *text = malloc(n);
    memset(text, 'x', n);
    memcpy(text, "data: ", 6);
    memcpy(text + n - 2, "\n\n", 2);
    for (size_t step = 1000; step <= n; step *= 57) {
        struct buf out;
        buf_init(&out, 2 * n);
        relay(str_make(text, n), CHAT_RELAY_DROP_USAGE, step, step, true, &out);
        CHECK(str_eq(buf_str(&out), str_make(text, n)), "byte for byte");
        buf_done(&out);
    }
    free(text);
}

RUN_TESTS(T(drops_usage_at_any_split), T(other_modes_change_nothing), T(cut_leaves_whole_frames),
          T(late_lf_goes_with_its_frame), T(whole_frames_are_not_copied), T(huge_frame_passes))
