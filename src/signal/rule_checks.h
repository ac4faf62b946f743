/*
 * rule_checks - fields and load checks that several families share.
 */
#ifndef VSR_SIGNAL_RULE_CHECKS_H
#define VSR_SIGNAL_RULE_CHECKS_H

#include "config/document.h"

struct regex;

/* clang-format off */
/* The fields that every rule begins with; of `type`, a family's config struct. */
#define RULE_FIELDS(type)                                                                                   \
    { "name", FIELD_STRING, offsetof(type, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,                 \
      .help = "Name that decisions and projections use." },                                                 \
    { "description", FIELD_STRING, offsetof(type, description), .help = "Documentation only." }

/* Those that a rule with a measured feature ends with. `bounds_help` explains the predicate. */
#define RULE_FEATURE_FIELDS(type, feature_schema, bounds_help)                                              \
    { "feature", FIELD_OBJECT, offsetof(type, feature), .flags = FIELD_REQUIRED, .object = &(feature_schema), \
      .help = "What is measured." },                                                                        \
    { "predicate", FIELD_OPTIONAL, offsetof(type, predicate), .object = &config_predicate_schema,           \
      .help = bounds_help }
/* clang-format on */

/* Reports a predicate beside a feature that is only there or not. `rule` is an object of `schema`. */
void rule_check_exists(const void *rule, const struct schema *schema, bool exists,
                       const struct config_predicate *predicate, struct arena *arena, struct diag *diag);

/* Reports names that differ in case only. Exact repeats are reported for all families alike. */
void rule_check_case_names(const struct config_list *rules, const struct schema *schema, struct arena *arena,
                           struct diag *diag);

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
