/*
 * directory - where a model's files lie on this machine.
 *
 * Two places are looked at, in this order: the models directory, which `models/` at the head of a name stands for
 * wherever it is, and the hub's cache as other programs fill it:
 *
 *     HUB/models--OWNER--NAME/refs/main            a commit
 *     HUB/models--OWNER--NAME/snapshots/COMMIT/    the files, symbolic links into blobs/
 *
 * The cache is only read. Finding opens no weights; whether a directory is complete says completeness.h. Results live
 * in the caller's arena. Any thread; blocks.
 */
#ifndef VSR_MODEL_DIRECTORY_H
#define VSR_MODEL_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum { MODEL_DIRECTORIES_MAX = 4096 };

enum model_layout {
    MODEL_LAYOUT_PLAIN,    /* files in a directory of their own */
    MODEL_LAYOUT_SNAPSHOT, /* a snapshot in the hub's cache */
    MODEL_LAYOUT_BUILTIN,  /* part of the program (builtin.h): its name stands where a path would */
};

struct model_directory {
    vsr_str path; /* to open; followed by a NUL */
    enum model_layout layout;
    vsr_str name;    /* "models/..." when it lies in the models directory; else empty */
    vsr_str repo_id; /* by the manifest or the cache; empty: unknown */
    vsr_str commit;  /* likewise */
};

struct model_places {
    vsr_str models_dir; /* without a trailing slash */
    vsr_str hub_dir;    /* empty: none */
};

/*
 * The models directory is `models_dir`; the hub's cache $HF_HUB_CACHE, else $HF_HOME/hub, else
 * $XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. Reads the environment: not while it is written.
 */
struct model_places model_places_make(struct arena *arena, const char *models_dir);

/* Where `name` lies or would lie: in the models directory for a catalogue name, `models/...` or a bare word, else
 * `name` itself. VSR_E_INVALID when it would lead out of the models directory. */
int model_directory_path(struct arena *arena, const struct model_places *places, vsr_str name, vsr_str *ret_path,
                         struct vsr_err *err) VSR_MUST_CHECK;

/* The same without asking the catalogue: for what a person wants to lie somewhere. */
int model_directory_literal(struct arena *arena, const struct model_places *places, vsr_str name, vsr_str *ret_path,
                            struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Finds the model that a configuration or a person calls `name`: what begins with "builtin/" is a built-in model, and
 * nothing else; by the catalogue, as a path, as a repository in the
 * hub's cache. `repo_id` may be empty (the catalogue's, or none); `revision` too (main). VSR_E_NOT_FOUND says where it
 * was looked for and how to get it.
 */
int model_directory_find(struct arena *arena, const struct model_places *places, vsr_str name, vsr_str repo_id,
                         vsr_str revision, struct model_directory *ret_directory, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Whether `name` may be looked for although a stranger wrote it, in the file of an adapter: one of the catalogue, a
 * repository's, a bare word or `models/...` that stays below the models directory. No other path of this machine.
 */
bool model_directory_is_public(vsr_str name);

/* Whether anything in this directory makes it a model's, complete or not. */
bool model_directory_holds(struct arena *arena, vsr_str path);

/*
 * All models there are, by path: those up to two levels below the models directory, then the cache's newest snapshots.
 * A place that does not exist holds none. VSR_E_IO, VSR_E_LIMIT past MODEL_DIRECTORIES_MAX.
 */
int model_directory_list(struct arena *arena, const struct model_places *places,
                         struct model_directory **ret_directories, size_t *ret_n, struct vsr_err *err) VSR_MUST_CHECK;

const char *model_layout_name(enum model_layout layout);

#endif
