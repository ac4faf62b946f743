/*
 * session_id - which conversation a request belongs to (gateway.md 13.4).
 *
 * The first of: what the client says, what its metadata say, a fingerprint of user and first message, a fingerprint of
 * the opening messages, the request itself. Fingerprints are cut at UTF-8 boundaries and stay the same over all turns.
 * Any thread.
 */
#ifndef VSR_WIRE_SESSION_ID_H
#define VSR_WIRE_SESSION_ID_H

#include "core/str.h"

struct arena;
struct request_facts;

struct session_id_input {
    vsr_str session_header; /* x-session-id */
    vsr_str claude_header;  /* x-claude-code-session-id; only on /v1/messages, else empty */
    vsr_str metadata_user;  /* metadata.user_id of a Messages request; else it is among the facts */
    vsr_str user_id;        /* of the authenticated caller; empty: unknown */
    vsr_str request_id;
    const struct request_facts *facts; /* NULL: none */
};

/* Borrows from the input or lives in `arena`. Never empty. */
vsr_str session_id(struct arena *arena, const struct session_id_input *input);

#endif
