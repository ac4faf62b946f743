#include "evidence/http_embeddings.h"

#include <math.h>

#include "core/arena.h"
#include "core/bits.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "evidence/remote.h"
#include "evidence/unit_vector.h"

enum { SCRATCH_LEN = 64 << 10 };

void http_embeddings_write(struct buf *out, vsr_str model, const vsr_str *texts, size_t n_texts, size_t dimensions) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("model"));
    json_write_str(&w, model);
    json_write_key(&w, VSR_STR("input"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < n_texts; i++)
        json_write_str(&w, texts[i]);
    json_write_end(&w);
    if (dimensions > 0) {
        json_write_key(&w, VSR_STR("dimensions"));
        json_write_u64(&w, dimensions);
    }
    json_write_end(&w);
}

/* ---- reading */

struct http_embeddings {
    struct arena *arena; /* of the answer, its text included */
    struct json_doc doc;
    size_t n_texts, dims; /* 0: not known yet */
    float *numbers;
    uint64_t *seen;    /* bit per text */
    bool zeros_mean_0; /* else servers leave the index at 0, and it says nothing */
    json_ref data;
    json_ref item;          /* the present one; JSON_NONE: all were read */
    json_ref node;          /* the number of it that is next; JSON_NONE behind the last */
    size_t place, index, n; /* of the item, of its text, of the numbers before `node` */
    struct vsr_err *err;    /* of the present call */
};

static bool is_zero(const struct json_doc *doc, json_ref item) {
    int64_t index;
    return json_i64(doc, json_get(doc, item, VSR_STR("index")), &index) && index == 0;
}

/* The text that the present item belongs to. */
static int read_index(struct http_embeddings *r) {
    json_ref node = json_get(&r->doc, r->item, VSR_STR("index"));
    int64_t index = (int64_t)r->place;
    if (node != JSON_NONE && !json_i64(&r->doc, node, &index))
        return err_set(r->err, VSR_E_INVALID, "data[%zu].index is no integer", r->place);
    if (index < 0 || (uint64_t)index >= r->n_texts)
        return err_set(r->err, VSR_E_INVALID, "data[%zu].index is %lld, of %zu texts", r->place, (long long)index,
                       r->n_texts);
    if (index == 0 && !r->zeros_mean_0)
        index = (int64_t)r->place;
    if (bits_has(r->seen, (size_t)index))
        return err_set(r->err, VSR_E_INVALID, "data[%zu].index is %lld, which another vector has", r->place,
                       (long long)index);
    bits_add(r->seen, (size_t)index);
    r->index = (size_t)index;
    return 0;
}

static int normalise(struct http_embeddings *r) {
    double length;
    if (!unit_vector(r->numbers + r->index * r->dims, r->dims, &length))
        return err_set(r->err, VSR_E_INVALID, "data[%zu].embedding has no direction: its length is %g", r->place,
                       length);
    return 0;
}

/* The first vector tells how long all are, and makes room for them. */
static int settle_dims(struct http_embeddings *r, size_t n) {
    if (n == 0)
        return err_set(r->err, VSR_E_INVALID, "data[%zu].embedding is empty", r->place);
    if (n > REMOTE_DIMS_MAX)
        return err_set(r->err, VSR_E_LIMIT, "data[%zu].embedding has more than %d numbers", r->place, REMOTE_DIMS_MAX);
    if (r->dims > 0 && n != r->dims)
        return err_set(r->err, VSR_E_INVALID, "data[%zu].embedding has %zu numbers, expected %zu", r->place, n,
                       r->dims);
    r->dims = n;
    if (!r->numbers)
        r->numbers = mem_try_realloc(NULL, r->n_texts * n * sizeof(float));
    return r->numbers ? 0 : err_set(r->err, VSR_E_NOMEM, "no memory for %zu vectors of %zu numbers", r->n_texts, n);
}

static int begin_item(struct http_embeddings *r) {
    json_ref embedding = json_get(&r->doc, r->item, VSR_STR("embedding"));
    int rc = read_index(r);
    if (rc < 0)
        return rc;
    if (!json_is(&r->doc, embedding, JSON_ARRAY))
        return err_set(r->err, VSR_E_INVALID, "data[%zu].embedding is no list of numbers", r->place);
    r->node = json_first(&r->doc, embedding);
    r->n = 0;
    return settle_dims(r, json_count(&r->doc, embedding));
}

static int end_item(struct http_embeddings *r) {
    int rc = normalise(r);
    r->item = json_next(&r->doc, r->data, r->item);
    r->place++;
    return rc;
}

