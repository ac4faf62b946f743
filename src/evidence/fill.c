#include "evidence/fill.h"

#include <stdatomic.h>
#include <string.h>

#include "config/document.h"
#include "config/global_catalog.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
#include "evidence/evidence_state.h"
#include "evidence/filler.h"
#include "evidence/lane_state.h"
#include "evidence/model_call.h"
#include "evidence/picture_source.h"
#include "evidence/remote.h"
#include "evidence/run.h"
#include "evidence/vector_cache.h"
#include "model/builtin.h"
#include "model/model.h"
#include "model/store.h"
#include "nn/cpu.h"
#include "route/route.h"
#include "signal/bank.h"

/* What a server is asked so that it can be told from another one that has come behind its name. */
#define WITNESS "Is this still the model that it was?"

/* Of a key: what is cut of a longer one the witness tells. Of all arguments, which are a part of one document. */
enum { NAME_LEN_MAX = 400, ARGS_LEN_MAX = 64 << 20 };

/* Of two vectors of one text by one model: computed elsewhere or beside other texts, they differ by a thousandth. */
static const float same_cosine = 0.99f;

/* ---- the embedder's shelf */

/* One source of a recipe, and who wants its vectors. */
struct task {
    struct evidence_lane *lane;
    struct evidence_binding *binding;
    uint32_t source;
    const _Atomic bool *stop;
    struct arena *arena;
    struct vector_shelf *shelf;
    size_t dims;          /* 0: not known yet */
    const float *witness; /* a server's vector of it, witness_dims numbers; NULL: it said none */
    size_t witness_dims;
    struct evidence_answer failure; /* the last one; code OK: there was none */
    size_t n_asked, n_left_out;
    vsr_str picture; /* what the vector of the picture is kept by that is asked about; empty: texts are */
};

static const struct bound_source *bound_of(const struct task *task) {
    return &task->binding->sources[task->source];
}

/* What changes with any number of a vector. Which kernels run is part of it: they differ in the last digit. */
static vsr_str model_key(const struct task *task, const struct model *model) {
    const struct signal_source *source = bound_of(task)->source;
    return arena_printf(task->arena, "model %s %s %s layers %zu%s", model_version(model),
                        precision_name(model_precision(model)), cpu_isa_name(cpu_isa()), source->layers,
                        source->layers && task->binding->no_exit_norm ? " as they are" : "");
}

static bool is_stopped(const struct task *task) {
    return task->stop && atomic_load(task->stop);
}

/* Waits for the model, as long as it is coming. */
static int find_model_key(const struct task *task, vsr_str *ret, struct vsr_err *err) {
    enum { TURN_MS = 100 };
    const struct evidence_options *options = &task->binding->evidence->options;
    vsr_str name = bound_of(task)->source->model.path;
    struct engine *engine = NULL;
    struct store *store = NULL;
    struct store_handle handle;
    int rc = VSR_E_TIMEOUT;
    if (options->models)
        options->models(options->owner, &engine, &store);
    if (!store)
        return err_set(err, VSR_E_UNAVAILABLE, "no models are run in this process");
    while (rc == VSR_E_TIMEOUT && !is_stopped(task))
        rc = store_get(store, name, clock_mono_ms() + TURN_MS, &handle, err);
    if (rc < 0)
        return rc;
    *ret = model_key(task, handle.model);
    store_put(&handle);
    return 0;
}

/*
 * Whatever else may change what embeds, such as a program's environment, which may hold keys, the server's vector of
 * the witness tells.
 */
static vsr_str tool_key(const struct task *task, const struct config_tool_server *server, vsr_str name) {
    struct buf args;
    vsr_str key;
    buf_init(&args, ARGS_LEN_MAX);
    for (size_t i = 0; i < server->args.n; i++)
        buf_printf(&args, "%zu:%.*s", server->args.items[i].len, VSR_FMT(server->args.items[i]));
    key = arena_printf(task->arena, "server %.*s args %016llx tool %.*s", VSR_FMT(str_sub(name, 0, NAME_LEN_MAX)),
                       (unsigned long long)str_hash(buf_str(&args), 0),
                       VSR_FMT(str_sub(server->tool_name, 0, NAME_LEN_MAX)));
    buf_done(&args);
    return key;
}

