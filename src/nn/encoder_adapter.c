#include "nn/encoder_adapter.h"

#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "nn/encoder_model.h"
#include "nn/gemm.h"
#include "nn/lora.h"
#include "nn/runtime.h"
#include "nn/tensor_store.h"
#include "nn/weights.h"

/* Matrices of few rows are multiplied by other code, whose sums may depend on how many texts there are. */
enum { FIRST_ROWS = 16 };

struct reader {
    struct encoder_adapter *adapter;
    struct weights *weights;
    struct lora *lora;
    struct pages first, second; /* factors of one matrix, as they are read */
    float *room;                /* what is left of adapter->factors */
    struct vsr_err *err;
    char name[WEIGHTS_NAME_LEN_MAX], member[WEIGHTS_NAME_LEN_MAX];
};

/* ---- names */

static vsr_str name_of(struct reader *r, size_t layer, const char *module) {
    int n = snprintf(r->name, sizeof(r->name), "%s%zu.%s", r->adapter->base->names->layer, layer, module);
    VSR_ASSERT(n > 0 && (size_t)n < sizeof(r->name)); /* the parts are our own */
    return str_make(r->name, (size_t)n);
}

static const struct lora_saved *find_saved(struct reader *r, vsr_str module, const char *member) {
    int n = snprintf(r->member, sizeof(r->member), "%.*s.%s", VSR_FMT(module), member);
    VSR_ASSERT(n > 0 && (size_t)n < sizeof(r->member));
    return lora_find_saved(r->lora, str_make(r->member, (size_t)n));
}

/* ---- factors */

static size_t round_up(size_t n) {
    return (n + FIRST_ROWS - 1) / FIRST_ROWS * FIRST_ROWS;
}

/* One pair: A behind those of the parts before it, B turned and scaled to where it stays. */
static int read_factors(struct reader *r, struct lora_module *module, struct adapter_part *part, size_t in) {
    float *a = (float *)r->first.data + part->from * in, *b = r->second.data, *factor = r->room;
    int rc = lora_factors(module, a, b, r->err);
    if (rc < 0)
        return rc;
    for (size_t k = 0; k < part->rank; k++)
        for (size_t o = 0; o < part->width; o++)
            factor[k * part->width + o] = module->scale * b[o * part->rank + k];
    part->factor = factor;
    r->room += part->rank * part->width;
    return 0;
}

/* What comes to the base's bias. */
static int read_bias(struct reader *r, vsr_str module, struct adapter_part *part) {
    struct weights *weights = r->weights;
    float *bias = ARENA_ARRAY(r->adapter->view.arena, float, part->width);
    float *old = mem_alloc(part->width * sizeof(*old));
    int rc = lora_bias(r->lora, weights, WEIGHTS_TRUNK, module, part->width, bias, r->err);
    if (rc == 0 && lora_has_bias(NULL, weights, WEIGHTS_TRUNK, module))
        rc = lora_bias(NULL, weights, WEIGHTS_TRUNK, module, part->width, old, r->err);
    for (size_t i = 0; i < part->width; i++)
        bias[i] -= old[i];
    part->bias = bias;
    mem_free(old);
    return rc;
}

/* `column`: where the part's output begins. Parts that the adapter leaves alone are left out. */
static int read_part(struct reader *r, struct adapter_linear *to, size_t layer, const char *module, size_t column,
                     size_t width, size_t in, size_t *ranks) {
    vsr_str name = name_of(r, layer, module);
    struct lora_module *factors = lora_find(r->lora, name);
    bool biased = find_saved(r, name, "bias") || (factors && factors->bias);
    struct adapter_part *part = &to->parts[to->n_parts];
    int rc = 0;
    if (find_saved(r, name, "weight"))
        return err_set(r->err, VSR_E_INVALID,
                       "it replaces all of \"%.*s\", and so cannot run beside its base: it can only be folded into a "
                       "copy",
                       VSR_FMT(name));
    if (!factors && !biased)
        return 0;
    *part = (struct adapter_part){ .column = column, .width = width, .from = *ranks };
    if (factors) {
        part->rank = factors->rank;
        rc = read_factors(r, factors, part, in);
    }
    if (rc == 0 && biased)
        rc = read_bias(r, name, part);
    to->n_parts++;
    *ranks += part->rank;
    return rc;
}

/* Room for the factors of one matrix. */
static int make_room(struct reader *r, size_t layer, enum linear linear, const struct linear_shape *shape) {
    const char *const *modules = r->adapter->base->names->linears[linear];
    size_t ranks = 0, largest = 0;
    int rc;
    for (size_t i = 0; i < shape->n; i++) {
        const struct lora_module *module = lora_find(r->lora, name_of(r, layer, modules[i]));
        ranks += module ? module->rank : 0;
        largest = module && module->rank * module->out > largest ? module->rank * module->out : largest;
    }
    rc = pages_grow(&r->first, round_up(ranks) * shape->cols * sizeof(float), r->err);
    if (rc == 0)
        rc = pages_grow(&r->second, largest * sizeof(float), r->err);
    if (rc == 0 && ranks > 0)
        memset(r->first.data, 0, round_up(ranks) * shape->cols * sizeof(float));
    return rc;
}

