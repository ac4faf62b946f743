/* links: config */
/* Paths from the command line: any text, against the tables and against a document. */
#include "../unit/config/fake_families.h"
#include "config/explain.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"

enum { OUT_LEN_MAX = 1 << 20 };

static const char document[] = "version: v0.3\n"
                               "providers:\n"
                               "  defaults: {reasoning_families: {q: {type: reasoning_effort, parameter: effort}}}\n"
                               "  models: [{name: m, backend_refs: [{name: b, endpoint: \"h:1\"}]}]\n"
                               "routing:\n"
                               "  modelCards: [{name: m}]\n"
                               "  signals: {keywords: [{name: k, keywords: [x]}]}\n"
                               "  decisions: [{name: d, priority: 7, rules: {operator: and, conditions: []}}]\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Loaded once; nothing below changes it. */
static const struct config_document *load(const struct schema **ret_schema) {
    static const struct config_document *doc;
    static const struct schema *schema;
    struct config_load_options options = fake_options();
    if (!doc) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        schema = config_schema(arena, &fake_parts);
        VSR_ASSERT(config_load_text(arena, str_from_c(document), VSR_STR("t"), &options, &doc, &diag) == 0);
    }
    *ret_schema = schema;
    return doc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const struct explain_style style = { "", "", "" };
    const struct schema *schema;
    const struct config_document *doc = load(&schema);
    vsr_str path = str_make((const char *)data, len);
    struct vsr_err err = VSR_ERR_NONE;
    struct buf out;
    int rc;
    buf_init(&out, OUT_LEN_MAX);
    rc = explain_key(schema, path, &style, &out, &err);
    VSR_ASSERT((rc == 0) == (out.len > 0) || buf_failed(&out));
    VSR_ASSERT(rc == 0 || err.code == rc);
    buf_reset(&out);
    (void)explain_values(schema, doc, path, (const vsr_str[]){ VSR_STR("t"), VSR_STR("u") }, &style, &out);
    buf_done(&out);
    return 0;
}
