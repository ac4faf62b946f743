/* What loading refuses is told at its place in the program, and nothing twice: E230, W230. */
#include "checked.h"
#include "dsl/loading.h"

static void looked_at(struct compiled *c, vsr_str text, const struct dsl_base_of *base) {
    checked_make(c, text, base->root);
    (void)dsl_check_loading(c->language, &c->parsed, c->root, base, &c->findings);
    findings_sort(&c->findings);
}

static const struct checked_case cases[] = {
    { "blank words", 0, "SIGNAL keyword k { keywords: [\"a\",\n\" \"] }",
      "2:1: error: SIGNAL keyword k: keywords[1]: must not be blank [E230]\n" },
    { "no language", 0, "SIGNAL language EN {}",
      "1:17: error: SIGNAL language EN: name: \"EN\" is not the ISO 639-1 code of a language that can be detected; did "
      "you mean \"en\"? [E230]\n" },
    { "no modality", 0, "SIGNAL modality ar {}",
      "1:17: error: SIGNAL modality ar: name: \"ar\" is not one of AR, DIFFUSION, BOTH; did you mean \"AR\"? "
      "[E230]\n" },
    { "two comparators", 0, "SIGNAL metadata md { key: \"x\" predicate: { equals: \"a\", in: [\"b\"] } }",
      "1:42: error: SIGNAL metadata md: predicate: only one of equals, in and exists may be given [E230]\n" },
    { "labels", 0, "SIGNAL classifier c { type: \"local\" model_path: \"models/x\" labels: [\"a\", \"a\"] }",
      "1:74: error: SIGNAL classifier c: labels[1]: label \"a\" is there twice [E230]\n" },
    { "a classifier that asks nobody", 0, "SIGNAL classifier c { type: \"llm\" labels: [\"a\", \"b\"] }",
      "1:1: error: SIGNAL classifier c: model is required with type \"llm\" [E230]\n"
      "1:1: error: SIGNAL classifier c: instructions is required with type \"llm\" [E230]\n" },
    { "a role of nobody", 0, "SIGNAL authz z { role: \"x\" subjects: [] }",
      "1:1: error: SIGNAL authz z: subjects: missing, required in every role binding [E230]\n" },
    { "nothing to contrast with", 0, "SIGNAL jailbreak j { method: \"contrastive\" threshold: 0.5 }",
      "1:1: error: SIGNAL jailbreak j: jailbreak_patterns is required with method \"contrastive\" [E230]\n" },
    { "an unknown knowledge base", 0, "SIGNAL kb q { kb: \"nosuch\" target: { kind: \"label\", value: \"x\" } }",
      "1:19: error: SIGNAL kb q: kb: knowledge base \"nosuch\" is not declared under global.model_catalog.kbs "
      "[E230]\n" },
    { "an algorithm without its block", 0, "ROUTE r { MODEL \"m\", \"n\" ALGORITHM prompt {} }",
      "1:36: error: route \"r\": algorithm: an algorithm of type prompt needs the block \"prompt\" [E230]\n" },
    { "an unknown backend", 0, "ROUTE r { MODEL \"m\" PLUGIN rag { enabled: true backend: \"nosuch\" } }",
      "1:57: error: route \"r\": plugins[0].configuration.backend: \"nosuch\" is not one of milvus, qdrant, "
      "external_api, mcp, openai, vectorstore, hybrid [E230]\n" },
    { "names that stand for something else", CHECKED_TOP,
      "MODEL m {}\nENTRYPOINT { model_names: [\"m\", \"auto\", \"vllm-sr/fusion\"] recipe: \"default\" }\n"
      "ROUTE r { MODEL \"m\" }",
      "2:28: error: ENTRYPOINT: model_names[0]: \"m\" is a model; a name leads to one place only [E230]\n"
      "2:33: error: ENTRYPOINT: model_names[1]: \"auto\" is a name of the automatic model; a name leads to one place "
      "only [E230]\n"
      "2:41: error: ENTRYPOINT: model_names[2]: \"vllm-sr/fusion\" is a name by which an algorithm is asked for; a "
      "name "
      "leads to one place only [E230]\n" },
    { "names that only an own classifier knows", 0, "SIGNAL domain maths {}", "" },
    /* What a finding of something else says hides nothing. */
    { "a model whose name has the field's in it", CHECKED_TOP,
      "MODEL a {}\nROUTE r { MODEL \"my-backend\" PLUGIN rag { enabled: true backend: \"nosuch\" } }",
      "2:17: warning: model \"my-backend\" is not declared. Add MODEL my-backend { ... } [W205]\n"
      "2:66: error: route \"r\": plugins[0].configuration.backend: \"nosuch\" is not one of milvus, qdrant, "
      "external_api, mcp, openai, vectorstore, hybrid [E230]\n" },
    { "a field that is said twice", CHECKED_TOP,
      "SIGNAL kb q { kb: \"x\" kb: \"nosuch\" target: { kind: \"label\", value: \"x\" } }",
      "1:23: warning: field \"kb\" is set twice; the last one counts [W105]\n"
      "1:27: error: SIGNAL kb q: kb: knowledge base \"nosuch\" is not declared under global.model_catalog.kbs "
      "[E230]\n" },
    { "a constraint of another field, in a declaration named like this one", 0,
      "SIGNAL kb kb { kb: \"nosuch\" target: { kind: \"label\", value: \"x\", more: 5 } }",
      "1:20: error: SIGNAL kb kb: kb: knowledge base \"nosuch\" is not declared under global.model_catalog.kbs "
      "[E230]\n"
      "1:66: constraint: SIGNAL kb kb: unknown field \"target.more\" [C301]\n" },
    /* Nothing twice. */
    { "patterns", 0, "SIGNAL keyword k { method: \"regex\" keywords: [\"(\"] }",
      "1:47: constraint: SIGNAL keyword k: \"(\" is no regular expression in RE2 syntax: missing closing ): `(` (byte "
      "1) [C312]\n" },
    { "missing fields", 0, "SIGNAL keyword k {}", "1:1: constraint: SIGNAL keyword k: keywords is required [C305]\n" },
    { "ranges", 0, "SIGNAL embedding e { threshold: 1.5 candidates: [\"x\"] }",
      "1:33: constraint: SIGNAL embedding e: threshold must be <= 1, got 1.5 (fix: set to 1) [C310]\n" },
    { "references", 0, "SIGNAL domain math {}\nROUTE r { WHEN domain(\"mth\") MODEL \"m\" }",
      "2:16: warning: signal domain(\"mth\") is not defined. Add SIGNAL domain mth { ... } (fix: change to \"math\") "
      "[W201]\n" },
    { "members", 0,
      "SIGNAL domain math {}\nSIGNAL domain law {}\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"math\", \"lw\"] default: \"physics\" }",
      "3:67: warning: PROJECTION partition p: member \"lw\" is not defined. Add SIGNAL domain lw { ... } (fix: change "
      "to "
      "\"law\") [W201]\n"
      "3:82: warning: PROJECTION partition p: default \"physics\" is not a member [W202]\n" },
    { "fields of what is missing, or no object", 0, "SIGNAL kb b { kb: \"mmlu_kb\" target: \"label\" }",
      "1:37: constraint: SIGNAL kb b: target should be an object, got \"label\" [C302]\n" },
    { "adapters", CHECKED_TOP, "MODEL qwen { loras: [{ name: \"sql\" }] }\nROUTE r { MODEL \"qwen\" (lora = \"sq\") }",
      "2:17: warning: LoRA \"sq\" is not declared for model \"qwen\" (fix: change to \"sql\") [W206]\n" },
    { "models where some are declared", CHECKED_TOP,
      "MODEL a {}\nROUTE r { MODEL \"a\" ALGORITHM fusion { model: \"b\" } }",
      "2:47: warning: route \"r\": ALGORITHM fusion: model \"b\" is not declared. Add MODEL b { ... } (fix: change to "
      "\"a\") [W205]\n" },
    { "fields of the wrong kind, which are left out", 0,
      "SIGNAL kb b { kb: \"mmlu_kb\" target: { kind: \"label\", value: 5 } }",
      "1:61: constraint: SIGNAL kb b: target.value should be a string, got 5 [C302]\n" },
    { "names that lead to two places", CHECKED_TOP,
      "ENTRYPOINT { model_names: [\"x\"] recipe: \"default\" }\n"
      "ENTRYPOINT { model_names: [\"x\"] recipe: \"default\" }\nROUTE r { MODEL \"m\" }",
      "2:28: warning: ENTRYPOINT: model \"x\" is already mapped at line 1 [W207]\n" },
    { "cycles", 0, "PROJECTION score a { inputs: [{ type: \"projection\", name: \"a\", weight: 1 }] }",
      "1:1: constraint: projection score dependency cycle: a -> a [C320]\n" },
    { "members of several types", 0,
      "SIGNAL domain d {}\nSIGNAL embedding e { threshold: 0.5 candidates: [\"x\"] }\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"d\", \"e\"] default: \"d\" }",
      "3:58: constraint: PROJECTION partition p: members must be signals of one type, domain or embedding, got "
      "domain=[d], embedding=[e] [C322]\n" },
    { "labels and predicates that are missing", 0,
      "SIGNAL classifier t { type: \"local\" labels: [\"toxic\", \"fine\"] model_path: \"m\" }\n"
      "ROUTE r { WHEN classifier(\"t\") MODEL \"m\" }",
      "2:27: constraint: classifier(\"t\") needs a label and a predicate [C307]\n" },
    /* Nothing at all. */
    { "models where none is declared", 0, "ROUTE r { MODEL \"a\" (lora = \"x\") ALGORITHM fusion { model: \"b\" } }",
      "" },
    { "a keyword signal without an operator", 0, "SIGNAL keyword k { keywords: [\"x\"] }", "" },
    { "an empty program", CHECKED_TOP, "# nothing", "" },
    { "what examples of the language leave open", 0,
      "SIGNAL classifier tox { type: \"local\" labels: [\"toxic\", \"fine\"] }\n"
      "ROUTE r { MODEL \"a\" ALGORITHM confidence { hybrid_weights: { logprob_weight: 0.6, margin_weight: 0.4 } } }",
      "" },
    { "the environment", 0, "SIGNAL keyword k { keywords: [\"${VSR_TEST_UNSET}\"] }", "" },
};

