#include "wire/usage.h"

/* A number as a count; false (and flagged) when the member is there but no number. */
static bool read_count(const struct json_doc *doc, json_ref ref, struct usage *usage, int64_t *ret_count) {
    double number;
    if (ref == JSON_NONE || json_is(doc, ref, JSON_NULL))
        return false;
    if (json_i64(doc, ref, ret_count))
        return true;
    if (!json_double(doc, ref, &number)) {
        usage->malformed = true;
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

bool usage_read(const struct json_doc *doc, json_ref object, struct usage *ret_usage) {
    json_ref details, write;
    *ret_usage = (struct usage){ 0 };
    if (!json_is(doc, object, JSON_OBJECT))
        return false;
    if (read_count(doc, either(doc, object, VSR_STR("prompt_tokens"), VSR_STR("input_tokens")), ret_usage,
                   &ret_usage->prompt))
        ret_usage->has = true;
    if (read_count(doc, either(doc, object, VSR_STR("completion_tokens"), VSR_STR("output_tokens")), ret_usage,
                   &ret_usage->completion))
        ret_usage->has = true;
    details = either(doc, object, VSR_STR("prompt_tokens_details"), VSR_STR("input_tokens_details"));
    (void)read_count(doc, json_get(doc, details, VSR_STR("cached_tokens")), ret_usage, &ret_usage->cached);
    write = json_get(doc, details, VSR_STR("cache_write_tokens"));
    if (write == JSON_NONE)
        write = json_get(doc, object, VSR_STR("cache_write_tokens"));
    (void)read_count(doc, write, ret_usage, &ret_usage->cache_write);
    return true;
}

bool usage_read_answer(const struct json_doc *doc, struct usage *ret_usage) {
    return usage_read(doc, json_get(doc, 0, VSR_STR("usage")), ret_usage);
}
