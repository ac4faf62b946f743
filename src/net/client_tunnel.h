/*
 * client_tunnel - the way through an HTTP proxy to a server with TLS: CONNECT, an answer, and then TLS on the same
 * connection (RFC 9110 9.3.6). Private to the client.
 */
#ifndef VSR_NET_CLIENT_TUNNEL_H
#define VSR_NET_CLIENT_TUNNEL_H

#include "core/err.h"
#include "core/str.h"

struct client_place;
struct client_tunnel;
struct stream;

enum client_tunnel_state { CLIENT_TUNNEL_WAITING, CLIENT_TUNNEL_OPEN, CLIENT_TUNNEL_REFUSED };

/* Sends the request to a proxy that has been connected to. Free with client_tunnel_free(). */
struct client_tunnel *client_tunnel_new(const struct client_place *place, struct stream *stream);
void client_tunnel_free(struct client_tunnel *tunnel); /* NULL is allowed */

/*
 * Takes what the proxy says. OPEN: from here on the bytes are the server's. REFUSED: `err` says why, a status or an
 * answer that is none.
 */
enum client_tunnel_state client_tunnel_feed(struct client_tunnel *tunnel, vsr_str bytes, struct vsr_err *err);

#endif
