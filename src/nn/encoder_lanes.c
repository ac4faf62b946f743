#include "nn/encoder_lanes.h"

#include <string.h>

#include "core/str.h"
#include "nn/encoder_model.h"

/* A lane before it has its place. */
struct draft {
    struct encoder_lane lane; /* origin: of drafts */
    uint64_t hash;            /* of the tokens */
    uint32_t text;            /* the first sequence with these tokens */
    uint32_t order;           /* the first draft with this adapter */
    uint32_t place;           /* among the lanes */
};

struct plan {
    const struct encoder_batch *batch;
    size_t layers;
    struct draft *drafts; /* [n sequences] */
    uint32_t *sorted;     /* [n sequences]: drafts in the order of the lanes */
    uint32_t *of;         /* [n sequences]: the draft, then the lane of each */
    size_t n;
};

void encoder_lanes_done(struct encoder_lanes *lanes) {
    pages_free(&lanes->lanes);
    pages_free(&lanes->starts);
    pages_free(&lanes->of);
    pages_free(&lanes->ids);
    pages_free(&lanes->types);
    pages_free(&lanes->scratch);
}

/* ---- texts */

static size_t length_of(const struct encoder_batch *batch, size_t s) {
    return batch->starts[s + 1] - batch->starts[s];
}

static uint64_t hash_of(const struct encoder_batch *batch, size_t s) {
    return str_hash(str_make((const char *)(batch->ids + batch->starts[s]), length_of(batch, s) * sizeof(uint32_t)), 0);
}

static bool same_tokens(const struct encoder_batch *batch, size_t a, size_t b) {
    size_t n = length_of(batch, a), i = batch->starts[a], j = batch->starts[b];
    return n == length_of(batch, b) && memcmp(batch->ids + i, batch->ids + j, n * sizeof(*batch->ids)) == 0 &&
           (!batch->types || memcmp(batch->types + i, batch->types + j, n) == 0);
}

/* ---- drafts */

/* The adapter of a sequence, as far as the pass goes. */
static const struct encoder_adapter *adapter_of(const struct plan *p, size_t s) {
    const struct encoder_adapter *adapter = p->batch->adapters[s];
    return adapter && adapter->stage <= p->layers ? adapter : NULL;
}

static void draft_sequence(struct plan *p, size_t s) {
    const struct encoder_adapter *adapter = adapter_of(p, s);
    struct draft draft = {
        .lane = { .adapter = adapter, .stage = adapter ? adapter->stage : STAGE_NEVER, .sequence = (uint32_t)s },
        .hash = hash_of(p->batch, s),
        .text = (uint32_t)s,
        .order = (uint32_t)p->n
    };
    for (size_t i = p->n; i-- > 0;) {
        const struct draft *other = &p->drafts[i];
        bool same = other->hash == draft.hash && same_tokens(p->batch, other->lane.sequence, s);
        if (same && other->lane.adapter == adapter) {
            p->of[s] = (uint32_t)i;
            return;
        }
        if (same)
            draft.text = other->text;
        if (other->lane.adapter == adapter)
            draft.order = other->order;
    }
    p->of[s] = (uint32_t)p->n;
    p->drafts[p->n++] = draft;
}

/* Of each text the lane that stays the base's longest is where the others come from. `sorted` is free until later. */
static void find_origins(struct plan *p) {
    uint32_t *first = p->sorted; /* of a text: its draft that differs last */
    for (size_t i = 0; i < p->n; i++)
        first[p->drafts[i].text] = UINT32_MAX;
    for (size_t i = 0; i < p->n; i++) {
        uint32_t *best = &first[p->drafts[i].text];
        if (*best == UINT32_MAX || p->drafts[i].lane.stage > p->drafts[*best].lane.stage)
            *best = (uint32_t)i;
    }
    for (size_t i = 0; i < p->n; i++) {
        struct draft *draft = &p->drafts[i];
        draft->lane.origin = first[draft->text];
        draft->lane.birth = draft->lane.origin == i ? 0 : draft->lane.stage;
    }
}

static bool stands_before(const struct draft *a, const struct draft *b) {
    if (a->lane.birth != b->lane.birth)
        return a->lane.birth < b->lane.birth;
    return a->order < b->order; /* else as they are */
}

