#include "wire/messages_request.h"
#include "wire/value.h"

static int refuse(struct vsr_err *err, vsr_str where, const char *message) {
    int rc = err_set(err, VSR_E_INVALID, "%s", message);
    err_at(err, where, 0, 0);
    return rc;
}

static int check_messages(const struct json_doc *doc, struct vsr_err *err) {
    static const vsr_str where = VSR_STR_INIT("messages");
    json_ref messages = json_get(doc, 0, where);
    if (!value_is_present(doc, messages))
        return refuse(err, where, "messages field is required");
    if (!json_is(doc, messages, JSON_ARRAY))
        return refuse(err, where, "messages field must be an array");
    return value_has_elements(doc, messages) ? 0 : refuse(err, where, "messages field must have at least one message");
}

/* Written as 100.0 by some clients. 0 asks a backend to read the prompt into its cache, and no more. */
static int check_max_tokens(const struct json_doc *doc, struct vsr_err *err) {
    static const vsr_str where = VSR_STR_INIT("max_tokens");
    json_ref given = json_get(doc, 0, where);
    int64_t tokens;
    if (!value_is_present(doc, given) || value_count(doc, given, &tokens))
        return 0;
    return refuse(err, where, "max_tokens field must be a whole number from 0 to 9007199254740991");
}

int messages_check(const struct json_doc *doc, struct vsr_err *err) {
    int rc;
    if (!json_is(doc, 0, JSON_OBJECT))
        return refuse(err, VSR_STR(""), "the request body must be a JSON object");
    if (!value_is_filled(doc, value_get(doc, 0, "model")))
        return refuse(err, VSR_STR("model"), "model field is required");
    rc = check_messages(doc, err);
    return rc == 0 ? check_max_tokens(doc, err) : rc;
}
