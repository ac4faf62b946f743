/*
 * stores - what this process keeps beyond a request, as the configuration says.
 *
 * One per process: a reload changes what is behind a store, never the store, so that lanes stay. The state directory is
 * $VSR_STATE_DIR, else `.vsr` beside the configuration's file; a configuration that is no file has none, and then what
 * would be there is in memory. Control thread only, but for stores_responses().
 */
#ifndef VSR_SERVE_STORES_H
#define VSR_SERVE_STORES_H

#include "core/err.h"
#include "core/str.h"

struct config_document;
struct config_load_options;
struct json_writer;
struct metrics;
struct response_store;
struct stores;

/* Opens what `doc` says. Keeps `metrics`. `load` tells how the environment is looked up. */
int stores_new(const struct config_document *doc, const struct config_load_options *load, struct metrics *metrics,
               struct stores **ret_stores, struct vsr_err *err) VSR_MUST_CHECK;
/* After all lanes. NULL is allowed. */
void stores_free(struct stores *stores);

/* The next generation's. */
void stores_configure(struct stores *stores, const struct config_document *doc);

/* Any thread. Lives as long as `stores`. */
struct response_store *stores_responses(const struct stores *stores);
/* "" when there is none. */
vsr_str stores_state_dir(const struct stores *stores);

/* The member `stores` of what /ready of the management API answers. */
void stores_write_ready(const struct stores *stores, struct json_writer *w);

#endif
