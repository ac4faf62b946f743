#include "model/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "model/builtin.h"
#include "model/catalogue.h"
#include "model/file.h"
#include "model/manifest.h"

#define MODELS_PREFIX "models/"
#define CACHE_PREFIX "models--"

enum {
    LEVELS_MAX = 2,       /* models/NAME and models/OWNER/NAME */
    COMMIT_LEN_MAX = 128, /* of what stands in refs/; today 40 */
    ENTRIES_MAX = 65536,  /* of one directory */
};

const char *model_layout_name(enum model_layout layout) {
    static const char *const names[] = {
        [MODEL_LAYOUT_PLAIN] = "plain", [MODEL_LAYOUT_SNAPSHOT] = "snapshot", [MODEL_LAYOUT_BUILTIN] = "built-in"
    };
    return names[layout];
}

/* ---- places */

static vsr_str without_slash(vsr_str path) {
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    return path;
}

static vsr_str hub_dir(struct arena *arena) {
    static const struct {
        const char *variable, *below;
    } ways[] = {
        { "HF_HUB_CACHE", "" },
        { "HF_HOME", "/hub" },
        { "XDG_CACHE_HOME", "/huggingface/hub" },
        { "HOME", "/.cache/huggingface/hub" },
    };
    for (size_t i = 0; i < VSR_COUNT(ways); i++) {
        const char *value = getenv(ways[i].variable);
        if (value && *value)
            return arena_printf(arena, "%s%s", value, ways[i].below);
    }
    return VSR_STR("");
}

struct model_places model_places_make(struct arena *arena, const char *models_dir) {
    return (struct model_places){
        .models_dir = arena_str(arena, without_slash(str_from_c(models_dir))),
        .hub_dir = hub_dir(arena),
    };
}

/* ---- what lies in one directory */

/* Whether there is anything in it that makes it a model's, complete or not. */
static bool is_model(vsr_str path) {
    struct vsr_err err;
    FILE_AUTO fd = -1;
    if (file_open_dir(AT_FDCWD, path.ptr, &fd, &err) < 0)
        return false;
    return file_exists(fd, "config.json") || file_exists(fd, "adapter_config.json") || file_exists(fd, MANIFEST_NAME);
}

bool model_directory_holds(struct arena *arena, vsr_str path) {
    return is_model(arena_str(arena, path));
}

/* A manifest that cannot be read leaves both empty; the check of completeness complains about it. */
static void read_origin(struct arena *arena, struct model_directory *directory) {
    struct vsr_err err = VSR_ERR_NONE;
    struct manifest manifest;
    FILE_AUTO fd = -1;
    if (file_open_dir(AT_FDCWD, directory->path.ptr, &fd, &err) < 0 || manifest_read(arena, fd, &manifest, &err) < 0)
        return;
    directory->repo_id = manifest.repo_id;
    directory->commit = manifest.commit;
}

static struct model_directory plain(struct arena *arena, vsr_str path, vsr_str name) {
    struct model_directory made = { .path = path, .layout = MODEL_LAYOUT_PLAIN, .name = name };
    read_origin(arena, &made);
    return made;
}

/* ---- the hub's cache */

/* A revision and a commit become parts of a path. */
static bool is_plain_name(vsr_str name) {
    return name.len > 0 && name.len <= COMMIT_LEN_MAX && name.ptr[0] != '.' && model_path_safe(name) &&
           str_find_char(name, '/') < 0;
}

static vsr_str read_ref(struct arena *arena, vsr_str repo_dir, vsr_str revision) {
    struct vsr_err err;
    vsr_str text, path = arena_printf(arena, "%.*s/refs/%.*s", VSR_FMT(repo_dir), VSR_FMT(revision));
    if (file_read(arena, AT_FDCWD, path.ptr, COMMIT_LEN_MAX, &text, &err) < 0)
        return revision; /* it may be a commit itself */
    return str_trim(text);
}

