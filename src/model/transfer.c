#include "model/transfer.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "core/url.h"

/* Libraries before 7.85 have the older form of the option only. */
#if LIBCURL_VERSION_NUM >= 0x075500
#define OPTION_PROTOCOLS CURLOPT_PROTOCOLS_STR
#define PROTOCOLS "http,https"
#else
#define OPTION_PROTOCOLS CURLOPT_PROTOCOLS
#define PROTOCOLS ((long)(CURLPROTO_HTTP | CURLPROTO_HTTPS))
#endif

enum { HOST_LEN_MAX = 256, RUNNING_MAX = 64, DISCARD_LEN_MAX = 1 << 20, RETRY_AFTER_MAX = 3600 };

struct origin {
    char scheme[8];
    char host[HOST_LEN_MAX];
    char port[8];
};

/* A transfer on its way. */
struct running {
    struct transfers *owner;
    struct transfer *transfer; /* NULL: the place is free */
    CURL *easy;
    struct curl_slist *headers;
    char url[TRANSFER_URL_LEN_MAX]; /* of the present hop */
    char curl_text[CURL_ERROR_SIZE];
    unsigned redirects;
    bool body_begun;
    size_t discarded;
};

struct transfers {
    CURLM *multi;
    struct origin origin;
    char *token, *ca_file;
    unsigned stall_seconds;
    struct running running[RUNNING_MAX];
};

/* ---- addresses */

static bool url_part(CURLU *url, CURLUPart part, unsigned flags, char *out, size_t len) {
    char *text = NULL;
    bool fits = curl_url_get(url, part, &text, flags) == CURLUE_OK && strlen(text) < len;
    if (fits)
        memcpy(out, text, strlen(text) + 1);
    curl_free(text);
    return fits;
}

static bool origin_parse(const char *text, struct origin *ret) {
    CURLU *url = curl_url();
    bool ok = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
              url_part(url, CURLUPART_SCHEME, 0, ret->scheme, sizeof(ret->scheme)) &&
              url_part(url, CURLUPART_HOST, 0, ret->host, sizeof(ret->host)) &&
              url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, ret->port, sizeof(ret->port)) &&
              (strcmp(ret->scheme, "https") == 0 || strcmp(ret->scheme, "http") == 0);
    curl_url_cleanup(url);
    return ok;
}

static bool origin_eq(const struct origin *a, const struct origin *b) {
    return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->port, b->port) == 0 &&
           str_eq_nocase(str_from_c(a->host), str_from_c(b->host));
}

static bool origin_is_private(const struct origin *origin) {
    return strcmp(origin->scheme, "https") == 0 || strcmp(origin->host, "127.0.0.1") == 0 ||
           strcmp(origin->host, "[::1]") == 0 || strcmp(origin->host, "localhost") == 0;
}

/* ---- headers */

static int64_t header_number(vsr_str value) {
    uint64_t number;
    return str_to_u64(value, &number) && number <= INT64_MAX ? (int64_t)number : -1;
}

/* Without quotes and the mark of a weak tag. */
static void header_text(vsr_str value, char out[static TRANSFER_HEADER_LEN_MAX]) {
    if (str_starts(value, VSR_STR("W/")))
        value = str_sub(value, 2, value.len);
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = str_sub(value, 1, value.len - 1);
    if (value.len >= TRANSFER_HEADER_LEN_MAX)
        return;
    memcpy(out, value.ptr, value.len);
    out[value.len] = 0;
}

/* "bytes 100-199/200" */
static void header_range(vsr_str value, struct transfer_head *head) {
    vsr_str unit = VSR_STR("bytes ");
    vsr_str rest = str_sub(value, unit.len, value.len), span, start;
    if (!str_starts(value, unit))
        return;
    span = str_split(&rest, '/');
    start = str_split(&span, '-');
    head->range_start = header_number(start);
    head->range_total = header_number(rest);
}

static void take_header(struct transfer_head *head, bool first, vsr_str name, vsr_str value) {
    if (str_eq_nocase(name, VSR_STR("content-length")))
        head->length = header_number(value);
    else if (str_eq_nocase(name, VSR_STR("content-range")))
        header_range(value, head);
    else if (str_eq_nocase(name, VSR_STR("retry-after"))) {
        int64_t seconds = header_number(value);
        head->retry_after_seconds = seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : seconds > 0 ? (unsigned)seconds : 0;
    } else if (str_eq_nocase(name, VSR_STR("x-error-code")))
        header_text(value, head->error_code);
    else if (first && str_eq_nocase(name, VSR_STR("etag")))
        header_text(value, head->etag);
    else if (first && str_eq_nocase(name, VSR_STR("x-linked-etag")))
        header_text(value, head->linked_etag);
    else if (first && str_eq_nocase(name, VSR_STR("x-linked-size")))
        head->linked_size = header_number(value);
}

