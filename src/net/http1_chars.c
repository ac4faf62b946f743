#include "net/http1_chars.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "net/http1.h"

enum {
    TOKEN = HTTP1_CHAR_TOKEN,
    TEXT = HTTP1_CHAR_TEXT,
    TARGET = HTTP1_CHAR_TARGET,
    HOST = HTTP1_CHAR_HOST,
    HEX = HTTP1_CHAR_HEX,
    ALL = TOKEN | TEXT | TARGET | HOST,
};

const unsigned char http1_chars[256] = {
    ['\t'] = TEXT,
    [' '] = TEXT,
    ['!'] = ALL,
    ['"'] = TEXT,
    ['#'] = TOKEN | TEXT,
    ['$' ... '\''] = ALL,
    ['(' ... ')'] = TEXT | TARGET | HOST,
    ['*' ... '+'] = ALL,
    [','] = TEXT | TARGET | HOST,
    ['-' ... '.'] = ALL,
    ['/'] = TEXT | TARGET,
    ['0' ... '9'] = ALL | HEX,
    [':'] = TEXT | TARGET,
    [';'] = TEXT | TARGET | HOST,
    ['<'] = TEXT,
    ['='] = TEXT | TARGET | HOST,
    ['>'] = TEXT,
    ['?' ... '@'] = TEXT | TARGET,
    ['A' ... 'F'] = ALL | HEX,
    ['G' ... 'Z'] = ALL,
    ['['] = TEXT | TARGET,
    ['\\'] = TEXT,
    [']'] = TEXT | TARGET,
    ['^'] = TOKEN | TEXT | TARGET,
    ['_'] = ALL,
    ['`'] = TOKEN | TEXT | TARGET,
    ['a' ... 'f'] = ALL | HEX,
    ['g' ... 'z'] = ALL,
    ['{'] = TEXT | TARGET,
    ['|'] = TOKEN | TEXT | TARGET,
    ['}'] = TEXT | TARGET,
    ['~'] = ALL,
    [0x80 ... 0xff] = TEXT,
};

#ifdef __SSE2__
enum { BLOCK = 16 };

/* One bit for each of the next 16 bytes that is not text: below 0x20 but the tab, or 0x7f. */
static unsigned not_text(const char *ptr) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)ptr);
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del));
}
#else
enum { BLOCK = 8 };

static unsigned not_text(const char *ptr) {
    unsigned bits = 0;
    for (unsigned i = 0; i < BLOCK; i++)
        bits |= (unsigned)!http1_char_is(ptr[i], TEXT) << i;
    return bits;
}
#endif

size_t http1_text_span(vsr_str text) {
    size_t pos = 0;
    for (; text.len - pos >= BLOCK; pos += BLOCK) {
        unsigned bits = not_text(text.ptr + pos);
        if (bits)
            return pos + (size_t)__builtin_ctz(bits);
    }
    while (pos < text.len && http1_char_is(text.ptr[pos], TEXT))
        pos++;
    return pos;
}

bool http1_name_ok(vsr_str name) {
    return name.len > 0 && http1_span(name, TOKEN) == name.len;
}

bool http1_value_ok(vsr_str value) {
    return http1_text_span(value) == value.len;
}

bool http1_target_ok(vsr_str target) {
    return target.len > 0 && target.len <= HTTP1_TARGET_LEN_MAX && http1_span(target, TARGET) == target.len;
}

/* Length of the "[...]" in front, 0 when there is none. Only the alphabet is checked: whoever connects parses it. */
static size_t ip_literal_span(vsr_str host) {
    size_t pos = 1;
    if (host.len == 0 || host.ptr[0] != '[')
        return 0;
    while (pos < host.len && (http1_char_is(host.ptr[pos], HOST) || host.ptr[pos] == ':'))
        pos++;
    return pos > 1 && pos < host.len && host.ptr[pos] == ']' ? pos + 1 : 0;
}

bool http1_host_ok(vsr_str host) {
    enum { PORT_LEN_MAX = 5 };
    size_t pos = ip_literal_span(host);
    if (pos == 0)
        pos = http1_span(host, HOST);
    if (pos == 0)
        return false;
    if (pos == host.len)
        return true;
    if (host.ptr[pos++] != ':' || host.len - pos > PORT_LEN_MAX)
        return false;
    while (pos < host.len && ascii_is_digit(host.ptr[pos]))
        pos++;
    return pos == host.len;
}
