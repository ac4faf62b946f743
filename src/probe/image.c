#include "probe/image.h"

#include <openssl/sha.h>
#include <string.h>

#include "core/arena.h"
#include "core/base64.h"
#include "core/utf8.h"
#include "probe/suite.h"

enum { IMAGE_ID_LEN_MAX = 128, IMAGE_DESCRIPTION_CHARS_MAX = 512 };

/* ---- base64 */

bool probe_base64(struct arena *arena, vsr_str text, vsr_str *ret_bytes) {
    char *bytes = arena_alloc(arena, base64_room(text.len));
    size_t n;
    if (!base64_read(text, true, bytes, &n))
        return false;
    *ret_bytes = (vsr_str){ bytes, n };
    return true;
}

/* ---- containers */

struct size {
    uint32_t width, height;
};

static uint32_t be16(const unsigned char *p) {
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const unsigned char *p) {
    return be16(p) << 16 | be16(p + 2);
}

static uint32_t le16(const unsigned char *p) {
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t le24(const unsigned char *p) {
    return (uint32_t)p[2] << 16 | le16(p);
}

static uint32_t le32(const unsigned char *p) {
    return le16(p + 2) << 16 | le16(p);
}

/* PNG (W3C): signature, chunks of length, type, data, checksum; IDAT has the pixels, acTL makes it move. */
static const char *read_png(const unsigned char *p, size_t n, struct size *ret_size) {
    size_t at = 8;
    bool has_pixels = false;
    if (n < 33 || memcmp(p, "\x89PNG\r\n\x1a\n", 8) != 0 || memcmp(p + 8, "\0\0\0\rIHDR", 8) != 0)
        return "it is no PNG";
    *ret_size = (struct size){ be32(p + 16), be32(p + 20) };
    while (at + 12 <= n) {
        uint32_t len = be32(p + at);
        if (memcmp(p + at + 4, "acTL", 4) == 0)
            return "it moves";
        if (memcmp(p + at + 4, "IEND", 4) == 0)
            return !has_pixels                ? "it has no pixels"
                   : at + 12 == n && len == 0 ? NULL
                                              : "there is something behind its end";
        has_pixels |= memcmp(p + at + 4, "IDAT", 4) == 0;
        if (len > n - at - 12)
            break;
        at += 12 + (size_t)len;
    }
    return "it is cut off";
}

/* JPEG (ITU T.81): segments up to a start of frame, which has the size. */
static const char *read_jpeg(const unsigned char *p, size_t n, struct size *ret_size) {
    size_t at = 2;
    if (n < 4 || p[0] != 0xFF || p[1] != 0xD8)
        return "it is no JPEG";
    if (p[n - 2] != 0xFF || p[n - 1] != 0xD9)
        return "it is cut off";
    while (at + 9 <= n && p[at] == 0xFF) {
        unsigned marker = p[at + 1];
        if (marker == 0xFF) {
            at++;
            continue;
        }
        if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
            *ret_size = (struct size){ be16(p + at + 7), be16(p + at + 5) };
            return NULL;
        }
        at += 2 + be16(p + at + 2);
    }
    return "it has no frame";
}

/* GIF89a: sub-blocks end with one of length 0. Returns the offset behind them, or 0 when they are cut off. */
static size_t skip_blocks(const unsigned char *p, size_t n, size_t at) {
    while (at < n && p[at] != 0)
        at += 1 + (size_t)p[at];
    return at < n ? at + 1 : 0;
}

static const char *read_gif(const unsigned char *p, size_t n, struct size *ret_size) {
    size_t at = 13, n_frames = 0;
    if (n < 14 || (memcmp(p, "GIF87a", 6) != 0 && memcmp(p, "GIF89a", 6) != 0))
        return "it is no GIF";
    *ret_size = (struct size){ le16(p + 6), le16(p + 8) };
    if (p[10] & 0x80)
        at += (size_t)3 << ((p[10] & 7) + 1);
    while (at && at < n && p[at] != 0x3B) {
        if (p[at] == 0x21 && at + 2 < n) {
            at = skip_blocks(p, n, at + 2);
        } else if (p[at] == 0x2C && at + 10 < n) {
            size_t table = p[at + 9] & 0x80 ? (size_t)3 << ((p[at + 9] & 7) + 1) : 0;
            if (++n_frames > 1)
                return "it moves";
            at = skip_blocks(p, n, at + 11 + table);
        } else {
            return "it is damaged";
        }
    }
    return at && at < n && n_frames == 1 ? NULL : "it is cut off";
}

/*
 * WebP (RFC 9649): a RIFF file whose first chunk has the size, in three layouts. The shortest file of each has
 * WEBP_LEN_MIN bytes or more.
 */
enum { WEBP_LEN_MIN = 25, WEBP_LOSSY_LEN_MIN = 30 };

