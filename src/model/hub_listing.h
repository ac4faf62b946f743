/*
 * hub_listing - what a repository consists of, and which of its files running the model needs.
 *
 * The hub's answer is not trusted: names that would lead out of a directory refuse the whole repository. Lives in the
 * caller's arena. Any thread.
 */
#ifndef VSR_MODEL_HUB_LISTING_H
#define VSR_MODEL_HUB_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "model/digest.h"

struct arena;

enum { HUB_LISTING_LEN_MAX = 32 << 20, HUB_LISTING_FILES_MAX = 100000, HUB_COMMIT_LEN_MAX = 64 };

struct hub_file {
    vsr_str path;         /* safe by model_path_safe(), followed by a NUL */
    int64_t size;         /* -1: the hub does not say */
    struct digest digest; /* of the content; DIGEST_NONE: the hub does not say */
};

struct hub_listing {
    vsr_str commit;         /* hexadecimal digits; empty: not from a hub */
    struct hub_file *files; /* sorted by path */
    size_t n_files;
    bool leads_out; /* why parsing failed: a name is no mistake but an attempt. Set then too */
};

/* Of the answer to GET /api/models/OWNER/NAME/revision/REVISION?blobs=true. VSR_E_SYNTAX, VSR_E_INVALID, VSR_E_LIMIT.
 */
int hub_listing_parse(struct arena *arena, vsr_str json, struct hub_listing *ret_listing,
                      struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Whether running a model may need this file: configuration, tokenizer, safetensors of the model itself, modules of a
 * sentence-transformers directory, the licence; or one of the `n_extra` patterns of fnmatch(3) names it. Other
 * frameworks' weights and exports for other runtimes are not wanted.
 */
bool hub_file_wanted(vsr_str path, const char *const *extra, size_t n_extra);

/*
 * Leaves only the wanted files; with weights in one file, also without the shards. VSR_E_INVALID, naming what there is
 * instead, when what is left cannot be run; VSR_E_LIMIT.
 */
int hub_listing_select(struct hub_listing *listing, const char *const *extra, size_t n_extra,
                       struct vsr_err *err) VSR_MUST_CHECK;

#endif
