#include "nn/encoder_pass.h"
#include "nn/team.h"

static int run(struct pass *p) {
    int rc;
    encoder_pass_enter(p, 0);
    p->threads = crew_gather(p->work->crew);
    rc = encoder_pass_embed(p);
    for (size_t i = 0; i < p->layers && rc == 0; i++) {
        encoder_pass_enter(p, 1 + i);
        p->threads = crew_gather(p->work->crew);
        rc = encoder_pass_layer(p, i);
    }
    return rc;
}

int encoder_forward(const struct encoder *encoder, struct encoder_work *work, const struct encoder_batch *batch,
                    size_t layers, const float **ret_hidden, struct vsr_err *err) {
    struct pass pass = { .encoder = encoder, .work = work, .asked = batch, .layers = layers, .err = err };
    int rc;
    if (layers > encoder->config.layers)
        return err_set(err, VSR_E_LIMIT, "layer %zu, the model has %zu", layers, encoder->config.layers);
    if (layers == 0)
        pass.layers = encoder->config.layers;
    rc = encoder_pass_prepare(&pass);
    if (rc == 0)
        rc = run(&pass);
    if (rc == 0)
        *ret_hidden = encoder_pass_answers(&pass);
    return rc;
}
