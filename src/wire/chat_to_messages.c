/*
 * The request's members; the conversation, its system prompt and its tools have files of their own.
 */
#include "wire/chat_to_messages.h"

#include "core/buf.h"
#include "wire/chat_reasoning.h"
#include "wire/member_write.h"
#include "wire/members.h"
#include "wire/messages_edit.h"
#include "wire/messages_request.h"
#include "wire/sidecar.h"
#include "wire/warnings.h"

enum {
    MODEL,
    MESSAGES,
    MAX_COMPLETION_TOKENS,
    MAX_TOKENS,
    TEMPERATURE,
    TOP_P,
    TOP_K,
    STOP,
    TOOLS,
    FUNCTIONS,
    TOOL_CHOICE,
    PARALLEL_TOOL_CALLS,
    RESPONSE_FORMAT,
    USER,
    BODY_MEMBERS
};

static const vsr_str body_members[BODY_MEMBERS] = {
    [MODEL] = VSR_STR_INIT("model"),
    [MESSAGES] = VSR_STR_INIT("messages"),
    [MAX_COMPLETION_TOKENS] = VSR_STR_INIT("max_completion_tokens"),
    [MAX_TOKENS] = VSR_STR_INIT("max_tokens"),
    [TEMPERATURE] = VSR_STR_INIT("temperature"),
    [TOP_P] = VSR_STR_INIT("top_p"),
    [TOP_K] = VSR_STR_INIT("top_k"),
    [STOP] = VSR_STR_INIT("stop"),
    [TOOLS] = VSR_STR_INIT("tools"),
    [FUNCTIONS] = VSR_STR_INIT("functions"),
    [TOOL_CHOICE] = VSR_STR_INIT("tool_choice"),
    [PARALLEL_TOOL_CALLS] = VSR_STR_INIT("parallel_tool_calls"),
    [RESPONSE_FORMAT] = VSR_STR_INIT("response_format"),
    [USER] = VSR_STR_INIT("user"),
};

/* What changes an answer and has no counterpart. */
static const vsr_str lost_members[] = {
    VSR_STR_INIT("seed"),
    VSR_STR_INIT("presence_penalty"),
    VSR_STR_INIT("frequency_penalty"),
    VSR_STR_INIT("logit_bias"),
    VSR_STR_INIT("logprobs"),
    VSR_STR_INIT("top_logprobs"),
    VSR_STR_INIT("modalities"),
    VSR_STR_INIT("prediction"),
    VSR_STR_INIT("verbosity"),
    VSR_STR_INIT("web_search_options"),
};

static const vsr_str none = VSR_STR_INIT("");

/* What cannot be read is the backend's to refuse: it gets it as it is. */
static void read_max_tokens(struct to_messages *job, const json_ref *body, vsr_str *ret_raw) {
    const struct json_doc *doc = job->doc;
    json_ref given =
        value_is_present(doc, body[MAX_COMPLETION_TOKENS]) ? body[MAX_COMPLETION_TOKENS] : body[MAX_TOKENS];
    *ret_raw = none;
    job->max_tokens = MESSAGES_MAX_TOKENS_DEFAULT;
    if (!value_is_present(doc, given))
        return;
    if (!value_count(doc, given, &job->max_tokens))
        *ret_raw = json_raw(doc, given);
}

static bool is_blank(const struct to_messages *job, json_ref string) {
    vsr_str quoted = value_inside(job->doc, string);
    return str_trim(quoted).len == 0;
}

static void add_stop(struct to_messages *job, json_ref string, bool *open) {
    if (!value_is_filled(job->doc, string))
        return;
    if (is_blank(job, string)) { /* refused by the API */
        warnings_add(job->warnings, WARNING_LOSSY, "stop_dropped", VSR_STR("stop"), none);
        return;
    }
    if (!*open) {
        member_key(&job->w, "stop_sequences");
        json_write_begin_array(&job->w);
        *open = true;
    }
    json_write_raw(&job->w, json_raw(job->doc, string));
}

