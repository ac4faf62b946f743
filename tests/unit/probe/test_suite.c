/* Suites: what is read, what is refused and how that is told, which category a variant counts to. */
#include "suites.h"

static const char full[] =
    "schema_version: v1\n"
    "name: all\n"
    "description: everything\n"
    "routing_assets: {yaml: config/recipes/all/config.yaml, dsl: config/recipes/all/recipe.dsl}\n"
    "router_eval_endpoint: /api/v1/eval\n"
    "evaluation: {request_timeout_seconds: 1200, concurrency: 64}\n"
    "acceptance: {min_probe_pass_rate: 99.5, min_decision_pass_rate: 50}\n"
    "coverage:\n"
    "  min_signal_assertion_percent: 1\n"
    "  min_projection_assertion_percent: 2\n"
    "  min_algorithm_assertion_percent: 3\n"
    "  min_plugin_assertion_percent: 4\n"
    "  required_request_shapes: [text, messages, tools]\n"
    "  min_tag_counts: {language: 1, negative: 1, collision: 1, fallback: 1, stress: 1, tools: 1, multi_turn: 1}\n"
    "  min_tag_pass_rate: {language: 100, stress: 0}\n"
    "decisions:\n"
    "- id: one\n"
    "  expected_decision: lane\n"
    "  model: entry\n"
    "  expected_recipe: other\n"
    "  expected_algorithm: static\n"
    "  expected_plugins: [a]\n"
    "  forbidden_plugins: [b]\n"
    "  plugin_match: exact\n"
    "  expected_alias: small\n"
    "  expected_signals: {keywords: [k]}\n"
    "  forbidden_signals: {keywords: [l]}\n"
    "  signal_match: exact\n"
    "  robustness: {min_pass_rate: 0}\n"
    "  objective: o\n"
    "  notes: n\n"
    "  variants:\n"
    "  - {id: a, query: q, repeat: 10000, padding: {text: p}, tags: [de], notes: n, expected_signals: {},\n"
    "     display_prompt: p, playground: {enabled: false, reason: r}}\n"
    "  - id: b\n"
    "    messages: [{role: user, content: [{type: text, text: a}]}]\n"
    "    tools: [{type: function}]\n"
    "    generated_text: {message_index: 0, content_index: 0, target_text_bytes: 10485760, character: '~'}\n"
    "- {id: two, expected_decision: lane, variants: [{id: a, query: ''}]}\n";

TEST(everything_is_read) {
    struct suite_fixture f;
    const struct probe_decision *one;
    suite_must_read(&f, full);
    one = suite_decision(&f, 0);
    CHECK_INT(f.suite->decisions.n, 2, "decisions");
    CHECK_INT(f.suite->evaluation.concurrency, 64, "concurrency");
    CHECK_INT(f.suite->evaluation.request_timeout_seconds, 1200, "timeout");
    CHECK(f.suite->acceptance.min_probe_pass_rate == 99.5, "pass rate");
    CHECK_INT(f.suite->coverage.min_tag_counts.n, 7, "tag counts");
    CHECK_STR(one->expected_recipe, "other", "recipe");
    CHECK_INT(one->plugin_match, MATCH_EXACT, "plugin_match");
    CHECK(one->robustness && one->robustness->min_pass_rate == 0, "robustness");
    CHECK_INT(suite_variant(&f, 0, 0)->repeat, 10000, "repeat");
    CHECK(!suite_variant(&f, 0, 0)->playground->enabled, "playground");
    CHECK_STR(suite_variant(&f, 0, 1)->generated_text->character, "~", "character");
    suite_done(&f);
}

