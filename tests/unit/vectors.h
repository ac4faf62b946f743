/*
 * vectors - reads the shared test vectors: one JSON file per topic, many cases, `given` and `want` by kind.
 *
 *     VECTORS_EACH(v, "keyword.json", "keyword_rule") { ... v.given, v.want, v.name ... }
 *
 * Without the shared folder there are no cases.
 */
#ifndef VSR_TESTS_VECTORS_H
#define VSR_TESTS_VECTORS_H

#include "test.h"

#include <math.h>

#include "core/arena.h"
#include "core/json.h"

struct vectors {
    struct arena *arena;
    struct json_doc doc;
    json_ref cases, at;
    const char *kind;
    double tolerance;
    /* the current case */
    json_ref given, want;
    const char *name;
    size_t n; /* cases of the kind so far */
};

static inline vsr_str vectors_text(struct vectors *v, json_ref ref) {
    vsr_str text = { 0 };
    (void)json_str(v->arena, &v->doc, ref, &text);
    return text;
}

static inline json_ref vectors_get(const struct vectors *v, json_ref object, const char *key) {
    return object == JSON_NONE ? JSON_NONE : json_get(&v->doc, object, str_from_c(key));
}

static inline vsr_str vectors_str(struct vectors *v, json_ref object, const char *key) {
    json_ref ref = vectors_get(v, object, key);
    return ref == JSON_NONE ? (vsr_str){ 0 } : vectors_text(v, ref);
}

static inline double vectors_number(const struct vectors *v, json_ref object, const char *key, double fallback) {
    double number = fallback;
    json_ref ref = vectors_get(v, object, key);
    if (ref != JSON_NONE)
        (void)json_double(&v->doc, ref, &number);
    return number;
}

static inline bool vectors_bool(const struct vectors *v, json_ref object, const char *key) {
    bool flag = false;
    json_ref ref = vectors_get(v, object, key);
    if (ref != JSON_NONE)
        (void)json_bool(&v->doc, ref, &flag);
    return flag;
}

static inline size_t vectors_count(const struct vectors *v, json_ref ref) {
    return ref == JSON_NONE ? 0 : json_count(&v->doc, ref);
}

static inline void vectors_open(struct vectors *v, const char *file, const char *kind) {
    const char *dir = test_shared_dir();
    char path[1024];
    char *text;
    FILE *stream;
    long len;
    *v = (struct vectors){ .arena = arena_new(1 << 16, 0), .kind = kind, .at = JSON_NONE };
    if (!dir)
        return;
    snprintf(path, sizeof(path), "%s/spec/vectors/%s", dir, file);
    stream = fopen(path, "rb");
    CHECK_MSG(stream, "%s is missing", path);
    fseek(stream, 0, SEEK_END);
    len = ftell(stream);
    rewind(stream);
    text = arena_alloc(v->arena, (size_t)len + 1);
    CHECK_INT(fread(text, 1, (size_t)len, stream), len, path);
    fclose(stream);
    CHECK_INT(json_parse(v->arena, str_make(text, (size_t)len), &v->doc, NULL), 0, path);
    v->cases = vectors_get(v, 0, "cases");
    v->tolerance = vectors_number(v, 0, "tolerance", 0);
    v->at = json_first(&v->doc, v->cases);
}

/* Moves to the next case of the kind; at the end frees everything and returns false. */
static inline bool vectors_next(struct vectors *v) {
    while (v->at != JSON_NONE) {
        json_ref ref = v->at;
        v->at = json_next(&v->doc, v->cases, ref);
        if (!str_eq_c(vectors_str(v, ref, "kind"), v->kind))
            continue;
        v->given = vectors_get(v, ref, "given");
        v->want = vectors_get(v, ref, "want");
        v->name = arena_c_str(v->arena, vectors_str(v, ref, "name"));
        v->n++;
        return true;
    }
    if (v->doc.text.len)
        CHECK_MSG(v->n > 0, "no case of kind %s", v->kind);
    arena_free(v->arena);
    v->arena = NULL;
    return false;
}

#define VECTORS_EACH(v, file, kind) \
    struct vectors v; \
    vectors_open(&v, file, kind); \
    while (vectors_next(&v))

#define CHECK_NEAR(v, got, want_, what) \
    do { \
        double got_value_ = (got), want_value_ = (want_); \
        CHECK_MSG(fabs(got_value_ - want_value_) <= (v)->tolerance, "case \"%s\": %s is %.12g, want %.12g", (v)->name, \
                  (what), got_value_, want_value_); \
    } while (0)

/* Checks a list of strings against an array of the case. */
static inline void vectors_check_list(struct vectors *v, json_ref array, const vsr_str *got, size_t n,
                                      const char *what) {
    size_t i = 0;
    CHECK_MSG(vectors_count(v, array) == n, "case \"%s\": %s has %zu entries, want %.*s", v->name, what, n,
              VSR_FMT(json_raw(&v->doc, array)));
    for (json_ref ref = json_first(&v->doc, array); ref != JSON_NONE; ref = json_next(&v->doc, array, ref), i++)
        CHECK_MSG(str_eq(got[i], vectors_text(v, ref)), "case \"%s\": %s[%zu] is %.*s, want %.*s", v->name, what, i,
                  VSR_FMT(got[i]), VSR_FMT(json_raw(&v->doc, ref)));
}

#endif
