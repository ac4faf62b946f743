/*
 * server - what has to be known about a tool server to talk to it.
 */
#ifndef VSR_MCP_SERVER_H
#define VSR_MCP_SERVER_H

#include <stddef.h>

#include "core/str.h"

struct client;
struct loop;
struct tls_client;

/* Where sessions live. All kept. */
struct mcp_place {
    struct loop *loop;
    struct client *client;  /* for servers over HTTP */
    struct tls_client *tls; /* for https; NULL: there is none */
    size_t *n_ending;       /* counts what sessions have left and is not gone yet; NULL: nobody waits for it */
};

enum mcp_transport_kind { MCP_OVER_STDIO, MCP_OVER_HTTP };

struct mcp_variable {
    vsr_str name, value;
};

struct mcp_server_options {
    enum mcp_transport_kind kind;
    /*
     * stdio: a program that reads messages on its input and writes them to its output, one a line. Of our environment
     * it gets only what programs need to run at all (mcp_environment in stdio.c), because there are keys in the rest.
     */
    vsr_str command;
    const vsr_str *args;
    size_t n_args;
    const struct mcp_variable *env;
    size_t n_env;
    vsr_str folder; /* empty: ours */
    /* streamable HTTP */
    vsr_str url;
    vsr_str token; /* sent as a bearer token; empty: none */
};

#endif
