/*
 * backend_chat - Chat Completions and the older completions, as OpenAI and the servers that copy it speak them.
 */
#include "cli/backend_dialect.h"

#include "cli/backend_media.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "net/http1.h"
#include "wire/error_body.h"
#include "wire/facts.h"

/* ---- reading */

static void read_tools(struct arena *arena, struct backend_question *question) {
    const struct json_doc *doc = &question->doc;
    json_ref tools = json_get(doc, 0, VSR_STR("tools")), choice = json_get(doc, 0, VSR_STR("tool_choice"));
    if (!json_is(doc, tools, JSON_ARRAY))
        return;
    for (json_ref tool = json_first(doc, tools); tool != JSON_NONE; tool = json_next(doc, tools, tool)) {
        json_ref function = json_get(doc, tool, VSR_STR("function"));
        backend_add_tool(question, backend_text(arena, doc, function, "name"),
                         json_get(doc, function, VSR_STR("parameters")));
    }
    if (backend_is(doc, 0, "tool_choice", "none")) {
        question->tool_choice = TOOL_CHOICE_NONE;
    } else if (backend_is(doc, 0, "tool_choice", "required")) {
        question->tool_choice = TOOL_CHOICE_REQUIRED;
    } else if (json_is(doc, choice, JSON_OBJECT)) {
        question->tool_choice = TOOL_CHOICE_NAMED;
        question->tool_name = backend_text(arena, doc, json_get(doc, choice, VSR_STR("function")), "name");
    }
    choice = json_get(doc, 0, VSR_STR("parallel_tool_calls"));
    question->one_tool = json_is(doc, choice, JSON_FALSE);
}

static void read_stops(struct arena *arena, struct backend_question *question) {
    const struct json_doc *doc = &question->doc;
    json_ref stop = json_get(doc, 0, VSR_STR("stop"));
    if (json_is(doc, stop, JSON_STRING) && json_str(arena, doc, stop, &question->stops[0]))
        question->n_stops = 1;
    if (!json_is(doc, stop, JSON_ARRAY))
        return;
    for (json_ref item = json_first(doc, stop); item != JSON_NONE && question->n_stops < BACKEND_STOPS_MAX;
         item = json_next(doc, stop, item))
        question->n_stops += json_str(arena, doc, item, &question->stops[question->n_stops]);
}

static void read_format(struct backend_question *question) {
    const struct json_doc *doc = &question->doc;
    json_ref format = json_get(doc, 0, VSR_STR("response_format"));
    bool schema = backend_is(doc, format, "type", "json_schema");
    question->wants_json = schema || backend_is(doc, format, "type", "json_object");
    question->answer_schema = JSON_NONE;
    if (schema)
        question->answer_schema = json_get(doc, json_get(doc, format, VSR_STR("json_schema")), VSR_STR("schema"));
}

/* What both forms have. */
static void read_common(struct arena *arena, struct backend_question *question) {
    const struct json_doc *doc = &question->doc;
    uint64_t n = backend_count(doc, 0, "n");
    question->n_choices = n > BACKEND_CHOICES_MAX ? BACKEND_CHOICES_MAX : n > 0 ? (uint32_t)n : 1;
    question->ceiling = backend_count(doc, 0, "max_completion_tokens");
    if (question->ceiling == 0)
        question->ceiling = backend_count(doc, 0, "max_tokens");
    read_stops(arena, question);
}

/* `/openai/deployments/NAME/...`: the model's name where the body has none. Empty: another path. */
static vsr_str azure_deployment(const struct http1_head *head) {
    vsr_str prefix = VSR_STR("/openai/deployments/"), rest;
    ptrdiff_t at = str_find(head->target, prefix);
    if (at < 0)
        return VSR_STR("");
    rest = str_sub(head->target, (size_t)at + prefix.len, head->target.len);
    return str_split(&rest, '/');
}

/* What Azure asks for beyond OpenAI: a version in the query and a key. */
static bool check_azure(const struct http1_head *head, vsr_str deployment, struct backend_refusal *ret_refusal) {
    ptrdiff_t query = str_find_char(head->target, '?');
    vsr_str parameters = query < 0 ? VSR_STR("") : str_sub(head->target, (size_t)query, head->target.len);
    if (deployment.len == 0)
        return true;
    if (!http1_field(head, VSR_STR("api-key")).ptr && !http1_field(head, VSR_STR("authorization")).ptr) {
        (void)backend_refuse(ret_refusal, 401, NULL,
                             VSR_STR("Access denied due to missing subscription key: send it as api-key"));
        ret_refusal->code = "401";
        return false;
    }
    if (str_find(parameters, VSR_STR("api-version=")) < 0) {
        (void)backend_refuse(ret_refusal, 404, NULL, VSR_STR("Resource not found: no api-version in the query"));
        ret_refusal->code = "404";
        return false;
    }
    return true;
}

