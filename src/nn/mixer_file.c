#include "nn/mixer_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/mem.h"
#include "nn/kernels.h"

_Static_assert((int)MIXER_SIDE_MAX <= (int)KERNELS_WIDTH_MAX, "an activation takes a row");

enum {
    PANEL = 64, /* columns that a tile of the product has at once, whatever the processor: 4 vectors of 16 */
    ALIGN = 64, /* bytes: no vector lies across two lines of the cache */
};

int mixer_file_open(struct arena *arena, vsr_str bytes, struct mixer_file *ret, struct vsr_err *err) {
    struct mixer_file file = { .arena = arena, .err = err };
    int rc = safetensors_parse(arena, bytes, &file.tensors, err);
    if (rc < 0)
        return rc;
    file.used = ARENA_ARRAY(arena, bool, file.tensors.n);
    *ret = file;
    return 0;
}

bool mixer_file_has(const struct mixer_file *file, const char *name) {
    return safetensors_find(&file->tensors, str_from_c(name)) != NULL;
}

int mixer_file_tensor(struct mixer_file *file, const char *name, size_t n_dims, size_t side_max,
                      const struct tensor **ret) {
    const struct tensor *tensor = safetensors_find(&file->tensors, str_from_c(name));
    char shape[TENSOR_SHAPE_TEXT_LEN];
    if (!tensor)
        return err_set(file->err, VSR_E_NOT_FOUND, "tensor \"%s\" is missing", name);
    file->used[tensor - file->tensors.tensors] = true;
    if (tensor->n_dims != n_dims)
        return err_set(file->err, VSR_E_INVALID, "tensor \"%s\" is %s, expected %zu dimensions", name,
                       tensor_shape_text(tensor->dims, tensor->n_dims, shape), n_dims);
    for (size_t i = 0; i < n_dims; i++)
        if (tensor->dims[i] == 0 || tensor->dims[i] > side_max)
            return err_set(file->err, VSR_E_LIMIT, "tensor \"%s\" is %s, expected sides of 1 to %zu", name,
                           tensor_shape_text(tensor->dims, tensor->n_dims, shape), side_max);
    *ret = tensor;
    return 0;
}

static float *alloc_numbers(struct arena *arena, size_t n) {
    char *room = arena_alloc(arena, n * sizeof(float) + ALIGN);
    return (float *)(void *)(room + (ALIGN - (uintptr_t)room % ALIGN) % ALIGN);
}

static int check_side(const struct mixer_file *file, const struct tensor *tensor, size_t dim, size_t *side) {
    char shape[TENSOR_SHAPE_TEXT_LEN];
    if (*side != 0 && *side != tensor->dims[dim])
        return err_set(file->err, VSR_E_INVALID, "tensor \"%.*s\" is %s, expected %zu in place of %zu",
                       VSR_FMT(tensor->name), tensor_shape_text(tensor->dims, tensor->n_dims, shape), *side,
                       tensor->dims[dim]);
    *side = tensor->dims[dim];
    return 0;
}

static int find_matrix(struct mixer_file *file, const char *name, size_t side_max, size_t *rows, size_t *cols,
                       const struct tensor **ret) {
    int rc = mixer_file_tensor(file, name, 2, side_max, ret);
    if (rc == 0)
        rc = check_side(file, *ret, 0, rows);
    return rc < 0 ? rc : check_side(file, *ret, 1, cols);
}

static int read_numbers(const struct mixer_file *file, const struct tensor *tensor, float *ret) {
    if (!dtype_to_f32(tensor->dtype, tensor->data, tensor->n, ret))
        return err_set(file->err, VSR_E_INVALID, "tensor \"%.*s\" is of %s, which is no type of weights",
                       VSR_FMT(tensor->name), dtype_name(tensor->dtype));
    for (size_t i = 0; i < tensor->n; i++)
        if (!isfinite(ret[i]))
            return err_set(file->err, VSR_E_INVALID, "tensor \"%.*s\": number %zu of %zu is not finite",
                           VSR_FMT(tensor->name), i, tensor->n);
    return 0;
}

