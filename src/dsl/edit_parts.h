/*
 * edit_parts - what the files of edits share. Internal to dsl/.
 */
#ifndef VSR_DSL_EDIT_PARTS_H
#define VSR_DSL_EDIT_PARTS_H

#include "dsl/edit.h"
#include "dsl/findings.h"
#include "dsl/parse.h"

/* Bytes [start, end) become `text`. */
struct splice {
    uint32_t start, end;
    vsr_str text;
};

struct editing {
    struct arena *arena;
    const struct language *language;
    const struct dsl_edit *edit;
    vsr_str source;
    struct dsl_parsed parsed;
    struct findings findings;
    const struct dsl_program *scope;
    const struct dsl_decl *recipe; /* around the scope; NULL: the file */
    const struct dsl_decl *decl;   /* that is meant; ADD: NULL */
    struct splice *splices;        /* in the order of the text, apart from each other */
    size_t n, cap;
    struct vsr_err *err;
};

/* They come in any order, and are sorted at the end. */
void edit_splice(struct editing *e, uint32_t start, uint32_t end, vsr_str text);
/* The program with what was spliced so far; ptr NULL: too large. */
vsr_str edit_apply(struct editing *e);
/* "SIGNAL keyword "x"": the declaration that is meant, for messages. */
vsr_str edit_what(struct editing *e);

/* Start of the blanks in front of `at`, on its line: whether nothing else is on the line before it tells the next.
 * Lines may be long: nothing here looks past blanks and a comment. */
uint32_t edit_margin(vsr_str source, uint32_t at);
bool edit_begins_line(vsr_str source, uint32_t margin);
bool edit_ends_line(vsr_str source, uint32_t at);
/* The end of `at`'s line when only blanks and a comment stand behind it; else `at`. */
uint32_t edit_tail(const struct editing *e, uint32_t at);

int edit_rename(struct editing *e); /* edit_rename.c */
int edit_set(struct editing *e);    /* edit_fields.c */
int edit_remove(struct editing *e); /* edit_fields.c */

#endif
