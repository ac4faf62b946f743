#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "core/utf8.h"

enum {
    LOG_LINE_LEN_MAX = 64 << 10,
    LOG_VALUE_LEN_MAX = 4 << 10,               /* a longer text is cut */
    LOG_CLEAN_LEN_MAX = 3 * LOG_VALUE_LEN_MAX, /* a replaced secret may be longer than what it hides */
};

/* Process-wide on purpose: a log destination is a property of the process. Written once, before threads start. */
static struct {
    enum log_level level;
    enum log_format format;
    int fd;
    bool colour;
} config = { LOG_LEVEL_INFO, LOG_FORMAT_TEXT, STDERR_FILENO, false };

static const char *const level_names[] = { "debug", "info", "warn", "error", "off" };
static const char *const level_colours[] = { "\033[2m", "\033[32m", "\033[33m", "\033[31m", "" };

void log_configure(enum log_level level, enum log_format format, int fd) {
    const char *no_colour = getenv("NO_COLOR");
    config.level = level;
    config.format = format;
    config.fd = fd;
    config.colour = format == LOG_FORMAT_TEXT && isatty(fd) && !(no_colour && no_colour[0]);
}

bool log_level_parse(vsr_str name, enum log_level *ret_level) {
    for (size_t i = 0; i < VSR_COUNT(level_names); i++) {
        if (str_eq_nocase(name, str_from_c(level_names[i]))) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_is_json(void) {
    return config.format == LOG_FORMAT_JSON;
}

bool log_enabled(enum log_level level) {
    return level >= config.level && config.level != LOG_LEVEL_OFF;
}

/* Names whose value is a secret when `=` or `:` follows; the longest first, so that `api_key` is not read as `key`. */
static const char *const secret_names[] = {
    "client_secret", "client-secret", "private_key", "private-key", "auth_password", "auth-password", "access_key",
    "access-key",    "accesskey",     "api_key",     "api-key",     "apikey",        "password",      "secret",
};

/* Length of the secret's name at `at`, or 0. */
static size_t secret_name_at(vsr_str text, size_t at) {
    for (size_t i = 0; i < VSR_COUNT(secret_names); i++) {
        vsr_str name = str_from_c(secret_names[i]);
        if (text.len - at >= name.len && str_eq_nocase(str_make(text.ptr + at, name.len), name))
            return name.len;
    }
    return 0;
}

static bool ends_value(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == ';' || c == '&' || c == '"' || c == '\'';
}

/* When a name=value pair with a secret value starts at `at`: where its value starts and ends. */
static bool secret_pair_at(vsr_str text, size_t at, size_t *ret_value, size_t *ret_end) {
    size_t name_len = secret_name_at(text, at), pos = at + name_len;
    if (name_len == 0)
        return false;
    while (pos < text.len && (text.ptr[pos] == ' ' || text.ptr[pos] == '"'))
        pos++;
    if (pos == text.len || (text.ptr[pos] != ':' && text.ptr[pos] != '='))
        return false;
    pos++;
    while (pos < text.len && (text.ptr[pos] == ' ' || text.ptr[pos] == '"' || text.ptr[pos] == '\''))
        pos++;
    *ret_value = pos;
    while (pos < text.len && !ends_value(text.ptr[pos]))
        pos++;
    *ret_end = pos;
    return *ret_end > *ret_value;
}

void log_scrub(struct buf *out, vsr_str text) {
    size_t kept = 0;
    for (size_t at = 0; at < text.len;) {
        size_t value, end;
        if (!secret_pair_at(text, at, &value, &end)) {
            at++;
            continue;
        }
        (void)buf_append(out, str_sub(text, kept, value));
        (void)buf_append_c(out, "[REDACTED]");
        kept = at = end;
    }
    (void)buf_append(out, str_sub(text, kept, text.len));
}

/* What may be shown of a text: without secrets, and not endless. */
static void clean_value(struct buf *clean, vsr_str value) {
    buf_init(clean, LOG_CLEAN_LEN_MAX);
    log_scrub(clean, utf8_cut(value, LOG_VALUE_LEN_MAX));
    if (value.len > LOG_VALUE_LEN_MAX)
        (void)buf_append_c(clean, "...");
}

static void field_json(struct json_writer *w, const struct log_field *field) {
    json_write_key(w, str_from_c(field->key));
    switch (field->kind) {
    case LOG_FIELD_STR: {
        struct buf clean;
        clean_value(&clean, field->str);
        json_write_str(w, buf_str(&clean));
        buf_done(&clean);
        return;
    }
    case LOG_FIELD_INT:
        json_write_i64(w, field->i);
        return;
    case LOG_FIELD_UINT:
        json_write_u64(w, field->u);
        return;
    case LOG_FIELD_DOUBLE:
        json_write_double(w, field->d);
        return;
    case LOG_FIELD_BOOL:
        json_write_bool(w, field->b);
        return;
    case LOG_FIELD_SECRET:
        json_write_str(w, VSR_STR("[REDACTED]"));
        return;
    }
}

static void line_json(struct buf *line, enum log_level level, const char *event, const struct log_field *fields,
                      size_t n_fields) {
    char when[CLOCK_RFC3339_LEN];
    struct json_writer w;
    json_write_init(&w, line);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("time"));
    json_write_str(&w, str_from_c(clock_rfc3339(clock_wall_ms(), when)));
    json_write_key(&w, VSR_STR("level"));
    json_write_str(&w, str_from_c(level_names[level]));
    json_write_key(&w, VSR_STR("msg"));
    json_write_str(&w, str_from_c(event));
    for (size_t i = 0; i < n_fields; i++)
        field_json(&w, &fields[i]);
    json_write_end(&w);
}

/* A value that would be ambiguous in key=value text is quoted. */
static void text_value(struct buf *line, vsr_str value) {
    struct buf clean;
    bool quote = value.len == 0;
    clean_value(&clean, value);
    for (size_t i = 0; i < clean.len; i++) {
        unsigned char c = (unsigned char)clean.ptr[i];
        quote |= c <= ' ' || c == '"' || c == '=' || c == 0x7f;
    }
    if (quote)
        json_quote(line, buf_str(&clean));
    else
        (void)buf_append(line, buf_str(&clean));
    buf_done(&clean);
}

static void field_text(struct buf *line, const struct log_field *field) {
    (void)buf_printf(line, " %s=", field->key);
    switch (field->kind) {
    case LOG_FIELD_STR:
        text_value(line, field->str);
        return;
    case LOG_FIELD_INT:
        (void)buf_printf(line, "%lld", (long long)field->i);
        return;
    case LOG_FIELD_UINT:
        (void)buf_append_u64(line, field->u);
        return;
    case LOG_FIELD_DOUBLE:
        (void)buf_printf(line, "%g", field->d);
        return;
    case LOG_FIELD_BOOL:
        (void)buf_append_c(line, field->b ? "true" : "false");
        return;
    case LOG_FIELD_SECRET:
        (void)buf_append_c(line, "[REDACTED]");
        return;
    }
}

static void line_text(struct buf *line, enum log_level level, const char *event, const struct log_field *fields,
                      size_t n_fields) {
    char when[CLOCK_RFC3339_LEN];
    const char *on = config.colour ? level_colours[level] : "", *off = config.colour ? "\033[0m" : "";
    (void)buf_printf(line, "%s %s%-5s%s %s", clock_rfc3339(clock_wall_ms(), when), on, level_names[level], off, event);
    for (size_t i = 0; i < n_fields; i++)
        field_text(line, &fields[i]);
}

static void line_print(struct buf *line, enum log_level level, const char *event, const struct log_field *fields,
                       size_t n_fields) {
    if (config.format == LOG_FORMAT_JSON)
        line_json(line, level, event, fields, n_fields);
    else
        line_text(line, level, event, fields, n_fields);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n_fields) {
    struct buf line;
    if (!log_enabled(level))
        return;
    buf_init(&line, LOG_LINE_LEN_MAX);
    line_print(&line, level, event, fields, n_fields);
    if (buf_failed(&line)) { /* too long: the event without its fields is better than half a line */
        buf_reset(&line);
        line_print(&line, level, event, NULL, 0);
    }
    (void)buf_append_char(&line, '\n');
    if (write(config.fd, line.ptr, line.len) < 0) {
        /* A log that cannot be written has nowhere to say so. */
    }
    buf_done(&line);
}
