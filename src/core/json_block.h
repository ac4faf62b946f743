/*
 * json_block - looks at 16 bytes of JSON at once. Any thread.
 *
 * A result is a mask: bit i speaks of byte i. SSE2 belongs to every x86-64; elsewhere two 64-bit words do the same.
 * Both read exactly the 16 bytes.
 */
#ifndef VSR_CORE_JSON_BLOCK_H
#define VSR_CORE_JSON_BLOCK_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define JSON_LIKELY(expr) __builtin_expect(!!(expr), 1)
#define JSON_UNLIKELY(expr) __builtin_expect(!!(expr), 0)

enum { JSON_BLOCK_LEN = 16 };

#define JSON_WORD_EACH(byte) (0x0101010101010101u * (uint64_t)(byte))

/* Eight bytes as a word whose lowest byte is the first. */
static inline uint64_t json_word_load(const char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The top bit of each byte that is zero; exact for every byte, because no carry crosses a byte. */
static inline uint64_t json_word_zeros(uint64_t word) {
    const uint64_t low = JSON_WORD_EACH(0x7F);
    return ~(((word & low) + low) | word | low);
}

/* Gathers the top bits of the bytes into eight bits. */
static inline uint32_t json_word_mask(uint64_t tops) {
    return (uint32_t)(((tops >> 7) * 0x0102040810204080u) >> 56);
}

/* Quotes, backslashes and control characters: what a string's plain text may not hold. */
static inline uint32_t json_word_specials(const char *p) {
    uint64_t word = json_word_load(p);
    return json_word_mask(json_word_zeros(word ^ JSON_WORD_EACH('"')) | json_word_zeros(word ^ JSON_WORD_EACH('\\')) |
                          json_word_zeros(word & JSON_WORD_EACH(0xE0)));
}

static inline uint32_t json_word_equal(const char *p, char c) {
    return json_word_mask(json_word_zeros(json_word_load(p) ^ JSON_WORD_EACH((unsigned char)c)));
}

/* Bytes that are neither space, tab, line feed nor carriage return. */
static inline uint32_t json_word_ink(const char *p) {
    uint64_t word = json_word_load(p);
    uint64_t blank = json_word_zeros(word ^ JSON_WORD_EACH(' ')) | json_word_zeros(word ^ JSON_WORD_EACH('\t')) |
                     json_word_zeros(word ^ JSON_WORD_EACH('\n')) | json_word_zeros(word ^ JSON_WORD_EACH('\r'));
    return json_word_mask(~blank & JSON_WORD_EACH(0x80));
}

#if defined(__x86_64__)

static inline uint32_t json_block_specials(const char *p) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(block, _mm_set1_epi8(0x1F)), _mm_set1_epi8(0x1F));
    __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(marks, control));
}

static inline uint32_t json_block_ink(const char *p) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i flat = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\t')));
    __m128i line = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\r')));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(flat, line)) ^ 0xFFFF;
}

#else

static inline uint32_t json_block_specials(const char *p) {
    return json_word_specials(p) | json_word_specials(p + 8) << 8;
}

static inline uint32_t json_block_ink(const char *p) {
    return json_word_ink(p) | json_word_ink(p + 8) << 8;
}

#endif

#endif
