/* links: net */
/*
 * The gRPC reader: the same messages however the bytes are split, and what the writer makes of them is what was read.
 *
 * The first byte chooses the size of the pieces.
 */
#include <stdint.h>

#include "core/assert.h"
#include "net/grpc.h"

enum { MESSAGE_LEN_MAX = 4096, LOG_LEN_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static enum grpc_event read_all(vsr_str text, size_t step, struct buf *log) {
    struct grpc_reader reader;
    enum grpc_event event = GRPC_MORE;
    grpc_reader_init(&reader, MESSAGE_LEN_MAX);
    for (size_t at = 0; at < text.len && event == GRPC_MORE; at += step) {
        vsr_str rest = str_sub(text, at, at + step), message;
        while ((event = grpc_feed(&reader, &rest, &message)) == GRPC_MESSAGE)
            grpc_write(log, message);
        VSR_ASSERT(event != GRPC_MORE || rest.len == 0);
    }
    grpc_reader_done(&reader);
    return event;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct buf whole, split, text;
    vsr_str input;
    uint64_t ms;
    if (len == 0)
        return 0;
    input = str_make((const char *)bytes + 1, len - 1);
    buf_init(&whole, LOG_LEN_MAX);
    buf_init(&split, LOG_LEN_MAX);
    buf_init(&text, LOG_LEN_MAX);
    VSR_ASSERT(read_all(input, input.len + 1, &whole) == read_all(input, (size_t)bytes[0] % 16 + 1, &split));
    VSR_ASSERT(str_eq(buf_str(&whole), buf_str(&split)));
    VSR_ASSERT(str_starts(input, buf_str(&whole)));
    grpc_encode_message(&text, input);
    for (size_t i = 0; i < text.len; i++)
        VSR_ASSERT(text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f);
    VSR_ASSERT(text.len >= str_sub(input, 0, GRPC_STATUS_TEXT_LEN_MAX).len);
    (void)grpc_timeout_ms(input, &ms);
    (void)grpc_content_type_ok(input);
    buf_done(&whole);
    buf_done(&split);
    buf_done(&text);
    return 0;
}
