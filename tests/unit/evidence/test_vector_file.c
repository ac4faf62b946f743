/* Vectors on disk: what was written is read, and whatever else lies there is told apart. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "evidence/vector_cache.h"
#include "evidence/vector_file.h"
#include "test.h"

static const float first[] = { 1, 0, 0 }, second[] = { 0.6f, 0, -0.8f }, third[] = { 0, 1, 0 };

struct fixture {
    struct arena *arena;
    char root[64], folder[128];
};

static void open_fixture(struct fixture *f) {
    f->arena = arena_new(0, 0);
    snprintf(f->root, sizeof(f->root), "/tmp/vsr-vectors-XXXXXX");
    CHECK(mkdtemp(f->root) != NULL, "a folder");
    snprintf(f->folder, sizeof(f->folder), "%s/state/vectors", f->root);
}

static size_t list(const struct fixture *f, char name[static 512]) {
    DIR *dir = opendir(f->folder);
    size_t n = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.') {
            snprintf(name, 512, "%s/%s", f->folder, entry->d_name);
            n++;
        }
    if (dir)
        closedir(dir);
    return n;
}

static void close_fixture(struct fixture *f) {
    char name[512];
    while (list(f, name) > 0)
        CHECK(unlink(name) == 0, name);
    rmdir(f->folder);
    snprintf(f->folder, sizeof(f->folder), "%s/state", f->root);
    rmdir(f->folder);
    CHECK(rmdir(f->root) == 0, "nothing else was made");
    arena_free(f->arena);
}

static struct vector_set set_of(const struct fixture *f, const char *key) {
    struct vector_entry *entries = ARENA_ARRAY(f->arena, struct vector_entry, 2);
    entries[0] = (struct vector_entry){ vector_hash_of(VSR_STR("first")), first };
    entries[1] = (struct vector_entry){ vector_hash_of(VSR_STR("second")), second };
    return (struct vector_set){ str_from_c(key), 3, entries, 2 };
}

static vsr_str slurp(const struct fixture *f, const char *name) {
    FILE *file = fopen(name, "rb");
    char *bytes = arena_alloc(f->arena, 4096);
    size_t len;
    CHECK(file != NULL, name);
    len = fread(bytes, 1, 4096, file);
    fclose(file);
    return str_make(bytes, len);
}

static void spill(const char *name, const char *bytes, size_t len) {
    FILE *file = fopen(name, "wb");
    CHECK(file && fwrite(bytes, 1, len, file) == len, name);
    fclose(file);
}

TEST(what_was_written_is_read) {
    struct fixture f;
    struct vector_set in, out;
    struct vsr_err err = VSR_ERR_NONE;
    char name[512];
    struct stat status;
    open_fixture(&f);
    in = set_of(&f, "some/embedder f32 3");
    CHECK_INT(vector_file_read(f.arena, str_from_c(f.folder), in.key, &out, &err), VSR_E_NOT_FOUND, "nothing yet");
    CHECK_INT(vector_file_write(str_from_c(f.folder), &in, &err), 0, err.text);
    CHECK_INT(vector_file_read(f.arena, str_from_c(f.folder), in.key, &out, &err), 0, err.text);
    CHECK_INT(out.n, 2, "all");
    CHECK_INT(out.dims, 3, "dims");
    CHECK(memcmp(out.entries[1].vector, second, sizeof(second)) == 0, "to the bit");
    CHECK(out.entries[1].hash.low == in.entries[1].hash.low && out.entries[1].hash.high == in.entries[1].hash.high,
          "the hash");
    CHECK_INT(vector_file_write(str_from_c(f.folder), &in, &err), 0, "once more");
    CHECK_INT(list(&f, name), 1, "one file, and none half written");
    CHECK(stat(name, &status) == 0 && (status.st_mode & 077) == 0, "the operator's alone");
    close_fixture(&f);
}

TEST(every_damage_is_seen) {
    struct fixture f;
    struct vector_set set, out;
    struct vsr_err err = VSR_ERR_NONE;
    char name[512], *copy;
    vsr_str bytes;
    open_fixture(&f);
    set = set_of(&f, "some/embedder");
    CHECK_INT(vector_file_write(str_from_c(f.folder), &set, &err), 0, err.text);
    CHECK_INT(list(&f, name), 1, "one");
    bytes = slurp(&f, name);
    copy = arena_alloc(f.arena, bytes.len + 1);
    CHECK_INT(vector_set_parse(f.arena, bytes, &out, &err), 0, "whole");
    for (size_t i = 0; i < bytes.len; i++) {
        memcpy(copy, bytes.ptr, bytes.len);
        copy[i] ^= 0x10;
        CHECK_INT(vector_set_parse(f.arena, str_make(copy, bytes.len), &out, &err), VSR_E_INVALID, "a flipped bit");
        CHECK_INT(vector_set_parse(f.arena, str_make(bytes.ptr, i), &out, &err), VSR_E_INVALID, "an end cut off");
    }
    memcpy(copy, bytes.ptr, bytes.len);
    CHECK_INT(vector_set_parse(f.arena, str_make(copy, bytes.len + 1), &out, &err), VSR_E_INVALID, "a byte more");
    spill(name, copy, bytes.len / 2);
    CHECK_INT(vector_file_read(f.arena, str_from_c(f.folder), set.key, &out, &err), VSR_E_INVALID, "half a file");
    CHECK(strstr(err.text, name) != NULL, "says which");
    close_fixture(&f);
}

TEST(another_embedders_file_is_not_used) {
    struct fixture f;
    struct vector_set ours, theirs, out;
    struct vsr_err err = VSR_ERR_NONE;
    char name[512];
    vsr_str bytes;
    open_fixture(&f);
    ours = set_of(&f, "ours");
    theirs = set_of(&f, "theirs");
    CHECK_INT(vector_file_write(str_from_c(f.folder), &theirs, &err), 0, err.text);
    CHECK_INT(list(&f, name), 1, "one");
    bytes = slurp(&f, name);
    CHECK(unlink(name) == 0, "gone");
    CHECK_INT(vector_file_write(str_from_c(f.folder), &ours, &err), 0, err.text);
    CHECK_INT(list(&f, name), 1, "one");
    spill(name, bytes.ptr, bytes.len); /* as if two keys had one name */
    CHECK_INT(vector_file_read(f.arena, str_from_c(f.folder), ours.key, &out, &err), VSR_E_INVALID, err.text);
    close_fixture(&f);
}