static const char *read_webp(const unsigned char *p, size_t n, struct size *ret_size) {
    if (n < WEBP_LEN_MIN || memcmp(p, "RIFF", 4) != 0 || memcmp(p + 8, "WEBP", 4) != 0)
        return "it is no WebP";
    if ((size_t)le32(p + 4) + 8 > n)
        return "it is cut off";
    if (memcmp(p + 12, "VP8L", 4) == 0) {
        uint32_t bits = le32(p + 21);
        *ret_size = (struct size){ (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1 };
        return p[20] == 0x2F ? NULL : "it is damaged";
    }
    if (n < WEBP_LOSSY_LEN_MIN)
        return "it is cut off";
    if (memcmp(p + 12, "VP8X", 4) == 0) {
        *ret_size = (struct size){ le24(p + 24) + 1, le24(p + 27) + 1 };
        return p[20] & 0x02 ? "it moves" : NULL;
    }
    if (memcmp(p + 12, "VP8 ", 4) == 0 && p[23] == 0x9D && p[24] == 0x01 && p[25] == 0x2A) {
        *ret_size = (struct size){ le16(p + 26) & 0x3FFF, le16(p + 28) & 0x3FFF };
        return NULL;
    }
    return "it is damaged";
}

const char *probe_image_fault(vsr_str bytes, vsr_str media_type) {
    static const struct {
        const char *media_type;
        const char *(*read)(const unsigned char *p, size_t n, struct size *ret_size);
    } kinds[] = {
        { "image/png", read_png }, { "image/jpeg", read_jpeg }, { "image/gif", read_gif }, { "image/webp", read_webp }
    };
    for (size_t i = 0; i < VSR_COUNT(kinds); i++) {
        struct size size = { 0 };
        const char *fault;
        if (!str_eq_c(media_type, kinds[i].media_type))
            continue;
        fault = kinds[i].read((const unsigned char *)bytes.ptr, bytes.len, &size);
        if (fault)
            return fault;
        if (size.width == 0 || size.height == 0)
            return "it has no size";
        if (size.width > PROBE_IMAGE_SIDE_MAX || size.height > PROBE_IMAGE_SIDE_MAX ||
            (uint64_t)size.width * size.height > PROBE_IMAGE_PIXELS_MAX)
            return "it is too large";
        return NULL;
    }
    return "its media_type is none of image/png, image/jpeg, image/gif, image/webp";
}

/* ---- the fixture */

static bool is_id(vsr_str id) {
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return id.len > 0 && id.len <= IMAGE_ID_LEN_MAX;
}

static bool is_digest_of(vsr_str digest, vsr_str bytes) {
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[SHA256_DIGEST_LENGTH];
    vsr_str hex = str_starts(digest, VSR_STR("sha256:")) ? str_sub(digest, 7, digest.len) : (vsr_str){ 0 };
    if (hex.len != 2 * sizeof(sum))
        return false;
    (void)SHA256((const unsigned char *)bytes.ptr, bytes.len, sum); /* returns its argument */
    for (size_t i = 0; i < sizeof(sum); i++)
        if (hex.ptr[2 * i] != digits[sum[i] >> 4] || hex.ptr[2 * i + 1] != digits[sum[i] & 15])
            return false;
    return true;
}

void probe_image_check(const void *object, struct arena *arena, struct diag *diag) {
    const struct probe_image *image = object;
    struct diag_at at = schema_at(object);
    const char *fault;
    vsr_str bytes;
    if (!is_id(image->id))
        diag_error(diag, "E_TYPE", at, VSR_STR(""),
                   "the name must be at most %d letters, digits, \".\", \"_\" and \"-\", the first a letter or digit",
                   IMAGE_ID_LEN_MAX);
    if (utf8_count(image->description) > IMAGE_DESCRIPTION_CHARS_MAX)
        diag_error(diag, "E_RANGE", at, VSR_STR(""), "the description is longer than %d characters",
                   IMAGE_DESCRIPTION_CHARS_MAX);
    if (image->data_base64.len > PROBE_IMAGE_BASE64_LEN_MAX || !probe_base64(arena, image->data_base64, &bytes)) {
        diag_error(diag, "E_TYPE", at, VSR_STR(""), "data_base64 is not canonical base64 of at most %d bytes",
                   PROBE_IMAGE_BASE64_LEN_MAX);
        return;
    }
    fault = probe_image_fault(bytes, image->media_type);
    if (fault)
        diag_error(diag, "E_TYPE", at, VSR_STR(""), "the picture cannot be used: %s", fault);
    if (!is_digest_of(image->sha256, bytes))
        diag_error(diag, "E_TYPE", at, VSR_STR(""), "sha256 is not the digest of the picture");
}
