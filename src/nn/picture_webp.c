/* Files of WebP, by libwebp, which has all of a picture in memory. */
#include <webp/decode.h>

#include "nn/pages.h"
#include "nn/picture_format.h"

static int damaged(VP8StatusCode status, struct vsr_err *err) {
    if (status == VP8_STATUS_OUT_OF_MEMORY)
        return err_set(err, VSR_E_NOMEM, "no memory to read it");
    return err_set(err, VSR_E_INVALID, "the file is damaged or cut: %s",
                   status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED ? "it ends too early"
                   : status == VP8_STATUS_UNSUPPORTED_FEATURE ? "it has a part that is not known"
                                                              : "its pixels cannot be read");
}

static int read_pixels(vsr_str bytes, WebPDecoderConfig *config, const struct pages *pixels, struct vsr_err *err) {
    VP8StatusCode status;
    config->output.colorspace = MODE_RGB;
    config->output.is_external_memory = 1;
    config->output.u.RGBA.rgba = pixels->data;
    config->output.u.RGBA.stride = config->input.width * PICTURE_CHANNELS;
    config->output.u.RGBA.size = pixels->len;
    status = WebPDecode((const uint8_t *)bytes.ptr, bytes.len, config);
    WebPFreeDecBuffer(&config->output);
    return status == VP8_STATUS_OK ? 0 : damaged(status, err);
}

int picture_read_webp(vsr_str bytes, const struct picture_sink *sink, struct vsr_err *err) {
    WebPDecoderConfig config;
    struct pages pixels = { .data = NULL };
    size_t row_len, height;
    VP8StatusCode status;
    int rc;
    if (!WebPInitDecoderConfig(&config))
        return err_set(err, VSR_E_INTERNAL, "the library is not the one that vsr was built with");
    status = WebPGetFeatures((const uint8_t *)bytes.ptr, bytes.len, &config.input);
    if (status != VP8_STATUS_OK)
        return damaged(status, err);
    if (config.input.has_animation)
        return err_set(err, VSR_E_INVALID, "the picture moves; only still ones are read");
    if (config.input.width <= 0 || config.input.height <= 0)
        return err_set(err, VSR_E_INVALID, "the picture has no pixels");
    rc = picture_begin(sink, (uint64_t)config.input.width, (uint64_t)config.input.height, err);
    row_len = (size_t)config.input.width * PICTURE_CHANNELS;
    height = (size_t)config.input.height;
    if (rc == 0)
        rc = pages_new(height * row_len, "a WebP picture", &pixels, err);
    if (rc == 0)
        rc = read_pixels(bytes, &config, &pixels, err);
    for (size_t y = 0; y < height && rc == 0; y++)
        sink->row(sink->data, (const uint8_t *)pixels.data + y * row_len);
    pages_free(&pixels);
    return rc;
}
