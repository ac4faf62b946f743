#include "cli/backend_responses.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"

/* ---- pieces */

static const char *status_of(const struct backend_answer *answer, enum backend_response_status status) {
    switch (status) {
    case BACKEND_RESPONSE_QUEUED:
        return "queued";
    case BACKEND_RESPONSE_IN_PROGRESS:
        return "in_progress";
    case BACKEND_RESPONSE_CANCELLED:
        return "cancelled";
    case BACKEND_RESPONSE_DONE:
        break;
    }
    if (answer->options.behaviour.error_event <= answer->n_tokens)
        return "failed";
    return answer->finish == BACKEND_FINISH_LENGTH || answer->finish == BACKEND_FINISH_CONTENT_FILTER ? "incomplete"
                                                                                                      : "completed";
}

void backend_responses_id(uint64_t id, struct buf *out) {
    buf_printf(out, "resp_%024llx", (unsigned long long)id);
}

static void write_item_id(const struct backend_answer *answer, size_t part, struct buf *out) {
    static const char *const prefixes[] = {
        [BACKEND_THINKING] = "rs", [BACKEND_TEXT] = "msg", [BACKEND_REFUSAL] = "msg", [BACKEND_TOOL] = "fc"
    };
    buf_printf(out, "\"%s_%022llx%02zx\"", prefixes[answer->parts[part].kind], (unsigned long long)answer->options.id,
               part);
}

/* Whether thoughts are told as they are, as open models do, and not summed up or kept back. */
static bool tells_thoughts(const struct backend_answer *answer) {
    return answer->options.behaviour.thinking > 0 && !answer->question->summary;
}

static vsr_str seal(struct arena *arena, const struct backend_answer *answer, size_t part) {
    vsr_str signature = backend_part_signature(arena, answer, part);
    return arena_printf(arena, BACKEND_SEAL "%.*s", VSR_FMT(signature));
}

/* `full`: with its words; else as it begins. */
static void write_reasoning(struct arena *arena, const struct backend_answer *answer, size_t part, bool full,
                            struct buf *out) {
    buf_append_c(out, ",\"type\":\"reasoning\",\"summary\":[");
    if (full && answer->question->summary) {
        buf_append_c(out, "{\"type\":\"summary_text\",\"text\":");
        backend_part_quote(answer, part, out);
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
    if (tells_thoughts(answer)) {
        buf_append_c(out, ",\"content\":[");
        if (full) {
            buf_append_c(out, "{\"type\":\"reasoning_text\",\"text\":");
            backend_part_quote(answer, part, out);
            buf_append_char(out, '}');
        }
        buf_append_char(out, ']');
    }
    if (answer->question->encrypted) {
        buf_append_c(out, ",\"encrypted_content\":");
        json_quote(out, seal(arena, answer, part));
    }
}

/* A part of a message's content; `full`: with its words. */
static void write_content(const struct backend_answer *answer, size_t part, bool full, struct buf *out) {
    bool refusal = answer->parts[part].kind == BACKEND_REFUSAL;
    buf_append_c(out, refusal ? "{\"type\":\"refusal\",\"refusal\":" : "{\"type\":\"output_text\",\"text\":");
    if (full)
        backend_part_quote(answer, part, out);
    else
        buf_append_c(out, "\"\"");
    buf_append_c(out, refusal ? "}" : ",\"annotations\":[],\"logprobs\":[]}");
}

static void write_call_id(const struct backend_answer *answer, size_t part, struct buf *out) {
    buf_printf(out, ",\"call_id\":\"call_%016llx%zx\",\"name\":", (unsigned long long)answer->options.id, part);
    json_quote(out, answer->parts[part].name);
}

static void write_item(struct arena *arena, const struct backend_answer *answer, size_t part, bool full,
                       struct buf *out) {
    const char *status = full ? "completed" : "in_progress";
    buf_append_c(out, "{\"id\":");
    write_item_id(answer, part, out);
    switch (answer->parts[part].kind) {
    case BACKEND_REDACTED: /* not in this protocol */
    case BACKEND_THINKING:
        write_reasoning(arena, answer, part, full, out);
        break;
    case BACKEND_TEXT:
    case BACKEND_REFUSAL:
        buf_printf(out, ",\"type\":\"message\",\"status\":\"%s\",\"role\":\"assistant\",\"content\":[", status);
        if (full)
            write_content(answer, part, true, out);
        buf_append_char(out, ']');
        break;
    case BACKEND_TOOL:
        buf_printf(out, ",\"type\":\"function_call\",\"status\":\"%s\"", status);
        write_call_id(answer, part, out);
        buf_append_c(out, ",\"arguments\":");
        if (full)
            backend_part_quote(answer, part, out);
        else
            buf_append_c(out, "\"\"");
        break;
    }
    buf_append_char(out, '}');
}

static void write_usage(const struct backend_answer *answer, struct buf *out) {
    buf_printf(out,
               "{\"input_tokens\":%llu,\"input_tokens_details\":{\"cached_tokens\":%llu},\"output_tokens\":%llu,"
               "\"output_tokens_details\":{\"reasoning_tokens\":%llu},\"total_tokens\":%llu}",
               (unsigned long long)answer->prompt_tokens, (unsigned long long)answer->cached_tokens,
               (unsigned long long)answer->n_tokens, (unsigned long long)answer->thinking_tokens,
               (unsigned long long)answer->prompt_tokens + answer->n_tokens);
}

/* Without the white space between its tokens: an event is one line. */
static void write_compact(vsr_str raw, struct buf *out) {
    bool quoted = false;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (quoted && c == '\\' && i + 1 < raw.len) {
            buf_append(out, str_sub(raw, i, i + 2));
            i++;
            continue;
        }
        if (c == '"')
            quoted = !quoted;
        if (quoted || (c != ' ' && c != '\t' && c != '\n' && c != '\r'))
            buf_append_char(out, c);
    }
}

