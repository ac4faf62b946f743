/*
 * json_keys - whether an object names a member twice. Any thread.
 *
 * Names are compared unescaped: "a" and "\u0061" are one name. Time is linear in the object's text also when a client
 * picks the names, because the hash is keyed with a number it cannot know.
 */
#ifndef VSR_CORE_JSON_KEYS_H
#define VSR_CORE_JSON_KEYS_H

#include "core/json.h"

/* Sets `*ret_key` to the first key that occurs again later, or to JSON_NONE. 0 or VSR_E_NOMEM. */
int json_keys_repeated(const struct json_doc *doc, json_ref object, json_ref *ret_key) VSR_MUST_CHECK;

/* Whether two STRING nodes say the same. */
bool json_keys_same(const struct json_doc *doc, json_ref a, json_ref b);

#endif
