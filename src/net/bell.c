#include "net/bell.h"

#include <uv.h>

#include "core/mem.h"
#include "net/loop.h"

struct bell {
    uv_async_t handle;
    void (*fn)(void *data);
    void *data;
};

static void on_ring(uv_async_t *handle) {
    struct bell *bell = handle->data;
    bell->fn(bell->data);
}

static void on_closed(uv_handle_t *handle) {
    mem_free(handle->data);
}

int bell_new(struct loop *loop, void (*fn)(void *data), void *data, struct bell **ret_bell, struct vsr_err *err) {
    struct bell *bell = MEM_NEW(struct bell);
    int rc = uv_async_init(loop_uv(loop), &bell->handle, on_ring);
    if (rc < 0) {
        mem_free(bell);
        return err_set(err, VSR_E_IO, "cannot make a bell: %s", uv_strerror(rc));
    }
    uv_unref((uv_handle_t *)&bell->handle);
    bell->handle.data = bell;
    bell->fn = fn;
    bell->data = data;
    *ret_bell = bell;
    return 0;
}

void bell_free(struct bell *bell) {
    if (bell)
        uv_close((uv_handle_t *)&bell->handle, on_closed);
}

void bell_ring(struct bell *bell) {
    uv_async_send(&bell->handle);
}
