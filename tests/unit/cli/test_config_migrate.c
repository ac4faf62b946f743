/* Documents of older layouts: what they become, what is said about it, and that it then loads. */
#include "test.h"

#include <dirent.h>

#include "cli/config_migrate_diff.h"
#include "cli/profile.h"
#include "config/migrate.h"
#include "config/yaml_tree.h"
#include "core/arena.h"
#include "core/buf.h"

enum { PATH_LEN = 1024, TEXT_LEN_MAX = 1 << 20, OUT_LEN_MAX = 1 << 24 };

static char *path_of(const char *folder, const char *name, const char *extension) {
    static char path[PATH_LEN];
    const char *source = getenv("VSR_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/%s/%s%s", source ? source : ".", folder, name, extension);
    return path;
}

static vsr_str read_all(struct arena *arena, const char *path) {
    char *bytes = arena_alloc(arena, TEXT_LEN_MAX);
    FILE *file = fopen(path, "rb");
    size_t len;
    if (!file)
        return (vsr_str){ 0 };
    len = fread(bytes, 1, TEXT_LEN_MAX, file);
    fclose(file);
    return str_make(bytes, len);
}

/* Compares with a file, or writes it. */
static bool check_file(struct arena *arena, const char *path, vsr_str got) {
    vsr_str want;
    if (getenv("VSR_TEST_UPDATE")) {
        FILE *file = fopen(path, "wb");
        CHECK(file != NULL, path);
        fwrite(got.ptr, 1, got.len, file);
        fclose(file);
    }
    want = read_all(arena, path);
    if (!str_eq(got, want))
        print_error("%s\n--- want\n%.*s--- got\n%.*s", path, VSR_FMT(want), VSR_FMT(got));
    return str_eq(got, want);
}

static vsr_str migrate(struct arena *arena, vsr_str text, struct migration *migration, struct diag *diag) {
    struct buf out;
    vsr_str result = { 0 };
    buf_init(&out, OUT_LEN_MAX);
    diag_init(diag, arena, VSR_STR("old.yaml"));
    if (config_migrate(arena, text, &out, migration, diag) == 0)
        result = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return result;
}

static bool loads(struct arena *arena, vsr_str text, struct diag *diag) {
    struct config_load_options options = profile_load_options(false);
    const struct config_document *doc;
    options.keep_env = true;
    return config_load_text(arena, text, VSR_STR("new.yaml"), &options, &doc, diag) == 0;
}

