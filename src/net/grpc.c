#include "net/grpc.h"

#include "core/assert.h"

enum { FLAG_COMPRESSED = 1 };

void grpc_reader_init(struct grpc_reader *reader, size_t len_max) {
    *reader = (struct grpc_reader){ .len_max = len_max < UINT32_MAX ? len_max : UINT32_MAX };
    buf_init(&reader->message, reader->len_max);
}

void grpc_reader_done(struct grpc_reader *reader) {
    buf_done(&reader->message);
}

static enum grpc_event end(struct grpc_reader *reader, enum grpc_event event) {
    reader->ended = (uint8_t)event;
    return event;
}

/* Moves bytes of the prefix; GRPC_MESSAGE when it is complete and acceptable. */
static enum grpc_event read_prefix(struct grpc_reader *reader, vsr_str *bytes) {
    while (reader->n_prefix < GRPC_PREFIX_LEN && bytes->len > 0) {
        reader->prefix[reader->n_prefix++] = (uint8_t)bytes->ptr[0];
        *bytes = str_sub(*bytes, 1, bytes->len);
    }
    if (reader->n_prefix > 0 && reader->prefix[0] != 0)
        return end(reader, reader->prefix[0] == FLAG_COMPRESSED ? GRPC_COMPRESSED : GRPC_MALFORMED);
    if (reader->n_prefix < GRPC_PREFIX_LEN)
        return GRPC_MORE;
    reader->want = (uint32_t)reader->prefix[1] << 24 | (uint32_t)reader->prefix[2] << 16 |
                   (uint32_t)reader->prefix[3] << 8 | reader->prefix[4];
    return reader->want > reader->len_max ? end(reader, GRPC_TOO_LONG) : GRPC_MESSAGE;
}

/* The message that was handed out last is not needed any more. */
static void forget_message(struct grpc_reader *reader) {
    if (reader->message.cap > GRPC_KEEP_LEN_MAX)
        buf_done(&reader->message);
    buf_reset(&reader->message);
}

enum grpc_event grpc_feed(struct grpc_reader *reader, vsr_str *bytes, vsr_str *ret_message) {
    size_t part;
    if (reader->ended)
        return (enum grpc_event)reader->ended;
    if (reader->n_prefix < GRPC_PREFIX_LEN) {
        enum grpc_event event = read_prefix(reader, bytes);
        if (event != GRPC_MESSAGE)
            return event;
        forget_message(reader);
    }
    part = reader->want - reader->message.len;
    if (part > bytes->len)
        part = bytes->len;
    if (reader->message.len == 0 && part == reader->want) {
        *ret_message = str_sub(*bytes, 0, part);
    } else {
        if (buf_append(&reader->message, str_sub(*bytes, 0, part)) < 0)
            return end(reader, GRPC_TOO_LONG);
        *ret_message = buf_str(&reader->message);
    }
    *bytes = str_sub(*bytes, part, bytes->len);
    if (ret_message->len < reader->want)
        return GRPC_MORE;
    reader->n_prefix = 0;
    return GRPC_MESSAGE;
}

bool grpc_reader_pending(const struct grpc_reader *reader) {
    return reader->n_prefix > 0;
}

void grpc_write_prefix(uint8_t out[GRPC_PREFIX_LEN], uint32_t len) {
    out[0] = 0;
    out[1] = (uint8_t)(len >> 24);
    out[2] = (uint8_t)(len >> 16);
    out[3] = (uint8_t)(len >> 8);
    out[4] = (uint8_t)len;
}

void grpc_write(struct buf *out, vsr_str message) {
    uint8_t prefix[GRPC_PREFIX_LEN];
    VSR_ASSERT(message.len <= UINT32_MAX);
    grpc_write_prefix(prefix, (uint32_t)message.len);
    (void)buf_append(out, str_make((const char *)prefix, sizeof(prefix))); /* buf_failed() tells */
    (void)buf_append(out, message);
}

bool grpc_timeout_ms(vsr_str header, uint64_t *ret_ms) {
    static const struct {
        char unit;
        uint64_t times, per; /* milliseconds are value * times / per */
    } units[] = {
        { 'H', 3600000, 1 }, { 'M', 60000, 1 }, { 'S', 1000, 1 }, { 'm', 1, 1 }, { 'u', 1, 1000 }, { 'n', 1, 1000000 },
    };
    uint64_t value;
    if (header.len < 2 || header.len > GRPC_TIMEOUT_DIGITS_MAX + 1 ||
        !str_to_u64(str_sub(header, 0, header.len - 1), &value))
        return false;
    for (size_t i = 0; i < VSR_COUNT(units); i++) {
        if (header.ptr[header.len - 1] == units[i].unit) {
            *ret_ms = (value * units[i].times + units[i].per - 1) / units[i].per;
            return true;
        }
    }
    return false;
}

bool grpc_content_type_ok(vsr_str header) {
    vsr_str type = str_trim(str_split(&header, ';'));
    return str_eq_nocase(type, VSR_STR("application/grpc")) || str_eq_nocase(type, VSR_STR("application/grpc+proto"));
}

void grpc_encode_message(struct buf *out, vsr_str text) {
    static const char hex[] = "0123456789ABCDEF";
    text = str_sub(text, 0, GRPC_STATUS_TEXT_LEN_MAX);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c < 0x7f && c != '%') {
            (void)buf_append_char(out, (char)c);
        } else {
            const char escape[3] = { '%', hex[c >> 4], hex[c & 15] };
            (void)buf_append(out, str_make(escape, sizeof(escape)));
        }
    }
}
