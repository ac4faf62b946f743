#include "probe/run.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "probe/request.h"
#include "route/route.h"
#include "serve/eval.h"

enum { RUN_DOCUMENT_LEN_MAX = 64 << 20 };

const char *probe_state_text(enum probe_state state) {
    static const char *const texts[] = { "passed", "failed", "not_asked", "dependent" };
    return texts[state];
}

struct run {
    const struct probe_options *options;
    struct probe_outcomes *outcomes;
    atomic_size_t next;
    pthread_mutex_t lock; /* progress */
    size_t done;
};

struct run_worker {
    struct run *run;
    size_t index;
    pthread_t thread;
};

enum { SCRATCH_LEN = 1 << 20 }; /* of one probe; a few need more and get it */

/* ---- one variant */

/* Decisions of the recipe that is expected to answer. */
static void list_decisions(const struct probe_options *options, struct probe_question *question, struct arena *arena) {
    const struct config_scope *scope = config_scope(options->snapshot->doc, question->decision->expected_recipe);
    vsr_str *names;
    if (!scope)
        return;
    names = ARENA_ARRAY(arena, vsr_str, scope->routing->decisions.n);
    CONFIG_EACH(const struct config_decision, decision, &scope->routing->decisions)
    names[question->n_decisions++] = decision->name;
    question->decisions = names;
}

static int ask(const struct probe_options *options, size_t worker, struct probe_outcome *outcome, struct arena *arena,
               struct probe_answer *answer, struct vsr_err *err) {
    vsr_str body;
    int rc = probe_request(options->suite, outcome->variant, outcome->model, arena, &body, err);
    return rc < 0 ? rc : options->asker.ask(options->asker.data, worker, arena, body, outcome->decision, answer, err);
}

static void judge(const struct probe_options *options, struct probe_outcome *outcome, const struct probe_answer *answer,
                  struct arena *arena) {
    struct probe_question question = {
        .suite = options->suite,
        .decision = outcome->decision,
        .variant = outcome->variant,
        .model = outcome->model,
        .ignore_signal_errors = options->by_independence && answer->independent,
    };
    struct json_doc doc;
    struct vsr_err err = VSR_ERR_NONE;
    if (json_parse(arena, answer->document, &doc, &err) < 0) {
        outcome->state = PROBE_NOT_ASKED;
        outcome->error = arena_printf(arena, "the answer is not JSON: %s", err.text);
        return;
    }
    list_decisions(options, &question, arena);
    probe_judge(&question, &doc, arena, &outcome->verdict);
    outcome->independent = answer->independent;
    outcome->time_us = (double)answer->time_ns / 1e3;
    outcome->state = outcome->verdict.n_failures == 0                                         ? PROBE_PASSED
                     : options->by_independence && answer->incomplete && !answer->independent ? PROBE_DEPENDENT
                                                                                              : PROBE_FAILED;
}

/* Copies what a verdict says out of the document that it was about. */
static void keep_texts(struct probe_outcome *outcome, struct arena *arena) {
    struct probe_verdict *verdict = &outcome->verdict;
    outcome->error = arena_str(arena, outcome->error);
    verdict->decision = arena_str(arena, verdict->decision);
    for (size_t i = 0; i < verdict->n_failures; i++) {
        verdict->failures[i].expected = arena_str(arena, verdict->failures[i].expected);
        verdict->failures[i].got = arena_str(arena, verdict->failures[i].got);
    }
}

/* `scratch` is the probe's own: bodies may be large. Texts of the outcome go to `arena`. */
static void probe_one(const struct probe_options *options, size_t worker, struct probe_outcome *outcome,
                      struct arena *scratch, struct arena *arena) {
    struct probe_answer answer = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    if (ask(options, worker, outcome, scratch, &answer, &err) < 0) {
        outcome->state = PROBE_NOT_ASKED;
        outcome->error = str_from_c(err.text);
    } else {
        judge(options, outcome, &answer, scratch);
    }
    keep_texts(outcome, arena);
}

