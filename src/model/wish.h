/*
 * wish - what a configuration wants of one model, and which files that means on this machine.
 *
 * Made once, without a look at the disk, or out of such a one with all that the disk says; what decides what is loaded
 * never changes, and two wishes with the same key load the same. What a model is called, how it is kept (load,
 * mandatory, long_text) and the count are the store's, under its lock.
 */
#ifndef VSR_MODEL_WISH_H
#define VSR_MODEL_WISH_H

#include "model/store.h"
#include "nn/result_cache.h"

struct wish {
    struct arena *arena;
    struct store_model model;
    vsr_str path;          /* wish_path() of its name */
    bool looked;           /* the rest says what is there */
    vsr_str directory;     /* where the files are; empty: absent */
    vsr_str base;          /* of an adapter: the directory of what it adapts; else empty */
    struct vsr_err absent; /* why it is; code 0: it is there */
    struct result_key key; /* of settings and files */
    size_t n_refs;
};

/* Of a model that a configuration calls `name`: names of one model have one path. Static, or part of `name`. */
vsr_str wish_path(vsr_str name);

/* Copies. With one reference, as the next one. */
struct wish *wish_new(const struct store_model *model);
/* Looks for the files, which takes as long as the disk does; that they are not there is no failure. Copies. */
struct wish *wish_look(const struct model_places *places, const struct store_model *model);
/* It is called as `model` says from now on; that means the same path. */
void wish_rename(struct wish *wish, const struct store_model *model);
/* Frees with the last reference. NULL is allowed. */
void wish_unref(struct wish *wish);

#endif
