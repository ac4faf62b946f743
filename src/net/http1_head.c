/*
 * The head: start line, fields, and what they say about the body (RFC 9112 2 to 6).
 *
 * Input is copied in blocks into head_bytes, because the head's spans must outlive the slice that brought them. Each
 * line is scanned once for its end; the scan stops at the first byte that is not text, so a line that is found holds no
 * control characters but tabs, and what follows it is CR LF. Then it is parsed. Everything looks at the bytes in order
 * and never past a position that a limit fixes, so the first error is the same however the input is cut.
 *
 *     head_bytes:  POST / HTTP/1.1\r\nHost: a\r\nAccep
 *                                              ^line_pos  ^scan_pos
 *
 * When head_bytes must move to grow, the lines are read again from the start: simpler than moving spans, and at most
 * four times for the largest head.
 */
#include "core/assert.h"
#include "net/http1_chars.h"
#include "net/http1_state.h"

enum {
    HEAD_CAP_MIN = 2 << 10, /* most heads never make the buffer grow; a stream holds two of them as long as it lasts */
    COPY_LEN_MAX = 1 << 10, /* bounds what is copied in vain when a body follows the head */
    VERSION_LEN = 8,        /* HTTP/1.1 */
    REQUEST_LINE_LEN_MAX = HTTP1_METHOD_LEN_MAX + 1 + HTTP1_TARGET_LEN_MAX + 1 + VERSION_LEN,
    CRLF_LEN = 2,
};
_Static_assert(REQUEST_LINE_LEN_MAX + CRLF_LEN < HTTP1_HEAD_LEN_MAX, "a long target is told apart from a long head");

enum { LINE_ERROR = -1, LINE_MORE = 0, LINE_FOUND = 1, HEAD_COMPLETE = 2 };

void http1_head_restart(struct http1_parser *parser) {
    parser->head = (struct http1_head){ .fields = parser->fields };
    parser->line_pos = parser->scan_pos = 0;
    parser->has_start_line = false;
    parser->n_empty_lines = 0;
    parser->n_hosts = parser->n_lengths = parser->n_codings = 0;
    parser->says_close = parser->says_keep_alive = false;
}

/* A failure at `at`, in the line being read. */
static int fail_at(struct http1_parser *parser, int status, const char *text, const char *at) {
    parser->error_line = (uint32_t)(parser->n_empty_lines + parser->has_start_line + parser->head.n_fields + 1);
    parser->error_col = (uint32_t)(at - (parser->head_bytes.ptr + parser->line_pos) + 1);
    return http1_fail(parser, status, text);
}

/* "HTTP/1.x" alone. */
static int parse_version(struct http1_parser *parser, vsr_str text) {
    if (text.len != VERSION_LEN || memcmp(text.ptr, "HTTP/", 5) != 0 || !ascii_is_digit(text.ptr[5]) ||
        text.ptr[6] != '.' || !ascii_is_digit(text.ptr[7]))
        return fail_at(parser, 400, "the version is not HTTP/ digit . digit", text.ptr);
    if (text.ptr[5] != '1')
        return fail_at(parser, 505, "the version is not HTTP/1.x", text.ptr);
    parser->head.minor_version = text.ptr[7] != '0';
    return 0;
}

/* The authority of an absolute-form target, NULL when it is not one of http or https. */
static vsr_str target_authority(vsr_str target) {
    static const vsr_str schemes[] = { VSR_STR_INIT("http://"), VSR_STR_INIT("https://") };
    for (size_t i = 0; i < VSR_COUNT(schemes); i++) {
        if (str_eq_nocase(str_sub(target, 0, schemes[i].len), schemes[i])) {
            vsr_str rest = str_sub(target, schemes[i].len, target.len);
            size_t len = 0;
            while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?')
                len++;
            return str_make(rest.ptr, len);
        }
    }
    return str_make(NULL, 0);
}

static int check_target_form(struct http1_parser *parser) {
    vsr_str target = parser->head.target, authority;
    if (target.ptr[0] == '/')
        return 0;
    if (str_eq(target, VSR_STR("*")))
        return str_eq(parser->head.method, VSR_STR("OPTIONS"))
                   ? 0
                   : fail_at(parser, 400, "the target * is for OPTIONS only", target.ptr);
    authority = target_authority(target);
    if (!authority.ptr)
        return fail_at(parser, 400, "the target is neither a path nor an http or https URL", target.ptr);
    if (!http1_host_ok(authority))
        return fail_at(parser, 400, "the target's host is malformed", authority.ptr);
    return 0;
}

