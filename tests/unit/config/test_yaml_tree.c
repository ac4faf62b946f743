/* The tree: kinds, styles, positions, aliases, merge keys. */
#include "test.h"

#include "config/diag.h"
#include "config/yaml_tree.h"
#include "core/arena.h"
#include "core/buf.h"

enum { DUMP_LEN_MAX = 65536 };

/* `text@line:col`, quotes around quoted text, `~` for nothing. */
static void dump(struct buf *out, const struct yaml_node *node) {
    switch (node->kind) {
    case YAML_NULL:
        buf_append_c(out, "~");
        break;
    case YAML_SCALAR:
        buf_printf(out, node->quoted ? "'%.*s'" : "%.*s", VSR_FMT(node->text));
        break;
    case YAML_SEQUENCE:
        buf_append_c(out, "[");
        for (size_t i = 0; i < node->n_items; i++) {
            buf_append_c(out, i ? " " : "");
            dump(out, node->items[i]);
        }
        buf_append_c(out, "]");
        break;
    case YAML_MAPPING:
        buf_append_c(out, "{");
        for (size_t i = 0; i < node->n_items; i++) {
            buf_append_c(out, i ? " " : "");
            dump(out, node->keys[i]);
            buf_append_c(out, "=");
            dump(out, node->items[i]);
        }
        buf_append_c(out, "}");
        break;
    }
    buf_printf(out, "@%u:%u", node->line, node->col);
}

static const struct {
    const char *name, *text, *want;
} trees[] = {
    { "plain", "a: b\n", "{a@1:1=b@1:4}@1:1" },
    { "styles", "a: 'b'\nc: \"d\\n\"\ne: |\n  f\n", "{a@1:1='b'@1:4 c@2:1='d\n'@2:4 e@3:1='f\n'@4:1}@1:1" },
    { "typed words stay text", "[no, 0123, 12:30, 1e3, null]\n",
      "[no@1:2 0123@1:6 12:30@1:12 1e3@1:19 null@1:24]@1:1" },
    { "empty value has its key's place", "a:\n\n\nb: c\n", "{a@1:1=~@1:1 b@4:1=c@4:4}@1:1" },
    { "empty in flow", "{a: , b: [], c: {}}", "{a@1:2=~@1:2 b@1:7=[]@1:10 c@1:14={}@1:17}@1:1" },
    { "string tag", "a: !!str 1\nb: !!int 2\n", "{a@1:1='1'@1:10 b@2:1=2@2:10}@1:1" },
    { "byte order mark",
      "\xEF\xBB\xBF"
      "a: b\n",
      "{a@1:1=b@1:4}@1:1" },
    { "windows line ends", "a: b\r\nc: d\r\n", "{a@1:1=b@1:4 c@2:1=d@2:4}@1:1" },
    { "columns count characters", "caf\xC3\xA9: [\xE2\x82\xAC, x]\n",
      "{caf\xC3\xA9@1:1=[\xE2\x82\xAC@1:8 x@1:11]@1:7}@1:1" },
    { "alias", "a: &x 1\nb: *x\n", "{a@1:1=1@1:7 b@2:1=1@1:7}@1:1" },
    { "anchor defined again", "a: &x 1\nb: &x 2\nc: *x\n", "{a@1:1=1@1:7 b@2:1=2@2:7 c@3:1=2@2:7}@1:1" },
    { "alias as key", "a: &x k\n*x : v\n", "{a@1:1=k@1:7 k@1:7=v@2:6}@1:1" },
    { "merge", "a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n",
      "{a@1:1={k@1:8=1@1:11 l@1:14=2@1:17}@1:7 b@2:1={k@2:13=3@2:16 l@1:14=2@1:17}@2:4}@1:1" },
    { "merge of a list", "[{<<: [{a: 1}, {a: 2, b: 3}]}]", "[{a@1:9=1@1:12 b@1:23=3@1:26}@1:2]@1:1" },
    { "quoted merge key is a key", "{'<<': {a: 1}}", "{'<<'@1:2={a@1:9=1@1:12}@1:8}@1:1" },
    { "escaped blank before a line break", "a: \"b\\ \n  c\"\nd: \"e\\\n  \\  f\\x41\\u00e9\n\n  g\"\n",
      "{a@1:1='b  c'@1:4 d@3:1='e  fA\xC3\xA9\ng'@3:4}@1:1" },
    { "blocks below anchors and dashes", "a: &x\n  b: |\n   t\n? k\n: |\n t\nc:\n- |\n t\n- &y d: >\n    t\n",
      "{a@1:1={b@2:3='t\n'@3:1}@2:3 k@4:3='t\n'@6:1 c@7:1=['t\n'@9:1 {d@10:6='t\n'@11:1}@10:3]@8:1}@1:1" },
    { "key without text", "? \n: v\n", "{@1:1=v@2:3}@1:1" },
    { "doubled quotes", "a: 'it''s'\nb: ''''\nc: 'x '''\n", "{a@1:1='it's'@1:4 b@2:1='''@2:4 c@3:1='x ''@3:4}@1:1" },
    { "folded in quotes", "a: ' it''s \t\n  b\n\n  \n  c ''\r\n  d\n  '\n", "{a@1:1=' it's b\n\nc ' d '@1:4}@1:1" },
    { "folded without doubled quotes", "a: ' its \t\n  b\n\n  \n  c \r\n  d\n  '\n",
      "{a@1:1=' its b\n\nc d '@1:4}@1:1" },
    { "json", "{\"a\": [1, \"b\"]}", "{'a'@1:2=[1@1:8 'b'@1:11]@1:7}@1:1" },
};

