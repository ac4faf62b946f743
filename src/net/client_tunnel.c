#include "net/client_tunnel.h"

#include "core/buf.h"
#include "core/mem.h"
#include "net/client.h"
#include "net/http1.h"
#include "net/stream.h"

enum { REQUEST_LEN_MAX = 16 << 10 };

struct client_tunnel {
    struct http1_parser parser;
};

static void write_request(const struct client_place *place, struct buf *out) {
    bool v6 = str_find_char(place->host, ':') >= 0;
    struct buf authority;
    buf_init(&authority, REQUEST_LEN_MAX);
    buf_printf(&authority, "%s%.*s%s:%u", v6 ? "[" : "", VSR_FMT(place->host), v6 ? "]" : "", (unsigned)place->port);
    http1_write_request_line(out, VSR_STR("CONNECT"), buf_str(&authority));
    http1_write_field(out, VSR_STR("host"), buf_str(&authority));
    if (place->proxy->authorization.len > 0)
        http1_write_field(out, VSR_STR("proxy-authorization"), place->proxy->authorization);
    http1_write_head_end(out);
    buf_done(&authority);
}

struct client_tunnel *client_tunnel_new(const struct client_place *place, struct stream *stream) {
    struct client_tunnel *tunnel = MEM_NEW(struct client_tunnel);
    struct buf request;
    http1_init(&tunnel->parser, HTTP1_RESPONSE);
    buf_init(&request, REQUEST_LEN_MAX);
    write_request(place, &request);
    stream_write(stream, buf_str(&request));
    buf_done(&request);
    return tunnel;
}

void client_tunnel_free(struct client_tunnel *tunnel) {
    if (!tunnel)
        return;
    http1_done(&tunnel->parser);
    mem_free(tunnel);
}

static enum client_tunnel_state refused(struct vsr_err *err, int status) {
    (void)err_set(err, VSR_E_REFUSED, "the proxy does not open the way: status %d", status);
    return CLIENT_TUNNEL_REFUSED;
}

/* A success has no body, whatever its head says; behind a failure's head nothing more is of interest. */
enum client_tunnel_state client_tunnel_feed(struct client_tunnel *tunnel, vsr_str bytes, struct vsr_err *err) {
    vsr_str body;
    int status;
    switch (http1_feed(&tunnel->parser, &bytes, &body, err)) {
    case HTTP1_MORE:
        return CLIENT_TUNNEL_WAITING;
    case HTTP1_HEAD:
        break;
    default:
        (void)err_wrap(err, "the proxy's answer");
        return CLIENT_TUNNEL_REFUSED;
    }
    status = tunnel->parser.head.status;
    if (status < 200 || status > 299)
        return refused(err, status);
    if (bytes.len > 0) { /* in TLS the client speaks first */
        (void)err_set(err, VSR_E_PROTOCOL, "the proxy sent bytes that no server can have sent");
        return CLIENT_TUNNEL_REFUSED;
    }
    return CLIENT_TUNNEL_OPEN;
}
