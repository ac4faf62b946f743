/*
 * backend_answer - what the stand-in model says, whatever the protocol: thoughts, words, refusals, calls, in parts.
 *
 * It names the model it was asked for and repeats the beginning of the question, calls tools when it is asked to, and
 * reports plausible token counts. The same request gives the same words. The parts are chosen at once; a stream walks
 * over them step by step, and each protocol makes its own events of the steps (backend_dialect.h). Lives in the
 * request's arena; one thread.
 */
#ifndef VSR_CLI_BACKEND_ANSWER_H
#define VSR_CLI_BACKEND_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/backend_behaviour.h"
#include "cli/backend_question.h"
#include "core/str.h"

struct arena;
struct buf;

enum {
    BACKEND_ECHO_LEN_MAX = 400, /* bytes of the question that are repeated */
    BACKEND_PARTS_MAX = 3 + BEHAVIOUR_PARALLEL_MAX,
    BACKEND_THINKING_TOKENS = 8, /* when the client asks for thoughts and the behaviour does not say how many */
};

struct backend_answer_options {
    vsr_str backend;    /* name of this server */
    uint64_t id;        /* of the answer, unique in this server */
    uint64_t created_s; /* wall clock */
    uint64_t seed;      /* picks the words that pad a longer answer */
    struct behaviour behaviour;
    bool no_thoughts, no_redacted; /* the protocol has no place for them */
};

enum backend_part_kind { BACKEND_REDACTED, BACKEND_THINKING, BACKEND_TEXT, BACKEND_REFUSAL, BACKEND_TOOL };

struct backend_part {
    enum backend_part_kind kind;
    vsr_str text; /* its words before any padding; the arguments of a call */
    vsr_str name; /* TOOL: the function */
    uint64_t n_tokens;
};

enum backend_finish {
    BACKEND_FINISH_STOP,
    BACKEND_FINISH_LENGTH,
    BACKEND_FINISH_TOOL_CALLS,
    BACKEND_FINISH_CONTENT_FILTER,
    BACKEND_FINISH_REFUSAL,
    BACKEND_FINISH_STOP_SEQUENCE,
    BACKEND_FINISH_PAUSE_TURN,
};

enum backend_step_kind {
    BACKEND_STEP_BEGIN,
    BACKEND_STEP_PART,  /* a part begins */
    BACKEND_STEP_TOKEN, /* of it */
    BACKEND_STEP_PART_END,
    BACKEND_STEP_FINISH,
    BACKEND_STEP_USAGE,
    BACKEND_STEP_END,
    BACKEND_STEP_ERROR, /* instead of everything behind it */
};

struct backend_step {
    enum backend_step_kind kind;
    size_t part;   /* PART, TOKEN, PART_END */
    vsr_str token; /* TOKEN */
};

struct backend_answer {
    struct backend_answer_options options;
    const struct backend_question *question;
    struct backend_part parts[BACKEND_PARTS_MAX];
    size_t n_parts;
    enum backend_finish finish;
    vsr_str stop_sequence;    /* that ended the text; empty: none */
    uint64_t n_tokens;        /* of all parts */
    uint64_t thinking_tokens; /* of these, thoughts */
    uint64_t prompt_tokens, cached_tokens, cache_write_tokens;

    /* The stream so far. */
    enum backend_step_kind at;
    size_t part;
    vsr_str left;    /* of the part's text */
    uint64_t spoken; /* tokens of the part */
    uint64_t said;   /* tokens of the answer */
    bool over;
    uint64_t n_events; /* for a dialect that numbers what it makes of the steps */
};

/* Chooses the answer. Keeps `question`, which lives in `arena` as the answer does. */
void backend_answer_begin(struct arena *arena, const struct backend_question *question,
                          const struct backend_answer_options *options, struct backend_answer *ret_answer);

/* The stream's next step. False when there was none left. */
bool backend_answer_step(struct backend_answer *answer, struct backend_step *ret_step);

/* Appends all tokens of a part as they are, or as one JSON string. */
void backend_part_write(const struct backend_answer *answer, size_t part, struct buf *out);
void backend_part_quote(const struct backend_answer *answer, size_t part, struct buf *out);

/* The first part of that kind; n_parts when there is none. */
size_t backend_answer_find(const struct backend_answer *answer, enum backend_part_kind kind);

/* How many parts of that kind stand before `part`. */
size_t backend_part_ordinal(const struct backend_answer *answer, size_t part);

/*
 * Proof that a thought is this model's own, as providers want it back: it follows from the text alone. A thought that
 * comes back changed no longer fits.
 */
vsr_str backend_signature(struct arena *arena, vsr_str thought);
/* That of a part, in `arena`. */
vsr_str backend_part_signature(struct arena *arena, const struct backend_answer *answer, size_t part);

/* Words of a text as this model counts them, and tokens of a prompt of so many bytes. */
uint64_t backend_count_tokens(vsr_str text);
uint64_t backend_prompt_tokens(size_t len);

#endif
