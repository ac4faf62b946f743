/*
 * backend_answer - what the stand-in model says: whole, or word by word.
 *
 * Reads a Chat Completions request and plays a model: it names the model it was asked for and repeats the beginning of
 * the question, calls the first tool when it is asked to, and reports plausible token counts. The same request gives
 * the same words. Lives in the request's arena; one thread.
 */
#ifndef VSR_CLI_BACKEND_ANSWER_H
#define VSR_CLI_BACKEND_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;
struct buf;

enum {
    ANSWER_ECHO_LEN_MAX = 400,      /* bytes of the question that are repeated */
    ANSWER_TOOL_ARGUMENTS_MAX = 64, /* required properties that are filled in */
};

struct answer_options {
    vsr_str backend;    /* name of this server: `system_fingerprint` */
    uint64_t id;        /* of the answer, unique in this server */
    uint64_t created_s; /* wall clock */
    uint64_t tokens;    /* exactly so many; 0: what the text comes to */
    uint64_t seed;      /* picks the words that pad a longer answer */
};

struct answer {
    struct answer_options options;
    vsr_str model;
    vsr_str text;      /* of an answer without padding */
    vsr_str tool;      /* function to call; empty: text */
    vsr_str arguments; /* of the call, JSON */
    bool stream, include_usage;
    bool cut_by_length; /* finish_reason "length" */
    uint64_t n_tokens;  /* of the whole answer */
    uint64_t prompt_tokens;

    /* The stream so far. */
    uint64_t next;   /* frame */
    vsr_str left;    /* of text */
    uint64_t spoken; /* tokens */
};

/*
 * Reads the request `body`, which must live as long as the answer. VSR_E_SYNTAX or VSR_E_INVALID with a text for the
 * client; VSR_E_NOMEM or VSR_E_LIMIT when it is too large.
 */
int answer_begin(struct arena *arena, vsr_str body, const struct answer_options *options, struct answer *ret_answer,
                 struct vsr_err *err) VSR_MUST_CHECK;

/* Appends the whole `chat.completion` object. */
void answer_write(struct answer *answer, struct buf *out);

/*
 * Appends the next server-sent event of the stream. False when there was none left; the last one is `[DONE]`. Each
 * token is one event.
 */
bool answer_next_event(struct answer *answer, bool with_done, struct buf *out);

#endif
