#include "serve/embeddings.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "model/builtin.h"
#include "nn/kernels.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "wire/embeddings.h"

enum {
    TURN_MS = 4,             /* of all requests together, then the loop gets its turn; a text begun is finished */
    BODY_LEN_MAX = 64 << 20, /* 2048 vectors of 1024 numbers, written out */
    VECTORS_LEN_MAX = 32 << 20,
};

struct embeddings {
    struct embeddings *prev, *next; /* in the worker's ring */
    struct request *request;        /* NULL: not in the ring */
    enum stage_result result;       /* of its last text */
    struct embeddings_request asked;
    const struct builtin_model *model;
    float *vectors; /* [asked.n][width] */
    size_t width, n_done;
    uint64_t n_tokens;
    bool is_admitted, is_paid, is_run;
};

/* ---- the ring of those that have texts left */

static void enter(struct request *request, struct embeddings *work) {
    struct embeddings *first = request->worker->embeddings;
    work->request = request;
    work->next = first ? first : work;
    work->prev = first ? first->prev : work;
    work->prev->next = work->next->prev = work;
    if (!first)
        request->worker->embeddings = work;
}

static void leave(struct embeddings *work) {
    struct worker *worker = work->request->worker;
    if (worker->embeddings == work)
        worker->embeddings = work->next == work ? NULL : work->next;
    work->prev->next = work->next;
    work->next->prev = work->prev;
    work->request = NULL;
    if (!worker->embeddings)
        loop_defer_cancel(&worker->embeddings_turn);
}

void embeddings_cancel(struct embeddings *work) {
    if (work && work->request)
        leave(work);
}

static enum stage_result refuse(struct request *request, const char *param, vsr_str message) {
    request_error(request, 400, TELEMETRY_REASON_parse_error, NULL, message);
    request->reply.param = str_from_c(param);
    return STAGE_FAIL;
}

static enum stage_result refuse_by(struct request *request, const struct vsr_err *err) {
    if (err->code != VSR_E_NOMEM && err->code != VSR_E_LIMIT)
        return refuse(request, arena_c_str(request->arena, str_from_c(err->where)),
                      arena_str(request->arena, str_from_c(err->text)));
    request_error(request, 413, TELEMETRY_REASON_parse_error, NULL, VSR_STR("the request asks for too much at once"));
    return STAGE_FAIL;
}

/* NULL in *ret, and no error: the name is none of ours. */
static enum stage_result find_model(struct request *request, const struct builtin_model **ret) {
    struct vsr_err err = VSR_ERR_NONE;
    *ret = NULL;
    if (!builtin_is(request->facts.model) || snapshot_resolve(request->snapshot, request->facts.model))
        return STAGE_NEXT;
    if (builtin_open(request->facts.model, ret, &err) < 0 || (*ret)->kind != BUILTIN_VECTOR) {
        request_model_unfit(request, request->facts.model, "the built-in model for embeddings is builtin/embedding");
        request->reply.param = VSR_STR("model");
        return STAGE_FAIL;
    }
    return STAGE_NEXT;
}

static enum stage_result begin(struct request *request, const struct builtin_model *model) {
    struct embeddings *work = ARENA_NEW(request->arena, struct embeddings);
    struct vsr_err err = VSR_ERR_NONE;
    if (embeddings_read(request->arena, &request->client_doc, &work->asked, &err) < 0)
        return refuse_by(request, &err);
    work->model = model;
    work->width = work->asked.dimensions ? work->asked.dimensions : model->width;
    if (work->width > model->width)
        return refuse(request, "dimensions",
                      arena_printf(request->arena, "dimensions must not be more than %zu for the model %.*s",
                                   model->width, VSR_FMT(model->name)));
    if (work->asked.n * work->width * sizeof(float) <= VECTORS_LEN_MAX)
        work->vectors = arena_try_alloc(request->arena, work->asked.n * work->width * sizeof(float));
    if (!work->vectors)
        return refuse_by(request, &(struct vsr_err){ .code = VSR_E_LIMIT });
    for (size_t i = 0; i < work->asked.n; i++)
        request->facts.text_bytes += work->asked.inputs[i].len;
    request->facts.token_floor_input = token_estimate_tokens(request->facts.text_bytes, 0);
    request->selected_model = model->name;
    request->embeddings = work;
    return STAGE_NEXT;
}

