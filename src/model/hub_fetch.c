#include "model/hub_fetch.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/url.h"
#include "model/file.h"
#include "model/stage.h"
#include "model/transfer.h"

enum {
    BACKOFF_MS = 500,
    BACKOFF_MS_MAX = 8000,
    RETRY_AFTER_MS_MAX = 30000,
    WAIT_MS = 200,
    LISTING_FUTILE_MAX = 3, /* somebody waits for the first sign of life */
    READ_LEN = 256 << 10,
    UNSIZED_LEN_MAX = 256 << 20, /* of a file whose size nobody says: no room was reckoned for it */
};

struct hub_fetch {
    const struct hub_options *options;
    vsr_str endpoint; /* without a slash at its end */
    vsr_str shown;    /* of it, in `arena` */
    struct arena *arena;
    struct transfers *transfers;
};

/* Attempts at one thing. */
struct attempts {
    unsigned futile, all;
    uint64_t not_before_ms;
};

vsr_str hub_file_key(const struct hub_listing *listing, const struct hub_file *file) {
    return file->digest.kind != DIGEST_NONE ? str_from_c(file->digest.hex)
           : listing->commit.len > 0        ? listing->commit
                                            : VSR_STR("copy");
}

int hub_fetch_new(const struct hub_options *options, struct hub_fetch **ret_fetch, struct vsr_err *err) {
    struct hub_fetch *fetch = MEM_NEW(struct hub_fetch);
    struct transfer_options transfer = {
        .token = options->token,
        .ca_file = options->ca_file,
        .stall_seconds = options->stall_seconds > 0 ? options->stall_seconds : HUB_STALL_SECONDS,
    };
    int rc;
    fetch->options = options;
    fetch->endpoint = options->endpoint.len > 0 ? options->endpoint : VSR_STR(HUB_ENDPOINT);
    while (fetch->endpoint.len > 0 && fetch->endpoint.ptr[fetch->endpoint.len - 1] == '/')
        fetch->endpoint.len--;
    transfer.origin = fetch->endpoint;
    fetch->arena = arena_new(0, 0);
    fetch->shown = url_shown(fetch->arena, fetch->endpoint);
    rc = transfers_new(&transfer, &fetch->transfers, err);
    if (rc < 0) {
        hub_fetch_free(fetch);
        return rc;
    }
    *ret_fetch = fetch;
    return 0;
}

void hub_fetch_free(struct hub_fetch *fetch) {
    if (!fetch)
        return;
    transfers_free(fetch->transfers);
    arena_free(fetch->arena);
    mem_free(fetch);
}

/* ---- addresses */

/* `text` with everything escaped that means something in an address; slashes stay if `path`. */
static void append_escaped(struct buf *out, vsr_str text, bool path) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if ((c != 0 && strchr(plain, c)) || (path && c == '/'))
            buf_append_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static vsr_str make_url(struct arena *arena, struct buf *url) {
    vsr_str copy = arena_str(arena, buf_str(url)); /* names and revisions have limits far below the buffer's */
    buf_done(url);
    return copy;
}

static vsr_str listing_url(const struct hub_fetch *fetch, struct arena *arena, vsr_str repo_id, vsr_str revision) {
    struct buf url;
    buf_init(&url, TRANSFER_URL_LEN_MAX - 1);
    buf_printf(&url, "%.*s/api/models/%.*s/revision/", VSR_FMT(fetch->endpoint), VSR_FMT(repo_id));
    append_escaped(&url, str_sub(revision, 0, MANIFEST_PATH_LEN_MAX), false);
    buf_append_c(&url, "?blobs=true");
    return make_url(arena, &url);
}

static vsr_str file_url(const struct hub_fetch *fetch, struct arena *arena, const struct hub_fetch_files *files,
                        vsr_str path) {
    struct buf url;
    buf_init(&url, TRANSFER_URL_LEN_MAX - 1);
    buf_printf(&url, "%.*s/%.*s/resolve/%.*s/", VSR_FMT(fetch->endpoint), VSR_FMT(files->repo_id),
               VSR_FMT(files->listing->commit));
    append_escaped(&url, path, true);
    return make_url(arena, &url);
}

