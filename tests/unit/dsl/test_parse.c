/* The parser: every form of the grammar, every syntax error with its place, and what is left after a mistake. */
#include "test.h"

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/findings.h"
#include "dsl/parse.h"

enum { TEXT_LEN_MAX = 1 << 20 };

struct parse_case {
    const char *name, *source, *tree, *told;
};

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

/* ---- the tree in one line: what it says, how it was grouped */

static void show_name(struct buf *out, const struct dsl_name *name) {
    buf_printf(out, name->quoted ? "'%.*s'" : "%.*s", VSR_FMT(name->text));
}

static void show_fields(struct buf *out, const struct dsl_fields *fields);

static void show_value(struct buf *out, const struct dsl_value *value) {
    switch (value->kind) {
    case DSL_STRING:
        buf_printf(out, value->bare ? "%.*s" : "'%.*s'", VSR_FMT(value->text));
        break;
    case DSL_INT:
        buf_printf(out, "%lld", (long long)value->integer);
        break;
    case DSL_FLOAT:
        buf_printf(out, "%gf", value->number);
        break;
    case DSL_BOOL:
        buf_append_c(out, value->truth ? "yes" : "no");
        break;
    case DSL_NULL:
        buf_append_c(out, "nil");
        break;
    case DSL_ARRAY:
        buf_append_char(out, '[');
        for (size_t i = 0; i < value->n_items; i++) {
            buf_append_c(out, i ? " " : "");
            show_value(out, &value->items[i]);
        }
        buf_append_char(out, ']');
        break;
    case DSL_OBJECT:
        show_fields(out, &value->fields);
    }
}

/* `{a=1 b!=2}`: the first is overridden where the sign is `!=`. */
static void show_fields(struct buf *out, const struct dsl_fields *fields) {
    buf_append_char(out, '{');
    for (size_t i = 0; i < fields->n; i++) {
        buf_append_c(out, i ? " " : "");
        show_name(out, &fields->items[i].key);
        buf_append_c(out, fields->items[i].overridden ? "!=" : "=");
        show_value(out, &fields->items[i].value);
    }
    buf_append_char(out, '}');
}

static void show_some_fields(struct buf *out, const struct dsl_fields *fields) {
    if (fields->at.line) {
        buf_append_char(out, ' ');
        show_fields(out, fields);
    }
}

/* `and(...)`, in angle brackets when it stood in parentheses. */
static void show_expr(struct buf *out, const struct dsl_expr *expr) {
    static const char *const names[] = { [DSL_AND] = "and", [DSL_OR] = "or", [DSL_NOT] = "not" };
    buf_append_c(out, expr->parens ? "<" : "");
    if (expr->kind == DSL_SIGNAL) {
        show_name(out, &expr->type);
        buf_append_char(out, ':');
        show_name(out, &expr->name);
        show_some_fields(out, &expr->fields);
    } else {
        buf_printf(out, "%s(", names[expr->kind]);
        for (size_t i = 0; i < expr->n_items; i++) {
            buf_append_c(out, i ? " " : "");
            show_expr(out, expr->items[i]);
        }
        buf_append_char(out, ')');
    }
    buf_append_c(out, expr->parens ? ">" : "");
}

static void show_models(struct buf *out, const struct dsl_model_list *models) {
    for (size_t i = 0; i < models->n; i++) {
        buf_append_char(out, ' ');
        show_name(out, &models->items[i].model);
        show_some_fields(out, &models->items[i].options);
    }
}

static void show_item(struct buf *out, const struct dsl_item *item) {
    static const char *const names[] = { "priority",  "tier",   "when", "description", "name", "model",
                                         "algorithm", "plugin", "for",  "emit",        "extra" };
    buf_printf(out, "%s", names[item->kind]);
    if (item->name.at.line) {
        buf_append_char(out, ' ');
        show_name(out, &item->name);
    }
    if (item->value.at.line) {
        buf_append_char(out, ' ');
        show_value(out, &item->value);
    }
    if (item->when) {
        buf_append_char(out, ' ');
        show_expr(out, item->when);
    }
    show_models(out, &item->models);
    if (item->kind == DSL_ITEM_FOR) {
        buf_append_c(out, item->source.at.line ? " in " : "");
        show_name(out, &item->source);
        buf_append_c(out, " ->");
        show_models(out, &item->outputs);
    }
    show_some_fields(out, &item->fields);
}

static void show_body(struct buf *out, const struct dsl_body *body) {
    buf_append_c(out, " {");
    for (size_t i = 0; i < body->n; i++) {
        buf_append_c(out, i ? "; " : "");
        show_item(out, &body->items[i]);
    }
    buf_append_char(out, '}');
}

static void show_program(struct buf *out, const struct dsl_program *program);

static void show_decl(struct buf *out, const struct dsl_decl *decl) {
    buf_printf(out, "%s", dsl_decl_keyword(decl->kind));
    for (const struct dsl_name *name = &decl->type;; name = &decl->name) {
        if (name->at.line) {
            buf_append_char(out, ' ');
            show_name(out, name);
        }
        if (name == &decl->name)
            break;
    }
    show_some_fields(out, &decl->options);
    show_some_fields(out, &decl->fields);
    if (decl->body.at.line)
        show_body(out, &decl->body);
    for (size_t i = 0; i < decl->n_branches; i++) {
        buf_append_c(out, decl->branches[i].when ? " if " : " else");
        if (decl->branches[i].when)
            show_expr(out, decl->branches[i].when);
        show_body(out, &decl->branches[i].body);
    }
    for (size_t i = 0; i < decl->n_cases; i++) {
        buf_append_char(out, ' ');
        show_name(out, &decl->cases[i].query);
        buf_append_c(out, "->");
        show_name(out, &decl->cases[i].route);
        show_some_fields(out, &decl->cases[i].facts);
    }
    if (decl->recipe) {
        buf_append_c(out, " [");
        show_program(out, decl->recipe);
        buf_append_char(out, ']');
    }
}

static void show_program(struct buf *out, const struct dsl_program *program) {
    for (size_t i = 0; i < program->n; i++) {
        buf_append_c(out, i ? " | " : "");
        show_decl(out, &program->decls[i]);
    }
}

/* What was understood, then what was told. */
static void check_table(const struct parse_case *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct parsed t;
        struct buf shown;
        parse(&t, str_from_c(cases[i].source));
        buf_init(&shown, TEXT_LEN_MAX);
        show_program(&shown, &t.tree.program);
        CHECK_STR(buf_str(&shown), cases[i].tree, cases[i].name);
        CHECK_STR(buf_str(&t.printed), cases[i].told, cases[i].name);
        buf_done(&shown);
        done(&t);
    }
}

/* ---- what the language can say */

