#include "store/postgres_conn.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/clock.h"
#include "store/response_store.h"

/* ---- parameters */

void postgres_params_init(struct postgres_params *params, struct arena *arena, size_t max) {
    VSR_ASSERT(max <= POSTGRES_PARAMS_MAX);
    *params = (struct postgres_params){
        .values = ARENA_ARRAY(arena, const char *, max),
        .lengths = ARENA_ARRAY(arena, int, max),
        .formats = ARENA_ARRAY(arena, int, max),
        .numbers = arena_alloc_array(arena, sizeof(*params->numbers), max),
        .max = max,
    };
}

static void add(struct postgres_params *params, const char *value, size_t len, bool binary) {
    VSR_ASSERT(params->n < params->max);
    params->values[params->n] = value;
    params->lengths[params->n] = (int)len;
    params->formats[params->n] = binary;
    params->n++;
}

void postgres_add_str(struct postgres_params *params, struct arena *arena, vsr_str text) {
    add(params, arena_c_str(arena, text), text.len, false);
}

void postgres_add_bytes(struct postgres_params *params, vsr_str bytes) {
    add(params, bytes.len ? bytes.ptr : "", bytes.len, true);
}

void postgres_add_i64(struct postgres_params *params, int64_t value) {
    char *number = params->numbers[params->n];
    (void)snprintf(number, sizeof(params->numbers[0]), "%lld", (long long)value);
    add(params, number, 0, false);
}

void postgres_add_bool(struct postgres_params *params, bool value) {
    add(params, value ? "t" : "f", 0, false);
}

/* ---- waiting */

/* What libpq says, without its line ends. */
static int fail(PGconn *conn, const char *what, struct vsr_err *err) {
    vsr_str text = str_trim(str_from_c(conn ? PQerrorMessage(conn) : "no memory"));
    return err_set(err, VSR_E_UNAVAILABLE, "PostgreSQL%s: %.*s", what, VSR_FMT(text));
}

static int wait_socket(PGconn *conn, short events, uint64_t deadline_ms, struct vsr_err *err) {
    struct pollfd fd = { .fd = PQsocket(conn), .events = events };
    for (;;) {
        uint64_t now = clock_mono_ms();
        int n = now < deadline_ms ? poll(&fd, 1, (int)(deadline_ms - now)) : 0;
        if (n > 0)
            return 0;
        if (n == 0)
            return err_set(err, VSR_E_UNAVAILABLE, "PostgreSQL did not answer in time");
        if (errno != EINTR)
            return err_set(err, VSR_E_UNAVAILABLE, "poll: %s", strerror(errno));
    }
}

static int finish_connect(PGconn *conn, uint64_t deadline_ms, struct vsr_err *err) {
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    int rc = 0;
    while (rc == 0 && status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED)
            return fail(conn, "", err);
        rc = wait_socket(conn, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms, err);
        if (rc == 0)
            status = PQconnectPoll(conn);
    }
    return rc;
}

/* The notices of a server are nobody's concern: tables that are there already, and such. */
static void ignore_notice(void *data, const PGresult *result) {
    (void)data;
    (void)result;
}

int postgres_connect(const struct postgres_options *options, PGconn **ret_conn, struct vsr_err *err) {
    char port[24], settings[64];
    const char *const keywords[] = {
        "host", "port", "dbname", "user", "password", "sslmode", "options", "application_name", "client_encoding", NULL
    };
    const char *const values[] = { options->host.ptr,
                                   port,
                                   options->database.ptr,
                                   options->user.ptr,
                                   options->password.ptr,
                                   options->ssl_mode.len ? options->ssl_mode.ptr : NULL,
                                   settings,
                                   "vsr",
                                   "UTF8",
                                   NULL };
    PGconn *conn;
    int rc;
    (void)snprintf(port, sizeof(port), "%lld", (long long)options->port);
    (void)snprintf(settings, sizeof(settings), "-c statement_timeout=%llu", (unsigned long long)options->io_ms);
    conn = PQconnectStartParams(keywords, values, 0);
    if (!conn || PQstatus(conn) == CONNECTION_BAD)
        rc = fail(conn, "", err);
    else
        rc = finish_connect(conn, clock_mono_ms() + options->connect_ms, err);
    if (rc == 0 && PQsetnonblocking(conn, 1) != 0)
        rc = fail(conn, "", err);
    if (rc < 0) {
        PQfinish(conn);
        return rc;
    }
    (void)PQsetNoticeReceiver(conn, ignore_notice, NULL);
    *ret_conn = conn;
    return 0;
}

