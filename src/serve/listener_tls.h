/*
 * listener_tls - the TLS of a generation's listeners: certificates, keys and authorities as they are on disk now.
 *
 * Made while a generation is built, so that a file that cannot be used fails the load and what serves goes on serving.
 * The files are told to whoever asked for it (config_load_options.on_file), who watches them and loads anew when they
 * change: a renewed certificate is in use as soon as the next generation is. Relative paths begin beside the document.
 */
#ifndef VSR_SERVE_LISTENER_TLS_H
#define VSR_SERVE_LISTENER_TLS_H

#include "config/document.h"
#include "config/load.h"
#include "core/err.h"

struct arena;
struct tls_server;

/*
 * Writes an array, one entry for each listener in the document's order, NULL for a plain one. It lives in `arena`, and
 * the arena's end gives back the contexts. The error names listener and file.
 */
int listener_tls_build(struct arena *arena, const struct config_document *doc, const struct config_load_options *load,
                       struct tls_server ***ret_contexts, struct vsr_err *err) VSR_MUST_CHECK;

#endif
