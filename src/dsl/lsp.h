/*
 * lsp - a language server for the routing language: bytes of an editor in, bytes for the editor out.
 *
 * JSON-RPC 2.0 with Content-Length framing, as the Language Server Protocol 3.17 has it. Nothing is read, written or
 * timed here: whoever has the pipe (cli/dsl_lsp.c) feeds what arrives and sends what comes out. Everything that an
 * editor says is hostile: headers, messages, documents and positions have limits, and what is wrong is answered with an
 * error or, where the protocol has no answer, ignored. Positions count UTF-16 units, or bytes or code points where the
 * editor offers those. One thread.
 */
#ifndef VSR_DSL_LSP_H
#define VSR_DSL_LSP_H

#include <stdbool.h>

#include "core/str.h"

struct buf;
struct language;
struct lsp;
struct yaml_node;

enum {
    LSP_HEADER_LEN_MAX = 4096,
    LSP_MESSAGE_LEN_MAX = 32 << 20,
    LSP_DOCUMENTS_MAX = 256,
    LSP_TEXTS_LEN_MAX = 256 << 20, /* of all documents together */
    LSP_OUTPUT_LEN_MAX = 256 << 20,
    LSP_BASE_LEN_MAX = 4096,     /* of a path */
    LSP_PROVE_LEN_MAX = 1 << 20, /* longer documents are checked, but nothing about them is proved */
};

/* Keeps `language`. */
struct lsp *lsp_new(const struct language *language);
void lsp_free(struct lsp *lsp);

/* Takes any part of the stream; appends whole messages to `out`. What comes after the end is ignored. */
void lsp_feed(struct lsp *lsp, vsr_str bytes, struct buf *out);

/*
 * The configuration that programs belong to, whose models are known then; NULL: none. Kept until the next call, or
 * lsp_free(). Everything that was said of documents is found out anew.
 */
void lsp_set_base(struct lsp *lsp, const struct yaml_node *base);
/* Path that the editor named as the base, in `initializationOptions.base`; empty: none. */
vsr_str lsp_wanted_base(const struct lsp *lsp);
/* Shows the user what no answer can say. */
void lsp_show(struct lsp *lsp, const char *text, struct buf *out);

/* Whether documents changed since they were last checked. The editor types on: lsp_settle() belongs into a pause. */
bool lsp_is_unsettled(const struct lsp *lsp);
/* Publishes what is to be said of the documents that changed. */
void lsp_settle(struct lsp *lsp, struct buf *out);

/* Whether something could be proved of a document that was published, and was not yet: for a longer pause. */
bool lsp_is_unproved(const struct lsp *lsp);
/*
 * Proves what there is of one such document, and publishes it again when something was found (W401 to W411). `stop` is
 * asked often; once it says so the proof is dropped within milliseconds, to be begun again in the next pause.
 */
void lsp_prove(struct lsp *lsp, bool (*stop)(void *data), void *data, struct buf *out);

/*
 * Whether the session is over: `exit` came, or the stream cannot be understood any more, which `*ret_fault` says (NULL:
 * nothing is wrong). `*ret_orderly`: `shutdown` came before.
 */
bool lsp_is_over(const struct lsp *lsp, bool *ret_orderly, const char **ret_fault);

#endif
