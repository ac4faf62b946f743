/*
 * mcp_classifier - a tool server that classifies texts, on the loop of its hub.
 *
 * Before the first text, and whenever the server has begun anew or says that its tools have changed, it finds out which
 * tool classifies and, where the server has list_categories, what the classes are. Texts wait for that. Then each is
 * one tools/call. An answer that comes after the tools have changed may speak of either list of classes, so the text is
 * asked about once more; when they change again meanwhile, it fails. Hub's loop only; nothing is told from inside a
 * function here.
 */
#ifndef VSR_EVIDENCE_MCP_CLASSIFIER_H
#define VSR_EVIDENCE_MCP_CLASSIFIER_H

#include <stdint.h>

#include "evidence/mcp_verdict.h"
#include "signal/results.h"

struct mcp_classifier;
struct mcp_server;
struct mcp_question;

/* Of that server, made when it is new; ends with the server. `tool` is the same for all users of the server. */
struct mcp_classifier *mcp_classifier_of(struct mcp_server *server, vsr_str tool);

struct mcp_classified {
    enum signal_code code;
    const char *reason; /* of a failure; valid during the call, and so is all else here */
    struct mcp_verdict verdict;
    const char *name, *version; /* of the server */
};

typedef void mcp_classified_fn(void *owner, const struct mcp_classified *classified);

/*
 * Keeps `text` and `labels`, which stand for categories that the server does not list; there may be none. `done` comes
 * once, later.
 */
struct mcp_question *mcp_classifier_ask(struct mcp_classifier *classifier, vsr_str text, const vsr_str *labels,
                                        size_t n_labels, uint64_t timeout_ms, mcp_classified_fn *done, void *owner);
/* Without `done`. Not from inside it. */
void mcp_question_cancel(struct mcp_question *question);

#endif
