#include "nn/picture.h"

#include <string.h>

#include "nn/picture_format.h"

enum picture_format picture_format_of(vsr_str bytes) {
    if (str_starts(bytes, VSR_STR("\x89PNG\r\n\x1a\n")))
        return PICTURE_PNG;
    if (str_starts(bytes, VSR_STR("\xff\xd8\xff")))
        return PICTURE_JPEG;
    if (bytes.len >= 12 && str_starts(bytes, VSR_STR("RIFF")) && memcmp(bytes.ptr + 8, "WEBP", 4) == 0)
        return PICTURE_WEBP;
    if (str_starts(bytes, VSR_STR("GIF87a")) || str_starts(bytes, VSR_STR("GIF89a")))
        return PICTURE_GIF;
    return PICTURE_UNKNOWN;
}

const char *picture_format_name(enum picture_format format) {
    static const char *const names[] = { [PICTURE_UNKNOWN] = "unknown",
                                         [PICTURE_PNG] = "PNG",
                                         [PICTURE_JPEG] = "JPEG",
                                         [PICTURE_WEBP] = "WebP",
                                         [PICTURE_GIF] = "GIF" };
    return names[format];
}

int picture_begin(const struct picture_sink *sink, uint64_t width, uint64_t height, struct vsr_err *err) {
    if (width == 0 || height == 0)
        return err_set(err, VSR_E_INVALID, "the picture has no pixels");
    if (width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX || width * height > PICTURE_PIXELS_MAX)
        return err_set(err, VSR_E_LIMIT,
                       "the picture has %llu x %llu pixels; at most %d in all, and %d on each side, are read",
                       (unsigned long long)width, (unsigned long long)height, PICTURE_PIXELS_MAX, PICTURE_SIDE_MAX);
    return sink->begin(sink->data, (size_t)width, (size_t)height, err);
}

static int unknown(vsr_str bytes, struct vsr_err *err) {
    if (bytes.len == 0)
        return err_set(err, VSR_E_INVALID, "the picture is empty");
    return err_set(err, VSR_E_INVALID, "this is no picture that can be read: expected PNG, JPEG, WebP or GIF");
}

int picture_read(vsr_str bytes, const struct picture_sink *sink, struct vsr_err *err) {
    static int (*const readers[])(vsr_str, const struct picture_sink *,
                                  struct vsr_err *) = { [PICTURE_PNG] = picture_read_png,
                                                        [PICTURE_JPEG] = picture_read_jpeg,
                                                        [PICTURE_WEBP] = picture_read_webp,
                                                        [PICTURE_GIF] = picture_read_gif };
    enum picture_format format = picture_format_of(bytes);
    int rc;
    if (bytes.len > PICTURE_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "the picture's file has %zu bytes; at most %d are read", bytes.len,
                       PICTURE_LEN_MAX);
    if (format == PICTURE_UNKNOWN)
        return unknown(bytes, err);
    rc = readers[format](bytes, sink, err);
    return rc < 0 ? err_wrap(err, "%s", picture_format_name(format)) : 0;
}
