#include "config/file_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_LEN = 64 << 10, DIGEST_LEN = 32 };

static void write_hex(const unsigned char digest[static DIGEST_LEN], char ret_hex[static FILE_HASH_LEN]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_LEN; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
}

void text_hash(vsr_str text, char ret_hex[static FILE_HASH_LEN]) {
    unsigned char digest[DIGEST_LEN] = { 0 };
    (void)SHA256((const unsigned char *)(text.len ? text.ptr : ""), text.len, digest); /* returns its argument */
    write_hex(digest, ret_hex);
}

static int read_error(const char *path, struct vsr_err *err) {
    return err_set(err, errno == ENOENT || errno == ENOTDIR ? VSR_E_NOT_FOUND : VSR_E_IO, "cannot read \"%s\": %s",
                   path, strerror(errno));
}

static int digest_fd(int fd, const char *path, EVP_MD_CTX *ctx, unsigned char digest[static DIGEST_LEN],
                     struct vsr_err *err) {
    char bytes[READ_LEN];
    ssize_t len;
    if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
        return err_set(err, VSR_E_NOMEM, "no SHA-256 context");
    while ((len = read(fd, bytes, sizeof(bytes))) != 0) {
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return read_error(path, err);
        if (EVP_DigestUpdate(ctx, bytes, (size_t)len) != 1)
            return err_set(err, VSR_E_INTERNAL, "SHA-256 failed");
    }
    return EVP_DigestFinal_ex(ctx, digest, NULL) == 1 ? 0 : err_set(err, VSR_E_INTERNAL, "SHA-256 failed");
}

int file_hash(const char *path, char ret_hex[static FILE_HASH_LEN], struct vsr_err *err) {
    unsigned char digest[DIGEST_LEN] = { 0 };
    struct stat status;
    EVP_MD_CTX *ctx = NULL;
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* or a pipe without a writer would keep us */
    if (fd < 0)
        return read_error(path, err);
    if (fstat(fd, &status) != 0) {
        rc = read_error(path, err);
    } else if (!S_ISREG(status.st_mode)) {
        rc = err_set(err, VSR_E_INVALID, "\"%s\" is no regular file, so it cannot be read again", path);
    } else {
        ctx = EVP_MD_CTX_new();
        rc = digest_fd(fd, path, ctx, digest, err);
    }
    if (rc == 0)
        write_hex(digest, ret_hex);
    EVP_MD_CTX_free(ctx);
    close(fd);
    return rc;
}
