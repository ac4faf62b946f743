/* links: wire */
/* Any JSON as a request for embeddings: it is refused with words, or read within its limits. */
#include <stdint.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/utf8.h"
#include "wire/embeddings.h"

enum { ARENA_LEN_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct arena *arena = arena_new(0, ARENA_LEN_MAX);
    struct embeddings_request request;
    struct vsr_err err = VSR_ERR_NONE;
    struct json_doc doc;
    if (json_parse(arena, str_make((const char *)bytes, len), &doc, NULL) == 0) {
        if (embeddings_read(arena, &doc, &request, &err) < 0) {
            VSR_ASSERT(err.text[0]);
        } else {
            VSR_ASSERT(request.n > 0 && request.n <= EMBEDDINGS_INPUTS_MAX);
            for (size_t i = 0; i < request.n; i++)
                VSR_ASSERT(request.inputs[i].len > 0 && utf8_check(request.inputs[i]) == request.inputs[i].len);
        }
    }
    arena_free(arena);
    return 0;
}
