#include "wire/facts.h"

#include "core/arena.h"
#include "core/utf8.h"
#include "wire/envelope.h"
#include "wire/members.h"
#include "wire/value.h"

/* The members that facts are made of, looked up in one pass each. */
enum { MODEL, STREAM, STREAM_OPTIONS, METADATA, EFFORT, MESSAGES, TOOLS, FUNCTIONS, BODY_MEMBERS };
enum { ROLE, CONTENT, TOOL_CALLS, MESSAGE_MEMBERS };

static const vsr_str body_members[BODY_MEMBERS] = {
    [MODEL] = VSR_STR_INIT("model"),
    [STREAM] = VSR_STR_INIT("stream"),
    [STREAM_OPTIONS] = VSR_STR_INIT("stream_options"),
    [METADATA] = VSR_STR_INIT("metadata"),
    [EFFORT] = VSR_STR_INIT("reasoning_effort"),
    [MESSAGES] = VSR_STR_INIT("messages"),
    [TOOLS] = VSR_STR_INIT("tools"),
    [FUNCTIONS] = VSR_STR_INIT("functions"),
};

static const vsr_str message_members[MESSAGE_MEMBERS] = {
    [ROLE] = VSR_STR_INIT("role"),
    [CONTENT] = VSR_STR_INIT("content"),
    [TOOL_CALLS] = VSR_STR_INIT("tool_calls"),
};

/* One reading of one request. `failed` is sticky: memory ran out at the arena's ceiling. */
struct reading {
    struct arena *arena;
    const struct json_doc *doc;
    struct request_facts *facts;
    json_ref body[BODY_MEMBERS];
    json_ref message[MESSAGE_MEMBERS]; /* of the message that is being read */
    size_t prior_cap, non_user_cap, tool_text_cap, tool_names_cap, opening_cap;
    vsr_str last_image;     /* last safe image of the conversation */
    vsr_str turn_image;     /* first safe image of the last user message */
    bool after_tool_result; /* the message before this one was a tool result */
    bool failed;
};

enum { LIST_CAP_MIN = 8 };

/* As arena_grow(), for lists that a client makes long: false at the arena's ceiling. */
static bool grow(struct reading *r, void **items, size_t size, size_t n, size_t *cap) {
    size_t wanted = *cap ? *cap * 2 : LIST_CAP_MIN;
    void *moved;
    if (n < *cap)
        return true;
    moved = wanted > SIZE_MAX / size ? NULL : arena_try_alloc_raw(r->arena, wanted * size);
    if (!moved) {
        r->failed = true;
        return false;
    }
    if (n > 0)
        memcpy(moved, *items, n * size);
    *items = moved;
    *cap = wanted;
    return true;
}

static void texts_push(struct reading *r, struct texts *texts, size_t *cap, vsr_str text) {
    void *items = texts->items;
    if (!grow(r, &items, sizeof(vsr_str), texts->n, cap))
        return;
    texts->items = items;
    texts->items[texts->n++] = text;
}

/* Joins with one space; a single text is not copied. */
static vsr_str join(struct reading *r, const vsr_str *items, size_t n, vsr_str last) {
    size_t len = last.len, at = 0;
    size_t n_all = n + (last.len > 0);
    char *out;
    if (n_all == 0)
        return str_make(NULL, 0);
    if (n_all == 1)
        return n == 1 ? items[0] : last;
    for (size_t i = 0; i < n; i++)
        len += items[i].len;
    len += n_all - 1;
    out = arena_try_alloc_raw(r->arena, len);
    if (!out) {
        r->failed = true;
        return str_make(NULL, 0);
    }
    for (size_t i = 0; i < n_all; i++) {
        vsr_str item = i < n ? items[i] : last;
        if (i > 0)
            out[at++] = ' ';
        memcpy(out + at, item.ptr, item.len);
        at += item.len;
    }
    return str_make(out, at);
}

static vsr_str text_of(struct reading *r, json_ref ref) {
    vsr_str text = { NULL, 0 };
    if (json_is(r->doc, ref, JSON_STRING) && !json_str(r->arena, r->doc, ref, &text))
        r->failed = true;
    return text;
}

