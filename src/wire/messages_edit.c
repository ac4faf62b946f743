#include "wire/messages_edit.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "wire/chat_reasoning.h"
#include "wire/messages_request.h"
#include "wire/value.h"

enum { PROMPT_LEN_MAX = 4 << 20 };

int64_t messages_thinking_budget(vsr_str effort, int64_t max_tokens) {
    static const struct {
        vsr_str effort;
        int64_t budget;
    } budgets[] = {
        { VSR_STR_INIT("minimal"), MESSAGES_BUDGET_LOW }, { VSR_STR_INIT("low"), MESSAGES_BUDGET_LOW },
        { VSR_STR_INIT("high"), MESSAGES_BUDGET_HIGH },   { VSR_STR_INIT("xhigh"), MESSAGES_BUDGET_HIGH },
        { VSR_STR_INIT("max"), MESSAGES_BUDGET_HIGH },
    };
    int64_t budget = MESSAGES_BUDGET_MEDIUM;
    for (size_t i = 0; i < VSR_COUNT(budgets); i++)
        if (str_eq(budgets[i].effort, effort))
            budget = budgets[i].budget;
    if (budget >= max_tokens)
        budget = max_tokens > 0 ? max_tokens - 1 : 0;
    return budget < MESSAGES_BUDGET_LOW ? 0 : budget;
}

static bool is_signed(const struct json_doc *doc, json_ref block) {
    return value_is_filled(doc, value_get(doc, block, "signature"));
}

/* A block that the API accepts as the thinking before a call. */
static bool is_thought(const struct json_doc *doc, json_ref block) {
    return value_type_is(doc, block, "redacted_thinking") ||
           (value_type_is(doc, block, "thinking") && is_signed(doc, block));
}

static bool is_result(const struct json_doc *doc, json_ref block) {
    return value_type_is(doc, block, "tool_result");
}

static bool has_block(const struct json_doc *doc, json_ref message, bool (*is)(const struct json_doc *, json_ref)) {
    json_ref content = value_get(doc, message, "content");
    if (!json_is(doc, content, JSON_ARRAY))
        return false;
    for (json_ref block = json_first(doc, content); block != JSON_NONE; block = json_next(doc, content, block))
        if (is(doc, block))
            return true;
    return false;
}

bool messages_may_think(const struct json_doc *doc) {
    json_ref messages = value_get(doc, 0, "messages"), assistant = JSON_NONE, last = JSON_NONE;
    if (!json_is(doc, messages, JSON_ARRAY))
        return true;
    for (json_ref m = json_first(doc, messages); m != JSON_NONE; m = json_next(doc, messages, m)) {
        last = m;
        if (value_equals(doc, value_get(doc, m, "role"), "assistant"))
            assistant = m;
    }
    return !has_block(doc, last, is_result) || has_block(doc, assistant, is_thought);
}

static int delete_member(struct json_edit *edit, const struct json_doc *doc, vsr_str key, struct vsr_err *err) {
    struct json_step path[] = { JSON_KEY_STR(key) };
    return json_get(doc, 0, key) == JSON_NONE ? 0 : json_edit_delete(edit, path, VSR_COUNT(path), err);
}

static int64_t max_tokens_of(const struct json_doc *doc) {
    int64_t tokens;
    return value_count(doc, value_get(doc, 0, "max_tokens"), &tokens) ? tokens : MESSAGES_MAX_TOKENS_DEFAULT;
}

static int think(struct arena *arena, struct json_edit *edit, const struct json_doc *doc, int64_t budget,
                 struct vsr_err *err) {
    static const struct json_step thinking[] = { { .key = VSR_STR_INIT("thinking") } };
    json_ref choice = value_get(doc, 0, "tool_choice");
    vsr_str raw = arena_printf(arena, "{\"type\":\"enabled\",\"budget_tokens\":%lld}", (long long)budget);
    int rc = json_edit_set(edit, thinking, VSR_COUNT(thinking), raw, err);
    if (rc == 0)
        rc = delete_member(edit, doc, VSR_STR("temperature"), err);
    if (rc == 0)
        rc = delete_member(edit, doc, VSR_STR("top_k"), err);
    if (rc == 0 && (value_type_is(doc, choice, "any") || value_type_is(doc, choice, "tool")))
        rc = delete_member(edit, doc, VSR_STR("tool_choice"), err);
    return rc;
}

int messages_edit_reasoning(struct arena *arena, struct json_edit *edit, const struct json_doc *doc,
                            const struct chat_reasoning *reasoning, struct vsr_err *err) {
    int64_t budget;
    if (!reasoning->on)
        return reasoning->family == CHAT_FAMILY_NONE ? 0 : delete_member(edit, doc, VSR_STR("thinking"), err);
    budget = messages_thinking_budget(reasoning->effort, max_tokens_of(doc));
    if (budget == 0 || !messages_may_think(doc))
        return delete_member(edit, doc, VSR_STR("thinking"), err);
    return think(arena, edit, doc, budget, err);
}

