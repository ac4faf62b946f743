/*
 * chunk - a whole text in overlapping pieces that a small model can read (signals.md §2.3).
 *
 * Cost is counted in units, about a quarter of a token each: 6 for a CJK character, 2 for a letter or digit that begins
 * a word and 1 for one that goes on, 1 for anything else. Words begin anew in each chunk. Every chunk but the last is
 * as long as its budget allows, and at least one code point long, so any text ends. One that would end inside a word
 * ends behind the last white space before, if that is near (CHUNK_BACK). Pure: any thread.
 */
#ifndef VSR_TEXT_CHUNK_H
#define VSR_TEXT_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum {
    CHUNK_OVERLAP = 64, /* code points that two neighbours share */
    CHUNK_BACK = 48,    /* code points that a chunk gives up for a whole word; at most a quarter of it */
    CHUNK_UNITS_PII = 512,
    CHUNK_UNITS_JAILBREAK = 1536,
};

uint64_t chunk_units(vsr_str text);

struct chunker {
    vsr_str text;
    uint64_t budget; /* units of one chunk */
    size_t overlap;  /* code points */
    size_t next;     /* byte at which the next chunk begins; past the end: none */
};

/* Keeps `text`. */
struct chunker chunker_make(vsr_str text, uint64_t budget, size_t overlap);

/* False at the end. An empty text has no chunk. */
bool chunk_next(struct chunker *chunker, vsr_str *ret_chunk);

#endif
