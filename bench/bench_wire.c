/*
 * bench_wire - how fast answers are translated: MB/s of a backend's stream of 1 MiB text in short pieces, decoded and
 * collected, and written again for each client.
 */
#include <stdio.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "wire/decoder.h"
#include "wire/encoder.h"

enum { TEXT_LEN = 1 << 20, STREAM_LEN_MAX = 64 << 20, ANSWER_LEN_MAX = 4 << 20, CHUNK_LEN = 16 << 10, BEST_OF = 7 };

static const char piece[] = " a few words of an answer";

static void make_chat(struct buf *out) {
    for (size_t said = 0; said < TEXT_LEN; said += sizeof(piece) - 1)
        buf_printf(out,
                   "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":"
                   "\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"finish_reason\":null}]}\n\n",
                   piece);
    buf_append_c(out,
                 "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
}

static void make_messages(struct buf *out) {
    buf_append_c(out, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
                      "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n");
    for (size_t said = 0; said < TEXT_LEN; said += sizeof(piece) - 1)
        buf_printf(out,
                   "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                   "{\"type\":\"text_delta\",\"text\":\"%s\"}}\n\n",
                   piece);
    buf_append_c(out, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}

struct job {
    struct answer *answer;
    struct encoder *encoder; /* NULL: decoded only */
    struct buf *out;
};

static void on_delta(void *user, const struct answer_delta *delta) {
    struct job *job = user;
    answer_take(job->answer, delta);
    if (!job->encoder)
        return;
    encoder_take(job->encoder, delta);
    if (job->out->len > CHUNK_LEN)
        buf_reset(job->out);
}

/* MB/s of the backend's bytes. `client` PROTOCOL_COUNT: nobody. */
static double measure(enum protocol backend, enum protocol client, vsr_str stream) {
    double best = 0;
    for (int try = 0; try < BEST_OF; try++) {
        struct arena *arena = arena_new(0, 0);
        struct encoder_options options = { .protocol = client, .upstream = backend, .streamed = true };
        struct buf out;
        struct job job = { .answer = answer_new(arena, ANSWER_LEN_MAX), .out = &out };
        struct decoder *decoder;
        uint64_t begin;
        double rate;
        buf_init(&out, STREAM_LEN_MAX);
        if (client != PROTOCOL_COUNT)
            job.encoder = encoder_new(&options, arena, &out);
        decoder = decoder_new(backend, true, on_delta, &job);
        begin = clock_mono_ns();
        for (size_t at = 0; at < stream.len; at += CHUNK_LEN)
            decoder_feed(decoder, str_sub(stream, at, at + CHUNK_LEN));
        decoder_end(decoder, true);
        rate = (double)stream.len * 1e3 / (double)(clock_mono_ns() - begin);
        best = rate > best ? rate : best;
        decoder_free(decoder);
        encoder_free(job.encoder);
        buf_done(&out);
        arena_free(arena);
    }
    return best;
}

int main(void) {
    static const struct {
        const char *name;
        enum protocol protocol;
        void (*make)(struct buf *out);
    } backends[] = { { "chat", PROTOCOL_CHAT, make_chat }, { "messages", PROTOCOL_MESSAGES, make_messages } };
    printf("{");
    for (size_t i = 0; i < VSR_COUNT(backends); i++) {
        struct buf stream;
        buf_init(&stream, STREAM_LEN_MAX);
        backends[i].make(&stream);
        printf("%s\"%s\":%.0f", i ? "," : "", backends[i].name,
               measure(backends[i].protocol, PROTOCOL_COUNT, buf_str(&stream)));
        for (size_t k = 0; k < VSR_COUNT(backends); k++)
            printf(",\"%s_to_%s\":%.0f", backends[i].name, backends[k].name,
                   measure(backends[i].protocol, backends[k].protocol, buf_str(&stream)));
        buf_done(&stream);
    }
    printf("}\n");
    return 0;
}
