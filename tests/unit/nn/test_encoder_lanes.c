#include "nn/encoder_lanes.h"

#include <string.h>

#include "nn/encoder_model.h"
#include "test.h"

/* Adapters by the layer that they first change; 'n': none of the trunk's, 'e': already the embedding, 'p' to 'r': 1. */
enum { LAYERS = 4, SEQUENCES_N = 8, TOKENS_EACH = 3 };

static struct encoder_adapter adapters[128];

static const struct encoder_adapter *adapter(char name) {
    struct encoder_adapter *a = &adapters[(size_t)name];
    a->stage = name == 'n' ? STAGE_NEVER : name == 'e' ? 0 : name >= 'p' ? 2 : (size_t)(name - '0') + 1;
    return name == '-' ? NULL : a;
}

struct asked {
    struct encoder_batch batch;
    uint32_t ids[SEQUENCES_N * TOKENS_EACH], starts[SEQUENCES_N + 1];
    uint8_t types[SEQUENCES_N * TOKENS_EACH];
    const struct encoder_adapter *adapters[SEQUENCES_N];
};

/* "a-b0" is text a of the base, text b of the adapter that begins at layer 0. An upper case text has other types. */
static void ask(struct asked *asked, const char *what) {
    *asked = (struct asked){ 0 };
    for (size_t s = 0; what[2 * s]; s++) {
        for (size_t i = 0; i < TOKENS_EACH; i++) {
            asked->ids[s * TOKENS_EACH + i] = (uint32_t)(what[2 * s] | 0x20) * 10 + (uint32_t)i;
            asked->types[s * TOKENS_EACH + i] = what[2 * s] < 'a';
        }
        asked->adapters[s] = adapter(what[2 * s + 1]);
        asked->starts[s + 1] = (uint32_t)((s + 1) * TOKENS_EACH);
        asked->batch.n = s + 1;
    }
    asked->batch.ids = asked->ids;
    asked->batch.types = asked->types;
    asked->batch.starts = asked->starts;
    asked->batch.adapters = asked->adapters;
}

static const struct {
    const char *name, *asked;
    size_t layers;
    size_t alive[LAYERS + 1]; /* lanes at each stage */
    bool in_order;
} cases[] = {
    { "the base alone", "a-", LAYERS, { 1, 1, 1, 1, 1 }, true },
    { "two texts", "a-b-", LAYERS, { 2, 2, 2, 2, 2 }, true },
    { "the same text twice", "a-b-a-", LAYERS, { 2, 2, 2, 2, 2 }, false },
    { "the same tokens, other types", "a-A-", LAYERS, { 2, 2, 2, 2, 2 }, true },
    { "an adapter alone begins as the base", "a2", LAYERS, { 1, 1, 1, 1, 1 }, true },
    { "base and an adapter of all layers", "a-a0", LAYERS, { 1, 2, 2, 2, 2 }, true },
    { "base and a late adapter", "a-a2", LAYERS, { 1, 1, 1, 2, 2 }, true },
    { "the adapter first", "a2a-", LAYERS, { 1, 1, 1, 2, 2 }, false },
    { "a late and an early one: the early one leaves first", "a2a0", LAYERS, { 1, 2, 2, 2, 2 }, true },
    { "three of one layer: one stays where the text is", "apaqar", LAYERS, { 1, 1, 3, 3, 3 }, true },
    { "of different texts nothing is shared", "a0b2", LAYERS, { 2, 2, 2, 2, 2 }, true },
    { "an adapter of heads is the base", "a-an", LAYERS, { 1, 1, 1, 1, 1 }, false },
    { "an adapter of the embedding is alone from the start", "a-ae", LAYERS, { 2, 2, 2, 2, 2 }, true },
    { "a pass that ends before the adapter begins", "a-a2", 2, { 1, 1, 1, 1, 1 }, false },
    { "a pass that ends behind the adapter's first layer", "a-a1", 2, { 1, 1, 2, 2, 2 }, true },
    { "all at once", "a-b-a0b0a3b3ae", LAYERS, { 3, 5, 5, 5, 7 }, false },
};

static void check_lane(const struct encoder_lanes *lanes, const struct asked *asked, size_t s, const char *name) {
    size_t i = ((const uint32_t *)lanes->of.data)[s], layers = LAYERS;
    const struct encoder_lane *lane = encoder_lane(lanes, i), *origin = encoder_lane(lanes, lane->origin);
    const uint32_t *starts = lanes->starts.data;
    const struct encoder_adapter *own = asked->adapters[s];
    size_t to = lane->sequence * (size_t)TOKENS_EACH, from = s * (size_t)TOKENS_EACH;
    CHECK(lane->adapter == own || (!lane->adapter && own->stage > layers) || !lane->adapter, name);
    CHECK(memcmp(asked->ids + to, asked->ids + from, TOKENS_EACH * sizeof(uint32_t)) == 0, name);
    CHECK(memcmp(asked->types + to, asked->types + from, TOKENS_EACH) == 0, name);
    CHECK_INT(starts[i + 1] - starts[i], TOKENS_EACH, name);
    if (lane->birth == 0) {
        CHECK(memcmp((uint32_t *)lanes->ids.data + starts[i], asked->ids + from, TOKENS_EACH * sizeof(uint32_t)) == 0,
              name);
        return;
    }
    CHECK(origin->birth == 0 && lane->origin < i, name);
    CHECK(origin->stage >= lane->birth && lane->birth == lane->stage, "the lane that is copied is still the base's");
    CHECK(memcmp(asked->ids + origin->sequence * (size_t)TOKENS_EACH, asked->ids + from,
                 TOKENS_EACH * sizeof(uint32_t)) == 0,
          name);
}

TEST(lanes) {
    struct encoder_lanes lanes = { .n = 0 };
    struct vsr_err err = VSR_ERR_NONE;
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct asked asked;
        ask(&asked, cases[i].asked);
        CHECK_MSG(encoder_lanes_plan(&lanes, &asked.batch, cases[i].layers, &err) == 0, "%s", err.text);
        for (size_t stage = 0; stage <= LAYERS; stage++)
            CHECK_MSG(encoder_lanes_alive(&lanes, stage) == cases[i].alive[stage], "%s: %zu lanes at stage %zu",
                      cases[i].name, encoder_lanes_alive(&lanes, stage), stage);
        CHECK_INT(lanes.in_order, cases[i].in_order, cases[i].name);
        for (size_t s = 0; s < asked.batch.n; s++)
            check_lane(&lanes, &asked, s, cases[i].name);
    }
    encoder_lanes_done(&lanes);
}

/* Rows of one adapter stand side by side, whatever the order they were asked in. */
TEST(side_by_side) {
    struct encoder_lanes lanes = { .n = 0 };
    struct vsr_err err = VSR_ERR_NONE;
    struct asked asked;
    size_t changes = 0;
    ask(&asked, "a0b1c0d1e0f1g0");
    CHECK_MSG(encoder_lanes_plan(&lanes, &asked.batch, LAYERS, &err) == 0, "%s", err.text);
    for (size_t i = 1; i < lanes.n; i++)
        changes += encoder_lane(&lanes, i)->adapter != encoder_lane(&lanes, i - 1)->adapter;
    CHECK_INT(changes, 1, "changes from one adapter to the next");
    encoder_lanes_done(&lanes);
}

RUN_TESTS(T(lanes), T(side_by_side))
