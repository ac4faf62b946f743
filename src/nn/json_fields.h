/*
 * json_fields - typed values of a JSON object by key, with a default for what is absent and an error for what is wrong.
 *
 * The first problem is kept, the rest of the reading goes on with defaults, and whoever reads a dozen keys asks once at
 * the end: fields_end(). Null counts as absent, as the libraries that write these files mean it.
 *
 *     rc = fields_open(&f, text, err);
 *     hidden = fields_size(&f, 0, "hidden_size", FIELDS_REQUIRED, 1, HIDDEN_MAX);
 *     rc = fields_end(&f);
 *
 * One thread. Memory of the tape is freed by fields_end(), which must follow each fields_open(), failed ones too.
 */
#ifndef VSR_NN_JSON_FIELDS_H
#define VSR_NN_JSON_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"

#define FIELDS_REQUIRED SIZE_MAX /* as a fallback: absence is an error */

struct json_fields {
    struct arena *scratch; /* tape and unescaped texts, until fields_end() */
    struct json_doc doc;
    struct vsr_err *err;
    int rc; /* 0, or of the first problem */
};

/* Borrows `text` until fields_end(). The first wants an object at the root. */
int fields_open(struct json_fields *f, vsr_str text, struct vsr_err *err);
int fields_open_any(struct json_fields *f, vsr_str text, struct vsr_err *err);
/* Frees, and returns the first problem. */
int fields_end(struct json_fields *f);

/* The problem is with the value of `key` in `object`, or with its absence. Keeps the first one only. */
void fields_wrong(struct json_fields *f, json_ref object, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The problem is with this value. */
void fields_wrong_value(struct json_fields *f, json_ref value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* JSON_NONE when absent or null. */
json_ref fields_get(const struct json_fields *f, json_ref object, const char *key);
/* The same, and an error for a value of another type. */
json_ref fields_typed(struct json_fields *f, json_ref object, const char *key, enum json_type type);

/* An integer; also as 512.0, which some writers make of it. */
int64_t fields_int(struct json_fields *f, json_ref object, const char *key, int64_t fallback, int64_t least,
                   int64_t most);
size_t fields_size(struct json_fields *f, json_ref object, const char *key, size_t fallback, size_t least, size_t most);
double fields_number(struct json_fields *f, json_ref object, const char *key, double fallback, double least,
                     double most);
bool fields_flag(struct json_fields *f, json_ref object, const char *key, bool fallback);
/* Valid until fields_end(). */
vsr_str fields_text(struct json_fields *f, json_ref object, const char *key, vsr_str fallback);
/* Text of a value that must be one; empty after an error. */
vsr_str fields_text_of(struct json_fields *f, json_ref value);

#endif
