/*
 * The place `memory`: forgets at exit, and never fails.
 */
#include "store/memory_store.h"
#include "store/response_store.h"
#include "store/store_driver.h"

static int memory_open(const struct response_store_options *options, void **ret_state, struct vsr_err *err) {
    const struct memory_limits limits = {
        .records_max = options->responses_max,
        .bytes_max = STORE_MEMORY_BYTES_MAX,
        .ttl_s = options->ttl_s,
        .event_ttl_s = options->event_ttl_s,
    };
    (void)err;
    *ret_state = memory_store_new(&limits);
    return 0;
}

static void memory_close(void *state) {
    memory_store_free(state);
}

static int memory_run(void *state, struct store_op **ops, size_t n, int64_t now_s, struct vsr_err *err) {
    (void)err;
    for (size_t i = 0; i < n; i++)
        memory_store_run(state, ops[i], now_s);
    return 0;
}

const struct store_driver store_driver_memory = {
    .name = "memory",
    .open = memory_open,
    .close = memory_close,
    .run = memory_run,
};
