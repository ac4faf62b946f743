#include "net/signal_watch.h"

#include <uv.h>

#include "core/mem.h"
#include "net/loop.h"

struct signal_watch {
    uv_signal_t handle;
    void (*fn)(void *data, int signum);
    void *data;
};

static void on_signal(uv_signal_t *handle, int signum) {
    struct signal_watch *watch = handle->data;
    watch->fn(watch->data, signum);
}

static void on_closed(uv_handle_t *handle) {
    mem_free(handle->data);
}

int signal_watch_new(struct loop *loop, int signum, void (*fn)(void *data, int signum), void *data,
                     struct signal_watch **ret_watch, struct vsr_err *err) {
    struct signal_watch *watch = MEM_NEW(struct signal_watch);
    int rc = uv_signal_init(loop_uv(loop), &watch->handle);
    watch->handle.data = watch;
    watch->fn = fn;
    watch->data = data;
    if (rc != 0) {
        mem_free(watch);
        return err_set(err, VSR_E_IO, "signal %d: %s", signum, uv_strerror(rc));
    }
    rc = uv_signal_start(&watch->handle, on_signal, signum);
    if (rc != 0) {
        signal_watch_free(watch);
        return err_set(err, VSR_E_IO, "signal %d: %s", signum, uv_strerror(rc));
    }
    uv_unref((uv_handle_t *)&watch->handle); /* waiting for a signal keeps no loop alive */
    *ret_watch = watch;
    return 0;
}

void signal_watch_free(struct signal_watch *watch) {
    if (watch)
        uv_close((uv_handle_t *)&watch->handle, on_closed);
}
