/*
 * Requests of tests/fixtures/messages/in/ beside what becomes of them in tests/fixtures/messages/want/;
 * VSR_TEST_UPDATE=1 rewrites that. Those named chat-* are Chat Completions for an Anthropic backend; the others are
 * Messages, become Chat Completions, and with their sidecar Messages again.
 */
#include "wire/messages_request.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_edit.h"
#include "test.h"
#include "wire/chat_reasoning.h"
#include "wire/messages_tokens.h"
#include "wire/sidecar.h"
#include "wire/warnings.h"

enum { PATH_LEN = 1024, TEXT_LEN_MAX = 1 << 20 };

static const char *folder(const char *name) {
    static char path[PATH_LEN];
    const char *source = getenv("VSR_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/tests/fixtures/messages/%s", source ? source : ".", name);
    return path;
}

static vsr_str read_file(struct arena *arena, const char *path) {
    char *bytes = arena_alloc(arena, TEXT_LEN_MAX);
    FILE *file = fopen(path, "rb");
    size_t len;
    if (!file)
        return (vsr_str){ 0 };
    len = fread(bytes, 1, TEXT_LEN_MAX, file);
    fclose(file);
    return str_make(bytes, len);
}

static void write_file(const char *path, vsr_str text) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL, path);
    fwrite(text.ptr, 1, text.len, file);
    fclose(file);
}

static void report(struct arena *arena, struct buf *out, int rc, const struct vsr_err *err,
                   const struct warnings *warnings) {
    if (rc < 0)
        buf_printf(out, "\nerror %d at \"%s\": %s", rc, err->where, err->text);
    if (warnings->n > 0)
        buf_printf(out, "\nwarnings %.*s", VSR_FMT(warnings_header(warnings, arena)));
    buf_append_char(out, '\n');
}

/* What was made has to be JSON; then it is appended to `out`. Empty on failure. */
static vsr_str keep_json(struct arena *arena, struct buf *made, int rc, struct buf *out) {
    struct json_doc doc;
    vsr_str copy = arena_str(arena, buf_str(made));
    if (rc < 0)
        return (vsr_str){ 0 };
    CHECK_INT(json_parse(arena, copy, &doc, NULL), 0, copy.ptr);
    buf_append(out, copy);
    return copy;
}

static vsr_str to_chat(struct arena *arena, vsr_str text, struct sidecar *sidecar, struct buf *out) {
    struct vsr_err err = VSR_ERR_NONE;
    struct warnings warnings;
    struct json_doc doc;
    struct buf made;
    vsr_str chat;
    int rc;
    warnings_init(&warnings, arena);
    buf_init(&made, TEXT_LEN_MAX);
    CHECK_INT(json_parse(arena, text, &doc, NULL), 0, text.ptr);
    rc = messages_to_chat(arena, &doc, sidecar, &warnings, &made, &err);
    chat = keep_json(arena, &made, rc, out);
    report(arena, out, rc, &err, &warnings);
    buf_done(&made);
    return chat;
}

static vsr_str to_messages(struct arena *arena, vsr_str text, const struct messages_write *options, struct buf *out) {
    struct vsr_err err = VSR_ERR_NONE;
    struct warnings warnings;
    struct json_doc doc;
    struct buf made;
    vsr_str messages;
    int rc;
    warnings_init(&warnings, arena);
    buf_init(&made, TEXT_LEN_MAX);
    CHECK_INT(json_parse(arena, text, &doc, NULL), 0, text.ptr);
    rc = chat_to_messages(arena, &doc, options, &warnings, &made, &err);
    messages = keep_json(arena, &made, rc, out);
    report(arena, out, rc, &err, &warnings);
    buf_done(&made);
    return messages;
}

static void translate(struct arena *arena, const char *name, vsr_str text, struct buf *out) {
    struct sidecar sidecar;
    struct messages_write options = { .model_id = VSR_STR("claude-backend") };
    if (str_starts(str_from_c(name), VSR_STR("chat-"))) {
        options.stream = str_find(text, VSR_STR("\"stream\":true")) >= 0;
        (void)to_messages(arena, text, &options, out);
        return;
    }
    text = to_chat(arena, text, &sidecar, out);
    options.sidecar = &sidecar;
    if (text.len > 0)
        (void)to_messages(arena, text, &options, out);
}

