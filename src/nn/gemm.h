/*
 * gemm - y = x W' + b for a weight matrix that is packed once and used often.
 *
 * The products are oneDNN's, which picks the instruction set when the program runs. Its kernels are made for a number
 * of rows; there is one for each power of two up to GEMM_ROWS_MAX, and any number of rows is a sum of these. A row's
 * result does not depend on the rows beside it, nor on how many there are: the order of its sums is the same in all
 * kernels that are used, see nn/gemm_rows.h (tests/unit/nn/test_gemm.c holds that to the bit).
 *
 * Precisions, see nn/precision.h: where a processor has no bf16 unit, bf16 rounds the same and multiplies in f32. int8
 * quantises each output channel of W to [-127, 127] (to [-63, 63] where the processor's product of bytes would
 * saturate) and expects each row of x as bytes round(x / scale) + 128 with a scale of its own.
 */
#ifndef VSR_NN_GEMM_H
#define VSR_NN_GEMM_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "nn/kernels.h"
#include "nn/precision.h"

struct gemm;         /* one packed matrix; immutable: any thread */
struct gemm_library; /* oneDNN's engine and the kernels made so far, shared by all matrices of a process: any thread */
struct gemm_context; /* what one thread needs to run; makes that thread's products run on it alone */

enum { GEMM_ROWS_MAX = 256, GEMM_SIDE_MAX = 1 << 16 /* sums of so many products of bytes fit 32 bits */ };

int gemm_library_new(struct gemm_library **ret, struct vsr_err *err) VSR_MUST_CHECK;
/* After all matrices and contexts made with it. NULL is allowed. */
void gemm_library_free(struct gemm_library *library);

/* The greatest byte of a weight: 127, or 63 where products of bytes would saturate. */
int gemm_byte_max(const struct gemm_library *library);

/* On the thread that will run with it. Keeps `library`. */
struct gemm_context *gemm_context_new(struct gemm_library *library);
void gemm_context_free(struct gemm_context *context);

/*
 * Packs `weights` [out][in] and `bias` [out] (NULL: none), both borrowed. Keeps `library`. Slow: makes kernels of
 * shapes that are new. VSR_E_NOMEM; VSR_E_LIMIT for sides of 0 or past GEMM_SIDE_MAX.
 */
int gemm_new(struct gemm_library *library, const float *weights, const float *bias, size_t out, size_t in,
             enum precision precision, struct gemm **ret, struct vsr_err *err) VSR_MUST_CHECK;
void gemm_free(struct gemm *gemm);

/* Makes what a context allocates for this matrix, so that running allocates nothing. */
int gemm_prepare(const struct gemm *gemm, struct gemm_context *context, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * `x`: [n][in] as f32, bf16 or bytes by the matrix's precision, with `scales` [n] for bytes (else NULL). `y`: [n][out]
 * numbers of four bytes, 64-byte aligned like `x`. Any `n`. `*ret_rows` says how to read `y`: as f32, or as sums of
 * bytes that whoever reads them scales (nn/kernels.h); it borrows from all of them. VSR_E_INVALID when the library
 * refuses, which means a broken installation.
 */
int gemm_run(const struct gemm *gemm, struct gemm_context *context, const void *x, const float *scales, size_t n,
             void *y, struct rows_in *ret_rows, struct vsr_err *err) VSR_MUST_CHECK;

/* Rows to run at once, at most GEMM_ROWS_MAX: with more, `y` would not stay in the cache until somebody reads it. */
size_t gemm_rows(const struct gemm *gemm);
size_t gemm_out(const struct gemm *gemm);
size_t gemm_in(const struct gemm *gemm);
enum precision gemm_precision(const struct gemm *gemm);
/* Of the packed form. */
size_t gemm_bytes(const struct gemm *gemm);

#endif
