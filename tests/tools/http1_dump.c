/*
 * http1_dump - what the HTTP/1 parser makes of a connection's bytes, for tests in other languages.
 *
 * Reads bytes from standard input until it ends, feeds them as a peer would send them, and prints one JSON object a
 * line:
 *     {"event":"head","method":"GET","target":"/","fields":[["Host","a"]],...}
 *     {"event":"body","bytes":"..."}       one per slice
 *     {"event":"end"}
 *     {"event":"error","status":400,"text":"..."}
 *     {"event":"eof","clean":true}         the bytes ended; clean: not within a message
 * A byte is one character of a JSON string (Latin-1). Like a server it stops at an error and behind a message that ends
 * the connection. Arguments: --response, --head (responses answer a HEAD request), --cut=N (feed N bytes at a time).
 */
#include <errno.h>
#include <unistd.h>

#include "core/buf.h"
#include "net/http1.h"

enum { INPUT_LEN_MAX = 16 << 20, READ_LEN = 64 << 10 };

struct options {
    enum http1_side side;
    bool head_request;
    size_t cut;
};

static void print_str(vsr_str text) {
    putchar('"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_head(enum http1_side side, const struct http1_head *head) {
    fputs("{\"event\":\"head\",", stdout);
    if (side == HTTP1_REQUEST) {
        fputs("\"method\":", stdout);
        print_str(head->method);
        fputs(",\"target\":", stdout);
        print_str(head->target);
    } else {
        printf("\"status\":%d,\"reason\":", head->status);
        print_str(head->reason);
    }
    fputs(",\"fields\":[", stdout);
    for (size_t i = 0; i < head->n_fields; i++) {
        fputs(i ? ",[" : "[", stdout);
        print_str(head->fields[i].name);
        putchar(',');
        print_str(head->fields[i].value);
        putchar(']');
    }
    printf("],\"keep_alive\":%s,\"expect_continue\":%s}\n", head->keep_alive ? "true" : "false",
           head->expect_continue ? "true" : "false");
}

/* Feeds one slice. False when the connection is over. */
static bool feed(struct http1_parser *parser, const struct options *options, vsr_str bytes) {
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str body;
    for (;;) {
        bool keep_alive;
        switch (http1_feed(parser, &bytes, &body, &err)) {
        case HTTP1_MORE:
            return true;
        case HTTP1_HEAD:
            print_head(options->side, &parser->head);
            break;
        case HTTP1_BODY:
            fputs("{\"event\":\"body\",\"bytes\":", stdout);
            print_str(body);
            puts("}");
            break;
        case HTTP1_END:
            puts("{\"event\":\"end\"}");
            keep_alive = parser->head.keep_alive;
            http1_reset(parser);
            parser->head_request = options->head_request;
            if (!keep_alive)
                return false;
            break;
        case HTTP1_ERROR:
            printf("{\"event\":\"error\",\"status\":%d,\"text\":", parser->error_status);
            print_str(str_from_c(err.text));
            puts("}");
            return false;
        }
    }
}

static void dump(const struct options *options, vsr_str input) {
    static struct http1_parser parser;
    bool open = true;
    http1_init(&parser, options->side);
    parser.head_request = options->head_request;
    while (open && input.len) {
        size_t len = options->cut && options->cut < input.len ? options->cut : input.len;
        open = feed(&parser, options, str_sub(input, 0, len));
        input = str_sub(input, len, input.len);
    }
    if (open) {
        enum http1_event event = http1_eof(&parser, NULL);
        if (event == HTTP1_END)
            puts("{\"event\":\"end\"}");
        printf("{\"event\":\"eof\",\"clean\":%s}\n", event == HTTP1_ERROR ? "false" : "true");
    }
    http1_done(&parser);
}

static int read_all(struct buf *input) {
    static char block[READ_LEN];
    ssize_t n;
    while ((n = read(STDIN_FILENO, block, sizeof(block))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return VSR_E_IO;
        if (buf_append(input, str_make(block, (size_t)n)) < 0)
            return buf_failed(input);
    }
    return 0;
}

static bool parse_options(int argc, char **argv, struct options *ret_options) {
    struct options options = { .side = HTTP1_REQUEST };
    for (int i = 1; i < argc; i++) {
        vsr_str arg = str_from_c(argv[i]), cut = VSR_STR("--cut=");
        uint64_t n;
        if (str_eq(arg, VSR_STR("--response")))
            options.side = HTTP1_RESPONSE;
        else if (str_eq(arg, VSR_STR("--head")))
            options.head_request = true;
        else if (str_starts(arg, cut) && str_to_u64(str_sub(arg, cut.len, arg.len), &n) && n > 0)
            options.cut = (size_t)n;
        else
            return false;
    }
    *ret_options = options;
    return true;
}

int main(int argc, char **argv) {
    struct options options;
    struct buf input;
    int rc;
    if (!parse_options(argc, argv, &options)) {
        fputs("usage: http1_dump [--response] [--head] [--cut=N] <bytes\n", stderr);
        return 2;
    }
    buf_init(&input, INPUT_LEN_MAX);
    rc = read_all(&input);
    if (rc == 0)
        dump(&options, buf_str(&input));
    else
        fprintf(stderr, "http1_dump: %s\n", err_code_text(rc));
    buf_done(&input);
    return rc == 0 ? 0 : 1;
}
