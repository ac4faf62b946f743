/*
 * stages - the functions behind the pipeline's table, one file per station.
 */
#ifndef VSR_SERVE_STAGES_H
#define VSR_SERVE_STAGES_H

#include "serve/pipeline.h"
#include "serve/request.h"

struct answer_delta;

/* pipeline.c: the backend is about to be called; what every stage took, as `admit=3,receive=0,...` */
void pipeline_note_dispatch(struct request *request);
vsr_str pipeline_stage_times(const struct request *request);

/* stage_admit.c */
enum stage_result stage_admit(struct request *request);
enum stage_result stage_receive(struct request *request);

/* stage_limit.c: budgets of callers, before the body and again with the model known */
enum stage_result stage_limit(struct request *request);
enum stage_result stage_budget(struct request *request);
/* Another model is to answer in place of the one that the budgets were asked for: gives back, and asks again. WAITING:
 * stage_dispatch() goes on. DENIED: nothing is refused yet. */
enum limit_answer limit_again(struct request *request);
/*
 * Another model has a part in the answer, beside the selected one: its budgets, asked for once those of the selected
 * model are. FAIL and WAIT as from stage_budget().
 */
enum stage_result limit_beside(struct request *request, const struct snapshot_model *model, vsr_str model_name,
                               int64_t prompt_tokens);
/* That part is over; by its own model's price. */
void limit_beside_ends(struct request *request, const struct snapshot_model *model, const struct usage *usage);
/* The selected model had no part in the answer: what was taken for its tokens goes back. */
void limit_part_ends(struct request *request);
/* A piece of the answer: counted, for answers that end before anybody has said what they took. */
void limit_note_delta(struct request *request, const struct answer_delta *delta);
/* Settles them, once. `reported` NULL: no backend said what it took. `cut`: the answer did not come to its end. */
void limit_request_ends(struct request *request, const struct usage *reported, bool cut);

/* stage_admission.c */
enum stage_result stage_admission(struct request *request);

/* stage_parse.c: JSON, and once it is known as chat, its facts */
enum stage_result stage_parse(struct request *request);
enum stage_result stage_facts(struct request *request);

/* stage_translate.c */
enum stage_result stage_translate(struct request *request);
/* request->translated is the request as chat, or `rc` and `err` say why not: goes on from there. */
enum stage_result translate_done(struct request *request, int rc, struct vsr_err *err);
/* From here on request->warnings takes what translations lose. */
void request_note_warnings(struct request *request);

/* stage_session.c */
enum stage_result stage_session(struct request *request);

/* stage_route.c */
enum stage_result stage_resolve(struct request *request);
enum stage_result stage_signals(struct request *request);
enum stage_result stage_select(struct request *request);

/* upstream_body.c: request->upstream_body as this endpoint is to get it; empty when upstream_body_base() may go as it
 * is. VSR_E_UNAVAILABLE: the endpoint cannot answer such a request. */
int upstream_body_write(struct request *request, const struct provider_endpoint *endpoint,
                        struct vsr_err *err) VSR_MUST_CHECK;
vsr_str upstream_body_base(const struct request *request);
/* What is spoken with this endpoint when it serves this request. */
enum protocol upstream_protocol_of(const struct request *request, const struct provider_endpoint *endpoint);

/* stage_dispatch.c */
enum stage_result stage_dispatch(struct request *request);
/* Gives up the attempt under way, without a verdict on the endpoint. */
void dispatch_cancel(struct request *request);
/* After a failed attempt and before the first byte: starts another one when policy allows. Otherwise false. */
bool dispatch_retry(struct request *request, const struct provider_result *result);
/* The same after an error that was read to its end: another model may take what this one refused. */
bool dispatch_elsewhere(struct request *request, vsr_str error_body);

/* stage_relay.c, beside pipeline_upstream_*() */
void relay_drained(struct request *request);

/* stage_record.c: usage, cost, metrics, log; once per request */
void record_request(struct request *request, bool completed);

#endif