static void write_stop(struct to_messages *job, json_ref stop) {
    const struct json_doc *doc = job->doc;
    bool open = false;
    add_stop(job, stop, &open);
    if (json_is(doc, stop, JSON_ARRAY))
        for (json_ref s = json_first(doc, stop); s != JSON_NONE; s = json_next(doc, stop, s))
            add_stop(job, s, &open);
    if (open)
        json_write_end(&job->w);
}

/* OpenAI's scale ends at 2, Anthropic's at 1. */
static void write_temperature(struct to_messages *job, json_ref temperature) {
    const struct json_doc *doc = job->doc;
    double value;
    if (!value_is_present(doc, temperature))
        return;
    if (json_double(doc, temperature, &value) && value > 1.0) {
        warnings_add(job->warnings, WARNING_LOSSY, "temperature_lowered", VSR_STR("temperature"), none);
        member_raw(&job->w, "temperature", VSR_STR("1"));
    } else {
        member_raw(&job->w, "temperature", json_raw(doc, temperature));
    }
}

static void write_top_k(struct to_messages *job, json_ref top_k) {
    if (job->sidecar->top_k.len > 0)
        member_raw(&job->w, "top_k", job->sidecar->top_k);
    else if (value_is_present(job->doc, top_k))
        member_raw(&job->w, "top_k", json_raw(job->doc, top_k));
}

/* Of OpenAI's formats only schemas have a counterpart. The client's own configuration stays while its format does. */
static void write_output_config(struct to_messages *job, json_ref format) {
    const struct json_doc *doc = job->doc;
    const struct sidecar *sidecar = job->sidecar;
    json_ref schema = value_get(doc, value_get(doc, format, "json_schema"), "schema");
    bool is_own =
        sidecar->response_format_written.len == 0
            ? !value_is_present(doc, format)
            : value_is_present(doc, format) && sidecar_mark_is(sidecar->response_format_written, json_raw(doc, format));
    if (sidecar->output_config.len > 0 && is_own) {
        member_raw(&job->w, "output_config", sidecar->output_config);
    } else if (value_type_is(doc, format, "json_schema") && json_is(doc, schema, JSON_OBJECT)) {
        member_key(&job->w, "output_config");
        json_write_begin_object(&job->w);
        member_key(&job->w, "format");
        json_write_begin_object(&job->w);
        member_str(&job->w, "type", VSR_STR("json_schema"));
        member_raw(&job->w, "schema", json_raw(doc, schema));
        json_write_end(&job->w);
        json_write_end(&job->w);
    } else if (value_is_present(doc, format) && !value_type_is(doc, format, "text")) {
        warnings_add(job->warnings, WARNING_LOSSY, "member_not_translated", VSR_STR("response_format"), none);
    }
}

static void write_metadata(struct to_messages *job, json_ref user) {
    if (job->sidecar->metadata.len > 0) {
        member_raw(&job->w, "metadata", job->sidecar->metadata);
    } else if (value_is_filled(job->doc, user)) {
        member_key(&job->w, "metadata");
        json_write_begin_object(&job->w);
        member_raw(&job->w, "user_id", json_raw(job->doc, user));
        json_write_end(&job->w);
    }
}

/* Writes `thinking` where it is wanted and possible; returns whether a decision has switched it on. */
static bool write_thinking(struct to_messages *job) {
    const struct chat_reasoning *reasoning = job->options->reasoning;
    bool possible = !job->results_last || job->has_thinking;
    int64_t budget;
    if (reasoning && reasoning->on) {
        budget = possible ? messages_thinking_budget(reasoning->effort, job->max_tokens) : 0;
        if (budget == 0)
            return false;
        member_key(&job->w, "thinking");
        json_write_begin_object(&job->w);
        member_str(&job->w, "type", VSR_STR("enabled"));
        member_key(&job->w, "budget_tokens");
        json_write_i64(&job->w, budget);
        json_write_end(&job->w);
        return true;
    }
    if (job->sidecar->thinking.len == 0 || (reasoning && reasoning->family != CHAT_FAMILY_NONE))
        return false;
    if (possible)
        member_raw(&job->w, "thinking", job->sidecar->thinking);
    else
        warnings_add(job->warnings, WARNING_LOSSY, "thinking_dropped", VSR_STR("thinking"),
                     VSR_STR("another model called the tools"));
    return false;
}

