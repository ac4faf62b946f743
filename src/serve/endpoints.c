#include "serve/endpoints.h"

#define FIXED(text, ...) \
    { .path = VSR_STR_INIT(text), __VA_ARGS__ }
#define WITH_ID(text, start, ...) \
    { .path = VSR_STR_INIT(text), .prefix = true, .id = VSR_STR_INIT(start), __VA_ARGS__ }

/* Of rows that fit, the first counts. `/v1/router_replay*` is not here: management data are never public. */
static const struct endpoint_row rows[] = {
    FIXED("/v1/chat/completions", .kind = ENDPOINT_CHAT, .methods = ENDPOINT_POST, .routed = true),
    FIXED("/v1/messages", .kind = ENDPOINT_MESSAGES, .protocol = PROTOCOL_MESSAGES, .methods = ENDPOINT_POST,
          .routed = true),
    FIXED("/v1/messages/count_tokens", .kind = ENDPOINT_COUNT_TOKENS, .protocol = PROTOCOL_MESSAGES,
          .methods = ENDPOINT_POST),
    FIXED("/v1/responses", .kind = ENDPOINT_RESPONSES, .protocol = PROTOCOL_RESPONSES, .methods = ENDPOINT_POST,
          .routed = true),
    WITH_ID("/v1/responses/", "resp_", .suffix = VSR_STR_INIT("/input_items"), .kind = ENDPOINT_RESPONSE_ITEMS,
            .protocol = PROTOCOL_RESPONSES, .methods = ENDPOINT_GET),
    WITH_ID("/v1/responses/", "resp_", .suffix = VSR_STR_INIT("/cancel"), .kind = ENDPOINT_RESPONSE_CANCEL,
            .protocol = PROTOCOL_RESPONSES, .methods = ENDPOINT_POST),
    WITH_ID("/v1/responses/", "resp_", .kind = ENDPOINT_RESPONSE, .protocol = PROTOCOL_RESPONSES,
            .methods = ENDPOINT_GET | ENDPOINT_DELETE),
    FIXED("/v1/completions", .kind = ENDPOINT_COMPLETIONS, .protocol = PROTOCOL_COMPLETIONS, .methods = ENDPOINT_POST,
          .routed = true),
    FIXED("/v1/embeddings", .kind = ENDPOINT_EMBEDDINGS, .protocol = PROTOCOL_EMBEDDINGS, .methods = ENDPOINT_POST),
    FIXED("/v1/images/generations", .kind = ENDPOINT_IMAGES, .protocol = PROTOCOL_IMAGES, .methods = ENDPOINT_POST),
    FIXED("/v1/models", .kind = ENDPOINT_MODELS, .methods = ENDPOINT_GET),
    WITH_ID("/v1/models/", "", .kind = ENDPOINT_MODEL, .methods = ENDPOINT_GET),
    FIXED("/health", .kind = ENDPOINT_HEALTH, .methods = ENDPOINT_GET, .open = true),
    FIXED("/ready", .kind = ENDPOINT_READY, .methods = ENDPOINT_GET, .open = true),
};

/* Model ids may hold slashes; ids with something behind them do not, nor those that have to begin in some way. */
static bool fits(const struct endpoint_row *row, vsr_str path, vsr_str *ret_id) {
    vsr_str id;
    *ret_id = str_make(NULL, 0);
    if (!row->prefix)
        return str_eq(path, row->path);
    if (path.len <= row->path.len + row->suffix.len || !str_starts(path, row->path) || !str_ends(path, row->suffix))
        return false;
    id = str_sub(path, row->path.len, path.len - row->suffix.len);
    if (!str_starts(id, row->id) || (row->id.len > 0 && str_find_char(id, '/') >= 0))
        return false;
    *ret_id = id;
    return true;
}

const struct endpoint_row *endpoints_find(vsr_str path, vsr_str *ret_id) {
    for (size_t i = 0; i < VSR_COUNT(rows); i++)
        if (fits(&rows[i], path, ret_id))
            return &rows[i];
    return NULL;
}

enum {
    SUGGEST_PATH_LEN_MAX = 64, /* of a path that is worth comparing */
    SUGGEST_DISTANCE_MAX = 3,  /* more is no slip of the finger */
    SUGGEST_TAIL_LEN_MIN = 6,  /* of what is asked for without its beginning: /models, but not / */
};

vsr_str endpoints_suggest(vsr_str path) {
    size_t least = SUGGEST_DISTANCE_MAX + 1;
    vsr_str best = VSR_STR("");
    if (path.len < SUGGEST_TAIL_LEN_MIN || path.len > SUGGEST_PATH_LEN_MAX)
        return best;
    for (size_t i = 0; i < VSR_COUNT(rows); i++) {
        size_t distance;
        if (rows[i].prefix)
            continue;
        if (str_ends(rows[i].path, path) || str_ends(path, rows[i].path))
            return rows[i].path;
        distance = str_distance(path, rows[i].path, least - 1);
        if (distance < least) {
            least = distance;
            best = rows[i].path;
        }
    }
    return best;
}

unsigned endpoints_method(vsr_str method) {
    if (str_eq(method, VSR_STR("GET")) || str_eq(method, VSR_STR("HEAD")))
        return ENDPOINT_GET;
    if (str_eq(method, VSR_STR("DELETE")))
        return ENDPOINT_DELETE;
    return str_eq(method, VSR_STR("POST")) ? ENDPOINT_POST : 0;
}

vsr_str endpoints_allow(const struct endpoint_row *row) {
    if (row->methods & ENDPOINT_POST)
        return VSR_STR("POST");
    return row->methods & ENDPOINT_DELETE ? VSR_STR("GET, HEAD, DELETE") : VSR_STR("GET, HEAD");
}

enum protocol endpoints_protocol(vsr_str path) {
    vsr_str messages = VSR_STR("/v1/messages");
    if (str_starts(path, messages) && (path.len == messages.len || path.ptr[messages.len] == '/'))
        return PROTOCOL_MESSAGES;
    return PROTOCOL_CHAT;
}

vsr_str endpoints_origin(vsr_str target) {
    ptrdiff_t scheme = str_find(target, VSR_STR("://"));
    vsr_str rest;
    ptrdiff_t slash;
    if (target.len == 0 || target.ptr[0] == '/' || scheme <= 0)
        return target;
    rest = str_sub(target, (size_t)scheme + 3, target.len);
    slash = str_find_char(rest, '/');
    return slash < 0 ? VSR_STR("/") : str_sub(rest, (size_t)slash, rest.len);
}

vsr_str endpoints_path(vsr_str origin) {
    ptrdiff_t mark = str_find_char(origin, '?');
    vsr_str path = mark < 0 ? origin : str_sub(origin, 0, (size_t)mark);
    if (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    return path;
}
