/* What deployments take: custom resources and values of charts, with the policy as it was compiled. */
#include "compiled.h"

#include "dsl/emit.h"

static const char program[] = "SIGNAL keyword k { operator: \"OR\" keywords: [\"yes\", \"8\"] }\n"
                              "PROJECTION score s { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
                              "PROJECTION mapping b { source: \"s\" outputs: [{ name: \"hi\", gte: 0 }] }\n"
                              "ENTRYPOINT { model_names: [\"v\"] recipe: \"fast\" }\n"
                              "ROUTE r { WHEN projection(\"hi\") MODEL m }\n"
                              "RECIPE fast { ROUTE all { MODEL m } }\n";

#define POLICY \
    "routing:\n" \
    "      modelCards: [{name: m}]\n" \
    "      signals: {keywords: [{name: k, operator: OR, keywords: ['yes', '8'], case_sensitive: false}]}\n" \
    "      projections:\n" \
    "        scores: [{name: s, method: weighted_sum, inputs: [{type: keyword, name: k, weight: 1}]}]\n" \
    "        mappings: [{name: b, source: s, method: threshold_bands, outputs: [{name: hi, gte: 0}]}]\n" \
    "      decisions: [{name: r, rules: {operator: AND, conditions: [{type: projection, name: hi}]}, " \
    "modelRefs: [{model: m, use_reasoning: false}]}]\n" \
    "    entrypoints: [{model_names: [v], recipe: fast}]\n" \
    "    recipes: [{name: fast, routing: {decisions: [{name: all, rules: {operator: AND}, modelRefs: [{model: m, " \
    "use_reasoning: false}]}]}}]\n"

TEST(a_resource_has_the_whole_policy) {
    static const char want[] = "apiVersion: vllm.ai/v1alpha1\n"
                               "kind: SemanticRouter\n"
                               "metadata: {name: router, namespace: default}\n"
                               "spec:\n"
                               "  config:\n"
                               "    " POLICY "  vllmEndpoints: []\n";
    struct emit_options options = { 0 };
    struct compiled c;
    struct yaml_node *resource;
    compiled_make(&c, str_from_c(program));
    CHECK_STR(compiled_findings(&c), "", "findings");
    resource = emit_crd(c.arena, c.root, &options);
    CHECK_MEANS(c.arena, resource, yaml_parsed(c.arena, str_from_c(want)), "resource");
    CHECK_MEANS(c.arena, yaml_parsed(c.arena, yaml_text(c.arena, resource)), resource, "its text");
    compiled_done(&c);
}

TEST(values_have_the_whole_policy) {
    static const char want[] = "config:\n"
                               "    version: v0.3\n"
                               "    " POLICY;
    struct compiled c;
    compiled_make(&c, str_from_c(program));
    CHECK_MEANS(c.arena, emit_helm(c.arena, c.root), yaml_parsed(c.arena, str_from_c(want)), "values");
    compiled_done(&c);
}

TEST(text_is_quoted_where_it_would_be_read_as_something_else) {
    struct compiled c;
    compiled_make(&c,
                  VSR_STR(
                      "SIGNAL keyword k { operator: \"OR\" keywords: [\"yes\", \"8\", \"a: b\", \"plain\", \"\"] }"));
    CHECK_STR(yaml_text(c.arena, c.root),
              "routing:\n"
              "  signals:\n"
              "    keywords:\n"
              "      - name: k\n"
              "        operator: OR\n"
              "        keywords:\n"
              "          - \"yes\"\n"
              "          - \"8\"\n"
              "          - \"a: b\"\n"
              "          - plain\n"
              "          - \"\"\n"
              "        case_sensitive: false\n",
              "text");
    compiled_done(&c);
}

static const char document[] = "version: v0.3\n"
                               "providers:\n"
                               "  defaults: {default_model: a}\n"
                               "  models:\n"
                               "    - name: a\n"
                               "      reasoning_family: qwen3\n"
                               "      backend_refs:\n"
                               "        - {name: one, endpoint: 'vllm-a:8000', weight: 3}\n"
                               "        - {endpoint: 'vllm-b.models.svc.cluster.local', protocol: https, weight: 1}\n"
                               "        - {name: none, endpoint: 'vllm-c', weight: 0}\n"
                               "        - {name: v6, endpoint: '[::1]:8000'}\n"
                               "        - {name: url, base_url: 'https://api.example:8443/v1'}\n"
                               "routing: {strategy: priority, signals: {domains: [{name: law}]}}\n";

TEST(backends_become_endpoints) {
    static const char want[] =
        "apiVersion: vllm.ai/v1alpha1\n"
        "kind: SemanticRouter\n"
        "metadata: {name: edge, namespace: ai}\n"
        "spec:\n"
        "  config:\n"
        "    routing: {strategy: priority, signals: {domains: [{name: law}]}}\n"
        "    strategy: priority\n"
        "    categories: [{name: law}]\n"
        "    default_model: a\n"
        "  vllmEndpoints:\n"
        "    - {name: one, model: a, reasoningFamily: qwen3, backend: {type: service, service: {name: vllm-a, port: "
        "8000}}, weight: 3}\n"
        "    - {name: a, model: a, reasoningFamily: qwen3, backend: {type: service, service: {name: vllm-b, namespace: "
        "models, port: 443}}}\n"
        "    - {name: none, model: a, reasoningFamily: qwen3, backend: {type: service, service: {name: vllm-c, port: "
        "80}}}\n"
        "    - {name: url, model: a, reasoningFamily: qwen3, backend: {type: service, service: {name: api.example, "
        "port: "
        "8443}}}\n";
    struct emit_options options = { .name = VSR_STR("edge"), .namespace = VSR_STR("ai"), .legacy = true };
    struct arena *arena = arena_new(0, 0);
    struct yaml_node *root = yaml_parsed(arena, str_from_c(document));
    CHECK_MEANS(arena, emit_crd(arena, root, &options), yaml_parsed(arena, str_from_c(want)), "endpoints");
    arena_free(arena);
}

TEST(names_are_those_of_kubernetes) {
    static const struct {
        const char *name;
        bool is_name, is_namespace;
    } names[] = {
        { "router", true, true }, { "a-b.c-1", true, false }, { "", false, false },     { "-a", false, false },
        { "a-", false, false },   { "A", false, false },      { "a..b", false, false }, { "a.", false, false },
        { "a_b", false, false },  { ".a", false, false },     { "0", true, true },
    };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        CHECK_INT(emit_is_name(str_from_c(names[i].name)), names[i].is_name, names[i].name);
        CHECK_INT(emit_is_namespace(str_from_c(names[i].name)), names[i].is_namespace, names[i].name);
    }
}

RUN_TESTS(T(a_resource_has_the_whole_policy), T(values_have_the_whole_policy),
          T(text_is_quoted_where_it_would_be_read_as_something_else), T(backends_become_endpoints),
          T(names_are_those_of_kubernetes))
