/*
 * transfer - HTTP downloads, several at a time, over libcurl.
 *
 * Redirects are followed here and not in the library, because what happens at one is policy: the token goes to the
 * origin (scheme, host, port) that it was given for and to nobody else, encryption is never given up on the way, and
 * the first answer's headers count, since the hub describes a file there and sends its bytes from elsewhere. Proxies
 * are those of the usual environment variables.
 *
 * One thread runs a set of transfers; callbacks come from transfers_wait().
 */
#ifndef VSR_MODEL_TRANSFER_H
#define VSR_MODEL_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum {
    TRANSFER_URL_LEN_MAX = 16 << 10, /* signed addresses of storage run to 3 KB */
    TRANSFER_HEADER_LEN_MAX = 512,   /* longer values are as good as none */
    TRANSFER_REDIRECTS_MAX = 8,
    TRANSFER_CONNECT_SECONDS = 15,
};

struct transfer_options {
    vsr_str origin;         /* the address whose origin gets the token */
    vsr_str token;          /* empty: none. Never sent without TLS, except to this machine */
    vsr_str ca_file;        /* PEM; empty: the system's */
    unsigned stall_seconds; /* without a byte until a transfer counts as dead */
};

/* What the answer says. Of redirects: what the first one said about the file. */
struct transfer_head {
    int status;                   /* of the last answer; 0: there was none */
    int64_t length;               /* of this body; -1: unknown */
    int64_t range_start;          /* of a partial body; -1: the answer is no such thing */
    int64_t range_total;          /* length of the whole; -1: unknown */
    unsigned retry_after_seconds; /* 0: not said */
    char etag[TRANSFER_HEADER_LEN_MAX], linked_etag[TRANSFER_HEADER_LEN_MAX];
    int64_t linked_size;                      /* -1: not said */
    char error_code[TRANSFER_HEADER_LEN_MAX]; /* the hub's word for what is wrong */
};

struct transfer {
    /* Set by the caller, kept unchanged until the transfer is done. */
    vsr_str url;
    uint64_t offset; /* bytes that are here already */
    /* Before the body of a 200 or 206, and for each piece of it. A negative result ends the transfer with that error.
     */
    int (*begin)(void *data, const struct transfer_head *head, struct vsr_err *err);
    int (*body)(void *data, vsr_str bytes, struct vsr_err *err);
    void *data;
    /* Result. */
    int rc; /* 0: an answer came whole, whatever its status; else the code of `err` */
    struct vsr_err err;
    struct transfer_head head;
    bool from_callback; /* the error is begin's or body's */
};

struct transfers;

/* Copies the options. VSR_E_INVALID for an origin that is no http or https address. */
int transfers_new(const struct transfer_options *options, struct transfers **ret_transfers,
                  struct vsr_err *err) VSR_MUST_CHECK;
/* Ends what is still running, without a callback. */
void transfers_free(struct transfers *transfers);

/* Whether the token goes along at all. */
bool transfers_send_token(const struct transfers *transfers);

/* Keeps `transfer` until it is done. Never fails: problems are the transfer's result. */
void transfers_start(struct transfers *transfers, struct transfer *transfer);

/* Works for at most `wait_ms`; returns a transfer that is done, or NULL. */
struct transfer *transfers_wait(struct transfers *transfers, int wait_ms);

#endif
