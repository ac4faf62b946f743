#include "wire/responses_write.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_edit.h"
#include "core/json_write.h"
#include "wire/member_write.h"
#include "wire/responses_chat.h"
#include "wire/responses_request.h"
#include "wire/warnings.h"

/* ---- from a client of this protocol */

struct forwarding {
    struct arena *arena;
    const struct responses_chat *chat;
    struct json_writer w;
    int failed;
};

/* Reasoning that the backend can read: sealed, and not by us. Without that it would look for it in its own store. */
static bool keeps_reasoning(struct forwarding *f, const struct json_doc *doc, json_ref item) {
    json_ref sealed = value_get(doc, item, "encrypted_content");
    vsr_str blob, plain;
    if (!json_is(doc, sealed, JSON_STRING) || !json_str(f->arena, doc, sealed, &blob) || blob.len == 0)
        return false;
    return !f->chat->unseal || f->chat->unseal(f->chat->unseal_user, f->arena, blob, &plain) < 0;
}

/* Types whose ids a backend does not need, and would look for. */
static bool needs_no_id(const struct json_doc *doc, json_ref type) {
    return type == JSON_NONE || value_equals(doc, type, "message") || value_equals(doc, type, "function_call") ||
           value_equals(doc, type, "function_call_output");
}

static void forward_item(struct forwarding *f, const struct json_doc *doc, json_ref item) {
    json_ref type = value_get(doc, item, "type");
    bool bare = needs_no_id(doc, type);
    if (!json_is(doc, item, JSON_OBJECT))
        return;
    if (value_equals(doc, type, "reasoning") && !keeps_reasoning(f, doc, item))
        return;
    json_write_begin_object(&f->w);
    for (json_ref key = json_first(doc, item); key != JSON_NONE;) {
        json_ref value = json_next(doc, item, key);
        bool skip = json_str_eq(doc, key, VSR_STR("status")) || (bare && json_str_eq(doc, key, VSR_STR("id")));
        vsr_str name;
        if (!skip) {
            if (!json_str(f->arena, doc, key, &name)) {
                f->failed = VSR_E_NOMEM;
                break;
            }
            json_write_key(&f->w, name);
            json_write_raw(&f->w, json_raw(doc, value));
        }
        key = json_next(doc, item, value);
    }
    json_write_end(&f->w);
}

static void forward_items(struct forwarding *f, vsr_str items) {
    struct json_doc doc;
    if (items.len == 0 || f->failed)
        return;
    if (json_parse(f->arena, items, &doc, NULL) < 0) {
        f->failed = VSR_E_INTERNAL;
        return;
    }
    for (json_ref item = json_first(&doc, 0); item != JSON_NONE; item = json_next(&doc, 0, item))
        forward_item(f, &doc, item);
}

static void forward_own(struct forwarding *f, const struct responses_request *request) {
    const struct json_doc *doc = request->doc;
    json_ref input = request->members[RESPONSES_INPUT];
    if (json_is(doc, input, JSON_STRING)) {
        json_write_begin_object(&f->w);
        member_str(&f->w, "role", VSR_STR("user"));
        member_copy(&f->w, "content", doc, input);
        json_write_end(&f->w);
        return;
    }
    for (json_ref item = json_first(doc, input); item != JSON_NONE; item = json_next(doc, input, item))
        if (value_equals(doc, value_get(doc, item, "type"), "reasoning"))
            forward_item(f, doc, item);
        else
            json_write_raw(&f->w, json_raw(doc, item));
}

static int write_input(struct forwarding *f, const struct responses_request *request, struct buf *out) {
    json_write_init(&f->w, out);
    json_write_begin_array(&f->w);
    for (size_t i = 0; i < f->chat->n_turns; i++) {
        forward_items(f, f->chat->turns[i].input);
        forward_items(f, f->chat->turns[i].output);
    }
    forward_own(f, request);
    json_write_end(&f->w);
    return f->failed ? f->failed : buf_failed(out);
}

static int set(struct json_edit *edit, const char *key, vsr_str raw, struct vsr_err *err) {
    const struct json_step path[] = { JSON_KEY_STR(str_from_c(key)) };
    return json_edit_set(edit, path, 1, raw, err);
}

static int drop(struct json_edit *edit, const char *key, struct vsr_err *err) {
    const struct json_step path[] = { JSON_KEY_STR(str_from_c(key)) };
    return json_edit_delete(edit, path, 1, err);
}

static vsr_str quote(struct arena *arena, vsr_str text) {
    struct buf out;
    vsr_str quoted;
    buf_init(&out, 16 * text.len + 64);
    json_quote(&out, text);
    quoted = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return quoted;
}

