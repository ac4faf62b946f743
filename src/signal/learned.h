/*
 * learned - what families share whose rules a model judges.
 *
 * The engine does not run models. It hands the rules that count to its caller, who brings a verdict for each; without
 * anybody to bring one they are unavailable. What is ours to say is whether a rule has anything to look at in the
 * request: one that has not is plainly false, and no model is asked.
 */
#ifndef VSR_SIGNAL_LEARNED_H
#define VSR_SIGNAL_LEARNED_H

#include "signal/family.h"
#include "signal/rule_checks.h"

/* A state that is the list of rules itself, for families with nothing to compile. */
void *learned_build(struct signal_builder *builder);

/* Whether the text that the family reads says anything. */
bool learned_has_text(const void *state, const struct request_facts *facts, size_t rule);

/* The same for the texts that are checked piece by piece: with earlier turns and tool results where a rule says so. */
bool learned_has_contents(const struct request_facts *facts, bool with_history, bool with_tool_results);

/* The document's models and knowledge bases; NULL when they are not known, so that nothing can be looked up. */
const struct config_model_catalog *learned_catalog(const struct config_document *doc);

/* Reports an image that the configured embedder cannot read. `what` names it: "query_modality \"image\"". */
void learned_check_image_model(const struct config_document *doc, struct diag_at at, const char *what,
                               struct diag *diag);

/* Warns about a name that the model's labels do not contain, so that the rule never matches. `known`: NULL-terminated.
 */
void learned_warn_label(const struct schema *schema, const void *rule, vsr_str name, const char *const *known,
                        struct arena *arena, struct diag *diag);

#endif