/* The request's parameters as it sent them, or what holds without. */
static void write_parameters(const struct backend_answer *answer, struct buf *out) {
    static const struct {
        const char *name, *otherwise;
    } parameters[] = {
        { "instructions", "null" },
        { "max_output_tokens", "null" },
        { "parallel_tool_calls", "true" },
        { "previous_response_id", "null" },
        { "reasoning", "{\"effort\":null,\"summary\":null}" },
        { "store", "true" },
        { "temperature", "1.0" },
        { "text", "{\"format\":{\"type\":\"text\"}}" },
        { "tool_choice", "\"auto\"" },
        { "tools", "[]" },
        { "top_p", "1.0" },
        { "truncation", "\"disabled\"" },
        { "user", "null" },
        { "metadata", "{}" },
        { "background", "false" },
    };
    const struct json_doc *doc = &answer->question->doc;
    for (size_t i = 0; i < VSR_COUNT(parameters); i++) {
        json_ref given = json_get(doc, 0, str_from_c(parameters[i].name));
        buf_printf(out, ",\"%s\":", parameters[i].name);
        if (given != JSON_NONE)
            write_compact(json_raw(doc, given), out);
        else
            buf_append_c(out, parameters[i].otherwise);
    }
}

/* ---- the object */

void backend_responses_object(struct arena *arena, const struct backend_answer *answer,
                              enum backend_response_status status, struct buf *out) {
    const char *shown = status_of(answer, status);
    bool done = status == BACKEND_RESPONSE_DONE, failed = done && strcmp(shown, "failed") == 0;
    buf_append_c(out, "{\"id\":\"");
    backend_responses_id(answer->options.id, out);
    buf_printf(out, "\",\"object\":\"response\",\"created_at\":%llu,\"status\":\"%s\",\"error\":%s",
               (unsigned long long)answer->options.created_s, shown,
               failed ? "{\"code\":\"server_error\",\"message\":\"The model failed to answer.\"}" : "null");
    buf_append_c(out, ",\"incomplete_details\":");
    if (done && strcmp(shown, "incomplete") == 0)
        buf_printf(out, "{\"reason\":\"%s\"}",
                   answer->finish == BACKEND_FINISH_LENGTH ? "max_output_tokens" : "content_filter");
    else
        buf_append_c(out, "null");
    buf_append_c(out, ",\"model\":");
    json_quote(out, answer->question->model);
    buf_append_c(out, ",\"output\":[");
    for (size_t i = 0; done && !failed && i < answer->n_parts; i++) {
        buf_append_c(out, i ? "," : "");
        write_item(arena, answer, i, true, out);
    }
    buf_append_char(out, ']');
    write_parameters(answer, out);
    buf_append_c(out, ",\"usage\":");
    if (done && !failed && answer->options.behaviour.usage != USAGE_NONE)
        write_usage(answer, out);
    else
        buf_append_c(out, "null");
    buf_append_char(out, '}');
}

