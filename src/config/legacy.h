/*
 * legacy - keys of older layouts, which are refused (config.md §10).
 *
 * Every one that is there is reported with E_LEGACY, its position, what replaces it, and the command that converts the
 * document. Keys of a routing profile are looked for in the default routing and in every recipe.
 *
 * Two places of the specification disagree about the flat rule lists of the first layouts (`keyword_rules`,
 * `categories`, ...): signals.md §1 would accept them with a warning, config.md §10 refuses them. Names belong to
 * config.md, so they are refused; one layout is read, and `vsr config migrate` knows the others.
 *
 * A top-level key that no layout ever had is no business of this module: the decoder reports it as E_UNKNOWN, with a
 * suggestion, as it does everywhere else.
 */
#ifndef VSR_CONFIG_LEGACY_H
#define VSR_CONFIG_LEGACY_H

#include "core/str.h"

struct arena;
struct diag;
struct yaml_node;

/* Reports the old keys of the tree under `root`. Reads only. */
void legacy_check(const struct yaml_node *root, struct arena *arena, struct diag *diag);

/* Where a top-level key of an older layout belongs now; empty when it is none. */
vsr_str legacy_top_level(vsr_str key);

/* The list under `routing.signals` that took the place of a flat rule list; empty when there is none. */
vsr_str legacy_signal_list(vsr_str key);

/* The block of `global.router.learning` that took the place of a selection method; empty when it is none. */
vsr_str legacy_method(vsr_str name);

#endif
