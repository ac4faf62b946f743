/*
 * answers - evaluations whose models are the test: who is asked what, and what the answers make of the rules.
 *
 * An answer is text: "benign=.2 jailbreak=.8" are probabilities, "PERSON:Bob=.95" a span, where "Bob" stands in the
 * text that was asked about, "(1 0)" a vector, "!timeout" a failure. A "<" in front says that the text was cut. What
 * has no answer is unavailable.
 */
#ifndef VSR_TESTS_ROUTE_ANSWERS_H
#define VSR_TESTS_ROUTE_ANSWERS_H

#include "fixture.h"

#include <stdlib.h>

#include "core/bits.h"
#include "route/state.h"
#include "signal/bank.h"

struct given {
    const char *who;    /* type of the model, or the kind of another source */
    const char *text;   /* part of what is asked about; NULL: anything */
    const char *answer; /* NULL: none */
};

enum { GIVEN_MAX = 16 };

static inline const char *answers_who(const struct signal_source *source) {
    static const char *const kinds[] = { "model",      "http-embeddings", "http-classify",
                                         "http-guard", "http-label",      "http-route",
                                         "mcp" };
    return source->kind == SOURCE_MODEL ? source->model.type : kinds[source->kind];
}

static inline const struct given *answers_find(const struct given *given, const struct signal_source *source,
                                               vsr_str text) {
    for (; given->who; given++)
        if (strcmp(given->who, answers_who(source)) == 0 &&
            (!given->text || str_find(text, str_from_c(given->text)) >= 0))
            return given;
    return NULL;
}

static inline struct evidence_answer answers_failure(const char *code) {
    static const char reason[] = "the test says so";
    for (int i = 0; i <= SIGNAL_TOO_LONG; i++)
        if (strcmp(signal_code_text((enum signal_code)i), code) == 0)
            return (struct evidence_answer){ .code = (enum signal_code)i, .reason = reason };
    fail_msg("no code \"%s\"", code);
    return (struct evidence_answer){ 0 };
}

static inline struct evidence_answer answers_vector(struct arena *arena, const char *numbers) {
    float *vector = ARENA_ARRAY(arena, float, 8);
    size_t n = 0;
    for (char *at = (char *)numbers, *end; (vector[n] = strtof(at, &end)), end != at && n < 7; at = end)
        n++;
    return (struct evidence_answer){ .numbers = vector, .n = n };
}

/* "label=p" or "label:part=p", with blanks between; a "_" in a label is one, a "~" in a part a blank. */
static inline struct evidence_answer answers_parse(struct arena *arena, const struct evidence_ask *ask,
                                                   const char *written) {
    struct evidence_answer answer = { .model = "test", .version = "1" };
    vsr_str *labels = ARENA_ARRAY(arena, vsr_str, 32);
    struct evidence_span *spans = ARENA_ARRAY(arena, struct evidence_span, 32);
    float *numbers = ARENA_ARRAY(arena, float, 32);
    vsr_str rest = arena_str(arena, str_from_c(written));
    if (written[0] == '!')
        return answers_failure(written + 1);
    if (written[0] == '(')
        return answers_vector(arena, written + 1);
    while (rest.len > 0) {
        vsr_str item = str_split(&rest, ' '), label = str_split(&item, '=');
        vsr_str part = label, type = str_split(&part, ':');
        size_t n = answer.n_labels++;
        for (size_t i = 0; i < label.len; i++)
            if (label.ptr[i] == '~')
                ((char *)label.ptr)[i] = ' ';
        labels[n] = type;
        numbers[n] = strtof(arena_c_str(arena, item), NULL);
        if (ask->kind != EVIDENCE_SPANS)
            continue;
        CHECK_MSG(str_find(ask->text, part) >= 0, "no \"%.*s\" in \"%.*s\"", VSR_FMT(part), VSR_FMT(ask->text));
        spans[n].start = (size_t)str_find(ask->text, part);
        spans[n].end = spans[n].start + part.len;
        spans[n].label = (uint32_t)n;
        spans[n].confidence = numbers[n];
    }
    answer.labels = labels;
    answer.numbers = ask->kind == EVIDENCE_CLASSES ? numbers : NULL;
    answer.n = ask->kind == EVIDENCE_CLASSES ? answer.n_labels : 0;
    answer.spans = spans;
    answer.n_spans = ask->kind == EVIDENCE_SPANS ? answer.n_labels : 0;
    return answer;
}

/* Who was asked about what, "who|text\n" one after the other. */
static struct buf answers_asked;

static inline size_t answers_n_asked(const char *who) {
    vsr_str rest = buf_str(&answers_asked);
    size_t n = 0;
    while (rest.len > 0)
        n += str_starts(str_split(&rest, '\n'), str_from_c(who));
    return n;
}

