/* links: nn */
/*
 * Any bytes as a picture. What is accepted fills every pixel of what it is scaled to; the first byte says how large
 * that is. Pictures of more than a few pixels say nothing new and take long: they end where their size is known.
 */
#include <string.h>

#include "core/assert.h"
#include "nn/picture.h"
#include "nn/picture_scale.h"

enum { SIDE_MAX = 32, PIXELS_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int measure(void *data, size_t width, size_t height, struct vsr_err *err) {
    size_t *pixels = data;
    *pixels = width * height;
    return err_set(err, VSR_E_CANCELLED, "measured");
}

static void no_row(void *data, const uint8_t *rgb) {
    (void)data;
    (void)rgb;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static uint8_t rgb[SIDE_MAX * SIDE_MAX * PICTURE_CHANNELS];
    size_t pixels = 0, width, height;
    const struct picture_sink sink = { .begin = measure, .row = no_row, .data = &pixels };
    vsr_str bytes;
    if (len < 1)
        return 0;
    bytes = str_make((const char *)data + 1, len - 1);
    VSR_ASSERT(picture_read(bytes, &sink, NULL) < 0);
    if (pixels == 0 || pixels > PIXELS_MAX)
        return 0;
    width = 1 + data[0] % SIDE_MAX;
    height = 1 + data[0] / 8 % SIDE_MAX;
    (void)picture_scale(bytes, width, height, rgb, NULL); /* damaged behind its size, or not */
    return 0;
}
