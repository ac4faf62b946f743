/*
 * responses_annotation - a citation of a backend as an annotation of a message's text. Any thread.
 *
 * Those of the Responses API are taken as they are; Chat Completions' have their members one level deeper. Those of
 * other families point into documents that this protocol cannot name.
 */
#ifndef VSR_WIRE_RESPONSES_ANNOTATION_H
#define VSR_WIRE_RESPONSES_ANNOTATION_H

#include <stdbool.h>

struct answer_delta;
struct arena;
struct buf;

/* Appends the object to `out`; false where there is none, and `out` may then hold a part of one. Reads in `arena`. */
bool responses_annotation_write(struct arena *arena, const struct answer_delta *delta, struct buf *out);

#endif