static bool read_chat(struct arena *arena, const struct http1_head *head, vsr_str body,
                      struct backend_question *ret_question, struct backend_refusal *ret_refusal) {
    vsr_str deployment = azure_deployment(head);
    const struct facts_options options = { .model_optional = deployment.len > 0 };
    struct request_facts *facts = ARENA_NEW(arena, struct request_facts);
    struct backend_question *q = ret_question;
    struct vsr_err err = VSR_ERR_NONE;
    if (!check_azure(head, deployment, ret_refusal))
        return false;
    if (json_parse(arena, body, &q->doc, &err) < 0 || facts_read_chat(arena, &q->doc, &options, facts, &err) < 0)
        return backend_refuse(ret_refusal, 400, NULL, arena_str(arena, str_from_c(err.text)));
    q->model = facts->model.len > 0 ? facts->model : deployment;
    q->stream = facts->stream;
    q->include_usage = facts->include_usage_asked;
    q->logprobs = backend_flag(&q->doc, 0, "logprobs");
    q->after_tool = facts->last_message_tool_result;
    q->said = q->after_tool ? facts->last_role_text : facts->current_user;
    q->user_last = facts->last_role == ROLE_USER;
    q->n_images = facts->n_images;
    q->prompt_tokens = backend_prompt_tokens(facts->context_text.len);
    /* What only servers of picture models understand. */
    q->wants_image = json_get(&q->doc, 0, VSR_STR("num_inference_steps")) != JSON_NONE ||
                     json_get(&q->doc, 0, VSR_STR("extra_body")) != JSON_NONE;
    read_common(arena, q);
    read_tools(arena, q);
    read_format(q);
    return true;
}

/* The first of several prompts; tokens are as many words. */
static vsr_str read_prompt(struct arena *arena, const struct json_doc *doc) {
    json_ref prompt = json_get(doc, 0, VSR_STR("prompt"));
    vsr_str text = VSR_STR("");
    if (json_is(doc, prompt, JSON_ARRAY))
        prompt = json_first(doc, prompt);
    if (prompt != JSON_NONE)
        (void)json_str(arena, doc, prompt, &text); /* else it stays empty */
    return text;
}

static bool read_completions(struct arena *arena, const struct http1_head *head, vsr_str body,
                             struct backend_question *ret_question, struct backend_refusal *ret_refusal) {
    struct backend_question *q = ret_question;
    vsr_str deployment = azure_deployment(head);
    if (!check_azure(head, deployment, ret_refusal) || !backend_parse(arena, body, &q->doc, ret_refusal))
        return false;
    q->model = backend_text(arena, &q->doc, 0, "model");
    if (q->model.len == 0)
        q->model = deployment;
    if (q->model.len == 0)
        return backend_refuse(ret_refusal, 400, NULL, VSR_STR("you must provide a model parameter"));
    if (json_get(&q->doc, 0, VSR_STR("prompt")) == JSON_NONE)
        return backend_refuse(ret_refusal, 400, NULL, VSR_STR("you must provide a prompt"));
    q->completion = true;
    q->stream = backend_flag(&q->doc, 0, "stream");
    q->include_usage = backend_flag(&q->doc, json_get(&q->doc, 0, VSR_STR("stream_options")), "include_usage");
    q->said = read_prompt(arena, &q->doc);
    q->user_last = true;
    q->prompt_tokens = backend_prompt_tokens(q->said.len);
    q->answer_schema = JSON_NONE;
    read_common(arena, q);
    return true;
}

/* ---- writing */

static const char *finish_reason(const struct backend_answer *answer) {
    static const char *const reasons[] = {
        [BACKEND_FINISH_STOP] = "stop",
        [BACKEND_FINISH_LENGTH] = "length",
        [BACKEND_FINISH_TOOL_CALLS] = "tool_calls",
        [BACKEND_FINISH_CONTENT_FILTER] = "content_filter",
        [BACKEND_FINISH_REFUSAL] = "stop",
        [BACKEND_FINISH_STOP_SEQUENCE] = "stop",
        [BACKEND_FINISH_PAUSE_TURN] = "stop",
    };
    return reasons[answer->finish];
}