static int read_number(struct http_embeddings *r, json_ref embedding) {
    double value;
    if (!json_double(&r->doc, r->node, &value) || !isfinite((float)value))
        return err_set(r->err, VSR_E_INVALID, "data[%zu].embedding[%zu] is no number that fits", r->place, r->n);
    r->numbers[r->index * r->dims + r->n++] = (float)value;
    r->node = json_next(&r->doc, embedding, r->node);
    return 0;
}

/* At most `*room` numbers of the present item, and less room for the rest. */
static int read_item(struct http_embeddings *r, size_t *room) {
    json_ref embedding = json_get(&r->doc, r->item, VSR_STR("embedding"));
    int rc = 0;
    for (; r->node != JSON_NONE && *room > 0 && rc == 0; --*room)
        rc = read_number(r, embedding);
    return rc;
}

static int begin_data(struct http_embeddings *r) {
    size_t n, n_zeros = 0;
    r->data = json_get(&r->doc, 0, VSR_STR("data"));
    if (!json_is(&r->doc, r->data, JSON_ARRAY))
        return err_set(r->err, VSR_E_INVALID, "the answer has no list `data`");
    n = json_count(&r->doc, r->data);
    if (n != r->n_texts)
        return err_set(r->err, VSR_E_INVALID, "the answer has %zu vectors for %zu texts", n, r->n_texts);
    for (json_ref item = json_first(&r->doc, r->data); item != JSON_NONE; item = json_next(&r->doc, r->data, item))
        n_zeros += is_zero(&r->doc, item);
    r->zeros_mean_0 = n_zeros <= 1;
    r->item = json_first(&r->doc, r->data);
    r->seen = ARENA_ARRAY(r->arena, uint64_t, BITS_WORDS(r->n_texts));
    return r->item == JSON_NONE ? 0 : begin_item(r);
}

int http_embeddings_begin(vsr_str answer, size_t n_texts, size_t dims, struct http_embeddings **ret,
                          struct vsr_err *err) {
    struct http_embeddings *r = MEM_NEW(struct http_embeddings);
    struct vsr_err syntax = VSR_ERR_NONE;
    char *text;
    int rc;
    *r = (struct http_embeddings){ .n_texts = n_texts, .dims = dims, .item = JSON_NONE, .err = err };
    r->arena = arena_new(SCRATCH_LEN, 0);
    text = arena_try_alloc_raw(r->arena, answer.len + 1);
    if (!text) {
        rc = err_set(err, VSR_E_NOMEM, "no memory for an answer of %zu bytes", answer.len);
    } else {
        memcpy(text, answer.ptr ? answer.ptr : "", answer.len);
        rc = json_parse(r->arena, str_make(text, answer.len), &r->doc, &syntax);
        if (rc < 0)
            rc = err_set(err, rc, "the answer is no JSON (line %u, column %u)", syntax.line, syntax.col);
    }
    if (rc == 0)
        rc = begin_data(r);
    if (rc < 0) {
        http_embeddings_free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

int http_embeddings_step(struct http_embeddings *r, size_t n_numbers, struct http_vectors *ret_vectors,
                         struct vsr_err *err) {
    int rc = 0;
    r->err = err;
    while (r->item != JSON_NONE && rc == 0) {
        rc = read_item(r, &n_numbers);
        if (rc == 0 && r->node != JSON_NONE)
            return HTTP_EMBEDDINGS_MORE;
        if (rc == 0)
            rc = end_item(r);
        if (rc == 0 && r->item != JSON_NONE)
            rc = begin_item(r);
    }
    if (rc < 0)
        return rc;
    *ret_vectors = (struct http_vectors){ .numbers = r->numbers, .n = r->n_texts, .dims = r->dims };
    r->numbers = NULL;
    return 0;
}

void http_embeddings_free(struct http_embeddings *r) {
    if (!r)
        return;
    mem_free(r->numbers);
    arena_free(r->arena);
    mem_free(r);
}

int http_embeddings_read(vsr_str answer, size_t n_texts, size_t dims, struct http_vectors *ret_vectors,
                         struct vsr_err *err) {
    struct http_embeddings *r;
    int rc = http_embeddings_begin(answer, n_texts, dims, &r, err);
    if (rc < 0)
        return rc;
    rc = http_embeddings_step(r, SIZE_MAX, ret_vectors, err);
    http_embeddings_free(r);
    return rc;
}

size_t http_embeddings_len_max(size_t n_texts, size_t dims) {
    enum { NUMBER_LEN = 40, ITEM_LEN = 1 << 10, ANSWER_LEN = 64 << 10 };
    if (dims == 0 || dims > REMOTE_DIMS_MAX)
        dims = REMOTE_DIMS_MAX;
    return ANSWER_LEN + n_texts * (ITEM_LEN + dims * NUMBER_LEN);
}
