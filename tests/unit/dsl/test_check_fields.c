/* Fields against their tables: C301 to C313, each where it holds and where it does not; the same inside of recipes. */
#include "checked.h"

static const struct checked_case cases[] = {
    { "C301: a signal", 0, "SIGNAL language en { treshold: 0.5 }",
      "1:22: constraint: SIGNAL language en: unknown field \"treshold\" (fix: change to \"threshold\") [C301]\n" },
    { "C301: nothing near", 0, "SIGNAL language en { zzzzzzzzzzzzz: 0.5 }",
      "1:22: constraint: SIGNAL language en: unknown field \"zzzzzzzzzzzzz\" [C301]\n" },
    { "C301: nested", 0,
      "SIGNAL complexity c { hard: { candidate: [\"a\"] } easy: { candidates: [\"b\"], foo_bar_baz_qux: 1 } }",
      "1:31: constraint: SIGNAL complexity c: unknown field \"hard.candidate\" (fix: change to \"candidates\") [C301]\n"
      "1:77: constraint: SIGNAL complexity c: unknown field \"easy.foo_bar_baz_qux\" [C301]\n" },
    { "C301: in a feature", 0,
      "SIGNAL structure s { feature: { type: \"count\", source: { type: \"regex\", pattern: \"x\", flags: \"i\" } } }",
      "1:87: constraint: SIGNAL structure s: unknown field \"feature.source.flags\" [C301]\n" },
    { "C301: ROUTING", 0, "ROUTING { strategy: priority untierd: \"first\" }",
      "1:30: constraint: ROUTING: unknown field \"untierd\" (fix: change to \"untiered\") [C301]\n" },
    { "C301: options of a recipe", CHECKED_TOP,
      "RECIPE x (descripton = \"d\", strategy = priority) { ROUTE r { MODEL m } }",
      "1:11: constraint: RECIPE x: unknown field \"descripton\" (fix: change to \"description\") [C301]\n" },
    { "C301: options of a route", 0, "ROUTE r (describtion = \"d\", tier = 1) { MODEL m }",
      "1:10: constraint: ROUTE r: unknown field \"describtion\" (fix: change to \"description\") [C301]\n"
      "1:29: constraint: ROUTE r: unknown field \"tier\" [C301]\n" },
    { "C301: options of a model", 0, "ROUTE r { MODEL \"a\" (reasonning = true), b (param_sise = \"7B\") }",
      "1:22: constraint: route \"r\": MODEL \"a\": unknown field \"reasonning\" (fix: change to \"reasoning\") [C301]\n"
      "1:45: constraint: route \"r\": MODEL \"b\": unknown field \"param_sise\" (fix: change to \"param_size\") "
      "[C301]\n" },
    { "options of a model", 0,
      "ROUTE r { MODEL \"a\" (reasoning = true, effort = high, lora = x, weight = 2, param_size = \"7B\") }", "" },
    { "C301: a leaf", 0,
      "SIGNAL domain d {}\n"
      "ROUTE r { WHEN domain(\"d\", labels: \"x\") MODEL m }",
      "2:28: constraint: domain(\"d\"): unknown field \"labels\" (fix: change to \"label\") [C301]\n" },
    { "C301: an algorithm", 0,
      "ROUTE r { MODEL m ALGORITHM confidence { treshold: 0.5, hybrid_weights: { logprob: 1 } } }",
      "1:42: constraint: route \"r\": ALGORITHM confidence: unknown field \"treshold\" (fix: change to \"threshold\") "
      "[C301]\n"
      "1:75: constraint: route \"r\": ALGORITHM confidence: unknown field \"hybrid_weights.logprob\" (fix: change to "
      "\"logprob_weight\") [C301]\n" },
    { "C301: a plugin and a template", 0,
      "PLUGIN p memory { retrieval_limits: 3 }\n"
      "ROUTE r { MODEL m PLUGIN p { auto_stores: true } PLUGIN tools { modes: \"none\" } }",
      "1:19: constraint: PLUGIN p: unknown field \"retrieval_limits\" (fix: change to \"retrieval_limit\") [C301]\n"
      "2:30: constraint: route \"r\": PLUGIN p: unknown field \"auto_stores\" (fix: change to \"auto_store\") [C301]\n"
      "2:65: constraint: route \"r\": PLUGIN tools: unknown field \"modes\" (fix: change to \"mode\") [C301]\n" },
    { "C301: a model", CHECKED_TOP, "MODEL m { param_sizes: \"7B\" loras: [{ nam: \"x\" }] }",
      "1:11: constraint: MODEL m: unknown field \"param_sizes\" (fix: change to \"param_size\") [C301]\n"
      "1:39: constraint: MODEL m: unknown field \"loras.nam\" (fix: change to \"name\") [C301]\n" },
    { "C301: projections", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION partition p { semantic: \"exclusive\" semantics: \"exclusive\" members: [\"d\"] default: \"d\" }\n"
      "SIGNAL domain d {}\n"
      "PROJECTION score s { inputs: [{ type: \"keyword\", name: \"k\", weight: 1, wait: 2 }] }\n"
      "PROJECTION mapping m { source: \"s\" outputs: [{ name: \"x\", gte: 0, get: 1 }] calibration: { slop: 2 } }",
      "2:26: constraint: PROJECTION partition p: unknown field \"semantic\" (fix: change to \"semantics\") [C301]\n"
      "4:72: constraint: PROJECTION score s: unknown field \"inputs.wait\" (fix: change to \"name\") [C301]\n"
      "5:67: constraint: PROJECTION mapping m: unknown field \"outputs.get\" (fix: change to \"gt\") [C301]\n"
      "5:92: constraint: PROJECTION mapping m: unknown field \"calibration.slop\" (fix: change to \"slope\") "
      "[C301]\n" },
    { "C301: what has no item of its own", 0, "ROUTE r { MODEL m EXTRA { output_contrakt: \"x\" } }",
      "1:27: constraint: route \"r\": EXTRA: unknown field \"output_contrakt\" (fix: change to \"output_contract\") "
      "[C301]\n" },
    { "C301: an entrypoint", CHECKED_TOP, "ENTRYPOINT { model_names: [\"x\"] recipe: \"default\" models: 1 }",
      "1:51: constraint: ENTRYPOINT: unknown field \"models\" (fix: change to \"model_names\") [C301]\n" },
    { "C301: facts of a test", 0,
      "ROUTE r { MODEL m }\n"
      "TEST t { \"q\" -> r { keywort: [\"k\"], projektion: \"x\" } }",
      "2:21: constraint: TEST t: unknown signal type \"keywort\" (fix: change to \"keyword\") [C301]\n"
      "2:37: constraint: TEST t: unknown signal type \"projektion\" (fix: change to \"projection\") [C301]\n" },
    { "C302: integers beyond 64 bits", CHECKED_TOP,
      "MODEL m { context_window_size: 1e22 }\nROUTE r { MODEL m PLUGIN request_params { max_n: 9223372036854775807 "
      "max_tokens_limit: 9223372036854775808.0 } PLUGIN router_replay { max_records: -1e20 } }",
      "1:32: constraint: MODEL m: context_window_size should be an integer of 64 bits, got 1e22 [C302]\n"
      "2:88: constraint: route \"r\": PLUGIN request_params: max_tokens_limit should be an integer of 64 bits, got "
      "9223372036854775808.0 [C302]\n"
      "2:148: constraint: route \"r\": PLUGIN router_replay: max_records should be an integer of 64 bits, got -1e20 "
      "[C302]\n" },
    { "C302: texts", 0,
      "SIGNAL domain d { description: 3 mmlu_categories: \"math\" }\n"
      "SIGNAL language en { description: true }\n"
      "SIGNAL language de { description: [\"x\"] }\n"
      "SIGNAL language fr { description: { a: 1 } }",
      "1:32: constraint: SIGNAL domain d: description should be a string, got 3 [C302]\n"
      "1:51: constraint: SIGNAL domain d: mmlu_categories should be a list of strings, got \"math\" [C302]\n"
      "2:35: constraint: SIGNAL language en: description should be a string, got true [C302]\n"
      "3:35: constraint: SIGNAL language de: description should be a string, got a list [C302]\n"
      "4:35: constraint: SIGNAL language fr: description should be a string, got an object [C302]\n" },
    { "C302: nothing in a list", 0, "SIGNAL keyword k { keywords: [\"a\", null] description: null }",
      "1:36: constraint: SIGNAL keyword k: each of keywords should be a string, got null [C302]\n" },
    { "C302: numbers", 0, "SIGNAL reask r { threshold: \"0.5\" lookback_turns: 2.5 }",
      "1:29: constraint: SIGNAL reask r: threshold should be a number, got \"0.5\" [C302]\n"
      "1:51: constraint: SIGNAL reask r: lookback_turns should be an integer, got 2.5 [C302]\n" },
    { "integers may be written as numbers", 0, "SIGNAL reask r { threshold: 1 lookback_turns: 2.0 }", "" },
    { "C302: truths", 0, "SIGNAL keyword k { keywords: [\"x\"] case_sensitive: \"true\" fuzzy_match: 1 }",
      "1:52: constraint: SIGNAL keyword k: case_sensitive should be true or false, got \"true\" [C302]\n"
      "1:72: constraint: SIGNAL keyword k: fuzzy_match should be true or false, got 1 [C302]\n" },
    { "C302: lists", 0,
      "SIGNAL keyword k { keywords: [\"x\", 3, y] }\n"
      "SIGNAL authz a { role: \"r\" subjects: [\"u\", { kind: \"User\", name: \"n\" }] }",
      "1:36: constraint: SIGNAL keyword k: each of keywords should be a string, got 3 [C302]\n"
      "2:39: constraint: SIGNAL authz a: each of subjects should be an object, got \"u\" [C302]\n" },
    { "C302: lists of lists", 0,
      "SIGNAL structure s { feature: { type: \"sequence\", source: { type: \"sequence\", sequences: [[\"a\", \"b\"], "
      "\"c\"] } } }",
      "1:103: error: structure \"s\": each of feature.source.sequences needs at least two markers [E206]\n"
      "1:103: constraint: SIGNAL structure s: each of feature.source.sequences should be a list of strings, got \"c\" "
      "[C302]\n" },
    { "C302: objects", 0, "SIGNAL kb b { kb: \"x\" target: \"label\" }",
      "1:31: constraint: SIGNAL kb b: target should be an object, got \"label\" [C302]\n" },
    { "C302: lists of integers", 0,
      "ROUTE r { MODEL m ALGORITHM remom { breadth_schedule: [1, 2] shuffle_seed: \"x\" } }",
      "1:76: constraint: route \"r\": ALGORITHM remom: shuffle_seed should be an integer, got \"x\" [C302]\n" },
    { "C302: options", 0, "ROUTE r { MODEL m (reasoning = yes, weight = \"2\", param_size = 7) }",
      "1:32: constraint: route \"r\": MODEL \"m\": reasoning should be true or false, got \"yes\" [C302]\n"
      "1:46: constraint: route \"r\": MODEL \"m\": weight should be a number, got \"2\" [C302]\n"
      "1:64: constraint: route \"r\": MODEL \"m\": param_size should be a string, got 7 [C302]\n" },
    { "null says nothing", 0, "SIGNAL language en { threshold: null description: null }", "" },
    { "C302: token counts", 0,
      "SIGNAL context c { min_tokens: 8000 max_tokens: \"1X\" }\n"
      "SIGNAL context e { min_tokens: 1.5 max_tokens: [\"8K\"] }",
      "1:32: constraint: SIGNAL context c: min_tokens should be a string token count such as \"8000\" [C302]\n"
      "1:49: constraint: SIGNAL context c: max_tokens should be a string token count such as \"8K\", got \"1X\" "
      "[C302]\n"
      "2:32: constraint: SIGNAL context e: min_tokens should be a string token count such as \"1.5\" [C302]\n"
      "2:48: constraint: SIGNAL context e: max_tokens should be a string token count such as \"8K\", got a list "
      "[C302]\n" },
    { "token counts", 0,
      "SIGNAL context c { min_tokens: \"8k\" max_tokens: \" 1.5M \" }\n"
      "SIGNAL context d { min_tokens: \"\" }\n"
      "SIGNAL context e { min_tokens: 8K }",
      "" },
    { "the last of a key counts", CHECKED_TOP, "SIGNAL language en { threshold: \"x\" threshold: 0.5 }",
      "1:37: warning: field \"threshold\" is set twice; the last one counts [W105]\n" },
    { "C305: what signals need", 0,
      "SIGNAL keyword k {}\n"
      "SIGNAL embedding e {}\n"
      "SIGNAL complexity c { hard: { candidates: [\"a\"] } }\n"
      "SIGNAL kb b { kb: \" \" target: { kind: \"label\" } }",
      "1:1: constraint: SIGNAL keyword k: keywords is required [C305]\n"
      "2:1: constraint: SIGNAL embedding e: candidates is required [C305]\n"
      "2:1: constraint: SIGNAL embedding e: threshold is required [C305]\n"
      "3:1: constraint: SIGNAL complexity c: easy is required [C305]\n"
      "4:19: constraint: SIGNAL kb b: kb must not be empty [C305]\n"
      "4:31: constraint: SIGNAL kb b: target.value is required [C305]\n" },
    { "C305: lists must have entries", 0,
      "SIGNAL keyword k { keywords: [] }\n"
      "SIGNAL embedding e { threshold: 0.5 candidates: null }",
      "1:30: constraint: SIGNAL keyword k: keywords must not be empty [C305]\n"
      "2:1: constraint: SIGNAL embedding e: candidates is required [C305]\n" },
    { "C305: what projections need", 0,
      "PROJECTION partition p {}\n"
      "PROJECTION score s {}\n"
      "PROJECTION mapping m {}",
      "1:1: constraint: PROJECTION partition p: semantics is required [C305]\n"
      "1:1: constraint: PROJECTION partition p: members is required [C305]\n"
      "1:1: constraint: PROJECTION partition p: default is required [C305]\n"
      "2:1: constraint: PROJECTION score s: inputs is required [C305]\n"
      "3:1: constraint: PROJECTION mapping m: source is required [C305]\n"
      "3:1: constraint: PROJECTION mapping m: outputs is required [C305]\n" },
    { "C305: entries of projections", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score s { inputs: [{ name: \"k\" }, { type: \"keyword\", name: \"k\", weight: 0 }] }\n"
      "PROJECTION mapping m { source: \"s\" outputs: [{ gte: 0 }] }",
      "2:31: constraint: PROJECTION score s: inputs.type is required [C305]\n"
      "2:31: constraint: PROJECTION score s: inputs.weight is required [C305]\n"
      "3:46: constraint: PROJECTION mapping m: outputs.name is required [C305]\n" },
    { "C305: plugins", 0,
      "PLUGIN p fast_response {}\n"
      "ROUTE r { MODEL m PLUGIN fast_response }\n"
      "ROUTE s { MODEL m PLUGIN p }\n"
      "ROUTE t { MODEL m PLUGIN p { message: \"x\" } }",
      "2:26: constraint: route \"r\": PLUGIN fast_response: message is required [C305]\n"
      "3:26: constraint: route \"s\": PLUGIN p: message is required [C305]\n" },
    { "C305: an algorithm", 0, "ROUTE r { MODEL m ALGORITHM prompt { prompt: { model: \"m\" } } }",
      "1:46: constraint: route \"r\": ALGORITHM prompt: prompt.instructions is required [C305]\n" },
    { "C305: names of entrypoints", CHECKED_TOP, "ENTRYPOINT { model_names: [\"x\", \"\"] recipe: \"default\" }",
      "1:33: constraint: ENTRYPOINT: a name of model_names must not be empty [C305]\n" },
    { "C306: choices", 0,
      "SIGNAL keyword k { keywords: [\"x\"] operator: \"XOR\" method: \"bm52\" }\n"
      "ROUTING { strategy: priorty }",
      "1:46: constraint: SIGNAL keyword k: operator must be one of OR, AND, NOR, got \"XOR\" [C306]\n"
      "1:60: constraint: SIGNAL keyword k: method must be one of exact, regex, bm25, ngram, fuzzy, got \"bm52\" "
      "[C306]\n"
      "2:21: constraint: ROUTING: strategy must be one of priority, confidence, got \"priorty\" (fix: change to "
      "\"priority\") [C306]\n" },
    { "choices", 0,
      "SIGNAL keyword k { keywords: [\"x\"] operator: \"any\" method: \"BM25\" }\n"
      "SIGNAL keyword l { keywords: [\"x\"] operator: All method: \"\" }\n"
      "ROUTING { strategy: \"\" }",
      "" },
    { "C306: in plugins and algorithms", 0,
      "ROUTE r { MODEL m PLUGIN tools { mode: \"some\" } ALGORITHM multi_factor { on_no_candidates: \"cheap\" } }",
      "1:40: constraint: route \"r\": PLUGIN tools: mode must be one of passthrough, filtered, none, got \"some\" "
      "[C306]\n"
      "1:92: constraint: route \"r\": ALGORITHM multi_factor: on_no_candidates must be one of cheapest, first, fail, "
      "got \"cheap\" [C306]\n" },
    { "C306: strategy of a recipe", CHECKED_TOP, "RECIPE x (strategy = random) { ROUTE r { MODEL m } }",
      "1:22: constraint: RECIPE x: strategy must be one of priority, confidence, got \"random\" [C306]\n" },
    { "C306: semantics", 0,
      "SIGNAL domain d {}\n"
      "PROJECTION partition p { semantics: \"exclusiv\" members: [\"d\"] default: \"d\" }",
      "2:37: constraint: PROJECTION partition p: semantics must be one of exclusive, softmax_exclusive, got "
      "\"exclusiv\" (fix: change to \"exclusive\") [C306]\n" },
    { "C310: shares", 0,
      "SIGNAL embedding e { threshold: -0.5 candidates: [\"x\"] }\n"
      "SIGNAL language en { threshold: 2 }\n"
      "ROUTE r { MODEL m ALGORITHM confidence { threshold: 1e3 } PLUGIN memory { similarity_threshold: 1.25 } }",
      "1:33: constraint: SIGNAL embedding e: threshold must be >= 0, got -0.5 (fix: set to 0) [C310]\n"
      "2:33: constraint: SIGNAL language en: threshold must be <= 1, got 2 (fix: set to 1) [C310]\n"
      "3:53: constraint: route \"r\": ALGORITHM confidence: threshold must be <= 1, got 1e3 (fix: set to 1) [C310]\n"
      "3:97: constraint: route \"r\": PLUGIN memory: similarity_threshold must be <= 1, got 1.25 (fix: set to 1) "
      "[C310]\n" },
    { "shares", 0,
      "SIGNAL embedding e { threshold: 0 candidates: [\"x\"] }\n"
      "SIGNAL language en { threshold: 1 }",
      "" },
    { "C310: counts", 0,
      "SIGNAL keyword k { keywords: [\"x\"] fuzzy_threshold: -1 ngram_arity: -2 }\n"
      "ROUTE r { MODEL m (weight = -1) PLUGIN memory { retrieval_limit: 0 } }",
      "1:53: constraint: SIGNAL keyword k: fuzzy_threshold must be >= 0, got -1 (fix: set to 0) [C310]\n"
      "1:69: constraint: SIGNAL keyword k: ngram_arity must be >= 0, got -2 (fix: set to 0) [C310]\n"
      "2:29: constraint: route \"r\": MODEL \"m\": weight must be >= 0, got -1 (fix: set to 0) [C310]\n"
      "2:66: constraint: route \"r\": PLUGIN memory: retrieval_limit must be >= 1, got 0 (fix: set to 1) [C310]\n" },
    { "C310: a model", CHECKED_TOP,
      "MODEL m { quality_score: 1.5 context_window_size: -1 }\n"
      "MODEL n { quality_score: 0 context_window_size: 0 }",
      "1:26: constraint: MODEL m: quality_score must be <= 1, got 1.5 (fix: set to 1) [C310]\n"
      "1:51: constraint: MODEL m: context_window_size must be >= 1, got -1 (fix: set to 1) [C310]\n" },
    { "C310: lists", 0, "ROUTE r { MODEL m ALGORITHM remom { breadth_schedule: [4000] } }",
      "1:56: constraint: route \"r\": ALGORITHM remom: each of breadth_schedule must be <= 1024, got 4000 (fix: set to "
      "1024) [C310]\n" },
    { "C310: temperature", 0,
      "SIGNAL domain d {}\n"
      "PROJECTION partition p { semantics: \"softmax_exclusive\" temperature: -1 members: [\"d\"] default: \"d\" }",
      "2:70: constraint: PROJECTION partition p: temperature must be > 0, got -1 [C310]\n"
      "2:83: error: PROJECTION partition p: domain \"d\" is not a supported domain name; give it mmlu_categories "
      "[E205]\n" },
    { "C310: priority and tier", 0,
      "ROUTE r { PRIORITY -1 TIER -2 MODEL m }\n"
      "ROUTE s { PRIORITY 2147483648 TIER 2147483647 MODEL m }\n"
      "ROUTE t { PRIORITY 0 TIER 0 MODEL m }",
      "1:20: constraint: route \"r\": PRIORITY must be >= 0, got -1 (fix: set to 0) [C310]\n"
      "1:28: constraint: route \"r\": TIER must be >= 0, got -2 (fix: set to 0) [C310]\n"
      "2:20: constraint: route \"s\": PRIORITY must be <= 2147483647, got 2147483648 (fix: set to 2147483647) "
      "[C310]\n" },
    { "C310: tier of a branch", 0,
      "SIGNAL domain d {}\n"
      "DECISION_TREE t { IF domain(\"d\") { TIER -1 MODEL m } ELSE { MODEL m } }",
      "2:41: constraint: DECISION_TREE \"t\" branch 1: TIER must be >= 0, got -1 (fix: set to 0) [C310]\n" },
    { "C310: more than nothing", 0, "SIGNAL keyword k { keywords: [\"x\"] bm25_min_cover: 0 }",
      "1:52: constraint: SIGNAL keyword k: bm25_min_cover must be > 0, got 0 [C310]\n" },
    { "C305: an object", 0, "SIGNAL kb b { kb: \"x\" }", "1:1: constraint: SIGNAL kb b: target is required [C305]\n" },
    { "C305: what a template says need not be said", 0,
      "PLUGIN p fast_response { message: \"x\" }\n"
      "ROUTE r { MODEL m PLUGIN p }",
      "" },
    { "E206 tells what a structure lacks", 0,
      "SIGNAL structure s { feature: { type: \"counts\", source: { type: \"regex\" } } }",
      "1:39: error: structure \"s\": feature.type must be one of exists, count, density, sequence, got \"counts\" "
      "[E206]\n" },
    { "C311: token counts", 0,
      "SIGNAL context c { min_tokens: \"8K\" max_tokens: \"4000\" }\n"
      "SIGNAL context d { min_tokens: \"8K\" max_tokens: \"8000\" }\n"
      "SIGNAL context e { min_tokens: \"8K\" max_tokens: \"0\" }\n"
      "SIGNAL context f { min_tokens: \"8K\" }",
      "1:32: constraint: SIGNAL context c: min_tokens 8K is more than max_tokens 4000 [C311]\n" },
    { "C313: trees of signals", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL complexity c { hard: { candidates: [\"a\"] } easy: { candidates: [\"b\"] } composer: { operator: "
      "\"AND\", conditions: [{ type: \"keyword\" }, { type: \"projection\", name: \"x\" }, { type: \"keywrd\", name: "
      "\"k\" }, { type: \"complexity\", name: \"c:hard\" }, {}, { operator: \"OR\" }, { operator: \"NOT\", conditions: "
      "[{ type: \"keyword\", name: \"k\" }, { type: \"keyword\", name: \"kk\" }] }, { type: \"keyword\", name: \"k\", "
      "operator: \"OR\" }] } }",
      "2:121: constraint: SIGNAL complexity c: composer: a leaf needs the name of a signal [C313]\n"
      "2:150: constraint: SIGNAL complexity c: composer: a projection cannot be used here: it is computed after "
      "signals [C313]\n"
      "2:185: constraint: SIGNAL complexity c: composer: unknown signal type \"keywrd\" (fix: change to \"keyword\") "
      "[C313]\n"
      "2:216: constraint: SIGNAL complexity c: composer: a signal of its own type cannot be used here [C313]\n"
      "2:248: constraint: SIGNAL complexity c: composer: a node needs type and name, or operator and conditions "
      "[C313]\n"
      "2:252: constraint: SIGNAL complexity c: composer: an operator needs conditions [C313]\n"
      "2:303: constraint: SIGNAL complexity c: composer: NOT takes exactly one condition [C313]\n"
      "2:361: warning: signal keyword(\"kk\") is not defined. Add SIGNAL keyword kk { ... } (fix: change to \"k\") "
      "[W201]\n"
      "2:372: constraint: SIGNAL complexity c: composer: a node has either type and name, or operator and conditions "
      "[C313]\n" },
    { "a tree of a signal", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL complexity c { hard: { candidates: [\"a\"] } composer: { operator: \"OR\", conditions: [{ type: "
      "\"keyword\", name: \"k\" }, { operator: \"NOT\", conditions: [{ type: \"keyword\", name: \"k\" }] }] } easy: { "
      "candidates: [\"b\"] } }",
      "" },
};

TEST(each_case_is_told) {
    checked_cases(cases, VSR_COUNT(cases));
}

RUN_TESTS(T(each_case_is_told))
