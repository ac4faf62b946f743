/*
 * stage_parse - the body as a JSON tape, and the facts that signals read.
 */
#include "core/arena.h"
#include "serve/stages.h"

/* Only a listener behind an authenticating proxy believes what the headers say. */
static int read_identity(struct request *request, struct vsr_err *err) {
    const struct config_authz_identity *identity = &request->snapshot->doc->global.services.authz.identity;
    if (!request->listener->trust_identity_headers)
        return 0;
    request->team_id = str_trim(request_single_field(request, VSR_STR("x-authz-team-id")));
    request->tenant_id = str_trim(request_single_field(request, VSR_STR("x-authz-tenant-id")));
    return facts_set_identity(request->arena, &request->facts, request_single_field(request, identity->user_id_header),
                              request_single_field(request, identity->user_groups_header), err);
}

enum stage_result stage_parse(struct request *request) {
    const struct facts_options options = {
        .structured_bytes_per_token = request->snapshot->doc->global.router.context_estimate.structured_bytes_per_token,
    };
    struct vsr_err err = VSR_ERR_NONE;
    int rc = json_parse(request->arena, buf_str(&request->body), &request->doc, &err);
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
    rc = facts_read_chat(request->arena, &request->doc, &options, &request->facts, &err);
    if (rc == 0)
        rc = read_identity(request, &err);
    if (rc < 0) {
        request_error(request, 400, TELEMETRY_REASON_parse_error, NULL,
                      arena_str(request->arena, str_from_c(err.text)));
        request->reply.param = arena_str(request->arena, str_from_c(err.where));
        return STAGE_FAIL;
    }
    return STAGE_NEXT;
}
