/* Programs that models write: found in answers, judged, sent back, and told about as they are. */
#include "checked.h"
#include "dsl/format.h"
#include "dsl/generate.h"

/* ---- the program in an answer */

#define PROGRAM "SIGNAL domain math {}\nROUTE r { PRIORITY 1 MODEL \"m\" }"

static const struct {
    const char *name, *answer, *want;
} answers[] = {
    { "nothing", "", "" },
    { "prose alone", "I cannot do that.", "" },
    { "clean", PROGRAM, PROGRAM },
    { "blanks around", "\n \t" PROGRAM "\r\n\n", PROGRAM },
    { "fenced", "```\n" PROGRAM "\n```", PROGRAM },
    { "fenced, with the language", "```dsl\n" PROGRAM "\n```\n", PROGRAM },
    { "fenced, with a break of two bytes", "```vsr-dsl\r\n" PROGRAM "\r\n```\r\n", PROGRAM },
    { "fence never closed", "Here:\n```dsl\n" PROGRAM "\n", PROGRAM },
    { "the first fence counts", "```\n" PROGRAM "\n```\nor\n```\nROUTE x { MODEL \"x\" }\n```", PROGRAM },
    { "fence within a line", "It is ```" PROGRAM "``` and nothing else", PROGRAM },
    { "fence behind prose in its line", "It is ```dsl\n" PROGRAM "\n```", PROGRAM },
    { "fence inside of a string", "ROUTE r { MODEL \"m\" DESCRIPTION \"a ``` b\" }",
      "ROUTE r { MODEL \"m\" DESCRIPTION \"a ``` b\" }" },
    { "fence inside of a fenced string", "```\nROUTE r { MODEL \"m\" DESCRIPTION \"a ``` b\" }\n```",
      "ROUTE r { MODEL \"m\" DESCRIPTION \"a ``` b\" }" },
    { "prose around", "Sure, it's this:\n" PROGRAM "\nHope that helps.", PROGRAM },
    { "prose that names keywords", "The ROUTE and SIGNAL you want:\n" PROGRAM "\nThis ROUTE is last.", PROGRAM },
    { "prose in the same line", "Here you go: " PROGRAM " Done.", PROGRAM },
    { "quoted prose", "A \"ROUTE \" is this: " PROGRAM, PROGRAM },
    { "thoughts", "<think>\nROUTE x { }\n</think>\n\n" PROGRAM, PROGRAM },
    { "comments behind", PROGRAM "\n# done }", PROGRAM },
    { "braces in strings", "ROUTE r { DESCRIPTION \"}\" MODEL \"m\" } bye",
      "ROUTE r { DESCRIPTION \"}\" MODEL \"m\" }" },
    { "cut off", PROGRAM "\nROUTE x { MODEL", PROGRAM "\nROUTE x { MODEL" },
    { "no brace at all", "ROUTE r MODEL", "ROUTE r MODEL" },
    { "too many braces", PROGRAM "}}}", PROGRAM },
    { "ROUTING", "x\nROUTING { strategy: priority }\n" PROGRAM, "ROUTING { strategy: priority }\n" PROGRAM },
    { "ENTRYPOINT", "x\nENTRYPOINT { recipe: a }\n" PROGRAM, "ENTRYPOINT { recipe: a }\n" PROGRAM },
    { "RECIPE", "x\nRECIPE a { }\n" PROGRAM, "RECIPE a { }\n" PROGRAM },
    { "PROJECTION", "x\nPROJECTION score a { }\n" PROGRAM, "PROJECTION score a { }\n" PROGRAM },
    { "DECISION_TREE", "x\nDECISION_TREE a { }", "DECISION_TREE a { }" },
    { "MODEL", "x\nMODEL a { }", "MODEL a { }" },
    { "PLUGIN", "x\nPLUGIN a rag { }", "PLUGIN a rag { }" },
    { "TEST", "x\nTEST a { }", "TEST a { }" },
    { "SIGNALS is no keyword", "SIGNALS { }\nMODEL a { }", "MODEL a { }" },
};

TEST(the_program_in_an_answer_is_found) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(answers); i++)
        CHECK_STR(generate_sanitise(arena, str_from_c(answers[i].answer)), answers[i].want, answers[i].name);
    arena_free(arena);
}