static vsr_str report(struct arena *arena, const struct migration *migration, const struct diag *diag) {
    struct buf out;
    vsr_str text;
    buf_init(&out, OUT_LEN_MAX);
    for (size_t i = 0; i < migration->n_notes; i++) {
        const struct migrate_note *note = &migration->notes[i];
        buf_printf(&out, "%u:%u: %s [%.*s] -> [%.*s] %.*s\n", note->line, note->col, migrate_kind_name(note->kind),
                   VSR_FMT(note->path), VSR_FMT(note->to), VSR_FMT(note->message));
    }
    /* The words of what is then still wrong belong to the tests of loading. */
    for (size_t i = 0; i < diag->n_items; i++)
        if (diag->items[i].severity == DIAG_ERROR)
            buf_printf(&out, "then %s %.*s\n", diag->items[i].code, VSR_FMT(diag->items[i].path));
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* Converts, compares with what is stored, and converts the result, which must stay as it is. */
static bool run_fixture(const char *name) {
    struct arena *arena = arena_new(0, 0);
    struct migration migration, again;
    struct diag diag, checked;
    vsr_str text =
        migrate(arena, read_all(arena, path_of("tests/fixtures/migrate/in", name, ".yaml")), &migration, &diag);
    bool ok;
    CHECK(text.len > 0, name);
    (void)loads(arena, text, &checked);
    ok = check_file(arena, path_of("tests/fixtures/migrate/want", name, ".yaml"), text);
    ok = check_file(arena, path_of("tests/fixtures/migrate/want", name, ".txt"), report(arena, &migration, &checked)) &&
         ok;
    if (!str_eq(migrate(arena, text, &again, &diag), text)) {
        print_error("%s: the second time it becomes\n%.*s", name, VSR_FMT(migrate(arena, text, &again, &diag)));
        ok = false;
    }
    arena_free(arena);
    return ok;
}

static int is_yaml(const struct dirent *entry) {
    return str_ends(str_from_c(entry->d_name), VSR_STR(".yaml"));
}

TEST(layouts) {
    struct dirent **entries;
    int n = scandir(path_of("tests/fixtures/migrate", "in", ""), &entries, is_yaml, alphasort), n_wrong = 0;
    CHECK(n >= 15, "number of layouts");
    for (int i = 0; i < n; i++) {
        char name[PATH_LEN];
        snprintf(name, sizeof(name), "%.*s", (int)(strlen(entries[i]->d_name) - strlen(".yaml")), entries[i]->d_name);
        n_wrong += !run_fixture(name);
        free(entries[i]);
    }
    free(entries);
    CHECK_INT(n_wrong, 0, "layouts");
}

/* ---- canonical documents */

static bool same(const struct yaml_node *a, const struct yaml_node *b) {
    if (yaml_is_null(a) || yaml_is_null(b))
        return yaml_is_null(a) && yaml_is_null(b);
    if (a->kind != b->kind || a->n_items != b->n_items)
        return false;
    if (a->kind == YAML_SCALAR)
        return str_eq(a->text, b->text);
    for (size_t i = 0; i < a->n_items; i++)
        if (!same(a->items[i], a->kind == YAML_MAPPING ? yaml_get(b, a->keys[i]->text) : b->items[i]))
            return false;
    return true;
}

static int check_canonical(const char *path) {
    struct arena *arena = arena_new(0, 0);
    vsr_str text = read_all(arena, path), out;
    struct yaml_node *before, *after;
    struct migration migration;
    struct diag diag;
    int n_notes;
    CHECK(text.len > 0, path);
    out = migrate(arena, text, &migration, &diag);
    CHECK(out.len > 0, path);
    CHECK(yaml_tree_parse(arena, text, &before, &diag) == 0 && yaml_tree_parse(arena, out, &after, &diag) == 0, path);
    n_notes = (int)migration.n_notes;
    CHECK_MSG(n_notes > 0 || same(before, after), "%s became\n%.*s", path, VSR_FMT(out));
    arena_free(arena);
    return n_notes;
}

TEST(canonical_documents_keep_their_content) {
    /* `feedback` uses a flat field of the response cache, which gets its new name. */
    static const struct {
        const char *name;
        int n_notes;
    } recipes[] = { { "accuracy", 0 }, { "balance", 0 }, { "feedback", 1 }, { "privacy", 0 } };
    const char *shared = test_shared_dir();
    char path[PATH_LEN];
    CHECK_INT(check_canonical(path_of("recipes/demo", "config", ".yaml")), 0, "demo");
    for (size_t i = 0; shared && i < VSR_COUNT(recipes); i++) {
        snprintf(path, sizeof(path), "%s/recipes/%s/config.yaml", shared, recipes[i].name);
        CHECK_INT(check_canonical(path), recipes[i].n_notes, recipes[i].name);
    }
}

TEST(documents_that_load_stay_as_they_are) {
    struct dirent **entries;
    int n = scandir(path_of("tests/fixtures/config", "good", ""), &entries, is_yaml, alphasort);
    CHECK(n > 0, "good documents");
    for (int i = 0; i < n; i++) {
        (void)check_canonical(path_of("tests/fixtures/config/good", entries[i]->d_name, ""));
        free(entries[i]);
    }
    free(entries);
}

/* ---- old spellings that load as they are */

TEST(aliases_load_with_warnings) {
    static const char text[] = "version: v0.3\n"
                               "routing:\n"
                               "  decisions:\n"
                               "    - name: d\n"
                               "      plugins:\n"
                               "        - {type: semantic-cache, configuration: {enabled: true, "
                               "similarity_threshold: 0.9, allow_request_controls: true, control_header: x-c}}\n"
                               "global: {stores: {semantic_cache: {enabled: true}}}\n";
    static const char *const paths[] = {
        "routing.decisions[d].plugins[0].type",
        "routing.decisions[d].plugins[0].configuration.similarity_threshold",
        "routing.decisions[d].plugins[0].configuration.allow_request_controls",
        "routing.decisions[d].plugins[0].configuration.control_header",
        "global.stores.semantic_cache",
    };
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    size_t n = 0;
    CHECK(loads(arena, str_from_c(text), &diag), "loads");
    for (size_t i = 0; i < diag.n_items; i++)
        if (strcmp(diag.items[i].code, "W_DEPRECATED") == 0) {
            CHECK(n < VSR_COUNT(paths), "warnings");
            CHECK_STR(diag.items[i].path, paths[n++], "path");
        }
    CHECK_INT(n, VSR_COUNT(paths), "warnings");
    arena_free(arena);
}

/* ---- what cannot be converted */

static const struct {
    const char *name, *text, *want;
} refused[] = {
    { "empty", "", "old.yaml:1:1: error[E_EMPTY] the document is empty\n" },
    { "list", "- a\n", "old.yaml:1:1: error[E_TYPE] the document must be a mapping\n" },
    { "text", "hello\n", "old.yaml:1:1: error[E_TYPE] the document must be a mapping\n" },
    { "duplicate", "a: 1\na: 2\n",
      "old.yaml:2:1: error[E_DUP] a: key \"a\" is already set at line 1, column 1; keep one of them\n" },
};

TEST(what_is_no_document) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++) {
        struct arena *arena = arena_new(0, 0);
        struct migration migration;
        struct diag diag;
        struct buf out;
        CHECK_INT(migrate(arena, str_from_c(refused[i].text), &migration, &diag).len, 0, refused[i].name);
        buf_init(&out, OUT_LEN_MAX);
        diag_print(&diag, &out, false);
        CHECK_STR(buf_str(&out), refused[i].want, refused[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

TEST(result_too_large) {
    struct arena *arena = arena_new(0, 0);
    struct migration migration;
    struct diag diag;
    struct buf out;
    diag_init(&diag, arena, VSR_STR("old.yaml"));
    buf_init(&out, 16);
    CHECK_INT(config_migrate(arena, VSR_STR("decisions: [{name: a long name}]\n"), &out, &migration, &diag),
              VSR_E_LIMIT, "limit");
    CHECK_INT(diag.n_errors, 1, "limit");
    buf_done(&out);
    arena_free(arena);
}

/* ---- the difference of two texts */

static const struct {
    const char *name, *a, *b, *want;
} diffs[] = {
    { "same", "a\nb\n", "a\nb\n", "" },
    { "both empty", "", "", "" },
    { "from nothing", "", "a\n", "--- old\n+++ new\n@@ -0,0 +1,1 @@\n+a\n" },
    { "to nothing", "a\nb\n", "", "--- old\n+++ new\n@@ -1,2 +0,0 @@\n-a\n-b\n" },
    { "one line", "a\nb\nc\n", "a\nx\nc\n", "--- old\n+++ new\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n" },
    { "context is cut", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\nx\n6\n7\n8\n9\n",
      "--- old\n+++ new\n@@ -3,6 +3,7 @@\n 3\n 4\n 5\n+x\n 6\n 7\n 8\n" },
    { "two hunks", "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "1\n2\n3\n4\n5\n6\n7\n",
      "--- old\n+++ new\n@@ -1,4 +1,3 @@\n-a\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-b\n" },
    { "moved", "a\nb\nc\n", "c\na\nb\n", "--- old\n+++ new\n@@ -1,3 +1,3 @@\n+c\n a\n b\n-c\n" },
    { "no end of line", "a", "b", "--- old\n+++ new\n@@ -1,1 +1,1 @@\n-a\n+b\n" },
};

TEST(differences) {
    for (size_t i = 0; i < VSR_COUNT(diffs); i++) {
        struct buf out;
        buf_init(&out, OUT_LEN_MAX);
        diff_print(&out, VSR_STR("old"), str_from_c(diffs[i].a), VSR_STR("new"), str_from_c(diffs[i].b), false);
        CHECK_STR(buf_str(&out), diffs[i].want, diffs[i].name);
        buf_done(&out);
    }
}

/* Takes the lines that a hunk keeps and adds; with context everywhere that is the new text. */
static void random_text(struct buf *out, uint64_t *seed, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        buf_printf(out, "%c\n", "abcdef"[(*seed >> 40) % 6]);
    }
}

/* The hunks, applied to the old text. */
static void apply(vsr_str old, vsr_str diff, struct buf *out) {
    size_t at = 0;
    (void)str_split(&diff, '\n');
    (void)str_split(&diff, '\n');
    while (diff.len) {
        vsr_str line = str_split(&diff, '\n');
        unsigned start, n;
        char head[64];
        if (line.len && line.ptr[0] != '@') {
            if (line.ptr[0] != '-')
                buf_printf(out, "%.*s\n", VSR_FMT(str_sub(line, 1, line.len)));
            at += line.ptr[0] != '+';
            continue;
        }
        snprintf(head, sizeof(head), "%.*s", VSR_FMT(line));
        if (sscanf(head, "@@ -%u,%u", &start, &n) != 2)
            continue;
        for (; at + (n > 0) < start; at++)
            buf_append(out, str_sub(old, at * 2, at * 2 + 2));
    }
    buf_append(out, str_sub(old, at * 2, old.len));
}

TEST(differences_of_random_texts_apply) {
    for (uint64_t round = 0; round < 2000; round++) {
        uint64_t seed = round;
        struct buf a, b, diff, applied;
        buf_init(&a, OUT_LEN_MAX);
        buf_init(&b, OUT_LEN_MAX);
        buf_init(&diff, OUT_LEN_MAX);
        buf_init(&applied, OUT_LEN_MAX);
        random_text(&a, &seed, round % 37);
        random_text(&b, &seed, round % 23);
        diff_print(&diff, VSR_STR("a"), buf_str(&a), VSR_STR("b"), buf_str(&b), false);
        apply(buf_str(&a), buf_str(&diff), &applied);
        CHECK_MSG(str_eq(buf_str(&applied), buf_str(&b)), "round %u:\n%.*s", (unsigned)round, VSR_FMT(buf_str(&diff)));
        buf_done(&a);
        buf_done(&b);
        buf_done(&diff);
        buf_done(&applied);
    }
}

TEST(differences_of_long_texts_are_bounded) {
    struct buf a, b, out;
    buf_init(&a, OUT_LEN_MAX);
    buf_init(&b, OUT_LEN_MAX);
    buf_init(&out, OUT_LEN_MAX);
    for (int i = 0; i < 20000; i++) {
        buf_printf(&a, "a%d\n", i);
        buf_printf(&b, "b%d\n", i);
    }
    diff_print(&out, VSR_STR("a"), buf_str(&a), VSR_STR("b"), buf_str(&b), false);
    CHECK(str_find(buf_str(&out), VSR_STR("@@ -1,20000 +1,20000 @@\n-a0\n-a1\n")) > 0, "all changed");
    buf_done(&a);
    buf_done(&b);
    buf_done(&out);
}

RUN_TESTS(T(layouts), T(canonical_documents_keep_their_content), T(documents_that_load_stay_as_they_are),
          T(aliases_load_with_warnings), T(what_is_no_document), T(result_too_large), T(differences),
          T(differences_of_random_texts_apply), T(differences_of_long_texts_are_bounded))
