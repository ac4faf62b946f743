/*
 * responses_object - the response object of the Responses API, with every key that it has (gateway.md 6.4).
 *
 * What the client asked for is repeated as it was written; what it left open is told as what applies. One function
 * writes it for answers, for the events of a stream and for the store, so that all three agree. Pure: any thread.
 */
#ifndef VSR_WIRE_RESPONSES_OBJECT_H
#define VSR_WIRE_RESPONSES_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct arena;
struct json_writer;
struct responses_request;
struct usage;

enum { RESPONSES_QUEUED_EVENTS = 2 }; /* response.created and response.queued, of what runs in the background */

/* What is fixed when the response gets its name. Outlives whoever writes it. */
struct response_meta {
    vsr_str id;
    int64_t created_s;
    vsr_str model;                           /* as the client knows it */
    vsr_str previous_response_id;            /* empty: none */
    vsr_str conversation_id;                 /* empty: none */
    const struct responses_request *request; /* what is repeated */
    bool stores;                             /* it can be asked for later */
    bool queued;                             /* its first events, RESPONSES_QUEUED_EVENTS of them, were told before */
    /*
     * Seals reasoning for a client that keeps it (`include: reasoning.encrypted_content`): 0 and a text in `arena`.
     * NULL: not asked for.
     */
    int (*seal)(void *user, struct arena *arena, vsr_str plain, vsr_str *ret_sealed);
    void *seal_user;
};

enum response_status {
    RESPONSE_STATUS_QUEUED,
    RESPONSE_STATUS_IN_PROGRESS,
    RESPONSE_STATUS_COMPLETED,
    RESPONSE_STATUS_INCOMPLETE,
    RESPONSE_STATUS_FAILED,
    RESPONSE_STATUS_CANCELLED,
};

const char *response_status_name(enum response_status status);

/* What changes until the end. */
struct response_state {
    enum response_status status;
    const char *incomplete_reason;     /* INCOMPLETE: `max_output_tokens` or `content_filter` */
    vsr_str error_code, error_message; /* FAILED */
    vsr_str output;                    /* raw JSON array; empty: [] */
    vsr_str output_text;               /* said only when COMPLETED */
    const struct usage *usage;         /* NULL: not known (yet) */
    int64_t completed_s;               /* 0: not completed */
};

void response_object_write(struct json_writer *w, const struct response_meta *meta, const struct response_state *state);

/* The `usage` object. */
void response_usage_write(struct json_writer *w, const struct usage *usage);

/* The `error.code` that clients of this API know, for a failure with that status and code (empty: by status). */
vsr_str response_error_code(int status, vsr_str code);

#endif
