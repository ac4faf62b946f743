/*
 * fd - descriptors of files, pipes and terminals. Blocking; any thread.
 */
#ifndef VSR_CORE_FD_H
#define VSR_CORE_FD_H

#include "core/str.h"

/* All of `bytes`, however often that takes. -1 with errno; some of them may be written then. */
int fd_write_all(int fd, vsr_str bytes);

#endif