static bool member_is(const struct reading *r, json_ref object, vsr_str key, vsr_str value) {
    json_ref ref = json_get(r->doc, object, key);
    return json_is(r->doc, ref, JSON_STRING) && json_str_eq(r->doc, ref, value);
}

/* ---- content */

static bool is_text_part(const struct reading *r, json_ref part) {
    return json_is(r->doc, part, JSON_OBJECT) && (json_get(r->doc, part, VSR_STR("type")) == JSON_NONE ||
                                                  member_is(r, part, VSR_STR("type"), VSR_STR("text")));
}

/* All text parts with one space between them, empty ones left out. */
static vsr_str parts_text(struct reading *r, json_ref content) {
    vsr_str first = { NULL, 0 };
    struct texts parts = { 0 };
    size_t cap = 0;
    for (json_ref part = json_first(r->doc, content); part != JSON_NONE; part = json_next(r->doc, content, part)) {
        vsr_str text;
        if (!is_text_part(r, part))
            continue;
        text = text_of(r, json_get(r->doc, part, VSR_STR("text")));
        if (text.len == 0)
            continue;
        if (first.len == 0) {
            first = text;
            continue;
        }
        if (parts.n == 0)
            texts_push(r, &parts, &cap, first);
        texts_push(r, &parts, &cap, text);
    }
    return parts.n ? join(r, parts.items, parts.n, str_make(NULL, 0)) : first;
}

static vsr_str content_text(struct reading *r) {
    json_ref content = r->message[CONTENT];
    if (json_is(r->doc, content, JSON_ARRAY))
        return parts_text(r, content);
    return text_of(r, content);
}

static bool skip_nocase(vsr_str *text, vsr_str prefix) {
    if (text->len < prefix.len || !str_eq_nocase(str_make(text->ptr, prefix.len), prefix))
        return false;
    *text = str_make(text->ptr + prefix.len, text->len - prefix.len);
    return true;
}

/* An image that needs no fetching: `data:image/<known type>;base64,` and something behind it. */
static bool is_safe_image(vsr_str url) {
    static const vsr_str types[] = { VSR_STR_INIT("png"), VSR_STR_INIT("jpeg"), VSR_STR_INIT("jpg"),
                                     VSR_STR_INIT("gif"), VSR_STR_INIT("webp") };
    if (!skip_nocase(&url, VSR_STR("data:image/")))
        return false;
    for (size_t i = 0; i < VSR_COUNT(types); i++) {
        vsr_str rest = url;
        if (skip_nocase(&rest, types[i]) && skip_nocase(&rest, VSR_STR(";base64,")))
            return rest.len > 0;
    }
    return false;
}

static void read_image_url(struct reading *r, json_ref part) {
    json_ref image = json_get(r->doc, part, VSR_STR("image_url"));
    json_ref url = json_is(r->doc, image, JSON_OBJECT) ? json_get(r->doc, image, VSR_STR("url")) : image;
    vsr_str text = text_of(r, url);
    if (!is_safe_image(text))
        return;
    r->last_image = text;
    if (r->turn_image.len == 0)
        r->turn_image = text;
}

static void read_images(struct reading *r) {
    json_ref content = r->message[CONTENT];
    r->turn_image = str_make(NULL, 0);
    if (!json_is(r->doc, content, JSON_ARRAY))
        return;
    for (json_ref part = json_first(r->doc, content); part != JSON_NONE; part = json_next(r->doc, content, part)) {
        bool is_url = member_is(r, part, VSR_STR("type"), VSR_STR("image_url"));
        if (!is_url && !member_is(r, part, VSR_STR("type"), VSR_STR("input_image")))
            continue;
        r->facts->n_images++;
        if (is_url)
            read_image_url(r, part);
    }
}

/* ---- messages by role */

static void push_opening(struct reading *r, vsr_str text) {
    struct request_facts *facts = r->facts;
    void *items = facts->opening;
    if (text.len == 0 || facts->first_user.len > 0 ||
        !grow(r, &items, sizeof(struct facts_turn), facts->n_opening, &r->opening_cap))
        return;
    facts->opening = items;
    facts->opening[facts->n_opening++] = (struct facts_turn){ .role = text_of(r, r->message[ROLE]), .text = text };
}

