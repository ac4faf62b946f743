/* What is said of documents when nobody types: checks first, then proofs. */
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/lsp_message.h"

void lsp_set_base(struct lsp *lsp, const struct yaml_node *base) {
    lsp->base = base;
    for (size_t i = 0; i < lsp->documents.n; i++)
        lsp_document_forget(lsp->documents.items[i]);
}

vsr_str lsp_wanted_base(const struct lsp *lsp) {
    return buf_str(&lsp->wanted_base);
}

/* ---- checks */

bool lsp_is_unsettled(const struct lsp *lsp) {
    for (size_t i = 0; lsp->state == LSP_READY && i < lsp->documents.n; i++)
        if (lsp->documents.items[i]->unsettled)
            return true;
    return false;
}

void lsp_settle(struct lsp *lsp, struct buf *out) {
    for (size_t i = 0; lsp->state == LSP_READY && i < lsp->documents.n; i++) {
        struct lsp_document *document = lsp->documents.items[i];
        if (!document->unsettled)
            continue;
        lsp_document_look(document, lsp->language, lsp->base);
        document->unsettled = false;
        lsp_publish(lsp, str_make(document->uri, document->uri_len), document, out);
    }
}

/* ---- proofs */

static struct lsp_document *unproved(const struct lsp *lsp) {
    for (size_t i = 0; lsp->state == LSP_READY && i < lsp->documents.n; i++) {
        struct lsp_document *document = lsp->documents.items[i];
        if (!document->unsettled && !document->proved)
            return document;
    }
    return NULL;
}

bool lsp_is_unproved(const struct lsp *lsp) {
    return unproved(lsp) != NULL;
}

struct interruption {
    bool (*stop)(void *data);
    void *data;
    bool stopped;
};

static bool is_stopped(void *data) {
    struct interruption *interruption = data;
    interruption->stopped = interruption->stopped || interruption->stop(interruption->data);
    return interruption->stopped;
}

void lsp_prove(struct lsp *lsp, bool (*stop)(void *data), void *data, struct buf *out) {
    struct lsp_document *document = unproved(lsp);
    struct interruption interruption = { stop, data, false };
    const struct prove_options options = { .stop = is_stopped, .stop_data = &interruption };
    if (!document)
        return;
    lsp_document_prove(document, lsp->language, lsp->base, &options);
    if (interruption.stopped)
        return;
    document->proved = true;
    if (document->proofs.n > 0)
        lsp_publish(lsp, str_make(document->uri, document->uri_len), document, out);
}
