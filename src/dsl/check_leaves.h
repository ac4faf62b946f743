/*
 * check_leaves - the signals of conditions, by number, and which of them can never match together. Internal to dsl/.
 */
#ifndef VSR_DSL_CHECK_LEAVES_H
#define VSR_DSL_CHECK_LEAVES_H

#include "dsl/check_parts.h"

/* Leaves of one group can never match together. */
struct check_membership {
    uint32_t group;
    const struct dsl_decl *partition; /* NULL: of another kind */
    const struct check_membership *next;
};

struct check_leaf {
    uint32_t id;
    vsr_str type, name;
    const struct check_membership *groups;
    int64_t low, high; /* of context */
    bool is_context;
    bool shared; /* counts as shared: projections and contexts are meant to be */
};

struct check_conflicts {
    struct check_scope *scope;
    struct check *c;
    struct map ids;             /* key of a leaf -> struct check_leaf */
    struct map groups;          /* key of a group -> struct check_membership: its number */
    struct map partitions;      /* "domain\0math" -> struct check_membership: those that it is a member of */
    struct check_leaf **leaves; /* by id */
    size_t n_leaves, cap;
    size_t budget;
};

/* Takes the cost from the budget; false: there is not so much left. */
bool dsl_check_spend(struct check_conflicts *k, size_t cost);

/* The members of partitions; to be noted before leaves are asked for. */
void dsl_check_note_partitions(struct check_conflicts *k);

struct check_leaf *dsl_check_leaf(struct check_conflicts *k, const struct dsl_expr *expr);
/* The group that both are in, or the partition; NULL: none. */
const struct check_membership *dsl_check_common_group(const struct check_leaf *a, const struct check_leaf *b,
                                                      bool partition);
/* Whether leaves of these numbers can never match together. `data`: the conflicts. */
bool dsl_check_exclude(void *data, uint32_t one, uint32_t other);

void dsl_check_conjunctions(struct check_conflicts *k); /* check_conjunctions.c */
void dsl_check_guards(struct check_conflicts *k);       /* check_guards.c */

#endif
