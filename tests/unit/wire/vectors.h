/*
 * vectors - reads the machine-readable cases that are handed out beside the project (vectors/<name>.json): one object
 * with a tolerance and a list of {kind, name, given, want}.
 */
#ifndef VSR_TESTS_VECTORS_H
#define VSR_TESTS_VECTORS_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "test.h"

struct vectors {
    struct arena *arena;
    struct buf text;
    struct json_doc doc;
    double tolerance;
    json_ref cases;
};

enum { VECTORS_LEN_MAX = 16 << 20 };

/* False when the data is not there: the test skips. */
static inline bool vectors_open(struct vectors *v, const char *file) {
    const char *dir = test_shared_dir();
    char path[1024], chunk[4096];
    struct vsr_err err;
    size_t n;
    FILE *in;
    if (!dir)
        return false;
    snprintf(path, sizeof(path), "%s/spec/vectors/%s", dir, file);
    in = fopen(path, "r");
    if (!in)
        return false;
    v->arena = arena_new(0, 0);
    buf_init(&v->text, VECTORS_LEN_MAX);
    while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
        buf_append(&v->text, str_make(chunk, n));
    fclose(in);
    CHECK_MSG(json_parse(v->arena, buf_str(&v->text), &v->doc, &err) == 0, "%s: %s", path, err.text);
    CHECK(json_double(&v->doc, json_get(&v->doc, 0, VSR_STR("tolerance")), &v->tolerance), file);
    v->cases = json_get(&v->doc, 0, VSR_STR("cases"));
    return true;
}

static inline void vectors_close(struct vectors *v) {
    buf_done(&v->text);
    arena_free(v->arena);
}

/* The next case of that kind behind `at` (JSON_NONE: the first), or JSON_NONE. */
static inline json_ref vectors_next(const struct vectors *v, json_ref at, const char *kind) {
    at = at == JSON_NONE ? json_first(&v->doc, v->cases) : json_next(&v->doc, v->cases, at);
    while (at != JSON_NONE && !json_str_eq(&v->doc, json_get(&v->doc, at, VSR_STR("kind")), str_from_c(kind)))
        at = json_next(&v->doc, v->cases, at);
    return at;
}

static inline json_ref vectors_get(const struct vectors *v, json_ref object, const char *key) {
    return json_get(&v->doc, object, str_from_c(key));
}

/* Text of a member, NUL-terminated in the arena; "" when absent. */
static inline const char *vectors_text(const struct vectors *v, json_ref object, const char *key) {
    vsr_str text = { NULL, 0 };
    (void)json_str(v->arena, &v->doc, vectors_get(v, object, key), &text);
    return arena_c_str(v->arena, text);
}

static inline double vectors_number(const struct vectors *v, json_ref object, const char *key, double fallback) {
    double value = fallback;
    (void)json_double(&v->doc, vectors_get(v, object, key), &value);
    return value;
}

/* A member of `want` that is there must be that number. */
static inline void vectors_check_number(const struct vectors *v, json_ref want, const char *key, double got,
                                        const char *name) {
    double value;
    json_ref ref = vectors_get(v, want, key);
    if (ref == JSON_NONE)
        return;
    if (json_is(&v->doc, ref, JSON_TRUE) || json_is(&v->doc, ref, JSON_FALSE))
        value = json_is(&v->doc, ref, JSON_TRUE);
    else
        CHECK(json_double(&v->doc, ref, &value), name);
    CHECK_MSG(got - value <= v->tolerance && value - got <= v->tolerance, "case \"%s\": %s is %.17g, want %.17g", name,
              key, got, value);
}

static inline void vectors_check_text(const struct vectors *v, json_ref want, const char *key, vsr_str got,
                                      const char *name) {
    if (vectors_get(v, want, key) != JSON_NONE)
        CHECK_STR(got, vectors_text(v, want, key), name);
}

#endif
