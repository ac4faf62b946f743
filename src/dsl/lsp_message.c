#include "dsl/lsp_message.h"

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

void lsp_send_error(struct lsp *lsp, vsr_str id, int code, const char *text, struct buf *out) {
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

void lsp_show(struct lsp *lsp, const char *text, struct buf *out) {
    struct json_writer w;
    begin_body(lsp, &w);
    lsp_write_member(&w, "method", VSR_STR("window/showMessage"));
    json_write_key(&w, VSR_STR("params"));
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("type"));
    json_write_i64(&w, 1);
    lsp_write_member(&w, "message", str_from_c(text));
    json_write_end(&w);
    (void)send_body(lsp, &w, out);
}

void lsp_publish(struct lsp *lsp, vsr_str uri, struct lsp_document *document, struct buf *out) {
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

void lsp_begin_result(struct lsp_message *m, struct json_writer *w) {
    begin_body(m->lsp, w);
    write_id(w, m->id);
    json_write_key(w, VSR_STR("result"));
}

void lsp_finish_result(struct lsp_message *m, struct json_writer *w) {
    if (!send_body(m->lsp, w, m->out))
        lsp_send_error(m->lsp, m->id, LSP_ERROR_INTERNAL, "the answer is too long", m->out);
}

/* ---- parameters */

json_ref lsp_param(const struct lsp_message *m, json_ref object, const char *key) {
    return json_is(&m->doc, object, JSON_OBJECT) ? json_get(&m->doc, object, str_from_c(key)) : JSON_NONE;
}

bool lsp_param_text(struct lsp_message *m, json_ref object, const char *key, vsr_str *ret) {
    json_ref ref = lsp_param(m, object, key);
    return json_is(&m->doc, ref, JSON_STRING) && json_str(m->arena, &m->doc, ref, ret);
}

/* Numbers of positions: not negative; what is too great is beyond every text. */
static bool count_at(const struct lsp_message *m, json_ref object, const char *key, uint64_t *ret) {
    int64_t value;
    json_ref ref = lsp_param(m, object, key);
    if (!json_is(&m->doc, ref, JSON_NUMBER) || !json_i64(&m->doc, ref, &value) || value < 0)
        return false;
    *ret = (uint64_t)value;
    return true;
}

struct lsp_document *lsp_param_document(struct lsp_message *m) {
    vsr_str uri;
    return lsp_param_text(m, lsp_param(m, m->params, "textDocument"), "uri", &uri)
               ? lsp_document_find(&m->lsp->documents, uri)
               : NULL;
}

bool lsp_param_byte(struct lsp_message *m, json_ref position, struct lsp_document *document, uint32_t *ret) {
    uint64_t line, character;
    if (!count_at(m, position, "line", &line) || !count_at(m, position, "character", &character))
        return false;
    *ret = lsp_byte_of(document, m->lsp->encoding, line, character);
    return true;
}

bool lsp_param_range(struct lsp_message *m, json_ref range, struct lsp_document *document, uint32_t *ret_start,
                     uint32_t *ret_end) {
    if (!lsp_param_byte(m, lsp_param(m, range, "start"), document, ret_start) ||
        !lsp_param_byte(m, lsp_param(m, range, "end"), document, ret_end))
        return false;
    if (*ret_end < *ret_start)
        *ret_end = *ret_start;
    return true;
}