static const struct parse_case programs[] = {
    { "nothing", "", "", "" },
    { "only comments", "# a\n\n  # b", "", "" },
    { "routing", "ROUTING { strategy: priority }", "ROUTING {strategy=priority}", "" },
    { "entrypoint", "ENTRYPOINT { model_names: [\"a\", b,] recipe: \"r\" }",
      "ENTRYPOINT {model_names=['a' b] recipe='r'}", "" },
    { "signal", "SIGNAL domain \"computer science\" {}", "SIGNAL domain 'computer science' {}", "" },
    { "keywords as names", "SIGNAL domain TEST { default: 1 model: ROUTE MODEL: 2 }",
      "SIGNAL domain TEST {default=1 model=ROUTE MODEL=2}", "" },
    { "projections", "PROJECTION partition a {} PROJECTION score b {} PROJECTION mapping \"c\" {}",
      "PROJECTION partition a {} | PROJECTION score b {} | PROJECTION mapping 'c' {}", "" },
    { "model and template", "MODEL \"a/b\" { loras: [{ name: \"x\" }] } PLUGIN p tools { enabled: true }",
      "MODEL 'a/b' {loras=[{name='x'}]} | PLUGIN tools p {enabled=yes}", "" },
    { "test", "TEST t { \"a\" -> r \"b\" \xE2\x86\x92 \"s t\" { keyword: [\"k\"] } }",
      "TEST t 'a'->r 'b'->'s t' {keyword=['k']}", "" },
    { "values",
      "ROUTING { a: \"s\" b: w c: -1 d: 1.5 e: true f: false g: null h: [] i: {} j: [1, [2], { k: v }] l: 1e-05 }",
      "ROUTING {a='s' b=w c=-1 d=1.5f e=yes f=no g=nil h=[] i={} j=[1 [2] {k=v}] l=1e-05f}", "" },
    { "minus zero", "ROUTING { a: -0 b: -0.0 c: 1000000000000000000000 }", "ROUTING {a=0 b=-0f c=1e+21f}", "" },
    { "commas", "ROUTING { , a: 1, b: 2 , c: 3 d: 4, }", "ROUTING {a=1 b=2 c=3 d=4}", "" },
    { "keys of objects are any text", "ROUTING { a: { \"b c\": 1, d: { \"\": 2 } } }", "ROUTING {a={'b c'=1 d={''=2}}}",
      "" },
    { "text right behind a string of two lines", "ROUTE r { DESCRIPTION \"a\nb\"MODEL m }",
      "ROUTE r {description 'a\nb'; model m}", "" },
    { "strings are not literals", "ROUTING { a: \"true\" b: \"null\" }", "ROUTING {a='true' b='null'}", "" },
    { "token counts", "SIGNAL context c { min_tokens: 8K max_tokens: 1.5m other: 8000 }",
      "SIGNAL context c {min_tokens=8K max_tokens=1.5m other=8000}", "" },
    { "route",
      "ROUTE r (description = \"d\") { PRIORITY 9 TIER 2 DESCRIPTION \"e\" WHEN a(b) MODEL m ALGORITHM static }",
      "ROUTE r {description='d'} {priority 9; tier 2; description 'e'; when a:b; model m; algorithm static}",
      "1:49: warning: the description is given twice; that of DESCRIPTION counts [W106]\n" },
    { "options of a route", "ROUTE r () {} ROUTE s (a = 1 b = 2) {} ROUTE t (a = 1, b = 2,) {}",
      "ROUTE r {} {} | ROUTE s {a=1 b=2} {} | ROUTE t {a=1 b=2} {}", "" },
    { "route called like a keyword", "ROUTE ROUTE { PLUGIN MODEL MODEL \"WHEN\" } ROUTE \"PRIORITY\" {}",
      "ROUTE ROUTE {plugin MODEL; model 'WHEN'} | ROUTE 'PRIORITY' {}", "" },
    { "models", "ROUTE r { MODEL \"a\" (reasoning = true, weight = 2,), b, \"c\" MODEL d }",
      "ROUTE r {model 'a' {reasoning=yes weight=2} b 'c'; model d}", "" },
    { "comma behind the last model", "ROUTE r { MODEL a, PLUGIN x {} MODEL b, }",
      "ROUTE r {model a; plugin x {}; model b}", "" },
    { "every item keyword ends the list", "ROUTE r { MODEL a, TIER 1 MODEL a, WHEN x(y) MODEL a, EMIT retention {} }",
      "ROUTE r {model a; tier 1; model a; when x:y; model a; emit retention {}}", "" },
    { "algorithm and plugins", "ROUTE r { ALGORITHM fusion { a: 1 } PLUGIN p PLUGIN \"q\" {} PLUGIN s { b: 2 } }",
      "ROUTE r {algorithm fusion {a=1}; plugin p; plugin 'q' {}; plugin s {b=2}}", "" },
    { "iteration",
      "ROUTE r { FOR v IN [\"a\" (lora = x), b,] { MODEL v } FOR w IN decision.candidates {} FOR u IN \"s\" { MODEL u "
      "MODEL u, u } }",
      "ROUTE r {for v 'a' {lora=x} b -> v; for w in decision.candidates ->; for u in 's' -> u u u}", "" },
    { "emission and extra", "ROUTE r { EMIT retention { drop: true } EXTRA { annotations: { a: 1 } } }",
      "ROUTE r {emit retention {drop=yes}; extra {annotations={a=1}}}", "" },
    { "precedence", "ROUTE r { WHEN NOT a(x) AND b(x) OR c(x) AND NOT NOT d(x) }",
      "ROUTE r {when or(and(not(a:x) b:x) and(c:x not(not(d:x))))}", "" },
    { "parentheses", "ROUTE r { WHEN (a(x) OR (b(x))) AND (c(x) AND d(x)) AND NOT (e(x) AND f(x)) }",
      "ROUTE r {when and(<or(a:x <b:x>)> <and(c:x d:x)> not(<and(e:x f:x)>))}", "" },
    { "arguments of a signal",
      "ROUTE r { WHEN classifier(\"t\", label: \"x\" predicate: { gte: 0.8 }, on_error: no_match,) AND k(a b: 1) }",
      "ROUTE r {when and(classifier:'t' {label='x' predicate={gte=0.8f} on_error=no_match} k:a {b=1})}", "" },
    { "a comma behind the name alone", "ROUTE r { WHEN a(\"x\",) AND b(y, ) }", "ROUTE r {when and(a:'x' b:y)}", "" },
    { "signal types called like words of the top", "ROUTE r { WHEN TEST(a) AND SIGNAL(b) }",
      "ROUTE r {when and(TEST:a SIGNAL:b)}", "" },
    { "tree",
      "DECISION_TREE t { IF a(x) { NAME \"n\" TIER 2 DESCRIPTION \"d\" MODEL m } ELSE IF b(x) AND c(x) { MODEL n } "
      "ELSE { MODEL o } }",
      "DECISION_TREE t if a:x {name 'n'; tier 2; description 'd'; model m} if and(b:x c:x) {model n} else {model o}",
      "" },
    { "a branch with a list alone", "DECISION_TREE t { IF a(x) { FOR v IN [m] { MODEL v } } ELSE { MODEL o } }",
      "DECISION_TREE t if a:x {for v m -> v} else {model o}", "" },
    { "recipe",
      "RECIPE f (description = \"d\", strategy = priority) { SIGNAL domain a {} ROUTE r { MODEL m } } RECIPE \"g h\" "
      "{}",
      "RECIPE f {description='d' strategy=priority} [SIGNAL domain a {} | ROUTE r {model m}] | RECIPE 'g h' []", "" },
    { "all that a recipe holds",
      "RECIPE f { ROUTING {} SIGNAL a b {} PROJECTION score s {} PLUGIN p t {} DECISION_TREE t { IF a(b) { MODEL m } "
      "ELSE { MODEL m } } TEST t {} }",
      "RECIPE f [ROUTING {} | SIGNAL a b {} | PROJECTION score s {} | PLUGIN t p {} | DECISION_TREE t if a:b {model m} "
      "else {model m} | TEST t]",
      "" },
    { "a tree in a recipe, routes outside",
      "ROUTE r { MODEL m } RECIPE f { DECISION_TREE t { IF a(b) { MODEL m } ELSE { MODEL m } } }",
      "ROUTE r {model m} | RECIPE f [DECISION_TREE t if a:b {model m} else {model m}]", "" },
    { "CRLF, no break at the end", "ROUTE r {\r\n  MODEL m # x\r\n}\r\n# end", "ROUTE r {model m}", "" },
};

