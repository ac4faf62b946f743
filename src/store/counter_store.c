#include "store/counter_store.h"

#include <openssl/evp.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "net/tls.h"
#include "store/redis_client.h"
#include "store/store_options.h"

enum {
    SHA1_HEX_LEN = 40,
    NUMBER_LEN = 32,
    ARGS_EACH = 3,                                      /* limit, window, amount */
    ARGV_MAX = 4 + COUNTER_NEEDS_MAX * (1 + ARGS_EACH), /* EVALSHA, script, number of keys, mode */
};

/*
 * The arithmetic is that of provider/limit_table.c, so that a budget means the same here and there. ARGV: "take" or
 * "add", then limit, window and amount of each key. Answers the number of the key that refused, or 0, and what is used
 * of each. A key that comes twice is counted twice.
 */
static const char script[] =
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000000 + t[2]\n"
    "local take = ARGV[1] == 'take'\n"
    "local refused, used, seen, before = 0, {}, {}, {}\n"
    "for i = 1, #KEYS do\n"
    "  local key = KEYS[i]\n"
    "  local limit, window, amount = tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i]), tonumber(ARGV[3*i+1])\n"
    "  local u = seen[key]\n"
    "  if not u then\n"
    "    local h = redis.call('HMGET', key, 'used', 'at')\n"
    "    u = tonumber(h[1] or '0') or 0\n"
    "    local at = tonumber(h[2] or '') or now\n"
    "    if window > 0 and now > at then u = u - (now - at) * (limit / window) end\n"
    "    if u < 0 then u = 0 end\n"
    "  end\n"
    "  before[i] = u\n"
    "  local slack = 1e-9 + limit * 1e-12\n"
    "  if take and refused == 0 then\n"
    "    if amount <= 0 then\n"
    "      if u >= limit - slack then refused = i end\n"
    "    elseif u + amount > limit + slack then\n"
    "      refused = i\n"
    "    end\n"
    "  end\n"
    "  u = u + amount\n"
    "  if u < 0 then u = 0 end\n"
    "  used[i] = u\n"
    "  seen[key] = u\n"
    "end\n"
    "local answer = { refused }\n"
    "for i = 1, #KEYS do\n"
    "  local key = KEYS[i]\n"
    "  local limit, window, amount = tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i]), tonumber(ARGV[3*i+1])\n"
    "  if refused > 0 then\n"
    "    answer[i + 1] = string.format('%.17g', before[i])\n"
    "  else\n"
    "    local u = seen[key]\n"
    "    answer[i + 1] = string.format('%.17g', used[i])\n"
    "    if u <= 0 then\n"
    "      redis.call('DEL', key)\n"
    "    elseif amount ~= 0 then\n"
    "      redis.call('HSET', key, 'used', string.format('%.17g', u), 'at', string.format('%.0f', now))\n"
    "      local ttl = 3600000\n"
    "      if window > 0 then ttl = math.min(math.ceil(u / limit * window / 1000) + 1000, 400 * 86400000) end\n"
    "      redis.call('PEXPIRE', key, string.format('%.0f', ttl))\n"
    "    end\n"
    "  end\n"
    "end\n"
    "return answer\n";
_Static_assert(COUNTER_HELD_TTL_S == 3600, "the script says it in milliseconds");

struct counter_store {
    struct redis_client *client;
    struct tls_client *tls;
    char sha1[SHA1_HEX_LEN + 1];
    vsr_str prefix;
    struct arena *arena;        /* of the prefix */
    struct counter_call *calls; /* under way */
};

struct counter_call {
    struct counter_store *store;
    struct counter_call *prev, *next;
    struct redis_call *call;
    struct arena *arena; /* of the command, which may have to be sent once more with the whole script */
    vsr_str *argv;
    size_t argc, n_needs;
    uint64_t deadline_ms;
    bool whole;            /* the script went along */
    counter_done_fn *done; /* NULL: nobody waits */
    void *owner;
};

/* ---- answers */

static void call_free(struct counter_call *call) {
    if (call->prev)
        call->prev->next = call->next;
    else
        call->store->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    arena_free(call->arena);
    mem_free(call);
}

static void finish(struct counter_call *call, const struct counter_reply *reply) {
    if (call->done)
        call->done(call->owner, reply);
    call_free(call);
}

static void fail(struct counter_call *call, const struct vsr_err *err) {
    const struct counter_reply reply = { .rc = err->code, .refused = -1, .err = err };
    finish(call, &reply);
}

static bool read_double(vsr_str text, double *ret) {
    char number[NUMBER_LEN], *end;
    if (text.len == 0 || text.len >= sizeof(number))
        return false;
    memcpy(number, text.ptr, text.len);
    number[text.len] = 0;
    *ret = strtod(number, &end);
    return *end == 0;
}

