/*
 * store_driver - the family of places: what each has to do. Private to store/.
 *
 * To add a place: write driver_<name>.c that defines store_driver_<name>, add it to the enum in response_store.h and
 * the table in response_store.c, and a row to the table of tests/unit/store/test_contract.c. A driver is used by the
 * store's thread alone and may block there, within its own time limits.
 */
#ifndef VSR_STORE_STORE_DRIVER_H
#define VSR_STORE_STORE_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct response_store_options;
struct store_op;

enum { STORE_BATCH_MAX = 64, STORE_BATCH_BYTES_MAX = 32 << 20 };

struct store_driver {
    const char *name;
    /* The place is there, with what has to be made in it. `options` stay as they are until close(). */
    int (*open)(const struct response_store_options *options, void **ret_state, struct vsr_err *err);
    void (*close)(void *state);
    /*
     * Executes operations in order and settles them. A failure is that of the place, which is closed then: operations
     * that are not settled may have been executed or not, and are executed again, elsewhere and later.
     */
    int (*run)(void *state, struct store_op **ops, size_t n, int64_t now_s, struct vsr_err *err);
    /* Optional. Ends what `instance` had not ended. */
    int (*recover)(void *state, int64_t now_s, size_t *ret_n, struct vsr_err *err);
    /* Optional. Now and then: clears away some of what has expired, tells whether the place is still there. 1: there is
     * more to clear away. */
    int (*maintain)(void *state, int64_t now_s, struct vsr_err *err);
};

extern const struct store_driver store_driver_memory, store_driver_sqlite, store_driver_postgres, store_driver_redis;

#endif
