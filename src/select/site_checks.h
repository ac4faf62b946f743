/*
 * site_checks - rules that several algorithms and plugins share: names that must be among the decision's models, and
 * where a complaint stands. One thread per load.
 */
#ifndef VSR_SELECT_SITE_CHECKS_H
#define VSR_SELECT_SITE_CHECKS_H

#include "config/document.h"

/* Whether one of the decision's references has this model, LoRA or effective name. */
bool site_has_model(const struct config_site *site, vsr_str name);

/* Reports E_REF at `field` of `object` unless `name` is empty or one of the decision's models. */
void site_need_model(const struct config_site *site, const struct schema *schema, const void *object, const char *field,
                     vsr_str name);

/* The same for each entry of a list; a name that stands there twice is E_DUP. */
void site_need_models(const struct config_site *site, const struct schema *schema, const void *object,
                      const char *field, const struct config_strings *names);

/* Place of entry `index` of a list of strings. */
struct diag_at site_entry_at(const struct config_site *site, const struct schema *schema, const void *object,
                             const char *field, const struct config_strings *strings, size_t index);

#endif
