/*
 * Files of GIF: whole frames of one byte a pixel, packed by LZW. There is one frame, or the picture moves.
 *
 *     "GIF89a", screen (width, height, flags, ...), colours of all
 *     '!' kind, pieces      control: which colour is transparent; notes
 *     ',' place, flags      a frame: its own colours, width of the first codes, pieces of LZW
 *     ';'                   the end
 */
#include <string.h>

#include "nn/pages.h"
#include "nn/picture_format.h"

enum {
    HEAD_LEN = 13,
    COLOURS_MAX = 256,
    CODE_BITS_MAX = 12,
    CODES_MAX = 1 << CODE_BITS_MAX,
    NO_CODE = CODES_MAX,
};

struct place {
    size_t x, y, width, height;
    bool interlaced;
};

struct reading {
    const uint8_t *bytes;
    size_t len, at;
    struct vsr_err *err;
    size_t width, height;
    uint8_t colours[COLOURS_MAX][PICTURE_CHANNELS]; /* of all, then the frame's own */
    uint8_t background;                             /* what is around the frame */
    struct place frame;
    size_t frame_at; /* where its codes begin; 0: there was none yet */
    struct pages pixels;
};

/* Codes of one frame, as they are read out of pieces of up to 255 bytes. */
struct codes {
    const struct reading *r;
    size_t at, piece; /* bytes left in the piece */
    uint32_t bits;
    unsigned n_bits;
};

static int damaged(struct reading *r, const char *why) {
    return err_set(r->err, VSR_E_INVALID, "the file is damaged or cut: %s", why);
}

static bool has(const struct reading *r, size_t n) {
    return r->len - r->at >= n;
}

static unsigned u16(const uint8_t *bytes) {
    return bytes[0] | (unsigned)bytes[1] << 8;
}

/* ---- blocks */

/* Flags say whether there are any, and how many. Those of which a file has none are grey. */
static int read_colours(struct reading *r, uint8_t flags) {
    size_t n = (size_t)2 << (flags & 7);
    if (!(flags & 0x80))
        return 0;
    if (!has(r, n * PICTURE_CHANNELS))
        return damaged(r, "its colours end too early");
    memset(r->colours, 0, sizeof(r->colours));
    memcpy(r->colours, r->bytes + r->at, n * PICTURE_CHANNELS);
    r->at += n * PICTURE_CHANNELS;
    return 0;
}

/* To behind an empty piece. */
static int skip_pieces(struct reading *r) {
    for (;;) {
        size_t n;
        if (!has(r, 1))
            return damaged(r, "it ends too early");
        n = r->bytes[r->at++];
        if (n == 0)
            return 0;
        if (!has(r, n))
            return damaged(r, "it ends too early");
        r->at += n;
    }
}

static int read_extension(struct reading *r) {
    enum { CONTROL = 0xF9, CONTROL_LEN = 4 };
    const uint8_t *piece = r->bytes + r->at + 1;
    if (!has(r, 2))
        return damaged(r, "it ends too early");
    if (r->bytes[r->at] == CONTROL && piece[0] == CONTROL_LEN && has(r, 2 + CONTROL_LEN) && (piece[1] & 1) &&
        r->frame_at == 0)
        r->background = piece[CONTROL_LEN];
    r->at++;
    return skip_pieces(r);
}

static int read_frame(struct reading *r) {
    enum { FRAME_LEN = 9 };
    const uint8_t *head = r->bytes + r->at;
    struct place place;
    int rc;
    if (r->frame_at > 0)
        return err_set(r->err, VSR_E_INVALID, "the picture moves; only still ones are read");
    if (!has(r, FRAME_LEN))
        return damaged(r, "it ends too early");
    place = (struct place){ u16(head), u16(head + 2), u16(head + 4), u16(head + 6), (head[8] & 0x40) != 0 };
    if (place.width == 0 || place.height == 0 || place.x + place.width > r->width || place.y + place.height > r->height)
        return damaged(r, "its frame lies outside");
    r->at += FRAME_LEN;
    rc = read_colours(r, head[8]);
    if (rc < 0)
        return rc;
    r->frame = place;
    r->frame_at = r->at;
    if (!has(r, 1))
        return damaged(r, "it ends too early");
    r->at++;
    return skip_pieces(r);
}

/* All of the file, so that a second frame is seen before the first is read. */
static int read_blocks(struct reading *r) {
    int rc = 0;
    while (rc == 0) {
        if (!has(r, 1))
            return damaged(r, "it ends too early");
        switch (r->bytes[r->at++]) {
        case '!':
            rc = read_extension(r);
            break;
        case ',':
            rc = read_frame(r);
            break;
        case ';':
            return r->frame_at > 0 ? 0 : damaged(r, "it has no frame");
        default:
            return damaged(r, "it has a part that is not known");
        }
    }
    return rc;
}

static int read_screen(struct reading *r) {
    if (!has(r, HEAD_LEN))
        return damaged(r, "it ends too early");
    r->width = u16(r->bytes + 6);
    r->height = u16(r->bytes + 8);
    for (size_t i = 0; i < COLOURS_MAX; i++)
        memset(r->colours[i], (int)i, PICTURE_CHANNELS);
    r->at = HEAD_LEN;
    return read_colours(r, r->bytes[10]);
}

/* ---- pixels */

/* NO_CODE: there is no more. The pieces have been walked through before: they lie in the file. */
static unsigned next_code(struct codes *c, unsigned width) {
    unsigned code;
    while (c->n_bits < width) {
        if (c->piece == 0)
            c->piece = c->r->bytes[c->at++];
        if (c->piece == 0)
            return NO_CODE;
        c->bits |= (uint32_t)c->r->bytes[c->at++] << c->n_bits;
        c->n_bits += 8;
        c->piece--;
    }
    code = c->bits & ((1u << width) - 1);
    c->bits >>= width;
    c->n_bits -= width;
    return code;
}

