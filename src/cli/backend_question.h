/*
 * backend_question - what a request asks of the stand-in model, in whichever protocol.
 *
 * Each protocol reads its own form into this one: whom, what was said last, which tools there are. The answer is chosen
 * from it without knowing the protocol. Lives in the request's arena and borrows its body.
 */
#ifndef VSR_CLI_BACKEND_QUESTION_H
#define VSR_CLI_BACKEND_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"
#include "core/str.h"

enum { BACKEND_TOOLS_MAX = 128, BACKEND_STOPS_MAX = 16, BACKEND_CHOICES_MAX = 8, BACKEND_OPEN_CALLS_MAX = 16 };

enum backend_tool_choice { TOOL_CHOICE_AUTO, TOOL_CHOICE_NONE, TOOL_CHOICE_REQUIRED, TOOL_CHOICE_NAMED };

struct backend_tool {
    vsr_str name;
    json_ref schema; /* of its arguments, in `doc`; JSON_NONE: none */
};

struct backend_question {
    struct json_doc doc; /* the request's body */
    vsr_str model;
    bool stream;
    bool include_usage; /* on a stream */
    bool logprobs;
    bool completion;    /* of a prompt: the form before Chat Completions */
    uint32_t n_choices; /* at least 1 */

    vsr_str said;    /* by the user last, or the result of a tool */
    bool after_tool; /* it is the latter */
    bool user_last;  /* the user had the last word */
    uint32_t n_images;
    uint64_t prompt_tokens;
    uint64_t ceiling; /* the client's own, of the answer's tokens; 0: none */
    vsr_str stops[BACKEND_STOPS_MAX];
    size_t n_stops;

    enum backend_tool_choice tool_choice;
    vsr_str tool_name; /* NAMED */
    struct backend_tool tools[BACKEND_TOOLS_MAX];
    size_t n_tools;
    bool one_tool; /* at a time */

    bool wants_image;       /* beside the words, as servers of picture models answer */
    bool wants_json;        /* an object as the answer */
    json_ref answer_schema; /* that it has to fit; JSON_NONE: any */

    uint64_t thinking; /* tokens of thought that the client asked for; 0: none */

    /* Responses alone. */
    vsr_str previous_id; /* the response that this one goes on from */
    bool background, store;
    bool summary;                               /* of the thoughts is wanted */
    bool encrypted;                             /* thoughts are wanted sealed */
    vsr_str open_calls[BACKEND_OPEN_CALLS_MAX]; /* that have a result here and stand elsewhere */
    size_t n_open_calls;
};

#endif