static bool snapshot_of(struct arena *arena, vsr_str repo_dir, vsr_str repo_id, vsr_str revision,
                        struct model_directory *ret) {
    vsr_str commit, path;
    if (!is_plain_name(revision))
        return false;
    commit = read_ref(arena, repo_dir, revision);
    if (!is_plain_name(commit))
        return false;
    path = arena_printf(arena, "%.*s/snapshots/%.*s", VSR_FMT(repo_dir), VSR_FMT(commit));
    if (!is_model(path))
        return false;
    *ret = (struct model_directory){
        .path = path,
        .layout = MODEL_LAYOUT_SNAPSHOT,
        .repo_id = repo_id,
        .commit = arena_str(arena, commit),
    };
    return true;
}

static bool find_snapshot(struct arena *arena, const struct model_places *places, vsr_str repo_id, vsr_str revision,
                          struct model_directory *ret) {
    vsr_str name = repo_id, owner = str_split(&name, '/');
    vsr_str repo_dir;
    if (places->hub_dir.len == 0 || !model_repo_id_valid(repo_id))
        return false;
    repo_dir =
        arena_printf(arena, "%.*s/" CACHE_PREFIX "%.*s--%.*s", VSR_FMT(places->hub_dir), VSR_FMT(owner), VSR_FMT(name));
    return snapshot_of(arena, repo_dir, repo_id, revision.len > 0 ? revision : VSR_STR("main"), ret);
}

/* ---- finding one */

static bool is_path(vsr_str name) {
    return str_find_char(name, '/') >= 0;
}

bool model_directory_is_public(vsr_str name) {
    vsr_str prefix = VSR_STR(MODELS_PREFIX), bare = name;
    if (builtin_is(name)) /* nothing that a file could be the adapter of */
        return false;
    if (catalogue_find(name) != NULL || model_repo_id_valid(name))
        return true;
    if (str_starts(name, prefix))
        bare = str_sub(name, prefix.len, name.len);
    else if (is_path(name))
        return false;
    return model_path_safe(without_slash(bare));
}

int model_directory_path(struct arena *arena, const struct model_places *places, vsr_str name, vsr_str *ret_path,
                         struct vsr_err *err) {
    return model_directory_literal(arena, places, catalogue_path(name), ret_path, err);
}

int model_directory_literal(struct arena *arena, const struct model_places *places, vsr_str name, vsr_str *ret_path,
                            struct vsr_err *err) {
    vsr_str bare = name, prefix = VSR_STR(MODELS_PREFIX);
    if (str_starts(name, prefix)) {
        bare = str_sub(name, prefix.len, name.len);
    } else if (is_path(name)) {
        *ret_path = arena_str(arena, without_slash(name));
        return 0;
    }
    bare = without_slash(bare);
    if (!model_path_safe(bare))
        return err_set(err, VSR_E_INVALID,
                       "\"%.*s\" is no name of a model: expected one that stays below the models directory",
                       VSR_FMT(str_sub(name, 0, 128)));
    *ret_path = arena_printf(arena, "%.*s/%.*s", VSR_FMT(places->models_dir), VSR_FMT(bare));
    return 0;
}

/* "models/..." for what lies in the models directory. */
static vsr_str name_below(struct arena *arena, const struct model_places *places, vsr_str path) {
    if (!str_starts(path, places->models_dir) || path.len <= places->models_dir.len + 1 ||
        path.ptr[places->models_dir.len] != '/')
        return VSR_STR("");
    return arena_printf(arena, MODELS_PREFIX "%.*s", VSR_FMT(str_sub(path, places->models_dir.len + 1, path.len)));
}

/* A directory that is called like an alias, but is not what the alias means, is found after what it means. */
static bool find_literal(struct arena *arena, const struct model_places *places, vsr_str name, vsr_str *ret_path) {
    vsr_str prefix = VSR_STR(MODELS_PREFIX), bare = name;
    if (str_starts(name, prefix))
        bare = str_sub(name, prefix.len, name.len);
    bare = without_slash(bare);
    if (!model_path_safe(bare) || catalogue_find(name) == NULL)
        return false;
    *ret_path = arena_printf(arena, "%.*s/%.*s", VSR_FMT(places->models_dir), VSR_FMT(bare));
    return is_model(*ret_path);
}

