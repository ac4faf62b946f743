#include "admin/admin.h"

#include <time.h>

#include "admin/call.h"
#include "config/address.h"
#include "config/document.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "net/server.h"
#include "serve/gateway.h"
#include "serve/snapshot.h"

enum {
    HEAD_TIMEOUT_MS = 10000,
    BODY_TIMEOUT_MS = 30000,
    WRITE_TIMEOUT_MS = 120000,
    IDLE_TIMEOUT_MS = 60000,
    CONNECTIONS_MAX = 256, /* operators and dashboards are few */
    REQUEST_ID_LEN_MAX = 128,
    TIMESTAMP_LEN = sizeof("2000-01-01T00:00:00Z"),
};

struct admin {
    struct gateway *gateway;
    struct server *server;
    struct random random;
    bool exposed;
};

struct gateway *admin_gateway(const struct admin *admin) {
    return admin->gateway;
}

bool admin_exposed(const struct admin *admin) {
    return admin->exposed;
}

static const struct server_limits limits = {
    .head_timeout_ms = HEAD_TIMEOUT_MS,
    .body_timeout_ms = BODY_TIMEOUT_MS,
    .idle_timeout_ms = IDLE_TIMEOUT_MS,
    .write_timeout_ms = WRITE_TIMEOUT_MS,
    .body_len_max = ADMIN_BODY_LEN_MAX,
    .connections_max = CONNECTIONS_MAX,
};

/* ---- errors */

static void write_error(struct buf *out, const char *code, vsr_str message, vsr_str request_id) {
    time_t now = (time_t)(clock_wall_ms() / 1000);
    char timestamp[TIMESTAMP_LEN];
    struct json_writer w;
    struct tm parts;
    (void)gmtime_r(&now, &parts); /* the years of a clock fit */
    (void)strftime(timestamp, sizeof(timestamp), "%Y-%m-%dT%H:%M:%SZ", &parts);
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("error"));
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("code"));
    json_write_str(&w, str_from_c(code));
    json_write_key(&w, VSR_STR("message"));
    json_write_str(&w, message);
    json_write_key(&w, VSR_STR("timestamp"));
    json_write_str(&w, str_from_c(timestamp));
    json_write_key(&w, VSR_STR("request_id"));
    json_write_str(&w, request_id);
    json_write_end(&w);
    json_write_end(&w);
}

void admin_error(struct admin_call *call, int status, const char *code, vsr_str message) {
    call->status = status;
    call->content_type = "application/json";
    buf_reset(&call->answer);
    write_error(&call->answer, code, message, call->request_id);
}

/* ---- routing */

vsr_str admin_query(const struct admin_call *call, vsr_str name) {
    vsr_str rest = call->query;
    while (rest.len) {
        vsr_str value = str_split(&rest, '&');
        vsr_str key = str_split(&value, '=');
        if (str_eq(key, name))
            return value;
    }
    return VSR_STR("");
}

/* Finds the route; without one `call` holds the error. HEAD is GET whose body nobody sends. */
static void find_route(struct admin_call *call, const struct http1_head *head, vsr_str path) {
    vsr_str method = str_eq(head->method, VSR_STR("HEAD")) ? VSR_STR("GET") : head->method;
    size_t n;
    const struct admin_route *routes = admin_routes(&n);
    for (size_t i = 0; i < n; i++) {
        if (!str_eq_c(path, routes[i].path))
            continue;
        if (str_eq_c(method, routes[i].method)) {
            call->route = &routes[i];
            return;
        }
        call->allow =
            arena_printf(call->arena, "%.*s%s%s", VSR_FMT(call->allow), call->allow.len ? ", " : "", routes[i].method);
    }
    if (call->allow.len)
        admin_error(call, 405, "METHOD_NOT_ALLOWED",
                    arena_printf(call->arena, "%.*s takes %.*s", VSR_FMT(path), VSR_FMT(call->allow)));
    else
        admin_error(call, 404, "NOT_FOUND", VSR_STR("no such route; GET /api/v1 lists them"));
}

static vsr_str request_id_of(struct admin *admin, struct arena *arena, const struct http1_head *head) {
    vsr_str given = str_trim(http1_field(head, VSR_STR("x-request-id")));
    char *fresh;
    if (given.len && given.len <= REQUEST_ID_LEN_MAX)
        return arena_str(arena, given);
    fresh = arena_alloc(arena, RANDOM_UUID_LEN);
    random_uuid_v7(&admin->random, clock_wall_ms(), fresh);
    return (vsr_str){ fresh, RANDOM_UUID_LEN };
}

/* ---- one exchange */

static void *on_request(void *app, struct exchange *exchange, const struct http1_head *head) {
    struct admin *admin = app;
    struct arena *arena = arena_new(0, 0);
    struct admin_call *call = ARENA_NEW(arena, struct admin_call);
    vsr_str rest = head->target, path = str_split(&rest, '?');
    *call = (struct admin_call){
        .admin = admin,
        .exchange = exchange,
        .arena = arena,
        .query = arena_str(arena, rest),
        .status = 200,
        .content_type = "application/json",
        .request_id = request_id_of(admin, arena, head),
    };
    buf_init(&call->body, ADMIN_BODY_LEN_MAX);
    buf_init(&call->answer, ADMIN_ANSWER_LEN_MAX);
    find_route(call, head, path);
    call->snapshot = gateway_snapshot(admin->gateway);
    if (call->route && !admin_allowed(call, head))
        call->route = NULL;
    call->snapshot = NULL; /* another generation may serve once the body is there */
    return call;
}

