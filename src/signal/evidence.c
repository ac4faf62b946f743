#include "signal/evidence.h"

#include <math.h>

#include "config/global_catalog.h"
#include "core/arena.h"
#include "core/assert.h"
#include "signal/family.h"
#include "signal/risk.h"

/* ---- sources */

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_labels(const struct signal_source *a, const struct signal_source *b) {
    if (a->n_labels != b->n_labels)
        return false;
    for (size_t i = 0; i < a->n_labels; i++)
        if (!str_eq(a->labels[i].name, b->labels[i].name) ||
            !str_eq(a->labels[i].description, b->labels[i].description))
            return false;
    return true;
}

static bool same_source(const struct signal_source *a, const struct signal_source *b) {
    return a->kind == b->kind && str_eq(a->model.path, b->model.path) && same_text(a->model.type, b->model.type) &&
           str_eq(a->model.label_file, b->model.label_file) && a->images == b->images && a->layers == b->layers &&
           signal_risk_same(a->risk, b->risk) && a->config == b->config && str_eq(a->instructions, b->instructions) &&
           a->timeout_ms == b->timeout_ms && same_labels(a, b);
}

static uint32_t intern(struct signal_builder *builder, const struct signal_source *source) {
    struct signal_sources *sources = builder->sources;
    for (size_t i = 0; i < sources->n; i++)
        if (same_source(&sources->items[i], source))
            return (uint32_t)i;
    VSR_ASSERT(sources->n < UINT32_MAX);
    sources->items = arena_grow(builder->arena, sources->items, sizeof(*sources->items), sources->n, &sources->cap);
    sources->items[sources->n] = *source;
    return (uint32_t)sources->n++;
}

uint32_t signal_source_add(struct signal_builder *builder, const struct signal_source *source) {
    uint32_t index = intern(builder, source);
    for (size_t i = 0; i < builder->n_asked; i++)
        if (builder->asked[i] == index)
            return index;
    builder->asked =
        arena_grow(builder->arena, builder->asked, sizeof(*builder->asked), builder->n_asked, &builder->asked_cap);
    builder->asked[builder->n_asked++] = index;
    return index;
}

static vsr_str tool_name(const struct config_tool_server *server) {
    vsr_str name = str_trim(server->tool_name);
    return name.len ? name : VSR_STR("a tool");
}

vsr_str signal_source_name(const struct signal_source *source) {
    switch (source->kind) {
    case SOURCE_MODEL:
        return source->model.path;
    case SOURCE_HTTP_EMBEDDINGS:
        return ((const struct config_semantic *)source->config)->endpoint.model;
    case SOURCE_HTTP_CLASSIFY:
    case SOURCE_HTTP_GUARD:
    case SOURCE_HTTP_LABEL:
    case SOURCE_HTTP_ROUTE:
        return ((const struct config_external_model *)source->config)->llm_model_name;
    case SOURCE_MCP_CLASSIFY:
        return tool_name(&((const struct config_mcp_classifier *)source->config)->server);
    case SOURCE_MCP_EMBEDDINGS:
        return tool_name(&((const struct config_semantic *)source->config)->mcp.server);
    }
    return VSR_STR("");
}

struct signal_label *signal_labels_from(struct signal_builder *builder, const struct config_strings *names) {
    struct signal_label *labels = ARENA_ARRAY(builder->arena, struct signal_label, names->n);
    for (size_t i = 0; i < names->n; i++)
        labels[i].name = names->items[i];
    return labels;
}

/* ---- asks */

enum { SLOTS_MIN = 64 };

void evidence_asks_init(struct evidence_asks *asks, struct arena *arena) {
    *asks = (struct evidence_asks){ .arena = arena };
}

/*
 * Texts are a client's, and the loop serves others too: where the arena lies nobody outside knows, so nobody can choose
 * texts of one hash.
 */
static uint64_t hash_of(const struct evidence_asks *asks, enum evidence_kind kind, uint32_t source, vsr_str text) {
    uint64_t seed = (uint64_t)(uintptr_t)asks->arena * UINT64_C(0x9e3779b97f4a7c15);
    return str_hash(text, seed ^ ((uint64_t)kind << 32 | source));
}

static bool is_same(const struct evidence_ask *ask, enum evidence_kind kind, uint32_t source, vsr_str text) {
    return ask->kind == kind && ask->source == source &&
           (ask->text.ptr == text.ptr ? ask->text.len == text.len : str_eq(ask->text, text));
}

/* The slot of the ask, or the free one where it belongs. The table is never full. */
static uint32_t *find_slot(const struct evidence_asks *asks, enum evidence_kind kind, uint32_t source, vsr_str text) {
    size_t mask = asks->n_slots - 1;
    for (size_t i = hash_of(asks, kind, source, text) & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &asks->slots[i];
        if (*slot == 0 || is_same(asks->items[*slot - 1], kind, source, text))
            return slot;
    }
}

static bool rehash(struct evidence_asks *asks) {
    size_t n_slots = asks->n_slots ? asks->n_slots * 2 : SLOTS_MIN;
    uint32_t *slots = arena_try_alloc(asks->arena, n_slots * sizeof(*slots));
    if (!slots)
        return false;
    asks->slots = slots;
    asks->n_slots = n_slots;
    for (size_t i = 0; i < asks->n; i++)
        *find_slot(asks, asks->items[i]->kind, asks->items[i]->source, asks->items[i]->text) = (uint32_t)i + 1;
    return true;
}