/* A repository outside the catalogue is downloaded to a directory of its name, without the owner. */
static bool find_downloaded(struct arena *arena, const struct model_places *places, vsr_str name,
                            struct model_directory *ret) {
    vsr_str bare = name, path;
    struct model_directory made;
    (void)str_split(&bare, '/'); /* the owner */
    if (!model_repo_id_valid(name))
        return false;
    path = arena_printf(arena, "%.*s/%.*s", VSR_FMT(places->models_dir), VSR_FMT(bare));
    if (!is_model(path))
        return false;
    made = plain(arena, path, name_below(arena, places, path));
    if (!str_eq(made.repo_id, name))
        return false;
    *ret = made;
    return true;
}

static int not_found(const struct model_places *places, vsr_str name, vsr_str path, vsr_str repo_id,
                     struct vsr_err *err) {
    bool exists = access(path.ptr, F_OK) == 0;
    const char *found = exists ? "which holds no model" : "which does not exist";
    if (repo_id.len == 0)
        return err_set(err, VSR_E_NOT_FOUND,
                       "looked for \"%.*s\" in \"%.*s\", %s; it is not in the catalogue: put its files there, or name "
                       "its repository as OWNER/NAME",
                       VSR_FMT(name), VSR_FMT(path), found);
    return err_set(err, VSR_E_NOT_FOUND,
                   "looked for \"%.*s\" in \"%.*s\", %s, and for %.*s in %s%.*s%s; get it with `vsr model pull %.*s`",
                   VSR_FMT(name), VSR_FMT(path), found, VSR_FMT(repo_id), places->hub_dir.len > 0 ? "\"" : "no cache",
                   VSR_FMT(places->hub_dir), places->hub_dir.len > 0 ? "\"" : "", VSR_FMT(name));
}

static int find_builtin(struct arena *arena, vsr_str name, struct model_directory *ret, struct vsr_err *err) {
    const struct builtin_model *model;
    int rc = builtin_open(name, &model, err);
    if (rc < 0)
        return rc;
    *ret = (struct model_directory){
        .path = arena_str(arena, name), .layout = MODEL_LAYOUT_BUILTIN, .name = model->name, .commit = model->version
    };
    return 0;
}

int model_directory_find(struct arena *arena, const struct model_places *places, vsr_str name, vsr_str repo_id,
                         vsr_str revision, struct model_directory *ret_directory, struct vsr_err *err) {
    vsr_str path, literal;
    int rc;
    if (builtin_is(name))
        return find_builtin(arena, name, ret_directory, err);
    rc = model_directory_path(arena, places, name, &path, err);
    if (rc < 0)
        return rc;
    if (repo_id.len == 0)
        repo_id = catalogue_repo(name, NULL, 0);
    if (repo_id.len == 0 && model_repo_id_valid(name))
        repo_id = name;
    if (is_model(path)) {
        *ret_directory = plain(arena, path, name_below(arena, places, path));
        return 0;
    }
    if (find_literal(arena, places, name, &literal)) {
        *ret_directory = plain(arena, literal, name_below(arena, places, literal));
        return 0;
    }
    if (find_downloaded(arena, places, name, ret_directory) ||
        find_snapshot(arena, places, repo_id, revision, ret_directory))
        return 0;
    return not_found(places, str_sub(name, 0, 128), path, repo_id, err);
}

/* ---- finding all */

struct listing {
    struct arena *arena;
    const struct model_places *places;
    struct model_directory *directories;
    size_t n, cap;
};

static int compare_names(const void *a, const void *b) {
    return str_cmp(*(const vsr_str *)a, *(const vsr_str *)b);
}

