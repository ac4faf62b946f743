/* links: probe */
/*
 * Any text as a suite. Problems must be told when it is refused, and none when it is taken; the body of every variant
 * must be JSON within the limit, or an error with a reason.
 */
#include <stdlib.h>

#include "config/diag.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json.h"
#include "probe/request.h"

/* A suite of 200 bytes can ask for bodies of gigabytes in all; so many variants show what there is to see. */
enum { VARIANTS_MAX = 4, PRINT_LEN_MAX = 1 << 24 };

static void ask(const struct probe_suite *suite, const struct probe_variant *variant, struct arena *arena) {
    struct vsr_err err = VSR_ERR_NONE;
    struct json_doc doc;
    vsr_str body = { 0 };
    int rc = probe_request(suite, variant, VSR_STR("auto"), arena, &body, &err);
    VSR_ASSERT(probe_tags(variant) < 1u << PROBE_TAGS);
    if (rc < 0) {
        VSR_ASSERT((rc == VSR_E_INVALID || rc == VSR_E_LIMIT) && err.code == rc && err.text[0]);
        return;
    }
    VSR_ASSERT(body.len <= PROBE_BODY_LEN_MAX);
    VSR_ASSERT(json_parse(arena, body, &doc, &err) == 0 && json_is(&doc, 0, JSON_OBJECT));
}

static void ask_all(const struct probe_suite *suite, struct arena *arena) {
    size_t n = 0;
    CONFIG_EACH(const struct probe_decision, decision, &suite->decisions)
    CONFIG_EACH(const struct probe_variant, variant, &decision->variants) {
        if (n++ < VARIANTS_MAX)
            ask(suite, variant, arena);
        (void)probe_expected_signals(decision, variant); /* must not crash */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct arena *arena = arena_new(0, 0);
    const struct probe_suite *suite = NULL;
    struct diag diag;
    struct buf out;
    int rc = probe_suite_parse(arena, str_make((const char *)data, len), VSR_STR("probes.yaml"), &suite, &diag);
    VSR_ASSERT((rc == 0) == (suite != NULL) && (rc == 0) == (diag.n_errors == 0));
    buf_init(&out, PRINT_LEN_MAX);
    diag_print(&diag, &out, false);
    buf_done(&out);
    if (suite)
        ask_all(suite, arena);
    arena_free(arena);
    return 0;
}
