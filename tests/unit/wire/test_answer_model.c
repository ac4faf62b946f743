#include "wire/answer_model.h"

#include "core/arena.h"
#include "test.h"

static const struct usage counted = { .prompt = 3, .completion = 2, .has = true };

#define BEGIN \
    { .kind = DELTA_BEGIN, .id = VSR_STR_INIT("a1"), .name = VSR_STR_INIT("m"), .created = 7 }
#define SAY(what, words) \
    { .kind = DELTA_##what, .text = VSR_STR_INIT(words) }
#define TOOL(number) \
    { .kind = DELTA_TOOL_BEGIN, .index = number, .id = VSR_STR_INIT("t"), .name = VSR_STR_INIT("f") }
#define ARGS(number, words) \
    { .kind = DELTA_TOOL_ARGUMENTS, .index = number, .text = VSR_STR_INIT(words) }
#define FINISH(why) \
    { .kind = DELTA_FINISH, .finish = FINISH_##why }
#define USED \
    { .kind = DELTA_USAGE, .usage = &counted }
#define FAILED \
    { \
        .kind = DELTA_ERROR, .error = {.status = 529, .message = VSR_STR_INIT("busy") } \
    }
#define THE_END \
    { .kind = DELTA_END }

static const struct {
    const char *name;
    struct answer_delta deltas[10];
    size_t n, len_max;
    const char *text, *reasoning, *refusal, *arguments;
    bool too_long, cacheable;
} cases[] = {
    { "text",
      { BEGIN, SAY(TEXT, "a"), SAY(TEXT, "b"), FINISH(STOP), USED, THE_END },
      6,
      100,
      "ab",
      "",
      "",
      NULL,
      false,
      true },
    { "all kinds",
      { BEGIN, SAY(REASONING, "r"), SAY(TEXT, "t"), SAY(REFUSAL, "n"), TOOL(0), ARGS(0, "{"), ARGS(0, "}"),
        FINISH(TOOL_CALLS), THE_END },
      9,
      100,
      "t",
      "r",
      "n",
      "{}",
      false,
      true },
    { "not ended", { BEGIN, SAY(TEXT, "a"), FINISH(STOP) }, 3, 100, "a", "", "", NULL, false, false },
    { "failed", { BEGIN, SAY(TEXT, "a"), FAILED, THE_END }, 4, 100, "a", "", "", NULL, false, false },
    { "no finish", { BEGIN, SAY(TEXT, "a"), THE_END }, 3, 100, "a", "", "", NULL, false, false },
    { "nothing said", { BEGIN, FINISH(STOP), THE_END }, 3, 100, "", "", "", NULL, false, false },
    { "nobody said who", { SAY(TEXT, "a"), FINISH(STOP), THE_END }, 3, 100, "a", "", "", NULL, false, false },
    { "at the limit",
      { BEGIN, SAY(TEXT, "abc"), SAY(REASONING, "d"), FINISH(STOP), THE_END },
      5,
      4,
      "abc",
      "d",
      "",
      NULL,
      false,
      true },
    { "past the limit",
      { BEGIN, SAY(TEXT, "abc"), SAY(TEXT, "de"), FINISH(STOP), USED, THE_END },
      6,
      4,
      "abc",
      "",
      "",
      NULL,
      true,
      false },
    { "arguments of no call", { BEGIN, ARGS(0, "{}"), FINISH(STOP), THE_END }, 4, 100, "", "", "", NULL, true, false },
    { "after the end",
      { BEGIN, SAY(TEXT, "a"), FINISH(STOP), THE_END, SAY(TEXT, "b") },
      5,
      100,
      "a",
      "",
      "",
      NULL,
      false,
      true },
};

TEST(collected) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct answer *answer = answer_new(arena, cases[i].len_max);
        const struct answer_choice *choice;
        for (size_t k = 0; k < cases[i].n; k++)
            answer_take(answer, &cases[i].deltas[k]);
        choice = answer_choice(answer, 0);
        CHECK(choice != NULL, cases[i].name);
        CHECK_STR(choice->text, cases[i].text, cases[i].name);
        CHECK_STR(choice->reasoning, cases[i].reasoning, cases[i].name);
        CHECK_STR(choice->refusal, cases[i].refusal, cases[i].name);
        CHECK_INT(choice->n_tools, cases[i].arguments ? 1 : 0, cases[i].name);
        if (cases[i].arguments)
            CHECK_STR(choice->tools[0].arguments, cases[i].arguments, cases[i].name);
        CHECK_INT(answer_head(answer)->too_long, cases[i].too_long, cases[i].name);
        CHECK_INT(answer_is_cacheable(answer), cases[i].cacheable, cases[i].name);
        arena_free(arena);
    }
}

TEST(choices_in_order_of_index) {
    struct arena *arena = arena_new(0, 0);
    struct answer *answer = answer_new(arena, 100);
    static const uint32_t order[] = { 3, 0, 2, 3 };
    for (size_t i = 0; i < VSR_COUNT(order); i++)
        answer_take(answer, &(struct answer_delta){ .kind = DELTA_TEXT, .choice = order[i], .text = VSR_STR("x") });
    CHECK_INT(answer_n_choices(answer), 3, "choices");
    CHECK_INT(answer_choice(answer, 0)->index, 0, "first");
    CHECK_INT(answer_choice(answer, 2)->index, 3, "last");
    CHECK_STR(answer_choice(answer, 2)->text, "xx", "last");
    CHECK(answer_choice(answer, 3) == NULL, "past the end");
    arena_free(arena);
}

TEST(limits_of_counts) {
    struct arena *arena = arena_new(0, 0);
    struct answer *answer = answer_new(arena, 100);
    for (uint32_t i = 0; i <= ANSWER_CHOICES_MAX; i++)
        answer_take(answer, &(struct answer_delta){ .kind = DELTA_FINISH, .choice = i });
    CHECK_INT(answer_n_choices(answer), ANSWER_CHOICES_MAX, "choices");
    CHECK(answer_head(answer)->too_long, "choices");
    answer = answer_new(arena, 100);
    for (uint32_t i = 0; i < ANSWER_TOOLS_MAX; i++)
        answer_take(answer, &(struct answer_delta){ .kind = DELTA_TOOL_BEGIN, .index = i });
    CHECK(!answer_head(answer)->too_long, "tools at the limit");
    answer_take(answer, &(struct answer_delta){ .kind = DELTA_TOOL_BEGIN, .index = ANSWER_TOOLS_MAX });
    CHECK(answer_head(answer)->too_long, "tools past it");
    CHECK_INT(answer_choice(answer, 0)->n_tools, ANSWER_TOOLS_MAX, "tools");
    arena_free(arena);
}

RUN_TESTS(T(collected), T(choices_in_order_of_index), T(limits_of_counts))
