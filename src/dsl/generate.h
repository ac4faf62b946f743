/*
 * generate - from what somebody wants, in their own words, to a program: a model writes it, vsr judges it, and what is
 * wrong goes back to the model.
 *
 * The model is a function: over HTTP, or canned. No input of a model is trusted; no draft is run. One thread.
 */
#ifndef VSR_DSL_GENERATE_H
#define VSR_DSL_GENERATE_H

#include "core/err.h"
#include "dsl/generate_draft.h"
#include "dsl/generate_prompt.h"

enum { GENERATE_RETRIES_MAX = 16, GENERATE_PROGRESS_LEN_MAX = 160 };

struct generate_reply {
    vsr_str text;
    bool cut_off; /* the model had more to say */
};

/* Asks the model; the reply lives in `arena`. Below 0: there is none, and generating ends. */
typedef int (*generate_ask)(void *owner, const struct generate_message messages[GENERATE_MESSAGES], struct arena *arena,
                            struct generate_reply *ret_reply, struct vsr_err *err);

enum generate_phase { GENERATE_ASK, GENERATE_PARSE, GENERATE_REPAIR, GENERATE_COMPLETE };

struct generate_options {
    unsigned retries; /* at most so many repairs */
    bool unformatted; /* the program stays as the model laid it out */
    generate_ask ask;
    void *owner; /* of `ask` and `progress` */
    /* NULL, or is told what goes on; `text` has at most GENERATE_PROGRESS_LEN_MAX bytes and lives for the call. */
    void (*progress)(void *owner, enum generate_phase phase, unsigned attempt, vsr_str text);
};

struct generate_result {
    vsr_str text; /* the program, laid out in the usual way; the best draft when none was free of findings */
    struct generate_draft draft; /* what it was made from; its findings are places of `draft.text` */
    struct generate_draft final; /* `text` judged: what is left to be told, with its places there */
    vsr_str parse_error;         /* why it is no program; empty: it is one */
    unsigned attempts;
    bool gave_up; /* before all retries were used: a repair had the findings, or the text, of the draft before */
};

/*
 * Asks at most `retries` + 1 times, and stops at the first draft without findings but hints. A draft that does not
 * parse is always sent back while retries are left; one that does is not when it, or what is wrong with it, did not
 * change: the model does not know better. Fails with what `ask` failed with, which attempt in front; a draft that is
 * no program is no failure. Everything in `arena`.
 */
int generate(struct arena *arena, const struct language *language, const struct generate_task *task,
             const struct generate_options *options, struct generate_result *ret_result,
             struct vsr_err *err) VSR_MUST_CHECK;

#endif