static void read_user(struct reading *r, vsr_str text) {
    struct request_facts *facts = r->facts;
    facts->n_user++;
    facts->open_tool_calls = 0;
    read_images(r);
    if (text.len == 0)
        return;
    if (facts->current_user.len > 0)
        texts_push(r, &facts->prior_user, &r->prior_cap, facts->current_user);
    facts->current_user = text;
    if (facts->first_user.len == 0)
        facts->first_user = text;
}

static void push_non_user(struct reading *r, vsr_str text) {
    if (text.len > 0)
        texts_push(r, &r->facts->non_user, &r->non_user_cap, text);
}

static void read_assistant(struct reading *r, vsr_str text) {
    struct request_facts *facts = r->facts;
    json_ref calls = r->message[TOOL_CALLS];
    uint32_t n_calls = 0;
    facts->n_assistant++;
    push_non_user(r, text);
    if (json_is(r->doc, calls, JSON_ARRAY)) {
        for (json_ref call = json_first(r->doc, calls); call != JSON_NONE; call = json_next(r->doc, calls, call)) {
            vsr_str name = text_of(r, json_get(r->doc, json_get(r->doc, call, VSR_STR("function")), VSR_STR("name")));
            if (name.len > 0)
                texts_push(r, &facts->tool_names, &r->tool_names_cap, name);
            n_calls++;
        }
    }
    facts->n_assistant_tool_calls += n_calls;
    facts->open_tool_calls = n_calls;
    if (text.len > 0 || n_calls > 0)
        facts->has_assistant_reply = true;
}

/* Tool output enters no signal text by itself; it is kept for rules that ask for it. */
static void push_tool_text(struct reading *r, vsr_str text) {
    if (text.len > 0)
        texts_push(r, &r->facts->tool_text, &r->tool_text_cap, text);
}

static void read_tool(struct reading *r, vsr_str text) {
    struct request_facts *facts = r->facts;
    facts->n_tool++;
    facts->n_tool_results++;
    if (facts->open_tool_calls > 0)
        facts->open_tool_calls--;
    push_tool_text(r, text);
}

static enum message_role role_of(const struct reading *r) {
    static const struct {
        vsr_str name;
        enum message_role role;
    } roles[] = {
        { VSR_STR_INIT("user"), ROLE_USER },           { VSR_STR_INIT("assistant"), ROLE_ASSISTANT },
        { VSR_STR_INIT("system"), ROLE_SYSTEM },       { VSR_STR_INIT("tool"), ROLE_TOOL },
        { VSR_STR_INIT("developer"), ROLE_DEVELOPER }, { VSR_STR_INIT("function"), ROLE_FUNCTION },
    };
    json_ref role = r->message[ROLE];
    if (!json_is(r->doc, role, JSON_STRING))
        return ROLE_OTHER;
    for (size_t i = 0; i < VSR_COUNT(roles); i++)
        if (json_str_eq(r->doc, role, roles[i].name))
            return roles[i].role;
    return ROLE_OTHER;
}

static void read_message(struct reading *r, json_ref message) {
    struct request_facts *facts = r->facts;
    enum message_role role;
    vsr_str text;
    members_read(r->doc, message, message_members, MESSAGE_MEMBERS, r->message);
    role = role_of(r);
    text = content_text(r);
    facts->n_messages++;
    push_opening(r, text);
    switch (role) {
    case ROLE_USER:
        read_user(r, text);
        break;
    case ROLE_ASSISTANT:
        read_assistant(r, text);
        break;
    case ROLE_SYSTEM:
        facts->n_system++;
        push_non_user(r, text);
        break;
    case ROLE_DEVELOPER:
        facts->n_developer++;
        push_non_user(r, text);
        break;
    case ROLE_TOOL:
        read_tool(r, text);
        break;
    case ROLE_FUNCTION:
        push_tool_text(r, text);
        break;
    case ROLE_NONE:
    case ROLE_OTHER:
        break;
    }
    facts->last_user_after_tool = role == ROLE_USER && r->after_tool_result;
    facts->last_message_tool_result = r->after_tool_result = role == ROLE_TOOL;
    facts->last_role = role;
    facts->last_role_text = text;
}

