#include "wire/warnings.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/utf8.h"

void warnings_init(struct warnings *warnings, struct arena *arena) {
    warnings->arena = arena;
    warnings->n = warnings->n_more = 0;
}

static bool is_known(const struct warnings *warnings, const char *reason, vsr_str field) {
    for (size_t i = 0; i < warnings->n; i++)
        if (strcmp(warnings->items[i].reason, reason) == 0 && str_eq(warnings->items[i].field, field))
            return true;
    return false;
}

void warnings_add(struct warnings *warnings, enum warning_severity severity, const char *reason, vsr_str field,
                  vsr_str detail) {
    if (!warnings)
        return;
    field = utf8_cut(field, WARNINGS_TEXT_LEN_MAX);
    if (is_known(warnings, reason, field))
        return;
    if (warnings->n == WARNINGS_MAX) {
        warnings->n_more++;
        return;
    }
    warnings->items[warnings->n++] = (struct warning){
        .severity = severity,
        .reason = reason,
        .field = arena_str(warnings->arena, field),
        .detail = arena_str(warnings->arena, utf8_cut(detail, WARNINGS_TEXT_LEN_MAX)),
    };
}

const char *warning_severity_name(enum warning_severity severity) {
    static const char *const names[WARNING_SEVERITY_COUNT] = { "info", "lossy", "error" };
    return names[severity];
}

static void append_encoded(struct buf *out, vsr_str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= 0x20 || c >= 0x7F || c == '%' || c == ';' || c == ',')
            buf_printf(out, "%%%02X", c);
        else
            buf_append_char(out, (char)c);
    }
}

static void append_entry(struct buf *out, const struct warning *warning) {
    if (out->len > 0)
        buf_append_char(out, ',');
    buf_append_c(out, warning_severity_name(warning->severity));
    buf_append_char(out, ';');
    append_encoded(out, str_from_c(warning->reason));
    buf_append_char(out, ';');
    append_encoded(out, warning->field);
}

/* ",error;warnings_truncated;count=" and twenty digits */
enum { TRUNCATED_LEN_MAX = 64 };

vsr_str warnings_header(const struct warnings *warnings, struct arena *arena) {
    size_t n_missing = warnings->n_more, kept = 0;
    struct buf out;
    vsr_str header;
    buf_init(&out, WARNINGS_HEADER_LEN_MAX * 8);
    for (size_t i = 0; i < warnings->n; i++) {
        append_entry(&out, &warnings->items[i]);
        if (out.len > WARNINGS_HEADER_LEN_MAX - TRUNCATED_LEN_MAX) {
            n_missing += warnings->n - i;
            break;
        }
        kept = out.len;
    }
    out.len = kept;
    if (n_missing > 0)
        buf_printf(&out, "%serror;warnings_truncated;count=%zu", kept > 0 ? "," : "", n_missing);
    header = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return header;
}
