/*
 * backend_tls - the TLS of endpoints that say more of it than `https`: whose authorities to trust, which certificate to
 * show.
 *
 * Made while a generation is built, so that a file that cannot be used fails the load and what serves goes on serving.
 * Contexts live in the registry of endpoints, found by what is in the files: a generation that changes nothing of them
 * goes on with the connections of the one before.
 */
#ifndef VSR_SERVE_BACKEND_TLS_H
#define VSR_SERVE_BACKEND_TLS_H

#include "config/document.h"
#include "config/load.h"
#include "core/err.h" /* VSR_MUST_CHECK */

struct arena;
struct backend_tls;
struct provider_registry;
struct tls_client;

/*
 * Lives in `arena`, whose end gives the contexts back to `registry`. Every endpoint whose files cannot be used is a
 * problem in `diag`, at the key that names the file; then VSR_E_INVALID.
 */
int backend_tls_build(struct arena *arena, const struct config_document *doc, const struct config_load_options *load,
                      struct provider_registry *registry, struct backend_tls **ret_tls,
                      struct diag *diag) VSR_MUST_CHECK;

/* The context of that endpoint; NULL when it says nothing of TLS. For provider_options.tls_of. */
struct tls_client *backend_tls_of(const void *tls, const struct config_backend_ref *ref);

#endif