TEST(defaults) {
    struct suite_fixture f;
    suite_of_variants(&f, "",
                      "{id: v, query: q, padding: {text: p}}, "
                      "{id: w, messages: [], generated_text: {message_index: 0, content_index: 0, "
                      "target_text_bytes: 1}}");
    CHECK_INT(f.suite->evaluation.request_timeout_seconds, 60, "timeout");
    CHECK_INT(f.suite->evaluation.concurrency, 1, "concurrency");
    CHECK(f.suite->acceptance.min_probe_pass_rate == 100, "probes");
    CHECK(f.suite->acceptance.min_decision_pass_rate == 100, "decisions");
    CHECK_STR(suite_decision(&f, 0)->expected_recipe, "default", "recipe");
    CHECK_INT(suite_decision(&f, 0)->plugin_match, MATCH_CONTAINS, "plugins");
    CHECK_INT(suite_decision(&f, 0)->signal_match, MATCH_CONTAINS, "signals");
    CHECK_INT(suite_variant(&f, 0, 0)->repeat, 1, "repeat");
    CHECK_INT(suite_variant(&f, 0, 0)->padding->repeat, 1, "lines of padding");
    CHECK_INT(suite_variant(&f, 0, 0)->padding->placement, PLACE_BEFORE, "placement");
    CHECK_STR(suite_variant(&f, 0, 1)->generated_text->character, "x", "character");
    suite_done(&f);
}

TEST(signals_of_a_variant_replace_those_of_its_decision) {
    struct suite_fixture f;
    suite_must_read(&f, full);
    CHECK_INT(probe_expected_signals(suite_decision(&f, 0), suite_variant(&f, 0, 0))->n, 0, "an empty map replaces");
    CHECK_INT(probe_expected_signals(suite_decision(&f, 0), suite_variant(&f, 0, 1))->n, 1, "none written");
    suite_done(&f);
}

#define DECISION "decisions: [{id: d, expected_decision: d, variants: [{id: v, query: q}]}]\n"
#define VARIANT(text) SUITE_HEAD SUITE_COVERAGE "decisions: [{id: d, expected_decision: d, variants: [" text "]}]\n"
#define COVERAGE(text) SUITE_HEAD "coverage: {" text "}\n" DECISION