TEST(the_oldest_file_gives_way) {
    struct fixture f;
    struct vsr_err err = VSR_ERR_NONE;
    char name[512], key[32];
    open_fixture(&f);
    for (int i = 0; i < VECTOR_FILES_MAX + 3; i++) {
        struct vector_set set;
        snprintf(key, sizeof(key), "embedder %d", i);
        set = set_of(&f, key);
        CHECK_INT(vector_file_write(str_from_c(f.folder), &set, &err), 0, err.text);
    }
    CHECK_INT(list(&f, name), VECTOR_FILES_MAX, "bounded");
    close_fixture(&f);
}

/* What somebody else can write says what somebody else wants. */
TEST(files_that_others_can_write_are_not_trusted) {
    struct fixture f;
    struct vector_set in, out;
    struct vsr_err err = VSR_ERR_NONE;
    char name[512];
    open_fixture(&f);
    in = set_of(&f, "some/embedder");
    CHECK_INT(vector_file_write(str_from_c(f.folder), &in, &err), 0, err.text);
    CHECK_INT(list(&f, name), 1, "one");
    CHECK(chmod(name, 0620) == 0, "for the group");
    CHECK_INT(vector_file_read(f.arena, str_from_c(f.folder), in.key, &out, &err), VSR_E_INVALID, "the file");
    CHECK(strstr(err.text, name) && strstr(err.text, "chmod"), err.text);
    CHECK(chmod(name, 0602) == 0, "for all");
    CHECK_INT(vector_file_read(f.arena, str_from_c(f.folder), in.key, &out, &err), VSR_E_INVALID, "the file");
    CHECK(chmod(name, 0644) == 0, "to be read");
    CHECK_INT(vector_file_read(f.arena, str_from_c(f.folder), in.key, &out, &err), 0, err.text);
    CHECK(chmod(f.folder, 0770) == 0, "for the group");
    CHECK_INT(vector_file_read(f.arena, str_from_c(f.folder), in.key, &out, &err), VSR_E_INVALID, "the folder");
    CHECK_INT(vector_file_write(str_from_c(f.folder), &in, &err), VSR_E_INVALID, "nor written to");
    CHECK(chmod(f.folder, 0700) == 0, "as it was");
    if (geteuid() == 0) {
        CHECK(chown(name, 12345, 0) == 0, "another's");
        CHECK_INT(vector_file_read(f.arena, str_from_c(f.folder), in.key, &out, &err), VSR_E_INVALID, "the owner");
        CHECK(strstr(err.text, "another user"), err.text);
    }
    CHECK(unlink(name) == 0 && symlink("/dev/zero", name) == 0, "a link");
    CHECK_INT(vector_file_read(f.arena, str_from_c(f.folder), in.key, &out, &err), VSR_E_IO, "a link");
    close_fixture(&f);
}

