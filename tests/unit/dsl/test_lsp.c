/* The language server without its pipe: what an editor says, and what it is answered. */
#include "config/diag.h"
#include "config/yaml_tree.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"
#include "dsl/language.h"
#include "dsl/lsp.h"
#include "parts.h"
#include "test.h"

enum { OUT_LEN_MAX = 64 << 20 };

struct session {
    struct arena *arena;
    struct lsp *lsp;
    struct buf out;
};

/* The bodies that were sent since the last time, one a line. */
static vsr_str take(struct session *s) {
    vsr_str rest = buf_str(&s->out), all = VSR_STR("");
    while (rest.len > 0) {
        ptrdiff_t end = str_find(rest, VSR_STR("\r\n\r\n"));
        uint64_t len;
        CHECK_MSG(end > 0 && str_starts(rest, VSR_STR("Content-Length: ")), "%.*s", VSR_FMT(rest));
        CHECK_MSG(str_to_u64(str_sub(rest, 16, (size_t)end), &len), "%.*s", VSR_FMT(rest));
        rest = str_sub(rest, (size_t)end + 4, rest.len);
        CHECK_MSG(len <= rest.len, "%.*s", VSR_FMT(rest));
        all = arena_printf(s->arena, "%.*s%.*s\n", VSR_FMT(all), (int)len, rest.ptr);
        rest = str_sub(rest, (size_t)len, rest.len);
    }
    buf_reset(&s->out);
    return all;
}

static vsr_str say(struct session *s, vsr_str body) {
    vsr_str message = arena_printf(s->arena, "Content-Length: %zu\r\n\r\n%.*s", body.len, VSR_FMT(body));
    lsp_feed(s->lsp, message, &s->out);
    return take(s);
}

static vsr_str say_c(struct session *s, const char *body) {
    return say(s, str_from_c(body));
}

static vsr_str quoted(struct session *s, vsr_str text) {
    struct buf out;
    vsr_str result;
    buf_init(&out, OUT_LEN_MAX);
    json_quote(&out, text);
    result = arena_str(s->arena, buf_str(&out));
    buf_done(&out);
    return result;
}

static void start(struct session *s, const char *capabilities) {
    *s = (struct session){ .arena = arena_new(0, 0) };
    s->lsp = lsp_new(dsl_language());
    buf_init(&s->out, OUT_LEN_MAX);
    (void)say(s, arena_printf(s->arena,
                              "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
                              "\"capabilities\":%s}}",
                              capabilities));
}

static void stop(struct session *s) {
    lsp_free(s->lsp);
    buf_done(&s->out);
    arena_free(s->arena);
}

static void open_text(struct session *s, vsr_str text) {
    vsr_str told = say(s, arena_printf(s->arena,
                                       "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{"
                                       "\"textDocument\":{\"uri\":\"file:///p.dsl\",\"version\":1,\"text\":%.*s}}}",
                                       VSR_FMT(quoted(s, text))));
    CHECK_STR(told, "", "opening");
}

static vsr_str settle(struct session *s) {
    lsp_settle(s->lsp, &s->out);
    return take(s);
}

/* A request about the place. */
static vsr_str ask(struct session *s, const char *method, unsigned line, unsigned character) {
    return say(s, arena_printf(s->arena,
                               "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"textDocument/%s\",\"params\":{"
                               "\"textDocument\":{\"uri\":\"file:///p.dsl\"},"
                               "\"position\":{\"line\":%u,\"character\":%u}}}",
                               method, line, character));
}

/* Opens the text without the bar that marks the place, and asks there. ASCII. */
static vsr_str ask_at_bar(struct session *s, const char *method, const char *marked) {
    vsr_str text = str_from_c(marked);
    size_t bar = (size_t)str_find_char(text, '|');
    unsigned line = 0, character = 0;
    for (size_t i = 0; i < bar; i++) {
        line += text.ptr[i] == '\n';
        character = text.ptr[i] == '\n' ? 0 : character + 1;
    }
    open_text(s, arena_printf(s->arena, "%.*s%.*s", (int)bar, text.ptr, VSR_FMT(str_sub(text, bar + 1, text.len))));
    return ask(s, method, line, character);
}

static json_ref result_of(struct session *s, vsr_str answer, struct json_doc *doc) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(json_parse(s->arena, str_trim(answer), doc, &err) == 0, "%.*s", VSR_FMT(answer));
    return json_get(doc, 0, VSR_STR("result"));
}

/* ---- completion */

struct completion_case {
    const char *name, *marked;
    const char *has; /* " a b ": each is offered */
    const char *lacks;
};

#define WORLD \
    "SIGNAL keyword urgent { operator: \"OR\" keywords: [\"asap\"] }\n" \
    "SIGNAL domain math { description: \"m\" }\n" \
    "MODEL \"big\" { quality_score: 0.9 }\n" \
    "PLUGIN quick response_cache { enabled: true }\n" \
    "PROJECTION score load { method: \"weighted_sum\" inputs: [{ type: \"domain\", name: \"math\", weight: 1 }] }\n" \
    "PROJECTION mapping bands { source: \"load\" method: \"threshold_bands\" outputs: [{ name: \"high\", gte: 0.5 }] " \
    "}\n" \
    "RECIPE fast { SIGNAL keyword inner { operator: \"OR\" keywords: [\"x\"] }\n ROUTE in { MODEL \"big\" } }\n" \
    "ROUTE first { PRIORITY 1 WHEN keyword(\"urgent\") MODEL \"big\" }\n"

