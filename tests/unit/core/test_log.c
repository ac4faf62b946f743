#include "test.h"

#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/log.h"

/* What `log_write` puts on the descriptor, without its line feed. */
static vsr_str capture(struct arena *arena, enum log_format format, const struct log_field *fields, size_t n) {
    int ends[2];
    char line[32768];
    ssize_t len;
    CHECK_INT(pipe(ends), 0, "pipe");
    log_configure(LOG_LEVEL_INFO, format, ends[1]);
    log_write(LOG_LEVEL_WARN, "it happened", fields, n);
    len = read(ends[0], line, sizeof(line));
    CHECK(len > 0 && line[len - 1] == '\n', "one line");
    close(ends[0]);
    close(ends[1]);
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, STDERR_FILENO);
    return arena_str(arena, str_make(line, (size_t)len - 1));
}

TEST(json_lines_parse_and_hide_secrets) {
    struct arena *arena = arena_new(0, 0);
    const struct log_field fields[] = {
        LOG_C("text", "a \"b\"\n\xff"),
        LOG_I("int", -3),
        LOG_U("uint", UINT64_MAX),
        LOG_D("double", 0.5),
        LOG_B("bool", true),
        LOG_SECRET("key"),
        LOG_C("dump", "x api_key=hunter2, password: \"s3cret\" y"),
    };
    vsr_str line = capture(arena, LOG_FORMAT_JSON, fields, VSR_COUNT(fields));
    struct json_doc doc;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_INT(json_parse(arena, line, &doc, &err), 0, err.text);
    CHECK(json_str_eq(&doc, json_get(&doc, 0, VSR_STR("level")), VSR_STR("warn")), "level");
    CHECK(json_str_eq(&doc, json_get(&doc, 0, VSR_STR("key")), VSR_STR("[REDACTED]")), "secret field");
    CHECK(str_find(line, VSR_STR("hunter2")) < 0 && str_find(line, VSR_STR("s3cret")) < 0, "secrets in text");
    arena_free(arena);
}

TEST(text_lines) {
    struct arena *arena = arena_new(0, 0);
    const struct log_field fields[] = { LOG_C("plain", "abc"), LOG_C("blank", "a b"), LOG_C("empty", "") };
    vsr_str line = capture(arena, LOG_FORMAT_TEXT, fields, VSR_COUNT(fields));
    CHECK(str_ends(line, VSR_STR("warn  it happened plain=abc blank=\"a b\" empty=\"\"")), line.ptr);
    arena_free(arena);
}

TEST(scrub) {
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "nothing here", "nothing here" },
        { "api_key=abc", "api_key=[REDACTED]" },
        { "API-KEY : abc def", "API-KEY : [REDACTED] def" },
        { "{\"password\":\"x\",\"a\":1}", "{\"password\":\"[REDACTED]\",\"a\":1}" },
        { "client_secret=1&secret=2", "client_secret=[REDACTED]&secret=[REDACTED]" },
        { "secretary: Anna", "secretary: Anna" },
        { "password=", "password=" },
        { "", "" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct buf out;
        buf_init(&out, 1024);
        log_scrub(&out, str_from_c(cases[i].text));
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].text);
        buf_done(&out);
    }
}

TEST(long_values_are_cut) {
    struct arena *arena = arena_new(0, 0);
    char *big = arena_alloc(arena, 20000);
    memset(big, 'x', 19999);
    const struct log_field fields[] = { LOG_C("big", big), LOG_C("after", "here") };
    vsr_str line = capture(arena, LOG_FORMAT_TEXT, fields, VSR_COUNT(fields));
    CHECK(str_ends(line, VSR_STR("xxx... after=here")), "cut, and the next field is whole");
    CHECK(line.len < 5000, "cut");
    arena_free(arena);
}

TEST(too_long_keeps_the_event) {
    struct arena *arena = arena_new(0, 0);
    char *big = arena_alloc(arena, 5000);
    struct log_field fields[40];
    vsr_str line;
    memset(big, 'x', 4999);
    for (size_t i = 0; i < VSR_COUNT(fields); i++)
        fields[i] = LOG_C("big", big);
    line = capture(arena, LOG_FORMAT_JSON, fields, VSR_COUNT(fields));
    CHECK(str_ends(line, VSR_STR("\"msg\":\"it happened\"}")), "event alone");
    arena_free(arena);
}

RUN_TESTS(T(json_lines_parse_and_hide_secrets), T(text_lines), T(scrub), T(long_values_are_cut),
          T(too_long_keeps_the_event))
