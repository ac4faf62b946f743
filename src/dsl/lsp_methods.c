/* What each method of the protocol does: the life of a session, documents, requests about them. */
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/lsp_message.h"

enum { ID_LEN_MAX = 1024, URI_LEN_MAX = 8192, METHOD_LEN_MAX = 256 };

/* Bytes that the changes of one message may move: each of them copies the document. */
static const uint64_t edit_work_max = (uint64_t)8 << 30;

/* ---- life of a session */

static void negotiate(struct lsp_message *m) {
    json_ref capabilities = lsp_param(m, m->params, "capabilities");
    json_ref offered = lsp_param(m, lsp_param(m, capabilities, "general"), "positionEncodings");
    json_ref hover = lsp_param(m, lsp_param(m, capabilities, "textDocument"), "hover");
    json_ref formats = lsp_param(m, hover, "contentFormat");
    /* In the editor's order of preference; who says nothing means UTF-16. */
    for (json_ref it = json_is(&m->doc, offered, JSON_ARRAY) ? json_first(&m->doc, offered) : JSON_NONE;
         it != JSON_NONE; it = json_next(&m->doc, offered, it)) {
        bool utf8 = json_str_eq(&m->doc, it, VSR_STR("utf-8")), utf32 = json_str_eq(&m->doc, it, VSR_STR("utf-32"));
        if (!utf8 && !utf32 && !json_str_eq(&m->doc, it, VSR_STR("utf-16")))
            continue;
        m->lsp->encoding = utf8 ? LSP_UTF8 : utf32 ? LSP_UTF32 : LSP_UTF16;
        break;
    }
    if (json_is(&m->doc, formats, JSON_ARRAY))
        m->lsp->plain = json_is(&m->doc, json_at(&m->doc, formats, 0), JSON_STRING) &&
                        json_str_eq(&m->doc, json_at(&m->doc, formats, 0), VSR_STR("plaintext"));
}

static void note_base(struct lsp_message *m) {
    vsr_str path;
    if (!lsp_param_text(m, lsp_param(m, m->params, "initializationOptions"), "base", &path))
        return;
    if (path.len <= LSP_BASE_LEN_MAX && !memchr(path.ptr, 0, path.len))
        buf_append(&m->lsp->wanted_base, path);
    else
        lsp_show(m->lsp, "vsr: initializationOptions.base is no path", m->out);
}

static void write_capabilities(const struct lsp *lsp, struct json_writer *w) {
    static const char *const encodings[] = {
        [LSP_UTF16] = "\"utf-16\"", [LSP_UTF8] = "\"utf-8\"", [LSP_UTF32] = "\"utf-32\""
    };
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("capabilities"));
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("positionEncoding"));
    json_write_raw(w, str_from_c(encodings[lsp->encoding]));
    json_write_key(w, VSR_STR("textDocumentSync"));
    json_write_raw(w, VSR_STR("{\"openClose\":true,\"change\":2}"));
    json_write_key(w, VSR_STR("completionProvider"));
    json_write_raw(w, VSR_STR("{\"triggerCharacters\":[\"\\\"\",\"(\"]}"));
    json_write_key(w, VSR_STR("codeActionProvider"));
    json_write_raw(w, VSR_STR("{\"codeActionKinds\":[\"quickfix\",\"source.fixAll.vsr\"]}"));
    json_write_key(w, VSR_STR("hoverProvider"));
    json_write_bool(w, true);
    json_write_key(w, VSR_STR("definitionProvider"));
    json_write_bool(w, true);
    json_write_key(w, VSR_STR("documentSymbolProvider"));
    json_write_bool(w, true);
    json_write_key(w, VSR_STR("documentFormattingProvider"));
    json_write_bool(w, true);
    json_write_end(w);
    json_write_key(w, VSR_STR("serverInfo"));
    json_write_raw(w, VSR_STR("{\"name\":\"vsr\"}"));
    json_write_end(w);
}

static void on_initialize(struct lsp_message *m) {
    struct json_writer w;
    if (m->lsp->state != LSP_FRESH) {
        lsp_send_error(m->lsp, m->id, LSP_ERROR_REQUEST, "initialize was sent before", m->out);
        return;
    }
    negotiate(m);
    m->lsp->state = LSP_READY;
    lsp_begin_result(m, &w);
    write_capabilities(m->lsp, &w);
    lsp_finish_result(m, &w);
    note_base(m);
}

