#include "net/tls.h"

#include <stdint.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "core/mem.h"

enum { TLS_PATH_LEN_MAX = 4096 };

struct tls_client {
    SSL_CTX *ctx;
};

struct tls_server {
    SSL_CTX *ctx;
};

/* What OpenSSL says about the last failure; empties its queue. */
static int fail(struct vsr_err *err, const char *what, vsr_str file) {
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return err_set(err, VSR_E_TLS, "%s %.*s: %s", what, VSR_FMT(file), reason ? reason : "unknown TLS error");
}

static int path_to_c(vsr_str path, char out[static TLS_PATH_LEN_MAX], struct vsr_err *err) {
    if (path.len == 0 || path.len >= TLS_PATH_LEN_MAX || memchr(path.ptr, '\0', path.len))
        return err_set(err, VSR_E_INVALID, "not a usable file name");
    memcpy(out, path.ptr, path.len);
    out[path.len] = '\0';
    return 0;
}

static SSL_CTX *ctx_new(const SSL_METHOD *method) {
    SSL_CTX *ctx = SSL_CTX_new(method);
    if (!ctx)
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* Our write queue moves when it grows, and a short write is the socket's backpressure. Idle sessions hold no
     * buffers. */
    SSL_CTX_set_mode(ctx,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    return ctx;
}

static int client_trust(SSL_CTX *ctx, const struct tls_client_options *options, struct vsr_err *err) {
    char path[TLS_PATH_LEN_MAX];
    int rc;
    if (options->insecure) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return 0;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (options->ca_file.len == 0)
        return SSL_CTX_set_default_verify_paths(ctx) == 1 ? 0
                                                          : fail(err, "cannot use", VSR_STR("the system's CA store"));
    rc = path_to_c(options->ca_file, path, err);
    if (rc < 0)
        return rc;
    if (SSL_CTX_load_verify_locations(ctx, path, NULL) != 1)
        return fail(err, "cannot read CA file", options->ca_file);
    return 0;
}

int tls_client_new(const struct tls_client_options *options, struct tls_client **ret_tls, struct vsr_err *err) {
    static const unsigned char alpn[] = "\x08http/1.1";
    struct tls_client *tls;
    SSL_CTX *ctx;
    int rc;
    ERR_clear_error();
    ctx = ctx_new(TLS_client_method());
    if (!ctx)
        return fail(err, "cannot make", VSR_STR("a TLS context"));
    rc = client_trust(ctx, options, err);
    if (rc == 0 && SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1) != 0)
        rc = fail(err, "cannot make", VSR_STR("a TLS context"));
    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    tls = MEM_NEW(struct tls_client);
    tls->ctx = ctx;
    *ret_tls = tls;
    return 0;
}

void tls_client_free(struct tls_client *tls) {
    if (!tls)
        return;
    SSL_CTX_free(tls->ctx);
    mem_free(tls);
}

static int server_identity(SSL_CTX *ctx, vsr_str cert_file, vsr_str key_file, struct vsr_err *err) {
    char path[TLS_PATH_LEN_MAX];
    int rc = path_to_c(cert_file, path, err);
    if (rc < 0)
        return rc;
    if (SSL_CTX_use_certificate_chain_file(ctx, path) != 1)
        return fail(err, "cannot read certificate file", cert_file);
    rc = path_to_c(key_file, path, err);
    if (rc < 0)
        return rc;
    if (SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) != 1)
        return fail(err, "cannot read key file", key_file);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return fail(err, "key does not belong to the certificate:", key_file);
    return 0;
}

int tls_server_new(vsr_str cert_file, vsr_str key_file, struct tls_server **ret_tls, struct vsr_err *err) {
    struct tls_server *tls;
    SSL_CTX *ctx;
    int rc;
    ERR_clear_error();
    ctx = ctx_new(TLS_server_method());
    if (!ctx)
        return fail(err, "cannot make", VSR_STR("a TLS context"));
    rc = server_identity(ctx, cert_file, key_file, err);
    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    tls = MEM_NEW(struct tls_server);
    tls->ctx = ctx;
    *ret_tls = tls;
    return 0;
}

void tls_server_free(struct tls_server *tls) {
    if (!tls)
        return;
    SSL_CTX_free(tls->ctx);
    mem_free(tls);
}

void *tls_client_ctx(const struct tls_client *tls) {
    return tls->ctx;
}

void *tls_server_ctx(const struct tls_server *tls) {
    return tls->ctx;
}
