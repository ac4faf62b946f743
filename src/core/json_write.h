/*
 * json_write - writes JSON into a buffer, commas and escapes included.
 *
 *     struct json_writer w;
 *     json_write_init(&w, &buf);
 *     json_write_begin_object(&w);
 *     json_write_key(&w, VSR_STR("model"));  json_write_str(&w, model);
 *     json_write_end(&w);
 *
 * Strings may hold any bytes: invalid UTF-8 becomes U+FFFD, so the output is always valid JSON. Doubles are printed
 * with the fewest digits that read back to the same value; NaN and infinities become null. Failure is the buffer's
 * sticky error.
 */
#ifndef VSR_CORE_JSON_WRITE_H
#define VSR_CORE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"
#include "core/str.h"

struct buf;

struct json_writer {
    struct buf *out;
    int depth;
    int indent; /* spaces per level; 0 = compact */
    bool after_key;
    char open[JSON_DEPTH_MAX];   /* '{' or '[' of each open level */
    bool filled[JSON_DEPTH_MAX]; /* whether the level has a child */
};

/* Keeps `out`. */
void json_write_init(struct json_writer *w, struct buf *out);
void json_write_init_pretty(struct json_writer *w, struct buf *out, int indent);

void json_write_begin_object(struct json_writer *w);
void json_write_begin_array(struct json_writer *w);
void json_write_end(struct json_writer *w); /* closes the innermost */
void json_write_key(struct json_writer *w, vsr_str key);

void json_write_str(struct json_writer *w, vsr_str text);
void json_write_i64(struct json_writer *w, int64_t value);
void json_write_u64(struct json_writer *w, uint64_t value);
void json_write_double(struct json_writer *w, double value);
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
void json_write_raw(struct json_writer *w, vsr_str raw); /* trusted JSON text */

/* Appends `text` as a quoted, escaped JSON string. */
void json_quote(struct buf *out, vsr_str text);

#endif