/* ---- statements */

/* All of it has been sent. What the server says meanwhile is taken, so that neither waits for the other. */
static int flush(PGconn *conn, uint64_t deadline_ms, struct vsr_err *err) {
    int pending, rc = 0;
    while (rc == 0 && (pending = PQflush(conn)) != 0) {
        if (pending < 0)
            return fail(conn, "", err);
        rc = wait_socket(conn, POLLIN | POLLOUT, deadline_ms, err);
        if (rc == 0 && PQconsumeInput(conn) == 0)
            return fail(conn, "", err);
    }
    return rc;
}

static int next_result(PGconn *conn, uint64_t deadline_ms, PGresult **ret_result, struct vsr_err *err) {
    while (PQisBusy(conn)) {
        int rc = wait_socket(conn, POLLIN, deadline_ms, err);
        if (rc < 0)
            return rc;
        if (PQconsumeInput(conn) == 0)
            return fail(conn, "", err);
    }
    *ret_result = PQgetResult(conn);
    return 0;
}

/* The last result of the statement; the connection is free for the next one. */
static int finish(PGconn *conn, uint64_t deadline_ms, PGresult **ret_result, struct vsr_err *err) {
    PGresult *result = NULL, *next = NULL;
    int rc = flush(conn, deadline_ms, err);
    while (rc == 0 && (rc = next_result(conn, deadline_ms, &next, err)) == 0 && next) {
        ExecStatusType status = PQresultStatus(next);
        PQclear(result);
        result = next;
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            rc = fail(conn, "", err);
            break;
        }
    }
    if (rc < 0 || !ret_result)
        PQclear(result);
    else
        *ret_result = result;
    return rc;
}

int postgres_exec(PGconn *conn, const char *name, const char *sql, const struct postgres_params *params,
                  uint64_t timeout_ms, PGresult **ret_result, struct vsr_err *err) {
    uint64_t deadline_ms = clock_mono_ms() + timeout_ms;
    static const struct postgres_params none = { 0 };
    const struct postgres_params *p = params ? params : &none;
    int sent;
    if (name)
        sent = PQsendQueryPrepared(conn, name, (int)p->n, p->values, p->lengths, p->formats, 1);
    else if (params)
        sent = PQsendQueryParams(conn, sql, (int)p->n, NULL, p->values, p->lengths, p->formats, 1);
    else
        sent = PQsendQuery(conn, sql); /* may be several statements */
    return sent ? finish(conn, deadline_ms, ret_result, err) : fail(conn, "", err);
}

int postgres_prepare(PGconn *conn, const char *name, const char *sql, uint64_t timeout_ms, struct vsr_err *err) {
    return PQsendPrepare(conn, name, sql, 0, NULL) ? finish(conn, clock_mono_ms() + timeout_ms, NULL, err)
                                                   : fail(conn, "", err);
}

/* ---- answers */

vsr_str postgres_str(const PGresult *result, int row, int column) {
    return str_make(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

int64_t postgres_i64(const PGresult *result, int row, int column) {
    vsr_str bytes = postgres_str(result, row, column);
    uint64_t value;
    if (bytes.len != sizeof(value))
        return 0;
    memcpy(&value, bytes.ptr, sizeof(value));
    return (int64_t)be64toh(value);
}

bool postgres_bool(const PGresult *result, int row, int column) {
    vsr_str bytes = postgres_str(result, row, column);
    return bytes.len == 1 && bytes.ptr[0];
}
