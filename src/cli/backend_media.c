#include "cli/backend_media.h"

#include <math.h>

#include "cli/backend_dialect.h"
#include "core/arena.h"
#include "core/base64.h"
#include "core/buf.h"
#include "core/json_write.h"

enum { PNG_LEN_MAX = 256 };

#define INVALID "invalid_request_error"

/* ---- embeddings */

/* Component `index` before scaling, in [-1, 1). */
static double component(uint64_t hash, uint64_t index) {
    uint64_t z = hash + index * 0x9e3779b97f4a7c15u; /* splitmix64, as backend_random() */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / 4503599627370496.0 - 1; /* 2^52 */
}

static void write_embedding(vsr_str text, uint64_t dimensions, bool base64, struct buf *out) {
    uint64_t hash = str_hash(text, 0);
    float values[BACKEND_EMBEDDING_DIMENSIONS_MAX];
    double sum = 0;
    for (uint64_t i = 0; i < dimensions; i++)
        sum += component(hash, i) * component(hash, i);
    for (uint64_t i = 0; i < dimensions; i++)
        values[i] = (float)(component(hash, i) / sqrt(sum));
    if (base64) {
        buf_append_char(out, '"');
        base64_write(out, str_make((const char *)values, dimensions * sizeof(*values))); /* little-endian, as this is */
        buf_append_char(out, '"');
        return;
    }
    buf_append_char(out, '[');
    for (uint64_t i = 0; i < dimensions; i++)
        buf_printf(out, "%s%.9g", i ? "," : "", (double)values[i]);
    buf_append_char(out, ']');
}

struct embedder {
    struct arena *arena;
    struct json_doc doc;
    uint64_t dimensions;
    bool base64;
    uint64_t n, n_tokens;
    struct buf *out;
};

/* A text, or a list of tokens. */
static bool embed(struct embedder *e, json_ref input) {
    vsr_str text = json_raw(&e->doc, input);
    if (json_is(&e->doc, input, JSON_STRING) && !json_str(e->arena, &e->doc, input, &text))
        return false;
    if (text.len == 0 || e->n == BACKEND_EMBEDDING_INPUTS_MAX)
        return false;
    e->n_tokens += json_is(&e->doc, input, JSON_ARRAY) ? json_count(&e->doc, input) : backend_prompt_tokens(text.len);
    buf_printf(e->out, "%s{\"object\":\"embedding\",\"index\":%llu,\"embedding\":", e->n ? "," : "",
               (unsigned long long)e->n);
    write_embedding(text, e->dimensions, e->base64, e->out);
    buf_append_char(e->out, '}');
    e->n++;
    return true;
}

/* A string, tokens, a list of strings or a list of lists of tokens. */
static bool embed_all(struct embedder *e) {
    json_ref input = json_get(&e->doc, 0, VSR_STR("input"));
    json_ref first = json_is(&e->doc, input, JSON_ARRAY) ? json_first(&e->doc, input) : JSON_NONE;
    if (json_is(&e->doc, input, JSON_STRING) || json_is(&e->doc, first, JSON_NUMBER))
        return embed(e, input);
    for (json_ref item = first; item != JSON_NONE; item = json_next(&e->doc, input, item))
        if (!(json_is(&e->doc, item, JSON_STRING) || json_is(&e->doc, item, JSON_ARRAY)) || !embed(e, item))
            return false;
    return first != JSON_NONE;
}