/* In the background a response is only begun. */
static void write_response(struct arena *arena, struct backend_answer *answer, struct buf *out) {
    backend_responses_object(arena, answer,
                             answer->question->background ? BACKEND_RESPONSE_QUEUED : BACKEND_RESPONSE_DONE, out);
}

/* ---- streaming */

static void event_begin(struct backend_answer *answer, const char *type, struct buf *out) {
    buf_printf(out, "event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":%llu", type, type,
               (unsigned long long)answer->n_events++);
}

static void event_end(struct buf *out) {
    buf_append_c(out, "}\n\n");
}

static void event_life(struct arena *arena, struct backend_answer *answer, const char *type,
                       enum backend_response_status status, struct buf *out) {
    event_begin(answer, type, out);
    buf_append_c(out, ",\"response\":");
    backend_responses_object(arena, answer, status, out);
    event_end(out);
}

static void event_item(struct arena *arena, struct backend_answer *answer, size_t part, bool done, struct buf *out) {
    event_begin(answer, done ? "response.output_item.done" : "response.output_item.added", out);
    buf_printf(out, ",\"output_index\":%zu,\"item\":", part);
    write_item(arena, answer, part, done, out);
    event_end(out);
}

/* An event of a part's content, up to its own members. */
static void event_content(struct backend_answer *answer, size_t part, const char *type, const char *index,
                          struct buf *out) {
    event_begin(answer, type, out);
    buf_append_c(out, ",\"item_id\":");
    write_item_id(answer, part, out);
    buf_printf(out, ",\"output_index\":%zu", part);
    if (index)
        buf_printf(out, ",\"%s\":0", index);
}

/* How the words of a part are called. A kind without `part` has none to open and close. */
struct naming {
    const char *added, *delta, *done, *part_done, *index, *text;
};

static const struct naming *naming_of(const struct backend_answer *answer, size_t part) {
    static const struct naming text = { "response.content_part.added",
                                        "response.output_text.delta",
                                        "response.output_text.done",
                                        "response.content_part.done",
                                        "content_index",
                                        "text" };
    static const struct naming refusal = {
        "response.content_part.added", "response.refusal.delta", "response.refusal.done",
        "response.content_part.done",  "content_index",          "refusal"
    };
    static const struct naming thought = { "response.content_part.added",
                                           "response.reasoning_text.delta",
                                           "response.reasoning_text.done",
                                           "response.content_part.done",
                                           "content_index",
                                           "text" };
    static const struct naming summary = { "response.reasoning_summary_part.added",
                                           "response.reasoning_summary_text.delta",
                                           "response.reasoning_summary_text.done",
                                           "response.reasoning_summary_part.done",
                                           "summary_index",
                                           "text" };
    static const struct naming call = {
        NULL, "response.function_call_arguments.delta", "response.function_call_arguments.done", NULL, NULL, "arguments"
    };
    switch (answer->parts[part].kind) {
    case BACKEND_TEXT:
        return &text;
    case BACKEND_REFUSAL:
        return &refusal;
    case BACKEND_TOOL:
        return &call;
    default:
        return answer->question->summary ? &summary : tells_thoughts(answer) ? &thought : NULL;
    }
}

