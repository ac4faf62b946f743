/* links: dsl route select looper plugin */
/*
 * Any text as a model's answer. The program in it is a slice of it that is empty or begins with a declaration; it is
 * judged, findings stand inside of it, and a draft without syntax errors is one when it is laid out.
 */
#include <stdlib.h>

#include "../unit/dsl/parts.h"
#include "core/arena.h"
#include "core/assert.h"
#include "dsl/generate.h"
#include "dsl/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int answer(void *owner, const struct generate_message messages[GENERATE_MESSAGES], struct arena *arena,
                  struct generate_reply *ret_reply, struct vsr_err *err) {
    (void)messages;
    (void)arena;
    (void)err;
    *ret_reply = (struct generate_reply){ .text = *(const vsr_str *)owner };
    return 0;
}

static void check_slice(vsr_str whole, vsr_str part) {
    if (part.len == 0)
        return;
    VSR_ASSERT(part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
    VSR_ASSERT(part.ptr[0] >= 'A' && part.ptr[0] <= 'Z');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    vsr_str text = str_make((const char *)data, size);
    const struct generate_task task = { .instruction = VSR_STR("anything") };
    const struct generate_options options = { .retries = 1, .ask = answer, .owner = &text };
    struct generate_result result;
    struct vsr_err err = VSR_ERR_NONE;
    VSR_ASSERT(generate(arena, dsl_language(), &task, &options, &result, &err) == 0);
    check_slice(text, result.draft.text);
    for (size_t i = 0; i < result.final.findings.n; i++) {
        const struct finding *finding = &result.final.findings.items[i];
        VSR_ASSERT(finding->at.start <= finding->at.end && finding->at.end <= result.text.len);
    }
    VSR_ASSERT(result.parse_error.len > 0 || result.final.syntax.n_of[FINDING_ERROR] == 0);
    arena_free(arena);
    return 0;
}
