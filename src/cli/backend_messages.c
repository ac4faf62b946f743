/*
 * backend_messages - Anthropic Messages: blocks, whole or as a stream of events that open, fill and close them.
 */
#include "cli/backend_messages_read.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"

static bool read_messages(struct arena *arena, const struct http1_head *head, vsr_str body,
                          struct backend_question *ret_question, struct backend_refusal *ret_refusal) {
    return backend_messages_read(arena, head, body, false, ret_question, ret_refusal);
}

/* ---- pieces */

static const char *stop_reason(const struct backend_answer *answer) {
    static const char *const reasons[] = {
        [BACKEND_FINISH_STOP] = "end_turn",         [BACKEND_FINISH_LENGTH] = "max_tokens",
        [BACKEND_FINISH_TOOL_CALLS] = "tool_use",   [BACKEND_FINISH_CONTENT_FILTER] = "refusal",
        [BACKEND_FINISH_REFUSAL] = "refusal",       [BACKEND_FINISH_STOP_SEQUENCE] = "stop_sequence",
        [BACKEND_FINISH_PAUSE_TURN] = "pause_turn",
    };
    return reasons[answer->finish];
}

/* `"stop_reason":...,"stop_sequence":...` */
static void write_stop(const struct backend_answer *answer, struct buf *out) {
    buf_printf(out, "\"stop_reason\":\"%s\",\"stop_sequence\":", stop_reason(answer));
    if (answer->finish == BACKEND_FINISH_STOP_SEQUENCE && answer->stop_sequence.len > 0)
        json_quote(out, answer->stop_sequence);
    else
        buf_append_c(out, "null");
}

/* Tokens that came from a cache or went into one are not among the input tokens. */
static void write_usage(const struct backend_answer *answer, uint64_t said, struct buf *out) {
    uint64_t input = answer->prompt_tokens - answer->cached_tokens - answer->cache_write_tokens;
    buf_printf(out,
               "\"usage\":{\"input_tokens\":%llu,\"cache_creation_input_tokens\":%llu,\"cache_read_input_tokens\":%llu,"
               "\"output_tokens\":%llu,\"service_tier\":\"standard\"}",
               (unsigned long long)input, (unsigned long long)answer->cache_write_tokens,
               (unsigned long long)answer->cached_tokens, (unsigned long long)said);
}

static void write_id(const struct backend_answer *answer, struct buf *out) {
    buf_printf(out, "\"id\":\"msg_%016llx\",\"type\":\"message\",\"role\":\"assistant\",\"model\":",
               (unsigned long long)answer->options.id);
    json_quote(out, answer->question->model);
}

static void write_tool_id(const struct backend_answer *answer, size_t part, struct buf *out) {
    buf_printf(out, "\"id\":\"toolu_%016llx%zu\",\"name\":", (unsigned long long)answer->options.id,
               backend_part_ordinal(answer, part));
    json_quote(out, answer->parts[part].name);
}

/* ---- whole */

static void write_block(struct arena *arena, const struct backend_answer *answer, size_t part, struct buf *out) {
    switch (answer->parts[part].kind) {
    case BACKEND_REDACTED:
        buf_append_c(out, "{\"type\":\"redacted_thinking\",\"data\":");
        backend_part_quote(answer, part, out);
        break;
    case BACKEND_THINKING:
        buf_append_c(out, "{\"type\":\"thinking\",\"thinking\":");
        backend_part_quote(answer, part, out);
        buf_append_c(out, ",\"signature\":");
        json_quote(out, backend_part_signature(arena, answer, part));
        break;
    case BACKEND_TEXT:
    case BACKEND_REFUSAL:
        buf_append_c(out, "{\"type\":\"text\",\"text\":");
        backend_part_quote(answer, part, out);
        break;
    case BACKEND_TOOL:
        buf_append_c(out, "{\"type\":\"tool_use\",");
        write_tool_id(answer, part, out);
        buf_append_c(out, ",\"input\":");
        backend_part_write(answer, part, out);
        break;
    }
    buf_append_char(out, '}');
}

static void write_message(struct arena *arena, struct backend_answer *answer, struct buf *out) {
    buf_append_char(out, '{');
    write_id(answer, out);
    buf_append_c(out, ",\"content\":[");
    for (size_t i = 0; i < answer->n_parts; i++) {
        buf_append_c(out, i ? "," : "");
        write_block(arena, answer, i, out);
    }
    buf_append_c(out, "],");
    write_stop(answer, out);
    buf_append_char(out, ',');
    write_usage(answer, answer->n_tokens, out);
    buf_append_char(out, '}');
}

/* ---- streaming */

static void event_begin(const char *type, struct buf *out) {
    buf_printf(out, "event: %s\ndata: {\"type\":\"%s\"", type, type);
}

static void event_end(struct buf *out) {
    buf_append_c(out, "}\n\n");
}