/* ---- what a refusal means */

static int explain_gated(const struct hub_fetch *fetch, vsr_str repo_id, struct vsr_err *err) {
    if (fetch->options->token.len == 0)
        return err_set(err, VSR_E_UNAVAILABLE,
                       "%.*s is gated: accept its terms at %.*s/%.*s, then set HF_TOKEN to a token of that account",
                       VSR_FMT(repo_id), VSR_FMT(fetch->shown), VSR_FMT(repo_id));
    if (!transfers_send_token(fetch->transfers))
        return err_set(
            err, VSR_E_UNAVAILABLE,
            "%.*s is gated, and the token was kept back, because %.*s is not encrypted: use an https address",
            VSR_FMT(repo_id), VSR_FMT(fetch->shown));
    return err_set(
        err, VSR_E_UNAVAILABLE,
        "%.*s is gated, and the account of the token in HF_TOKEN has no access: accept its terms at %.*s/%.*s",
        VSR_FMT(repo_id), VSR_FMT(fetch->shown), VSR_FMT(repo_id));
}

static int explain_not_found(const struct hub_fetch *fetch, vsr_str repo_id, const char *code, vsr_str what,
                             struct vsr_err *err) {
    if (strcmp(code, "RevisionNotFound") == 0)
        return err_set(err, VSR_E_NOT_FOUND, "%.*s has no such revision: look at %.*s/%.*s/commits", VSR_FMT(repo_id),
                       VSR_FMT(fetch->shown), VSR_FMT(repo_id));
    if (what.len > 0)
        return err_set(err, VSR_E_NOT_FOUND, "%.*s lists \"%.*s\", but %.*s does not have it: try again later",
                       VSR_FMT(repo_id), VSR_FMT(what), VSR_FMT(fetch->shown));
    return err_set(err, VSR_E_NOT_FOUND,
                   "there is no repository %.*s at %.*s, or it is private: check its name; for a private one set "
                   "HF_TOKEN to a token that may read it",
                   VSR_FMT(repo_id), VSR_FMT(fetch->shown));
}

/* `what`: a file, or empty for the listing. */
static int explain_status(const struct hub_fetch *fetch, vsr_str repo_id, vsr_str what,
                          const struct transfer_head *head, enum hub_failure *ret_failure, struct vsr_err *err) {
    if (head->status == 404 || strcmp(head->error_code, "RepoNotFound") == 0) {
        *ret_failure = HUB_FAILURE_NOT_FOUND;
        return explain_not_found(fetch, repo_id, head->error_code, what, err);
    }
    if (head->status == 401 || head->status == 403) {
        *ret_failure = HUB_FAILURE_GATED;
        return explain_gated(fetch, repo_id, err);
    }
    *ret_failure = HUB_FAILURE_SERVER;
    return err_set(err, VSR_E_UNAVAILABLE,
                   "%.*s answers with HTTP status %d: try again later, or name a mirror with "
                   "--endpoint or HF_ENDPOINT",
                   VSR_FMT(fetch->shown), head->status);
}

static int explain_network(const struct hub_fetch *fetch, enum hub_failure *ret_failure, struct vsr_err *err) {
    struct vsr_err cause = *err;
    *ret_failure = HUB_FAILURE_NETWORK;
    return err_set(err, cause.code,
                   "no way to %.*s: %.160s. Check the network and HTTPS_PROXY, name a mirror with --endpoint or "
                   "HF_ENDPOINT, or copy the files from a directory with --from; what is here already is used then",
                   VSR_FMT(fetch->shown), cause.text);
}

static bool status_is_temporary(int status) {
    return status == 408 || status == 429 || status >= 500;
}

static bool code_is_temporary(int code) {
    return code == VSR_E_CLOSED || code == VSR_E_TIMEOUT || code == VSR_E_REFUSED || code == VSR_E_DNS;
}

