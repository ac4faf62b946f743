#include "serve/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/fd.h"
#include "core/mem.h"

enum { VERSION = 1, NONCE_LEN = 12, TAG_LEN = 16, FRONT_LEN = 1 + NONCE_LEN };

struct sealer {
    unsigned char key[SEALED_KEY_LEN];
};

/* ---- the key */

/* Value of a digit of base64, in either alphabet; -1: none. */
static int base64_value(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Without padding, or with. The length of what was decoded; -1: no base64. */
static ptrdiff_t base64_decode(vsr_str text, unsigned char *out) {
    size_t len = 0;
    uint32_t bits = 0;
    int n_bits = 0;
    while (text.len > 0 && text.ptr[text.len - 1] == '=')
        text.len--;
    if (text.len % 4 == 1)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_value(text.ptr[i]);
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[len++] = (unsigned char)(bits >> n_bits);
        }
    }
    if (bits & ((1u << n_bits) - 1)) /* one text has one form */
        return -1;
    return (ptrdiff_t)len;
}

static size_t base64_encode(const unsigned char *bytes, size_t len, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t n = 0;
    uint32_t bits = 0;
    int n_bits = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (n_bits += 8; n_bits >= 6; n_bits -= 6)
            out[n++] = digits[bits >> (n_bits - 6) & 63];
    }
    if (n_bits > 0)
        out[n++] = digits[bits << (6 - n_bits) & 63];
    return n;
}

