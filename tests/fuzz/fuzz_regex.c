/* links: text */
/* Any pattern over any text: parsing and counting must end, and a pattern that cannot be empty must not match nothing.
 */
#include "core/arena.h"
#include "core/assert.h"
#include "text/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A Unicode class walks all code points, which would be all that the fuzzer does: one per pattern is enough. */
static bool is_slow(vsr_str pattern) {
    size_t n = 0;
    for (size_t i = 0; i + 1 < pattern.len; i++)
        n += pattern.ptr[i] == '\\' && (pattern.ptr[i + 1] | 32) == 'p';
    return n > 1 || (n == 1 && pattern.len > 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    struct regex_options options = { .ignore_case = size > 0 && (data[0] & 1) };
    vsr_str all = str_make((const char *)data + (size > 0), size - (size > 0)), text = all,
            pattern = str_split(&text, '\0');
    struct regex *regex;
    struct vsr_err err = VSR_ERR_NONE;
    if (is_slow(pattern)) {
        arena_free(arena);
        return -1; /* not into the corpus */
    }
    if (regex_parse(arena, pattern, &options, &regex, &err) == 0) {
        size_t count = 0, steps = REGEX_STEPS_MAX;
        bool occurs = false, exact;
        (void)regex_expression(regex, arena, &exact);
        if (regex_count(regex, arena, text, &steps, &count, &err) == 0 &&
            regex_occurs(regex, arena, text, &steps, &occurs, &err) == 0) {
            VSR_ASSERT((count > 0) == occurs);
            VSR_ASSERT(count <= text.len);
        }
    } else {
        VSR_ASSERT(err.text[0]);
    }
    arena_free(arena);
    return 0;
}
