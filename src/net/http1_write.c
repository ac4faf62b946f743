/*
 * Writing heads and chunk framing. Each piece is sized first, reserved once and copied in place; the buffer's sticky
 * failure is the only error.
 */
#include "core/assert.h"
#include "net/http1.h"

/* IANA HTTP status code registry, and 529, which model providers answer when overloaded. */
#define STATUSES(X) \
    X(100, "Continue") \
    X(101, "Switching Protocols") \
    X(102, "Processing") \
    X(103, "Early Hints") \
    X(200, "OK") \
    X(201, "Created") \
    X(202, "Accepted") \
    X(203, "Non-Authoritative Information") \
    X(204, "No Content") \
    X(205, "Reset Content") \
    X(206, "Partial Content") \
    X(207, "Multi-Status") \
    X(208, "Already Reported") \
    X(226, "IM Used") \
    X(300, "Multiple Choices") \
    X(301, "Moved Permanently") \
    X(302, "Found") \
    X(303, "See Other") \
    X(304, "Not Modified") \
    X(305, "Use Proxy") \
    X(307, "Temporary Redirect") \
    X(308, "Permanent Redirect") \
    X(400, "Bad Request") \
    X(401, "Unauthorized") \
    X(402, "Payment Required") \
    X(403, "Forbidden") \
    X(404, "Not Found") \
    X(405, "Method Not Allowed") \
    X(406, "Not Acceptable") \
    X(407, "Proxy Authentication Required") \
    X(408, "Request Timeout") \
    X(409, "Conflict") \
    X(410, "Gone") \
    X(411, "Length Required") \
    X(412, "Precondition Failed") \
    X(413, "Content Too Large") \
    X(414, "URI Too Long") \
    X(415, "Unsupported Media Type") \
    X(416, "Range Not Satisfiable") \
    X(417, "Expectation Failed") \
    X(421, "Misdirected Request") \
    X(422, "Unprocessable Content") \
    X(423, "Locked") \
    X(424, "Failed Dependency") \
    X(425, "Too Early") \
    X(426, "Upgrade Required") \
    X(428, "Precondition Required") \
    X(429, "Too Many Requests") \
    X(431, "Request Header Fields Too Large") \
    X(451, "Unavailable For Legal Reasons") \
    X(500, "Internal Server Error") \
    X(501, "Not Implemented") \
    X(502, "Bad Gateway") \
    X(503, "Service Unavailable") \
    X(504, "Gateway Timeout") \
    X(505, "HTTP Version Not Supported") \
    X(506, "Variant Also Negotiates") \
    X(507, "Insufficient Storage") \
    X(508, "Loop Detected") \
    X(511, "Network Authentication Required") \
    X(529, "Overloaded")

enum { STATUS_MIN = 100, STATUS_MAX = 599 };

static const vsr_str status_lines[STATUS_MAX - STATUS_MIN + 1] = {
#define X(code, reason) [code - STATUS_MIN] = VSR_STR_INIT("HTTP/1.1 " #code " " reason "\r\n"),
    STATUSES(X)
#undef X
};

const char *http1_reason(int status) {
    switch (status) {
#define X(code, reason) \
    case code: \
        return reason;
        STATUSES(X)
#undef X
    default:
        return "Unknown";
    }
}

/* Where the next `len` bytes go; NULL when the buffer has failed. They count at once: the caller writes them all. */
static char *extend(struct buf *out, size_t len) {
    if (buf_reserve(out, len) < 0)
        return NULL;
    out->len += len;
    return out->ptr + out->len - len;
}

static char *put(char *at, vsr_str text) {
    if (text.len)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

void http1_write_request_line(struct buf *out, vsr_str method, vsr_str target) {
    vsr_str end = VSR_STR(" HTTP/1.1\r\n");
    char *at;
    VSR_DEBUG_ASSERT(http1_name_ok(method));
    VSR_DEBUG_ASSERT(http1_target_ok(target));
    at = extend(out, method.len + 1 + target.len + end.len);
    if (!at)
        return;
    at = put(at, method);
    *at++ = ' ';
    at = put(at, target);
    put(at, end);
}

void http1_write_status_line(struct buf *out, int status) {
    VSR_ASSERT(status >= STATUS_MIN);
    VSR_ASSERT(status <= STATUS_MAX);
    if (status_lines[status - STATUS_MIN].len)
        (void)buf_append(out, status_lines[status - STATUS_MIN]);
    else
        (void)buf_printf(out, "HTTP/1.1 %d %s\r\n", status, http1_reason(status));
}

void http1_write_field(struct buf *out, vsr_str name, vsr_str value) {
    char *at;
    VSR_DEBUG_ASSERT(http1_name_ok(name));
    VSR_DEBUG_ASSERT(http1_value_ok(value));
    at = extend(out, name.len + 2 + value.len + 2);
    if (!at)
        return;
    at = put(at, name);
    at = put(at, VSR_STR(": "));
    at = put(at, value);
    put(at, VSR_STR("\r\n"));
}

void http1_write_field_u64(struct buf *out, vsr_str name, uint64_t value) {
    char digits[20]; /* of UINT64_MAX */
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    http1_write_field(out, name, str_make(digits + at, sizeof(digits) - at));
}

void http1_write_head_end(struct buf *out) {
    (void)buf_append(out, VSR_STR("\r\n"));
}

void http1_write_chunk_begin(struct buf *out, size_t len) {
    char line[2 * sizeof(len) + 2];
    size_t at = sizeof(line);
    VSR_ASSERT(len > 0); /* a chunk of 0 bytes would end the body */
    line[--at] = '\n';
    line[--at] = '\r';
    for (; len; len >>= 4)
        line[--at] = "0123456789abcdef"[len & 15];
    (void)buf_append(out, str_make(line + at, sizeof(line) - at));
}

void http1_write_chunk_end(struct buf *out) {
    (void)buf_append(out, VSR_STR("\r\n"));
}

void http1_write_last_chunk(struct buf *out) {
    (void)buf_append(out, VSR_STR("0\r\n\r\n"));
}
