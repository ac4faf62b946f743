/*
 * credentials - the key that goes upstream, and the headers that never do (gateway.md 12.3, config.md 9.2.4).
 *
 * Chain, first non-empty wins: a key that an external auth service put into a header of this request; the static key of
 * the chosen endpoint. Without one the caller's own authorization is forwarded when the endpoint configures no key and
 * the configuration fails open, else the request is refused. An endpoint whose configured key is missing (its variable
 * is not set) never gets the caller's: it was meant for us, not for that vendor. Built per snapshot, read-only: any
 * thread.
 */
#ifndef VSR_PROVIDER_CREDENTIALS_H
#define VSR_PROVIDER_CREDENTIALS_H

#include <stdbool.h>

#include "config/document.h"
#include "core/err.h"
#include "core/str.h"
#include "net/http1.h"

struct arena;
struct credentials;

/* Answer to a client whose request has no usable key. */
#define CREDENTIALS_REFUSED "Authentication failed. Check your API key configuration."

/* Keeps `doc`. Lives in `arena`. */
struct credentials *credentials_build(struct arena *arena, const struct config_document *doc);

enum credential_source {
    CREDENTIAL_NONE,     /* nothing to send: a keyless backend */
    CREDENTIAL_INJECTED, /* header of the auth service */
    CREDENTIAL_STATIC,   /* configured */
    CREDENTIAL_CALLER,   /* the caller's own headers pass unchanged */
};

struct credential {
    enum credential_source source;
    vsr_str name, value; /* INJECTED and STATIC: the header to set */
};

struct credential_request {
    const struct http1_head *head; /* of the client */
    bool trust_injected;        /* the listener trusts identity headers; else injected keys are the client's forgery */
    bool authorization_is_ours; /* the listener checked it against its own keys: it must not leak to a backend */
};

/* 0, or VSR_E_INVALID with text for the log when there is no key and the configuration fails closed, or the endpoint's
 * own key is missing: 401 CREDENTIALS_REFUSED. */
int credentials_resolve(const struct credentials *credentials, const struct config_backend_ref *ref,
                        const struct credential_request *request, struct arena *arena,
                        struct credential *ret_credential, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * What happens to a client's header on its way upstream. Also for ingress: names that are HEADER_IDENTITY or
 * HEADER_INTERNAL are removed there (HEADER_IDENTITY unless the listener trusts them).
 */
enum header_class {
    HEADER_PLAIN,         /* forwarded */
    HEADER_HOP,           /* belongs to one connection, or is rebuilt for the next */
    HEADER_INTERNAL,      /* gateway.md 13.3, and x-selected-model */
    HEADER_IDENTITY,      /* identity of the caller, injected keys */
    HEADER_AUTHORIZATION, /* authorization, api-key, x-api-key */
};
enum header_class credentials_header_class(const struct credentials *credentials, vsr_str name);

/* All names that are HEADER_IDENTITY or HEADER_INTERNAL, once each, in `arena`: what an ingress has to remove. */
size_t credentials_private_names(const struct credentials *credentials, struct arena *arena, vsr_str **ret_names);

#endif