static void on_shutdown(struct lsp_message *m) {
    struct json_writer w;
    m->lsp->state = LSP_SHUT;
    m->lsp->orderly = true;
    lsp_begin_result(m, &w);
    json_write_null(&w);
    lsp_finish_result(m, &w);
}

/* ---- documents */

static void set_version(struct lsp_message *m, struct lsp_document *document) {
    json_ref version = lsp_param(m, lsp_param(m, m->params, "textDocument"), "version");
    document->has_version = json_is(&m->doc, version, JSON_NUMBER) && json_i64(&m->doc, version, &document->version);
}

static void on_open(struct lsp_message *m) {
    json_ref item = lsp_param(m, m->params, "textDocument");
    struct lsp_document *document;
    vsr_str uri, text;
    if (!lsp_param_text(m, item, "uri", &uri) || !lsp_param_text(m, item, "text", &text) || uri.len > URI_LEN_MAX)
        return;
    document = lsp_document_open(&m->lsp->documents, uri, text);
    if (document)
        set_version(m, document);
    else
        lsp_show(m->lsp, "vsr: too many or too long documents are open; close some and open this one again", m->out);
}

static void on_close(struct lsp_message *m) {
    struct lsp_document *document = lsp_param_document(m);
    vsr_str uri;
    if (!document || !lsp_param_text(m, lsp_param(m, m->params, "textDocument"), "uri", &uri))
        return;
    lsp_document_close(&m->lsp->documents, document);
    lsp_publish(m->lsp, uri, NULL, m->out);
}

static bool change(struct lsp_message *m, struct lsp_document *document, json_ref item) {
    json_ref range = lsp_param(m, item, "range");
    uint32_t start = 0, end = (uint32_t)document->len;
    vsr_str text;
    if (!lsp_param_text(m, item, "text", &text))
        return false;
    if (range != JSON_NONE && !json_is(&m->doc, range, JSON_NULL) && !lsp_param_range(m, range, document, &start, &end))
        return false;
    return lsp_document_edit(&m->lsp->documents, document, start, end, text);
}

/* Once one change is lost, all that is said of the text would be wrong. */
static void give_up(struct lsp_message *m, struct lsp_document *document) {
    vsr_str uri = arena_str(m->arena, str_make(document->uri, document->uri_len));
    lsp_document_close(&m->lsp->documents, document);
    lsp_publish(m->lsp, uri, NULL, m->out);
}

static void on_change(struct lsp_message *m) {
    struct lsp_document *document = lsp_param_document(m);
    json_ref changes = lsp_param(m, m->params, "contentChanges");
    uint64_t work = 0;
    bool good = json_is(&m->doc, changes, JSON_ARRAY);
    if (!document)
        return;
    for (json_ref it = good ? json_first(&m->doc, changes) : JSON_NONE; good && it != JSON_NONE;
         it = json_next(&m->doc, changes, it)) {
        work += document->len + 1;
        good = work <= edit_work_max && change(m, document, it);
    }
    if (good) {
        set_version(m, document);
        return;
    }
    give_up(m, document);
    lsp_show(m->lsp,
             "vsr: a change of the document was not understood, or made it too long; close it and open it again",
             m->out);
}

void lsp_give_up_all(struct lsp_message *m) {
    if (m->lsp->documents.n == 0)
        return;
    while (m->lsp->documents.n > 0)
        give_up(m, m->lsp->documents.items[0]);
    lsp_show(m->lsp,
             "vsr: a message was not understood, which may have been a change; close documents and open them again",
             m->out);
}

/* ---- requests about documents */

enum { WANTS_POSITION = 1, WANTS_RANGE = 2 };

static void actions(struct lsp_message *m, struct lsp_query *query) {
    lsp_actions(query, &m->doc, lsp_param(m, lsp_param(m, m->params, "context"), "only"));
}