int responses_forward(struct arena *arena, const struct responses_request *request, const struct responses_chat *chat,
                      vsr_str model_id, vsr_str effort, struct buf *out, struct vsr_err *err) {
    const struct json_step effort_path[] = { JSON_KEY("reasoning"), JSON_KEY("effort") };
    static const char *const ours[] = { "previous_response_id", "conversation", "conversation_id", "background" };
    struct forwarding f = { .arena = arena, .chat = chat };
    struct json_edit *edit = json_edit_new(arena, request->doc);
    bool array = json_is(request->doc, request->members[RESPONSES_INPUT], JSON_ARRAY);
    struct buf input;
    int rc = set(edit, "model", quote(arena, model_id), err);
    buf_init(&input, out->max);
    if (rc == 0)
        rc = set(edit, "store", VSR_STR("false"), err);
    if (rc == 0 && effort.len)
        rc = json_edit_set(edit, effort_path, VSR_COUNT(effort_path), quote(arena, effort), err);
    for (size_t i = 0; i < VSR_COUNT(ours) && rc == 0; i++)
        rc = drop(edit, ours[i], err);
    if (rc == 0 && (chat->n_turns > 0 || array)) {
        rc = write_input(&f, request, &input);
        if (rc == 0)
            rc = set(edit, "input", buf_str(&input), err);
        else
            rc = err_set(err, rc, "the conversation is larger than this server accepts");
    }
    if (rc == 0 && json_edit_apply(edit, out) < 0)
        rc = err_set(err, buf_failed(out), "the conversation is larger than this server accepts");
    buf_done(&input);
    return rc;
}

/* ---- from chat */

struct writing {
    const struct json_doc *doc;
    struct warnings *warnings;
    struct json_writer w;
};

static void warn(struct writing *t, const char *reason, const char *field) {
    warnings_add(t->warnings, WARNING_LOSSY, reason, str_from_c(field), VSR_STR(""));
}

static void write_part(struct writing *t, json_ref part, const char *text_type) {
    const struct json_doc *doc = t->doc;
    json_ref type = value_get(doc, part, "type"), image = value_get(doc, part, "image_url"),
             file = value_get(doc, part, "file");
    if (value_equals(doc, type, "text")) {
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", str_from_c(text_type));
        member_copy(&t->w, "text", doc, value_get(doc, part, "text"));
        json_write_end(&t->w);
    } else if (value_equals(doc, type, "image_url")) {
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", VSR_STR("input_image"));
        member_copy(&t->w, "image_url", doc, json_is(doc, image, JSON_OBJECT) ? value_get(doc, image, "url") : image);
        member_copy(&t->w, "detail", doc, value_get(doc, image, "detail"));
        json_write_end(&t->w);
    } else if (value_equals(doc, type, "file") && json_is(doc, file, JSON_OBJECT)) {
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", VSR_STR("input_file"));
        member_copy(&t->w, "filename", doc, value_get(doc, file, "filename"));
        member_copy(&t->w, "file_data", doc, value_get(doc, file, "file_data"));
        member_copy(&t->w, "file_id", doc, value_get(doc, file, "file_id"));
        json_write_end(&t->w);
    } else if (value_equals(doc, type, "input_audio")) {
        json_write_raw(&t->w, json_raw(doc, part));
    } else {
        warn(t, "unknown_part_dropped", "messages");
    }
}

static void write_parts(struct writing *t, json_ref content, const char *text_type) {
    const struct json_doc *doc = t->doc;
    json_write_begin_array(&t->w);
    if (json_is(doc, content, JSON_STRING)) {
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", str_from_c(text_type));
        member_copy(&t->w, "text", doc, content);
        json_write_end(&t->w);
    } else if (json_is(doc, content, JSON_ARRAY)) {
        for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part))
            write_part(t, part, text_type);
    }
    json_write_end(&t->w);
}

static void write_input_message(struct writing *t, json_ref message, const char *role) {
    const struct json_doc *doc = t->doc;
    json_ref content = value_get(doc, message, "content");
    json_write_begin_object(&t->w);
    member_str(&t->w, "role", str_from_c(role));
    member_key(&t->w, "content");
    if (json_is(doc, content, JSON_STRING))
        json_write_raw(&t->w, json_raw(doc, content));
    else
        write_parts(t, content, "input_text");
    json_write_end(&t->w);
}

