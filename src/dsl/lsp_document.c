/* lsp_document - the texts that an editor has open, and where things stand in them as the editor counts. */
#include "core/arena.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "dsl/examine.h"
#include "dsl/loading.h"
#include "dsl/lsp_parts.h"
#include "dsl/prove_program.h"

/* ---- documents */

struct lsp_document *lsp_document_find(const struct lsp_documents *documents, vsr_str uri) {
    for (size_t i = 0; i < documents->n; i++)
        if (str_eq(str_make(documents->items[i]->uri, documents->items[i]->uri_len), uri))
            return documents->items[i];
    return NULL;
}

void lsp_document_forget(struct lsp_document *document) {
    if (document->arena)
        arena_free(document->arena);
    document->arena = NULL;
    document->unsettled = true;
    document->proved = false;
}

static char *copy(vsr_str text) {
    char *bytes = mem_try_realloc(NULL, text.len + 1);
    if (!bytes)
        return NULL;
    if (text.len > 0)
        memcpy(bytes, text.ptr, text.len);
    bytes[text.len] = '\0';
    return bytes;
}

static void release(struct lsp_document *document) {
    if (document->arena)
        arena_free(document->arena);
    mem_free(document->uri);
    mem_free(document->text);
    mem_free(document);
}

struct lsp_document *lsp_document_open(struct lsp_documents *documents, vsr_str uri, vsr_str text) {
    struct lsp_document *document = lsp_document_find(documents, uri);
    if (document)
        return lsp_document_edit(documents, document, 0, document->len, text) ? document : NULL;
    if (documents->n == LSP_DOCUMENTS_MAX || text.len > LSP_TEXTS_LEN_MAX - documents->len)
        return NULL;
    document = MEM_NEW(struct lsp_document);
    document->uri = copy(uri);
    document->uri_len = uri.len;
    document->text = copy(text);
    document->len = text.len;
    document->unsettled = true;
    if (!document->uri || !document->text) {
        release(document);
        return NULL;
    }
    documents->items[documents->n++] = document;
    documents->len += text.len;
    return document;
}

void lsp_document_close(struct lsp_documents *documents, struct lsp_document *document) {
    for (size_t i = 0; i < documents->n; i++)
        if (documents->items[i] == document) {
            documents->items[i] = documents->items[--documents->n];
            documents->len -= document->len;
            release(document);
            return;
        }
}

bool lsp_document_edit(struct lsp_documents *documents, struct lsp_document *document, size_t start, size_t end,
                       vsr_str text) {
    size_t kept = document->len - (end - start);
    char *bytes;
    if (text.len > LSP_MESSAGE_LEN_MAX || kept + text.len > LSP_MESSAGE_LEN_MAX ||
        documents->len - (end - start) + text.len > LSP_TEXTS_LEN_MAX)
        return false;
    bytes = mem_try_realloc(NULL, kept + text.len + 1);
    if (!bytes)
        return false;
    memcpy(bytes, document->text, start);
    if (text.len > 0)
        memcpy(bytes + start, text.ptr, text.len);
    memcpy(bytes + start + text.len, document->text + end, document->len - end);
    bytes[kept + text.len] = '\0';
    documents->len = documents->len - document->len + kept + text.len;
    mem_free(document->text);
    document->text = bytes;
    document->len = kept + text.len;
    lsp_document_forget(document);
    return true;
}

/* ---- looking */

/* The protocol ends lines with LF, CR LF or CR. */
static bool ends_line(vsr_str text, size_t i) {
    return text.ptr[i] == '\n' || (text.ptr[i] == '\r' && (i + 1 == text.len || text.ptr[i + 1] != '\n'));
}

static void find_lines(struct lsp_document *document) {
    vsr_str text = lsp_text(document);
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += ends_line(text, i);
    document->lines = ARENA_ARRAY(document->arena, uint32_t, n);
    document->n_lines = 1;
    for (size_t i = 0; i < text.len; i++)
        if (ends_line(text, i))
            document->lines[document->n_lines++] = (uint32_t)(i + 1);
}

