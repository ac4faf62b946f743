#include "cli/backend_answer.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/utf8.h"
#include "wire/facts.h"

enum {
    TOKEN_LEN_MAX = 24,  /* a longer word is several tokens, as with a real tokenizer */
    BYTES_PER_TOKEN = 4, /* of a prompt */
};

/* Words that pad an answer to the asked length. */
static const vsr_str padding[] = {
    VSR_STR_INIT("and "),    VSR_STR_INIT("so "),   VSR_STR_INIT("the "),  VSR_STR_INIT("answer "),
    VSR_STR_INIT("goes "),   VSR_STR_INIT("on "),   VSR_STR_INIT("for "),  VSR_STR_INIT("a "),
    VSR_STR_INIT("while, "), VSR_STR_INIT("as "),   VSR_STR_INIT("long "), VSR_STR_INIT("as "),
    VSR_STR_INIT("nobody "), VSR_STR_INIT("asks "), VSR_STR_INIT("it "),   VSR_STR_INIT("to "),
    VSR_STR_INIT("stop. "),
};

/* ---- words */

/* Cuts the next token from the front: a word with the blank behind it, or a piece of a very long one. */
static vsr_str cut_token(vsr_str *text) {
    ptrdiff_t blank = str_find_char(*text, ' ');
    size_t len = blank < 0 ? text->len : (size_t)blank + 1;
    vsr_str token = str_sub(*text, 0, len);
    if (token.len > TOKEN_LEN_MAX)
        token = utf8_cut(token, TOKEN_LEN_MAX);
    *text = str_sub(*text, token.len, text->len);
    return token;
}

static uint64_t count_tokens(vsr_str text) {
    uint64_t n = 0;
    while (text.len > 0) {
        (void)cut_token(&text);
        n++;
    }
    return n;
}

static vsr_str next_token(struct answer *answer) {
    uint64_t index = answer->spoken++;
    if (answer->left.len > 0)
        return cut_token(&answer->left);
    return padding[(index + answer->options.seed) % VSR_COUNT(padding)];
}

/* ---- reading the question */

static bool asks_for_tool(const struct json_doc *doc, const struct request_facts *facts, vsr_str *ret_name,
                          struct arena *arena) {
    json_ref choice = json_get(doc, 0, VSR_STR("tool_choice"));
    *ret_name = VSR_STR("");
    if (facts->n_tool_definitions == 0)
        return false;
    if (json_is(doc, choice, JSON_STRING)) {
        if (json_str_eq(doc, choice, VSR_STR("none")))
            return false;
        if (json_str_eq(doc, choice, VSR_STR("required")))
            return true;
    }
    if (json_is(doc, choice, JSON_OBJECT))
        return json_str(arena, doc, json_get(doc, json_get(doc, choice, VSR_STR("function")), VSR_STR("name")),
                        ret_name);
    return facts->last_role == ROLE_USER && str_find(facts->current_user, VSR_STR("tool")) >= 0;
}

/* The definition of that function, or the first one when the name is empty. */
static json_ref find_tool(const struct json_doc *doc, vsr_str name) {
    json_ref tools = json_get(doc, 0, VSR_STR("tools"));
    if (!json_is(doc, tools, JSON_ARRAY))
        return JSON_NONE;
    for (json_ref tool = json_first(doc, tools); tool != JSON_NONE; tool = json_next(doc, tools, tool)) {
        json_ref function = json_get(doc, tool, VSR_STR("function"));
        json_ref label = json_get(doc, function, VSR_STR("name"));
        if (json_is(doc, label, JSON_STRING) && (name.len == 0 || json_str_eq(doc, label, name)))
            return function;
    }
    return JSON_NONE;
}

/* A value for one required property: the first of its enum, or its own name. Other types than strings are left out. */
static void write_argument(struct arena *arena, const struct json_doc *doc, json_ref properties, vsr_str name,
                           struct json_writer *w) {
    json_ref property = json_get(doc, properties, name);
    json_ref type = json_get(doc, property, VSR_STR("type"));
    json_ref choices = json_get(doc, property, VSR_STR("enum"));
    json_ref choice = json_is(doc, choices, JSON_ARRAY) ? json_first(doc, choices) : JSON_NONE;
    vsr_str value = name;
    if (!json_is(doc, type, JSON_STRING) || !json_str_eq(doc, type, VSR_STR("string")))
        return;
    if (choice != JSON_NONE)
        (void)json_str(arena, doc, choice, &value); /* else the name stays */
    json_write_key(w, name);
    json_write_str(w, value);
}

