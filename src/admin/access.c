/* Who may call what: bearer tokens, roles, permissions (control-plane.md §1.2). */
#include <openssl/crypto.h>

#include "admin/call.h"
#include "config/document.h"
#include "serve/snapshot.h"

static vsr_str bearer_token(const struct http1_head *head) {
    vsr_str value = http1_field(head, VSR_STR("authorization"));
    vsr_str scheme = str_split(&value, ' ');
    return str_eq_nocase(scheme, VSR_STR("bearer")) ? str_trim(value) : VSR_STR("");
}

/* All tokens are looked at, each compared in constant time. */
static const struct config_management_token *find_token(const struct config_management_auth *auth, vsr_str given,
                                                        bool *ret_any) {
    const struct config_management_token *found = NULL;
    *ret_any = false;
    CONFIG_EACH(const struct config_management_token, token, &auth->tokens) {
        if (token->value.len == 0)
            continue;
        *ret_any = true;
        if (token->value.len == given.len && CRYPTO_memcmp(token->value.ptr, given.ptr, given.len) == 0)
            found = token;
    }
    return found;
}

static bool role_grants(const struct config_management_auth *auth, vsr_str role, const char *permission) {
    for (size_t i = 0; i < auth->roles.n; i++) {
        if (!str_eq(auth->roles.keys[i], role))
            continue;
        for (size_t k = 0; k < auth->roles.values[i].n; k++)
            if (str_eq_c(auth->roles.values[i].items[k], "*") || str_eq_c(auth->roles.values[i].items[k], permission))
                return true;
    }
    return false;
}

bool admin_allowed(struct admin_call *call, const struct http1_head *head) {
    const struct config_management_api *api = &call->snapshot->doc->global.services.management_api;
    const struct config_management_auth *auth = &api->auth;
    const struct config_management_token *token;
    bool any;
    if (!call->route->permission)
        return true;
    if (admin_exposed(call->admin) && !api->remote_exposure) { /* a reload may have taken it back */
        admin_error(call, 403, "FORBIDDEN", VSR_STR("global.services.management_api.remote_exposure is false"));
        return false;
    }
    if (auth->mode == MANAGEMENT_AUTH_DISABLED)
        return true;
    token = find_token(auth, bearer_token(head), &any);
    if (!any)
        admin_error(call, 401, "MANAGEMENT_AUTH_NOT_CONFIGURED",
                    VSR_STR("no token of global.services.management_api.auth.tokens has a value"));
    else if (!token)
        admin_error(call, 401, "UNAUTHORIZED", VSR_STR("a valid bearer token is required"));
    else if (!role_grants(auth, token->role, call->route->permission))
        admin_error(call, 403, "FORBIDDEN",
                    arena_printf(call->arena, "the role \"%.*s\" lacks the permission %s", VSR_FMT(token->role),
                                 call->route->permission));
    else
        return true;
    return false;
}
