/*
 * chat_tokens - the tokens of what a chat model said, and how likely others were in their place.
 *
 *     choices[0].logprobs.content:
 *     [{"token":" Unsafe","logprob":-0.1,"top_logprobs":[{"token":" Safe","logprob":-2.3}]}]
 *
 * Whatever is missing or wrong of them is no failure: there are none then, and the text stands as it is. Any thread.
 */
#ifndef VSR_EVIDENCE_CHAT_TOKENS_H
#define VSR_EVIDENCE_CHAT_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/json.h"
#include "core/str.h"

struct arena;

enum { CHAT_TOKENS_TOP = 5, CHAT_TOKENS_TOP_MAX = 64 }; /* alternatives asked for; read of what a server sends */

/*
 * How likely each of the words was where the reply has `word`, a part of `text`, which is what the model said
 * (http_chat_read()); together 1. The words are in small letters and no two begin with the same one, so the token with
 * the first letter decides: of a word in several tokens it is the first. An alternative counts for a word that it is,
 * or that it begins, whatever stands before it that is no letter. False without odds worth the name: the answer has no
 * tokens or other ones than the text, no alternatives, a number that is none or positive, probabilities of more than 1
 * together, a token that has letters before the word.
 */
bool chat_tokens_odds(const struct json_doc *doc, struct arena *arena, vsr_str text, vsr_str word, const vsr_str *words,
                      size_t n_words, double *ret_odds);

#endif
