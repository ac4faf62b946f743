/* Diagnostics: order, caps, forms, suggestions. */
#include "test.h"

#include "config/diag.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"

enum { TEXT_LEN_MAX = 65536 };

static struct diag_at at(uint32_t line, uint32_t col) {
    return (struct diag_at){ line, col, VSR_STR("a.b[c]") };
}

static void add_some(struct diag *diag) {
    diag_error(diag, "E_TYPE", at(9, 1), VSR_STR(""), "third");
    diag_warn(diag, "W_ENV", at(2, 7), VSR_STR("set it"), "second %d", 2);
    diag_error(diag, "E_REF", at(2, 3), VSR_STR("did you mean \"x\"?"), "first \"%s\"", "quoted");
    diag_error(diag, "E_IO", (struct diag_at){ 0 }, VSR_STR(""), "whole, api_key=hunter2");
    diag_error(diag, "E_TYPE", at(9, 1), VSR_STR(""), "fourth");
}

TEST(printed) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    struct buf out;
    diag_init(&diag, arena, VSR_STR("f.yaml"));
    add_some(&diag);
    diag_sort(&diag);
    buf_init(&out, TEXT_LEN_MAX);
    diag_print(&diag, &out, false);
    CHECK_STR(buf_str(&out),
              "f.yaml: error[E_IO] whole, api_key=[REDACTED]\n"
              "f.yaml:2:3: error[E_REF] a.b[c]: first \"quoted\"; did you mean \"x\"?\n"
              "f.yaml:2:7: warning[W_ENV] a.b[c]: second 2; set it\n"
              "f.yaml:9:1: error[E_TYPE] a.b[c]: third\n"
              "f.yaml:9:1: error[E_TYPE] a.b[c]: fourth\n",
              "text");
    buf_reset(&out);
    diag.n_items = 1;
    diag.n_errors = 1;
    diag.n_warnings = 0;
    diag_print(&diag, &out, true);
    CHECK_STR(buf_str(&out), "f.yaml: \033[31merror[E_IO]\033[0m whole, api_key=[REDACTED]\n", "colour");
    buf_done(&out);
    arena_free(arena);
}

TEST(json) {
    struct arena *arena = arena_new(0, 0);
    struct json_writer w;
    struct diag diag;
    struct buf out;
    diag_init(&diag, arena, VSR_STR("f.yaml"));
    diag_warn(&diag, "W_ENV", at(2, 7), VSR_STR(""), "w");
    diag_error(&diag, "E_REF", at(2, 3), VSR_STR("h"), "m \"q\"");
    buf_init(&out, TEXT_LEN_MAX);
    json_write_init(&w, &out);
    diag_json(&diag, &w);
    CHECK_STR(buf_str(&out),
              "{\"errors\":[{\"code\":\"E_REF\",\"path\":\"a.b[c]\",\"line\":2,\"column\":3,\"message\":\"m "
              "\\\"q\\\"\",\"hint\":\"h\"}],"
              "\"warnings\":[{\"code\":\"W_ENV\",\"path\":\"a.b[c]\",\"line\":2,\"column\":7,\"message\":\"w\","
              "\"hint\":\"\"}]}",
              "json");
    buf_done(&out);
    arena_free(arena);
}

TEST(capped) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    struct buf out;
    diag_init(&diag, arena, VSR_STR("f"));
    for (uint32_t i = 0; i < 2 * DIAG_MAX; i++)
        diag_warn(&diag, "W_ENV", at(i + 1, 1), VSR_STR(""), "w");
    for (uint32_t i = 0; i < DIAG_MAX + 1; i++)
        diag_error(&diag, "E_REF", at(i + 1, 1), VSR_STR(""), "e");
    CHECK_INT(diag.n_items, 2 * DIAG_MAX, "warnings leave room for errors");
    CHECK_INT(diag.n_errors, DIAG_MAX + 1, "all are counted");
    CHECK_INT(diag.n_warnings, 2 * DIAG_MAX, "all are counted");
    buf_init(&out, TEXT_LEN_MAX);
    diag_print(&diag, &out, false);
    CHECK(str_ends(buf_str(&out), VSR_STR("f: 101 more not shown\n")), "the rest is told");
    buf_done(&out);
    arena_free(arena);
}

static const struct {
    const char *found, *want;
} suggestions[] = {
    { "gpt-x", "did you mean \"gpt-5\"?" },
    { "lokal-small", "did you mean \"local-small\"?" },
    { "local-smal", "did you mean \"local-small\"?" },
    { "lcal-smll", "did you mean \"local-small\"?" },
    { "something-else", "" },
    { "gpt-5", "" }, /* it is there: something else is wrong */
    { "", "" },
    { "zz", "" },
    { "b", "" },
    { "gpt", "" },
};

TEST(suggested) {
    vsr_str candidates[] = { VSR_STR("local-small"), VSR_STR("gpt-5"), VSR_STR("gpt-6"), VSR_STR("a") };
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    diag_init(&diag, arena, VSR_STR("f"));
    for (size_t i = 0; i < VSR_COUNT(suggestions); i++)
        CHECK_STR(diag_suggest(&diag, str_from_c(suggestions[i].found), candidates, VSR_COUNT(candidates)),
                  suggestions[i].want, suggestions[i].found);
    arena_free(arena);
}

RUN_TESTS(T(printed), T(json), T(capped), T(suggested))