TEST(every_form) {
    check_table(programs, VSR_COUNT(programs));
}

/* ---- what is told and kept */

static const struct parse_case warnings[] = {
    { "a field twice", "ROUTING { a: 1 b: 2 a: 3 a: 4 }", "ROUTING {a!=1 b=2 a!=3 a=4}",
      "1:21: warning: field \"a\" is set twice; the last one counts [W105]\n"
      "1:26: warning: field \"a\" is set twice; the last one counts [W105]\n" },
    { "among many", "ROUTING { a: 1 b: 2 c: 3 d: 4 e: 5 f: 6 g: 7 h: 8 c: 9 a: 10 }",
      "ROUTING {a!=1 b=2 c!=3 d=4 e=5 f=6 g=7 h=8 c=9 a=10}",
      "1:51: warning: field \"c\" is set twice; the last one counts [W105]\n"
      "1:56: warning: field \"a\" is set twice; the last one counts [W105]\n" },
    { "in objects, options and arguments",
      "ROUTE r (d = 1 d = 2) { WHEN k(a, x: 1, x: 2) MODEL m (w = 1, w = 2) PLUGIN p { o: { q: 1, q: 2 } } }",
      "ROUTE r {d!=1 d=2} {when k:a {x!=1 x=2}; model m {w!=1 w=2}; plugin p {o={q!=1 q=2}}}",
      "1:16: warning: field \"d\" is set twice; the last one counts [W105]\n"
      "1:41: warning: field \"x\" is set twice; the last one counts [W105]\n"
      "1:63: warning: field \"w\" is set twice; the last one counts [W105]\n"
      "1:92: warning: field \"q\" is set twice; the last one counts [W105]\n" },
    { "an item twice",
      "ROUTE r {\n PRIORITY 1\n PRIORITY 2 WHEN a(b) WHEN c(d) ALGORITHM x ALGORITHM y TIER 1 TIER 1 }",
      "ROUTE r {priority 1; priority 2; when a:b; when c:d; algorithm x; algorithm y; tier 1; tier 1}",
      "3:2: warning: PRIORITY is given twice; the last one counts [W106]\n"
      "3:23: warning: WHEN is given twice; the last one counts [W106]\n"
      "3:45: warning: ALGORITHM is given twice; the last one counts [W106]\n"
      "3:64: warning: TIER is given twice; the last one counts [W106]\n" },
    { "a field in two EXTRA, a description in two places",
      "ROUTE r (description = \"a\") { EXTRA { x: 1 x: 2 y: 1 } EXTRA { z: 1 } EXTRA { x: 3 } DESCRIPTION \"b\" }",
      "ROUTE r {description='a'} {extra {x!=1 x!=2 y=1}; extra {z=1}; extra {x=3}; description 'b'}",
      "1:44: warning: field \"x\" is set twice; the last one counts [W105]\n"
      "1:79: warning: field \"x\" is set twice; the last one counts [W105]\n"
      "1:86: warning: the description is given twice; that of DESCRIPTION counts [W106]\n" },
    { "a name twice in a branch", "DECISION_TREE t { IF a(b) { NAME x NAME y MODEL m } ELSE { MODEL m } }",
      "DECISION_TREE t if a:b {name x; name y; model m} else {model m}",
      "1:36: warning: NAME is given twice; the last one counts [W106]\n" },
    { "in a recipe", "RECIPE f {\n ROUTE r { PRIORITY 1 PRIORITY 2 }\n}", "RECIPE f [ROUTE r {priority 1; priority 2}]",
      "2:23: warning: PRIORITY is given twice; the last one counts [W106]\n" },
    { "tree rules, in a recipe", "RECIPE f {\n DECISION_TREE t { IF a(b) { NAME x } ELSE { MODEL m } }\n ROUTE r {}\n}",
      "RECIPE f [DECISION_TREE t if a:b {name x} else {model m} | ROUTE r {}]",
      "2:20: error: recipe \"f\": DECISION_TREE \"t\" branch 1 must declare at least one MODEL [E111]\n"
      "3:2: error: recipe \"f\": DECISION_TREE and ROUTE cannot coexist in one program [E112]\n" },
    { "a list that gives nothing is no model",
      "DECISION_TREE t { IF a(b) { FOR v IN decision.candidates { MODEL v } } ELSE { FOR v IN [m] {} } }",
      "DECISION_TREE t if a:b {for v in decision.candidates -> v} else {for v m ->}",
      "1:19: error: DECISION_TREE \"t\" branch 1 must declare at least one MODEL [E111]\n"
      "1:72: error: DECISION_TREE \"t\" branch 2 must declare at least one MODEL [E111]\n" },
    { "coexistence is told once", "ROUTE a {}\nDECISION_TREE t { IF a(b) { MODEL m } ELSE { MODEL m } }\nROUTE b {}",
      "ROUTE a {} | DECISION_TREE t if a:b {model m} else {model m} | ROUTE b {}",
      "2:1: error: DECISION_TREE and ROUTE cannot coexist in one program [E112]\n" },
};

TEST(told_and_kept) {
    check_table(warnings, VSR_COUNT(warnings));
}