/* By insertion: a batch is short, and mostly in order. */
static void sort(struct plan *p) {
    for (size_t i = 0; i < p->n; i++) {
        size_t at = i;
        while (at > 0 && stands_before(&p->drafts[i], &p->drafts[p->sorted[at - 1]])) {
            p->sorted[at] = p->sorted[at - 1];
            at--;
        }
        p->sorted[at] = (uint32_t)i;
    }
    for (size_t i = 0; i < p->n; i++)
        p->drafts[p->sorted[i]].place = (uint32_t)i;
}

/* ---- lanes */

static void settle(struct encoder_lanes *lanes, const struct plan *p) {
    struct encoder_lane *to = lanes->lanes.data;
    uint32_t *starts = lanes->starts.data;
    lanes->n = p->n;
    starts[0] = 0;
    for (size_t i = 0; i < p->n; i++) {
        to[i] = p->drafts[p->sorted[i]].lane;
        to[i].origin = p->drafts[to[i].origin].place;
        starts[i + 1] = starts[i] + (uint32_t)length_of(p->batch, to[i].sequence);
    }
    lanes->in_order = p->n == p->batch->n;
    for (size_t s = 0; s < p->batch->n; s++) {
        p->of[s] = p->drafts[p->of[s]].place;
        lanes->in_order = lanes->in_order && p->of[s] == s;
    }
}

/* Of the lanes that are no copies. */
static void copy_tokens(struct encoder_lanes *lanes, const struct encoder_batch *batch) {
    const uint32_t *starts = lanes->starts.data;
    for (size_t i = 0; i < encoder_lanes_alive(lanes, 0); i++) {
        size_t from = batch->starts[encoder_lane(lanes, i)->sequence], n = starts[i + 1] - starts[i];
        memcpy((uint32_t *)lanes->ids.data + starts[i], batch->ids + from, n * sizeof(*batch->ids));
        if (batch->types)
            memcpy((uint8_t *)lanes->types.data + starts[i], batch->types + from, n);
    }
}

static int make_room(struct encoder_lanes *lanes, const struct encoder_batch *batch, struct vsr_err *err) {
    size_t tokens = batch->starts[batch->n];
    int rc = pages_grow(&lanes->lanes, batch->n * sizeof(struct encoder_lane), err);
    if (rc == 0)
        rc = pages_grow(&lanes->starts, (batch->n + 1) * sizeof(uint32_t), err);
    if (rc == 0)
        rc = pages_grow(&lanes->of, batch->n * sizeof(uint32_t), err);
    if (rc == 0)
        rc = pages_grow(&lanes->ids, tokens * sizeof(uint32_t), err);
    if (rc == 0)
        rc = pages_grow(&lanes->types, tokens, err);
    if (rc == 0)
        rc = pages_grow(&lanes->scratch, batch->n * (sizeof(struct draft) + sizeof(uint32_t)), err);
    return rc;
}

int encoder_lanes_plan(struct encoder_lanes *lanes, const struct encoder_batch *batch, size_t layers,
                       struct vsr_err *err) {
    struct plan p = { .batch = batch, .layers = layers };
    int rc = make_room(lanes, batch, err);
    if (rc < 0)
        return rc;
    p.drafts = lanes->scratch.data;
    p.sorted = (uint32_t *)(p.drafts + batch->n);
    p.of = lanes->of.data;
    for (size_t s = 0; s < batch->n; s++)
        draft_sequence(&p, s);
    find_origins(&p);
    sort(&p);
    settle(lanes, &p);
    lanes->has_types = batch->types != NULL;
    copy_tokens(lanes, batch);
    return 0;
}

size_t encoder_lanes_alive(const struct encoder_lanes *lanes, size_t stage) {
    size_t n = 0;
    while (n < lanes->n && encoder_lane(lanes, n)->birth <= stage)
        n++;
    return n;
}

struct encoder_batch encoder_lanes_batch(const struct encoder_lanes *lanes, size_t n) {
    return (struct encoder_batch){ .ids = lanes->ids.data,
                                   .types = lanes->has_types ? lanes->types.data : NULL,
                                   .starts = lanes->starts.data,
                                   .n = n };
}
