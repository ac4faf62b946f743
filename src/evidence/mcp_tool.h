/*
 * mcp_tool - a tool of a server that is asked about texts, on the loop of its hub.
 *
 * Before the first question, and whenever the server has begun anew or says that its tools have changed, it finds out
 * which tool it is and, where the format has a lister and the server too, what the classes are. Questions wait for
 * that. Then each is one tools/call. An answer that comes after the tools have changed may be of either tool, or speak
 * of either list of classes, so the question is asked once more; when they change again meanwhile, it fails. Hub's loop
 * only; nothing is told from inside a function here.
 */
#ifndef VSR_EVIDENCE_MCP_TOOL_H
#define VSR_EVIDENCE_MCP_TOOL_H

#include <stdint.h>

#include "evidence/mcp_format.h"
#include "signal/results.h"

struct mcp_question;
struct mcp_server;
struct mcp_tool;

/*
 * Of that server, made when it is new; ends with the server. Format and name are the same for all users of the server;
 * without a name the tool is the one of the format's form.
 */
struct mcp_tool *mcp_tool_of(struct mcp_server *server, const struct mcp_format *format, vsr_str name);

struct mcp_answer {
    enum signal_code code;
    const char *reason; /* of a failure; valid during the call, and so is all else here */
    struct mcp_told told;
    const char *name, *version; /* of the server */
};

typedef void mcp_answer_fn(void *owner, const struct mcp_answer *answer);

/* Keeps what `asked` points to. `done` comes once, later. */
struct mcp_question *mcp_tool_ask(struct mcp_tool *tool, const struct mcp_asked *asked, uint64_t timeout_ms,
                                  mcp_answer_fn *done, void *owner);
/* Without `done`. Not from inside it. */
void mcp_question_cancel(struct mcp_question *question);

#endif
