/*
 * hub_copy - a model's files from a directory instead of a hub: without a network, from a stick, from another cache.
 */
#ifndef VSR_MODEL_HUB_COPY_H
#define VSR_MODEL_HUB_COPY_H

#include "model/hub_fetch.h"

/* Copies the missing files below the directory `from`; those whose hash is known are compared with it. */
int hub_copy_files(struct arena *arena, vsr_str from, const struct hub_fetch_files *files,
                   enum hub_failure *ret_failure, struct vsr_err *err) VSR_MUST_CHECK;

#endif
