/*
 * dsl_facts - one profile's decisions over signals that somebody says, in place of evaluating a request.
 *
 * What is not said has not matched. Scores and mappings are computed from what was said, unless outputs of projections
 * are among it: then these are all. Lives in an arena; one thread.
 */
#ifndef VSR_CLI_DSL_FACTS_H
#define VSR_CLI_DSL_FACTS_H

#include "core/err.h"
#include "core/map.h"
#include "policy/decision.h"
#include "policy/projection.h"

struct arena;
struct buf;
struct yaml_node;

struct facts {
    struct arena *arena;
    const struct config_document *doc;
    const struct config_scope *scope;
    struct map slots; /* "type:name" -> index + 1 */
    vsr_str *names;   /* by slot */
    size_t n_slots, names_cap;
    struct policy_type *types;
    struct policy *policy;
    struct projections *projections;
    struct policy_view view;
    bool says_projections;
    /* Once decided: */
    uint8_t *states; /* by leaf of the policy's rules */
    struct policy_verdict verdict;
};

/* What is said of one signal. */
struct fact {
    vsr_str type, name; /* of a classifier: `NAME:LABEL` */
    bool matched, has_confidence, has_value;
    double confidence, value;
};

/* Keeps `doc` and `scope`. */
int facts_build(struct arena *arena, const struct config_document *doc, const struct config_scope *scope,
                struct facts **ret_facts, struct vsr_err *err) VSR_MUST_CHECK;

/* Whether the profile declares this signal, or reads it. */
bool facts_know(const struct facts *facts, vsr_str type, vsr_str name);

/*
 * VSR_E_NOT_FOUND for a signal that the profile does not declare, with the nearest one; VSR_E_INVALID for a confidence
 * that signals of its type never have.
 */
int facts_say(struct facts *facts, const struct fact *fact, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Says what a mapping of types says, `{keyword: [urgent], domain: {law: 0.9, math: false}, classifier: {"tox:toxic":
 * {value: 0.8}}}`, in YAML or JSON. Errors have the place in it.
 */
int facts_say_all(struct facts *facts, const struct yaml_node *root, struct vsr_err *err) VSR_MUST_CHECK;

/* Once everything is said. The verdict is in `facts`. */
void facts_decide(struct facts *facts);

/* Decision `index` of facts->policy. */
enum rule_state facts_state(const struct facts *facts, size_t index);
/* The leaves that made the winner's condition true; lives in the arena. */
size_t facts_because(const struct facts *facts, const struct rule_leaf *const **ret_leaves);

#endif