static const struct completion_case completions[] = {
    { "a declaration", WORLD "RO|", " ROUTE SIGNAL RECIPE MODEL ", " WHEN PRIORITY " },
    { "in a recipe", "RECIPE a {\n  |\n}\n", " ROUTE SIGNAL ", " RECIPE MODEL ENTRYPOINT " },
    { "types of signals", "SIGNAL |", " keyword domain classifier ", " SIGNAL static " },
    { "kinds of projections", "PROJECTION |", " partition score mapping ", " keyword " },
    { "fields not said yet", "SIGNAL keyword a {\n  operator: \"OR\"\n  |\n  case_sensitive: true\n}\n",
      " keywords method ", " operator case_sensitive threshold " },
    { "choices", "SIGNAL keyword a { operator: | }", " OR AND ", " keywords " },
    { "choices in quotes", "SIGNAL keyword a { operator: \"|\" }", " OR AND ", " keywords " },
    { "truth", "SIGNAL keyword a { case_sensitive: | }", " true false ", "" },
    { "items", WORLD "ROUTE r {\n  |\n}\n", " PRIORITY WHEN MODEL ALGORITHM PLUGIN ", " SIGNAL NAME " },
    { "a condition", WORLD "ROUTE r {\n  WHEN |\n}\n", " NOT keyword projection ", " AND MODEL " },
    { "behind a signal", WORLD "ROUTE r {\n  WHEN keyword(\"urgent\") |\n}\n", " AND OR ", " keyword " },
    { "behind an operator", WORLD "ROUTE r { WHEN (NOT keyword(\"urgent\") AND |", " keyword NOT ", " AND " },
    { "names of a type", WORLD "ROUTE r { WHEN keyword(\"|\")", " urgent ", " math inner high " },
    { "names without quotes", WORLD "ROUTE r { WHEN keyword(ur|)", " urgent ", " math " },
    { "outputs", WORLD "ROUTE r { WHEN projection(\"|", " high ", " urgent load " },
    { "names in a recipe",
      "RECIPE a {\n  SIGNAL keyword k { operator: \"OR\" keywords: [\"x\"] }\n  ROUTE r { MODEL \"m\" "
      "}\n  ROUTE q { WHEN keyword(\"|\") }\n}\n",
      " k ", "" },
    { "models", WORLD "ROUTE r { MODEL |", " big ", " urgent " },
    { "more models", WORLD "ROUTE r { MODEL \"a\", \"|", " big ", " urgent " },
    { "options of a model", WORLD "ROUTE r { MODEL \"big\" (|", " reasoning effort ", " operator " },
    { "algorithms", WORLD "ROUTE r { ALGORITHM |", " static fusion remom ", " keyword " },
    { "fields of an algorithm", WORLD "ROUTE r { ALGORITHM fusion { |", " judge_prompt_version ", " operator " },
    { "plugins", WORLD "ROUTE r { PLUGIN |", " quick response_cache memory ", " keyword " },
    { "fields of a template", WORLD "ROUTE r { PLUGIN quick { |", " enabled ", " operator " },
    { "types of plugins", "PLUGIN x |", " response_cache ", " x keyword " },
    { "sources", WORLD "PROJECTION mapping m { source: \"|\" }", " load ", " bands urgent " },
    { "recipes", WORLD "ENTRYPOINT { recipe: |", " fast ", " first " },
    { "routes of tests", WORLD "TEST t { \"q\" -> |", " first ", " in fast " },
    { "branches", WORLD "DECISION_TREE t { |", " IF ELSE ", " WHEN " },
    { "items of branches", WORLD "DECISION_TREE t { IF keyword(\"urgent\") { |", " NAME MODEL ", " PRIORITY WHEN " },
    { "inputs by type", WORLD "PROJECTION score z { inputs: [{ type: \"domain\", name: \"|\" }] }", " math ",
      " urgent " },
    { "a missing brace costs one declaration", "ROUTE a { WHEN (keyword(\"x\"\nSIGNAL |", " keyword ", " AND " },
    { "comments", "# RO|", "", " ROUTE " },
};

static vsr_str labels(struct session *s, vsr_str answer) {
    struct json_doc doc;
    json_ref items = json_get(&doc, result_of(s, answer, &doc), VSR_STR("items"));
    vsr_str all = VSR_STR(" "), label;
    CHECK_MSG(json_is(&doc, items, JSON_ARRAY), "%.*s", VSR_FMT(answer));
    for (json_ref it = json_first(&doc, items); it != JSON_NONE; it = json_next(&doc, items, it)) {
        CHECK_MSG(json_str(s->arena, &doc, json_get(&doc, it, VSR_STR("label")), &label), "no label");
        all = arena_printf(s->arena, "%.*s%.*s ", VSR_FMT(all), VSR_FMT(label));
    }
    return all;
}

