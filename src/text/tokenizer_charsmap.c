#include "text/tokenizer_charsmap.h"

#include "core/arena.h"
#include "core/utf8.h"

static uint32_t read_u32(const char *ptr) {
    const uint8_t *p = (const uint8_t *)ptr;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t offset_of(uint32_t unit) {
    return (unit >> 10) << ((unit & 0x200) >> 6);
}

static uint32_t label_of(uint32_t unit) {
    return unit & 0x800000FF;
}

static bool has_leaf(uint32_t unit) {
    return unit & 0x100;
}

static bool replacement_at(const struct charsmap *map, uint32_t value, vsr_str *ret) {
    const char *end;
    uint32_t at = value & 0x7FFFFFFF;
    if (at >= map->pool.len)
        return false;
    end = memchr(map->pool.ptr + at, '\0', map->pool.len - at);
    *ret = str_make(map->pool.ptr + at, end ? (size_t)(end - (map->pool.ptr + at)) : map->pool.len - at);
    /* an address in the middle of a character is no rule */
    return ret->len == 0 || ((uint8_t)ret->ptr[0] & 0xC0) != 0x80;
}

/* Compiled rules are bytes: a hostile one could end inside a character. */
static bool ends_character(vsr_str text, size_t len) {
    return len == text.len || ((uint8_t)text.ptr[len] & 0xC0) != 0x80;
}

static size_t search(const struct charsmap *map, vsr_str text, bool shortest, vsr_str *ret_replacement) {
    size_t found = 0;
    uint32_t pos;
    if (map->n_units == 0)
        return 0;
    pos = offset_of(map->units[0]);
    for (size_t i = 0; i < text.len && text.ptr[i] != '\0'; i++) {
        uint32_t unit;
        pos ^= (uint8_t)text.ptr[i];
        if (pos >= map->n_units)
            break;
        unit = map->units[pos];
        if (label_of(unit) != (uint8_t)text.ptr[i])
            break;
        pos ^= offset_of(unit);
        if (pos >= map->n_units)
            break;
        if (has_leaf(unit) && ends_character(text, i + 1) && replacement_at(map, map->units[pos], ret_replacement)) {
            found = i + 1;
            if (shortest)
                break;
        }
    }
    return found;
}

size_t charsmap_longest(const struct charsmap *map, vsr_str text, vsr_str *ret_replacement) {
    return search(map, text, false, ret_replacement);
}

size_t charsmap_shortest(const struct charsmap *map, vsr_str text, vsr_str *ret_replacement) {
    return search(map, text, true, ret_replacement);
}

static void find_plain_ascii(struct charsmap *map) {
    uint32_t pos = map->n_units ? offset_of(map->units[0]) : 0;
    for (uint32_t c = 0; c < 128; c++) {
        uint32_t at = pos ^ c;
        map->ascii_plain[c] = c == 0 || at >= map->n_units || label_of(map->units[at]) != c;
    }
}

int charsmap_read(struct arena *arena, vsr_str blob, struct charsmap *ret, struct vsr_err *err) {
    uint32_t trie_len;
    uint32_t *units;
    vsr_str pool;
    if (blob.len < 4 || (trie_len = read_u32(blob.ptr)) > blob.len - 4 || trie_len % 4 != 0)
        return err_set(err, VSR_E_INVALID, "precompiled_charsmap: the size of its trie does not fit into it");
    pool = str_sub(blob, 4 + trie_len, blob.len);
    if (utf8_check(pool) != pool.len)
        return err_set(err, VSR_E_INVALID, "precompiled_charsmap: its replacements are not UTF-8");
    units = ARENA_ARRAY(arena, uint32_t, trie_len / 4);
    for (size_t i = 0; i < trie_len / 4; i++)
        units[i] = read_u32(blob.ptr + 4 + i * 4);
    *ret = (struct charsmap){ .units = units, .n_units = trie_len / 4, .pool = arena_str(arena, pool) };
    find_plain_ascii(ret);
    return 0;
}
