#include "store/redis_reply.h"

#include "core/arena.h"
#include "test.h"

/* A value as text: what a table can say in one line. */
static void print(struct buf *out, const struct redis_value *value) {
    switch (value->type) {
    case REDIS_NIL:
        buf_append_c(out, "nil");
        break;
    case REDIS_STATUS:
        buf_printf(out, "+%.*s", VSR_FMT(value->text));
        break;
    case REDIS_ERROR:
        buf_printf(out, "-%.*s", VSR_FMT(value->text));
        break;
    case REDIS_INTEGER:
        buf_printf(out, "%lld", (long long)value->integer);
        break;
    case REDIS_STRING:
        buf_printf(out, "\"%.*s\"", VSR_FMT(value->text));
        break;
    case REDIS_ARRAY:
        buf_append_c(out, "[");
        for (size_t i = 0; i < value->n; i++) {
            if (i)
                buf_append_c(out, " ");
            print(out, &value->items[i]);
        }
        buf_append_c(out, "]");
    }
}

/* All replies, `;` behind each, and `!` with the code at an error. */
static void read_all(struct buf *out, vsr_str text, size_t step) {
    struct redis_reader reader;
    struct arena *arena = arena_new(0, 0);
    redis_reader_init(&reader);
    for (size_t at = 0; at < text.len; at += step) {
        struct redis_value value;
        int rc = redis_reader_feed(&reader, str_sub(text, at, at + step));
        while (rc == 0 && (rc = redis_reader_next(&reader, arena, &value, NULL)) > 0) {
            print(out, &value);
            buf_append_c(out, ";");
            rc = 0;
        }
        if (rc < 0) {
            buf_printf(out, "!%d", rc);
            break;
        }
    }
    redis_reader_done(&reader);
    arena_free(arena);
}

static const struct {
    const char *name, *text, *want;
} cases[] = {
    { "status", "+OK\r\n", "+OK;" },
    { "error", "-ERR no\r\n", "-ERR no;" },
    { "integers", ":12\r\n:-3\r\n:0\r\n", "12;-3;0;" },
    { "text", "$5\r\nhe\r\no\r\n", "\"he\r\no\";" },
    { "empty text", "$0\r\n\r\n", "\"\";" },
    { "nil", "$-1\r\n*-1\r\n", "nil;nil;" },
    { "array", "*3\r\n:1\r\n$1\r\na\r\n*2\r\n+x\r\n$-1\r\n:9\r\n", "[1 \"a\" [+x nil]];9;" },
    { "empty array", "*0\r\n*1\r\n*0\r\n", "[];[[]];" },
    { "nested ends", "*2\r\n*1\r\n*1\r\n:1\r\n:2\r\n", "[[[1]] 2];" },
    { "half", "*2\r\n:1\r\n", "" },
    { "half a line", "+OK\r", "" },
    { "not Redis", "HTTP/1.1 400\r\n", "!-14" },
    { "RESP3", "%1\r\n", "!-14" },
    { "empty line", "\r\n", "!-14" },
    { "no number", "$abc\r\n", "!-14" },
    { "below nil", "$-2\r\n", "!-14" },
    { "array below nil", "*-7\r\n", "!-14" },
    { "wrong end", "$1\r\nabc\r\n", "!-14" },
    { "too many", "*1048577\r\n", "!-2" },
    { "too long", "$201326593\r\n", "!-2" },
    { "past 63 bits", ":9223372036854775808\r\n", "!-14" },
    { "too deep", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "!-2" },
    { "as deep as allowed", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "[[[[[[[[1]]]]]]]];" },
    { "many in all", "*2\r\n*1048575\r\n", "!-2" },
};

TEST(replies_are_read_whatever_the_split) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str text = str_from_c(cases[i].text);
        for (size_t step = 1; step <= text.len; step++) {
            struct buf out;
            buf_init(&out, 4096);
            read_all(&out, text, step);
            CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
            buf_done(&out);
        }
    }
}

TEST(lines_have_a_limit) {
    struct buf text, out;
    buf_init(&text, 1 << 20);
    buf_init(&out, 4096);
    buf_append_c(&text, "+");
    for (int i = 0; i < REDIS_LINE_LEN_MAX; i++)
        buf_append_char(&text, 'x');
    read_all(&out, buf_str(&text), 1000);
    CHECK_STR(buf_str(&out), "!-2", "a line without an end");
    buf_done(&text);
    buf_done(&out);
}

/* Thousands in one piece, and each in its own. */
TEST(many_replies_in_a_row) {
    struct buf text;
    struct redis_reader reader;
    struct redis_value value;
    struct arena *arena = arena_new(0, 0);
    int n = 0;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, "$5\r\n%05d\r\n", i);
    redis_reader_init(&reader);
    CHECK_INT(redis_reader_feed(&reader, buf_str(&text)), 0, "feed");
    while (redis_reader_next(&reader, arena, &value, NULL) > 0)
        n++;
    CHECK_INT(n, 20000, "all");
    redis_reader_done(&reader);
    buf_done(&text);
    arena_free(arena);
}

TEST(commands_are_arrays_of_texts) {
    struct buf out;
    buf_init(&out, 4096);
    redis_command_write(&out, (const vsr_str[]){ VSR_STR("SET"), VSR_STR("a\r\nb"), VSR_STR("") }, 3);
    CHECK_STR(buf_str(&out), "*3\r\n$3\r\nSET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n", "command");
    buf_done(&out);
}

RUN_TESTS(T(replies_are_read_whatever_the_split), T(lines_have_a_limit), T(many_replies_in_a_row),
          T(commands_are_arrays_of_texts))
