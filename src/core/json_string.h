/*
 * json_string - the inside of a JSON string: where it ends, what it says.
 *
 * The scan finds the closing quote and checks escapes and control characters on its way; UTF-8 is checked elsewhere,
 * for the whole text at once. All other functions take the bytes between the quotes of a string that was scanned
 * before. Any thread.
 */
#ifndef VSR_CORE_JSON_STRING_H
#define VSR_CORE_JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>

#include "core/json_block.h"
#include "core/str.h"

/*
 * `p` stands behind the opening quote. Returns the place behind the closing one, or NULL when the string is malformed
 * (json_string_fault() tells why). Sets `*escaped` when there is a backslash, else leaves it.
 */
typedef const char *json_string_scan(const char *p, const char *end, bool *escaped);

struct json_string_scanner {
    const char *name;
    bool (*supported)(void);
    json_string_scan *scan;
};

/* The fastest that this processor can run. */
const struct json_string_scanner *json_string_scanner_best(void);
/* All of them, fastest first; check `supported` before use. The last one runs everywhere. */
const struct json_string_scanner *json_string_scanners(size_t *ret_n);

/* Most strings are short and plain: those end here, without a call. */
static inline const char *json_string_end(json_string_scan *scan, const char *p, const char *end, bool *escaped) {
    if (JSON_LIKELY(end - p >= JSON_BLOCK_LEN)) {
        uint32_t specials = json_block_specials(p);
        if (specials) {
            const char *first = p + __builtin_ctz(specials);
            if (*first == '"')
                return first + 1;
        }
    }
    return scan(p, end, escaped);
}

/* Where and why the scan of a malformed string failed. `*ret_place` is `end` when only the closing quote is missing. */
const char *json_string_fault(const char *p, const char *end, const char **ret_place);

/* Writes the unescaped text to `out`, which has room for `inside.len` bytes: no escape grows. Returns its length. */
size_t json_string_unescape(vsr_str inside, char *out);
/* Length of the unescaped text. */
size_t json_string_len(vsr_str inside);
/* Whether the unescaped text is `text`. */
bool json_string_eq(vsr_str inside, vsr_str text);
/* Whether two strings say the same once both are unescaped. */
bool json_string_same(vsr_str a, vsr_str b);

#endif
