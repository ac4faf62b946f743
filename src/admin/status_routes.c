/* Life, readiness and metrics. */
#include <sys/resource.h>
#include <sys/utsname.h>

#include "admin/call.h"
#include "core/metrics.h"
#include "evidence/fill.h"
#include "model/builtin.h"
#include "model/readiness.h"
#include "route/route.h"
#include "serve/gateway.h"
#include "serve/model_service.h"
#include "serve/snapshot.h"
#include "serve/stores.h"

void admin_health(struct admin_call *call) {
    (void)buf_append_c(&call->answer, "{\"status\":\"healthy\"}");
}

/* ---- families whose model is not there */

struct missing {
    struct json_writer *w;
    struct readiness *models;
    struct arena *arena;
    vsr_str recipe;
};

/* How far the model of that name is; against one that is not known nothing speaks. */
struct named_state {
    vsr_str name;
    enum readiness_state state;
};

static void note_state(void *data, const struct readiness_view *view) {
    struct named_state *named = data;
    if (str_eq_c(named->name, view->name))
        named->state = view->state;
}

/* Why nobody answers for the source, as far as it is known without asking; empty: nothing is. */
static vsr_str failure_of(const struct missing *missing, const struct signal_source *source) {
    struct named_state named = { source->model.path, MODEL_STATE_READY };
    const struct builtin_model *builtin;
    struct vsr_err err = VSR_ERR_NONE;
    if (source->kind != SOURCE_MODEL)
        return VSR_STR("");
    if (builtin_is(named.name))
        return builtin_open(named.name, &builtin, &err) < 0 ? arena_printf(missing->arena, "%s", err.text)
                                                            : VSR_STR("");
    readiness_each(missing->models, note_state, &named);
    if (named.state != MODEL_STATE_ABSENT && named.state != MODEL_STATE_FAILED)
        return VSR_STR("");
    return arena_printf(missing->arena, "model %.*s %s", VSR_FMT(named.name),
                        named.state == MODEL_STATE_ABSENT ? "is absent" : "could not be loaded");
}

static void write_missing(void *data, const char *family, const struct signal_source *source) {
    const struct missing *missing = data;
    vsr_str reason = failure_of(missing, source);
    if (reason.len == 0)
        return;
    json_write_begin_object(missing->w);
    json_write_key(missing->w, VSR_STR("recipe"));
    json_write_str(missing->w, missing->recipe);
    json_write_key(missing->w, VSR_STR("family"));
    json_write_str(missing->w, str_from_c(family));
    json_write_key(missing->w, VSR_STR("reason"));
    json_write_str(missing->w, reason);
    json_write_end(missing->w);
}

/* Sets of examples whose vectors are there, of those that rules are compared with. */
static void write_examples(const struct snapshot *snapshot, struct json_writer *w) {
    struct evidence_fill_state state = { 0 };
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        evidence_fill_count(snapshot->recipes[i].evidence, &state);
    json_write_key(w, VSR_STR("examples"));
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("sets"));
    json_write_u64(w, state.banks);
    json_write_key(w, VSR_STR("ready"));
    json_write_u64(w, state.filled);
    json_write_end(w);
}

/* A family without its model is not a reason to be unready, unless the model is mandatory: its rules read as the
 * policy says. */
void admin_ready(struct admin_call *call) {
    const struct snapshot *snapshot = call->snapshot;
    const struct gateway *gateway = admin_gateway(call->admin);
    bool ready = gateway_ready(gateway);
    struct json_writer w;
    call->status = ready ? 200 : 503;
    json_write_init(&w, &call->answer);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("status"));
    json_write_str(&w, gateway_draining(gateway) ? VSR_STR("draining")
                       : ready                   ? VSR_STR("ready")
                                                 : VSR_STR("starting"));
    json_write_key(&w, VSR_STR("ready"));
    json_write_bool(&w, ready);
    json_write_key(&w, VSR_STR("generation"));
    json_write_u64(&w, snapshot->generation);
    json_write_key(&w, VSR_STR("config_hash"));
    json_write_str(&w, snapshot->doc->hash);
    readiness_summary_json(model_service_readiness(gateway_models(gateway)), "ready_models", &w);
    write_examples(snapshot, &w);
    stores_write_ready(gateway_stores(gateway), &w);
    json_write_key(&w, VSR_STR("unavailable"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        route_asked(snapshot->recipes[i].route, write_missing,
                    &(struct missing){ &w, model_service_readiness(gateway_models(gateway)), call->arena,
                                       snapshot->recipes[i].scope->name });
    json_write_end(&w);
    json_write_end(&w);
}

void admin_metrics(struct admin_call *call) {
    call->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_print(gateway_metrics(admin_gateway(call->admin)), &call->answer);
}

/* ---- models */

static void write_text(struct json_writer *w, const char *key, const char *value) {
    json_write_key(w, str_from_c(key));
    json_write_str(w, str_from_c(value));
}

static void write_system(struct json_writer *w) {
    struct utsname system;
    struct rusage usage;
    json_write_begin_object(w);
    write_text(w, "version", VSR_VERSION);
    if (uname(&system) == 0) {
        write_text(w, "architecture", system.machine);
        write_text(w, "os", system.sysname);
    }
    json_write_key(w, VSR_STR("memory_usage_bytes"));
    json_write_u64(w, getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0);
    json_write_key(w, VSR_STR("gpu_available"));
    json_write_bool(w, false);
    json_write_end(w);
}

void admin_models(struct admin_call *call) {
    struct gateway *gateway = admin_gateway(call->admin);
    struct readiness *readiness = model_service_readiness(gateway_models(gateway));
    struct json_writer w;
    json_write_init(&w, &call->answer);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("models"));
    readiness_models_json(readiness, &w);
    json_write_key(&w, VSR_STR("summary"));
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("ready"));
    json_write_bool(&w, model_service_ready(gateway_models(gateway)));
    readiness_summary_json(readiness, "loaded_models", &w);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("system"));
    write_system(&w);
    json_write_end(&w);
}
