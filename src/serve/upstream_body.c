/*
 * upstream_body - the request's body as an endpoint is to get it.
 *
 * Between a client and a backend of one protocol the body goes out as the client wrote it, apart from edits: the
 * endpoint's name for the model, usage reporting on streams, the reasoning switch. Between two protocols it is written
 * anew from the request as chat. Both depend on the endpoint, so another endpoint starts again from what came in.
 */
#include "core/json_edit.h"
#include "serve/responses.h"
#include "serve/stages.h"
#include "wire/chat_edit.h"
#include "wire/chat_reasoning.h"
#include "wire/messages_edit.h"
#include "wire/messages_request.h"
#include "wire/responses_write.h"

/* Offered beside Chat Completions by the same servers, and nothing that anything is translated to. */
static bool is_sibling(enum protocol protocol) {
    return protocol == PROTOCOL_COMPLETIONS || protocol == PROTOCOL_EMBEDDINGS || protocol == PROTOCOL_IMAGES;
}

enum protocol upstream_protocol_of(const struct request *request, const struct provider_endpoint *endpoint) {
    enum protocol spoken = provider_endpoint_protocol(endpoint);
    return spoken == PROTOCOL_CHAT && is_sibling(request->client_protocol) ? request->client_protocol : spoken;
}

static vsr_str model_id(const struct request *request, const struct provider_endpoint *endpoint) {
    return provider_endpoint_model_id(request->target.model, endpoint, request->target.lora);
}

static int apply(struct request *request, struct json_edit *edit) {
    return json_edit_changed(edit) ? json_edit_apply(edit, &request->upstream_body) : 0;
}

static bool wants_usage(const struct request *request) {
    return request->facts.stream && !request->facts.include_usage_asked && !request->skip;
}

/* Only a decision says anything about reasoning; the client's own word stays otherwise. */
static bool reasoning_of(const struct request *request, const struct provider_endpoint *endpoint,
                         struct chat_reasoning *ret_reasoning) {
    if (!request->decision || !request->model_ref)
        return false;
    provider_endpoint_reasoning(request->target.model, endpoint, request->reasoning,
                                request->model_ref->reasoning_effort, ret_reasoning);
    return true;
}

static int write_chat(struct request *request, const struct provider_endpoint *endpoint, struct vsr_err *err) {
    struct json_edit *edit = json_edit_new(request->arena, &request->doc);
    struct chat_reasoning reasoning;
    int rc = chat_edit_model(request->arena, edit, &request->doc, model_id(request, endpoint), err);
    if (rc == 0 && wants_usage(request))
        rc = chat_edit_include_usage(edit, &request->doc, err);
    if (rc == 0 && reasoning_of(request, endpoint, &reasoning))
        rc = chat_reasoning_apply(request->arena, edit, &request->doc, &reasoning, err);
    return rc == 0 ? apply(request, edit) : rc;
}

static int edit_messages(struct request *request, const struct provider_endpoint *endpoint, struct vsr_err *err) {
    struct json_edit *edit = json_edit_new(request->arena, &request->client_doc);
    struct chat_reasoning reasoning;
    int rc = chat_edit_model(request->arena, edit, &request->client_doc, model_id(request, endpoint), err);
    if (rc == 0)
        rc = messages_edit_max_tokens(edit, &request->client_doc, err);
    if (rc == 0 && !request->skip)
        rc = messages_edit_unsigned_thinking(edit, &request->client_doc, err);
    if (rc == 0 && reasoning_of(request, endpoint, &reasoning))
        rc = messages_edit_reasoning(request->arena, edit, &request->client_doc, &reasoning, err);
    return rc == 0 ? apply(request, edit) : rc;
}

static int write_messages(struct request *request, const struct provider_endpoint *endpoint, struct vsr_err *err) {
    struct chat_reasoning reasoning;
    const struct messages_write options = {
        .model_id = model_id(request, endpoint),
        .stream = request->facts.stream,
        .reasoning = reasoning_of(request, endpoint, &reasoning) ? &reasoning : NULL,
    };
    request_note_warnings(request);
    return chat_to_messages(request->arena, &request->doc, &options, request->warnings, &request->upstream_body, err);
}

static int write_responses(struct request *request, const struct provider_endpoint *endpoint, struct vsr_err *err) {
    struct chat_reasoning reasoning;
    vsr_str effort = VSR_STR("");
    if (reasoning_of(request, endpoint, &reasoning) && reasoning.family != CHAT_FAMILY_NONE && reasoning.on)
        effort = reasoning.effort.len ? reasoning.effort : VSR_STR("medium");
    if (request->client_protocol == PROTOCOL_RESPONSES)
        return responses_body_write(request, model_id(request, endpoint), effort, err);
    request_note_warnings(request);
    return chat_to_responses(request->arena, &request->doc, model_id(request, endpoint), effort, request->warnings,
                             &request->upstream_body, err);
}

/* Completions, embeddings, images: of what is not chat only the name of the model is changed. */
static int write_sibling(struct request *request, const struct provider_endpoint *endpoint, struct vsr_err *err) {
    struct json_edit *edit = json_edit_new(request->arena, &request->client_doc);
    int rc = chat_edit_model(request->arena, edit, &request->client_doc, model_id(request, endpoint), err);
    if (rc == 0 && wants_usage(request) && request->client_protocol == PROTOCOL_COMPLETIONS)
        rc = chat_edit_include_usage(edit, &request->client_doc, err);
    return rc == 0 ? apply(request, edit) : rc;
}

static int unsupported(const struct request *request, struct vsr_err *err) {
    return err_set(err, VSR_E_UNAVAILABLE, "the backend of model \"%.*s\" speaks a protocol without %.*s",
                   VSR_FMT(request->selected_model), VSR_FMT(request->path));
}

int upstream_body_write(struct request *request, const struct provider_endpoint *endpoint, struct vsr_err *err) {
    enum protocol protocol = request->upstream_protocol;
    buf_reset(&request->upstream_body);
    if (protocol != request->client_protocol && is_sibling(request->client_protocol))
        return unsupported(request, err);
    switch (protocol) {
    case PROTOCOL_CHAT:
        return write_chat(request, endpoint, err);
    case PROTOCOL_MESSAGES:
        return request->client_protocol == PROTOCOL_MESSAGES ? edit_messages(request, endpoint, err)
                                                             : write_messages(request, endpoint, err);
    case PROTOCOL_COMPLETIONS:
    case PROTOCOL_EMBEDDINGS:
    case PROTOCOL_IMAGES:
        return write_sibling(request, endpoint, err);
    case PROTOCOL_RESPONSES:
        return write_responses(request, endpoint, err);
    default:
        return unsupported(request, err);
    }
}

vsr_str upstream_body_base(const struct request *request) {
    return request->upstream_protocol == PROTOCOL_CHAT ? request->original_body : buf_str(&request->body);
}
