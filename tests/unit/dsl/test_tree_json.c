/* The tree as JSON: the shape of each declaration, chains of conditions, and JSON whatever the program. */
#include "test.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "dsl/findings.h"
#include "dsl/parse.h"

enum { TEXT_LEN_MAX = 64 << 20 };

static void write_tree(vsr_str source, struct buf *out) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    struct dsl_parsed parsed;
    findings_init(&findings, arena);
    dsl_parse(arena, source, &parsed, &findings);
    buf_init(out, TEXT_LEN_MAX);
    dsl_tree_json(&parsed, out);
    CHECK(!buf_failed(out), "written");
    arena_free(arena);
}

#define POS(line, col) "\"pos\":{\"Line\":" #line ",\"Column\":" #col "}"
#define REF(type, name, line, col) \
    "{\"type\":\"signal_ref\",\"signalType\":\"" type "\",\"signalName\":\"" name "\"," POS(line, col) "}"
#define ROUTE_END "\"candidateIterations\":[],\"plugins\":[],\"emits\":[]"

/* `list` is the key of the one list that is not empty, `want` what is in it. */
/* clang-format off */
static const struct {
    const char *name, *source, *list, *want;
} cases
    [] = {
        { "nothing", "", NULL, NULL },
        { "signal", "SIGNAL domain \"a b\" { x: [1, -1.5, \"s\", w, true, null, {}], x: 1e-7, y: { z: 1 } }", "signals",
          "{\"signalType\":\"domain\",\"name\":\"a b\",\"fields\":{\"x\":1e-7,\"y\":{\"z\":1}}," POS(1, 1) "}" },
        { "values", "SIGNAL a b { x: [9007199254740993, -1.5, \"s\\n\\\"\", w, true, null, {}] }", "signals",
          "{\"signalType\":\"a\",\"name\":\"b\",\"fields\":{\"x\":[9007199254740993,-1.5,\"s\\n\\\"\",\"w\",true,null,{"
          "}]}," POS(1, 1) "}" },
        { "entrypoint", "\n ENTRYPOINT { model_names: [\"a\", b] recipe: \"f\" }", "entrypoints",
          "{\"modelNames\":[\"a\",\"b\"],\"recipe\":\"f\"," POS(2, 2) "}" },
        { "score",
          "PROJECTION score s { method: \"m\" inputs: [{ type: \"kb_metric\" kb: \"k\" metric: \"v\" weight: 2 }] "
          "name: \"x\" }",
          "projectionScores",
          "{\"name\":\"s\",\"method\":\"m\",\"inputs\":[{\"type\":\"kb_metric\",\"kb\":\"k\",\"metric\":\"v\","
          "\"weight\":2}]," POS(1, 1) "}" },
        { "partition", "PROJECTION partition p { default: \"d\" }", "projectionPartitions",
          "{\"name\":\"p\",\"default\":\"d\"," POS(1, 1) "}" },
        { "mapping", "PROJECTION mapping p { source: \"s\" outputs: [{ name: \"o\" gte: 0 }] }", "projectionMappings",
          "{\"name\":\"p\",\"source\":\"s\",\"outputs\":[{\"name\":\"o\",\"gte\":0}]," POS(1, 1) "}" },
        { "model", "MODEL m { param_size: \"7B\" }", "models",
          "{\"name\":\"m\",\"fields\":{\"param_size\":\"7B\"}," POS(1, 1) "}" },
        { "template", "PLUGIN p tools {}", "plugins",
          "{\"name\":\"p\",\"pluginType\":\"tools\",\"fields\":{}," POS(1, 1) "}" },
        { "test", "TEST t { \"q\" -> r { keyword: [\"k\"] } }", "testBlocks",
          "{\"name\":\"t\",\"entries\":[{\"query\":\"q\",\"routeName\":\"r\",\"facts\":{\"keyword\":[\"k\"]}," POS(
              1, 10) "}]," POS(1, 1) "}" },
        { "bare route", "ROUTE r {}", "routes",
          "{\"name\":\"r\",\"priority\":0,\"tier\":0,\"when\":null,\"models\":[]," ROUTE_END "," POS(1, 1) "}" },
        { "route",
          "ROUTE r (description = \"d\") { PRIORITY 1 PRIORITY 9 TIER 2 MODEL a (reasoning = true, lora = x, weight = "
          "1.5, "
          "param_size = \"7B\", effort = low), b MODEL c ALGORITHM fusion { x: 1 } PLUGIN p }",
          "routes",
          "{\"name\":\"r\",\"description\":\"d\",\"priority\":9,\"tier\":2,\"when\":null,\"models\":[{\"model\":\"a\","
          "\"reasoning\":true,\"effort\":\"low\",\"lora\":\"x\",\"weight\":1.5,\"paramSize\":\"7B\"," POS(
              1, 66) "},{\"model\":\"b\"," POS(1,
                                               145) "},{\"model\":\"c\"," POS(1,
                                                                              153) "}],\"candidateIterations\":[],"
                                                                                   "\"algorithm\":{\"algoType\":"
                                                                                   "\"fusion\",\"fields\":{\"x\":1}"
                                                                                   "," POS(1, 165) "},\"plugins\":[{"
                                                                                                   "\"name\":\"p\","
                                                                                                   "\"fields\":{}," POS(
                                                                                                       1,
                                                                                                       188) "}],"
                                                                                                            "\"emits\":"
                                                                                                            "[]," POS(1,
                                                                                                                      1) "}" },
        { "iteration, emission, extra",
          "ROUTE r { FOR v IN [a] { MODEL v } FOR w IN decision.candidates {} EMIT retention { drop: true } EXTRA { x: "
          "1 } EXTRA { y: 2 x: 3 } "
          "DESCRIPTION \"e\" }",
          "routes",
          "{\"name\":\"r\",\"description\":\"e\",\"priority\":0,\"tier\":0,\"when\":null,\"models\":[],"
          "\"candidateIterations\":["
          "{\"variable\":\"v\",\"source\":\"models\",\"models\":[{\"model\":\"a\"," POS(
              1, 21) "}],\"outputs\":[{\"type\":\"model\",\"value\":\"v\"," POS(1, 32) "}]," POS(1,
                                                                                                 11) "},{\"variable\":"
                                                                                                     "\"w\",\"source\":"
                                                                                                     "\"decision."
                                                                                                     "candidates\","
                                                                                                     "\"models\":[],"
                                                                                                     "\"outputs\":[]"
                                                                                                     "," POS(1,
                                                                                                             36) "}],"
                                                                                                                 "\"plu"
                                                                                                                 "gins"
                                                                                                                 "\":[]"
                                                                                                                 ",\"em"
                                                                                                                 "its\""
                                                                                                                 ":[{"
                                                                                                                 "\"kin"
                                                                                                                 "d\":"
                                                                                                                 "\"ret"
                                                                                                                 "entio"
                                                                                                                 "n\","
                                                                                                                 "\"fie"
                                                                                                                 "lds\""
                                                                                                                 ":{"
                                                                                                                 "\"dro"
                                                                                                                 "p\":"
                                                                                                                 "true}"
                                                                                                                 "," POS(1,
                                                                                                                         68) "}],\"extra\":{\"y\":2,\"x\":3}," POS(1,
                                                                                                                                                           1) "}" },
        { "condition", "ROUTE r { WHEN a(b) AND NOT (c(d) OR e(\"f\", label: \"l\")) AND g(h) }", "routes",
          "{\"name\":\"r\",\"priority\":0,\"tier\":0,\"when\":{\"type\":\"and\",\"left\":{\"type\":\"and\","
          "\"left\":" REF("a", "b", 1, 16) ",\"right\":{\"type\":\"not\",\"expr\":{\"type\":\"or\",\"left\":" REF(
              "c", "d", 1,
              30) ",\"right\":{\"type\":\"signal_ref\",\"signalType\":\"e\",\"signalName\":\"f\",\"fields\":{"
                  "\"label\":\"l\"}," POS(1, 38) "}," POS(1, 29) "}," POS(1, 25) "}," POS(1, 16) "},\"right\":" REF(
                      "g", "h", 1, 62) "," POS(1, 16) "},\"models\":[]," ROUTE_END "," POS(1, 1) "}" },
        { "tree", "DECISION_TREE t { IF a(b) { NAME n DESCRIPTION \"d\" MODEL m } ELSE { MODEL o } }", "decisionTrees",
          "{\"name\":\"t\",\"branches\":[{\"name\":\"n\",\"description\":\"d\",\"tier\":0,\"when\":" REF(
              "a", "b", 1,
              22) ",\"models\":[{\"model\":\"m\"," POS(1, 58) "}]," ROUTE_END
                                                              "," POS(1, 19) "},{\"tier\":0,\"when\":null,\"models\":[{"
                                                                             "\"model\":\"o\"," POS(
                                                                                 1, 75) "}]," ROUTE_END
                                                                                        "," POS(1,
                                                                                                62) "}]," POS(1,
                                                                                                              1) "}" },
        { "recipe", "RECIPE f (description = \"d\", strategy = confidence) { ROUTE r {} }", "recipes",
          "{\"name\":\"f\",\"description\":\"d\",\"program\":{\"strategy\":\"confidence\",\"signals\":[],"
          "\"projectionPartitions\":[],\"projectionScores\":[],\"projectionMappings\":[],\"routes\":[{\"name\":\"r\","
          "\"priority\":0,\"tier\":0,\"when\":null,\"models\":[]," ROUTE_END
          "," POS(1, 55) "}],\"decisionTrees\":[],\"plugins\":[],\"testBlocks\":[]}," POS(1, 1) "}" },
    };
