/*
 * Two checkers give the same answer. The portable one skips ASCII in words and walks sequences by their lead byte. The
 * AVX2 one classifies 32 bytes at once: three table lookups (high and low half of the byte before, high half of the
 * byte itself) yield a bit per kind of error, and a bit survives their conjunction only where that error is present. It
 * says *that* a block is bad; *where* is found by the portable one, from the last character boundary before that block.
 */
#include "core/utf8.h"

#include "core/assert.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    UTF8_SEQUENCE_MAX = 4,
    UTF8_WIDE_LEN_MIN = 64, /* below it the portable walk is as fast */
};

static inline bool is_continuation(char c) {
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Length of the well-formed sequence at `p` (RFC 3629, section 4), 0 when there is none. `left` is at least 1. */
static inline size_t sequence_len(const char *p, size_t left) {
    const unsigned char *u = (const unsigned char *)p;
    unsigned char lead = u[0], low = 0x80, high = 0xBF;
    size_t len;
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    len = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (len > left)
        return 0;
    if (lead == 0xE0)
        low = 0xA0; /* shorter forms exist */
    else if (lead == 0xED)
        high = 0x9F; /* surrogates */
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F; /* past U+10FFFF */
    if (u[1] < low || u[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if (!is_continuation(p[i]))
            return 0;
    }
    return len;
}

static size_t skip_ascii(vsr_str text, size_t pos) {
    while (text.len - pos >= 16) {
        uint64_t words[2];
        memcpy(words, text.ptr + pos, sizeof(words));
        if ((words[0] | words[1]) & 0x8080808080808080u)
            break;
        pos += sizeof(words);
    }
    while (pos < text.len && (unsigned char)text.ptr[pos] < 0x80)
        pos++;
    return pos;
}

size_t utf8_check_portable(vsr_str text) {
    size_t pos = 0;
    while ((pos = skip_ascii(text, pos)) < text.len) {
        while (pos < text.len && (unsigned char)text.ptr[pos] >= 0x80) {
            size_t len = sequence_len(text.ptr + pos, text.len - pos);
            if (len == 0)
                return pos;
            pos += len;
        }
    }
    return pos;
}

#if defined(__x86_64__)

/*
 * Kinds of error that two adjacent bytes can show. The tables below say for the high half of the first byte, its low
 * half, and the high half of the second byte which kinds they allow. TWO_CONTINUATIONS is no error by itself: it must
 * stand exactly where the bytes two or three before announce a third or fourth byte.
 */
enum {
    TOO_SHORT = 1 << 0,         /* lead, then no continuation */
    TOO_LONG = 1 << 1,          /* ASCII, then a continuation */
    OVERLONG_3 = 1 << 2,        /* E0, then 80..9F */
    TOO_LARGE = 1 << 3,         /* F4, then 90..BF; F5.. with the same */
    SURROGATE = 1 << 4,         /* ED, then A0..BF */
    OVERLONG_2 = 1 << 5,        /* C0 or C1 */
    OVERLONG_4 = 1 << 6,        /* F0, then 80..8F */
    TOO_LARGE_80 = 1 << 6,      /* F5.., then 80..8F: shares the bit, the first byte tells them apart */
    TWO_CONTINUATIONS = 1 << 7, /* continuation, then continuation */
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS, /* kinds that do not look at the first byte's low half */
};

#define REPEAT_TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

__attribute__((target("avx2"))) static inline __m256i halves_table_first_high(void) {
    return REPEAT_TWICE(TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
                        (char)TWO_CONTINUATIONS, (char)TWO_CONTINUATIONS, (char)TWO_CONTINUATIONS,
                        (char)TWO_CONTINUATIONS, TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE,
                        TOO_SHORT | TOO_LARGE | TOO_LARGE_80 | OVERLONG_4);
}

__attribute__((target("avx2"))) static inline __m256i halves_table_first_low(void) {
    enum { LARGE = ANY_LOW | TOO_LARGE | TOO_LARGE_80 };
    return REPEAT_TWICE((char)(ANY_LOW | OVERLONG_3 | OVERLONG_2 | OVERLONG_4), (char)(ANY_LOW | OVERLONG_2),
                        (char)ANY_LOW, (char)ANY_LOW, (char)(ANY_LOW | TOO_LARGE), (char)LARGE, (char)LARGE,
                        (char)LARGE, (char)LARGE, (char)LARGE, (char)LARGE, (char)LARGE, (char)LARGE,
                        (char)(LARGE | SURROGATE), (char)LARGE, (char)LARGE);
}

__attribute__((target("avx2"))) static inline __m256i halves_table_second_high(void) {
    enum { CONTINUED = TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS };
    return REPEAT_TWICE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
                        (char)(CONTINUED | OVERLONG_3 | TOO_LARGE_80 | OVERLONG_4),
                        (char)(CONTINUED | OVERLONG_3 | TOO_LARGE), (char)(CONTINUED | SURROGATE | TOO_LARGE),
                        (char)(CONTINUED | SURROGATE | TOO_LARGE), TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
}

/* Non-zero bytes where `block`, which follows `before`, breaks a rule. */
__attribute__((target("avx2"))) static inline __m256i block_errors(__m256i block, __m256i before) {
    const __m256i low_half = _mm256_set1_epi8(0x0F);
    __m256i carry = _mm256_permute2x128_si256(before, block, 0x21);
    __m256i back1 = _mm256_alignr_epi8(block, carry, 15);
    __m256i back2 = _mm256_alignr_epi8(block, carry, 14);
    __m256i back3 = _mm256_alignr_epi8(block, carry, 13);
    __m256i high1 = _mm256_and_si256(_mm256_srli_epi16(back1, 4), low_half);
    __m256i high = _mm256_and_si256(_mm256_srli_epi16(block, 4), low_half);
    __m256i kinds = _mm256_and_si256(_mm256_and_si256(_mm256_shuffle_epi8(halves_table_first_high(), high1),
                                                      _mm256_shuffle_epi8(halves_table_first_low(),
                                                                          _mm256_and_si256(back1, low_half))),
                                     _mm256_shuffle_epi8(halves_table_second_high(), high));
    __m256i third = _mm256_subs_epu8(back2, _mm256_set1_epi8((char)(0xE0 - 0x80)));
    __m256i fourth = _mm256_subs_epu8(back3, _mm256_set1_epi8((char)(0xF0 - 0x80)));
    __m256i announced = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(kinds, announced);
}

/* Everything that ends before `pos` was found good: the rest is walked from the start of the character that may hang
 * over. */
static size_t resume_portable(vsr_str text, size_t pos) {
    size_t start = pos < UTF8_SEQUENCE_MAX ? 0 : pos - (UTF8_SEQUENCE_MAX - 1);
    while (start > 0 && is_continuation(text.ptr[start]))
        start--;
    return start + utf8_check_portable(str_make(text.ptr + start, text.len - start));
}

__attribute__((target("avx2"))) static size_t check_wide(vsr_str text) {
    __m256i before = _mm256_setzero_si256();
    size_t pos = 0;
    bool in_ascii = true; /* the block before was ASCII, so nothing hangs over */
    for (; text.len - pos >= 64; pos += 64) {
        __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)(text.ptr + pos));
        __m256i second = _mm256_loadu_si256((const __m256i *)(const void *)(text.ptr + pos + 32));
        bool ascii = _mm256_movemask_epi8(_mm256_or_si256(first, second)) == 0;
        if (!ascii || !in_ascii) {
            __m256i errors = _mm256_or_si256(block_errors(first, before), block_errors(second, first));
            if (!_mm256_testz_si256(errors, errors))
                break;
        }
        in_ascii = ascii;
        before = second;
    }
    return resume_portable(text, pos);
}

