#include "evidence/http_embeddings.h"

#include <math.h>

#include "core/arena.h"
#include "core/bits.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "evidence/remote.h"

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

struct reader {
    const struct json_doc *doc;
    size_t n_texts, dims; /* 0: not known yet */
    float *numbers;
    uint64_t *seen;    /* bit per text */
    bool zeros_mean_0; /* else servers leave the index at 0, and it says nothing */
    struct vsr_err *err;
};

static bool is_zero(const struct json_doc *doc, json_ref item) {
    int64_t index;
    return json_i64(doc, json_get(doc, item, VSR_STR("index")), &index) && index == 0;
}

/* The text that item `place` belongs to. */
static int read_index(struct reader *r, json_ref item, size_t place, size_t *ret_index) {
    json_ref node = json_get(r->doc, item, VSR_STR("index"));
    int64_t index = (int64_t)place;
    if (node != JSON_NONE && !json_i64(r->doc, node, &index))
        return err_set(r->err, VSR_E_INVALID, "data[%zu].index is no integer", place);
    if (index < 0 || (uint64_t)index >= r->n_texts)
        return err_set(r->err, VSR_E_INVALID, "data[%zu].index is %lld, of %zu texts", place, (long long)index,
                       r->n_texts);
    if (index == 0 && !r->zeros_mean_0)
        index = (int64_t)place;
    if (bits_has(r->seen, (size_t)index))
        return err_set(r->err, VSR_E_INVALID, "data[%zu].index is %lld, which another vector has", place,
                       (long long)index);
    bits_add(r->seen, (size_t)index);
    *ret_index = (size_t)index;
    return 0;
}

static int normalise(struct reader *r, float *vector, size_t place) {
    double sum = 0, length;
    for (size_t i = 0; i < r->dims; i++)
        sum += (double)vector[i] * vector[i];
    length = sqrt(sum);
    if (!(length > 0) || !isfinite(length))
        return err_set(r->err, VSR_E_INVALID, "data[%zu].embedding has no direction: its length is %g", place, length);
    for (size_t i = 0; i < r->dims; i++)
        vector[i] = (float)(vector[i] / length);
    return 0;
}

/* The first vector tells how long all are, and makes room for them. */
static int settle_dims(struct reader *r, size_t n, size_t place) {
    if (n == 0)
        return err_set(r->err, VSR_E_INVALID, "data[%zu].embedding is empty", place);
    if (n > REMOTE_DIMS_MAX)
        return err_set(r->err, VSR_E_LIMIT, "data[%zu].embedding has more than %d numbers", place, REMOTE_DIMS_MAX);
    if (r->dims > 0 && n != r->dims)
        return err_set(r->err, VSR_E_INVALID, "data[%zu].embedding has %zu numbers, expected %zu", place, n, r->dims);
    r->dims = n;
    if (!r->numbers)
        r->numbers = mem_try_realloc(NULL, r->n_texts * n * sizeof(float));
    return r->numbers ? 0 : err_set(r->err, VSR_E_NOMEM, "no memory for %zu vectors of %zu numbers", r->n_texts, n);
}

static int read_vector(struct reader *r, json_ref embedding, size_t index, size_t place) {
    float *vector;
    size_t n = 0;
    int rc;
    if (!json_is(r->doc, embedding, JSON_ARRAY))
        return err_set(r->err, VSR_E_INVALID, "data[%zu].embedding is no list of numbers", place);
    rc = settle_dims(r, json_count(r->doc, embedding), place);
    if (rc < 0)
        return rc;
    vector = r->numbers + index * r->dims;
    for (json_ref node = json_first(r->doc, embedding); node != JSON_NONE; node = json_next(r->doc, embedding, node)) {
        double value;
        if (!json_double(r->doc, node, &value) || !isfinite((float)value))
            return err_set(r->err, VSR_E_INVALID, "data[%zu].embedding[%zu] is no number that fits", place, n);
        vector[n++] = (float)value;
    }
    return normalise(r, vector, place);
}

static int read_items(struct reader *r, json_ref data) {
    size_t place = 0, index = 0, n_zeros = 0;
    for (json_ref item = json_first(r->doc, data); item != JSON_NONE; item = json_next(r->doc, data, item))
        n_zeros += is_zero(r->doc, item);
    r->zeros_mean_0 = n_zeros <= 1;
    for (json_ref item = json_first(r->doc, data); item != JSON_NONE; item = json_next(r->doc, data, item)) {
        int rc = read_index(r, item, place, &index);
        if (rc == 0)
            rc = read_vector(r, json_get(r->doc, item, VSR_STR("embedding")), index, place);
        if (rc < 0)
            return rc;
        place++;
    }
    return 0;
}

static int read_data(struct reader *r) {
    json_ref data = json_get(r->doc, 0, VSR_STR("data"));
    size_t n;
    if (!json_is(r->doc, data, JSON_ARRAY))
        return err_set(r->err, VSR_E_INVALID, "the answer has no list `data`");
    n = json_count(r->doc, data);
    if (n != r->n_texts)
        return err_set(r->err, VSR_E_INVALID, "the answer has %zu vectors for %zu texts", n, r->n_texts);
    return read_items(r, data);
}

int http_embeddings_read(vsr_str answer, size_t n_texts, size_t dims, struct http_vectors *ret_vectors,
                         struct vsr_err *err) {
    struct arena *scratch = arena_new(SCRATCH_LEN, 0);
    struct json_doc doc;
    struct reader r = { .doc = &doc, .n_texts = n_texts, .dims = dims, .err = err };
    struct vsr_err syntax = VSR_ERR_NONE;
    int rc = json_parse(scratch, answer, &doc, &syntax);
    if (rc < 0) {
        rc = err_set(err, rc, "the answer is no JSON (line %u, column %u)", syntax.line, syntax.col);
    } else {
        r.seen = ARENA_ARRAY(scratch, uint64_t, BITS_WORDS(n_texts));
        rc = read_data(&r);
    }
    arena_free(scratch);
    if (rc < 0) {
        mem_free(r.numbers);
        return rc;
    }
    *ret_vectors = (struct http_vectors){ .numbers = r.numbers, .n = n_texts, .dims = r.dims };
    return 0;
}
