#include "serve/request.h"

#include "core/arena.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "evidence/run.h"
#include "serve/embeddings.h"
#include "serve/image.h"
#include "serve/responses.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "wire/error_body.h"

/* Memory that survives from request to request. */
static struct request *request_make(size_t body_len_max) {
    struct request *request = MEM_NEW(struct request);
    request->arena = arena_new(REQUEST_CHUNK_LEN, 0);
    buf_init(&request->body, body_len_max);
    buf_init(&request->upstream_body, SIZE_MAX);
    buf_init(&request->hedge_body, SIZE_MAX);
    buf_init(&request->answer, ANSWER_COPY_LEN_MAX);
    buf_init(&request->translated, TRANSLATED_LEN_MAX);
    buf_init(&request->out, TRANSLATED_LEN_MAX);
    return request;
}

/*
 * What one client may make a request's arena hold. A tape has at most eight bytes per byte of text, but only for bodies
 * of nothing but tiny values; those are refused rather than paid for.
 */
static size_t arena_ceiling(size_t body_len_max) {
    return body_len_max > (SIZE_MAX - REQUEST_ARENA_SPARE) / 2 ? 0 : 2 * body_len_max + REQUEST_ARENA_SPARE;
}

static size_t body_len_max_of(const struct snapshot *snapshot) {
    int64_t max = snapshot->doc->global.router.streamed_body.max_bytes;
    return max > 0 ? (size_t)max : SIZE_MAX;
}

struct request *request_new(struct worker *worker, struct snapshot *snapshot, struct front front) {
    size_t body_len_max = body_len_max_of(snapshot);
    struct request *request = worker->free_requests;
    if (request) {
        worker->free_requests = request->next;
        worker->n_free_requests--;
        request->next = NULL;
        request->body.max = body_len_max;
    } else {
        request = request_make(body_len_max);
    }
    arena_set_ceiling(request->arena, arena_ceiling(body_len_max));
    request->worker = worker;
    request->front = front;
    request->snapshot = worker_use(worker, snapshot);
    metric_add(worker->telemetry->requests_active, 1);
    return request;
}

void request_overloaded(struct request *request, vsr_str message) {
    request_error(request, 503, TELEMETRY_REASON_overloaded, ERROR_CODE_OVERLOADED, message);
    request->reply.extra = (struct http1_field){ VSR_STR("retry-after"), VSR_STR("1") };
}

bool request_hold_bytes(struct request *request, size_t len) {
    struct worker *worker = request->worker;
    if (len > WORKER_BODY_BYTES_MAX - worker->body_bytes) {
        request_overloaded(request, VSR_STR("too many large requests are under way"));
        return false;
    }
    worker->body_bytes += len;
    request->body_counted += len;
    return true;
}

static void recycle_buf(struct buf *buf) {
    if (buf->cap > REQUEST_KEEP_LEN_MAX)
        buf_done(buf);
    buf_reset(buf);
}

static void request_destroy(struct request *request) {
    buf_done(&request->body);
    buf_done(&request->upstream_body);
    buf_done(&request->hedge_body);
    buf_done(&request->answer);
    buf_done(&request->translated);
    buf_done(&request->out);
    arena_free(request->arena);
    mem_free(request);
}

/* Everything but the memory back to zero. */
static void request_clear(struct request *request) {
    struct request kept = { .arena = request->arena,
                            .body = request->body,
                            .upstream_body = request->upstream_body,
                            .hedge_body = request->hedge_body,
                            .answer = request->answer,
                            .translated = request->translated,
                            .out = request->out };
    arena_reset(kept.arena);
    recycle_buf(&kept.body);
    recycle_buf(&kept.upstream_body);
    recycle_buf(&kept.hedge_body);
    recycle_buf(&kept.answer);
    recycle_buf(&kept.translated);
    recycle_buf(&kept.out);
    *request = kept;
}

