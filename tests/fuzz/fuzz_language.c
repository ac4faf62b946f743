/* links: text */
/* Any bytes: detection ends, and says one of its languages or none. */
#include "core/arena.h"
#include "core/assert.h"
#include "text/language.h"
#include "text/occurrence.h"
#include "text/unicode.h"
#include "text/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    vsr_str text = str_make((const char *)data, size), window = window_text(arena, text, 64);
    struct language_guess guess;
    VSR_ASSERT(language_detect(arena, text, &guess, NULL) == 0);
    VSR_ASSERT(guess.code.len == 0 || language_supported(guess.code));
    VSR_ASSERT(guess.confidence >= 0 && guess.confidence <= 1);
    VSR_ASSERT(unicode_count_units(window) <= window.len);
    if (size > 2) {
        struct occurrence_needle needle = occurrence_needle(str_sub(text, 0, 2));
        VSR_ASSERT(occurrence_count(text, &needle) <= size / 2);
    }
    arena_free(arena);
    return 0;
}
