/*
 * stage_parse - the body as a JSON tape; later, of the request as chat, the facts that signals read.
 */
#include "core/arena.h"
#include "serve/stages.h"

enum stage_result stage_parse(struct request *request) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = json_parse(request->arena, buf_str(&request->body), &request->client_doc, &err);
    if (rc == VSR_E_NOMEM) {
        request_error(request, 413, TELEMETRY_REASON_parse_error, NULL, VSR_STR("the request body is too complex"));
        return STAGE_FAIL;
    }
    if (rc < 0) {
        request_error(request, 400, TELEMETRY_REASON_parse_error, NULL,
                      arena_printf(request->arena, "malformed JSON body: %s (line %u, column %u)", err.text, err.line,
                                   err.col));
        return STAGE_FAIL;
    }
    if (!json_is(&request->client_doc, 0, JSON_OBJECT)) {
        request_error(request, 400, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("the request body must be a JSON object"));
        return STAGE_FAIL;
    }
    return STAGE_NEXT;
}

/* Who asks is known before the body is; signals look for it among the facts. */
static int set_identity(struct request *request, struct vsr_err *err) {
    const struct identity *identity = &request->identity;
    request->team_id = identity->team;
    request->tenant_id = identity->tenant;
    return facts_set_identity(request->arena, &request->facts, identity->user, identity->groups_header, err);
}

/* Of what is not routed only the model's name counts. */
static int read_model(struct request *request, struct vsr_err *err) {
    json_ref model = json_get(&request->doc, 0, VSR_STR("model"));
    vsr_str name;
    if (!json_is(&request->doc, model, JSON_STRING)) {
        err_at(err, VSR_STR("model"), 0, 0);
        return err_set(err, VSR_E_INVALID, "model field is required");
    }
    if (!json_str(request->arena, &request->doc, model, &name))
        return err_set(err, VSR_E_NOMEM, "no memory for the name of a model");
    request->facts.model = str_trim(name);
    return 0;
}

enum stage_result stage_facts(struct request *request) {
    const struct facts_options options = {
        .structured_bytes_per_token = request->snapshot->doc->global.router.context_estimate.structured_bytes_per_token,
    };
    struct vsr_err err = VSR_ERR_NONE;
    int rc = request->as_chat ? facts_read_chat(request->arena, &request->doc, &options, &request->facts, &err)
                              : read_model(request, &err);
    if (rc == 0)
        rc = set_identity(request, &err);
    if (rc < 0) {
        request_refuse_body(request, &err);
        return STAGE_FAIL;
    }
    return STAGE_NEXT;
}
