/*
 * evidence_state - what a process and a recipe hold. Private to evidence/.
 */
#ifndef VSR_EVIDENCE_EVIDENCE_STATE_H
#define VSR_EVIDENCE_EVIDENCE_STATE_H

#include <pthread.h>

#include "evidence/evidence.h"
#include "evidence/evidence_metrics.h"
#include "nn/scheduler.h"
#include "signal/evidence.h"

struct builtin_model;
struct filler;
struct vector_cache;

struct evidence {
    struct evidence_options options;
    struct evidence_metrics metrics;
    struct mcp_hub *tools;        /* NULL: tool servers cannot be asked */
    struct filler *filler;        /* of who loads configurations; NULL: it was not needed yet */
    pthread_mutex_t lock;         /* guards the next */
    struct vector_cache *vectors; /* NULL: no recipe was bound yet */
};

/* Who a source is. */
struct bound_source {
    const struct signal_source *source;
    enum evidence_place place;
    enum scheduler_priority priority;
    const struct builtin_model *builtin; /* NULL: it is none, or, with `missing`, one that does not exist */
    const char *missing;
};

struct evidence_binding {
    struct evidence *evidence;
    const struct config_document *doc;
    const struct route *route;
    const struct bound_source *sources; /* by the numbers of asks */
    size_t n_sources;
    bool no_exit_norm; /* of embedders that are left early */
};

/* Made with the first recipe, whose place on disk it keeps. */
struct vector_cache *evidence_vectors(struct evidence *evidence, const struct config_document *doc);

#endif