void request_free(struct request *request) {
    struct worker *worker = request->worker;
    loop_defer_cancel(&request->begin);
    embeddings_cancel(request->embeddings);
    images_cancel(request->images);
    admission_leave(&request->place);
    limit_refund(worker->limits, &request->beside);
    limit_refund(worker->limits, &request->ticket); /* settled, unless nobody recorded the request */
    evidence_run_cancel(request->evidence);
    dispatch_cancel(request);
    responses_free(request);
    if (request->call_begun)
        provider_call_end(&request->call, loop_now_ms(worker->loop));
    if (request->relay_begun)
        chat_relay_done(&request->relay);
    if (request->events_begun)
        event_relay_done(&request->events);
    translated_reset(request);
    worker->body_bytes -= request->body_counted;
    worker_unuse(worker, request->snapshot);
    metric_add(worker->telemetry->requests_active, -1);
    request_clear(request);
    if (worker->n_free_requests >= WORKER_FREE_REQUESTS_MAX) {
        request_destroy(request);
        return;
    }
    request->next = worker->free_requests;
    worker->free_requests = request;
    worker->n_free_requests++;
}

void request_pool_free(struct worker *worker) {
    while (worker->free_requests) {
        struct request *request = worker->free_requests;
        worker->free_requests = request->next;
        request_destroy(request);
    }
    worker->n_free_requests = 0;
}

const struct http1_head *request_copy_head(struct request *request, const struct http1_head *head) {
    struct arena *arena = request->arena;
    struct http1_head *copy = ARENA_NEW(arena, struct http1_head);
    *copy = *head;
    copy->method = arena_str(arena, head->method);
    copy->target = arena_str(arena, head->target);
    copy->reason = arena_str(arena, head->reason);
    copy->fields = ARENA_ARRAY(arena, struct http1_field, head->n_fields);
    for (size_t i = 0; i < head->n_fields; i++)
        copy->fields[i] =
            (struct http1_field){ arena_str(arena, head->fields[i].name), arena_str(arena, head->fields[i].value) };
    return copy;
}

vsr_str request_single_field(const struct request *request, vsr_str name) {
    const struct http1_head *head = request->head;
    vsr_str value = { NULL, 0 };
    for (size_t i = 0; i < head->n_fields; i++) {
        if (!str_eq_nocase(head->fields[i].name, name))
            continue;
        if (value.ptr)
            return (vsr_str){ NULL, 0 };
        value = head->fields[i].value;
    }
    return value;
}

void request_add_field(struct request *request, vsr_str name, vsr_str value) {
    size_t i = 0;
    while (i < request->n_fields && !str_eq_nocase(request->fields[i].name, name))
        i++;
    if (i == REQUEST_FIELDS_MAX)
        return;
    request->fields[i] = (struct http1_field){ name, value };
    if (i == request->n_fields)
        request->n_fields++;
}

void request_model_unknown(struct request *request, vsr_str name) {
    vsr_str shown = utf8_cut(name, REQUEST_SUGGEST_LEN_MAX);
    request_error(request, 404, TELEMETRY_REASON_model_not_found, ERROR_CODE_MODEL_NOT_FOUND,
                  arena_printf(request->arena, "model \"%.*s\" is not available%.*s", VSR_FMT(shown),
                               VSR_FMT(snapshot_suggest(request->snapshot, request->arena, shown, true))));
}

void request_model_unfit(struct request *request, vsr_str name, const char *why) {
    request_error(request, 404, TELEMETRY_REASON_model_not_found, ERROR_CODE_MODEL_NOT_FOUND,
                  arena_printf(request->arena, "model \"%.*s\" is not available here: %s",
                               VSR_FMT(utf8_cut(name, REQUEST_SUGGEST_LEN_MAX)), why));
}

void request_refuse_body(struct request *request, const struct vsr_err *err) {
    bool too_complex = err->code == VSR_E_NOMEM || err->code == VSR_E_LIMIT;
    request_error(request, too_complex ? 413 : 400, TELEMETRY_REASON_parse_error, NULL,
                  too_complex ? VSR_STR("the request body is too complex")
                              : arena_str(request->arena, str_from_c(err->text)));
    request->reply.param = arena_str(request->arena, str_from_c(err->where));
}

void request_error(struct request *request, int status, enum telemetry_reason reason, const char *code,
                   vsr_str message) {
    request->reply = (struct reply){ .status = status, .reason = reason, .code = code, .message = message };
}
