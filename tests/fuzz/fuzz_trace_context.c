/* links: wire */
#include <stdint.h>

#include "core/assert.h"
#include "wire/trace_context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is written must be what is read again: the same trace, the same flags, whatever came in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct trace_context once, twice;
    vsr_str text = str_make((const char *)data, len);
    if (!trace_context_read(text, text, 7, &once))
        return 0;
    VSR_ASSERT(once.state.len <= TRACE_STATE_LEN_MAX);
    VSR_ASSERT(trace_context_read(trace_context_parent(&once), once.state, 7, &twice));
    VSR_ASSERT(str_eq(trace_context_parent(&once), trace_context_parent(&twice)));
    VSR_ASSERT(str_eq(once.state, twice.state));
    return 0;
}