TEST(completion_offers_what_the_place_allows) {
    for (size_t i = 0; i < VSR_COUNT(completions); i++) {
        const struct completion_case *it = &completions[i];
        struct session s;
        vsr_str all, word, rest;
        start(&s, "{}");
        all = labels(&s, ask_at_bar(&s, "completion", it->marked));
        for (rest = str_trim(str_from_c(it->has)); rest.len > 0;) {
            word = str_split(&rest, ' ');
            CHECK_MSG(str_find(all, arena_printf(s.arena, " %.*s ", VSR_FMT(word))) >= 0, "%s: no %.*s in%.*s",
                      it->name, VSR_FMT(word), VSR_FMT(all));
        }
        for (rest = str_trim(str_from_c(it->lacks)); rest.len > 0;) {
            word = str_split(&rest, ' ');
            CHECK_MSG(str_find(all, arena_printf(s.arena, " %.*s ", VSR_FMT(word))) < 0, "%s: %.*s in%.*s", it->name,
                      VSR_FMT(word), VSR_FMT(all));
        }
        stop(&s);
    }
}

/* ---- hover and definition: a part of the answer */

struct answer_case {
    const char *name, *method, *marked, *part;
};

#define RANGE(l, c, m, d) \
    "\"range\":{\"start\":{\"line\":" #l ",\"character\":" #c "},\"end\":{\"line\":" #m ",\"character\":" #d "}}"

/* Line and character of the start, then of the end. */
#define RANGE_PRINTED "\"range\":{\"start\":{\"line\":%u,\"character\":%u},\"end\":{\"line\":%u,\"character\":%u}}"

static const struct answer_case answers[] = {
    { "a keyword", "hover", "ROU|TE a { MODEL \"m\" }", "which models answer" },
    { "its range", "hover", "ROU|TE a { MODEL \"m\" }", RANGE(0, 0, 0, 5) },
    { "a field", "hover", "SIGNAL keyword a { oper|ator: \"OR\" }", "**operator**: one of " },
    { "a range", "hover", "MODEL a { quality_sc|ore: 1 }", "number, 0 to 1" },
    { "a type", "hover", "SIGNAL key|word a { }", "routing.signals.keywords" },
    { "an algorithm", "hover", "ROUTE a { ALGORITHM fus|ion }", "`ALGORITHM fusion`" },
    { "a signal", "hover", WORLD "ROUTE r { WHEN keyword(\"ur|gent\") }", "SIGNAL keyword urgent { operator: " },
    { "an output", "hover", WORLD "ROUTE r { WHEN projection(\"hi|gh\") }", "PROJECTION mapping bands" },
    { "nothing", "hover", "ROUTE a |{ MODEL \"m\" }", "\"result\":null" },
    { "an unknown signal", "hover", "ROUTE r { WHEN keyword(\"no|ne\") }", "\"result\":null" },
    { "signal", "definition", WORLD "ROUTE r { WHEN NOT (keyword(\"ur|gent\")) MODEL \"big\" }", RANGE(0, 15, 0, 21) },
    { "another type", "definition", WORLD "ROUTE r { WHEN domain(\"ur|gent\") MODEL \"big\" }", "\"result\":null" },
    { "model", "definition", WORLD "ROUTE r { MODEL \"a\", \"b|ig\" }", RANGE(2, 6, 2, 11) },
    { "template", "definition", WORLD "ROUTE r { MODEL \"a\" PLUGIN qui|ck }", RANGE(3, 7, 3, 12) },
    { "output", "definition", WORLD "ROUTE r { WHEN projection(\"hi|gh\") MODEL \"big\" }", RANGE(5, 86, 5, 92) },
    { "score", "definition", WORLD "PROJECTION mapping m { source: \"lo|ad\" }", RANGE(4, 17, 4, 21) },
    { "input", "definition", WORLD "PROJECTION score s { inputs: [{ type: \"domain\", name: \"ma|th\" }] }",
      RANGE(1, 14, 1, 18) },
    { "recipe", "definition", WORLD "ENTRYPOINT { model_names: [\"x\"] recipe: \"fa|st\" }", RANGE(6, 7, 6, 11) },
    { "route", "definition", WORLD "TEST t { \"q\" -> fir|st }", RANGE(8, 6, 8, 11) },
    { "a recipe's signals are its own", "definition", WORLD "ROUTE r { WHEN keyword(\"in|ner\") MODEL \"big\" }",
      "\"result\":null" },
    { "a level", "definition",
      "SIGNAL complexity hard { threshold: 0.1 }\nROUTE r { WHEN complexity(\"hard:ea|sy\") MODEL \"m\" }",
      RANGE(0, 18, 0, 22) },
};

TEST(hover_and_definition_know_what_is_meant) {
    for (size_t i = 0; i < VSR_COUNT(answers); i++) {
        struct session s;
        vsr_str answer;
        start(&s, "{}");
        answer = ask_at_bar(&s, answers[i].method, answers[i].marked);
        CHECK_MSG(str_find(answer, str_from_c(answers[i].part)) >= 0, "%s: no %s in %.*s", answers[i].name,
                  answers[i].part, VSR_FMT(answer));
        stop(&s);
    }
}

