/*
 * rope_config - reads how positions are turned into angles: the base, and how it is stretched beyond the length that a
 * model was first trained for.
 *
 * Two spellings exist. Older files have a base at the top and, rarely, "rope_scaling"; newer ones "rope_parameters",
 * either one object or one for each kind of layer. The newer one wins. YaRN is what a file says it is, never inferred
 * from a name or a base.
 */
#ifndef VSR_NN_ROPE_CONFIG_H
#define VSR_NN_ROPE_CONFIG_H

#include "nn/encoder_config.h"
#include "nn/json_fields.h"

#define ROPE_THETA_MIN 1.5 /* its logarithm is divided by */
#define ROPE_THETA_MAX 1e12

/* `kind` is the layers' name in "rope_parameters", NULL for a family with one kind. `positions` is what YaRN stretches
 * from when the file does not say. Problems are kept in `f`. */
void rope_config_read(struct json_fields *f, const char *kind, double theta, size_t positions, struct rope_config *ret);

/* The same without "rope_scaling", which in Gemma means the layers that see everything. */
void rope_config_read_local(struct json_fields *f, const char *kind, double theta, size_t positions,
                            struct rope_config *ret);

#endif