/* Quadratic, they would not end. */
TEST(hostile_answers_cost_what_they_are_long) {
    static const char *const parts[] = { "```",     "``` ", "```a", "\n```", "ROUTE ", "ROUTE\n",   "<think>", "{",
                                         "ROUTE {", "}",    "\"",   "# ",    " ",      "ROUTE \"{", "</think>" };
    for (size_t i = 0; i < VSR_COUNT(parts); i++) {
        struct arena *arena = arena_new(0, 0);
        struct buf text;
        buf_init(&text, 2 << 20);
        while (buf_append_c(&text, parts[i]) == 0)
            ;
        (void)generate_sanitise(arena, buf_str(&text));
        buf_done(&text);
        arena_free(arena);
    }
}

/* ---- what the model is told */

TEST(examples_have_no_findings_and_are_laid_out) {
    CHECK(generate_n_examples >= 7, "examples");
    for (size_t i = 0; i < generate_n_examples; i++) {
        const struct generate_example *example = &generate_examples[i];
        struct compiled c;
        struct buf out;
        checked_make(&c, str_from_c(example->program), NULL);
        CHECK_STR(compiled_shown(&c, true), "", example->instruction);
        buf_init(&out, COMPILED_LEN_MAX);
        dsl_format(c.language, &c.parsed, &out);
        CHECK_STR(buf_str(&out), example->program, example->instruction);
        buf_done(&out);
        compiled_done(&c);
    }
}

static bool has_line(vsr_str text, const char *keyword, vsr_str name) {
    char want[256];
    snprintf(want, sizeof(want), "\n%s %.*s%c", keyword, VSR_FMT(name), '\n');
    if (str_find(text, str_from_c(want)) >= 0)
        return true;
    snprintf(want, sizeof(want), "\n%s %.*s (no fields)\n", keyword, VSR_FMT(name));
    return str_find(text, str_from_c(want)) >= 0;
}

TEST(the_reference_names_every_block_and_field) {
    static const char *const keywords[LANGUAGE_KINDS] = { "SIGNAL", "ALGORITHM", "PLUGIN" };
    const struct language *language = dsl_language();
    struct buf out;
    buf_init(&out, GENERATE_REFERENCE_LEN_MAX);
    generate_reference(language, &out);
    CHECK(!buf_failed(&out), "reference");
    for (int kind = 0; kind < LANGUAGE_KINDS; kind++) {
        for (size_t i = 0; i < language->n_blocks[kind]; i++) {
            const struct language_block *block = language->blocks[kind][i];
            CHECK_MSG(has_line(buf_str(&out), keywords[kind], block->name), "%s %.*s is not in the reference",
                      keywords[kind], VSR_FMT(block->name));
            for (size_t k = 0; k < block->n_fields; k++) {
                char want[256];
                snprintf(want, sizeof(want), "\n  %.*s: ", VSR_FMT(block->fields[k].name));
                CHECK_MSG(str_find(buf_str(&out), str_from_c(want)) >= 0, "%s is not in the reference", want);
            }
        }
    }
    /* A model with a window of 32K tokens has room for it and for an answer. */
    CHECK_MSG(out.len < 64000, "the reference has %zu bytes", out.len);
    buf_done(&out);
}

/* ---- a model that says what it was told to say */

enum { SAID_MAX = 8 };

struct said {
    const char *const *replies; /* the last one again and again; NULL: the server is gone */
    size_t n, asked;
    bool cut_off;
    vsr_str prompts[SAID_MAX]; /* of the user */
};

static int say(void *owner, const struct generate_message messages[GENERATE_MESSAGES], struct arena *arena,
               struct generate_reply *ret_reply, struct vsr_err *err) {
    struct said *said = owner;
    const char *reply = said->replies[said->asked < said->n ? said->asked : said->n - 1];
    CHECK(said->asked < SAID_MAX, "asked");
    CHECK(str_eq_c(messages[0].role, "system") && str_eq_c(messages[1].role, "user"), "roles");
    said->prompts[said->asked++] = messages[1].content;
    if (!reply)
        return err_set(err, VSR_E_IO, "connection refused");
    *ret_reply = (struct generate_reply){ .text = arena_str(arena, str_from_c(reply)), .cut_off = said->cut_off };
    return 0;
}