/* `{"id":...,"object":...,"created":...,"model":...,"system_fingerprint":...` */
static void write_head(const struct backend_answer *answer, const char *prefix, const char *object, struct buf *out) {
    buf_printf(out, "{\"id\":\"%s-%016llx\",\"object\":\"%s\",\"created\":%llu,\"model\":", prefix,
               (unsigned long long)answer->options.id, object, (unsigned long long)answer->options.created_s);
    json_quote(out, answer->question->model);
    buf_append_c(out, ",\"system_fingerprint\":");
    json_quote(out, answer->options.backend);
}

/* `said`: the answer's tokens so far. */
static void write_usage(const struct backend_answer *answer, uint64_t said, struct buf *out) {
    uint64_t n = said * answer->question->n_choices;
    buf_printf(out, "\"usage\":{\"prompt_tokens\":%llu,\"completion_tokens\":%llu,\"total_tokens\":%llu",
               (unsigned long long)answer->prompt_tokens, (unsigned long long)n,
               (unsigned long long)answer->prompt_tokens + n);
    if (answer->cached_tokens > 0)
        buf_printf(out, ",\"prompt_tokens_details\":{\"cached_tokens\":%llu}",
                   (unsigned long long)answer->cached_tokens);
    if (answer->thinking_tokens > 0)
        buf_printf(out, ",\"completion_tokens_details\":{\"reasoning_tokens\":%llu}",
                   (unsigned long long)answer->thinking_tokens);
    buf_append_char(out, '}');
}

static void write_call(const struct backend_answer *answer, size_t part, bool streamed, struct buf *out) {
    size_t index = backend_part_ordinal(answer, part);
    buf_append_char(out, '{');
    if (streamed)
        buf_printf(out, "\"index\":%zu,", index);
    buf_printf(out, "\"id\":\"call_%016llx%.*s\",\"type\":\"function\",\"function\":{\"name\":",
               (unsigned long long)answer->options.id, (int)(index > 0), &"0123456789abcdef"[index % 16]);
    json_quote(out, answer->parts[part].name);
    buf_append_c(out, ",\"arguments\":");
    if (streamed)
        buf_append_c(out, "\"\"");
    else
        backend_part_quote(answer, part, out);
    buf_append_c(out, "}}");
}

static void write_calls(const struct backend_answer *answer, struct buf *out) {
    bool first = true;
    buf_append_c(out, "\"tool_calls\":[");
    for (size_t i = 0; i < answer->n_parts; i++) {
        if (answer->parts[i].kind != BACKEND_TOOL)
            continue;
        buf_append_c(out, first ? "" : ",");
        write_call(answer, i, false, out);
        first = false;
    }
    buf_append_char(out, ']');
}

/* `"name":` and the words of the first part of that kind, or null. */
static void write_part(const struct backend_answer *answer, const char *name, enum backend_part_kind kind,
                       struct buf *out) {
    size_t part = backend_answer_find(answer, kind);
    buf_printf(out, "\"%s\":", name);
    if (part < answer->n_parts)
        backend_part_quote(answer, part, out);
    else
        buf_append_c(out, "null");
}

/* A picture as the content of a message. */
static void write_picture(const struct backend_answer *answer, struct buf *out) {
    buf_append_c(out, "\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,");
    backend_picture(answer->question->said, out);
    buf_append_c(out, "\"}}]");
}

static void write_message(const struct backend_answer *answer, struct buf *out) {
    buf_append_c(out, "{\"role\":\"assistant\",");
    if (answer->question->wants_image)
        write_picture(answer, out);
    else
        write_part(answer, "content", BACKEND_TEXT, out);
    if (backend_answer_find(answer, BACKEND_THINKING) < answer->n_parts) {
        buf_append_char(out, ',');
        write_part(answer, "reasoning_content", BACKEND_THINKING, out);
    }
    buf_append_char(out, ',');
    if (backend_answer_find(answer, BACKEND_TOOL) < answer->n_parts)
        write_calls(answer, out);
    else
        write_part(answer, "refusal", BACKEND_REFUSAL, out);
    buf_append_char(out, '}');
}

static void write_logprob(vsr_str token, struct buf *out) {
    buf_append_c(out, "{\"token\":");
    json_quote(out, token);
    buf_append_c(out, ",\"logprob\":-0.25,\"bytes\":[");
    for (size_t i = 0; i < token.len; i++)
        buf_printf(out, "%s%u", i ? "," : "", (unsigned)(unsigned char)token.ptr[i]);
    buf_append_c(out, "],\"top_logprobs\":[]}");
}

