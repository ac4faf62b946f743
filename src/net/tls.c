#include "net/tls.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "core/assert.h"
#include "core/mem.h"

enum { TLS_PATH_LEN_MAX = 4096 };

struct alpn {
    unsigned char bytes[TLS_ALPN_LEN_MAX + 1]; /* each name behind its length, as the protocol has it */
    unsigned len;
};

struct tls_client {
    SSL_CTX *ctx;
};

struct tls_server {
    _Atomic unsigned refs;
    SSL_CTX *ctx;
    struct alpn alpn;
};

/* What OpenSSL says about the last failure; empties its queue. */
static int fail(struct vsr_err *err, const char *what, vsr_str file) {
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
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

static int alpn_pack(const vsr_str *names, size_t n_names, struct alpn *alpn, struct vsr_err *err) {
    static const vsr_str http1 = VSR_STR_INIT("http/1.1");
    alpn->len = 0;
    if (n_names == 0) {
        names = &http1;
        n_names = 1;
    }
    for (size_t i = 0; i < n_names; i++) {
        vsr_str name = names[i];
        if (name.len == 0 || name.len + 1 > TLS_ALPN_LEN_MAX - alpn->len)
            return err_set(err, VSR_E_INVALID, "not a usable list of ALPN names");
        alpn->bytes[alpn->len++] = (unsigned char)name.len;
        memcpy(alpn->bytes + alpn->len, name.ptr, name.len);
        alpn->len += (unsigned)name.len;
    }
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

static int identity(SSL_CTX *ctx, vsr_str cert_file, vsr_str key_file, struct vsr_err *err) {
    char path[TLS_PATH_LEN_MAX];
    int rc = path_to_c(cert_file, path, err);
    if (rc < 0)
        return rc;
    if (SSL_CTX_use_certificate_chain_file(ctx, path) != 1)
        return fail(err, "cannot read certificate file", cert_file);
    rc = path_to_c(key_file, path, err);
    if (rc < 0)
        return rc;
    if (SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1)
        return fail(err, "cannot use key file", key_file); /* unreadable, or not the certificate's */
    return 0;
}

/* ---- clients */

static int client_setup(SSL_CTX *ctx, const struct tls_client_options *options, struct vsr_err *err) {
    struct alpn alpn;
    int rc = client_trust(ctx, options, err);
    if (rc == 0 && (options->cert_file.len || options->key_file.len))
        rc = identity(ctx, options->cert_file, options->key_file, err);
    if (rc == 0)
        rc = alpn_pack(options->alpn, options->n_alpn, &alpn, err);
    if (rc == 0 && SSL_CTX_set_alpn_protos(ctx, alpn.bytes, alpn.len) != 0)
        rc = fail(err, "cannot make", VSR_STR("a TLS context"));
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return rc;
}

int tls_client_new(const struct tls_client_options *options, struct tls_client **ret_tls, struct vsr_err *err) {
    struct tls_client *tls;
    SSL_CTX *ctx;
    int rc;
    ERR_clear_error();
    ctx = ctx_new(TLS_client_method());
    if (!ctx)
        return fail(err, "cannot make", VSR_STR("a TLS context"));
    rc = client_setup(ctx, options, err);
    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
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

/* ---- servers */

static int client_certificates(SSL_CTX *ctx, const struct tls_server_options *options, struct vsr_err *err) {
    static const unsigned char context[] = "vsr"; /* resumption is refused without one where clients are verified */
    STACK_OF(X509_NAME) * names;
    char path[TLS_PATH_LEN_MAX];
    int mode = SSL_VERIFY_PEER, rc;
    if (options->client_auth == TLS_CLIENT_NONE)
        return 0;
    rc = path_to_c(options->client_ca_file, path, err);
    if (rc < 0)
        return rc;
    names = SSL_load_client_CA_file(path);
    if (!names)
        return fail(err, "cannot read client CA file", options->client_ca_file);
    SSL_CTX_set_client_CA_list(ctx, names); /* takes them */
    if (SSL_CTX_load_verify_locations(ctx, path, NULL) != 1)
        return fail(err, "cannot read client CA file", options->client_ca_file);
    if (options->client_auth == TLS_CLIENT_REQUIRE)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ctx, mode, NULL);
    if (SSL_CTX_set_session_id_context(ctx, context, sizeof(context) - 1) != 1)
        return fail(err, "cannot make", VSR_STR("a TLS context"));
    return 0;
}

/* RFC 7301 3.2: the server's preference decides, and nothing in common ends the handshake. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *data) {
    const struct alpn *alpn = data;
    unsigned char *chosen;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, alpn->bytes, alpn->len, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int server_setup(struct tls_server *tls, const struct tls_server_options *options, struct vsr_err *err) {
    SSL_CTX *ctx = tls->ctx;
    int rc;
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets carry what is to be resumed */
    if (SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
        SSL_CTX_set_min_proto_version(ctx, options->min_version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION) != 1)
        return fail(err, "cannot make", VSR_STR("a TLS context"));
    rc = alpn_pack(options->alpn, options->n_alpn, &tls->alpn, err);
    if (rc == 0)
        rc = identity(ctx, options->cert_file, options->key_file, err);
    if (rc == 0)
        rc = client_certificates(ctx, options, err);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, &tls->alpn);
    return rc;
}

int tls_server_new(const struct tls_server_options *options, struct tls_server **ret_tls, struct vsr_err *err) {
    struct tls_server *tls;
    SSL_CTX *ctx;
    int rc;
    VSR_ASSERT(options->min_version == 0 || options->min_version == 12 || options->min_version == 13);
    ERR_clear_error();
    ctx = ctx_new(TLS_server_method());
    if (!ctx)
        return fail(err, "cannot make", VSR_STR("a TLS context"));
    tls = MEM_NEW(struct tls_server);
    atomic_init(&tls->refs, 1);
    tls->ctx = ctx;
    rc = server_setup(tls, options, err);
    if (rc < 0)
        tls_server_unref(tls);
    else
        *ret_tls = tls;
    return rc;
}

struct tls_server *tls_server_ref(struct tls_server *tls) {
    atomic_fetch_add_explicit(&tls->refs, 1, memory_order_relaxed);
    return tls;
}

void tls_server_unref(struct tls_server *tls) {
    /* Release and acquire: whoever frees must see everything that other threads did with it. */
    if (!tls || atomic_fetch_sub_explicit(&tls->refs, 1, memory_order_acq_rel) != 1)
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
