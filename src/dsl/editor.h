/*
 * editor - the language as an editor of programs asks for it: functions from text to JSON.
 *
 * This is what wasm/ exports to pages; natively the same functions give the same bytes. An answer is one object. Its
 * member `error` is null, or a list of messages that says why there is no answer, or not all of it; findings about the
 * program are `diagnostics`, with places and fixes. Nothing is kept between two calls: their memory ends with them.
 * Input may be anything. Any thread.
 */
#ifndef VSR_DSL_EDITOR_H
#define VSR_DSL_EDITOR_H

#include "core/str.h"

struct buf;
struct language;

enum {
    EDITOR_PROGRAM_LEN_MAX = 1 << 20, /* bytes; a page has less memory than a server, and the largest program that is
                                         known is a tenth of this */
    EDITOR_TREE_LEN_MAX = 16 << 20,   /* of JSON */
    EDITOR_EDIT_LEN_MAX = 8 << 20,    /* of JSON: a program, escaped, and what goes into it */
    EDITOR_ANSWER_LEN_MAX = 64 << 20,
};

/*
 * signalCompile    program -> {yaml, crd, diagnostics, ast}; yaml and crd are texts, null where there are errors
 * signalValidate   program -> {diagnostics, errorCount, symbols}
 * signalParseAST   program -> {ast, diagnostics, symbols, errorCount}
 * signalFormat     program -> {dsl}: in its usual layout; null where there are errors
 * signalDecompile  tree of config/yaml_json.h -> {dsl, diagnostics}: in canonical form; places are those of the tree
 * signalSchema     nothing -> {keywords, help, signals, projections, algorithms, plugins, program, blocks}
 * signalEdit       {dsl, op} -> {dsl}: the program after dsl_edit(), null where it failed. op: {op, kind, type, name,
 * line, recipe, text, newName, field, value}, of which a member that is left out does not count
 *
 * diagnostics: [{level, code, message, line, column, endLine, endColumn, declLine, declColumn,
 *                fixes: [{description, newText, range: {line, column, endLine, endColumn}}], witness?}]
 * symbols:     {signals: [{name, type}], models: [name], plugins: [name], routes: [name]}, sorted, of all scopes
 * ast:         dsl_tree_json()
 */
#define EDITOR_FUNCTIONS(F) \
    F(COMPILE, signalCompile) \
    F(VALIDATE, signalValidate) \
    F(PARSE, signalParseAST) \
    F(FORMAT, signalFormat) \
    F(DECOMPILE, signalDecompile) \
    F(SCHEMA, signalSchema) \
    F(EDIT, signalEdit)

enum editor_function {
#define F(id, name) EDITOR_##id,
    EDITOR_FUNCTIONS(F)
#undef F
        EDITOR_FUNCTIONS_N,
};

/* EDITOR_FUNCTIONS_N: there is none of that name. */
enum editor_function editor_function(vsr_str name);

/* Appends the answer to an empty `out`. An answer that the buffer does not hold is one that says so. */
void editor_call(const struct language *language, enum editor_function function, vsr_str text, struct buf *out);

#endif
