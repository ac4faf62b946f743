/* lsp - messages of the editor: framing, life of a session, documents, requests. */
#include "dsl/lsp.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/mem.h"
#include "dsl/lsp_parts.h"

enum { ID_LEN_MAX = 1024, URI_LEN_MAX = 8192, METHOD_LEN_MAX = 256 };

/* Bytes that the changes of one message may move: each of them copies the document. */
static const uint64_t edit_work_max = (uint64_t)8 << 30;

/* Of JSON-RPC and the protocol. */
enum {
    ERROR_PARSE = -32700,
    ERROR_REQUEST = -32600,
    ERROR_METHOD = -32601,
    ERROR_PARAMS = -32602,
    ERROR_INTERNAL = -32603,
    ERROR_NOT_INITIALIZED = -32002,
};

enum state { STATE_FRESH, STATE_READY, STATE_SHUT, STATE_OVER };

struct lsp {
    const struct language *language;
    struct buf in;
    enum state state;
    bool orderly;
    const char *fault;
    enum lsp_encoding encoding;
    bool plain;
    struct lsp_documents documents;
    struct buf body; /* of the answer that is being written */
};

/* A message while it is answered. */
struct message {
    struct lsp *lsp;
    struct arena *arena;
    struct json_doc doc;
    json_ref params;
    vsr_str id; /* as written; empty: a notification */
    struct buf *out;
};

struct lsp *lsp_new(const struct language *language) {
    struct lsp *lsp = MEM_NEW(struct lsp);
    lsp->language = language;
    buf_init(&lsp->in, (size_t)LSP_HEADER_LEN_MAX + LSP_MESSAGE_LEN_MAX + (1 << 20));
    buf_init(&lsp->body, LSP_OUTPUT_LEN_MAX);
    return lsp;
}

void lsp_free(struct lsp *lsp) {
    while (lsp->documents.n > 0)
        lsp_document_close(&lsp->documents, lsp->documents.items[0]);
    buf_done(&lsp->in);
    buf_done(&lsp->body);
    mem_free(lsp);
}

bool lsp_is_over(const struct lsp *lsp, bool *ret_orderly, const char **ret_fault) {
    *ret_orderly = lsp->orderly;
    *ret_fault = lsp->fault;
    return lsp->state == STATE_OVER;
}

/* ---- sending */

static void begin_body(struct lsp *lsp, struct json_writer *w) {
    buf_reset(&lsp->body);
    json_write_init(w, &lsp->body);
    json_write_begin_object(w);
    lsp_write_member(w, "jsonrpc", VSR_STR("2.0"));
}

static bool send_body(struct lsp *lsp, struct json_writer *w, struct buf *out) {
    json_write_end(w);
    if (buf_failed(&lsp->body))
        return false;
    buf_printf(out, "Content-Length: %zu\r\n\r\n", lsp->body.len);
    buf_append(out, buf_str(&lsp->body));
    return true;
}

static void write_id(struct json_writer *w, vsr_str id) {
    json_write_key(w, VSR_STR("id"));
    json_write_raw(w, id.len > 0 ? id : VSR_STR("null"));
}

static void send_error(struct lsp *lsp, vsr_str id, int code, const char *text, struct buf *out) {
    struct json_writer w;
    begin_body(lsp, &w);
    write_id(&w, id);
    json_write_key(&w, VSR_STR("error"));
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("code"));
    json_write_i64(&w, code);
    lsp_write_member(&w, "message", str_from_c(text));
    json_write_end(&w);
    (void)send_body(lsp, &w, out);
}

/* What the user must know and no answer can say. */
static void show(struct message *m, const char *text) {
    struct json_writer w;
    begin_body(m->lsp, &w);
    lsp_write_member(&w, "method", VSR_STR("window/showMessage"));
    json_write_key(&w, VSR_STR("params"));
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("type"));
    json_write_i64(&w, 1);
    lsp_write_member(&w, "message", str_from_c(text));
    json_write_end(&w);
    (void)send_body(m->lsp, &w, m->out);
}

