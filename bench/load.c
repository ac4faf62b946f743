/*
 * load - sends one HTTP request over and over at a fixed rate, and prints the latencies.
 *
 *     load PORT CONNECTIONS RATE SECONDS FILE
 *
 * Open loop: request k is due at start + k/RATE whether or not earlier ones have been answered, and its latency counts
 * from when it was due, so a server that stalls cannot hide it (no coordinated omission). FILE holds the whole request.
 * Prints one JSON object. Loopback only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_LEN_MAX = 1 << 20, ANSWER_LEN_MAX = 1 << 16, CONNECTIONS_MAX = 4096, EVENTS_MAX = 256 };
enum { IDLE_NS = 100000000 }; /* nothing is due, answers are awaited */

struct conn {
    int fd;
    bool busy;
    uint64_t due_ns;
    size_t got;
    char answer[ANSWER_LEN_MAX];
};

static struct {
    uint16_t port;
    size_t n_conns;
    double rate, seconds;
    char request[REQUEST_LEN_MAX];
    size_t request_len;
} options;

static struct conn *conns;
static struct conn *idle[CONNECTIONS_MAX];
static size_t n_idle;
static uint64_t *latencies;
static size_t n_latencies, n_due, n_sent, n_errors;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int open_conn(void) {
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(options.port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

/* Length of the whole answer once its head is there, else 0. Content-Length only: what the bench backends send. */
static size_t answer_len(const struct conn *conn) {
    const char *end = memmem(conn->answer, conn->got, "\r\n\r\n", 4), *at = conn->answer;
    if (!end)
        return 0;
    for (; at < end; at = strchr(at, '\n') + 1) {
        if (strncasecmp(at, "content-length:", 15) == 0)
            return (size_t)(end + 4 - conn->answer) + strtoul(at + 15, NULL, 10);
    }
    fprintf(stderr, "load: an answer without content-length\n");
    exit(1);
}

static void send_one(struct conn *conn, uint64_t due_ns) {
    ssize_t len = write(conn->fd, options.request, options.request_len);
    if (len != (ssize_t)options.request_len)
        die("write"); /* one small request always fits an idle socket */
    conn->busy = true;
    conn->due_ns = due_ns;
    conn->got = 0;
    n_sent++;
}

static void receive(struct conn *conn) {
    ssize_t len = read(conn->fd, conn->answer + conn->got, sizeof(conn->answer) - 1 - conn->got);
    size_t want;
    if (len <= 0) {
        if (len < 0 && errno == EAGAIN)
            return;
        n_errors++;
        die("the server closed a connection");
    }
    conn->got += (size_t)len;
    conn->answer[conn->got] = '\0';
    want = answer_len(conn);
    if (want == 0 || conn->got < want)
        return;
    if (memcmp(conn->answer, "HTTP/1.1 200", 12) != 0)
        n_errors++;
    latencies[n_latencies++] = now_ns() - conn->due_ns;
    conn->busy = false;
    idle[n_idle++] = conn;
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void report(double seconds) {
    qsort(latencies, n_latencies, sizeof(*latencies), by_size);
    printf("{\"requests\":%zu,\"errors\":%zu,\"rate\":%.0f,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,"
           "\"p999_us\":%.1f}\n",
           n_latencies, n_errors, (double)n_latencies / seconds, (double)latencies[n_latencies / 2] / 1e3,
           (double)latencies[n_latencies * 9 / 10] / 1e3, (double)latencies[n_latencies * 99 / 100] / 1e3,
           (double)latencies[n_latencies * 999 / 1000] / 1e3);
}

/* Sleeps until something comes or `until_ns`: the backend shares this core, so spinning would starve what is measured.
 */
static int wait_events(int epoll, struct epoll_event *events, uint64_t until_ns) {
    uint64_t now = now_ns(), left = until_ns > now ? until_ns - now : 0;
    struct timespec timeout = { .tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u) };
    int n = epoll_pwait2(epoll, events, EVENTS_MAX, &timeout, NULL);
    if (n < 0)
        die("epoll_pwait2");
    return n;
}

static void run(void) {
    struct epoll_event events[EVENTS_MAX];
    size_t total = (size_t)(options.rate * options.seconds);
    double step = 1e9 / options.rate;
    int epoll = epoll_create1(0);
    uint64_t start;
    for (size_t i = 0; i < options.n_conns; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &conns[i] };
        conns[i].fd = open_conn();
        epoll_ctl(epoll, EPOLL_CTL_ADD, conns[i].fd, &event);
        idle[n_idle++] = &conns[i];
    }
    start = now_ns();
    while (n_latencies < total) {
        uint64_t now = now_ns();
        int n;
        while (n_due < total && (double)n_due * step <= (double)(now - start))
            n_due++;
        while (n_sent < n_due && n_idle)
            send_one(idle[--n_idle], start + (uint64_t)((double)n_sent * step));
        n = wait_events(epoll, events, n_idle ? start + (uint64_t)((double)n_due * step) : now + IDLE_NS);
        for (int i = 0; i < n; i++)
            receive(events[i].data.ptr);
    }
    report((double)(now_ns() - start) / 1e9);
}

int main(int argc, char **argv) {
    FILE *file;
    if (argc != 6) {
        fprintf(stderr, "usage: load PORT CONNECTIONS RATE SECONDS FILE\n");
        return 2;
    }
    options.port = (uint16_t)strtoul(argv[1], NULL, 10);
    options.n_conns = strtoul(argv[2], NULL, 10);
    options.rate = strtod(argv[3], NULL);
    options.seconds = strtod(argv[4], NULL);
    file = fopen(argv[5], "rb");
    if (!file)
        die(argv[5]);
    options.request_len = fread(options.request, 1, sizeof(options.request), file);
    fclose(file);
    if (options.n_conns < 1 || options.n_conns > CONNECTIONS_MAX || options.rate <= 0 || options.seconds <= 0)
        return 2;
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* requests are due to the microsecond, not to the default 50 */
    conns = calloc(options.n_conns, sizeof(*conns));
    latencies = calloc((size_t)(options.rate * options.seconds) + 1, sizeof(*latencies));
    if (!conns || !latencies)
        die("memory");
    run();
    return 0;
}