static void warn_lost_members(struct to_messages *job) {
    const struct json_doc *doc = job->doc;
    json_ref n = value_get(doc, 0, "n");
    if (value_is_present(doc, n) && !str_eq(json_raw(doc, n), VSR_STR("1")))
        warnings_add(job->warnings, WARNING_LOSSY, "member_not_translated", VSR_STR("n"), none);
    if (!job->options->reasoning && value_is_present(doc, value_get(doc, 0, "reasoning_effort")))
        warnings_add(job->warnings, WARNING_LOSSY, "member_not_translated", VSR_STR("reasoning_effort"), none);
    for (size_t i = 0; i < VSR_COUNT(lost_members); i++) {
        json_ref value = json_get(doc, 0, lost_members[i]);
        if (value_is_present(doc, value) && !json_is(doc, value, JSON_FALSE))
            warnings_add(job->warnings, WARNING_LOSSY, "member_not_translated", lost_members[i], none);
    }
}

static void write_sampling(struct to_messages *job, const json_ref *body, bool thinking) {
    if (!thinking) {
        write_temperature(job, body[TEMPERATURE]);
        write_top_k(job, body[TOP_K]);
    }
    if (value_is_present(job->doc, body[TOP_P]))
        member_raw(&job->w, "top_p", json_raw(job->doc, body[TOP_P]));
    write_stop(job, body[STOP]);
}

static void write_body(struct to_messages *job, const json_ref *body) {
    const struct json_doc *doc = job->doc;
    vsr_str max_tokens;
    bool thinking;
    read_max_tokens(job, body, &max_tokens);
    json_write_begin_object(&job->w);
    if (job->options->model_id.len > 0)
        member_str(&job->w, "model", job->options->model_id);
    else if (value_is_present(doc, body[MODEL]))
        member_raw(&job->w, "model", json_raw(doc, body[MODEL]));
    member_key(&job->w, "max_tokens");
    if (max_tokens.len > 0)
        json_write_raw(&job->w, max_tokens);
    else
        json_write_i64(&job->w, job->max_tokens);
    to_messages_system(job, body[MESSAGES]);
    to_messages_turns(job, body[MESSAGES]);
    thinking = write_thinking(job);
    write_sampling(job, body, thinking);
    if (to_messages_tools(job, body[TOOLS], body[FUNCTIONS]))
        to_messages_tool_choice(job, body[TOOL_CHOICE], json_is(doc, body[PARALLEL_TOOL_CALLS], JSON_FALSE), thinking);
    write_output_config(job, body[RESPONSE_FORMAT]);
    write_metadata(job, body[USER]);
    if (job->options->stream)
        member_bool(&job->w, "stream", true);
    if (job->sidecar->members.len > 0) {
        buf_append_char(job->w.out, ',');
        buf_append(job->w.out, job->sidecar->members);
    }
    json_write_end(&job->w);
}

int chat_to_messages(struct arena *arena, const struct json_doc *doc, const struct messages_write *options,
                     struct warnings *warnings, struct buf *out, struct vsr_err *err) {
    static const struct sidecar empty;
    struct to_messages job = {
        .arena = arena,
        .doc = doc,
        .options = options,
        .sidecar = options->sidecar ? options->sidecar : &empty,
        .warnings = warnings,
        .err = err,
    };
    json_ref body[BODY_MEMBERS];
    members_read(doc, 0, body_members, BODY_MEMBERS, body);
    if (!json_is(doc, body[MESSAGES], JSON_ARRAY))
        return err_set(err, VSR_E_INVALID, "messages field must be an array");
    json_write_init(&job.w, out);
    write_body(&job, body);
    warn_lost_members(&job);
    if (job.rc == VSR_E_INVALID)
        return job.rc;
    if (job.rc == 0)
        job.rc = buf_failed(out);
    return job.rc < 0 ? err_set(err, job.rc, "the request in Messages: %s", err_code_text(job.rc)) : 0;
}
