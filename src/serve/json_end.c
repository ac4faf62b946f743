#include "serve/json_end.h"

static void feed_string(struct json_end *end, char c) {
    if (end->escaped)
        end->escaped = false;
    else if (c == '\\')
        end->escaped = true;
    else if (c == '"')
        end->in_string = false;
}

static bool is_white(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void feed(struct json_end *end, char c) {
    if (end->depth == 0 && c != '{' && c != '[') {
        end->other = !is_white(c);
        return;
    }
    switch (c) {
    case '"':
        end->in_string = true;
        break;
    case '{':
    case '[':
        end->depth++;
        break;
    case '}':
    case ']':
        end->complete = --end->depth == 0;
        break;
    default:
        break;
    }
}

bool json_end_feed(struct json_end *end, vsr_str bytes) {
    for (size_t i = 0; i < bytes.len && !end->other; i++) {
        char c = bytes.ptr[i];
        if (end->complete)
            end->more |= !is_white(c);
        else if (end->in_string)
            feed_string(end, c);
        else
            feed(end, c);
    }
    return end->complete;
}
