#include "wire/facts.h"

#include "core/arena.h"
#include "unit/wire/vectors.h"
#include "wire/envelope.h"

static int read_body(struct arena *arena, vsr_str body, bool model_optional, struct request_facts *facts,
                     struct vsr_err *err) {
    struct facts_options options = { .model_optional = model_optional };
    struct json_doc *doc = ARENA_NEW(arena, struct json_doc);
    CHECK_MSG(json_parse(arena, body, doc, err) == 0, "%.*s: %s", VSR_FMT(body), err->text);
    return facts_read_chat(arena, doc, &options, facts, err);
}

/* ---- the shared vectors */

static const char *role_name(enum message_role role) {
    static const char *const names[] = { "", "user", "assistant", "system", "developer", "tool", "function", "other" };
    return names[role];
}

static void check_texts(const struct vectors *v, json_ref want, const char *key, struct texts got, const char *name) {
    json_ref list = vectors_get(v, want, key);
    size_t i = 0;
    if (list == JSON_NONE)
        return;
    CHECK_INT(got.n, json_count(&v->doc, list), name);
    for (json_ref item = json_first(&v->doc, list); item != JSON_NONE; item = json_next(&v->doc, list, item)) {
        vsr_str text;
        CHECK(json_str(v->arena, &v->doc, item, &text), name);
        CHECK_MSG(str_eq(got.items[i], text), "case \"%s\": %s[%zu] is \"%.*s\"", name, key, i, VSR_FMT(got.items[i]));
        i++;
    }
}

static void check_facts(const struct vectors *v, json_ref want, const struct request_facts *f, const char *name) {
    const struct {
        const char *key;
        double got;
    } numbers[] = {
        { "user", f->n_user },
        { "assistant", f->n_assistant },
        { "system", f->n_system },
        { "developer", f->n_developer },
        { "tool", f->n_tool },
        { "images", f->n_images },
        { "assistant_tool_calls", f->n_assistant_tool_calls },
        { "tool_results", f->n_tool_results },
        { "tool_definitions", f->n_tool_definitions },
        { "open_tool_calls", f->open_tool_calls },
        { "active_tool_loop", f->active_tool_loop },
        { "has_assistant_reply", f->has_assistant_reply },
        { "last_message_tool_result", f->last_message_tool_result },
        { "last_user_after_tool", f->last_user_after_tool },
    };
    for (size_t i = 0; i < VSR_COUNT(numbers); i++)
        vectors_check_number(v, want, numbers[i].key, numbers[i].got, name);
    vectors_check_text(v, want, "current_user", f->current_user, name);
    vectors_check_text(v, want, "eval_text", f->eval_text, name);
    vectors_check_text(v, want, "context_text", f->context_text, name);
    vectors_check_text(v, want, "image_ref", f->image_ref, name);
    vectors_check_text(v, want, "last_role", str_from_c(role_name(f->last_role)), name);
    check_texts(v, want, "prior_user", f->prior_user, name);
    check_texts(v, want, "non_user", f->non_user, name);
    check_texts(v, want, "tool_names", f->tool_names, name);
}

TEST(conversation_vectors) {
    struct vectors v;
    if (!vectors_open(&v, "conversation.json"))
        skip();
    for (json_ref c = vectors_next(&v, JSON_NONE, "conversation_facts"); c != JSON_NONE;
         c = vectors_next(&v, c, "conversation_facts")) {
        const char *name = vectors_text(&v, c, "name");
        json_ref facts_wanted = vectors_get(&v, vectors_get(&v, c, "want"), "facts");
        struct request_facts facts;
        struct vsr_err err = VSR_ERR_NONE;
        int rc =
            read_body(v.arena, str_from_c(vectors_text(&v, vectors_get(&v, c, "given"), "body")), true, &facts, &err);
        CHECK_MSG(rc == 0, "case \"%s\": %s", name, err.text);
        if (facts_wanted != JSON_NONE)
            check_facts(&v, facts_wanted, &facts, name);
    }
    vectors_close(&v);
}