/* ---- what is refused */

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
    { "comma alone", "ROUTING { , }", "1:13: error: unexpected \"}\" (expected field or \"}\") [E101]\n" },
    { "two commas", "ROUTING { a: 1,, b: 2 }", "1:16: error: unexpected \",\" (expected field or \"}\") [E101]\n" },
    { "two commas in an array", "ROUTING { a: [1,,] }", "1:17: error: unexpected \",\" (expected value) [E101]\n" },
    { "comma alone in an array", "ROUTING { a: [,] }", "1:15: error: unexpected \",\" (expected value) [E101]\n" },
    { "no value", "ROUTING { a: }", "1:14: error: unexpected \"}\" (expected value) [E101]\n" },
    { "no key", "ROUTING { \"a\": 1 }", "1:11: error: unexpected \"a\" (expected field or \"}\") [E101]\n" },
    { "no declaration", "42 ROUTING {}", "1:1: error: unexpected \"42\" (expected declaration) [E101]\n" },
    { "a closing brace", "}}}\nROUTING {}", "1:1: error: unexpected \"}\" (expected declaration) [E101]\n" },
    { "no name", "ROUTE { MODEL m }", "1:7: error: unexpected \"{\" (expected name) [E101]\n" },
    { "no block", "ROUTE r", "1:8: error: unexpected end of input (expected \"{\") [E101]\n" },
    { "quoted type", "SIGNAL \"domain\" x {}", "1:8: error: unexpected \"domain\" (expected signal type) [E101]\n" },
    { "projection", "PROJECTION sum x {}",
      "1:12: error: unexpected \"sum\" (expected \"partition\", \"score\" or \"mapping\") [E101]\n" },
    { "template without a type", "PLUGIN p { }", "1:10: error: unexpected \"{\" (expected plugin type) [E101]\n" },
    { "signal without parentheses", "ROUTE r { WHEN keyword \"a\" }",
      "1:24: error: unexpected \"a\" (expected \"(\") [E101]\n" },
    { "two operators", "ROUTE r { WHEN a(b) AND OR c(d) }",
      "1:25: error: unexpected \"OR\" (expected signal reference, \"NOT\" or \"(\") [E101]\n" },
    { "open parenthesis", "ROUTE r { WHEN (a(b) MODEL m }",
      "1:22: error: unexpected \"MODEL\" (expected \"AND\", \"OR\" or \")\") [E101]\n" },
    { "signal without a name", "ROUTE r { WHEN a() }",
      "1:18: error: unexpected \")\" (expected signal name) [E101]\n" },
    { "no model", "ROUTE r { MODEL PLUGIN x }", "1:17: error: unexpected \"PLUGIN\" (expected model name) [E101]\n" },
    { "no option", "ROUTE r { MODEL m () }", "1:20: error: unexpected \")\" (expected option) [E101]\n" },
    { "options without a comma", "ROUTE r { MODEL m (a = 1 b = 2) }",
      "1:26: error: unexpected \"b\" (expected \",\" or \")\") [E101]\n" },
    { "option with a colon", "ROUTE r (a: 1) {}",
      "1:11: error: unexpected \":\" (expected \"=\") (fix: change to \"=\") [E101]\n" },
    { "field with an equals sign", "ROUTING { a = 1 }",
      "1:13: error: unexpected \"=\" (expected \":\") (fix: change to \":\") [E101]\n" },
    { "keyword in small letters", "route r {}",
      "1:1: error: unexpected \"route\" (expected declaration) (fix: change to \"ROUTE\") [E101]\n" },
    { "keyword with a slip", "DECISSION_TRE r {}",
      "1:1: error: unexpected \"DECISSION_TRE\" (expected declaration) (fix: change to \"DECISION_TREE\") [E101]\n" },
    { "keyword that is nowhere near", "ROUND r {}",
      "1:1: error: unexpected \"ROUND\" (expected declaration) [E101]\n" },
    { "keyword of another list", "RECIPE f { MODEL m {} }",
      "1:12: error: unexpected \"MODEL\" (expected declaration or \"}\") [E101]\n" },
    { "item with a slip", "ROUTE r { PRIORTY 1 }",
      "1:11: error: unexpected \"PRIORTY\" (expected route item or \"}\") (fix: change to \"PRIORITY\") [E101]\n" },
    { "operator in small letters", "ROUTE r { WHEN a(b) and c(d) }",
      "1:21: error: unexpected \"and\" (expected route item or \"}\") (fix: change to \"AND\") [E101]\n" },
    { "operator in small letters, in parentheses", "ROUTE r { WHEN (a(b) Or c(d)) }",
      "1:22: error: unexpected \"Or\" (expected \"AND\", \"OR\" or \")\") (fix: change to \"OR\") [E101]\n" },
    { "not in small letters", "ROUTE r { WHEN not(a(b)) }",
      "1:16: error: unexpected \"not\" (expected signal reference, \"NOT\" or \"(\") (fix: change to \"NOT\") "
      "[E101]\n" },
    { "else in small letters", "DECISION_TREE t { IF a(b) { MODEL m } else { MODEL m } }",
      "1:39: error: unexpected \"else\" (expected \"ELSE\") (fix: change to \"ELSE\") [E101]\n" },
    { "kind of projection", "PROJECTION Partition p {}",
      "1:12: error: unexpected \"Partition\" (expected \"partition\", \"score\" or \"mapping\") (fix: change to "
      "\"partition\") [E101]\n" },
    { "two commas of models", "ROUTE r { MODEL a,, b }",
      "1:19: error: unexpected \",\" (expected route item or \"}\") [E101]\n" },
    { "a decimal priority", "ROUTE r { PRIORITY 1.5 }", "1:20: error: unexpected \"1.5\" (expected integer) [E101]\n" },
    { "a bare description", "ROUTE r { DESCRIPTION x }", "1:23: error: unexpected \"x\" (expected string) [E101]\n" },
    { "quoted algorithm", "ROUTE r { ALGORITHM \"static\" }",
      "1:21: error: unexpected \"static\" (expected algorithm type) [E101]\n" },
    { "name in a route", "ROUTE r { NAME x }",
      "1:11: error: unexpected \"NAME\" (expected route item or \"}\") [E101]\n" },
    { "when in a branch", "DECISION_TREE t { IF a(b) { WHEN c(d) } }",
      "1:29: error: unexpected \"WHEN\" (expected branch item or \"}\") [E101]\n" },
    { "tree without a condition", "DECISION_TREE t { ELSE { MODEL m } }",
      "1:19: error: unexpected \"ELSE\" (expected \"IF\") [E101]\n" },
    { "else twice", "DECISION_TREE t { IF a(b) { MODEL m } ELSE { MODEL m } ELSE { MODEL m } }",
      "1:56: error: unexpected \"ELSE\" (expected \"}\") [E101]\n" },
    { "iteration", "ROUTE r { FOR v OF [a] {} }", "1:17: error: unexpected \"OF\" (expected \"IN\") [E101]\n" },
    { "iteration over nothing", "ROUTE r { FOR v IN [] {} }",
      "1:21: error: unexpected \"]\" (expected model name) [E101]\n" },
    { "iteration over a list without commas", "ROUTE r { FOR v IN [a b] {} }",
      "1:23: error: unexpected \"b\" (expected \",\" or \"]\") [E101]\n" },
    { "iteration with other items", "ROUTE r { FOR v IN [a] { PLUGIN p } }",
      "1:26: error: unexpected \"PLUGIN\" (expected \"MODEL\" or \"}\") [E101]\n" },
    { "emission without a block", "ROUTE r { EMIT retention }",
      "1:26: error: unexpected \"}\" (expected \"{\") [E101]\n" },
    { "test with a bare query", "TEST t { a -> r }",
      "1:10: error: unexpected \"a\" (expected query in quotes or \"}\") [E101]\n" },
    { "test without an arrow", "TEST t { \"a\" r }", "1:14: error: unexpected \"r\" (expected \"->\") [E101]\n" },
    { "model in a recipe", "RECIPE f {\n  MODEL m {}\n  ROUTE r {}\n}",
      "2:3: error: unexpected \"MODEL\" (expected declaration or \"}\") [E101]\n" },
    { "recipe with no options in parentheses", "RECIPE f () {}",
      "1:11: error: unexpected \")\" (expected option) [E101]\n" },
    { "recipe without an end", "RECIPE f {\n  ROUTE r {}\n\n\n",
      "2:13: error: unexpected end of input (expected declaration or \"}\") [E101]\n" },
    { "the end behind a text of two lines", "ROUTE r { DESCRIPTION \"a\n\xC3\xA9\" # x\n",
      "2:3: error: unexpected end of input (expected route item or \"}\") [E101]\n" },
    { "a unit elsewhere", "SIGNAL keyword k { min_tokens: 8K }",
      "1:35: error: unexpected \"}\" (expected \":\") [E101]\n" },
    { "a unit with a blank", "SIGNAL context k { min_tokens: 8 K }",
      "1:36: error: unexpected \"}\" (expected \":\") [E101]\n" },
    { "an unknown unit", "SIGNAL context k { min_tokens: 8G }",
      "1:35: error: unexpected \"}\" (expected \":\") [E101]\n" },
    { "long words are cut", "ROUTE r { 01234567890123456789012345678901234567890123456789 }",
      "1:11: error: integer does not fit 64 bits [E102]\n" },
    { "long names are cut", "ROUTE r { \"01234567890123456789012345678901234567890123456789\" }",
      "1:11: error: unexpected \"0123456789012345678901234567890123456789...\" (expected route item or \"}\") "
      "[E101]\n" },
    { "backend", "BACKEND vllm x { a: { b: 1 } }\nSIGNAL_GROUP g { a: 1 }\nSESSION_STATE s { }\nROUTING {}",
      "1:1: error: BACKEND blocks were removed in v0.3; put these settings in the YAML config [E110]\n"
      "2:1: error: SIGNAL_GROUP blocks were removed in v0.3; use PROJECTION partition g [E110]\n"
      "3:1: error: SESSION_STATE blocks were removed in v0.3; delete this one [E110]\n" },
    { "session_metric", "SIGNAL session_metric x { a: 1 }",
      "1:8: error: signal type session_metric was removed in v0.3; a conversation signal counts turns and tool calls "
      "[E110]\n" },
    { "in a recipe",
      "RECIPE f {\n  SIGNAL domain a { b }\n  GLOBAL { a: 1 }\n  ROUTE r { PRIORITY x }\n  SIGNAL @ y {}\n}\n",
      "2:23: error: unexpected \"}\" (expected \":\") [E101]\n"
      "3:3: error: GLOBAL blocks were removed in v0.3; put these settings in the YAML config [E110]\n"
      "4:22: error: unexpected \"x\" (expected integer) [E101]\n"
      "5:10: error: invalid input text \"@ y {}\" [E102]\n" },
};

