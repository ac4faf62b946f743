#include "nn/head.h"

#include <string.h>

#include "core/arena.h"
#include "core/mem.h"
#include "nn/encoder.h"
#include "nn/gemm.h"
#include "nn/lora.h"
#include "nn/pages.h"
#include "nn/runtime.h"
#include "nn/weights.h"

/* What each family has between the trunk and the classes. */
struct head_names {
    enum weights_part part; /* where the dense layer stands */
    const char *dense;      /* NULL: none */
    const char *norm;       /* behind the activation; NULL: none */
    const char *classifier;
};

enum { BLOCK_ROWS = 256 };

struct head {
    struct nn_runtime *runtime;
    struct tensor_holding *holding; /* matrices */
    struct arena *arena;
    size_t hidden, classes;
    bool per_token;
    enum classifier_pooling pooling;
    enum problem problem;
    enum activation activation;
    const struct gemm *dense; /* NULL: the vectors are classified as they are */
    struct norm norm;         /* gamma NULL: none */
    const struct gemm *classifier;
};

struct head_scratch {
    struct pages pooled, dense, logits;
};

/* ---- reading */

static struct head_names names_of(const struct encoder_config *config) {
    bool per_token = config->task == TASK_TOKENS;
    switch (config->family) {
    case ENCODER_MODERNBERT:
        return (struct head_names){ WEIGHTS_HEAD, "head.dense", "head.norm", "classifier" };
    case ENCODER_ROBERTA:
    case ENCODER_MPNET:
        if (!per_token)
            return (struct head_names){ WEIGHTS_HEAD, "classifier.dense", NULL, "classifier.out_proj" };
        break;
    case ENCODER_BERT:
        if (!per_token)
            return (struct head_names){ WEIGHTS_TRUNK, "pooler.dense", NULL, "classifier" };
        break;
    case ENCODER_DEBERTA:
        if (!per_token)
            return (struct head_names){ WEIGHTS_HEAD, "pooler.dense", NULL, "classifier" };
        break;
    case ENCODER_QWEN3:
    case ENCODER_GEMMA3:
        return (struct head_names){ WEIGHTS_HEAD, NULL, NULL, "score" };
    case ENCODER_SIGLIP: /* no classifier has been published for it */
        break;
    }
    return (struct head_names){ WEIGHTS_HEAD, NULL, NULL, "classifier" };
}

/* The pooler of BERT is always tanh, whatever the trunk's activation. */
static enum activation activation_of(const struct encoder_config *config) {
    switch (config->family) {
    case ENCODER_MODERNBERT:
        return config->classifier_activation;
    case ENCODER_DEBERTA:
        return config->pooler_activation;
    default:
        return ACTIVATION_TANH;
    }
}

/* Whose vector stands for the text: of decoders the last token's, which has seen all others. */
static enum classifier_pooling pooling_of(const struct encoder_config *config) {
    switch (config->family) {
    case ENCODER_MODERNBERT:
        return config->classifier_pooling;
    case ENCODER_QWEN3:
    case ENCODER_GEMMA3: /* also where it sees both ways: its classifiers are made like those of other decoders */
        return POOL_LAST;
    default:
        return POOL_FIRST;
    }
}

struct reader {
    struct head *head;
    struct weights *weights;
    struct lora *lora;
    struct vsr_err *err;
};

static int read_vector(const struct reader *r, vsr_str name, size_t n, const float **ret) {
    float *values = ARENA_ARRAY(r->head->arena, float, n);
    int rc = lora_tensor(r->lora, r->weights, WEIGHTS_HEAD, name, WEIGHTS_SHAPE(n), values, r->err);
    if (rc == 0)
        *ret = values;
    return rc;
}

static int read_linear(const struct reader *r, enum weights_part part, const char *module, size_t out, size_t in,
                       const struct gemm **ret) {
    vsr_str name = str_from_c(module);
    bool biased = lora_has_bias(r->lora, r->weights, part, name);
    float *values = mem_alloc((out * in + out) * sizeof(*values)), *bias = values + out * in;
    int rc = lora_weight(r->lora, r->weights, part, name, out, in, values, r->err);
    if (rc == 0 && biased)
        rc = lora_bias(r->lora, r->weights, part, name, out, bias, r->err);
    if (rc == 0)
        rc = tensor_holding_gemm(r->head->holding, r->head->runtime->gemm, values, biased ? bias : NULL, out, in,
                                 PRECISION_F32, ret, r->err);
    mem_free(values);
    return rc;
}

static int read_norm(const struct reader *r, const char *module, float eps) {
    struct norm *norm = &r->head->norm;
    vsr_str bias = arena_printf(r->head->arena, "%s.bias", module);
    int rc = read_vector(r, arena_printf(r->head->arena, "%s.weight", module), r->head->hidden, &norm->gamma);
    norm->kind = NORM_LAYER;
    norm->eps = eps;
    if (rc == 0 && weights_has(r->weights, WEIGHTS_HEAD, bias))
        rc = read_vector(r, bias, r->head->hidden, &norm->beta);
    return rc;
}

static int read_classes(const struct reader *r, const struct encoder_config *config, const char *classifier) {
    size_t classes;
    int rc = lora_rows(r->lora, r->weights, WEIGHTS_HEAD, str_from_c(classifier), &classes, r->err);
    if (rc < 0)
        return rc;
    if (classes == 0 || classes > ENCODER_LABELS_MAX)
        return err_set(r->err, VSR_E_LIMIT, "a classifier of %zu classes, at most %d", classes, ENCODER_LABELS_MAX);
    if (config->n_labels && config->n_labels != classes)
        return err_set(r->err, VSR_E_INVALID, "config.json names %zu labels, the classifier has %zu rows",
                       config->n_labels, classes);
    r->head->classes = classes;
    return 0;
}

