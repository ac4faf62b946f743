/*
 * error_body - errors as clients expect them (gateway.md 7.4, 12.7).
 *
 *     {"error":{"message":"...","type":"not_found_error","param":null,"code":"model_not_found","status":404}}
 *
 * and for clients of Anthropic Messages
 *
 *     {"type":"error","error":{"type":"not_found_error","message":"..."}}
 *
 * Type and code follow from the status unless the caller knows better. Any thread.
 */
#ifndef VSR_WIRE_ERROR_BODY_H
#define VSR_WIRE_ERROR_BODY_H

#include "core/str.h"
#include "wire/protocol.h"

struct buf;

#define ERROR_CODE_MODEL_NOT_FOUND "model_not_found"
#define ERROR_CODE_NO_BACKEND "no_backend"
#define ERROR_CODE_OVERLOADED "overloaded"
#define ERROR_CODE_CONTENT_POLICY "content_policy_violation"

struct error_body {
    int status;
    vsr_str message;
    const char *type;       /* NULL: by status */
    const char *code;       /* NULL: by status, which may be none (null) */
    vsr_str param;          /* JSON path of what was wrong; empty: null */
    enum protocol protocol; /* of the client; all but PROTOCOL_MESSAGES have OpenAI's shape */
};

/* By status class, never NULL. */
const char *error_type(int status);
/* The same in Anthropic's words. */
const char *error_type_messages(int status);
/* NULL where the status alone says nothing more: a 404 is ERROR_CODE_MODEL_NOT_FOUND only when the caller says so. */
const char *error_code(int status);

/* Appends the JSON object. Failure is the buffer's sticky error. */
void error_body_write(struct buf *out, const struct error_body *error);

/* Appends the same as one server-sent event, for a stream that has begun: `data: {...}` and a blank line; `event:
 * error` comes first on PROTOCOL_MESSAGES. */
void error_event_write(struct buf *out, const struct error_body *error);

#endif