/* ---- documents */

static const char change[] = "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didChange\",\"params\":{\"textDocument\":"
                             "{\"uri\":\"file:///p.dsl\",\"version\":7},\"contentChanges\":[%s]}}";

static void change_text(struct session *s, const char *changes) {
    const char *mark = strstr(change, "%s");
    vsr_str body = arena_printf(s->arena, "%.*s%s%s", (int)(mark - change), change, changes, mark + 2);
    CHECK_STR(say(s, body), "", changes);
}

/* What formatting says of a text that was not laid out; its new text is the text that the server has. */
TEST(changes_follow_the_editors_positions) {
    static const struct {
        const char *name, *capabilities;
        unsigned character; /* behind the `b` that follows an emoji, in units of the encoding */
    } cases[] = {
        { "utf-16 unless said otherwise", "{}", 20 },
        { "utf-8", "{\"general\":{\"positionEncodings\":[\"utf-8\",\"utf-16\"]}}", 22 },
        { "utf-32", "{\"general\":{\"positionEncodings\":[\"x\",\"utf-32\"]}}", 19 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct session s;
        vsr_str told;
        start(&s, cases[i].capabilities);
        open_text(&s, VSR_STR("ROUTE r {\r\nDESCRIPTION \"abc\xF0\x9F\x98\x80 b\" MODEL \"m\"\n}\n"));
        change_text(&s, arena_c_str(s.arena, arena_printf(s.arena,
                                                          "{" RANGE_PRINTED ",\"text\":\"CHANGED\"},"
                                                          "{" RANGE(99, 0, 99, 9) ",\"text\":\"# end\"}",
                                                          1u, cases[i].character - 1, 1u, cases[i].character)));
        told = ask(&s, "formatting", 0, 0);
        CHECK_MSG(str_find(told, VSR_STR("\\\"abc\xF0\x9F\x98\x80 CHANGED\\\"")) > 0, "%s: %.*s", cases[i].name,
                  VSR_FMT(told));
        CHECK_MSG(str_find(told, VSR_STR("# end")) > 0, "%s: %.*s", cases[i].name, VSR_FMT(told));
        stop(&s);
    }
}

TEST(findings_are_published_once_and_with_the_version) {
    struct session s;
    vsr_str told;
    start(&s, "{}");
    open_text(
        &s,
        VSR_STR(
            "# \xF0\x9F\x98\x80\nROUTE r { PRIORITY \"x\" }\nROUTE q { WHEN keyword(\"k\") ALGORITHM confidnce MODEL "
            "\"m\" }\n"));
    CHECK(lsp_is_unsettled(s.lsp), "opened");
    told = settle(&s);
    CHECK_MSG(str_find(told, VSR_STR("\"version\":1,\"diagnostics\":[{" RANGE(1, 19, 1,
                                                                              22) ",\"severity\":1,\"code\":\"E101\""
                                                                                  ",\"source\":\"vsr\"")) > 0,
              "%.*s", VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("\"W201\"")) > 0, "%.*s", VSR_FMT(told));
    CHECK_STR(settle(&s), "", "nothing changed");
    change_text(&s, "{\"text\":\"ROUTE r { MODEL \\\"m\\\" }\"}");
    told = settle(&s);
    CHECK_MSG(str_find(told, VSR_STR("\"version\":7,\"diagnostics\":[]")) > 0, "%.*s", VSR_FMT(told));
    told = say_c(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didClose\",\"params\":{\"textDocument\":{\"uri\":"
                     "\"file:///p.dsl\"}}}");
    CHECK_MSG(str_find(told, VSR_STR("\"diagnostics\":[]")) > 0, "%.*s", VSR_FMT(told));
    told = ask(&s, "hover", 0, 0);
    CHECK_MSG(str_find(told, VSR_STR("-32602")) > 0, "%.*s", VSR_FMT(told));
    stop(&s);
}

/* A change that makes no sense: nothing is said of the text any more. */
TEST(a_lost_change_gives_the_document_up) {
    struct session s;
    vsr_str told;
    start(&s, "{}");
    open_text(&s, VSR_STR("ROUTE r { MODEL \"m\" }"));
    told = say_c(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didChange\",\"params\":{\"textDocument\":{\"uri\":"
                     "\"file:///p.dsl\"},\"contentChanges\":[{\"range\":{\"start\":{\"line\":-1}},\"text\":\"\"}]}}");
    CHECK_MSG(str_find(told, VSR_STR("window/showMessage")) > 0, "%.*s", VSR_FMT(told));
    told = ask(&s, "formatting", 0, 0);
    CHECK_MSG(str_find(told, VSR_STR("-32602")) > 0, "%.*s", VSR_FMT(told));
    stop(&s);
}

