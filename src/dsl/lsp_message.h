/*
 * lsp_message - a message of the editor while it is answered: its parameters, and what is sent back. Internal to dsl/.
 */
#ifndef VSR_DSL_LSP_MESSAGE_H
#define VSR_DSL_LSP_MESSAGE_H

#include "core/buf.h"
#include "dsl/lsp_parts.h"

/* Of JSON-RPC and the protocol. */
enum {
    LSP_ERROR_PARSE = -32700,
    LSP_ERROR_REQUEST = -32600,
    LSP_ERROR_METHOD = -32601,
    LSP_ERROR_PARAMS = -32602,
    LSP_ERROR_INTERNAL = -32603,
    LSP_ERROR_NOT_INITIALIZED = -32002,
};

enum lsp_state { LSP_FRESH, LSP_READY, LSP_SHUT, LSP_OVER };

struct lsp {
    const struct language *language;
    const struct yaml_node *base; /* NULL: none is known */
    struct buf wanted_base;       /* path of the one that the editor named */
    struct buf in;                /* what is not read yet */
    enum lsp_state state;
    bool orderly;      /* the editor shut it down */
    const char *fault; /* NULL: what it sent was framed */
    enum lsp_encoding encoding;
    bool plain; /* the editor shows no Markdown */
    struct lsp_documents documents;
    struct buf body; /* of what is being sent */
};

/* A message while it is answered. */
struct lsp_message {
    struct lsp *lsp;
    struct arena *arena;
    struct json_doc doc;
    json_ref params;
    vsr_str id; /* as written; empty: a notification */
    struct buf *out;
};

/* Answers it, with nothing when it is a notification (lsp_methods.c). */
void lsp_answer(struct lsp_message *m);
/* Of a message that cannot be read: it may have been a change of any document that is open, so none is known now. */
void lsp_give_up_all(struct lsp_message *m);

/* ---- sending: framed, to the end of `out` */

/* The `id` is empty where the message had none that could be read. */
void lsp_send_error(struct lsp *lsp, vsr_str id, int code, const char *text, struct buf *out);
/* An answer: what is written between the two is the result. One that is too long becomes an error. */
void lsp_begin_result(struct lsp_message *m, struct json_writer *w);
void lsp_finish_result(struct lsp_message *m, struct json_writer *w);
/* What is wrong with the document. NULL: it is closed, nothing is wrong with it any more. */
void lsp_publish(struct lsp *lsp, vsr_str uri, struct lsp_document *document, struct buf *out);

/* ---- parameters: of another kind than is asked for, they are not there */

/* JSON_NONE: it is no object, or has none. */
json_ref lsp_param(const struct lsp_message *m, json_ref object, const char *key);
bool lsp_param_text(struct lsp_message *m, json_ref object, const char *key, vsr_str *ret);
/* The one that `textDocument` names; NULL: it is not open. */
struct lsp_document *lsp_param_document(struct lsp_message *m);
/* The byte at a position, and at both ends of a range, which is empty when they stand the wrong way round. */
bool lsp_param_byte(struct lsp_message *m, json_ref position, struct lsp_document *document, uint32_t *ret);
bool lsp_param_range(struct lsp_message *m, json_ref range, struct lsp_document *document, uint32_t *ret_start,
                     uint32_t *ret_end);

#endif