/* ---- workers */

static void *work(void *data) {
    struct run_worker *worker = data;
    struct run *run = worker->run;
    struct arena *scratch = arena_new(SCRATCH_LEN, 0);
    for (;;) {
        size_t index = atomic_fetch_add_explicit(&run->next, 1, memory_order_relaxed);
        if (index >= run->outcomes->n)
            break;
        probe_one(run->options, worker->index, &run->outcomes->items[index], scratch,
                  run->outcomes->arenas[worker->index]);
        arena_reset(scratch);
        if (!run->options->progress)
            continue;
        pthread_mutex_lock(&run->lock);
        run->options->progress(run->options->progress_data, ++run->done, run->outcomes->n);
        pthread_mutex_unlock(&run->lock);
    }
    arena_free(scratch);
    return NULL;
}

/* The caller's thread works too; threads that cannot be had leave their share to the others. */
static void work_together(struct run *run, size_t jobs) {
    struct run_worker *workers = mem_alloc(jobs * sizeof(*workers));
    size_t n = 0;
    for (size_t i = 0; i < jobs; i++)
        workers[i] = (struct run_worker){ .run = run, .index = i };
    while (n + 1 < jobs && pthread_create(&workers[n + 1].thread, NULL, work, &workers[n + 1]) == 0)
        n++;
    (void)work(&workers[0]);
    for (size_t i = 1; i <= n; i++)
        pthread_join(workers[i].thread, NULL);
    mem_free(workers);
}

/* ---- the run */

static bool is_wanted(const struct probe_options *options, vsr_str id) {
    for (size_t i = 0; i < options->n_ids; i++)
        if (str_eq(options->ids[i], id))
            return true;
    return options->n_ids == 0;
}

static size_t count_variants(const struct probe_suite *suite) {
    size_t n = 0;
    CONFIG_EACH(const struct probe_decision, decision, &suite->decisions)
    n += decision->variants.n;
    return n;
}

/* Probes of the default recipe that name no model share its aliases in turn. */
static vsr_str model_of(const struct probe_options *options, const struct probe_decision *decision, size_t *turn) {
    const struct config_strings *aliases = &options->snapshot->doc->global.router.auto_model_names;
    if (decision->model.len || !str_eq_c(decision->expected_recipe, "default") || aliases->n == 0)
        return decision->model;
    return aliases->items[(*turn)++ % aliases->n];
}

static int check_ids(const struct probe_options *options, const struct probe_outcomes *outcomes, struct vsr_err *err) {
    for (size_t i = 0; i < options->n_ids; i++) {
        bool found = false;
        for (size_t k = 0; k < outcomes->n; k++)
            found |= str_eq(outcomes->items[k].id, options->ids[i]);
        if (!found)
            return err_set(err, VSR_E_NOT_FOUND, "the suite has no probe \"%.*s\"", VSR_FMT(options->ids[i]));
    }
    return 0;
}

static int list_variants(const struct probe_options *options, struct probe_outcomes *outcomes, struct arena *arena,
                         struct vsr_err *err) {
    size_t turn = 0;
    outcomes->items = ARENA_ARRAY(arena, struct probe_outcome, count_variants(options->suite));
    CONFIG_EACH(const struct probe_decision, decision, &options->suite->decisions)
    CONFIG_EACH(const struct probe_variant, variant, &decision->variants) {
        vsr_str id = arena_printf(arena, "%.*s:%.*s", VSR_FMT(decision->id), VSR_FMT(variant->id));
        vsr_str model = model_of(options, decision, &turn); /* a probe asks for the same model, alone or among all */
        if (is_wanted(options, id))
            outcomes->items[outcomes->n++] =
                (struct probe_outcome){ .decision = decision, .variant = variant, .id = id, .model = model };
    }
    return check_ids(options, outcomes, err);
}