static bool is_unsigned(const struct json_doc *doc, json_ref block) {
    return value_type_is(doc, block, "thinking") && !is_signed(doc, block);
}

static size_t count_unsigned(const struct json_doc *doc, json_ref content) {
    size_t n = 0;
    if (!json_is(doc, content, JSON_ARRAY))
        return 0;
    for (json_ref b = json_first(doc, content); b != JSON_NONE; b = json_next(doc, content, b))
        n += is_unsigned(doc, b);
    return n;
}

/* A message that would be left empty goes, too: the API takes none. */
static int delete_unsigned(struct json_edit *edit, const struct json_doc *doc, json_ref content, size_t message,
                           size_t n, struct vsr_err *err) {
    struct json_step path[] = { JSON_KEY("messages"), JSON_INDEX(message), JSON_KEY("content"), JSON_INDEX(0) };
    int rc = 0;
    if (n == json_count(doc, content))
        return json_edit_delete(edit, path, 2, err);
    for (json_ref b = json_first(doc, content); b != JSON_NONE && rc == 0; b = json_next(doc, content, b)) {
        if (is_unsigned(doc, b))
            rc = json_edit_delete(edit, path, VSR_COUNT(path), err);
        path[3].index++;
    }
    return rc;
}

int messages_edit_unsigned_thinking(struct json_edit *edit, const struct json_doc *doc, struct vsr_err *err) {
    json_ref messages = value_get(doc, 0, "messages");
    size_t index = 0, n_deleted = 0;
    if (!json_is(doc, messages, JSON_ARRAY))
        return 0;
    for (json_ref m = json_first(doc, messages); m != JSON_NONE; m = json_next(doc, messages, m), index++) {
        json_ref content = value_get(doc, m, "content");
        size_t n = count_unsigned(doc, content);
        int rc = n == 0 ? 0 : delete_unsigned(edit, doc, content, index, n, err);
        if (rc < 0)
            return rc;
        n_deleted += n;
    }
    return n_deleted > 0 && !messages_may_think(doc) ? delete_member(edit, doc, VSR_STR("thinking"), err) : 0;
}

int messages_edit_max_tokens(struct json_edit *edit, const struct json_doc *doc, struct vsr_err *err) {
    static const struct json_step path[] = { { .key = VSR_STR_INIT("max_tokens") } };
    char raw[32];
    int len = snprintf(raw, sizeof(raw), "%d", MESSAGES_MAX_TOKENS_DEFAULT);
    if (value_is_present(doc, value_get(doc, 0, "max_tokens")))
        return 0;
    return json_edit_set(edit, path, VSR_COUNT(path), str_make(raw, (size_t)len), err);
}

static void write_text_block(struct buf *out, vsr_str text) {
    buf_append(out, VSR_STR("{\"type\":\"text\",\"text\":"));
    json_quote(out, text);
    buf_append_char(out, '}');
}

/* The new prompt before the old one, which is a string. */
static int write_joined(struct arena *arena, struct buf *out, const struct json_doc *doc, json_ref system,
                        vsr_str text) {
    vsr_str old, both;
    if (!json_str(arena, doc, system, &old))
        return VSR_E_NOMEM;
    both = old.len > 0 ? arena_printf(arena, "%.*s\n\n%.*s", VSR_FMT(text), VSR_FMT(old)) : text;
    json_quote(out, both);
    return buf_failed(out);
}

int messages_edit_system(struct arena *arena, struct json_edit *edit, const struct json_doc *doc, vsr_str text,
                         struct vsr_err *err) {
    static const struct json_step front[] = { { .key = VSR_STR_INIT("system") }, { .index = 0 } };
    json_ref system = value_get(doc, 0, "system");
    bool blocks = json_is(doc, system, JSON_ARRAY);
    struct buf out;
    int rc = 0;
    buf_init(&out, PROMPT_LEN_MAX);
    if (blocks)
        write_text_block(&out, text);
    else if (json_is(doc, system, JSON_STRING))
        rc = write_joined(arena, &out, doc, system, text);
    else
        json_quote(&out, text);
    if (rc == 0)
        rc = buf_failed(&out);
    if (rc < 0)
        (void)err_set(err, rc, "the system prompt: %s", err_code_text(rc));
    else
        rc = blocks ? json_edit_insert(edit, front, 2, buf_str(&out), err)
                    : json_edit_set(edit, front, 1, buf_str(&out), err);
    buf_done(&out);
    return rc;
}
