/*
 * answered - evaluates a family whose asks are answered by a test: vectors whose products are known.
 *
 * A text that begins with a number, `0.82 a`, has this cosine to every text that does not begin with one, and to
 * `1 a`; what is left of its length goes into the direction of the letter behind it, so texts of other letters are
 * orthogonal but for that.
 */
#ifndef VSR_TESTS_SIGNAL_ANSWERED_H
#define VSR_TESTS_SIGNAL_ANSWERED_H

#include "fixture.h"

#include <math.h>
#include <stdlib.h>

#include "config/global_catalog.h"

enum { ANSWERED_DIMS = 64 };

static inline void answered_vector(vsr_str text, float vector[ANSWERED_DIMS]) {
    char number[16] = { 0 }, *end;
    double cosine;
    size_t axis;
    memcpy(number, text.ptr, text.len < sizeof(number) - 1 ? text.len : sizeof(number) - 1);
    cosine = strtod(number, &end);
    memset(vector, 0, ANSWERED_DIMS * sizeof(*vector));
    if (end == number)
        cosine = 1;
    axis = (size_t)(end == number || end[0] == '\0' || end[1] == '\0' ? 1 : 1 + (end[1] - 'a') % 26);
    vector[0] = (float)cosine;
    vector[axis] += (float)sqrt(1 - cosine * cosine);
}

struct answered_options {
    bool leave_banks, leave_asks;      /* not filled, not answered */
    vsr_str fails;                     /* asks with this text fail */
    size_t dims;                       /* of answers; 0: those of banks */
    const struct evidence_answer *all; /* for every ask; NULL: vectors as above */
};

/* The settings that a document has by default. */
static inline void answered_defaults(struct config_document *doc) {
    static const struct config_prototype_scoring scoring = {
        .enabled = true, .cluster_similarity_threshold = 0.9, .best_weight = 0.75, .max_prototypes = 8, .top_m = 2
    };
    struct config_model_catalog *catalog = &doc->global.model_catalog;
    struct config_embedding_config *embedding = &catalog->embeddings.semantic.embedding_config;
    embedding->enable_soft_matching = true;
    embedding->min_score_threshold = 0.5;
    embedding->prototype_scoring = catalog->modules.complexity.prototype_scoring =
        catalog->modules.classifier.preference.prototype_scoring = scoring;
}

/* Decodes; then the caller may change settings that no check looks at, and builds. */
static inline void answered_decode_in(struct fixture *f, const struct signal_family *family, const char *yaml,
                                      void (*settle)(struct config_document *doc)) {
    if (fixture_decode_in(f, family, str_from_c(yaml), settle))
        return;
    fixture_problems(f);
    fail_msg("the rules are refused: %s", yaml);
}

static inline void answered_decode(struct fixture *f, const struct signal_family *family, const char *yaml) {
    answered_decode_in(f, family, yaml, answered_defaults);
}

static inline void answered_build(struct fixture *f) {
    if (!fixture_build(f))
        fail_msg("the rules cannot be compiled");
}

static inline void answered_fill(struct fixture *f) {
    for (size_t i = 0; i < f->banks.n; i++) {
        size_t n;
        const vsr_str *texts = signal_bank_texts(f->banks.items[i], &n);
        const float **rows = ARENA_ARRAY(f->arena, const float *, n);
        for (size_t k = 0; k < n; k++) {
            float *vector = ARENA_ARRAY(f->arena, float, ANSWERED_DIMS);
            answered_vector(texts[k], vector);
            rows[k] = vector;
        }
        signal_bank_fill(f->banks.items[i], rows, ANSWERED_DIMS, NULL);
    }
}

static inline void answered_ask(struct fixture *f, struct evidence_ask *ask, const struct answered_options *options) {
    float *vector = ARENA_ARRAY(f->arena, float, ANSWERED_DIMS);
    struct evidence_answer answer = { .numbers = vector, .n = options->dims ? options->dims : ANSWERED_DIMS };
    answered_vector(ask->text, vector);
    if (options->fails.len && str_eq(options->fails, ask->text))
        answer = (struct evidence_answer){ .code = SIGNAL_FAILED, .reason = "the test says so" };
    evidence_take(&f->asks, ask, options->all ? options->all : &answer);
}

/* Asks, answers, evaluates: every rule that applies. */
static inline void answered_eval(struct fixture *f, const struct request_facts *facts,
                                 const struct answered_options *options) {
    static const struct evidence_answer nothing = { .code = SIGNAL_UNAVAILABLE };
    static const struct answered_options none;
    uint64_t *wanted = ARENA_ARRAY(f->arena, uint64_t, BITS_WORDS(f->slots.n));
    if (!options)
        options = &none;
    for (uint32_t i = 0; i < f->builder_slots; i++)
        if (!f->family->applies ||
            f->family->applies(f->state, facts, f->family->rule_of ? f->family->rule_of(f->state, i) : i))
            bits_add(wanted, i);
    fixture_begin(f, facts, wanted);
    if (!options->leave_banks)
        answered_fill(f);
    f->family->ask(f->state, &f->request);
    for (size_t i = 0; i < f->asks.n; i++)
        if (options->leave_asks)
            evidence_take(&f->asks, f->asks.items[i], &nothing);
        else
            answered_ask(f, f->asks.items[i], options);
    f->asks.closed = true;
    f->rc = f->family->eval(f->state, &f->request, &f->results, NULL);
}

static inline struct request_facts *answered_text(struct fixture *f, const char *text) {
    struct request_facts *facts = ARENA_NEW(f->arena, struct request_facts);
    facts->eval_text = facts->current_user = str_from_c(text);
    return facts;
}

static inline uint32_t answered_slot(struct fixture *f, const char *name) {
    uint32_t slot = signal_slots_find(&f->slots, str_from_c(f->family->config.type), str_from_c(name));
    CHECK_MSG(slot != SIGNAL_SLOT_NONE, "no slot %s", name);
    return slot;
}

/* The matches, "name confidence " one after the other, and failures, "name code ". */
static inline vsr_str answered_matches(struct fixture *f) {
    vsr_str all = VSR_STR("");
    for (uint32_t i = 0; i < f->builder_slots; i++) {
        vsr_str name = f->slots.items[i].name;
        if (bits_has(f->results.unavailable, i))
            all = arena_printf(f->arena, "%.*s%.*s %s ", VSR_FMT(all), VSR_FMT(name),
                               signal_code_text((enum signal_code)f->results.codes[i]));
        else if (bits_has(f->results.matched, i))
            all = arena_printf(f->arena, "%.*s%.*s %.4g ", VSR_FMT(all), VSR_FMT(name), f->results.confidence[i]);
    }
    return all;
}

#define CHECK_CLOSE(got, want, what) \
    CHECK_MSG(fabs((got) - (want)) < 1e-6, "%s: got %.9g, want %.9g", (what), (double)(got), (double)(want))

#endif