static int find_remote_key(const struct task *task, vsr_str *ret, struct vsr_err *err) {
    const struct signal_source *source = bound_of(task)->source;
    const struct config_semantic *semantic = source->config;
    struct remote_client *client;
    vsr_str name;
    int rc = lane_remote(task->lane, task->binding, task->source, &client, err);
    if (rc < 0)
        return rc;
    name = remote_client_name(client);
    if (source->kind == SOURCE_MCP_EMBEDDINGS)
        *ret = tool_key(task, &semantic->mcp.server, name);
    else
        *ret = arena_printf(task->arena, "server %.*s model %.*s dimensions %lld", VSR_FMT(name),
                            VSR_FMT(semantic->endpoint.model), (long long)semantic->endpoint.dimensions);
    return 0;
}

static int open_shelf(struct task *task, struct vsr_err *err) {
    const struct bound_source *bound = bound_of(task);
    vsr_str key = { 0 };
    int rc = 0;
    if (bound->place == PLACE_BUILTIN && !bound->builtin)
        rc = err_set(err, VSR_E_UNAVAILABLE, "%s", bound->missing);
    else if (bound->place == PLACE_BUILTIN)
        key = arena_printf(task->arena, "%.*s %.*s", VSR_FMT(bound->builtin->name), VSR_FMT(bound->builtin->version));
    else if (bound->place == PLACE_MODEL)
        rc = find_model_key(task, &key, err);
    else
        rc = find_remote_key(task, &key, err);
    if (rc < 0)
        return rc;
    task->shelf = vector_cache_shelf(evidence_vectors(task->binding->evidence, task->binding->doc), key,
                                     bound->place != PLACE_BUILTIN);
    if (!task->shelf)
        return err_set(err, VSR_E_LIMIT, "more than %d embedders at once", VECTOR_SHELVES_MAX);
    task->dims = vector_shelf_dims(task->shelf);
    return 0;
}

/* ---- asking for what is not there */

static void take(void *data, struct evidence_ask *ask, const struct evidence_answer *answer) {
    struct task *task = data;
    if (answer->code == SIGNAL_OK && answer->n > 0) {
        vsr_str key = task->picture.len > 0 ? task->picture : ask->text;
        vector_shelf_put(task->shelf, key, answer->numbers, answer->n);
        task->dims = answer->n;
    } else {
        task->failure = *answer;
        if (answer->code == SIGNAL_OK)
            task->failure = evidence_failure(task->arena, VSR_E_INTERNAL, "the embedder gave no numbers");
        else
            task->failure.reason = answer->reason ? arena_c_str(task->arena, str_from_c(answer->reason)) : NULL;
    }
}

typedef void answer_fn(void *data, struct evidence_ask *ask, const struct evidence_answer *answer);

static void ask(struct task *task, const vsr_str *texts, size_t n, answer_fn *answer) {
    struct evidence_ask *asks[FILL_TEXTS_MAX];
    struct arena *arena = arena_new(0, 0);
    struct evidence_question question = { .binding = task->binding,
                                          .asks = asks,
                                          .n_asks = n,
                                          .arena = arena,
                                          .in_batches = true,
                                          .in_background = true,
                                          .answer = answer,
                                          .data = task };
    for (size_t i = 0; i < n; i++) {
        asks[i] = ARENA_NEW(arena, struct evidence_ask);
        *asks[i] = (struct evidence_ask){ .kind = EVIDENCE_VECTOR, .source = task->source, .text = texts[i] };
    }
    task->n_asked += n;
    evidence_run_wait(task->lane, &question, task->stop);
    arena_free(arena);
}

static bool is_known(const struct task *task, vsr_str text) {
    struct arena_mark mark = arena_mark(task->arena);
    bool known =
        task->dims > 0 && vector_shelf_get(task->shelf, text, ARENA_ARRAY(task->arena, float, task->dims), task->dims);
    arena_rewind(task->arena, mark);
    return known;
}

/* A server that cannot be reached is not asked about every text. */
static bool is_hopeless(const struct task *task) {
    return task->failure.code == SIGNAL_UNAVAILABLE || task->failure.code == SIGNAL_TIMEOUT ||
           task->failure.code == SIGNAL_CANCELLED;
}

/* One at a time: a picture may take 50 MB until it is answered. Writes what each one's vector is kept by; empty: it is
 * none. */
static void ask_unknown_pictures(struct task *task, const vsr_str *examples, size_t n, vsr_str *keys) {
    for (size_t i = 0; i < n && !is_stopped(task) && !is_hopeless(task); i++) {
        struct arena *arena = arena_new(0, 0);
        struct vsr_err err = VSR_ERR_NONE;
        struct picture_ask found = { .key = VSR_STR("") };
        /* An example that is not there is not a model that is not. */
        if (picture_source_read(arena, task->binding->doc->base_dir, examples[i], &found, &err) < 0)
            task->failure = evidence_failure(task->arena, VSR_E_INVALID, err.text);
        keys[i] = arena_str(task->arena, found.key);
        task->picture = keys[i];
        if (keys[i].len > 0 && !is_known(task, keys[i]))
            ask(task, &found.text, 1, take);
        task->picture = VSR_STR("");
        arena_free(arena);
    }
}