/* `document` NULL: it is closed, nothing is wrong with it any more. */
static void publish(struct lsp *lsp, vsr_str uri, struct lsp_document *document, struct buf *out) {
    struct json_writer w;
    struct lsp_query query = { .document = document, .encoding = lsp->encoding, .w = &w };
    begin_body(lsp, &w);
    lsp_write_member(&w, "method", VSR_STR("textDocument/publishDiagnostics"));
    json_write_key(&w, VSR_STR("params"));
    json_write_begin_object(&w);
    lsp_write_member(&w, "uri", uri);
    if (document && document->has_version) {
        json_write_key(&w, VSR_STR("version"));
        json_write_i64(&w, document->version);
    }
    json_write_key(&w, VSR_STR("diagnostics"));
    if (document) {
        lsp_diagnostics(&query);
    } else {
        json_write_begin_array(&w);
        json_write_end(&w);
    }
    json_write_end(&w);
    (void)send_body(lsp, &w, out);
}

bool lsp_is_unsettled(const struct lsp *lsp) {
    for (size_t i = 0; lsp->state == STATE_READY && i < lsp->documents.n; i++)
        if (lsp->documents.items[i]->unsettled)
            return true;
    return false;
}

void lsp_settle(struct lsp *lsp, struct buf *out) {
    for (size_t i = 0; lsp->state == STATE_READY && i < lsp->documents.n; i++) {
        struct lsp_document *document = lsp->documents.items[i];
        if (!document->unsettled)
            continue;
        lsp_document_look(document, lsp->language);
        document->unsettled = false;
        publish(lsp, str_make(document->uri, document->uri_len), document, out);
    }
}

/* ---- parameters */

static json_ref at(const struct message *m, json_ref object, const char *key) {
    return json_is(&m->doc, object, JSON_OBJECT) ? json_get(&m->doc, object, str_from_c(key)) : JSON_NONE;
}

static bool text_at(struct message *m, json_ref object, const char *key, vsr_str *ret) {
    json_ref ref = at(m, object, key);
    return json_is(&m->doc, ref, JSON_STRING) && json_str(m->arena, &m->doc, ref, ret);
}

/* Numbers of positions: not negative; what is too great is beyond every text. */
static bool count_at(const struct message *m, json_ref object, const char *key, uint64_t *ret) {
    int64_t value;
    json_ref ref = at(m, object, key);
    if (!json_is(&m->doc, ref, JSON_NUMBER) || !json_i64(&m->doc, ref, &value) || value < 0)
        return false;
    *ret = (uint64_t)value;
    return true;
}

static struct lsp_document *document_at(struct message *m) {
    vsr_str uri;
    return text_at(m, at(m, m->params, "textDocument"), "uri", &uri) ? lsp_document_find(&m->lsp->documents, uri)
                                                                     : NULL;
}

static bool byte_at(struct message *m, json_ref position, struct lsp_document *document, uint32_t *ret) {
    uint64_t line, character;
    if (!count_at(m, position, "line", &line) || !count_at(m, position, "character", &character))
        return false;
    *ret = lsp_byte_of(document, m->lsp->encoding, line, character);
    return true;
}

static bool range_at(struct message *m, json_ref range, struct lsp_document *document, uint32_t *ret_start,
                     uint32_t *ret_end) {
    if (!byte_at(m, at(m, range, "start"), document, ret_start) || !byte_at(m, at(m, range, "end"), document, ret_end))
        return false;
    if (*ret_end < *ret_start)
        *ret_end = *ret_start;
    return true;
}

/* ---- life of a session */

