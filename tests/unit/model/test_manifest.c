#include "model/manifest.h"

#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

static const struct {
    const char *path;
    bool safe;
} paths[] = {
    { "config.json", true },
    { "1_Pooling/config.json", true },
    { "a/b/c/d/e/f/g/h", true },
    { "a/b/c/d/e/f/g/h/i", false },
    { "..", false },
    { "../x", false },
    { "a/../x", false },
    { "a/..", false },
    { "./x", false },
    { "a/./x", false },
    { "/etc/passwd", false },
    { "a//b", false },
    { "a/", false },
    { "", false },
    { "a\\..\\b", false },
    { "C:x", false },
    { "a\nb", false },
    { "a\x7f", false },
    { "a\xff", false },
    { "...", true },
    { "..x", true },
    { ".hidden", true },
    { "\xe6\xa8\xa1.json", true },
};

TEST(safe_paths) {
    char longest[MANIFEST_PATH_LEN_MAX + 1];
    for (size_t i = 0; i < VSR_COUNT(paths); i++)
        CHECK_INT(model_path_safe(str_from_c(paths[i].path)), paths[i].safe, paths[i].path);
    CHECK(!model_path_safe(str_make("a\0b", 3)), "a NUL");
    memset(longest, 'a', sizeof(longest));
    CHECK(model_path_safe(str_make(longest, MANIFEST_PATH_LEN_MAX)), "longest");
    CHECK(!model_path_safe(str_make(longest, MANIFEST_PATH_LEN_MAX + 1)), "one past it");
}

TEST(there_and_back) {
    static const char hex[] = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    struct manifest_file files[] = { { VSR_STR("a/b.json"), 2, { DIGEST_NONE, "" } },
                                     { VSR_STR("z \"quoted\""), 1u << 31, { DIGEST_NONE, "" } } };
    const struct manifest manifest = { VSR_STR("me/own"),      VSR_STR("main"), VSR_STR("c0ffee"),
                                       VSR_STR("https://hub"), files,           VSR_COUNT(files) };
    struct arena *arena = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    struct manifest back;
    struct buf out;
    CHECK(digest_set(&files[0].sha256, DIGEST_SHA256, str_from_c(hex)), "hash");
    files[1].sha256 = files[0].sha256;
    buf_init(&out, MANIFEST_LEN_MAX);
    manifest_write(&manifest, &out);
    CHECK_INT(manifest_parse(arena, buf_str(&out), &back, &err), 0, err.text);
    CHECK_STR(back.repo_id, "me/own", "repository");
    CHECK_STR(back.commit, "c0ffee", "commit");
    CHECK_STR(back.endpoint, "https://hub", "endpoint");
    CHECK_INT(back.n_files, 2, "files");
    CHECK_INT(manifest_find(&back, VSR_STR("z \"quoted\""))->size, 1u << 31, "size");
    CHECK(digest_eq(&back.files[0].sha256, &files[0].sha256), "hash");
    CHECK(manifest_find(&back, VSR_STR("a")) == NULL, "not there");
    buf_done(&out);
    arena_free(arena);
}

TEST(malformed) {
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"format\":1}",
        "{\"format\":1,\"files\":{}}",
        "{\"format\":1,\"files\":[1]}",
        "{\"format\":1,\"files\":[{}]}",
        "{\"format\":1,\"files\":[],\"commit\":5}",
        "{\"format\":1,\"files\":[{\"path\":\"x\",\"size\":-1,\"sha256\":\"\"}]}",
        "{\"format\":1,\"files\":[{\"path\":\"x\",\"size\":1.5,\"sha256\":\"\"}]}",
        "{\"format\":1,\"files\":["
        "{\"path\":\"x\",\"size\":1,\"sha256\":\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"},"
        "{\"path\":\"x\",\"size\":1,\"sha256\":\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}]}",
    };
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        struct arena *arena = arena_new(0, 0);
        struct vsr_err err = VSR_ERR_NONE;
        struct manifest manifest;
        CHECK(manifest_parse(arena, str_from_c(texts[i]), &manifest, &err) < 0, texts[i]);
        arena_free(arena);
    }
}

/* git hash-object and sha256sum say the same. */
TEST(digests) {
    char path[] = "/tmp/vsr-digest-XXXXXX";
    struct vsr_err err = VSR_ERR_NONE;
    struct digest digest;
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, "hello\n", 6) == 6, "file");
    lseek(fd, 0, SEEK_SET);
    CHECK_INT(digest_fd(fd, DIGEST_GIT_BLOB, 6, NULL, &digest, &err), 0, "git");
    CHECK_STR(str_from_c(digest.hex), "ce013625030ba8dba906f756967f9e9ca394464a", "git");
    lseek(fd, 0, SEEK_SET);
    CHECK_INT(digest_fd(fd, DIGEST_SHA256, 0, NULL, &digest, &err), 0, "sha256");
    CHECK_STR(str_from_c(digest.hex), "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", "sha256");
    CHECK(!digest_set(&digest, DIGEST_SHA256, VSR_STR("5891")), "too short");
    CHECK(!digest_set(&digest, DIGEST_GIT_BLOB, VSR_STR("ge013625030ba8dba906f756967f9e9ca394464a")), "no digit");
    CHECK(digest_set(&digest, DIGEST_GIT_BLOB, VSR_STR("CE013625030BA8DBA906F756967F9E9CA394464A")), "upper case");
    CHECK_STR(str_from_c(digest.hex), "ce013625030ba8dba906f756967f9e9ca394464a", "in lower case");
    close(fd);
    unlink(path);
}

RUN_TESTS(T(safe_paths), T(there_and_back), T(malformed), T(digests))