/* The head of the message, and the ping that the provider sends behind it. */
static void event_start(const struct backend_answer *answer, struct buf *out) {
    event_begin("message_start", out);
    buf_append_c(out, ",\"message\":{");
    write_id(answer, out);
    buf_append_c(out, ",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,");
    write_usage(answer, 1, out);
    buf_append_char(out, '}');
    event_end(out);
}

static void event_block(const struct backend_answer *answer, const struct backend_step *step, struct buf *out) {
    event_begin("content_block_start", out);
    buf_printf(out, ",\"index\":%zu,\"content_block\":{\"type\":", step->part);
    switch (answer->parts[step->part].kind) {
    case BACKEND_REDACTED:
        buf_append_c(out, "\"redacted_thinking\",\"data\":");
        backend_part_quote(answer, step->part, out);
        break;
    case BACKEND_THINKING:
        buf_append_c(out, "\"thinking\",\"thinking\":\"\",\"signature\":\"\"");
        break;
    case BACKEND_TEXT:
    case BACKEND_REFUSAL:
        buf_append_c(out, "\"text\",\"text\":\"\"");
        break;
    case BACKEND_TOOL:
        buf_append_c(out, "\"tool_use\",");
        write_tool_id(answer, step->part, out);
        buf_append_c(out, ",\"input\":{}");
        break;
    }
    buf_append_char(out, '}');
    event_end(out);
    if (step->part == 0) {
        event_begin("ping", out);
        event_end(out);
    }
}

static void event_delta(size_t part, const char *type, const char *member, vsr_str text, struct buf *out) {
    event_begin("content_block_delta", out);
    buf_printf(out, ",\"index\":%zu,\"delta\":{\"type\":\"%s\",\"%s\":", part, type, member);
    json_quote(out, text);
    buf_append_char(out, '}');
    event_end(out);
}

static void event_token(const struct backend_answer *answer, const struct backend_step *step, struct buf *out) {
    switch (answer->parts[step->part].kind) {
    case BACKEND_REDACTED:
        break;
    case BACKEND_THINKING:
        event_delta(step->part, "thinking_delta", "thinking", step->token, out);
        break;
    case BACKEND_TEXT:
    case BACKEND_REFUSAL:
        event_delta(step->part, "text_delta", "text", step->token, out);
        break;
    case BACKEND_TOOL:
        event_delta(step->part, "input_json_delta", "partial_json", step->token, out);
        break;
    }
}

static void event_block_end(struct arena *arena, const struct backend_answer *answer, const struct backend_step *step,
                            struct buf *out) {
    if (answer->parts[step->part].kind == BACKEND_THINKING)
        event_delta(step->part, "signature_delta", "signature", backend_part_signature(arena, answer, step->part), out);
    event_begin("content_block_stop", out);
    buf_printf(out, ",\"index\":%zu", step->part);
    event_end(out);
}

static void event_finish(const struct backend_answer *answer, struct buf *out) {
    event_begin("message_delta", out);
    buf_append_c(out, ",\"delta\":{");
    write_stop(answer, out);
    buf_append_c(out, "}");
    if (answer->options.behaviour.usage != USAGE_NONE) {
        buf_append_char(out, ',');
        write_usage(answer, answer->said, out);
    }
    event_end(out);
}

static void event_error(struct buf *out) {
    event_begin("error", out);
    buf_append_c(out, ",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}");
    event_end(out);
}

static void messages_event(struct arena *arena, struct backend_answer *answer, const struct backend_step *step,
                           struct buf *out) {
    switch (step->kind) {
    case BACKEND_STEP_BEGIN:
        event_start(answer, out);
        break;
    case BACKEND_STEP_PART:
        event_block(answer, step, out);
        break;
    case BACKEND_STEP_TOKEN:
        event_token(answer, step, out);
        break;
    case BACKEND_STEP_PART_END:
        event_block_end(arena, answer, step, out);
        break;
    case BACKEND_STEP_FINISH:
        event_finish(answer, out);
        break;
    case BACKEND_STEP_USAGE:
        break;
    case BACKEND_STEP_END:
        event_begin("message_stop", out);
        event_end(out);
        break;
    case BACKEND_STEP_ERROR:
        event_error(out);
        break;
    }
}

/* ---- errors */

static const char *error_type(int status) {
    switch (status) {
    case 401:
        return "authentication_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 413:
        return "request_too_large";
    case 429:
        return "rate_limit_error";
    case 504:
        return "timeout_error";
    case 529:
        return "overloaded_error";
    default:
        return status >= 400 && status < 500 ? "invalid_request_error" : "api_error";
    }
}

static void write_error(const struct backend_refusal *refusal, uint64_t id, struct buf *out) {
    buf_printf(out, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":",
               refusal->type ? refusal->type : error_type(refusal->status));
    json_quote(out, refusal->message);
    buf_printf(out, "},\"request_id\":\"req_%016llx\"}", (unsigned long long)id);
}

const struct backend_dialect backend_messages = {
    .read = read_messages,
    .whole = write_message,
    .event = messages_event,
    .error = write_error,
    .overloaded = 529,
    .redacts = true,
};
