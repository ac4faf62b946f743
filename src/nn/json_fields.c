#include "nn/json_fields.h"

#include <math.h>
#include <stdarg.h>

#include "core/arena.h"

enum { SCRATCH_LEN_MAX = 512 << 20, RAW_LEN_MAX = 60 };

static const char *const type_names[] = {
    [JSON_NULL] = "null",     [JSON_FALSE] = "false",    [JSON_TRUE] = "true",        [JSON_NUMBER] = "a number",
    [JSON_STRING] = "a text", [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
};

int fields_open_any(struct json_fields *f, vsr_str text, struct vsr_err *err) {
    *f = (struct json_fields){ .scratch = arena_new(0, SCRATCH_LEN_MAX), .err = err };
    f->rc = json_parse(f->scratch, text, &f->doc, err);
    return f->rc;
}

int fields_open(struct json_fields *f, vsr_str text, struct vsr_err *err) {
    if (fields_open_any(f, text, err) == 0 && !json_is(&f->doc, 0, JSON_OBJECT))
        fields_wrong_value(f, 0, "expected an object");
    return f->rc;
}

int fields_end(struct json_fields *f) {
    arena_free(f->scratch);
    f->scratch = NULL;
    return f->rc;
}

__attribute__((format(printf, 4, 0))) static void wrong(struct json_fields *f, json_ref value, const char *key,
                                                        const char *format, va_list args) {
    char text[VSR_ERR_TEXT_LEN];
    uint32_t line = 0, col = 0;
    if (f->rc < 0)
        return;
    (void)vsnprintf(text, sizeof(text), format, args); /* cut if need be */
    if (key)
        f->rc = err_set(f->err, VSR_E_INVALID, "key \"%s\": %s", key, text);
    else
        f->rc = err_set(f->err, VSR_E_INVALID, "%s", text);
    if (value != JSON_NONE)
        json_position(f->doc.text, f->doc.nodes[value].start, &line, &col);
    err_at(f->err, VSR_STR(""), line, col);
}

void fields_wrong(struct json_fields *f, json_ref object, const char *key, const char *format, ...) {
    json_ref value = json_get(&f->doc, object, str_from_c(key));
    va_list args;
    va_start(args, format);
    wrong(f, value == JSON_NONE ? object : value, key, format, args);
    va_end(args);
}

void fields_wrong_value(struct json_fields *f, json_ref value, const char *format, ...) {
    va_list args;
    va_start(args, format);
    wrong(f, value, NULL, format, args);
    va_end(args);
}

json_ref fields_get(const struct json_fields *f, json_ref object, const char *key) {
    json_ref ref = json_get(&f->doc, object, str_from_c(key));
    return json_is(&f->doc, ref, JSON_NULL) ? JSON_NONE : ref;
}

/* What stands there, cut to a readable length. */
static vsr_str found(const struct json_fields *f, json_ref ref) {
    return str_sub(json_raw(&f->doc, ref), 0, RAW_LEN_MAX);
}

json_ref fields_typed(struct json_fields *f, json_ref object, const char *key, enum json_type type) {
    json_ref ref = fields_get(f, object, key);
    if (ref == JSON_NONE || json_is(&f->doc, ref, type))
        return ref;
    fields_wrong(f, object, key, "expected %s, found %.*s", type_names[type], VSR_FMT(found(f, ref)));
    return JSON_NONE;
}

static bool read_int(const struct json_doc *doc, json_ref ref, int64_t *ret_value) {
    double number;
    if (json_i64(doc, ref, ret_value))
        return true;
    if (!json_double(doc, ref, &number) || number != floor(number) || fabs(number) > 1e15)
        return false;
    *ret_value = (int64_t)number;
    return true;
}

int64_t fields_int(struct json_fields *f, json_ref object, const char *key, int64_t fallback, int64_t least,
                   int64_t most) {
    json_ref ref = fields_get(f, object, key);
    int64_t value;
    if (ref == JSON_NONE)
        return fallback;
    if (read_int(&f->doc, ref, &value) && value >= least && value <= most)
        return value;
    fields_wrong(f, object, key, "expected an integer from %lld to %lld, found %.*s", (long long)least, (long long)most,
                 VSR_FMT(found(f, ref)));
    return fallback;
}

size_t fields_size(struct json_fields *f, json_ref object, const char *key, size_t fallback, size_t least,
                   size_t most) {
    if (fallback != FIELDS_REQUIRED)
        return (size_t)fields_int(f, object, key, (int64_t)fallback, (int64_t)least, (int64_t)most);
    if (fields_get(f, object, key) == JSON_NONE)
        fields_wrong(f, object, key, "missing; expected an integer from %zu to %zu", least, most);
    return (size_t)fields_int(f, object, key, (int64_t)least, (int64_t)least, (int64_t)most);
}

double fields_number(struct json_fields *f, json_ref object, const char *key, double fallback, double least,
                     double most) {
    json_ref ref = fields_get(f, object, key);
    double value;
    if (ref == JSON_NONE)
        return fallback;
    if (json_double(&f->doc, ref, &value) && value >= least && value <= most)
        return value;
    fields_wrong(f, object, key, "expected a number from %g to %g, found %.*s", least, most, VSR_FMT(found(f, ref)));
    return fallback;
}

bool fields_flag(struct json_fields *f, json_ref object, const char *key, bool fallback) {
    json_ref ref = fields_get(f, object, key);
    bool value;
    if (ref == JSON_NONE)
        return fallback;
    if (json_bool(&f->doc, ref, &value))
        return value;
    fields_wrong(f, object, key, "expected true or false, found %.*s", VSR_FMT(found(f, ref)));
    return fallback;
}

vsr_str fields_text(struct json_fields *f, json_ref object, const char *key, vsr_str fallback) {
    json_ref ref = fields_typed(f, object, key, JSON_STRING);
    return ref == JSON_NONE ? fallback : fields_text_of(f, ref);
}

vsr_str fields_text_of(struct json_fields *f, json_ref value) {
    vsr_str text = { 0 };
    if (!json_str(f->scratch, &f->doc, value, &text))
        fields_wrong_value(f, value, "expected a text, found %.*s", VSR_FMT(found(f, value)));
    return text;
}