/* One text. */
static enum stage_result embed(struct request *request, struct embeddings *work) {
    struct worker *worker = request->worker;
    struct builtin_result result;
    struct vsr_err err = VSR_ERR_NONE;
    float *vector;
    int rc;
    if (!worker->embedder)
        worker->embedder = builtin_scratch_new();
    rc = builtin_run(worker->embedder, work->asked.inputs[work->n_done], &work->model, 1, &result, &err);
    if (rc == VSR_E_LIMIT)
        return refuse(request, "input",
                      arena_printf(request->arena, "input %zu is longer than the %d tokens that the model reads",
                                   work->n_done, (int)BUILTIN_TOKENS_MAX));
    if (rc < 0) {
        request_error(request, 503, TELEMETRY_REASON_overloaded, NULL, VSR_STR("the model has no memory left"));
        return STAGE_FAIL;
    }
    vector = work->vectors + work->n_done * work->width;
    if (work->width < work->model->width)
        kernel_normalize(result.numbers, vector, work->width);
    else
        memcpy(vector, result.numbers, work->width * sizeof(*vector)); /* of unit length, to the bit */
    work->n_tokens += builtin_tokens(worker->embedder).n;
    work->n_done++;
    return STAGE_NEXT;
}

/* One text of the request whose turn it is. */
static void step(struct worker *worker) {
    struct embeddings *work = worker->embeddings;
    struct request *request = work->request;
    worker->embeddings = work->next;
    work->result = embed(request, work);
    if (work->result == STAGE_NEXT && work->n_done < work->asked.n)
        return;
    leave(work);
    work->is_run = true;
    pipeline_resume(request); /* it may be gone then */
}

/* As many texts as fit, one of each request in turn: who asks for little does not wait for who asks for much. */
static void on_turn(void *data) {
    struct worker *worker = data;
    uint64_t end_ns = clock_mono_ns() + (uint64_t)TURN_MS * 1000000;
    do
        step(worker);
    while (worker->embeddings && clock_mono_ns() < end_ns);
    if (worker->embeddings)
        loop_defer(worker->loop, &worker->embeddings_turn, on_turn, worker);
}

static enum stage_result run(struct request *request, struct embeddings *work) {
    struct worker *worker = request->worker;
    if (work->is_run)
        return work->result;
    if (!work->request) {
        enter(request, work);
        if (!loop_task_queued(&worker->embeddings_turn))
            loop_defer(worker->loop, &worker->embeddings_turn, on_turn, worker);
    }
    return STAGE_WAIT;
}

static enum stage_result reply(struct request *request, const struct embeddings *work) {
    const struct embeddings_answer answer = { .model = work->model->name,
                                              .vectors = work->vectors,
                                              .n = work->asked.n,
                                              .width = work->width,
                                              .prompt_tokens = work->n_tokens,
                                              .base64 = work->asked.base64 };
    const struct usage usage = { .has = true, .prompt = (int64_t)work->n_tokens };
    struct buf text;
    char *copy;
    limit_request_ends(request, &usage, false);
    buf_init(&text, BODY_LEN_MAX);
    embeddings_write(&text, &answer);
    copy = buf_failed(&text) < 0 ? NULL : arena_try_alloc_raw(request->arena, text.len);
    if (copy)
        memcpy(copy, text.ptr, text.len);
    request->reply =
        (struct reply){ .status = 200, .body = str_make(copy, text.len), .content_type = VSR_STR("application/json") };
    buf_done(&text);
    return copy ? STAGE_REPLY : refuse_by(request, &(struct vsr_err){ .code = VSR_E_LIMIT });
}

enum stage_result stage_embeddings(struct request *request) {
    const struct builtin_model *model;
    enum stage_result result = STAGE_NEXT;
    if (request->endpoint != ENDPOINT_EMBEDDINGS)
        return STAGE_NEXT;
    if (!request->embeddings) {
        result = find_model(request, &model);
        if (result != STAGE_NEXT || !model)
            return result;
        result = begin(request, model);
    }
    if (result == STAGE_NEXT && !request->embeddings->is_admitted) {
        result = stage_admission(request);
        request->embeddings->is_admitted = result == STAGE_NEXT;
    }
    if (result == STAGE_NEXT && !request->embeddings->is_paid) {
        result = stage_budget(request);
        request->embeddings->is_paid = result == STAGE_NEXT;
    }
    if (result == STAGE_NEXT)
        result = run(request, request->embeddings);
    return result == STAGE_NEXT ? reply(request, request->embeddings) : result;
}