TEST(every_error_has_its_place) {
    for (size_t i = 0; i < VSR_COUNT(errors); i++) {
        struct parsed t;
        parse(&t, str_from_c(errors[i].source));
        CHECK_STR(buf_str(&t.printed), errors[i].want, errors[i].name);
        done(&t);
    }
}

/* Each finding knows the declaration that it is in, whole or damaged, and whoever told it. */
TEST(findings_know_their_declaration) {
    static const struct {
        const char *source;
        uint32_t line, col; /* of the declaration; 0: none */
    } cases[] = {
        { "SIGNAL a b { x: \"\\d\" }", 1, 1 },
        { "\n  SIGNAL a b { x: @ }", 2, 3 },
        { "@ SIGNAL a b {}", 0, 0 },
        { "SIGNAL a b {} ROUTE r {} @", 0, 0 },
        { "x SIGNAL a b {}", 0, 0 },
        { "SIGNAL a b { x y }", 1, 1 },
        { "SIGNAL a b { x: 1, x: 2 }", 1, 1 },
        { "RECIPE f {\n SIGNAL a b { x: \"\\d\" } }", 2, 2 },
        { "RECIPE f { @\n SIGNAL a b {} }", 1, 1 },
        { "RECIPE f {\n x\n SIGNAL a b {} }", 1, 1 },
        { "RECIPE f {\n SIGNAL a b { x y } }", 2, 2 },
        { "RECIPE f (a = \"\\d\") {\n SIGNAL a b {} }", 1, 1 },
        { "SIGNAL a b { x: \"c }\nSIGNAL d e { y: \"f\" }", 1, 1 },
        { "GLOBAL { a: 1 }", 0, 0 },
        { "ROUTE r {}\nDECISION_TREE t { IF a(b) { MODEL m } ELSE { MODEL m } }", 2, 1 },
        { "RECIPE f {\n DECISION_TREE t { IF a(b) { TIER 1 } ELSE { MODEL m } } }", 2, 2 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct parsed t;
        parse(&t, str_from_c(cases[i].source));
        CHECK_INT(t.findings.n, 1, cases[i].source);
        CHECK_INT(t.findings.items[0].decl.line, cases[i].line, cases[i].source);
        CHECK_INT(t.findings.items[0].decl.col, cases[i].col, cases[i].source);
        done(&t);
    }
}

/* ---- recovery: a mistake costs its declaration and nothing else */

static const char *const damaged[] = {
    "SIGNAL domain b { description \"x\" }",
    "SIGNAL @ b {}",
    "SIGNAL domain { description: \"x\" }",
    "SIGNAL domain b { description: }",
    "SIGNAL keyword b { keywords: [\"a\" \"b\"] }",
    "SIGNAL keyword b { keywords: [\"a\", \"b\" }",
    "SIGNAL keyword b { keywords: \"a\"] }",
    "SIGNAL keyword b { keywords: { a: { b: 1 }",
    "SIGNAL keyword b {\n  keywords: [\"a\"]\n",
    "SIGNAL keyword b {\n  keywords: [\"a\"] }\n}",
    "SIGNAL keyword b {\n  {\n  keywords: [\"a\"]\n}",
    "SIGNAL keyword b\n  keywords: [\"a\"]\n}",
    "SIGNAL keyword b { description: \"never closed }",
    "SIGNAL keyword b {\n  description: \"never closed\n  keywords: [\"a\"]\n}",
    "SIGNAL keyword b { n: 99999999999999999999 }",
    "ROUTE b { PRIORITY \"high\" MODEL \"m\" }",
    "ROUTE b {\n  PRIORITY 1\n  WHEN keyword(\"a\") AND\n  MODEL \"m\"\n}",
    "ROUTE b {\n  WHEN (keyword(\"a\") OR keyword(\"b\"\n  MODEL \"m\"\n  PLUGIN tools { enabled: true }\n}",
    "ROUTE b {\n  FOO 1\n  MODEL m\n  PLUGIN p {\n    a: 1\n  }\n  TIER 1\n}",
    "ROUTE b {\n  MODEL m\n",
    "ROUTE b {\n  MODEL m, ,\n  ALGORITHM {\n}",
    "ROUTE (description = \"x\") { MODEL m }",
    "DECISION_TREE b {\n  IF domain(\"a\") { MODEL \"m\" }\n}",
    "DECISION_TREE b {\n  IF domain(\"a\") { MODEL \"m\"\n  ELSE { MODEL n }\n",
    "TEST b { \"q\" r }",
    "TEST b {\n  \"q\" ->\n}",
    "PROJECTION sum b { method: \"x\" }",
    "PLUGIN b { enabled: true }",
    "GLOBAL { default_model: \"m\" b: { c: 1 } }",
    "BACKEND vllm b {\n  url: \"x\"\n",
    "SIGNAL session_metric b { a: 1 }",
    "FOO b {\n  x: { y: 1 }\n}",
    "x: 1, y: { z: 2 }",
    "}",
    "\xFF",
};

static const struct {
    const char *text, *name;
    enum dsl_decl_kind kind;
} good[] = {
    { "SIGNAL domain g0 { description: \"it's {fine} # SIGNAL x {\" }", "g0", DSL_SIGNAL_DECL },
    { "ROUTE g1 (description = \"d\") {\n  PRIORITY 1\n  WHEN domain(\"g0\")\n  MODEL \"m\",\n        \"n\"\n}", "g1",
      DSL_ROUTE },
    { "PLUGIN g2 tools {\n  enabled: true\n}", "g2", DSL_PLUGIN },
    { "TEST g3 { \"q\" -> g1 }", "g3", DSL_TEST },
    { "PROJECTION score g4 { inputs: [{ type: \"domain\", name: \"g0\" }] } # }", "g4", DSL_SCORE },
};

/* Which keywords end a damaged declaration. */
static const struct parse_case resumed[] = {
    { "in a recipe on one line", "RECIPE f { SIGNAL @ b {} ROUTE g {} } MODEL g {}",
      "RECIPE f [ROUTE g {}] | MODEL g {}", "1:19: error: invalid input text \"@ b {} ROUTE g {\" [E102]\n" },
    { "behind a byte order mark", "\xEF\xBB\xBFSIGNAL a b {\nMODEL g {}", "MODEL g {}",
      "2:7: error: unexpected \"g\" (expected \":\") [E101]\n" },
    { "in a text that is indented as a whole", "  ROUTE b {\n    WHEN (\n  MODEL g {}\n  ROUTE g {}",
      "MODEL g {} | ROUTE g {}",
      "3:3: error: unexpected \"MODEL\" (expected signal reference, \"NOT\" or \"(\") [E101]\n" },
    { "not an item behind a header that lost its brace",
      "ROUTE b (description = \"d\")\n  PRIORITY 1\n  PLUGIN p {\n    a: 1\n  }\n  MODEL m\n}\nMODEL g {}",
      "MODEL g {}", "2:3: error: unexpected \"PRIORITY\" (expected \"{\") [E101]\n" },
    { "nor behind one that a string swallowed", "ROUTE b (description = \"never closed) {\n  MODEL m\n}\nMODEL g {}",
      "MODEL g {}", "1:24: error: unterminated string [E102]\n" },
    { "a keyword with a slip", "SIGNAL a b { x y }\nsignal a b {}\nROUTES r {\n}\nMODEL g {}", "MODEL g {}",
      "1:16: error: unexpected \"y\" (expected \":\") [E101]\n"
      "2:1: error: unexpected \"signal\" (expected declaration) (fix: change to \"SIGNAL\") [E101]\n"
      "3:1: error: unexpected \"ROUTES\" (expected declaration) (fix: change to \"ROUTE\") [E101]\n" },
    { "two strings never closed",
      "SIGNAL a b { x: \"c }\nSIGNAL a g { x: \"d\" }\nSIGNAL a b { x: \"e }\nSIGNAL a h { x: \"f\" }",
      "SIGNAL a g {x='d'} | SIGNAL a h {x='f'}",
      "1:17: error: unterminated string [E102]\n3:17: error: unterminated string [E102]\n" },
    { "a string never closed, and one of two lines", "SIGNAL a b { x: \"c }\nSIGNAL a g { x: \"d\ne\" }",
      "SIGNAL a g {x='d\ne'}", "1:17: error: unterminated string [E102]\n" },
    { "one of the right shape, on the same line", "SIGNAL @ b {} SIGNAL domain g {}", "SIGNAL domain g {}",
      "1:8: error: invalid input text \"@ b {} SIGNAL do\" [E102]\n" },
    { "not a name that looks like one", "SIGNAL @ MODEL {}\nMODEL g {}", "MODEL g {}",
      "1:8: error: invalid input text \"@ MODEL {}\" [E102]\n" },
    { "one at the start of a line, damaged itself", "SIGNAL @ b {}\nMODEL {}\nMODEL g {}", "MODEL g {}",
      "1:8: error: invalid input text \"@ b {}\" [E102]\n2:7: error: unexpected \"{\" (expected name) [E101]\n" },
    { "not an item of a route without indents", "ROUTE b {\nFOO 1\nMODEL m\nPLUGIN p { a: 1 }\n}\nMODEL g {}",
      "MODEL g {}", "2:1: error: unexpected \"FOO\" (expected route item or \"}\") [E101]\n" },
    { "not a field without an indent", "SIGNAL domain b {\nx y\nROUTE: 1\nMODEL: 2\n}\nMODEL g {}", "MODEL g {}",
      "2:3: error: unexpected \"y\" (expected \":\") [E101]\n" },
    { "not an option", "ROUTE b (x y,\nMODEL = 1) { MODEL m }\nMODEL g {}", "MODEL g {}",
      "1:12: error: unexpected \"y\" (expected \"=\") [E101]\n" },
    { "one further out than a recipe that was never closed",
      "RECIPE f {\n  SIGNAL domain a {}\n  ROUTE b { FOO }\nENTRYPOINT { recipe: \"f\" }\nROUTE g {}",
      "RECIPE f [SIGNAL domain a {}] | ENTRYPOINT {recipe='f'} | ROUTE g {}",
      "3:13: error: unexpected \"FOO\" (expected route item or \"}\") [E101]\n" },
    { "the same, without damage before it", "RECIPE f {\n  SIGNAL domain a {}\nENTRYPOINT { recipe: \"f\" }",
      "RECIPE f [SIGNAL domain a {}] | ENTRYPOINT {recipe='f'}",
      "3:1: error: unexpected \"ENTRYPOINT\" (expected declaration or \"}\") [E101]\n" },
    { "the same, behind damage that opened braces",
      "RECIPE f {\n  SIGNAL domain a {}\n  ROUTE b { PLUGIN p { x: {\nROUTE g {}",
      "RECIPE f [SIGNAL domain a {}] | ROUTE g {}", "4:7: error: unexpected \"g\" (expected \":\") [E101]\n" },
    { "inside of a recipe without indents", "RECIPE f {\nSIGNAL domain a { b }\nROUTE g {}\n}\nMODEL g {}",
      "RECIPE f [ROUTE g {}] | MODEL g {}", "2:21: error: unexpected \"}\" (expected \":\") [E101]\n" },
    { "but what no recipe holds is outside of it", "RECIPE f {\nROUTE g {}\nSIGNAL domain a { b\nMODEL g {}",
      "RECIPE f [ROUTE g {}] | MODEL g {}", "4:1: error: unexpected \"MODEL\" (expected \":\") [E101]\n" },
    { "warnings and errors of all kinds, in a recipe",
      "RECIPE f {\n  SIGNAL a b { x: \"\\d\", x: \"\xFF\" }\n  SIGNAL a c { y: \"\\d\", y: 1 }\n}",
      "RECIPE f [SIGNAL a c {y!='\\d' y=1}]",
      "2:20: warning: unknown escape `\\d`; string taken literally (fix: write `\\\\d`) [W104]\n"
      "2:29: error: invalid UTF-8: byte 0xff [E103]\n"
      "3:20: warning: unknown escape `\\d`; string taken literally (fix: write `\\\\d`) [W104]\n"
      "3:25: warning: field \"y\" is set twice; the last one counts [W105]\n" },
};

TEST(reading_resumes) {
    check_table(resumed, VSR_COUNT(resumed));
}

/* Damaged and whole declarations in any order, one at least between two damaged ones. */
struct mixture {
    struct buf text;
    size_t n_damaged, n_good;
    size_t which[64]; /* of the good ones, in order */
};

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void add_lines(struct buf *out, const char *text, const char *indent) {
    for (vsr_str rest = str_from_c(text); rest.ptr;) {
        vsr_str line = str_split(&rest, '\n');
        buf_printf(out, "%s%.*s\n", indent, VSR_FMT(line));
    }
}

static void add_good(struct mixture *m, size_t which, const char *indent) {
    add_lines(&m->text, good[which].text, indent);
    m->which[m->n_good++] = which;
}

/* A brace too many leaves its declaration, called b, whole. */
static void check_mixture(const struct mixture *m, const struct dsl_program *program, const struct parsed *t,
                          const char *name) {
    size_t n = 0;
    for (size_t i = 0; i < program->n; i++) {
        if (str_eq_c(program->decls[i].name.text, "b"))
            continue;
        CHECK_MSG(n < m->n_good && str_eq_c(program->decls[i].name.text, good[m->which[n]].name) &&
                      program->decls[i].kind == good[m->which[n]].kind,
                  "%s: declaration %zu is %.*s in\n%.*s\n%.*s", name, i, VSR_FMT(program->decls[i].name.text),
                  VSR_FMT(buf_str(&m->text)), VSR_FMT(buf_str(&t->printed)));
        n++;
    }
    CHECK_MSG(t->findings.n_of[FINDING_ERROR] == m->n_damaged && n == m->n_good,
              "%s: %zu of %zu mistakes, %zu of %zu declarations in\n%.*s\n%.*s", name, t->findings.n_of[FINDING_ERROR],
              m->n_damaged, n, m->n_good, VSR_FMT(buf_str(&m->text)), VSR_FMT(buf_str(&t->printed)));
}

/* Each kind of damage alone, between two whole declarations: at the top, and in a recipe. */
TEST(one_mistake_is_one_finding) {
    for (size_t i = 0; i < VSR_COUNT(damaged); i++) {
        for (int recipe = 0; recipe < 2; recipe++) {
            struct mixture m = { .n_damaged = 1 };
            struct parsed t;
            const struct dsl_program *program = &t.tree.program;
            const char *indent = recipe ? "  " : "";
            bool outside = recipe && (strcmp(damaged[i], "}") == 0 || strstr(damaged[i], "] }\n}"));
            buf_init(&m.text, TEXT_LEN_MAX);
            if (recipe)
                buf_append_c(&m.text, "RECIPE f {\n");
            add_good(&m, i % VSR_COUNT(good), indent);
            add_lines(&m.text, damaged[i], indent);
            add_good(&m, (i + 1) % VSR_COUNT(good), indent);
            if (recipe)
                buf_append_c(&m.text, "}\n");
            parse(&t, buf_str(&m.text));
            if (recipe && !outside) {
                CHECK_INT(program->n, 1, damaged[i]);
                program = program->decls[0].recipe;
            }
            if (outside) { /* a brace too many ends the recipe: what follows stands outside */
                CHECK_INT(t.findings.n, 1, damaged[i]);
            } else {
                check_mixture(&m, program, &t, damaged[i]);
            }
            buf_done(&m.text);
            done(&t);
        }
    }
}

TEST(mistakes_do_not_spread) {
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 3000; round++) {
        struct mixture m = { 0 };
        struct parsed t;
        size_t n = 1 + next_random(&random) % 12;
        buf_init(&m.text, TEXT_LEN_MAX);
        for (size_t i = 0; i < n; i++) {
            if (next_random(&random) % 2) {
                add_lines(&m.text, damaged[next_random(&random) % VSR_COUNT(damaged)], "");
                m.n_damaged++;
            }
            add_good(&m, next_random(&random) % VSR_COUNT(good), "");
        }
        parse(&t, buf_str(&m.text));
        check_mixture(&m, &t.tree.program, &t, "mixture");
        buf_done(&m.text);
        done(&t);
    }
}