bool backend_embeddings(struct arena *arena, vsr_str body, struct buf *out, struct backend_refusal *ret_refusal) {
    struct embedder e = { .arena = arena, .out = out };
    vsr_str model;
    if (!backend_parse(arena, body, &e.doc, ret_refusal))
        return false;
    model = backend_text(arena, &e.doc, 0, "model");
    e.base64 = backend_is(&e.doc, 0, "encoding_format", "base64");
    e.dimensions = backend_count(&e.doc, 0, "dimensions");
    if (e.dimensions == 0)
        e.dimensions = BACKEND_EMBEDDING_DIMENSIONS;
    if (model.len == 0)
        return backend_refuse(ret_refusal, 400, INVALID, VSR_STR("you must provide a model parameter"));
    if (e.dimensions > BACKEND_EMBEDDING_DIMENSIONS_MAX)
        return backend_refuse(ret_refusal, 400, INVALID, VSR_STR("dimensions is too large"));
    buf_append_c(out, "{\"object\":\"list\",\"data\":[");
    if (!embed_all(&e))
        return backend_refuse(ret_refusal, 400, INVALID, VSR_STR("'$.input' is invalid"));
    buf_append_c(out, "],\"model\":");
    json_quote(out, model);
    buf_printf(out, ",\"usage\":{\"prompt_tokens\":%llu,\"total_tokens\":%llu}}", (unsigned long long)e.n_tokens,
               (unsigned long long)e.n_tokens);
    return true;
}

/* ---- pictures */

static void put_u32(struct buf *out, uint32_t value) {
    char bytes[] = { (char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value };
    buf_append(out, str_make(bytes, sizeof(bytes)));
}

/* As PNG and zlib have it: reflected 0xedb88320. */
static uint32_t crc32_of(vsr_str bytes) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static uint32_t adler32_of(vsr_str bytes) {
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        a = (a + (unsigned char)bytes.ptr[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

/* `type` and its data, four letters and up. */
static void put_chunk(struct buf *out, vsr_str chunk) {
    put_u32(out, (uint32_t)chunk.len - 4);
    buf_append(out, chunk);
    put_u32(out, crc32_of(chunk));
}

/* One pixel of the prompt's colour, its row stored without compression. */
void backend_picture(vsr_str prompt, struct buf *out) {
    uint64_t hash = str_hash(prompt, 0);
    const char row[] = { 0, (char)hash, (char)(hash >> 8), (char)(hash >> 16) }; /* no filter; red, green, blue */
    vsr_str pixels = str_make(row, sizeof(row));
    struct buf png, data;
    buf_init(&png, PNG_LEN_MAX);
    buf_init(&data, PNG_LEN_MAX);
    buf_append(&png, VSR_STR("\x89PNG\r\n\x1a\n"));
    put_chunk(&png, VSR_STR("IHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0"));
    buf_append(&data, VSR_STR("IDAT\x78\x01\x01\x04\x00\xfb\xff"));
    buf_append(&data, pixels);
    put_u32(&data, adler32_of(pixels));
    put_chunk(&png, buf_str(&data));
    put_chunk(&png, VSR_STR("IEND"));
    base64_write(out, buf_str(&png));
    buf_done(&png);
    buf_done(&data);
}

bool backend_images(struct arena *arena, vsr_str body, uint64_t created_s, struct buf *out,
                    struct backend_refusal *ret_refusal) {
    struct json_doc doc;
    vsr_str prompt;
    uint64_t n;
    bool url;
    if (!backend_parse(arena, body, &doc, ret_refusal))
        return false;
    prompt = backend_text(arena, &doc, 0, "prompt");
    n = backend_count(&doc, 0, "n");
    n = n ? n : 1;
    url = backend_is(&doc, 0, "response_format", "url");
    if (prompt.len == 0)
        return backend_refuse(ret_refusal, 400, INVALID, VSR_STR("Missing required parameter: 'prompt'."));
    if (n > BACKEND_IMAGES_MAX)
        return backend_refuse(ret_refusal, 400, INVALID, VSR_STR("n is larger than 10"));
    buf_printf(out, "{\"created\":%llu,\"data\":[", (unsigned long long)created_s);
    for (uint64_t i = 0; i < n; i++) {
        buf_printf(out, "%s{\"%s\":\"%s", i ? "," : "", url ? "url" : "b64_json", url ? "data:image/png;base64," : "");
        backend_picture(prompt, out);
        buf_append_c(out, "\"}");
    }
    buf_printf(out, "],\"usage\":{\"input_tokens\":%llu,\"output_tokens\":%llu,\"total_tokens\":%llu}}",
               (unsigned long long)backend_prompt_tokens(prompt.len), (unsigned long long)n,
               (unsigned long long)backend_prompt_tokens(prompt.len) + n);
    return true;
}
