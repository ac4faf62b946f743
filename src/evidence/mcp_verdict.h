/*
 * mcp_verdict - what the tools of a classifier say (plugins.md §17.2), read. Pure; any thread.
 *
 *     list_categories {}                          ->  {"categories":["math","law"]}
 *     classify_text {"text","with_probabilities"} ->  {"class":1,"confidence":0.9,"probabilities":[0.1,0.9]}
 *
 * What the published contract leaves open:
 *
 * - `class` is an index into the categories, or a label; `label` and `category` are other names for it. Labels are
 *   compared as they are, then without case.
 * - `probabilities` is a list by category, or an object from label to number. Each in [0, 1], sum within 0.02 of 1,
 *   one for each category.
 * - Without probabilities only the named class has one, its `confidence` (1 when it does not say); all others are 0.
 *   So an average over what is not known is never taken for knowledge.
 * - A server that lists no categories must name labels; the caller's own labels serve as categories, if there are any,
 *   else those of `probabilities`, sorted, else the one label that was named.
 * - `model` and `use_reasoning` are dropped: decisions choose models here.
 */
#ifndef VSR_EVIDENCE_MCP_VERDICT_H
#define VSR_EVIDENCE_MCP_VERDICT_H

#include <stddef.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"

struct arena;

enum { MCP_CATEGORIES_MAX = 4096 };

#define MCP_LIST_TOOL "list_categories"

/* The categories of MCP_LIST_TOOL, different and not blank; texts in `arena`. Verdicts: mcp_verdict of mcp_format.h. */
int mcp_categories_read(struct arena *arena, const struct json_doc *doc, json_ref object, vsr_str **ret_labels,
                        size_t *ret_n, struct vsr_err *err) VSR_MUST_CHECK;

#endif
