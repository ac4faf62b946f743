/*
 * digest - content hashes of files, fed piece by piece.
 *
 * SHA-256 is what manifests and large files of the hub are checked by; small files of the hub are known by git's blob
 * id, the SHA-1 of "blob LENGTH\0" and the content. That one guards against damage, not against forgery. One thread at
 * a time.
 */
#ifndef VSR_MODEL_DIGEST_H
#define VSR_MODEL_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum digest_kind { DIGEST_NONE, DIGEST_SHA256, DIGEST_GIT_BLOB };

enum { DIGEST_HEX_MAX = 64, DIGEST_SHA256_HEX_LEN = 64, DIGEST_GIT_HEX_LEN = 40 };

/* By value. `hex` is lower case and NUL-terminated; empty for DIGEST_NONE. */
struct digest {
    enum digest_kind kind;
    char hex[DIGEST_HEX_MAX + 1];
};

/* False unless `hex` is as many hexadecimal digits as the kind has. */
bool digest_set(struct digest *digest, enum digest_kind kind, vsr_str hex);
bool digest_eq(const struct digest *a, const struct digest *b);

struct digest_run; /* free with digest_run_free() */

/* `len`: of the whole content; needed for DIGEST_GIT_BLOB only. */
struct digest_run *digest_run_new(enum digest_kind kind, uint64_t len);
void digest_run_free(struct digest_run *run);
void digest_run_add(struct digest_run *run, vsr_str bytes);
/* Once, at the end. */
struct digest digest_run_end(struct digest_run *run);

/* Called with bytes as they are read. */
struct digest_progress {
    void (*fn)(void *data, uint64_t n_bytes); /* NULL: nobody listens */
    void *data;
};

/* Of the rest of an open regular file. VSR_E_IO. */
int digest_fd(int fd, enum digest_kind kind, uint64_t len, const struct digest_progress *progress,
              struct digest *ret_digest, struct vsr_err *err) VSR_MUST_CHECK;

#endif
