#include "store/redis_reply.h"

#include "core/arena.h"

enum { COMPACT_LEN = 64 << 10 };

void redis_reader_init(struct redis_reader *reader) {
    *reader = (struct redis_reader){ 0 };
    buf_init(&reader->bytes, REDIS_REPLY_LEN_MAX);
}

void redis_reader_done(struct redis_reader *reader) {
    buf_done(&reader->bytes);
}

void redis_reader_reset(struct redis_reader *reader) {
    buf_done(&reader->bytes);
    redis_reader_init(reader);
}

/* What has been taken leaves in large steps. */
static void compact(struct redis_reader *reader) {
    if (reader->begin == 0 || (reader->begin < reader->bytes.len && reader->begin < COMPACT_LEN))
        return;
    buf_consume(&reader->bytes, reader->begin);
    reader->seen -= reader->begin;
    reader->begin = 0;
}

int redis_reader_feed(struct redis_reader *reader, vsr_str bytes) {
    compact(reader);
    return buf_append(&reader->bytes, bytes);
}

/* ---- one line */

static bool read_number(vsr_str text, int64_t *ret) {
    bool negative = text.len && text.ptr[0] == '-';
    uint64_t value;
    if (!str_to_u64(str_sub(text, negative, text.len), &value) || value > INT64_MAX)
        return false;
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* The line at `at`, its type byte included. 0: not whole. */
static int read_line(const struct redis_reader *reader, size_t at, vsr_str *ret_line, struct vsr_err *err) {
    vsr_str rest = str_make(reader->bytes.ptr + at, reader->bytes.len - at);
    ptrdiff_t end = str_find(str_sub(rest, 0, REDIS_LINE_LEN_MAX), VSR_STR("\r\n"));
    if (end < 0 && rest.len >= REDIS_LINE_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "the server sent a line of more than %d bytes", REDIS_LINE_LEN_MAX);
    if (end < 0)
        return 0;
    if (end == 0)
        return err_set(err, VSR_E_PROTOCOL, "the server sent an empty line");
    *ret_line = str_make(rest.ptr, (size_t)end);
    return 1;
}

static int refuse(vsr_str line, struct vsr_err *err) {
    return err_set(err, VSR_E_PROTOCOL, "the server does not speak Redis: it sent \"%.*s\"",
                   (int)(line.len < 40 ? line.len : 40), line.ptr);
}

struct element {
    enum redis_type type;
    vsr_str text; /* of the line */
    int64_t number;
    size_t line_len; /* with its end */
};

static int read_element(const struct redis_reader *reader, size_t at, struct element *ret, struct vsr_err *err) {
    vsr_str line;
    int rc = read_line(reader, at, &line, err);
    if (rc <= 0)
        return rc;
    *ret = (struct element){ .text = str_sub(line, 1, line.len), .line_len = line.len + 2 };
    switch (line.ptr[0]) {
    case '+':
        ret->type = REDIS_STATUS;
        return 1;
    case '-':
        ret->type = REDIS_ERROR;
        return 1;
    case ':':
        ret->type = REDIS_INTEGER;
        break;
    case '$':
        ret->type = REDIS_STRING;
        break;
    case '*':
        ret->type = REDIS_ARRAY;
        break;
    default:
        return refuse(line, err);
    }
    if (!read_number(ret->text, &ret->number))
        return refuse(line, err);
    if (ret->type == REDIS_INTEGER)
        return 1;
    if (ret->number < -1)
        return refuse(line, err);
    if (ret->number == -1)
        ret->type = REDIS_NIL;
    else if (ret->type == REDIS_ARRAY ? ret->number > REDIS_ITEMS_MAX : ret->number > REDIS_REPLY_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "the server announced a reply that is too large: %.*s", VSR_FMT(line));
    return 1;
}

/* ---- is it whole? Looked at once, wherever the bytes were split. */

static int open_array(struct redis_reader *reader, size_t n, struct vsr_err *err) {
    if (reader->depth == REDIS_DEPTH_MAX)
        return err_set(err, VSR_E_LIMIT, "the server sent a reply with more than %d levels", REDIS_DEPTH_MAX);
    reader->n_items += n;
    if (reader->n_items > REDIS_ITEMS_MAX)
        return err_set(err, VSR_E_LIMIT, "the server sent a reply with more than %d elements", REDIS_ITEMS_MAX);
    reader->missing[reader->depth++] = n;
    return 1;
}

/* A value has ended, and with it the arrays whose last it was. */
static void close_arrays(struct redis_reader *reader) {
    while (reader->depth && --reader->missing[reader->depth - 1] == 0)
        reader->depth--;
}

/* Moves over one element. 0: it is not whole. */
static int look(struct redis_reader *reader, struct vsr_err *err) {
    struct element element;
    size_t len;
    int rc = read_element(reader, reader->seen, &element, err);
    if (rc <= 0)
        return rc;
    len = element.line_len;
    if (element.type == REDIS_STRING) {
        size_t end = reader->seen + len + (size_t)element.number;
        if (reader->bytes.len < end + 2)
            return 0;
        if (memcmp(reader->bytes.ptr + end, "\r\n", 2) != 0)
            return err_set(err, VSR_E_PROTOCOL, "the server sent a text that does not end where it said");
        len += (size_t)element.number + 2;
    }
    reader->seen += len;
    if (element.type == REDIS_ARRAY && element.number > 0)
        return open_array(reader, (size_t)element.number, err);
    close_arrays(reader);
    return 1;
}

/* ---- the reply, known to be whole and sound */

static size_t build(const struct redis_reader *reader, struct arena *arena, size_t at, struct redis_value *ret) {
    struct element element = { 0 };
    (void)read_element(reader, at, &element, NULL); /* succeeded before */
    at += element.line_len;
    *ret = (struct redis_value){ .type = element.type, .text = element.text, .integer = element.number };
    if (element.type == REDIS_STRING) {
        ret->text = str_make(reader->bytes.ptr + at, (size_t)element.number);
        at += (size_t)element.number + 2;
    } else if (element.type == REDIS_ARRAY) {
        struct redis_value *items = ARENA_ARRAY(arena, struct redis_value, (size_t)element.number);
        ret->items = items;
        ret->n = (size_t)element.number;
        for (size_t i = 0; i < ret->n; i++)
            at = build(reader, arena, at, &items[i]);
    }
    return at;
}

int redis_reader_next(struct redis_reader *reader, struct arena *arena, struct redis_value *ret_value,
                      struct vsr_err *err) {
    do {
        int rc = look(reader, err);
        if (rc <= 0)
            return rc;
    } while (reader->depth);
    (void)build(reader, arena, reader->begin, ret_value);
    reader->begin = reader->seen;
    reader->n_items = 0;
    return 1;
}

void redis_command_write(struct buf *out, const vsr_str *argv, size_t n) {
    (void)buf_printf(out, "*%zu\r\n", n);
    for (size_t i = 0; i < n; i++) {
        (void)buf_printf(out, "$%zu\r\n", argv[i].len);
        (void)buf_append(out, argv[i]);
        (void)buf_append_c(out, "\r\n");
    }
}
