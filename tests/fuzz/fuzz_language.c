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
    double total = 0;
    language_detect(text, &guess);
    VSR_ASSERT(guess.language <= LANGUAGE_NONE && (guess.language == LANGUAGE_NONE) == (guess.n_shares == 0));
    VSR_ASSERT(guess.confidence >= 0 && guess.confidence <= 1);
    for (size_t i = 0; i < guess.n_shares; i++) {
        VSR_ASSERT(guess.shares[i].language < LANGUAGE_NONE && guess.shares[i].p >= LANGUAGE_SHARE_MIN);
        total += guess.shares[i].p;
    }
    VSR_ASSERT(total < 1 + 1e-9);
    VSR_ASSERT(unicode_count_units(window) <= window.len);
    if (size > 2) {
        struct occurrence_needle needle = occurrence_needle(str_sub(text, 0, 2));
        VSR_ASSERT(occurrence_count(text, &needle) <= size / 2);
    }
    arena_free(arena);
    return 0;
}
