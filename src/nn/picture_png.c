/* Files of PNG, by libpng: row by row, unless they are interlaced. */
#include <png.h>
#include <string.h>

#include "nn/pages.h"
#include "nn/picture_format.h"

/* Notes and colour profiles, which are passed over: some unpack to much more than they take in the file. */
static const png_byte passed_over[] = "tEXt\0zTXt\0iTXt\0iCCP\0eXIf\0sPLT\0hIST\0pCAL\0sCAL\0tIME";
enum { CHUNK_NAME_LEN = 5, CHUNKS_PASSED_OVER = sizeof(passed_over) / CHUNK_NAME_LEN };

/* Of the file, for one row: no form has more than 8 bytes a pixel, and no packing adds as much; chunks have heads. */
enum { FILE_PIXEL_LEN = 9, FILE_ROW_SLACK = 32 << 10 };

struct reading {
    vsr_str bytes;
    size_t at, until; /* of what may be taken now */
    png_structp png;
    png_infop info;
    const struct picture_sink *sink;
    struct pages pixels; /* a row, or all of them */
    struct vsr_err *err;
    int rc; /* below 0: `err` is set already */
};

static void on_error(png_structp png, png_const_charp text) {
    struct reading *r = png_get_error_ptr(png);
    if (r->rc == 0)
        r->rc = err_set(r->err, VSR_E_INVALID, "the file is damaged or cut: %s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void take_bytes(png_structp png, png_bytep out, size_t n) {
    struct reading *r = png_get_io_ptr(png);
    if (n > r->bytes.len - r->at)
        png_error(png, "it ends too early");
    if (n > r->until - r->at)
        png_error(png, "it has more pixels than it says");
    memcpy(out, r->bytes.ptr + r->at, n);
    r->at += n;
}

/* acTL, before the pixels, says how many frames there are. */
static int take_chunk(png_structp png, png_unknown_chunkp chunk) {
    struct reading *r = png_get_user_chunk_ptr(png);
    if (memcmp(chunk->name, "acTL", 4) != 0 || chunk->size < 4 || png_get_uint_32(chunk->data) <= 1)
        return 0;
    r->rc = err_set(r->err, VSR_E_INVALID, "the picture moves (%u frames); only still ones are read",
                    (unsigned)png_get_uint_32(chunk->data));
    png_error(png, "moves");
}

/* Whatever the file holds becomes three bytes for each pixel. */
static void set_form(png_structp png, png_infop info) {
    png_set_strip_16(png);
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    png_read_update_info(png, info);
}

static void stop(struct reading *r, int rc) {
    r->rc = rc;
    png_longjmp(r->png, 1);
}

/*
 * With the last row the library unpacks whatever is left of the pixels' stream, and a byte of it may be a thousand
 * then, of which nobody has said how many there are. So there is an end to what a row takes of the file.
 */
static void read_row(struct reading *r, png_bytep row, size_t width) {
    size_t left = r->bytes.len - r->at, most = width * FILE_PIXEL_LEN + FILE_ROW_SLACK;
    r->until = r->at + (left < most ? left : most);
    png_read_row(r->png, row, NULL);
    r->until = r->bytes.len;
}

static void read_rows(struct reading *r, size_t width, size_t height) {
    int rc = pages_new(width * PICTURE_CHANNELS, "a row of a picture", &r->pixels, r->err);
    if (rc < 0)
        stop(r, rc);
    for (size_t y = 0; y < height; y++) {
        read_row(r, r->pixels.data, width);
        r->sink->row(r->sink->data, r->pixels.data);
    }
}

/* Each of the seven passes completes some pixels of all rows. */
static void read_interlaced(struct reading *r, size_t width, size_t height, int passes) {
    size_t row_len = width * PICTURE_CHANNELS;
    int rc = pages_new(height * row_len, "an interlaced picture", &r->pixels, r->err);
    if (rc < 0)
        stop(r, rc);
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++)
            read_row(r, (png_bytep)r->pixels.data + y * row_len, width);
    for (size_t y = 0; y < height; y++)
        r->sink->row(r->sink->data, (const uint8_t *)r->pixels.data + y * row_len);
}

static void read_picture(struct reading *r) {
    png_uint_32 width, height;
    int passes, rc;
    png_read_info(r->png, r->info);
    width = png_get_image_width(r->png, r->info);
    height = png_get_image_height(r->png, r->info);
    rc = picture_begin(r->sink, width, height, r->err); /* before the library makes room for a row */
    if (rc < 0)
        stop(r, rc);
    passes = png_set_interlace_handling(r->png);
    set_form(r->png, r->info);
    if (png_get_rowbytes(r->png, r->info) != (size_t)width * PICTURE_CHANNELS)
        png_error(r->png, "its pixels have no form that is known");
    if (passes > 1)
        read_interlaced(r, width, height, passes);
    else
        read_rows(r, width, height);
    png_read_end(r->png, NULL);
}

static void set_limits(struct reading *r) {
    png_set_user_limits(r->png, 0x7fffffff, 0x7fffffff); /* ours say how many there are */
    png_set_chunk_malloc_max(r->png, PICTURE_LEN_MAX);   /* also the length of any chunk */
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, passed_over, CHUNKS_PASSED_OVER);
    png_set_read_user_chunk_fn(r->png, r, take_chunk);
    png_set_read_fn(r->png, r, take_bytes);
}

/* Apart, so that no variable of a frame that is jumped back to has changed. */
static void read_or_jump(struct reading *r) {
    if (setjmp(png_jmpbuf(r->png)) == 0) {
        set_limits(r);
        read_picture(r);
    }
}

int picture_read_png(vsr_str bytes, const struct picture_sink *sink, struct vsr_err *err) {
    struct reading r = { .bytes = bytes, .until = bytes.len, .sink = sink, .err = err };
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    if (r.png)
        r.info = png_create_info_struct(r.png);
    if (r.info)
        read_or_jump(&r);
    else
        r.rc = err_set(err, VSR_E_NOMEM, "no memory to read it");
    png_destroy_read_struct(&r.png, &r.info, NULL);
    pages_free(&r.pixels);
    return r.rc;
}
