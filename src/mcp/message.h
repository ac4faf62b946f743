/*
 * message - JSON-RPC 2.0 as the Model Context Protocol uses it: reading what a server sends, writing what we send.
 *
 * Our own requests have integers as ids, from 1. A server may also send several messages as a list, as older versions
 * of the protocol allow. Any thread.
 */
#ifndef VSR_MCP_MESSAGE_H
#define VSR_MCP_MESSAGE_H

#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"
#include "core/str.h"

struct arena;

enum {
    MCP_MESSAGE_LEN_MAX = 4 << 20, /* one message; far above any verdict or list of tools */
    MCP_BATCH_MAX = 256,           /* messages of a list */
    MCP_METHOD_LEN_MAX = 128,
};

/* Error codes of JSON-RPC. */
enum {
    MCP_E_PARSE = -32700,
    MCP_E_REQUEST = -32600,
    MCP_E_METHOD = -32601,
    MCP_E_PARAMS = -32602,
    MCP_E_INTERNAL = -32603,
};

enum mcp_message_kind {
    MCP_REQUEST,      /* of the server: id_raw, method, params */
    MCP_NOTIFICATION, /* method, params */
    MCP_RESULT,       /* id, result */
    MCP_ERROR,        /* id, code; also one without an id, which is 0 then */
};

struct mcp_message {
    enum mcp_message_kind kind;
    const struct json_doc *doc;
    vsr_str method;
    json_ref params; /* JSON_NONE: none */
    vsr_str id_raw;  /* of a request, as it stands, to be sent back */
    int64_t id;      /* of an answer; 0: none of ours */
    json_ref result;
    int64_t code;    /* of an error */
    vsr_str message; /* of an error; may quote what was sent */
};

typedef void mcp_message_fn(void *user, const struct mcp_message *message);

/*
 * Calls `fn` for each message of the text, in order; memory is in `arena`. VSR_E_SYNTAX: no JSON, VSR_E_PROTOCOL: no
 * message of JSON-RPC 2.0, VSR_E_LIMIT, VSR_E_NOMEM; `fn` has not been called then.
 */
int mcp_message_read(struct arena *arena, vsr_str text, mcp_message_fn *fn, void *user,
                     struct vsr_err *err) VSR_MUST_CHECK;

/* ---- writing; `params` is JSON text of ours, empty: none. Without a line end. Failure is the buffer's. */

void mcp_write_request(struct buf *out, int64_t id, const char *method, vsr_str params);
void mcp_write_notification(struct buf *out, const char *method, vsr_str params);
void mcp_write_result(struct buf *out, vsr_str id_raw, vsr_str result);
void mcp_write_error(struct buf *out, vsr_str id_raw, int code, const char *message);

/* ---- lines out of a stream of bytes */

struct mcp_lines {
    struct buf line;
    bool broken; /* a line was longer than a message may be */
};

void mcp_lines_init(struct mcp_lines *lines);
void mcp_lines_done(struct mcp_lines *lines);
/*
 * Takes bytes from the front of `*bytes` up to the end of a line: true and the line, without its end, valid until the
 * next call; false when there is no more, or when it is broken.
 */
bool mcp_lines_next(struct mcp_lines *lines, vsr_str *bytes, vsr_str *ret_line);

#endif
