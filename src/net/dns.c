#include "net/dns.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>
#include <uv.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/loop.h"

union dns_addr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un path;
};

/* Outlives its host when that is freed during the resolution. */
struct dns_query {
    uv_getaddrinfo_t request;
    struct dns_host *host; /* NULL: nobody waits any more */
};

struct dns_host {
    struct loop *loop;
    char name[DNS_NAME_LEN_MAX + 1];
    bool name_ok;
    bool literal; /* the addresses are known without asking */
    uint16_t port;
    uint64_t ttl_ms, expires_ms;
    size_t n_addrs;
    size_t first; /* index of the preferred address */
    union dns_addr addrs[DNS_ADDRS_MAX];

    struct dns_query *query;
    struct loop_task task; /* reports a failure to begin */
    void (*fn)(void *data, const struct vsr_err *err);
    void *data;
};

bool dns_is_localhost(vsr_str name) {
    vsr_str label = VSR_STR("localhost");
    if (name.len && name.ptr[name.len - 1] == '.')
        name.len--;
    if (name.len < label.len || !str_eq_nocase(str_sub(name, name.len - label.len, name.len), label))
        return false;
    return name.len == label.len || name.ptr[name.len - label.len - 1] == '.';
}

static void take_loopback(struct dns_host *host) {
    host->addrs[0].v4 = (struct sockaddr_in){ .sin_family = AF_INET,
                                              .sin_port = htons(host->port),
                                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    host->addrs[1].v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                               .sin6_port = htons(host->port),
                                               .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    host->n_addrs = 2;
}

static bool parse_literal(struct dns_host *host) {
    union dns_addr *addr = &host->addrs[0];
    if (dns_is_localhost(str_from_c(host->name))) {
        take_loopback(host);
        return true;
    }
    if (inet_pton(AF_INET, host->name, &addr->v4.sin_addr) == 1) {
        addr->v4.sin_family = AF_INET;
        addr->v4.sin_port = htons(host->port);
    } else if (inet_pton(AF_INET6, host->name, &addr->v6.sin6_addr) == 1) {
        addr->v6.sin6_family = AF_INET6;
        addr->v6.sin6_port = htons(host->port);
    } else {
        return false;
    }
    host->n_addrs = 1;
    return true;
}

struct dns_host *dns_host_new(struct loop *loop, vsr_str name, uint16_t port, uint64_t ttl_ms) {
    struct dns_host *host = MEM_NEW(struct dns_host);
    host->loop = loop;
    host->port = port;
    host->ttl_ms = ttl_ms;
    if (name.len > 0 && name.len <= DNS_NAME_LEN_MAX && !memchr(name.ptr, '\0', name.len)) {
        memcpy(host->name, name.ptr, name.len);
        host->name_ok = true;
        host->literal = parse_literal(host);
    }
    return host;
}

/* A path that no socket address can hold stays without an address, like a bad name. */
struct dns_host *dns_host_new_unix(struct loop *loop, vsr_str path) {
    struct dns_host *host = MEM_NEW(struct dns_host);
    struct sockaddr_un *addr = &host->addrs[0].path;
    host->loop = loop;
    (void)snprintf(host->name, sizeof(host->name), "%.*s", VSR_FMT(path)); /* for messages */
    addr->sun_family = AF_UNIX;
    if (path.len > 0 && path.len < sizeof(addr->sun_path) && !memchr(path.ptr, '\0', path.len)) {
        memcpy(addr->sun_path, path.ptr, path.len);
        host->n_addrs = 1;
        host->literal = true;
    }
    return host;
}

void dns_host_free(struct dns_host *host) {
    if (!host)
        return;
    loop_defer_cancel(&host->task);
    if (host->query) {
        host->query->host = NULL;
        (void)uv_cancel((uv_req_t *)&host->query->request); /* a running one ends by itself */
    }
    mem_free(host);
}

bool dns_host_ready(const struct dns_host *host) {
    return host->literal || (host->n_addrs > 0 && loop_now_ms(host->loop) < host->expires_ms);
}

static void take_addrs(struct dns_host *host, const struct addrinfo *list) {
    host->n_addrs = host->first = 0;
    for (; list && host->n_addrs < DNS_ADDRS_MAX; list = list->ai_next) {
        union dns_addr *addr = &host->addrs[host->n_addrs];
        if (list->ai_family == AF_INET && list->ai_addrlen == sizeof(addr->v4)) {
            memcpy(&addr->v4, list->ai_addr, sizeof(addr->v4));
            addr->v4.sin_port = htons(host->port);
        } else if (list->ai_family == AF_INET6 && list->ai_addrlen == sizeof(addr->v6)) {
            memcpy(&addr->v6, list->ai_addr, sizeof(addr->v6));
            addr->v6.sin6_port = htons(host->port);
        } else {
            continue;
        }
        host->n_addrs++;
    }
}

static bool resolver_out_of_order(int status) {
    return status == UV_EAI_AGAIN || status == UV_EAI_FAIL || status == UV_EAI_MEMORY;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list) {
    struct dns_query *query = request->data;
    struct dns_host *host = query->host;
    struct vsr_err err;
    mem_free(query);
    if (!host) {
        uv_freeaddrinfo(list);
        return;
    }
    host->query = NULL;
    if (status == 0)
        take_addrs(host, list);
    uv_freeaddrinfo(list);
    if ((status == 0 || resolver_out_of_order(status)) && host->n_addrs > 0) {
        host->expires_ms = loop_now_ms(host->loop) + host->ttl_ms;
        host->fn(host->data, NULL);
        return;
    }
    (void)err_set(&err, VSR_E_DNS, "cannot resolve \"%s\": %s", host->name,
                  status == 0 ? "no usable address" : uv_strerror(status));
    host->fn(host->data, &err);
}

static void report_bad_name(void *data) {
    struct dns_host *host = data;
    struct vsr_err err;
    (void)err_set(&err, VSR_E_DNS, "cannot resolve \"%s\": no usable host name or path of a socket", host->name);
    host->fn(host->data, &err);
}

void dns_host_resolve(struct dns_host *host, void (*fn)(void *data, const struct vsr_err *err), void *data) {
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct dns_query *query;
    VSR_DEBUG_ASSERT(loop_on_thread(host->loop));
    if (host->query)
        return;
    host->fn = fn;
    host->data = data;
    query = MEM_NEW(struct dns_query);
    query->host = host;
    query->request.data = query;
    if (!host->name_ok ||
        uv_getaddrinfo(loop_uv(host->loop), &query->request, on_resolved, host->name, NULL, &hints) != 0) {
        mem_free(query);
        loop_defer(host->loop, &host->task, report_bad_name, host);
        return;
    }
    host->query = query;
}

size_t dns_host_count(const struct dns_host *host) {
    return host->n_addrs;
}

size_t dns_host_first(const struct dns_host *host) {
    return host->first;
}

const struct sockaddr *dns_host_addr(const struct dns_host *host, size_t index) {
    VSR_ASSERT(host->n_addrs > 0);
    return &host->addrs[index % host->n_addrs].any;
}

static bool same_addr(const union dns_addr *a, const struct sockaddr *b) {
    if (a->any.sa_family != b->sa_family)
        return false;
    if (b->sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == ((const struct sockaddr_in *)(const void *)b)->sin_addr.s_addr;
    return memcmp(&a->v6.sin6_addr, &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
                  sizeof(a->v6.sin6_addr)) == 0;
}

bool dns_host_names(const struct dns_host *host, const struct sockaddr *addr) {
    for (size_t i = 0; i < host->n_addrs && !host->literal; i++)
        if (same_addr(&host->addrs[i], addr))
            return true;
    return host->literal;
}

void dns_host_prefer(struct dns_host *host, size_t index) {
    if (host->n_addrs > 0)
        host->first = index % host->n_addrs;
}

void dns_host_expire(struct dns_host *host) {
    host->expires_ms = 0;
}
