/* Evaluation without execution (config.md §18.3). */
#include "admin/call.h"
#include "core/json.h"
#include "serve/eval.h"
#include "serve/gateway.h"
#include "serve/snapshot.h"

static bool member_is_true(const struct json_doc *doc, json_ref object, vsr_str key) {
    bool value = false;
    return json_bool(doc, json_get(doc, object, key), &value) && value;
}

/* `?trace=true`, or `trace` in the body or among its options. */
static bool wants_trace(const struct admin_call *call, const struct json_doc *doc) {
    json_ref options = json_get(doc, 0, VSR_STR("options"));
    return str_eq_c(admin_query(call, VSR_STR("trace")), "true") || member_is_true(doc, 0, VSR_STR("trace")) ||
           (json_is(doc, options, JSON_OBJECT) && member_is_true(doc, options, VSR_STR("trace")));
}

static void refuse(struct admin_call *call, int rc, const struct vsr_err *err) {
    vsr_str text = err->line ? arena_printf(call->arena, "line %u, column %u: %s", err->line, err->col, err->text)
                             : arena_str(call->arena, str_from_c(err->text));
    if (rc == VSR_E_NOT_FOUND)
        admin_error(call, 400, "INVALID_ROUTING_MODEL", text);
    else if (rc == VSR_E_REFUSED)
        admin_error(call, 403, "FORBIDDEN", text);
    else if (rc == VSR_E_UNAVAILABLE)
        admin_error(call, 503, "CLASSIFIER_UNAVAILABLE", text);
    else if (rc == VSR_E_NOMEM)
        admin_error(call, 503, "OUT_OF_MEMORY", text);
    else
        admin_error(call, 400, "INVALID_INPUT", text);
}

/* A dry run under way. */
struct dry_run {
    struct snapshot *snapshot; /* one reference */
    struct json_doc doc;
    struct request_facts facts;
    struct eval eval;
};

static void release(struct admin_call *call) {
    struct dry_run *run = call->work;
    eval_cancel(&run->eval);
    snapshot_unref(run->snapshot);
    call->cancel = NULL;
}

/* What came out, or why nothing did. */
static void finish(struct admin_call *call, int rc, const struct vsr_err *err) {
    struct dry_run *run = call->work;
    struct json_writer w;
    if (rc < 0) {
        refuse(call, rc, err);
    } else {
        json_write_init(&w, &call->answer);
        json_write_begin_object(&w);
        eval_members(&run->eval, wants_trace(call, &run->doc), &w);
        json_write_end(&w);
    }
    release(call);
}

static void on_evidence(void *data) {
    struct admin_call *call = data;
    struct dry_run *run = call->work;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = eval_go_on(&run->eval, &err);
    if (rc == EVAL_WAITS)
        return;
    finish(call, rc, &err);
    admin_reply(call);
}

void admin_eval(struct admin_call *call) {
    struct gateway *gateway = admin_gateway(call->admin);
    struct dry_run *run = ARENA_NEW(call->arena, struct dry_run);
    struct eval_options options = { .worker = snapshot_control_scratch(call->snapshot),
                                    .lane = gateway_lane(gateway),
                                    .arena = call->arena,
                                    .done = on_evidence,
                                    .owner = call };
    struct vsr_err err = VSR_ERR_NONE;
    int rc;
    options.snapshot = run->snapshot = snapshot_ref(gateway_snapshot(gateway));
    call->work = run;
    rc = json_parse(call->arena, buf_str(&call->body), &run->doc, &err);
    if (rc == 0 && !json_is(&run->doc, 0, JSON_OBJECT))
        rc = err_set(&err, VSR_E_INVALID, "the body must be an object with text or messages");
    if (rc == 0)
        rc = eval_read(run->snapshot, call->arena, &run->doc, &run->facts, &err);
    if (rc == 0)
        rc = eval_start(&options, &run->facts, &run->eval, &err);
    if (rc == EVAL_WAITS)
        call->cancel = release;
    else
        finish(call, rc, &err);
}
