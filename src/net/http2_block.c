#include "net/http2_block.h"

#include <string.h>

#include "core/mem.h"

enum { BLOCK_KEEP_LEN = 4 << 10 };

void http2_block_init(struct http2_block *block) {
    *block = (struct http2_block){ .open = false };
    buf_init(&block->bytes, HTTP2_LIST_LEN_MAX);
}

void http2_block_done(struct http2_block *block) {
    buf_done(&block->bytes);
}

void http2_block_begin(struct http2_block *block, int32_t stream_id, uint64_t now_ms) {
    buf_reset(&block->bytes);
    block->list_len = block->n_fields = 0;
    block->bad = block->too_large = false;
    block->open = true;
    block->stream_id = stream_id;
    block->since_ms = now_ms;
}

void http2_block_end(struct http2_block *block) {
    block->open = false;
    if (block->bytes.cap > BLOCK_KEEP_LEN)
        buf_done(&block->bytes);
    buf_reset(&block->bytes);
}

void http2_fields_put(struct buf *out, vsr_str name, vsr_str value) {
    uint32_t lens[2] = { (uint32_t)name.len, (uint32_t)value.len };
    (void)buf_append(out, str_make((const char *)lens, sizeof(lens)));
    (void)buf_append(out, name);
    (void)buf_append(out, value);
}

bool http2_fields_next(vsr_str bytes, size_t *pos, struct http1_field *ret_field) {
    uint32_t lens[2];
    if (*pos >= bytes.len)
        return false;
    memcpy(lens, bytes.ptr + *pos, sizeof(lens));
    *pos += sizeof(lens);
    ret_field->name = str_make(bytes.ptr + *pos, lens[0]);
    *pos += lens[0];
    ret_field->value = str_make(bytes.ptr + *pos, lens[1]);
    *pos += lens[1];
    return true;
}

bool http2_block_add(struct http2_block *block, vsr_str name, vsr_str value) {
    bool pseudo = name.len > 0 && name.ptr[0] == ':';
    block->list_len += name.len + value.len + HTTP2_FIELD_COST;
    if (block->list_len > HTTP2_LIST_LEN_HOSTILE)
        return false;
    if (!http1_value_ok(value) || !(pseudo || http1_name_ok(name)))
        block->bad = true;
    if (block->list_len > HTTP2_LIST_LEN_MAX || (!pseudo && block->n_fields == HTTP1_FIELDS_MAX))
        block->too_large = true;
    if (block->bad || block->too_large)
        return true;
    block->n_fields += !pseudo;
    http2_fields_put(&block->bytes, name, value); /* the bound is the list's, which counts more for each field */
    return true;
}

/* ---- heads */

static const vsr_str cookie_name = VSR_STR_INIT("cookie"), cookie_glue = VSR_STR_INIT("; ");

struct pseudo {
    vsr_str method, path, authority, host;
    size_t n_hosts;
};

static void read_pseudo(const struct http2_block *block, struct pseudo *ret) {
    struct http1_field field;
    *ret = (struct pseudo){ .n_hosts = 0 };
    for (size_t pos = 0; http2_fields_next(buf_str(&block->bytes), &pos, &field);) {
        if (str_eq(field.name, VSR_STR(":method")))
            ret->method = field.value;
        else if (str_eq(field.name, VSR_STR(":path")))
            ret->path = field.value;
        else if (str_eq(field.name, VSR_STR(":authority")))
            ret->authority = field.value;
        else if (str_eq(field.name, VSR_STR("host")) && ret->n_hosts++ == 0)
            ret->host = field.value;
    }
}

/* The fields that stay, copied behind the array of them. */
struct writer {
    struct http1_field *fields;
    size_t n;
    char *bytes;
};

static vsr_str copy(struct writer *w, vsr_str text) {
    char *start = w->bytes;
    if (text.len)
        memcpy(start, text.ptr, text.len);
    w->bytes += text.len;
    return str_make(start, text.len);
}

static void write_field(struct writer *w, vsr_str name, vsr_str value) {
    struct http1_field *field = &w->fields[w->n++];
    field->name = copy(w, name);
    field->value = copy(w, value);
}

