#include "net/grpc.h"

#include "test.h"

enum { LEN_MAX = 300 };

/* Messages as one text: `len:bytes;`, then the event that ended it. */
static void feed(vsr_str bytes, size_t first, size_t step, struct buf *log) {
    struct grpc_reader reader;
    grpc_reader_init(&reader, LEN_MAX);
    for (size_t at = 0; at < bytes.len;) {
        size_t len = at == 0 && first ? first : step;
        vsr_str piece = str_sub(bytes, at, at + len), message;
        char *copy = malloc(piece.len);
        vsr_str rest = str_make(copy, piece.len);
        enum grpc_event event;
        memcpy(copy, piece.ptr, piece.len);
        while ((event = grpc_feed(&reader, &rest, &message)) == GRPC_MESSAGE)
            buf_printf(log, "%zu:%.*s;", message.len, VSR_FMT(message));
        free(copy);
        at += len;
        if (event != GRPC_MORE) {
            buf_printf(log, "!%d", (int)event);
            break;
        }
    }
    if (grpc_reader_pending(&reader))
        buf_append_c(log, "...");
    grpc_reader_done(&reader);
}

static const struct {
    const char *name;
    vsr_str bytes;
    const char *want;
} cases[] = {
    { "nothing", VSR_STR_INIT(""), "" },
    { "one", VSR_STR_INIT("\0\0\0\0\3abc"), "3:abc;" },
    { "empty ones", VSR_STR_INIT("\0\0\0\0\0\0\0\0\0\0"), "0:;0:;" },
    { "three", VSR_STR_INIT("\0\0\0\0\1a\0\0\0\0\0\0\0\0\0\2bc"), "1:a;0:;2:bc;" },
    { "half a prefix", VSR_STR_INIT("\0\0\0"), "..." },
    { "half a message", VSR_STR_INIT("\0\0\0\0\1a\0\0\0\0\3ab"), "1:a;..." },
    { "compressed", VSR_STR_INIT("\0\0\0\0\1a\1\0\0\0\1b"), "1:a;!2..." },
    { "unknown flag", VSR_STR_INIT("\2\0\0\0\1b"), "!4..." },
    { "too long",
      VSR_STR_INIT("\0\0\0\1\x2d"
                   "b"),
      "!3..." },
    { "far too long",
      VSR_STR_INIT("\0\xff\xff\xff\xff"
                   "b"),
      "!3..." },
};

TEST(messages_at_every_split) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        for (size_t first = 0; first <= cases[i].bytes.len; first++) {
            struct buf log;
            buf_init(&log, 1 << 16);
            feed(cases[i].bytes, first, first ? SIZE_MAX / 2 : 1, &log);
            CHECK_STR(buf_str(&log), cases[i].want, cases[i].name);
            buf_done(&log);
        }
    }
}

TEST(what_is_written_is_read) {
    static const size_t lens[] = { 0, 1, 4, 5, 255, 256, LEN_MAX };
    char text[LEN_MAX];
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < VSR_COUNT(lens); i++) {
        struct grpc_reader reader;
        struct buf out;
        vsr_str rest, message;
        buf_init(&out, 1 << 16);
        grpc_write(&out, str_make(text, lens[i]));
        rest = buf_str(&out);
        grpc_reader_init(&reader, LEN_MAX);
        CHECK_INT(grpc_feed(&reader, &rest, &message), GRPC_MESSAGE, "whole");
        CHECK_INT(message.len, lens[i], "length");
        CHECK(lens[i] == 0 || message.ptr == out.ptr + GRPC_PREFIX_LEN, "a slice of the input");
        CHECK_INT(grpc_feed(&reader, &rest, &message), GRPC_MORE, "no more");
        grpc_reader_done(&reader);
        buf_done(&out);
    }
}

TEST(timeouts) {
    static const struct {
        const char *text;
        bool ok;
        uint64_t ms;
    } timeouts[] = {
        { "1S", true, 1000 },       { "250m", true, 250 }, { "2M", true, 120000 },
        { "3H", true, 10800000 },   { "1u", true, 1 },     { "1n", true, 1 },
        { "1500u", true, 2 },       { "0m", true, 0 },     { "99999999H", true, 359999996400000 },
        { "100000000m", false, 0 }, { "", false, 0 },      { "S", false, 0 },
        { "1", false, 0 },          { "1s", false, 0 },    { "-1S", false, 0 },
        { "1 S", false, 0 },
    };
    for (size_t i = 0; i < VSR_COUNT(timeouts); i++) {
        uint64_t ms = 0;
        CHECK_INT(grpc_timeout_ms(str_from_c(timeouts[i].text), &ms), timeouts[i].ok, timeouts[i].text);
        CHECK_INT(ms, timeouts[i].ms, timeouts[i].text);
    }
}

TEST(content_types) {
    static const struct {
        const char *text;
        bool ok;
    } types[] = {
        { "application/grpc", true },      { "application/grpc+proto", true },
        { "Application/GRPC", true },      { "application/grpc;charset=x", true },
        { "application/grpc-web", false }, { "application/grpc+json", false },
        { "application/json", false },     { "", false },
    };
    for (size_t i = 0; i < VSR_COUNT(types); i++)
        CHECK_INT(grpc_content_type_ok(str_from_c(types[i].text)), types[i].ok, types[i].text);
}

TEST(status_texts) {
    static const struct {
        const char *text, *encoded;
    } texts[] = {
        { "plain text", "plain text" }, { "100%", "100%25" }, { "a\r\nb", "a%0D%0Ab" },
        { "\xc3\xa4", "%C3%A4" },       { "", "" },
    };
    struct buf out;
    buf_init(&out, 1 << 12);
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        buf_reset(&out);
        grpc_encode_message(&out, str_from_c(texts[i].text));
        CHECK_STR(buf_str(&out), texts[i].encoded, texts[i].text);
    }
    buf_done(&out);
}

RUN_TESTS(T(messages_at_every_split), T(what_is_written_is_read), T(timeouts), T(content_types), T(status_texts))
