/*
 * answer_fuzz - what holds for every decoder and encoder, whatever a backend sends. Included by one fuzz target each.
 */
#ifndef VSR_TESTS_ANSWER_FUZZ_H
#define VSR_TESTS_ANSWER_FUZZ_H

#include <stdint.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json.h"
#include "wire/decoder.h"
#include "wire/encoder.h"
#include "wire/sse.h"
#include "wire/warnings.h"

enum { FUZZ_LOG_LEN_MAX = 64 << 20, FUZZ_TRACKED_CHOICES = ANSWER_CHOICES_MAX };

/* The order that answer_model.h promises. */
struct fuzz_order {
    bool begun, failed, ended;
    uint32_t n_tools[FUZZ_TRACKED_CHOICES];
    bool finished[FUZZ_TRACKED_CHOICES];
};

static bool fuzz_says(enum delta_kind kind) {
    return kind != DELTA_BEGIN && kind != DELTA_USAGE && kind != DELTA_PING && kind != DELTA_ERROR && kind != DELTA_END;
}

static void fuzz_check_order(struct fuzz_order *o, const struct answer_delta *delta) {
    VSR_ASSERT(!o->ended);
    VSR_ASSERT(!o->failed || delta->kind == DELTA_END);
    VSR_ASSERT(delta->choice < FUZZ_TRACKED_CHOICES);
    VSR_ASSERT(delta->kind != DELTA_BEGIN || !o->begun);
    if (fuzz_says(delta->kind))
        VSR_ASSERT(!o->finished[delta->choice]);
    if (delta->kind == DELTA_TOOL_BEGIN) {
        VSR_ASSERT(delta->index == o->n_tools[delta->choice]);
        o->n_tools[delta->choice]++;
    }
    if (delta->kind == DELTA_TOOL_ARGUMENTS || delta->kind == DELTA_TOOL_END)
        VSR_ASSERT(delta->index < o->n_tools[delta->choice]);
    if (delta->kind == DELTA_ERROR)
        VSR_ASSERT(delta->error.message.len > 0 && delta->error.status >= 400 && delta->error.status < 600);
    if (delta->kind == DELTA_FINISH)
        o->finished[delta->choice] = true;
    o->begun |= delta->kind == DELTA_BEGIN || fuzz_says(delta->kind);
    o->failed |= delta->kind == DELTA_ERROR;
    o->ended |= delta->kind == DELTA_END;
}

struct fuzz_pairing {
    struct encoder *encoder;
    struct answer *answer;
    struct fuzz_order order;
    struct buf *log;
};

static void fuzz_on_delta(void *user, const struct answer_delta *delta) {
    struct fuzz_pairing *p = user;
    fuzz_check_order(&p->order, delta);
    buf_printf(p->log, "%d %u %u %d %d ", delta->kind, delta->choice, delta->index, delta->finish, delta->error.status);
    buf_append(p->log, delta->text);
    buf_append(p->log, delta->id);
    buf_append(p->log, delta->name);
    buf_append(p->log, delta->error.message);
    answer_take(p->answer, delta);
    encoder_take(p->encoder, delta);
}

static void fuzz_check_json(struct arena *arena, vsr_str text, struct json_doc *ret_doc) {
    int rc = json_parse(arena, text, ret_doc, NULL);
    VSR_ASSERT(rc == 0 || rc == VSR_E_LIMIT); /* what was deep in a string may be too deep in an answer */
}

static void fuzz_on_event(void *user, const struct sse_event *event) {
    struct arena *arena = user;
    struct json_doc doc;
    VSR_ASSERT(!event->comment_only);
    if (!str_eq(event->data, VSR_STR("[DONE]")))
        fuzz_check_json(arena, event->data, &doc);
}

/* What a client gets: whole events of JSON, or one JSON text. */
static void fuzz_check_output(vsr_str out, bool streamed) {
    struct arena *arena = arena_new(0, 0);
    struct json_doc doc;
    if (streamed) {
        struct sse_parser sse;
        sse_init(&sse, fuzz_on_event, arena);
        sse_feed(&sse, out);
        VSR_ASSERT(!sse_pending(&sse));
        sse_done(&sse);
    } else {
        fuzz_check_json(arena, out, &doc);
    }
    arena_free(arena);
}

