/* Weights with their adapter in them. See lora.h. */
#include <math.h>

#include "core/mem.h"
#include "nn/lora.h"

static int to_f32(const struct tensor *tensor, float *ret, struct vsr_err *err) {
    if (dtype_to_f32(tensor->dtype, tensor->data, tensor->n, ret))
        return 0;
    return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" holds %s, expected numbers", VSR_FMT(tensor->name),
                   dtype_name(tensor->dtype));
}

int lora_factors(struct lora_module *m, float *a, float *b, struct vsr_err *err) {
    int rc = to_f32(m->a, a, err);
    m->used = true;
    return rc < 0 ? rc : to_f32(m->b, b, err);
}

/* Row by row: what is added is summed up first, as the library does that the adapters were trained with. */
static void fold_row(const struct lora_module *m, const float *a, const float *b, float *delta, float *weight) {
    memset(delta, 0, m->in * sizeof(*delta));
    for (size_t k = 0; k < m->rank; k++) {
        for (size_t i = 0; i < m->in; i++)
            delta[i] += b[k] * a[k * m->in + i];
    }
    for (size_t i = 0; i < m->in; i++)
        weight[i] += m->scale * delta[i];
}

/* DoRA: the row keeps its direction and is given a length. */
static void set_length(float *weight, size_t n, float length) {
    double sum = 0;
    float factor;
    for (size_t i = 0; i < n; i++)
        sum += (double)weight[i] * weight[i];
    factor = sum > 0 ? (float)(length / sqrt(sum)) : 0; /* a row of zeros has no direction */
    for (size_t i = 0; i < n; i++)
        weight[i] *= factor;
}

int lora_fold(struct lora_module *m, float *weight, struct vsr_err *err) {
    size_t n_a = m->rank * m->in, n_b = m->out * m->rank;
    float *room = mem_try_realloc(NULL, (n_a + n_b + m->in + m->out) * sizeof(*room));
    float *a = room, *b = room + n_a, *delta = b + n_b, *lengths = delta + m->in;
    int rc;
    if (!room)
        return err_set(err, VSR_E_NOMEM, "no memory to fold \"%.*s\"", VSR_FMT(m->path));
    rc = lora_factors(m, a, b, err);
    if (rc == 0 && m->magnitude)
        rc = to_f32(m->magnitude, lengths, err);
    for (size_t o = 0; o < m->out && rc == 0; o++) {
        fold_row(m, a, b + o * m->rank, delta, weight + o * m->in);
        if (m->magnitude)
            set_length(weight + o * m->in, m->in, lengths[o]);
    }
    mem_free(room);
    return rc;
}

/* ---- a layer by its name */

/* "<name>.weight"; the text is the caller's. */
static vsr_str member(char text[static WEIGHTS_NAME_LEN_MAX], vsr_str name, const char *member_name) {
    int len = snprintf(text, WEIGHTS_NAME_LEN_MAX, "%.*s.%s", VSR_FMT(name), member_name);
    return str_make(text, len < 0 || len >= WEIGHTS_NAME_LEN_MAX ? 0 : (size_t)len);
}

static int read_saved(struct lora_saved *saved, struct weights *weights, vsr_str name, struct weights_shape shape,
                      float *ret, struct vsr_err *err) {
    const struct tensor *tensor = saved->tensor;
    if (!weights_has_shape(tensor, shape)) {
        char is[TENSOR_SHAPE_TEXT_LEN], wanted[TENSOR_SHAPE_TEXT_LEN];
        return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" of the adapter is %s, expected %s", VSR_FMT(tensor->name),
                       tensor_shape_text(tensor->dims, tensor->n_dims, is),
                       tensor_shape_text(shape.dims, shape.n_dims, wanted));
    }
    saved->used = true;
    weights_ignore(weights, name);
    return to_f32(tensor, ret, err);
}

int lora_tensor(struct lora *lora, struct weights *weights, enum weights_part part, vsr_str name,
                struct weights_shape shape, float *ret, struct vsr_err *err) {
    struct lora_saved *saved = lora ? lora_find_saved(lora, name) : NULL;
    return saved ? read_saved(saved, weights, name, shape, ret, err)
                 : weights_get_f32(weights, part, name, shape, ret, err);
}

int lora_weight(struct lora *lora, struct weights *weights, enum weights_part part, vsr_str name, size_t out, size_t in,
                float *ret, struct vsr_err *err) {
    char text[WEIGHTS_NAME_LEN_MAX];
    struct lora_module *module = lora ? lora_find(lora, name) : NULL;
    int rc = lora_tensor(lora, weights, part, member(text, name, "weight"), WEIGHTS_SHAPE(out, in), ret, err);
    if (rc < 0 || !module)
        return rc;
    if (module->out != out || module->in != in)
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is adapted as [%zu, %zu], expected [%zu, %zu]",
                       VSR_FMT(module->path), module->out, module->in, out, in);
    return lora_fold(module, ret, err);
}

bool lora_has_bias(const struct lora *lora, const struct weights *weights, enum weights_part part, vsr_str name) {
    char text[WEIGHTS_NAME_LEN_MAX];
    vsr_str bias = member(text, name, "bias");
    const struct lora_module *module = lora ? lora_find(lora, name) : NULL;
    return weights_has(weights, part, bias) || (lora && lora_find_saved(lora, bias)) || (module && module->bias);
}

static int add_bias(const struct lora_module *module, size_t out, float *bias, struct vsr_err *err) {
    float *more = mem_try_realloc(NULL, out * sizeof(*more));
    int rc;
    if (!more)
        return err_set(err, VSR_E_NOMEM, "no memory to fold \"%.*s\"", VSR_FMT(module->path));
    rc = module->out == out ? to_f32(module->bias, more, err)
                            : err_set(err, VSR_E_INVALID, "\"%.*s\" has %zu outputs, expected %zu",
                                      VSR_FMT(module->path), module->out, out);
    for (size_t i = 0; i < out && rc == 0; i++)
        bias[i] += module->scale * more[i];
    mem_free(more);
    return rc;
}

int lora_bias(struct lora *lora, struct weights *weights, enum weights_part part, vsr_str name, size_t out, float *ret,
              struct vsr_err *err) {
    char text[WEIGHTS_NAME_LEN_MAX];
    vsr_str bias = member(text, name, "bias");
    const struct lora_module *module = lora ? lora_find(lora, name) : NULL;
    bool adds = module && module->bias;
    int rc = 0;
    if (adds && !weights_has(weights, part, bias) && !lora_find_saved(lora, bias))
        memset(ret, 0, out * sizeof(*ret));
    else
        rc = lora_tensor(lora, weights, part, bias, WEIGHTS_SHAPE(out), ret, err);
    return rc < 0 || !adds ? rc : add_bias(module, out, ret, err);
}

int lora_rows(const struct lora *lora, const struct weights *weights, enum weights_part part, vsr_str name,
              size_t *ret_rows, struct vsr_err *err) {
    char text[WEIGHTS_NAME_LEN_MAX];
    vsr_str weight = member(text, name, "weight");
    const struct lora_saved *saved = lora ? lora_find_saved(lora, weight) : NULL;
    if (!saved)
        return weights_dim(weights, part, weight, 0, ret_rows, err);
    if (saved->tensor->n_dims != 2)
        return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" is no matrix", VSR_FMT(saved->tensor->name));
    *ret_rows = saved->tensor->dims[0];
    return 0;
}
