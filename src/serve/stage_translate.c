/*
 * stage_translate - the request as Chat Completions, whatever protocol it came in.
 *
 * Signals, decisions and plugins know one protocol. A chat request is its own; the others are translated beside the
 * client's bytes, which stay for backends that speak the client's protocol.
 */
#include "core/arena.h"
#include "serve/responses.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "wire/completions_request.h"
#include "wire/messages_request.h"
#include "wire/messages_tokens.h"
#include "wire/sidecar.h"
#include "wire/warnings.h"

static enum stage_result keep(struct request *request, bool as_chat) {
    request->doc = request->client_doc;
    request->original_body = buf_str(&request->body);
    request->as_chat = as_chat;
    return STAGE_NEXT;
}

void request_note_warnings(struct request *request) {
    if (request->warnings)
        return;
    request->warnings = ARENA_NEW(request->arena, struct warnings);
    warnings_init(request->warnings, request->arena);
}

enum stage_result translate_done(struct request *request, int rc, struct vsr_err *err) {
    if (rc == 0)
        rc = json_parse(request->arena, buf_str(&request->translated), &request->doc, err);
    if (rc < 0) {
        request_refuse_body(request, err);
        return STAGE_FAIL;
    }
    request->original_body = buf_str(&request->translated);
    request->as_chat = true;
    return STAGE_NEXT;
}

static enum stage_result translate_messages(struct request *request) {
    struct vsr_err err = VSR_ERR_NONE;
    request_note_warnings(request);
    request->sidecar = ARENA_NEW(request->arena, struct sidecar);
    sidecar_init(request->sidecar, request->arena);
    return translate_done(request,
                          messages_to_chat(request->arena, &request->client_doc, request->sidecar, request->warnings,
                                           &request->translated, &err),
                          &err);
}

static enum stage_result translate_completions(struct request *request) {
    struct vsr_err err = VSR_ERR_NONE;
    return translate_done(request,
                          completions_to_chat(request->arena, &request->client_doc, &request->translated, &err), &err);
}

/* An estimate by the shape of the request and what this process has learned of texts; no backend is asked. */
static enum stage_result count_tokens(struct request *request) {
    double ratio = token_estimate_ratio(request->worker->token_estimate);
    struct vsr_err err = VSR_ERR_NONE;
    uint64_t tokens;
    if (messages_count_tokens(&request->client_doc, ratio, &tokens, &err) < 0) {
        request_refuse_body(request, &err);
        return STAGE_FAIL;
    }
    request->reply = (struct reply){
        .status = 200,
        .body = arena_printf(request->arena, "{\"input_tokens\":%llu}", (unsigned long long)tokens),
        .content_type = VSR_STR("application/json"),
    };
    return STAGE_REPLY;
}

enum stage_result stage_translate(struct request *request) {
    switch (request->endpoint) {
    case ENDPOINT_COUNT_TOKENS:
        return count_tokens(request);
    case ENDPOINT_MESSAGES:
        return translate_messages(request);
    case ENDPOINT_COMPLETIONS:
        return translate_completions(request);
    case ENDPOINT_RESPONSES:
        return responses_translate(request);
    case ENDPOINT_EMBEDDINGS:
    case ENDPOINT_IMAGES:
        return keep(request, false);
    default:
        return keep(request, true);
    }
}