#define CLEAN \
    "SIGNAL domain math {\n}\n\nROUTE a {\n  PRIORITY 2\n  WHEN domain(\"math\")\n  MODEL \"m\"\n}\n\n" \
    "ROUTE b {\n  PRIORITY 1\n  MODEL \"m\"\n}\n"
#define LOOSE "SIGNAL domain math {} ROUTE a { PRIORITY 2 WHEN domain(math) MODEL m } ROUTE b { PRIORITY 1 MODEL m }"
#define BROKEN "ROUTE a { PRIORITY two MODEL \"m\" }"
#define BROKEN_TOO "ROUTE a { WHEN MODEL \"m\" }"
#define WARNED "ROUTE a { PRIORITY 2 WHEN domain(\"math\") MODEL \"m\" } ROUTE b { PRIORITY 1 MODEL \"m\" }"
#define WARNED_TOO "ROUTE x { PRIORITY 7 PRIORITY 2 MODEL \"m\" }"
#define ODD_DOMAIN \
    "SIGNAL domain maths {}\nROUTE a { PRIORITY 2 WHEN domain(\"maths\") MODEL \"m\" }\n" \
    "ROUTE b { PRIORITY 1 MODEL \"m\" }"

static const struct {
    const char *name, *replies[4];
    unsigned retries, attempts;
    bool gave_up, parses, clean;
    const char *want; /* NULL: anything */
} runs[] = {
    { "clean", { CLEAN }, 2, 1, false, true, true, CLEAN },
    { "laid out", { LOOSE }, 2, 1, false, true, true, CLEAN },
    { "fenced", { "```dsl\n" LOOSE "\n```" }, 2, 1, false, true, true, CLEAN },
    { "prose around", { "Here it is:\n" LOOSE "\nEnjoy!" }, 2, 1, false, true, true, CLEAN },
    { "broken, then fixed", { BROKEN, LOOSE }, 2, 2, false, true, true, CLEAN },
    { "always broken", { BROKEN }, 2, 3, false, false, false, BROKEN },
    { "always broken, in another way", { BROKEN, BROKEN_TOO, BROKEN }, 2, 3, false, false, false, BROKEN },
    { "broken, no retries", { BROKEN }, 0, 1, false, false, false, BROKEN },
    { "no program", { "I am sorry." }, 1, 2, false, false, false, "" },
    { "no program, then one", { "I am sorry.", LOOSE }, 1, 2, false, true, true, CLEAN },
    { "warned, then fixed", { WARNED, LOOSE }, 2, 2, false, true, true, CLEAN },
    { "warned, the same again", { WARNED }, 4, 2, true, true, false, NULL },
    { "warned, others, then fixed", { WARNED, WARNED_TOO, LOOSE }, 4, 3, false, true, true, CLEAN },
    { "broken by its repair", { WARNED, BROKEN }, 1, 2, false, true, false, NULL },
    { "a domain that is none", { ODD_DOMAIN, LOOSE }, 1, 2, false, true, true, CLEAN },
};

static size_t count_replies(const char *const *replies) {
    size_t n = 0;
    while (n < 4 && replies[n])
        n++;
    return n;
}

static int run(struct arena *arena, struct said *said, unsigned retries, struct generate_result *ret_result,
               struct vsr_err *err) {
    const struct generate_task task = { .instruction = VSR_STR("math to m"), .context = VSR_STR("m is good") };
    const struct generate_options options = { .retries = retries, .ask = say, .owner = said };
    return generate(arena, dsl_language(), &task, &options, ret_result, err);
}

TEST(drafts_are_sent_back_until_they_are_good) {
    for (size_t i = 0; i < VSR_COUNT(runs); i++) {
        struct arena *arena = arena_new(0, 0);
        struct said said = { .replies = runs[i].replies, .n = count_replies(runs[i].replies) };
        struct vsr_err err = VSR_ERR_NONE;
        struct generate_result result;
        CHECK_MSG(run(arena, &said, runs[i].retries, &result, &err) == 0, "case \"%s\": %s", runs[i].name, err.text);
        CHECK_MSG(result.attempts == runs[i].attempts && said.asked == runs[i].attempts, "case \"%s\": %u attempts",
                  runs[i].name, result.attempts);
        CHECK_MSG(result.gave_up == runs[i].gave_up, "case \"%s\": gave up", runs[i].name);
        CHECK_MSG((result.parse_error.len == 0) == runs[i].parses, "case \"%s\": %.*s", runs[i].name,
                  VSR_FMT(result.parse_error));
        CHECK_MSG((generate_faults(&result.final) == 0) == runs[i].clean, "case \"%s\": findings", runs[i].name);
        if (runs[i].want)
            CHECK_STR(result.text, runs[i].want, runs[i].name);
        arena_free(arena);
    }
}