static bool read_hex(vsr_str text, unsigned char *out) {
    for (size_t i = 0; i < SEALED_KEY_LEN; i++) {
        int high = OPENSSL_hexchar2int((unsigned char)text.ptr[2 * i]);
        int low = OPENSSL_hexchar2int((unsigned char)text.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static int read_key(vsr_str text, unsigned char *key, struct vsr_err *err) {
    unsigned char bytes[SEALED_KEY_LEN * 2];
    text = str_trim(text);
    if (text.len == 2 * SEALED_KEY_LEN && read_hex(text, key))
        return 0;
    if (text.len <= 44 && base64_decode(text, bytes) == SEALED_KEY_LEN) {
        memcpy(key, bytes, SEALED_KEY_LEN);
        return 0;
    }
    return err_set(err, VSR_E_INVALID, "VSR_RESPONSES_KEY must be 32 bytes, as 64 hexadecimal digits or 44 of base64");
}

static void random_key(unsigned char *key) {
    int ok = RAND_bytes(key, SEALED_KEY_LEN);
    VSR_ASSERT(ok == 1);
}

static int read_file(const char *path, unsigned char *key, struct vsr_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    if (fd < 0)
        return err_set(err, errno == ENOENT ? VSR_E_NOT_FOUND : VSR_E_IO, "%s: %s", path, strerror(errno));
    n = read(fd, key, SEALED_KEY_LEN);
    (void)close(fd);
    if (n != SEALED_KEY_LEN)
        return err_set(err, VSR_E_IO, "%s: expected %d bytes of a key; remove the file to have a new one", path,
                       SEALED_KEY_LEN);
    return 0;
}

/* Two processes that start at once agree: the file appears whole, under a name that only one can give it. */
static int make_file(const char *path, char *fresh, unsigned char *key, struct vsr_err *err) {
    int fd = mkostemp(fresh, O_CLOEXEC); /* whatever a process has left that was cut off here */
    int rc = 0;
    if (fd < 0)
        return err_set(err, VSR_E_IO, "%s: %s", fresh, strerror(errno));
    random_key(key);
    if (fd_write_all(fd, str_make((const char *)key, SEALED_KEY_LEN)) < 0 || fsync(fd) < 0)
        rc = err_set(err, VSR_E_IO, "%s: %s", fresh, strerror(errno));
    else if (link(fresh, path) < 0)
        rc = errno == EEXIST ? read_file(path, key, err) : err_set(err, VSR_E_IO, "%s: %s", path, strerror(errno));
    (void)close(fd);
    (void)unlink(fresh); /* under its own name it has served */
    return rc;
}

static int stored_key(vsr_str dir, unsigned char *key, struct vsr_err *err) {
    char path[PATH_MAX], fresh[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%.*s/responses.key", VSR_FMT(dir));
    int m = snprintf(fresh, sizeof(fresh), "%.*s/responses.key.XXXXXX", VSR_FMT(dir));
    int rc;
    if (n < 0 || (size_t)n >= sizeof(path) || m < 0 || (size_t)m >= sizeof(fresh))
        return err_set(err, VSR_E_LIMIT, "the path of the state directory is too long");
    rc = read_file(path, key, err);
    if (rc != VSR_E_NOT_FOUND)
        return rc;
    (void)snprintf(path, sizeof(path), "%.*s", VSR_FMT(dir));
    (void)mkdir(path, 0700); /* what is wrong with it, the next call says */
    (void)snprintf(path, sizeof(path), "%.*s/responses.key", VSR_FMT(dir));
    return make_file(path, fresh, key, err);
}

int sealer_new(vsr_str key, vsr_str state_dir, struct sealer **ret_sealer, struct vsr_err *err) {
    struct sealer *sealer = MEM_NEW(struct sealer);
    int rc = 0;
    if (key.len)
        rc = read_key(key, sealer->key, err);
    else if (state_dir.len)
        rc = stored_key(state_dir, sealer->key, err);
    else
        random_key(sealer->key);
    if (rc < 0)
        sealer_free(sealer);
    else
        *ret_sealer = sealer;
    return rc;
}

void sealer_free(struct sealer *sealer) {
    if (sealer)
        OPENSSL_cleanse(sealer->key, sizeof(sealer->key));
    mem_free(sealer);
}

/* ---- sealing and opening */

/* Never empty, so that it is always sealed along. */
static vsr_str context_of(struct arena *arena, vsr_str owner) {
    return arena_printf(arena, "vsr responses %.*s", VSR_FMT(owner));
}

int sealer_seal(const struct sealer *sealer, struct arena *arena, vsr_str owner, vsr_str plain, vsr_str *ret_sealed) {
    unsigned char *bytes;
    char *text;
    size_t len = FRONT_LEN + plain.len + TAG_LEN;
    EVP_CIPHER_CTX *ctx;
    int n = 0;
    bool ok;
    owner = context_of(arena, owner);
    if (plain.len > SEALED_LEN_MAX)
        return VSR_E_LIMIT;
    bytes = arena_try_alloc_raw(arena, len);
    text = arena_try_alloc_raw(arena, len / 3 * 4 + 4);
    if (!bytes || !text)
        return VSR_E_NOMEM;
    bytes[0] = VERSION;
    ctx = EVP_CIPHER_CTX_new();
    ok = ctx && RAND_bytes(bytes + 1, NONCE_LEN) == 1 &&
         EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, sealer->key, bytes + 1) == 1 &&
         EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)owner.ptr, (int)owner.len) == 1 &&
         EVP_EncryptUpdate(ctx, bytes + FRONT_LEN, &n, (const unsigned char *)plain.ptr, (int)plain.len) == 1 &&
         EVP_EncryptFinal_ex(ctx, bytes + FRONT_LEN + plain.len, &n) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, bytes + FRONT_LEN + plain.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        return VSR_E_INTERNAL;
    *ret_sealed = str_make(text, base64_encode(bytes, len, text));
    return 0;
}

int sealer_open(const struct sealer *sealer, struct arena *arena, vsr_str owner, vsr_str sealed, vsr_str *ret_plain) {
    unsigned char *bytes, *plain;
    ptrdiff_t len;
    size_t plain_len;
    EVP_CIPHER_CTX *ctx;
    int n = 0;
    bool ok;
    owner = context_of(arena, owner);
    if (sealed.len > (size_t)SEALED_LEN_MAX * 2)
        return VSR_E_INVALID;
    bytes = arena_try_alloc_raw(arena, sealed.len + 1);
    plain = arena_try_alloc_raw(arena, sealed.len + 1);
    if (!bytes || !plain)
        return VSR_E_NOMEM;
    len = base64_decode(sealed, bytes);
    if (len < FRONT_LEN + TAG_LEN || bytes[0] != VERSION)
        return VSR_E_INVALID;
    plain_len = (size_t)len - FRONT_LEN - TAG_LEN;
    ctx = EVP_CIPHER_CTX_new();
    ok = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, sealer->key, bytes + 1) == 1 &&
         EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)owner.ptr, (int)owner.len) == 1 &&
         EVP_DecryptUpdate(ctx, plain, &n, bytes + FRONT_LEN, (int)plain_len) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, bytes + FRONT_LEN + plain_len) == 1 &&
         EVP_DecryptFinal_ex(ctx, plain + plain_len, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!ok)
        return VSR_E_INVALID;
    *ret_plain = str_make((const char *)plain, plain_len);
    return 0;
}