TEST(shapes_and_places) {
    for (size_t i = 0; i < VSR_COUNT(trees); i++) {
        struct arena *arena = arena_new(0, 0);
        struct yaml_node *root = NULL;
        struct diag diag;
        struct buf out;
        diag_init(&diag, arena, VSR_STR("t"));
        CHECK_INT(yaml_tree_parse(arena, str_from_c(trees[i].text), &root, &diag), 0, trees[i].name);
        buf_init(&out, DUMP_LEN_MAX);
        dump(&out, root);
        CHECK_STR(buf_str(&out), trees[i].want, trees[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

/* `n` levels of flow lists below one mapping. */
static int parse_nested(size_t n) {
    struct arena *arena = arena_new(0, 0);
    struct yaml_node *root = NULL;
    struct diag diag;
    struct buf text;
    int rc;
    diag_init(&diag, arena, VSR_STR("t"));
    buf_init(&text, DUMP_LEN_MAX);
    buf_append_c(&text, "a: ");
    for (size_t i = 0; i < n; i++)
        buf_append_char(&text, '[');
    for (size_t i = 0; i < n; i++)
        buf_append_char(&text, ']');
    rc = yaml_tree_parse(arena, buf_str(&text), &root, &diag);
    buf_done(&text);
    arena_free(arena);
    return rc;
}

TEST(depth_limit) {
    CHECK_INT(parse_nested(YAML_DEPTH_MAX - 1), 0, "at the limit");
    CHECK(parse_nested(YAML_DEPTH_MAX) < 0, "one past it");
    CHECK(parse_nested(30000) < 0, "far past it");
}

/* A list of `n` aliases to a list of 1000 scalars. */
static int parse_aliases(size_t n) {
    struct arena *arena = arena_new(0, 0);
    struct yaml_node *root = NULL;
    struct diag diag;
    struct buf text;
    int rc;
    diag_init(&diag, arena, VSR_STR("t"));
    buf_init(&text, DUMP_LEN_MAX);
    buf_append_c(&text, "a: &a [");
    for (size_t i = 0; i < 999; i++)
        buf_append_c(&text, "x,");
    buf_append_c(&text, "]\nb: [");
    for (size_t i = 0; i < n; i++)
        buf_append_c(&text, "*a,");
    buf_append_c(&text, "]\n");
    rc = yaml_tree_parse(arena, buf_str(&text), &root, &diag);
    buf_done(&text);
    arena_free(arena);
    return rc;
}

TEST(node_limit) {
    CHECK_INT(parse_aliases(998), 0, "below the limit");
    CHECK(parse_aliases(1000) < 0, "past it");
}

TEST(size_limit) {
    struct arena *arena = arena_new(0, 0);
    char *text = arena_alloc(arena, YAML_BYTES_MAX + 1);
    struct yaml_node *root = NULL;
    struct diag diag;
    memset(text, ' ', YAML_BYTES_MAX + 1);
    memcpy(text, "a: b\n#", 6);
    diag_init(&diag, arena, VSR_STR("t"));
    CHECK_INT(yaml_tree_parse(arena, str_make(text, YAML_BYTES_MAX), &root, &diag), 0, "at the limit");
    CHECK(yaml_tree_parse(arena, str_make(text, YAML_BYTES_MAX + 1), &root, &diag) < 0, "one past it");
    arena_free(arena);
}

TEST(lookups) {
    struct arena *arena = arena_new(0, 0);
    struct yaml_node *root = NULL;
    struct diag diag;
    diag_init(&diag, arena, VSR_STR("t"));
    CHECK_INT(yaml_tree_parse(arena, VSR_STR("a: ~\nb: 'null'\nc:\nd: Null\ne: ''\nf: []\n"), &root, &diag), 0,
              "parse");
    CHECK(yaml_is_null(yaml_get(root, VSR_STR("a"))), "tilde");
    CHECK(!yaml_is_null(yaml_get(root, VSR_STR("b"))), "quoted null");
    CHECK(yaml_is_null(yaml_get(root, VSR_STR("c"))), "nothing");
    CHECK(yaml_is_null(yaml_get(root, VSR_STR("d"))), "Null");
    CHECK(!yaml_is_null(yaml_get(root, VSR_STR("e"))), "quoted nothing");
    CHECK(!yaml_is_null(yaml_get(root, VSR_STR("f"))), "empty list");
    CHECK(yaml_is_null(yaml_get(root, VSR_STR("g"))), "absent");
    CHECK(yaml_get(yaml_get(root, VSR_STR("f")), VSR_STR("a")) == NULL, "not a mapping");
    CHECK_INT(yaml_get_key(root, VSR_STR("d"))->line, 4, "key's line");
    arena_free(arena);
}

RUN_TESTS(T(shapes_and_places), T(depth_limit), T(node_limit), T(size_limit), T(lookups))
