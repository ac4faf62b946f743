/*
 * snapshot - one configuration generation, compiled and immutable.
 *
 * Built beside the one that serves, published by handing every worker a reference, pinned by each request, freed with
 * its last reference. Everything inside lives in its arena. Any thread may read and unref; route scratch belongs to the
 * worker of that index.
 */
#ifndef VSR_SERVE_SNAPSHOT_H
#define VSR_SERVE_SNAPSHOT_H

#include <stdatomic.h>
#include <stdint.h>

#include "config/document.h"
#include "config/load.h"
#include "core/map.h"
#include "provider/provider.h"
#include "route/route.h"
#include "serve/telemetry.h"

struct credentials;
struct evidence;
struct evidence_binding;
struct limit_set;
struct priced_model;
struct tls_server;
struct signal_metrics;

enum target_kind {
    TARGET_AUTO,       /* an auto alias: routed by the default recipe */
    TARGET_ENTRYPOINT, /* routed by its recipe */
    TARGET_MODEL,      /* a model card or LoRA: passed through */
};

/* What an inbound model name stands for. */
struct model_name {
    enum target_kind kind;
    vsr_str name;
    const struct snapshot_recipe *recipe; /* NULL: passed through */
    unsigned priority;                    /* under overload */
    struct map modifications;             /* routed: model that was routed to -> struct metric */
};

/* A decision with what the request path needs beside it. */
struct snapshot_decision {
    const struct config_decision *config;
    struct decision_metrics metrics;
    const struct priced_model *models; /* [n_models]: who may answer, when savings are measured among them */
    size_t n_models;
};

/* One recipe, compiled; nothing in it knows of the others. */
struct snapshot_recipe {
    const struct config_scope *scope;
    struct route *route;
    struct route_scratch **scratch;    /* [n_scratch]; each NULL when the recipe needs none */
    size_t n_scratch;                  /* one per worker, and one more for the control thread */
    struct evidence_binding *evidence; /* NULL: models are not asked */
    struct map decisions;              /* decision name -> struct snapshot_decision */
    struct signal_metrics *signal_metrics;
};

struct snapshot_model {
    struct provider_model *provider;
    struct model_metrics metrics;
    const struct priced_model *baseline; /* of savings; NULL: none, or it depends on the decision */
};

struct snapshot {
    _Atomic unsigned refs;
    struct arena *arena;
    uint64_t generation;
    uint64_t created_s; /* wall clock; `created` of listed models */
    const struct config_document *doc;
    struct snapshot_recipe *recipes; /* by index in doc->scopes */
    size_t n_recipes;
    struct provider_set *providers;
    const struct credentials *credentials;
    struct tls_client *tls;           /* towards servers that have no settings of their own; kept */
    struct tls_server **listener_tls; /* by index in doc->listeners; NULL: plain. NULL itself where nobody listens */
    struct limit_set *limits;         /* NULL: nobody is limited */
    struct tls_server *extproc_tls;   /* of the socket for Envoy; NULL: plain */
    struct map names;                 /* vsr_str -> struct model_name */
    struct map models;                /* logical model -> struct snapshot_model */
    vsr_str models_json;              /* body of GET /v1/models */
    struct map model_entries;         /* id -> vsr_str: its entry as JSON */
};

struct snapshot_options {
    struct telemetry *telemetry;        /* kept */
    struct provider_registry *registry; /* kept */
    struct tls_client *tls;             /* kept */
    struct evidence *evidence;          /* kept; NULL: what only a model can say is unavailable */
    struct config_load_options load;
    bool listens;                /* reads what only a process with listeners needs: their certificates */
    const char *extproc_tls_dir; /* NULL: none */
    size_t n_workers;
    uint64_t generation;
};

/*
 * Loads `file` (NULL: the text, named by `name`) and compiles it. On failure `diag` holds every problem (its arena is
 * the caller's) or `err` the one that is no configuration problem. The result has one reference.
 */
int snapshot_load(const char *file, vsr_str text, vsr_str name, const struct snapshot_options *options,
                  struct diag *diag, struct snapshot **ret_snapshot, struct vsr_err *err) VSR_MUST_CHECK;

struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* NULL is allowed */
/* Nobody but the caller has a reference, so that nobody else will get one either. */
bool snapshot_is_last(const struct snapshot *snapshot);

/* NULL: unknown name. */
const struct model_name *snapshot_resolve(const struct snapshot *snapshot, vsr_str model);
/* `; did you mean "x"?` for the closest name, or the empty string. Lives in `arena`. `listed_only`: clients are told of
 * no model that the catalogue does not show them. */
vsr_str snapshot_suggest(const struct snapshot *snapshot, struct arena *arena, vsr_str model, bool listed_only);

const struct snapshot_model *snapshot_model(const struct snapshot *snapshot, vsr_str name);
const struct snapshot_decision *snapshot_decision(const struct snapshot_recipe *recipe, vsr_str name);

/* A local name where all recipes meet: as it is in the default recipe, else behind the recipe's (config.md §8). */
vsr_str snapshot_global_name(struct arena *arena, const struct snapshot_recipe *recipe, vsr_str name);
/* NULL: no recipe of that name. */
const struct snapshot_recipe *snapshot_recipe(const struct snapshot *snapshot, vsr_str name);

/* Index of the scratch that belongs to the control thread. */
size_t snapshot_control_scratch(const struct snapshot *snapshot);

/* The listener of the generation that serves this address and port; NULL when it has none. */
const struct config_listener *snapshot_listener(const struct snapshot *snapshot, vsr_str address, uint16_t port);
/*
 * Its TLS; NULL when it is plain, or NULL itself. A socket that spoke plainly and is to speak TLS, or the reverse, is
 * another one: it is opened anew.
 */
struct tls_server *snapshot_listener_tls(const struct snapshot *snapshot, const struct config_listener *listener);

#endif
