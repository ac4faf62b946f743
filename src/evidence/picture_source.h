/*
 * picture_source - an example of a rule about pictures as an ask (signal/picture_example.h): a text as it is, a picture
 * as requests have them, whether it stands in the configuration or in a file beside it.
 *
 * Blocks: files are read. Any thread.
 */
#ifndef VSR_EVIDENCE_PICTURE_SOURCE_H
#define VSR_EVIDENCE_PICTURE_SOURCE_H

#include "core/err.h"
#include "core/str.h"

struct arena;

struct picture_ask {
    vsr_str text; /* of the ask */
    vsr_str key;  /* what its vector is kept by: of a picture a hash of its bytes, wherever they came from */
};

/*
 * In `arena`; a picture takes as much as its file and a third. `base_dir`: where "./" leads; empty: nowhere.
 * VSR_E_INVALID for what is none, with the reason; errors of reading name the file.
 */
int picture_source_read(struct arena *arena, vsr_str base_dir, vsr_str example, struct picture_ask *ret,
                        struct vsr_err *err) VSR_MUST_CHECK;

#endif
