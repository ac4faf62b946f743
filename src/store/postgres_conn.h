/*
 * postgres_conn - one connection to a PostgreSQL server that waits for no answer longer than it was told to.
 *
 * libpq's calls without blocking, and poll(2) with a deadline in between: a server that hangs is a failure like one
 * that is gone. After a failure the connection is of no use. One thread, which may block.
 */
#ifndef VSR_STORE_POSTGRES_CONN_H
#define VSR_STORE_POSTGRES_CONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct postgres_options;

enum { POSTGRES_PARAMS_MAX = 5 * 1024 + 16 };

/* The parameters of one statement: $1, $2, ... Text is borrowed, numbers lie in it. */
struct postgres_params {
    const char **values;
    int *lengths, *formats;
    char (*numbers)[24];
    size_t n, max;
};

struct arena;
void postgres_params_init(struct postgres_params *params, struct arena *arena, size_t max);
void postgres_add_str(struct postgres_params *params, struct arena *arena,
                      vsr_str text); /* copied: libpq wants a NUL */
void postgres_add_bytes(struct postgres_params *params, vsr_str bytes);
void postgres_add_i64(struct postgres_params *params, int64_t value);
void postgres_add_bool(struct postgres_params *params, bool value);

/* VSR_E_UNAVAILABLE with what the server or libpq says. */
int postgres_connect(const struct postgres_options *options, PGconn **ret_conn, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Runs a prepared statement `name`, or the text `sql`; the other one is NULL. Answers come in binary. `*ret_result` is
 * for PQclear(); it may be NULL when nobody wants it.
 */
int postgres_exec(PGconn *conn, const char *name, const char *sql, const struct postgres_params *params,
                  uint64_t timeout_ms, PGresult **ret_result, struct vsr_err *err) VSR_MUST_CHECK;
int postgres_prepare(PGconn *conn, const char *name, const char *sql, uint64_t timeout_ms,
                     struct vsr_err *err) VSR_MUST_CHECK;

/* Of an answer; a NULL is empty, 0, false. */
vsr_str postgres_str(const PGresult *result, int row, int column);
int64_t postgres_i64(const PGresult *result, int row, int column); /* an int8 */
bool postgres_bool(const PGresult *result, int row, int column);

#endif
