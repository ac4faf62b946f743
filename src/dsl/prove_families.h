/*
 * prove_families - the rules of one family in a scope, about which something is said. Internal to dsl/.
 */
#ifndef VSR_DSL_PROVE_FAMILIES_H
#define VSR_DSL_PROVE_FAMILIES_H

#include "dsl/prove_theory.h"

struct prove_family {
    struct theory_scope *scope;
    struct theory *theory;
    struct solver *solver;
    const struct config_family *config;
    const struct config_list *rules;
    struct theory_slot **slots; /* per rule, when the family has a slot for each */
    int index;
};

/* Rule `i` as its schema has it, its name, and what it says in a field; 0 when it says nothing. */
const void *prove_rule(const struct prove_family *family, size_t i);
vsr_str prove_rule_name(const struct prove_family *family, size_t i);
int64_t prove_rule_int(const struct prove_family *family, size_t i, const char *name, enum field_kind kind);
/* The slot of rule `i`. */
struct theory_slot *prove_slot(const struct prove_family *family, size_t i);

/* ---- what is measured (prove_measures.c) */

void prove_say_context(const struct prove_family *family);
/* Structure and conversation. */
void prove_say_features(const struct prove_family *family);
void prove_say_metadata(const struct prove_family *family);
void prove_say_classifier(const struct prove_family *family);

#endif
