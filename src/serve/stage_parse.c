/*
 * stage_parse - the body as a JSON tape, and the facts that signals read.
 */
#include "core/arena.h"
#include "serve/stages.h"

/* The only field of that name, or nothing: with two of them, one may be what the client made up. */
static vsr_str single_field(const struct http1_head *head, vsr_str name) {
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

/* Only a listener behind an authenticating proxy believes what the headers say. */
static int read_identity(struct request *request, struct vsr_err *err) {
    const struct config_authz_identity *identity = &request->snapshot->doc->global.services.authz.identity;
    if (!request->listener->trust_identity_headers)
        return 0;
    return facts_set_identity(request->arena, &request->facts, single_field(request->head, identity->user_id_header),
                              single_field(request->head, identity->user_groups_header), err);
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
