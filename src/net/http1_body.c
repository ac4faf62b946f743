/*
 * The body: counted, delimited by closing, or chunked (RFC 9112 6 and 7).
 *
 * Chunk size lines and trailers are walked byte by byte with nothing kept but the state and the size, so they need no
 * buffer and a cut between any two bytes is no special case. Chunk data is handed out as slices of the input.
 *
 *     SIZE digits [;name[=value]]... CR LF  DATA CR LF   ...   0 CR LF [name:value CR LF]... CR LF
 */
#include "core/assert.h"
#include "net/http1_chars.h"
#include "net/http1_state.h"

static enum http1_event take_data(struct http1_parser *parser, vsr_str *bytes, vsr_str *ret_body) {
    size_t len = bytes->len < parser->left ? bytes->len : (size_t)parser->left;
    VSR_ASSERT(len > 0);
    *ret_body = str_make(bytes->ptr, len);
    *bytes = str_make(bytes->ptr + len, bytes->len - len);
    parser->left -= len;
    return HTTP1_BODY;
}

static enum http1_event feed_counted(struct http1_parser *parser, vsr_str *bytes, vsr_str *ret_body) {
    enum http1_event event;
    if (bytes->len == 0)
        return HTTP1_MORE;
    event = take_data(parser, bytes, ret_body);
    if (parser->left == 0)
        parser->state = HTTP1_STATE_END;
    return event;
}

static enum http1_event feed_to_close(vsr_str *bytes, vsr_str *ret_body) {
    if (bytes->len == 0)
        return HTTP1_MORE;
    *ret_body = *bytes;
    *bytes = str_make(bytes->ptr + bytes->len, 0);
    return HTTP1_BODY;
}

static unsigned hex_value(char c) {
    return ascii_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a') + 10;
}

static int add_size_digit(struct http1_parser *parser, char c) {
    if (!http1_char_is(c, HTTP1_CHAR_HEX))
        return http1_fail(parser, 400, "a chunk size is not a hexadecimal number followed by CR LF or an extension");
    if (parser->left > (uint64_t)INT64_MAX >> 4)
        return http1_fail(parser, 400, "a chunk size is too large");
    parser->left = parser->left << 4 | hex_value(c);
    parser->state = HTTP1_STATE_SIZE_MORE;
    return 0;
}

/* Where an extension may end: the next one, or the end of the line. */
static int end_extension(struct http1_parser *parser, char c) {
    if (c != ';' && c != '\r')
        return http1_fail(parser, 400, "a chunk extension is not name[=value]");
    parser->state = c == ';' ? HTTP1_STATE_EXT_NAME : HTTP1_STATE_SIZE_LF;
    return 0;
}

static int step_extension(struct http1_parser *parser, char c) {
    bool token = http1_char_is(c, HTTP1_CHAR_TOKEN), text = http1_char_is(c, HTTP1_CHAR_TEXT);
    if (c != '\r' && ++parser->extensions_len > HTTP1_EXTENSIONS_LEN_MAX)
        return http1_fail(parser, 400, "the chunk extensions of the message are too long");
    switch (parser->state) {
    case HTTP1_STATE_EXT_NAME:
        parser->state = HTTP1_STATE_EXT_NAME_MORE;
        return token ? 0 : http1_fail(parser, 400, "a chunk extension has no name");
    case HTTP1_STATE_EXT_NAME_MORE:
        if (c == '=')
            parser->state = HTTP1_STATE_EXT_VALUE;
        return token || c == '=' ? 0 : end_extension(parser, c);
    case HTTP1_STATE_EXT_VALUE:
        parser->state = c == '"' ? HTTP1_STATE_EXT_QUOTED : HTTP1_STATE_EXT_VALUE_MORE;
        return token || c == '"' ? 0 : http1_fail(parser, 400, "a chunk extension has no value behind its =");
    case HTTP1_STATE_EXT_VALUE_MORE:
        return token ? 0 : end_extension(parser, c);
    case HTTP1_STATE_EXT_QUOTED:
        if (c == '"')
            parser->state = HTTP1_STATE_EXT_UNQUOTED;
        else if (c == '\\')
            parser->state = HTTP1_STATE_EXT_ESCAPED;
        return text ? 0 : http1_fail(parser, 400, "a control character stands in a chunk extension");
    case HTTP1_STATE_EXT_ESCAPED:
        parser->state = HTTP1_STATE_EXT_QUOTED;
        return text ? 0 : http1_fail(parser, 400, "a control character stands in a chunk extension");
    default:
        return end_extension(parser, c);
    }
}

