/* The parser: every form of the grammar, every syntax error with its place, and what is left after a mistake. */
#include "test.h"

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/findings.h"
#include "dsl/parse.h"

enum { TEXT_LEN_MAX = 1 << 20 };

struct parsed {
    struct arena *arena;
    struct findings findings;
    struct dsl_parsed tree;
    struct buf printed;
};

static void parse(struct parsed *t, vsr_str source) {
    struct findings_style style = { 0 };
    t->arena = arena_new(0, 0);
    findings_init(&t->findings, t->arena);
    dsl_parse(t->arena, source, &t->tree, &t->findings);
    buf_init(&t->printed, TEXT_LEN_MAX);
    findings_print(&t->findings, &style, &t->printed);
}

static void done(struct parsed *t) {
    buf_done(&t->printed);
    arena_free(t->arena);
}

static const struct {
    const char *name, *source, *want;
} errors[] = {
    { "1", "SIGNAL domain math { description \"x\" }\n", "1:34: error: unexpected \"x\" (expected \":\") [E101]\n" },
    { "2", "ROUTE r {\n  FOO 1\n}\n", "2:3: error: unexpected \"FOO\" (expected route item or \"}\") [E101]\n" },
    { "3", "ROUTE r { PRIORITY \"high\" MODEL \"m\" }\n",
      "1:20: error: unexpected \"high\" (expected integer) [E101]\n" },
    { "4", "ROUTE r {\n  PRIORITY 1\n  WHEN keyword(\"a\") AND\n  MODEL \"m\"\n}\n",
      "4:3: error: unexpected \"MODEL\" (expected signal reference, \"NOT\" or \"(\") [E101]\n" },
    { "5", "SIGNAL keyword k { keywords: [\"a\" \"b\"] }\n",
      "1:35: error: unexpected \"b\" (expected \",\" or \"]\") [E101]\n" },
    { "6", "SIGNAL @ x {}\n", "1:8: error: invalid input text \"@ x {}\" [E102]\n" },
    { "7", "SIGNAL domain d { description: \"open }\n", "1:32: error: unterminated string [E102]\n" },
    { "8", "ROUTE r { MODEL \"m\"\n", "1:20: error: unexpected end of input (expected route item or \"}\") [E101]\n" },
    { "9", "GLOBAL { default_model: \"m\" }\n",
      "1:1: error: GLOBAL blocks were removed in v0.3; put these settings in the YAML config [E110]\n" },
    { "10", "DECISION_TREE t {\n  IF domain(\"a\") { MODEL \"m\" }\n}\n",
      "3:1: error: unexpected \"}\" (expected \"ELSE\") [E101]\n" },
    { "11", "SIGNAL domain a {}\nDECISION_TREE t { IF domain(\"a\") { NAME \"x\" } ELSE { MODEL \"m\" } }\n",
      "2:19: error: DECISION_TREE \"t\" branch 1 must declare at least one MODEL [E111]\n" },
    { "12", "DECISION_TREE t { IF domain(\"a\") { MODEL \"m\" } ELSE { MODEL \"n\" } }\nROUTE r { MODEL \"m\" }\n",
      "2:1: error: DECISION_TREE and ROUTE cannot coexist in one program [E112]\n" },
};

TEST(every_error_has_its_place) {
    for (size_t i = 0; i < VSR_COUNT(errors); i++) {
        struct parsed t;
        parse(&t, str_from_c(errors[i].source));
        CHECK_STR(buf_str(&t.printed), errors[i].want, errors[i].name);
        done(&t);
    }
}

RUN_TESTS(T(every_error_has_its_place))
