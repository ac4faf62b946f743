/*
 * learned - what families share whose rules a model judges: whom they ask, what they ask about, and how they fail.
 *
 * What is ours to say without any model is whether a rule has anything to look at in the request: one that has not is
 * plainly false, and no model is asked.
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

/* Reports examples of a rule about images that can be none. `examples` is the value of the field of `object`. */
void learned_check_images(const struct schema *schema, const void *object, const char *field,
                          const struct config_strings *examples, struct arena *arena, struct diag *diag);

/* Reports more examples than one rule may have. `object` is of `schema`. */
void learned_check_examples(const struct schema *schema, const void *object, const char *field, size_t n,
                            struct arena *arena, struct diag *diag);

/* Warns about a name that the model's labels do not contain, so that the rule never matches. `known`: NULL-terminated.
 */
void learned_warn_label(const struct schema *schema, const void *rule, vsr_str name, const char *const *known,
                        struct arena *arena, struct diag *diag);

/* ---- building */

/* Who embeds for the recipe's rules, as the document's settings say; with `images`, images too. */
uint32_t learned_embedder(struct signal_builder *builder, bool images);
/* The same with a model of that kind (enum config_embedding_model; EMBEDDING_UNSET: as the settings say). */
uint32_t learned_embedder_of(struct signal_builder *builder, int kind, bool images);

/* The slot of a value beside a rule, `<rule>:<what>`; of `type`, the family's. */
uint32_t learned_beside(struct signal_builder *builder, const char *type, vsr_str rule, const char *what);

/* ---- asking and judging */

/* What came of asking about the window over the text that a family reads. Fails where there is no window. */
int learned_ask_window(struct signal_request *request, enum evidence_kind kind, uint32_t source, enum signal_text text,
                       const struct evidence_answer **ret_answer, struct vsr_err *err) VSR_MUST_CHECK;

/* The rule at the slot is what came of an ask: a failure, with its reason. */
void learned_fail(struct signal_results *results, uint32_t slot, const struct evidence_answer *answer);

/* Compares a vector with a rule's examples. False: the rule at the slot has failed for the reason why it cannot be. */
bool learned_score(const struct signal_bank *bank, const struct evidence_answer *answer, enum signal_bank_method method,
                   struct signal_results *results, uint32_t slot, struct signal_bank_score *ret_score);

#endif
