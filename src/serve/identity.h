/*
 * identity - who asks, as far as somebody trustworthy said so (config.md 5, 9.2.4).
 *
 * User, groups, team and tenant come from headers, and only on a listener that trusts them because nobody but an
 * authenticating proxy can reach it; from anybody else they are as if they were not there. The key is one that the
 * listener has checked. Everything lives as long as the request.
 */
#ifndef VSR_SERVE_IDENTITY_H
#define VSR_SERVE_IDENTITY_H

#include "wire/facts.h"

struct request;

struct identity {
    vsr_str user, team, tenant;
    vsr_str groups_header; /* a comma list */
    struct texts groups;
    vsr_str key; /* fingerprint (limit_fingerprint) of the listener's key; empty: the listener has none */
};

/* Reads it into request->identity. After the listener's keys were checked. */
void identity_read(struct request *request);

#endif
