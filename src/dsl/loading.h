/*
 * loading - what the configuration says of a program: it becomes a document as config_load makes one, with its base.
 *
 * References to the environment stay as they are, and nothing is changed. Costs what loading costs, and where somebody
 * can build the engine (config_parts.try_build), what that costs. One thread.
 *
 * Codes:
 *     E230 what loading refuses and no check of the language told     W230 the base is refused
 *     W231 what loading says can never match; of a name, a hint
 */
#ifndef VSR_DSL_LOADING_H
#define VSR_DSL_LOADING_H

#include "dsl/parse.h"

struct config_document;
struct diag;
struct findings;
struct language;
struct yaml_node;

struct dsl_base_of {
    const struct yaml_node *root; /* as it was read; NULL, or no mapping: an empty one */
    vsr_str name;                 /* in messages; NULL: of what is wrong with the base nothing is said */
    const char *file; /* path without links, of the base or else of the program; NULL: no other file is looked at */
};

/*
 * The document of a compiled program, in `arena`; NULL: it is refused, which `ret_diag` tells. Places in the base are
 * those of a document's second file.
 */
const struct config_document *dsl_load(struct arena *arena, const struct language *language,
                                       const struct yaml_node *compiled, const struct dsl_base_of *base,
                                       struct diag *ret_diag);

/*
 * Adds what keeps the program from being loaded to the findings of dsl_examine(), unsorted; nothing while there are
 * errors, and nothing that a finding of the same declaration says: a constraint of the same field, or of all that is
 * missing; a warning of what is not declared, has no backend or is mapped twice, at the same place (of a LoRA: with its
 * name). No other finding hides one. Of other warnings of the configuration nothing is said: the checks of the language
 * know better what was meant. Returns whether it was loaded, or is empty.
 */
bool dsl_check_loading(const struct language *language, const struct dsl_parsed *parsed,
                       const struct yaml_node *compiled, const struct dsl_base_of *base, struct findings *findings);

#endif
