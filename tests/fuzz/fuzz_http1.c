/* links: net */
/*
 * The first byte picks the side, whether responses answer HEAD, and how the rest is cut; the rest is the connection.
 * What the parser reports in one piece and in pieces must be the same, and what it accepts as a head must survive being
 * written and read again.
 */
#include "../http1_trace.h"

enum { SIDE_BIT = 1, HEAD_BIT = 2, CUT_SHIFT = 2, INPUT_LEN_MAX = 1 << 20, TRACE_LEN_MAX = 8 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct cuts {
    uint64_t random;
    size_t len_max;
};

static size_t cut(void *ctx, size_t left) {
    struct cuts *cuts = ctx;
    size_t len;
    cuts->random = cuts->random * 6364136223846793005u + 1442695040888963407u;
    len = 1 + (cuts->random >> 33) % cuts->len_max;
    return len < left ? len : left;
}

static void write_again(struct buf *out, enum http1_side side, const struct http1_head *head) {
    if (side == HTTP1_REQUEST)
        http1_write_request_line(out, head->method, head->target);
    else
        http1_write_status_line(out, head->status);
    for (size_t i = 0; i < head->n_fields; i++)
        http1_write_field(out, head->fields[i].name, head->fields[i].value);
    http1_write_head_end(out);
}

static void check_same_head(const struct http1_head *a, const struct http1_head *b) {
    VSR_ASSERT(str_eq(a->method, b->method));
    VSR_ASSERT(str_eq(a->target, b->target));
    VSR_ASSERT(a->status == b->status);
    VSR_ASSERT(a->n_fields == b->n_fields);
    VSR_ASSERT(a->chunked == b->chunked);
    VSR_ASSERT(a->has_length == b->has_length);
    VSR_ASSERT(a->length == b->length);
    for (size_t i = 0; i < a->n_fields; i++) {
        VSR_ASSERT(str_eq(a->fields[i].name, b->fields[i].name));
        VSR_ASSERT(str_eq(a->fields[i].value, b->fields[i].value));
    }
}

/* The written form is 1.1 whatever was read, so it may lack a Host field that 1.0 does not need; those are left out. */
static void check_round_trip(enum http1_side side, bool head_request, vsr_str input) {
    struct http1_parser *first = malloc(sizeof(*first)), *second = malloc(sizeof(*second));
    struct buf written;
    vsr_str body, again;
    VSR_ASSERT(first);
    VSR_ASSERT(second);
    buf_init(&written, INPUT_LEN_MAX);
    http1_init(first, side);
    http1_init(second, side);
    first->head_request = second->head_request = head_request;
    if (http1_feed(first, &input, &body, NULL) == HTTP1_HEAD && first->head.minor_version == 1) {
        write_again(&written, side, &first->head);
        again = buf_str(&written);
        if (written.len <= HTTP1_HEAD_LEN_MAX) {
            VSR_ASSERT(http1_feed(second, &again, &body, NULL) == HTTP1_HEAD);
            VSR_ASSERT(again.len == 0);
            check_same_head(&first->head, &second->head);
        }
    }
    http1_done(first);
    http1_done(second);
    buf_done(&written);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct http1_trace how = { 0 };
    struct cuts cuts = { 0 };
    struct buf whole, pieces;
    vsr_str input;
    if (len == 0 || len > INPUT_LEN_MAX)
        return 0;
    input = str_make((const char *)data + 1, len - 1);
    how.side = data[0] & SIDE_BIT ? HTTP1_RESPONSE : HTTP1_REQUEST;
    how.head_request = data[0] & HEAD_BIT;
    cuts.random = data[0];
    cuts.len_max = (size_t)1 << ((data[0] >> CUT_SHIFT) % 13);
    buf_init(&whole, TRACE_LEN_MAX);
    buf_init(&pieces, TRACE_LEN_MAX);
    http1_trace(&whole, &how, input);
    how.cut = cut;
    how.ctx = &cuts;
    http1_trace(&pieces, &how, input);
    VSR_ASSERT(str_eq(buf_str(&whole), buf_str(&pieces)));
    buf_done(&whole);
    buf_done(&pieces);
    check_round_trip(how.side, how.head_request, input);
    return 0;
}
