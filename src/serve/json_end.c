#include "serve/json_end.h"

static void feed_string(struct json_end *end, char c) {
    if (end->escaped)
        end->escaped = false;
    else if (c == '\\')
        end->escaped = true;
    else if (c == '"')
        end->in_string = false;
}

static void feed(struct json_end *end, char c) {
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
        if (end->depth > 0 && --end->depth == 0)
            end->complete = true;
        break;
    default:
        break;
    }
}

bool json_end_feed(struct json_end *end, vsr_str bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.ptr[i];
        if (end->complete)
            end->more |= c != ' ' && c != '\t' && c != '\r' && c != '\n';
        else if (end->in_string)
            feed_string(end, c);
        else
            feed(end, c);
    }
    return end->complete;
}
