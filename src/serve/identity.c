#include "serve/identity.h"

#include "core/arena.h"
#include "provider/limit_rules.h"
#include "serve/request.h"

static struct texts split_groups(struct arena *arena, vsr_str list) {
    struct texts groups = { 0 };
    size_t cap = 0;
    while (list.len) {
        vsr_str group = str_trim(str_split(&list, ','));
        if (group.len == 0)
            continue;
        groups.items = arena_grow(arena, groups.items, sizeof(*groups.items), groups.n, &cap);
        groups.items[groups.n++] = group;
    }
    return groups;
}

static vsr_str trimmed(const struct request *request, vsr_str name) {
    return str_trim(request_single_field(request, name));
}

void identity_read(struct request *request) {
    const struct config_authz_identity *names = &request->snapshot->doc->global.services.authz.identity;
    struct identity *identity = &request->identity;
    if (request->listener_key.len)
        identity->key = limit_fingerprint(request->arena, request->listener_key);
    if (!request->listener->trust_identity_headers)
        return;
    identity->user = trimmed(request, names->user_id_header);
    identity->groups_header = trimmed(request, names->user_groups_header);
    identity->groups = split_groups(request->arena, identity->groups_header);
    identity->team = trimmed(request, VSR_STR("x-authz-team-id"));
    identity->tenant = trimmed(request, VSR_STR("x-authz-tenant-id"));
}
