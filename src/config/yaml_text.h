/*
 * yaml_text - the text of quoted YAML scalars, out of what stands between the quotes. Any thread.
 *
 * libfyaml 0.7.12 does this as well, but leaks memory when a line has many doubled single quotes, and counts wrongly
 * when an escaped blank stands before a line break in double quotes: its text then ends in memory that it never wrote.
 * A configuration is reloaded for as long as the process lives, and must mean the same each time. These functions take
 * what has been scanned, so escapes are known to be well-formed.
 */
#ifndef VSR_CONFIG_YAML_TEXT_H
#define VSR_CONFIG_YAML_TEXT_H

#include "core/str.h"

struct arena;

/* A doubled quote is one; a line break is a space, several are one less, blanks around them are dropped. */
vsr_str yaml_unquote_single(struct arena *arena, vsr_str raw);

/* The same for line breaks, but for those behind a backslash, which are nothing; with the escapes of YAML 1.2. */
vsr_str yaml_unquote_double(struct arena *arena, vsr_str raw);

#endif
