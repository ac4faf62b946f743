#include "model/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "core/arena.h"
#include "files.h"

/* ---- the file system as it may be: these stand before the system's own */

static bool no_links_here;
static int write_error; /* 0: none */

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    if (!no_links_here)
        return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    errno = EPERM;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t len) {
    if (write_error == 0)
        return syscall(SYS_write, fd, bytes, len);
    errno = write_error;
    return -1;
}

struct setting {
    struct tree tree;
    struct arena *arena;
    struct stage *stage;
    struct vsr_err err;
};

static void begin(struct setting *s) {
    *s = (struct setting){ .err = VSR_ERR_NONE, .arena = arena_new(0, 0) };
    tree_make(&s->tree);
}

static void end(struct setting *s) {
    stage_close(s->stage);
    arena_free(s->arena);
    tree_remove(&s->tree);
}

static int open_stage(struct setting *s) {
    s->stage = NULL;
    return stage_open(s->arena, arena_str(s->arena, tree_str(&s->tree, "m/own")), &s->stage, &s->err);
}

static void put(struct setting *s, const char *path, const char *text) {
    uint64_t len;
    int fd;
    CHECK_INT(stage_part_open(s->stage, str_from_c(path), VSR_STR("key"), &fd, &len, &s->err), 0, s->err.text);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
    CHECK_INT(stage_part_finish(s->stage, str_from_c(path), VSR_STR("key"), fd, &s->err), 0, s->err.text);
}

static bool holds(const struct setting *s, const char *path, const char *want) {
    char text[256];
    FILE *file = fopen(tree_path(&s->tree, path), "r");
    size_t len = file ? fread(text, 1, sizeof(text), file) : 0;
    if (file)
        fclose(file);
    return file && str_eq_c(str_make(text, len), want);
}

static bool exists(const struct setting *s, const char *path) {
    return access(tree_path(&s->tree, path), F_OK) == 0;
}

TEST(a_first_model) {
    struct setting s;
    begin(&s);
    CHECK_INT(open_stage(&s), 0, s.err.text);
    put(&s, "config.json", "new");
    put(&s, "1_Pooling/config.json", "pool");
    CHECK(!exists(&s, "m/own"), "not before it is installed");
    CHECK_INT(stage_install(s.stage, NULL, &s.err), 0, s.err.text);
    CHECK(holds(&s, "m/own/config.json", "new"), "file");
    CHECK(holds(&s, "m/own/1_Pooling/config.json", "pool"), "file below");
    stage_close(s.stage);
    s.stage = NULL;
    CHECK(!exists(&s, "m/.own.pull") && !exists(&s, "m/.own.lock"), "nothing is left");
    end(&s);
}

TEST(an_update_keeps_what_is_nobodys) {
    struct manifest_file old_files[] = { { .path = VSR_STR("config.json") }, { .path = VSR_STR("gone.json") } };
    const struct manifest old = { .files = old_files, .n_files = VSR_COUNT(old_files) };
    struct setting s;
    begin(&s);
    tree_text(&s.tree, "m/own/config.json", "old");
    tree_text(&s.tree, "m/own/gone.json", "old");
    tree_text(&s.tree, "m/own/mine.json", "mine");
    tree_text(&s.tree, "m/own/deep/down/mine.txt", "mine");
    tree_text(&s.tree, "m/own/" MANIFEST_NAME, "old");
    tree_link(&s.tree, "m/own/link", "mine.json");
    CHECK_INT(open_stage(&s), 0, s.err.text);
    put(&s, "config.json", "new");
    CHECK_INT(stage_install(s.stage, &old, &s.err), 0, s.err.text);
    CHECK(holds(&s, "m/own/config.json", "new"), "replaced");
    CHECK(!exists(&s, "m/own/gone.json"), "the new model has no such file");
    CHECK(!exists(&s, "m/own/" MANIFEST_NAME), "nor the old manifest");
    CHECK(holds(&s, "m/own/mine.json", "mine"), "the user's");
    CHECK(holds(&s, "m/own/deep/down/mine.txt", "mine"), "the user's, below");
    CHECK(holds(&s, "m/own/link", "mine"), "the user's link");
    CHECK(!exists(&s, "m/.own.pull"), "the old one is gone");
    end(&s);
}

