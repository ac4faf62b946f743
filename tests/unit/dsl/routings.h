/*
 * routings - pieces of policies in YAML, for tests of the proofs.
 */
#ifndef VSR_TESTS_DSL_ROUTINGS_H
#define VSR_TESTS_DSL_ROUTINGS_H

#define KEYWORDS \
    "  signals:\n    keywords: [{name: k, operator: OR, keywords: [x]}, {name: l, operator: OR, keywords: [y]}, " \
    "{name: m, operator: OR, keywords: [z]}]\n"
#define ROUTE(name, rank, rules, model) \
    "    - {name: " name ", " rank ", rules: " rules ", modelRefs: [{model: " model ", use_reasoning: false}]}\n"
#define ALWAYS "    - {name: rest, priority: -9, modelRefs: [{model: a, use_reasoning: false}]}\n"
#define LEAF(type, name) "{type: " type ", name: '" name "'}"
#define K LEAF("keyword", "k")
#define L LEAF("keyword", "l")
#define M LEAF("keyword", "m")
#define AND(...) "{operator: AND, conditions: [" __VA_ARGS__ "]}"
#define OR(...) "{operator: OR, conditions: [" __VA_ARGS__ "]}"
#define NOT(x) "{operator: NOT, conditions: [" x "]}"
#define DECISIONS "  decisions:\n"
#define FEATURE(name, type, pattern, bounds) \
    "{name: " name ", feature: {type: " type ", source: {type: regex, pattern: " pattern "}}" bounds "}"
#define FEATURES \
    "{structure: [" FEATURE("some", "count", "q", "") ", " FEATURE( \
        "none", "count", "q", \
        ", predicate: {lt: 1}") ", " FEATURE("sparse", "density", "q", \
                                             ", predicate: {lte: 0}") ", " FEATURE("dense", "density", "q", \
                                                                                   "") ", " FEATURE("other", \
                                                                                                    "density", "w", \
                                                                                                    "") "]}\n"
#define STRUCTURES "  signals: " FEATURES
#define DEEP_STRUCTURES "      signals: " FEATURES

#endif
