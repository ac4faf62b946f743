/*
 * picture_format - what the readers of single formats share. Internal to the picture*.c files.
 */
#ifndef VSR_NN_PICTURE_FORMAT_H
#define VSR_NN_PICTURE_FORMAT_H

#include "nn/picture.h"

/* The limits on sizes, then the sink's begin(). */
int picture_begin(const struct picture_sink *sink, uint64_t width, uint64_t height, struct vsr_err *err) VSR_MUST_CHECK;

/* As picture_read(), of bytes that begin as the format's. */
int picture_read_png(vsr_str bytes, const struct picture_sink *sink, struct vsr_err *err) VSR_MUST_CHECK;
int picture_read_jpeg(vsr_str bytes, const struct picture_sink *sink, struct vsr_err *err) VSR_MUST_CHECK;
int picture_read_gif(vsr_str bytes, const struct picture_sink *sink, struct vsr_err *err) VSR_MUST_CHECK;
int picture_read_webp(vsr_str bytes, const struct picture_sink *sink, struct vsr_err *err) VSR_MUST_CHECK;

#endif
