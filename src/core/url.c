#include "core/url.h"

#include "core/arena.h"

#define REDACTED "[REDACTED]"

static bool is_alphanumeric(char c) {
    return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* Length of "https://"; 0: it begins otherwise. */
static size_t scheme_len(vsr_str url) {
    ptrdiff_t end = str_find(url, VSR_STR("://"));
    for (ptrdiff_t i = 0; i < end; i++)
        if (!is_alphanumeric(url.ptr[i]) && !strchr("+-.", url.ptr[i]))
            return 0;
    return end > 0 ? (size_t)end + 3 : 0;
}

static size_t find_query(vsr_str text) {
    size_t i = 0;
    while (i < text.len && text.ptr[i] != '?' && text.ptr[i] != '#')
        i++;
    return i;
}

/* A host, with a port or without. What has "user:password" in it instead has no digits behind its colon. */
static bool is_place(vsr_str text) {
    ptrdiff_t colon = str_find_last_char(text, ':'), bracket = str_find_last_char(text, ']');
    vsr_str port = colon > bracket ? str_sub(text, (size_t)colon + 1, text.len) : VSR_STR("");
    for (size_t i = 0; i < port.len; i++)
        if (!ascii_is_digit(port.ptr[i]))
            return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_alphanumeric(text.ptr[i]) && !strchr("-._:[]", text.ptr[i]))
            return false;
    return text.len > 0 && colon != 0;
}

/* How much of it, which has no scheme and no query, is user and password. An '@' may also stand in a path. */
static size_t userinfo_len(vsr_str text) {
    ptrdiff_t at = str_find_last_char(text, '@'), slash = str_find_char(text, '/');
    if (at < 0 || (slash >= 0 && slash < at && is_place(str_sub(text, 0, (size_t)slash))))
        return 0;
    return (size_t)at;
}

vsr_str url_shown(struct arena *arena, vsr_str url) {
    size_t scheme = scheme_len(url), query, userinfo;
    vsr_str rest = str_sub(url, scheme, url.len);
    query = find_query(rest);
    userinfo = userinfo_len(str_sub(rest, 0, query));
    if (userinfo == 0 && query == rest.len)
        return url;
    return arena_printf(arena, "%.*s%s%.*s%s", VSR_FMT(str_sub(url, 0, scheme)), userinfo ? REDACTED : "",
                        VSR_FMT(str_sub(rest, userinfo, query < rest.len ? query + 1 : query)),
                        query < rest.len ? REDACTED : "");
}
