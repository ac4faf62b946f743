/*
 * backend_messages_read - reads an Anthropic Messages request, as strictly as the provider does.
 *
 * What it refuses: no key or no version in the head, members that it does not know, roles, block types, empty texts,
 * results without calls and calls without results, thoughts that are not its own (backend_signature()), settings that
 * do not go with thinking. A translation that gets one of these wrong learns it here rather than from the provider.
 */
#ifndef VSR_CLI_BACKEND_MESSAGES_READ_H
#define VSR_CLI_BACKEND_MESSAGES_READ_H

#include "cli/backend_dialect.h"

/* As struct backend_dialect's read. `counting`: for /v1/messages/count_tokens, which takes fewer members. */
bool backend_messages_read(struct arena *arena, const struct http1_head *head, vsr_str body, bool counting,
                           struct backend_question *ret_question, struct backend_refusal *ret_refusal);

#endif