/* Edits of one message need the lines and nothing else. */
static void begin(struct lsp_document *document) {
    if (document->arena)
        return;
    document->arena = arena_new(0, 0);
    document->last = (struct lsp_place){ 0 };
    document->parsed = (struct dsl_parsed){ 0 };
    find_lines(document);
}

void lsp_document_look(struct lsp_document *document, const struct language *language, const struct yaml_node *base) {
    begin(document);
    if (document->parsed.tokens.n > 0)
        return;
    findings_init(&document->findings, document->arena);
    findings_init(&document->proofs, document->arena);
    dsl_parse(document->arena, lsp_text(document), &document->parsed, &document->findings);
    document->has_syntax_errors = document->findings.n_of[FINDING_ERROR] > 0;
    document->compiled = dsl_examine(document->arena, language, &document->parsed, base, &document->findings);
    if (document->len <= LSP_PROVE_LEN_MAX)
        (void)dsl_check_loading(language, &document->parsed, document->compiled, &(struct dsl_base_of){ .root = base },
                                &document->findings);
    findings_sort(&document->findings);
}

/* What is wrong is told before; what is long would keep the editor waiting while it is loaded. */
void lsp_document_prove(struct lsp_document *document, const struct language *language, const struct yaml_node *base,
                        const struct prove_options *options) {
    const size_t *n_of = document->findings.n_of;
    findings_init(&document->proofs, document->arena);
    if (n_of[FINDING_ERROR] + n_of[FINDING_CONSTRAINT] > 0 || document->len > LSP_PROVE_LEN_MAX)
        return;
    (void)dsl_prove_program(document->arena, language, document->compiled, base, options, &document->proofs, NULL);
    findings_sort(&document->proofs);
}

/* ---- places */

static uint32_t units(enum lsp_encoding encoding, uint32_t cp, size_t n_bytes) {
    if (encoding == LSP_UTF8)
        return (uint32_t)n_bytes;
    return encoding == LSP_UTF16 && cp != UTF8_INVALID && cp > 0xFFFF ? 2 : 1;
}

/* End of a line without what ends it. */
static size_t line_end(const struct lsp_document *document, size_t line) {
    size_t end = line + 1 < document->n_lines ? document->lines[line + 1] : document->len;
    if (line + 1 == document->n_lines)
        return end;
    if (end > document->lines[line] && document->text[end - 1] == '\n')
        end--;
    if (end > document->lines[line] && document->text[end - 1] == '\r')
        end--;
    return end;
}

uint32_t lsp_byte_of(struct lsp_document *document, enum lsp_encoding encoding, uint64_t line, uint64_t character) {
    vsr_str text = lsp_text(document);
    size_t at, end;
    uint64_t seen = 0;
    begin(document);
    if (line >= document->n_lines)
        return (uint32_t)document->len;
    at = document->lines[line];
    end = line_end(document, (size_t)line);
    while (at < end && seen < character) {
        size_t next = at;
        uint32_t cp = utf8_next(text, &next);
        seen += units(encoding, cp, next - at);
        if (seen > character) /* inside of a code point: before it */
            break;
        at = next;
    }
    return (uint32_t)at;
}

static size_t line_of(const struct lsp_document *document, uint32_t byte) {
    size_t low = 0, high = document->n_lines;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (document->lines[mid] <= byte)
            low = mid;
        else
            high = mid;
    }
    return low;
}

struct lsp_place lsp_place_of(struct lsp_document *document, enum lsp_encoding encoding, uint32_t byte) {
    vsr_str text = lsp_text(document);
    struct lsp_place place;
    begin(document);
    if (byte > document->len)
        byte = (uint32_t)document->len;
    place.line = (uint32_t)line_of(document, byte);
    place.byte = document->lines[place.line];
    place.character = 0;
    /* A long line is walked once, not once for each of its places. */
    if (document->encoding == encoding && document->last.line == place.line && document->last.byte >= place.byte &&
        document->last.byte <= byte)
        place = document->last;
    while (place.byte < byte) {
        size_t next = place.byte;
        uint32_t cp = utf8_next(text, &next);
        if (next > byte)
            break;
        place.character += units(encoding, cp, next - place.byte);
        place.byte = (uint32_t)next;
    }
    document->last = place;
    document->encoding = encoding;
    return place;
}
