/*
 * stage_admission - a place among the requests that are in at once, or 503 (serve/admission.h).
 *
 * After the model name is known, because it has the priority; before the first signal, because that is where work
 * begins.
 */
#include "core/arena.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "wire/error_body.h"

/* `x-vsr-priority` is for proxies that know their callers; from anybody else it would be a way to the front. */
static unsigned priority_of(const struct request *request) {
    vsr_str given = str_trim(request_single_field(request, VSR_STR("x-vsr-priority")));
    uint64_t priority;
    if (request->listener->trust_identity_headers && str_to_u64(given, &priority))
        return priority < ADMISSION_PRIORITIES ? (unsigned)priority : ADMISSION_PRIORITIES - 1;
    return request->name ? request->name->priority
                         : (unsigned)request->snapshot->doc->global.router.admission.default_priority;
}

static enum stage_result settle(struct request *request) {
    struct worker *worker = request->worker;
    const struct admission_place *place = &request->place;
    vsr_str priority;
    if (place->state == ADMISSION_IN)
        return STAGE_NEXT;
    priority = arena_printf(request->arena, "%u", place->priority);
    metric_inc(metric_with(worker->telemetry->admission_shed, &priority, 1));
    limit_refund(worker->limits, &request->ticket);
    request_error(request, 503, TELEMETRY_REASON_overloaded, ERROR_CODE_OVERLOADED,
                  arena_printf(request->arena, "The server is overloaded. Retry after %u seconds.",
                               place->retry_after_s));
    request_add_field(request, VSR_STR("retry-after"), arena_printf(request->arena, "%u", place->retry_after_s));
    return STAGE_FAIL;
}

static void on_place(void *owner) {
    pipeline_resume(owner);
}

enum stage_result stage_admission(struct request *request) {
    const struct config_admission *config = &request->snapshot->doc->global.router.admission;
    const struct admission_limits limits = { .active_max = (size_t)config->max_active,
                                             .queued_max = (size_t)config->max_queued,
                                             .timeout_ms = (uint64_t)config->queue_timeout_ms };
    if (request->front.ops->watches)
        return STAGE_NEXT;
    if (request->place.state == ADMISSION_OUT)
        (void)admission_enter(request->worker->admission, &limits, priority_of(request), &request->place, on_place,
                              request);
    return request->place.state == ADMISSION_WAITING ? STAGE_WAIT : settle(request);
}
