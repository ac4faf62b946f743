/*
 * members - several members of one JSON object in a single pass over it.
 *
 * json_get() walks the object once per name; requests are asked for a dozen names per message. Pure: any thread.
 */
#ifndef VSR_WIRE_MEMBERS_H
#define VSR_WIRE_MEMBERS_H

#include "core/json.h"

/*
 * Writes the value of the member names[i] to ret_values[i], the last one when it occurs twice; JSON_NONE when it is
 * absent or `object` is no object.
 */
void members_read(const struct json_doc *doc, json_ref object, const vsr_str *names, size_t n_names,
                  json_ref *ret_values);

#endif