/* clang-format on */

TEST(declarations) {
    static const char *const lists[] = { "entrypoints",      "recipes",
                                         "signals",          "projectionPartitions",
                                         "projectionScores", "projectionMappings",
                                         "routes",           "decisionTrees",
                                         "models",           "plugins",
                                         "testBlocks" };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct buf got, want;
        write_tree(str_from_c(cases[i].source), &got);
        buf_init(&want, TEXT_LEN_MAX);
        for (size_t k = 0; k < VSR_COUNT(lists); k++)
            buf_printf(&want, "%s\"%s\":[%s]", k ? "," : "{", lists[k],
                       cases[i].list && strcmp(cases[i].list, lists[k]) == 0 ? cases[i].want : "");
        buf_append_char(&want, '}');
        buf_append_char(&want, '\0');
        CHECK_STR(buf_str(&got), want.ptr, cases[i].name);
        buf_done(&want);
        buf_done(&got);
    }
}

TEST(the_last_strategy_counts) {
    struct buf got;
    write_tree(VSR_STR("ROUTING { strategy: priority } ROUTING { strategy: \"confidence\" }"), &got);
    CHECK(str_starts(buf_str(&got), VSR_STR("{\"strategy\":\"confidence\",\"entrypoints\":")), "two blocks");
    buf_done(&got);
    write_tree(VSR_STR("RECIPE f (strategy = priority) { ROUTING { strategy: confidence } }"), &got);
    CHECK(str_find(buf_str(&got), VSR_STR("\"program\":{\"strategy\":\"confidence\"")) > 0, "block and option");
    buf_done(&got);
}

