/*
 * stage_parse - the body as a JSON tape, and the facts that signals read.
 */
#include "core/arena.h"
#include "serve/stages.h"

/* Who asks is known before the body is; signals look for it among the facts. */
static int set_identity(struct request *request, struct vsr_err *err) {
    const struct identity *identity = &request->identity;
    request->team_id = identity->team;
    request->tenant_id = identity->tenant;
    return facts_set_identity(request->arena, &request->facts, identity->user, identity->groups_header, err);
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
        rc = set_identity(request, &err);
    if (rc < 0) {
        request_error(request, 400, TELEMETRY_REASON_parse_error, NULL,
                      arena_str(request->arena, str_from_c(err.text)));
        request->reply.param = arena_str(request->arena, str_from_c(err.where));
        return STAGE_FAIL;
    }
    return STAGE_NEXT;
}
