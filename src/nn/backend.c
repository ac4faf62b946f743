#include "nn/backend.h"

#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "core/mem.h"

/* In the order in which "auto" tries them: the processor, which is always there, last. */
static const struct backend *const backends[] = { &backend_cpu };

/* Devices that other builds may have: asking for one is no mistake of spelling. */
static const char *const elsewhere[] = { "cuda", "rocm" };

enum { NAMES_LEN = 128 };

struct trunk {
    struct device device;
    enum precision precision;
    void *encoder; /* the backend's */
};

struct trunk_work {
    struct nn_runtime *runtime;
    struct {
        struct device device;
        void *work; /* the backend's */
    } works[DEVICES_MAX];
    size_t n;
};

/* ---- devices */

static const char *names(char text[static NAMES_LEN]) {
    size_t len = 0;
    text[0] = 0;
    for (size_t i = 0; i < VSR_COUNT(backends); i++)
        len += (size_t)snprintf(text + len, NAMES_LEN - len, "%s%s%s", i ? ", " : "", backends[i]->name,
                                backends[i]->numbered ? ":N" : "");
    return text;
}

static int first_there(struct device *ret, struct vsr_err *err) {
    int rc = VSR_E_UNAVAILABLE;
    for (size_t i = 0; i < VSR_COUNT(backends) && rc < 0; i++) {
        rc = backends[i]->find(0, err);
        if (rc == 0)
            *ret = (struct device){ backends[i], 0 };
    }
    return rc;
}

/* "name" or "name:N". False: neither. */
static bool split(vsr_str text, vsr_str *ret_name, size_t *ret_index, bool *ret_numbered) {
    ptrdiff_t colon = str_find(text, VSR_STR(":"));
    *ret_name = colon < 0 ? text : str_sub(text, 0, (size_t)colon);
    *ret_index = 0;
    *ret_numbered = colon >= 0;
    if (colon < 0)
        return true;
    for (size_t i = (size_t)colon + 1; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        *ret_index = *ret_index * 10 + (size_t)(text.ptr[i] - '0');
    }
    return text.len > (size_t)colon + 1 && text.len <= (size_t)colon + 4;
}

static int not_here(vsr_str text, vsr_str name, struct vsr_err *err) {
    char all[NAMES_LEN];
    for (size_t i = 0; i < VSR_COUNT(elsewhere); i++) {
        if (str_eq_c(name, elsewhere[i]))
            return err_set(err, VSR_E_UNAVAILABLE, "device \"%.*s\": this build has no %s, it has: %s", VSR_FMT(text),
                           elsewhere[i], names(all));
    }
    return err_set(err, VSR_E_INVALID, "device \"%.*s\" is none: expected auto, or what this build has: %s",
                   VSR_FMT(str_sub(text, 0, 64)), names(all));
}

int device_named(vsr_str text, struct device *ret, struct vsr_err *err) {
    char all[NAMES_LEN];
    vsr_str name;
    size_t index;
    bool numbered;
    if (text.len == 0 || str_eq_c(text, "auto"))
        return first_there(ret, err);
    if (!split(text, &name, &index, &numbered))
        return err_set(err, VSR_E_INVALID, "device \"%.*s\" is none: expected auto, or what this build has: %s",
                       VSR_FMT(str_sub(text, 0, 64)), names(all));
    for (size_t i = 0; i < VSR_COUNT(backends); i++) {
        int rc;
        if (!str_eq_c(name, backends[i]->name) || (numbered && !backends[i]->numbered))
            continue;
        rc = backends[i]->find(index, err);
        if (rc == 0)
            *ret = (struct device){ backends[i], index };
        return rc;
    }
    return not_here(text, name, err);
}

/* ---- trunks */

int trunk_new(struct nn_runtime *runtime, struct device device, const struct encoder_config *config,
              struct weights *weights, struct lora *lora, enum precision precision, struct trunk **ret,
              struct vsr_err *err) {
    struct trunk *trunk = MEM_NEW(struct trunk);
    int rc = device.backend->load(runtime, device.index, config, weights, lora, precision, &trunk->encoder, err);
    if (rc < 0) {
        mem_free(trunk);
        return rc;
    }
    trunk->device = device;
    trunk->precision = precision;
    *ret = trunk;
    return 0;
}

void trunk_free(struct trunk *trunk) {
    if (!trunk)
        return;
    trunk->device.backend->unload(trunk->encoder);
    mem_free(trunk);
}

struct device trunk_device(const struct trunk *trunk) {
    return trunk->device;
}

enum precision trunk_precision(const struct trunk *trunk) {
    return trunk->precision;
}

struct tensor_holding_bytes trunk_bytes(const struct trunk *trunk) {
    return trunk->device.backend->bytes(trunk->encoder);
}

const struct encoder *trunk_on_cpu(const struct trunk *trunk) {
    return trunk->device.backend == &backend_cpu ? trunk->encoder : NULL;
}

/* ---- work */

struct trunk_work *trunk_work_new(struct nn_runtime *runtime) {
    struct trunk_work *work = MEM_NEW(struct trunk_work);
    work->runtime = runtime;
    return work;
}

void trunk_work_free(struct trunk_work *work) {
    if (!work)
        return;
    for (size_t i = 0; i < work->n; i++)
        work->works[i].device.backend->work_free(work->works[i].work);
    mem_free(work);
}

/* Made at the device's first pass; NULL: there are too many devices. */
static void *work_of(struct trunk_work *work, struct device device) {
    size_t i = 0;
    while (i < work->n &&
           (work->works[i].device.backend != device.backend || work->works[i].device.index != device.index))
        i++;
    if (i == DEVICES_MAX)
        return NULL;
    if (i == work->n) {
        work->works[i].device = device;
        work->works[i].work = device.backend->work_new(work->runtime, device.index);
        work->n++;
    }
    return work->works[i].work;
}

int trunk_forward(const struct trunk *trunk, struct trunk_work *work, struct crew *crew,
                  const struct encoder_batch *batch, size_t layers, const float **ret_hidden, struct vsr_err *err) {
    void *own = work_of(work, trunk->device);
    if (!own)
        return err_set(err, VSR_E_LIMIT, "models on more than %d devices", DEVICES_MAX);
    return trunk->device.backend->forward(trunk->encoder, own, crew, batch, layers, ret_hidden, err);
}
