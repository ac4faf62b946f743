/*
 * stage_session - which conversation and which distributed trace the request belongs to.
 */
#include "core/arena.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "wire/session_id.h"
#include "wire/sidecar.h"

enum stage_result stage_session(struct request *request) {
    const struct http1_head *head = request->head;
    const struct session_id_input input = {
        .session_header = http1_field(head, VSR_STR("x-session-id")),
        .claude_header = request->client_protocol == PROTOCOL_MESSAGES
                             ? http1_field(head, VSR_STR("x-claude-code-session-id"))
                             : str_make(NULL, 0),
        .metadata_user = request->sidecar ? request->sidecar->user_id : str_make(NULL, 0),
        .user_id = request->facts.user_id,
        .request_id = request->request_id,
        .facts = &request->facts,
    };
    /* Responses know their conversation (gateway.md 13.4). */
    request->session_id =
        request->conversation_id.len > 0 ? request->conversation_id : session_id(request->arena, &input);
    return STAGE_NEXT;
}
