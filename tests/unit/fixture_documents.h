/*
 * fixture_documents - whole documents of tests/fixtures/config: what loading says of each is kept beside it, in a .txt.
 * VSR_TEST_UPDATE=1 rewrites these. The test that includes this says how documents are loaded.
 */
#ifndef VSR_TESTS_FIXTURE_DOCUMENTS_H
#define VSR_TESTS_FIXTURE_DOCUMENTS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

static struct config_load_options fixture_options(void);

enum { PATH_LEN = 1024, FIXTURES_MAX = 400, TEXT_LEN_MAX = 1 << 20 };

static const char *fixtures(const char *kind) {
    static char path[PATH_LEN];
    const char *source = getenv("VSR_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/tests/fixtures/config/%s", source ? source : ".", kind);
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

static int is_yaml(const struct dirent *entry) {
    return str_ends(str_from_c(entry->d_name), VSR_STR(".yaml"));
}

/* Loads one fixture; names that begin with `strict` or `keep` say how. Returns its diagnostics as text. */
static vsr_str diagnose(struct arena *arena, const char *path, const char *name, int *ret_rc) {
    struct config_load_options options = fixture_options();
    const struct config_document *doc = NULL;
    vsr_str text = read_all(arena, path);
    struct diag diag;
    struct buf out;
    vsr_str printed;
    options.strict_env = str_starts(str_from_c(name), VSR_STR("strict"));
    options.keep_env = str_starts(str_from_c(name), VSR_STR("keep"));
    *ret_rc = config_load_text(arena, text, str_from_c(name), &options, &doc, &diag);
    CHECK((*ret_rc == 0) == (doc != NULL), name);
    CHECK((*ret_rc == 0) == (diag.n_errors == 0), name);
    buf_init(&out, TEXT_LEN_MAX);
    diag_print(&diag, &out, false);
    printed = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return printed;
}

static void write_all(const char *path, vsr_str text) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL, path);
    fwrite(text.ptr, 1, text.len, file);
    fclose(file);
}

static bool run_fixture(const char *dir, const char *name, bool want_ok) {
    struct arena *arena = arena_new(0, 0);
    char yaml[PATH_LEN * 2], expected[PATH_LEN * 2];
    vsr_str got, want;
    bool same;
    int rc;
    snprintf(yaml, sizeof(yaml), "%s/%s", dir, name);
    snprintf(expected, sizeof(expected), "%s/%.*s.txt", dir, (int)(strlen(name) - strlen(".yaml")), name);
    got = diagnose(arena, yaml, name, &rc);
    if (getenv("VSR_TEST_UPDATE"))
        write_all(expected, got);
    want = read_all(arena, expected);
    same = str_eq(got, want) && (rc == 0) == want_ok;
    if (!same)
        print_error("%s (rc %d):\n--- want\n%.*s--- got\n%.*s", name, rc, VSR_FMT(want), VSR_FMT(got));
    arena_free(arena);
    return same;
}

static inline int run_fixtures(const char *kind, bool want_ok, int *ret_n) {
    char dir[PATH_LEN];
    struct dirent **entries;
    int n_wrong = 0;
    snprintf(dir, sizeof(dir), "%s", fixtures(kind));
    *ret_n = scandir(dir, &entries, is_yaml, alphasort);
    CHECK(*ret_n > 0, kind);
    for (int i = 0; i < *ret_n; i++) {
        n_wrong += !run_fixture(dir, entries[i]->d_name, want_ok);
        free(entries[i]);
    }
    free(entries);
    return n_wrong;
}

#endif