static void check_case(const struct checked_case *it, bool in_recipe) {
    struct arena *arena = arena_new(0, 0);
    struct compiled c;
    vsr_str source = str_from_c(it->source), want = str_from_c(it->want);
    if (in_recipe) {
        source = arena_printf(arena, CHECKED_RECIPE "%s }", it->source);
        want = checked_in_recipe(arena, it->want);
    }
    looked_at(&c, source, &(struct dsl_base_of){ 0 });
    CHECK_STR(compiled_findings(&c), arena_c_str(arena, want), it->name);
    compiled_done(&c);
    arena_free(arena);
}

TEST(each_case_is_told) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        check_case(&cases[i], false);
        if (!(cases[i].flags & CHECKED_TOP))
            check_case(&cases[i], true);
    }
}

TEST(hints_tell_what_examples_leave_open) {
    struct compiled c;
    looked_at(&c, VSR_STR("SIGNAL classifier tox { type: \"local\" labels: [\"toxic\", \"fine\"] }"),
              &(struct dsl_base_of){ 0 });
    CHECK_MSG(str_find(compiled_shown(&c, true), VSR_STR("hint: SIGNAL classifier tox: model_path is required")) >= 0,
              "%.*s", VSR_FMT(compiled_shown(&c, true)));
    compiled_done(&c);
}

