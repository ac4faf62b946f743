/*
 * The scan turns 64 bytes into masks, bit i for byte i, and works on all escapes of the block at once: which
 * backslashes begin one, whether a known letter follows each, which quotes remain. Only \u escapes are looked at one by
 * one. One body serves all vector widths; a scanner is that body with its own way to compare 64 bytes.
 */
#include "core/json_string.h"

#include "core/utf8.h"

enum {
    ESCAPE_SHORT_LEN = 2,   /* \n */
    ESCAPE_UNICODE_LEN = 6, /* \u00e9 */
    ESCAPE_PAIR_LEN = 12,   /* \ud83d\ude00 */
    MASK_LEN = 64,
};

/* What the letter behind a backslash stands for; 0: no such escape. */
static const char short_escapes[256] = {
    ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
};

/* Value of a hexadecimal digit plus 1; 0: none. A table, because digits and letters mix beyond what branches can
 * predict. */
static const unsigned char hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* 16 or more when the byte is no digit. */
static inline uint32_t hex_value(char c) {
    return hex_values[(unsigned char)c] - 1u;
}

/* Reads the six bytes of `\uXXXX`. */
static bool unicode_escape(const char *p, const char *end, uint32_t *ret_unit) {
    uint32_t a, b, c, d;
    if (end - p < ESCAPE_UNICODE_LEN || p[0] != '\\' || p[1] != 'u')
        return false;
    a = hex_value(p[2]);
    b = hex_value(p[3]);
    c = hex_value(p[4]);
    d = hex_value(p[5]);
    if ((a | b | c | d) > 0xF)
        return false;
    *ret_unit = a << 12 | b << 8 | c << 4 | d;
    return true;
}

/* Length of the escape whose backslash is at `p`, and the character it stands for; 0 when malformed or a lone
 * surrogate. */
static inline size_t escape_read(const char *p, const char *end, uint32_t *ret_cp) {
    uint32_t unit, low;
    if (end - p < ESCAPE_SHORT_LEN)
        return 0;
    if (JSON_LIKELY(short_escapes[(unsigned char)p[1]])) {
        *ret_cp = (unsigned char)short_escapes[(unsigned char)p[1]];
        return ESCAPE_SHORT_LEN;
    }
    if (!unicode_escape(p, end, &unit))
        return 0;
    *ret_cp = unit;
    if (unit < 0xD800 || unit > 0xDFFF)
        return ESCAPE_UNICODE_LEN;
    if (unit > 0xDBFF || !unicode_escape(p + ESCAPE_UNICODE_LEN, end, &low) || low < 0xDC00 || low > 0xDFFF)
        return 0;
    *ret_cp = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    return ESCAPE_PAIR_LEN;
}

/* The last bytes of the text, and strings whose end is near it. */
static const char *scan_bytes(const char *p, const char *end, bool *escaped) {
    while (p < end) {
        uint32_t cp;
        size_t len;
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            *escaped = true;
            len = escape_read(p, end, &cp);
            if (len == 0)
                return NULL;
            p += len;
        } else if ((unsigned char)*p < 0x20) {
            return NULL;
        } else {
            p++;
        }
    }
    return NULL;
}

/* How a scanner looks at the 64 bytes at `p`: which are special, and which are `c`. */
struct mask_ops {
    uint64_t (*specials)(const char *p);
    uint64_t (*equal)(const char *p, char c);
};

/*
 * Backslashes that begin an escape; the byte before the block begins none. In a run of backslashes it is the 1st, 3rd,
 * ... Adding its first bit to a run clears the run and sets the bit behind it, which tells runs that start at even
 * places from the others, all runs at once.
 */
static inline uint64_t escape_starts(uint64_t backslashes) {
    const uint64_t even = 0x5555555555555555u;
    uint64_t run_starts = backslashes & ~(backslashes << 1);
    uint64_t even_runs = backslashes & ~(backslashes + (run_starts & even));
    return (even_runs & even) | (backslashes & ~even_runs & ~even);
}

