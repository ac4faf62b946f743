#include "dsl/editor_parts.h"

#include "config/yaml_json.h"
#include "config/yaml_write.h"
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/check.h"
#include "dsl/compile.h"
#include "dsl/decompile.h"
#include "dsl/emit.h"
#include "dsl/format.h"

enum { TEXT_LEN_MAX = EDITOR_ANSWER_LEN_MAX };

/* ---- the program */

/* The first TEST of a program or its recipes, in the order of the text. */
static const struct dsl_decl *first_test(const struct dsl_program *program) {
    for (size_t i = 0; i < program->n; i++) {
        const struct dsl_decl *decl = &program->decls[i];
        const struct dsl_decl *found = decl->kind == DSL_RECIPE ? first_test(decl->recipe) : NULL;
        if (decl->kind == DSL_TEST)
            return decl;
        if (found)
            return found;
    }
    return NULL;
}

static struct yaml_node *compile(struct editor *e, vsr_str text, struct dsl_parsed *ret_parsed,
                                 struct findings *ret_findings) {
    findings_init(ret_findings, e->arena);
    dsl_parse(e->arena, text, ret_parsed, ret_findings);
    return dsl_compile(e->arena, e->language, &ret_parsed->program, ret_findings);
}

/* All that can be told without models and without a configuration beside the program. */
static struct yaml_node *examine(struct editor *e) {
    struct yaml_node *compiled = compile(e, e->text, &e->parsed, &e->findings);
    const struct dsl_decl *test = first_test(&e->parsed.program);
    dsl_check(e->arena, e->language, &e->parsed, NULL, &e->findings);
    e->findings.decl = (struct dsl_at){ 0 };
    if (test)
        (void)finding_add(&e->findings, FINDING_WARNING, "W222", test->at,
                          "TEST blocks are not executed in the browser; `vsr dsl test` runs them");
    findings_sort(&e->findings);
    return compiled;
}

/* ---- pieces of answers */

void editor_null(struct editor *e, const char *key) {
    json_write_key(&e->w, str_from_c(key));
    json_write_null(&e->w);
}

void editor_error(struct editor *e, vsr_str message) {
    json_write_key(&e->w, VSR_STR("error"));
    json_write_begin_array(&e->w);
    json_write_str(&e->w, message);
    json_write_end(&e->w);
}

/* The errors among the findings, as messages; null when there is none. */
static void write_errors(struct editor *e) {
    if (e->findings.n_of[FINDING_ERROR] == 0) {
        editor_null(e, "error");
        return;
    }
    json_write_key(&e->w, VSR_STR("error"));
    json_write_begin_array(&e->w);
    for (size_t i = 0; i < e->findings.n; i++) {
        const struct finding *finding = &e->findings.items[i];
        if (finding->level == FINDING_ERROR)
            json_write_str(&e->w, arena_printf(e->arena, "%u:%u: %.*s [%s]", finding->at.line, finding->at.col,
                                               VSR_FMT(finding->message), finding->code));
    }
    json_write_end(&e->w);
}

static void write_diagnostics(struct editor *e) {
    json_write_key(&e->w, VSR_STR("diagnostics"));
    findings_json(&e->findings, e->text, true, &e->w);
}

static void write_error_count(struct editor *e) {
    json_write_key(&e->w, VSR_STR("errorCount"));
    json_write_u64(&e->w, e->findings.n_of[FINDING_ERROR]);
}

static void write_ast(struct editor *e) {
    json_write_key(&e->w, VSR_STR("ast"));
    json_write_raw(&e->w, VSR_STR("")); /* the tree writes itself: it may be deeper than json_write allows */
    dsl_tree_json(&e->parsed, e->w.out);
}

/* The text in `buf`, which ends here. One that was too long makes the whole answer too long. */
static void write_text(struct editor *e, const char *key, struct buf *text) {
    json_write_key(&e->w, str_from_c(key));
    json_write_str(&e->w, buf_str(text));
    if (buf_failed(text))
        e->w.out->failed = buf_failed(text);
    buf_done(text);
}

static void write_yaml(struct editor *e, const char *key, const struct yaml_node *root) {
    struct buf text;
    buf_init(&text, TEXT_LEN_MAX);
    yaml_write(root, &text);
    write_text(e, key, &text);
}

/* ---- functions */

static void call_compile(struct editor *e) {
    static const struct emit_options resource = { .name = VSR_STR_INIT("router"),
                                                  .namespace = VSR_STR_INIT("default") };
    struct yaml_node *compiled = examine(e);
    if (e->findings.n_of[FINDING_ERROR] == 0) {
        write_yaml(e, "yaml", compiled);
        write_yaml(e, "crd", emit_crd(e->arena, compiled, &resource));
    } else {
        editor_null(e, "yaml");
        editor_null(e, "crd");
    }
    write_diagnostics(e);
    write_ast(e);
    write_errors(e);
}

static void call_validate(struct editor *e) {
    (void)examine(e);
    write_diagnostics(e);
    write_error_count(e);
    editor_symbols(e);
    editor_null(e, "error");
}