static void on_body(void *request, vsr_str bytes) {
    struct admin_call *call = request;
    if (call->route)
        (void)buf_append(&call->body, bytes); /* the server keeps the limit */
}

static void reply(struct admin_call *call) {
    struct http1_field fields[5];
    size_t n = 0;
    if (buf_failed(&call->answer))
        admin_error(call, 500, "ANSWER_TOO_LARGE", VSR_STR("the answer exceeds the limit"));
    if (call->status == 401)
        fields[n++] = (struct http1_field){ VSR_STR("www-authenticate"), VSR_STR("Bearer realm=\"vsr\"") };
    if (call->allow.len)
        fields[n++] = (struct http1_field){ VSR_STR("allow"), call->allow };
    fields[n++] = (struct http1_field){ VSR_STR("content-type"), str_from_c(call->content_type) };
    fields[n++] = (struct http1_field){ VSR_STR("x-request-id"), call->request_id };
    fields[n++] = (struct http1_field){ VSR_STR("cache-control"), VSR_STR("no-store") };
    if (str_eq_c(str_from_c(call->content_type), "application/json"))
        (void)buf_append_char(&call->answer, '\n');
    exchange_reply(call->exchange, call->status, fields, n, buf_str(&call->answer));
}

void admin_reply(struct admin_call *call) {
    call->cancel = NULL;
    reply(call);
}

static void on_end(void *request) {
    struct admin_call *call = request;
    if (call->route) {
        call->snapshot = gateway_snapshot(call->admin->gateway);
        call->route->handle(call);
        call->snapshot = NULL;
    }
    if (!call->cancel)
        reply(call);
}

static void on_close(void *request, enum exchange_outcome how) {
    struct admin_call *call = request;
    (void)how;
    if (call->cancel)
        call->cancel(call);
    buf_done(&call->body);
    buf_done(&call->answer);
    arena_free(call->arena);
}

static void error_body(void *app, const struct http1_head *head, int status, vsr_str message,
                       struct server_error *ret) {
    struct admin *admin = app;
    _Static_assert((int)SERVER_ERROR_SCRATCH_LEN >= (int)RANDOM_UUID_LEN, "the scratch holds a request id");
    vsr_str id = { ret->scratch, RANDOM_UUID_LEN };
    (void)head;
    random_uuid_v7(&admin->random, clock_wall_ms(), ret->scratch);
    write_error(&ret->body, status == 413 ? "REQUEST_BODY_TOO_LARGE" : "INVALID_INPUT", message, id);
    ret->fields[ret->n_fields++] = (struct http1_field){ VSR_STR("x-request-id"), id };
}

static const struct server_handler handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_end = on_end,
    .on_close = on_close,
    .error_body = error_body,
};

/* ---- the listener */

/* The same rules as for global.services.management_api.bind_address: an option is no way around them. */
static int check_address(const struct admin_options *options, const struct config_management_api *api,
                         struct vsr_err *err) {
    vsr_str address = options->address;
    if (address.len && !str_eq_c(address, "localhost") && !address_is_ip(address))
        return err_set(err, VSR_E_INVALID, "expected an IP address or localhost");
    if (address_is_any(address) && !api->remote_exposure && !options->sheltered)
        return err_set(err, VSR_E_REFUSED,
                       "it would accept callers from anywhere, but global.services.management_api.remote_exposure is "
                       "false; listen on 127.0.0.1, or set VSR_MANAGEMENT_INTERNAL_LISTENER=true in a container whose "
                       "port nobody else can reach");
    return 0;
}

int admin_start(const struct admin_options *options, struct gateway *gateway, struct admin **ret_admin,
                struct vsr_err *err) {
    const struct config_management_api *api = &gateway_snapshot(gateway)->doc->global.services.management_api;
    vsr_str address = options->address.len ? options->address : api->bind_address;
    uint16_t port = options->address.len ? options->port : (uint16_t)api->port;
    struct admin *admin;
    int rc;
    *ret_admin = NULL;
    if (options->off)
        return 0;
    admin = MEM_NEW(struct admin);
    admin->gateway = gateway;
    admin->exposed = address_is_any(address) && !options->sheltered;
    random_init(&admin->random);
    rc = check_address(options, api, err);
    if (rc == 0)
        rc = server_new(gateway_loop(gateway), &handler, admin, &limits, &admin->server, err);
    if (rc == 0)
        rc = server_listen_exclusive(admin->server, address, port, NULL, &port, err);
    /* Nobody asked for the usual address: something else on it is no reason not to serve. */
    if (rc == VSR_E_EXISTS && !options->address.len && !api->at.node) {
        LOG_WARN("no management API: its usual address is in use", LOG_S("address", address), LOG_I("port", port));
        admin_stop(admin);
        return 0;
    }
    if (rc < 0) {
        (void)err_wrap(err, "management API %.*s:%u", VSR_FMT(address), port);
        admin_stop(admin);
        return rc;
    }
    LOG_INFO("management API", LOG_S("address", address), LOG_I("port", port));
    *ret_admin = admin;
    return 0;
}

void admin_stop(struct admin *admin) {
    if (!admin)
        return;
    server_free(admin->server);
    mem_free(admin);
}