static vsr_str make_arguments(struct arena *arena, const struct json_doc *doc, json_ref function) {
    json_ref schema = json_get(doc, function, VSR_STR("parameters"));
    json_ref properties = json_get(doc, schema, VSR_STR("properties"));
    json_ref required = json_get(doc, schema, VSR_STR("required"));
    struct json_writer w;
    struct buf out;
    vsr_str arguments;
    size_t n = 0;
    buf_init(&out, doc->text.len + 1024);
    json_write_init(&w, &out);
    json_write_begin_object(&w);
    if (json_is(doc, required, JSON_ARRAY)) {
        for (json_ref item = json_first(doc, required); item != JSON_NONE && n < ANSWER_TOOL_ARGUMENTS_MAX;
             item = json_next(doc, required, item), n++) {
            vsr_str name;
            if (json_str(arena, doc, item, &name))
                write_argument(arena, doc, properties, name, &w);
        }
    }
    json_write_end(&w);
    arguments = buf_failed(&out) ? VSR_STR("{}") : arena_str(arena, buf_str(&out));
    buf_done(&out);
    return arguments;
}

static void choose_tool(struct arena *arena, const struct json_doc *doc, const struct request_facts *facts,
                        struct answer *answer) {
    vsr_str wanted;
    json_ref function;
    if (!asks_for_tool(doc, facts, &wanted, arena))
        return;
    function = find_tool(doc, wanted);
    if (function == JSON_NONE || !json_str(arena, doc, json_get(doc, function, VSR_STR("name")), &answer->tool))
        return;
    answer->arguments = make_arguments(arena, doc, function);
}

static void choose_text(struct arena *arena, const struct request_facts *facts, struct answer *answer) {
    bool tool_result = facts->last_message_tool_result;
    vsr_str said = tool_result ? facts->last_role_text : facts->current_user;
    vsr_str echo = utf8_cut(said, ANSWER_ECHO_LEN_MAX);
    answer->text =
        arena_printf(arena, "model %.*s answering%s: %.*s%s", VSR_FMT(answer->model),
                     tool_result ? " with the tool's result" : "", VSR_FMT(echo), echo.len < said.len ? "..." : "");
}

/* The client's own ceiling; 0: none. */
static uint64_t read_ceiling(const struct json_doc *doc) {
    static const vsr_str names[] = { VSR_STR_INIT("max_completion_tokens"), VSR_STR_INIT("max_tokens") };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        int64_t value;
        json_ref ref = json_get(doc, 0, names[i]);
        if (ref != JSON_NONE && json_i64(doc, ref, &value) && value > 0)
            return (uint64_t)value;
    }
    return 0;
}

static void choose_length(const struct json_doc *doc, struct answer *answer) {
    uint64_t natural = count_tokens(answer->tool.len > 0 ? answer->arguments : answer->text);
    uint64_t ceiling = read_ceiling(doc);
    answer->n_tokens = natural;
    if (answer->tool.len > 0)
        return;
    if (answer->options.tokens > 0)
        answer->n_tokens = answer->options.tokens;
    if (ceiling > 0 && ceiling < answer->n_tokens)
        answer->n_tokens = ceiling;
    answer->cut_by_length =
        answer->n_tokens < natural || (ceiling > 0 && answer->n_tokens == ceiling && answer->options.tokens > ceiling);
}

int answer_begin(struct arena *arena, vsr_str body, const struct answer_options *options, struct answer *ret_answer,
                 struct vsr_err *err) {
    const struct facts_options facts_options = { 0 };
    struct request_facts *facts = ARENA_NEW(arena, struct request_facts);
    struct json_doc doc;
    int rc = json_parse(arena, body, &doc, err);
    if (rc < 0)
        return rc;
    rc = facts_read_chat(arena, &doc, &facts_options, facts, err);
    if (rc < 0)
        return rc;
    *ret_answer = (struct answer){
        .options = *options,
        .model = facts->model,
        .stream = facts->stream,
        .include_usage = facts->include_usage_asked,
        .prompt_tokens = 1 + (uint64_t)facts->context_text.len / BYTES_PER_TOKEN,
    };
    choose_tool(arena, &doc, facts, ret_answer);
    if (ret_answer->tool.len == 0)
        choose_text(arena, facts, ret_answer);
    choose_length(&doc, ret_answer);
    ret_answer->left = ret_answer->tool.len > 0 ? ret_answer->arguments : ret_answer->text;
    return 0;
}

/* ---- writing */

static const char *finish_reason(const struct answer *answer) {
    return answer->tool.len > 0 ? "tool_calls" : answer->cut_by_length ? "length" : "stop";
}

/* `{"id":...,"object":...,"created":...,"model":...,"system_fingerprint":...` */
static void write_head(const struct answer *answer, const char *object, struct buf *out) {
    buf_printf(out, "{\"id\":\"chatcmpl-%016llx\",\"object\":\"%s\",\"created\":%llu,\"model\":",
               (unsigned long long)answer->options.id, object, (unsigned long long)answer->options.created_s);
    json_quote(out, answer->model);
    buf_append_c(out, ",\"system_fingerprint\":");
    json_quote(out, answer->options.backend);
}