TEST(hints_tell_names_that_never_match) {
    struct compiled c;
    looked_at(&c, VSR_STR("SIGNAL domain maths {}\nSIGNAL domain sums { mmlu_categories: [\"math\"] }"),
              &(struct dsl_base_of){ 0 });
    CHECK_MSG(str_find(compiled_shown(&c, true), VSR_STR("1:15: hint: SIGNAL domain maths: name: \"maths\" is no ")) >=
                      0 &&
                  str_find(compiled_shown(&c, true), VSR_STR("did you mean \"math\"? [W231]")) >= 0 &&
                  str_find(compiled_shown(&c, true), VSR_STR("SIGNAL domain sums: name")) < 0,
              "%.*s", VSR_FMT(compiled_shown(&c, true)));
    compiled_done(&c);
}

/* ---- the base */

static void check_base(const char *name, const char *base, const char *program, const char *want) {
    struct arena *arena = arena_new(0, 0);
    struct dsl_base_of of = { yaml_parsed(arena, str_from_c(base)), VSR_STR("base.yaml"), NULL };
    struct compiled c;
    looked_at(&c, str_from_c(program), &of);
    CHECK_STR(compiled_findings(&c), want, name);
    compiled_done(&c);
    arena_free(arena);
}

TEST(the_base_counts) {
    static const char kb[] = "SIGNAL kb q { kb: \"mine\" target: { kind: \"label\", value: \"x\" } }";
    static const char blank[] = "SIGNAL keyword k { keywords: [\" \"] }";
    check_base("it declares", "version: v0.3\nglobal: {model_catalog: {kbs: [{name: mine, source: {path: kb}}]}}\n", kb,
               "");
    check_base("what a program was compiled to is none", "routing: {strategy: priority}\n", "ROUTE r { MODEL \"m\" }",
               "");
    check_base("it is wrong", "version: v0.2\nglobal: {model_catalog: {kbs: [{name: mine, source: {path: kb}}]}}\n", kb,
               "warning: loading refuses the base, base.yaml, line 1, column 10: version: found \"v0.2\", expected "
               "\"v0.3\" [W230]\n");
    check_base("both are", "version: v0.2\n", blank,
               "warning: loading refuses the base, base.yaml, line 1, column 10: version: found \"v0.2\", expected "
               "\"v0.3\" [W230]\n"
               "1:31: error: SIGNAL keyword k: keywords[0]: must not be blank [E230]\n");
}

TEST(nothing_is_said_while_there_are_errors) {
    struct compiled c;
    looked_at(&c, VSR_STR("SIGNAL foobar x {}\nSIGNAL keyword k { keywords: [\" \"] }"), &(struct dsl_base_of){ 0 });
    CHECK_MSG(str_find(compiled_findings(&c), VSR_STR("E230")) < 0, "%.*s", VSR_FMT(compiled_findings(&c)));
    compiled_done(&c);
}

RUN_TESTS(T(each_case_is_told), T(hints_tell_what_examples_leave_open), T(hints_tell_names_that_never_match),
          T(the_base_counts), T(nothing_is_said_while_there_are_errors))