static int parse_target(struct http1_parser *parser, vsr_str target, char end) {
    if (target.len > HTTP1_TARGET_LEN_MAX)
        return fail_at(parser, 414, "the target is too long", target.ptr);
    if (target.len && end == '\r')
        return fail_at(parser, 400, "the request line has no version", target.ptr + target.len);
    if (target.len == 0 || end != ' ')
        return fail_at(parser, 400, "the target is empty or holds a character that must be escaped",
                       target.ptr + target.len);
    parser->head.target = target;
    return 0;
}

static int parse_method(struct http1_parser *parser, vsr_str method, char end) {
    if (method.len == 0 || end != ' ')
        return fail_at(parser, 400, "the method is not a token followed by a space", method.ptr + method.len);
    if (method.len > HTTP1_METHOD_LEN_MAX)
        return fail_at(parser, 501, "the method is too long to be one", method.ptr);
    if (str_eq(method, VSR_STR("CONNECT")))
        return fail_at(parser, 501, "CONNECT is not supported: this is a gateway, not a tunnel", method.ptr);
    parser->head.method = method;
    return 0;
}

static int parse_request_line(struct http1_parser *parser, vsr_str line) {
    vsr_str method, target, rest = line;
    method = str_make(rest.ptr, http1_span(rest, HTTP1_CHAR_TOKEN));
    /* the byte behind a span may be the line's CR: it is in the buffer, and never the space that is wanted */
    if (parse_method(parser, method, method.ptr[method.len]) < 0)
        return -1;
    rest = str_sub(line, method.len + 1, line.len);
    target = str_make(rest.ptr, http1_span(rest, HTTP1_CHAR_TARGET));
    if (parse_target(parser, target, target.ptr[target.len]) < 0)
        return -1;
    if (parse_version(parser, str_sub(rest, target.len + 1, rest.len)) < 0)
        return -1;
    return check_target_form(parser);
}

static int parse_status_line(struct http1_parser *parser, vsr_str line) {
    vsr_str version = str_sub(line, 0, VERSION_LEN), code = str_sub(line, VERSION_LEN, VERSION_LEN + 4);
    vsr_str rest = str_sub(line, VERSION_LEN + 4, line.len);
    if (parse_version(parser, version) < 0)
        return -1;
    if (code.len != 4 || code.ptr[0] != ' ' || code.ptr[1] < '1' || code.ptr[1] > '5' || !ascii_is_digit(code.ptr[2]) ||
        !ascii_is_digit(code.ptr[3]))
        return fail_at(parser, 502, "the status is not a number from 100 to 599", code.ptr);
    if (rest.len && rest.ptr[0] != ' ')
        return fail_at(parser, 502, "no space stands behind the status", rest.ptr);
    parser->head.status = (code.ptr[1] - '0') * 100 + (code.ptr[2] - '0') * 10 + (code.ptr[3] - '0');
    parser->head.reason = str_sub(rest, 1, rest.len);
    return 0;
}