/* The whole text as one token of certainty: enough to see that log probabilities arrive. */
static void write_logprobs(const struct backend_answer *answer, struct buf *out) {
    size_t part = backend_answer_find(answer, BACKEND_TEXT);
    vsr_str left;
    buf_append_c(out, ",\"logprobs\":");
    if (!answer->question->logprobs || part == answer->n_parts) {
        buf_append_c(out, "null");
        return;
    }
    left = answer->parts[part].text;
    buf_append_c(out, "{\"content\":[");
    write_logprob(left, out);
    buf_append_c(out, "],\"refusal\":null}");
}

static void write_chat(struct arena *arena, struct backend_answer *answer, struct buf *out) {
    (void)arena;
    write_head(answer, "chatcmpl", "chat.completion", out);
    buf_append_c(out, ",\"choices\":[");
    for (uint32_t i = 0; i < answer->question->n_choices; i++) {
        buf_printf(out, "%s{\"index\":%u,\"message\":", i ? "," : "", i);
        write_message(answer, out);
        write_logprobs(answer, out);
        buf_printf(out, ",\"finish_reason\":\"%s\"}", finish_reason(answer));
    }
    buf_append_c(out, "],");
    write_usage(answer, answer->n_tokens, out);
    buf_append_char(out, '}');
}

static void write_completion(struct arena *arena, struct backend_answer *answer, struct buf *out) {
    (void)arena;
    write_head(answer, "cmpl", "text_completion", out);
    buf_append_c(out, ",\"choices\":[");
    for (uint32_t i = 0; i < answer->question->n_choices; i++) {
        buf_printf(out, "%s{\"index\":%u,", i ? "," : "", i);
        write_part(answer, "text", answer->options.behaviour.refusal ? BACKEND_REFUSAL : BACKEND_TEXT, out);
        buf_printf(out, ",\"logprobs\":null,\"finish_reason\":\"%s\"}", finish_reason(answer));
    }
    buf_append_c(out, "],");
    write_usage(answer, answer->n_tokens, out);
    buf_append_char(out, '}');
}

/* ---- streaming */

static enum behaviour_usage usage_of(const struct backend_answer *answer) {
    enum behaviour_usage told = (enum behaviour_usage)answer->options.behaviour.usage;
    if (told != USAGE_AS_ASKED)
        return told;
    return answer->question->include_usage ? USAGE_AFTER : USAGE_NONE;
}

static void chunk_begin(const struct backend_answer *answer, struct buf *out) {
    buf_append_c(out, "data: ");
    if (answer->question->completion)
        write_head(answer, "cmpl", "text_completion", out);
    else
        write_head(answer, "chatcmpl", "chat.completion.chunk", out);
    buf_append_c(out, ",\"choices\":[");
}

static void chunk_end(const struct backend_answer *answer, bool has_usage, struct buf *out) {
    enum behaviour_usage usage = usage_of(answer);
    buf_append_c(out, "]");
    if (has_usage || usage == USAGE_EVERY) {
        buf_append_char(out, ',');
        write_usage(answer, answer->said, out);
    } else if (answer->question->include_usage && usage != USAGE_NONE) {
        buf_append_c(out, ",\"usage\":null");
    }
    buf_append_c(out, "}\n\n");
}

/* A chunk for each choice with that delta, which is written by `write`. */
static void chunks(const struct backend_answer *answer, const struct backend_step *step,
                   void (*write)(const struct backend_answer *, const struct backend_step *, struct buf *),
                   struct buf *out) {
    for (uint32_t i = 0; i < answer->question->n_choices; i++) {
        chunk_begin(answer, out);
        buf_printf(out, "{\"index\":%u,\"delta\":{", i);
        write(answer, step, out);
        buf_append_c(out, ",\"finish_reason\":null}");
        chunk_end(answer, false, out);
    }
}

static void delta_role(const struct backend_answer *answer, const struct backend_step *step, struct buf *out) {
    (void)answer;
    (void)step;
    buf_append_c(out, "\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null");
}

/* The name of the function; with the role, when nothing came before it. */
static void delta_call(const struct backend_answer *answer, const struct backend_step *step, struct buf *out) {
    buf_append_c(out, step->part == 0 ? "\"role\":\"assistant\",\"content\":null," : "");
    buf_append_c(out, "\"tool_calls\":[");
    write_call(answer, step->part, true, out);
    buf_append_c(out, "]},\"logprobs\":null");
}

