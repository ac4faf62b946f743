/*
 * extproc_bodies - whether a proxy shows the bodies of answers where it is asked to.
 *
 * A filter with response_body_mode NONE is asked for another mode when an answer begins. One that does not allow that
 * (allow_mode_override) leaves the stream there, and the client gets the answer as the backend says it: nothing of it
 * is counted, and what should be in another protocol is not. A client that goes away behind the headers of its answer
 * looks just the same, so that one stream proves nothing. It takes EXTPROC_UNSEEN_MIN in a row without a body among
 * them, on one connection: those of other proxies, and of other filters, have their own. And the verdict is asked again
 * every EXTPROC_PROBE_MS, with one request in place of its refusal. Until then who leaves there counts as a client that
 * went away.
 *
 * What is known of a connection is kept in its notes (grpc_stream_notes()), which are all 0 to begin with. Pure.
 */
#ifndef VSR_SERVE_EXTPROC_BODIES_H
#define VSR_SERVE_EXTPROC_BODIES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    EXTPROC_UNSEEN_MIN = 5,
    EXTPROC_PROBE_MS = 10000,
};

/* A body came, though the filter said NONE. */
void extproc_bodies_shown(uint64_t *notes);
/* A stream ended where the body of its answer should have begun. Whether bodies are taken for hidden now. */
bool extproc_bodies_unseen(uint64_t *notes, uint64_t now_ms);
/* Whether a request whose answer has to be seen is refused now. */
bool extproc_bodies_refuse(uint64_t *notes, uint64_t now_ms);

#endif
