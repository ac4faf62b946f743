/*
 * picture_scale - a picture of any size as one of the size that a model sees, to the bit as its training prepared it.
 *
 * Bicubic (Catmull-Rom, a = -0.5) with antialiasing: the filter is as much wider as the picture shrinks, its weights
 * add up to 1, and a sample's centre is at (i + 0.5) * scale. First across, then down, and what comes out of either is
 * rounded and clamped to 8 bits. Weights have 22 bits behind the point and sums are whole numbers, so that their order
 * does not matter: rows are taken as they come, each added to the few rows below its place that want it, and memory
 * does not depend on the picture's size. Proportions are not kept. inference.md section 6. One thread.
 */
#ifndef VSR_NN_PICTURE_SCALE_H
#define VSR_NN_PICTURE_SCALE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum { PICTURE_SCALED_SIDE_MAX = 2048 };

/* Reads a picture (nn/picture.h) and writes `rgb` [height][width][3]. As picture_read(); VSR_E_LIMIT for sides past
 * PICTURE_SCALED_SIDE_MAX. */
int picture_scale(vsr_str bytes, size_t width, size_t height, uint8_t *rgb, struct vsr_err *err) VSR_MUST_CHECK;

#endif