static void fuzz_collect(void *user, const struct answer_delta *delta) {
    answer_take(user, delta);
}

/* What a client reads out of its answer is what the backend said. */
static void fuzz_check_heard(enum protocol client, bool streamed, const struct answer *said, vsr_str out) {
    struct arena *arena = arena_new(0, 0);
    struct answer *heard = answer_new(arena, 4 << 20);
    struct decoder *decoder = decoder_new(client, streamed, fuzz_collect, heard);
    const struct answer_choice *a, *b;
    decoder_feed(decoder, out);
    decoder_end(decoder, true);
    decoder_free(decoder);
    a = answer_choice(said, 0);
    b = answer_choice(heard, 0);
    VSR_ASSERT((answer_head(heard)->error.status > 0) == (answer_head(said)->error.status > 0));
    if (a && b && a->index == 0 && answer_head(said)->error.status == 0 && !answer_head(said)->too_long) {
        VSR_ASSERT(a->refusal.len > 0 || str_eq(a->text, b->text));
        VSR_ASSERT(a->summary.len > 0 || str_eq(a->reasoning, b->reasoning));
        VSR_ASSERT(a->n_tools == b->n_tools);
    }
    arena_free(arena);
}

struct fuzz_job {
    enum protocol backend, client;
    bool from_stream, to_stream, clean;
};

static void fuzz_translate(const struct fuzz_job *job, vsr_str text, size_t step, struct buf *log) {
    struct arena *arena = arena_new(0, 0);
    struct warnings warnings;
    struct buf out;
    struct encoder_options options = {
        .protocol = job->client,
        .upstream = job->backend,
        .streamed = job->to_stream,
        .include_usage = true,
        .id = VSR_STR("id"),
        .warnings = &warnings,
    };
    struct fuzz_pairing p = { .log = log };
    struct decoder *decoder;
    warnings_init(&warnings, arena);
    buf_init(&out, FUZZ_LOG_LEN_MAX);
    p.answer = answer_new(arena, 1 << 20);
    p.encoder = encoder_new(&options, arena, &out);
    decoder = decoder_new(job->backend, job->from_stream, fuzz_on_delta, &p);
    for (size_t at = 0; at < text.len; at += step)
        decoder_feed(decoder, str_sub(text, at, at + step));
    decoder_end(decoder, job->clean);
    VSR_ASSERT(p.order.ended);
    VSR_ASSERT(decoder_ended(decoder));
    fuzz_check_output(buf_str(&out), job->to_stream);
    fuzz_check_heard(job->client, job->to_stream, p.answer, buf_str(&out));
    (void)answer_is_cacheable(p.answer);
    (void)warnings_header(&warnings, arena);
    decoder_free(decoder);
    encoder_free(p.encoder);
    buf_done(&out);
    arena_free(arena);
}

static void answer_fuzz(enum protocol backend, uint8_t choice, vsr_str text) {
    static const enum protocol clients[] = { PROTOCOL_CHAT, PROTOCOL_MESSAGES };
    size_t step = (choice & 31u) + 1;
    struct buf whole, split;
    buf_init(&whole, FUZZ_LOG_LEN_MAX);
    buf_init(&split, FUZZ_LOG_LEN_MAX);
    for (size_t i = 0; i < VSR_COUNT(clients); i++) {
        struct fuzz_job job = { backend, clients[i], choice & 32u, choice & 64u, choice & 128u };
        buf_reset(&whole);
        buf_reset(&split);
        fuzz_translate(&job, text, text.len + 1, &whole);
        fuzz_translate(&job, text, step, &split);
        VSR_ASSERT(str_eq(buf_str(&whole), buf_str(&split)));
    }
    buf_done(&whole);
    buf_done(&split);
}

#endif
