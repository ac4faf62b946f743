#include "wire/usage.h"

#include "core/json_write.h"
#include "wire/member_write.h"

/* A number as a count; false (and flagged) when the member is there but no number. */
static bool read_count(const struct json_doc *doc, json_ref ref, bool *malformed, int64_t *ret_count) {
    double number;
    if (ref == JSON_NONE || json_is(doc, ref, JSON_NULL))
        return false;
    if (json_i64(doc, ref, ret_count))
        return true;
    if (!json_double(doc, ref, &number)) {
        *malformed = true;
        return false;
    }
    /* Compared as doubles: 2^63 itself does not fit. */
    if (number >= 9223372036854775808.0)
        *ret_count = INT64_MAX;
    else if (number <= -9223372036854775808.0)
        *ret_count = INT64_MIN;
    else
        *ret_count = (int64_t)number;
    return true;
}

/* The first of two names that is there. */
static json_ref either(const struct json_doc *doc, json_ref object, vsr_str a, vsr_str b) {
    json_ref ref = json_get(doc, object, a);
    return ref == JSON_NONE || json_is(doc, ref, JSON_NULL) ? json_get(doc, object, b) : ref;
}

static bool read_member(const struct json_doc *doc, json_ref object, vsr_str key, bool *malformed, int64_t *ret_count) {
    return read_count(doc, json_get(doc, object, key), malformed, ret_count);
}

/* Some proxies put Anthropic's counters beside OpenAI's names; the latter then mean what they always do. */
static bool is_messages(const struct json_doc *doc, json_ref object) {
    return json_get(doc, object, VSR_STR("prompt_tokens")) == JSON_NONE &&
           (json_get(doc, object, VSR_STR("cache_read_input_tokens")) != JSON_NONE ||
            json_get(doc, object, VSR_STR("cache_creation_input_tokens")) != JSON_NONE);
}

bool usage_read(const struct json_doc *doc, json_ref object, struct usage *ret_usage) {
    json_ref details, spent, write;
    bool *malformed = &ret_usage->malformed;
    *ret_usage = (struct usage){ 0 };
    if (!json_is(doc, object, JSON_OBJECT))
        return false;
    if (is_messages(doc, object)) {
        struct usage_messages raw = { 0 };
        usage_read_messages(doc, object, &raw);
        *ret_usage = usage_from_messages(&raw);
        return true;
    }
    if (read_count(doc, either(doc, object, VSR_STR("prompt_tokens"), VSR_STR("input_tokens")), malformed,
                   &ret_usage->prompt))
        ret_usage->has = true;
    if (read_count(doc, either(doc, object, VSR_STR("completion_tokens"), VSR_STR("output_tokens")), malformed,
                   &ret_usage->completion))
        ret_usage->has = true;
    details = either(doc, object, VSR_STR("prompt_tokens_details"), VSR_STR("input_tokens_details"));
    spent = either(doc, object, VSR_STR("completion_tokens_details"), VSR_STR("output_tokens_details"));
    (void)read_member(doc, details, VSR_STR("cached_tokens"), malformed, &ret_usage->cached);
    (void)read_member(doc, spent, VSR_STR("reasoning_tokens"), malformed, &ret_usage->reasoning);
    write = json_get(doc, details, VSR_STR("cache_write_tokens"));
    if (write == JSON_NONE)
        write = json_get(doc, object, VSR_STR("cache_write_tokens"));
    (void)read_count(doc, write, malformed, &ret_usage->cache_write);
    return true;
}

bool usage_read_answer(const struct json_doc *doc, struct usage *ret_usage) {
    return usage_read(doc, json_get(doc, 0, VSR_STR("usage")), ret_usage);
}

/* ---- Messages */

