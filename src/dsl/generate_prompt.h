/*
 * generate_prompt - what a model is told that shall write a program: the language, examples, and what to do.
 *
 * The description of the language is made from the tables by which programs are read, so that it never promises what
 * does not compile. Any thread.
 */
#ifndef VSR_DSL_GENERATE_PROMPT_H
#define VSR_DSL_GENERATE_PROMPT_H

#include <stddef.h>

#include "core/str.h"

struct arena;
struct buf;
struct generate_draft;
struct language;
struct yaml_node;

enum {
    GENERATE_FINDINGS_TOLD = 10,
    GENERATE_MODELS_TOLD = 200,
    GENERATE_REFERENCE_LEN_MAX = 1 << 20,
    GENERATE_PROMPT_LEN_MAX = 64 << 20,
};

struct generate_task {
    vsr_str instruction;
    vsr_str context;              /* what else is to be known; empty: nothing */
    vsr_str current;              /* the program that is to be changed; empty: a new one is wanted */
    const struct yaml_node *base; /* the configuration that the program will belong to; NULL: none is known */
};

struct generate_message {
    vsr_str role, content;
};

enum { GENERATE_MESSAGES = 2 };

struct generate_example {
    const char *instruction, *program;
};

/* Programs without findings. */
extern const struct generate_example generate_examples[];
extern const size_t generate_n_examples;

/* Grammar, and every block with its fields. */
void generate_reference(const struct language *language, struct buf *out);

/* Messages that ask for a program; or, with `bad`, for that draft without its findings. They live in `arena`. */
void generate_prompt(struct arena *arena, const struct language *language, const struct generate_task *task,
                     const struct generate_draft *bad, struct generate_message ret_messages[GENERATE_MESSAGES]);

/* The first findings of the draft but hints, one a line: `- [level] message (line L, column C)`. */
void generate_feedback(const struct generate_draft *draft, struct buf *out);

#endif
