/*
 * editor_parts - what the files of the editor's functions share. Internal to dsl/.
 */
#ifndef VSR_DSL_EDITOR_PARTS_H
#define VSR_DSL_EDITOR_PARTS_H

#include "core/json_write.h"
#include "dsl/editor.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/parse.h"

struct editor {
    struct arena *arena; /* of this call */
    const struct language *language;
    vsr_str text;
    struct dsl_parsed parsed;
    struct findings findings;
    struct json_writer w; /* inside of the answer's object */
};

/* The member "symbols" (editor_symbols.c). */
void editor_symbols(struct editor *e);
/* The whole answer of signalEdit (editor_edit.c). */
void editor_edit(struct editor *e);
/* A member that is null; `error` with one message. */
void editor_null(struct editor *e, const char *key);
void editor_error(struct editor *e, vsr_str message);
/* The members of the language's description (editor_schema.c). */
void editor_schema(struct editor *e);

#endif
