#include "provider/health.h"

#include "core/log.h"
#include "core/mem.h"
#include "net/client.h"
#include "net/loop.h"
#include "provider/provider.h"

enum { STAGGER_MS = 7 }; /* between the first checks of two endpoints, so that they do not march in step */

/* One endpoint that is asked again and again. */
struct check {
    struct health *health;
    struct provider_model *model;
    const struct provider_endpoint *endpoint;
    struct loop_timer timer;
    struct client_endpoint *pool; /* NULL before the first check */
    struct client_call *call;     /* NULL between checks */
    int status;
};

struct health {
    struct loop *loop;
    struct client *client;
    struct check *checks;
    size_t n_checks;
};

struct health *health_new(struct loop *loop, struct client *client) {
    struct health *health = MEM_NEW(struct health);
    health->loop = loop;
    health->client = client;
    return health;
}

void health_free(struct health *health) {
    if (!health)
        return;
    health_watch(health, NULL);
    mem_free(health);
}

void health_report(struct provider_model *model, const struct provider_endpoint *endpoint, bool ok, uint64_t now_ms) {
    struct endpoint_state *state = endpoint->state;
    bool was, is;
    registry_lock(model->registry);
    was = atomic_load(&state->unhealthy);
    if (ok)
        state->check_failures = 0;
    else if (state->check_failures < HEALTH_FAILURES_MAX)
        state->check_failures++;
    is = ok ? false : was || state->check_failures == HEALTH_FAILURES_MAX;
    if (was && !is)
        atomic_store(&state->returned_ms, now_ms);
    atomic_store(&state->unhealthy, is);
    registry_unlock(model->registry);
    if (is && !was)
        LOG_WARN("endpoint is unhealthy", LOG_S("endpoint", endpoint->id));
    else if (was && !is)
        LOG_INFO("endpoint is healthy", LOG_S("endpoint", endpoint->id));
}

static void start(void *data);

static void finish(struct check *check, bool ok) {
    check->call = NULL;
    health_report(check->model, check->endpoint, ok, loop_now_ms(check->health->loop));
    loop_timer_start(check->health->loop, &check->timer,
                     (uint64_t)check->model->config->reliability.health_check_interval_ms, start, check);
}

static void on_head(void *owner, const struct http1_head *head) {
    struct check *check = owner;
    check->status = head->status;
}

static void on_body(void *owner, vsr_str bytes) {
    (void)owner; /* only the status counts */
    (void)bytes;
}

static void on_end(void *owner) {
    struct check *check = owner;
    finish(check, check->status == HEALTH_STATUS_OK);
}

static void on_error(void *owner, const struct vsr_err *err, bool connected) {
    (void)err;
    (void)connected;
    finish(owner, false);
}

static void start(void *data) {
    static const struct client_events events = {
        .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_error = on_error
    };
    static const struct http1_field fields[] = { { VSR_STR_INIT("accept"), VSR_STR_INIT("*/*") } };
    struct check *check = data;
    const struct config_backend_ref *ref = check->endpoint->ref;
    const struct config_reliability *reliability = &check->model->config->reliability;
    const struct client_request request = {
        .method = VSR_STR("GET"),
        .target = reliability->health_check_path,
        .authority = ref->authority,
        .fields = fields,
        .n_fields = VSR_COUNT(fields),
    };
    const struct client_timeouts timeouts = { .total_ms = (uint64_t)reliability->health_check_timeout_ms };
    check->status = 0;
    if (!check->pool) {
        const struct client_place place = provider_endpoint_place(check->endpoint);
        check->pool = client_endpoint(check->health->client, &place);
    }
    check->call = client_call_start(check->pool, &request, &timeouts, &events, check);
}

static void stop_all(struct health *health) {
    for (size_t i = 0; i < health->n_checks; i++) {
        loop_timer_stop(&health->checks[i].timer);
        client_call_cancel(health->checks[i].call);
        if (health->checks[i].pool)
            client_endpoint_unref(health->checks[i].pool);
    }
    mem_free(health->checks);
    health->checks = NULL;
    health->n_checks = 0;
}

static size_t count_checked(const struct provider_set *set) {
    size_t n = 0;
    for (size_t m = 0; m < provider_set_count(set); m++) {
        const struct provider_model *model = provider_set_at(set, m);
        if (model->config->reliability.health_check_path.len > 0)
            n += model->n_endpoints;
    }
    return n;
}

static void add_checks(struct health *health, struct provider_model *model) {
    for (size_t i = 0; i < model->n_endpoints; i++) {
        struct check *check = &health->checks[health->n_checks];
        check->health = health;
        check->model = model;
        check->endpoint = &model->endpoints[i];
        loop_timer_start(health->loop, &check->timer, STAGGER_MS * (uint64_t)health->n_checks, start, check);
        health->n_checks++;
    }
}

void health_watch(struct health *health, const struct provider_set *set) {
    size_t n;
    stop_all(health);
    if (!set || (n = count_checked(set)) == 0)
        return;
    health->checks = mem_alloc(n * sizeof(*health->checks));
    for (size_t m = 0; m < provider_set_count(set); m++) {
        struct provider_model *model = provider_set_at(set, m);
        if (model->config->reliability.health_check_path.len > 0)
            add_checks(health, model);
    }
}