/* Whoever has the old directory open goes on reading the old files. */
TEST(readers_are_not_disturbed) {
    struct setting s;
    char text[4] = "";
    int fd;
    begin(&s);
    tree_text(&s.tree, "m/own/config.json", "old");
    fd = open(tree_path(&s.tree, "m/own/config.json"), O_RDONLY);
    CHECK_INT(open_stage(&s), 0, s.err.text);
    put(&s, "config.json", "new");
    CHECK_INT(stage_install(s.stage, NULL, &s.err), 0, s.err.text);
    CHECK(pread(fd, text, 3, 0) == 3 && strcmp(text, "old") == 0, "old");
    close(fd);
    end(&s);
}

TEST(one_at_a_time) {
    struct stage *second = NULL;
    struct setting s;
    vsr_str target;
    begin(&s);
    target = arena_str(s.arena, tree_str(&s.tree, "m/own"));
    CHECK_INT(open_stage(&s), 0, s.err.text);
    CHECK_INT(stage_open(s.arena, target, &second, &s.err), VSR_E_EXISTS, "held");
    CHECK(strstr(s.err.text, "is at work") != NULL, s.err.text);
    CHECK_INT(stage_open(s.arena, arena_str(s.arena, tree_str(&s.tree, "m/other")), &second, &s.err), 0, "another");
    stage_close(second);
    stage_close(s.stage);
    CHECK_INT(open_stage(&s), 0, "free again");
    end(&s);
}

/* A lock that a killed process left behind holds nobody up. */
TEST(an_old_lock) {
    struct setting s;
    begin(&s);
    tree_text(&s.tree, "m/.own.lock", "4711\n");
    CHECK_INT(open_stage(&s), 0, s.err.text);
    end(&s);
}

TEST(what_is_there_already) {
    struct digest right, wrong, none = { .kind = DIGEST_NONE }, sha256;
    bool has, differs;
    struct setting s;
    begin(&s);
    CHECK(digest_set(&right, DIGEST_GIT_BLOB, VSR_STR("ce013625030ba8dba906f756967f9e9ca394464a")), "hash");
    CHECK(digest_set(&wrong, DIGEST_GIT_BLOB, VSR_STR("de013625030ba8dba906f756967f9e9ca394464a")), "hash");
    tree_text(&s.tree, "m/own/a", "hello\n");
    CHECK_INT(open_stage(&s), 0, s.err.text);
    const struct {
        const char *name, *path;
        int64_t size;
        const struct digest *digest;
        bool has, differs;
    } cases[] = {
        { "wrong content", "a", 6, &wrong, false, true },  { "wrong size", "a", 5, &right, false, true },
        { "unknown content", "a", 6, &none, false, true }, { "absent", "b", 6, &right, false, false },
        { "right", "a", 6, &right, true, false },          { "right, of unknown size", "a", -1, &right, true, false },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        CHECK_INT(stage_has(s.stage, str_from_c(cases[i].path), cases[i].size, cases[i].digest, &has, &differs, &sha256,
                            &s.err),
                  0, cases[i].name);
        CHECK_INT(has, cases[i].has, cases[i].name);
        CHECK_INT(differs, cases[i].differs, cases[i].name);
    }
    CHECK_STR(str_from_c(sha256.hex), "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", "sha256");
    CHECK(holds(&s, "m/.own.pull/a", "hello\n"), "in the stage too");
    end(&s);
}