/* What is no JSON may have been a change. */
TEST(a_message_that_cannot_be_read_gives_documents_up) {
    struct session s;
    vsr_str told;
    start(&s, "{}");
    open_text(&s, VSR_STR("ROUTE r { MODEL \"m\" }"));
    told = say_c(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didChange\",\"params\":{\"x\":\"\xff\"}}");
    CHECK_MSG(str_find(told, VSR_STR("-32700")) > 0, "%.*s", VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("\"uri\":\"file:///p.dsl\",\"diagnostics\":[]")) > 0, "%.*s", VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("window/showMessage")) > 0, "%.*s", VSR_FMT(told));
    told = ask(&s, "formatting", 0, 0);
    CHECK_MSG(str_find(told, VSR_STR("-32602")) > 0, "%.*s", VSR_FMT(told));
    told = say_c(&s, "{");
    CHECK_MSG(str_find(told, VSR_STR("showMessage")) < 0, "%.*s", VSR_FMT(told));
    stop(&s);
}

/* Half of a pair is typed before the other half: positions count both, and nothing is lost. */
TEST(a_lone_surrogate_is_a_character) {
    static const struct {
        const char *typed, *want; /* put at the front of "|\n" */
        unsigned units;
    } cases[] = {
        { "# \\ud83d", "# \xEF\xBF\xBD", 3 },
        { "# \\uDE00\\\\", "# \xEF\xBF\xBD\\", 4 },
        { "# \\ud83d\\ud83d\\ude00", "# \xEF\xBF\xBD\xF0\x9F\x98\x80", 5 },
        { "# \\\\ud83d \\udfff", "# \\ud83d \xEF\xBF\xBD", 10 },
        { "# \\ud83d\\u0041\\udc00",
          "# \xEF\xBF\xBD"
          "A\xEF\xBF\xBD",
          5 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct session s;
        vsr_str told;
        start(&s, "{}");
        open_text(&s, VSR_STR("\nROUTE r {  MODEL \"m\" }\n"));
        told = say(&s, arena_printf(s.arena,
                                    "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didChange\",\"params\":{"
                                    "\"textDocument\":{\"uri\":\"file:///p.dsl\",\"version\":2},\"contentChanges\":["
                                    "{\"range\":{\"start\":{\"line\":0,\"character\":0},"
                                    "\"end\":{\"line\":0,\"character\":0}},\"text\":\"%s\"},"
                                    "{\"range\":{\"start\":{\"line\":0,\"character\":%u},"
                                    "\"end\":{\"line\":0,\"character\":%u}},\"text\":\"!\"}]}}",
                                    cases[i].typed, cases[i].units, cases[i].units));
        CHECK_STR(told, "", cases[i].typed);
        told = ask(&s, "formatting", 0, 0);
        CHECK_MSG(str_find(told,
                           quoted(&s, arena_printf(s.arena, "%s!\nROUTE r {\n  MODEL \"m\"\n}\n", cases[i].want))) > 0,
                  "%s: %.*s", cases[i].typed, VSR_FMT(told));
        stop(&s);
    }
}

/* ---- the base */

static struct yaml_node *yaml(struct session *s, const char *text) {
    struct yaml_node *root = NULL;
    struct diag diag;
    diag_init(&diag, s->arena, VSR_STR("base.yaml"));
    CHECK_INT(yaml_tree_parse(s->arena, str_from_c(text), &root, &diag), 0, text);
    return root;
}

TEST(models_of_the_base_are_known) {
    static const char base[] = "routing: {modelCards: [{name: card}, {name: 7}, {name: [x]}, 3]}\n"
                               "providers: {models: [{name: big}, {name: \"a \\\"b\\\"\"}, {name: big}, null]}\n";
    struct session s;
    struct json_doc doc;
    vsr_str told;
    size_t n = 0;
    json_ref items;
    start(&s, "{}");
    told = ask_at_bar(&s, "completion", "ROUTE r { MODEL |");
    CHECK_MSG(str_find(told, VSR_STR("\"big\"")) < 0, "%.*s", VSR_FMT(told));
    lsp_set_base(s.lsp, yaml(&s, base));
    told = ask_at_bar(&s, "completion", "MODEL own {}\nMODEL card {}\nROUTE r { MODEL |");
    items = json_get(&doc, result_of(&s, told, &doc), VSR_STR("items"));
    for (json_ref it = json_first(&doc, items); it != JSON_NONE; it = json_next(&doc, items, it))
        n += json_i64(&doc, json_get(&doc, it, VSR_STR("kind")), &(int64_t){ 0 }) &&
             json_get(&doc, it, VSR_STR("detail")) != JSON_NONE;
    CHECK_MSG(n == 5, "own, card, 7, big and the odd one, each once: %.*s", VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("\"label\":\"big\",\"kind\":18,\"detail\":\"model of the base\"")) > 0, "%.*s",
              VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("\"newText\":\"\\\"a \\\\\\\"b\\\\\\\"\\\"\"")) > 0, "%.*s", VSR_FMT(told));
    stop(&s);
}