struct table {
    uint16_t before[CODES_MAX]; /* the code that this one adds a pixel to */
    uint8_t last[CODES_MAX];
    unsigned n;
};

/* The pixels that a code stands for, in `stack`, the last one first. */
static size_t unfold(const struct table *table, unsigned code, unsigned clear, uint8_t *stack) {
    size_t n = 0;
    while (code > clear) {
        stack[n++] = table->last[code];
        code = table->before[code];
    }
    stack[n++] = (uint8_t)code;
    return n;
}

/* The next code's pixels: one that is about to be added stands for those of the code before and its first once more. */
static size_t unfold_next(const struct table *table, unsigned code, unsigned before, unsigned clear,
                          uint8_t stack[static CODES_MAX + 1]) {
    size_t n;
    if (code != table->n)
        return unfold(table, code, clear, stack);
    n = 1 + unfold(table, before, clear, stack + 1);
    stack[0] = stack[n - 1];
    return n;
}

/* Each code behind the first adds one to the table: what the one before stood for, and the first pixel of its own. */
static int unpack(struct reading *r, uint8_t *pixels, size_t n_pixels) {
    struct codes codes = { .r = r, .at = r->frame_at + 1 };
    unsigned first_bits = r->bytes[r->frame_at], clear = 1u << (first_bits & 15), width = first_bits + 1;
    unsigned before = NO_CODE;
    uint8_t stack[CODES_MAX + 1];
    struct table table;
    if (first_bits < 1 || first_bits > 8)
        return damaged(r, "its codes have no width that can be");
    table.n = clear + 2;
    for (size_t done = 0, n; done < n_pixels;) {
        unsigned code = next_code(&codes, width);
        if (code == clear) {
            table.n = clear + 2;
            width = first_bits + 1;
            before = NO_CODE;
            continue;
        }
        if (code == NO_CODE || code == clear + 1)
            return damaged(r, "its pixels end too early");
        if (code > table.n || (code == table.n && before == NO_CODE))
            return damaged(r, "a code stands for nothing");
        n = unfold_next(&table, code, before, clear, stack);
        if (before != NO_CODE && table.n < CODES_MAX) {
            table.before[table.n] = (uint16_t)before;
            table.last[table.n++] = stack[n - 1];
            width += table.n == 1u << width && width < CODE_BITS_MAX;
        }
        before = code;
        while (n > 0 && done < n_pixels)
            pixels[done++] = stack[--n];
    }
    return 0;
}

/* Where row `i` of the file is in a frame that is written in four passes. */
static size_t row_of(const struct place *place, size_t i) {
    static const size_t firsts[] = { 0, 4, 2, 1 }, steps[] = { 8, 8, 4, 2 };
    for (size_t pass = 0; place->interlaced && pass < VSR_COUNT(firsts); pass++) {
        size_t n = place->height > firsts[pass] ? (place->height - firsts[pass] + steps[pass] - 1) / steps[pass] : 0;
        if (i < n)
            return firsts[pass] + i * steps[pass];
        i -= n;
    }
    return i;
}

static void give_rows(const struct reading *r, const struct picture_sink *sink, const uint32_t *rows, uint8_t *rgb) {
    const struct place *frame = &r->frame;
    for (size_t y = 0; y < r->height; y++) {
        bool inside = y >= frame->y && y < frame->y + frame->height;
        const uint8_t *row = inside ? (const uint8_t *)r->pixels.data + rows[y - frame->y] * frame->width : NULL;
        for (size_t x = 0; x < r->width; x++) {
            bool within = row && x >= frame->x && x < frame->x + frame->width;
            memcpy(rgb + x * PICTURE_CHANNELS, r->colours[within ? row[x - frame->x] : r->background],
                   PICTURE_CHANNELS);
        }
        sink->row(sink->data, rgb);
    }
}

/* Rows of the frame by their place, and a row of the picture. */
static int give(struct reading *r, const struct picture_sink *sink) {
    struct pages rows = { .data = NULL }, rgb = { .data = NULL };
    uint32_t *index;
    int rc = pages_new(r->frame.height * sizeof(*index), "rows of a picture", &rows, r->err);
    if (rc == 0)
        rc = pages_new(r->width * PICTURE_CHANNELS, "a row of a picture", &rgb, r->err);
    index = rows.data;
    for (size_t i = 0; i < r->frame.height && rc == 0; i++)
        index[row_of(&r->frame, i)] = (uint32_t)i;
    if (rc == 0)
        give_rows(r, sink, index, rgb.data);
    pages_free(&rows);
    pages_free(&rgb);
    return rc;
}

int picture_read_gif(vsr_str bytes, const struct picture_sink *sink, struct vsr_err *err) {
    struct reading r = { .bytes = (const uint8_t *)bytes.ptr, .len = bytes.len, .err = err };
    int rc = read_screen(&r);
    if (rc == 0)
        rc = read_blocks(&r);
    if (rc == 0)
        rc = picture_begin(sink, r.width, r.height, err);
    if (rc == 0)
        rc = pages_new(r.frame.width * r.frame.height, "a GIF picture", &r.pixels, err);
    if (rc == 0)
        rc = unpack(&r, r.pixels.data, r.frame.width * r.frame.height);
    if (rc == 0)
        rc = give(&r, sink);
    pages_free(&r.pixels);
    return rc;
}
