/*
 * `system`: all system messages in one place, however far down the conversation they stood.
 */
#include "core/buf.h"
#include "wire/chat_to_messages.h"
#include "wire/member_write.h"
#include "wire/sidecar.h"

static bool is_clients_system(const struct to_messages *job, json_ref message) {
    return sidecar_mark_is(job->sidecar->system_written, json_raw(job->doc, message));
}

static bool has_system_blocks(const struct to_messages *job) {
    return job->sidecar->system.len > 0 && job->sidecar->system.ptr[0] == '[';
}

/* Calls `add` for each text of a system message, with its raw string. */
static void each_text(struct to_messages *job, json_ref message, void (*add)(struct to_messages *, vsr_str, void *),
                      void *user) {
    json_ref content = value_get(job->doc, message, "content");
    if (value_is_filled(job->doc, content))
        add(job, json_raw(job->doc, content), user);
    if (!json_is(job->doc, content, JSON_ARRAY))
        return;
    for (json_ref part = json_first(job->doc, content); part != JSON_NONE; part = json_next(job->doc, content, part)) {
        json_ref string = value_get(job->doc, part, "text");
        if (value_is_filled(job->doc, string))
            add(job, json_raw(job->doc, string), user);
    }
}

static void add_block(struct to_messages *job, vsr_str quoted, void *user) {
    (void)user;
    to_messages_text_block(job, TURN_SYSTEM, quoted);
}

static void add_paragraph(struct to_messages *job, vsr_str quoted, void *user) {
    struct buf *joined = user;
    (void)job;
    if (joined->len > 1)
        buf_append(joined, VSR_STR("\\n\\n"));
    buf_append(joined, str_sub(quoted, 1, quoted.len - 1));
}

static void write_system_blocks(struct to_messages *job, json_ref messages) {
    member_key(&job->w, "system");
    json_write_begin_array(&job->w);
    for (json_ref m = json_first(job->doc, messages); m != JSON_NONE; m = json_next(job->doc, messages, m)) {
        vsr_str blocks = job->sidecar->system;
        if (to_messages_turn_of(job, m) != TURN_SYSTEM)
            continue;
        if (!is_clients_system(job, m))
            each_text(job, m, add_block, NULL);
        else if (str_trim(str_sub(blocks, 1, blocks.len - 1)).len > 0)
            json_write_raw(&job->w, str_sub(blocks, 1, blocks.len - 1));
    }
    json_write_end(&job->w);
}

static void write_system_text(struct to_messages *job, json_ref messages) {
    struct buf joined;
    buf_init(&joined, JSON_TEXT_LEN_MAX);
    buf_append_char(&joined, '"');
    for (json_ref m = json_first(job->doc, messages); m != JSON_NONE; m = json_next(job->doc, messages, m))
        if (to_messages_turn_of(job, m) == TURN_SYSTEM)
            each_text(job, m, add_paragraph, &joined);
    buf_append_char(&joined, '"');
    if (buf_failed(&joined) && job->rc == 0)
        job->rc = buf_failed(&joined);
    if (joined.len > 2)
        member_raw(&job->w, "system", buf_str(&joined));
    buf_done(&joined);
}

/* The client's own bytes when theirs is the only system message and nobody has changed it. */
void to_messages_system(struct to_messages *job, json_ref messages) {
    size_t n = 0, n_own = 0;
    for (json_ref m = json_first(job->doc, messages); m != JSON_NONE; m = json_next(job->doc, messages, m)) {
        if (to_messages_turn_of(job, m) != TURN_SYSTEM)
            continue;
        n++;
        n_own += is_clients_system(job, m);
    }
    if (n == 1 && n_own == 1)
        member_raw(&job->w, "system", job->sidecar->system);
    else if (n_own > 0 && has_system_blocks(job))
        write_system_blocks(job, messages);
    else if (n > 0)
        write_system_text(job, messages);
}