/* ---- what is proved of it */

static const struct {
    const char *name, *program, *want;
} proved[] = {
    { "shadowed",
      "SIGNAL keyword k { operator: \"OR\" keywords: [\"x\"] } ROUTE all { PRIORITY 9 MODEL \"m\" }\n"
      "ROUTE hidden { PRIORITY 5 WHEN keyword(\"k\") MODEL \"n\" }",
      "- [warning] route \"hidden\" is unreachable: every match is taken by \"all\" (line 2, column 1); for example: "
      "keyword(k) true\n" },
    { "refused",
      "SIGNAL language EN {}\nROUTE a { PRIORITY 2 WHEN language(\"EN\") MODEL \"m\" }\nROUTE b { PRIORITY 1 MODEL "
      "\"n\" }",
      "- [error] SIGNAL language EN: name: \"EN\" is not the ISO 639-1 code of a language that can be detected; did "
      "you "
      "mean \"en\"? (line 1, column 17)\n" },
    { "never",
      "SIGNAL language en { } SIGNAL language zh { } ROUTE a { PRIORITY 2 WHEN language(\"en\") AND language(\"zh\") "
      "MODEL \"m\" }\nROUTE b { PRIORITY 1 MODEL \"m\" }",
      "- [warning] route \"a\": WHEN is never true (line 1, column 73)\n" },
    { "nothing takes the rest",
      "SIGNAL keyword k { operator: \"OR\" keywords: [\"x\"] }\nROUTE a { PRIORITY 2 WHEN keyword(\"k\") MODEL \"m\" }",
      "- [warning] no route takes some requests; a route without WHEN, of the "
      "least "
      "rank, would take them (line 2, column 1); for example: keyword(k) false\n" },
    { "a tie",
      "SIGNAL keyword k { operator: \"OR\" keywords: [\"x\"] } SIGNAL keyword l { operator: \"OR\" keywords: [\"y\"] "
      "}\n"
      "ROUTE a { PRIORITY 2 WHEN keyword(\"k\") MODEL \"m\" } ROUTE b { PRIORITY 2 WHEN keyword(\"l\") MODEL \"n\" }\n"
      "ROUTE c { PRIORITY 1 MODEL \"m\" }",
      "- [warning] routes \"a\" and \"b\" have the same priority and can both match: the confidence decides between "
      "their models, then the name (line 2, column 52); for example: keyword(k) true, keyword(l) true\n" },
};

/* ---- domains that stand for nothing */

static const struct checked_case domains[] = {
    { "W221: no field of knowledge", 0, "SIGNAL domain maths {}",
      "1:15: warning: domain \"maths\" is no field of knowledge and has no mmlu_categories: it never matches. Did you "
      "mean "
      "\"math\"? [W221]\n" },
    { "W221: near none", 0, "SIGNAL domain\nzzzzzzzzzzzzzzzz { mmlu_categories: [] }",
      "2:1: warning: domain \"zzzzzzzzzzzzzzzz\" is no field of knowledge and has no mmlu_categories: it never matches "
      "[W221]\n" },
    { "fields of knowledge, and domains that list some", 0,
      "SIGNAL domain math {} SIGNAL domain \"computer science\" {} SIGNAL domain mine { mmlu_categories: [\"law\"] }",
      "" },
};

TEST(domains_stand_for_something) {
    for (size_t i = 0; i < 2 * VSR_COUNT(domains); i++) {
        const struct checked_case *it = &domains[i / 2];
        struct arena *arena = arena_new(0, 0);
        struct findings_style style = { 0 };
        struct generate_draft draft;
        struct buf out;
        vsr_str program = str_from_c(it->source);
        if (i % 2 == 1)
            program = arena_printf(arena, CHECKED_RECIPE "%s }", it->source);
        buf_init(&out, COMPILED_LEN_MAX);
        generate_judge_text(arena, dsl_language(), NULL, program, &draft);
        findings_print(&draft.findings, &style, &out);
        CHECK_STR(buf_str(&out), i % 2 == 1 ? arena_c_str(arena, checked_in_recipe(arena, it->want)) : it->want,
                  it->name);
        buf_done(&out);
        arena_free(arena);
    }
}

