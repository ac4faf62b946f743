/* links: cli */
/*
 * fuzz_backend_answer - any bytes as a request to the stand-in model, in each of its dialects: refused, or answered
 * with valid JSON and a stream that ends.
 *
 * The first byte chooses the dialect, the second what the model is told to do; the rest is the body. A body that begins
 * with `{` is a Chat Completion of a model that does as it likes.
 */
#include <stddef.h>
#include <stdint.h>

#include "cli/backend_dialect.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json.h"
#include "net/http1.h"

enum { OUT_LEN_MAX = 16 << 20, TOKENS = 40, EVENTS_PER_TOKEN_MAX = 2 * BACKEND_CHOICES_MAX, EVENTS_BESIDE_MAX = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct backend_dialect *const dialects[] = { &backend_chat, &backend_completions, &backend_messages,
                                                          &backend_responses };

static void check_json(struct arena *arena, vsr_str text) {
    struct json_doc doc;
    struct vsr_err err = VSR_ERR_NONE;
    VSR_ASSERT(json_parse(arena, text, &doc, &err) == 0);
}

/* Every data line of the events. Returns how many there were. */
static uint64_t check_events(struct arena *arena, vsr_str events) {
    uint64_t n = 0;
    VSR_ASSERT(str_ends(events, VSR_STR("\n\n")));
    for (vsr_str rest = events; rest.ptr;) {
        vsr_str line = str_split(&rest, '\n');
        VSR_ASSERT(line.len == 0 || str_starts(line, VSR_STR("data: ")) || str_starts(line, VSR_STR("event: ")));
        if (!str_starts(line, VSR_STR("data: ")))
            continue;
        n++;
        if (!str_eq(line, VSR_STR("data: [DONE]")))
            check_json(arena, str_sub(line, 6, line.len));
    }
    return n;
}

static void check_stream(struct arena *arena, const struct backend_dialect *dialect, struct backend_answer *answer,
                         struct buf *out) {
    struct backend_step step;
    uint64_t n_events = 0;
    while (backend_answer_step(answer, &step)) {
        dialect->event(arena, answer, &step, out);
        VSR_ASSERT(!buf_failed(out));
        if (out->len > 0)
            n_events += check_events(arena, buf_str(out));
        buf_reset(out);
    }
    VSR_ASSERT(n_events <= answer->n_tokens * EVENTS_PER_TOKEN_MAX + EVENTS_BESIDE_MAX);
}

static struct behaviour behaviour_of(uint8_t bits, size_t size) {
    struct behaviour behaviour = behaviour_none();
    behaviour.tokens = size % 2 ? TOKENS : 0;
    behaviour.thinking = bits & 1 ? 5 : 0;
    behaviour.redacted = bits >> 1 & 1;
    behaviour.refusal = bits >> 2 & 1;
    behaviour.parallel_tools = bits >> 3 & 3;
    behaviour.no_terminal = bits >> 5 & 1;
    behaviour.usage = (bits >> 6) % 4;
    behaviour.cached = bits;
    if (bits % 7 == 3)
        behaviour.error_event = bits % 5;
    return behaviour;
}

static void answer(const struct backend_dialect *dialect, const struct backend_answer_options *options, vsr_str body) {
    static const struct http1_field fields[] = {
        { VSR_STR_INIT("x-api-key"), VSR_STR_INIT("k") },
        { VSR_STR_INIT("anthropic-version"), VSR_STR_INIT("2023-06-01") },
    };
    const struct http1_head head = { .target = VSR_STR("/v1"),
                                     .fields = (struct http1_field *)(uintptr_t)fields,
                                     .n_fields = VSR_COUNT(fields) };
    struct arena *arena = arena_new(0, 0);
    struct backend_question *question = ARENA_NEW(arena, struct backend_question);
    struct backend_answer whole, streamed;
    struct backend_refusal refusal = { 0 };
    struct buf out;
    buf_init(&out, OUT_LEN_MAX);
    if (dialect->read(arena, &head, body, question, &refusal)) {
        backend_answer_begin(arena, question, options, &whole);
        streamed = whole;
        dialect->whole(arena, &whole, &out);
        VSR_ASSERT(!buf_failed(&out));
        check_json(arena, buf_str(&out));
        buf_reset(&out);
        check_stream(arena, dialect, &streamed, &out);
    } else {
        dialect->error(&refusal, 1, &out);
        check_json(arena, buf_str(&out));
    }
    buf_done(&out);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct backend_answer_options options = { .backend = VSR_STR("fuzz"), .seed = size };
    bool plain = size < 2 || data[0] == '{';
    options.behaviour = behaviour_of(plain ? 0 : data[1], size);
    if (plain)
        answer(&backend_chat, &options, str_make((const char *)data, size));
    else
        answer(dialects[data[0] % VSR_COUNT(dialects)], &options, str_make((const char *)data + 2, size - 2));
    return 0;
}