TEST(envelope_vectors) {
    struct vectors v;
    size_t n = 0;
    if (!vectors_open(&v, "context.json"))
        skip();
    for (json_ref c = vectors_next(&v, JSON_NONE, "envelope"); c != JSON_NONE; c = vectors_next(&v, c, "envelope")) {
        const char *name = vectors_text(&v, c, "name");
        json_ref given = vectors_get(&v, c, "given"), want = vectors_get(&v, c, "want");
        bool anthropic = strcmp(vectors_text(&v, given, "api"), "anthropic_messages") == 0;
        struct json_doc doc;
        struct envelope e;
        CHECK(json_parse(v.arena, str_from_c(vectors_text(&v, given, "body")), &doc, NULL) == 0, name);
        envelope_measure(&doc, anthropic ? ENVELOPE_ANTHROPIC_MESSAGES : ENVELOPE_CHAT_COMPLETIONS, &e);
        vectors_check_number(&v, want, "text_bytes", (double)e.text_bytes, name);
        vectors_check_number(&v, want, "structured_bytes", (double)e.structured_bytes, name);
        vectors_check_number(&v, want, "images", (double)e.images, name);
        vectors_check_number(&v, want, "framing", (double)e.framing, name);
        vectors_check_number(&v, want, "output_reserve", (double)e.output_reserve, name);
        vectors_check_number(&v, want, "has_non_text", e.has_non_text, name);
        vectors_check_number(&v, want, "input_tokens", (double)envelope_input_tokens(&e, 0), name);
        vectors_check_number(&v, want, "floor", (double)envelope_floor(&e, 0), name);
        n++;
    }
    CHECK(n > 10, "vectors found");
    vectors_close(&v);
}

/* ---- what a client is told */

#define CHAT "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static const struct {
    const char *name, *body, *where, *message; /* message NULL: accepted */
} refusals[] = {
    { "fine", CHAT "}", "", NULL },
    { "no object", "[]", "", "the request body must be a JSON object" },
    { "no messages", "{\"model\":\"m\"}", "messages", "messages field is required" },
    { "null messages", "{\"model\":\"m\",\"messages\":null}", "messages", "messages field is required" },
    { "messages no array", "{\"model\":\"m\",\"messages\":{}}", "messages", "messages field must be an array" },
    { "empty messages", "{\"model\":\"m\",\"messages\":[]}", "", NULL },
    { "no model", "{\"messages\":[]}", "model", "model field is required" },
    { "blank model", "{\"model\":\"  \",\"messages\":[]}", "model", "model field is required" },
    { "number model", "{\"model\":4,\"messages\":[]}", "model", "model field must be a string" },
    { "messages before model", "{}", "messages", "messages field is required" },
    { "stream true", CHAT ",\"stream\":true}", "", NULL },
    { "stream null", CHAT ",\"stream\":null}", "", NULL },
    { "stream string", CHAT ",\"stream\":\"true\"}", "stream", "stream field must be a boolean" },
    { "stream number", CHAT ",\"stream\":1}", "stream", "stream field must be a boolean" },
    { "metadata", CHAT ",\"metadata\":{\"a\":\"b\"}}", "", NULL },
    { "metadata null", CHAT ",\"metadata\":null}", "", NULL },
    { "metadata list", CHAT ",\"metadata\":[]}", "metadata", "metadata field must be an object" },
    { "metadata number", CHAT ",\"metadata\":{\"a\":1}}", "metadata", "metadata values must be strings" },
    { "metadata empty key", CHAT ",\"metadata\":{\"\":\"b\"}}", "metadata", "metadata keys must have 1 to 128 bytes" },
    { "model twice", "{\"model\":\"m\",\"messages\":[],\"model\":\"n\"}", "model", "duplicate member \"model\"" },
    { "model twice alike", "{\"model\":\"m\",\"messages\":[],\"model\":\"m\"}", "model", "duplicate member \"model\"" },
    { "model once more in escapes", CHAT ",\"mode\\u006c\":\"n\"}", "model", "duplicate member \"model\"" },
    { "messages twice", CHAT ",\"messages\":[]}", "messages", "duplicate member \"messages\"" },
    { "messages null and a list", CHAT ",\"messages\":null}", "messages", "duplicate member \"messages\"" },
    { "stream twice", CHAT ",\"stream\":true,\"stream\":false}", "stream", "duplicate member \"stream\"" },
    { "metadata twice", CHAT ",\"metadata\":{},\"metadata\":{}}", "metadata", "duplicate member \"metadata\"" },
    { "tools twice", CHAT ",\"tools\":[],\"tools\":[]}", "tools", "duplicate member \"tools\"" },
    { "stream_options thrice", CHAT ",\"stream_options\":{},\"stream_options\":1,\"stream_options\":{}}",
      "stream_options", "duplicate member \"stream_options\"" },
    { "behind another duplicate", CHAT ",\"seed\":1,\"seed\":2,\"tools\":[],\"tools\":[]}", "tools",
      "duplicate member \"tools\"" },
    { "others twice", CHAT ",\"seed\":1,\"seed\":2}", "", NULL },
    { "twice further in", CHAT ",\"x\":{\"model\":1,\"model\":2},\"metadata\":{\"a\":\"b\",\"a\":\"c\"}}", "", NULL },
};