static void write_call(struct writing *t, json_ref call) {
    const struct json_doc *doc = t->doc;
    json_ref function = value_get(doc, call, "function"), arguments = value_get(doc, function, "arguments");
    if (!json_is(doc, function, JSON_OBJECT)) {
        warn(t, "tool_call_dropped", "messages");
        return;
    }
    json_write_begin_object(&t->w);
    member_str(&t->w, "type", VSR_STR("function_call"));
    member_copy(&t->w, "call_id", doc, value_get(doc, call, "id"));
    member_copy(&t->w, "name", doc, value_get(doc, function, "name"));
    member_raw(&t->w, "arguments", json_is(doc, arguments, JSON_STRING) ? json_raw(doc, arguments) : VSR_STR("\"{}\""));
    json_write_end(&t->w);
}

static void write_assistant(struct writing *t, json_ref message) {
    const struct json_doc *doc = t->doc;
    json_ref content = value_get(doc, message, "content"), refusal = value_get(doc, message, "refusal");
    json_ref calls = value_get(doc, message, "tool_calls");
    if (json_is(doc, refusal, JSON_STRING)) {
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", VSR_STR("message"));
        member_str(&t->w, "role", VSR_STR("assistant"));
        member_key(&t->w, "content");
        json_write_begin_array(&t->w);
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", VSR_STR("refusal"));
        member_copy(&t->w, "refusal", doc, refusal);
        json_write_end(&t->w);
        json_write_end(&t->w);
        json_write_end(&t->w);
    } else if (value_is_present(doc, content) &&
               !(json_is(doc, content, JSON_STRING) && json_str_len(doc, content) == 0)) {
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", VSR_STR("message"));
        member_str(&t->w, "role", VSR_STR("assistant"));
        member_key(&t->w, "content");
        write_parts(t, content, "output_text");
        json_write_end(&t->w);
    }
    if (json_is(doc, calls, JSON_ARRAY))
        for (json_ref call = json_first(doc, calls); call != JSON_NONE; call = json_next(doc, calls, call))
            write_call(t, call);
}

static void write_tool(struct writing *t, json_ref message) {
    const struct json_doc *doc = t->doc;
    json_ref content = value_get(doc, message, "content");
    json_write_begin_object(&t->w);
    member_str(&t->w, "type", VSR_STR("function_call_output"));
    member_copy(&t->w, "call_id", doc, value_get(doc, message, "tool_call_id"));
    member_key(&t->w, "output");
    if (json_is(doc, content, JSON_STRING))
        json_write_raw(&t->w, json_raw(doc, content));
    else
        write_parts(t, content, "input_text");
    json_write_end(&t->w);
}

static void write_messages(struct writing *t) {
    const struct json_doc *doc = t->doc;
    json_ref list = value_get(doc, 0, "messages");
    member_key(&t->w, "input");
    json_write_begin_array(&t->w);
    for (json_ref message = json_is(doc, list, JSON_ARRAY) ? json_first(doc, list) : JSON_NONE; message != JSON_NONE;
         message = json_next(doc, list, message)) {
        json_ref role = value_get(doc, message, "role");
        if (value_equals(doc, role, "assistant"))
            write_assistant(t, message);
        else if (value_equals(doc, role, "tool"))
            write_tool(t, message);
        else if (value_equals(doc, role, "system") || value_equals(doc, role, "developer"))
            write_input_message(t, message, value_equals(doc, role, "system") ? "system" : "developer");
        else if (value_equals(doc, role, "user"))
            write_input_message(t, message, "user");
        else
            warn(t, "unknown_role_dropped", "messages");
    }
    json_write_end(&t->w);
}

static void write_flat(struct writing *t, json_ref from, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        member_copy(&t->w, names[i], t->doc, value_get(t->doc, from, names[i]));
}

static void write_tools(struct writing *t) {
    static const char *const names[] = { "name", "description", "parameters", "strict" };
    const struct json_doc *doc = t->doc;
    json_ref list = value_get(doc, 0, "tools");
    if (!json_is(doc, list, JSON_ARRAY))
        return;
    member_key(&t->w, "tools");
    json_write_begin_array(&t->w);
    for (json_ref tool = json_first(doc, list); tool != JSON_NONE; tool = json_next(doc, list, tool)) {
        json_ref function = value_get(doc, tool, "function");
        if (!json_is(doc, function, JSON_OBJECT)) {
            warn(t, "tool_dropped", "tools");
            continue;
        }
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", VSR_STR("function"));
        write_flat(t, function, names, VSR_COUNT(names));
        if (!value_is_present(doc, value_get(doc, function, "strict"))) { /* chat's default; here it would be true */
            member_bool(&t->w, "strict", false);
        }
        json_write_end(&t->w);
    }
    json_write_end(&t->w);
}

