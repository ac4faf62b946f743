/* A model is told by what its files hold, not by where they lie. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "model/fingerprint.h"
#include "test.h"

enum { BIG_LEN = 5 << 20 };

static void write_file(const char *dir, const char *name, const char *bytes, size_t len) {
    char path[256];
    FILE *file;
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, len, file) == len && fclose(file) == 0, path);
}

static void remove_all(const char *dir) {
    char command[256];
    snprintf(command, sizeof(command), "rm -r '%s'", dir);
    CHECK(system(command) == 0, command);
}

static const char *print_of(struct arena *arena, const char *dir, const char *base) {
    char *print = arena_alloc(arena, FINGERPRINT_LEN + 1);
    fingerprint_of(str_from_c(dir), str_from_c(base), print);
    CHECK_INT(strspn(print, "0123456789abcdef"), FINGERPRINT_LEN, "digits");
    CHECK_INT(strlen(print), FINGERPRINT_LEN, "so many");
    return print;
}

TEST(content_counts_and_place_does_not) {
    char one[] = "/tmp/vsr-print-XXXXXX", two[] = "/tmp/vsr-print-XXXXXX", sub[64];
    struct arena *arena = arena_new(0, 0);
    char *big = arena_alloc(arena, BIG_LEN);
    const char *first;
    CHECK(mkdtemp(one) && mkdtemp(two), "folders");
    first = print_of(arena, one, "");
    for (size_t i = 0; i < BIG_LEN; i++)
        big[i] = (char)(i * 2654435761u >> 13);
    for (int i = 0; i < 2; i++) {
        const char *dir = i ? two : one;
        snprintf(sub, sizeof(sub), "%s/1_Pooling", dir);
        CHECK(mkdir(sub, 0700) == 0, sub);
        write_file(dir, i ? "config.json" : "model.safetensors", i ? "{}" : big, i ? 2 : BIG_LEN);
        write_file(dir, i ? "model.safetensors" : "config.json", i ? big : "{}", i ? BIG_LEN : 2);
        write_file(sub, "config.json", "{\"a\":1}", 7);
        write_file(dir, ".vsr-manifest.json", i ? "today" : "yesterday", 5);
    }
    CHECK(strcmp(first, print_of(arena, one, "")) != 0, "files count");
    first = print_of(arena, one, "");
    CHECK(strcmp(first, print_of(arena, two, "")) == 0, "the same files, elsewhere and in another order");
    CHECK(strcmp(first, print_of(arena, two, one)) != 0, "a base counts");
    for (size_t i = 3 << 20; i < BIG_LEN; i++) /* the end of training */
        big[i] ^= 1;
    write_file(two, "model.safetensors", big, BIG_LEN);
    CHECK(strcmp(first, print_of(arena, two, "")) != 0, "other weights in the middle of a big file");
    write_file(two, "model.safetensors", big, BIG_LEN - 1);
    write_file(one, "model.safetensors", big, BIG_LEN);
    CHECK(strcmp(print_of(arena, one, ""), print_of(arena, two, "")) != 0, "its length counts");
    write_file(two, "model.safetensors", big, BIG_LEN);
    snprintf(sub, sizeof(sub), "%s/1_Pooling", two);
    write_file(sub, "config.json", "{\"a\":2}", 7);
    CHECK(strcmp(print_of(arena, one, ""), print_of(arena, two, "")) != 0, "a byte of a small file");
    remove_all(one);
    remove_all(two);
    CHECK_INT(strlen(print_of(arena, one, "")), FINGERPRINT_LEN, "no folder at all");
    arena_free(arena);
}

RUN_TESTS(T(content_counts_and_place_does_not))
