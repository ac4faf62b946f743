/*
 * backend_responses - the Responses API: one object, whole or grown by a stream of numbered events.
 */
#ifndef VSR_CLI_BACKEND_RESPONSES_H
#define VSR_CLI_BACKEND_RESPONSES_H

#include "cli/backend_dialect.h"

#define BACKEND_SEAL "gAAAAA" /* how sealed thoughts begin */

enum backend_response_status {
    BACKEND_RESPONSE_QUEUED,
    BACKEND_RESPONSE_IN_PROGRESS,
    BACKEND_RESPONSE_DONE, /* completed, incomplete or failed, as the answer says */
    BACKEND_RESPONSE_CANCELLED,
};

/* As struct backend_dialect's read. */
bool backend_responses_read(struct arena *arena, const struct http1_head *head, vsr_str body,
                            struct backend_question *ret_question, struct backend_refusal *ret_refusal);

/* Appends the response as it looks in that state. */
void backend_responses_object(struct arena *arena, const struct backend_answer *answer,
                              enum backend_response_status status, struct buf *out);

/* Appends the id of an answer's response. */
void backend_responses_id(uint64_t id, struct buf *out);

#endif
