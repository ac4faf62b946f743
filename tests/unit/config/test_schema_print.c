/* Printing is a fixed point: what was printed loads, and is printed the same again. */
#include "test.h"

#include <dirent.h>

#include "core/arena.h"
#include "core/buf.h"
#include "fake_families.h"

enum { PATH_LEN = 1024, TEXT_LEN_MAX = 4 << 20 };

static const char *fixtures(void) {
    static char path[PATH_LEN];
    const char *source = getenv("VSR_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/tests/fixtures/config/good", source ? source : ".");
    return path;
}

static int is_yaml(const struct dirent *entry) {
    return str_ends(str_from_c(entry->d_name), VSR_STR(".yaml"));
}

static vsr_str read_all(struct arena *arena, const char *path) {
    char *bytes = arena_alloc(arena, TEXT_LEN_MAX);
    FILE *file = fopen(path, "rb");
    size_t len;
    CHECK(file, path);
    len = fread(bytes, 1, TEXT_LEN_MAX, file);
    fclose(file);
    return str_make(bytes, len);
}

/* `text` as it is printed; fails the test when it does not load. */
static vsr_str print(struct arena *arena, vsr_str text, bool keep_env, bool effective, const char *name) {
    struct config_load_options options = fake_options();
    const struct config_document *doc = NULL;
    struct diag diag;
    struct buf out;
    options.keep_env = keep_env;
    (void)config_load_text(arena, text, str_from_c(name), &options, &doc, &diag);
    CHECK_MSG(doc, "%s: %.*s: %.*s\n%.*s", name, VSR_FMT(diag.items[0].path), VSR_FMT(diag.items[0].message),
              VSR_FMT(text));
    buf_init(&out, TEXT_LEN_MAX);
    schema_print(config_schema(arena, &options.parts), doc, 0, effective, &out);
    CHECK(!buf_failed(&out), name);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static void check_fixture(const char *dir, const char *name) {
    static const struct {
        bool keep_env, effective;
    } modes[] = { { true, false }, { false, false }, { false, true }, { true, true } };
    char path[2 * PATH_LEN];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    for (size_t i = 0; i < VSR_COUNT(modes); i++) {
        struct arena *arena = arena_new(0, 0);
        bool keep = modes[i].keep_env, effective = modes[i].effective;
        vsr_str text = read_all(arena, path), once, twice;
        /* Some documents make sense only while their references are left alone. */
        if (keep || !str_starts(str_from_c(name), VSR_STR("keep"))) {
            once = print(arena, text, keep, effective, name);
            twice = print(arena, once, keep, effective, name);
            CHECK_STR(twice, arena_c_str(arena, once), name);
        }
        arena_free(arena);
    }
}

TEST(fixed_point) {
    struct dirent **entries;
    int n = scandir(fixtures(), &entries, is_yaml, alphasort);
    CHECK(n >= 8, "number of good documents");
    for (int i = 0; i < n; i++) {
        check_fixture(fixtures(), entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

RUN_TESTS(T(fixed_point))