static bool check_file(const char *file) {
    struct arena *arena = arena_new(0, 0);
    char path[PATH_LEN];
    struct buf out;
    vsr_str want;
    bool same;
    buf_init(&out, TEXT_LEN_MAX);
    snprintf(path, sizeof(path), "%s/%s", folder("in"), file);
    translate(arena, file, read_file(arena, path), &out);
    snprintf(path, sizeof(path), "%s/%s.txt", folder("want"), file);
    if (getenv("VSR_TEST_UPDATE"))
        write_file(path, buf_str(&out));
    want = read_file(arena, path);
    same = str_eq(buf_str(&out), want);
    if (!same)
        print_error("%s:\n--- want\n%.*s--- got\n%.*s", path, VSR_FMT(want), VSR_FMT(buf_str(&out)));
    buf_done(&out);
    arena_free(arena);
    return same;
}

static int is_json(const struct dirent *entry) {
    return str_ends(str_from_c(entry->d_name), VSR_STR(".json"));
}

TEST(fixtures) {
    struct dirent **entries;
    int n = scandir(folder("in"), &entries, is_json, alphasort), n_wrong = 0;
    CHECK(n > 0, "fixtures");
    for (int i = 0; i < n; i++) {
        n_wrong += !check_file(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    CHECK_INT(n_wrong, 0, "fixtures");
}

/* ---- a plugin between the two ways */

#define KEY(lit) \
    { .key = VSR_STR_INIT(lit) }
#define AT(i) \
    { .index = (i) }

#define CONVERSATION \
    "{\"model\":\"auto\",\"max_tokens\":100,\"system\":[{\"type\":\"text\",\"text\":\"Rule.\",\"cache_control\":{}}]," \
    "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2048},\"top_k\":7,\"temperature\":1," \
    "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"},\"cache_control\":{}},{\"type\":\"bash_1\"," \
    "\"name\":\"bash\"}],\"tool_choice\":{\"type\":\"any\"}," \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\",\"cache_control\":{}}]}," \
    "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"s\"}," \
    "{\"type\":\"tool_use\",\"id\":\"i\",\"name\":\"f\",\"input\":{}}]}," \
    "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"i\",\"content\":\"long\"," \
    "\"is_error\":true}]}]}"

#define RULE "\"system\":[{\"type\":\"text\",\"text\":\"Rule.\",\"cache_control\":{}}]"
#define FIRST "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\",\"cache_control\":{}}]}"
#define CALLS \
    "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"s\"},{\"type\":" \
    "\"tool_use\",\"id\":\"i\",\"name\":\"f\",\"input\":{}}]}"

static const struct {
    const char *name;
    struct json_step path[4];
    size_t n_steps;
    const char *raw;    /* NULL: delete */
    const char *has[3]; /* in what goes to the backend */
    const char *has_not[2];
} edits[] = {
    { "untouched", { AT(0) }, 0, NULL, { RULE, FIRST "," CALLS, "\"is_error\":true" }, { NULL } },
    { "tool result made shorter",
      { KEY("messages"), AT(3), KEY("content") },
      3,
      "\"short\"",
      { FIRST "," CALLS, "\"content\":\"short\",\"is_error\":true", RULE },
      { "long" } },
    { "assistant's message changed",
      { KEY("messages"), AT(2), KEY("content") },
      3,
      "\"said\"",
      { "[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"s\"},{\"type\":\"text\",\"text\":\"said\"},"
        "{\"type\":\"tool_use\",\"id\":\"i\"",
        FIRST },
      { NULL } },
    { "first message changed",
      { KEY("messages"), AT(1), KEY("content") },
      3,
      "\"other\"",
      { "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"other\"}]}," CALLS, RULE },
      { "\"q\"" } },
    { "another system message",
      { KEY("messages"), AT(0) },
      2,
      "{\"role\":\"system\",\"content\":\"More.\"}",
      { "\"system\":\"More.\"", FIRST },
      { "Rule." } },
    { "all tools taken out", { KEY("tools") }, 1, NULL, { RULE }, { "bash", "tool_choice" } },
    { "tools replaced",
      { KEY("tools"), AT(0), KEY("function"), KEY("name") },
      4,
      "\"g\"",
      { "\"tools\":[{\"name\":\"g\",\"input_schema\":{\"type\":\"object\"}},{\"type\":\"bash_1\"",
        "\"tool_choice\":{\"type\":\"any\"}" },
      { "\"tools\":[{\"name\":\"f\"" } },
};

static vsr_str edited(struct arena *arena, vsr_str chat, size_t i) {
    struct json_doc doc;
    struct json_edit *edit;
    struct buf out;
    vsr_str copy;
    int rc = 0;
    CHECK_INT(json_parse(arena, chat, &doc, NULL), 0, edits[i].name);
    edit = json_edit_new(arena, &doc);
    if (edits[i].n_steps > 0)
        rc = edits[i].raw ? json_edit_set(edit, edits[i].path, edits[i].n_steps, str_from_c(edits[i].raw), NULL)
                          : json_edit_delete(edit, edits[i].path, edits[i].n_steps, NULL);
    CHECK_INT(rc, 0, edits[i].name);
    buf_init(&out, TEXT_LEN_MAX);
    CHECK_INT(json_edit_apply(edit, &out), 0, edits[i].name);
    copy = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return copy;
}

TEST(what_nobody_changed_is_the_clients) {
    for (size_t i = 0; i < VSR_COUNT(edits); i++) {
        struct arena *arena = arena_new(0, 0);
        struct sidecar sidecar;
        struct messages_write options = { .sidecar = &sidecar };
        struct buf out;
        vsr_str text;
        buf_init(&out, TEXT_LEN_MAX);
        text = to_chat(arena, VSR_STR(CONVERSATION), &sidecar, &out);
        text = to_messages(arena, edited(arena, text, i), &options, &out);
        for (size_t k = 0; k < VSR_COUNT(edits[i].has) && edits[i].has[k]; k++) {
            if (str_find(text, str_from_c(edits[i].has[k])) < 0)
                print_error("%s: no %s in\n%.*s\n", edits[i].name, edits[i].has[k], VSR_FMT(text));
            CHECK(str_find(text, str_from_c(edits[i].has[k])) >= 0, edits[i].name);
        }
        for (size_t k = 0; k < VSR_COUNT(edits[i].has_not) && edits[i].has_not[k]; k++)
            CHECK(str_find(text, str_from_c(edits[i].has_not[k])) < 0, edits[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

/* ---- reasoning */

static const struct {
    const char *name, *body, *effort;
    bool on;
    enum chat_family family;
    const char *has, *has_not;
} reasonings[] = {
    { "medium", "\"max_tokens\":8000,\"temperature\":0.5,\"top_k\":3", "", true, CHAT_FAMILY_EFFORT,
      "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4096}", "temperature" },
    { "low", "\"max_tokens\":8000", "low", true, CHAT_FAMILY_NONE, "\"budget_tokens\":1024", "\"budget_tokens\":1025" },
    { "high, lowered", "\"max_tokens\":2000", "high", true, CHAT_FAMILY_EFFORT, "\"budget_tokens\":1999", "16384" },
    { "written with a fraction", "\"max_tokens\":2000.0", "high", true, CHAT_FAMILY_EFFORT, "\"max_tokens\":2000,",
      "16384" },
    { "lowered by what has a fraction", "\"max_completion_tokens\":2e3", "high", true, CHAT_FAMILY_EFFORT,
      "\"budget_tokens\":1999", "2e3" },
    { "too few tokens", "\"max_tokens\":1024,\"temperature\":0.5", "low", true, CHAT_FAMILY_EFFORT,
      "\"temperature\":0.5", "thinking" },
    { "forced choice",
      "\"max_tokens\":8000,\"tool_choice\":\"required\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
      "\"f\"}}]",
      "low", true, CHAT_FAMILY_EFFORT, "\"tool_choice\":{\"type\":\"auto\"}", "\"any\"" },
    { "off", "\"max_tokens\":8000,\"temperature\":0.5", "", false, CHAT_FAMILY_EFFORT, "\"temperature\":0.5",
      "thinking" },
};

TEST(reasoning) {
    for (size_t i = 0; i < VSR_COUNT(reasonings); i++) {
        struct arena *arena = arena_new(0, 0);
        struct chat_reasoning reasoning = { .family = reasonings[i].family,
                                            .on = reasonings[i].on,
                                            .effort = str_from_c(reasonings[i].effort) };
        struct messages_write options = { .reasoning = &reasoning };
        struct buf out;
        vsr_str text = arena_printf(arena, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],%s}",
                                    reasonings[i].body);
        buf_init(&out, TEXT_LEN_MAX);
        text = to_messages(arena, text, &options, &out);
        CHECK(str_find(text, str_from_c(reasonings[i].has)) >= 0, reasonings[i].name);
        CHECK(str_find(text, str_from_c(reasonings[i].has_not)) < 0, reasonings[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

/* ---- what every request must have */

#define HI "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"
#define NO_NUMBER "max_tokens: max_tokens field must be a whole number from 0 to 9007199254740991"

static const struct {
    const char *body, *want; /* `where: why`; NULL: taken */
} checks[] = {
    { "{" HI "}", NULL },
    { "{" HI ",\"max_tokens\":null}", NULL },
    { "{" HI ",\"max_tokens\":0}", NULL },
    { "{" HI ",\"max_tokens\":1}", NULL },
    { "{" HI ",\"max_tokens\":100.0}", NULL },
    { "{" HI ",\"max_tokens\":1e3}", NULL },
    { "{" HI ",\"max_tokens\":9007199254740991}", NULL },
    { "{" HI ",\"max_tokens\":9007199254740992}", NO_NUMBER },
    { "{" HI ",\"max_tokens\":12345678901234567890}", NO_NUMBER },
    { "{" HI ",\"max_tokens\":1e300}", NO_NUMBER },
    { "{" HI ",\"max_tokens\":-1}", NO_NUMBER },
    { "{" HI ",\"max_tokens\":0.5}", NO_NUMBER },
    { "{" HI ",\"max_tokens\":1e400}", NO_NUMBER },
    { "{" HI ",\"max_tokens\":\"x\"}", NO_NUMBER },
    { "{" HI ",\"max_tokens\":\"5\"}", NO_NUMBER },
    { "{" HI ",\"max_tokens\":true}", NO_NUMBER },
    { "{" HI ",\"max_tokens\":[5]}", NO_NUMBER },
    { "{\"model\":\"m\",\"messages\":[]}", "messages: messages field must have at least one message" },
    { "{\"model\":\"m\",\"messages\":\"Hi\"}", "messages: messages field must be an array" },
    { "{\"model\":\"m\",\"messages\":null}", "messages: messages field is required" },
    { "{\"messages\":[1]}", "model: model field is required" },
    { "{\"model\":7,\"messages\":[1]}", "model: model field is required" },
    { "[]", ": the request body must be a JSON object" },
    { "\"x\"", ": the request body must be a JSON object" },
    { "null", ": the request body must be a JSON object" },
};

TEST(check) {
    for (size_t i = 0; i < VSR_COUNT(checks); i++) {
        struct arena *arena = arena_new(0, 0);
        struct vsr_err err = VSR_ERR_NONE;
        struct json_doc doc;
        int rc;
        CHECK_INT(json_parse(arena, str_from_c(checks[i].body), &doc, NULL), 0, checks[i].body);
        rc = messages_check(&doc, &err);
        CHECK_INT(rc, checks[i].want ? VSR_E_INVALID : 0, checks[i].body);
        if (rc < 0)
            CHECK_STR(arena_printf(arena, "%s: %s", err.where, err.text), checks[i].want, checks[i].body);
        arena_free(arena);
    }
}

/* ---- counting */

static const struct {
    const char *name, *body;
    int64_t tokens; /* -1: refused */
} counts[] = {
    { "text", "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"12345678\"}]}", 3 + 4 },
    { "system counts",
      "{\"model\":\"m\",\"system\":\"1234\",\"messages\":[{\"role\":\"user\",\"content\":\"12345678\"}]}",
      3 + 4 + 3 + 4 },
    { "the answer's reserve does not",
      "{\"model\":\"m\",\"max_tokens\":9999,\"messages\":[{\"role\":\"user\",\"content\":\"12345678\"}]}", 3 + 4 },
    { "no model", "{\"messages\":[]}", -1 },
    { "no messages", "{\"model\":\"m\"}", -1 },
};

TEST(count_tokens) {
    for (size_t i = 0; i < VSR_COUNT(counts); i++) {
        struct arena *arena = arena_new(0, 0);
        struct json_doc doc;
        uint64_t tokens = 0;
        int rc;
        CHECK_INT(json_parse(arena, str_from_c(counts[i].body), &doc, NULL), 0, counts[i].name);
        rc = messages_count_tokens(&doc, 4.0, &tokens, NULL);
        CHECK_INT(rc, counts[i].tokens < 0 ? VSR_E_INVALID : 0, counts[i].name);
        if (rc == 0)
            CHECK_INT((int64_t)tokens, counts[i].tokens, counts[i].name);
        arena_free(arena);
    }
}

RUN_TESTS(T(fixtures), T(what_nobody_changed_is_the_clients), T(reasoning), T(check), T(count_tokens))
