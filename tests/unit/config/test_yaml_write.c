/* What is written reads back as the same tree, whatever it holds; comments stay where they were. */
#include "test.h"

#include "config/diag.h"
#include "config/yaml_edit.h"
#include "config/yaml_notes.h"
#include "config/yaml_write.h"
#include "core/arena.h"
#include "core/buf.h"

enum { OUT_LEN_MAX = 1 << 24, ROUNDS = 3000, ROUNDS_LONG = 100000, DEPTH_MAX = 6 };

static struct yaml_node *parse(struct arena *arena, vsr_str text, bool notes) {
    struct yaml_node *root = NULL;
    struct yaml_spans spans;
    struct diag diag;
    diag_init(&diag, arena, VSR_STR("t.yaml"));
    if (yaml_tree_parse_spans(arena, text, &root, &spans, &diag) < 0) {
        print_error("line %u, column %u: %.*s\n", diag.items[0].line, diag.items[0].col,
                    VSR_FMT(diag.items[0].message));
        return NULL;
    }
    if (notes)
        yaml_notes_attach(arena, text, &spans, root);
    return root;
}

static vsr_str write(struct arena *arena, const struct yaml_node *root) {
    struct buf out;
    vsr_str text;
    buf_init(&out, OUT_LEN_MAX);
    yaml_write(root, &out);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* Equal for whoever reads them by a schema: the same texts, and what is null in one is null in the other. */
static bool same(const struct yaml_node *a, const struct yaml_node *b) {
    bool equal = a->kind == b->kind && a->n_items == b->n_items;
    if (yaml_is_null(a) || yaml_is_null(b))
        return yaml_is_null(a) && yaml_is_null(b);
    if (equal && a->kind == YAML_SCALAR)
        equal = str_eq(a->text, b->text);
    if (!equal)
        print_error("line %u: \"%.*s\" became \"%.*s\"\n", b->line, VSR_FMT(a->text), VSR_FMT(b->text));
    for (size_t i = 0; equal && a->kind != YAML_SCALAR && i < a->n_items; i++)
        equal = (a->kind == YAML_SEQUENCE || same(a->keys[i], b->keys[i])) && same(a->items[i], b->items[i]);
    return equal;
}

/* ---- random trees */

static uint64_t seed;

static unsigned roll(unsigned n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static const char *const pieces[] = {
    "a",
    "no",
    "0123",
    "12:30",
    "- x",
    "#",
    " #",
    "\n",
    ": ",
    ":",
    "é",
    "日本",
    "\"",
    "'",
    "\\",
    "null",
    "~",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a",
    "*a",
    "!!x",
    "%",
    "@",
    "`",
    "|",
    ">",
    "---",
    "...",
    " ",
    "  ",
    "\t",
    "\r",
    "?",
    "-",
    "word ",
    "sentence",
    "=",
    "<<",
    "1e3",
    "0x1F",
    "true",
    "\x01",
    "\x7f",
    "\xC2\x85",
    "\xC2\xA0",
    "\xE2\x80\xA8",
    "\xEF\xBB\xBF",
    "\xF0\x9F\x8E\x89",
    "\n\n",
    "a b",
    "$X",
    "${Y:-z}",
    "2020-01-01",
    ".inf",
    "x\ny",
};

static vsr_str random_text(struct arena *arena) {
    struct buf out;
    vsr_str text;
    unsigned n = roll(10) == 0 ? roll(60) : roll(5);
    buf_init(&out, OUT_LEN_MAX);
    for (unsigned i = 0; i < n; i++)
        buf_append_c(&out, pieces[roll(VSR_COUNT(pieces))]);
    if (roll(200) == 0)
        for (unsigned i = 0; i < 1100; i++)
            buf_append_char(&out, "ab "[roll(3)]);
    if (roll(30) == 0)
        buf_append(&out, str_make("\0", 1));
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static struct yaml_node *random_scalar(struct arena *arena) {
    struct yaml_node *node = yaml_new_scalar(arena, random_text(arena), NULL);
    node->quoted = true;
    node->style = (uint8_t)roll(5);
    if (node->style == YAML_PLAIN && roll(4) == 0) {
        static const char *const plain[] = { "~", "null", "no", "1.5", "true", "12:30", "a, b", "http://x:80/?a=b#c" };
        node->text = str_from_c(plain[roll(VSR_COUNT(plain))]);
        node->quoted = false;
    }
    return node;
}

static struct yaml_node *random_tree(struct arena *arena, unsigned depth) {
    unsigned kind = roll(depth >= DEPTH_MAX ? 4 : 8);
    struct yaml_node *node;
    if (kind == 0)
        return yaml_new(arena, YAML_NULL, NULL);
    if (kind < 4)
        return random_scalar(arena);
    node = yaml_new(arena, kind < 6 ? YAML_SEQUENCE : YAML_MAPPING, NULL);
    node->flow = roll(2);
    for (unsigned n = roll(5); n > 0; n--) {
        struct yaml_node *key = random_scalar(arena);
        if (node->kind == YAML_SEQUENCE)
            yaml_push(arena, node, random_tree(arena, depth + 1));
        else if (yaml_find(node, key->text) < 0)
            yaml_append(arena, node, key, random_tree(arena, depth + 1));
    }
    return node;
}

TEST(random_trees_read_back) {
    long rounds = getenv("VSR_TEST_LONG") ? ROUNDS_LONG : ROUNDS;
    for (long i = 0; i < rounds; i++) {
        struct arena *arena = arena_new(0, 0);
        struct yaml_node *tree, *back;
        vsr_str text;
        seed = (uint64_t)i;
        tree = yaml_new(arena, YAML_MAPPING, NULL);
        yaml_append(arena, tree, random_scalar(arena), random_tree(arena, 0));
        if (roll(2))
            yaml_append(arena, tree, yaml_new_scalar(arena, VSR_STR("last key"), NULL), random_tree(arena, 0));
        text = write(arena, tree);
        back = parse(arena, text, false);
        CHECK_MSG(back && same(tree, back), "seed %ld:\n%.*s", i, VSR_FMT(text));
        arena_free(arena);
    }
}

/* ---- text that some reader would take for something else (YAML 1.1 and 1.2) */

TEST(text_that_looks_typed_is_quoted) {
    static const struct {
        const char *text;
        bool quoted;
    } texts[] = {
        { "0b11", true },
        { "-0b1_0", true },
        { "0x1F", true },
        { "0x_f", true },
        { "0o17", true },
        { "017", true },
        { "1_000", true },
        { "1_0.5e+3", true },
        { "12:30:45", true },
        { "190:20:30.15", true },
        { "2024-01-01", true },
        { "2024-01-01 10:00:00", true },
        { "yes", true },
        { "2001-12-14t21:59:43.10-05:00", true },
        { ".inf", true },
        { "2001-12-14 21:59:43.10 -5", true },
        { "2024-1-1\t1:00Z", true },
        { "=", true },
        { "<<", true },
        { "0b12x", false },
        { "0xyz", false },
        { "2024-01-01 noon", false },
        { "2024 was", false },
        { "7b", false },
        { "a-b/c.d", false },
        { "v1.2", false },
    };
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        struct arena *arena = arena_new(0, 0);
        struct yaml_node *list = yaml_new(arena, YAML_SEQUENCE, NULL);
        struct yaml_node *node = yaml_new_scalar(arena, str_from_c(texts[i].text), NULL);
        struct buf out;
        node->quoted = true;
        yaml_push(arena, list, node);
        buf_init(&out, 4096);
        yaml_write(list, &out);
        CHECK((str_find_char(buf_str(&out), '"') >= 0) == texts[i].quoted, texts[i].text);
        buf_done(&out);
        arena_free(arena);
    }
}

/* ---- styles and comments */

static const struct {
    const char *name, *text, *want;
} cases[] = {
    { "plain stays plain", "a: no\nb: 0123\nc: 12:30\nd: ~\ne:\n", NULL },
    { "quotes stay", "a: \"x\"\nb: 'y'\nc: 'it''s'\nd: \"tab\\there\"\n", NULL },
    { "single quotes that cannot stay", "a: 'x\n\n  y'\n", "a: \"x\\ny\"\n" },
    { "literal stays", "a: |\n  x\n    y\n\n  z\nb: |-\n  q\n  r\n", NULL },
    { "literal with tabs", "a: |\n  x\n  \ty\tz\n", NULL },
    { "kept line ends need quotes", "a: |+\n  x\n\nb: 1\n", "a: \"x\\n\\n\"\n\nb: 1\n" },
    { "folded stays", "a: >-\n  one\n  two\nb: >\n  three\n\n  four\n", "a: >-\n  one two\nb: >\n  three\n\n  four\n" },
    { "brackets stay", "a: [1, 2]\nb: {c: d, e: [f]}\ng: []\nh: {}\n", NULL },
    { "brackets on lines are joined", "a: [1,\n  2]\n", "a: [1, 2]\n" },
    { "indentation", "a:\n- b\n-   c: 1\n    d: 2\n-\n  - e\n", "a:\n  - b\n  - c: 1\n    d: 2\n  - - e\n" },
    { "aliases are written out", "a: &x {b: 1}\nc: *x\n", "a: {b: 1}\nc: {b: 1}\n" },
    { "merge keys are written out", "a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n", "a: {b: 1}\n\nc:\n  d: 2\n  b: 1\n" },
    { "a key that is no merge key", "\"<<\": 1\n", NULL },
    { "tags", "a: !!str 12\nb: !!int \"3\"\n", "a: \"12\"\nb: \"3\"\n" },
    { "byte order mark", "\xEF\xBB\xBF# top\na: 1 # one\n", "# top\na: 1 # one\n" },
    { "carriage returns", "# top\r\na: 1 # one\r\nb: 2\r\n", "# top\na: 1 # one\nb: 2\n" },
    { "comments behind", "a: 1 # one\nb: # two\n  - c # three\n  - d: 4 # four\n",
      "a: 1 # one\n\nb: # two\n  - c # three\n  - d: 4 # four\n" },
    { "comments above", "# a's\na:\n  # b's\n  b: 1\n  # c's\n  c:\n    - x\n", NULL },
    { "comment above a list element", "a:\n  # first\n  - b: 1\n\n  # second\n  # and more\n  - b: 2\n", NULL },
    { "the document's own", "# about this file\n\n# a's\na: 1\n# the end\n", NULL },
    { "comment at the end of a block", "a:\n  b: 1\n  # that was b\nc: 2\n", "a:\n  b: 1\n  # that was b\n\nc: 2\n" },
    { "comment in an empty block", "a:\n  # nothing yet\nb: 1\n", "a:\n# nothing yet\nb: 1\n" },
    { "brackets with comments", "a: [1, # one\n  2]\n", "a:\n  - 1 # one\n  - 2\n" },
    { "behind closing brackets", "a: [1, 2] # both\nb: {c: 1} # c\n", NULL },
    { "header of a block scalar", "a: | # text\n  x # no comment\n  y\n", NULL },
    { "no comments", "a: 'x # y'\nb: \"x # y\"\nc: x#y\nd: http://h/#f\n", NULL },
    { "dash before its mapping", "a:\n  -\n    # inner\n    b: 1\n", "a:\n  # inner\n  - b: 1\n" },
    { "empty lines", "a: 1\n\n\n\nb: 2\nc:\n\n  d: 1\n\n  e: 2\n", "a: 1\n\nb: 2\n\nc:\n  d: 1\n\n  e: 2\n" },
    { "root list", "# l\n- a # x\n- b\n", NULL },
    { "root scalar", "x\n", NULL },
};

TEST(styles_and_comments) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct yaml_node *tree = parse(arena, str_from_c(cases[i].text), true), *back;
        vsr_str text;
        CHECK(tree, cases[i].name);
        text = write(arena, yaml_copy(arena, tree));
        CHECK_STR(text, cases[i].want ? cases[i].want : cases[i].text, cases[i].name);
        back = parse(arena, text, true);
        CHECK(back && same(tree, back), cases[i].name);
        CHECK(str_eq(write(arena, back), text), cases[i].name);
        arena_free(arena);
    }
}

RUN_TESTS(T(random_trees_read_back), T(text_that_looks_typed_is_quoted), T(styles_and_comments))
