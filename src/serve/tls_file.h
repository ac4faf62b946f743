/*
 * tls_file - where a certificate, key or list of authorities lies, and what is in it now.
 *
 * The files are told to whoever asked for it (config_load_options.on_file), who watches them and loads anew when they
 * change. Noted before they are read: what changes in between is seen as a change. Relative paths begin beside the
 * document.
 */
#ifndef VSR_SERVE_TLS_FILE_H
#define VSR_SERVE_TLS_FILE_H

#include "config/document.h"
#include "config/load.h"
#include "core/str.h"

struct arena;

/*
 * The path to open, in `arena`; empty for an empty one. `ret_hash` (NULL is allowed): of its contents, empty when it
 * cannot be read.
 */
vsr_str tls_file_place(struct arena *arena, const struct config_document *doc, const struct config_load_options *load,
                       vsr_str file, vsr_str *ret_hash);

#endif
