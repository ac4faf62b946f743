#include "nn/picture_scale.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "nn/picture.h"

enum {
    WEIGHT_BITS = 22, /* a sum of 8 bits, with weights that overshoot by less than a half, fits 32 bits */
    SUPPORT = 2,      /* samples to each side, of a picture that is not shrunk */
};

/* Output sample i is the sum over inputs [from[i], from[i] + n[i]) times weights[i * most ...]. */
struct axis {
    size_t in, out, most;
    uint32_t *from, *n;
    int32_t *weights;
};

struct scaling {
    size_t width, height; /* of what comes out */
    struct axis across, down;
    uint8_t *row;      /* a row that went through the first pass: [width][3] */
    int32_t *sums;     /* [height][width][3], of rows that are begun */
    size_t next;       /* row that comes */
    size_t first, end; /* rows below `first` are done, those from `end` on not begun */
    uint8_t *rgb;
};

/* ---- weights */

static double bicubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

static int32_t fixed(double weight) {
    return (int32_t)(weight * (1 << WEIGHT_BITS) + (weight < 0 ? -0.5 : 0.5));
}

/* One output sample's; `values` is scratch. */
static void weigh(struct axis *axis, size_t i, double scale, double stretch, double *values) {
    double centre = ((double)i + 0.5) * scale, support = SUPPORT * stretch, sum = 0;
    double low = centre - support + 0.5, high = centre + support + 0.5;
    size_t from = low < 0 ? 0 : (size_t)low, end = high > (double)axis->in ? axis->in : (size_t)high;
    axis->from[i] = (uint32_t)from;
    axis->n[i] = (uint32_t)(end - from);
    for (size_t k = from; k < end; k++) {
        values[k - from] = bicubic(((double)k - centre + 0.5) * (1 / stretch));
        sum += values[k - from];
    }
    for (size_t k = 0; k < end - from; k++)
        axis->weights[i * axis->most + k] = fixed(sum != 0 ? values[k] / sum : values[k]);
}

/* False: no memory. */
static bool axis_init(struct axis *axis, size_t in, size_t out) {
    double scale = (double)in / (double)out, stretch = scale < 1 ? 1 : scale;
    double *values;
    axis->in = in;
    axis->out = out;
    axis->most = (size_t)ceil(SUPPORT * stretch) * 2 + 1;
    axis->from = mem_try_realloc(NULL, out * sizeof(*axis->from));
    axis->n = mem_try_realloc(NULL, out * sizeof(*axis->n));
    axis->weights = mem_try_realloc(NULL, out * axis->most * sizeof(*axis->weights));
    values = mem_try_realloc(NULL, axis->most * sizeof(*values));
    if (axis->from && axis->n && axis->weights && values)
        for (size_t i = 0; i < out; i++)
            weigh(axis, i, scale, stretch, values);
    mem_free(values);
    return axis->from && axis->n && axis->weights && values;
}

static void axis_done(struct axis *axis) {
    mem_free(axis->from);
    mem_free(axis->n);
    mem_free(axis->weights);
}

/* ---- rows */

static uint8_t rounded(int32_t sum) {
    int32_t value = sum >> WEIGHT_BITS;
    return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

static void scale_across(const struct axis *axis, const uint8_t *in, uint8_t *out) {
    for (size_t i = 0; i < axis->out; i++, out += PICTURE_CHANNELS) {
        const uint8_t *at = in + (size_t)axis->from[i] * PICTURE_CHANNELS;
        const int32_t *weights = axis->weights + i * axis->most;
        int32_t r = 1 << (WEIGHT_BITS - 1), g = r, b = r;
        for (size_t k = 0; k < axis->n[i]; k++, at += PICTURE_CHANNELS) {
            r += at[0] * weights[k];
            g += at[1] * weights[k];
            b += at[2] * weights[k];
        }
        out[0] = rounded(r);
        out[1] = rounded(g);
        out[2] = rounded(b);
    }
}

static void add_row(int32_t *restrict sums, const uint8_t *restrict row, int32_t weight, size_t n) {
    for (size_t i = 0; i < n; i++)
        sums[i] += row[i] * weight;
}

static void finish_row(struct scaling *s, size_t y, size_t n) {
    for (size_t i = 0; i < n; i++)
        s->rgb[y * n + i] = rounded(s->sums[y * n + i]);
}

static void take_row(void *data, const uint8_t *rgb) {
    struct scaling *s = data;
    const struct axis *down = &s->down;
    size_t n = s->width * PICTURE_CHANNELS, row = s->next++;
    scale_across(&s->across, rgb, s->row);
    while (s->end < s->height && down->from[s->end] <= row)
        s->end++;
    for (size_t y = s->first; y < s->end; y++)
        if (row < down->from[y] + down->n[y])
            add_row(s->sums + y * n, s->row, down->weights[y * down->most + row - down->from[y]], n);
    for (; s->first < s->end && row + 1 >= down->from[s->first] + down->n[s->first]; s->first++)
        finish_row(s, s->first, n);
}

static int begin(void *data, size_t width, size_t height, struct vsr_err *err) {
    struct scaling *s = data;
    size_t n = s->width * PICTURE_CHANNELS;
    bool across = axis_init(&s->across, width, s->width), down = axis_init(&s->down, height, s->height);
    s->row = mem_try_realloc(NULL, n);
    s->sums = mem_try_realloc(NULL, s->height * n * sizeof(*s->sums));
    if (!across || !down || !s->row || !s->sums)
        return err_set(err, VSR_E_NOMEM, "no memory to scale it");
    for (size_t i = 0; i < s->height * n; i++)
        s->sums[i] = 1 << (WEIGHT_BITS - 1);
    return 0;
}

int picture_scale(vsr_str bytes, size_t width, size_t height, uint8_t *rgb, struct vsr_err *err) {
    struct scaling s = { .width = width, .height = height, .rgb = rgb };
    const struct picture_sink sink = { .begin = begin, .row = take_row, .data = &s };
    int rc;
    if (width == 0 || height == 0 || width > PICTURE_SCALED_SIDE_MAX || height > PICTURE_SCALED_SIDE_MAX)
        return err_set(err, VSR_E_LIMIT, "a picture is scaled to 1 to %d pixels on each side", PICTURE_SCALED_SIDE_MAX);
    rc = picture_read(bytes, &sink, err);
    axis_done(&s.across);
    axis_done(&s.down);
    mem_free(s.row);
    mem_free(s.sums);
    return rc;
}
