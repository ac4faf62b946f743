/*
 * change - what two policies say differently: of each route, and of everything that is not routing.
 *
 * Loaded documents are compared, so that layout, defaults that are written out, and what a program says in another way
 * make no difference. Whether a changed route moves a request is another question (dsl/effect.h): this list has also
 * what nobody can notice, as a description, and says so. What signals and projections say is not listed: it shows in
 * the requests that move.
 *
 * Secrets are compared and never shown.
 */
#ifndef VSR_DSL_CHANGE_H
#define VSR_DSL_CHANGE_H

#include "config/diff.h"

struct arena;

/* Who notices that a part of a route is another one. */
enum change_notice {
    CHANGE_INERT,   /* nobody: it is for readers */
    CHANGE_RANKING, /* whoever is routed in another way for it */
    CHANGE_MODELS,  /* requests of the route: other models may answer */
    CHANGE_HANDLING /* requests of the route, for what is done to them and their answers */
};

struct change_part {
    const char *name; /* `models`, `condition`, `plugins` */
    enum change_notice notice;
    vsr_str before, after; /* conditions as a program has them, all else as YAML on one line; empty: nothing is said */
};

struct route_change {
    enum change_kind kind; /* ADDED, REMOVED or VALUE */
    vsr_str profile;
    const struct config_decision *before, *after; /* NULL: there is none of that name */
    struct change_part *parts;                    /* of VALUE */
    size_t n_parts;
};

struct changes {
    struct route_change *routes;
    size_t n_routes, cap;
    /*
     * Of providers, listeners, models, `global` and entrypoints. Compared when both documents are complete, or neither
     * is: a policy without a base says nothing of them.
     */
    struct config_changes settings;
    bool settings_compared;
};

/* `schema`: the table of both documents. Keeps both; results live in `arena`. */
void changes_find(struct arena *arena, const struct schema *schema, const struct config_document *before,
                  const struct config_document *after, struct changes *ret_changes);

/* The parts in which two routes differ, in the order of their table; returns how many. */
size_t change_parts(struct arena *arena, const struct schema *schema, const struct config_decision *before,
                    const struct config_decision *after, struct change_part **ret_parts);

#endif
