/*
 * mixing - short convolutions that tell each token of a text about its neighbours.
 *
 *     h_i = in(x_i) + shape[shape_i] + word[t_i]                                [M], `word` optional
 *     for each block:  h = h + down(gelu(up(norm(conv(h)))))                    conv: each column by itself, over
 * tokens
 *
 * A trunk has one that its heads share (nn/mixer.h); a head that tags may bring its own (nn/mixer_head.h). Immutable:
 * any thread.
 */
#ifndef VSR_NN_MIXING_H
#define VSR_NN_MIXING_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "nn/mixer_file.h"

struct mixing_block;
struct pages;

enum {
    MIXING_WIDTH_MAX = 2048,
    MIXING_BLOCKS_MAX = 32,
    MIXING_TAPS_MAX = 63,
    MIXING_STEP_MAX = 64, /* dilation */
    MIXING_SHAPES = 32,   /* 16 classes, each for a token that begins a word and for one that does not */
};

struct mixing {
    size_t width; /* M; 0: there is none */
    struct mixer_linear in;
    const float *shapes;      /* [MIXING_SHAPES][M] */
    struct embed_table words; /* [a row for each word][M]; data NULL: none */
    struct mixing_block *blocks;
    size_t n_blocks;
};

/*
 * The tensors "mixer.*" of a file, or none of them: width 0 then. For token vectors of `dims` and a vocabulary of
 * `n_words`. In the file's arena, but for the table of words, which is read in place. VSR_E_INVALID, VSR_E_NOT_FOUND
 * and VSR_E_LIMIT name the tensor.
 */
int mixing_read(struct mixer_file *file, size_t dims, size_t n_words, struct mixing *ret) VSR_MUST_CHECK;

/* Writes [n][M] to `h`, of the token vectors `x` [n][D]. `work` is room, and grows. VSR_E_NOMEM. */
int mixing_run(const struct mixing *mixing, const float *x, const uint32_t *ids, const uint8_t *shapes, size_t n,
               struct pages *work, float *h, struct vsr_err *err) VSR_MUST_CHECK;

#endif