static void read_messages(struct reading *r, json_ref messages) {
    struct request_facts *facts = r->facts;
    for (json_ref m = json_first(r->doc, messages); m != JSON_NONE && !r->failed; m = json_next(r->doc, messages, m))
        read_message(r, m);
    facts->image_ref = r->turn_image.len > 0 ? r->turn_image : r->last_image;
    facts->active_tool_loop =
        facts->last_message_tool_result || facts->last_user_after_tool || facts->open_tool_calls > 0;
    facts->context_text = join(r, facts->non_user.items, facts->non_user.n, facts->current_user);
    /* Without a user text the two are the same text. */
    facts->eval_text = facts->current_user.len > 0 ? facts->current_user : facts->context_text;
}

/* ---- the members beside the messages */

static int fail(struct vsr_err *err, const char *where, const char *message) {
    err_set(err, VSR_E_INVALID, "%s", message);
    err_at(err, str_from_c(where), 0, 0);
    return VSR_E_INVALID;
}

static int read_metadata_entry(struct reading *r, json_ref key, json_ref value, struct vsr_err *err) {
    struct request_facts *facts = r->facts;
    size_t key_len = json_str_len(r->doc, key);
    if (facts->n_metadata == FACTS_METADATA_MAX)
        return fail(err, "metadata", "metadata must not have more than 32 entries");
    if (key_len == 0 || key_len > FACTS_METADATA_KEY_LEN_MAX)
        return fail(err, "metadata", "metadata keys must have 1 to 128 bytes");
    if (!json_is(r->doc, value, JSON_STRING))
        return fail(err, "metadata", "metadata values must be strings");
    if (json_str_len(r->doc, value) > FACTS_METADATA_VALUE_LEN_MAX)
        return fail(err, "metadata", "metadata values must not have more than 1024 bytes");
    facts->metadata[facts->n_metadata].key = text_of(r, key);
    facts->metadata[facts->n_metadata].value = text_of(r, value);
    facts->n_metadata++;
    return 0;
}

static int read_metadata(struct reading *r, struct vsr_err *err) {
    json_ref metadata = r->body[METADATA];
    if (!value_is_present(r->doc, metadata))
        return 0;
    if (!json_is(r->doc, metadata, JSON_OBJECT))
        return fail(err, "metadata", "metadata field must be an object");
    for (json_ref key = json_first(r->doc, metadata); key != JSON_NONE;) {
        json_ref value = json_next(r->doc, metadata, key);
        int rc = read_metadata_entry(r, key, value, err);
        if (rc < 0)
            return rc;
        key = json_next(r->doc, metadata, value);
    }
    return 0;
}

static int read_model(struct reading *r, bool optional, struct vsr_err *err) {
    json_ref model = r->body[MODEL];
    if (value_is_present(r->doc, model) && !json_is(r->doc, model, JSON_STRING))
        return fail(err, "model", "model field must be a string");
    if (value_is_present(r->doc, model))
        r->facts->model = str_trim(text_of(r, model));
    if (r->facts->model.len == 0 && !optional)
        return fail(err, "model", "model field is required");
    return 0;
}

static int read_stream(struct reading *r, struct vsr_err *err) {
    json_ref stream = r->body[STREAM];
    json_ref usage = json_get(r->doc, r->body[STREAM_OPTIONS], VSR_STR("include_usage"));
    if (value_is_present(r->doc, stream) && !json_bool(r->doc, stream, &r->facts->stream))
        return fail(err, "stream", "stream field must be a boolean");
    r->facts->include_usage_asked = json_is(r->doc, usage, JSON_TRUE);
    return 0;
}

static uint32_t definitions(const struct reading *r, json_ref tools) {
    return json_is(r->doc, tools, JSON_ARRAY) ? (uint32_t)json_count(r->doc, tools) : 0;
}

static void read_envelope(struct reading *r, double bytes_per_token) {
    struct request_facts *facts = r->facts;
    struct envelope envelope;
    envelope_measure(r->doc, ENVELOPE_CHAT_COMPLETIONS, &envelope);
    facts->has_non_text = envelope.has_non_text;
    facts->text_bytes = envelope.text_bytes;
    facts->structured_bytes = envelope.structured_bytes;
    facts->framing_tokens = envelope.framing;
    facts->output_reserve = envelope.output_reserve;
    facts->image_tokens = envelope.images * ENVELOPE_IMAGE_TOKENS; /* at most 2^30 images fit a text */
    facts->token_floor = envelope_floor(&envelope, bytes_per_token);
    facts->token_floor_input = envelope_input_tokens(&envelope, bytes_per_token);
}