static int read_linear(struct reader *r, size_t layer, enum linear linear) {
    struct encoder_adapter *adapter = r->adapter;
    const struct encoder *base = adapter->base;
    struct adapter_linear *to = &adapter->linears[layer][linear];
    struct linear_shape shape = encoder_linear_shape(&base->config, linear);
    size_t ranks = 0, column = 0;
    int rc = make_room(r, layer, linear, &shape);
    for (size_t i = 0; i < shape.n && rc == 0; i++) {
        rc = read_part(r, to, layer, base->names->linears[linear][i], column, shape.rows[i], shape.cols, &ranks);
        column += shape.rows[i];
    }
    if (rc < 0 || ranks == 0)
        return rc;
    if (round_up(ranks) > adapter->first_max)
        adapter->first_max = round_up(ranks);
    return tensor_holding_gemm(adapter->view.holding, base->runtime->gemm, r->first.data, NULL, round_up(ranks),
                               shape.cols, base->precision, &to->first, r->err);
}

static int read_linears(struct reader *r) {
    struct encoder_adapter *adapter = r->adapter;
    size_t n = 0;
    int rc;
    for (size_t i = 0; i < r->lora->n_modules; i++)
        n += r->lora->modules[i].out * r->lora->modules[i].rank;
    rc = pages_new(n * sizeof(float), "an adapter's factors", &adapter->factors, r->err);
    r->room = adapter->factors.data;
    for (size_t layer = 0; layer < adapter->base->config.layers; layer++)
        for (enum linear linear = 0; linear < LINEARS && rc == 0; linear++)
            rc = read_linear(r, layer, linear);
    return rc;
}

/* ---- the whole */

static int read_view(struct reader *r, bool *ret_replaced) {
    struct encoder *view = &r->adapter->view;
    int rc;
    view->weights = r->weights;
    rc = encoder_load_view(view, r->lora, ret_replaced, r->err);
    view->weights = NULL; /* the base's table of tokens is used, and kept by the base */
    return rc;
}

static int read_all(struct reader *r) {
    struct encoder_adapter *adapter = r->adapter;
    const struct lora *lora = r->lora;
    bool replaced = false;
    int rc;
    if (lora->dora)
        return err_set(r->err, VSR_E_INVALID,
                       "it uses DoRA, which scales the rows of the sum of both matrices: it cannot run beside its "
                       "base and can only be folded into a copy");
    rc = weights_probe(r->weights, encoder_family_embedding(adapter->base->config.family), r->err);
    if (rc == 0)
        rc = read_view(r, &replaced);
    if (rc == 0)
        rc = read_linears(r);
    if (rc < 0)
        return rc;
    /* A norm may be applied where the layer before ends: whoever brings one goes alone from the start. */
    adapter->stage = replaced ? 0 : lora->first_layer == LINEAR_NO_LAYER ? STAGE_NEVER : lora->first_layer + 1;
    return 0;
}

static struct encoder_adapter *adapter_of(const struct encoder *base) {
    struct encoder_adapter *adapter = MEM_NEW(struct encoder_adapter);
    struct encoder *view = &adapter->view;
    size_t layers = base->config.layers;
    adapter->base = base;
    *view = *base;
    view->holding = tensor_holding_new(base->runtime->tensors);
    view->arena = arena_new(0, 0);
    view->layers = ARENA_ARRAY(view->arena, struct encoder_layer, layers);
    memcpy(view->layers, base->layers, layers * sizeof(*view->layers));
    adapter->linears = arena_alloc(view->arena, layers * sizeof(*adapter->linears));
    memset(adapter->linears, 0, layers * sizeof(*adapter->linears));
    return adapter;
}

int encoder_adapter_new(const struct encoder *base, struct weights *weights, struct lora *lora,
                        struct encoder_adapter **ret, struct vsr_err *err) {
    struct encoder_adapter *adapter = adapter_of(base);
    struct reader reader = { .adapter = adapter, .weights = weights, .lora = lora, .err = err };
    int rc = read_all(&reader);
    pages_free(&reader.first);
    pages_free(&reader.second);
    if (rc < 0) {
        encoder_adapter_free(adapter);
        return rc;
    }
    *ret = adapter;
    return 0;
}

void encoder_adapter_free(struct encoder_adapter *adapter) {
    if (!adapter)
        return;
    tensor_holding_free(adapter->view.holding);
    pages_free(&adapter->factors);
    arena_free(adapter->view.arena);
    mem_free(adapter);
}

size_t encoder_adapter_first_layer(const struct encoder_adapter *adapter) {
    return adapter->stage == STAGE_NEVER ? SIZE_MAX : adapter->stage > 0 ? adapter->stage - 1 : 0;
}

struct tensor_holding_bytes encoder_adapter_bytes(const struct encoder_adapter *adapter) {
    struct tensor_holding_bytes bytes = tensor_holding_bytes(adapter->view.holding);
    bytes.all += arena_bytes(adapter->view.arena) + adapter->factors.len;
    return bytes;
}