static int note_connection(struct http1_parser *parser, vsr_str value) {
    parser->says_close |= http1_list_has(value, VSR_STR("close"));
    parser->says_keep_alive |= http1_list_has(value, VSR_STR("keep-alive"));
    return 0;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/*
 * Whether a tab stands around the trimmed value of a field in head_bytes. RFC 9110 5.5 allows it and nobody sends it,
 * but readers are known that take "chunked<tab>" for another coding, and so end the message elsewhere.
 */
static bool has_tab_around(vsr_str value) {
    const char *at = value.ptr;
    while (is_blank(at[-1])) {
        if (*--at == '\t')
            return true;
    }
    for (at = value.ptr + value.len; is_blank(*at); at++) {
        if (*at == '\t')
            return true;
    }
    return false;
}

static int note_length(struct http1_parser *parser, vsr_str value) {
    if (parser->n_lengths++)
        return fail_at(parser, 400, "a second content-length", value.ptr);
    if (has_tab_around(value))
        return fail_at(parser, 400, "a tab around the content-length", value.ptr);
    if (!str_to_u64(value, &parser->head.length) || parser->head.length > INT64_MAX)
        return fail_at(parser, 400, "the content-length is not a decimal number, or too large", value.ptr);
    parser->head.has_length = true;
    return 0;
}

static int note_coding(struct http1_parser *parser, vsr_str value) {
    if (parser->n_codings++)
        return fail_at(parser, 400, "a second transfer-encoding", value.ptr);
    if (value.len == 0)
        return fail_at(parser, 400, "an empty transfer-encoding", value.ptr);
    if (has_tab_around(value))
        return fail_at(parser, 400, "a tab around the transfer-encoding", value.ptr);
    if (!str_eq_nocase(value, VSR_STR("chunked")))
        return fail_at(parser, 501, "the transfer-encoding is not chunked alone", value.ptr);
    parser->head.chunked = true;
    return 0;
}

static int note_host(struct http1_parser *parser, vsr_str value) {
    if (parser->side == HTTP1_RESPONSE)
        return 0;
    if (parser->n_hosts++)
        return fail_at(parser, 400, "a second host", value.ptr);
    if (value.len && !http1_host_ok(value))
        return fail_at(parser, 400, "the host is malformed", value.ptr);
    return 0;
}

static int note_expect(struct http1_parser *parser, vsr_str value) {
    if (parser->side == HTTP1_RESPONSE)
        return 0;
    if (!str_eq_nocase(value, VSR_STR("100-continue")))
        return fail_at(parser, 417, "the only expectation known is 100-continue", value.ptr);
    parser->head.expect_continue = true;
    return 0;
}

/* Fields that the parser itself must understand. */
static const struct {
    vsr_str name;
    int (*note)(struct http1_parser *parser, vsr_str value);
} noted[] = {
    { VSR_STR_INIT("host"), note_host },
    { VSR_STR_INIT("connection"), note_connection },
    { VSR_STR_INIT("content-length"), note_length },
    { VSR_STR_INIT("transfer-encoding"), note_coding },
    { VSR_STR_INIT("expect"), note_expect },
};

static int note_field(struct http1_parser *parser, const struct http1_field *field) {
    for (size_t i = 0; i < VSR_COUNT(noted); i++) {
        if (field->name.len == noted[i].name.len && str_eq_nocase(field->name, noted[i].name))
            return noted[i].note(parser, field->value);
    }
    return 0;
}

static int fail_name(struct http1_parser *parser, const char *at, bool at_start) {
    if (!is_blank(*at))
        return fail_at(parser, 400, "a field does not start with a token and a colon", at);
    return fail_at(parser, 400, at_start ? "a folded field line" : "white space before a field's colon", at);
}

static int parse_field(struct http1_parser *parser, vsr_str line) {
    struct http1_field *field = &parser->fields[parser->head.n_fields];
    size_t name_len = http1_span(line, HTTP1_CHAR_TOKEN);
    const char *start, *end = line.ptr + line.len;
    if (parser->head.n_fields == HTTP1_FIELDS_MAX)
        return fail_at(parser, 431, "too many fields", line.ptr);
    if (name_len == 0 || line.ptr[name_len] != ':') /* the byte behind the line is its CR */
        return fail_name(parser, line.ptr + name_len, name_len == 0);
    start = line.ptr + name_len + 1;
    while (start < end && is_blank(*start))
        start++;
    while (end > start && is_blank(end[-1]))
        end--;
    *field = (struct http1_field){ { line.ptr, name_len }, { start, (size_t)(end - start) } };
    if (note_field(parser, field) < 0)
        return -1;
    parser->head.n_fields++;
    return 0;
}

/* RFC 9112 3.2.2: the authority wins over Host, and a client must send them equal. Readers that disagree which one
 * counts route the same request to two places, so unequal ones are refused. */
static int check_host(struct http1_parser *parser) {
    vsr_str authority;
    if (parser->n_hosts == 0)
        return parser->head.minor_version ? http1_fail(parser, 400, "no host field") : 0;
    if (parser->head.target.ptr[0] == '/' || parser->head.target.ptr[0] == '*')
        return 0;
    authority = target_authority(parser->head.target);
    if (!str_eq_nocase(authority, http1_field(&parser->head, VSR_STR("host"))))
        return http1_fail(parser, 400, "the host is not that of the target");
    return 0;
}

static int check_framing(struct http1_parser *parser) {
    struct http1_head *head = &parser->head;
    if (head->chunked && head->has_length)
        return http1_fail(parser, 400, "transfer-encoding beside content-length");
    if (head->chunked && head->minor_version == 0)
        return http1_fail(parser, 400, "transfer-encoding in HTTP/1.0");
    head->keep_alive = !parser->says_close && (head->minor_version == 1 || parser->says_keep_alive);
    return 0;
}

static int finish_request(struct http1_parser *parser) {
    struct http1_head *head = &parser->head;
    if (check_framing(parser) < 0 || check_host(parser) < 0)
        return -1;
    head->expect_continue &= head->minor_version == 1 && (head->chunked || head->length > 0);
    parser->left = head->length;
    if (head->chunked)
        parser->state = HTTP1_STATE_SIZE;
    else
        parser->state = head->length ? HTTP1_STATE_LENGTH : HTTP1_STATE_END;
    return 0;
}

/* Whether the status alone says that no body follows (RFC 9112 6.3). */
static bool status_has_no_body(int status) {
    return status < 200 || status == 204 || status == 304;
}

static int check_no_body(struct http1_parser *parser) {
    const struct http1_head *head = &parser->head;
    if (head->status == 101)
        return http1_fail(parser, 502, "101 without an upgrade having been asked for");
    /* RFC 9110 8.6 and RFC 9112 6.1 forbid both fields here; a zero length is harmless and seen in the field */
    if (head->status != 304 && (head->chunked || head->length > 0))
        return http1_fail(parser, 502, "a status without a body announces one");
    return 0;
}

static int finish_response(struct http1_parser *parser) {
    struct http1_head *head = &parser->head;
    if (check_framing(parser) < 0 || (status_has_no_body(head->status) && check_no_body(parser) < 0))
        return -1;
    if (head->status < 200)
        return ++parser->n_interim > HTTP1_INTERIM_MAX ? http1_fail(parser, 502, "too many interim responses") : 0;
    if (parser->head_request || status_has_no_body(head->status)) {
        parser->state = HTTP1_STATE_END;
    } else if (head->chunked) {
        parser->state = HTTP1_STATE_SIZE;
    } else if (head->has_length) {
        parser->left = head->length;
        parser->state = head->length ? HTTP1_STATE_LENGTH : HTTP1_STATE_END;
    } else {
        head->keep_alive = false;
        parser->state = HTTP1_STATE_TO_CLOSE;
    }
    return 0;
}

/* The byte at scan_pos is not text and the byte behind it, if it has come, shows what it means. */
static int judge_stop(struct http1_parser *parser, size_t end) {
    const char *at = parser->head_bytes.ptr + parser->scan_pos;
    if (*at == '\n')
        return fail_at(parser, 400, "a LF without CR", at);
    if (*at != '\r')
        return fail_at(parser, 400, "a control character", at);
    if (parser->scan_pos + 1 == end)
        return LINE_MORE;
    return at[1] == '\n' ? LINE_FOUND : fail_at(parser, 400, "a CR without LF", at);
}

/* Looks for the end of the line that starts at line_pos; on success scan_pos stands behind its CR LF. */
static int next_line(struct http1_parser *parser, vsr_str *ret_line) {
    const char *base = parser->head_bytes.ptr;
    size_t end = parser->head_bytes.len, line_end = SIZE_MAX;
    int rc = LINE_MORE;
    if (parser->side == HTTP1_REQUEST && !parser->has_start_line)
        line_end = parser->line_pos + REQUEST_LINE_LEN_MAX + CRLF_LEN;
    if (end > line_end)
        end = line_end;
    parser->scan_pos += http1_text_span(str_make(base + parser->scan_pos, end - parser->scan_pos));
    if (parser->scan_pos < end)
        rc = judge_stop(parser, end);
    if (rc == LINE_MORE && end == line_end)
        return fail_at(parser, 414, "the request line is too long", base + parser->line_pos);
    if (rc != LINE_FOUND)
        return rc;
    *ret_line = str_make(base + parser->line_pos, parser->scan_pos - parser->line_pos);
    parser->scan_pos += CRLF_LEN;
    return LINE_FOUND;
}

static int parse_start_line(struct http1_parser *parser, vsr_str line) {
    if (parser->side == HTTP1_RESPONSE) {
        if (parse_status_line(parser, line) < 0)
            return -1;
    } else if (line.len == 0) {
        if (parser->n_empty_lines == HTTP1_EMPTY_LINES_MAX)
            return fail_at(parser, 400, "too many empty lines before the request", line.ptr);
        parser->n_empty_lines++;
        return 0;
    } else if (parse_request_line(parser, line) < 0) {
        return -1;
    }
    parser->has_start_line = true;
    return 0;
}

/* A peer that does not speak HTTP may never send a line end: whatever has come must be how a status line starts. */
static int check_response_start(struct http1_parser *parser) {
    vsr_str start = VSR_STR("HTTP/1."), have = buf_str(&parser->head_bytes);
    if (have.len > start.len)
        have.len = start.len;
    if (parser->has_start_line || have.len == 0 || memcmp(have.ptr, start.ptr, have.len) == 0)
        return 0;
    return fail_at(parser, 502, "this is not an HTTP/1 response", have.ptr);
}

/* Reads the lines that are complete. LINE_ERROR, LINE_MORE or HEAD_COMPLETE. */
static int read_lines(struct http1_parser *parser) {
    vsr_str line = { NULL, 0 };
    int rc;
    if (parser->side == HTTP1_RESPONSE && check_response_start(parser) < 0)
        return LINE_ERROR;
    while ((rc = next_line(parser, &line)) == LINE_FOUND) {
        if (parser->has_start_line && line.len == 0)
            rc = parser->side == HTTP1_REQUEST ? finish_request(parser) : finish_response(parser);
        else if (parser->has_start_line)
            rc = parse_field(parser, line);
        else
            rc = parse_start_line(parser, line);
        if (rc < 0)
            return LINE_ERROR;
        parser->line_pos = parser->scan_pos;
        if (parser->has_start_line && line.len == 0)
            return HEAD_COMPLETE;
    }
    return rc;
}

static int grow(struct http1_parser *parser, size_t len) {
    struct buf *head = &parser->head_bytes;
    size_t cap = head->cap ? head->cap * 2 : HEAD_CAP_MIN;
    if (head->len + len <= head->cap)
        return 0;
    if (cap > HTTP1_HEAD_LEN_MAX)
        cap = HTTP1_HEAD_LEN_MAX;
    if (buf_reserve(head, cap - head->len) < 0)
        return http1_fail(parser, 503, "out of memory");
    http1_head_restart(parser);
    return 0;
}

/* Copies the next block of the input. Its surplus behind the head's end is given back by give_back(). */
static int take_block(struct http1_parser *parser, vsr_str *bytes) {
    size_t room = HTTP1_HEAD_LEN_MAX - parser->head_bytes.len;
    size_t len = bytes->len < COPY_LEN_MAX ? bytes->len : COPY_LEN_MAX;
    if (room == 0)
        return http1_fail(parser, 431, "the head is too large");
    if (len > room)
        len = room;
    if (grow(parser, len) < 0)
        return -1;
    (void)buf_append(&parser->head_bytes, str_sub(*bytes, 0, len)); /* grow() has made the room */
    *bytes = str_make(bytes->ptr + len, bytes->len - len);
    return 0;
}

static void give_back(struct http1_parser *parser, vsr_str *bytes) {
    size_t surplus = parser->head_bytes.len - parser->line_pos;
    VSR_ASSERT(surplus < COPY_LEN_MAX);
    *bytes = str_make(bytes->ptr - surplus, bytes->len + surplus);
    parser->head_bytes.len = parser->line_pos;
}

/* An interim response is complete: the next head follows. */
static void skip_interim(struct http1_parser *parser) {
    buf_reset(&parser->head_bytes);
    http1_head_restart(parser);
}

enum http1_event http1_head_feed(struct http1_parser *parser, vsr_str *bytes) {
    while (bytes->len) {
        int rc = take_block(parser, bytes);
        if (rc == 0)
            rc = read_lines(parser);
        if (rc == LINE_ERROR)
            return HTTP1_ERROR;
        if (rc != HEAD_COMPLETE)
            continue;
        give_back(parser, bytes);
        if (parser->state != HTTP1_STATE_HEAD)
            return HTTP1_HEAD;
        skip_interim(parser);
    }
    return HTTP1_MORE;
}