static void leave(const struct fixture *f, const char *name, time_t age_s) {
    char path[512];
    struct timespec times[2] = { { .tv_sec = time(NULL) - age_s }, { .tv_sec = time(NULL) - age_s } };
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    spill(path, "half", 4);
    CHECK(utimensat(AT_FDCWD, path, times, 0) == 0, path);
}

TEST(what_a_crash_left_is_removed) {
    static const char name[] = "0123456789abcdef0123456789abcdef.vectors";
    struct fixture f;
    struct vector_set set;
    struct vsr_err err = VSR_ERR_NONE;
    char at[512], leftover[64];
    open_fixture(&f);
    set = set_of(&f, "some/embedder");
    CHECK_INT(vector_file_write(str_from_c(f.folder), &set, &err), 0, err.text);
    snprintf(leftover, sizeof(leftover), "%s.aB3xYz", name);
    leave(&f, leftover, 3600);
    snprintf(leftover, sizeof(leftover), "%s.FreshX", name);
    leave(&f, leftover, 1); /* somebody writes it */
    leave(&f, "notes.vectors.abcdef", 1 << 20);
    CHECK_INT(list(&f, at), 4, "left over");
    CHECK_INT(vector_file_write(str_from_c(f.folder), &set, &err), 0, err.text);
    CHECK_INT(list(&f, at), 3, "one less");
    snprintf(at, sizeof(at), "%s/%s.aB3xYz", f.folder, name);
    CHECK(access(at, F_OK) < 0, "the old one");
    close_fixture(&f);
}

/* ---- the cache over it */

TEST(a_cache_keeps_over_processes) {
    struct fixture f;
    float got[3];
    struct vector_cache *cache;
    struct vector_shelf *shelf;
    open_fixture(&f);
    for (int process = 0; process < 2; process++) {
        cache = vector_cache_new(str_from_c(f.folder), 0);
        shelf = vector_cache_shelf(cache, VSR_STR("some embedder"), true);
        CHECK_INT(vector_shelf_get(shelf, VSR_STR("a text"), got, 3), process, "the second process knows it");
        CHECK_INT(vector_shelf_dims(shelf), process ? 3 : 0, "dims");
        vector_shelf_put(shelf, VSR_STR("a text"), second, 3);
        CHECK(vector_shelf_get(shelf, VSR_STR("a text"), got, 3) && memcmp(got, second, sizeof(got)) == 0, "it");
        CHECK(!vector_shelf_get(shelf, VSR_STR("another"), got, 3), "and nothing else");
        CHECK(!vector_shelf_get(shelf, VSR_STR("a text"), got, 2), "nor of other dimensions");
        vector_shelf_save(shelf);
        vector_shelf_unref(shelf);
        vector_cache_free(cache);
    }
    close_fixture(&f);
}

TEST(what_could_not_be_saved_is_saved_later) {
    struct fixture f;
    char name[512];
    struct vector_cache *cache;
    struct vector_shelf *shelf;
    open_fixture(&f);
    cache = vector_cache_new(str_from_c(f.folder), 0);
    shelf = vector_cache_shelf(cache, VSR_STR("some embedder"), true);
    vector_shelf_put(shelf, VSR_STR("a text"), second, 3);
    snprintf(name, sizeof(name), "%s/state", f.root);
    spill(name, "in the way", 10);
    vector_shelf_save(shelf);
    CHECK(unlink(name) == 0, "out of the way");
    vector_shelf_save(shelf);
    CHECK_INT(list(&f, name), 1, "saved");
    vector_shelf_unref(shelf);
    vector_cache_free(cache);
    close_fixture(&f);
}

