/*
 * vector_cache - vectors of example texts, so that no embedder is run for them twice: not by a reload, and with a
 * folder not by the next process either.
 *
 * A shelf holds those of one embedder, whose key says which one down to its weights (vector_file.h). A shelf's file is
 * read when the shelf is asked for first and written by vector_shelf_save(). All shelves together have a ceiling; what
 * was not used for longest goes, from memory and with the next save from the file. Shelves have one, too: the one that
 * was asked for longest ago and that nobody has in hand makes room. Any thread; one lock, held while a file is read,
 * since whoever asks needs it.
 */
#ifndef VSR_EVIDENCE_VECTOR_CACHE_H
#define VSR_EVIDENCE_VECTOR_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "evidence/vector_file.h"

struct vector_cache;
struct vector_shelf; /* lives as long as somebody has it in hand, and the cache */

enum { VECTOR_CACHE_LEN_MAX = 64 << 20, VECTOR_SHELVES_MAX = 256 };

/* `directory` empty: nothing is kept on disk. Copied. `len_max` in bytes of vectors; 0: VECTOR_CACHE_LEN_MAX. */
struct vector_cache *vector_cache_new(vsr_str directory, size_t len_max);
/* NULL is allowed. */
void vector_cache_free(struct vector_cache *cache);

/* The shelf of that embedder, made when absent, in hand until vector_shelf_unref(). `on_disk` false: it has no file,
 * because its vectors cost less than reading one. A file that cannot be used is logged. NULL when VECTOR_SHELVES_MAX
 * are in hand, and for a key that is empty or too long. */
struct vector_shelf *vector_cache_shelf(struct vector_cache *cache, vsr_str key, bool on_disk);

/* NULL is allowed. */
void vector_shelf_unref(struct vector_shelf *shelf);

/* Dimensions of the shelf's vectors; 0: it has none yet. */
size_t vector_shelf_dims(struct vector_shelf *shelf);

/* Copies the vector of `text`, which has `dims` dimensions, to `ret`. False when it is not there. */
bool vector_shelf_get(struct vector_shelf *shelf, vsr_str text, float *ret, size_t dims);

/* Copies. One of other dimensions than the others has all of them forgotten: the embedder is not what it was. */
void vector_shelf_put(struct vector_shelf *shelf, vsr_str text, const float *vector, size_t dims);

/* All of it; the file with the next save that has something new. */
void vector_shelf_forget(struct vector_shelf *shelf);

/* Writes what is new to the file; what fails is logged, and tried again by the next save. */
void vector_shelf_save(struct vector_shelf *shelf);

struct vector_cache_stats {
    size_t n, bytes, shelves;
};
struct vector_cache_stats vector_cache_stats(struct vector_cache *cache);

#endif
