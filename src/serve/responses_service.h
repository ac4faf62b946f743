/*
 * responses_service - what the workers of a process share for the Responses API: which worker runs which background
 * response, and the key that seals reasoning.
 *
 * Made once by the control thread, outlives snapshots and workers. Any thread unless it says otherwise.
 */
#ifndef VSR_SERVE_RESPONSES_SERVICE_H
#define VSR_SERVE_RESPONSES_SERVICE_H

#include <stdbool.h>

#include "core/err.h"
#include "core/str.h"

struct responses_service;
struct run;
struct sealer;
struct worker;

/* `state_dir` may be empty. A key that cannot be had is told in the log, and one of this process stands for it. */
int responses_service_new(vsr_str state_dir, struct responses_service **ret_service,
                          struct vsr_err *err) VSR_MUST_CHECK;
void responses_service_free(struct responses_service *service); /* after the workers; NULL is allowed */

const struct sealer *responses_service_sealer(const struct responses_service *service);

/* From the worker's thread: this response runs there, until it is removed. Copies `id`. */
void responses_service_add(struct responses_service *service, vsr_str id, struct worker *worker);
void responses_service_remove(struct responses_service *service, vsr_str id);

/*
 * Tells the worker that runs this response to stop it: run_stop() is called on its thread, unless it has ended by then.
 * False: it does not run in this process.
 */
bool responses_service_stop(struct responses_service *service, vsr_str id);

#endif
