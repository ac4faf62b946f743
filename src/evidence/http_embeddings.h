/*
 * http_embeddings - the wire of an embeddings API: what is asked, and vectors out of the answer (signals.md §4.5).
 *
 *     {"model":"m","input":["a","b"],"dimensions":256}    ->    {"data":[{"index":0,"embedding":[...]}, ...]}
 *
 * Any thread.
 */
#ifndef VSR_EVIDENCE_HTTP_EMBEDDINGS_H
#define VSR_EVIDENCE_HTTP_EMBEDDINGS_H

#include "core/err.h"
#include "core/str.h"

struct buf;

/* `dimensions` 0: the server's own. Failure is the buffer's. */
void http_embeddings_write(struct buf *out, vsr_str model, const vsr_str *texts, size_t n_texts, size_t dimensions);

struct http_vectors {
    float *numbers; /* n * dims, each vector of unit length; free with mem_free() */
    size_t n, dims;
};

/*
 * Reads the vectors of `n_texts` texts, in their order. `dims` 0: any, but the same for all. VSR_E_SYNTAX: no JSON;
 * VSR_E_INVALID: it does not hold exactly these vectors; VSR_E_LIMIT, VSR_E_NOMEM. The text of an error quotes nothing
 * of the answer but numbers.
 */
int http_embeddings_read(vsr_str answer, size_t n_texts, size_t dims, struct http_vectors *ret_vectors,
                         struct vsr_err *err) VSR_MUST_CHECK;

/*
 * The same for a loop that serves others, too: ten thousand numbers take milliseconds. What is in steps is the reading
 * of numbers; begin parses a copy of the answer as a whole, so the length of answers needs a limit
 * (http_embeddings_len_max()). A step reads `n_numbers` more. HTTP_EMBEDDINGS_MORE: there are more; 0: these are all,
 * in `*ret_vectors`. After a failure there is nothing to do but free.
 */
struct http_embeddings;

enum { HTTP_EMBEDDINGS_MORE = 1 };

int http_embeddings_begin(vsr_str answer, size_t n_texts, size_t dims, struct http_embeddings **ret,
                          struct vsr_err *err) VSR_MUST_CHECK;
int http_embeddings_step(struct http_embeddings *r, size_t n_numbers, struct http_vectors *ret_vectors,
                         struct vsr_err *err) VSR_MUST_CHECK;
/* NULL is allowed. */
void http_embeddings_free(struct http_embeddings *r);

/*
 * Bytes that an honest answer about so many texts does not exceed: 40 for a number, which is one of 17 digits on a line
 * of its own, indented, and some for what is around them. `dims` 0: as many as there may be.
 */
size_t http_embeddings_len_max(size_t n_texts, size_t dims);

#endif