static void ask_unknown(struct task *task, const vsr_str *texts, size_t n_texts) {
    vsr_str unknown[FILL_TEXTS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < n_texts && !is_stopped(task) && !is_hopeless(task); i++) {
        if (!is_known(task, texts[i]))
            unknown[n++] = texts[i];
        if (n == FILL_TEXTS_MAX || (n > 0 && i + 1 == n_texts)) {
            ask(task, unknown, n, take);
            n = 0;
        }
    }
}

/* ---- whether a server is who it was */

static bool is_same(const float *before, const struct evidence_answer *answer) {
    float cosine = 0;
    for (size_t i = 0; i < answer->n; i++)
        cosine += before[i] * answer->numbers[i];
    return cosine >= same_cosine;
}

/* Why what the shelf holds is not of the server that answers now; NULL: it is. */
static const char *why_forget(const struct task *task, vsr_str text, const struct evidence_answer *answer) {
    struct arena *arena = arena_new(0, 0);
    float *before = ARENA_ARRAY(arena, float, answer->n);
    const char *why = NULL;
    if (answer->n != task->dims)
        why = "a server's vectors have another length than they had; examples get new ones";
    else if (!vector_shelf_get(task->shelf, text, before, answer->n))
        why = "nothing kept says whether a server embeds as it did; examples get new vectors";
    else if (!is_same(before, answer))
        why = "a server embeds otherwise than it did; examples get new vectors";
    arena_free(arena);
    return why;
}

static void compare(void *data, struct evidence_ask *ask, const struct evidence_answer *answer) {
    struct task *task = data;
    const char *why = answer->code == SIGNAL_OK && task->dims > 0 ? why_forget(task, ask->text, answer) : NULL;
    if (why) {
        LOG_INFO(why, LOG_S("model", signal_source_name(bound_of(task)->source)));
        vector_shelf_forget(task->shelf);
    }
    if (answer->code == SIGNAL_OK) {
        float *witness = ARENA_ARRAY(task->arena, float, answer->n);
        memcpy(witness, answer->numbers, answer->n * sizeof(*witness));
        task->witness = witness;
        task->witness_dims = answer->n;
    }
    take(data, ask, answer);
}

/*
 * The witness was there before all examples, and is the first to go where there is no room for all. Without it what is
 * kept is worth nothing to the next load.
 */
static void keep_witness(const struct task *task) {
    vsr_str witness = VSR_STR(WITNESS);
    if (!task->witness || task->witness_dims != vector_shelf_dims(task->shelf))
        return;
    if (!is_known(task, witness)) /* looking makes it the newest */
        vector_shelf_put(task->shelf, witness, task->witness, task->witness_dims);
}

/*
 * The name of a server's model says nothing about what runs behind it, and vectors of two models say nothing of each
 * other. So what was kept is used once the server has said the same as then about one text. While it says nothing the
 * examples wait: requests could not be embedded either.
 */
static bool is_confirmed(struct task *task) {
    vsr_str witness = VSR_STR(WITNESS);
    if (bound_of(task)->place != PLACE_HTTP && bound_of(task)->place != PLACE_MCP)
        return true;
    ask(task, &witness, 1, compare);
    return task->failure.code == SIGNAL_OK;
}

/* ---- filling */

/* What cosines of the source's vectors mean, as its answers say too. */
static const struct similarity_scale *scale_of(const struct task *task) {
    const struct builtin_model *builtin = bound_of(task)->builtin;
    return builtin ? builtin->similarity : NULL;
}

/* Without a failure the vectors came, and were forgotten for others before they were read. */
static void fail_bank(const struct task *task, struct signal_bank *bank) {
    const char *reason = task->failure.code ? task->failure.reason : "no room for the vectors of all examples";
    signal_bank_fail(bank, task->failure.code ? task->failure.code : SIGNAL_FAILED,
                     reason ? reason : "no reason given");
}

