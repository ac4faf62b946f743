#include "model/wish.h"

#include <dirent.h>
#include <sys/stat.h>

#include "core/arena.h"
#include "core/mem.h"
#include "model/builtin.h"
#include "model/catalogue.h"
#include "model/completeness.h"
#include "nn/lora.h"

enum {
    FILES_MAX = 4096, /* of a model; what is beyond does not count */
    FILES_DEPTH_MAX = 3,
};

/* ---- which files */

/* In no order: that of a directory's entries is nobody's. */
struct file_sum {
    struct arena *arena;
    uint64_t low, high;
    size_t n;
};

static void add_file(struct file_sum *sum, vsr_str path, const struct stat *status) {
    const uint64_t words[] = { (uint64_t)status->st_dev, (uint64_t)status->st_ino, (uint64_t)status->st_size,
                               (uint64_t)status->st_mtim.tv_sec * 1000000000u + (uint64_t)status->st_mtim.tv_nsec };
    struct result_key key = result_key_add((struct result_key){ 0 }, path.ptr, path.len);
    key = result_key_add(key, words, sizeof(words));
    sum->low += key.low;
    sum->high += key.high;
}

/* Files as deep as modules.json can lead; links are followed, for a snapshot consists of them. */
static void add_directory(struct file_sum *sum, vsr_str directory, int depth) {
    DIR *dir = opendir(arena_c_str(sum->arena, directory));
    struct dirent *entry;
    while (dir && sum->n < FILES_MAX && (entry = readdir(dir)) != NULL) {
        vsr_str path;
        struct stat status;
        if (entry->d_name[0] == '.') /* the manifest too: it is written anew by a pull that changes nothing */
            continue;
        sum->n++;
        path = arena_printf(sum->arena, "%.*s/%s", VSR_FMT(directory), entry->d_name);
        if (fstatat(dirfd(dir), entry->d_name, &status, 0) != 0)
            continue;
        if (S_ISREG(status.st_mode))
            add_file(sum, path, &status);
        else if (S_ISDIR(status.st_mode) && depth < FILES_DEPTH_MAX)
            add_directory(sum, path, depth + 1);
    }
    if (dir)
        closedir(dir);
}

/* By what a new download, or anybody who replaces a file, changes: shards, modules and label files too. */
static struct result_key add_files(struct result_key key, vsr_str directory) {
    struct file_sum sum = { .arena = arena_new(0, 0) };
    uint64_t words[2];
    if (directory.len > 0)
        add_directory(&sum, directory, 1);
    arena_free(sum.arena);
    words[0] = sum.low;
    words[1] = sum.high;
    key = result_key_add(key, directory.ptr, directory.len);
    return result_key_add(key, words, sizeof(words));
}

static void make_key(struct wish *wish) {
    const struct store_model *model = &wish->model;
    uint64_t words[2] = { (uint64_t)model->precision, model->tokens_max };
    struct result_key key = result_key_add((struct result_key){ 0 }, words, sizeof(words));
    key = result_key_add(key, model->label_file.ptr, model->label_file.len);
    key = result_key_add(key, model->device.ptr, model->device.len);
    key = add_files(key, wish->directory);
    wish->key = add_files(key, wish->base);
}

/* Every problem is one, but the first says enough to go on. */
static int check_files(struct wish *wish, vsr_str directory, struct vsr_err *err) {
    const struct completeness_options options = { .required = &wish->model.label_file,
                                                  .n_required = wish->model.label_file.len > 0 };
    struct completeness found;
    int rc = completeness_check(wish->arena, directory, &options, &found, err);
    if (rc == 0 && found.n_problems > 0)
        rc = err_set(err, VSR_E_INVALID, "%.*s is not complete: %.*s: %.*s", VSR_FMT(directory),
                     VSR_FMT(found.problems[0].file), VSR_FMT(found.problems[0].text));
    return rc;
}

static int find_base(struct wish *wish, const struct model_places *places, struct vsr_err *err) {
    struct model_directory found;
    struct lora *lora;
    int rc;
    if (!lora_is_adapter(wish->directory))
        return 0;
    rc = lora_open(wish->directory, &lora, err);
    if (rc < 0)
        return rc;
    if (lora->base.len == 0)
        rc = err_set(err, VSR_E_INVALID, "the adapter does not say what it adapts");
    else if (!model_directory_is_public(lora->base))
        rc = err_set(err, VSR_E_INVALID,
                     "it names \"%.*s\" as its base, a path of the machine that it was made on: write the repository "
                     "or models/NAME to base_model_name_or_path in its adapter_config.json",
                     VSR_FMT(str_sub(lora->base, 0, 128)));
    else
        rc = model_directory_find(wish->arena, places, arena_str(wish->arena, lora->base), VSR_STR(""), VSR_STR(""),
                                  &found, err);
    lora_free(lora);
    if (rc < 0)
        return err_wrap(err, "adapter %.*s", VSR_FMT(wish->directory));
    wish->base = found.path;
    return 0;
}

static void find_files(struct wish *wish, const struct model_places *places) {
    struct model_directory found;
    struct vsr_err *err = &wish->absent;
    int rc = model_directory_find(wish->arena, places, wish->model.name, wish->model.repo_id, VSR_STR(""), &found, err);
    if (rc == 0) {
        wish->directory = found.path;
        rc = check_files(wish, found.path, err);
    }
    if (rc == 0)
        rc = find_base(wish, places, err);
    if (rc == 0)
        wish->absent = VSR_ERR_NONE;
}

/* ---- life */

/* `models/` at the head of a name says nothing: a bare word lies there too. */
vsr_str wish_path(vsr_str name) {
    static const vsr_str prefix = { "models/", 7 };
    vsr_str path = catalogue_path(name);
    return str_starts(path, prefix) ? str_sub(path, prefix.len, path.len) : path;
}

struct wish *wish_new(const struct store_model *model) {
    struct wish *wish = MEM_NEW(struct wish);
    wish->arena = arena_new(0, 0);
    wish->n_refs = 1;
    wish->absent = VSR_ERR_NONE;
    wish->model = *model;
    wish->model.name = arena_str(wish->arena, model->name);
    wish->model.repo_id = arena_str(wish->arena, model->repo_id);
    wish->model.type = arena_str(wish->arena, model->type);
    wish->model.device = arena_str(wish->arena, model->device);
    wish->model.label_file = arena_str(wish->arena, model->label_file);
    wish->path = arena_str(wish->arena, wish_path(model->name));
    if (builtin_is(wish->path)) /* nothing is saved by waiting until somebody asks */
        wish->model.load = STORE_EAGER;
    return wish;
}

struct wish *wish_look(const struct model_places *places, const struct store_model *model) {
    struct wish *wish = wish_new(model);
    find_files(wish, places);
    make_key(wish);
    wish->looked = true;
    return wish;
}

void wish_rename(struct wish *wish, const struct store_model *model) {
    if (!str_eq(wish->model.name, model->name))
        wish->model.name = arena_str(wish->arena, model->name);
    if (!str_eq(wish->model.type, model->type))
        wish->model.type = arena_str(wish->arena, model->type);
}

void wish_unref(struct wish *wish) {
    if (!wish || --wish->n_refs > 0)
        return;
    arena_free(wish->arena);
    mem_free(wish);
}