static void write_cookies(struct writer *w, const struct http2_block *block) {
    struct http1_field *joined = &w->fields[w->n++], field;
    char *start;
    joined->name = copy(w, cookie_name);
    start = w->bytes;
    for (size_t pos = 0; http2_fields_next(buf_str(&block->bytes), &pos, &field);) {
        if (!str_eq(field.name, cookie_name))
            continue;
        if (w->bytes != start)
            (void)copy(w, cookie_glue);
        (void)copy(w, field.value);
    }
    joined->value = str_make(start, (size_t)(w->bytes - start));
}

static void write_fields(struct writer *w, const struct http2_block *block) {
    struct http1_field field;
    bool cookies = false;
    for (size_t pos = 0; http2_fields_next(buf_str(&block->bytes), &pos, &field);) {
        if (field.name.ptr[0] == ':' || str_eq(field.name, VSR_STR("host")))
            continue;
        if (!str_eq(field.name, cookie_name))
            write_field(w, field.name, field.value);
        else if (!cookies)
            write_cookies(w, block);
        cookies = cookies || str_eq(field.name, cookie_name);
    }
}

static int refuse(const char **ret_why, int status, const char *why) {
    *ret_why = why;
    return status;
}

static int read_expect(struct http1_head *head, const char **ret_why) {
    vsr_str expect = http1_field(head, VSR_STR("expect"));
    if (!expect.ptr)
        return 0;
    head->expect_continue = str_eq_nocase(expect, VSR_STR("100-continue"));
    return head->expect_continue ? 0 : refuse(ret_why, 417, "the expectation is not known");
}

static int read_length(struct http1_head *head) {
    vsr_str length = http1_field(head, VSR_STR("content-length"));
    head->has_length = length.ptr != NULL;
    return !head->has_length || (str_to_u64(length, &head->length) && head->length <= INT64_MAX) ? 0 : -1;
}

/* What HTTP/1.1's parser answers with the same words. */
static int judge(const struct http2_block *block, struct http1_head *head, vsr_str host, const char **ret_why) {
    if (block->too_large)
        return refuse(ret_why, 431, "the request head is too large");
    if (str_eq(head->method, VSR_STR("CONNECT")))
        return refuse(ret_why, 501, "CONNECT is not supported");
    if (head->method.len > HTTP1_METHOD_LEN_MAX)
        return refuse(ret_why, 501, "the method is too long");
    if (head->target.len > HTTP1_TARGET_LEN_MAX)
        return refuse(ret_why, 414, "the request target is too long");
    if (!http1_target_ok(head->target))
        return refuse(ret_why, 400, "the request target is malformed");
    if (host.len && !http1_host_ok(host))
        return refuse(ret_why, 400, "the authority is malformed");
    return read_expect(head, ret_why);
}

int http2_block_head(const struct http2_block *block, struct http1_head *ret_head, void **ret_memory,
                     const char **ret_why) {
    struct pseudo pseudo;
    struct writer w = { .n = 0 };
    struct http1_head head = { .minor_version = 1, .keep_alive = true };
    vsr_str host;
    read_pseudo(block, &pseudo);
    host = pseudo.authority.ptr ? pseudo.authority : pseudo.host;
    if (block->bad || pseudo.n_hosts > 1 || (pseudo.n_hosts && !str_eq_nocase(pseudo.host, host)))
        return -1;
    /* `host` may be new; all else was in the block, whose eight bytes beside each field outweigh what joins cookies. */
    *ret_memory =
        mem_alloc((block->n_fields + 1) * sizeof(struct http1_field) + block->bytes.len + sizeof("host") + host.len);
    w.fields = *ret_memory;
    w.bytes = (char *)(w.fields + block->n_fields + 1);
    head.fields = w.fields;
    head.method = copy(&w, pseudo.method);
    head.target = copy(&w, pseudo.path);
    if (host.len)
        write_field(&w, VSR_STR("host"), host);
    write_fields(&w, block);
    head.n_fields = w.n;
    if (read_length(&head) < 0) {
        mem_free(*ret_memory);
        *ret_memory = NULL;
        return -1;
    }
    *ret_head = head;
    return judge(block, ret_head, host, ret_why);
}