static void write_tool_choice(struct writing *t) {
    const struct json_doc *doc = t->doc;
    json_ref choice = value_get(doc, 0, "tool_choice"),
             name = value_get(doc, value_get(doc, choice, "function"), "name");
    if (json_is(doc, name, JSON_STRING)) {
        member_key(&t->w, "tool_choice");
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", VSR_STR("function"));
        member_copy(&t->w, "name", doc, name);
        json_write_end(&t->w);
    } else if (json_is(doc, choice, JSON_STRING)) {
        member_copy(&t->w, "tool_choice", doc, choice);
    }
}

static void write_text(struct writing *t) {
    static const char *const names[] = { "name", "description", "schema", "strict" };
    const struct json_doc *doc = t->doc;
    json_ref format = value_get(doc, 0, "response_format"), verbosity = value_get(doc, 0, "verbosity");
    json_ref type = value_get(doc, format, "type"), schema = value_get(doc, format, "json_schema");
    if (!value_is_present(doc, format) && !value_is_present(doc, verbosity))
        return;
    member_key(&t->w, "text");
    json_write_begin_object(&t->w);
    member_copy(&t->w, "verbosity", doc, verbosity);
    if (json_is(doc, type, JSON_STRING)) {
        member_key(&t->w, "format");
        json_write_begin_object(&t->w);
        member_copy(&t->w, "type", doc, type);
        if (json_is(doc, schema, JSON_OBJECT))
            write_flat(t, schema, names, VSR_COUNT(names));
        json_write_end(&t->w);
    }
    json_write_end(&t->w);
}

static void write_logprobs(struct writing *t) {
    bool wanted = false;
    json_ref ref = value_get(t->doc, 0, "logprobs");
    if (ref == JSON_NONE || !json_bool(t->doc, ref, &wanted) || !wanted)
        return;
    member_raw(&t->w, "include", VSR_STR("[\"message.output_text.logprobs\"]"));
    member_copy(&t->w, "top_logprobs", t->doc, value_get(t->doc, 0, "top_logprobs"));
}

static void write_reasoning(struct writing *t, vsr_str effort) {
    json_ref own = value_get(t->doc, 0, "reasoning_effort");
    if (effort.len == 0 && !value_is_present(t->doc, own))
        return;
    member_key(&t->w, "reasoning");
    json_write_begin_object(&t->w);
    member_key(&t->w, "effort");
    if (effort.len)
        json_write_str(&t->w, effort);
    else
        json_write_raw(&t->w, json_raw(t->doc, own));
    json_write_end(&t->w);
}

int chat_to_responses(struct arena *arena, const struct json_doc *chat, vsr_str model_id, vsr_str effort,
                      struct warnings *warnings, struct buf *out, struct vsr_err *err) {
    static const char *const same[] = { "temperature",
                                        "top_p",
                                        "user",
                                        "metadata",
                                        "service_tier",
                                        "stream",
                                        "prompt_cache_key",
                                        "safety_identifier",
                                        "parallel_tool_calls" };
    static const char *const lost[] = { "stop", "seed", "presence_penalty", "frequency_penalty", "logit_bias" };
    struct writing t = { .doc = chat, .warnings = warnings };
    json_ref max = value_get(chat, 0, "max_completion_tokens"), n = value_get(chat, 0, "n");
    int64_t choices = 1;
    (void)arena;
    json_write_init(&t.w, out);
    json_write_begin_object(&t.w);
    json_write_key(&t.w, VSR_STR("model"));
    json_write_str(&t.w, model_id);
    write_messages(&t);
    member_copy(&t.w, "max_output_tokens", chat, !value_is_present(chat, max) ? value_get(chat, 0, "max_tokens") : max);
    write_flat(&t, 0, same, VSR_COUNT(same));
    write_reasoning(&t, effort);
    write_text(&t);
    write_logprobs(&t);
    write_tools(&t);
    write_tool_choice(&t);
    json_write_key(&t.w, VSR_STR("store"));
    json_write_bool(&t.w, false); /* a chat is not kept, and nobody here would know its name */
    json_write_end(&t.w);
    for (size_t i = 0; i < VSR_COUNT(lost); i++)
        if (value_is_present(chat, value_get(chat, 0, lost[i])))
            warn(&t, "parameter_dropped", lost[i]);
    if (n != JSON_NONE && json_i64(chat, n, &choices) && choices > 1)
        warn(&t, "parameter_dropped", "n");
    return buf_failed(out) ? err_set(err, buf_failed(out), "the request is larger than this server accepts") : 0;
}
