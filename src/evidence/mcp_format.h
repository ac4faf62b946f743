/*
 * mcp_format - what a kind of evidence needs of a tool: which one it is, how it is asked, how its result is read.
 *
 * To add one: evidence/mcp_<name>.c with its format, a line here, a row in remote.c. Formats are constant; any thread.
 */
#ifndef VSR_EVIDENCE_MCP_FORMAT_H
#define VSR_EVIDENCE_MCP_FORMAT_H

#include "evidence/mcp_result.h"

struct json_writer;

/* What a tool is asked about at once. */
struct mcp_asked {
    const vsr_str *texts;
    size_t n_texts;
    const vsr_str *labels; /* classes: categories of the server's list, else the caller's own; there may be none */
    size_t n_labels;
    size_t dims;       /* vectors: what the server's last ones had; 0: not known */
    size_t dims_least; /* vectors: 0: any */
};

/* What it said: a probability for each label; or, without labels, the vectors of the texts one behind the other. */
struct mcp_told {
    const vsr_str *labels;
    size_t n_labels;
    const float *numbers;
    size_t n;
};

struct mcp_format {
    const char *purpose; /* users of one server with different purposes do not share its session */
    const char *does;    /* "classifies texts" */
    struct mcp_tool_form tool;
    /* Members of the arguments, into an open object. Failure is the buffer's. */
    void (*write)(struct json_writer *w, const struct mcp_tools *tools, const struct mcp_asked *asked);
    /*
     * Reads the object that the tool answered with. What is told lies in `arena`, apart from texts of `asked`. An error
     * quotes nothing of the object but numbers.
     */
    int (*read)(struct arena *arena, const struct json_doc *doc, json_ref object, const struct mcp_asked *asked,
                struct mcp_told *ret_told, struct vsr_err *err);
};

#define MCP_FORMATS(X) X(mcp_verdict) X(mcp_vectors)

#define X(name) extern const struct mcp_format name;
MCP_FORMATS(X)
#undef X

#endif
