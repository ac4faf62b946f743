#include "serve/sealed.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "test.h"

#define HEX_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BASE64_KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static struct sealer *make(const char *key, const char *dir) {
    struct sealer *sealer = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = sealer_new(str_from_c(key), str_from_c(dir), &sealer, &err);
    CHECK_MSG(rc == 0, "%s", err.text);
    return sealer;
}

TEST(round_trip) {
    static const char *const texts[] = { "", "x", "a thought of some length, with \xc3\xa9", "\n\t\"" };
    struct arena *arena = arena_new(0, 0);
    struct sealer *hex = make(HEX_KEY, ""), *base64 = make(BASE64_KEY, ""), *other = make("", "");
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        vsr_str sealed, plain, again;
        CHECK_INT(sealer_seal(hex, arena, VSR_STR("me"), str_from_c(texts[i]), &sealed), 0, texts[i]);
        CHECK_INT(sealer_seal(hex, arena, VSR_STR("me"), str_from_c(texts[i]), &again), 0, texts[i]);
        CHECK(!str_eq(sealed, again), texts[i]);
        CHECK_INT(sealer_open(base64, arena, VSR_STR("me"), sealed, &plain), 0, texts[i]);
        CHECK_STR(plain, texts[i], texts[i]);
        CHECK_INT(sealer_open(hex, arena, VSR_STR("you"), sealed, &plain), VSR_E_INVALID, "another's");
        CHECK_INT(sealer_open(other, arena, VSR_STR("me"), sealed, &plain), VSR_E_INVALID, "another key");
    }
    sealer_free(hex);
    sealer_free(base64);
    sealer_free(other);
    arena_free(arena);
}

/* Each byte counts, and so does the length. */
TEST(changes_are_seen) {
    struct arena *arena = arena_new(0, 0);
    struct sealer *sealer = make(HEX_KEY, "");
    vsr_str sealed, plain;
    CHECK_INT(sealer_seal(sealer, arena, VSR_STR(""), VSR_STR("secret"), &sealed), 0, "seal");
    for (size_t i = 0; i < sealed.len; i++) {
        char *copy = arena_c_str(arena, sealed);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        CHECK_INT(sealer_open(sealer, arena, VSR_STR(""), str_make(copy, sealed.len), &plain), VSR_E_INVALID, "byte");
        CHECK_INT(sealer_open(sealer, arena, VSR_STR(""), str_sub(sealed, 0, i), &plain), VSR_E_INVALID, "cut");
    }
    CHECK_INT(sealer_open(sealer, arena, VSR_STR(""), VSR_STR("not base64!"), &plain), VSR_E_INVALID, "text");
    sealer_free(sealer);
    arena_free(arena);
}

TEST(key_of_the_state_directory) {
    char dir[] = "/tmp/vsr-sealed-XXXXXX", path[64], missing[64], stale[96];
    FILE *left;
    struct arena *arena = arena_new(0, 0);
    struct sealer *first, *second;
    struct stat info;
    vsr_str sealed, plain;
    CHECK(mkdtemp(dir) != NULL, "directory");
    (void)snprintf(missing, sizeof(missing), "%s/state", dir);
    (void)snprintf(path, sizeof(path), "%s/responses.key", missing);
    (void)snprintf(stale, sizeof(stale), "%s.%ld", path, (long)getpid());
    CHECK_INT(mkdir(missing, 0700), 0, "directory");
    left = fopen(stale, "w"); /* what a process of the same number has left that was cut off */
    CHECK(left && fclose(left) == 0, stale);
    first = make("", missing);
    second = make("", missing);
    CHECK_INT(sealer_seal(first, arena, VSR_STR(""), VSR_STR("x"), &sealed), 0, "seal");
    CHECK_INT(sealer_open(second, arena, VSR_STR(""), sealed, &plain), 0, "open");
    CHECK_INT(stat(path, &info), 0, "file");
    CHECK_INT(info.st_mode & 0777, 0600, "mode");
    sealer_free(first);
    sealer_free(second);
    CHECK_INT(unlink(path), 0, "file");
    CHECK_INT(unlink(stale), 0, "file");
    CHECK_INT(rmdir(missing), 0, "directory");
    CHECK_INT(rmdir(dir), 0, "directory");
    arena_free(arena);
}

TEST(bad_keys) {
    static const char *const keys[] = { "short", "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                                        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd" };
    for (size_t i = 0; i < VSR_COUNT(keys); i++) {
        struct sealer *sealer = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_INT(sealer_new(str_from_c(keys[i]), VSR_STR(""), &sealer, &err), VSR_E_INVALID, keys[i]);
        CHECK(str_find(str_from_c(err.text), VSR_STR("VSR_RESPONSES_KEY")) >= 0, keys[i]);
    }
}

RUN_TESTS(T(round_trip), T(changes_are_seen), T(key_of_the_state_directory), T(bad_keys))
