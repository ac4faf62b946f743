/* links: wire */
/*
 * Anthropic Messages, whatever the bytes: answers as fuzz_chat_decoder does; requests both ways, where what is made
 * must be valid JSON and warnings keep to their limit; edits in place.
 *
 * First byte below 128 and even: a request. Else an answer, whose choices are those of fuzz_chat_decoder.
 */
#include "answer_fuzz.h"
#include "core/json_edit.h"
#include "wire/chat_reasoning.h"
#include "wire/messages_edit.h"
#include "wire/messages_request.h"
#include "wire/messages_tokens.h"
#include "wire/sidecar.h"
#include "wire/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_json(struct arena *arena, const struct buf *text, struct json_doc *ret_doc) {
    int rc = json_parse(arena, buf_str(text), ret_doc, NULL);
    VSR_ASSERT(rc == 0 || rc == VSR_E_LIMIT); /* deeper than what it was made of */
}

static void check_edits(struct arena *arena, const struct json_doc *doc, bool on) {
    struct json_edit *edit = json_edit_new(arena, doc);
    struct chat_reasoning reasoning = { .on = on, .family = CHAT_FAMILY_EFFORT, .effort = VSR_STR("low") };
    struct json_doc edited = { .n_nodes = 0 };
    struct buf out;
    buf_init(&out, FUZZ_LOG_LEN_MAX);
    (void)messages_edit_unsigned_thinking(edit, doc, NULL);
    (void)messages_edit_reasoning(arena, edit, doc, &reasoning, NULL);
    (void)messages_edit_system(arena, edit, doc, VSR_STR("rule"), NULL);
    VSR_ASSERT(messages_edit_max_tokens(edit, doc, NULL) == 0);
    VSR_ASSERT(json_edit_apply(edit, &out) == 0);
    check_json(arena, &out, &edited);
    VSR_ASSERT(edited.n_nodes == 0 || value_is_present(&edited, value_get(&edited, 0, "max_tokens")));
    buf_done(&out);
}

/* What goes to a backend. */
static void check_back(struct arena *arena, const struct json_doc *chat, const struct messages_write *options,
                       struct warnings *warnings) {
    struct buf out;
    struct json_doc doc;
    buf_init(&out, FUZZ_LOG_LEN_MAX);
    if (chat_to_messages(arena, chat, options, warnings, &out, NULL) == 0)
        check_json(arena, &out, &doc);
    buf_done(&out);
}

static void check_request(vsr_str text, bool flag) {
    struct arena *arena = arena_new(0, 0);
    struct warnings warnings;
    struct sidecar sidecar;
    struct chat_reasoning reasoning = { .on = true, .family = CHAT_FAMILY_EFFORT };
    struct messages_write options = { .sidecar = &sidecar, .model_id = VSR_STR("m") };
    struct json_doc doc, chat = { .n_nodes = 0 };
    struct buf out;
    uint64_t tokens;
    buf_init(&out, FUZZ_LOG_LEN_MAX);
    warnings_init(&warnings, arena);
    if (json_parse(arena, text, &doc, NULL) < 0)
        goto done;
    (void)messages_count_tokens(&doc, 4.0, &tokens, NULL);
    if (json_is(&doc, 0, JSON_OBJECT))
        check_edits(arena, &doc, flag);
    check_back(arena, &doc, &(struct messages_write){ .reasoning = flag ? &reasoning : NULL, .stream = flag }, NULL);
    if (messages_to_chat(arena, &doc, &sidecar, &warnings, &out, NULL) < 0)
        goto done;
    check_json(arena, &out, &chat);
    if (chat.n_nodes > 0)
        check_back(arena, &chat, &options, &warnings);
    VSR_ASSERT(warnings_header(&warnings, arena).len <= WARNINGS_HEADER_LEN_MAX);
done:
    buf_done(&out);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    vsr_str text;
    if (len == 0)
        return 0;
    text = str_make((const char *)bytes + 1, len - 1);
    if (bytes[0] < 128 && bytes[0] % 2 == 0)
        check_request(text, bytes[0] & 2u);
    else
        answer_fuzz(PROTOCOL_MESSAGES, bytes[0], text);
    return 0;
}
