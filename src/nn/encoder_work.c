#include "nn/encoder_work.h"

#include "core/mem.h"
#include "nn/encoder_pass.h"
#include "nn/runtime.h"
#include "nn/team.h"

enum { ALIGN = 64 };

/* On the thread that will use it. */
static void kit_open(struct kit *kit, struct nn_runtime *runtime) {
    kit->gemm = gemm_context_new(runtime->gemm);
}

static void kit_close(struct kit *kit) {
    gemm_context_free(kit->gemm);
    pages_free(&kit->attention);
    pages_free(&kit->operand.data);
    pages_free(&kit->operand.scales);
    pages_free(&kit->product);
    pages_free(&kit->sum);
    pages_free(&kit->first);
    pages_free(&kit->narrow);
}

static void kit_free(void *kit) {
    kit_close(kit);
    mem_free(kit);
}

struct encoder_work *encoder_work_new(struct nn_runtime *runtime) {
    struct encoder_work *work = MEM_NEW(struct encoder_work);
    work->runtime = runtime;
    kit_open(&work->kit, runtime);
    return work;
}

void encoder_work_crew(struct encoder_work *work, struct crew *crew) {
    work->crew = crew;
}

void encoder_work_free(struct encoder_work *work) {
    if (!work)
        return;
    kit_close(&work->kit);
    pages_free(&work->items);
    pages_free(&work->slots);
    pages_free(&work->hidden);
    pages_free(&work->input.data);
    pages_free(&work->input.scales);
    pages_free(&work->qkv);
    pages_free(&work->context.data);
    pages_free(&work->context.scales);
    pages_free(&work->positions);
    pages_free(&work->types);
    encoder_lanes_done(&work->lanes);
    pages_free(&work->runs);
    pages_free(&work->answers);
    mem_free(work);
}

struct gemm_context *encoder_work_gemm(struct encoder_work *work) {
    return work->kit.gemm;
}

/* ---- room */

static size_t max_size(size_t a, size_t b) {
    return a > b ? a : b;
}

static int grow(struct pages *pages, size_t rows, size_t cols, size_t len, struct vsr_err *err) {
    return pages_grow(pages, rows * cols * len + ALIGN, err);
}

static int grow_operand(struct operand *operand, size_t rows, size_t cols, struct vsr_err *err) {
    int rc = grow(&operand->data, rows, cols, sizeof(float), err); /* of the widest precision: work is for any model */
    return rc < 0 ? rc : grow(&operand->scales, rows, 1, sizeof(float), err);
}

int encoder_work_grow(struct encoder_work *work, const struct encoder *encoder, size_t n, struct vsr_err *err) {
    const struct encoder_config *config = &encoder->config;
    size_t qkv = encoder_qkv_cols(config), context = encoder_context_cols(config);
    int rc = grow(&work->hidden, n, config->hidden, sizeof(float), err);
    if (rc == 0)
        rc = grow_operand(&work->input, n, config->hidden, err);
    if (rc == 0)
        rc = grow(&work->qkv, n, qkv, sizeof(float), err);
    if (rc == 0)
        rc = grow_operand(&work->context, n, context, err);
    if (rc == 0)
        rc = grow(&work->positions, n, 1, sizeof(uint32_t), err);
    if (rc == 0)
        rc = grow(&work->types, n, 1, sizeof(uint32_t), err);
    return rc;
}

/* At most as many lanes as sequences. */
int encoder_work_grow_adapters(struct encoder_work *work, const struct encoder *encoder,
                               const struct encoder_batch *batch, struct vsr_err *err) {
    int rc = grow(&work->runs, batch->n + 1, 1, sizeof(struct run), err);
    if (rc == 0 && !work->lanes.in_order)
        rc = grow(&work->answers, batch->starts[batch->n], encoder->config.hidden, sizeof(float), err);
    return rc;
}

static int kit_grow(struct kit *kit, const struct encoder *encoder, const struct kit_room *room, struct vsr_err *err) {
    const struct encoder_config *config = &encoder->config;
    size_t qkv = encoder_qkv_cols(config), context = encoder_context_cols(config), first = room->first_max;
    size_t wide = max_size(config->hidden, config->intermediate * (encoder->names->gated ? 2 : 1));
    bool sums_bytes = first > 0 && encoder->precision == PRECISION_INT8;
    int rc = pages_grow(&kit->attention, room->attention_len, err);
    if (rc == 0)
        rc = grow_operand(&kit->operand, ENCODER_BLOCK_ROWS, max_size(context, config->intermediate), err);
    if (rc == 0)
        rc = grow(&kit->product, ENCODER_BLOCK_ROWS, max_size(qkv, wide), sizeof(float), err);
    if (rc == 0 && first > 0)
        rc = grow(&kit->first, ENCODER_BLOCK_ROWS, first, sizeof(float), err);
    if (rc == 0 && sums_bytes)
        rc = grow(&kit->narrow, ENCODER_BLOCK_ROWS, first, sizeof(int32_t), err);
    if (rc == 0 && sums_bytes)
        rc = grow(&kit->sum, ENCODER_BLOCK_ROWS, wide, sizeof(float), err);
    return rc;
}

int encoder_work_kit(struct encoder_work *work, size_t member, const struct encoder *encoder,
                     const struct kit_room *room, struct kit **ret, struct vsr_err *err) {
    struct crew_kit *slot;
    *ret = &work->kit;
    if (member > 0) {
        slot = crew_kit(work->crew, member);
        if (!slot->data) {
            slot->data = MEM_NEW(struct kit);
            slot->free = kit_free;
            kit_open(slot->data, work->runtime);
        }
        *ret = slot->data;
    }
    return kit_grow(*ret, encoder, room, err);
}
