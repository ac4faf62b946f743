#include "text/tokenizer_reader.h"

#include "core/arena.h"
#include "core/bits.h"

vsr_str reader_text(struct tokenizer_reader *r, json_ref ref) {
    vsr_str text = { "", 0 };
    (void)json_str(r->own, &r->doc, ref, &text);
    return text;
}

int reader_invalid(struct tokenizer_reader *r, const char *what, const char *problem) {
    return err_set(r->err, VSR_E_INVALID, "%s %s", what, problem);
}

/* Value of a member; JSON_NONE also for null. */
json_ref reader_get(const struct tokenizer_reader *r, json_ref object, const char *key) {
    json_ref ref = json_get(&r->doc, object, str_from_c(key));
    return ref != JSON_NONE && json_is(&r->doc, ref, JSON_NULL) ? JSON_NONE : ref;
}

/* All keys of `object` are among the space-separated `known`. */
int reader_check_keys(struct tokenizer_reader *r, json_ref object, const char *what, const char *known) {
    for (json_ref key = json_first(&r->doc, object); key != JSON_NONE;) {
        vsr_str name = reader_text(r, key), rest = str_from_c(known);
        bool found = false;
        while (rest.ptr && !found)
            found = str_eq(str_split(&rest, ' '), name);
        if (!found)
            return err_set(r->err, VSR_E_INVALID, "%s: unknown option \"%.*s\"; known are: %s", what,
                           (int)(name.len < 80 ? name.len : 80), name.ptr, known);
        key = json_next(&r->doc, object, json_next(&r->doc, object, key));
    }
    return 0;
}

int reader_bool(struct tokenizer_reader *r, json_ref object, const char *what, const char *key, bool fallback,
                bool *ret) {
    json_ref ref = reader_get(r, object, key);
    *ret = fallback;
    if (ref == JSON_NONE || json_bool(&r->doc, ref, ret))
        return 0;
    return err_set(r->err, VSR_E_INVALID, "%s: \"%s\" is neither true nor false", what, key);
}

int reader_string(struct tokenizer_reader *r, json_ref object, const char *what, const char *key, vsr_str *ret) {
    json_ref ref = reader_get(r, object, key);
    if (ref == JSON_NONE || !json_is(&r->doc, ref, JSON_STRING))
        return err_set(r->err, VSR_E_INVALID, "%s: \"%s\" is missing or no string", what, key);
    *ret = arena_str(r->arena, reader_text(r, ref));
    return 0;
}

int reader_id(struct tokenizer_reader *r, json_ref ref, const char *what, uint32_t *ret) {
    int64_t value;
    if (ref == JSON_NONE || !json_i64(&r->doc, ref, &value) || value < 0 || value >= TOKENIZER_VOCABULARY_MAX)
        return err_set(r->err, VSR_E_INVALID, "%s: an id is no whole number from 0 to %d", what,
                       TOKENIZER_VOCABULARY_MAX - 1);
    *ret = (uint32_t)value;
    return 0;
}

int reader_type(struct tokenizer_reader *r, json_ref object, const char *what, vsr_str *ret) {
    json_ref ref;
    if (!json_is(&r->doc, object, JSON_OBJECT))
        return reader_invalid(r, what, "is no object");
    ref = reader_get(r, object, "type");
    if (ref == JSON_NONE || !json_is(&r->doc, ref, JSON_STRING))
        return reader_invalid(r, what, "has no type");
    *ret = reader_text(r, ref);
    return 0;
}

int reader_unknown_type(struct tokenizer_reader *r, const char *what, vsr_str type) {
    return err_set(r->err, VSR_E_INVALID, "%s: unknown type \"%.*s\"", what, (int)(type.len < 80 ? type.len : 80),
                   type.ptr);
}

int reader_array(struct tokenizer_reader *r, json_ref object, const char *what, const char *key, json_ref *ret) {
    *ret = reader_get(r, object, key);
    if (*ret == JSON_NONE || !json_is(&r->doc, *ret, JSON_ARRAY))
        return err_set(r->err, VSR_E_INVALID, "%s: \"%s\" is missing or no list", what, key);
    return 0;
}

/* {"String": "..."} or {"Regex": "..."} */
int reader_pattern(struct tokenizer_reader *r, json_ref object, const char *what, const struct token_pattern **ret) {
    json_ref ref = reader_get(r, object, "pattern");
    struct token_pattern *pattern = ARENA_NEW(r->arena, struct token_pattern);
    vsr_str text;
    int rc;
    *ret = pattern;
    if (ref == JSON_NONE || !json_is(&r->doc, ref, JSON_OBJECT) || json_count(&r->doc, ref) != 1)
        return reader_invalid(r, what, "has no pattern that is either a String or a Regex");
    rc = reader_check_keys(r, ref, what, "String Regex");
    if (rc < 0)
        return rc;
    if (reader_get(r, ref, "Regex") != JSON_NONE) {
        rc = reader_string(r, ref, what, "Regex", &text);
        if (rc == 0 && (rc = token_pattern_parse(r->arena, text, pattern, r->err)) < 0)
            err_wrap(r->err, "%s", what);
        return rc;
    }
    rc = reader_string(r, ref, what, "String", &text);
    if (rc == 0 && text.len == 0)
        return reader_invalid(r, what, "has an empty pattern");
    *pattern = (struct token_pattern){ .kind = PATTERN_LITERAL, .literal = text };
    return rc;
}

bool reader_is_special(const struct tokenizer_reader *r, uint32_t id) {
    return id < r->n_special && bits_has(r->special, id);
}
