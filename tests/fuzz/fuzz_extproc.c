/* links: serve */
/*
 * Messages of Envoy's: whatever the bytes, they are refused or are a head, a piece or trailers that HTTP could have,
 * and memory stays in proportion. The difference of two heads, applied to the first one, gives the second.
 *
 * The first byte chooses where the fields are cut in two.
 */
#include <stdint.h>

#include "core/arena.h"
#include "core/assert.h"
#include "serve/extproc_message.h"
#include "serve/json_end.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_head(const struct extproc_message *message) {
    const struct http1_head *head = &message->head;
    for (size_t i = 0; i < head->n_fields; i++)
        VSR_ASSERT(http1_name_ok(head->fields[i].name) && http1_value_ok(head->fields[i].value));
    VSR_ASSERT(head->n_fields <= HTTP1_FIELDS_MAX + 1);
    if (message->kind == EXTPROC_REQUEST_HEADERS)
        VSR_ASSERT(http1_name_ok(head->method) && http1_target_ok(head->target));
    if (message->kind == EXTPROC_RESPONSE_HEADERS)
        VSR_ASSERT(head->status >= 100 && head->status <= 999);
}

static bool has(const struct http1_field *fields, size_t n, const struct http1_field *wanted) {
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(fields[i].name, wanted->name) && str_eq(fields[i].value, wanted->value))
            return true;
    return false;
}

static void check_diff(struct arena *arena, const struct http1_head *head, size_t at) {
    const struct http1_field *now = head->fields + at;
    size_t n_now = head->n_fields - at;
    struct extproc_mutation m;
    struct buf out;
    extproc_diff(arena, head->fields, at, now, n_now, &m);
    VSR_ASSERT(m.n_set <= n_now && m.n_remove <= at);
    for (size_t i = 0; i < m.n_set; i++)
        VSR_ASSERT(has(now, n_now, &m.set[i]));
    buf_init(&out, 1 << 20);
    extproc_write(arena, &(struct extproc_answer){ .kind = EXTPROC_REQUEST_BODY, .headers = &m }, &out);
    VSR_ASSERT(!buf_failed(&out));
    buf_done(&out);
}

static void check_end(vsr_str text, size_t at) {
    struct json_end whole = { 0 }, split = { 0 };
    (void)json_end_feed(&whole, text);
    (void)json_end_feed(&split, str_sub(text, 0, at));
    (void)json_end_feed(&split, str_sub(text, at, text.len));
    VSR_ASSERT(whole.complete == split.complete && whole.more == split.more);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct extproc_message message;
    struct arena *arena;
    vsr_str text;
    if (len == 0)
        return 0;
    text = str_make((const char *)bytes + 1, len - 1);
    arena = arena_new(0, 0);
    check_end(text, bytes[0] < text.len ? bytes[0] : text.len);
    if (extproc_read(arena, text, &message, NULL) == 0) {
        const struct http1_head *kept = extproc_keep_head(arena, &message.head);
        check_head(&message);
        check_diff(arena, kept, kept->n_fields ? bytes[0] % (kept->n_fields + 1) : 0);
    }
    VSR_ASSERT(arena_bytes(arena) <= 4 * len + 4 * EXTPROC_SPARE_LEN);
    arena_free(arena);
    return 0;
}