void usage_read_messages(const struct json_doc *doc, json_ref object, struct usage_messages *raw) {
    json_ref creation = json_get(doc, object, VSR_STR("cache_creation"));
    json_ref server = json_get(doc, object, VSR_STR("server_tool_use"));
    json_ref details = json_get(doc, object, VSR_STR("output_tokens_details"));
    bool *malformed = &raw->malformed;
    if (!json_is(doc, object, JSON_OBJECT))
        return;
    if (read_member(doc, object, VSR_STR("input_tokens"), malformed, &raw->input))
        raw->has = true;
    if (read_member(doc, object, VSR_STR("output_tokens"), malformed, &raw->output))
        raw->has = true;
    (void)read_member(doc, object, VSR_STR("cache_read_input_tokens"), malformed, &raw->cache_read);
    (void)read_member(doc, object, VSR_STR("cache_creation_input_tokens"), malformed, &raw->cache_creation);
    (void)read_member(doc, creation, VSR_STR("ephemeral_5m_input_tokens"), malformed, &raw->ephemeral_5m);
    (void)read_member(doc, creation, VSR_STR("ephemeral_1h_input_tokens"), malformed, &raw->ephemeral_1h);
    (void)read_member(doc, server, VSR_STR("web_search_requests"), malformed, &raw->web_searches);
    (void)read_member(doc, details, VSR_STR("thinking_tokens"), malformed, &raw->thinking);
}

static int64_t add(int64_t a, int64_t b) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

struct usage usage_from_messages(const struct usage_messages *raw) {
    return (struct usage){
        .prompt = add(add(raw->input, raw->cache_read), raw->cache_creation),
        .completion = raw->output,
        .reasoning = raw->thinking,
        .cached = raw->cache_read,
        .cache_write = raw->cache_creation,
        .cache_write_5m = raw->ephemeral_5m,
        .cache_write_1h = raw->ephemeral_1h,
        .web_searches = raw->web_searches,
        .has = raw->has,
        .malformed = raw->malformed,
    };
}

/* ---- writing */

static void write_count(struct json_writer *w, vsr_str key, int64_t count) {
    json_write_key(w, key);
    json_write_i64(w, count);
}

void usage_write_chat(struct json_writer *w, const struct usage *usage) {
    json_write_begin_object(w);
    write_count(w, VSR_STR("prompt_tokens"), usage->prompt);
    write_count(w, VSR_STR("completion_tokens"), usage->completion);
    write_count(w, VSR_STR("total_tokens"), add(usage->prompt, usage->completion));
    if (usage->cached != 0 || usage->cache_write != 0) {
        member_key(w, "prompt_tokens_details");
        json_write_begin_object(w);
        write_count(w, VSR_STR("cached_tokens"), usage->cached);
        write_count(w, VSR_STR("cache_write_tokens"), usage->cache_write);
        json_write_end(w);
    }
    if (usage->reasoning != 0) {
        member_key(w, "completion_tokens_details");
        json_write_begin_object(w);
        write_count(w, VSR_STR("reasoning_tokens"), usage->reasoning);
        json_write_end(w);
    }
    json_write_end(w);
}

static int64_t uncached(const struct usage *usage) {
    int64_t cached = add(usage->cached, usage->cache_write), left;
    return __builtin_sub_overflow(usage->prompt, cached, &left) || left < 0 ? 0 : left;
}

void usage_write_messages(struct json_writer *w, const struct usage *usage) {
    json_write_begin_object(w);
    write_count(w, VSR_STR("input_tokens"), uncached(usage));
    write_count(w, VSR_STR("output_tokens"), usage->completion);
    write_count(w, VSR_STR("cache_creation_input_tokens"), usage->cache_write);
    write_count(w, VSR_STR("cache_read_input_tokens"), usage->cached);
    if (usage->cache_write_5m != 0 || usage->cache_write_1h != 0) {
        member_key(w, "cache_creation");
        json_write_begin_object(w);
        write_count(w, VSR_STR("ephemeral_5m_input_tokens"), usage->cache_write_5m);
        write_count(w, VSR_STR("ephemeral_1h_input_tokens"), usage->cache_write_1h);
        json_write_end(w);
    }
    if (usage->reasoning != 0) {
        member_key(w, "output_tokens_details");
        json_write_begin_object(w);
        write_count(w, VSR_STR("thinking_tokens"), usage->reasoning);
        json_write_end(w);
    }
    if (usage->web_searches != 0) {
        member_key(w, "server_tool_use");
        json_write_begin_object(w);
        write_count(w, VSR_STR("web_search_requests"), usage->web_searches);
        json_write_end(w);
    }
    json_write_end(w);
}
