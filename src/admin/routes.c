#include "admin/call.h"

static const struct admin_route routes[] = {
    { "GET", "/health", NULL, "whether the process lives", admin_health },
    { "GET", "/ready", "ready.read", "whether it serves, which generation, and what is missing", admin_ready },
    { "GET", "/info/models", "config.read", "the models that run inside vsr: which are needed, and how far they are",
      admin_models },
    { "GET", "/metrics", "metrics.read", "Prometheus metrics", admin_metrics },
    { "GET", "/api/v1", "docs.read", "this list", admin_index },
    { "POST", "/api/v1/eval", "classify.invoke", "what the policy makes of a request, without sending anything",
      admin_eval },
};

const struct admin_route *admin_routes(size_t *ret_n) {
    *ret_n = VSR_COUNT(routes);
    return routes;
}

void admin_index(struct admin_call *call) {
    struct json_writer w;
    json_write_init(&w, &call->answer);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("routes"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < VSR_COUNT(routes); i++) {
        json_write_begin_object(&w);
        json_write_key(&w, VSR_STR("method"));
        json_write_str(&w, str_from_c(routes[i].method));
        json_write_key(&w, VSR_STR("path"));
        json_write_str(&w, str_from_c(routes[i].path));
        json_write_key(&w, VSR_STR("permission"));
        if (routes[i].permission)
            json_write_str(&w, str_from_c(routes[i].permission));
        else
            json_write_null(&w);
        json_write_key(&w, VSR_STR("description"));
        json_write_str(&w, str_from_c(routes[i].description));
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
}