/* Names in a directory, sorted, without those that begin with a dot. */
static int read_names(struct arena *arena, vsr_str path, vsr_str **ret_names, size_t *ret_n, struct vsr_err *err) {
    DIR *dir = opendir(path.ptr);
    struct dirent *entry;
    size_t cap = 0;
    *ret_names = NULL;
    *ret_n = 0;
    if (!dir)
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : err_set(err, VSR_E_IO, "cannot list \"%.*s\": %s", VSR_FMT(path), strerror(errno));
    while ((entry = readdir(dir)) != NULL && *ret_n < ENTRIES_MAX) {
        if (entry->d_name[0] == '.')
            continue;
        *ret_names = arena_grow(arena, *ret_names, sizeof(**ret_names), *ret_n, &cap);
        (*ret_names)[(*ret_n)++] = arena_str(arena, str_from_c(entry->d_name));
    }
    closedir(dir);
    if (*ret_n == ENTRIES_MAX)
        return err_set(err, VSR_E_LIMIT, "\"%.*s\" has more than %d entries", VSR_FMT(path), ENTRIES_MAX);
    if (*ret_n > 0)
        qsort(*ret_names, *ret_n, sizeof(**ret_names), compare_names);
    return 0;
}

static int add(struct listing *listing, struct model_directory directory, struct vsr_err *err) {
    if (listing->n == MODEL_DIRECTORIES_MAX)
        return err_set(err, VSR_E_LIMIT, "more than %d models", MODEL_DIRECTORIES_MAX);
    listing->directories =
        arena_grow(listing->arena, listing->directories, sizeof(directory), listing->n, &listing->cap);
    listing->directories[listing->n++] = directory;
    return 0;
}

static int list_plain(struct listing *listing, vsr_str dir, int level, struct vsr_err *err) {
    vsr_str *names;
    size_t n;
    int rc = read_names(listing->arena, dir, &names, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        vsr_str path = arena_printf(listing->arena, "%.*s/%.*s", VSR_FMT(dir), VSR_FMT(names[i]));
        if (is_model(path))
            rc = add(listing, plain(listing->arena, path, name_below(listing->arena, listing->places, path)), err);
        else if (level < LEVELS_MAX)
            rc = list_plain(listing, path, level + 1, err);
    }
    return rc;
}

static int list_cache(struct listing *listing, struct vsr_err *err) {
    vsr_str *names, prefix = VSR_STR(CACHE_PREFIX), main_ref = VSR_STR("main");
    vsr_str hub = listing->places->hub_dir;
    size_t n;
    int rc = hub.len > 0 ? read_names(listing->arena, hub, &names, &n, err) : 0;
    for (size_t i = 0; hub.len > 0 && rc == 0 && i < n; i++) {
        struct model_directory found;
        vsr_str bare = str_sub(names[i], prefix.len, names[i].len), repo_id, dir;
        ptrdiff_t cut = str_find(bare, VSR_STR("--"));
        if (!str_starts(names[i], prefix) || cut <= 0)
            continue;
        repo_id = arena_printf(listing->arena, "%.*s/%.*s", VSR_FMT(str_sub(bare, 0, (size_t)cut)),
                               VSR_FMT(str_sub(bare, (size_t)cut + 2, bare.len)));
        dir = arena_printf(listing->arena, "%.*s/%.*s", VSR_FMT(hub), VSR_FMT(names[i]));
        if (snapshot_of(listing->arena, dir, repo_id, main_ref, &found))
            rc = add(listing, found, err);
    }
    return rc;
}

int model_directory_list(struct arena *arena, const struct model_places *places,
                         struct model_directory **ret_directories, size_t *ret_n, struct vsr_err *err) {
    struct listing listing = { .arena = arena, .places = places };
    int rc = list_plain(&listing, places->models_dir, 1, err);
    if (rc == 0)
        rc = list_cache(&listing, err);
    if (rc < 0)
        return rc;
    *ret_directories = listing.directories;
    *ret_n = listing.n;
    return 0;
}