int probe_run(const struct probe_options *options, struct probe_outcomes *ret_outcomes, struct vsr_err *err) {
    size_t jobs = options->jobs ? options->jobs : 1;
    struct run run = { .options = options, .outcomes = ret_outcomes, .lock = PTHREAD_MUTEX_INITIALIZER };
    uint64_t begin_ns = clock_mono_ns();
    int rc;
    *ret_outcomes = (struct probe_outcomes){ .arenas = mem_alloc(jobs * sizeof(struct arena *)), .n_arenas = jobs };
    for (size_t i = 0; i < jobs; i++)
        ret_outcomes->arenas[i] = arena_new(0, 0);
    rc = list_variants(options, ret_outcomes, ret_outcomes->arenas[0], err);
    if (rc < 0)
        return rc;
    atomic_init(&run.next, 0);
    work_together(&run, jobs < ret_outcomes->n ? jobs : ret_outcomes->n);
    ret_outcomes->time_ns = clock_mono_ns() - begin_ns;
    return 0;
}

void probe_outcomes_free(struct probe_outcomes *outcomes) {
    for (size_t i = 0; i < outcomes->n_arenas; i++)
        arena_free(outcomes->arenas[i]);
    mem_free(outcomes->arenas);
    *outcomes = (struct probe_outcomes){ 0 };
}

/* ---- the engine in this process */

static int write_document(const struct eval *eval, struct arena *arena, vsr_str *ret_document, struct vsr_err *err) {
    struct json_writer w;
    struct buf out;
    int rc = 0;
    buf_init(&out, RUN_DOCUMENT_LEN_MAX);
    json_write_init(&w, &out);
    json_write_begin_object(&w);
    eval_members(eval, true, &w);
    json_write_end(&w);
    if (buf_failed(&out))
        rc = err_set(err, VSR_E_LIMIT, "the trace is larger than %d bytes", RUN_DOCUMENT_LEN_MAX);
    else
        *ret_document = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return rc;
}

/* Whether the decision that is expected wins whatever the unavailable signals would say. */
static bool is_independent(const struct eval *eval, const struct probe_decision *probe) {
    if (!eval->state)
        return true;
    CONFIG_EACH(const struct config_decision, decision, &eval->recipe->scope->routing->decisions)
    if (str_eq(decision->name, probe->expected_decision))
        return route_independent(eval->state, decision);
    return true; /* what is expected does not exist: no signal could make it win */
}

static void note_error(void *data, const char *family, vsr_str name, const char *code) {
    (void)family;
    (void)name;
    (void)code;
    *(bool *)data = true;
}

static int ask_local(void *data, size_t worker, struct arena *arena, vsr_str body,
                     const struct probe_decision *decision, struct probe_answer *ret_answer, struct vsr_err *err) {
    const struct probe_local *local = data;
    struct request_facts *facts = ARENA_NEW(arena, struct request_facts);
    struct json_doc *doc = ARENA_NEW(arena, struct json_doc);
    uint64_t begin_ns = clock_mono_ns();
    const struct eval_options options = {
        .snapshot = local->snapshot, .worker = worker, .lane = local->lane(local->data, worker), .arena = arena
    };
    struct eval eval = { 0 };
    int rc = json_parse(arena, body, doc, err);
    if (rc == 0)
        rc = eval_read(local->snapshot, arena, doc, facts, err);
    if (rc == 0)
        rc = eval_run(&options, facts, &eval, err);
    if (rc < 0)
        return rc;
    ret_answer->time_ns = clock_mono_ns() - begin_ns;
    ret_answer->independent = is_independent(&eval, decision);
    if (eval.state)
        route_errors(eval.state, note_error, &ret_answer->incomplete);
    return write_document(&eval, arena, &ret_answer->document, err);
}

struct probe_asker probe_local(const struct probe_local *local) {
    return (struct probe_asker){ ask_local, (void *)local };
}
