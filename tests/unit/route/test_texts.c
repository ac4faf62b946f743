/* Which text families read: the whole of it, or what compression leaves (signals.md §2.2, §8). */
#include "fixture.h"

#define PROMPT \
    "Please read this log. It is long and dull. The secret word is zebra. It goes on and on. Then it ends. Thank you."

#define RECIPE \
    FIXTURE_HEAD "routing:\n" \
                 "  signals:\n" \
                 "    keywords: [{name: zebra, operator: OR, keywords: [zebra]}," \
                 " {name: thanks, operator: OR, keywords: [thank you]}]\n" \
                 "    structure: [{name: words, feature: {type: count, source: {type: regex, pattern: '\\w+'}}}," \
                 " {name: bytes, feature: {type: count, source: {type: text_bytes}}}]\n" \
                 "    context: [{name: any}]\n" \
                 "    events: [{name: zebra, event_types: [zebra]}]\n" \
                 "  decisions:\n" \
                 "    - {name: found, priority: 9, rules: {type: keyword, name: zebra}}\n" \
                 "    - {name: others, priority: 1}\n" \
                 "global: {model_catalog: {modules: {prompt_compression: {"
#define END "}}}}\n"
#define SHORT "enabled: true, max_tokens: 11, preserve_first_n: 1, preserve_last_n: 1, position_weight: 1"

static const struct {
    const char *name, *compression;
    bool keyword, event;
    double words; /* of the structure rule */
} cases[] = {
    { "off", "enabled: false, max_tokens: 11", true, true, 24 },
    { "no budget", "enabled: true", true, true, 24 },
    { "enough budget", "enabled: true, max_tokens: 1000", true, true, 24 },
    { "too short", "enabled: true, max_tokens: 11, min_length: 1000", true, true, 24 },
    { "shortened", SHORT, false, false, 9 },
    { "one family skips", SHORT ", skip_signals: [keyword]", true, false, 9 },
    { "another one, in any case", SHORT ", skip_signals: [Structure, event]", false, true, 24 },
    { "all of them", SHORT ", skip_signals: [keyword, structure, event]", true, true, 24 },
};

/* A number of the trace, -1 when it is not there. */
static double number_of(const struct fixture *f, const char *section, const char *key) {
    struct buf out;
    struct json_writer w;
    struct json_doc doc;
    json_ref numbers;
    double value = -1;
    buf_init(&out, 1 << 20);
    json_write_init(&w, &out);
    route_trace_json(f->state, &w);
    CHECK_INT(json_parse(f->memory, buf_str(&out), &doc, NULL), 0, key);
    numbers = json_get(&doc, json_get(&doc, 0, VSR_STR("signals")), str_from_c(section));
    (void)json_double(&doc, json_get(&doc, numbers, str_from_c(key)), &value);
    buf_done(&out);
    return value;
}

TEST(families_read_their_text) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct fixture f;
        vsr_str recipe;
        struct arena *arena = arena_new(0, 0);
        recipe = arena_printf(arena, "%s%s%s", RECIPE, cases[i].compression, END);
        fixture_must_load(&f, arena_c_str(arena, recipe));
        for (int full = 0; full < 2; full++) {
            fixture_route(&f, fixture_prompt(&f, VSR_STR(PROMPT)), full);
            CHECK_STR(f.outcome->decision->name, cases[i].keyword ? "found" : "others", cases[i].name);
        }
        CHECK(number_of(&f, "values", "structure:words") == cases[i].words, cases[i].name);
        CHECK(number_of(&f, "values", "structure:bytes") == sizeof(PROMPT) - 1, cases[i].name);
        CHECK(number_of(&f, "values", "keyword:thanks") == 1, cases[i].name);
        CHECK((number_of(&f, "confidences", "event:zebra") > 0) == cases[i].event, cases[i].name);
        CHECK_INT(f.outcome->token_count, (sizeof(PROMPT) - 1 + 3) / 4 + 5, cases[i].name);
        fixture_free(&f);
        arena_free(arena);
    }
}

RUN_TESTS(T(families_read_their_text))
