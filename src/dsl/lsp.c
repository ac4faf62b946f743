/* lsp - the session: its life, and the framing of messages. */
#include "dsl/lsp.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/mem.h"
#include "dsl/lsp_message.h"

struct lsp *lsp_new(const struct language *language) {
    struct lsp *lsp = MEM_NEW(struct lsp);
    lsp->language = language;
    buf_init(&lsp->in, (size_t)LSP_HEADER_LEN_MAX + LSP_MESSAGE_LEN_MAX + (1 << 20));
    buf_init(&lsp->body, LSP_OUTPUT_LEN_MAX);
    buf_init(&lsp->wanted_base, LSP_BASE_LEN_MAX);
    return lsp;
}

void lsp_free(struct lsp *lsp) {
    while (lsp->documents.n > 0)
        lsp_document_close(&lsp->documents, lsp->documents.items[0]);
    buf_done(&lsp->in);
    buf_done(&lsp->body);
    buf_done(&lsp->wanted_base);
    mem_free(lsp);
}

bool lsp_is_over(const struct lsp *lsp, bool *ret_orderly, const char **ret_fault) {
    *ret_orderly = lsp->orderly;
    *ret_fault = lsp->fault;
    return lsp->state == LSP_OVER;
}

/* ---- framing */

enum { ESCAPE_LEN = 6 }; /* \ud83d */

/* The UTF-16 unit of the escape at the front, as `\u` and four digits. */
static bool escaped_unit(vsr_str text, unsigned *ret_unit) {
    unsigned unit = 0;
    if (text.len < ESCAPE_LEN || text.ptr[0] != '\\' || text.ptr[1] != 'u')
        return false;
    for (size_t i = 2; i < ESCAPE_LEN; i++) {
        char c = ascii_lower(text.ptr[i]);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        unit = unit << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret_unit = unit;
    return true;
}

/*
 * Editors whose texts are UTF-16 may send half of a pair, which no JSON is, but is what was typed. In its place comes
 * U+FFFD: also one unit, so that positions stay what they are. The escapes are as long as each other.
 */
static vsr_str mend_surrogates(struct arena *arena, vsr_str body) {
    static const char mended[] = "\\ufffd";
    char *text = arena_alloc(arena, body.len + 1);
    unsigned unit, low;
    if (body.len > 0)
        memcpy(text, body.ptr, body.len);
    for (size_t i = 0; i + 1 < body.len; i++) {
        vsr_str rest = str_sub(body, i, body.len);
        if (body.ptr[i] != '\\')
            continue;
        if (!escaped_unit(rest, &unit)) {
            i++;
            continue;
        }
        i += ESCAPE_LEN - 1;
        if (unit < 0xD800 || unit > 0xDFFF)
            continue;
        if (unit < 0xDC00 && escaped_unit(str_sub(rest, ESCAPE_LEN, rest.len), &low) && low >= 0xDC00 && low <= 0xDFFF)
            i += ESCAPE_LEN;
        else
            memcpy(text + i + 1 - ESCAPE_LEN, mended, ESCAPE_LEN);
    }
    return str_make(text, body.len);
}

static void read_message(struct lsp *lsp, vsr_str body, struct buf *out) {
    struct lsp_message m = { .lsp = lsp, .arena = arena_new(0, 0), .out = out };
    struct vsr_err err = VSR_ERR_NONE;
    int rc = json_parse(m.arena, body, &m.doc, &err);
    if (rc < 0)
        rc = json_parse(m.arena, mend_surrogates(m.arena, body), &m.doc, &err);
    if (rc == 0) {
        lsp_answer(&m);
    } else {
        lsp_send_error(lsp, VSR_STR(""), LSP_ERROR_PARSE, "the message is no JSON", out);
        lsp_give_up_all(&m);
    }
    arena_free(m.arena);
}

static void give_up(struct lsp *lsp, const char *fault) {
    lsp->fault = fault;
    lsp->state = LSP_OVER;
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
    while (lsp->state != LSP_OVER && (len = read_frame(lsp, str_sub(buf_str(&lsp->in), done, lsp->in.len), out)) > 0)
        done += len;
    buf_consume(&lsp->in, done);
}

void lsp_feed(struct lsp *lsp, vsr_str bytes, struct buf *out) {
    enum { PIECE_LEN = 1 << 16 };
    for (size_t i = 0; i < bytes.len && lsp->state != LSP_OVER; i += PIECE_LEN) {
        if (buf_append(&lsp->in, str_sub(bytes, i, i + PIECE_LEN)) < 0)
            give_up(lsp, "there is no memory for a message");
        else
            read_frames(lsp, out);
    }
}
