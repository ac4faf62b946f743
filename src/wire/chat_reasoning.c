#include "wire/chat_reasoning.h"

#include "wire/chat_edit.h"

enum { PARAMETER_PARTS_MAX = 8 };

/* What one row of the table works with. */
struct mutation {
    struct arena *arena;
    struct json_edit *edit;
    const struct json_doc *doc;
    const struct chat_reasoning *reasoning;
    struct vsr_err *err;
    json_ref client_effort; /* JSON_NONE: the client sent none, or null */
};

#define KWARGS VSR_STR("chat_template_kwargs")
#define EFFORT VSR_STR("reasoning_effort")

static int set_path(const struct mutation *m, const vsr_str *keys, size_t n_keys, vsr_str raw) {
    return chat_edit_set(m->arena, m->edit, keys, n_keys, raw, m->err);
}

static int set_kwarg(const struct mutation *m, vsr_str raw) {
    vsr_str keys[] = { KWARGS, m->reasoning->parameter };
    return set_path(m, keys, VSR_COUNT(keys), raw);
}

static int delete_member(const struct mutation *m, vsr_str key) {
    struct json_step path[] = { JSON_KEY_STR(key) };
    if (json_get(m->doc, 0, key) == JSON_NONE)
        return 0;
    return json_edit_delete(m->edit, path, VSR_COUNT(path), m->err);
}

/* Whether `object` has no member but `key`. */
static bool holds_only(const struct json_doc *doc, json_ref object, vsr_str key) {
    for (json_ref k = json_first(doc, object); k != JSON_NONE;) {
        json_ref value = json_next(doc, object, k);
        if (!json_str_eq(doc, k, key))
            return false;
        k = json_next(doc, object, value);
    }
    return true;
}

/* Removes the parameter from chat_template_kwargs, and that object when nothing else is left in it. */
static int delete_kwarg(const struct mutation *m) {
    struct json_step path[] = { JSON_KEY_STR(KWARGS), JSON_KEY_STR(m->reasoning->parameter) };
    json_ref kwargs = json_get(m->doc, 0, KWARGS);
    if (json_get(m->doc, kwargs, m->reasoning->parameter) == JSON_NONE)
        return 0;
    if (holds_only(m->doc, kwargs, m->reasoning->parameter))
        return delete_member(m, KWARGS);
    return json_edit_delete(m->edit, path, VSR_COUNT(path), m->err);
}

static vsr_str effort_json(const struct mutation *m) {
    vsr_str effort = m->reasoning->effort;
    return chat_edit_quote(m->arena, effort.len > 0 ? effort : VSR_STR("medium"));
}

/* The client's own effort as written; `low` carries the switch when there is none. */
static vsr_str carried_effort(const struct mutation *m) {
    return m->client_effort == JSON_NONE ? VSR_STR("\"low\"") : json_raw(m->doc, m->client_effort);
}

/* Puts a value at the parameter's place in the body, where dots lead into nested objects. */
static int set_top_level(const struct mutation *m, vsr_str raw) {
    vsr_str keys[PARAMETER_PARTS_MAX];
    size_t n = 0;
    for (vsr_str rest = m->reasoning->parameter; rest.ptr;) {
        if (n == PARAMETER_PARTS_MAX)
            return err_set(m->err, VSR_E_LIMIT, "reasoning parameter \"%.*s\" has too many parts",
                           VSR_FMT(m->reasoning->parameter));
        keys[n++] = str_split(&rest, '.');
    }
    return set_path(m, keys, n, raw);
}

/*
 * Top-level placement. With reasoning off the client's own value is kept, and nothing is made up. When the parameter is
 * `reasoning_effort` itself, keeping means that its bytes are not touched.
 */
static int apply_top_level(const struct mutation *m) {
    bool same_member = str_eq(m->reasoning->parameter, EFFORT);
    if (m->reasoning->on || m->client_effort != JSON_NONE) {
        int rc = 0;
        if (!same_member || m->reasoning->on)
            rc = set_top_level(m, m->reasoning->on ? effort_json(m) : carried_effort(m));
        return rc < 0 || same_member ? rc : delete_member(m, EFFORT);
    }
    return delete_member(m, EFFORT);
}

static int apply_deepseek(const struct mutation *m) {
    vsr_str thinking = VSR_STR("thinking"), effort = EFFORT;
    int rc = delete_member(m, KWARGS);
    if (rc == 0)
        rc = set_path(m, &thinking, 1,
                      m->reasoning->on ? VSR_STR("{\"type\":\"enabled\"}") : VSR_STR("{\"type\":\"disabled\"}"));
    if (rc < 0)
        return rc;
    return m->reasoning->on ? set_path(m, &effort, 1, effort_json(m)) : delete_member(m, EFFORT);
}

static int apply_template_kwargs(const struct mutation *m) {
    int rc = delete_member(m, EFFORT);
    return rc < 0 ? rc : set_kwarg(m, m->reasoning->on ? VSR_STR("true") : VSR_STR("false"));
}

static int apply_effort(const struct mutation *m) {
    int rc;
    if (m->reasoning->dialect == CHAT_DIALECT_OPENAI || m->reasoning->dialect == CHAT_DIALECT_OPENROUTER)
        return apply_top_level(m);
    rc = delete_member(m, EFFORT);
    return rc < 0 ? rc : set_kwarg(m, m->reasoning->on ? effort_json(m) : carried_effort(m));
}

static int apply_top_level_effort(const struct mutation *m) {
    int rc = delete_kwarg(m);
    return rc < 0 ? rc : apply_top_level(m);
}

int chat_reasoning_apply(struct arena *arena, struct json_edit *edit, const struct json_doc *doc,
                         const struct chat_reasoning *reasoning, struct vsr_err *err) {
    struct mutation m = {
        .arena = arena,
        .edit = edit,
        .doc = doc,
        .reasoning = reasoning,
        .err = err,
        .client_effort = json_get(doc, 0, EFFORT),
    };
    if (json_is(doc, m.client_effort, JSON_NULL))
        m.client_effort = JSON_NONE;
    if (reasoning->family == CHAT_FAMILY_NONE)
        return 0;
    if (reasoning->dialect == CHAT_DIALECT_DEEPSEEK)
        return apply_deepseek(&m);
    switch (reasoning->family) {
    case CHAT_FAMILY_TEMPLATE_KWARGS:
        return apply_template_kwargs(&m);
    case CHAT_FAMILY_EFFORT:
        return apply_effort(&m);
    case CHAT_FAMILY_TOP_LEVEL_EFFORT:
        return apply_top_level_effort(&m);
    case CHAT_FAMILY_NONE:
        break;
    }
    return 0;
}