/* "X.scale" of "X.weight": what the bytes of each row are multiplied by. */
static int apply_scale(struct mixer_file *file, const char *name, size_t rows, size_t cols, float *values) {
    char scale[MIXER_NAME_LEN_MAX];
    const float *factors;
    int len = (int)strlen(name) - (int)strlen(".weight"), rc;
    if (len <= 0 || strcmp(name + len, ".weight") != 0)
        return err_set(file->err, VSR_E_INVALID, "tensor \"%s\" is of I8, which only matrices may be", name);
    (void)snprintf(scale, sizeof(scale), "%.*s.scale", len, name); /* names are ours, and short */
    rc = mixer_file_vector(file, scale, rows, &factors);
    for (size_t i = 0; rc == 0 && i < rows * cols; i++)
        values[i] *= factors[i / cols];
    return rc;
}

int mixer_file_matrix(struct mixer_file *file, const char *name, size_t *rows, size_t *cols, const float **ret) {
    const struct tensor *tensor;
    float *values;
    int rc = find_matrix(file, name, MIXER_SIDE_MAX, rows, cols, &tensor);
    if (rc < 0)
        return rc;
    values = alloc_numbers(file->arena, tensor->n);
    rc = read_numbers(file, tensor, values);
    if (rc == 0 && tensor->dtype == DTYPE_I8)
        rc = apply_scale(file, name, *rows, *cols, values);
    if (rc == 0)
        *ret = values;
    return rc;
}

int mixer_file_vector(struct mixer_file *file, const char *name, size_t n, const float **ret) {
    const struct tensor *tensor;
    float *values;
    int rc = mixer_file_tensor(file, name, 1, SIZE_MAX, &tensor);
    if (rc == 0)
        rc = check_side(file, tensor, 0, &n);
    if (rc == 0 && tensor->dtype == DTYPE_I8)
        rc = err_set(file->err, VSR_E_INVALID, "tensor \"%s\" is of I8, which only matrices may be", name);
    if (rc < 0)
        return rc;
    values = alloc_numbers(file->arena, n);
    rc = read_numbers(file, tensor, values);
    if (rc == 0)
        *ret = values;
    return rc;
}

static const float *pack(struct arena *arena, const float *weights, size_t out, size_t in) {
    float *panels = alloc_numbers(arena, out * in), *to = panels;
    for (size_t column = 0; column < out; column += PANEL)
        for (size_t i = 0; i < in; i++)
            for (size_t c = column; c < out && c < column + PANEL; c++)
                *to++ = weights[c * in + i];
    return panels;
}

int mixer_file_linear(struct mixer_file *file, const char *module, size_t in, size_t out, struct mixer_linear *ret) {
    char weight[MIXER_NAME_LEN_MAX], bias[MIXER_NAME_LEN_MAX];
    struct mixer_linear linear = { .in = in, .out = out };
    const float *weights;
    struct arena *arena = file->arena, *scratch;
    int rc;
    (void)snprintf(weight, sizeof(weight), "%s.weight", module);
    (void)snprintf(bias, sizeof(bias), "%s.bias", module);
    scratch = arena_new(0, 0);
    file->arena = scratch;
    rc = mixer_file_matrix(file, weight, &linear.out, &linear.in, &weights);
    file->arena = arena;
    if (rc == 0)
        linear.panels = pack(arena, weights, linear.out, linear.in);
    arena_free(scratch);
    if (rc == 0 && mixer_file_has(file, bias))
        rc = mixer_file_vector(file, bias, linear.out, &linear.bias);
    if (rc == 0)
        *ret = linear;
    return rc;
}

