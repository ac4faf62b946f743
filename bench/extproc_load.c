/*
 * extproc_load - plays many of Envoy's exchanges against external processing, and prints how long their answers took.
 *
 *     extproc_load PORT STREAMS SECONDS [BODY_BYTES]
 *
 * Closed loop on one HTTP/2 connection: STREAMS exchanges at once, each of them headers, answer, body, answer, then the
 * next one. The body is a chat request of about BODY_BYTES (512). Prints one JSON object: exchanges per second and the
 * latencies of both answers together and of each, in microseconds. Uses nghttp2 and nothing of ours. Loopback only.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <nghttp2/nghttp2.h>

enum { STREAMS_MAX = 4096, MESSAGE_MAX = 1 << 20, SAMPLES_MAX = 1 << 24, READ_LEN = 1 << 16, PREFIX_LEN = 5 };

enum phase { HEADERS, BODY, DONE };

struct exchange {
    int32_t stream;
    enum phase phase;
    const uint8_t *out; /* what is left of the message under way */
    size_t out_len;
    uint8_t prefix[PREFIX_LEN];
    size_t n_prefix, left; /* of the answer that comes */
    uint64_t began_ns, headers_ns;
};

static nghttp2_session *session;
static int fd;
static struct exchange exchanges[STREAMS_MAX];
static uint8_t headers_message[MESSAGE_MAX], body_message[MESSAGE_MAX];
static size_t headers_len, body_len;
static uint32_t *both_us10, *headers_us10, *body_us10; /* tenths of microseconds */
static size_t n_samples;
static uint64_t end_ns;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* ---- messages */

static size_t put_number(uint8_t *out, size_t value) {
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        out[n++] = (uint8_t)(value | 0x80);
    out[n++] = (uint8_t)value;
    return n;
}

static size_t put_bytes(uint8_t *out, unsigned field, const void *bytes, size_t len) {
    size_t n = put_number(out, field << 3 | 2);
    n += put_number(out + n, len);
    memcpy(out + n, bytes, len);
    return n + len;
}

static size_t put_header(uint8_t *out, const char *key, const char *value) {
    uint8_t field[512];
    size_t n = put_bytes(field, 1, key, strlen(key));
    n += put_bytes(field + n, 3, value, strlen(value));
    return put_bytes(out, 1, field, n);
}

static size_t frame(uint8_t *out, const uint8_t *message, size_t len) {
    out[0] = 0;
    for (size_t i = 0; i < 4; i++)
        out[1 + i] = (uint8_t)(len >> (24 - 8 * i));
    memcpy(out + PREFIX_LEN, message, len);
    return len + PREFIX_LEN;
}

static void make_headers(void) {
    static const char *const fields[][2] = {
        { ":method", "POST" },
        { ":path", "/v1/chat/completions" },
        { ":scheme", "https" },
        { ":authority", "api.example.com" },
        { "content-type", "application/json" },
        { "accept", "application/json" },
        { "user-agent", "bench/1.0" },
        { "authorization", "Bearer 0123456789abcdef0123456789abcdef" },
        { "x-forwarded-proto", "https" },
        { "x-forwarded-for", "192.0.2.1" },
        { "x-request-id", "01234567-89ab-cdef-0123-456789abcdef" },
    };
    static uint8_t map[8192], headers[8192], message[8192];
    static const uint8_t buffered[] = { 1 << 3, 2, 2 << 3, 2 };
    size_t n = 0, len;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        n += put_header(map + n, fields[i][0], fields[i][1]);
    len = put_bytes(headers, 1, map, n);
    n = put_bytes(message, 2, headers, len);
    n += put_bytes(message + n, 11, buffered, sizeof(buffered));
    headers_len = frame(headers_message, message, n);
}

static void make_body(size_t bytes) {
    static uint8_t text[MESSAGE_MAX / 2], body[MESSAGE_MAX / 2 + 64], message[MESSAGE_MAX / 2 + 128];
    static const char begin[] = "{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":\"";
    static const char end[] = "\"}]}";
    size_t n = sizeof(begin) - 1, len;
    memcpy(text, begin, n);
    while (n < bytes && n < sizeof(text) - 64) {
        static const char words[] = "What is the answer to all of this? ";
        memcpy(text + n, words, sizeof(words) - 1);
        n += sizeof(words) - 1;
    }
    memcpy(text + n, end, sizeof(end) - 1);
    n += sizeof(end) - 1;
    len = put_bytes(body, 1, text, n);
    body[len++] = 2 << 3;
    body[len++] = 1;
    n = put_bytes(message, 4, body, len);
    body_len = frame(body_message, message, n);
}

/* ---- exchanges */

static ssize_t give(nghttp2_session *s, int32_t stream, uint8_t *buf, size_t len, uint32_t *flags,
                    nghttp2_data_source *source, void *user) {
    struct exchange *exchange = source->ptr;
    size_t n = exchange->out_len < len ? exchange->out_len : len;
    (void)s;
    (void)stream;
    (void)user;
    if (exchange->phase == DONE) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        return 0;
    }
    if (n == 0)
        return NGHTTP2_ERR_DEFERRED;
    memcpy(buf, exchange->out, n);
    exchange->out += n;
    exchange->out_len -= n;
    return (ssize_t)n;
}

