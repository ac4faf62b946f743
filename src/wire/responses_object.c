#include "wire/responses_object.h"

#include "core/json_write.h"
#include "wire/member_write.h"
#include "wire/responses_request.h"
#include "wire/usage.h"

static const char *const status_names[] = {
    [RESPONSE_STATUS_QUEUED] = "queued",       [RESPONSE_STATUS_IN_PROGRESS] = "in_progress",
    [RESPONSE_STATUS_COMPLETED] = "completed", [RESPONSE_STATUS_INCOMPLETE] = "incomplete",
    [RESPONSE_STATUS_FAILED] = "failed",       [RESPONSE_STATUS_CANCELLED] = "cancelled",
};

const char *response_status_name(enum response_status status) {
    return status_names[status];
}

static void write_str_or_null(struct json_writer *w, const char *name, vsr_str text) {
    member_key(w, name);
    if (text.len)
        json_write_str(w, text);
    else
        json_write_null(w);
}

/* What the client wrote, or what applies without it. */
static void write_echo(struct json_writer *w, const char *name, const struct response_meta *meta,
                       enum responses_member member, const char *otherwise) {
    vsr_str raw = responses_raw(meta->request, member);
    member_key(w, name);
    json_write_raw(w, raw.len ? raw : str_from_c(otherwise));
}

static void write_error(struct json_writer *w, const struct response_state *state) {
    member_key(w, "error");
    if (state->status != RESPONSE_STATUS_FAILED) {
        json_write_null(w);
        return;
    }
    json_write_begin_object(w);
    member_str(w, "code", state->error_code);
    member_str(w, "message", state->error_message);
    json_write_end(w);
}

static void write_incomplete(struct json_writer *w, const struct response_state *state) {
    member_key(w, "incomplete_details");
    if (!state->incomplete_reason) {
        json_write_null(w);
        return;
    }
    json_write_begin_object(w);
    member_str(w, "reason", str_from_c(state->incomplete_reason));
    json_write_end(w);
}

static void write_member(struct json_writer *w, const struct json_doc *doc, json_ref object, const char *name,
                         const char *otherwise) {
    json_ref ref = json_get(doc, object, str_from_c(name));
    member_key(w, name);
    json_write_raw(w, ref == JSON_NONE ? str_from_c(otherwise) : json_raw(doc, ref));
}

/* Both members are always there; others that the client wrote stay. */
static void write_reasoning(struct json_writer *w, const struct responses_request *request) {
    json_ref reasoning = request->members[RESPONSES_REASONING];
    member_key(w, "reasoning");
    json_write_begin_object(w);
    write_member(w, request->doc, reasoning, "effort", "null");
    write_member(w, request->doc, reasoning, "summary", "null");
    json_write_end(w);
}

static void write_text(struct json_writer *w, const struct responses_request *request) {
    json_ref text = request->members[RESPONSES_TEXT];
    json_ref verbosity = json_get(request->doc, text, VSR_STR("verbosity"));
    member_key(w, "text");
    json_write_begin_object(w);
    write_member(w, request->doc, text, "format", "{\"type\":\"text\"}");
    if (verbosity != JSON_NONE) {
        member_raw(w, "verbosity", json_raw(request->doc, verbosity));
    }
    json_write_end(w);
}

void response_usage_write(struct json_writer *w, const struct usage *usage) {
    json_write_begin_object(w);
    member_i64(w, "input_tokens", usage->prompt);
    member_key(w, "input_tokens_details");
    json_write_begin_object(w);
    member_i64(w, "cached_tokens", usage->cached);
    json_write_end(w);
    member_i64(w, "output_tokens", usage->completion);
    member_key(w, "output_tokens_details");
    json_write_begin_object(w);
    member_i64(w, "reasoning_tokens", usage->reasoning);
    json_write_end(w);
    member_i64(w, "total_tokens", usage->prompt + usage->completion);
    json_write_end(w);
}

static void write_conversation(struct json_writer *w, const struct response_meta *meta) {
    if (meta->conversation_id.len == 0)
        return;
    if (meta->request->members[RESPONSES_CONVERSATION] != JSON_NONE) {
        member_key(w, "conversation");
        json_write_begin_object(w);
        member_str(w, "id", meta->conversation_id);
        json_write_end(w);
    }
    member_str(w, "conversation_id", meta->conversation_id);
}

static void write_usage(struct json_writer *w, const struct response_state *state) {
    member_key(w, "usage");
    if (state->usage)
        response_usage_write(w, state->usage);
    else
        json_write_null(w);
}

void response_object_write(struct json_writer *w, const struct response_meta *meta,
                           const struct response_state *state) {
    json_write_begin_object(w);
    member_str(w, "id", meta->id);
    member_str(w, "object", VSR_STR("response"));
    member_i64(w, "created_at", meta->created_s);
    member_str(w, "status", str_from_c(status_names[state->status]));
    member_bool(w, "background", meta->request->background);
    member_key(w, "completed_at");
    if (state->completed_s)
        json_write_i64(w, state->completed_s);
    else
        json_write_null(w);
    write_error(w, state);
    write_incomplete(w, state);
    write_echo(w, "instructions", meta, RESPONSES_INSTRUCTIONS, "null");
    write_echo(w, "max_output_tokens", meta, RESPONSES_MAX_OUTPUT_TOKENS, "null");
    write_echo(w, "max_tool_calls", meta, RESPONSES_MAX_TOOL_CALLS, "null");
    member_str(w, "model", meta->model);
    member_raw(w, "output", state->output.len ? state->output : VSR_STR("[]"));
    if (state->status == RESPONSE_STATUS_COMPLETED) {
        member_str(w, "output_text", state->output_text);
    }
    write_echo(w, "parallel_tool_calls", meta, RESPONSES_PARALLEL_TOOL_CALLS, "true");
    write_str_or_null(w, "previous_response_id", meta->previous_response_id);
    write_reasoning(w, meta->request);
    write_echo(w, "service_tier", meta, RESPONSES_SERVICE_TIER, "null");
    member_bool(w, "store", meta->stores);
    write_echo(w, "temperature", meta, RESPONSES_TEMPERATURE, "1.0");
    write_text(w, meta->request);
    write_echo(w, "tool_choice", meta, RESPONSES_TOOL_CHOICE, "\"auto\"");
    write_echo(w, "tools", meta, RESPONSES_TOOLS, "[]");
    write_echo(w, "top_logprobs", meta, RESPONSES_TOP_LOGPROBS, "0");
    write_echo(w, "top_p", meta, RESPONSES_TOP_P, "1.0");
    write_echo(w, "truncation", meta, RESPONSES_TRUNCATION, "\"disabled\"");
    write_usage(w, state);
    write_echo(w, "user", meta, RESPONSES_USER, "null");
    write_echo(w, "metadata", meta, RESPONSES_METADATA, "{}");
    write_conversation(w, meta);
    json_write_end(w);
}

vsr_str response_error_code(int status, vsr_str code) {
    if (status == 429)
        return VSR_STR("rate_limit_exceeded");
    return code.len ? code : VSR_STR("server_error");
}
