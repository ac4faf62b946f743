/* Members of a softmax that are hardly different: whichever wins says little (signals.md §7.1). */
#include "route/plan.h"
#include "route/route.h"
#include "signal/bank.h"

/*
 * From which similarity on two members are alike. The specification's, for bare cosines; where a model's scale brings
 * them to what thresholds know (nn/similarity.h), requests of one kind have about 0.75, and those of two rules that can
 * be told apart up to 0.8.
 */
#define ALIKE_COSINE 0.7
#define ALIKE_SIMILARITY 0.85

static const struct signal_bank *bank_at(const struct route *route, uint32_t slot) {
    const struct route_family *family = plan_family_at(route, slot);
    if (!family || !family->family->bank)
        return NULL;
    return family->family->bank(family->state, plan_rule_of(family, slot - family->first_slot));
}

struct visitor {
    const struct route *route;
    void (*fn)(void *data, const struct route_alike *alike);
    void *data;
};

static void compare(const struct visitor *visitor, const struct compete_partition *partition, uint32_t a, uint32_t b) {
    const struct signal_slot *slots = visitor->route->slots.items;
    const struct signal_bank *left = bank_at(visitor->route, a), *right = bank_at(visitor->route, b);
    struct route_alike alike = { .partition = partition->config->name, .a = slots[a].name, .b = slots[b].name };
    bool scaled;
    if (left && right && signal_bank_likeness(left, right, &alike.similarity, &scaled) &&
        alike.similarity >= (scaled ? ALIKE_SIMILARITY : ALIKE_COSINE))
        visitor->fn(visitor->data, &alike);
}

void route_alike(const struct route *route, void (*fn)(void *data, const struct route_alike *alike), void *data) {
    const struct visitor visitor = { route, fn, data };
    for (size_t i = 0; i < route->compete->n_partitions; i++) {
        const struct compete_partition *partition = &route->compete->partitions[i];
        const struct partition *p = &partition->partition;
        for (size_t k = 1; k < p->n_members && p->softmax; k++)
            for (size_t m = 0; m < k; m++)
                compare(&visitor, partition, p->members[m], p->members[k]);
    }
}

bool route_examples_meet(const struct route *route, vsr_str type, vsr_str a, double least_a, vsr_str b, double least_b,
                         bool *ret_meet, double *ret_similarity) {
    uint32_t left = signal_slots_find(&route->slots, type, a), right = signal_slots_find(&route->slots, type, b);
    const struct signal_bank *banks[2];
    if (left == SIGNAL_SLOT_NONE || right == SIGNAL_SLOT_NONE)
        return false;
    banks[0] = bank_at(route, left);
    banks[1] = bank_at(route, right);
    return banks[0] && banks[1] && signal_bank_meet(banks[0], least_a, banks[1], least_b, ret_meet, ret_similarity);
}