static void fill_bank(struct task *task, struct signal_bank *bank) {
    struct arena *arena = arena_new(0, 0); /* of the vectors: reasons stay in the task's */
    size_t n, n_found = 0;
    const vsr_str *texts = signal_bank_texts(bank, &n);
    vsr_str *keys = ARENA_ARRAY(arena, vsr_str, n);
    const float **vectors;
    if (bound_of(task)->source->images) {
        ask_unknown_pictures(task, texts, n, keys);
    } else {
        ask_unknown(task, texts, n);
        memcpy(keys, texts, n * sizeof(*keys));
    }
    if (is_stopped(task)) { /* what was asked is not answered; a part of the examples would stay for good */
        arena_free(arena);
        return;
    }
    vectors = ARENA_ARRAY(arena, const float *, n);
    for (size_t i = 0; i < n && task->dims > 0; i++) {
        float *vector = ARENA_ARRAY(arena, float, task->dims);
        if (keys[i].len == 0 || !vector_shelf_get(task->shelf, keys[i], vector, task->dims))
            continue;
        vectors[i] = vector;
        n_found++;
    }
    if (n_found < n && (is_hopeless(task) || n_found == 0))
        fail_bank(task, bank);
    else
        signal_bank_fill(bank, vectors, task->dims, scale_of(task));
    task->n_left_out += n - n_found;
    arena_free(arena);
}

static bool is_due(const struct task *task, const struct signal_bank *bank) {
    return signal_bank_source(bank) == task->source && !signal_bank_is_filled(bank);
}

static void report(const struct task *task, size_t n_banks, uint64_t begin_ms) {
    vsr_str name = signal_source_name(bound_of(task)->source);
    if (task->failure.code)
        LOG_WARN("not all examples have vectors", LOG_S("model", name),
                 LOG_C("code", signal_code_text(task->failure.code)),
                 LOG_C("reason", task->failure.reason ? task->failure.reason : ""), LOG_U("texts", task->n_left_out));
    else
        LOG_DEBUG("examples have vectors", LOG_S("model", name), LOG_U("banks", n_banks),
                  LOG_U("texts_asked", task->n_asked), LOG_U("ms", clock_mono_ms() - begin_ms));
}

/* Every bank of one source. True: nothing is left to do. */
static bool fill_source(struct task *task) {
    uint64_t begin_ms = clock_mono_ms();
    struct vsr_err err = VSR_ERR_NONE;
    size_t n, n_due = 0;
    struct signal_bank *const *banks = route_banks(task->binding->route, &n);
    bool all = true, usable;
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        n_due += is_due(task, banks[i]);
    if (n_due == 0)
        return true;
    rc = open_shelf(task, &err);
    if (rc < 0)
        task->failure = evidence_failure(task->arena, rc, err.text);
    usable = rc == 0 && is_confirmed(task);
    for (size_t i = 0; i < n && !is_stopped(task); i++) {
        if (!is_due(task, banks[i]))
            continue;
        if (!usable)
            fail_bank(task, banks[i]);
        else
            fill_bank(task, banks[i]);
        all &= signal_bank_is_filled(banks[i]);
    }
    if (task->shelf) {
        keep_witness(task);
        vector_shelf_save(task->shelf);
    }
    vector_shelf_unref(task->shelf);
    task->shelf = NULL;
    if (!is_stopped(task))
        report(task, n_due, begin_ms);
    return all;
}

bool fill_banks(struct evidence_lane *lane, struct evidence_binding *binding, const _Atomic bool *stop,
                bool builtin_only) {
    bool all = true;
    for (uint32_t source = 0; source < binding->n_sources && !(stop && atomic_load(stop)); source++) {
        struct task task = { .lane = lane, .binding = binding, .source = source, .stop = stop };
        if (builtin_only && !binding->sources[source].builtin)
            continue;
        task.arena = arena_new(0, 0);
        all &= fill_source(&task);
        arena_free(task.arena);
    }
    return all;
}

void evidence_fill_now(struct evidence_binding *binding) {
    const struct evidence_lane_options options = { .evidence = binding->evidence, .patient = true };
    struct vsr_err err = VSR_ERR_NONE;
    struct evidence_lane *lane;
    size_t n_banks;
    (void)route_banks(binding->route, &n_banks);
    if (n_banks == 0)
        return;
    if (evidence_lane_new(&options, &lane, &err) < 0) {
        LOG_WARN("examples have no vectors yet", LOG_C("because", err.text)); /* they get them later */
        return;
    }
    (void)fill_banks(lane, binding, NULL, true); /* what is left is done later */
    evidence_lane_free(lane);
}

void evidence_fill_wait(struct evidence_lane *lane, struct evidence_binding *binding) {
    (void)fill_banks(lane, binding, NULL, false); /* banks say themselves what they miss */
}

void evidence_fill_count(const struct evidence_binding *binding, struct evidence_fill_state *state) {
    size_t n;
    struct signal_bank *const *banks;
    if (!binding)
        return;
    banks = route_banks(binding->route, &n);
    state->banks += n;
    for (size_t i = 0; i < n; i++)
        state->filled += signal_bank_is_filled(banks[i]);
}