int mixer_file_table(struct mixer_file *file, const char *module, size_t *rows, size_t *cols, struct embed_table *ret) {
    char weight[MIXER_NAME_LEN_MAX], scale[MIXER_NAME_LEN_MAX];
    struct embed_table table = { .data = NULL };
    const struct tensor *tensor;
    int rc;
    (void)snprintf(weight, sizeof(weight), "%s.weight", module); /* names are ours, and short */
    (void)snprintf(scale, sizeof(scale), "%s.scale", module);
    rc = find_matrix(file, weight, MIXER_TABLE_ROWS_MAX, rows, cols, &tensor);
    if (rc < 0)
        return rc;
    if (*cols > MIXER_TABLE_COLS_MAX)
        return err_set(file->err, VSR_E_LIMIT, "tensor \"%s\" has rows of %zu, at most %d", weight, *cols,
                       MIXER_TABLE_COLS_MAX);
    if (tensor->dtype != DTYPE_I8 && tensor->dtype != DTYPE_F32 && tensor->dtype != DTYPE_BF16)
        return err_set(file->err, VSR_E_INVALID, "tensor \"%s\" is of %s, expected I8, BF16 or F32", weight,
                       dtype_name(tensor->dtype));
    table = (struct embed_table){ .dtype = tensor->dtype, .data = tensor->data, .n_rows = *rows };
    if (tensor->dtype == DTYPE_I8)
        rc = mixer_file_vector(file, scale, *rows, &table.row_scale);
    if (rc == 0)
        *ret = table;
    return rc;
}

int mixer_file_number(const struct mixer_file *file, const char *key, size_t fallback, size_t least, size_t most,
                      size_t *ret) {
    vsr_str text = safetensors_note(&file->tensors, str_from_c(key));
    uint64_t value = fallback;
    if (text.len > 0 && (!str_to_u64(text, &value) || value < least || value > most))
        return err_set(file->err, VSR_E_INVALID, "metadata \"%s\" is \"%.*s\", expected a number from %zu to %zu", key,
                       VSR_FMT(str_sub(text, 0, 32)), least, most);
    *ret = (size_t)value;
    return 0;
}

int mixer_file_finish(const struct mixer_file *file) {
    for (size_t i = 0; i < file->tensors.n; i++)
        if (!file->used[i])
            return err_set(file->err, VSR_E_INVALID, "tensor \"%.*s\" is none that this kind of model has",
                           VSR_FMT(str_sub(file->tensors.tensors[i].name, 0, MIXER_NAME_LEN_MAX)));
    return 0;
}

/* Rows are all over the table: those ahead are asked for before they are read. */
void mixer_table_gather(const struct embed_table *table, const uint32_t *ids, size_t n, size_t cols, float *ret) {
    enum { AHEAD = 8, LINE = 64 };
    const struct embed embed = { .words = *table, .scale = 1 };
    size_t len = cols * dtype_len(table->dtype);
    for (size_t i = 0; i < n; i++) {
        const char *ahead = (const char *)table->data + ids[i + AHEAD < n ? i + AHEAD : n - 1] * len;
        for (size_t at = 0; at < len; at += LINE)
            __builtin_prefetch(ahead + at);
        kernel_embed(&embed, ids + i, NULL, NULL, ret + i * cols, cols, 1, cols);
    }
}

/* A panel of the product after the other: a panel's weights stay in the nearest cache for all rows. */
void mixer_linear_add(const struct mixer_linear *linear, const float *x, size_t x_stride, size_t n, float *y,
                      size_t y_stride) {
    const float *panel = linear->panels;
    for (size_t column = 0; column < linear->out; column += PANEL) {
        size_t width = linear->out - column < PANEL ? linear->out - column : PANEL;
        const struct low_rank product = { .x = x,
                                          .x_stride = x_stride,
                                          .factor = panel,
                                          .rank = linear->in,
                                          .bias = linear->bias ? linear->bias + column : NULL };
        kernel_add_low_rank(&product, y + column, y_stride, n, width);
        panel += linear->in * width;
    }
}

void mixer_linear_run(const struct mixer_linear *linear, const float *x, size_t x_stride, size_t n, float *y) {
    memset(y, 0, n * linear->out * sizeof(*y));
    mixer_linear_add(linear, x, x_stride, n, y, linear->out);
}

void mixer_activate(float *rows, size_t n, size_t width) {
    const struct rows_in in = { .type = ROWS_F32, .data = rows, .stride = width };
    const struct rows_out out = { .type = ROWS_F32, .data = rows, .stride = width };
    kernel_activate(ACTIVATION_GELU, &in, &out, n, width);
}