static inline __attribute__((always_inline)) uint64_t escape_letters(const char *p, struct mask_ops ops) {
    return ops.equal(p, 'n') | ops.equal(p, '"') | ops.equal(p, '\\') | ops.equal(p, 't') | ops.equal(p, 'r') |
           ops.equal(p, '/') | ops.equal(p, 'b') | ops.equal(p, 'f');
}

/*
 * Checks the \u escapes whose letters stand at `letters` in the block at `p`. Returns how many bytes are used up, at
 * least `len`: a surrogate pair that begins in the block may end behind it. 0: malformed.
 */
static size_t check_unicode(const char *p, const char *end, uint64_t letters, size_t len) {
    while (letters) {
        size_t at = (size_t)__builtin_ctzll(letters) - 1;
        uint32_t cp;
        size_t escape_len = escape_read(p + at, end, &cp);
        if (escape_len == 0)
            return 0;
        at += escape_len;
        if (at >= MASK_LEN)
            return at > len ? at : len;
        letters &= ~(uint64_t)0 << at;
    }
    return len;
}

/*
 * The block at `p` holds a backslash and `specials`. Returns the place behind the closing quote, or NULL with
 * `*ret_len` the bytes used up, 0 when the string is malformed.
 */
static inline __attribute__((always_inline)) const char *scan_escapes(const char *p, const char *end, uint64_t specials,
                                                                      size_t *ret_len, struct mask_ops ops) {
    uint64_t backslashes = ops.equal(p, '\\'), starts = escape_starts(backslashes), escaped = starts << 1;
    uint64_t stops = specials & ~backslashes & ~escaped; /* quotes and control characters */
    uint64_t letters = escaped & (stops ? (stops & -stops) - 1 : ~(uint64_t)0);
    uint64_t others = letters & ~escape_letters(p, ops);
    size_t len = MASK_LEN - (starts >> (MASK_LEN - 1)); /* a letter behind the block: look at that escape again */
    if (others && (others & ~ops.equal(p, 'u')))
        len = 0;
    else if (others)
        len = check_unicode(p, end, others, len);
    *ret_len = len;
    if (len == 0 || !stops)
        return NULL;
    *ret_len = 0;
    p += __builtin_ctzll(stops);
    return *p == '"' ? p + 1 : NULL;
}

static inline __attribute__((always_inline)) const char *scan_masks(const char *p, const char *end, bool *escaped,
                                                                    struct mask_ops ops) {
    while (end - p >= MASK_LEN) {
        uint64_t specials = ops.specials(p);
        size_t len = MASK_LEN;
        if (specials) {
            const char *first = p + __builtin_ctzll(specials), *close;
            if (*first == '"')
                return first + 1;
            if (*first != '\\')
                return NULL;
            *escaped = true;
            close = scan_escapes(p, end, specials, &len, ops);
            if (close || len == 0)
                return close;
        }
        p += len;
    }
    return scan_bytes(p, end, escaped);
}

static bool always(void) {
    return true;
}

static inline uint64_t specials_portable(const char *p) {
    uint64_t mask = 0;
    for (unsigned i = 0; i < MASK_LEN / 8; i++)
        mask |= (uint64_t)json_word_specials(p + 8 * (size_t)i) << 8 * i;
    return mask;
}

static inline uint64_t equal_portable(const char *p, char c) {
    uint64_t mask = 0;
    for (unsigned i = 0; i < MASK_LEN / 8; i++)
        mask |= (uint64_t)json_word_equal(p + 8 * (size_t)i, c) << 8 * i;
    return mask;
}

static const char *scan_portable(const char *p, const char *end, bool *escaped) {
    return scan_masks(p, end, escaped, (struct mask_ops){ specials_portable, equal_portable });
}

#if defined(__x86_64__)

static inline uint64_t specials_sse2(const char *p) {
    return (uint64_t)json_block_specials(p) | (uint64_t)json_block_specials(p + 16) << 16 |
           (uint64_t)json_block_specials(p + 32) << 32 | (uint64_t)json_block_specials(p + 48) << 48;
}