static inline void answers_give(struct fixture *f, const struct given *given) {
    size_t n_asks, n_sources;
    struct evidence_ask *const *asks = route_asks(f->state, &n_asks);
    const struct signal_source *sources = route_sources(f->route, &n_sources);
    for (size_t i = 0; i < n_asks; i++) {
        const struct signal_source *source = &sources[asks[i]->source];
        const struct given *found = answers_find(given, source, asks[i]->text);
        struct evidence_answer answer;
        buf_printf(&answers_asked, "%s|%.*s\n", answers_who(source), VSR_FMT(asks[i]->text));
        if (!found || !found->answer)
            continue;
        answer = answers_parse(f->memory, asks[i], found->answer + (found->answer[0] == '<'));
        answer.cut = found->answer[0] == '<';
        route_answer(f->state, asks[i], &answer);
    }
}

static inline void answers_route(struct fixture *f, const struct request_facts *facts, const struct given *given) {
    struct route_options options = { .full = true, .evidence = ROUTE_EVIDENCE_ANSWERS };
    if (!answers_asked.cap)
        buf_init(&answers_asked, 16 << 20);
    buf_reset(&answers_asked);
    f->state = route_begin(f->route, f->scratch, f->memory, facts, &options);
    while (route_step(f->state, NULL) == ROUTE_NEEDS_EVIDENCE)
        answers_give(f, given);
    f->outcome = route_outcome(f->state);
}

/* Fills the banks: each text has the vector of the first of `given` that is part of it. */
static inline void answers_fill_banks(struct fixture *f, const struct given *given) {
    size_t n_banks;
    struct signal_bank *const *banks = route_banks(f->route, &n_banks);
    for (size_t i = 0; i < n_banks; i++) {
        const float *vectors[GIVEN_MAX];
        size_t n, dims = 0;
        const vsr_str *texts = signal_bank_texts(banks[i], &n);
        CHECK(n <= GIVEN_MAX, "texts");
        for (size_t k = 0; k < n; k++) {
            const struct given *found = given;
            struct evidence_answer answer;
            while (found->who && str_find(texts[k], str_from_c(found->text)) < 0)
                found++;
            CHECK_MSG(found->who, "no vector for \"%.*s\"", VSR_FMT(texts[k]));
            answer = answers_vector(f->arena, found->answer + 1);
            vectors[k] = answer.numbers;
            dims = answer.n;
        }
        signal_bank_fill(banks[i], vectors, dims, NULL);
    }
}

/* "jailbreak:a=0.90 pii:b!timeout ": what matched with its confidence, and what failed. */
static inline const char *answers_results(const struct fixture *f) {
    static char text[1024];
    const struct signal_results *results = &f->state->results;
    size_t len = 0;
    text[0] = 0;
    for (uint32_t slot = 0; slot < f->state->route->slots.n; slot++) {
        vsr_str key = f->state->route->slots.items[slot].key;
        if (bits_has(results->matched, slot))
            len +=
                (size_t)snprintf(text + len, sizeof(text) - len, "%.*s=%.2f ", VSR_FMT(key), results->confidence[slot]);
        if (bits_has(results->unavailable, slot))
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s!%s ", VSR_FMT(key),
                                    signal_code_text((enum signal_code)results->codes[slot]));
    }
    return text;
}

/* `part` is in the JSON trace. */
static inline void answers_check_trace(const struct fixture *f, const char *part) {
    struct json_writer w;
    struct buf out;
    buf_init(&out, 1 << 20);
    json_write_init(&w, &out);
    route_trace_json(f->state, &w);
    CHECK_MSG(str_find(buf_str(&out), str_from_c(part)) >= 0, "no %s in %.*s", part, (int)out.len, out.ptr);
    buf_done(&out);
}

/* The value at a slot, or -1. */
static inline double answers_value(const struct fixture *f, const char *type, const char *name) {
    uint32_t slot = signal_slots_find(&f->state->route->slots, str_from_c(type), str_from_c(name));
    CHECK_MSG(slot != SIGNAL_SLOT_NONE, "no slot %s:%s", type, name);
    return bits_has(f->state->results.has_value, slot) ? f->state->results.value[slot] : -1;
}

/* Why the rule failed, or "". */
static inline const char *answers_reason(const struct fixture *f, const char *type, const char *name) {
    uint32_t slot = signal_slots_find(&f->state->route->slots, str_from_c(type), str_from_c(name));
    const char *reason = f->state->results.reasons ? f->state->results.reasons[slot] : NULL;
    return reason ? reason : "";
}

#endif
