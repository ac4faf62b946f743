/*
 * yaml_json - a YAML tree out of JSON: for who reads YAML with a parser of its own and hands over what it found.
 *
 * A node is an object:
 *
 *     {"kind":"mapping","line":1,"column":1,"entries":[NODE...]}    each NODE has a member "key" as well
 *     {"kind":"sequence","line":4,"column":5,"items":[NODE...]}
 *     {"kind":"scalar","line":2,"column":9,"value":"text","quoted":true}
 *     {"kind":"null","line":3,"column":7}
 *     "key": {"value":"routing","line":1,"column":1,"quoted":false}
 *
 * A scalar's `value` is its text: of a plain one as it was written (0.70, true, ~), of a quoted or block one what it
 * says; `quoted` (false when absent) tells the two apart, since only a plain one can be a number, a boolean or null.
 * Places count from 1 and may be left out. Aliases, merge keys and tags are resolved by whoever parsed. Any thread.
 */
#ifndef VSR_CONFIG_YAML_JSON_H
#define VSR_CONFIG_YAML_JSON_H

#include "config/yaml_tree.h"
#include "core/err.h"

struct arena;

enum { YAML_JSON_LEN_MAX = 32 << 20 };

/*
 * Reads `text`, which must outlive the tree, into `arena`. Fails with VSR_E_SYNTAX (no JSON; err->line and err->col are
 * of the JSON), VSR_E_INVALID (no such tree, a key twice), VSR_E_LIMIT (YAML_JSON_LEN_MAX, YAML_NODES_MAX, more
 * nesting than JSON_DEPTH_MAX: 63 levels of collections) or VSR_E_NOMEM.
 */
int yaml_json_read(struct arena *arena, vsr_str text, struct yaml_node **ret_root, struct vsr_err *err) VSR_MUST_CHECK;

#endif