#define NV(name, value) \
    { (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, 0 }

static void start(struct exchange *exchange) {
    nghttp2_nv fields[] = {
        NV(":method", "POST"),
        NV(":scheme", "http"),
        NV(":path", "/envoy.service.ext_proc.v3.ExternalProcessor/Process"),
        NV(":authority", "vsr"),
        NV("te", "trailers"),
        NV("content-type", "application/grpc"),
    };
    nghttp2_data_provider provider = { .source = { .ptr = exchange }, .read_callback = give };
    *exchange = (struct exchange){ .out = headers_message, .out_len = headers_len, .began_ns = now_ns() };
    exchange->stream =
        nghttp2_submit_request(session, NULL, fields, sizeof(fields) / sizeof(fields[0]), &provider, exchange);
    if (exchange->stream < 0)
        die("nghttp2_submit_request");
}

static void note_answer(struct exchange *exchange) {
    uint64_t now = now_ns();
    if (exchange->phase == HEADERS) {
        exchange->headers_ns = now;
        exchange->phase = BODY;
        exchange->out = body_message;
        exchange->out_len = body_len;
    } else if (exchange->phase == BODY) {
        if (n_samples < SAMPLES_MAX) {
            both_us10[n_samples] = (uint32_t)((now - exchange->began_ns) / 100);
            headers_us10[n_samples] = (uint32_t)((exchange->headers_ns - exchange->began_ns) / 100);
            body_us10[n_samples] = (uint32_t)((now - exchange->headers_ns) / 100);
        }
        n_samples++;
        exchange->phase = DONE;
    }
    nghttp2_session_resume_data(session, exchange->stream);
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t len, void *user) {
    struct exchange *exchange = nghttp2_session_get_stream_user_data(s, stream);
    (void)flags;
    (void)user;
    while (exchange && len > 0) {
        size_t n;
        if (exchange->left == 0) {
            exchange->prefix[exchange->n_prefix++] = *bytes++;
            len--;
            if (exchange->n_prefix < PREFIX_LEN)
                continue;
            exchange->n_prefix = 0;
            for (size_t i = 1; i < PREFIX_LEN; i++)
                exchange->left = exchange->left << 8 | exchange->prefix[i];
            if (exchange->left == 0)
                note_answer(exchange);
            continue;
        }
        n = exchange->left < len ? exchange->left : len;
        bytes += n;
        len -= n;
        exchange->left -= n;
        if (exchange->left == 0)
            note_answer(exchange);
    }
    return 0;
}

static int on_close(nghttp2_session *s, int32_t stream, uint32_t error, void *user) {
    struct exchange *exchange = nghttp2_session_get_stream_user_data(s, stream);
    (void)user;
    if (!exchange || exchange->phase != DONE) {
        (void)fprintf(stderr, "extproc_load: a stream ended early, error %u\n", error);
        exit(1);
    }
    if (now_ns() < end_ns)
        start(exchange);
    else
        exchange->stream = 0;
    return 0;
}

/* ---- the connection */

static void open_connection(uint16_t port) {
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void send_all(void) {
    const uint8_t *bytes;
    ssize_t len;
    while ((len = nghttp2_session_mem_send(session, &bytes)) > 0) {
        while (len > 0) {
            ssize_t n = write(fd, bytes, (size_t)len);
            if (n <= 0)
                die("write");
            bytes += n;
            len -= n;
        }
    }
}

static void turn(void) {
    static uint8_t bytes[READ_LEN];
    ssize_t len;
    send_all();
    len = read(fd, bytes, sizeof(bytes));
    if (len <= 0)
        die("read");
    if (nghttp2_session_mem_recv(session, bytes, (size_t)len) < 0)
        die("nghttp2_session_mem_recv");
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void print_latency(const char *name, uint32_t *samples, size_t n, const char *tail) {
    qsort(samples, n, sizeof(*samples), compare);
    printf("\"%s\": {\"p50_us\": %.1f, \"p99_us\": %.1f}%s", name, samples[n / 2] / 10.0,
           samples[n - n / 100 - 1] / 10.0, tail);
}

static bool any_open(size_t n) {
    for (size_t i = 0; i < n; i++)
        if (exchanges[i].stream)
            return true;
    return false;
}

int main(int argc, char **argv) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_settings_entry window = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 24 };
    size_t n_streams, n;
    double seconds;
    if (argc < 4) {
        (void)fprintf(stderr, "usage: extproc_load PORT STREAMS SECONDS [BODY_BYTES]\n");
        return 2;
    }
    n_streams = strtoul(argv[2], NULL, 10);
    seconds = strtod(argv[3], NULL);
    if (n_streams < 1 || n_streams > STREAMS_MAX)
        return 2;
    make_headers();
    make_body(argc > 4 ? strtoul(argv[4], NULL, 10) : 512);
    both_us10 = malloc(SAMPLES_MAX * sizeof(*both_us10));
    headers_us10 = malloc(SAMPLES_MAX * sizeof(*headers_us10));
    body_us10 = malloc(SAMPLES_MAX * sizeof(*body_us10));
    open_connection((uint16_t)strtoul(argv[1], NULL, 10));
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&session, callbacks, NULL);
    nghttp2_submit_settings(session, 0, &window, 1);
    (void)nghttp2_session_set_local_window_size(session, 0, 0, 1 << 28);
    end_ns = now_ns() + (uint64_t)(seconds * 1e9);
    for (size_t i = 0; i < n_streams; i++)
        start(&exchanges[i]);
    while (any_open(n_streams))
        turn();
    n = n_samples < SAMPLES_MAX ? n_samples : SAMPLES_MAX;
    if (n == 0)
        return 1;
    printf("{\"exchanges_per_s\": %.0f, ", (double)n_samples / seconds);
    print_latency("both", both_us10, n, ", ");
    print_latency("headers", headers_us10, n, ", ");
    print_latency("body", body_us10, n, "}\n");
    return 0;
}