/* `want` are lines as they are printed. */
static const struct {
    const char *name, *text, *want;
} broken[] = {
    { "empty", "", "p:1:1: error[E_EMPTY] the document is empty\n" },
    { "a list", "[]\n", "p:1:1: error[E_TYPE] expected a mapping (probe suite), found a list\n" },
    { "nothing", "{}\n",
      "p:1:1: error[E_REQUIRED] schema_version: missing, required in every probe suite\n"
      "p:1:1: error[E_REQUIRED] name: missing, required in every probe suite\n"
      "p:1:1: error[E_REQUIRED] routing_assets: missing, required in every probe suite\n"
      "p:1:1: error[E_REQUIRED] coverage: missing, required in every probe suite\n"
      "p:1:1: error[E_REQUIRED] decisions: missing, required in every probe suite\n" },
    { "another version", "schema_version: v2\nname: t\nrouting_assets: {yaml: c, dsl: d}\n" SUITE_COVERAGE DECISION,
      "p:1:17: error[E_VERSION] schema_version: found \"v2\", expected \"v1\"\n" },
    { "unknown key", SUITE_HEAD SUITE_COVERAGE DECISION "desciption: d\n",
      "p:6:1: error[E_UNKNOWN] desciption: unknown key, allowed here: schema_version, name, description, "
      "routing_assets, router_eval_endpoint, evaluation, acceptance, coverage, fixtures, decisions; did you mean "
      "\"description\"?\n" },
    { "unknown key in a decision",
      SUITE_HEAD SUITE_COVERAGE
      "decisions: [{id: d, expected_decision: d, expect_recipe: r, variants: [{id: v, query: q}]}]\n",
      "p:5:43: error[E_UNKNOWN] decisions[0].expect_recipe: unknown key, allowed here: id, expected_decision, model, "
      "expected_recipe, expected_algorithm, expected_plugins, forbidden_plugins, plugin_match, expected_alias, "
      "expected_signals, forbidden_signals, signal_match and 4 more; did you mean \"expected_recipe\"?\n" },
    { "unknown key in a variant", VARIANT("{id: v, query: q, tag: [a]}"),
      "p:5:72: error[E_UNKNOWN] decisions[0].variants[0].tag: unknown key, allowed here: id, query, messages, tools, "
      "repeat, padding, generated_text, tags, notes, expected_signals, display_prompt, playground; did you mean "
      "\"tags\"?\n" },
    { "unknown key in padding", VARIANT("{id: v, query: q, padding: {text: p, where: before}}"),
      "p:5:91: error[E_UNKNOWN] decisions[0].variants[0].padding.where: unknown key, allowed here: text, repeat, "
      "placement\n" },
    { "no decisions", SUITE_HEAD SUITE_COVERAGE "decisions: []\n",
      "p:5:1: error[E_REQUIRED] decisions: must have at least one entry\n" },
    { "no variants", SUITE_HEAD SUITE_COVERAGE "decisions: [{id: d, expected_decision: d, variants: []}]\n",
      "p:5:43: error[E_REQUIRED] decisions[0].variants: must have at least one entry\n" },
    { "no coverage", SUITE_HEAD DECISION,
      "p:1:1: error[E_REQUIRED] coverage: missing, required in every probe suite\n" },
    { "half of the assets", "schema_version: v1\nname: t\nrouting_assets: {yaml: c}\n" SUITE_COVERAGE DECISION,
      "p:3:17: error[E_REQUIRED] routing_assets.dsl: missing, required in every routing assets\n" },
    { "anchor", VARIANT("&a {id: v, query: q}"), "p:5:57: error[E_YAML] anchors are not allowed here\n" },
    { "alias", VARIANT("{id: &a v, query: *a}"),
      "p:5:62: error[E_YAML] anchors are not allowed here\n"
      "p:5:73: error[E_YAML] aliases are not allowed here\n" },
    { "merge key", VARIANT("{id: v, query: q, <<: {notes: n}}"),
      "p:5:72: error[E_YAML] merge keys are not allowed here\n" },
    { "tag", VARIANT("{id: v, query: !!str q}"), "p:5:75: error[E_YAML] tags are not allowed here\n" },
    { "key written twice", VARIANT("{id: v, query: q, query: r}"),
      "p:5:72: error[E_DUP] decisions[0].variants[0].query: key \"query\" is already set at line 5, column 62; keep "
      "one of them\n" },
    { "two variants of one id", VARIANT("{id: v, query: q}, {id: v, query: r}"),
      "p:5:73: error[E_DUP] decisions[0].variants[1]: the id \"v\" already stands at line 5\n" },
    { "two decisions of one id",
      SUITE_HEAD SUITE_COVERAGE "decisions:\n- {id: d, expected_decision: d, variants: [{id: v, query: q}]}\n- {id: d, "
                                "expected_decision: e, variants: [{id: v, query: q}]}\n",
      "p:7:3: error[E_DUP] decisions[1]: the id \"d\" already stands at line 6\n" },
    { "neither query nor messages", VARIANT("{id: v}"),
      "p:5:54: error[E_REQUIRED] decisions[0].variants[0]: exactly one of query and messages is required\n" },
    { "both query and messages", VARIANT("{id: v, query: q, messages: []}"),
      "p:5:54: error[E_REQUIRED] decisions[0].variants[0]: exactly one of query and messages is required\n" },
    { "messages that are no list", VARIANT("{id: v, messages: hello}"),
      "p:5:72: error[E_TYPE] decisions[0].variants[0].messages: expected a list\n" },
    { "tools that are no list", VARIANT("{id: v, query: q, tools: {}}"),
      "p:5:72: error[E_TYPE] decisions[0].variants[0].tools: expected a list\n" },
    { "padded messages", VARIANT("{id: v, messages: [], padding: {text: p}}"),
      "p:5:76: error[E_CONFLICT] decisions[0].variants[0].padding: padding and repeat need a query\n" },
    { "repeated messages", VARIANT("{id: v, messages: [], repeat: 2}"),
      "p:5:84: error[E_CONFLICT] decisions[0].variants[0].repeat: padding and repeat need a query\n" },
    { "generated text without messages",
      VARIANT("{id: v, query: q, generated_text: {message_index: 0, content_index: 0, target_text_bytes: 1}}"),
      "p:5:72: error[E_CONFLICT] decisions[0].variants[0].generated_text: generated_text needs messages\n" },
    { "repeat of nothing", VARIANT("{id: v, query: q, repeat: 0}"),
      "p:5:80: error[E_RANGE] decisions[0].variants[0].repeat: must be between 1 and 10000, found \"0\"\n" },
    { "repeat past its limit", VARIANT("{id: v, query: q, repeat: 10001}"),
      "p:5:80: error[E_RANGE] decisions[0].variants[0].repeat: must be between 1 and 10000, found \"10001\"\n" },
    { "padding past its limit", VARIANT("{id: v, query: q, padding: {text: p, repeat: 10001, placement: behind}}"),
      "p:5:99: error[E_RANGE] decisions[0].variants[0].padding.repeat: must be between 1 and 10000, found \"10001\"\n"
      "p:5:117: error[E_ENUM] decisions[0].variants[0].padding.placement: \"behind\" is not one of before, after, "
      "around\n" },
    { "generated text past its limit",
      VARIANT(
          "{id: v, messages: [], generated_text: {message_index: -1, content_index: 0, target_text_bytes: 10485761}}"),
      "p:5:108: error[E_RANGE] decisions[0].variants[0].generated_text.message_index: must be at least 0, found "
      "\"-1\"\n"
      "p:5:149: error[E_RANGE] decisions[0].variants[0].generated_text.target_text_bytes: must be between 1 and "
      "10485760, found \"10485761\"\n" },
    { "two characters",
      VARIANT("{id: v, messages: [], generated_text: {message_index: 0, content_index: 0, target_text_bytes: 1, "
              "character: xy}}"),
      "p:5:162: error[E_TYPE] decisions[0].variants[0].generated_text.character: expected one printable ASCII "
      "character\n" },
    { "a character that is not ASCII",
      VARIANT("{id: v, messages: [], generated_text: {message_index: 0, content_index: 0, target_text_bytes: 1, "
              "character: \xC3\xA9}}"),
      "p:5:162: error[E_TYPE] decisions[0].variants[0].generated_text.character: expected one printable ASCII "
      "character\n" },
    { "a character that is not printed",
      VARIANT("{id: v, messages: [], generated_text: {message_index: 0, content_index: 0, target_text_bytes: 1, "
              "character: \"\\x7f\"}}"),
      "p:5:162: error[E_TYPE] decisions[0].variants[0].generated_text.character: expected one printable ASCII "
      "character\n" },
    { "hidden without a reason", VARIANT("{id: v, query: q, display_prompt: p, playground: {enabled: false}}"),
      "p:5:91: error[E_REQUIRED] decisions[0].variants[0].playground: a variant that the playground does not offer "
      "needs a reason and a display_prompt\n" },
    { "hidden without a prompt", VARIANT("{id: v, query: q, playground: {enabled: false, reason: r}}"),
      "p:5:72: error[E_REQUIRED] decisions[0].variants[0].playground: a variant that the playground does not offer "
      "needs a reason and a display_prompt\n" },
    { "unknown shape", COVERAGE("required_request_shapes: [text, image]"),
      "p:4:12: error[E_ENUM] coverage.required_request_shapes: \"image\" is not one of text, messages, tools\n" },
    { "unknown category", COVERAGE("min_tag_counts: {languages: 1}, min_tag_pass_rate: {multi-turn: 1}"),
      "p:4:12: error[E_ENUM] coverage.min_tag_counts: \"languages\" is not one of language, negative, collision, "
      "fallback, stress, tools, multi_turn\n"
      "p:4:44: error[E_ENUM] coverage.min_tag_pass_rate: \"multi-turn\" is not one of language, negative, collision, "
      "fallback, stress, tools, multi_turn\n" },
    { "percents", COVERAGE("min_signal_assertion_percent: 101, min_tag_pass_rate: {stress: 100.5}"),
      "p:4:42: error[E_RANGE] coverage.min_signal_assertion_percent: must be between 0 and 100, found \"101\"\n"
      "p:4:75: error[E_RANGE] coverage.min_tag_pass_rate.stress: must be between 0 and 100, found \"100.5\"\n" },
    { "limits of a run",
      SUITE_HEAD SUITE_COVERAGE DECISION
      "evaluation: {request_timeout_seconds: 1201, concurrency: 65}\nacceptance: {min_probe_pass_rate: -1}\n",
      "p:6:39: error[E_RANGE] evaluation.request_timeout_seconds: must be between 1 and 1200, found \"1201\"\n"
      "p:6:58: error[E_RANGE] evaluation.concurrency: must be between 1 and 64, found \"65\"\n"
      "p:7:35: error[E_RANGE] acceptance.min_probe_pass_rate: must be between 0 and 100, found \"-1\"\n" },
    { "picture",
      SUITE_HEAD SUITE_COVERAGE DECISION
      "fixtures: {images: {-a: {description: d, media_type: image/png, data_base64: AA==, sha256: x}}}\n",
      "p:6:25: error[E_TYPE] fixtures.images.-a: the name must be at most 128 letters, digits, \".\", \"_\" and \"-\", "
      "the first a letter or digit\n"
      "p:6:25: error[E_TYPE] fixtures.images.-a: the picture cannot be used: it is no PNG\n"
      "p:6:25: error[E_TYPE] fixtures.images.-a: sha256 is not the digest of the picture\n" },
    { "picture that is not base64",
      SUITE_HEAD SUITE_COVERAGE DECISION
      "fixtures: {images: {a: {description: d, media_type: image/png, data_base64: AA, sha256: x}}}\n",
      "p:6:24: error[E_TYPE] fixtures.images.a: data_base64 is not canonical base64 of at most 4194304 bytes\n" },
};