/* Deeper than that our own reader of JSON does not go, and others have their limits too. */
TEST(long_chains_are_not_deep) {
    struct arena *arena = arena_new(0, 0);
    struct json_doc doc;
    struct vsr_err err = VSR_ERR_NONE;
    struct buf text, got;
    size_t n = 0;
    buf_init(&text, TEXT_LEN_MAX);
    buf_append_c(&text, "ROUTE r { WHEN a(\"0\")");
    for (int i = 1; i < 10000; i++)
        buf_printf(&text, " OR a(\"%d\")", i);
    buf_append_c(&text, " }");
    write_tree(buf_str(&text), &got);
    CHECK_INT(json_parse(arena, buf_str(&got), &doc, &err), 0, err.text);
    /* all are there, in their order */
    for (vsr_str rest = buf_str(&got);; n++) {
        static const vsr_str key = VSR_STR_INIT("\"signalName\":\"");
        ptrdiff_t at = str_find(rest, key);
        if (at < 0)
            break;
        rest = str_sub(rest, (size_t)at + key.len, rest.len);
        CHECK_INT(strtoul(rest.ptr, NULL, 10), n, "in order");
    }
    CHECK_INT(n, 10000, "all");
    buf_done(&text);
    buf_done(&got);
    arena_free(arena);
}

RUN_TESTS(T(declarations), T(the_last_strategy_counts), T(long_chains_are_not_deep))
