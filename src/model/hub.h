/*
 * hub - gets models: from a hub over HTTPS, from a mirror of one, or from a directory.
 *
 *     GET {endpoint}/api/models/{repo}/revision/{revision}   a commit, and its files with sizes and hashes
 *     GET {endpoint}/{repo}/resolve/{commit}/{file}          one file, usually by way of a redirect
 *
 * Only what running the model needs is fetched (hub_listing.h), several files at a time, each resumed where an earlier
 * attempt ended. Sizes and hashes are checked before a file counts, the whole before it takes its place (stage.h). What
 * lies at the destination already and is right is not fetched again.
 *
 * Blocks. One thread per call; calls for different directories may run at the same time.
 */
#ifndef VSR_MODEL_HUB_H
#define VSR_MODEL_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

#define HUB_ENDPOINT "https://huggingface.co"

enum {
    HUB_PARALLEL_DEFAULT = 4,
    HUB_PARALLEL_MAX = 16,
    HUB_STALL_SECONDS = 30,
    HUB_FUTILE_MAX = 5,    /* attempts at one file in a row that brought nothing */
    HUB_ATTEMPTS_MAX = 64, /* attempts at one file in all */
    HUB_PATTERNS_MAX = 64,
};

/* Why there is no model: what a program does next depends on it. */
#define HUB_FAILURES(X) \
    X(NONE, "none") \
    X(GATED, "gated")           /* terms to accept, or a token that is missing or wrong */ \
    X(NOT_FOUND, "not_found")   /* no such repository, revision or directory */ \
    X(NETWORK, "network")       /* no connection, or one that broke again and again */ \
    X(SERVER, "server")         /* an answer that makes no sense, or "try later" */ \
    X(CORRUPT, "corrupt")       /* bytes that are not those that were announced */ \
    X(UNSUITABLE, "unsuitable") /* a repository that vsr cannot run, or that is hostile */ \
    X(BUSY, "busy")             /* somebody else is at work on it */ \
    X(OFFLINE, "offline")       /* the network was not to be used */ \
    X(LOCAL, "local")           /* disk, permissions, files that are not vsr's to replace */

enum hub_failure {
#define X(name, text) HUB_FAILURE_##name,
    HUB_FAILURES(X)
#undef X
};

const char *hub_failure_name(enum hub_failure failure);

struct hub_progress {
    const char *what;               /* path of a file; NULL: several or none */
    uint64_t bytes_done, bytes_all; /* bytes_all: of the files whose size is known */
    size_t files_done, files_all;
};

struct hub_options {
    vsr_str endpoint;            /* empty: HUB_ENDPOINT */
    vsr_str token;               /* empty: none */
    vsr_str ca_file;             /* empty: the system's */
    bool offline;                /* asks nobody: only what is there already counts */
    bool force;                  /* replaces files that vsr did not bring, and looks at every byte of those it did */
    unsigned parallel;           /* 0: HUB_PARALLEL_DEFAULT */
    unsigned stall_seconds;      /* 0: HUB_STALL_SECONDS */
    const char *const *patterns; /* files wanted besides, see hub_file_wanted() */
    size_t n_patterns;
    void (*progress)(void *data, const struct hub_progress *progress); /* NULL: nobody listens */
    void *data;
};

struct hub_request {
    vsr_str repo_id;
    vsr_str revision;  /* branch, tag or commit; empty: main */
    vsr_str directory; /* where the model is to lie */
    vsr_str from;      /* a model's directory to copy instead of asking a hub; empty: none */
};

/* Set in any case; after a failure as far as known. Strings live in the arena. */
struct hub_result {
    enum hub_failure failure;
    vsr_str commit; /* empty: unknown */
    bool unchanged; /* everything was there already */
    size_t n_files, n_fetched;
    uint64_t bytes, bytes_fetched;
};

/* 0, or a code with an explanation that ends in what to do. */
int hub_pull(struct arena *arena, const struct hub_options *options, const struct hub_request *request,
             struct hub_result *ret, struct vsr_err *err) VSR_MUST_CHECK;

#endif
