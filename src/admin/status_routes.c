/* Life, readiness and metrics. */
#include "admin/call.h"
#include "core/metrics.h"
#include "route/route.h"
#include "serve/gateway.h"
#include "serve/snapshot.h"

void admin_health(struct admin_call *call) {
    (void)buf_append_c(&call->answer, "{\"status\":\"healthy\"}");
}

struct missing {
    struct json_writer *w;
    vsr_str recipe;
};

static void write_missing(void *data, const char *family, const char *reason) {
    const struct missing *missing = data;
    json_write_begin_object(missing->w);
    json_write_key(missing->w, VSR_STR("recipe"));
    json_write_str(missing->w, missing->recipe);
    json_write_key(missing->w, VSR_STR("family"));
    json_write_str(missing->w, str_from_c(family));
    json_write_key(missing->w, VSR_STR("reason"));
    json_write_str(missing->w, str_from_c(reason));
    json_write_end(missing->w);
}

/* A family without its model is not a reason to be unready: its rules read as the policy says. */
void admin_ready(struct admin_call *call) {
    const struct snapshot *snapshot = call->snapshot;
    bool ready = gateway_ready(admin_gateway(call->admin));
    struct json_writer w;
    call->status = ready ? 200 : 503;
    json_write_init(&w, &call->answer);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("status"));
    json_write_str(&w, ready ? VSR_STR("ready") : VSR_STR("draining"));
    json_write_key(&w, VSR_STR("ready"));
    json_write_bool(&w, ready);
    json_write_key(&w, VSR_STR("generation"));
    json_write_u64(&w, snapshot->generation);
    json_write_key(&w, VSR_STR("config_hash"));
    json_write_str(&w, snapshot->doc->hash);
    json_write_key(&w, VSR_STR("unavailable"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        route_unavailable(snapshot->recipes[i].route, write_missing,
                          &(struct missing){ &w, snapshot->recipes[i].scope->name });
    json_write_end(&w);
    json_write_end(&w);
}

void admin_metrics(struct admin_call *call) {
    call->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_print(gateway_metrics(admin_gateway(call->admin)), &call->answer);
}
