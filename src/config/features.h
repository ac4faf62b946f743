/*
 * features - what a document asks for under listeners, providers and global that this build does not do.
 *
 * The contract is decoded and checked in full; part of what it describes is built later. Ignoring such a block is said
 * once per block, and refused where it would be unsafe: safety, access, limits. A block that is written but switched
 * off asks for nothing, and neither do defaults. When a feature is built, its entry in features.c goes.
 */
#ifndef VSR_CONFIG_FEATURES_H
#define VSR_CONFIG_FEATURES_H

#include <stdbool.h>

#include "config/diag.h"

struct arena;
struct config_document;

/*
 * Calls `fn` for each, in the order of the table, list entries in document order. `feature` says in words what is
 * missing; it is a constant. Paths are made in `arena`.
 */
void config_features(const struct config_document *doc, struct arena *arena,
                     void (*fn)(void *data, struct diag_at at, const char *feature, bool unsafe), void *data);

#endif