static bool grow(struct evidence_asks *asks) {
    size_t cap = asks->cap ? asks->cap * 2 : SLOTS_MIN / 2;
    struct evidence_ask **items = arena_try_alloc(asks->arena, cap * sizeof(struct evidence_ask *));
    if (!items)
        return false;
    if (asks->n > 0)
        memcpy(items, asks->items, asks->n * sizeof(struct evidence_ask *));
    asks->items = items;
    asks->cap = cap;
    return true;
}

static bool has_room(struct evidence_asks *asks) {
    if ((asks->n + 1) * 2 > asks->n_slots && !rehash(asks))
        return false;
    return asks->n < asks->cap || grow(asks);
}

static const struct evidence_ask nobody_asked = {
    .answered = true,
    .answer = { .code = SIGNAL_UNAVAILABLE, .reason = "nobody was asked" },
};
static const struct evidence_ask no_memory = {
    .answered = true,
    .answer = { .code = SIGNAL_FAILED, .reason = "no memory to ask a model" },
};
static const struct evidence_ask too_many = {
    .answered = true,
    .answer = { .code = SIGNAL_TOO_LONG, .reason = "the request has more pieces of text than models are asked about" },
};

const struct evidence_ask *evidence_ask(struct evidence_asks *asks, enum evidence_kind kind, uint32_t source,
                                        vsr_str text) {
    struct evidence_ask *ask;
    uint32_t *slot = asks->n_slots ? find_slot(asks, kind, source, text) : NULL;
    if (slot && *slot) {
        ask = asks->items[*slot - 1];
        ask->askers |= UINT32_C(1) << asks->asker;
        return ask;
    }
    if (asks->closed)
        return &nobody_asked;
    if (asks->n == EVIDENCE_ASKS_MAX)
        return &too_many;
    ask = has_room(asks) ? arena_try_alloc(asks->arena, sizeof(*ask)) : NULL;
    if (!ask)
        return &no_memory;
    *ask = (struct evidence_ask){ .kind = kind, .source = source, .text = text };
    ask->askers = UINT32_C(1) << asks->asker;
    *find_slot(asks, kind, source, text) = (uint32_t)asks->n + 1;
    asks->items[asks->n++] = ask;
    return ask;
}

/* ---- answers */

/* How far sums of floats may be off. */
#define TOLERANCE 1e-3

static void refuse(struct evidence_ask *ask, const char *reason) {
    ask->answer = (struct evidence_answer){ .code = SIGNAL_FAILED,
                                            .reason = reason,
                                            .model = ask->answer.model,
                                            .version = ask->answer.version,
                                            .cut = ask->answer.cut };
}

static void take_vector(struct evidence_asks *asks, struct evidence_ask *ask) {
    const float *numbers = ask->answer.numbers;
    double square = 0;
    float *unit;
    for (size_t i = 0; i < ask->answer.n; i++)
        square += (double)numbers[i] * numbers[i];
    if (!isfinite(square)) {
        refuse(ask, "the model gave no finite number");
        return;
    }
    if (square <= 0) {
        refuse(ask, "the model gave a vector without direction");
        return;
    }
    if (fabs(square - 1) <= TOLERANCE)
        return;
    unit = arena_alloc(asks->arena, ask->answer.n * sizeof(*unit));
    for (size_t i = 0; i < ask->answer.n; i++)
        unit[i] = (float)(numbers[i] / sqrt(square));
    ask->answer.numbers = unit;
}

/* What rounding carried past 1 is 1: whoever adds, or writes a confidence, relies on it. */
static void clamp(struct evidence_asks *asks, struct evidence_ask *ask) {
    float *numbers = arena_alloc(asks->arena, ask->answer.n * sizeof(*numbers));
    for (size_t i = 0; i < ask->answer.n; i++)
        numbers[i] = fminf(1, ask->answer.numbers[i]);
    ask->answer.numbers = numbers;
}

static void take_classes(struct evidence_asks *asks, struct evidence_ask *ask) {
    bool is_past_one = false;
    if (ask->answer.n == 0 || ask->answer.n != ask->answer.n_labels) { /* that they exclude each other is not said */
        refuse(ask, "the model gave another number of probabilities than it has labels");
        return;
    }
    for (size_t i = 0; i < ask->answer.n; i++) {
        double p = ask->answer.numbers[i];
        if (!isfinite(p)) {
            refuse(ask, "the model gave no finite number");
            return;
        }
        if (p < 0 || p > 1 + TOLERANCE) {
            refuse(ask, "the model gave a number that is no probability");
            return;
        }
        is_past_one |= p > 1;
    }
    if (is_past_one)
        clamp(asks, ask);
}

static void take_spans(struct evidence_ask *ask) {
    for (size_t i = 0; i < ask->answer.n_spans; i++) {
        const struct evidence_span *span = &ask->answer.spans[i];
        if (span->start >= span->end || span->end > ask->text.len || span->label >= ask->answer.n_labels) {
            refuse(ask, "the model found something outside the text");
            return;
        }
        if (!isfinite(span->confidence)) {
            refuse(ask, "the model gave no finite number");
            return;
        }
    }
}

void evidence_take(struct evidence_asks *asks, struct evidence_ask *ask, const struct evidence_answer *answer) {
    VSR_ASSERT(!ask->answered);
    ask->answered = true;
    ask->answer = *answer;
    if (answer->code != SIGNAL_OK)
        return;
    switch (ask->kind) {
    case EVIDENCE_VECTOR:
        take_vector(asks, ask);
        break;
    case EVIDENCE_CLASSES:
        take_classes(asks, ask);
        break;
    case EVIDENCE_SPANS:
        take_spans(ask);
        break;
    }
}
