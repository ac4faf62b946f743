/*
 * backend - the devices that encoders run on.
 *
 * The seam lies around a whole trunk: a backend is given its tensors once, and then packed batches of tokens; what
 * comes back is one f32 vector for each token, in the memory of the processor. How it holds weights, and what it does
 * between, is its own. Tokenizers, heads, pooling and everything that waits or shares are above the seam and the same
 * for all devices; a head costs a thousandth of a trunk, so vectors are fetched rather than heads rewritten.
 *
 * Rules that all keep: a trunk is immutable once loaded, for any thread; a sequence's vectors do not depend on what
 * else is in its batch; a pass allocates nothing once its work has grown.
 *
 * To add a device: nn/backend_<name>.c with its functions and a `const struct backend backend_<name>`, compiled where a
 * build option asks for it; a row in the table of backend.c under that option; the tests of test_backend.c then run
 * with it wherever a machine has one. A device without low-rank adapters beside their base loads them folded in.
 */
#ifndef VSR_NN_BACKEND_H
#define VSR_NN_BACKEND_H

#include <stddef.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/encoder.h"

struct backend {
    const char *name; /* of the option `device` */
    bool numbered;    /* "name:N" says which one; else there is one */
    /* Whether this machine has it; VSR_E_UNAVAILABLE says what is missing. */
    int (*find)(size_t index, struct vsr_err *err);
    /* As nn_encoder_new(), on device `index`. */
    int (*load)(struct nn_runtime *runtime, size_t index, const struct encoder_config *config, struct weights *weights,
                struct lora *lora, enum precision precision, void **ret, struct vsr_err *err);
    void (*unload)(void *encoder); /* NULL is allowed */
    /* In the memory of the device. */
    struct tensor_holding_bytes (*bytes)(const void *encoder);
    /* As encoder_work_new() and encoder_forward(). `crew` (NULL: none) are threads of the processor to share a pass out
     * to, where that helps. */
    void *(*work_new)(struct nn_runtime *runtime, size_t index);
    void (*work_free)(void *work);
    int (*forward)(const void *encoder, void *work, struct crew *crew, const struct encoder_batch *batch, size_t layers,
                   const float **ret_hidden, struct vsr_err *err);
};

extern const struct backend backend_cpu;

struct device {
    const struct backend *backend;
    size_t index;
};

enum { DEVICES_MAX = 16 };

/*
 * "auto" (or empty: the first of the table that the machine has), "cpu", and "name:N" of what else is built in.
 * VSR_E_INVALID for what is no device, VSR_E_UNAVAILABLE for one that this build or this machine has not; both say what
 * there is.
 */
int device_named(vsr_str name, struct device *ret, struct vsr_err *err) VSR_MUST_CHECK;

/* ---- a trunk on its device */

struct trunk;
struct trunk_work; /* of one thread, for trunks of any device */

/* As nn_encoder_new(). */
int trunk_new(struct nn_runtime *runtime, struct device device, const struct encoder_config *config,
              struct weights *weights, struct lora *lora, enum precision precision, struct trunk **ret,
              struct vsr_err *err) VSR_MUST_CHECK;
/* NULL is allowed. */
void trunk_free(struct trunk *trunk);

struct device trunk_device(const struct trunk *trunk);
enum precision trunk_precision(const struct trunk *trunk);
struct tensor_holding_bytes trunk_bytes(const struct trunk *trunk);
/* For what only the processor does; NULL: it is elsewhere. */
const struct encoder *trunk_on_cpu(const struct trunk *trunk);

/* On the thread that will run with it. */
struct trunk_work *trunk_work_new(struct nn_runtime *runtime);
/* NULL is allowed. */
void trunk_work_free(struct trunk_work *work);

/* As encoder_forward(), on the threads of `crew` (nn/team.h), which the caller's thread began; NULL: on that alone. */
int trunk_forward(const struct trunk *trunk, struct trunk_work *work, struct crew *crew,
                  const struct encoder_batch *batch, size_t layers, const float **ret_hidden,
                  struct vsr_err *err) VSR_MUST_CHECK;

#endif