/* Whether there is to be another attempt, and when. */
static bool try_again(struct attempts *attempts, bool progress, unsigned futile_max, unsigned retry_after_seconds) {
    uint64_t pause_ms;
    attempts->futile = progress ? 0 : attempts->futile + 1;
    if (attempts->futile >= futile_max || ++attempts->all >= HUB_ATTEMPTS_MAX)
        return false;
    pause_ms = (uint64_t)BACKOFF_MS << attempts->futile >> 1;
    if (pause_ms > BACKOFF_MS_MAX)
        pause_ms = BACKOFF_MS_MAX;
    if (retry_after_seconds > 0)
        pause_ms = (uint64_t)retry_after_seconds * 1000;
    if (pause_ms > RETRY_AFTER_MS_MAX)
        pause_ms = RETRY_AFTER_MS_MAX;
    attempts->not_before_ms = clock_mono_ms() + pause_ms;
    return true;
}

static bool is_due(const struct attempts *attempts) {
    return clock_mono_ms() >= attempts->not_before_ms;
}

/* ---- the listing */

static int listing_begin(void *data, const struct transfer_head *head, struct vsr_err *err) {
    (void)head;
    (void)err;
    buf_reset(data);
    return 0;
}

static int listing_body(void *data, vsr_str bytes, struct vsr_err *err) {
    int rc = buf_append(data, bytes);
    return rc < 0 ? err_set(err, rc, "the list of files is larger than %d bytes", HUB_LISTING_LEN_MAX) : 0;
}

/* One attempt. 1: another one is due later. */
static int ask_listing(struct hub_fetch *fetch, vsr_str repo_id, struct transfer *transfer, struct attempts *attempts,
                       enum hub_failure *ret_failure, struct vsr_err *err) {
    const struct transfer_head *head = &transfer->head;
    while (!is_due(attempts))
        (void)transfers_wait(fetch->transfers, WAIT_MS); /* nothing is under way */
    transfers_start(fetch->transfers, transfer);
    while (transfers_wait(fetch->transfers, WAIT_MS) == NULL)
        continue;
    *err = transfer->err;
    if (transfer->rc == 0 && head->status == 200)
        return 0;
    if ((transfer->rc == 0 ? status_is_temporary(head->status) : code_is_temporary(transfer->rc)) &&
        try_again(attempts, false, LISTING_FUTILE_MAX, head->retry_after_seconds))
        return 1;
    if (transfer->rc == 0)
        return explain_status(fetch, repo_id, VSR_STR(""), head, ret_failure, err);
    *ret_failure = HUB_FAILURE_SERVER;
    return transfer->from_callback ? transfer->rc : explain_network(fetch, ret_failure, err);
}

int hub_fetch_listing(struct hub_fetch *fetch, struct arena *arena, vsr_str repo_id, vsr_str revision,
                      vsr_str *ret_json, enum hub_failure *ret_failure, struct vsr_err *err) {
    struct attempts attempts = { 0 };
    struct buf body;
    struct transfer transfer = {
        .url = listing_url(fetch, arena, repo_id, revision),
        .begin = listing_begin,
        .body = listing_body,
        .data = &body,
    };
    int rc;
    buf_init(&body, HUB_LISTING_LEN_MAX);
    do
        rc = ask_listing(fetch, repo_id, &transfer, &attempts, ret_failure, err);
    while (rc > 0);
    if (rc == 0)
        *ret_json = arena_str(arena, buf_str(&body));
    buf_done(&body);
    return rc;
}

/* ---- files */

struct fetching {
    struct hub_fetch *fetch;
    struct arena *arena;
    const struct hub_fetch_files *files;
    struct download *downloads;
    size_t n_running, n_done;
};

struct download {
    struct fetching *owner;
    size_t index;         /* in the listing */
    struct hub_file file; /* with what the answer adds to the listing */
    vsr_str key;
    struct transfer transfer;
    struct attempts attempts;
    enum { DOWNLOAD_WAITS, DOWNLOAD_RUNS, DOWNLOAD_DONE } state;
    enum hub_failure failure; /* of a callback's error */
    int fd;                   /* of the part; -1: not opened yet */
    uint64_t len;             /* bytes in the part */
    uint64_t len_before;      /* when the attempt began */
    struct digest_run *sha256;
    bool resumed;   /* some bytes are of an earlier attempt */
    bool restarted; /* the part had to be given up once */
};

