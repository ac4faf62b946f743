/*
 * mcp_result - what tool servers say about their tools, and the object that a tool answers with. Pure; any thread.
 */
#ifndef VSR_EVIDENCE_MCP_RESULT_H
#define VSR_EVIDENCE_MCP_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"

struct arena;

/* ---- tools/list */

/* How a tool is found that nobody named: by its usual name, else the brief one, else the first with `part` in it. */
struct mcp_tool_form {
    const char *usual, *brief, *part;
    const char *argument; /* which it must take */
    const char *option;   /* which it may take; NULL: none is looked for */
    const char *lister;   /* another tool, which says what the answers may be; NULL: none is looked for */
};

/* Gathered over the pages. Zero-initialised is none. Texts live in the arena given to mcp_tools_read(). */
struct mcp_tools {
    vsr_str tool;    /* the best so far; empty: none */
    int fitness;     /* of it */
    bool has_option; /* it takes it */
    bool has_lister;
    vsr_str next; /* cursor of the next page; empty: it was the last */
};

/*
 * Reads one page. The tool is the one called `wanted`; without that the one of that form. A tool whose schema lists no
 * arguments takes all. VSR_E_INVALID when the result is no list of tools.
 */
int mcp_tools_read(struct arena *arena, const struct json_doc *doc, json_ref result, const struct mcp_tool_form *form,
                   vsr_str wanted, struct mcp_tools *tools, struct vsr_err *err) VSR_MUST_CHECK;

/* ---- tools/call */

/*
 * The object that a tool answered with: its structured content, or the first of its texts that is a JSON object.
 * `*ret_doc` is `doc` or another one in `arena`. VSR_E_INVALID: the tool reports a failure, or gave no object.
 */
int mcp_tool_object(struct arena *arena, const struct json_doc *doc, json_ref result, const struct json_doc **ret_doc,
                    json_ref *ret_object, struct vsr_err *err) VSR_MUST_CHECK;

#endif
