/*
 * Messages in Chat Completions as they are written, and the warnings of what could not be.
 */
#include "core/arena.h"
#include "core/buf.h"
#include "wire/member_write.h"
#include "wire/messages_to_chat.h"

static const vsr_str none = VSR_STR_INIT("");

vsr_str to_chat_text(struct to_chat *job, json_ref string) {
    vsr_str decoded = { NULL, 0 };
    if (value_is_string(job->doc, string) && !json_str(job->arena, job->doc, string, &decoded))
        job->failed = true;
    return decoded;
}

/* All blocks that pass, joined by commas in the arena. */
vsr_str to_chat_join(struct to_chat *job, json_ref content, bool (*passes)(const struct to_chat *, json_ref)) {
    const struct json_doc *doc = job->doc;
    size_t len = 0, at = 0;
    char *out;
    for (json_ref b = json_first(doc, content); b != JSON_NONE; b = json_next(doc, content, b))
        if (passes(job, b))
            len += json_raw(doc, b).len + 1;
    if (len == 0)
        return none;
    out = arena_try_alloc_raw(job->arena, len);
    if (!out) {
        job->failed = true;
        return none;
    }
    for (json_ref b = json_first(doc, content); b != JSON_NONE; b = json_next(doc, content, b)) {
        vsr_str block = json_raw(doc, b);
        if (!passes(job, b))
            continue;
        if (at > 0)
            out[at++] = ',';
        memcpy(out + at, block.ptr, block.len);
        at += block.len;
    }
    return str_make(out, at);
}

/* ---- warnings */

void to_chat_warn(struct to_chat *job, enum warning_severity severity, const char *reason, vsr_str field,
                  json_ref block) {
    json_ref type = block == JSON_NONE ? JSON_NONE : value_get(job->doc, block, "type");
    warnings_add(job->warnings, severity, reason, field,
                 value_is_string(job->doc, type) ? value_inside(job->doc, type) : none);
}

void to_chat_warn_block(struct to_chat *job, enum warning_severity severity, const char *reason, size_t index,
                        json_ref block) {
    char field[64];
    int len = snprintf(field, sizeof(field), "messages.%zu.content.%zu", job->message, index);
    to_chat_warn(job, severity, reason, str_make(field, (size_t)len), block);
}

void to_chat_warn_item(struct to_chat *job, enum warning_severity severity, const char *reason, const char *list,
                       size_t index, json_ref item) {
    char field[64];
    int len = snprintf(field, sizeof(field), "%s.%zu", list, index);
    to_chat_warn(job, severity, reason, str_make(field, (size_t)len), item);
}

/* ---- messages */

void to_chat_begin_message(struct to_chat *job, vsr_str role) {
    json_write_begin_object(&job->w);
    job->message_start = job->w.out->len - 1;
    member_str(&job->w, "role", role);
}

struct sidecar_mark to_chat_end_message(struct to_chat *job) {
    vsr_str written;
    json_write_end(&job->w);
    if (buf_failed(job->w.out))
        return (struct sidecar_mark){ 0 };
    written = buf_str(job->w.out);
    return sidecar_mark(str_sub(written, job->message_start, written.len));
}

void to_chat_note(struct to_chat *job, struct sidecar_origins *origins, const struct sidecar_origin *origin) {
    if (sidecar_note(job->sidecar, origins, origin) < 0)
        job->failed = true;
}

/* ---- parts */

static void write_text_part(struct to_chat *job, json_ref string) {
    json_write_begin_object(&job->w);
    member_str(&job->w, "type", VSR_STR("text"));
    member_copy(&job->w, "text", job->doc, string);
    json_write_end(&job->w);
}

void to_chat_open_parts(struct to_chat *job, struct to_chat_parts *parts) {
    if (!parts->open) {
        member_key(&job->w, "content");
        json_write_begin_array(&job->w);
        parts->open = true;
    }
    if (parts->lone != JSON_NONE)
        write_text_part(job, parts->lone);
    parts->lone = JSON_NONE;
}

void to_chat_add_text(struct to_chat *job, struct to_chat_parts *parts, json_ref string) {
    if (!value_is_filled(job->doc, string))
        return;
    if (!parts->open && parts->lone == JSON_NONE) {
        parts->lone = string;
        return;
    }
    to_chat_open_parts(job, parts);
    write_text_part(job, string);
}

/* `empty` is written where there was nothing: a string or null. */
void to_chat_close_parts(struct to_chat *job, struct to_chat_parts *parts, vsr_str empty) {
    if (parts->open) {
        json_write_end(&job->w);
        return;
    }
    member_key(&job->w, "content");
    json_write_raw(&job->w, parts->lone == JSON_NONE ? empty : json_raw(job->doc, parts->lone));
}
