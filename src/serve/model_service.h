/*
 * model_service - the models of the serving process: which ones the configuration needs, how they run, how far they
 * are.
 *
 * One per process. Threads and queue are made when a generation first needs a model, by what that generation says, and
 * stay until the process ends; which models there are follows every generation, and one whose settings and files did
 * not change stays as it is. What only a former generation names stays until that generation ends. A model that is not
 * there is said to be absent, with its place and how to get it, and everything else goes on.
 */
#ifndef VSR_SERVE_MODEL_SERVICE_H
#define VSR_SERVE_MODEL_SERVICE_H

#include <stdbool.h>

#include "core/err.h"
#include "core/str.h"

struct arena;
struct engine;
struct json_writer;
struct model_service;
struct readiness;
struct snapshot;
struct store;
struct store_model;
struct telemetry;

/* Keeps `telemetry`. `models_dir` is what `models/` stands for; reads the environment for the hub's cache. */
struct model_service *model_service_new(struct telemetry *telemetry, const char *models_dir);
/* Waits for what is being loaded. NULL is allowed. */
void model_service_free(struct model_service *service);

/* Control thread, before others have the snapshot, whose end gives its models up. Neither loads nor looks at the disk
 * itself. A failure leaves what was there, and is no reason not to serve; the readiness tells it, and is not there when
 * a mandatory model was wanted. */
int model_service_configure(struct model_service *service, struct snapshot *snapshot,
                            struct vsr_err *err) VSR_MUST_CHECK;

/* Any thread. */
struct readiness *model_service_readiness(struct model_service *service);
/* Whether no mandatory model is missing. */
bool model_service_ready(struct model_service *service);
/* NULL while no generation has needed a model; then the same for good. */
struct store *model_service_store(struct model_service *service);
struct engine *model_service_engine(struct model_service *service); /* likewise */

/* Control thread: brings the numbers to the metrics registry. */
void model_service_publish(struct model_service *service);

/* The models that what decisions of a generation can need would ask, each once, in `arena`. */
size_t model_service_needed(const struct snapshot *snapshot, struct arena *arena, struct store_model **ret);

#endif