/* ---- limits */

static void repeat(struct buf *out, const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        buf_append_c(out, text);
}

/* Where each kind of nesting ends: at the limit it is read, one past it told. */
TEST(depth) {
    static const struct {
        const char *name, *before, *open, *middle, *close, *behind;
    } cases[] = {
        { "arrays", "ROUTING { a: ", "[", "", "]", " }" },
        { "objects", "ROUTING { a: ", "{x:", "1", "}", " }" },
        { "parentheses", "ROUTE r { WHEN ", "(", "a(b)", ")", " }" },
        { "not", "ROUTE r { WHEN ", "NOT ", "a(b)", "", " }" },
        { "in an argument", "ROUTE r { WHEN a(b, c: ", "[", "", "]", ") }" },
        { "in a branch", "RECIPE f { DECISION_TREE t { IF ", "(", "a(b)", ")", " { MODEL m } ELSE { MODEL m } } }" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        for (size_t n = DSL_DEPTH_MAX; n <= DSL_DEPTH_MAX + 1; n++) {
            struct parsed t;
            struct buf text;
            buf_init(&text, TEXT_LEN_MAX);
            buf_append_c(&text, cases[i].before);
            repeat(&text, cases[i].open, n);
            buf_append_c(&text, cases[i].middle);
            repeat(&text, cases[i].close, n);
            buf_append_c(&text, cases[i].behind);
            parse(&t, buf_str(&text));
            CHECK_INT(t.findings.n, n > DSL_DEPTH_MAX, cases[i].name);
            if (n > DSL_DEPTH_MAX) {
                CHECK_STR(str_from_c(t.findings.items[0].code), "E105", cases[i].name);
                CHECK_INT(t.findings.items[0].at.col,
                          strlen(cases[i].before) + DSL_DEPTH_MAX * strlen(cases[i].open) + 1, cases[i].name);
            }
            buf_done(&text);
            done(&t);
        }
    }
}

/* Depth is of what stands in each other, in whatever declaration came before. */
TEST(siblings_are_not_deep) {
    struct parsed t;
    struct buf text;
    buf_init(&text, TEXT_LEN_MAX);
    for (int i = 0; i < 3; i++) {
        buf_append_c(&text, "ROUTING { a: ");
        repeat(&text, "[", DSL_DEPTH_MAX + 1);
        buf_append_c(&text, "}\nROUTE r { WHEN a(b)");
        repeat(&text, " AND NOT (a(b, c: { d: [[{}]] }) OR (a(b)))", 100);
        buf_append_c(&text, " WHEN ");
        repeat(&text, "(", DSL_DEPTH_MAX);
        buf_append_c(&text, "a(b)");
        repeat(&text, ")", DSL_DEPTH_MAX);
        buf_append_c(&text, " }\n");
    }
    parse(&t, buf_str(&text));
    CHECK_INT(t.findings.n_of[FINDING_ERROR], 3, "only those that are");
    CHECK_INT(t.tree.program.n, 3, "the others are whole");
    buf_done(&text);
    done(&t);
}

TEST(declarations) {
    struct parsed t;
    struct buf text;
    buf_init(&text, DSL_BYTES_MAX);
    buf_append_c(&text, "RECIPE f {");
    repeat(&text, "ROUTING{}", DSL_DECLARATIONS_MAX - 1);
    buf_append_c(&text, "}");
    parse(&t, buf_str(&text));
    CHECK_INT(t.findings.n, 0, "at the limit");
    CHECK_INT(t.tree.program.decls[0].recipe->n, DSL_DECLARATIONS_MAX - 1, "at the limit");
    done(&t);
    buf_append_c(&text, "ROUTING{} ROUTING{}");
    parse(&t, buf_str(&text));
    CHECK_STR(buf_str(&t.printed), "1:900003: error: a program has at most 100000 declarations; split it [E106]\n",
              "past it");
    buf_done(&text);
    done(&t);
}

/*
 * Texts made to be slow: of whatever size, they are read in time linear in it (work counts what was looked at), with a
 * bounded number of findings.
 */
TEST(hostile_texts_are_read_once) {
    enum { LEN = 1 << 18, WORK_PER_BYTE = 12 };
    static const char *const texts[][3] = {
        { "", "(" },
        { "", "{" },
        { "", "\"" },
        { "", "}" },
        { "", "[" },
        { "", "\\" },
        { "", "\xFF " },
        { "", "@ " },
        { "", "#\n" },
        { "", "ROUTE " },
        { "", "ROUTE r {" },
        { "", "ROUTE r {\n" },
        { "", "ROUTE r {\nMODEL m\nPLUGIN\n" },
        { "", "RECIPE f {\n" },
        { "", "RECIPE f { ROUTE r {} SIGNAL\n" },
        { "", "SIGNAL\n" },
        { "", "SIGNAL a {}\n" },
        { "", "SIGNAL a { b: \"c\n" },
        { "", "DECISION_TREE\n" },
        { "", "TEST t {\n" },
        { "", "GLOBAL {\n" },
        { "", "              ROUTE" },
        { "\"a\n", "\\\"\n" },
        { "\"a\n\"b", "\\\"\n" },
        { "x \"a\n", "\\\"\n\"b" },
        { "ROUTE r { WHEN ", "(" },
        { "ROUTE r { WHEN ", "NOT " },
        { "ROUTE r { WHEN a(b)", " OR a(b)" },
        { "ROUTE r { WHEN a(b)", " OR a(b) AND c(d)" },
        { "ROUTE r { MODEL a", ", a" },
        { "ROUTE r { MODEL a", " (b = 1), a" },
        { "ROUTE r {", " MODEL a" },
        { "ROUTE r {", " PRIORITY 1" },
        { "ROUTING { a: ", "[" },
        { "ROUTING { a: ", "{a:" },
        { "ROUTING { a: [", "1," },
        { "ROUTING { a: [", "[]," },
        { "ROUTING {", "a:1 " },
        { "ROUTING {", "a:{} " },
        { "ROUTING { a: [", "\"\\d\"," },
        { "ROUTING { a: [", "\"a\nb\"c," },
        { "x \"a\n", "\\\"\n", "\"b" },
        { "x \"a\n", "\\\"\n\n", "\"b \"c\nd\"e" },
        { "DECISION_TREE t { IF a(b) { MODEL m }", " ELSE IF a(b) { }" },
    };
    struct buf text;
    buf_init(&text, DSL_BYTES_MAX);
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        struct parsed t;
        /* the three of the specification at full size */
        repeat(&text, texts[i][0], 1);
        repeat(&text, texts[i][1], (i < 3 ? DSL_BYTES_MAX : LEN - 64) / strlen(texts[i][1]));
        buf_append_c(&text, texts[i][2] ? texts[i][2] : "");
        parse(&t, buf_str(&text));
        CHECK_MSG(t.tree.work <= WORK_PER_BYTE * text.len + 1000, "%s, %s: %zu for %zu bytes", texts[i][0], texts[i][1],
                  t.tree.work, text.len);
        CHECK(t.findings.n <= FINDINGS_SYNTAX_MAX + FINDINGS_MAX, texts[i][1]);
        CHECK(t.findings.n > 0 || strchr("#S", texts[i][1][0]), texts[i][1]);
        done(&t);
        buf_reset(&text);
    }
    buf_done(&text);
}

