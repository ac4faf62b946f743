#include "text/tokenizer_work.h"

#include "core/err.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "text/tokenizer_bpe.h"

/* All but what the BPE model remembers, whose size is fixed. */
static void free_buffers(struct tokenizer_work *work) {
    struct token_out *outs[1 + VSR_COUNT(work->texts)] = { &work->clean };
    for (size_t i = 0; i < VSR_COUNT(work->texts); i++)
        outs[1 + i] = &work->texts[i];
    for (size_t i = 0; i < VSR_COUNT(outs); i++) {
        mem_free(outs[i]->ptr);
        mem_free(outs[i]->starts);
        mem_free(outs[i]->ends);
    }
    for (int i = 0; i < 2; i++) {
        mem_free(work->chars[i].at);
        mem_free(work->spans[i].at);
    }
    mem_free(work->tokens.ids);
    mem_free(work->tokens.starts);
    mem_free(work->tokens.ends);
    mem_free(work->nodes);
    mem_free(work->stack);
    *work = (struct tokenizer_work){ .bpe = work->bpe };
}

void tokenizer_work_done(struct tokenizer_work *work) {
    free_buffers(work);
    bpe_work_free(work->bpe);
    work->bpe = NULL;
}

void tokenizer_work_trim(struct tokenizer_work *work) {
    if (work->held <= WORK_KEPT_MAX)
        return;
    free_buffers(work);
    if (work->bpe)
        bpe_work_trim(work->bpe);
}

bool token_reserve(struct tokenizer_work *work, void *array, size_t *cap, size_t size, size_t n) {
    void **place = array, *moved;
    if (n <= *cap)
        return true;
    if (n < *cap * 2)
        n = *cap * 2;
    moved = mem_try_realloc(*place, n * size);
    if (!moved) {
        work->failed = VSR_E_NOMEM;
        return false;
    }
    *place = moved;
    work->held += (n - *cap) * size;
    *cap = n;
    return true;
}

bool token_chars_reserve(struct tokenizer_work *work, struct token_chars *chars, size_t n) {
    if (n > TOKEN_TEXT_LEN_MAX) {
        work->failed = VSR_E_LIMIT;
        return false;
    }
    return token_reserve(work, &chars->at, &chars->cap, sizeof(*chars->at), n);
}

void token_chars_push(struct tokenizer_work *work, struct token_chars *chars, struct token_char c) {
    if (chars->n == chars->cap && !token_chars_reserve(work, chars, chars->n + 64))
        return;
    chars->at[chars->n++] = c;
}

bool token_out_reserve(struct tokenizer_work *work, struct token_out *out, size_t len) {
    size_t cap = out->cap, starts_cap = out->cap, ends_cap = out->cap;
    if (len > TOKEN_TEXT_LEN_MAX) {
        work->failed = VSR_E_LIMIT;
        return false;
    }
    if (!token_reserve(work, &out->ptr, &cap, 1, len) ||
        !token_reserve(work, &out->starts, &starts_cap, sizeof(uint32_t), len) ||
        !token_reserve(work, &out->ends, &ends_cap, sizeof(uint32_t), len))
        return false;
    out->cap = cap;
    return true;
}

void token_out_char(struct tokenizer_work *work, struct token_out *out, struct token_char c) {
    char bytes[4];
    size_t n = utf8_encode(c.cp, bytes);
    if (out->cap - out->len < 4 && !token_out_reserve(work, out, out->len + 64))
        return;
    for (size_t i = 0; i < n; i++) {
        out->ptr[out->len] = bytes[i];
        out->starts[out->len] = c.start;
        out->ends[out->len] = c.end;
        out->len++;
    }
}

void token_out_bytes(struct tokenizer_work *work, struct token_out *out, vsr_str bytes, uint32_t start, uint32_t end) {
    if (out->cap - out->len < bytes.len && !token_out_reserve(work, out, out->len + bytes.len + 64))
        return;
    for (size_t i = 0; i < bytes.len; i++) {
        out->ptr[out->len] = bytes.ptr[i];
        out->starts[out->len] = start;
        out->ends[out->len] = end;
        out->len++;
    }
}

void token_out_copy(struct tokenizer_work *work, struct token_out *out, const struct token_text *text, size_t start,
                    size_t end) {
    size_t len = end - start;
    if (len == 0 || (out->cap - out->len < len && !token_out_reserve(work, out, out->len + len + 64)))
        return;
    memcpy(out->ptr + out->len, text->ptr + start, len);
    if (text->starts) {
        memcpy(out->starts + out->len, text->starts + start, len * sizeof(uint32_t));
        memcpy(out->ends + out->len, text->ends + start, len * sizeof(uint32_t));
        out->len += len;
        return;
    }
    for (size_t i = start; i < end;) {
        size_t n = token_char_len(text->ptr[i]);
        for (size_t k = 0; k < n; k++) {
            out->starts[out->len] = text->origin + (uint32_t)i;
            out->ends[out->len] = text->origin + (uint32_t)(i + n);
            out->len++;
        }
        i += n;
    }
}

struct token_text token_out_text(const struct token_out *out) {
    return (struct token_text){ .ptr = out->ptr, .len = out->len, .starts = out->starts, .ends = out->ends };
}

struct token_out *token_out_next(struct tokenizer_work *work) {
    struct token_out *out = &work->texts[work->stage * 2 + work->turn];
    work->turn ^= 1;
    out->len = 0;
    (void)token_out_reserve(work, out, 64);
    return out;
}

bool token_list_reserve(struct tokenizer_work *work, struct token_list *list, size_t more) {
    size_t n = list->n + more, ids_cap = list->cap, starts_cap = list->cap, ends_cap = list->cap;
    n = n < 1024 ? 1024 : n;
    if (!token_reserve(work, &list->ids, &ids_cap, sizeof(uint32_t), n) ||
        !token_reserve(work, &list->starts, &starts_cap, sizeof(uint32_t), n) ||
        !token_reserve(work, &list->ends, &ends_cap, sizeof(uint32_t), n))
        return false;
    list->cap = ids_cap;
    return true;
}