static void answer(struct counter_call *call, const struct redis_value *value) {
    struct vsr_err err = VSR_ERR_NONE;
    double used[COUNTER_NEEDS_MAX];
    bool sound = value->type == REDIS_ARRAY && value->n == call->n_needs + 1 && value->items[0].type == REDIS_INTEGER &&
                 value->items[0].integer >= 0 && value->items[0].integer <= (int64_t)call->n_needs;
    for (size_t i = 0; sound && i < call->n_needs; i++)
        sound = value->items[i + 1].type == REDIS_STRING && read_double(value->items[i + 1].text, &used[i]);
    if (sound) {
        const struct counter_reply reply = { .refused = (int)value->items[0].integer - 1,
                                             .used = used,
                                             .n = call->n_needs };
        finish(call, &reply);
        return;
    }
    if (value->type == REDIS_ERROR)
        (void)err_set(&err, VSR_E_UNAVAILABLE, "Redis cannot count: %.*s", VSR_FMT(value->text));
    else
        (void)err_set(&err, VSR_E_PROTOCOL, "Redis answered what is no count");
    fail(call, &err);
}

static void send_command(struct counter_call *call);

static void on_reply(void *owner, const struct redis_value *value, const struct vsr_err *err) {
    struct counter_call *call = owner;
    call->call = NULL;
    if (err) {
        fail(call, err);
    } else if (!call->whole && value->type == REDIS_ERROR && str_starts(value->text, VSR_STR("NOSCRIPT"))) {
        call->whole = true; /* the server has forgotten it, or is a new one */
        send_command(call);
    } else {
        answer(call, value);
    }
}

/* ---- commands */

static void send_command(struct counter_call *call) {
    const struct redis_command command = { .argv = call->argv, .n = call->argc, .deadline_ms = call->deadline_ms };
    call->argv[0] = call->whole ? VSR_STR("EVAL") : VSR_STR("EVALSHA");
    call->argv[1] = call->whole ? str_from_c(script) : str_from_c(call->store->sha1);
    call->call = redis_send(call->store->client, &command, on_reply, call);
}

static struct counter_call *make_call(struct counter_store *store, vsr_str mode, const struct counter_need *needs,
                                      size_t n) {
    struct counter_call *call = MEM_NEW(struct counter_call);
    struct arena *arena = arena_new(1024, 0);
    vsr_str *argv = ARENA_ARRAY(arena, vsr_str, ARGV_MAX);
    VSR_ASSERT(n > 0 && n <= COUNTER_NEEDS_MAX);
    argv[2] = arena_printf(arena, "%zu", n);
    argv[3 + n] = mode;
    for (size_t i = 0; i < n; i++) {
        const struct counter_need *need = &needs[i];
        vsr_str *args = &argv[4 + n + i * ARGS_EACH];
        argv[3 + i] = arena_printf(arena, "%.*slimit:{limit}:%.*s", VSR_FMT(store->prefix), VSR_FMT(need->key));
        args[0] = arena_printf(arena, "%.17g", need->limit);
        args[1] = arena_printf(arena, "%llu", (unsigned long long)need->window_us);
        args[2] = arena_printf(arena, "%.17g", need->amount);
    }
    *call = (struct counter_call){
        .store = store, .next = store->calls, .arena = arena, .argv = argv, .argc = 4 + n + n * ARGS_EACH, .n_needs = n
    };
    if (store->calls)
        store->calls->prev = call;
    store->calls = call;
    return call;
}

static struct counter_call *start(struct counter_call *call, uint64_t deadline_ms, counter_done_fn *done, void *owner) {
    call->deadline_ms = deadline_ms;
    call->done = done;
    call->owner = owner;
    send_command(call);
    return done ? call : NULL;
}

struct counter_call *counter_take(struct counter_store *store, const struct counter_need *needs, size_t n,
                                  uint64_t deadline_ms, counter_done_fn *done, void *owner) {
    return start(make_call(store, VSR_STR("take"), needs, n), deadline_ms, done, owner);
}

struct counter_call *counter_add(struct counter_store *store, const struct counter_need *needs, size_t n,
                                 uint64_t deadline_ms, counter_done_fn *done, void *owner) {
    return start(make_call(store, VSR_STR("add"), needs, n), deadline_ms, done, owner);
}

void counter_call_cancel(struct counter_call *call) {
    if (call)
        call->done = NULL; /* it frees itself */
}

/* ---- life */

static int hash_script(char *ret_hex, struct vsr_err *err) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (EVP_Digest(script, sizeof(script) - 1, digest, &len, EVP_sha1(), NULL) != 1 || len * 2 != SHA1_HEX_LEN)
        return err_set(err, VSR_E_INTERNAL, "no SHA-1, by which Redis names scripts");
    for (unsigned int i = 0; i < len; i++)
        (void)snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

int counter_store_new(struct loop *loop, const struct redis_options *options, struct counter_store **ret_store,
                      struct vsr_err *err) {
    struct counter_store *store = MEM_NEW(struct counter_store);
    struct redis_options copy;
    int rc;
    store->arena = arena_new(1024, 0);
    redis_options_copy(store->arena, options, &copy);
    store->prefix = copy.key_prefix;
    rc = hash_script(store->sha1, err);
    if (rc == 0)
        rc = redis_tls_new(options, &store->tls, err);
    if (rc == 0)
        rc = redis_client_new(loop, options, store->tls, &store->client, err);
    if (rc < 0)
        counter_store_free(store);
    else
        *ret_store = store;
    return rc;
}

void counter_store_free(struct counter_store *store) {
    if (!store)
        return;
    redis_client_free(store->client); /* calls nobody back */
    while (store->calls)
        call_free(store->calls);
    tls_client_free(store->tls);
    arena_free(store->arena);
    mem_free(store);
}
