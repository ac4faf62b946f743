/* Files of JPEG, by libjpeg: row by row; progressive ones are held as coefficients until their last scan. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#define JERROR_H /* its codes alone: its macros use what core/banned.h does not let through */
#define JMAKE_ENUM_LIST
#include <jerror.h>

#include "nn/pages.h"
#include "nn/picture_format.h"

enum { CMYK = 4, MEMORY_MAX = 640 << 20 /* coefficients of the most pixels, of four inks, and some */ };

struct reading {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors; /* `jpeg.err` */
    struct jpeg_progress_mgr progress;
    jmp_buf end;
    const struct picture_sink *sink;
    struct pages row, inks;
    struct vsr_err *err;
    int rc;
};

static struct reading *reading_of(j_common_ptr jpeg) {
    return (struct reading *)jpeg; /* it is the first */
}

_Noreturn static void stop(struct reading *r, int rc) {
    r->rc = rc;
    longjmp(r->end, 1);
}

_Noreturn static void on_error(j_common_ptr jpeg) {
    struct reading *r = reading_of(jpeg);
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY)
        stop(r, err_set(r->err, VSR_E_NOMEM, "no memory to read it"));
    stop(r, err_set(r->err, VSR_E_INVALID, "the file is damaged or cut: %s", text));
}

/* The library warns and goes on with grey where bytes are missing; these only are no damage. */
static bool is_harmless(int code) {
    return code == JWRN_ADOBE_XFORM || code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR ||
           code == JWRN_BOGUS_ICC;
}

static void on_message(j_common_ptr jpeg, int level) {
    if (level < 0 && !is_harmless(jpeg->err->msg_code))
        on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg) {
    struct reading *r = reading_of(jpeg);
    if (r->jpeg.input_scan_number > PICTURE_SCANS_MAX)
        stop(r, err_set(r->err, VSR_E_LIMIT, "the picture is written in more than %d scans", PICTURE_SCANS_MAX));
}

static uint8_t product(unsigned a, unsigned b) {
    return (uint8_t)((a * b + 127) / 255);
}

/* Programs that write four inks write how much of each is left out. */
static void mix_inks(const uint8_t *inks, uint8_t *rgb, size_t width, bool inverted) {
    for (size_t x = 0; x < width; x++, inks += CMYK, rgb += PICTURE_CHANNELS)
        for (size_t c = 0; c < PICTURE_CHANNELS; c++)
            rgb[c] = inverted ? product(inks[c], inks[3]) : product(255u - inks[c], 255u - inks[3]);
}

static void read_rows(struct reading *r) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    size_t width = jpeg->output_width;
    bool inks = jpeg->out_color_space == JCS_CMYK;
    JSAMPROW row;
    int rc = pages_new(width * PICTURE_CHANNELS, "a row of a picture", &r->row, r->err);
    if (rc == 0 && inks)
        rc = pages_new(width * CMYK, "a row of a picture", &r->inks, r->err);
    if (rc < 0)
        stop(r, rc);
    row = inks ? r->inks.data : r->row.data;
    while (jpeg->output_scanline < jpeg->output_height) {
        (void)jpeg_read_scanlines(jpeg, &row, 1); /* without suspension it is always one */
        if (inks)
            mix_inks(r->inks.data, r->row.data, width, jpeg->saw_Adobe_marker);
        r->sink->row(r->sink->data, r->row.data);
    }
}

static void read_picture(struct reading *r, vsr_str bytes) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    int rc;
    jpeg_create_decompress(jpeg);
    jpeg->mem->max_memory_to_use = MEMORY_MAX;
    jpeg->progress = &r->progress;
    jpeg_mem_src(jpeg, (const unsigned char *)bytes.ptr, bytes.len);
    (void)jpeg_read_header(jpeg, TRUE);
    rc = picture_begin(r->sink, jpeg->image_width, jpeg->image_height, r->err);
    if (rc < 0)
        stop(r, rc);
    jpeg->out_color_space =
        jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK ? JCS_CMYK : JCS_RGB;
    (void)jpeg_start_decompress(jpeg);
    read_rows(r);
    (void)jpeg_finish_decompress(jpeg);
}

/* Apart, so that no variable of a frame that is jumped back to has changed. */
static void read_or_jump(struct reading *r, vsr_str bytes) {
    if (setjmp(r->end) == 0)
        read_picture(r, bytes);
}

int picture_read_jpeg(vsr_str bytes, const struct picture_sink *sink, struct vsr_err *err) {
    struct reading r = { .sink = sink, .err = err };
    r.jpeg.err = jpeg_std_error(&r.errors);
    r.errors.error_exit = on_error;
    r.errors.emit_message = on_message;
    r.progress.progress_monitor = on_progress;
    read_or_jump(&r, bytes);
    jpeg_destroy_decompress(&r.jpeg);
    pages_free(&r.row);
    pages_free(&r.inks);
    return r.rc;
}