static int read_all(const struct reader *r, const struct encoder_config *config) {
    struct head_names names = names_of(config);
    size_t hidden = config->hidden;
    int rc;
    rc = read_classes(r, config, names.classifier);
    if (rc == 0 && names.dense)
        rc = read_linear(r, names.part, names.dense, hidden, hidden, &r->head->dense);
    if (rc == 0 && names.norm)
        rc = read_norm(r, names.norm, config->norm_eps);
    if (rc == 0)
        rc = read_linear(r, WEIGHTS_HEAD, names.classifier, r->head->classes, hidden, &r->head->classifier);
    return rc;
}

int head_new(struct nn_runtime *runtime, const struct encoder_config *config, struct weights *weights,
             struct lora *lora, struct head **ret, struct vsr_err *err) {
    struct head *head;
    struct reader reader = { .weights = weights, .lora = lora, .err = err };
    int rc;
    if (config->task != TASK_SEQUENCE && config->task != TASK_TOKENS)
        return err_set(err, VSR_E_INVALID, "the model is no classifier: its architecture names no classification");
    head = MEM_NEW(struct head);
    head->runtime = runtime;
    head->holding = tensor_holding_new(runtime->tensors);
    head->arena = arena_new(0, 0);
    head->hidden = config->hidden;
    head->per_token = config->task == TASK_TOKENS;
    head->pooling = pooling_of(config);
    head->problem = config->problem;
    head->activation = activation_of(config);
    reader.head = head;
    rc = read_all(&reader, config);
    if (rc < 0) {
        head_free(head);
        return rc;
    }
    *ret = head;
    return 0;
}

void head_free(struct head *head) {
    if (!head)
        return;
    tensor_holding_free(head->holding);
    arena_free(head->arena);
    mem_free(head);
}

size_t head_classes(const struct head *head) {
    return head->classes;
}

struct tensor_holding_bytes head_bytes(const struct head *head) {
    struct tensor_holding_bytes bytes = tensor_holding_bytes(head->holding);
    bytes.all += arena_bytes(head->arena);
    return bytes;
}

bool head_is_per_token(const struct head *head) {
    return head->per_token;
}

/* ---- running */

struct head_scratch *head_scratch_new(void) {
    return MEM_NEW(struct head_scratch);
}

void head_scratch_free(struct head_scratch *scratch) {
    if (!scratch)
        return;
    pages_free(&scratch->pooled);
    pages_free(&scratch->dense);
    pages_free(&scratch->logits);
    mem_free(scratch);
}

static void pool(const struct head *head, const float *hidden, const struct encoder_batch *batch, float *pooled) {
    static const enum pool_kind kinds[] = {
        [POOL_FIRST] = ROWS_FIRST, [POOL_MEAN] = ROWS_MEAN, [POOL_LAST] = ROWS_LAST
    };
    for (size_t s = 0; s < batch->n; s++)
        kernel_pool(kinds[head->pooling], hidden + batch->starts[s] * head->hidden, head->hidden,
                    batch->starts[s + 1] - batch->starts[s], head->hidden, pooled + s * head->hidden);
}

/* Up to BLOCK_ROWS rows. */
static int run_rows(const struct head *head, struct head_scratch *scratch, struct gemm_context *context,
                    const float *rows, size_t n, float *logits, struct vsr_err *err) {
    struct rows_in product;
    int rc = 0;
    if (head->dense) {
        const struct rows_out out = { .type = ROWS_F32, .data = scratch->dense.data, .stride = head->hidden };
        rc = gemm_run(head->dense, context, rows, NULL, n, scratch->dense.data, &product, err);
        if (rc < 0)
            return rc;
        kernel_activate(head->activation, &product, &out, n, head->hidden);
        if (head->norm.gamma)
            kernel_norm(&head->norm, &product, NULL, 0, false, &out, NULL, n, head->hidden);
        rows = scratch->dense.data;
    }
    return gemm_run(head->classifier, context, rows, NULL, n, logits, &product, err);
}

int head_run(const struct head *head, struct head_scratch *scratch, struct gemm_context *context, const float *hidden,
             const struct encoder_batch *batch, const float **ret_logits, struct vsr_err *err) {
    size_t n = head->per_token ? batch->starts[batch->n] : batch->n;
    const float *rows = hidden;
    int rc = pages_grow(&scratch->logits, n * head->classes * sizeof(float), err);
    if (rc == 0)
        rc = pages_grow(&scratch->dense, BLOCK_ROWS * head->hidden * sizeof(float), err);
    if (rc == 0 && !head->per_token)
        rc = pages_grow(&scratch->pooled, n * head->hidden * sizeof(float), err);
    if (rc < 0)
        return rc;
    if (!head->per_token) {
        pool(head, hidden, batch, scratch->pooled.data);
        rows = scratch->pooled.data;
    }
    for (size_t row = 0; row < n && rc == 0; row += BLOCK_ROWS)
        rc = run_rows(head, scratch, context, rows + row * head->hidden, n - row < BLOCK_ROWS ? n - row : BLOCK_ROWS,
                      (float *)scratch->logits.data + row * head->classes, err);
    if (rc == 0)
        *ret_logits = scratch->logits.data;
    return rc;
}

void head_probabilities(const struct head *head, float *rows, size_t n_rows) {
    if (head->problem == PROBLEM_SINGLE_LABEL && head->classes > 1)
        kernel_softmax(rows, head->classes, n_rows, head->classes);
    else
        kernel_sigmoid(rows, n_rows * head->classes);
}
