#include "cli/backend_media.h"
#include "cli/backend_messages_read.h"
#include "cli/backend_request.h"
#include "cli/backend_store.h"
#include "core/arena.h"

enum { FAIL_STATUS = 500 };

static bool fails(struct backend_request *request) {
    const struct behaviour *behaviour = &request->behaviour;
    if (behaviour->fail_rate > 0)
        return backend_random(request->worker) < behaviour->fail_rate;
    return behaviour->status >= 400 || (behaviour->status > 0 && behaviour->status != 200);
}

static void answer_failure(struct backend_request *request) {
    int status = request->behaviour.status ? (int)request->behaviour.status : FAIL_STATUS;
    backend_reply_error(request, status,
                        status >= 400 ? VSR_STR("this backend was told to fail")
                                      : VSR_STR("this backend was told to answer so"));
}

/* Of a dialect that comes back to its answers. False: it goes on from one that is not there. */
static bool keep_response(struct backend_request *request, struct backend_refusal *ret_refusal) {
    struct backend_store *store = request->worker->backend->store;
    if (request->dialect != &backend_responses)
        return true;
    if (!backend_store_links(store, request->arena, &request->answer, ret_refusal))
        return false;
    if (request->answer.question->store)
        backend_store_put(store, request->arena, &request->answer, loop_now_ms(request->worker->loop),
                          request->behaviour.work);
    return true;
}

static void answer_question(struct backend_request *request) {
    const struct backend *backend = request->worker->backend;
    const struct backend_answer_options options = {
        .backend = backend->name,
        .id = request->id,
        .created_s = backend->created_s,
        .seed = backend->seed,
        .behaviour = request->behaviour,
        .no_thoughts = request->dialect->no_thoughts,
        .no_redacted = !request->dialect->redacts,
    };
    struct backend_question *question = ARENA_NEW(request->arena, struct backend_question);
    struct backend_refusal refusal = { 0 };
    if (!request->dialect->read(request->arena, request->head, buf_str(&request->body), question, &refusal)) {
        backend_reply_refusal(request, &refusal);
        return;
    }
    backend_answer_begin(request->arena, question, &options, &request->answer);
    if (!keep_response(request, &refusal)) {
        backend_reply_refusal(request, &refusal);
        return;
    }
    if (question->stream) {
        backend_stream_begin(request);
        return;
    }
    request->dialect->whole(request->arena, &request->answer, &request->out);
    backend_reply_json(request);
}

static bool count_tokens(struct backend_request *request, struct backend_refusal *ret_refusal) {
    struct backend_question *question = ARENA_NEW(request->arena, struct backend_question);
    if (!backend_messages_read(request->arena, request->head, buf_str(&request->body), true, question, ret_refusal))
        return false;
    buf_printf(&request->out, "{\"input_tokens\":%llu}", (unsigned long long)question->prompt_tokens);
    return true;
}

/* What is no conversation. */
static void answer_at_once(struct backend_request *request) {
    struct backend_refusal refusal = { 0 };
    vsr_str body = buf_str(&request->body);
    bool ok;
    if (request->kind == BACKEND_KIND_COUNT)
        ok = count_tokens(request, &refusal);
    else if (request->kind == BACKEND_KIND_EMBEDDINGS)
        ok = backend_embeddings(request->arena, body, &request->out, &refusal);
    else
        ok = backend_images(request->arena, body, request->worker->backend->created_s, &request->out, &refusal);
    if (ok)
        backend_reply_json(request);
    else
        backend_reply_refusal(request, &refusal);
}

void backend_model_answer(struct backend_request *request) {
    if (request->behaviour.overloaded)
        backend_reply_error(request, request->dialect->overloaded, VSR_STR("Overloaded"));
    else if (fails(request))
        answer_failure(request);
    else if (request->behaviour.garbage)
        backend_reply(request, 200, "application/json", VSR_STR("\x01\xfe<this is no answer>\r\n{\"choices\": ["));
    else if (request->kind == BACKEND_KIND_FIXED)
        backend_reply(request, 200, "application/json", request->worker->backend->fixed_body);
    else if (request->kind == BACKEND_KIND_ANSWER)
        answer_question(request);
    else
        answer_at_once(request);
}

void backend_model_begin(struct backend_request *request) {
    const struct behaviour *behaviour = &request->behaviour;
    if (request->bad_behaviour) {
        backend_reply_error(request, 400, str_from_c(request->err.text));
    } else if (behaviour->reset) {
        request->cut = true;
        exchange_abort(request->exchange);
    } else if (behaviour->hang) {
        return; /* the client's patience ends it */
    } else if (behaviour->stall > 0) {
        loop_timer_start(request->worker->loop, &request->timer, behaviour->stall, backend_request_resume, request);
    } else {
        backend_model_answer(request);
    }
}
