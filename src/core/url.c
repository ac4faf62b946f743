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
    size_t port = colon > bracket ? (size_t)colon + 1 : text.len;
    for (size_t i = port; i < text.len; i++)
        if (!ascii_is_digit(text.ptr[i]))
            return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_alphanumeric(text.ptr[i]) && !strchr("-._:[]", text.ptr[i]))
            return false;
    return text.len > 0 && colon != 0 && (colon <= bracket || port < text.len);
}

/* Behind a place and a slash an '@' is of the path, unless it looks like another URL with a password in it. */
static bool has_place(vsr_str text, size_t at) {
    ptrdiff_t slash = str_find_char(text, '/');
    return slash >= 0 && is_place(str_sub(text, 0, (size_t)slash)) &&
           str_find_char(str_sub(text, (size_t)slash, at), ':') < 0;
}

/*
 * What may be shown of `rest`, which stands behind a valid scheme or without one. What is no valid URL may have its
 * password anywhere before an '@': all up to the last one is hidden. Where that one stands behind a '?' or '#' nobody
 * can say whether a host or the end of a secret follows it: nothing is shown.
 */
static vsr_str rest_shown(struct arena *arena, vsr_str rest, bool has_scheme) {
    size_t query = find_query(rest), userinfo;
    ptrdiff_t at = str_find_last_char(rest, '@');
    bool in_place = at >= 0 && has_scheme && has_place(str_sub(rest, 0, query), (size_t)at);
    if (at > (ptrdiff_t)query && !in_place)
        return VSR_STR(REDACTED);
    userinfo = at < 0 || in_place ? 0 : (size_t)at;
    if (userinfo == 0 && query == rest.len)
        return rest;
    return arena_printf(arena, "%s%.*s%s", userinfo ? REDACTED : "",
                        VSR_FMT(str_sub(rest, userinfo, query < rest.len ? query + 1 : query)),
                        query < rest.len ? REDACTED : "");
}

vsr_str url_shown(struct arena *arena, vsr_str url) {
    size_t scheme = scheme_len(url);
    vsr_str rest = str_sub(url, scheme, url.len), shown = rest_shown(arena, rest, scheme > 0);
    if (shown.ptr == rest.ptr)
        return url;
    return arena_printf(arena, "%.*s%.*s", VSR_FMT(str_sub(url, 0, scheme)), VSR_FMT(shown));
}