static void delta_token(const struct backend_answer *answer, const struct backend_step *step, struct buf *out) {
    static const char *const names[] = {
        [BACKEND_THINKING] = "reasoning_content", [BACKEND_TEXT] = "content", [BACKEND_REFUSAL] = "refusal"
    };
    enum backend_part_kind kind = answer->parts[step->part].kind;
    if (kind == BACKEND_TOOL)
        buf_printf(out, "\"tool_calls\":[{\"index\":%zu,\"function\":{\"arguments\":",
                   backend_part_ordinal(answer, step->part));
    else
        buf_printf(out, "\"%s\":", names[kind]);
    json_quote(out, step->token);
    buf_append_c(out, kind == BACKEND_TOOL ? "}}]}" : "}");
    buf_append_c(out, ",\"logprobs\":");
    if (!answer->question->logprobs || kind != BACKEND_TEXT) {
        buf_append_c(out, "null");
        return;
    }
    buf_append_c(out, "{\"content\":[");
    write_logprob(step->token, out);
    buf_append_c(out, "],\"refusal\":null}");
}

static void event_finish(const struct backend_answer *answer, struct buf *out) {
    for (uint32_t i = 0; i < answer->question->n_choices; i++) {
        chunk_begin(answer, out);
        buf_printf(out, "{\"index\":%u,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"%s\"}", i,
                   finish_reason(answer));
        chunk_end(answer, usage_of(answer) == USAGE_SAME && i + 1 == answer->question->n_choices, out);
    }
}

static void event_usage(const struct backend_answer *answer, struct buf *out) {
    chunk_begin(answer, out);
    chunk_end(answer, true, out);
}

static void event_error(const struct backend_answer *answer, struct buf *out) {
    const struct error_body error = { .status = 500, .message = VSR_STR("The server had an error while answering") };
    (void)answer;
    error_event_write(out, &error);
}

static void chat_event(struct arena *arena, struct backend_answer *answer, const struct backend_step *step,
                       struct buf *out) {
    enum backend_part_kind kind = answer->parts[step->part].kind;
    enum behaviour_usage usage = usage_of(answer);
    (void)arena;
    switch (step->kind) {
    case BACKEND_STEP_BEGIN:
        if (usage == USAGE_PREVIEW)
            event_usage(answer, out);
        if (answer->parts[0].kind != BACKEND_TOOL)
            chunks(answer, step, delta_role, out);
        break;
    case BACKEND_STEP_PART:
        if (kind == BACKEND_TOOL)
            chunks(answer, step, delta_call, out);
        break;
    case BACKEND_STEP_TOKEN:
        chunks(answer, step, delta_token, out);
        break;
    case BACKEND_STEP_PART_END:
        break;
    case BACKEND_STEP_FINISH:
        event_finish(answer, out);
        break;
    case BACKEND_STEP_USAGE:
        if (usage == USAGE_AFTER || usage == USAGE_PREVIEW)
            event_usage(answer, out);
        break;
    case BACKEND_STEP_END:
        buf_append_c(out, "data: [DONE]\n\n");
        break;
    case BACKEND_STEP_ERROR:
        event_error(answer, out);
        break;
    }
}

static void completions_chunk(const struct backend_answer *answer, vsr_str token, const char *finish, bool has_usage,
                              struct buf *out) {
    chunk_begin(answer, out);
    buf_append_c(out, "{\"index\":0,\"text\":");
    json_quote(out, token);
    buf_append_c(out, ",\"logprobs\":null,\"finish_reason\":");
    buf_printf(out, "%s%s%s}", finish ? "\"" : "", finish ? finish : "null", finish ? "\"" : "");
    chunk_end(answer, has_usage, out);
}

static void completions_event(struct arena *arena, struct backend_answer *answer, const struct backend_step *step,
                              struct buf *out) {
    enum behaviour_usage usage = usage_of(answer);
    (void)arena;
    if (step->kind == BACKEND_STEP_TOKEN)
        completions_chunk(answer, step->token, NULL, false, out);
    else if (step->kind == BACKEND_STEP_FINISH)
        completions_chunk(answer, VSR_STR(""), finish_reason(answer), usage == USAGE_SAME, out);
    else if (step->kind == BACKEND_STEP_USAGE && (usage == USAGE_AFTER || usage == USAGE_PREVIEW))
        event_usage(answer, out);
    else if (step->kind == BACKEND_STEP_END)
        buf_append_c(out, "data: [DONE]\n\n");
    else if (step->kind == BACKEND_STEP_ERROR)
        event_error(answer, out);
}

const struct backend_dialect backend_chat = {
    .read = read_chat,
    .whole = write_chat,
    .event = chat_event,
    .error = backend_openai_error,
    .overloaded = 503,
};

const struct backend_dialect backend_completions = {
    .read = read_completions,
    .whole = write_completion,
    .event = completions_event,
    .error = backend_openai_error,
    .overloaded = 503,
    .no_thoughts = true,
};
