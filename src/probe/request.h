/*
 * request - the body that a variant asks with (config.md §18.2). Pure; any thread.
 */
#ifndef VSR_PROBE_REQUEST_H
#define VSR_PROBE_REQUEST_H

#include "core/err.h"
#include "probe/suite.h"

struct arena;

/*
 * Writes the JSON body of a request to the evaluation API. `model` is what it asks for; empty: none is written.
 * VSR_E_INVALID when the variant cannot be put into practice (an unknown picture, generated text without room), with
 * the reason; VSR_E_LIMIT past PROBE_BODY_LEN_MAX.
 */
int probe_request(const struct probe_suite *suite, const struct probe_variant *variant, vsr_str model,
                  struct arena *arena, vsr_str *ret_body, struct vsr_err *err) VSR_MUST_CHECK;

#endif
