/*
 * formatted - programs laid out, and what must hold of each: it is laid out already, compiles to the same, and has the
 * same comments.
 */
#ifndef VSR_TESTS_DSL_FORMATTED_H
#define VSR_TESTS_DSL_FORMATTED_H

#include "decompiled.h"
#include "dsl/format.h"

static inline vsr_str formatted(struct arena *arena, const struct dsl_parsed *parsed) {
    struct buf out;
    vsr_str text;
    buf_init(&out, COMPILED_LEN_MAX);
    dsl_format(dsl_language(), parsed, &out);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static inline int compare_texts(const void *a, const void *b) {
    const vsr_str *one = a, *other = b;
    return str_cmp(*one, *other);
}

/* The comments, sorted, one a line. */
static inline vsr_str comments_of(struct arena *arena, const struct dsl_parsed *parsed) {
    const struct tokens *tokens = &parsed->tokens;
    vsr_str *texts = ARENA_ARRAY(arena, vsr_str, tokens->n_comments), all = VSR_STR("");
    for (size_t i = 0; i < tokens->n_comments; i++)
        texts[i] = str_sub(parsed->source, tokens->comments[i].at.start, tokens->comments[i].at.end);
    if (tokens->n_comments)
        qsort(texts, tokens->n_comments, sizeof(*texts), compare_texts);
    for (size_t i = 0; i < tokens->n_comments; i++)
        all = arena_printf(arena, "%.*s%.*s\n", VSR_FMT(all), VSR_FMT(texts[i]));
    return all;
}

/* The text of `program`, which must parse. */
static inline vsr_str check_formatted(struct arena *arena, vsr_str program, const char *name) {
    struct compiled c, again;
    vsr_str text;
    compiled_make(&c, program);
    text = formatted(arena, &c.parsed);
    for (size_t i = 0; i < c.findings.n; i++)
        CHECK_MSG(c.findings.items[i].code[1] != '1' || c.findings.items[i].level != FINDING_ERROR,
                  "case \"%s\" does not parse: %.*s", name, VSR_FMT(compiled_findings(&c)));
    compiled_make(&again, text);
    check_same_text(formatted(arena, &again.parsed), text, name);
    check_same_text(comments_of(again.arena, &again.parsed), comments_of(c.arena, &c.parsed), name);
    check_same_text(yaml_text(again.arena, again.root), yaml_text(c.arena, c.root), name);
    CHECK_MSG(again.findings.n_of[FINDING_ERROR] == c.findings.n_of[FINDING_ERROR],
              "case \"%s\": findings were\n%.*s\nare\n%.*s\nof\n%.*s", name, VSR_FMT(compiled_findings(&c)),
              VSR_FMT(compiled_findings(&again)), VSR_FMT(program));
    compiled_done(&again);
    compiled_done(&c);
    return text;
}

#endif