TEST(shelves_make_room) {
    struct vector_cache *cache = vector_cache_new(VSR_STR(""), 0);
    struct vector_shelf *kept = vector_cache_shelf(cache, VSR_STR("kept"), false), *in_hand[VECTOR_SHELVES_MAX];
    char key[32];
    float got[3];
    vector_shelf_put(kept, VSR_STR("a"), first, 3);
    for (int i = 0; i < 2 * VECTOR_SHELVES_MAX; i++) {
        struct vector_shelf *shelf;
        snprintf(key, sizeof(key), "embedder %d", i);
        shelf = vector_cache_shelf(cache, str_from_c(key), false);
        CHECK(shelf != NULL, key);
        vector_shelf_put(shelf, VSR_STR("a"), second, 3);
        vector_shelf_unref(shelf);
    }
    CHECK_INT(vector_cache_stats(cache).shelves, VECTOR_SHELVES_MAX, "bounded");
    CHECK_INT(vector_cache_stats(cache).n, VECTOR_SHELVES_MAX, "with what was on them");
    CHECK(vector_shelf_get(kept, VSR_STR("a"), got, 3), "not the one in hand");
    for (int i = 0; i < VECTOR_SHELVES_MAX - 1; i++) {
        snprintf(key, sizeof(key), "another %d", i);
        in_hand[i] = vector_cache_shelf(cache, str_from_c(key), false);
        CHECK(in_hand[i] != NULL, key);
    }
    CHECK(vector_cache_shelf(cache, VSR_STR("one more"), false) == NULL, "all are in hand");
    CHECK(vector_cache_shelf(cache, VSR_STR("kept"), false) == kept, "those are found");
    vector_shelf_unref(in_hand[0]);
    CHECK(vector_cache_shelf(cache, VSR_STR("one more"), false) != NULL, "one was put back");
    vector_cache_free(cache);
}

TEST(a_damaged_file_is_made_anew) {
    struct fixture f;
    float got[3];
    char name[512];
    open_fixture(&f);
    for (int process = 0; process < 3; process++) {
        struct vector_cache *cache = vector_cache_new(str_from_c(f.folder), 0);
        struct vector_shelf *shelf = vector_cache_shelf(cache, VSR_STR("some embedder"), true);
        CHECK_INT(vector_shelf_get(shelf, VSR_STR("a text"), got, 3), process == 2, "after the damage it is back");
        vector_shelf_put(shelf, VSR_STR("a text"), second, 3);
        vector_shelf_save(shelf);
        vector_cache_free(cache);
        CHECK_INT(list(&f, name), 1, "one file");
        if (process == 0)
            spill(name, "damaged", 7);
    }
    close_fixture(&f);
}

TEST(a_cache_is_bounded_and_forgets_what_was_not_used) {
    float got[3];
    struct vector_cache *cache = vector_cache_new(VSR_STR(""), 150); /* room for two */
    struct vector_shelf *shelf = vector_cache_shelf(cache, VSR_STR("one"), true);
    struct vector_shelf *other = vector_cache_shelf(cache, VSR_STR("two"), true);
    vector_shelf_put(shelf, VSR_STR("a"), first, 3);
    vector_shelf_put(shelf, VSR_STR("b"), second, 3);
    CHECK_INT(vector_cache_stats(cache).n, 2, "two");
    CHECK(vector_shelf_get(shelf, VSR_STR("a"), got, 3), "a is used");
    vector_shelf_put(other, VSR_STR("a"), third, 3);
    CHECK_INT(vector_cache_stats(cache).n, 2, "still two");
    CHECK(!vector_shelf_get(shelf, VSR_STR("b"), got, 3), "b went");
    CHECK(vector_shelf_get(other, VSR_STR("a"), got, 3) && got[1] == 1, "shelves do not mix");
    CHECK(vector_cache_shelf(cache, VSR_STR("one"), true) == shelf, "found again");
    vector_shelf_put(shelf, VSR_STR("c"), first, 2); /* pretend dimensions changed */
    CHECK(!vector_shelf_get(shelf, VSR_STR("a"), got, 3), "of an embedder that is not what it was");
    vector_shelf_save(shelf); /* nowhere */
    vector_cache_free(cache);
}

RUN_TESTS(T(what_was_written_is_read), T(every_damage_is_seen), T(another_embedders_file_is_not_used),
          T(the_oldest_file_gives_way), T(files_that_others_can_write_are_not_trusted), T(what_a_crash_left_is_removed),
          T(what_could_not_be_saved_is_saved_later), T(shelves_make_room), T(a_cache_keeps_over_processes),
          T(a_damaged_file_is_made_anew), T(a_cache_is_bounded_and_forgets_what_was_not_used))
