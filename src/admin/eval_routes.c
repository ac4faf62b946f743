/* Evaluation without execution (config.md §18.3). */
#include "admin/call.h"
#include "core/json.h"
#include "serve/eval.h"
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

void admin_eval(struct admin_call *call) {
    const struct snapshot *snapshot = call->snapshot;
    struct request_facts *facts = ARENA_NEW(call->arena, struct request_facts);
    struct vsr_err err = VSR_ERR_NONE;
    struct json_writer w;
    struct json_doc doc;
    struct eval eval;
    int rc = json_parse(call->arena, buf_str(&call->body), &doc, &err);
    if (rc == 0 && !json_is(&doc, 0, JSON_OBJECT))
        rc = err_set(&err, VSR_E_INVALID, "the body must be an object with text or messages");
    if (rc == 0)
        rc = eval_read(snapshot, call->arena, &doc, facts, &err);
    if (rc == 0)
        rc = eval_run(snapshot, snapshot_control_scratch(snapshot), call->arena, facts, &eval, &err);
    if (rc < 0) {
        refuse(call, rc, &err);
        return;
    }
    json_write_init(&w, &call->answer);
    json_write_begin_object(&w);
    eval_members(&eval, wants_trace(call, &doc), &w);
    json_write_end(&w);
}