static void write_usage(const struct answer *answer, struct buf *out) {
    buf_append_c(out, "\"usage\":{\"prompt_tokens\":");
    buf_append_u64(out, answer->prompt_tokens);
    buf_append_c(out, ",\"completion_tokens\":");
    buf_append_u64(out, answer->n_tokens);
    buf_append_c(out, ",\"total_tokens\":");
    buf_append_u64(out, answer->prompt_tokens + answer->n_tokens);
    buf_append_char(out, '}');
}

static void write_call(const struct answer *answer, vsr_str arguments, bool streamed, struct buf *out) {
    buf_printf(out, "\"tool_calls\":[{%s\"id\":\"call_%016llx\",\"type\":\"function\",\"function\":{\"name\":",
               streamed ? "\"index\":0," : "", (unsigned long long)answer->options.id);
    json_quote(out, answer->tool);
    buf_append_c(out, ",\"arguments\":");
    json_quote(out, arguments);
    buf_append_c(out, "}}]");
}

/* All tokens as one JSON string. */
static void write_content(struct answer *answer, struct buf *out) {
    if (answer->n_tokens >= count_tokens(answer->text) && answer->options.tokens == 0) {
        json_quote(out, answer->text);
        return;
    }
    buf_append_char(out, '"');
    while (answer->spoken < answer->n_tokens) {
        size_t start = out->len;
        json_quote(out, next_token(answer));
        if (buf_failed(out))
            return;
        /* Without the quotes of the single token. */
        memmove(out->ptr + start, out->ptr + start + 1, out->len - start - 2);
        out->len -= 2;
    }
    buf_append_char(out, '"');
}

void answer_write(struct answer *answer, struct buf *out) {
    write_head(answer, "chat.completion", out);
    buf_append_c(out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    if (answer->tool.len > 0) {
        buf_append_c(out, "null,");
        write_call(answer, answer->arguments, false, out);
    } else {
        write_content(answer, out);
        buf_append_c(out, ",\"refusal\":null");
    }
    buf_printf(out, "},\"logprobs\":null,\"finish_reason\":\"%s\"}],", finish_reason(answer));
    write_usage(answer, out);
    buf_append_char(out, '}');
}

/* ---- streaming */

static void chunk_begin(const struct answer *answer, struct buf *out) {
    buf_append_c(out, "data: ");
    write_head(answer, "chat.completion.chunk", out);
    buf_append_c(out, ",\"choices\":[");
}

static void chunk_end(const struct answer *answer, bool has_usage, struct buf *out) {
    buf_append_c(out, "]");
    if (has_usage) {
        buf_append_char(out, ',');
        write_usage(answer, out);
    } else if (answer->include_usage) {
        buf_append_c(out, ",\"usage\":null");
    }
    buf_append_c(out, "}\n\n");
}

/* The first event: the role, and the name of the function. */
static void event_role(const struct answer *answer, struct buf *out) {
    chunk_begin(answer, out);
    buf_append_c(out, "{\"index\":0,\"delta\":{\"role\":\"assistant\",");
    if (answer->tool.len > 0) {
        buf_append_c(out, "\"content\":null,");
        write_call(answer, VSR_STR(""), true, out);
    } else {
        buf_append_c(out, "\"content\":\"\"");
    }
    buf_append_c(out, "},\"logprobs\":null,\"finish_reason\":null}");
    chunk_end(answer, false, out);
}

static void event_token(struct answer *answer, struct buf *out) {
    vsr_str token = next_token(answer);
    chunk_begin(answer, out);
    buf_append_c(out, answer->tool.len > 0
                          ? "{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
                          : "{\"index\":0,\"delta\":{\"content\":");
    json_quote(out, token);
    buf_append_c(out, answer->tool.len > 0 ? "}}]}" : "}");
    buf_append_c(out, ",\"logprobs\":null,\"finish_reason\":null}");
    chunk_end(answer, false, out);
}

static void event_finish(const struct answer *answer, struct buf *out) {
    chunk_begin(answer, out);
    buf_printf(out, "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"%s\"}", finish_reason(answer));
    chunk_end(answer, false, out);
}

static void event_usage(const struct answer *answer, struct buf *out) {
    chunk_begin(answer, out);
    chunk_end(answer, true, out);
}

bool answer_next_event(struct answer *answer, bool with_done, struct buf *out) {
    uint64_t frame = answer->next++;
    if (frame == 0) {
        event_role(answer, out);
        return true;
    }
    if (answer->spoken < answer->n_tokens) {
        event_token(answer, out);
        return true;
    }
    frame -= answer->n_tokens + 1; /* events behind the last token */
    if (frame == 0) {
        event_finish(answer, out);
        return true;
    }
    frame -= 1;
    if (answer->include_usage && frame == 0) {
        event_usage(answer, out);
        return true;
    }
    frame -= answer->include_usage;
    if (with_done && frame == 0) {
        buf_append_c(out, "data: [DONE]\n\n");
        return true;
    }
    return false;
}
