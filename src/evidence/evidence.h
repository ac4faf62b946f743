/*
 * evidence - who answers what signals ask: models of this process, and other servers.
 *
 *     struct evidence          one of a process: models, vectors of examples, what is counted
 *     struct evidence_binding  one of a compiled recipe: its sources (route_sources()), each found once
 *     struct evidence_lane     one of a thread with a loop (evidence/lane.h): connections to servers, mail from models
 *     struct evidence_run      one of a request that waits (evidence/run.h): all that one stage asks
 *
 * Models built into the program answer on the caller's thread when the text is short; all others, and long texts, on
 * inference threads. A model that is absent, has failed or is being loaded is unavailable; a lazy one is waited for
 * as long as the ask allows. Whatever goes wrong becomes the answer's code and reason, never a class.
 *
 * Any thread, except where it says otherwise; bindings are read-only.
 */
#ifndef VSR_EVIDENCE_EVIDENCE_H
#define VSR_EVIDENCE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct arena;
struct config_document;
struct engine;
struct evidence;
struct evidence_binding;
struct mcp_hub;
struct metrics;
struct route;
struct store;
struct tls_client;

struct evidence_options {
    /* Who runs models that lie in directories; both NULL as long as no configuration needs one. Any thread. */
    void (*models)(void *owner, struct engine **ret_engine, struct store **ret_store);
    void *owner;
    struct tls_client *tls;  /* kept; NULL: no server is asked over https */
    struct metrics *metrics; /* kept; NULL: nothing is counted */
    /* Environment lookup for keys and places; NULL: getenv. */
    const char *(*env)(void *data, const char *name);
    void *env_data;
    size_t vectors_len_max; /* bytes of examples' vectors that are kept; 0: VECTOR_CACHE_LEN_MAX */
};

struct evidence *evidence_new(const struct evidence_options *options);
/* After all lanes and bindings. NULL is allowed. */
void evidence_free(struct evidence *evidence);

/*
 * Finds the recipe's sources. Keeps all, and lives in `arena`. Never fails: a source that cannot be asked answers with
 * the reason.
 */
struct evidence_binding *evidence_bind(struct evidence *evidence, struct arena *arena,
                                       const struct config_document *doc, const struct route *route);

/* Where tool servers are asked (mcp/hub.h); kept. Before the first recipe that asks one is used. Without, they are
 * unavailable. */
void evidence_set_tools(struct evidence *evidence, struct mcp_hub *hub);
bool evidence_binding_has_tools(const struct evidence_binding *binding);

/* Whether anybody would be asked at all. */
bool evidence_binding_is_empty(const struct evidence_binding *binding);

#endif
