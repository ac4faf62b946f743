/*
 * mcp_verdict - what the tools of a classifier say (plugins.md §17.2), read. Pure; any thread.
 *
 *     list_categories {}                          ->  {"categories":["math","law"]}
 *     classify_text {"text","with_probabilities"} ->  {"class":1,"confidence":0.9,"probabilities":[0.1,0.9]}
 *
 * A tool's result is its structured content, or the first of its texts that is a JSON object. What the published
 * contract leaves open:
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

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"

struct arena;

enum { MCP_CATEGORIES_MAX = 4096 };

/* ---- tools/list */

#define MCP_LIST_TOOL "list_categories"

/* Gathered over the pages. Zero-initialised is none. Texts live in the arena given to mcp_tools_read(). */
struct mcp_tools {
    vsr_str classify;   /* the best so far; empty: none */
    int fitness;        /* of it */
    bool probabilities; /* it takes with_probabilities */
    bool lists;         /* there is MCP_LIST_TOOL */
    vsr_str next;       /* cursor of the next page; empty: it was the last */
};

/*
 * Reads one page. The tool is the one called `wanted`; without that `classify_text`, else `classify`, else the first
 * with "classif" in its name, that takes a `text`. VSR_E_INVALID when the result is no list of tools.
 */
int mcp_tools_read(struct arena *arena, const struct json_doc *doc, json_ref result, vsr_str wanted,
                   struct mcp_tools *tools, struct vsr_err *err) VSR_MUST_CHECK;

/* ---- results of tools */

/*
 * The object that a tool answered with. `*ret_doc` is `doc` or another one in `arena`. VSR_E_INVALID: the tool reports
 * a failure, or gave no object.
 */
int mcp_tool_object(struct arena *arena, const struct json_doc *doc, json_ref result, const struct json_doc **ret_doc,
                    json_ref *ret_object, struct vsr_err *err) VSR_MUST_CHECK;

/* The categories of MCP_LIST_TOOL, different and not blank; texts in `arena`. */
int mcp_categories_read(struct arena *arena, const struct json_doc *doc, json_ref object, vsr_str **ret_labels,
                        size_t *ret_n, struct vsr_err *err) VSR_MUST_CHECK;

struct mcp_verdict {
    const vsr_str *labels;
    const float *numbers;
    size_t n;
};

/* `categories` may be none. The verdict lies in `arena`, apart from the categories' texts. */
int mcp_verdict_read(struct arena *arena, const struct json_doc *doc, json_ref object, const vsr_str *categories,
                     size_t n_categories, struct mcp_verdict *ret_verdict, struct vsr_err *err) VSR_MUST_CHECK;

#endif
