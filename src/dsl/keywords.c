#include "dsl/keywords.h"

struct keyword {
    const char *name, *help;
};

static const struct keyword keywords[] = {
    { "ROUTING", "`ROUTING { strategy: priority }`: how one of several routes that match is chosen." },
    { "ENTRYPOINT",
      "`ENTRYPOINT { model_names: [\"auto-fast\"] recipe: \"fast\" }`: model names of clients that a recipe "
      "answers." },
    { "RECIPE",
      "`RECIPE name (description = \"...\") { ... }`: a policy of its own, with its own signals and routes; models "
      "are shared." },
    { "SIGNAL", "`SIGNAL type name { ... }`: something that is found out about a request." },
    { "PROJECTION", "`PROJECTION partition|score|mapping name { ... }`: what several signals say together." },
    { "ROUTE", "`ROUTE name { PRIORITY 1 WHEN ... MODEL ... }`: which models answer, and when." },
    { "DECISION_TREE",
      "`DECISION_TREE name { IF ... { ... } ELSE { ... } }`: routes of which the first that matches wins." },
    { "MODEL",
      "A model: its card at the top level, or one that a route may choose: `MODEL \"name\" (reasoning = true)`." },
    { "PLUGIN",
      "A plugin: `PLUGIN name type { ... }` declares a template, `PLUGIN name { ... }` in a route uses a template or "
      "a type." },
    { "TEST", "`TEST name { \"query\" -> route }`: what requests are expected to come to; `vsr dsl test` runs it." },
    { "PRIORITY", "`PRIORITY 10`: among routes that match, the greatest wins." },
    { "TIER", "`TIER 1`: routes of a lower tier win over those of a higher one, whatever their priority." },
    { "WHEN", "`WHEN type(\"name\") AND NOT type(\"other\")`: the condition; without one, the route always matches." },
    { "DESCRIPTION", "`DESCRIPTION \"...\"`: of the route, for people." },
    { "NAME", "`NAME name`: of the route that a branch becomes." },
    { "ALGORITHM", "`ALGORITHM type { ... }`: how one of the route's models is chosen, or several work together." },
    { "FOR", "`FOR m IN [\"a\", \"b\"] { MODEL m }`: candidates from a list." },
    { "EMIT", "`EMIT retention { ... }`: what is told of a request that took this route." },
    { "EXTRA", "`EXTRA { ... }`: fields of the decision that the language has no word for." },
    { "IF", "`IF condition { ... }`: a branch of a decision tree." },
    { "ELSE", "`ELSE { ... }`: the last branch of a decision tree; every tree has one." },
    { "AND", "Both conditions hold. Binds closer than OR." },
    { "OR", "At least one of the conditions holds." },
    { "NOT", "The condition does not hold. Binds closest." },
    { "IN", "`FOR m IN [...]`: the list of candidates." },
    { "partition",
      "`PROJECTION partition name { members: [...] default: \"...\" }`: exactly one of its members matches." },
    { "score", "`PROJECTION score name { method: \"weighted_sum\" inputs: [...] }`: a number made of signals." },
    { "mapping", "`PROJECTION mapping name { source: \"score\" outputs: [...] }`: bands of a score, each of which is a "
                 "condition: `projection(\"output\")`." },
    { "retention", "`EMIT retention { ... }`: how long the session stays with its model." },
    { "projection", "`projection(\"output\")`: whether the score lies in that band of a mapping." },
};

const char *dsl_keyword_next(const char *keyword) {
    for (size_t i = 0; keyword && i + 1 < VSR_COUNT(keywords); i++)
        if (strcmp(keyword, keywords[i].name) == 0)
            return keywords[i + 1].name;
    return keyword ? NULL : keywords[0].name;
}

const char *dsl_keyword_help(vsr_str name) {
    for (size_t i = 0; i < VSR_COUNT(keywords); i++)
        if (str_eq_c(name, keywords[i].name))
            return keywords[i].help;
    return NULL;
}

const char *const *dsl_keywords(enum keyword_place place) {
    static const char *const declarations[] = { "SIGNAL",        "ROUTE", "PLUGIN", "PROJECTION", "TEST", "ROUTING",
                                                "DECISION_TREE", "MODEL", "RECIPE", "ENTRYPOINT", NULL };
    static const char *const of_recipes[] = { "SIGNAL", "ROUTE",   "PLUGIN",        "PROJECTION",
                                              "TEST",   "ROUTING", "DECISION_TREE", NULL };
    static const char *const items[] = { "PRIORITY", "TIER", "WHEN", "DESCRIPTION", "MODEL", "ALGORITHM",
                                         "PLUGIN",   "FOR",  "EMIT", "EXTRA",       NULL };
    static const char *const of_branches[] = { "NAME",   "DESCRIPTION", "TIER", "MODEL", "ALGORITHM",
                                               "PLUGIN", "FOR",         "EMIT", "EXTRA", NULL };
    static const char *const branches[] = { "IF", "ELSE", NULL };
    static const char *const operators[] = { "AND", "OR", NULL };
    static const char *const projections[] = { "partition", "score", "mapping", NULL };
    static const char *const emits[] = { "retention", NULL };
    static const char *const conditions[] = { "NOT", NULL };
    static const char *const *const lists[] = {
        [KEYWORD_DECLARATION] = declarations, [KEYWORD_OF_RECIPE] = of_recipes,   [KEYWORD_ITEM] = items,
        [KEYWORD_OF_BRANCH] = of_branches,    [KEYWORD_BRANCH] = branches,        [KEYWORD_OPERATOR] = operators,
        [KEYWORD_CONDITION] = conditions,     [KEYWORD_PROJECTION] = projections, [KEYWORD_EMIT] = emits,
    };
    return lists[place];
}
