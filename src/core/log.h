/*
 * log - structured log lines on one descriptor.
 *
 * A line is an event text plus typed fields, written by one write(2) as JSON or as readable text. The text is a
 * constant sentence; what varies goes into fields. Prompt text is never logged above debug. LOG_SECRET fields print
 * [REDACTED], and so does anything in a string that looks like `api_key=...`.
 *
 *     LOG_INFO("listener ready", LOG_S("name", name), LOG_U("port", port));
 *
 * Configured once before threads start; then any thread.
 */
#ifndef VSR_CORE_LOG_H
#define VSR_CORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct buf;

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR, LOG_LEVEL_OFF };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_field {
    const char *key;
    enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_UINT, LOG_FIELD_DOUBLE, LOG_FIELD_BOOL, LOG_FIELD_SECRET } kind;
    union {
        vsr_str str;
        int64_t i;
        uint64_t u;
        double d;
        bool b;
    };
};

#define LOG_S(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_STR, .str = (v) })
#define LOG_C(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_STR, .str = str_from_c(v) })
#define LOG_I(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_INT, .i = (v) })
#define LOG_U(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_UINT, .u = (v) })
#define LOG_D(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_DOUBLE, .d = (v) })
#define LOG_B(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_BOOL, .b = (v) })
#define LOG_SECRET(k) ((struct log_field){ .key = (k), .kind = LOG_FIELD_SECRET })

/* `fd` stays the caller's. Colour is used only for text on a terminal and without NO_COLOR. */
void log_configure(enum log_level level, enum log_format format, int fd);

/* "debug", "info", "warn", "error", "off". False when unknown. */
bool log_level_parse(vsr_str name, enum log_level *ret_level);

bool log_enabled(enum log_level level);
/* Whether every line is a JSON object, so that nothing else may be written among them. */
bool log_is_json(void);
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n_fields);

/* Appends `text` with the values of key=value pairs that look like secrets replaced (config.md §12). */
void log_scrub(struct buf *out, vsr_str text);

#define LOG_AT(level, event, ...) \
    do { \
        if (log_enabled(level)) { \
            const struct log_field log_fields_[] = { __VA_ARGS__ }; \
            log_write((level), (event), log_fields_, VSR_COUNT(log_fields_)); \
        } \
    } while (0)
#define LOG_DEBUG(event, ...) LOG_AT(LOG_LEVEL_DEBUG, event, ##__VA_ARGS__)
#define LOG_INFO(event, ...) LOG_AT(LOG_LEVEL_INFO, event, ##__VA_ARGS__)
#define LOG_WARN(event, ...) LOG_AT(LOG_LEVEL_WARN, event, ##__VA_ARGS__)
#define LOG_ERROR(event, ...) LOG_AT(LOG_LEVEL_ERROR, event, ##__VA_ARGS__)

#endif
