/* Edits of programs: what changes, that nothing else does, and what is refused. */
#include "compiled.h"
#include "dsl/edit.h"

#define S(text) VSR_STR_INIT(text)

/* clang-format off */
static const struct {
    const char *name, *program;
    struct dsl_edit edit;
    const char *want, *error; /* one of them */
} cases[] = {
    /* ---- whole declarations */
    { "add to nothing", "", { EDIT_ADD, .text = S("MODEL m {}") }, "MODEL m {}\n", NULL },
    { "add behind its kind", "MODEL a {} # c\n\nROUTE r { MODEL a }\n", { EDIT_ADD, .text = S(" MODEL b {} # d\n") },
      "MODEL a {} # c\n\nMODEL b {} # d\n\nROUTE r { MODEL a }\n", NULL },
    { "add behind the last of all", "MODEL a {}", { EDIT_ADD, .text = S("ROUTE r { MODEL a }") }, "MODEL a {}\n\nROUTE r { MODEL a }\n", NULL },
    { "add where something stands behind", "MODEL a {} ROUTE r { MODEL a }", { EDIT_ADD, .text = S("MODEL b {}") },
      "MODEL a {}\n\nMODEL b {}\n ROUTE r { MODEL a }", NULL },
    { "add behind a comment that ends the text", "# only this", { EDIT_ADD, .text = S("MODEL a {}") }, "# only this\nMODEL a {}\n", NULL },
    { "add to a recipe", "RECIPE x {\n  ROUTE r { MODEL m }\n}\n", { EDIT_ADD, .recipe = S("x"), .text = S("SIGNAL pii p {}") },
      "RECIPE x {\n  ROUTE r { MODEL m }\n\nSIGNAL pii p {}\n}\n", NULL },
    { "add to an empty recipe", "RECIPE x {}", { EDIT_ADD, .recipe = S("x"), .text = S("SIGNAL pii p {}") }, "RECIPE x {\nSIGNAL pii p {}\n}", NULL },
    { "add two", "", { EDIT_ADD, .text = S("MODEL a {} MODEL b {}") }, NULL, "the text is 2 declarations; it has to be one" },
    { "add nothing", "", { EDIT_ADD, .text = S("# x") }, NULL, "the text is 0 declarations; it has to be one" },
    { "add what does not read", "", { EDIT_ADD, .text = S("MODEL a {\n") }, NULL, "the text has errors: 1:10: unexpected end of input" },
    { "add what a recipe cannot have", "RECIPE x {}", { EDIT_ADD, .recipe = S("x"), .text = S("MODEL a {}") }, NULL, "the program would have errors after the edit" },
    { "add what a quote swallows", "SIGNAL pii p { description: \"a }\n", { EDIT_ADD, .text = S("MODEL a {} # \"") }, NULL, "the program would have errors after the edit" },
    { "add to no recipe", "", { EDIT_ADD, .recipe = S("x"), .text = S("MODEL a {}") }, NULL, "there is no RECIPE \"x\"" },
    { "add to one of two", "RECIPE x {} RECIPE x {}", { EDIT_ADD, .recipe = S("x"), .text = S("SIGNAL pii p {}") }, NULL, "there is more than one RECIPE \"x\"" },
    { "replace", "MODEL a {}\nMODEL \"b c\" { } # c\n", { EDIT_REPLACE, .kind = S("MODEL"), .name = S("b c"), .text = S("MODEL d {} # e") },
      "MODEL a {}\nMODEL d {} # e # c\n", NULL },
    { "replace before another", "MODEL a {} MODEL b {}", { EDIT_REPLACE, .kind = S("MODEL"), .name = S("a"), .text = S("MODEL d {} # e") },
      "MODEL d {} # e\n MODEL b {}", NULL },
    { "replace in its scope", "SIGNAL pii p {}\nRECIPE x { SIGNAL pii p {} }\n", { EDIT_REPLACE, .recipe = S("x"), .kind = S("SIGNAL"), .name = S("p"), .text = S("SIGNAL pii q {}") },
      "SIGNAL pii p {}\nRECIPE x { SIGNAL pii q {}\n }\n", NULL },
    { "delete with its comments", "MODEL a {}\n\n# far\n\n# near\n# nearer\nMODEL b {} # behind\n\nMODEL c {}\n", { EDIT_DELETE, .kind = S("MODEL"), .name = S("b") },
      "MODEL a {}\n\n# far\n\nMODEL c {}\n", NULL },
    { "delete the only one", "MODEL a {}", { EDIT_DELETE, .kind = S("MODEL") }, "", NULL },
    { "delete one of a line", "MODEL a {} MODEL b {} # c\n", { EDIT_DELETE, .kind = S("MODEL"), .name = S("a") }, " MODEL b {} # c\n", NULL },
    { "delete with what is in it", "ROUTE r { MODEL m }\nRECIPE x { SIGNAL pii p {} ROUTE q { MODEL m } }\n", { EDIT_DELETE, .kind = S("RECIPE"), .name = S("x") },
      "ROUTE r { MODEL m }\n", NULL },
    { "text that looks like one", "MODEL a { description: \"\nMODEL b {}\n\" } # MODEL b {}\nMODEL b {}\n", { EDIT_DELETE, .kind = S("MODEL"), .name = S("b") },
      "MODEL a { description: \"\nMODEL b {}\n\" } # MODEL b {}\n", NULL },
    /* ---- which one is meant */
    { "no kind", "MODEL a {}", { EDIT_DELETE, .name = S("a") }, NULL, "an edit says in \"kind\" which declaration is meant" },
    { "none of that name", "MODEL a {}", { EDIT_DELETE, .kind = S("MODEL"), .name = S("b") }, NULL, "there is no MODEL \"b\"" },
    { "none in that scope", "MODEL a {} RECIPE x {}", { EDIT_DELETE, .recipe = S("x"), .kind = S("MODEL"), .name = S("a") }, NULL, "there is no MODEL \"a\"" },
    { "two types", "SIGNAL pii a {} SIGNAL domain a {}", { EDIT_DELETE, .kind = S("SIGNAL"), .name = S("a") }, NULL, "2 declarations are SIGNAL \"a\": say its type, name or line" },
    { "by type", "SIGNAL pii a {}\nSIGNAL domain a {}\n", { EDIT_DELETE, .kind = S("SIGNAL"), .type = S("domain"), .name = S("a") }, "SIGNAL pii a {}\n", NULL },
    { "by line", "MODEL a {}\nMODEL a {}\n", { EDIT_DELETE, .kind = S("MODEL"), .name = S("a"), .line = 1 }, "MODEL a {}\n", NULL },
    { "a projection", "PROJECTION score a {}\nPROJECTION mapping a {}\n", { EDIT_DELETE, .kind = S("PROJECTION"), .type = S("score") }, "PROJECTION mapping a {}\n", NULL },
    { "a projection in one word", "PROJECTION score a {}\nPROJECTION mapping a {}\n", { EDIT_DELETE, .kind = S("PROJECTION mapping") }, "PROJECTION score a {}\n", NULL },
    { "a damaged one is not there", "MODEL a { x }\nMODEL b {}\n", { EDIT_DELETE, .kind = S("MODEL"), .name = S("a") }, NULL, "there is no MODEL \"a\"" },
    { "a good one beside a damaged one", "MODEL a { x }\nMODEL b {}\n", { EDIT_DELETE, .kind = S("MODEL"), .name = S("b") }, "MODEL a { x }\n", NULL },
    /* ---- fields */
    { "set what is there", "MODEL a { tags: [\"x\"], tags: [\"y\"] }", { EDIT_SET, .kind = S("MODEL"), .field = S("tags"), .value = S(" [\"}\"] ") },
      "MODEL a { tags: [\"x\"], tags: [\"}\"] }", NULL },
    { "set what is not, on the line", "MODEL a {}", { EDIT_SET, .kind = S("MODEL"), .field = S("x"), .value = S("1") }, "MODEL a { x: 1 }", NULL },
    { "set what is not, behind others", "MODEL a { y: 2 }", { EDIT_SET, .kind = S("MODEL"), .field = S("x"), .value = S("1") }, "MODEL a { y: 2 x: 1 }", NULL },
    { "set what is not, on lines", "RECIPE r {\n  MODEL_ {}\n}\nMODEL a {\n  y: 2 # c\n}\n", { EDIT_SET, .kind = S("MODEL"), .field = S("x"), .value = S("1") },
      "RECIPE r {\n  MODEL_ {}\n}\nMODEL a {\n  y: 2 # c\n  x: 1\n}\n", NULL },
    { "set more than a value", "MODEL a {}", { EDIT_SET, .kind = S("MODEL"), .field = S("x"), .value = S("1 y: 2") }, NULL, "this is not one value of x: 1 y: 2" },
    { "set to what closes the block", "MODEL a {}", { EDIT_SET, .kind = S("MODEL"), .field = S("x"), .value = S("1 } MODEL b { x: 1") }, NULL, "this is not one value of x" },
    { "set to a comment", "MODEL a {}", { EDIT_SET, .kind = S("MODEL"), .field = S("x"), .value = S("1 # c") }, NULL, "this is not one value of x" },
    { "set to an open string", "MODEL a {}", { EDIT_SET, .kind = S("MODEL"), .field = S("x"), .value = S("\"") }, NULL, "this is not one value of x" },
    { "set to nothing", "MODEL a {}", { EDIT_SET, .kind = S("MODEL"), .field = S("x"), .value = S(" ") }, NULL, "this is not one value of x" },
    { "set without a value", "MODEL a {}", { EDIT_SET, .kind = S("MODEL"), .field = S("x") }, NULL, "an edit that sets a field has its \"value\"" },
    { "set no field", "MODEL a {}", { EDIT_SET, .kind = S("MODEL"), .value = S("1") }, NULL, "an edit of a field names it in \"field\"" },
    { "set what cannot be a field", "MODEL a {}", { EDIT_SET, .kind = S("MODEL"), .field = S("x: 1 y"), .value = S("1") }, NULL, "cannot be the name of a field" },
    { "set a field of a test", "TEST t {}", { EDIT_SET, .kind = S("TEST"), .field = S("x"), .value = S("1") }, NULL, "TEST has no fields; replace it" },
    { "remove the first of a line", "MODEL a { x: 1, y: 2 }", { EDIT_REMOVE, .kind = S("MODEL"), .field = S("x") }, "MODEL a { y: 2 }", NULL },
    { "remove the last of a line", "MODEL a { x: 1, y: 2 }", { EDIT_REMOVE, .kind = S("MODEL"), .field = S("y") }, "MODEL a { x: 1 }", NULL },
    { "remove all of a name", "MODEL a { x: 1, y: 2, x: 3 }", { EDIT_REMOVE, .kind = S("MODEL"), .field = S("x") }, "MODEL a { y: 2 }", NULL },
    { "remove two side by side", "MODEL a { x: 1, x: 3, y: 2 }", { EDIT_REMOVE, .kind = S("MODEL"), .field = S("x") }, "MODEL a { y: 2 }", NULL },
    { "remove a line", "MODEL a {\n  x: 1, # c\n  y: 2 # d\n}\n", { EDIT_REMOVE, .kind = S("MODEL"), .field = S("y") }, "MODEL a {\n  x: 1, # c\n}\n", NULL },
    { "remove what is not there", "MODEL a {}", { EDIT_REMOVE, .kind = S("MODEL"), .field = S("x") }, NULL, "MODEL has no x" },
    /* ---- items of routes */
    { "set an item", "ROUTE r { PRIORITY 1 MODEL m }", { EDIT_SET, .kind = S("ROUTE"), .field = S("PRIORITY"), .value = S("-5") }, "ROUTE r { PRIORITY -5 MODEL m }", NULL },
    { "set an item that is said twice", "ROUTE r { TIER 1 TIER 2 MODEL m }", { EDIT_SET, .kind = S("ROUTE"), .field = S("TIER"), .value = S("3") }, "ROUTE r { TIER 3 MODEL m }", NULL },
    { "set an item that is not there", "ROUTE r {\n  MODEL m\n}", { EDIT_SET, .kind = S("ROUTE"), .field = S("WHEN"), .value = S("NOT a(b) OR\n c(d)") },
      "ROUTE r {\n  MODEL m\n  WHEN NOT a(b) OR\n c(d)\n}", NULL },
    { "set models", "ROUTE r { MODEL a MODEL b, c (weight = 1) }", { EDIT_SET, .kind = S("ROUTE"), .field = S("MODEL"), .value = S("\"x\", y (reasoning = true)") },
      "ROUTE r { MODEL \"x\", y (reasoning = true) }", NULL },
    { "set an algorithm", "ROUTE r { MODEL a ALGORITHM static }", { EDIT_SET, .kind = S("ROUTE"), .field = S("ALGORITHM"), .value = S("fusion { model: \"a\" }") },
      "ROUTE r { MODEL a ALGORITHM fusion { model: \"a\" } }", NULL },
    { "set an item to two", "ROUTE r { MODEL a }", { EDIT_SET, .kind = S("ROUTE"), .field = S("PRIORITY"), .value = S("1 TIER 2") }, NULL, "this is not one value of PRIORITY: 1 TIER 2" },
    { "set an item to what it is not", "ROUTE r { MODEL a }", { EDIT_SET, .kind = S("ROUTE"), .field = S("PRIORITY"), .value = S("\"high\"") }, NULL, "this is not one value of PRIORITY" },
    { "set an unknown item", "ROUTE r { MODEL a }", { EDIT_SET, .kind = S("ROUTE"), .field = S("PLUGIN"), .value = S("x") }, NULL, "replace it for \"PLUGIN\"" },
    { "remove an item", "ROUTE r {\n  PRIORITY 1 # c\n  WHEN a(b)\n    AND c(d)\n  MODEL m\n}", { EDIT_REMOVE, .kind = S("ROUTE"), .field = S("WHEN") },
      "ROUTE r {\n  PRIORITY 1 # c\n  MODEL m\n}", NULL },
    /* ---- names */
    { "rename a signal of two of that name",
      "SIGNAL domain law {} # law\nSIGNAL pii law {}\nROUTE r { PRIORITY 1 WHEN pii(law) AND domain(\"law\") MODEL law }\nTEST t { \"law\" -> r }\n",
      { EDIT_RENAME, .kind = S("SIGNAL"), .type = S("pii"), .name = S("law"), .new_name = S("my \"data\"") },
      "SIGNAL domain law {} # law\nSIGNAL pii \"my \\\"data\\\"\" {}\nROUTE r { PRIORITY 1 WHEN pii(\"my \\\"data\\\"\") AND domain(\"law\") MODEL law }\nTEST t { \"law\" -> r }\n", NULL },
    { "rename in its scope", "SIGNAL pii p {}\nROUTE r { PRIORITY 1 WHEN pii(p) MODEL m }\nRECIPE x { SIGNAL pii p {} ROUTE r { PRIORITY 1 WHEN pii(p) MODEL m } }\n",
      { EDIT_RENAME, .recipe = S("x"), .kind = S("SIGNAL"), .name = S("p"), .new_name = S("q") },
      "SIGNAL pii p {}\nROUTE r { PRIORITY 1 WHEN pii(p) MODEL m }\nRECIPE x { SIGNAL pii q {} ROUTE r { PRIORITY 1 WHEN pii(q) MODEL m } }\n", NULL },
    { "rename a signal with levels", "SIGNAL complexity c { hard: { candidates: [\"a\"] } easy: { candidates: [\"b\"] } }\nROUTE r { PRIORITY 1 WHEN complexity(\"c:hard\") MODEL m }\n",
      { EDIT_RENAME, .kind = S("SIGNAL"), .new_name = S("d") },
      "SIGNAL complexity d { hard: { candidates: [\"a\"] } easy: { candidates: [\"b\"] } }\nROUTE r { PRIORITY 1 WHEN complexity(\"d:hard\") MODEL m }\n", NULL },
    { "rename a model of all scopes", "MODEL m {}\nROUTE r { PRIORITY 1 MODEL m, \"n\" ALGORITHM fusion { model: \"m\" } }\nMODEL n {}\nRECIPE x { ROUTE r { PRIORITY 1 FOR v IN [\"m\"] { MODEL v } } }\n",
      { EDIT_RENAME, .kind = S("MODEL"), .name = S("m"), .new_name = S("true") },
      "MODEL true {}\nROUTE r { PRIORITY 1 MODEL \"true\", \"n\" ALGORITHM fusion { model: \"true\" } }\nMODEL n {}\nRECIPE x { ROUTE r { PRIORITY 1 FOR v IN [\"true\"] { MODEL v } } }\n", NULL },
    { "rename a model that is called like a variable", "MODEL m {}\nROUTE r { PRIORITY 1 FOR m IN [\"m\"] { MODEL m } }\n", { EDIT_RENAME, .kind = S("MODEL"), .new_name = S("n") }, NULL, "after renaming" },
    { "rename a recipe", "ENTRYPOINT { model_names: [\"x\"] recipe: \"x\" }\nROUTE r { PRIORITY 1 MODEL m }\nRECIPE x { ROUTE r { PRIORITY 1 MODEL m } }\n",
      { EDIT_RENAME, .kind = S("RECIPE"), .name = S("x"), .new_name = S("y") },
      "ENTRYPOINT { model_names: [\"x\"] recipe: \"y\" }\nROUTE r { PRIORITY 1 MODEL m }\nRECIPE y { ROUTE r { PRIORITY 1 MODEL m } }\n", NULL },
    { "rename a score", "SIGNAL context c { min_tokens: \"1\" max_tokens: \"9\" }\nPROJECTION score s { method: \"weighted_sum\" inputs: [{ type: \"context\" name: \"c\" weight: 1 }] }\nPROJECTION mapping m { source: \"s\" method: \"threshold_bands\" outputs: [{ name: \"s\" gte: 0 }] }\nROUTE r { PRIORITY 1 WHEN projection(\"s\") MODEL m }\n",
      { EDIT_RENAME, .kind = S("PROJECTION"), .type = S("score"), .new_name = S("t") },
      "SIGNAL context c { min_tokens: \"1\" max_tokens: \"9\" }\nPROJECTION score t { method: \"weighted_sum\" inputs: [{ type: \"context\" name: \"c\" weight: 1 }] }\nPROJECTION mapping m { source: \"t\" method: \"threshold_bands\" outputs: [{ name: \"s\" gte: 0 }] }\nROUTE r { PRIORITY 1 WHEN projection(\"s\") MODEL m }\n", NULL },
    { "rename to a name that is taken", "MODEL a {} MODEL b {}", { EDIT_RENAME, .kind = S("MODEL"), .name = S("a"), .new_name = S("b") }, NULL, "\"b\" is declared already, in line 1" },
    { "rename to the type of a plugin", "PLUGIN p system_prompt { }\nROUTE r { MODEL m PLUGIN p }\nROUTE s { MODEL m PLUGIN tools { } }\n", { EDIT_RENAME, .kind = S("PLUGIN"), .new_name = S("tools") }, NULL, "\"tools\" stands in the program and would come to mean something else" },
    { "rename to what another means", "MODEL m {}\nROUTE r { MODEL m, \"gpt\" }\n", { EDIT_RENAME, .kind = S("MODEL"), .new_name = S("gpt") }, NULL, "\"gpt\" stands in the program and would come to mean something else" },
    { "rename to a variable", "MODEL m {}\nMODEL a {}\nROUTE r { PRIORITY 1 MODEL a FOR v IN [\"m\"] { MODEL \"m\" } }\n", { EDIT_RENAME, .kind = S("MODEL"), .name = S("m"), .new_name = S("v") }, NULL, "\"v\" is the variable of a loop" },
    { "rename to a type's name", "SIGNAL domain law { mmlu_categories: [\"math\"] }\nROUTE r { PRIORITY 1 WHEN domain(law) MODEL m }\n", { EDIT_RENAME, .kind = S("SIGNAL"), .new_name = S("math") },
      "SIGNAL domain math { mmlu_categories: [\"math\"] }\nROUTE r { PRIORITY 1 WHEN domain(math) MODEL m }\n", NULL },
    { "rename to NUL", "MODEL m {}\n", { EDIT_RENAME, .kind = S("MODEL"), .new_name = VSR_STR_INIT("b\0c") }, NULL, "cannot hold the character NUL" },
    { "rename to nothing", "MODEL a {}", { EDIT_RENAME, .kind = S("MODEL"), .new_name = S("") }, NULL, "\"newName\" is a name of" },
    { "rename what has no name", "ROUTING { strategy: priority }", { EDIT_RENAME, .kind = S("ROUTING"), .new_name = S("x") }, NULL, "ROUTING has no name" },
    { "rename to what makes it wrong", "SIGNAL domain law { mmlu_categories: [\"law\"] }\nSIGNAL domain x { }\nPROJECTION partition p { semantics: \"exclusive\" members: [\"law\", \"x\"] default: \"law\" }\nRECIPE a { ROUTE r { MODEL m } }\n",
      { EDIT_RENAME, .kind = S("RECIPE"), .new_name = S("default") }, NULL, "after renaming" },
};
/* clang-format on */

