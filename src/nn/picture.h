/*
 * picture - PNG, JPEG, WebP and GIF files as rows of red, green and blue.
 *
 * Bytes are a stranger's. Sizes are checked before anything is allocated by them; a file that is cut, damaged or moving
 * is refused with the reason. Rows come from the top, one at a time, so that a large picture need not be in memory: it
 * is only where its file is not written row by row (interlaced PNG, progressive JPEG, WebP, GIF), with up to eight
 * bytes for each of its pixels. Transparency is dropped, colours stay under it; neither colour profiles nor an
 * orientation that a camera noted are applied, as in the models' own preparation. Any thread.
 */
#ifndef VSR_NN_PICTURE_H
#define VSR_NN_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum {
    PICTURE_LEN_MAX = 20 << 20,    /* of a file: what a camera writes has a few million bytes */
    PICTURE_PIXELS_MAX = 64 << 20, /* 8192 x 8192 */
    PICTURE_SIDE_MAX = 65535,      /* JPEG's own; bounds a row */
    PICTURE_SCANS_MAX = 100,       /* of a progressive JPEG, which has about ten: each goes over all of the picture */
    PICTURE_CHANNELS = 3,
};

enum picture_format { PICTURE_UNKNOWN, PICTURE_PNG, PICTURE_JPEG, PICTURE_WEBP, PICTURE_GIF };

/* By the first bytes. */
enum picture_format picture_format_of(vsr_str bytes);
/* "PNG", "JPEG", "WebP", "GIF". */
const char *picture_format_name(enum picture_format format);

/* Who takes the picture. */
struct picture_sink {
    /* Once, before the rows; what it returns below 0 ends the reading. */
    int (*begin)(void *data, size_t width, size_t height, struct vsr_err *err);
    void (*row)(void *data, const uint8_t *rgb); /* [width][3] */
    void *data;
};

/*
 * All rows, or a failure, before or after some of them. VSR_E_INVALID for what is no picture that can be read or is
 * damaged, VSR_E_LIMIT past the limits above, VSR_E_NOMEM.
 */
int picture_read(vsr_str bytes, const struct picture_sink *sink, struct vsr_err *err) VSR_MUST_CHECK;

#endif
