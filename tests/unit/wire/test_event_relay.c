#include "wire/event_relay.h"

#include "test.h"

static void collect(void *user, vsr_str bytes) {
    (void)buf_append(user, bytes);
    (void)buf_append_c(user, "|");
}

static const char text[] = ": hi\n\nevent: a\ndata: 1\n\nevent: b\r\ndata: 2\r\n\r\ndata: 3\r\rdata: 4\n\n";

/* What was passed, without the marks between slices. */
static void strip(struct buf *out) {
    size_t len = 0;
    for (size_t i = 0; i < out->len; i++)
        if (out->ptr[i] != '|')
            out->ptr[len++] = out->ptr[i];
    out->len = len;
}

/* Whatever the pieces: the same bytes, and at every moment only whole events. */
TEST(every_split) {
    size_t len = sizeof(text) - 1;
    for (size_t at = 0; at <= len; at++) {
        struct event_relay relay;
        struct buf out;
        buf_init(&out, 4096);
        event_relay_init(&relay, collect, &out);
        event_relay_feed(&relay, str_make(text, at));
        event_relay_feed(&relay, str_make(text + at, len - at));
        event_relay_end(&relay, false);
        strip(&out);
        CHECK_STR(buf_str(&out), text, "whole");
        event_relay_done(&relay);
        buf_done(&out);
    }
}

static const struct {
    const char *name, *pieces[4], *want;
    bool whole;
} cases[] = {
    { "one slice where chunks are whole", { "data: 1\n\ndata: 2\n\n" }, "data: 1\n\ndata: 2\n\n|", false },
    { "the end is held", { "data: 1\n\ndata: 2", "x\n\n" }, "data: 1\n\n|data: 2|x\n\n|", false },
    { "cut", { "data: 1\n\ndata: 2" }, "data: 1\n\n|", false },
    { "ended without a blank line", { "data: 1\n\ndata: 2" }, "data: 1\n\n|data: 2|", true },
    { "a late LF", { "data: 1\r\n\r", "\ndata: 2\r\n\r\n" }, "data: 1\r\n\r|\ndata: 2\r\n\r\n|", false },
    { "nothing", { "" }, "", true },
};

TEST(slices) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct event_relay relay;
        struct buf out;
        buf_init(&out, 4096);
        event_relay_init(&relay, collect, &out);
        for (size_t p = 0; p < VSR_COUNT(cases[i].pieces) && cases[i].pieces[p]; p++)
            event_relay_feed(&relay, str_from_c(cases[i].pieces[p]));
        event_relay_end(&relay, cases[i].whole);
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
        CHECK(!event_relay_broken(&relay), cases[i].name);
        event_relay_done(&relay);
        buf_done(&out);
    }
}

static void count(void *user, vsr_str bytes) {
    *(size_t *)user += bytes.len;
}

TEST(too_long) {
    static char piece[100000];
    struct event_relay relay;
    size_t passed = 0, sent = 0;
    memset(piece, 'x', sizeof(piece));
    event_relay_init(&relay, count, &passed);
    event_relay_feed(&relay, VSR_STR("data: "));
    for (sent = 6; sent <= SSE_FRAME_LEN_MAX; sent += sizeof(piece))
        event_relay_feed(&relay, str_make(piece, sizeof(piece)));
    CHECK(event_relay_broken(&relay), "given up");
    CHECK_INT(passed, sent, "everything passed");
    event_relay_feed(&relay, VSR_STR("y"));
    CHECK_INT(passed, sent + 1, "and at once from there on");
    event_relay_done(&relay);
}

RUN_TESTS(T(every_split), T(slices), T(too_long))