static int step_size_line(struct http1_parser *parser, char c) {
    if (c != '\r' && ++parser->chunk_line_len > HTTP1_CHUNK_LINE_LEN_MAX)
        return http1_fail(parser, 400, "a chunk size line is too long");
    if (parser->state == HTTP1_STATE_SIZE)
        return add_size_digit(parser, c);
    if (parser->state == HTTP1_STATE_SIZE_MORE)
        return c == ';' || c == '\r' ? end_extension(parser, c) : add_size_digit(parser, c);
    return step_extension(parser, c);
}

/* The byte of a fixed sequence. */
static int expect_byte(struct http1_parser *parser, char c, char want, enum http1_state next) {
    if (c != want)
        return http1_fail(parser, 400, want == '\n' ? "a CR stands without its LF" : "a chunk is longer than its size");
    parser->state = next;
    return 0;
}

static int step_trailer(struct http1_parser *parser, char c) {
    bool token = http1_char_is(c, HTTP1_CHAR_TOKEN);
    if (parser->state == HTTP1_STATE_TRAILER && c == '\r') {
        parser->state = HTTP1_STATE_FINAL_LF;
        return 0;
    }
    if (++parser->trailer_len > HTTP1_TRAILER_LEN_MAX)
        return http1_fail(parser, 431, "the trailer is too long");
    switch (parser->state) {
    case HTTP1_STATE_TRAILER:
        parser->state = HTTP1_STATE_TRAILER_NAME;
        return token ? 0 : http1_fail(parser, 400, "a trailer line does not start with a field name");
    case HTTP1_STATE_TRAILER_NAME:
        if (c == ':')
            parser->state = HTTP1_STATE_TRAILER_VALUE;
        return token || c == ':' ? 0 : http1_fail(parser, 400, "a trailer field's name is not a token and a colon");
    case HTTP1_STATE_TRAILER_LF:
        return expect_byte(parser, c, '\n', HTTP1_STATE_TRAILER);
    default:
        if (c == '\r')
            parser->state = HTTP1_STATE_TRAILER_LF;
        return c == '\r' || http1_char_is(c, HTTP1_CHAR_TEXT)
                   ? 0
                   : http1_fail(parser, 400, "a control character stands in a trailer field");
    }
}

static int start_chunk(struct http1_parser *parser, char c) {
    if (expect_byte(parser, c, '\n', parser->left ? HTTP1_STATE_DATA : HTTP1_STATE_TRAILER) < 0)
        return -1;
    parser->chunk_line_len = 0;
    return 0;
}

static int step(struct http1_parser *parser, char c) {
    switch (parser->state) {
    case HTTP1_STATE_SIZE_LF:
        return start_chunk(parser, c);
    case HTTP1_STATE_DATA_CR:
        return expect_byte(parser, c, '\r', HTTP1_STATE_DATA_LF);
    case HTTP1_STATE_DATA_LF:
        return expect_byte(parser, c, '\n', HTTP1_STATE_SIZE);
    case HTTP1_STATE_TRAILER:
    case HTTP1_STATE_TRAILER_NAME:
    case HTTP1_STATE_TRAILER_VALUE:
    case HTTP1_STATE_TRAILER_LF:
        return step_trailer(parser, c);
    case HTTP1_STATE_FINAL_LF:
        return expect_byte(parser, c, '\n', HTTP1_STATE_END);
    default:
        return step_size_line(parser, c);
    }
}

static enum http1_event feed_chunked(struct http1_parser *parser, vsr_str *bytes, vsr_str *ret_body) {
    while (bytes->len) {
        if (parser->state == HTTP1_STATE_DATA) {
            enum http1_event event = take_data(parser, bytes, ret_body);
            if (parser->left == 0)
                parser->state = HTTP1_STATE_DATA_CR;
            return event;
        }
        if (step(parser, bytes->ptr[0]) < 0)
            return HTTP1_ERROR;
        *bytes = str_make(bytes->ptr + 1, bytes->len - 1);
        if (parser->state == HTTP1_STATE_END)
            return HTTP1_END;
    }
    return HTTP1_MORE;
}

enum http1_event http1_body_feed(struct http1_parser *parser, vsr_str *bytes, vsr_str *ret_body) {
    if (parser->state == HTTP1_STATE_LENGTH)
        return feed_counted(parser, bytes, ret_body);
    if (parser->state == HTTP1_STATE_TO_CLOSE)
        return feed_to_close(bytes, ret_body);
    return feed_chunked(parser, bytes, ret_body);
}