TEST(sweeping) {
    const vsr_str paths[] = { VSR_STR("config.json"), VSR_STR("d/w.bin") }, keys[] = { VSR_STR("k1"), VSR_STR("k2") };
    static const char *const kept[] = { "config.json", "config.json.k1.part", "d/w.bin.k2.part" };
    static const char *const swept[] = { "config.json.old.part", "other.json", "d/x", "e/f/g", MANIFEST_NAME };
    struct setting s;
    char path[128];
    begin(&s);
    tree_text(&s.tree, "outside", "stays");
    tree_link(&s.tree, "m/.own.pull/link", "../../outside");
    for (size_t i = 0; i < VSR_COUNT(kept) + VSR_COUNT(swept); i++) {
        snprintf(path, sizeof(path), "m/.own.pull/%s", i < VSR_COUNT(kept) ? kept[i] : swept[i - VSR_COUNT(kept)]);
        tree_text(&s.tree, path, "x");
    }
    CHECK_INT(open_stage(&s), 0, s.err.text);
    CHECK_INT(stage_sweep(s.stage, paths, keys, VSR_COUNT(paths), &s.err), 0, s.err.text);
    for (size_t i = 0; i < VSR_COUNT(kept) + VSR_COUNT(swept); i++) {
        const char *name = i < VSR_COUNT(kept) ? kept[i] : swept[i - VSR_COUNT(kept)];
        snprintf(path, sizeof(path), "m/.own.pull/%s", name);
        CHECK_INT(exists(&s, path), i < VSR_COUNT(kept), name);
    }
    CHECK(!exists(&s, "m/.own.pull/e") && !exists(&s, "m/.own.pull/link"), "empty directories and links");
    CHECK(holds(&s, "outside", "stays"), "what a link points at");
    end(&s);
}

TEST(places_that_cannot_be) {
    static const char *const targets[] = { "", "/", "nowhere/..", "nowhere/." };
    struct setting s;
    begin(&s);
    tree_text(&s.tree, "m/own", "a file");
    CHECK_INT(open_stage(&s), VSR_E_INVALID, "a file");
    for (size_t i = 0; i < VSR_COUNT(targets); i++) {
        CHECK_INT(chdir(s.tree.root), 0, "directory");
        CHECK_INT(stage_open(s.arena, str_from_c(targets[i]), &s.stage, &s.err), VSR_E_INVALID, targets[i]);
    }
    CHECK_INT(chdir("/"), 0, "directory");
    end(&s);
}

/* A link that stands where a part is to be is not followed. */
TEST(no_links) {
    struct setting s;
    uint64_t len;
    int fd;
    begin(&s);
    tree_text(&s.tree, "outside", "stays");
    tree_link(&s.tree, "m/.own.pull/a.key.part", "../../outside");
    CHECK_INT(open_stage(&s), 0, s.err.text);
    CHECK(stage_part_open(s.stage, VSR_STR("a"), VSR_STR("key"), &fd, &len, &s.err) < 0, "a link");
    CHECK(holds(&s, "outside", "stays"), "untouched");
    end(&s);
}

/* Where files have no second names they are copied, and what hinders that says what to do. */
TEST(copies) {
    static const struct {
        const char *name;
        int error; /* of writing; 0: none */
        const char *want;
    } cases[] = {
        { "full", ENOSPC, "cannot write \"mine.json\": No space left on device; free some space and try again" },
        { "read only", EROFS, "cannot write \"mine.json\": Read-only file system; choose another place with" },
        { "broken", EIO, "cannot write \"mine.json\": Input/output error" },
        { "well", 0, NULL },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct setting s;
        int rc;
        begin(&s);
        tree_text(&s.tree, "m/own/mine.json", "mine");
        CHECK_INT(open_stage(&s), 0, s.err.text);
        put(&s, "config.json", "new");
        no_links_here = true;
        write_error = cases[i].error;
        rc = stage_install(s.stage, NULL, &s.err);
        no_links_here = false;
        write_error = 0;
        CHECK_INT(rc, cases[i].error ? VSR_E_IO : 0, cases[i].name);
        if (cases[i].want)
            CHECK(strstr(s.err.text, cases[i].want) != NULL, s.err.text);
        CHECK(holds(&s, "m/own/mine.json", "mine"), cases[i].name);
        CHECK_INT(exists(&s, "m/own/config.json"), cases[i].error == 0, cases[i].name);
        end(&s);
    }
}

RUN_TESTS(T(a_first_model), T(an_update_keeps_what_is_nobodys), T(readers_are_not_disturbed), T(one_at_a_time),
          T(an_old_lock), T(what_is_there_already), T(sweeping), T(places_that_cannot_be), T(no_links), T(copies))
