#include "cli/backend_paths.h"

#include "cli/backend_dialect.h"

/* The first row that fits counts. */
static const struct backend_path paths[] = {
    { "POST", "/chat/completions", BACKEND_KIND_ANSWER, &backend_chat },
    { "POST", "/completions", BACKEND_KIND_ANSWER, &backend_completions },
    { "POST", "/messages", BACKEND_KIND_ANSWER, &backend_messages },
    { "POST", "/messages/count_tokens", BACKEND_KIND_COUNT, &backend_messages },
    { "POST", "/embeddings", BACKEND_KIND_EMBEDDINGS, &backend_chat },
    { "POST", "/images/generations", BACKEND_KIND_IMAGES, &backend_chat },
    { "POST", "/responses", BACKEND_KIND_ANSWER, &backend_responses },
    { "", "/responses/", BACKEND_KIND_STORED, &backend_responses },
    { "GET", "/models", BACKEND_KIND_MODELS, &backend_chat },
    { "GET", "/health", BACKEND_KIND_HEALTH, &backend_chat },
    { "GET", "/_last", BACKEND_KIND_LAST, &backend_chat },
    { "GET", "/_stats", BACKEND_KIND_STATS, &backend_chat },
    { "PUT", "/_behaviour", BACKEND_KIND_BEHAVIOUR, &backend_chat },
};

static const struct backend_path unknown = { "", "", BACKEND_KIND_UNKNOWN, &backend_chat };

const struct backend_path *backend_path_find(vsr_str method, vsr_str target) {
    vsr_str rest = target, path = str_split(&rest, '?');
    for (size_t i = 0; i < VSR_COUNT(paths); i++) {
        vsr_str want = str_from_c(paths[i].path);
        bool within = str_ends(want, VSR_STR("/"));
        if ((paths[i].method[0] == 0 || str_eq_c(method, paths[i].method)) &&
            (within ? str_find(path, want) >= 0 : str_ends(path, want)))
            return &paths[i];
    }
    return &unknown;
}