TEST(validation) {
    for (size_t i = 0; i < VSR_COUNT(refusals); i++) {
        struct arena *arena = arena_new(0, 0);
        struct request_facts facts;
        struct vsr_err err = VSR_ERR_NONE;
        int rc = read_body(arena, str_from_c(refusals[i].body), false, &facts, &err);
        CHECK_INT(rc, refusals[i].message ? VSR_E_INVALID : 0, refusals[i].name);
        if (refusals[i].message) {
            CHECK_STR(str_from_c(err.text), refusals[i].message, refusals[i].name);
            CHECK_STR(str_from_c(err.where), refusals[i].where, refusals[i].name);
        }
        arena_free(arena);
    }
}

/* A body with `n` metadata entries whose key and value have these lengths. */
static int read_metadata_of(size_t n, size_t key_len, size_t value_len, struct vsr_err *err) {
    struct arena *arena = arena_new(0, 0);
    struct request_facts facts;
    struct buf body;
    int rc;
    buf_init(&body, 1 << 20);
    buf_printf(&body, "%s,\"metadata\":{", CHAT);
    for (size_t i = 0; i < n; i++)
        buf_printf(&body, "%s\"%0*zu\":\"%0*d\"", i ? "," : "", (int)key_len, i, (int)value_len, 0);
    buf_append_c(&body, "}}");
    rc = read_body(arena, buf_str(&body), false, &facts, err);
    if (rc == 0)
        CHECK_INT(facts.n_metadata, n, "entries");
    buf_done(&body);
    arena_free(arena);
    return rc;
}

TEST(metadata_limits) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_INT(read_metadata_of(32, 2, 1, &err), 0, "32 entries");
    CHECK_INT(read_metadata_of(33, 2, 1, &err), VSR_E_INVALID, "33 entries");
    CHECK_INT(read_metadata_of(1, 128, 1, &err), 0, "key of 128");
    CHECK_INT(read_metadata_of(1, 129, 1, &err), VSR_E_INVALID, "key of 129");
    CHECK_INT(read_metadata_of(1, 1, 1024, &err), 0, "value of 1024");
    CHECK_INT(read_metadata_of(1, 1, 1025, &err), VSR_E_INVALID, "value of 1025");
}

/* ---- details the vectors leave out */

TEST(reads_members) {
    static const char body[] = "{\"model\":\" auto \",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                               "\"reasoning_effort\" : \"high\" ,\"metadata\":{\"user\\u005fid\":\"u\\n1\"},"
                               "\"messages\":[{\"role\":\"system\",\"content\":\"be \\u00e9\"},"
                               "{\"role\":\"user\",\"content\":\"one\"},{\"role\":\"tool\",\"content\":\"t\"},"
                               "{\"role\":\"function\",\"content\":\"f\"},{\"role\":\"user\",\"content\":\"two\"}]}";
    struct arena *arena = arena_new(0, 0);
    struct request_facts f;
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str text = str_make(body, sizeof(body) - 1);
    CHECK_INT(read_body(arena, text, false, &f, &err), 0, "read");
    CHECK_STR(f.model, "auto", "model");
    CHECK(f.stream && f.include_usage_asked, "stream");
    CHECK_STR(f.reasoning_effort, "\"high\"", "effort");
    CHECK_STR(f.metadata[0].key, "user_id", "key");
    CHECK_STR(f.metadata[0].value, "u\n1", "value");
    CHECK_STR(f.eval_text, "two", "eval");
    CHECK_STR(f.context_text, "be \xc3\xa9 two", "context");
    CHECK_STR(f.first_user, "one", "first");
    CHECK_INT(f.n_opening, 2, "opening");
    CHECK_STR(f.opening[0].role, "system", "opening role");
    CHECK_STR(f.opening[1].text, "one", "opening text");
    CHECK_INT(f.tool_text.n, 2, "tool text");
    CHECK_INT(f.n_messages, 5, "messages");
    CHECK(facts_has_envelope(&f), "envelope");
    /* Texts without escapes are not copied. */
    CHECK(f.current_user.ptr > body && f.current_user.ptr < body + sizeof(body), "zero copy");
    CHECK(f.eval_text.ptr == f.current_user.ptr, "zero copy");
    arena_free(arena);
}

