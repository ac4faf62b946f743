/* The order in which compiling and merging write what the order of the program does not give (dsl.md §4, §8). */
#include "compiled.h"

static const char program[] =
    "RECIPE fast (description = \"d\", strategy = priority) { ROUTE all { MODEL m } }\n"
    "ENTRYPOINT { recipe: \"fast\" model_names: [\"v\"] }\n"
    "SIGNAL classifier a1 {} SIGNAL metadata a2 {} SIGNAL event a3 {} SIGNAL conversation a4 { feature: { type: "
    "\"count\" source: { type: \"message\" } } } SIGNAL kb a5 {} SIGNAL pii a6 {} SIGNAL jailbreak a7 {}\n"
    "SIGNAL authz a8 {} SIGNAL modality a9 {} SIGNAL complexity b1 {} SIGNAL structure b2 { feature: { type: \"count\" "
    "source: { type: \"text_bytes\" } } } SIGNAL context b3 {} SIGNAL language b4 {} SIGNAL preference b5 {}\n"
    "SIGNAL reask b6 {} SIGNAL user_feedback b7 {} SIGNAL fact_check b8 {} SIGNAL domain b9 {} SIGNAL embedding c1 {} "
    "SIGNAL keyword c2 {}\n"
    "ROUTING { strategy: confidence }\n"
    "PROJECTION mapping p3 {} PROJECTION score p2 {} PROJECTION partition p1 {}\n"
    "ROUTE r (description = \"x\") { EXTRA { fallback: true on_unknown: \"no_match\" annotations: { a: \"b\" } "
    "adaptations: { mode: \"observe\" } output_contract_spec: { } output_contract: \"c\" }\n"
    " EMIT retention { prefer_prefix_retention: true keep_current_model: true ttl_turns: 1 drop: false } FOR v IN "
    "decision.candidates { MODEL v } PLUGIN memory { enabled: true } ALGORITHM static { on_error: \"skip\" }\n"
    " MODEL m (weight = 2, lora = \"l\", effort = \"high\", reasoning = true, param_size = \"7B\") WHEN domain(\"b9\") "
    "TIER 1 PRIORITY 2 }\n"
    "MODEL z { context_window_size: 5 param_size: \"8B\" }\n"
    "MODEL m { tags: [\"t\"] modality: \"text\" quality_score: 0.5 loras: [{ description: \"d\" name: \"l\" }] "
    "capabilities: [\"c\"] description: \"d\" context_window_size: 5 }\n";

/* Each of the texts stands behind the one before it. */
static void check_order(vsr_str text, const char *const *parts, const char *name) {
    size_t at = 0;
    for (; *parts; parts++) {
        ptrdiff_t found = str_find(str_sub(text, at, text.len), str_from_c(*parts));
        CHECK_MSG(found >= 0, "%s: \"%s\" is not behind what comes before it in\n%.*s", name, *parts, VSR_FMT(text));
        at += (size_t)found + 1;
    }
}

TEST(keys_have_an_order_of_their_own) {
    static const char *const top[] = { "routing:\n", "\nentrypoints:\n", "\nrecipes:\n", NULL };
    static const char *const routing[] = { "\n  modelCards:\n", "\n  signals:\n",  "\n  projections:\n",
                                           "\n  decisions:\n",  "\n  strategy: c", NULL };
    static const char *const card[] = { "- name: m\n",
                                        "param_size:",
                                        "context_window_size:",
                                        "description: d\n",
                                        "capabilities:",
                                        "loras:",
                                        "quality_score: 0.5",
                                        "modality: text",
                                        "tags:",
                                        "- name: z\n",
                                        "param_size: 8B",
                                        "context_window_size:",
                                        NULL };
    static const char *const signals[] = {
        "\n    keywords:\n",
        "\n    embeddings:\n",
        "\n    domains:\n",
        "\n    fact_check:\n",
        "\n    user_feedbacks:\n",
        "\n    reasks:\n",
        "\n    preferences:\n",
        "\n    language:\n",
        "\n    context:\n",
        "\n    structure:\n",
        "\n    complexity:\n",
        "\n    modality:\n",
        "\n    role_bindings:\n",
        "\n    jailbreak:\n",
        "\n    pii:\n",
        "\n    kb:\n",
        "\n    conversation:\n",
        "\n    events:\n",
        "\n    metadata:\n",
        "\n    classifiers:\n",
        NULL,
    };
    static const char *const projections[] = { "\n    partitions:\n", "\n    scores:\n", "\n    mappings:\n", NULL };
    static const char *const decision[] = {
        "- name: r\n",
        "\n      description: x",
        "\n      priority:",
        "\n      tier:",
        "output_contract:",
        "output_contract_spec:",
        "\n      rules:",
        "\n      modelRefs:",
        "lora_name:",
        "weight:",
        "use_reasoning:",
        "reasoning_effort:",
        "\n      algorithm:",
        "adaptations:",
        "\n      plugins:",
        "candidateIterations:",
        "\n      emits:",
        "drop:",
        "ttl_turns:",
        "keep_current_model:",
        "prefer_prefix_retention:",
        "annotations:",
        "on_unknown:",
        "fallback:",
        NULL,
    };
    static const struct {
        const char *name;
        const char *const *parts;
    } orders[] = { { "the document", top }, { "routing", routing },         { "a card", card },
                   { "signals", signals },  { "projections", projections }, { "a decision", decision } };
    struct compiled c;
    vsr_str text;
    compiled_make(&c, str_from_c(program));
    CHECK_STR(compiled_findings(&c), "", "findings");
    text = yaml_text(c.arena, c.root);
    for (size_t i = 0; i < VSR_COUNT(orders); i++)
        check_order(text, orders[i].parts, orders[i].name);
    compiled_done(&c);
}

TEST(merged_keys_have_it_too) {
    static const char *const keys[] = { "version:", "listeners:", "providers:", "routing:", "entrypoints:",
                                        "recipes:", "global:",    "alpha:",     "zoo:",     NULL };
    struct compiled c;
    struct yaml_node *base;
    compiled_make(&c, str_from_c(program));
    base = yaml_parsed(c.arena, VSR_STR("zoo: 1\nrecipes: []\nglobal: {}\nalpha: 2\nproviders: {}\nlisteners: []\n"
                                        "entrypoints: []\nversion: v0.3\n"));
    CHECK_INT(dsl_merge(c.arena, c.language, base, c.root), 0, "merged");
    check_order(yaml_text(c.arena, base), keys, "merged");
    compiled_done(&c);
}

RUN_TESTS(T(keys_have_an_order_of_their_own), T(merged_keys_have_it_too))
