#include "net/tls_session.h"

#include <arpa/inet.h>
#include <errno.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/tls.h"

enum { TLS_NAME_LEN_MAX = 255 }; /* longest DNS name */

static SSL *session_new(SSL_CTX *ctx, int fd, struct vsr_err *err) {
    SSL *ssl;
    ERR_clear_error();
    ssl = SSL_new(ctx);
    if (ssl && SSL_set_fd(ssl, fd) == 1)
        return ssl;
    SSL_free(ssl);
    ERR_clear_error();
    (void)err_set(err, VSR_E_NOMEM, "no memory for a TLS session");
    return NULL;
}

static bool is_address(const char *name) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static bool expect_name(SSL *ssl, vsr_str server_name) {
    char name[TLS_NAME_LEN_MAX + 1];
    if (server_name.len == 0 || server_name.len > TLS_NAME_LEN_MAX || memchr(server_name.ptr, '\0', server_name.len))
        return false;
    memcpy(name, server_name.ptr, server_name.len);
    name[server_name.len] = '\0';
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct ssl_st *tls_session_client(const struct tls_client *tls, int fd, vsr_str server_name, struct vsr_err *err) {
    SSL *ssl = session_new(tls_client_ctx(tls), fd, err);
    if (!ssl)
        return NULL;
    if (!expect_name(ssl, server_name)) {
        SSL_free(ssl);
        ERR_clear_error();
        (void)err_set(err, VSR_E_TLS, "\"%.*s\" is not a host name that a certificate can be checked against",
                      VSR_FMT(server_name));
        return NULL;
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

struct ssl_st *tls_session_server(const struct tls_server *tls, int fd, struct vsr_err *err) {
    SSL *ssl = session_new(tls_server_ctx(tls), fd, err);
    if (ssl)
        SSL_set_accept_state(ssl);
    return ssl;
}

/* Turns what a failed call left behind into a status and a text. */
static enum tls_status status_of(SSL *ssl, int rc, struct vsr_err *err) {
    int kind = SSL_get_error(ssl, rc), saved = errno;
    unsigned long code = ERR_peek_error();
    long verdict = SSL_get_verify_result(ssl);
    const char *reason = ERR_reason_error_string(code);
    switch (kind) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_EOF;
    case SSL_ERROR_SYSCALL:
        (void)err_set(err, VSR_E_CLOSED, "%s", saved ? strerror(saved) : "connection closed by the peer");
        ERR_clear_error();
        return TLS_CUT;
    default:
        break;
    }
    ERR_clear_error();
    if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        (void)err_set(err, VSR_E_CLOSED, "connection closed by the peer without a TLS close_notify");
        return TLS_CUT;
    }
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        reason = X509_verify_cert_error_string(verdict);
    (void)err_set(err, VSR_E_TLS, "TLS failed: %s", reason ? reason : "unknown error");
    return TLS_FAILED;
}

enum tls_status tls_session_handshake(struct ssl_st *ssl, struct vsr_err *err) {
    int rc;
    ERR_clear_error();
    errno = 0;
    rc = SSL_do_handshake(ssl);
    return rc == 1 ? TLS_OK : status_of(ssl, rc, err);
}

enum tls_status tls_session_read(struct ssl_st *ssl, char *ptr, size_t len, size_t *ret_len, struct vsr_err *err) {
    size_t done = 0;
    enum tls_status status = TLS_OK;
    while (done < len) {
        size_t n = 0;
        int rc;
        ERR_clear_error();
        errno = 0;
        rc = SSL_read_ex(ssl, ptr + done, len - done, &n);
        if (rc != 1) {
            status = status_of(ssl, rc, err);
            break;
        }
        done += n;
    }
    *ret_len = done;
    return status;
}

enum tls_status tls_session_write(struct ssl_st *ssl, vsr_str bytes, size_t *ret_len, struct vsr_err *err) {
    size_t done = 0;
    enum tls_status status = TLS_OK;
    while (done < bytes.len) {
        size_t n = 0;
        int rc;
        ERR_clear_error();
        errno = 0;
        rc = SSL_write_ex(ssl, bytes.ptr + done, bytes.len - done, &n);
        if (rc != 1) {
            status = status_of(ssl, rc, err);
            break;
        }
        done += n;
    }
    *ret_len = done;
    return status;
}

vsr_str tls_session_alpn(const struct ssl_st *ssl) {
    const unsigned char *name = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(ssl, &name, &len);
    return str_make((const char *)name, len);
}

size_t tls_session_peer_name(const struct ssl_st *ssl, char *out, size_t len_max) {
    const X509 *certificate = SSL_get0_peer_certificate(ssl);
    BIO *text;
    char *bytes = NULL;
    long len = 0;
    if (!certificate || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE || SSL_get_verify_result(ssl) != X509_V_OK)
        return 0;
    text = BIO_new(BIO_s_mem());
    if (text && X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0)
        len = BIO_get_mem_data(text, &bytes);
    if (len < 0 || (size_t)len > len_max)
        len = 0; /* half a name is another's */
    if (len > 0)
        memcpy(out, bytes, (size_t)len);
    BIO_free(text);
    ERR_clear_error();
    return (size_t)len;
}

void tls_session_shutdown(struct ssl_st *ssl) {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl))
        (void)SSL_shutdown(ssl); /* best effort: the socket is about to be closed or half-closed anyway */
    ERR_clear_error();
}

void tls_session_free(struct ssl_st *ssl) {
    SSL_free(ssl);
}
