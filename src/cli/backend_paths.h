/*
 * backend_paths - what a stand-in backend is asked for, by method and path.
 *
 * A prefix before the path is ignored: base URLs differ between providers. To add an endpoint: a row in the table, and
 * its kind in backend_request.c.
 */
#ifndef VSR_CLI_BACKEND_PATHS_H
#define VSR_CLI_BACKEND_PATHS_H

#include "core/str.h"

struct backend_dialect;

enum backend_kind {
    BACKEND_KIND_ANSWER, /* of a model, in the path's dialect */
    BACKEND_KIND_FIXED,
    BACKEND_KIND_COUNT, /* of the tokens of a message */
    BACKEND_KIND_EMBEDDINGS,
    BACKEND_KIND_IMAGES,
    BACKEND_KIND_STORED, /* a response that was given before */
    BACKEND_KIND_MODELS,
    BACKEND_KIND_HEALTH,
    BACKEND_KIND_LAST,
    BACKEND_KIND_STATS,
    BACKEND_KIND_BEHAVIOUR,
    BACKEND_KIND_UNKNOWN,
};

struct backend_path {
    const char *method, *path; /* the path's end; with a `/` behind it: somewhere in it */
    enum backend_kind kind;
    const struct backend_dialect *dialect; /* also of errors */
};

/* Never NULL. `target` may have a query. */
const struct backend_path *backend_path_find(vsr_str method, vsr_str target);

#endif