static inline uint64_t equal_sse2(const char *p, char c) {
    __m128i wanted = _mm_set1_epi8(c);
    uint64_t mask = 0;
    for (unsigned i = 0; i < MASK_LEN; i += JSON_BLOCK_LEN) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, wanted)) << i;
    }
    return mask;
}

static const char *scan_sse2(const char *p, const char *end, bool *escaped) {
    return scan_masks(p, end, escaped, (struct mask_ops){ specials_sse2, equal_sse2 });
}

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline uint64_t join_avx2(__m256i low, __m256i high) {
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

AVX2 static inline __m256i specials_half_avx2(const char *p) {
    __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i control = _mm256_cmpeq_epi8(_mm256_max_epu8(block, _mm256_set1_epi8(0x1F)), _mm256_set1_epi8(0x1F));
    __m256i quote = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('"'));
    return _mm256_or_si256(control, _mm256_or_si256(quote, _mm256_cmpeq_epi8(block, _mm256_set1_epi8('\\'))));
}

AVX2 static inline uint64_t specials_avx2(const char *p) {
    return join_avx2(specials_half_avx2(p), specials_half_avx2(p + 32));
}

AVX2 static inline uint64_t equal_avx2(const char *p, char c) {
    __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
    return join_avx2(_mm256_cmpeq_epi8(low, _mm256_set1_epi8(c)), _mm256_cmpeq_epi8(high, _mm256_set1_epi8(c)));
}

AVX2 static const char *scan_avx2(const char *p, const char *end, bool *escaped) {
    return scan_masks(p, end, escaped, (struct mask_ops){ specials_avx2, equal_avx2 });
}

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2");
}

#define AVX512 __attribute__((target("avx512bw")))

AVX512 static inline uint64_t equal_avx512(const char *p, char c) {
    return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8(c));
}

AVX512 static inline uint64_t specials_avx512(const char *p) {
    return equal_avx512(p, '"') | equal_avx512(p, '\\') |
           _mm512_cmplt_epu8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8(0x20));
}

AVX512 static const char *scan_avx512(const char *p, const char *end, bool *escaped) {
    return scan_masks(p, end, escaped, (struct mask_ops){ specials_avx512, equal_avx512 });
}

/* VBMI is not used: it names the processors that no longer slow down for 512-bit instructions. */
static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi");
}

static const struct json_string_scanner scanners[] = {
    { "avx512", has_avx512, scan_avx512 },
    { "avx2", has_avx2, scan_avx2 },
    { "sse2", always, scan_sse2 },
    { "portable", always, scan_portable },
};

#else

static const struct json_string_scanner scanners[] = {
    { "portable", always, scan_portable },
};

#endif

const struct json_string_scanner *json_string_scanners(size_t *ret_n) {
    *ret_n = VSR_COUNT(scanners);
    return scanners;
}

const struct json_string_scanner *json_string_scanner_best(void) {
    const struct json_string_scanner *scanner = scanners;
    while (!scanner->supported())
        scanner++;
    return scanner;
}

static const char *escape_fault(const char *p, const char *end) {
    uint32_t unit;
    if (end - p < ESCAPE_SHORT_LEN)
        return "string is not closed";
    if (p[1] != 'u')
        return "unknown escape in a string";
    if (!unicode_escape(p, end, &unit))
        return "\\u must be followed by four hexadecimal digits";
    return "lone surrogate in a string";
}

const char *json_string_fault(const char *p, const char *end, const char **ret_place) {
    while (p < end && *p != '"') {
        uint32_t cp;
        size_t len = *p == '\\' ? escape_read(p, end, &cp) : (unsigned char)*p >= 0x20;
        if (len == 0) {
            *ret_place = p;
            return *p == '\\' ? escape_fault(p, end) : "control character in a string must be escaped";
        }
        p += len;
    }
    *ret_place = end;
    return "string is not closed";
}