static void head_reset(struct transfer_head *head, bool first) {
    head->status = 0;
    head->length = head->range_start = head->range_total = -1;
    head->retry_after_seconds = 0;
    head->error_code[0] = 0;
    if (!first)
        return;
    head->etag[0] = head->linked_etag[0] = 0;
    head->linked_size = -1;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *data) {
    struct running *running = data;
    vsr_str line = str_make(bytes, size * n), value = line;
    struct transfer_head *head = &running->transfer->head;
    if (str_starts(line, VSR_STR("HTTP/"))) { /* also after 100 Continue and a proxy's answer to CONNECT */
        head_reset(head, running->redirects == 0);
    } else if (str_find_char(line, ':') > 0) {
        vsr_str name = str_split(&value, ':');
        take_header(head, running->redirects == 0, name, str_trim(value));
    }
    return size * n;
}

/* ---- bodies */

static size_t refuse(struct running *running) {
    running->transfer->from_callback = true;
    return 0; /* which is not what was offered: the library gives up */
}

static int begin_body(struct running *running) {
    struct transfer *transfer = running->transfer;
    running->body_begun = true;
    return transfer->begin ? transfer->begin(transfer->data, &transfer->head, &transfer->err) : 0;
}

static bool has_content(int status) {
    return status == 200 || status == 206;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *data) {
    struct running *running = data;
    struct transfer *transfer = running->transfer;
    long status = 0;
    size_t len = size * n;
    curl_easy_getinfo(running->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->head.status = (int)status;
    if (!has_content(transfer->head.status)) { /* a page about an error */
        running->discarded += len;
        return running->discarded <= DISCARD_LEN_MAX ? len : 0;
    }
    if (!running->body_begun && begin_body(running) < 0)
        return refuse(running);
    return transfer->body(transfer->data, str_make(bytes, len), &transfer->err) < 0 ? refuse(running) : len;
}

/* ---- life */

static void global_init(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT); /* a failure shows as handles that cannot be made */
}

static char *copy_text(vsr_str text) {
    char *copy = text.len > 0 ? mem_alloc(text.len + 1) : NULL;
    if (copy)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

/* It becomes part of a header. */
static bool token_valid(vsr_str token) {
    for (size_t i = 0; i < token.len; i++)
        if ((unsigned char)token.ptr[i] <= 0x20 || (unsigned char)token.ptr[i] >= 0x7f)
            return false;
    return token.len <= TRANSFER_HEADER_LEN_MAX;
}

int transfers_new(const struct transfer_options *options, struct transfers **ret_transfers, struct vsr_err *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char origin[TRANSFER_URL_LEN_MAX];
    struct transfers *transfers;
    pthread_once(&once, global_init);
    if (!token_valid(options->token))
        return err_set(err, VSR_E_INVALID,
                       "the token holds characters that no token has; is there a line break in it?");
    transfers = MEM_NEW(struct transfers);
    (void)snprintf(origin, sizeof(origin), "%.*s", VSR_FMT(options->origin));
    if (!origin_parse(origin, &transfers->origin)) {
        struct arena *arena = arena_new(0, 0);
        mem_free(transfers);
        (void)err_set(err, VSR_E_INVALID, "\"%.*s\" is no address of a hub: expected https://HOST",
                      VSR_FMT(str_sub(url_shown(arena, str_from_c(origin)), 0, 200)));
        arena_free(arena);
        return VSR_E_INVALID;
    }
    transfers->multi = curl_multi_init();
    VSR_ASSERT(transfers->multi != NULL);
    transfers->token = copy_text(options->token);
    transfers->ca_file = copy_text(options->ca_file);
    transfers->stall_seconds = options->stall_seconds;
    *ret_transfers = transfers;
    return 0;
}

static void running_done(struct running *running) {
    if (running->easy) {
        curl_multi_remove_handle(running->owner->multi, running->easy);
        curl_easy_cleanup(running->easy);
    }
    curl_slist_free_all(running->headers);
    *running = (struct running){ .owner = running->owner };
}

void transfers_free(struct transfers *transfers) {
    if (!transfers)
        return;
    for (size_t i = 0; i < RUNNING_MAX; i++)
        if (transfers->running[i].transfer)
            running_done(&transfers->running[i]);
    curl_multi_cleanup(transfers->multi);
    mem_free(transfers->token);
    mem_free(transfers->ca_file);
    mem_free(transfers);
}

bool transfers_send_token(const struct transfers *transfers) {
    return transfers->token && origin_is_private(&transfers->origin);
}

/* ---- one hop */

static void add_header(struct running *running, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_header(struct running *running, const char *format, ...) {
    char line[TRANSFER_HEADER_LEN_MAX + 64];
    struct curl_slist *longer;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args); /* a token fits, see token_valid() */
    va_end(args);
    longer = curl_slist_append(running->headers, line);
    VSR_ASSERT(longer != NULL);
    running->headers = longer;
}

static void set_headers(struct running *running, const struct origin *origin) {
    struct transfers *owner = running->owner;
    curl_slist_free_all(running->headers);
    running->headers = NULL;
    if (transfers_send_token(owner) && origin_eq(origin, &owner->origin))
        add_header(running, "Authorization: Bearer %s", owner->token);
    if (running->transfer->offset > 0)
        add_header(running, "Range: bytes=%llu-", (unsigned long long)running->transfer->offset);
    add_header(running, "Accept-Encoding: identity"); /* hashes and ranges are of the plain bytes */
    curl_easy_setopt(running->easy, CURLOPT_HTTPHEADER, running->headers);
}

/* Asks for `running->url`. */
static void begin_hop(struct running *running, const struct origin *origin) {
    set_headers(running, origin);
    running->body_begun = false;
    running->discarded = 0;
    curl_easy_setopt(running->easy, CURLOPT_URL, running->url);
    curl_multi_add_handle(running->owner->multi, running->easy);
}

static void set_options(struct running *running) {
    CURL *easy = running->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, running);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, running->curl_text);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, OPTION_PROTOCOLS, PROTOCOLS);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "vsr/" VSR_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)TRANSFER_CONNECT_SECONDS);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)running->owner->stall_seconds);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, running);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, running);
    if (running->owner->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, running->owner->ca_file);
}

