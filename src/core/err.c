#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>

int(err_set)(struct vsr_err *err, int code, const char *format, ...) {
    va_list args;
    if (!err)
        return code;
    err->code = code;
    err->line = err->col = 0;
    err->where[0] = '\0';
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args); /* cut to fit, by design */
    va_end(args);
    return code;
}

int err_wrap(struct vsr_err *err, const char *format, ...) {
    char inner[VSR_ERR_TEXT_LEN];
    va_list args;
    int len;
    if (!err)
        return VSR_E_INTERNAL;
    memcpy(inner, err->text, sizeof(inner));
    va_start(args, format);
    len = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof(err->text))
        (void)snprintf(err->text + len, sizeof(err->text) - (size_t)len, ": %s", inner); /* cut to fit */
    return err->code;
}

void err_at(struct vsr_err *err, vsr_str where, uint32_t line, uint32_t col) {
    if (!err)
        return;
    (void)snprintf(err->where, sizeof(err->where), "%.*s", VSR_FMT(where)); /* cut to fit */
    err->line = line;
    err->col = col;
}

const char *err_print(const struct vsr_err *err, char *out, size_t len) {
    if (err->where[0] && err->line)
        (void)snprintf(out, len, "%s:%u:%u: %s", err->where, err->line, err->col, err->text);
    else if (err->where[0])
        (void)snprintf(out, len, "%s: %s", err->where, err->text);
    else if (err->line)
        (void)snprintf(out, len, "%u:%u: %s", err->line, err->col, err->text);
    else
        (void)snprintf(out, len, "%s", err->text);
    return out;
}

const char *err_code_text(int code) {
    switch (code) {
    case VSR_OK:
        return "no error";
#define X(name, value, text) \
    case VSR_E_##name: \
        return text;
        VSR_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}
