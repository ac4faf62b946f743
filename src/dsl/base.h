/*
 * base - what the configuration that a program belongs to says of models.
 *
 * It is a tree as somebody wrote it: nodes of any kind in any place, nothing about it was checked. Any thread.
 */
#ifndef VSR_DSL_BASE_H
#define VSR_DSL_BASE_H

#include "config/yaml_tree.h"

struct findings;

/*
 * Calls fn for each card (`routing.modelCards`), then for each model of `providers.models`: a name may come twice.
 * `model` is the mapping that has it. NULL `base`: there are none.
 */
void dsl_base_models(const struct yaml_node *base, void (*fn)(void *data, vsr_str name, const struct yaml_node *model),
                     void *data);

/*
 * W211: models of the compiled program that nothing can be sent to, each once, where it is asked for first. A base
 * without `providers.models` is one for evaluation: nothing is sent anywhere.
 */
void dsl_base_check(const struct yaml_node *base, const struct yaml_node *compiled, struct findings *findings);

#endif
