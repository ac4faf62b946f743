/*
 * gemm_rows - which of oneDNN's kernels for one shape give a row the same bits whatever the number of rows.
 *
 * With AVX-512 all of them do. Below it the library takes other code for a single row, and for those that are left of
 * its blocks of rows (2 of 8 with AVX2); which ones is nothing it promises. So they are run and compared. For gemm.c
 * alone.
 */
#ifndef VSR_NN_GEMM_ROWS_H
#define VSR_NN_GEMM_ROWS_H

#include <stddef.h>

#include <dnnl.h>

/*
 * `primitives` and their `descs` are matmuls in f32 of the same two sides for more and more rows, with scratchpads of
 * the user. Sets bit i of `*ret_same` where primitive i agrees with the last one on random numbers; the last one's own
 * bit is always set.
 */
dnnl_status_t gemm_rows_compare(dnnl_engine_t engine, const dnnl_primitive_desc_t *descs,
                                const dnnl_primitive_t *primitives, size_t n, unsigned *ret_same);

#endif
