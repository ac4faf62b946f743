#include "wire/trace_context.h"

#include <string.h>

enum { TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, FLAG_SAMPLED = 1 };

static bool is_hex(vsr_str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) /* lower case only, by the standard */
            return false;
    }
    return true;
}

static bool is_zero(vsr_str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '0')
            return false;
    return true;
}

static bool is_id(vsr_str text) {
    return is_hex(text) && !is_zero(text);
}

static bool is_valid(vsr_str parent) {
    vsr_str version = str_sub(parent, 0, 2);
    if (parent.len < TRACE_PARENT_LEN || !is_hex(version) || str_eq(version, VSR_STR("ff")))
        return false;
    if (parent.len > TRACE_PARENT_LEN && (str_eq(version, VSR_STR("00")) || parent.ptr[TRACE_PARENT_LEN] != '-'))
        return false;
    return parent.ptr[TRACE_AT - 1] == '-' && parent.ptr[SPAN_AT - 1] == '-' && parent.ptr[FLAGS_AT - 1] == '-' &&
           is_id(str_sub(parent, TRACE_AT, TRACE_AT + TRACE_ID_LEN)) &&
           is_id(str_sub(parent, SPAN_AT, SPAN_AT + TRACE_SPAN_LEN)) && is_hex(str_sub(parent, FLAGS_AT, FLAGS_AT + 2));
}

static int hex_value(char c) {
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* What later versions may put into the other bits means nothing in version 00. */
static void write_flags(char *out, vsr_str parent) {
    out[0] = '0';
    out[1] = hex_value(parent.ptr[FLAGS_AT + 1]) & FLAG_SAMPLED ? '1' : '0';
}

static void write_span(char *out, uint64_t span) {
    span = span ? span : 1; /* zero stands for none */
    for (size_t i = 0; i < TRACE_SPAN_LEN; i++)
        out[i] = "0123456789abcdef"[span >> (60 - 4 * i) & 15];
}

bool trace_context_read(vsr_str traceparent, vsr_str tracestate, uint64_t span, struct trace_context *ret_trace) {
    vsr_str parent = str_trim(traceparent), state = str_trim(tracestate);
    *ret_trace = (struct trace_context){ .has = is_valid(parent) };
    if (!ret_trace->has)
        return false;
    memcpy(ret_trace->parent, parent.ptr, TRACE_PARENT_LEN);
    ret_trace->parent[0] = ret_trace->parent[1] = '0';
    write_span(ret_trace->parent + SPAN_AT, span);
    write_flags(ret_trace->parent + FLAGS_AT, parent);
    if (state.len <= TRACE_STATE_LEN_MAX)
        ret_trace->state = state;
    return true;
}

vsr_str trace_context_id(const struct trace_context *trace) {
    return str_make(trace->parent + TRACE_AT, TRACE_ID_LEN);
}

vsr_str trace_context_parent(const struct trace_context *trace) {
    return str_make(trace->parent, TRACE_PARENT_LEN);
}