static void write_part(const struct backend_answer *answer, size_t part, bool full, struct buf *out) {
    if (answer->parts[part].kind != BACKEND_THINKING) {
        write_content(answer, part, full, out);
        return;
    }
    buf_printf(out, "{\"type\":\"%s\",\"text\":", answer->question->summary ? "summary_text" : "reasoning_text");
    if (full)
        backend_part_quote(answer, part, out);
    else
        buf_append_c(out, "\"\"");
    buf_append_char(out, '}');
}

static void event_part(struct backend_answer *answer, size_t part, bool done, const struct naming *names,
                       struct buf *out) {
    if (!names || !names->added)
        return;
    event_content(answer, part, done ? names->part_done : names->added, names->index, out);
    buf_append_c(out, ",\"part\":");
    write_part(answer, part, done, out);
    event_end(out);
}

static void event_delta(struct backend_answer *answer, const struct backend_step *step, struct buf *out) {
    const struct naming *names = naming_of(answer, step->part);
    if (!names)
        return;
    event_content(answer, step->part, names->delta, names->index, out);
    buf_append_c(out, ",\"delta\":");
    json_quote(out, step->token);
    if (answer->parts[step->part].kind == BACKEND_TEXT)
        buf_append_c(out, ",\"logprobs\":[]");
    event_end(out);
}

static void event_done(struct arena *arena, struct backend_answer *answer, size_t part, struct buf *out) {
    const struct naming *names = naming_of(answer, part);
    if (names) {
        event_content(answer, part, names->done, names->index, out);
        if (answer->parts[part].kind == BACKEND_TOOL) {
            buf_append_c(out, ",\"name\":");
            json_quote(out, answer->parts[part].name);
        }
        buf_printf(out, ",\"%s\":", names->text);
        backend_part_quote(answer, part, out);
        if (answer->parts[part].kind == BACKEND_TEXT)
            buf_append_c(out, ",\"logprobs\":[]");
        event_end(out);
    }
    event_part(answer, part, true, names, out);
    event_item(arena, answer, part, true, out);
}

static void event_last(struct arena *arena, struct backend_answer *answer, struct buf *out) {
    const char *type = strcmp(status_of(answer, BACKEND_RESPONSE_DONE), "incomplete") == 0 ? "response.incomplete"
                                                                                           : "response.completed";
    event_life(arena, answer, type, BACKEND_RESPONSE_DONE, out);
}

static void responses_event(struct arena *arena, struct backend_answer *answer, const struct backend_step *step,
                            struct buf *out) {
    switch (step->kind) {
    case BACKEND_STEP_BEGIN:
        event_life(arena, answer, "response.created", BACKEND_RESPONSE_IN_PROGRESS, out);
        event_life(arena, answer, "response.in_progress", BACKEND_RESPONSE_IN_PROGRESS, out);
        break;
    case BACKEND_STEP_PART:
        event_item(arena, answer, step->part, false, out);
        event_part(answer, step->part, false, naming_of(answer, step->part), out);
        break;
    case BACKEND_STEP_TOKEN:
        event_delta(answer, step, out);
        break;
    case BACKEND_STEP_PART_END:
        event_done(arena, answer, step->part, out);
        break;
    case BACKEND_STEP_FINISH:
    case BACKEND_STEP_USAGE:
        break;
    case BACKEND_STEP_END:
        event_last(arena, answer, out);
        break;
    case BACKEND_STEP_ERROR:
        event_life(arena, answer, "response.failed", BACKEND_RESPONSE_DONE, out);
        break;
    }
}

const struct backend_dialect backend_responses = {
    .read = backend_responses_read,
    .whole = write_response,
    .event = responses_event,
    .error = backend_openai_error,
    .overloaded = 503,
};