static void on_document(struct lsp_message *m, unsigned wants, void (*answer)(struct lsp_query *)) {
    struct json_writer w;
    struct lsp_query query = { .arena = m->arena,
                               .language = m->lsp->language,
                               .base = m->lsp->base,
                               .document = lsp_param_document(m),
                               .encoding = m->lsp->encoding,
                               .plain = m->lsp->plain,
                               .w = &w };
    bool good = query.document != NULL;
    if (!good) {
        lsp_send_error(m->lsp, m->id, LSP_ERROR_PARAMS, "the document is not open", m->out);
        return;
    }
    if (wants & WANTS_POSITION)
        good = lsp_param_byte(m, lsp_param(m, m->params, "position"), query.document, &query.byte);
    if (wants & WANTS_RANGE)
        good = lsp_param_range(m, lsp_param(m, m->params, "range"), query.document, &query.byte, &query.end);
    if (!good) {
        lsp_send_error(m->lsp, m->id, LSP_ERROR_PARAMS, "the position is missing or malformed", m->out);
        return;
    }
    lsp_document_look(query.document, m->lsp->language, m->lsp->base);
    lsp_begin_result(m, &w);
    if (answer)
        answer(&query);
    else
        actions(m, &query);
    lsp_finish_result(m, &w);
}

struct request {
    const char *method;
    unsigned wants;
    void (*answer)(struct lsp_query *query); /* NULL: code actions */
};

static const struct request requests[] = {
    { "textDocument/hover", WANTS_POSITION, lsp_hover },
    { "textDocument/definition", WANTS_POSITION, lsp_definition },
    { "textDocument/completion", WANTS_POSITION, lsp_completion },
    { "textDocument/documentSymbol", 0, lsp_symbols },
    { "textDocument/formatting", 0, lsp_formatting },
    { "textDocument/codeAction", WANTS_RANGE, NULL },
};

/* ---- messages */

static void on_request(struct lsp_message *m, vsr_str method) {
    struct lsp *lsp = m->lsp;
    if (str_eq_c(method, "initialize")) {
        on_initialize(m);
        return;
    }
    if (lsp->state == LSP_FRESH) {
        lsp_send_error(lsp, m->id, LSP_ERROR_NOT_INITIALIZED, "initialize comes first", m->out);
        return;
    }
    if (lsp->state == LSP_SHUT) {
        lsp_send_error(lsp, m->id, LSP_ERROR_REQUEST, "the server was shut down", m->out);
        return;
    }
    if (str_eq_c(method, "shutdown")) {
        on_shutdown(m);
        return;
    }
    for (size_t i = 0; i < VSR_COUNT(requests); i++)
        if (str_eq_c(method, requests[i].method)) {
            on_document(m, requests[i].wants, requests[i].answer);
            return;
        }
    lsp_send_error(lsp, m->id, LSP_ERROR_METHOD, "no such method", m->out);
}

static void on_notification(struct lsp_message *m, vsr_str method) {
    if (str_eq_c(method, "exit"))
        m->lsp->state = LSP_OVER;
    else if (m->lsp->state != LSP_READY)
        return;
    else if (str_eq_c(method, "textDocument/didOpen"))
        on_open(m);
    else if (str_eq_c(method, "textDocument/didChange"))
        on_change(m);
    else if (str_eq_c(method, "textDocument/didClose"))
        on_close(m);
}

void lsp_answer(struct lsp_message *m) {
    json_ref id = lsp_param(m, 0, "id"), method = lsp_param(m, 0, "method");
    vsr_str name;
    m->params = lsp_param(m, 0, "params");
    if (id != JSON_NONE) {
        enum json_type type = json_type_of(&m->doc, id);
        m->id = json_raw(&m->doc, id);
        if ((type != JSON_STRING && type != JSON_NUMBER) || m->id.len > ID_LEN_MAX) {
            lsp_send_error(m->lsp, VSR_STR(""), LSP_ERROR_REQUEST, "an id is a short string or a number", m->out);
            return;
        }
    }
    if (!json_is(&m->doc, method, JSON_STRING) || json_str_len(&m->doc, method) > METHOD_LEN_MAX ||
        !json_str(m->arena, &m->doc, method, &name)) {
        /* Without a method it is an answer, and nothing was asked; else it is no message. */
        if (method != JSON_NONE || id == JSON_NONE)
            lsp_send_error(m->lsp, m->id, LSP_ERROR_REQUEST, "a request is an object with a method", m->out);
        return;
    }
    if (m->id.len > 0)
        on_request(m, name);
    else
        on_notification(m, name);
}
