#include "wire/responses_object.h"

#include "core/json_write.h"
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

static void key(struct json_writer *w, const char *name) {
    json_write_key(w, str_from_c(name));
}

static void write_c(struct json_writer *w, const char *name, const char *text) {
    key(w, name);
    json_write_str(w, str_from_c(text));
}

static void write_str_or_null(struct json_writer *w, const char *name, vsr_str text) {
    key(w, name);
    if (text.len)
        json_write_str(w, text);
    else
        json_write_null(w);
}

/* What the client wrote, or what applies without it. */
static void write_echo(struct json_writer *w, const char *name, const struct response_meta *meta,
                       enum responses_member member, const char *otherwise) {
    vsr_str raw = responses_raw(meta->request, member);
    key(w, name);
    json_write_raw(w, raw.len ? raw : str_from_c(otherwise));
}

static void write_error(struct json_writer *w, const struct response_state *state) {
    key(w, "error");
    if (state->status != RESPONSE_STATUS_FAILED) {
        json_write_null(w);
        return;
    }
    json_write_begin_object(w);
    key(w, "code");
    json_write_str(w, state->error_code);
    key(w, "message");
    json_write_str(w, state->error_message);
    json_write_end(w);
}

static void write_incomplete(struct json_writer *w, const struct response_state *state) {
    key(w, "incomplete_details");
    if (!state->incomplete_reason) {
        json_write_null(w);
        return;
    }
    json_write_begin_object(w);
    write_c(w, "reason", state->incomplete_reason);
    json_write_end(w);
}

static void write_member(struct json_writer *w, const struct json_doc *doc, json_ref object, const char *name,
                         const char *otherwise) {
    json_ref ref = json_get(doc, object, str_from_c(name));
    key(w, name);
    json_write_raw(w, ref == JSON_NONE ? str_from_c(otherwise) : json_raw(doc, ref));
}

/* Both members are always there; others that the client wrote stay. */
static void write_reasoning(struct json_writer *w, const struct responses_request *request) {
    json_ref reasoning = request->members[RESPONSES_REASONING];
    key(w, "reasoning");
    json_write_begin_object(w);
    write_member(w, request->doc, reasoning, "effort", "null");
    write_member(w, request->doc, reasoning, "summary", "null");
    json_write_end(w);
}

static void write_text(struct json_writer *w, const struct responses_request *request) {
    json_ref text = request->members[RESPONSES_TEXT];
    json_ref verbosity = json_get(request->doc, text, VSR_STR("verbosity"));
    key(w, "text");
    json_write_begin_object(w);
    write_member(w, request->doc, text, "format", "{\"type\":\"text\"}");
    if (verbosity != JSON_NONE) {
        key(w, "verbosity");
        json_write_raw(w, json_raw(request->doc, verbosity));
    }
    json_write_end(w);
}

void response_usage_write(struct json_writer *w, const struct usage *usage) {
    json_write_begin_object(w);
    key(w, "input_tokens");
    json_write_i64(w, usage->prompt);
    key(w, "input_tokens_details");
    json_write_begin_object(w);
    key(w, "cached_tokens");
    json_write_i64(w, usage->cached);
    json_write_end(w);
    key(w, "output_tokens");
    json_write_i64(w, usage->completion);
    key(w, "output_tokens_details");
    json_write_begin_object(w);
    key(w, "reasoning_tokens");
    json_write_i64(w, usage->reasoning);
    json_write_end(w);
    key(w, "total_tokens");
    json_write_i64(w, usage->prompt + usage->completion);
    json_write_end(w);
}

static void write_conversation(struct json_writer *w, const struct response_meta *meta) {
    if (meta->conversation_id.len == 0)
        return;
    if (meta->request->members[RESPONSES_CONVERSATION] != JSON_NONE) {
        key(w, "conversation");
        json_write_begin_object(w);
        key(w, "id");
        json_write_str(w, meta->conversation_id);
        json_write_end(w);
    }
    key(w, "conversation_id");
    json_write_str(w, meta->conversation_id);
}

static void write_usage(struct json_writer *w, const struct response_state *state) {
    key(w, "usage");
    if (state->usage)
        response_usage_write(w, state->usage);
    else
        json_write_null(w);
}

void response_object_write(struct json_writer *w, const struct response_meta *meta,
                           const struct response_state *state) {
    json_write_begin_object(w);
    key(w, "id");
    json_write_str(w, meta->id);
    write_c(w, "object", "response");
    key(w, "created_at");
    json_write_i64(w, meta->created_s);
    write_c(w, "status", status_names[state->status]);
    key(w, "background");
    json_write_bool(w, meta->request->background);
    key(w, "completed_at");
    if (state->completed_s)
        json_write_i64(w, state->completed_s);
    else
        json_write_null(w);
    write_error(w, state);
    write_incomplete(w, state);
    write_echo(w, "instructions", meta, RESPONSES_INSTRUCTIONS, "null");
    write_echo(w, "max_output_tokens", meta, RESPONSES_MAX_OUTPUT_TOKENS, "null");
    write_echo(w, "max_tool_calls", meta, RESPONSES_MAX_TOOL_CALLS, "null");
    key(w, "model");
    json_write_str(w, meta->model);
    key(w, "output");
    json_write_raw(w, state->output.len ? state->output : VSR_STR("[]"));
    if (state->status == RESPONSE_STATUS_COMPLETED) {
        key(w, "output_text");
        json_write_str(w, state->output_text);
    }
    write_echo(w, "parallel_tool_calls", meta, RESPONSES_PARALLEL_TOOL_CALLS, "true");
    write_str_or_null(w, "previous_response_id", meta->previous_response_id);
    write_reasoning(w, meta->request);
    write_echo(w, "service_tier", meta, RESPONSES_SERVICE_TIER, "null");
    key(w, "store");
    json_write_bool(w, meta->stores);
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