TEST(what_loading_refuses_is_published) {
    struct session s;
    vsr_str told;
    start(&s, "{}");
    open_text(&s, VSR_STR("SIGNAL keyword k { keywords: [\" \"] }\nRECIPE x { SIGNAL language EN {} }"));
    told = settle(&s);
    CHECK_MSG(str_find(told, VSR_STR(RANGE(0, 30, 0, 33) ",\"severity\":1,\"code\":\"E230\"")) > 0, "%.*s",
              VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR(RANGE(1, 27, 1, 29) ",\"severity\":1,\"code\":\"E230\"")) > 0, "%.*s",
              VSR_FMT(told));
    stop(&s);
}

TEST(a_new_base_is_a_new_look) {
    struct session s;
    vsr_str told;
    start(&s, "{}");
    open_text(&s, VSR_STR("ROUTE r { PRIORITY 1 MODEL \"big\" }"));
    told = settle(&s);
    CHECK_MSG(str_find(told, VSR_STR("\"diagnostics\":[]")) > 0, "%.*s", VSR_FMT(told));
    lsp_set_base(s.lsp, yaml(&s, "providers: {models: [{name: small}]}"));
    CHECK(lsp_is_unsettled(s.lsp), "a base came");
    told = settle(&s);
    CHECK_MSG(str_find(told, VSR_STR(RANGE(0, 27, 0, 32) ",\"severity\":2,\"code\":\"W205\"")) > 0, "%.*s",
              VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("\"W211\"")) > 0, "%.*s", VSR_FMT(told));
    lsp_set_base(s.lsp, yaml(&s, "[no mapping]"));
    told = settle(&s);
    CHECK_MSG(str_find(told, VSR_STR("\"diagnostics\":[]")) > 0, "%.*s", VSR_FMT(told));
    lsp_set_base(s.lsp, NULL);
    CHECK(lsp_is_unsettled(s.lsp), "it went");
    stop(&s);
}

static const struct {
    const char *options, *want;
    bool shown;
} wanted_bases[] = {
    { "{\"base\":\"a/b.yaml\"}", "a/b.yaml", false },
    { "{\"base\":\"\"}", "", false },
    { "{\"base\":7}", "", false },
    { "{}", "", false },
    { "null", "", false },
    { "[]", "", false },
    { "{\"base\":\"a\\u0000b\"}", "", true },
};

TEST(the_editor_names_the_base) {
    for (size_t i = 0; i < VSR_COUNT(wanted_bases); i++) {
        struct session s = { .arena = arena_new(0, 0) };
        vsr_str told;
        s.lsp = lsp_new(dsl_language());
        buf_init(&s.out, OUT_LEN_MAX);
        told = say(&s, arena_printf(s.arena,
                                    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
                                    "\"initializationOptions\":%s}}",
                                    wanted_bases[i].options));
        CHECK_STR(lsp_wanted_base(s.lsp), wanted_bases[i].want, wanted_bases[i].options);
        CHECK_MSG((str_find(told, VSR_STR("window/showMessage")) > 0) == wanted_bases[i].shown, "%.*s", VSR_FMT(told));
        stop(&s);
    }
}

/* ---- proofs */

static bool at_once(void *data) {
    ++*(int *)data;
    return true;
}

static bool never(void *data) {
    ++*(int *)data;
    return false;
}

#define SHADOWED \
    "SIGNAL keyword k { operator: \"OR\" keywords: [\"x\"] }\n" \
    "ROUTE all { PRIORITY 9 MODEL \"m\" }\n" \
    "ROUTE hidden { PRIORITY 5 WHEN keyword(\"k\") MODEL \"n\" }\n"

TEST(proofs_are_told_in_a_longer_pause) {
    struct session s;
    int asked = 0;
    vsr_str told;
    start(&s, "{}");
    open_text(&s, VSR_STR(SHADOWED));
    CHECK(!lsp_is_unproved(s.lsp), "checks come first");
    told = settle(&s);
    CHECK_MSG(str_find(told, VSR_STR("W401")) < 0, "%.*s", VSR_FMT(told));
    CHECK(lsp_is_unproved(s.lsp), "to be proved");
    lsp_prove(s.lsp, at_once, &asked, &s.out);
    CHECK_STR(take(&s), "", "stopped");
    CHECK(asked > 0 && lsp_is_unproved(s.lsp), "it is tried again");
    lsp_prove(s.lsp, never, &asked, &s.out);
    told = take(&s);
    CHECK_MSG(str_find(told, VSR_STR("\"severity\":2,\"code\":\"W401\",\"source\":\"vsr\",\"message\":\"route "
                                     "\\\"hidden\\\" is unreachable: every match is taken by \\\"all\\\"\\n"
                                     "For example: keyword(k) true\"")) > 0,
              "%.*s", VSR_FMT(told));
    CHECK(!lsp_is_unproved(s.lsp), "once");
    change_text(&s, "{\"text\":\"ROUTE r { PRIORITY 1 MODEL \\\"m\\\" }\"}");
    told = settle(&s);
    CHECK_MSG(str_find(told, VSR_STR("\"diagnostics\":[]")) > 0, "what was proved is gone: %.*s", VSR_FMT(told));
    lsp_prove(s.lsp, never, &asked, &s.out);
    CHECK_STR(take(&s), "", "nothing to say");
    CHECK(!lsp_is_unproved(s.lsp), "proved");
    change_text(&s, "{\"text\":\"ROUTE a { PRIORITY 2 MODEL \\\"m\\\" } ROUTE b { PRIORITY 1 MODEL \\\"n\\\" }\"}");
    (void)settle(&s);
    CHECK(lsp_is_unproved(s.lsp), "another text");
    lsp_prove(s.lsp, never, &asked, &s.out);
    told = take(&s);
    CHECK_MSG(str_find(told, VSR_STR("W401")) > 0, "%.*s", VSR_FMT(told));
    stop(&s);
}

