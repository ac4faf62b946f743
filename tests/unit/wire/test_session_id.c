#include "wire/session_id.h"

#include "core/arena.h"
#include "test.h"
#include "wire/facts.h"

/* The facts of a body, or of nothing. */
static struct request_facts *facts_of(struct arena *arena, const char *messages) {
    struct request_facts *facts = ARENA_NEW(arena, struct request_facts);
    struct facts_options options = { .model_optional = true };
    struct json_doc *doc = ARENA_NEW(arena, struct json_doc);
    vsr_str body = arena_printf(arena, "{%s}", messages);
    struct vsr_err err;
    CHECK(json_parse(arena, body, doc, &err) == 0, messages);
    CHECK(facts_read_chat(arena, doc, &options, facts, &err) == 0, messages);
    return facts;
}

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static const struct {
    const char *name, *header, *claude, *user, *body, *want;
} cases[] = {
    { "header", " s-1 ", "c", "u", HI, "s-1" },
    { "claude", " ", "c-1", "u", HI, "c-1" },
    { "metadata", "", "", "u", "\"metadata\":{\"user_id\":\"x\"}," HI, "ant-md-x" },
    /* sha256("u:hi") */
    { "user and first message", "", "", "u", HI, "cc-96626b61a54008bf" },
    /* sha256("user:hi") */
    { "opening", "", "", "", HI, "cc-full-823631717fa11745" },
    /* sha256("rid:r-1") */
    { "request", "", "", "u", "\"messages\":[]", "rid-53a34d1d022b728e" },
};

TEST(order) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct session_id_input input = {
            .session_header = str_from_c(cases[i].header),
            .claude_header = str_from_c(cases[i].claude),
            .user_id = str_from_c(cases[i].user),
            .request_id = VSR_STR("r-1"),
            .facts = facts_of(arena, cases[i].body),
        };
        CHECK_STR(session_id(arena, &input), cases[i].want, cases[i].name);
        arena_free(arena);
    }
}

static vsr_str id_of(struct arena *arena, const char *body, vsr_str user) {
    struct session_id_input input = { .user_id = user, .request_id = VSR_STR("r"), .facts = facts_of(arena, body) };
    return session_id(arena, &input);
}

TEST(stays_over_turns) {
    struct arena *arena = arena_new(0, 0);
    const char *first =
        "\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"one\"}]";
    const char *later = "\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"one\"},"
                        "{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"two\"}]";
    const char *other =
        "\"messages\":[{\"role\":\"system\",\"content\":\"t\"},{\"role\":\"user\",\"content\":\"one\"}]";
    vsr_str none = { NULL, 0 };
    CHECK(str_eq(id_of(arena, first, none), id_of(arena, later, none)), "same opening");
    CHECK(!str_eq(id_of(arena, first, none), id_of(arena, other, none)), "other system prompt");
    CHECK(str_eq(id_of(arena, first, VSR_STR("u")), id_of(arena, other, VSR_STR("u"))), "user and first message only");
    CHECK(!str_eq(id_of(arena, first, VSR_STR("u")), id_of(arena, first, VSR_STR("v"))), "other user");
    arena_free(arena);
}

/* 99 bytes and a two-byte letter: the letter is left out whole, so what follows it does not matter. */
TEST(cut_at_code_points) {
    struct arena *arena = arena_new(0, 0);
    vsr_str a = arena_printf(arena, "\"messages\":[{\"role\":\"user\",\"content\":\"%099d\xc3\xa9 a\"}]", 0);
    vsr_str b = arena_printf(arena, "\"messages\":[{\"role\":\"user\",\"content\":\"%099d\xc3\xa8 b\"}]", 0);
    CHECK(str_eq(id_of(arena, a.ptr, VSR_STR("u")), id_of(arena, b.ptr, VSR_STR("u"))), "cut before the letter");
    arena_free(arena);
}

TEST(without_facts) {
    struct arena *arena = arena_new(0, 0);
    struct session_id_input input = { .user_id = VSR_STR("u"), .request_id = VSR_STR("r-1") };
    CHECK_STR(session_id(arena, &input), "rid-53a34d1d022b728e", "request only");
    arena_free(arena);
}

RUN_TESTS(T(order), T(stays_over_turns), T(cut_at_code_points), T(without_facts))
