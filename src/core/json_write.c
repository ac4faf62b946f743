#include "core/json_write.h"

#include <math.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/json_block.h"
#include "core/json_number.h"
#include "core/utf8.h"

void json_write_init(struct json_writer *w, struct buf *out) {
    json_write_init_pretty(w, out, 0);
}

void json_write_init_pretty(struct json_writer *w, struct buf *out, int indent) {
    VSR_ASSERT(indent >= 0);
    w->out = out;
    w->depth = 0;
    w->indent = indent;
    w->after_key = false;
}

static void new_line(struct json_writer *w) {
    static const vsr_str blanks = VSR_STR_INIT("                ");
    size_t left = (size_t)w->depth * (size_t)w->indent;
    if (w->indent == 0)
        return;
    (void)buf_append_char(w->out, '\n');
    for (; left > blanks.len; left -= blanks.len)
        (void)buf_append(w->out, blanks);
    (void)buf_append(w->out, str_make(blanks.ptr, left));
}

/* Comma and line break before a child of the innermost container. */
static void before_child(struct json_writer *w) {
    bool *filled = &w->filled[w->depth - 1];
    if (*filled)
        (void)buf_append_char(w->out, ',');
    *filled = true;
    new_line(w);
}

static void before_value(struct json_writer *w) {
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth == 0)
        return;
    VSR_ASSERT(w->open[w->depth - 1] == '['); /* in an object, a key comes first */
    before_child(w);
}

static void begin(struct json_writer *w, char bracket) {
    VSR_ASSERT(w->depth < JSON_DEPTH_MAX);
    before_value(w);
    (void)buf_append_char(w->out, bracket);
    w->open[w->depth] = bracket;
    w->filled[w->depth] = false;
    w->depth++;
}

void json_write_begin_object(struct json_writer *w) {
    begin(w, '{');
}

void json_write_begin_array(struct json_writer *w) {
    begin(w, '[');
}

void json_write_end(struct json_writer *w) {
    VSR_ASSERT(w->depth > 0);
    VSR_ASSERT(!w->after_key);
    w->depth--;
    if (w->filled[w->depth])
        new_line(w);
    (void)buf_append_char(w->out, w->open[w->depth] == '{' ? '}' : ']');
}

void json_write_key(struct json_writer *w, vsr_str key) {
    VSR_ASSERT(w->depth > 0);
    VSR_ASSERT(w->open[w->depth - 1] == '{');
    VSR_ASSERT(!w->after_key);
    before_child(w);
    json_quote(w->out, key);
    (void)buf_append(w->out, w->indent ? VSR_STR(": ") : VSR_STR(":"));
    w->after_key = true;
}

void json_write_str(struct json_writer *w, vsr_str text) {
    before_value(w);
    json_quote(w->out, text);
}

void json_write_i64(struct json_writer *w, int64_t value) {
    before_value(w);
    if (value < 0)
        (void)buf_append_char(w->out, '-');
    (void)buf_append_u64(w->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_write_u64(struct json_writer *w, uint64_t value) {
    before_value(w);
    (void)buf_append_u64(w->out, value);
}

void json_write_double(struct json_writer *w, double value) {
    char text[JSON_NUMBER_LEN_MAX];
    if (!isfinite(value)) {
        json_write_null(w);
        return;
    }
    before_value(w);
    (void)buf_append(w->out, str_make(text, json_number_print(value, text)));
}

void json_write_bool(struct json_writer *w, bool value) {
    before_value(w);
    (void)buf_append(w->out, value ? VSR_STR("true") : VSR_STR("false"));
}

void json_write_null(struct json_writer *w) {
    before_value(w);
    (void)buf_append(w->out, VSR_STR("null"));
}

void json_write_raw(struct json_writer *w, vsr_str raw) {
    before_value(w);
    (void)buf_append(w->out, raw);
}

enum {
    ESCAPE_LEN_MAX = 6, /* \u001f */
    STAGE_LEN = 1024,
    STAGE_ROOM = JSON_BLOCK_LEN * ESCAPE_LEN_MAX + JSON_BLOCK_LEN, /* what a block can need, and a copy behind it */
};

/* Text on its way to the buffer, whose ceiling must not be met early: here a block can be written without asking. */
struct stage {
    struct buf *out;
    size_t len;
    char bytes[STAGE_LEN];
};

static void flush(struct stage *stage) {
    (void)buf_append(stage->out, str_make(stage->bytes, stage->len));
    stage->len = 0;
}

static size_t escape_write(char *to, char c) {
    static const char letters[0x20] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
    static const char hex[] = "0123456789abcdef";
    unsigned char u = (unsigned char)c;
    to[0] = '\\';
    to[1] = c;
    if (u >= sizeof(letters))
        return 2;
    to[1] = letters[u] ? letters[u] : 'u';
    if (letters[u])
        return 2;
    to[2] = to[3] = '0';
    to[4] = hex[u >> 4];
    to[5] = hex[u & 0xF];
    return ESCAPE_LEN_MAX;
}

/* Whole blocks are copied and the next piece overwrites what was too much; a block and one more can be read at `p`. */
static size_t quote_block(const char *p, char *to) {
    const char *start = to;
    uint32_t specials = json_block_specials(p);
    size_t at = 0;
    memcpy(to, p, JSON_BLOCK_LEN);
    for (; specials; specials &= specials - 1) {
        size_t special = (size_t)__builtin_ctz(specials);
        to += special - at;
        to += escape_write(to, p[special]);
        at = special + 1;
        memcpy(to, p + at, JSON_BLOCK_LEN);
    }
    return (size_t)(to - start) + JSON_BLOCK_LEN - at;
}

/* `text` is well-formed UTF-8. */
static void quote_good(struct stage *stage, vsr_str text) {
    const char *p = text.ptr, *end = p + text.len;
    for (; end - p >= 2 * JSON_BLOCK_LEN; p += JSON_BLOCK_LEN) {
        if (stage->len > STAGE_LEN - STAGE_ROOM)
            flush(stage);
        stage->len += quote_block(p, stage->bytes + stage->len);
    }
    for (; p < end; p++) {
        if (stage->len > STAGE_LEN - ESCAPE_LEN_MAX)
            flush(stage);
        if (*p == '"' || *p == '\\' || (unsigned char)*p < 0x20)
            stage->len += escape_write(stage->bytes + stage->len, *p);
        else
            stage->bytes[stage->len++] = *p;
    }
}

void json_quote(struct buf *out, vsr_str text) {
    struct stage stage; /* not cleared: most texts use little of it */
    stage.out = out;
    stage.len = 1;
    stage.bytes[0] = '"';
    while (text.len > 0) {
        size_t good = utf8_check(text);
        quote_good(&stage, str_make(text.ptr, good));
        if (good == text.len)
            break;
        flush(&stage);
        (void)buf_append(out, VSR_STR("\xEF\xBF\xBD")); /* U+FFFD */
        text = str_make(text.ptr + good + 1, text.len - good - 1);
    }
    flush(&stage);
    (void)buf_append_char(out, '"');
}