/* Whatever is cut off or struck out of a good program: findings, and no more than that. */
TEST(any_cut) {
    static const char program[] =
        "RECIPE f (description = \"d\") {\n  SIGNAL context c { min_tokens: 8K, o: { a: [1, {}] } }\n"
        "  ROUTE r (a = 1) {\n    WHEN NOT c(\"x\", p: { gte: 1 }) AND (d(e) OR f(g))\n    MODEL a (w = 1), b\n"
        "    FOR v IN [a, b] { MODEL v }\n    EMIT retention { drop: true }\n  }\n  TEST t { \"q\" -> r }\n}\n"
        "DECISION_TREE t { IF a(b) { MODEL m } ELSE { MODEL n } } # end\n";
    vsr_str all = str_make(program, sizeof(program) - 1);
    for (size_t cut = 0; cut <= all.len; cut++) {
        for (size_t len = 0; len < 4 && cut + len <= all.len; len++) {
            struct parsed t;
            struct buf text;
            buf_init(&text, TEXT_LEN_MAX);
            buf_append(&text, str_sub(all, 0, cut));
            if (len > 0)
                buf_append(&text, str_sub(all, cut + len, all.len));
            parse(&t, buf_str(&text));
            CHECK(t.findings.n <= 12, "few findings");
            CHECK_INT(t.tree.tokens.items[t.tree.tokens.n - 1].at.end, text.len, "all was read");
            for (size_t i = 0; i < t.findings.n; i++)
                CHECK(t.findings.items[i].at.end <= text.len && t.findings.items[i].at.line > 0, "place");
            buf_done(&text);
            done(&t);
        }
    }
}

RUN_TESTS(T(every_form), T(told_and_kept), T(every_error_has_its_place), T(findings_know_their_declaration),
          T(reading_resumes), T(one_mistake_is_one_finding), T(mistakes_do_not_spread), T(depth),
          T(siblings_are_not_deep), T(declarations), T(hostile_texts_are_read_once), T(any_cut))
