#include "evidence/lane.h"

#include "core/assert.h"
#include "core/mem.h"
#include "evidence/evidence_state.h"
#include "evidence/lane_state.h"
#include "evidence/mailbox.h"
#include "evidence/remote.h"
#include "model/builtin.h"
#include "net/client.h"
#include "net/loop.h"

static const struct client_limits client_limits = {
    .connect_timeout_ms = 10000,
    .pool_idle_ms = 30000,
    .connections_max = 64,
    .pending_max = 1024,
    .dns_ttl_ms = 30000,
};

int evidence_lane_new(const struct evidence_lane_options *options, struct evidence_lane **ret, struct vsr_err *err) {
    struct evidence_lane *lane = MEM_NEW(struct evidence_lane);
    int rc = 0;
    lane->evidence = options->evidence;
    lane->loop = options->loop;
    lane->client = options->client;
    lane->patient = options->patient;
    if (!lane->loop) {
        rc = loop_new(&lane->loop, err);
        lane->owns_loop = rc == 0;
    }
    if (rc < 0) {
        evidence_lane_free(lane);
        return rc;
    }
    lane->mailbox = mailbox_new(lane->loop);
    *ret = lane;
    return 0;
}

static void remote_free(struct lane_remote *remote) {
    remote_client_free(remote->client);
    mem_free(remote);
}

void evidence_lane_free(struct evidence_lane *lane) {
    if (!lane)
        return;
    VSR_ASSERT(lane->n_runs == 0);
    while (lane->remotes) {
        struct lane_remote *remote = lane->remotes;
        lane->remotes = remote->next;
        remote_free(remote);
    }
    if (lane->owns_client)
        client_free(lane->client);
    builtin_scratch_free(lane->scratch);
    mailbox_close(lane->mailbox);
    if (lane->owns_loop)
        loop_free(lane->loop);
    mem_free(lane);
}

void evidence_lane_refresh(struct evidence_lane *lane) {
    if (lane->scratch)
        builtin_scratch_forget(lane->scratch);
}

bool evidence_lane_is_idle(const struct evidence_lane *lane) {
    return lane->n_runs == 0;
}

void evidence_lane_forget(struct evidence_lane *lane, const struct evidence_binding *binding) {
    struct lane_remote **link = lane ? &lane->remotes : NULL;
    while (link && *link) {
        struct lane_remote *remote = *link;
        if (remote->binding != binding) {
            link = &remote->next;
            continue;
        }
        *link = remote->next;
        remote_free(remote);
    }
}

static int need_client(struct evidence_lane *lane, struct vsr_err *err) {
    int rc;
    if (lane->client)
        return 0;
    rc = client_new(lane->loop, &client_limits, &lane->client, err);
    lane->owns_client = rc == 0;
    return rc;
}

int lane_remote(struct evidence_lane *lane, const struct evidence_binding *binding, uint32_t source,
                struct remote_client **ret, struct vsr_err *err) {
    struct lane_remote *remote = lane->remotes;
    const struct evidence_options *options = &lane->evidence->options;
    struct remote_host host = {
        .loop = lane->loop,
        .tls = options->tls,
        .mcp = lane->evidence->tools,
        .env = options->env,
        .env_data = options->env_data,
    };
    int rc;
    while (remote && (remote->binding != binding || remote->source != source))
        remote = remote->next;
    if (!remote) {
        rc = need_client(lane, err);
        if (rc < 0)
            return rc;
        host.client = lane->client;
        remote = MEM_NEW(struct lane_remote);
        remote->binding = binding;
        remote->source = source;
        remote->client = remote_client_new(&host, binding->sources[source].source);
        remote->next = lane->remotes;
        lane->remotes = remote;
    }
    *ret = remote->client;
    return 0;
}

void evidence_lane_begin(struct evidence_lane *lane, const struct evidence_binding *binding) {
    struct remote_client *client;
    for (size_t i = 0; lane && i < binding->n_sources; i++)
        if (binding->sources[i].place == PLACE_MCP)
            (void)!lane_remote(lane, binding, (uint32_t)i, &client,
                               NULL); /* what fails here is told when it is asked */
}
