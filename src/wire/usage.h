/*
 * usage - the token counts that a backend reports for one answer.
 *
 * Reads the `usage` object of Chat Completions, and the names that the Responses and Messages protocols use for the
 * same numbers. A pure reader: any thread.
 */
#ifndef VSR_WIRE_USAGE_H
#define VSR_WIRE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"

struct json_writer;

struct usage {
    int64_t prompt, completion;             /* prompt includes cached and cache_write */
    int64_t cached, cache_write;            /* as reported; not checked against prompt */
    int64_t reasoning;                      /* part of completion */
    int64_t cache_write_5m, cache_write_1h; /* parts of cache_write, where Anthropic tells them apart */
    int64_t web_searches;                   /* requests to tools that the provider runs, not tokens */
    bool has;                               /* prompt or completion was reported as a number */
    bool malformed;                         /* some count was there but no number; it was ignored */
};

/*
 * Reads the members of `object`, the `usage` object itself, of any protocol: cache_read_input_tokens or
 * cache_creation_input_tokens tell Anthropic's, unless there is prompt_tokens. False when `object` is no object;
 * *ret_usage is then all zero. Numbers with a fraction are cut, numbers out of range clamped.
 */
bool usage_read(const struct json_doc *doc, json_ref object, struct usage *ret_usage);

/*
 * Anthropic's `usage`, of which a stream tells parts: members that are there replace what `*raw` holds. The counts stay
 * as they are written: usage_from_messages() makes of them what the rest of vsr counts by.
 */
struct usage_messages {
    int64_t input, output, thinking, cache_read, cache_creation, ephemeral_5m, ephemeral_1h, web_searches;
    bool has, malformed;
};
void usage_read_messages(const struct json_doc *doc, json_ref object, struct usage_messages *raw);
/* prompt = input + cache_read + cache_creation, because Anthropic's input leaves those out. */
struct usage usage_from_messages(const struct usage_messages *raw);

/* As members of an answer in Chat Completions or Messages: the object only, details only where there are any. */
void usage_write_chat(struct json_writer *w, const struct usage *usage);
void usage_write_messages(struct json_writer *w, const struct usage *usage);

/* usage_read() of a whole answer: its `usage` member. False when there is none, or null. */
bool usage_read_answer(const struct json_doc *doc, struct usage *ret_usage);

#endif
