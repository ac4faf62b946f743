/*
 * attention_vnni - attention in integers of 16 bits, by AVX-512's VNNI instructions. For attention.c alone.
 *
 * An instruction multiplies and adds two pairs of such integers where it would one of floats. A block of keys at a
 * time:
 *
 *     queries   a scale for each row; L = sqrt(2^31 / head_dim) units to a side, 32767 at most, so that a sum of
 *               products fits 32 bits: 5792 at 64
 *     keys      the same, with one scale for the block
 *     scores    exact sums; how far one is below the greatest of its block is rounded to 1/1024 of an octave
 *     weights   14 bits, of the greatest of the block; what is divided by in the end is the sum of just these
 *     values    11 bits and a sign, a scale for each column of the block
 *
 * Blocks are joined in f32, with a running maximum: what a block has summed up counts as much as its greatest weight
 * does beside the greatest so far.
 *
 * How far a result may be from the formula's, with Q, K and V the greatest sizes in the query, the keys and the value's
 * column, and W the sum of the weights of n keys, of which the greatest is 1:
 *
 *     of a score    s = scale * head_dim * Q * K * (1 / L + 1 / 4 L^2) + ln 2 / 2048
 *     of weights    w = e^s - 1 + 1/10000 + min(64, n / W) / 32766
 *     of a result   V * (2 w / (1 - w) + 1 / 4014)
 *
 * (and what f32 rounds). Random numbers come to less than 3 % of that on average. It grows with scores: where the
 * first term of s is not small beside 1, nothing is promised. A column of keys that stands out makes K great, and so
 * takes bits from all other columns of its block. Beside what bytes do to the products before it this is little; beside
 * bf16 it is seen.
 *
 * A weight below 1/32766 of the greatest in its block is nothing. So a key that outweighs all others (an attention
 * sink) silences those of its own block, 63 keys at most. Where its own value is small that is seen: a text of one
 * block then loses all that the others say, which can be 1/512 of the greatest value. Other blocks keep their part,
 * however small it is.
 *
 * Scales are of blocks: keys that a query does not see, in a block with some that it sees, may change the last bits of
 * its result, and if they are not finite, nor is the result. Numbers below 1e-30 count as zero.
 *
 * Not for DeBERTa's terms (`positions`), nor for `relative` with shared key heads: those are in f32.
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
