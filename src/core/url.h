/*
 * url - what may be shown of a URL: in logs, reasons and traces, which are read by more people than the configuration.
 */
#ifndef VSR_CORE_URL_H
#define VSR_CORE_URL_H

#include "core/str.h"

struct arena;

/*
 * `url` with [REDACTED] in place of what may be a secret: user and password before the host, everything behind `?` or
 * `#`. It need not be a valid URL: of one that is none, all up to the last `@` is taken for a password. In `arena`, or
 * `url` itself when there is nothing to hide. Any thread.
 */
vsr_str url_shown(struct arena *arena, vsr_str url);

#endif
