/*
 * alias - names that a document may still use for something that is now called otherwise (config.md §1 step 4, §10).
 *
 * Accepted with one warning (W_DEPRECATED) for each use, and rewritten in the tree before anything else reads it:
 *
 *     global.stores.semantic_cache                                 response_cache
 *     plugin type semantic-cache, semantic_cache, response-cache   response_cache
 *     response_cache: similarity_threshold                         semantic.similarity_threshold
 *                     allow_request_controls                       request_controls.enabled
 *                     control_header                               request_controls.header
 *
 * Plugins are those of the default routing and of every recipe. Both names at once are an error: E_DUP for the store
 * and for two plugins that become the same, E_CONFLICT for a field beside its nested form. Every other old name is
 * refused (config/legacy.h).
 */
#ifndef VSR_CONFIG_ALIAS_H
#define VSR_CONFIG_ALIAS_H

struct arena;
struct diag;
struct yaml_node;

/* Changes the tree under `root`; new nodes live in `arena`. */
void alias_normalise(struct yaml_node *root, struct arena *arena, struct diag *diag);

#endif
