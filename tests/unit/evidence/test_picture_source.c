/* Examples of rules about pictures as asks: from the configuration, from files, and what is neither. */
#include "evidence/picture_source.h"

#include "core/arena.h"
#include "unit/model/files.h"

#define BYTES "\x89PNG\r\n\x1a\n, or what a file holds that is called so, in some more bytes than few"

static struct picture_ask read_good(struct arena *arena, vsr_str base, const char *example) {
    struct picture_ask ask = { .key = VSR_STR("") };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(picture_source_read(arena, base, str_from_c(example), &ask, &err) == 0, "%s: %s", example, err.text);
    return ask;
}

TEST(wherever_it_comes_from) {
    static const char base64[] = "iVBORw0KGgosIG9yIHdoYXQgYSBmaWxlIGhvbGRzIHRoYXQgaXMgY2FsbGVkIHNvLCBpbiBzb21lIG1vcmUg"
                                 "Ynl0ZXMgdGhhbiBmZXc=";
    struct arena *arena = arena_new(0, 0);
    struct picture_ask of_file, beside, of_uri, bare, text;
    struct tree tree;
    vsr_str base;
    tree_make(&tree);
    tree_text(&tree, "cat.png", BYTES);
    base = tree_str(&tree, "");
    of_file = read_good(arena, VSR_STR(""), tree_path(&tree, "cat.png"));
    beside = read_good(arena, base, "./cat.png");
    of_uri = read_good(arena, base, arena_printf(arena, "data:image/png;base64,%s", base64).ptr);
    bare = read_good(arena, base, base64);
    CHECK_STR(of_file.text, arena_printf(arena, "data:image;base64,%s", base64).ptr, "as requests have it");
    CHECK(str_starts(of_file.key, VSR_STR("picture ")), "its key");
    CHECK(str_eq(of_file.text, beside.text) && str_eq(of_file.text, of_uri.text) && str_eq(of_file.text, bare.text),
          "the same picture");
    CHECK(str_eq(of_file.key, beside.key) && str_eq(of_file.key, of_uri.key) && str_eq(of_file.key, bare.key),
          "kept once");
    tree_text(&tree, "cat.png", "another");
    CHECK(!str_eq(of_file.key, read_good(arena, base, "./cat.png").key), "by what it holds, not by its name");
    text = read_good(arena, base, "a cat");
    CHECK_STR(text.text, "a cat", "a text");
    CHECK_STR(text.key, "a cat", "kept as texts are");
    tree_remove(&tree);
    arena_free(arena);
}

TEST(refused) {
    static const struct {
        const char *example;
        int code;
        const char *says;
    } cases[] = {
        { "./nowhere.png", VSR_E_NOT_FOUND, "nowhere.png" },
        { "/", VSR_E_INVALID, "/" },
        { "data:image/png;base64,???", VSR_E_INVALID, "not base64" },
        { "data:image/png,raw", VSR_E_INVALID, "base64" },
        { "https://example.com/cat.png", VSR_E_INVALID, "not fetched" },
    };
    struct arena *arena = arena_new(0, 0);
    struct picture_ask ask;
    struct vsr_err err = VSR_ERR_NONE;
    struct tree tree;
    tree_make(&tree);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        int rc = picture_source_read(arena, tree_str(&tree, ""), str_from_c(cases[i].example), &ask, &err);
        CHECK_INT(rc, cases[i].code, cases[i].example);
        CHECK_MSG(strstr(err.text, cases[i].says) != NULL, "%s: %s", cases[i].example, err.text);
    }
    CHECK_INT(picture_source_read(arena, VSR_STR(""), VSR_STR("./cat.png"), &ask, &err), VSR_E_INVALID,
              "beside nothing");
    tree_remove(&tree);
    arena_free(arena);
}

RUN_TESTS(T(wherever_it_comes_from), T(refused))
