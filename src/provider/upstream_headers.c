#include "provider/upstream_headers.h"

#include "core/arena.h"
#include "wire/trace_context.h"

enum {
    FIELDS_OF_OURS = 12
}; /* credential, accept and its encoding, content-type, ids, model, trace, version, and room */

#define ANTHROPIC_VERSION "2023-06-01" /* gateway.md 7.2 */

struct building {
    const struct upstream_headers_input *input;
    struct upstream_headers *out;
    bool names_fields; /* the client's Connection header names hop-by-hop fields of its own */
};

static void append(struct building *b, vsr_str name, vsr_str value) {
    b->out->fields[b->out->n_fields++] = (struct http1_field){ .name = name, .value = value };
}

/* The length decides nearly always, without a call. */
static bool is_named(const struct http1_field *field, vsr_str name) {
    return field->name.len == name.len && str_eq_nocase(field->name, name);
}

static void drop(struct building *b, vsr_str name) {
    size_t kept = 0;
    for (size_t i = 0; i < b->out->n_fields; i++)
        if (!is_named(&b->out->fields[i], name))
            b->out->fields[kept++] = b->out->fields[i];
    b->out->n_fields = kept;
}

/* Replaces every field of that name. Whatever may not stand in a message is left out: a header is not worth a broken
 * request. */
static void set(struct building *b, vsr_str name, vsr_str value) {
    drop(b, name);
    if (http1_name_ok(name) && http1_value_ok(value))
        append(b, name, value);
}

static bool passes(const struct building *b, vsr_str name) {
    switch (credentials_header_class(b->input->credentials, name)) {
    case HEADER_PLAIN:
        break;
    case HEADER_AUTHORIZATION:
        if (b->out->credential.source != CREDENTIAL_CALLER)
            return false;
        break;
    case HEADER_HOP:
    case HEADER_INTERNAL:
    case HEADER_IDENTITY:
        return false;
    }
    return !b->names_fields || !http1_field_has_token(b->input->head, VSR_STR("connection"), name);
}

/* `Connection: keep-alive` and `close` name no field, and are what nearly everyone sends. */
static bool names_fields(const struct http1_head *head) {
    for (size_t i = 0; i < head->n_fields; i++) {
        vsr_str value = head->fields[i].value;
        if (is_named(&head->fields[i], VSR_STR("connection")) && !str_eq_nocase(value, VSR_STR("keep-alive")) &&
            !str_eq_nocase(value, VSR_STR("close")))
            return true;
    }
    return false;
}

static void copy_client(struct building *b) {
    const struct http1_head *head = b->input->head;
    b->names_fields = names_fields(head);
    for (size_t i = 0; i < head->n_fields; i++)
        if (passes(b, head->fields[i].name))
            append(b, head->fields[i].name, head->fields[i].value);
}

static bool has(const struct building *b, vsr_str name) {
    for (size_t i = 0; i < b->out->n_fields; i++)
        if (is_named(&b->out->fields[i], name))
            return true;
    return false;
}

/* tracestate means nothing without its traceparent. */
static void add_trace(struct building *b) {
    const struct trace_context *trace = b->input->trace;
    bool has = trace && trace->has;
    drop(b, VSR_STR("traceparent"));
    if (has)
        append(b, VSR_STR("traceparent"), trace_context_parent(trace));
    if (!has || trace->state.len == 0)
        drop(b, VSR_STR("tracestate"));
}

static void add_protocol(struct building *b) {
    const struct upstream_headers_input *input = b->input;
    if (input->translated)
        set(b, VSR_STR("content-type"), VSR_STR("application/json"));
    if (input->translated && input->stream)
        set(b, VSR_STR("accept"), VSR_STR("text/event-stream"));
    if (input->protocol == PROTOCOL_MESSAGES && !has(b, VSR_STR("anthropic-version")))
        append(b, VSR_STR("anthropic-version"), VSR_STR(ANTHROPIC_VERSION));
}

static void add_ours(struct building *b) {
    const struct upstream_headers_input *input = b->input;
    append(b, VSR_STR("accept-encoding"), VSR_STR("identity")); /* answers must be readable */
    if (!has(b, VSR_STR("content-type")))
        append(b, VSR_STR("content-type"), VSR_STR("application/json"));
    if (b->out->credential.value.len > 0)
        set(b, b->out->credential.name, b->out->credential.value);
    if (input->request_id.len > 0)
        set(b, VSR_STR("x-request-id"), input->request_id);
    if (input->selected_model.len > 0)
        set(b, VSR_STR("x-selected-model"), input->selected_model);
    add_trace(b);
    add_protocol(b);
}

/* The operator's own headers win over everything; loading has refused those that frame the message. */
static void add_extra(struct building *b) {
    const struct config_pairs *extra = &b->input->ref->extra_headers;
    for (size_t i = 0; i < extra->n; i++)
        set(b, extra->keys[i], extra->values[i]);
}

int upstream_headers_build(struct arena *arena, const struct upstream_headers_input *input,
                           struct upstream_headers *ret_headers, struct vsr_err *err) {
    struct building b = { .input = input, .out = ret_headers };
    const struct credential_request request = {
        .head = input->head,
        .trust_injected = input->trust_injected,
        .authorization_is_ours = input->authorization_is_ours,
    };
    size_t n_max = input->head->n_fields + input->ref->extra_headers.n + FIELDS_OF_OURS;
    int rc;
    *ret_headers = (struct upstream_headers){ 0 };
    rc = credentials_resolve(input->credentials, input->ref, &request, arena, &ret_headers->credential, err);
    if (rc < 0)
        return rc;
    if (!http1_value_ok(ret_headers->credential.value))
        return err_set(err, VSR_E_INVALID, "the key of endpoint %.*s holds characters that no header may carry",
                       VSR_FMT(input->ref->name));
    ret_headers->fields = arena_try_alloc_raw(arena, n_max * sizeof(*ret_headers->fields));
    if (!ret_headers->fields)
        return err_set(err, VSR_E_NOMEM, "no memory for %zu header fields", n_max);
    copy_client(&b);
    add_ours(&b);
    add_extra(&b);
    return 0;
}
