#include "model/wish.h"

#include <sys/stat.h>

#include "core/arena.h"
#include "core/mem.h"
#include "model/catalogue.h"
#include "model/completeness.h"
#include "nn/lora.h"

/* ---- which files */

/* By what a new download, or anybody who replaces a file, changes. */
static struct result_key add_files(struct arena *arena, struct result_key key, vsr_str directory) {
    static const char *const files[] = {
        "config.json",     "tokenizer.json",          "tokenizer_config.json",     "vocab.txt",
        "tokenizer.model", "sentencepiece.bpe.model", "model.safetensors",         "model.safetensors.index.json",
        "modules.json",    "adapter_config.json",     "adapter_model.safetensors",
    };
    key = result_key_add(key, directory.ptr, directory.len);
    for (size_t i = 0; i < VSR_COUNT(files); i++) {
        vsr_str path = arena_printf(arena, "%.*s/%s", VSR_FMT(directory), files[i]);
        struct stat status;
        uint64_t words[5] = { i };
        if (stat(arena_c_str(arena, path), &status) == 0) {
            words[1] = (uint64_t)status.st_dev;
            words[2] = (uint64_t)status.st_ino;
            words[3] = (uint64_t)status.st_size;
            words[4] = (uint64_t)status.st_mtim.tv_sec * 1000000000u + (uint64_t)status.st_mtim.tv_nsec;
        }
        key = result_key_add(key, words, sizeof(words));
    }
    return key;
}

static void make_key(struct wish *wish) {
    const struct store_model *model = &wish->model;
    uint64_t words[2] = { (uint64_t)model->precision, model->tokens_max };
    struct result_key key = result_key_add((struct result_key){ 0 }, words, sizeof(words));
    key = result_key_add(key, model->label_file.ptr, model->label_file.len);
    key = result_key_add(key, model->device.ptr, model->device.len);
    key = add_files(wish->arena, key, wish->directory);
    wish->key = add_files(wish->arena, key, wish->base);
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
    rc = lora->base.len == 0 ? err_set(err, VSR_E_INVALID, "the adapter does not say what it adapts")
                             : model_directory_find(wish->arena, places, arena_str(wish->arena, lora->base),
                                                    VSR_STR(""), VSR_STR(""), &found, err);
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

struct wish *wish_new(const struct model_places *places, const struct store_model *model) {
    struct wish *wish = MEM_NEW(struct wish);
    wish->arena = arena_new(0, 0);
    wish->n_refs = 1;
    wish->model = *model;
    wish->model.name = arena_str(wish->arena, model->name);
    wish->model.repo_id = arena_str(wish->arena, model->repo_id);
    wish->model.type = arena_str(wish->arena, model->type);
    wish->model.device = arena_str(wish->arena, model->device);
    wish->model.label_file = arena_str(wish->arena, model->label_file);
    wish->path = arena_str(wish->arena, wish_path(model->name));
    find_files(wish, places);
    make_key(wish);
    return wish;
}

void wish_unref(struct wish *wish) {
    if (!wish || --wish->n_refs > 0)
        return;
    arena_free(wish->arena);
    mem_free(wish);
}
