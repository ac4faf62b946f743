/*
 * streams_load - holds many slow streams open at once, and prints what arrives on them.
 *
 *     streams_load PORT STREAMS SECONDS FILE
 *
 * Every stream is a connection of its own that sends the whole request in FILE once and reads the events of the answer.
 * Connections are opened a few at a time, each batch when the last one has its first events. Once all of them stream,
 * says `ready` on a line of its own, counts for SECONDS, and prints one JSON object: events per second, the longest
 * silence on any stream, and how many streams ended or failed meanwhile.
 * The streams stay open until stdin ends, so that others can be looked at under them. Uses nothing of ours. Loopback
 * only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_LEN_MAX = 1 << 16, READ_LEN = 1 << 16, STREAMS_MAX = 1 << 15, EVENTS_MAX = 512 };
enum { OPENING_MAX = 256 }; /* connections that wait for their first event at once */
enum { TICK_MS = 20 };      /* how long a turn sleeps at most */
enum { READY_S_MAX = 120 };

struct stream {
    int fd;
    bool begun;       /* an event has come */
    unsigned matched; /* of "\ndata: {", across reads */
    uint64_t last_ns; /* of its last event */
    char head[12];    /* "HTTP/1.1 200" */
    size_t n_head;
};

static struct stream *streams;
static size_t n_streams, n_opened, n_begun, n_ended, n_failed;
static uint64_t n_events, longest_ns;
static char request[REQUEST_LEN_MAX];
static size_t request_len;
static uint16_t port;
static bool counting;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void open_stream(int epoll, struct stream *stream) {
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = stream };
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (stream->fd < 0 || connect(stream->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        die("streams_load: connect");
    if (write(stream->fd, request, request_len) != (ssize_t)request_len)
        die("streams_load: write"); /* one small request always fits a new socket */
    if (fcntl(stream->fd, F_SETFL, fcntl(stream->fd, F_GETFL) | O_NONBLOCK) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, stream->fd, &event) < 0)
        die("streams_load: epoll");
    n_opened++;
}

/* Counts what has not yet begun as begun, so that a run with failures ends, and says so. */
static void close_stream(struct stream *stream, bool failed) {
    close(stream->fd);
    stream->fd = -1;
    n_ended += !failed;
    n_failed += failed;
    n_begun += !stream->begun;
}

static void note_event(struct stream *stream, uint64_t now) {
    if (!stream->begun) {
        stream->begun = true;
        n_begun++;
    } else if (counting && now - stream->last_ns > longest_ns) {
        longest_ns = now - stream->last_ns;
    }
    stream->last_ns = now;
    n_events += counting;
}

/* Events by their first bytes: `data: {` begins a line in no other place, for JSON has no raw line ends. */
static void scan(struct stream *stream, const char *bytes, size_t len, uint64_t now) {
    static const char begin[] = "\ndata: {";
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == begin[stream->matched])
            stream->matched++;
        else
            stream->matched = bytes[i] == '\n';
        if (stream->matched == sizeof(begin) - 1) {
            stream->matched = 0;
            note_event(stream, now);
        }
    }
}

static bool status_is_good(struct stream *stream, const char *bytes, size_t len) {
    size_t n = sizeof(stream->head) - stream->n_head;
    n = len < n ? len : n;
    memcpy(stream->head + stream->n_head, bytes, n);
    stream->n_head += n;
    return stream->n_head < sizeof(stream->head) || memcmp(stream->head, "HTTP/1.1 200", sizeof(stream->head)) == 0;
}

static void receive(struct stream *stream, uint64_t now) {
    static char bytes[READ_LEN];
    ssize_t len = read(stream->fd, bytes, sizeof(bytes));
    if (len < 0 && errno == EAGAIN)
        return;
    if (len <= 0) {
        close_stream(stream, len < 0 || !stream->begun);
        return;
    }
    if (!status_is_good(stream, bytes, (size_t)len)) {
        close_stream(stream, true);
        return;
    }
    scan(stream, bytes, (size_t)len, now);
}

static void turn(int epoll) {
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(epoll, events, EVENTS_MAX, TICK_MS);
    uint64_t now = now_ns();
    if (n < 0)
        die("streams_load: epoll_wait");
    for (int i = 0; i < n; i++)
        receive(events[i].data.ptr, now);
}

static void open_all(int epoll) {
    uint64_t give_up_ns = now_ns() + READY_S_MAX * UINT64_C(1000000000);
    while (n_begun < n_streams) {
        while (n_opened < n_streams && n_opened - n_begun < OPENING_MAX)
            open_stream(epoll, &streams[n_opened]);
        turn(epoll);
        if (now_ns() > give_up_ns) {
            (void)fprintf(stderr, "streams_load: only %zu of %zu streams began\n", n_begun, n_streams);
            exit(1);
        }
    }
}

/* A silence that lasts counts as well. */
static void note_silent(uint64_t now) {
    for (size_t i = 0; i < n_streams; i++)
        if (streams[i].fd >= 0 && now - streams[i].last_ns > longest_ns)
            longest_ns = now - streams[i].last_ns;
}

static void run(double seconds) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t start, end;
    open_all(epoll);
    printf("ready\n");
    (void)fflush(stdout);
    counting = true;
    start = now_ns();
    end = start + (uint64_t)(seconds * 1e9);
    while (now_ns() < end)
        turn(epoll);
    note_silent(now_ns());
    printf("{\"streams\": %zu, \"ended\": %zu, \"failed\": %zu, \"events_per_s\": %.0f, \"silence_ms\": %.0f}\n",
           n_streams, n_ended, n_failed, (double)n_events / ((double)(now_ns() - start) / 1e9),
           (double)longest_ns / 1e6);
    (void)fflush(stdout);
    (void)getchar();
}

int main(int argc, char **argv) {
    FILE *file;
    double seconds;
    if (argc != 5) {
        (void)fprintf(stderr, "usage: streams_load PORT STREAMS SECONDS FILE\n");
        return 2;
    }
    port = (uint16_t)strtoul(argv[1], NULL, 10);
    n_streams = strtoul(argv[2], NULL, 10);
    seconds = strtod(argv[3], NULL);
    file = fopen(argv[4], "rb");
    if (!file)
        die(argv[4]);
    request_len = fread(request, 1, sizeof(request), file);
    (void)fclose(file);
    if (n_streams < 1 || n_streams > STREAMS_MAX || seconds <= 0)
        return 2;
    streams = calloc(n_streams, sizeof(*streams));
    if (!streams)
        die("streams_load: memory");
    run(seconds);
    return 0;
}