static const char *const unprovable[] = {
    "",
    "ROUTE r {",
    "ROUTE a { PRIORITY 9 MODEL \"m\" } ROUTE b { PRIORITY -1 MODEL \"m\" }",
    "ROUTE a { PRIORITY 9 MODEL \"m\" } ROUTE b { PRIORITY 1 WHEN nonsense(\"x\") MODEL \"m\" }",
    "# only a comment",
};

TEST(what_is_wrong_is_not_proved) {
    for (size_t i = 0; i < VSR_COUNT(unprovable); i++) {
        struct session s;
        int asked = 0;
        start(&s, "{}");
        open_text(&s, str_from_c(unprovable[i]));
        (void)settle(&s);
        lsp_prove(s.lsp, never, &asked, &s.out);
        CHECK_STR(take(&s), "", unprovable[i]);
        CHECK(!lsp_is_unproved(s.lsp), "given up");
        stop(&s);
    }
}

/* ---- fixes, outline, layout */

TEST(fixes_are_offered_where_they_are) {
    static const char request[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"textDocument/codeAction\",\"params\":{\"textDocument\":{\"uri\":"
        "\"file:///p.dsl\"}," RANGE_PRINTED ",\"context\":{\"diagnostics\":[]%s}}}";
    struct session s;
    vsr_str told;
    start(&s, "{}");
    open_text(&s, VSR_STR("ROUTE r { MODEL \"m\" }\nROUTE q { ALGORITHM confidnce MODEL \"m\" }\n"));
    told = say(&s, arena_printf(s.arena, request, 1u, 0u, 1u, 99u, ""));
    CHECK_MSG(str_find(told, VSR_STR("\"title\":\"change to \\\"confidence\\\"\",\"kind\":\"quickfix\"")) > 0, "%.*s",
              VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("{" RANGE(1, 20, 1, 29) ",\"newText\":\"confidence\"}")) > 0, "%.*s",
              VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("source.fixAll.vsr")) > 0, "%.*s", VSR_FMT(told));
    told = say(&s, arena_printf(s.arena, request, 0u, 0u, 0u, 99u, ",\"only\":[\"quickfix\"]"));
    CHECK_MSG(str_find(told, VSR_STR("\"result\":[]")) > 0, "%.*s", VSR_FMT(told));
    told = say(&s, arena_printf(s.arena, request, 0u, 0u, 0u, 99u, ",\"only\":[\"source\"]"));
    CHECK_MSG(str_find(told, VSR_STR("\"kind\":\"source.fixAll.vsr\"")) > 0, "%.*s", VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("\"quickfix\"")) < 0, "%.*s", VSR_FMT(told));
    stop(&s);
}

TEST(the_outline_has_what_is_inside) {
    struct session s;
    vsr_str told;
    start(&s, "{}");
    told = ask_at_bar(&s, "documentSymbol", WORLD "|");
    CHECK_MSG(str_find(told, VSR_STR("\"name\":\"urgent\",\"detail\":\"SIGNAL keyword\"")) > 0, "%.*s", VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("\"name\":\"fast\"")) < str_find(told, VSR_STR("\"name\":\"inner\"")), "%.*s",
              VSR_FMT(told));
    CHECK_MSG(str_find(told, VSR_STR("\"name\":\"high\",\"detail\":\"output\"")) > 0, "%.*s", VSR_FMT(told));
    stop(&s);
}

TEST(layout_is_one_edit_or_none) {
    static const char good[] = "ROUTE r {\n  MODEL \"m\"\n}\n";
    struct session s;
    vsr_str told;
    start(&s, "{}");
    told = ask_at_bar(&s, "formatting", "|ROUTE   r { MODEL \"m\" }");
    CHECK_MSG(str_find(told,
                       VSR_STR("[{" RANGE(0, 0, 0, 23) ",\"newText\":\"ROUTE r {\\n  MODEL \\\"m\\\"\\n}\\n\"}]")) > 0,
              "%.*s", VSR_FMT(told));
    open_text(&s, str_from_c(good));
    told = ask(&s, "formatting", 0, 0);
    CHECK_MSG(str_find(told, VSR_STR("\"result\":[]")) > 0, "%.*s", VSR_FMT(told));
    open_text(&s, VSR_STR("ROUTE r { MODEL"));
    told = ask(&s, "formatting", 0, 0);
    CHECK_MSG(str_find(told, VSR_STR("\"result\":null")) > 0, "%.*s", VSR_FMT(told));
    stop(&s);
}

