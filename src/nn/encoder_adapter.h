/*
 * encoder_adapter - a low-rank adapter that runs beside its base: one pass serves the base and any number of adapters.
 *
 * The base's matrices are multiplied once for the rows of all sequences; to the rows of an adapter's sequences comes
 * s (x A') B', by two small products. A is packed in the base's precision and takes what the base's matrix takes: its
 * rounding errs relative to A, where a folded adapter errs relative to the sum with the base. B is f32.
 * Beside factors an adapter may bring biases, norms and small tables of its own; heads are read by head_new().
 *
 * Sequences of the same tokens share everything up to the first layer that differs (nn/encoder_lanes.h): an adapter
 * that begins at layer k costs only the layers from k on when the base, or another one, is asked the same.
 *
 * Immutable once loaded: any thread.
 */
#ifndef VSR_NN_ENCODER_ADAPTER_H
#define VSR_NN_ENCODER_ADAPTER_H

#include <stddef.h>

#include "core/err.h"
#include "nn/tensor_store.h"

struct encoder;
struct encoder_adapter;
struct lora;
struct weights;

/*
 * Keeps `base`, which was loaded without an adapter from the files that `weights` holds. `weights` and `lora` (bound)
 * are borrowed; heads are read from both afterwards, and lora_finish() then says whether something was left over.
 * VSR_E_INVALID for what can only be folded: DoRA, and matrices of the trunk that are replaced whole.
 */
int encoder_adapter_new(const struct encoder *base, struct weights *weights, struct lora *lora,
                        struct encoder_adapter **ret, struct vsr_err *err) VSR_MUST_CHECK;
/* NULL is allowed. */
void encoder_adapter_free(struct encoder_adapter *adapter);

/* How many layers at the start are the base's, embedding included; SIZE_MAX: the whole trunk is, only a head differs.
 * 0 also when already the embedding differs. */
size_t encoder_adapter_first_layer(const struct encoder_adapter *adapter);
/* Of factors and whatever else it has of its own. */
struct tensor_holding_bytes encoder_adapter_bytes(const struct encoder_adapter *adapter);

#endif
