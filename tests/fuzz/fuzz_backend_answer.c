/* links: cli */
/*
 * fuzz_backend_answer - any bytes as a request to the stand-in model: refused, or answered with valid JSON and a stream
 * that ends.
 */
#include <stddef.h>
#include <stdint.h>

#include "cli/backend_answer.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json.h"

enum { OUT_LEN_MAX = 16 << 20, TOKENS = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct arena *arena, vsr_str text) {
    struct json_doc doc;
    struct vsr_err err = VSR_ERR_NONE;
    VSR_ASSERT(json_parse(arena, text, &doc, &err) == 0);
}

static void check_stream(struct arena *arena, struct answer *answer, struct buf *out) {
    uint64_t n_events = 0;
    for (; answer_next_event(answer, true, out); buf_reset(out)) {
        vsr_str event = buf_str(out);
        VSR_ASSERT(!buf_failed(out));
        VSR_ASSERT(++n_events <= answer->n_tokens + 4);
        event = str_sub(event, 6, event.len - 2);
        if (!str_eq(event, VSR_STR("[DONE]")))
            check_json(arena, event);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct answer_options options = { .backend = VSR_STR("fuzz"), .tokens = size % 2 ? TOKENS : 0, .seed = size };
    struct arena *arena = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    struct answer whole, streamed;
    struct buf out;
    buf_init(&out, OUT_LEN_MAX);
    if (answer_begin(arena, str_make((const char *)data, size), &options, &whole, &err) == 0) {
        streamed = whole;
        answer_write(&whole, &out);
        VSR_ASSERT(!buf_failed(&out));
        check_json(arena, buf_str(&out));
        buf_reset(&out);
        check_stream(arena, &streamed, &out);
    }
    buf_done(&out);
    arena_free(arena);
    return 0;
}
