/*
 * answer_model - what an answer says, in no protocol's words.
 *
 * A decoder (decoder.h) reads a backend's bytes and says them as a sequence of deltas; an encoder (encoder.h) writes
 * deltas as a client's bytes; `struct answer` collects them for accounting, guards, stores and caches. One delta type
 * between three protocols makes nine pairings of six files, whole or streamed.
 *
 * A well-formed sequence, which every decoder keeps to whatever its input:
 *
 *     BEGIN                                    at most once, before all else that says something
 *     TEXT REASONING* REFUSAL IMAGE CITATION   in the order in which the backend said them
 *     TOOL_BEGIN TOOL_ARGUMENTS* TOOL_END      per call; calls may overlap; each begun call is ended unless ERROR comes
 * first LOGPROBS FOREIGN PING                    anywhere between BEGIN and the end USAGE any number of times, also
 * before anything was said; the last one counts FINISH                                   at most once per choice, after
 * all the choice said ERROR                                    at most once; nothing but END follows END exactly once,
 * last
 *
 * An answer is good when it came to END without ERROR. All slices of a delta are valid during the call.
 */
#ifndef VSR_WIRE_ANSWER_MODEL_H
#define VSR_WIRE_ANSWER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "wire/protocol.h"
#include "wire/usage.h"

struct arena;

enum delta_kind {
    DELTA_BEGIN, /* id, name: model, created */
    DELTA_TEXT,
    DELTA_REASONING,
    DELTA_REASONING_SIGNATURE, /* text: opaque; belongs to the reasoning before it */
    DELTA_REASONING_SUMMARY,
    DELTA_REASONING_REDACTED, /* text: opaque data in place of reasoning */
    DELTA_REFUSAL,
    DELTA_TOOL_BEGIN,     /* index, id, name, server */
    DELTA_TOOL_ARGUMENTS, /* index, text: a piece of the arguments' JSON text */
    DELTA_TOOL_END,       /* index */
    DELTA_IMAGE,          /* text: a URL, which may be a data URI */
    DELTA_CITATION,       /* text: raw JSON in the words of `family`; belongs to the text before it */
    DELTA_LOGPROBS,       /* text: raw JSON array of Chat Completions' `logprobs.content` for the text before it */
    DELTA_FOREIGN,        /* family, name: type, text: raw JSON of a block or item that only this family has */
    DELTA_FINISH,         /* choice, finish, stop_sequence */
    DELTA_USAGE,          /* usage: what is known so far, cumulative */
    DELTA_PING,
    DELTA_ERROR, /* error */
    DELTA_END
};

enum finish {
    FINISH_NONE, /* the backend did not say, or said something unknown */
    FINISH_STOP,
    FINISH_LENGTH,
    FINISH_TOOL_CALLS,
    FINISH_CONTENT_FILTER,
    FINISH_PAUSE,         /* Anthropic's pause_turn: send the answer back and it goes on */
    FINISH_REFUSAL,       /* the model itself refused; Chat Completions calls it content_filter */
    FINISH_STOP_SEQUENCE, /* `stop_sequence` tells which */
    FINISH_CONTEXT        /* the model's window is full; elsewhere a length */
};

struct answer_error {
    int status;   /* as HTTP would say it: of the backend's answer, else by the error's type, else 502 */
    vsr_str type; /* in the backend's words; may be empty, as the next */
    vsr_str code;
    vsr_str message; /* never empty */
};

struct answer_delta {
    enum delta_kind kind;
    /* Of LOGPROBS, CITATION and FOREIGN: whose words. LOGPROBS are always PROTOCOL_CHAT. */
    enum protocol family;
    uint32_t choice; /* 0 but in Chat Completions */
    /*
     * TOOL_*: which call of the choice, counted from 0 in order of appearance. Else: which block or part of the
     * backend's answer this belongs to; a change means that a new one has begun. Always 0 in Chat Completions.
     */
    uint32_t index;
    vsr_str text; /* decoded UTF-8 unless the kind says otherwise */
    vsr_str id, name;
    bool server; /* TOOL_BEGIN: the provider runs it, not the client */
    int64_t created;
    enum finish finish;
    vsr_str stop_sequence;
    const struct usage *usage;
    struct answer_error error;
};

typedef void answer_delta_fn(void *user, const struct answer_delta *delta);

/* ---- the collected answer */

enum {
    ANSWER_CHOICES_MAX = 128, /* as OpenAI's `n`; deltas of further ones are dropped and set too_long */
    ANSWER_TOOLS_MAX = 256,   /* of one choice; decoders leave out further ones */
};

struct answer_tool {
    vsr_str id, name;
    vsr_str arguments; /* JSON text as the model wrote it; may be empty or malformed */
    bool server, ended;
};

struct answer_choice {
    uint32_t index;
    vsr_str text, reasoning, summary, refusal;
    vsr_str signature; /* of the last reasoning that had one */
    const struct answer_tool *tools;
    size_t n_tools;
    uint32_t n_images, n_foreign;
    enum finish finish;
    vsr_str stop_sequence;
    bool finished; /* there was a FINISH */
};

struct answer_head {
    vsr_str id, model;
    int64_t created; /* 0: unknown */
    struct usage usage;
    struct answer_error error; /* status 0: none */
    bool ended;                /* DELTA_END has come */
    bool too_long;             /* something was dropped at a limit; usage and finish are still right */
};

/*
 * Takes all deltas of one answer. Texts together are bounded by `len_max` bytes; past it `too_long` is set and texts
 * are dropped, while usage, finish and error go on. Lives in `arena` and is gone with it. One thread.
 */
struct answer;
struct answer *answer_new(struct arena *arena, size_t len_max);
void answer_take(struct answer *answer, const struct answer_delta *delta);

/* Results are valid until the next answer_take(). */
const struct answer_head *answer_head(const struct answer *answer);
size_t answer_n_choices(const struct answer *answer);
/* By position: ordered by choice index. NULL past the last one. */
const struct answer_choice *answer_choice(const struct answer *answer, size_t position);

/*
 * Whether it may be kept and given to others (gateway.md 9): it ended without error, nothing was dropped, id, model and
 * created are known, and every choice has a finish reason and says something.
 */
bool answer_is_cacheable(const struct answer *answer);

#endif