void transfers_start(struct transfers *transfers, struct transfer *transfer) {
    struct running *running = transfers->running;
    struct origin origin;
    while (running < transfers->running + RUNNING_MAX && running->transfer)
        running++;
    VSR_ASSERT(running < transfers->running + RUNNING_MAX);
    VSR_ASSERT(transfer->url.len < TRANSFER_URL_LEN_MAX);
    *running = (struct running){ .owner = transfers, .transfer = transfer, .easy = curl_easy_init() };
    VSR_ASSERT(running->easy != NULL);
    transfer->rc = 0;
    transfer->err = VSR_ERR_NONE;
    transfer->from_callback = false;
    head_reset(&transfer->head, true);
    (void)snprintf(running->url, sizeof(running->url), "%.*s", VSR_FMT(transfer->url));
    if (!origin_parse(running->url, &origin))
        origin = (struct origin){ "", "", "" }; /* the library says what is wrong with it */
    set_options(running);
    begin_hop(running, &origin);
}

/* ---- the end of a hop */

static bool is_redirect(long status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Goes on elsewhere, or sets the transfer's error. */
static int follow(struct running *running) {
    struct vsr_err *err = &running->transfer->err;
    struct origin from, to;
    char *url = NULL;
    curl_easy_getinfo(running->easy, CURLINFO_REDIRECT_URL, &url);
    if (!url || strlen(url) >= TRANSFER_URL_LEN_MAX || !origin_parse(url, &to))
        return err_set(err, VSR_E_PROTOCOL, "the server redirects to no http address");
    if (++running->redirects > TRANSFER_REDIRECTS_MAX)
        return err_set(err, VSR_E_PROTOCOL, "more than %d redirects", TRANSFER_REDIRECTS_MAX);
    if (origin_parse(running->url, &from) && strcmp(from.scheme, "https") == 0 && strcmp(to.scheme, "https") != 0)
        return err_set(err, VSR_E_PROTOCOL, "the server redirects from https to http, which would give up encryption");
    memcpy(running->url, url, strlen(url) + 1);
    begin_hop(running, &to);
    return 0;
}

static int code_of(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return VSR_E_DNS;
    case CURLE_COULDNT_CONNECT:
        return VSR_E_REFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return VSR_E_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return VSR_E_TLS;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return VSR_E_INVALID;
    default:
        return VSR_E_CLOSED;
    }
}

/* Whether the transfer is over. */
static bool end_hop(struct running *running, CURLcode code) {
    struct transfer *transfer = running->transfer;
    long status = 0;
    curl_easy_getinfo(running->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->head.status = (int)status;
    curl_multi_remove_handle(running->owner->multi, running->easy);
    if (transfer->from_callback) {
        transfer->rc = transfer->err.code;
    } else if (code != CURLE_OK) {
        const char *text = running->curl_text[0] ? running->curl_text : curl_easy_strerror(code);
        transfer->rc = err_set(&transfer->err, code_of(code), "%s", text);
    } else if (is_redirect(status)) {
        transfer->rc = follow(running);
        return transfer->rc < 0;
    } else if (has_content((int)status) && !running->body_begun) {
        transfer->rc = begin_body(running); /* an empty body */
        transfer->from_callback = transfer->rc < 0;
    }
    return true;
}

static struct transfer *take_done(struct transfers *transfers) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(transfers->multi, &left)) != NULL) {
        struct running *running = NULL;
        struct transfer *transfer;
        CURLcode code = message->data.result; /* the message is gone with its handle */
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&running);
        transfer = running->transfer;
        if (!end_hop(running, code))
            continue;
        curl_easy_cleanup(running->easy);
        running->easy = NULL;
        running_done(running);
        return transfer;
    }
    return NULL;
}

struct transfer *transfers_wait(struct transfers *transfers, int wait_ms) {
    struct transfer *done = take_done(transfers);
    int n_running;
    if (done)
        return done;
    curl_multi_perform(transfers->multi, &n_running); /* what fails shows as a message */
    done = take_done(transfers);
    if (done)
        return done;
    curl_multi_poll(transfers->multi, NULL, 0, wait_ms, NULL);
    curl_multi_perform(transfers->multi, &n_running);
    return take_done(transfers);
}
