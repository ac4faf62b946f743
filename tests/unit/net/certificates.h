/*
 * certificates - a throwaway certificate authority for tests.
 */
#ifndef VSR_TESTS_NET_CERTIFICATES_H
#define VSR_TESTS_NET_CERTIFICATES_H

#include <stdbool.h>
#include <stdlib.h>

#include "test.h"

/* A private authority and a certificate for "localhost" and 127.0.0.1, made by the openssl command. */
static inline bool make_certificates(char *dir, size_t len) {
    char command[2048];
    snprintf(dir, len, "/tmp/vsr-tls-XXXXXX");
    if (!mkdtemp(dir))
        return false;
    snprintf(
        command, sizeof(command),
        "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority "
        "-keyout ca.key -out ca.pem 2>/dev/null && "
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server -keyout server.key "
        "-out server.csr 2>/dev/null && "
        "printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n' > ext && "
        "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext "
        "-out server.pem 2>/dev/null",
        dir);
    return system(command) == 0;
}

static inline void remove_certificates(const char *dir) {
    char command[256];
    snprintf(command, sizeof(command), "rm -r %s", dir);
    CHECK(system(command) == 0, "rm");
}

static inline vsr_str in_dir(const char *dir, const char *file, char *out, size_t len) {
    snprintf(out, len, "%s/%s", dir, file);
    return str_from_c(out);
}

#endif
