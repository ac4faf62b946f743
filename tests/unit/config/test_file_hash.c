#include "config/file_hash.h"

#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"
#include "core/arena.h"
#include "fake_families.h"
#include "test.h"

/* NIST's examples, and a file longer than one read. */
static const struct {
    const char *name, *text;
    size_t times;
    const char *want;
} cases[] = {
    { "empty", "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "a million a", "aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

static void write_file(const char *path, const char *text, size_t times) {
    FILE *file = fopen(path, "w");
    CHECK(file != NULL, "open");
    for (size_t i = 0; i < times; i++)
        CHECK(fputs(text, file) >= 0, "write");
    CHECK(fclose(file) == 0, "close");
}

TEST(known_values) {
    char path[] = "/tmp/vsr-hash-XXXXXX", hex[FILE_HASH_LEN];
    struct vsr_err err = VSR_ERR_NONE;
    close(mkstemp(path));
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        write_file(path, cases[i].text, cases[i].times);
        CHECK_INT(file_hash(path, hex, &err), 0, cases[i].name);
        CHECK_STR(str_make(hex, sizeof(hex)), cases[i].want, cases[i].name);
    }
    unlink(path);
}

TEST(is_the_documents) {
    char path[] = "/tmp/vsr-hash-XXXXXX", hex[FILE_HASH_LEN];
    const struct config_load_options options = fake_options();
    const struct config_document *doc;
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    struct vsr_err err = VSR_ERR_NONE;
    close(mkstemp(path));
    write_file(path, "version: v0.3\nrouting: {}\n", 1);
    CHECK_INT(config_load_file(arena, path, &options, &doc, &diag), 0, "loads");
    CHECK_INT(file_hash(path, hex, &err), 0, "hashes");
    CHECK(str_eq(doc->hash, str_make(hex, sizeof(hex))), "what the loader saw");
    CHECK_STR(doc->base_dir, "/tmp", "the loader also knows where the file is");
    unlink(path);
    arena_free(arena);
}

TEST(refusals) {
    char dir[] = "/tmp/vsr-hash-XXXXXX", path[64], hex[FILE_HASH_LEN];
    struct vsr_err err = VSR_ERR_NONE;
    CHECK(mkdtemp(dir) != NULL, "directory");
    (void)snprintf(path, sizeof(path), "%s/f", dir);
    CHECK_INT(file_hash(path, hex, &err), VSR_E_NOT_FOUND, "absent");
    CHECK(str_find(str_from_c(err.text), str_from_c(path)) >= 0, "named");
    CHECK_INT(file_hash(dir, hex, &err), VSR_E_INVALID, "a directory");
    CHECK(mkfifo(path, 0600) == 0, "pipe");
    CHECK_INT(file_hash(path, hex, &err), VSR_E_INVALID, "a pipe");
    unlink(path);
    rmdir(dir);
}

RUN_TESTS(T(known_values), T(is_the_documents), T(refusals))
