/*
 * rule_checks - load checks that several families share.
 */
#ifndef VSR_SIGNAL_RULE_CHECKS_H
#define VSR_SIGNAL_RULE_CHECKS_H

#include "config/document.h"

struct regex;

/* The name of rule `index`: by contract the first field of a family's table. */
vsr_str rule_name(const struct config_list *rules, const struct schema *schema, size_t index);

/* Place of entry `index` of a list of strings: `keywords[3]`. */
struct diag_at rule_entry_at(const void *object, const char *field, const struct config_strings *list, size_t index,
                             struct arena *arena);

/*
 * Parses a regular expression of a rule. Reports what is wrong with it, also that it could match the empty string, and
 * returns NULL then.
 */
struct regex *rule_parse_regex(vsr_str pattern, bool case_sensitive, struct diag_at at, struct arena *arena,
                               struct diag *diag);

/* Reports entries that are too long to be searched for. Blank ones are the table's business (FIELD_NONBLANK). */
void rule_check_literals(const void *object, const char *field, const struct config_strings *list, struct arena *arena,
                         struct diag *diag);

#endif