static void call_parse(struct editor *e) {
    (void)examine(e);
    write_ast(e);
    write_diagnostics(e);
    editor_symbols(e);
    write_error_count(e);
    editor_null(e, "error");
}

static vsr_str yaml_text(struct editor *e, const struct yaml_node *root) {
    struct buf text;
    vsr_str kept;
    buf_init(&text, TEXT_LEN_MAX);
    yaml_write(root, &text);
    kept = buf_failed(&text) ? (vsr_str){ 0 } : arena_str(e->arena, buf_str(&text));
    buf_done(&text);
    return kept;
}

/* Whether the text compiles without a mistake to what `compiled` is. */
static bool means(struct editor *e, vsr_str text, const struct yaml_node *compiled) {
    struct findings findings;
    struct dsl_parsed parsed;
    struct yaml_node *again = compile(e, text, &parsed, &findings);
    vsr_str before = yaml_text(e, compiled);
    return findings.n_of[FINDING_ERROR] == 0 && before.ptr && str_eq(before, yaml_text(e, again));
}

static void call_format(struct editor *e) {
    struct yaml_node *compiled = examine(e);
    struct buf text;
    bool same;
    if (e->findings.n_of[FINDING_ERROR] > 0) {
        editor_null(e, "dsl");
        write_errors(e);
        return;
    }
    buf_init(&text, TEXT_LEN_MAX);
    dsl_format(e->language, &e->parsed, &text);
    same = buf_failed(&text) || means(e, arena_str(e->arena, buf_str(&text)), compiled);
    if (same) {
        write_text(e, "dsl", &text);
        editor_null(e, "error");
        return;
    }
    buf_done(&text);
    editor_null(e, "dsl");
    editor_error(e, VSR_STR("the formatted program would not compile to the same configuration"));
}

static void call_decompile(struct editor *e) {
    struct vsr_err err = VSR_ERR_NONE;
    struct yaml_node *root;
    struct buf text;
    char message[VSR_ERR_TEXT_LEN + VSR_ERR_WHERE_LEN];
    findings_init(&e->findings, e->arena);
    if (yaml_json_read(e->arena, e->text, &root, &err) < 0) {
        editor_null(e, "dsl");
        e->text = VSR_STR("");
        write_diagnostics(e);
        editor_error(e, str_from_c(err_print(&err, message, sizeof(message))));
        return;
    }
    buf_init(&text, TEXT_LEN_MAX);
    dsl_decompile(e->arena, e->language, root, &e->findings, &text);
    findings_sort(&e->findings);
    if (e->findings.n_of[FINDING_ERROR] > 0) {
        buf_done(&text);
        editor_null(e, "dsl");
    } else {
        write_text(e, "dsl", &text);
    }
    e->text = VSR_STR(""); /* findings have places of the YAML, whose text is not here */
    write_diagnostics(e);
    write_errors(e);
}

static void call_schema(struct editor *e) {
    editor_schema(e);
    editor_null(e, "error");
}

static const struct {
    void (*call)(struct editor *e);
    size_t text_len_max;
} functions[] = {
    [EDITOR_COMPILE] = { call_compile, EDITOR_PROGRAM_LEN_MAX },
    [EDITOR_VALIDATE] = { call_validate, EDITOR_PROGRAM_LEN_MAX },
    [EDITOR_PARSE] = { call_parse, EDITOR_PROGRAM_LEN_MAX },
    [EDITOR_FORMAT] = { call_format, EDITOR_PROGRAM_LEN_MAX },
    [EDITOR_DECOMPILE] = { call_decompile, EDITOR_TREE_LEN_MAX },
    [EDITOR_SCHEMA] = { call_schema, 0 },
    [EDITOR_EDIT] = { editor_edit, EDITOR_EDIT_LEN_MAX },
};
_Static_assert(VSR_COUNT(functions) == EDITOR_FUNCTIONS_N, "each function has a row");

enum editor_function editor_function(vsr_str name) {
    static const char *const names[] = {
#define F(id, name) #name,
        EDITOR_FUNCTIONS(F)
#undef F
    };
    size_t i = 0;
    while (i < VSR_COUNT(names) && !str_eq_c(name, names[i]))
        i++;
    return (enum editor_function)i;
}

void editor_call(const struct language *language, enum editor_function function, vsr_str text, struct buf *out) {
    struct editor e = { .arena = arena_new(0, 0), .language = language, .text = text };
    json_write_init(&e.w, out);
    json_write_begin_object(&e.w);
    if (text.len > functions[function].text_len_max)
        editor_error(&e, arena_printf(e.arena, "the input is too large: %zu bytes, at most %zu are taken", text.len,
                                      functions[function].text_len_max));
    else
        functions[function].call(&e);
    json_write_end(&e.w);
    if (buf_failed(out)) {
        buf_reset(out);
        buf_append_c(out, "{\"error\":[\"the answer is too large\"]}");
    }
    arena_free(e.arena);
}