static inline bool has_wide(void) {
    return __builtin_cpu_supports("avx2");
}

#else

static inline bool has_wide(void) {
    return false;
}

static size_t check_wide(vsr_str text) {
    return utf8_check_portable(text);
}

#endif

size_t utf8_check(vsr_str text) {
    return text.len >= UTF8_WIDE_LEN_MIN && has_wide() ? check_wide(text) : utf8_check_portable(text);
}

static uint32_t decode(const char *p, size_t len) {
    static const unsigned char lead_bits[UTF8_SEQUENCE_MAX + 1] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    uint32_t cp = (unsigned char)p[0] & lead_bits[len];
    for (size_t i = 1; i < len; i++)
        cp = cp << 6 | ((unsigned char)p[i] & 0x3F);
    return cp;
}

uint32_t utf8_next(vsr_str text, size_t *pos) {
    size_t len;
    VSR_ASSERT(*pos < text.len);
    len = sequence_len(text.ptr + *pos, text.len - *pos);
    if (len == 0) {
        (*pos)++;
        return UTF8_INVALID;
    }
    *pos += len;
    return decode(text.ptr + *pos - len, len);
}

uint32_t utf8_prev(vsr_str text, size_t *pos) {
    size_t end = *pos;
    VSR_ASSERT(end > 0 && end <= text.len);
    for (size_t len = 1; len <= UTF8_SEQUENCE_MAX && len <= end; len++) {
        const char *lead = text.ptr + end - len;
        if (is_continuation(*lead))
            continue;
        if (sequence_len(lead, len) != len)
            break;
        *pos = end - len;
        return decode(lead, len);
    }
    *pos = end - 1;
    return UTF8_INVALID;
}

size_t utf8_encode(uint32_t cp, char out[static 4]) {
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        VSR_ASSERT(cp < 0xD800 || cp > 0xDFFF);
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    VSR_ASSERT(cp <= 0x10FFFF);
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

/* Characters of a well-formed text: every byte that is no continuation starts one. */
static size_t count_leads(const char *p, size_t len) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += !is_continuation(p[i]);
    return n;
}

size_t utf8_count(vsr_str text) {
    size_t n = 0;
    while (text.len > 0) {
        size_t good = utf8_check(text);
        n += count_leads(text.ptr, good);
        if (good == text.len)
            break;
        n++;
        text = str_make(text.ptr + good + 1, text.len - good - 1);
    }
    return n;
}

vsr_str utf8_cut(vsr_str text, size_t max) {
    if (text.len <= max)
        return text;
    for (size_t back = 1; back < UTF8_SEQUENCE_MAX && back <= max; back++) {
        size_t start = max - back;
        if (is_continuation(text.ptr[start]))
            continue;
        if (sequence_len(text.ptr + start, text.len - start) > back)
            max = start;
        break;
    }
    return str_make(text.ptr, max);
}
