/*
 * check_scalars - values that are no lists or objects: their kinds, ranges and choices. Internal to dsl/.
 *
 * Each tells C302, C306 or C310 at the value, with the way to it from the declaration. `wanted`: what should stand
 * there.
 */
#ifndef VSR_DSL_CHECK_SCALARS_H
#define VSR_DSL_CHECK_SCALARS_H

#include "dsl/check_parts.h"

/* Keys from the declaration down to the value; made text only for a message. */
struct check_path {
    const struct check_path *up; /* NULL: a field of the declaration itself */
    vsr_str key;
    bool item; /* one of the values in the list of that name */
};

struct check_site {
    struct check *c;
    const struct check_block *block;
};

/* `feature.source` */
vsr_str dsl_check_path_text(struct arena *arena, const struct check_path *path);
/* `SIGNAL keyword k: feature.source` */
vsr_str dsl_check_place(const struct check_site *site, const struct check_path *path);

/* What a value of the field should be, in words. */
const char *dsl_check_wanted(const struct field *field);
/* C302. Compiling loses the value. */
void dsl_check_tell_kind(const struct check_site *site, const struct check_path *path, const struct dsl_value *value,
                         const char *wanted);

void dsl_check_integer(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                       const struct dsl_value *value, const char *wanted);
void dsl_check_number(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                      const struct dsl_value *value, const char *wanted);
void dsl_check_string(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                      const struct dsl_value *value, const char *wanted);
void dsl_check_duration(const struct check_site *site, const struct language_field *field,
                        const struct check_path *path, const struct dsl_value *value);
void dsl_check_tokens(const struct check_site *site, const struct language_field *field, const struct check_path *path,
                      const struct dsl_value *value);

#endif