/* ---- protocol */

TEST(messages_that_are_none_are_answered_with_errors) {
    static const struct {
        const char *body, *part;
    } cases[] = {
        { "{", "-32700" },
        { "[]", "-32600" },
        { "7", "-32600" },
        { "{\"id\":1,\"method\":7}", "-32600" },
        { "{\"id\":[1],\"method\":\"x\"}", "-32600" },
        { "{\"id\":\"a\",\"method\":\"x/y\"}", "\"id\":\"a\",\"error\":{\"code\":-32601" },
        { "{\"id\":3,\"method\":\"textDocument/hover\"}", "-32602" },
        { "{\"id\":4,\"method\":\"initialize\"}", "-32600" },
        { "{\"method\":\"$/cancelRequest\",\"params\":{\"id\":9}}", "" },
        { "{\"id\":5,\"result\":null}", "" },
        { "{\"method\":\"textDocument/didOpen\",\"params\":[]}", "" },
    };
    struct session s;
    start(&s, "{}");
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str told = say_c(&s, cases[i].body);
        CHECK_MSG(*cases[i].part ? str_find(told, str_from_c(cases[i].part)) > 0 : told.len == 0, "%s: %.*s",
                  cases[i].body, VSR_FMT(told));
    }
    stop(&s);
}

TEST(a_session_has_an_order) {
    struct arena *arena = arena_new(0, 0);
    struct session s = { .arena = arena, .lsp = lsp_new(dsl_language()) };
    bool orderly;
    const char *fault;
    buf_init(&s.out, OUT_LEN_MAX);
    CHECK(str_find(say_c(&s, "{\"id\":1,\"method\":\"shutdown\"}"), VSR_STR("-32002")) > 0, "too early");
    CHECK(str_find(say_c(&s, "{\"id\":1,\"method\":\"initialize\"}"), VSR_STR("\"positionEncoding\":\"utf-16\"")) > 0,
          "");
    CHECK(str_find(say_c(&s, "{\"id\":1,\"method\":\"shutdown\"}"), VSR_STR("\"result\":null")) > 0, "shutdown");
    CHECK(str_find(say_c(&s, "{\"id\":1,\"method\":\"textDocument/hover\"}"), VSR_STR("-32600")) > 0, "too late");
    CHECK(!lsp_is_over(s.lsp, &orderly, &fault), "not yet");
    (void)say_c(&s, "{\"method\":\"exit\"}");
    CHECK(lsp_is_over(s.lsp, &orderly, &fault) && orderly && !fault, "over");
    stop(&s);
}

TEST(the_stream_may_come_in_any_pieces_and_has_limits) {
    static const char body[] = "{\"id\":1,\"method\":\"x\"}";
    static const char *const broken[] = { "Content-Length: x\r\n\r\n", "Content-Type: y\r\n\r\n",
                                          "Content-Length: 33554433\r\n\r\n",
                                          "Content-Length: 1\r\nContent-Length: 2\r\n\r\n" };
    bool orderly;
    const char *fault;
    struct session s;
    vsr_str stream, told = VSR_STR("");
    start(&s, "{}");
    stream = arena_printf(s.arena, "Content-Type: a\r\ncontent-length:%zu\r\n\r\n%s", sizeof(body) - 1, body);
    for (size_t i = 0; i < stream.len; i++)
        lsp_feed(s.lsp, str_sub(stream, i, i + 1), &s.out);
    told = take(&s);
    CHECK_MSG(str_find(told, VSR_STR("-32601")) > 0, "%.*s", VSR_FMT(told));
    stop(&s);
    for (size_t i = 0; i < VSR_COUNT(broken); i++) {
        start(&s, "{}");
        lsp_feed(s.lsp, str_from_c(broken[i]), &s.out);
        CHECK(lsp_is_over(s.lsp, &orderly, &fault) && !orderly && fault, broken[i]);
        stop(&s);
    }
    start(&s, "{}");
    for (int i = 0; i < LSP_HEADER_LEN_MAX; i++)
        lsp_feed(s.lsp, VSR_STR("a"), &s.out);
    CHECK(lsp_is_over(s.lsp, &orderly, &fault) && fault, "an endless header");
    stop(&s);
}

RUN_TESTS(T(what_loading_refuses_is_published), T(completion_offers_what_the_place_allows),
          T(hover_and_definition_know_what_is_meant), T(changes_follow_the_editors_positions),
          T(findings_are_published_once_and_with_the_version), T(a_lost_change_gives_the_document_up),
          T(a_message_that_cannot_be_read_gives_documents_up), T(a_lone_surrogate_is_a_character),
          T(models_of_the_base_are_known), T(a_new_base_is_a_new_look), T(the_editor_names_the_base),
          T(proofs_are_told_in_a_longer_pause), T(what_is_wrong_is_not_proved), T(fixes_are_offered_where_they_are),
          T(the_outline_has_what_is_inside), T(layout_is_one_edit_or_none),
          T(messages_that_are_none_are_answered_with_errors), T(a_session_has_an_order),
          T(the_stream_may_come_in_any_pieces_and_has_limits))
