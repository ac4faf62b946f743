/* The processor: nn/encoder.h as a backend. */
#include "nn/backend.h"

static int find(size_t index, struct vsr_err *err) {
    (void)index;
    (void)err;
    return 0;
}

static int load(struct nn_runtime *runtime, size_t index, const struct encoder_config *config, struct weights *weights,
                struct lora *lora, enum precision precision, void **ret, struct vsr_err *err) {
    struct encoder *encoder;
    int rc = nn_encoder_new(runtime, config, weights, lora, precision, &encoder, err);
    (void)index;
    if (rc == 0)
        *ret = encoder;
    return rc;
}

static void unload(void *encoder) {
    nn_encoder_free(encoder);
}

static struct tensor_holding_bytes bytes(const void *encoder) {
    return encoder_bytes(encoder);
}

static void *work_new(struct nn_runtime *runtime, size_t index) {
    (void)index;
    return encoder_work_new(runtime);
}

static void work_free(void *work) {
    encoder_work_free(work);
}

static int forward(const void *encoder, void *work, struct crew *crew, const struct encoder_batch *batch, size_t layers,
                   const float **ret_hidden, struct vsr_err *err) {
    int rc;
    encoder_work_crew(work, crew);
    rc = encoder_forward(encoder, work, batch, layers, ret_hidden, err);
    encoder_work_crew(work, NULL);
    return rc;
}

const struct backend backend_cpu = {
    .name = "cpu",
    .find = find,
    .load = load,
    .unload = unload,
    .bytes = bytes,
    .work_new = work_new,
    .work_free = work_free,
    .forward = forward,
};
