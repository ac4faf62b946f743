/* links: wire */
/*
 * Request facts, session identity and edits over any JSON that a client may send: no reader trips, sums add up, texts
 * are UTF-8, and an edited body is JSON again.
 */
#include <stdint.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/utf8.h"
#include "wire/chat_edit.h"
#include "wire/chat_reasoning.h"
#include "wire/envelope.h"
#include "wire/facts.h"
#include "wire/session_id.h"
#include "wire/usage.h"

enum { BODY_LEN_MAX = 1 << 20, ARENA_LEN_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_text(vsr_str text) {
    VSR_ASSERT(utf8_check(text) == text.len);
}

static void check_facts(struct arena *arena, const struct json_doc *doc) {
    struct request_facts facts;
    struct vsr_err err = VSR_ERR_NONE;
    struct session_id_input input = { .user_id = VSR_STR("u"), .request_id = VSR_STR("r") };
    const struct facts_options options = { .model_optional = true };
    if (facts_read_chat(arena, doc, &options, &facts, &err) < 0) {
        VSR_ASSERT(err.code == VSR_E_INVALID && err.text[0]);
        return;
    }
    check_text(facts.eval_text);
    check_text(facts.context_text);
    for (size_t i = 0; i < facts.prior_user.n; i++)
        check_text(facts.prior_user.items[i]);
    VSR_ASSERT(facts.prior_user.n <= facts.n_user);
    VSR_ASSERT(facts.n_tool_results <= facts.n_messages);
    VSR_ASSERT(facts.token_floor >= facts.token_floor_input);
    input.facts = &facts;
    VSR_ASSERT(session_id(arena, &input).len > 0);
}

/* Whatever was edited must be JSON, with the change in it. */
static void check_edit(struct arena *arena, const struct json_doc *doc, const struct chat_reasoning *reasoning) {
    struct json_edit *edit = json_edit_new(arena, doc);
    struct json_doc edited;
    struct vsr_err err = VSR_ERR_NONE;
    struct buf out;
    buf_init(&out, 2 * BODY_LEN_MAX);
    VSR_ASSERT(chat_edit_model(arena, edit, doc, VSR_STR("m\"1"), &err) == 0);
    VSR_ASSERT(chat_edit_include_usage(edit, doc, &err) == 0);
    VSR_ASSERT(chat_reasoning_apply(arena, edit, doc, reasoning, &err) == 0);
    VSR_ASSERT(json_edit_apply(edit, &out) == 0);
    VSR_ASSERT(json_parse(arena, buf_str(&out), &edited, &err) == 0);
    VSR_ASSERT(json_str_eq(&edited, json_get(&edited, 0, VSR_STR("model")), VSR_STR("m\"1")));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct arena *arena;
    struct json_doc doc;
    struct usage usage;
    struct envelope envelope;
    if (len < 1 || len > BODY_LEN_MAX)
        return 0;
    arena = arena_new(0, ARENA_LEN_MAX);
    if (json_parse(arena, str_make((const char *)bytes + 1, len - 1), &doc, NULL) == 0) {
        struct chat_reasoning reasoning = {
            .family = (enum chat_family)(bytes[0] & 3),
            .dialect = (enum chat_dialect)((bytes[0] >> 2) % 5),
            .parameter = bytes[0] & 64 ? VSR_STR("reasoning.effort") : VSR_STR("reasoning_effort"),
            .on = bytes[0] & 128,
        };
        check_facts(arena, &doc);
        envelope_measure(&doc, ENVELOPE_ANTHROPIC_MESSAGES, &envelope);
        VSR_ASSERT(envelope_floor(&envelope, 1) >= envelope_input_tokens(&envelope, 3));
        (void)usage_read_answer(&doc, &usage); /* any shape will do */
        if (json_is(&doc, 0, JSON_OBJECT))
            check_edit(arena, &doc, &reasoning);
    }
    arena_free(arena);
    return 0;
}
