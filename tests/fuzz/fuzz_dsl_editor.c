/* links: dsl route select looper plugin */
/*
 * The editor's functions. As a YAML tree in JSON: what it decompiles to reads without a mistake. As a program: every
 * answer is JSON, but for trees that are deeper than vsr reads JSON; and its declarations can be edited.
 */
#include "config/yaml_json.h"
#include "core/json.h"
#include "dsl/edit.h"
#include "dsl/editor.h"
#include "dsl_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(struct arena *arena, enum editor_function function, vsr_str text) {
    struct vsr_err err = VSR_ERR_NONE;
    struct json_doc doc;
    struct buf out;
    buf_init(&out, EDITOR_ANSWER_LEN_MAX);
    editor_call(dsl_language(), function, text, &out);
    VSR_ASSERT(!buf_failed(&out));
    if (json_parse(arena, buf_str(&out), &doc, &err) == 0)
        VSR_ASSERT(json_get(&doc, 0, VSR_STR("error")) != JSON_NONE);
    else
        VSR_ASSERT(err.code == VSR_E_LIMIT);
    buf_done(&out);
}

static void check_tree(struct arena *arena, vsr_str text) {
    struct findings findings;
    struct dsl_parsed parsed;
    struct yaml_node *root;
    if (yaml_json_read(arena, text, &root, NULL) == 0) {
        vsr_str program = fuzz_decompiled(arena, root, &findings);
        findings_init(&findings, arena);
        dsl_parse(arena, program, &parsed, &findings);
        VSR_ASSERT(program.len > DSL_BYTES_MAX || fuzz_is_clean(&findings));
    }
}

/* Every kind of edit, of one declaration at the top. */
static void check_edits(struct arena *arena, vsr_str text) {
    struct findings findings;
    struct dsl_parsed parsed;
    findings_init(&findings, arena);
    dsl_parse(arena, text, &parsed, &findings);
    for (size_t op = 0; op < EDIT_OPS && parsed.program.n > 0; op++) {
        const struct dsl_decl *decl = &parsed.program.decls[text.len % parsed.program.n];
        bool route = decl->kind == DSL_ROUTE;
        const struct dsl_edit edit = {
            .op = (enum dsl_edit_op)op,
            .kind = str_from_c(dsl_decl_keyword(decl->kind)),
            .name = decl->name.at.line ? decl->name.text : (vsr_str){ 0 },
            .line = op == EDIT_ADD ? 0 : decl->at.line,
            .text = VSR_STR("MODEL added {} # behind"),
            .new_name = VSR_STR("new name"),
            .field = route ? VSR_STR("WHEN") : VSR_STR("description"),
            .value = route ? VSR_STR("domain(\"a\")") : VSR_STR("[{ a: 1 }]"),
        };
        struct buf out;
        buf_init(&out, FUZZ_TEXT_LEN_MAX);
        if (dsl_edit(arena, dsl_language(), text, &edit, &out, NULL) == 0 && op != EDIT_REPLACE && op != EDIT_DELETE) {
            struct findings after;
            struct dsl_parsed again;
            findings_init(&after, arena);
            dsl_parse(arena, buf_str(&out), &again, &after);
            VSR_ASSERT(again.program.n == parsed.program.n + (op == EDIT_ADD ? 1 : 0));
        }
        buf_done(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    vsr_str text = str_make((const char *)data, size);
    check_tree(arena, text);
    check_edits(arena, text);
    for (size_t function = 0; function < EDITOR_FUNCTIONS_N; function++)
        if (function != EDITOR_SCHEMA)
            check_answer(arena, (enum editor_function)function, text);
    arena_free(arena);
    return 0;
}
