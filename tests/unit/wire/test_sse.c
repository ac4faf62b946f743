#include "wire/sse.h"

#include "test.h"

/* Events as one text: `type|data|id;` and `#;` for a frame without data. */
static void on_event(void *user, const struct sse_event *event) {
    struct buf *log = user;
    if (event->comment_only)
        buf_append_char(log, '#');
    else
        buf_printf(log, "%.*s|%.*s|%.*s", VSR_FMT(event->type), VSR_FMT(event->data), VSR_FMT(event->id));
    buf_append_char(log, ';');
}

/* Feeds `text` in pieces of `step` bytes, the first of `first`. */
static void feed(vsr_str text, size_t first, size_t step, bool finish, struct buf *log) {
    struct sse_parser parser;
    sse_init(&parser, on_event, log);
    for (size_t at = 0; at < text.len;) {
        size_t len = at == 0 ? first : step;
        /* A copy of its own, so that a reader past the end is caught. */
        vsr_str piece = str_sub(text, at, at + len);
        char *copy = malloc(piece.len ? piece.len : 1);
        memcpy(copy, piece.ptr, piece.len);
        sse_feed(&parser, str_make(copy, piece.len));
        free(copy);
        at += len;
    }
    if (finish)
        sse_finish(&parser);
    sse_done(&parser);
}

static const struct {
    const char *name, *text, *want;
} cases[] = {
    { "one", "data: a\n\n", "|a|;" },
    { "no space", "data:a\n\n", "|a|;" },
    { "two spaces", "data:  a\n\n", "| a|;" },
    { "crlf", "data: a\r\n\r\ndata: b\r\n\r\n", "|a|;|b|;" },
    { "cr", "data: a\r\rdata: b\r\r", "|a|;|b|;" },
    { "mixed ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\n\r", "|a|;|b|;|c|;" },
    { "lines joined", "data: a\ndata: b\ndata\n\n", "|a\nb\n|;" },
    { "type and id", "event: error\nid: 7\ndata: x\n\n", "error|x|7;" },
    { "last type wins", "event: a\nevent: b\ndata: x\n\n", "b|x|;" },
    { "type is per frame", "event: a\ndata: x\n\ndata: y\n\n", "a|x|;|y|;" },
    { "comment", ": ping\n\n", "#;" },
    { "comment and data", ": ping\ndata: a\n\n", "|a|;" },
    { "unknown fields", "retry: 10\nfoo: bar\ndata: a\n\n", "|a|;" },
    { "blank lines", "\n\n\ndata: a\n\n\n\n", "|a|;" },
    { "byte order mark",
      "\xef\xbb\xbf"
      "data: a\n\n",
      "|a|;" },
    { "mark only at the start",
      "data: a\n\n\xef\xbb\xbf"
      "data: b\n\n",
      "|a|;#;" },
    { "unfinished", "data: a\n\ndata: b\n", "|a|;" },
    { "unfinished line", "data: a\n\ndata: b", "|a|;" },
    { "empty", "", "" },
    { "empty data", "data\n\n", "||;" },
    { "colon in the value", "data: {\"a\":1}\n\n", "|{\"a\":1}|;" },
    { "long line", "data: 0123456789012345678901234567890123456789\n\n",
      "|0123456789012345678901234567890123456789|;" },
};

TEST(frames) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct buf log;
        buf_init(&log, 1 << 16);
        feed(str_from_c(cases[i].text), SIZE_MAX / 2, 1, false, &log);
        CHECK_STR(buf_str(&log), cases[i].want, cases[i].name);
        buf_done(&log);
    }
}

TEST(any_split_gives_the_same) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str text = str_from_c(cases[i].text);
        for (size_t first = 1; first <= text.len; first++) {
            for (size_t step = 1; step <= 3; step++) {
                struct buf log;
                buf_init(&log, 1 << 16);
                feed(text, first, step, false, &log);
                CHECK_STR(buf_str(&log), cases[i].want, cases[i].name);
                buf_done(&log);
            }
        }
    }
}

TEST(finish_completes) {
    struct buf log;
    buf_init(&log, 1 << 16);
    feed(VSR_STR("data: a\n\ndata: b"), 100, 1, true, &log);
    feed(VSR_STR("data: c\n"), 100, 1, true, &log);
    feed(VSR_STR("data: d\n\n"), 100, 1, true, &log);
    CHECK_STR(buf_str(&log), "|a|;|b|;|c|;|d|;", "last frames");
    buf_done(&log);
}

/* Raw frames cut by sse_feed_frame() add up to the input and end where frames end. */
TEST(frame_boundaries) {
    static const char *const texts[] = { "data: a\n\ndata: b\n\nrest", "data: a\r\n\r\ndata: b\r\n\r\n",
                                         "\n\ndata: a\r\r\n" };
    static const char *const wants[] = { "[data: a\n\n][data: b\n\n](rest)", "[data: a\r\n\r\n][data: b\r\n\r\n]",
                                         "[\n][\n][data: a\r\r\n]" };
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        struct sse_parser parser;
        struct buf log, out;
        vsr_str bytes = str_from_c(texts[i]);
        buf_init(&log, 1 << 16);
        buf_init(&out, 1 << 16);
        sse_init(&parser, on_event, &log);
        while (bytes.len > 0) {
            const char *start = bytes.ptr;
            bool ended = sse_feed_frame(&parser, &bytes);
            buf_printf(&out, ended ? "[%.*s]" : "(%.*s)", (int)(bytes.ptr - start), start);
        }
        CHECK_STR(buf_str(&out), wants[i], texts[i]);
        sse_done(&parser);
        buf_done(&log);
        buf_done(&out);
    }
}

/* `n` bytes in one frame, line end included; whether that broke the parser. */
static bool breaks(size_t n, size_t step) {
    struct sse_parser parser;
    struct buf log;
    char *text = malloc(n);
    bool broken;
    buf_init(&log, 4 << 20);
    sse_init(&parser, on_event, &log);
    memset(text, 'x', n);
    memcpy(text, "data: ", 6);
    text[n - 1] = '\n';
    for (size_t at = 0; at < n; at += step)
        sse_feed(&parser, str_sub(str_make(text, n), at, at + step));
    broken = sse_broken(&parser);
    sse_feed(&parser, VSR_STR("\ndata: later\n\n"));
    CHECK_INT(log.len > 0, !broken, "a broken parser says nothing more");
    sse_done(&parser);
    buf_done(&log);
    free(text);
    return broken;
}

TEST(frame_limit) {
    /* The blank line counts, too. */
    CHECK(!breaks(SSE_FRAME_LEN_MAX - 1, SIZE_MAX / 4), "at the limit");
    CHECK(!breaks(SSE_FRAME_LEN_MAX - 1, 1000), "at the limit, in pieces");
    CHECK(breaks(SSE_FRAME_LEN_MAX + 1, SIZE_MAX / 4), "past it");
    CHECK(breaks(SSE_FRAME_LEN_MAX + 1, 1000), "past it, in pieces");
}

RUN_TESTS(T(frames), T(any_split_gives_the_same), T(finish_completes), T(frame_boundaries), T(frame_limit))