static bool occurs_twice(const struct json_doc *doc, json_ref object, vsr_str name) {
    size_t n = 0;
    for (json_ref key = json_first(doc, object); key != JSON_NONE && n < 2;) {
        n += json_str_eq(doc, key, name);
        key = json_next(doc, object, json_next(doc, object, key));
    }
    return n == 2;
}

/* What decides the route must read the same to us and to the backend, and readers differ in which of two members they
 * take. Other members are the backend's business. */
static int refuse_duplicates(const struct reading *r, struct vsr_err *err) {
    static const int single[] = { MODEL, MESSAGES, STREAM, STREAM_OPTIONS, METADATA, TOOLS };
    if (!(r->doc->nodes[0].flags & JSON_FLAG_DUPLICATE))
        return 0;
    for (size_t i = 0; i < VSR_COUNT(single); i++) {
        vsr_str name = body_members[single[i]];
        if (!occurs_twice(r->doc, 0, name))
            continue;
        err_set(err, VSR_E_INVALID, "duplicate member \"%.*s\"", VSR_FMT(name));
        err_at(err, name, 0, 0);
        return VSR_E_INVALID;
    }
    return 0;
}

static int read_body(struct reading *r, const struct facts_options *options, struct vsr_err *err) {
    json_ref messages;
    int rc;
    if (!json_is(r->doc, 0, JSON_OBJECT))
        return fail(err, "", "the request body must be a JSON object");
    if ((rc = refuse_duplicates(r, err)) < 0)
        return rc;
    members_read(r->doc, 0, body_members, BODY_MEMBERS, r->body);
    messages = r->body[MESSAGES];
    if (!value_is_present(r->doc, messages))
        return fail(err, "messages", "messages field is required");
    if (!json_is(r->doc, messages, JSON_ARRAY))
        return fail(err, "messages", "messages field must be an array");
    if ((rc = read_model(r, options && options->model_optional, err)) < 0 || (rc = read_stream(r, err)) < 0 ||
        (rc = read_metadata(r, err)) < 0)
        return rc;
    read_messages(r, messages);
    if (value_is_present(r->doc, r->body[EFFORT]))
        r->facts->reasoning_effort = json_raw(r->doc, r->body[EFFORT]);
    r->facts->n_tool_definitions = definitions(r, r->body[TOOLS]) + definitions(r, r->body[FUNCTIONS]);
    read_envelope(r, options ? options->structured_bytes_per_token : 0);
    return 0;
}

int facts_read_chat(struct arena *arena, const struct json_doc *doc, const struct facts_options *options,
                    struct request_facts *ret_facts, struct vsr_err *err) {
    struct reading r = { .arena = arena, .doc = doc, .facts = ret_facts };
    int rc;
    memset(ret_facts, 0, sizeof(*ret_facts));
    rc = read_body(&r, options, err);
    if (rc == 0 && r.failed)
        rc = err_set(err, VSR_E_NOMEM, "the request does not fit in memory");
    return rc;
}

bool facts_has_envelope(const struct request_facts *facts) {
    return facts->n_metadata > 0 || facts->n_messages > 0 || facts->n_tool_definitions > 0 || facts->n_images > 0;
}

int facts_set_identity(struct arena *arena, struct request_facts *facts, vsr_str user_id, vsr_str groups,
                       struct vsr_err *err) {
    size_t n = 0;
    for (vsr_str rest = groups; rest.ptr; n++)
        (void)str_split(&rest, ',');
    facts->user_id = str_trim(user_id);
    facts->user_groups = (struct texts){ .items = arena_try_alloc_raw(arena, n * sizeof(vsr_str)) };
    if (!facts->user_groups.items)
        return err_set(err, VSR_E_NOMEM, "no memory for the groups of the caller");
    while (groups.ptr) {
        vsr_str group = str_trim(str_split(&groups, ','));
        if (group.len > 0)
            facts->user_groups.items[facts->user_groups.n++] = group;
    }
    return 0;
}
