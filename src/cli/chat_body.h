/*
 * chat_body - the Chat Completions request that `vsr route` asks about.
 *
 * Made from a prompt, from a list of messages, or from a whole request body; the result is what a client would have
 * sent.
 */
#ifndef VSR_CLI_CHAT_BODY_H
#define VSR_CLI_CHAT_BODY_H

#include "core/err.h"
#include "core/str.h"

struct arena;

enum { CHAT_BODY_LEN_MAX = 64 << 20 };

/* The operands of a command as one text, with a blank between two. */
vsr_str chat_body_join(struct arena *arena, int argc, char **argv);

/* One user message. */
vsr_str chat_body_from_prompt(struct arena *arena, vsr_str model, vsr_str prompt);

/*
 * Reads `file` (`-`: standard input): an array of messages, or a request body whose own model wins unless `model` was
 * asked for (`model_given`). VSR_E_IO, VSR_E_LIMIT, or VSR_E_SYNTAX with line and column.
 */
int chat_body_from_file(struct arena *arena, const char *file, vsr_str model, bool model_given, vsr_str *ret_body,
                        struct vsr_err *err) VSR_MUST_CHECK;

#endif