TEST(what_is_wrong_is_told) {
    for (size_t i = 0; i < VSR_COUNT(broken); i++) {
        struct suite_fixture f;
        suite_read(&f, str_from_c(broken[i].text));
        CHECK(!f.suite, broken[i].name);
        CHECK_STR(buf_str(&f.problems), broken[i].want, broken[i].name);
        suite_done(&f);
    }
}

TEST(tags_have_categories) {
    static const struct {
        const char *variant;
        unsigned want;
    } cases[] = {
        { "{id: v, query: q}", 0 },
        { "{id: v, query: q, tags: ['language:xx']}", 1u << TAG_LANGUAGE },
        { "{id: v, query: q, tags: [de]}", 1u << TAG_LANGUAGE },
        { "{id: v, query: q, tags: [zh]}", 1u << TAG_LANGUAGE },
        { "{id: v, query: q, tags: [it]}", 0 },
        { "{id: v, query: q, tags: [negative]}", 1u << TAG_NEGATIVE },
        { "{id: v, query: q, tags: ['class:negative']}", 1u << TAG_NEGATIVE },
        { "{id: v, query: q, tags: ['class:positive']}", 0 },
        { "{id: v, query: q, tags: [fallback]}", 1u << TAG_NEGATIVE | 1u << TAG_FALLBACK },
        { "{id: v, query: q, tags: [collision]}", 1u << TAG_COLLISION },
        { "{id: v, query: q, tags: ['legal:collision']}", 1u << TAG_COLLISION },
        { "{id: v, query: q, tags: ['collision:legal']}", 0 },
        { "{id: v, query: q, tags: ['stress:long']}", 1u << TAG_STRESS },
        { "{id: v, query: q, tags: [stress]}", 0 },
        { "{id: v, query: q, tags: [tools]}", 1u << TAG_TOOLS },
        { "{id: v, query: q, tags: ['shape:tools']}", 1u << TAG_TOOLS },
        { "{id: v, query: q, tools: [{type: function}]}", 1u << TAG_TOOLS },
        { "{id: v, query: q, tools: []}", 0 },
        { "{id: v, query: q, tags: [multi-turn]}", 1u << TAG_MULTI_TURN },
        { "{id: v, query: q, tags: [multiturn]}", 1u << TAG_MULTI_TURN },
        { "{id: v, query: q, tags: ['shape:messages']}", 1u << TAG_MULTI_TURN },
        { "{id: v, messages: []}", 1u << TAG_MULTI_TURN },
        { "{id: v, messages: [], tags: [en, 'stress:x']}",
          1u << TAG_MULTI_TURN | 1u << TAG_LANGUAGE | 1u << TAG_STRESS },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct suite_fixture f;
        suite_of_variants(&f, "", cases[i].variant);
        CHECK_INT(probe_tags(suite_variant(&f, 0, 0)), cases[i].want, cases[i].variant);
        suite_done(&f);
    }
}

RUN_TESTS(T(everything_is_read), T(defaults), T(signals_of_a_variant_replace_those_of_its_decision),
          T(what_is_wrong_is_told), T(tags_have_categories))
