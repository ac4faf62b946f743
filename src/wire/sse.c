#include "wire/sse.h"

void sse_init(struct sse_parser *parser, sse_event_fn *on_event, void *user) {
    *parser = (struct sse_parser){ .on_event = on_event, .user = user, .at_start = true };
    sse_set_max(parser, SSE_FRAME_LEN_MAX);
}

void sse_set_max(struct sse_parser *parser, size_t frame_len_max) {
    parser->frame_max = frame_len_max;
    buf_init(&parser->data, frame_len_max);
    buf_init(&parser->line, frame_len_max);
    buf_init(&parser->type, SSE_FRAME_LEN_MAX);
    buf_init(&parser->id, SSE_FRAME_LEN_MAX);
}

void sse_done(struct sse_parser *parser) {
    buf_done(&parser->data);
    buf_done(&parser->line);
    buf_done(&parser->type);
    buf_done(&parser->id);
}

static void begin_frame(struct sse_parser *parser) {
    buf_reset(&parser->data);
    buf_reset(&parser->type);
    buf_reset(&parser->id);
    parser->has_data = parser->seen_any = false;
    parser->frame_len = 0;
}

static void end_frame(struct sse_parser *parser) {
    struct sse_event event = {
        .type = buf_str(&parser->type),
        .data = buf_str(&parser->data),
        .id = buf_str(&parser->id),
        .comment_only = !parser->has_data,
    };
    if (parser->seen_any)
        parser->on_event(parser->user, &event);
    begin_frame(parser);
}

static void set_field(struct sse_parser *parser, struct buf *field, vsr_str value) {
    buf_reset(field);
    if (buf_append(field, value) < 0)
        parser->broken = true;
}

static void add_data(struct sse_parser *parser, vsr_str value) {
    if (parser->has_data)
        buf_append_char(&parser->data, '\n');
    buf_append(&parser->data, value);
    parser->has_data = true;
    if (buf_failed(&parser->data))
        parser->broken = true;
}

static void read_field(struct sse_parser *parser, vsr_str line) {
    ptrdiff_t colon = str_find_char(line, ':');
    vsr_str name = colon < 0 ? line : str_make(line.ptr, (size_t)colon);
    vsr_str value = colon < 0 ? str_make(NULL, 0) : str_sub(line, (size_t)colon + 1, line.len);
    if (value.len > 0 && value.ptr[0] == ' ')
        value = str_sub(value, 1, value.len);
    if (str_eq(name, VSR_STR("data")))
        add_data(parser, value);
    else if (str_eq(name, VSR_STR("event")))
        set_field(parser, &parser->type, value);
    else if (str_eq(name, VSR_STR("id")) && str_find_char(value, '\0') < 0)
        set_field(parser, &parser->id, value);
    /* `retry`, comments (an empty name) and unknown fields say nothing that we need. */
}

/* True when the line was blank: the frame has ended. */
static bool read_line(struct sse_parser *parser, vsr_str line) {
    if (parser->at_start && str_starts(line, VSR_STR("\xef\xbb\xbf")))
        line = str_sub(line, 3, line.len);
    parser->at_start = false;
    if (line.len == 0) {
        end_frame(parser);
        return true;
    }
    parser->seen_any = true;
    read_field(parser, line);
    return false;
}

/* Whether one of eight bytes is `c`; the classic carry trick, which may only err on the side of looking closer. */
static bool word_has(uint64_t word, char c) {
    uint64_t x = word ^ (0x0101010101010101u * (uint64_t)(unsigned char)c);
    return ((x - 0x0101010101010101u) & ~x & 0x8080808080808080u) != 0;
}

/* Length of the text before the first CR or LF. */
static size_t line_len(vsr_str text) {
    size_t i = 0;
    for (uint64_t word; i + sizeof(word) <= text.len; i += sizeof(word)) {
        memcpy(&word, text.ptr + i, sizeof(word));
        if (word_has(word, '\n') || word_has(word, '\r'))
            break;
    }
    while (i < text.len && text.ptr[i] != '\n' && text.ptr[i] != '\r')
        i++;
    return i;
}

static void take(vsr_str *bytes, size_t len) {
    bytes->ptr += len;
    bytes->len -= len;
}

/* Consumes the line end at the front of `bytes`; a CR at the very end may be half of a CRLF. */
static void take_line_end(struct sse_parser *parser, vsr_str *bytes) {
    bool was_cr = bytes->ptr[0] == '\r';
    take(bytes, 1);
    if (!was_cr)
        return;
    if (bytes->len == 0)
        parser->skip_lf = true;
    else if (bytes->ptr[0] == '\n')
        take(bytes, 1);
}

static bool count(struct sse_parser *parser, size_t len) {
    parser->frame_len += len;
    if (parser->frame_len > parser->frame_max)
        parser->broken = true;
    return !parser->broken;
}

/* The line whose last part is `part`; earlier parts were held back. Valid until the next line begins. */
static vsr_str whole_line(struct sse_parser *parser, vsr_str part) {
    if (parser->line.len == 0)
        return part;
    if (buf_append(&parser->line, part) < 0)
        parser->broken = true;
    return buf_str(&parser->line);
}

/* True at the end of a frame. Stops at the end of the bytes, or when broken. */
static bool feed_line(struct sse_parser *parser, vsr_str *bytes) {
    size_t len = line_len(*bytes);
    vsr_str part = str_make(bytes->ptr, len);
    vsr_str line;
    bool ended;
    if (!count(parser, len + 1))
        return false;
    take(bytes, len);
    if (bytes->len == 0) {
        if (buf_append(&parser->line, part) < 0)
            parser->broken = true;
        parser->frame_len--; /* its line end has not come yet */
        return false;
    }
    take_line_end(parser, bytes);
    line = whole_line(parser, part);
    ended = !parser->broken && read_line(parser, line);
    buf_reset(&parser->line);
    return ended;
}

bool sse_feed_frame(struct sse_parser *parser, vsr_str *bytes) {
    if (bytes->len > 0 && parser->skip_lf && !parser->broken) {
        parser->skip_lf = false;
        if (bytes->ptr[0] == '\n')
            take(bytes, 1);
    }
    while (bytes->len > 0 && !parser->broken)
        if (feed_line(parser, bytes))
            return true;
    take(bytes, bytes->len);
    return false;
}

void sse_feed(struct sse_parser *parser, vsr_str bytes) {
    while (bytes.len > 0)
        (void)sse_feed_frame(parser, &bytes); /* on_event has said all there is to say */
}

void sse_finish(struct sse_parser *parser) {
    if (parser->broken)
        return;
    if (parser->line.len > 0)
        (void)read_line(parser, buf_str(&parser->line)); /* not blank, so it ends no frame */
    buf_reset(&parser->line);
    if (!parser->broken)
        end_frame(parser);
}

bool sse_pending(const struct sse_parser *parser) {
    return parser->seen_any || parser->line.len > 0;
}

bool sse_broken(const struct sse_parser *parser) {
    return parser->broken;
}