TEST(edits_change_what_they_say_and_nothing_else) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct vsr_err err = VSR_ERR_NONE;
        struct buf out;
        int rc;
        buf_init(&out, COMPILED_LEN_MAX);
        rc = dsl_edit(arena, dsl_language(), str_from_c(cases[i].program), &cases[i].edit, &out, &err);
        CHECK_MSG((rc == 0) == (cases[i].error == NULL), "case \"%s\": %d, %s", cases[i].name, rc, err.text);
        if (cases[i].want)
            CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
        if (cases[i].error)
            CHECK_MSG(out.len == 0 && strstr(err.text, cases[i].error), "case \"%s\": %s", cases[i].name, err.text);
        buf_done(&out);
        arena_free(arena);
    }
}

/* Minutes, when each item of the line looked at the whole line. */
TEST(a_long_line_costs_no_more_than_its_length) {
    struct arena *arena = arena_new(0, 0);
    const struct dsl_edit edit = { EDIT_SET, .kind = S("ROUTE"), .field = S("PRIORITY"), .value = S("2") };
    struct buf program, out;
    buf_init(&program, COMPILED_LEN_MAX);
    buf_init(&out, COMPILED_LEN_MAX);
    buf_append_c(&program, "ROUTE r { ");
    for (size_t i = 0; i < 90000; i++)
        buf_append_c(&program, "PRIORITY 1 ");
    buf_append_c(&program, "}");
    CHECK_INT(dsl_edit(arena, dsl_language(), buf_str(&program), &edit, &out, NULL), 0, "edited");
    CHECK_STR(buf_str(&out), "ROUTE r { PRIORITY 2 }", "one is left");
    buf_done(&program);
    buf_done(&out);
    arena_free(arena);
}

TEST(names_that_stand_everywhere_are_bounded) {
    struct arena *arena = arena_new(0, 0);
    struct dsl_edit edit = { EDIT_RENAME, .kind = S("MODEL"), .name = S("a"), .new_name = S("b") };
    struct buf program, out;
    for (size_t n = EDIT_REFERENCES_MAX; n <= EDIT_REFERENCES_MAX + 1; n++) {
        buf_init(&program, COMPILED_LEN_MAX);
        buf_init(&out, COMPILED_LEN_MAX);
        buf_append_c(&program, "MODEL a {}\nROUTE r { MODEL ");
        for (size_t i = 0; i < n; i++)
            buf_append_c(&program, i ? ",a" : "a");
        buf_append_c(&program, " }\n");
        CHECK_INT(dsl_edit(arena, dsl_language(), buf_str(&program), &edit, &out, NULL),
                  n > EDIT_REFERENCES_MAX ? VSR_E_LIMIT : 0, "places");
        buf_done(&program);
        buf_done(&out);
    }
    arena_free(arena);
}

RUN_TESTS(T(edits_change_what_they_say_and_nothing_else), T(a_long_line_costs_no_more_than_its_length),
          T(names_that_stand_everywhere_are_bounded))