static void tell_bytes(const struct download *d, int64_t n, bool fetched) {
    d->owner->files->on_bytes(d->owner->files->data, d->index, n, fetched);
}

static int local_error(struct download *d, const char *what, struct vsr_err *err) {
    d->failure = HUB_FAILURE_LOCAL;
    return err_set(err, VSR_E_IO, "cannot %s the part of \"%.*s\": %s%s", what, VSR_FMT(d->file.path), strerror(errno),
                   file_write_hint(errno));
}

static int corrupt(struct download *d, struct vsr_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int corrupt(struct download *d, struct vsr_err *err, const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut where it is longer */
    va_end(args);
    d->failure = HUB_FAILURE_CORRUPT;
    return err_set(err, VSR_E_PROTOCOL, "\"%.*s\": %s. Try again, or another mirror", VSR_FMT(d->file.path), text);
}

static int give_up_part(struct download *d, struct vsr_err *err) {
    if (ftruncate(d->fd, 0) != 0)
        return local_error(d, "empty", err);
    tell_bytes(d, -(int64_t)d->len, false);
    d->len = 0;
    d->resumed = false;
    digest_run_free(d->sha256);
    d->sha256 = digest_run_new(DIGEST_SHA256, 0);
    return 0;
}

/* What is there of an earlier attempt goes through the hash again. */
static int read_part(struct download *d, struct vsr_err *err) {
    char *bytes = mem_alloc(READ_LEN);
    uint64_t at = 0;
    int rc = 0;
    while (rc == 0 && at < d->len) {
        ssize_t n = pread(d->fd, bytes, READ_LEN, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            rc = local_error(d, "read", err);
            break;
        }
        digest_run_add(d->sha256, str_make(bytes, (size_t)n));
        at += (uint64_t)n;
    }
    mem_free(bytes);
    return rc;
}

static int open_part(struct download *d, struct vsr_err *err) {
    int rc = stage_part_open(d->owner->files->stage, d->file.path, d->key, &d->fd, &d->len, err);
    if (rc < 0) {
        d->failure = HUB_FAILURE_LOCAL;
        return rc;
    }
    d->sha256 = digest_run_new(DIGEST_SHA256, 0);
    tell_bytes(d, (int64_t)d->len, false);
    if (d->len > (d->file.size >= 0 ? (uint64_t)d->file.size : (uint64_t)UNSIZED_LEN_MAX))
        return give_up_part(d, err);
    d->resumed = d->len > 0;
    return read_part(d, err);
}

/* What the listing left open, the first answer says. */
static void learn(struct download *d, const struct transfer_head *head) {
    const char *const tags[] = { head->linked_etag, head->etag };
    if (d->file.size < 0)
        d->file.size = head->linked_size >= 0 ? head->linked_size
                       : head->status == 206  ? head->range_total
                                              : head->length;
    for (size_t i = 0; i < VSR_COUNT(tags) && d->file.digest.kind == DIGEST_NONE; i++)
        if (!digest_set(&d->file.digest, DIGEST_SHA256, str_from_c(tags[i])))
            (void)digest_set(&d->file.digest, DIGEST_GIT_BLOB, str_from_c(tags[i]));
}

static int file_begin(void *data, const struct transfer_head *head, struct vsr_err *err) {
    struct download *d = data;
    int64_t announced = head->status == 206 ? head->range_total : head->length;
    learn(d, head);
    if (d->file.size >= 0 && announced >= 0 && announced != d->file.size)
        return corrupt(d, err, "%lld bytes are announced, the repository lists %lld", (long long)announced,
                       (long long)d->file.size);
    if (head->status != 206)
        return d->len > 0 ? give_up_part(d, err) : 0; /* the server does not resume */
    if (d->file.size >= 0 && d->len > (uint64_t)d->file.size)
        return corrupt(d, err, "it has %lld bytes, more are here already", (long long)d->file.size);
    if (head->range_start < 0 || (uint64_t)head->range_start != d->len)
        return corrupt(d, err, "bytes from %llu on were asked for, others came", (unsigned long long)d->len);
    return 0;
}

static int file_body(void *data, vsr_str bytes, struct vsr_err *err) {
    struct download *d = data;
    if (d->file.size >= 0 && bytes.len > (uint64_t)d->file.size - d->len) {
        int rc = give_up_part(d, err);
        return rc < 0 ? rc : corrupt(d, err, "more than its %lld bytes come", (long long)d->file.size);
    }
    if (d->file.size < 0 && bytes.len > UNSIZED_LEN_MAX - d->len) {
        int rc = give_up_part(d, err);
        return rc < 0 ? rc : corrupt(d, err, "nobody says its size, and more than %d bytes come", UNSIZED_LEN_MAX);
    }
    digest_run_add(d->sha256, bytes);
    while (bytes.len > 0) {
        ssize_t n = pwrite(d->fd, bytes.ptr, bytes.len, (off_t)d->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return local_error(d, "write", err);
        d->len += (uint64_t)n;
        tell_bytes(d, n, true);
        bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    return 0;
}

static int content_digest(struct download *d, struct digest *ret_found, struct digest *ret_sha256,
                          struct vsr_err *err) {
    *ret_sha256 = digest_run_end(d->sha256);
    digest_run_free(d->sha256);
    d->sha256 = NULL;
    *ret_found = *ret_sha256;
    if (d->file.digest.kind != DIGEST_GIT_BLOB)
        return 0;
    if (lseek(d->fd, 0, SEEK_SET) != 0)
        return local_error(d, "read", err);
    d->failure = HUB_FAILURE_LOCAL;
    return digest_fd(d->fd, DIGEST_GIT_BLOB, d->len, NULL, ret_found, err);
}

/* All bytes are there: 0 when they are the right ones, 1 when it is worth to begin anew. */
static int finish(struct download *d, struct vsr_err *err) {
    struct digest found, sha256;
    int rc = content_digest(d, &found, &sha256, err);
    if (rc < 0)
        return rc;
    if (d->file.digest.kind != DIGEST_NONE && !digest_eq(&found, &d->file.digest)) {
        bool again = d->resumed && !d->restarted; /* perhaps the earlier attempt's bytes are to blame */
        if ((rc = give_up_part(d, err)) < 0)
            return rc;
        d->restarted = true;
        return again ? 1 : corrupt(d, err, "it has hash %s, the repository lists %s", found.hex, d->file.digest.hex);
    }
    rc = stage_part_finish(d->owner->files->stage, d->file.path, d->key, d->fd, err);
    d->fd = -1;
    if (rc < 0) {
        d->failure = HUB_FAILURE_LOCAL;
        return rc;
    }
    d->state = DOWNLOAD_DONE;
    d->owner->n_done++;
    d->owner->files->on_fetched(d->owner->files->data, d->index, d->len, &sha256);
    return 0;
}

static bool is_whole(const struct download *d) {
    return d->file.size >= 0 && d->len == (uint64_t)d->file.size;
}

static int start(struct download *d, struct vsr_err *err) {
    int rc = d->fd < 0 ? open_part(d, err) : 0;
    if (rc == 0 && is_whole(d) && d->len > 0)
        rc = finish(d, err); /* the last attempt ended between the last byte and the name; 1: asked for anew */
    if (rc < 0 || d->state == DOWNLOAD_DONE)
        return rc;
    d->len_before = d->len;
    d->transfer.offset = d->len;
    d->state = DOWNLOAD_RUNS;
    d->owner->n_running++;
    transfers_start(d->owner->fetch->transfers, &d->transfer);
    return 0;
}

/* The attempt brought no whole file, for a reason that may pass. */
static int later(struct download *d, unsigned retry_after_seconds) {
    return try_again(&d->attempts, d->len > d->len_before, HUB_FUTILE_MAX, retry_after_seconds);
}

static int ended(struct download *d, struct vsr_err *err) {
    const struct transfer_head *head = &d->transfer.head;
    struct hub_fetch *fetch = d->owner->fetch;
    d->state = DOWNLOAD_WAITS;
    d->owner->n_running--;
    *err = d->transfer.err;
    if (d->transfer.from_callback)
        return d->transfer.rc;
    if (d->transfer.rc < 0) {
        if (code_is_temporary(d->transfer.rc) && later(d, 0))
            return 0;
        return explain_network(fetch, &d->failure, err);
    }
    if (head->status == 200 || head->status == 206) {
        if (d->file.size < 0 || is_whole(d))
            return finish(d, err) < 0 ? err->code : 0;
        if (later(d, 0))
            return 0;
        (void)err_set(err, VSR_E_CLOSED, "\"%.*s\" ends early again and again", VSR_FMT(d->file.path));
        return explain_network(fetch, &d->failure, err);
    }
    if (head->status == 416 && d->len > 0 && !d->restarted) {
        d->restarted = true;
        return give_up_part(d, err);
    }
    if (status_is_temporary(head->status) && later(d, head->retry_after_seconds))
        return 0;
    return explain_status(fetch, d->owner->files->repo_id, d->file.path, head, &d->failure, err);
}

/* Starts what is due, as far as there is room. */
static int start_due(struct fetching *f, enum hub_failure *ret_failure, struct vsr_err *err) {
    unsigned parallel = f->fetch->options->parallel;
    parallel = parallel == 0 ? HUB_PARALLEL_DEFAULT : parallel > HUB_PARALLEL_MAX ? HUB_PARALLEL_MAX : parallel;
    for (size_t i = 0; i < f->files->n_missing && f->n_running < parallel; i++) {
        struct download *d = &f->downloads[i];
        int rc;
        if (d->state != DOWNLOAD_WAITS || !is_due(&d->attempts))
            continue;
        rc = start(d, err);
        if (rc < 0) {
            *ret_failure = d->failure;
            return rc;
        }
    }
    return 0;
}

static int run(struct fetching *f, enum hub_failure *ret_failure, struct vsr_err *err) {
    while (f->n_done < f->files->n_missing) {
        struct transfer *transfer;
        int rc = start_due(f, ret_failure, err);
        if (rc < 0)
            return rc;
        if (f->n_done == f->files->n_missing)
            break;
        transfer = transfers_wait(f->fetch->transfers, WAIT_MS);
        if (!transfer)
            continue;
        rc = ended(transfer->data, err);
        if (rc < 0) {
            *ret_failure = ((struct download *)transfer->data)->failure;
            return rc;
        }
    }
    return 0;
}

static void prepare(struct fetching *f, struct download *d, size_t index) {
    *d = (struct download){ .owner = f, .index = index, .file = f->files->listing->files[index], .fd = -1 };
    d->key = arena_str(f->arena, hub_file_key(f->files->listing, &d->file));
    d->transfer = (struct transfer){
        .url = file_url(f->fetch, f->arena, f->files, d->file.path),
        .begin = file_begin,
        .body = file_body,
        .data = d,
    };
}

int hub_fetch_files(struct hub_fetch *fetch, struct arena *arena, const struct hub_fetch_files *files,
                    enum hub_failure *ret_failure, struct vsr_err *err) {
    struct fetching f = { .fetch = fetch, .arena = arena, .files = files };
    int rc;
    f.downloads = ARENA_ARRAY(arena, struct download, files->n_missing);
    for (size_t i = 0; i < files->n_missing; i++)
        prepare(&f, &f.downloads[i], files->missing[i]);
    rc = run(&f, ret_failure, err);
    for (size_t i = 0; i < files->n_missing; i++) {
        digest_run_free(f.downloads[i].sha256);
        file_close(&f.downloads[i].fd);
    }
    return rc;
}
