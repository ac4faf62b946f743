/*
 * bench_json - how fast the JSON tape scans: GB/s over a 1 KB chat request, a 100 KB one and a 10 MB one full of
 * escapes.
 */
#include <stdio.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/json_write.h"

enum { TEXT_LEN_MAX = 64 << 20, BEST_OF = 7 };

/* A chat request whose user message repeats `sentence` until the body has about `len` bytes. */
static void make_chat(struct buf *out, size_t len, const char *sentence) {
    (void)buf_append_c(out,
                       "{\"model\":\"auto\",\"temperature\":0.7,\"stream\":false,\"messages\":[{\"role\":\"system\","
                       "\"content\":\"You are a helpful assistant.\"},{\"role\":\"user\",\"content\":\"");
    while (out->len + 4 < len)
        (void)buf_append_c(out, sentence);
    (void)buf_append_c(out, "\"}]}");
}

static double measure(vsr_str text, size_t rounds) {
    struct arena *arena = arena_new(1 << 20, 0);
    double best = 0;
    for (int try = 0; try < BEST_OF; try++) {
        uint64_t begin = clock_mono_ns();
        double rate;
        for (size_t i = 0; i < rounds; i++) {
            struct json_doc doc;
            arena_reset(arena);
            if (json_parse(arena, text, &doc, NULL) < 0)
                return 0;
        }
        rate = (double)text.len * (double)rounds / (double)(clock_mono_ns() - begin);
        best = rate > best ? rate : best;
    }
    arena_free(arena);
    return best;
}

int main(void) {
    static const struct {
        const char *name, *sentence;
        size_t len, rounds;
    } cases[] = {
        { "chat_1k", "Please explain why the sky is blue and the sea is not always. ", 1 << 10, 100000 },
        { "chat_100k", "Please explain why the sky is blue and the sea is not always. ", 100 << 10, 2000 },
        { "escapes_10m", "line one\\n\\\"quoted\\\" \\u00e9\\t", 10 << 20, 10 },
    };
    printf("{");
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct buf text;
        buf_init(&text, TEXT_LEN_MAX);
        make_chat(&text, cases[i].len, cases[i].sentence);
        printf("%s\"%s\":%.3f", i ? "," : "", cases[i].name, measure(buf_str(&text), cases[i].rounds));
        buf_done(&text);
    }
    printf("}\n");
    return 0;
}
