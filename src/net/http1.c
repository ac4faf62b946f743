#include "net/http1.h"

#include "core/assert.h"
#include "net/http1_state.h"

enum { HEAD_KEEP_LEN_MAX = 16 << 10 }; /* so that one huge head does not pin 64 KiB on an idle connection */

void http1_init(struct http1_parser *parser, enum http1_side side) {
    parser->side = side;
    buf_init(&parser->head_bytes, HTTP1_HEAD_LEN_MAX);
    http1_reset(parser);
}

void http1_done(struct http1_parser *parser) {
    buf_done(&parser->head_bytes);
}

void http1_reset(struct http1_parser *parser) {
    if (parser->head_bytes.cap > HEAD_KEEP_LEN_MAX)
        buf_done(&parser->head_bytes);
    buf_reset(&parser->head_bytes);
    http1_head_restart(parser);
    parser->state = HTTP1_STATE_HEAD;
    parser->head_request = false;
    parser->error_status = 0;
    parser->error_text = NULL;
    parser->error_code = VSR_OK;
    parser->error_line = parser->error_col = 0;
    parser->n_interim = 0;
    parser->left = 0;
    parser->chunk_line_len = parser->extensions_len = parser->trailer_len = 0;
}

int http1_fail(struct http1_parser *parser, int status, const char *text) {
    parser->state = HTTP1_STATE_ERROR;
    parser->error_status = parser->side == HTTP1_REQUEST ? status : 502;
    parser->error_text = text;
    if (status == 414 || status == 431)
        parser->error_code = VSR_E_LIMIT;
    else if (status == 503)
        parser->error_code = VSR_E_NOMEM;
    else
        parser->error_code = VSR_E_PROTOCOL;
    return -1;
}

static enum http1_event report(const struct http1_parser *parser, struct vsr_err *err) {
    VSR_ASSERT(parser->error_text);
    err_set(err, parser->error_code, "%s", parser->error_text);
    if (parser->error_line)
        err_at(err, parser->side == HTTP1_REQUEST ? VSR_STR("request head") : VSR_STR("response head"),
               parser->error_line, parser->error_col);
    return HTTP1_ERROR;
}

enum http1_event http1_feed(struct http1_parser *parser, vsr_str *bytes, vsr_str *ret_body, struct vsr_err *err) {
    enum http1_event event;
    switch (parser->state) {
    case HTTP1_STATE_HEAD:
        event = http1_head_feed(parser, bytes);
        break;
    case HTTP1_STATE_END:
        event = HTTP1_END;
        break;
    case HTTP1_STATE_ERROR:
        event = HTTP1_ERROR;
        break;
    default:
        event = http1_body_feed(parser, bytes, ret_body);
        break;
    }
    return event == HTTP1_ERROR ? report(parser, err) : event;
}

bool http1_in_message(const struct http1_parser *parser) {
    if (parser->state == HTTP1_STATE_HEAD)
        return parser->has_start_line || parser->n_interim > 0 || parser->line_pos < parser->head_bytes.len;
    return parser->state != HTTP1_STATE_END;
}

enum http1_event http1_eof(struct http1_parser *parser, struct vsr_err *err) {
    if (parser->state == HTTP1_STATE_TO_CLOSE)
        parser->state = HTTP1_STATE_END;
    if (parser->state == HTTP1_STATE_END)
        return HTTP1_END;
    if (!http1_in_message(parser))
        return HTTP1_MORE;
    if (parser->state != HTTP1_STATE_ERROR)
        (void)http1_fail(parser, 400, "the connection closed in the middle of a message");
    return report(parser, err);
}

vsr_str http1_field(const struct http1_head *head, vsr_str name) {
    for (size_t i = 0; i < head->n_fields; i++) {
        if (str_eq_nocase(head->fields[i].name, name))
            return head->fields[i].value;
    }
    return str_make(NULL, 0);
}

/* Without the optional white space around it: space and tab only. */
static vsr_str trim_ows(vsr_str text) {
    while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = str_make(text.ptr + 1, text.len - 1);
    while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

bool http1_list_has(vsr_str list, vsr_str token) {
    for (vsr_str rest = list; rest.ptr;) {
        if (str_eq_nocase(trim_ows(str_split(&rest, ',')), token))
            return true;
    }
    return false;
}

bool http1_field_has_token(const struct http1_head *head, vsr_str name, vsr_str token) {
    for (size_t i = 0; i < head->n_fields; i++) {
        if (str_eq_nocase(head->fields[i].name, name) && http1_list_has(head->fields[i].value, token))
            return true;
    }
    return false;
}