/* Writes the character of the escape at `p`. Returns the escape's length. */
static inline size_t unescape_one(const char *p, const char *end, char **to) {
    uint32_t cp = 0;
    size_t len = escape_read(p, end, &cp);
    if (len == ESCAPE_SHORT_LEN)
        *(*to)++ = (char)cp;
    else
        *to += utf8_encode(cp, *to);
    return len;
}

/*
 * Unescapes the block at `p`, at most up to its first \u. The only special bytes of a checked string are backslashes
 * and what stands behind them. Whole blocks are copied to `*to` and the next piece overwrites what was too much: that
 * stays inside the output, because the source reaches a block further and no escape grows. Returns the bytes used up.
 */
static inline size_t unescape_block(const char *p, char **to) {
    uint32_t specials = json_block_specials(p);
    size_t at = 0;
    memcpy(*to, p, JSON_BLOCK_LEN);
    while (specials) {
        size_t escape = (size_t)__builtin_ctz(specials);
        char c = short_escapes[(unsigned char)p[escape + 1]];
        *to += escape - at;
        if (!c)
            return escape;
        *(*to)++ = c;
        at = escape + ESCAPE_SHORT_LEN;
        memcpy(*to, p + at, JSON_BLOCK_LEN);
        specials &= ~(uint32_t)0 << at;
    }
    if (at < JSON_BLOCK_LEN) {
        *to += JSON_BLOCK_LEN - at;
        at = JSON_BLOCK_LEN;
    }
    return at;
}

size_t json_string_unescape(vsr_str inside, char *out) {
    const char *p = inside.ptr, *end = p + inside.len;
    char *to = out;
    while (end - p >= 2 * JSON_BLOCK_LEN + ESCAPE_SHORT_LEN) {
        p += unescape_block(p, &to);
        if (*p == '\\')
            p += unescape_one(p, end, &to);
    }
    while (p < end) {
        if (*p == '\\')
            p += unescape_one(p, end, &to);
        else
            *to++ = *p++;
    }
    return (size_t)(to - out);
}

/* The next piece of the unescaped text: plain source bytes, or one decoded character in `decoded`. */
static vsr_str next_piece(vsr_str *rest, char decoded[4]) {
    const char *escape = memchr(rest->ptr, '\\', rest->len);
    size_t len = escape ? (size_t)(escape - rest->ptr) : rest->len;
    vsr_str piece = { rest->ptr, len };
    if (len == 0) {
        uint32_t cp = 0;
        len = escape_read(rest->ptr, rest->ptr + rest->len, &cp);
        piece = str_make(decoded, utf8_encode(cp, decoded));
    }
    *rest = str_make(rest->ptr + len, rest->len - len);
    return piece;
}

size_t json_string_len(vsr_str inside) {
    char decoded[4];
    size_t len = 0;
    while (inside.len > 0)
        len += next_piece(&inside, decoded).len;
    return len;
}

bool json_string_eq(vsr_str inside, vsr_str text) {
    char decoded[4];
    while (inside.len > 0) {
        vsr_str piece = next_piece(&inside, decoded);
        if (piece.len > text.len || memcmp(piece.ptr, text.ptr, piece.len) != 0)
            return false;
        text = str_make(text.ptr + piece.len, text.len - piece.len);
    }
    return text.len == 0;
}

bool json_string_same(vsr_str a, vsr_str b) {
    char decoded_a[4], decoded_b[4];
    vsr_str piece_a = { NULL, 0 }, piece_b = { NULL, 0 };
    for (;;) {
        size_t len;
        if (piece_a.len == 0 && a.len > 0)
            piece_a = next_piece(&a, decoded_a);
        if (piece_b.len == 0 && b.len > 0)
            piece_b = next_piece(&b, decoded_b);
        len = piece_a.len < piece_b.len ? piece_a.len : piece_b.len;
        if (len == 0)
            return piece_a.len == piece_b.len;
        if (memcmp(piece_a.ptr, piece_b.ptr, len) != 0)
            return false;
        piece_a = str_make(piece_a.ptr + len, piece_a.len - len);
        piece_b = str_make(piece_b.ptr + len, piece_b.len - len);
    }
}
