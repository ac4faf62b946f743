#include "dsl/key.h"

#include <string.h>

#include "core/arena.h"

/* Each text behind its length, so that none can be taken for another's end. */
vsr_str dsl_key(struct arena *arena, const vsr_str *parts, size_t n) {
    size_t len = 0, at = 0;
    char *key;
    for (size_t i = 0; i < n; i++)
        len += sizeof(parts[i].len) + parts[i].len;
    key = ARENA_ARRAY(arena, char, len);
    for (size_t i = 0; i < n; i++) {
        memcpy(key + at, &parts[i].len, sizeof(parts[i].len));
        at += sizeof(parts[i].len);
        if (parts[i].len)
            memcpy(key + at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    return str_make(key, len);
}
