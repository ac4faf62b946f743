/*
 * image - pictures of a suite: that they are what they say (config.md §18.1).
 *
 * Only the container is looked at: kind, size, that nothing moves. Nothing is decoded. Pure; any thread.
 */
#ifndef VSR_PROBE_IMAGE_H
#define VSR_PROBE_IMAGE_H

#include "config/diag.h"
#include "core/str.h"

struct arena;

enum {
    PROBE_IMAGE_BASE64_LEN_MAX = 4 << 20,
    PROBE_IMAGE_SIDE_MAX = 8192,
    PROBE_IMAGE_PIXELS_MAX = 16777216,
};

/* Reports everything wrong with a struct probe_image. */
void probe_image_check(const void *object, struct arena *arena, struct diag *diag);

/*
 * Canonical base64 (RFC 4648 §4: padded, no blanks, unused bits zero) to bytes in `arena`. False when it is not.
 */
bool probe_base64(struct arena *arena, vsr_str text, vsr_str *ret_bytes);

/*
 * What is wrong with `bytes` as a still picture of that media type, or NULL. Static text.
 */
const char *probe_image_fault(vsr_str bytes, vsr_str media_type);

#endif
