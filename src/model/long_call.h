/*
 * long_call - the windows of one call: its tokens cut into them, and one answer made of theirs (long_text.h says how).
 *
 * Private to the engine; one thread at a time for each call.
 */
#ifndef VSR_MODEL_LONG_CALL_H
#define VSR_MODEL_LONG_CALL_H

#include "core/err.h"

struct engine_call;

/* Cuts what is too long for the model, by the call's long_text: fewer tokens, or more parts than one. VSR_E_LIMIT when
 * what cannot be cut leaves no room. */
int long_call_fit(struct engine_call *call, struct vsr_err *err) VSR_MUST_CHECK;

/* Writes the result. The flights of all parts have landed well. */
void long_call_combine(struct engine_call *call);

#endif