TEST(proofs_are_faults_of_a_draft) {
    for (size_t i = 0; i < VSR_COUNT(proved); i++) {
        struct arena *arena = arena_new(0, 0);
        struct generate_draft draft;
        struct buf out;
        buf_init(&out, COMPILED_LEN_MAX);
        generate_judge(arena, dsl_language(), NULL, str_from_c(proved[i].program), false, &draft);
        generate_feedback(&draft, &out);
        CHECK_STR(buf_str(&out), proved[i].want, proved[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

TEST(proofs_go_back_to_the_model) {
    const char *replies[] = { proved[0].program, LOOSE };
    struct arena *arena = arena_new(0, 0);
    struct said said = { .replies = replies, .n = 2 };
    struct vsr_err err = VSR_ERR_NONE;
    struct generate_result result;
    CHECK_MSG(run(arena, &said, 2, &result, &err) == 0, "%s", err.text);
    CHECK_INT(said.asked, 2, "asked");
    CHECK_MSG(str_find(said.prompts[1], str_from_c(proved[0].want)) > 0, "%.*s", VSR_FMT(said.prompts[1]));
    CHECK_STR(result.text, CLEAN, "text");
    arena_free(arena);
}

TEST(examples_hold_what_they_are_proved_for) {
    for (size_t i = 0; i < generate_n_examples; i++) {
        struct arena *arena = arena_new(0, 0);
        struct findings_style style = { .hints = true };
        struct generate_draft draft;
        struct buf out;
        buf_init(&out, COMPILED_LEN_MAX);
        generate_judge_text(arena, dsl_language(), NULL, str_from_c(generate_examples[i].program), &draft);
        findings_print(&draft.findings, &style, &out);
        CHECK_STR(buf_str(&out), "", generate_examples[i].instruction);
        buf_done(&out);
        arena_free(arena);
    }
}

/* ---- the base */

static bool says(vsr_str prompt, const char *text) {
    return str_find(prompt, str_from_c(text)) >= 0;
}

TEST(models_of_the_base_are_told_and_asked_for) {
    static const char base[] =
        "routing: {modelCards: [{name: m, description: \"good\\nat math\"}, {name: odd \"one\"}, 4]}\n"
        "providers: {models: [{name: m, api_key: sesame}, {name: n}]}\n";
    static const char *const replies[] = { "ROUTE a { PRIORITY 1 MODEL \"x\" }", "ROUTE a { PRIORITY 1 MODEL \"m\" }" };
    struct arena *arena = arena_new(0, 0);
    struct generate_task task = { .instruction = VSR_STR("all to m") };
    struct said said = { .replies = replies, .n = 2 };
    const struct generate_options options = { .retries = 2, .ask = say, .owner = &said };
    struct vsr_err err = VSR_ERR_NONE;
    struct generate_result result;
    struct yaml_node *root = NULL;
    struct diag diag;
    diag_init(&diag, arena, VSR_STR("base.yaml"));
    CHECK_INT(yaml_tree_parse(arena, str_from_c(base), &root, &diag), 0, "base");
    task.base = root;
    CHECK_MSG(generate(arena, dsl_language(), &task, &options, &result, &err) == 0, "%s", err.text);
    CHECK_INT(said.asked, 2, "asked");
    CHECK_MSG(says(said.prompts[0], "\n# Models that there are: routes use these, and no others that they do not "
                                    "declare\n\n- \"m\": good at math\n- \"odd \\\"one\\\"\"\n- \"n\"\n"),
              "%.*s", VSR_FMT(said.prompts[0]));
    CHECK(!says(said.prompts[0], "sesame"), "keys are nobody's business");
    CHECK_MSG(says(said.prompts[1], "- [warning] model \"x\" is not declared"), "%.*s", VSR_FMT(said.prompts[1]));
    CHECK_STR(result.text, "ROUTE a {\n  PRIORITY 1\n  MODEL \"m\"\n}\n", "text");
    arena_free(arena);
}

TEST(prompts_hold_the_task_and_what_was_wrong) {
    static const char *const replies[] = { BROKEN, WARNED, LOOSE };
    struct arena *arena = arena_new(0, 0);
    struct said said = { .replies = replies, .n = 3 };
    struct vsr_err err = VSR_ERR_NONE;
    struct generate_result result;
    CHECK_MSG(run(arena, &said, 2, &result, &err) == 0, "%s", err.text);
    CHECK_INT(said.asked, 3, "asked");
    for (size_t i = 0; i < 3; i++) {
        CHECK(says(said.prompts[i], "SIGNAL classifier\n") && says(said.prompts[i], "DECISION_TREE"), "prompt");
        CHECK(says(said.prompts[i], "math to m") && says(said.prompts[i], "# Additional Context\n\nm is good\n"),
              "prompt");
    }
    CHECK(says(said.prompts[0], "# Task\n\nmath to m\n") && says(said.prompts[0], generate_examples[6].program),
          "prompt");
    CHECK(says(said.prompts[1], "# Original Task") && says(said.prompts[1], BROKEN), "prompt");
    CHECK(says(said.prompts[1], "- [error] unexpected \"two\" (expected integer) (line 1, column 20)\n"), "prompt");
    CHECK(says(said.prompts[2], WARNED) && says(said.prompts[2], "- [warning] signal domain(\"math\") is not"),
          "prompt");
    CHECK(!says(said.prompts[2], BROKEN), "prompt");
    arena_free(arena);
}

TEST(no_answer_is_an_error_that_names_the_attempt) {
    static const char *const replies[] = { BROKEN, NULL };
    struct arena *arena = arena_new(0, 0);
    struct said said = { .replies = replies, .n = 2 };
    struct vsr_err err = VSR_ERR_NONE;
    struct generate_result result;
    CHECK_INT(run(arena, &said, 2, &result, &err), VSR_E_IO, "rc");
    CHECK_STR(str_from_c(err.text), "attempt 2: connection refused", "text");
    arena_free(arena);
}

TEST(a_program_that_was_cut_off_is_none) {
    static const char *const replies[] = { LOOSE };
    struct arena *arena = arena_new(0, 0);
    struct said said = { .replies = replies, .n = 1, .cut_off = true };
    struct vsr_err err = VSR_ERR_NONE;
    struct generate_result result;
    CHECK_MSG(run(arena, &said, 1, &result, &err) == 0, "%s", err.text);
    CHECK_INT(result.attempts, 2, "attempts");
    CHECK_STR(result.parse_error, "1:1: the answer was cut off because it was too long: write a shorter program",
              "error");
    arena_free(arena);
}

/* ---- progress */

static void remember(void *owner, enum generate_phase phase, unsigned attempt, vsr_str text) {
    struct said *said = owner;
    CHECK(text.len > 0 && text.len <= GENERATE_PROGRESS_LEN_MAX &&
              attempt == said->asked + (phase == GENERATE_ASK || phase == GENERATE_REPAIR),
          "progress");
    said->n = said->n * 10 + (size_t)phase + 1;
}

TEST(progress_tells_each_phase) {
    static const char *const replies[] = { BROKEN, LOOSE };
    struct arena *arena = arena_new(0, 0);
    struct said said = { .replies = replies };
    const struct generate_task task = { .instruction = VSR_STR("x") };
    const struct generate_options options = { .retries = 1, .ask = say, .owner = &said, .progress = remember };
    struct vsr_err err = VSR_ERR_NONE;
    struct generate_result result;
    CHECK_MSG(generate(arena, dsl_language(), &task, &options, &result, &err) == 0, "%s", err.text);
    CHECK_INT(said.n, 123124, "ask, parse, repair, ask, parse, complete");
    arena_free(arena);
}

RUN_TESTS(T(domains_stand_for_something), T(the_program_in_an_answer_is_found),
          T(hostile_answers_cost_what_they_are_long), T(examples_have_no_findings_and_are_laid_out),
          T(the_reference_names_every_block_and_field), T(drafts_are_sent_back_until_they_are_good),
          T(prompts_hold_the_task_and_what_was_wrong), T(proofs_are_faults_of_a_draft), T(proofs_go_back_to_the_model),
          T(examples_hold_what_they_are_proved_for), T(models_of_the_base_are_told_and_asked_for),
          T(no_answer_is_an_error_that_names_the_attempt), T(a_program_that_was_cut_off_is_none),
          T(progress_tells_each_phase))