TEST(empty_request_has_no_envelope) {
    struct arena *arena = arena_new(0, 0);
    struct request_facts f;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_INT(read_body(arena, VSR_STR("{\"model\":\"m\",\"messages\":[]}"), false, &f, &err), 0, "read");
    CHECK(!facts_has_envelope(&f), "none");
    CHECK_INT(f.eval_text.len, 0, "text");
    arena_free(arena);
}

/* Odd shapes must be taken or refused, never trip the reader. */
TEST(hostile_shapes) {
    static const char *const messages[] = {
        "null",
        "[null,1,\"x\",[],{}]",
        "[{\"role\":null,\"content\":{\"a\":1}}]",
        "[{\"role\":\"user\",\"content\":[null,1,\"s\",[],{\"type\":\"text\"},{\"type\":3,\"text\":\"x\"}]}]",
        "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"},{\"type\":\"image_url\",\"image_url\":3}]}]",
        "[{\"role\":\"assistant\",\"tool_calls\":[null,{\"function\":null},{\"function\":{\"name\":3}}]}]",
        "[{\"role\":\"assistant\",\"tool_calls\":{}},{\"role\":\"tool\"},{\"role\":\"tool\"}]",
        "[{\"role\":\"user\",\"role\":\"system\",\"content\":\"x\",\"content\":null}]",
    };
    for (size_t i = 0; i < VSR_COUNT(messages); i++) {
        struct arena *arena = arena_new(0, 0);
        struct request_facts facts;
        struct vsr_err err = VSR_ERR_NONE;
        vsr_str body =
            arena_printf(arena, "{\"model\":\"m\",\"messages\":%s,\"tools\":3,\"max_tokens\":-1}", messages[i]);
        int rc = read_body(arena, body, false, &facts, &err);
        CHECK_INT(rc, i == 0 ? VSR_E_INVALID : 0, messages[i]);
        arena_free(arena);
    }
}

TEST(memory_ceiling_is_an_error) {
    struct arena *scan = arena_new(0, 0), *small = arena_new(4096, 8192);
    struct json_doc doc;
    struct request_facts facts;
    struct vsr_err err = VSR_ERR_NONE;
    struct buf body;
    buf_init(&body, 1 << 20);
    buf_append_c(&body, "{\"model\":\"m\",\"messages\":[");
    for (int i = 0; i < 2000; i++)
        buf_printf(&body, "%s{\"role\":\"system\",\"content\":\"text\"}", i ? "," : "");
    buf_append_c(&body, "]}");
    CHECK(json_parse(scan, buf_str(&body), &doc, &err) == 0, "scan");
    CHECK_INT(facts_read_chat(small, &doc, NULL, &facts, &err), VSR_E_NOMEM, "too small");
    CHECK_INT(facts_read_chat(scan, &doc, NULL, &facts, &err), 0, "enough");
    CHECK_INT(facts.non_user.n, 2000, "all texts");
    buf_done(&body);
    arena_free(small);
    arena_free(scan);
}

RUN_TESTS(T(conversation_vectors), T(envelope_vectors), T(validation), T(metadata_limits), T(reads_members),
          T(empty_request_has_no_envelope), T(hostile_shapes), T(memory_ceiling_is_an_error))
