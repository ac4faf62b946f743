#include "model/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/mem.h"

enum { READ_LEN = 256 << 10 };

struct digest_run {
    enum digest_kind kind;
    EVP_MD_CTX *ctx;
};

static bool is_hex(char c) {
    return ascii_is_digit(c) || (c >= 'a' && c <= 'f');
}

bool digest_set(struct digest *digest, enum digest_kind kind, vsr_str hex) {
    struct digest made = { .kind = kind };
    size_t len = kind == DIGEST_SHA256 ? DIGEST_SHA256_HEX_LEN : kind == DIGEST_GIT_BLOB ? DIGEST_GIT_HEX_LEN : 0;
    if (hex.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        made.hex[i] = ascii_lower(hex.ptr[i]);
        if (!is_hex(made.hex[i]))
            return false;
    }
    *digest = made;
    return true;
}

bool digest_eq(const struct digest *a, const struct digest *b) {
    return a->kind == b->kind && strcmp(a->hex, b->hex) == 0;
}

struct digest_run *digest_run_new(enum digest_kind kind, uint64_t len) {
    struct digest_run *run = MEM_NEW(struct digest_run);
    char head[32];
    int n;
    run->kind = kind;
    run->ctx = EVP_MD_CTX_new();
    VSR_ASSERT(run->ctx != NULL);
    n = EVP_DigestInit_ex(run->ctx, kind == DIGEST_GIT_BLOB ? EVP_sha1() : EVP_sha256(), NULL);
    VSR_ASSERT(n == 1);
    if (kind == DIGEST_GIT_BLOB) {
        n = snprintf(head, sizeof(head), "blob %llu", (unsigned long long)len);
        digest_run_add(run, str_make(head, (size_t)n + 1)); /* with its NUL */
    }
    return run;
}

void digest_run_free(struct digest_run *run) {
    if (!run)
        return;
    EVP_MD_CTX_free(run->ctx);
    mem_free(run);
}

void digest_run_add(struct digest_run *run, vsr_str bytes) {
    int ok = bytes.len == 0 || EVP_DigestUpdate(run->ctx, bytes.ptr, bytes.len) == 1;
    VSR_ASSERT(ok);
}

struct digest digest_run_end(struct digest_run *run) {
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct digest digest = { .kind = run->kind };
    int ok = EVP_DigestFinal_ex(run->ctx, raw, &len) == 1;
    VSR_ASSERT(ok);
    VSR_ASSERT(2 * len <= DIGEST_HEX_MAX);
    for (unsigned i = 0; i < len; i++) {
        digest.hex[2 * i] = digits[raw[i] >> 4];
        digest.hex[2 * i + 1] = digits[raw[i] & 15];
    }
    return digest;
}

int digest_fd(int fd, enum digest_kind kind, uint64_t len, const struct digest_progress *progress,
              struct digest *ret_digest, struct vsr_err *err) {
    struct digest_run *run = digest_run_new(kind, len);
    char *bytes = mem_alloc(READ_LEN);
    ssize_t n;
    int rc = 0;
    while (rc == 0 && (n = read(fd, bytes, READ_LEN)) != 0) {
        if (n < 0) {
            if (errno != EINTR)
                rc = err_set(err, VSR_E_IO, "cannot read: %s", strerror(errno));
            continue;
        }
        digest_run_add(run, str_make(bytes, (size_t)n));
        if (progress && progress->fn)
            progress->fn(progress->data, (uint64_t)n);
    }
    if (rc == 0)
        *ret_digest = digest_run_end(run);
    mem_free(bytes);
    digest_run_free(run);
    return rc;
}
