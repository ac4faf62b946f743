/*
 * attention_vnni - attention in integers of 16 bits, by AVX-512's VNNI instructions. For attention.c alone.
 *
 * An instruction multiplies and adds two pairs of such integers where it would one of floats. A block of keys at a
 * time:
 *
 *     queries   a scale for each row; 15 bits and a sign, or fewer so that a sum of products fits 32 bits: 12 at 64
 *     keys      the same, with one scale for the block
 *     scores    exact sums, which are scaled in f32; how far they are below the greatest so far is rounded to 1/1024 of
 *               an octave, which changes a weight by 1/2950 at most
 *     weights   14 bits, all of them for the greatest so far; what is divided by in the end is the sum of just these
 *     values    11 bits and a sign, a scale for each column of the block
 *
 * Sums over blocks are in f32, with a running maximum. So a result is within a part in 4094 of the greatest value of
 * its column, and about a tenth of that as a rule; that is well below what bytes do to the products before it, and only
 * beside bf16 it is seen. Keys with less than 2^-15 of the greatest weight count for nothing.
 *
 * Scales are of blocks: keys that a query does not see, in a block with some that it sees, may change the last bits of
 * its result, and if they are not finite, nor is the result. Numbers below 1e-30 count as zero.
 */
#ifndef VSR_NN_ATTENTION_VNNI_H
#define VSR_NN_ATTENTION_VNNI_H

#include "nn/attention.h"

/* Queries of an item, over all heads that share a key head: packing their keys counts for more than with floats. */
enum { ATTENTION_VNNI_QUERIES = 256 };

/* Whether it was asked for, can be done, and this processor has it. Otherwise the functions below may not be called. */
bool attention_vnni_serves(const struct attention *attention);

/* As those of nn/attention.h. */
size_t attention_vnni_scratch_len(const struct attention *attention);
void attention_vnni_run(const struct attention *attention, const struct attention_rows *rows,
                        const struct attention_item *item, void *scratch);

#endif