static void negotiate(struct message *m) {
    json_ref capabilities = at(m, m->params, "capabilities");
    json_ref offered = at(m, at(m, capabilities, "general"), "positionEncodings");
    json_ref hover = at(m, at(m, capabilities, "textDocument"), "hover");
    json_ref formats = at(m, hover, "contentFormat");
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

static void finish_result(struct message *m, struct json_writer *w) {
    if (!send_body(m->lsp, w, m->out))
        send_error(m->lsp, m->id, ERROR_INTERNAL, "the answer is too long", m->out);
}

static void begin_result(struct message *m, struct json_writer *w) {
    begin_body(m->lsp, w);
    write_id(w, m->id);
    json_write_key(w, VSR_STR("result"));
}

static void on_initialize(struct message *m) {
    struct json_writer w;
    if (m->lsp->state != STATE_FRESH) {
        send_error(m->lsp, m->id, ERROR_REQUEST, "initialize was sent before", m->out);
        return;
    }
    negotiate(m);
    m->lsp->state = STATE_READY;
    begin_result(m, &w);
    write_capabilities(m->lsp, &w);
    finish_result(m, &w);
}

static void on_shutdown(struct message *m) {
    struct json_writer w;
    m->lsp->state = STATE_SHUT;
    m->lsp->orderly = true;
    begin_result(m, &w);
    json_write_null(&w);
    finish_result(m, &w);
}

/* ---- documents */

static void set_version(struct message *m, struct lsp_document *document) {
    json_ref version = at(m, at(m, m->params, "textDocument"), "version");
    document->has_version = json_is(&m->doc, version, JSON_NUMBER) && json_i64(&m->doc, version, &document->version);
}

static void on_open(struct message *m) {
    json_ref item = at(m, m->params, "textDocument");
    struct lsp_document *document;
    vsr_str uri, text;
    if (!text_at(m, item, "uri", &uri) || !text_at(m, item, "text", &text) || uri.len > URI_LEN_MAX)
        return;
    document = lsp_document_open(&m->lsp->documents, uri, text);
    if (document)
        set_version(m, document);
    else
        show(m, "vsr: too many or too long documents are open; close some and open this one again");
}

static void on_close(struct message *m) {
    struct lsp_document *document = document_at(m);
    vsr_str uri;
    if (!document || !text_at(m, at(m, m->params, "textDocument"), "uri", &uri))
        return;
    lsp_document_close(&m->lsp->documents, document);
    publish(m->lsp, uri, NULL, m->out);
}

static bool change(struct message *m, struct lsp_document *document, json_ref item) {
    json_ref range = at(m, item, "range");
    uint32_t start = 0, end = (uint32_t)document->len;
    vsr_str text;
    if (!text_at(m, item, "text", &text))
        return false;
    if (range != JSON_NONE && !json_is(&m->doc, range, JSON_NULL) && !range_at(m, range, document, &start, &end))
        return false;
    return lsp_document_edit(&m->lsp->documents, document, start, end, text);
}

/* Once one change is lost, all that is said of the text would be wrong: it is given up. */
static void on_change(struct message *m) {
    struct lsp_document *document = document_at(m);
    json_ref changes = at(m, m->params, "contentChanges");
    uint64_t work = 0;
    bool good = json_is(&m->doc, changes, JSON_ARRAY);
    vsr_str uri;
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
    uri = arena_str(m->arena, str_make(document->uri, document->uri_len));
    lsp_document_close(&m->lsp->documents, document);
    publish(m->lsp, uri, NULL, m->out);
    show(m, "vsr: a change of the document was not understood, or made it too long; close it and open it again");
}

/* ---- requests about documents */

enum { WANTS_POSITION = 1, WANTS_RANGE = 2 };

static void actions(struct message *m, struct lsp_query *query) {
    lsp_actions(query, &m->doc, at(m, at(m, m->params, "context"), "only"));
}

static void on_document(struct message *m, unsigned wants, void (*answer)(struct lsp_query *)) {
    struct json_writer w;
    struct lsp_query query = { .arena = m->arena,
                               .language = m->lsp->language,
                               .document = document_at(m),
                               .encoding = m->lsp->encoding,
                               .plain = m->lsp->plain,
                               .w = &w };
    bool good = query.document != NULL;
    if (!good) {
        send_error(m->lsp, m->id, ERROR_PARAMS, "the document is not open", m->out);
        return;
    }
    if (wants & WANTS_POSITION)
        good = byte_at(m, at(m, m->params, "position"), query.document, &query.byte);
    if (wants & WANTS_RANGE)
        good = range_at(m, at(m, m->params, "range"), query.document, &query.byte, &query.end);
    if (!good) {
        send_error(m->lsp, m->id, ERROR_PARAMS, "the position is missing or malformed", m->out);
        return;
    }
    lsp_document_look(query.document, m->lsp->language);
    begin_result(m, &w);
    if (answer)
        answer(&query);
    else
        actions(m, &query);
    finish_result(m, &w);
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

static void on_request(struct message *m, vsr_str method) {
    struct lsp *lsp = m->lsp;
    if (str_eq_c(method, "initialize")) {
        on_initialize(m);
        return;
    }
    if (lsp->state == STATE_FRESH) {
        send_error(lsp, m->id, ERROR_NOT_INITIALIZED, "initialize comes first", m->out);
        return;
    }
    if (lsp->state == STATE_SHUT) {
        send_error(lsp, m->id, ERROR_REQUEST, "the server was shut down", m->out);
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
    send_error(lsp, m->id, ERROR_METHOD, "no such method", m->out);
}

static void on_notification(struct message *m, vsr_str method) {
    if (str_eq_c(method, "exit"))
        m->lsp->state = STATE_OVER;
    else if (m->lsp->state != STATE_READY)
        return;
    else if (str_eq_c(method, "textDocument/didOpen"))
        on_open(m);
    else if (str_eq_c(method, "textDocument/didChange"))
        on_change(m);
    else if (str_eq_c(method, "textDocument/didClose"))
        on_close(m);
}

static void on_message(struct message *m) {
    json_ref id = at(m, 0, "id"), method = at(m, 0, "method");
    vsr_str name;
    m->params = at(m, 0, "params");
    if (id != JSON_NONE) {
        enum json_type type = json_type_of(&m->doc, id);
        m->id = json_raw(&m->doc, id);
        if ((type != JSON_STRING && type != JSON_NUMBER) || m->id.len > ID_LEN_MAX) {
            send_error(m->lsp, VSR_STR(""), ERROR_REQUEST, "an id is a short string or a number", m->out);
            return;
        }
    }
    if (!json_is(&m->doc, method, JSON_STRING) || json_str_len(&m->doc, method) > METHOD_LEN_MAX ||
        !json_str(m->arena, &m->doc, method, &name)) {
        /* Without a method it is an answer, and nothing was asked; else it is no message. */
        if (method != JSON_NONE || id == JSON_NONE)
            send_error(m->lsp, m->id, ERROR_REQUEST, "a request is an object with a method", m->out);
        return;
    }
    if (m->id.len > 0)
        on_request(m, name);
    else
        on_notification(m, name);
}

static void read_message(struct lsp *lsp, vsr_str body, struct buf *out) {
    struct message m = { .lsp = lsp, .arena = arena_new(0, 0), .out = out };
    struct vsr_err err = VSR_ERR_NONE;
    if (json_parse(m.arena, body, &m.doc, &err) < 0)
        send_error(lsp, VSR_STR(""), ERROR_PARSE, "the message is no JSON", out);
    else
        on_message(&m);
    arena_free(m.arena);
}

/* ---- framing */

static void give_up(struct lsp *lsp, const char *fault) {
    lsp->fault = fault;
    lsp->state = STATE_OVER;
}

/* Length of the body that the header announces; false: it announces none. */
static bool read_header(vsr_str header, uint64_t *ret_len) {
    bool found = false;
    for (vsr_str rest = header; rest.ptr;) {
        vsr_str line = str_split(&rest, '\n'), name = str_split(&line, ':');
        if (!str_eq_nocase(str_trim(name), VSR_STR("Content-Length")))
            continue;
        if (found || !str_to_u64(str_trim(line), ret_len))
            return false;
        found = true;
    }
    return found;
}

/* Takes one message off the front of `bytes`; returns its length, 0 when it is not all there. */
static size_t read_frame(struct lsp *lsp, vsr_str bytes, struct buf *out) {
    vsr_str head = str_sub(bytes, 0, LSP_HEADER_LEN_MAX);
    ptrdiff_t end = str_find(head, VSR_STR("\r\n\r\n"));
    uint64_t len;
    size_t start;
    if (end < 0) {
        if (bytes.len >= LSP_HEADER_LEN_MAX)
            give_up(lsp, "the header of a message is too long");
        return 0;
    }
    if (!read_header(str_sub(bytes, 0, (size_t)end), &len)) {
        give_up(lsp, "the header of a message has no Content-Length");
        return 0;
    }
    if (len > LSP_MESSAGE_LEN_MAX) {
        give_up(lsp, "a message is longer than 32 MiB");
        return 0;
    }
    start = (size_t)end + 4;
    if (bytes.len - start < len)
        return 0;
    read_message(lsp, str_sub(bytes, start, start + (size_t)len), out);
    return start + (size_t)len;
}

static void read_frames(struct lsp *lsp, struct buf *out) {
    size_t done = 0, len;
    while (lsp->state != STATE_OVER && (len = read_frame(lsp, str_sub(buf_str(&lsp->in), done, lsp->in.len), out)) > 0)
        done += len;
    buf_consume(&lsp->in, done);
}

void lsp_feed(struct lsp *lsp, vsr_str bytes, struct buf *out) {
    enum { PIECE_LEN = 1 << 16 };
    for (size_t i = 0; i < bytes.len && lsp->state != STATE_OVER; i += PIECE_LEN) {
        if (buf_append(&lsp->in, str_sub(bytes, i, i + PIECE_LEN)) < 0)
            give_up(lsp, "there is no memory for a message");
        else
            read_frames(lsp, out);
    }
}
