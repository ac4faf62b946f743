/*
 * What every place of the store has to do, over all of them: the same cases, the same answers.
 */
#include "asking.h"

#include <unistd.h>

#include "core/buf.h"
#include "core/json.h"
#include "places.h"

static void check_stored(struct asking *a, const struct response_record *want, const char *name) {
    const struct response_record *got = a->records;
    CHECK_INT(a->n, 1, name);
    CHECK(str_eq(got->id, want->id), name);
    CHECK(str_eq(got->previous_id, want->previous_id), name);
    CHECK(str_eq(got->conversation_id, want->conversation_id), name);
    CHECK(str_eq(got->owner, want->owner), name);
    CHECK(str_eq(got->status, want->status), name);
    CHECK(str_eq(got->object_json, want->object_json), name);
    CHECK(str_eq(got->input_json, want->input_json), name);
    CHECK_INT(got->created_s, want->created_s, name);
    CHECK_INT(got->input_tokens, want->input_tokens, name);
    CHECK_INT(got->output_tokens, want->output_tokens, name);
    CHECK(got->expires_s > (int64_t)(clock_wall_ms() / 1000), name);
}

static void check_stored_is(struct asking *a, const struct response_record *want, const char *name) {
    char id[64];
    (void)snprintf(id, sizeof(id), "%.*s", VSR_FMT(want->id));
    CHECK_INT(ask_get(a, id, name), 0, name);
    check_stored(a, want, name);
}

static void check_records(struct asking *a, const char *name) {
    struct response_record record =
        record_of("resp_1", "", "in_progress", "{\"id\":\"resp_1\",\"text\":\"q\\\"uote \xc3\xa9 '; --\"}");
    struct response_record other = record_of("resp_2", "", "completed", "{}");
    CHECK_INT(ask_get(a, "resp_1", name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_put(a, &record, name), 0, name);
    CHECK(!a->kept, name);
    CHECK_INT(ask_get(a, "resp_1", name), 0, name);
    check_stored(a, &record, name);
    /* replaced while it is under way, never afterwards */
    record.status = VSR_STR("completed");
    record.object_json = VSR_STR("{\"done\":true}");
    record.output_tokens = 12;
    CHECK_INT(ask_put(a, &record, name), 0, name);
    CHECK(!a->kept, name);
    CHECK_INT(ask_get(a, "resp_1", name), 0, name);
    check_stored(a, &record, name);
    other = record;
    other.status = VSR_STR("cancelled");
    CHECK_INT(ask_put(a, &other, name), 0, name);
    CHECK(a->kept, name);
    other.status = VSR_STR("in_progress");
    CHECK_INT(ask_put(a, &other, name), 0, name);
    CHECK(a->kept, name);
    CHECK_INT(ask_get(a, "resp_1", name), 0, name);
    check_stored(a, &record, name);
    /* an empty input, and texts at their limit */
    other = record_of("resp_2", "resp_1", "failed", "{}");
    other.input_json = VSR_STR("");
    other.conversation_id = VSR_STR("");
    other.owner = VSR_STR("");
    CHECK_INT(ask_put(a, &other, name), 0, name);
    CHECK_INT(ask_get(a, "resp_2", name), 0, name);
    check_stored(a, &other, name);
    CHECK_INT(ask_delete(a, "resp_2", name), 0, name);
    CHECK_INT(ask_get(a, "resp_2", name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_delete(a, "resp_2", name), VSR_E_NOT_FOUND, name);
}

static void check_deleted(struct asking *a, int rc, const char *name) {
    CHECK_INT(rc, VSR_E_NOT_FOUND, name);
    CHECK(a->deleted, name);
}

/* Whoever works on a response: begins, goes on, ends; and finds out that it was deleted or has ended. */
static void check_work(struct asking *a, const char *name) {
    struct response_record record = record_of("resp_w", "", "queued", "{\"status\":\"queued\"}"), end = record;
    CHECK_INT(ask_progress(a, "resp_w", name), VSR_E_NOT_FOUND, name);
    CHECK(!a->deleted, name);
    CHECK_INT(ask_update(a, &record, name), 0, name); /* what is lost is written again */
    check_stored_is(a, &record, name);
    CHECK_INT(ask_put(a, &record, name), 0, name);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(ask_progress(a, "resp_w", name), 0, name);
        CHECK(!a->kept, name);
        CHECK_INT(ask_get(a, "resp_w", name), 0, name);
        record.status = VSR_STR("in_progress"); /* and nothing else */
        check_stored(a, &record, name);
    }
    end.status = VSR_STR("completed");
    end.object_json = VSR_STR("{\"status\":\"completed\"}");
    end.output_tokens = 12;
    CHECK_INT(ask_update(a, &end, name), 0, name);
    CHECK(!a->kept, name);
    end.object_json = VSR_STR("{\"status\":\"completed\",\"more\":1}"); /* the same end, with more to say */
    CHECK_INT(ask_update(a, &end, name), 0, name);
    CHECK(!a->kept, name);
    record.status = VSR_STR("cancelled");
    CHECK_INT(ask_update(a, &record, name), 0, name);
    CHECK(a->kept, name);
    CHECK_INT(ask_put(a, &end, name), 0, name);
    CHECK(a->kept, name);
    CHECK_INT(ask_progress(a, "resp_w", name), 0, name);
    CHECK(a->kept, name);
    CHECK_INT(ask_get(a, "resp_w", name), 0, name);
    check_stored(a, &end, name);
    CHECK_INT(ask_delete(a, "resp_w", name), 0, name);
    CHECK_INT(ask_progress(a, "resp_w", name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_get(a, "resp_w", name), VSR_E_NOT_FOUND, name);
}

/* What was deleted while somebody worked on it, or before he saw that it was cancelled, does not come back. */
static void check_marks(struct asking *a, const char *name) {
    static const char *const statuses[] = { "queued", "in_progress", "cancelled" };
    for (size_t i = 0; i < VSR_COUNT(statuses); i++) {
        char id[32];
        struct event_record events[] = { { .seq = 0, .type = VSR_STR("t"), .json = VSR_STR("{}") },
                                         { .seq = 1, .type = VSR_STR("t"), .json = VSR_STR("{}") } };
        struct response_record record, next;
        (void)snprintf(id, sizeof(id), "resp_mark_%zu", i);
        record = record_of(id, "", statuses[i], "{}");
        CHECK_INT(ask_put(a, &record, name), 0, name);
        CHECK_INT(ask_append(a, id, events, 1, name), 0, name);
        CHECK_INT(ask_delete(a, id, name), 0, name);
        check_deleted(a, ask_progress(a, id, name), name);
        check_deleted(a, ask_update(a, &record, name), name);
        check_deleted(a, ask_put(a, &record, name), name);
        record.status = VSR_STR("completed");
        check_deleted(a, ask_update(a, &record, name), name);
        CHECK_INT(ask_append(a, id, events, 2, name), VSR_E_NOT_FOUND, name);
        CHECK_INT(ask_read(a, id, -1, 0, name), VSR_E_NOT_FOUND, name);
        /* nobody sees the mark */
        CHECK_INT(ask_get(a, id, name), VSR_E_NOT_FOUND, name);
        CHECK_INT(ask_chain(a, id, 0, name), VSR_E_NOT_FOUND, name);
        CHECK_INT(ask_delete(a, id, name), VSR_E_NOT_FOUND, name);
        check_deleted(a, ask_progress(a, id, name), name);
        next = record_of("resp_behind_mark", id, "completed", "{}");
        CHECK_INT(ask_put(a, &next, name), 0, name);
        CHECK_INT(ask_chain(a, "resp_behind_mark", 0, name), 0, name);
        CHECK_INT(a->n, 1, name);
    }
}

/* Objects as deep as JSON may be. */
static void check_depth(struct asking *a, const char *name) {
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX; depth++) {
        const char *id = depth < JSON_DEPTH_MAX ? "resp_deep" : "resp_deeper";
        struct response_record record = record_of(id, "", "completed", "");
        char text[2 * JSON_DEPTH_MAX];
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        record.object_json = record.input_json = str_make(text, 2 * depth);
        CHECK_INT(ask_put(a, &record, name), 0, name);
        CHECK_INT(ask_get(a, id, name), 0, name);
        check_stored(a, &record, name);
        CHECK_INT(ask_delete(a, id, name), 0, name);
    }
}

static void check_refused(struct asking *a, const char *name) {
    char long_id[STORE_ID_LEN_MAX + 2] = { 0 };
    struct response_record record = record_of("", "", "completed", "{}");
    CHECK_INT(ask_put(a, &record, name), VSR_E_INVALID, name);
    record.id = str_make("a\0b", 3);
    CHECK_INT(ask_put(a, &record, name), VSR_E_INVALID, name);
    memset(long_id, 'x', sizeof(long_id) - 1);
    CHECK_INT(ask_get(a, long_id, name), VSR_E_NOT_FOUND, name);
    record.id = str_from_c(long_id);
    CHECK_INT(ask_put(a, &record, name), VSR_E_LIMIT, name);
    long_id[STORE_ID_LEN_MAX] = 0;
    record.id = str_from_c(long_id);
    CHECK_INT(ask_put(a, &record, name), 0, name);
    CHECK_INT(ask_get(a, long_id, name), 0, name);
    CHECK_INT(ask_delete(a, long_id, name), 0, name);
}

static void check_large(struct asking *a, const char *name) {
    enum { LEN = 5 << 20 };
    struct buf text;
    struct response_record record;
    buf_init(&text, LEN + 64);
    buf_append_c(&text, "{\"t\":\"");
    for (int i = 0; i < LEN; i++)
        buf_append_char(&text, (char)('a' + i % 26));
    buf_append_c(&text, "\"}");
    record = record_of("resp_large", "", "completed", "");
    record.object_json = buf_str(&text);
    CHECK_INT(ask_put(a, &record, name), 0, name);
    CHECK_INT(ask_get(a, "resp_large", name), 0, name);
    check_stored(a, &record, name);
    CHECK_INT(ask_delete(a, "resp_large", name), 0, name);
    buf_done(&text);
}

static void put_link(struct asking *a, const char *id, const char *previous_id, const char *name) {
    struct response_record record = record_of(id, previous_id, "completed", "{}");
    CHECK_INT(ask_put(a, &record, name), 0, name);
}

static void check_ids(struct asking *a, const char *want, const char *name) {
    char got[1024] = "";
    for (size_t i = 0; i < a->n; i++)
        (void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%.*s", i ? " " : "", VSR_FMT(a->records[i].id));
    CHECK_STR(str_from_c(got), want, name);
}

static void check_chains(struct asking *a, const char *name) {
    put_link(a, "c1", "", name);
    put_link(a, "c2", "c1", name);
    put_link(a, "c3", "c2", name);
    put_link(a, "c4", "nobody", name);
    put_link(a, "ring1", "ring3", name);
    put_link(a, "ring2", "ring1", name);
    put_link(a, "ring3", "ring2", name);
    put_link(a, "self", "self", name);
    CHECK_INT(ask_chain(a, "c3", 0, name), 0, name);
    check_ids(a, "c1 c2 c3", name);
    CHECK_INT(ask_chain(a, "c3", 2, name), 0, name);
    check_ids(a, "c2 c3", name);
    CHECK_INT(ask_chain(a, "c4", 0, name), 0, name);
    check_ids(a, "c4", name);
    CHECK_INT(ask_chain(a, "ring2", 0, name), 0, name);
    check_ids(a, "ring3 ring1 ring2", name);
    CHECK_INT(ask_chain(a, "self", 0, name), 0, name);
    check_ids(a, "self", name);
    CHECK_INT(ask_chain(a, "nobody", 0, name), VSR_E_NOT_FOUND, name);
}

static void check_expiry(struct asking *a, const char *name) {
    int64_t now_s = (int64_t)(clock_wall_ms() / 1000);
    struct response_record record = record_of("resp_old", "", "completed", "{}");
    struct response_record left = record_of("resp_left", "", "in_progress", "{}");
    struct response_record working = record_of("resp_working", "", "in_progress", "{}");
    record.expires_s = left.expires_s = working.expires_s = now_s + 2;
    CHECK_INT(ask_put(a, &record, name), 0, name);
    CHECK_INT(ask_put(a, &left, name), 0, name);
    CHECK_INT(ask_put(a, &working, name), 0, name);
    CHECK_INT(ask_progress(a, "resp_working", name), 0, name);
    put_link(a, "resp_new", "resp_old", name);
    while (clock_wall_ms() < (uint64_t)(now_s + 2) * 1000 + 100) /* a server has a clock of its own */
        loop_run_once(a->loop, 20);
    CHECK_INT(ask_get(a, "resp_old", name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_get(a, "resp_left", name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_progress(a, "resp_left", name), VSR_E_NOT_FOUND, name);
    CHECK(!a->deleted, name);
    CHECK_INT(ask_progress(a, "resp_working", name), 0, name); /* its time has begun anew */
    CHECK_INT(ask_get(a, "resp_working", name), 0, name);
    CHECK_INT(ask_chain(a, "resp_new", 0, name), 0, name);
    check_ids(a, "resp_new", name);
    /* what has expired is no obstacle */
    record.expires_s = 0;
    CHECK_INT(ask_put(a, &record, name), 0, name);
    CHECK(!a->kept, name);
    CHECK_INT(ask_get(a, "resp_old", name), 0, name);
}

static struct event_record event_of(int64_t seq, bool last) {
    return (struct event_record){
        .seq = seq, .type = VSR_STR("response.output_text.delta"), .json = VSR_STR("{\"delta\":\"x\"}"), .last = last
    };
}

static void check_seqs(struct asking *a, int64_t first, size_t n, const char *name) {
    CHECK_INT(a->n_events, n, name);
    for (size_t i = 0; i < n; i++) {
        CHECK_INT(a->events[i].seq, first + (int64_t)i, name);
        CHECK_STR(a->events[i].type, "response.output_text.delta", name);
        CHECK_STR(a->events[i].json, "{\"delta\":\"x\"}", name);
    }
}

static void check_events(struct asking *a, const char *name) {
    struct event_record events[300];
    struct response_record record = record_of("resp_e", "", "in_progress", "{}");
    for (int i = 0; i < 300; i++)
        events[i] = event_of(i, i == 299);
    CHECK_INT(ask_put(a, &record, name), 0, name);
    CHECK_INT(ask_read(a, "resp_e", -1, 0, name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_append(a, "resp_e", events, 3, name), 0, name);
    CHECK_INT(ask_read(a, "resp_e", -1, 0, name), 0, name);
    check_seqs(a, 0, 3, name);
    CHECK(!a->events[2].last, name);
    /* once more, and what follows */
    CHECK_INT(ask_append(a, "resp_e", events + 1, 299, name), 0, name);
    CHECK_INT(ask_read(a, "resp_e", 1, 4, name), 0, name);
    check_seqs(a, 2, 4, name);
    CHECK_INT(ask_read(a, "resp_e", 5, 0, name), 0, name);
    check_seqs(a, 6, EVENT_LOG_READ_MAX, name);
    CHECK_INT(ask_read(a, "resp_e", 297, 0, name), 0, name);
    check_seqs(a, 298, 2, name);
    CHECK(a->events[1].last && !a->events[0].last, name);
    CHECK_INT(ask_read(a, "resp_e", 299, 0, name), 0, name);
    check_seqs(a, 0, 0, name);
    /* the response takes its events with it */
    CHECK_INT(ask_delete(a, "resp_e", name), 0, name);
    CHECK_INT(ask_read(a, "resp_e", -1, 0, name), VSR_E_NOT_FOUND, name);
    events[1].seq = 0;
    CHECK_INT(ask_append(a, "resp_e", events, 2, name), VSR_E_INVALID, name);
}

/* What is refused leaves the log as it was. */
static void check_gaps(struct asking *a, const char *name) {
    struct event_record events[8];
    for (int i = 0; i < 8; i++)
        events[i] = event_of(i, false);
    CHECK_INT(ask_append(a, "resp_gap", events + 1, 2, name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_read(a, "resp_gap", -1, 0, name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_append(a, "resp_gap", events, 2, name), 0, name);
    CHECK_INT(ask_append(a, "resp_gap", events + 3, 2, name), VSR_E_INVALID, name);
    events[2].seq = 1; /* there already, and a gap behind it */
    CHECK_INT(ask_append(a, "resp_gap", events + 2, 2, name), VSR_E_INVALID, name);
    events[2].seq = 2;
    events[3].seq = 4; /* a gap of its own */
    CHECK_INT(ask_append(a, "resp_gap", events + 2, 2, name), VSR_E_INVALID, name);
    events[3].seq = 3;
    CHECK_INT(ask_read(a, "resp_gap", -1, 0, name), 0, name);
    check_seqs(a, 0, 2, name);
    CHECK_INT(ask_append(a, "resp_gap", events + 1, 4, name), 0, name);
    CHECK_INT(ask_append(a, "resp_gap", events, 1, name), 0, name);
    CHECK_INT(ask_read(a, "resp_gap", -1, 0, name), 0, name);
    check_seqs(a, 0, 5, name);
    CHECK_INT(ask_delete(a, "resp_gap", name), VSR_E_NOT_FOUND, name); /* there was no record */
    CHECK_INT(ask_append(a, "resp_gap", events + 5, 1, name), VSR_E_NOT_FOUND, name);
}

/* A log keeps its end. */
static void check_ring(struct asking *a, const char *name) {
    enum { EVENTS = 40, LEN = 1 << 20 };
    char *text = malloc(LEN);
    memset(text, 'x', LEN);
    text[0] = text[LEN - 1] = '"';
    for (int i = 0; i < EVENTS; i++) {
        struct event_record event = event_of(i, i + 1 == EVENTS);
        event.json = str_make(text, LEN);
        CHECK_INT(ask_append(a, "resp_ring", &event, 1, name), 0, name);
    }
    free(text);
    CHECK_INT(ask_read(a, "resp_ring", -1, 0, name), VSR_E_LIMIT, name);
    CHECK_INT(ask_read(a, "resp_ring", 3, 0, name), VSR_E_LIMIT, name);
    CHECK_INT(ask_read(a, "resp_ring", EVENTS - 9, 0, name), 0, name);
    CHECK_INT(a->n_events, 8, name);
    CHECK_INT(a->events[7].seq, EVENTS - 1, name);
    CHECK_INT(a->events[7].json.len, LEN, name);
}

/* ---- follows */

struct seen {
    struct asking *a;
    int64_t next;
    int rc;
    bool ended, free_in_call;
    size_t n_calls;
    struct event_follow *follow;
};

static void on_events(void *owner, const struct store_reply *reply) {
    struct seen *seen = owner;
    seen->n_calls++;
    seen->rc = reply->rc;
    seen->ended = reply->rc < 0;
    for (size_t i = 0; i < reply->n_events; i++) {
        CHECK_INT(reply->events[i].seq, seen->next, "in order, each once");
        seen->next++;
        seen->ended |= reply->events[i].last;
    }
    if (seen->free_in_call) {
        event_follow_free(seen->follow);
        seen->ended = true;
    }
}

static void wait_seen(struct seen *seen, int64_t next, const char *name) {
    uint64_t end = clock_mono_ms() + ASK_MS_MAX;
    while (seen->next < next && !seen->ended) {
        CHECK_MSG(clock_mono_ms() < end, "case \"%s\": events did not come", name);
        loop_run_once(seen->a->loop, 2);
    }
    CHECK_INT(seen->next, next, name);
}

static void check_follows(struct asking *a, const char *name) {
    struct event_record event = event_of(0, false);
    struct seen all = { .a = a }, late = { .a = a, .next = 3 }, paused = { .a = a }, once = { .a = a };
    struct seen nobody = { .a = a };
    CHECK_INT(ask_append(a, "resp_f", &event, 1, name), 0, name);
    all.follow = event_log_follow(a->lane, VSR_STR("resp_f"), -1, on_events, &all);
    late.follow = event_log_follow(a->lane, VSR_STR("resp_f"), 2, on_events, &late);
    paused.follow = event_log_follow(a->lane, VSR_STR("resp_f"), -1, on_events, &paused);
    event_follow_pause(paused.follow);
    once.free_in_call = true;
    once.follow = event_log_follow(a->lane, VSR_STR("resp_f"), -1, on_events, &once);
    nobody.follow = event_log_follow(a->lane, VSR_STR("resp_nobody"), -1, on_events, &nobody);
    wait_seen(&all, 1, name);
    wait_seen(&once, 1, name);
    for (int i = 1; i < 600; i++) {
        event = event_of(i, i == 599);
        (void)event_log_append(a->lane, VSR_STR("resp_f"), &event, 1, NULL, NULL);
        if (i == 300) {
            wait_seen(&all, 301, name);
            wait_seen(&late, 301, name);
        }
    }
    wait_seen(&all, 600, name);
    wait_seen(&late, 600, name);
    CHECK(all.ended && late.ended, name);
    CHECK_INT(paused.n_calls, 0, name);
    event_follow_resume(paused.follow);
    wait_seen(&paused, 600, name);
    CHECK_INT(once.n_calls, 1, name);
    while (!nobody.ended)
        loop_run_once(a->loop, 2);
    CHECK_INT(nobody.rc, VSR_E_NOT_FOUND, name);
}

/* ---- cancelling */

static void never(void *owner, const struct store_reply *reply) {
    (void)owner;
    (void)reply;
    fail_msg("a cancelled operation called back");
}

/* The write is done; nobody is told. Reads that come later see it. */
static void check_cancelled(struct asking *a, const char *name) {
    char id[32];
    for (int i = 0; i < 200; i++) {
        struct response_record record;
        struct store_op *op;
        (void)snprintf(id, sizeof(id), "resp_x%d", i);
        record = record_of(id, "", "completed", "{}");
        op = response_store_put(a->lane, &record, never, NULL);
        if (i % 2)
            usleep(50); /* it may have been executed by now */
        store_op_cancel(op);
        store_op_cancel(response_store_get(a->lane, str_from_c(id), never, NULL));
        loop_run_once(a->loop, 0);
    }
    CHECK_INT(ask_get(a, "resp_x199", name), 0, name);
}

static const struct {
    const char *name;
    void (*check)(struct asking *a, const char *name);
} cases[] = {
    { "records", check_records },     { "work", check_work },           { "depth", check_depth },
    { "marks", check_marks },         { "gaps", check_gaps },           { "refused", check_refused },
    { "large", check_large },         { "chains", check_chains },       { "expiry", check_expiry },
    { "events", check_events },       { "ring of events", check_ring }, { "follows", check_follows },
    { "cancelled", check_cancelled },
};

static void run_place(const struct place *place) {
    struct place_state state = { 0 };
    struct response_store_options options = { .responses_max = 1000,
                                              .read_ms = ASK_MS_MAX }; /* disks of busy machines */
    struct asking a;
    if (!place->begin(&state, &options)) {
        print_message("place %s: %s\n", place->name, state.skipped);
        return;
    }
    asking_begin(&a, &options);
    asking_wait_up(&a, true, place->name);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char name[128];
        (void)snprintf(name, sizeof(name), "%s: %s", place->name, cases[i].name);
        cases[i].check(&a, name);
    }
    asking_end(&a);
    place->end(&state);
}

TEST(every_place_keeps_the_contract) {
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        run_place(&places[i]);
}

/* Lanes come and go while their operations are under way. */
TEST(lanes_may_end_at_any_time) {
    struct response_store_options options = { .kind = RESPONSE_STORE_MEMORY };
    struct asking a;
    asking_begin(&a, &options);
    for (int i = 0; i < 200; i++) {
        struct response_record record = record_of("resp_l", "", "in_progress", "{}");
        struct event_record event = event_of(i, false);
        struct vsr_err err = VSR_ERR_NONE;
        struct store_lane *lane;
        CHECK(store_lane_new(a.store, a.loop, &lane, &err) == 0, err.text);
        (void)response_store_put(lane, &record, never, NULL);
        (void)event_log_append(lane, VSR_STR("resp_l"), &event, 1, never, NULL);
        (void)response_store_get(lane, VSR_STR("resp_l"), never, NULL);
        if (i % 2)
            (void)event_log_follow(lane, VSR_STR("resp_l"), -1, never, NULL);
        store_lane_free(lane);
    }
    CHECK_INT(ask_get(&a, "resp_l", "after all"), 0, "after all");
    CHECK_INT(ask_read(&a, "resp_l", -1, 0, "after all"), 0, "after all");
    CHECK_INT(a.n_events, 200, "after all");
    asking_end(&a);
}

static size_t count_present(struct asking *a, int n) {
    size_t present = 0;
    for (int i = 0; i < n; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "resp_%d", i);
        present += ask_get(a, id, "present") == 0;
    }
    return present;
}

/* Memory forgets its oldest first. */
TEST(memory_is_bounded) {
    struct response_store_options options = { .kind = RESPONSE_STORE_MEMORY, .responses_max = 10 };
    struct asking a;
    asking_begin(&a, &options);
    for (int i = 0; i < 25; i++) {
        char id[32];
        struct response_record record;
        (void)snprintf(id, sizeof(id), "resp_%d", i);
        record = record_of(id, "", "completed", "{}");
        CHECK_INT(ask_put(&a, &record, "bounded"), 0, "bounded");
    }
    CHECK_INT(count_present(&a, 25), 10, "bounded");
    CHECK_INT(ask_get(&a, "resp_14", "bounded"), VSR_E_NOT_FOUND, "bounded");
    CHECK_INT(ask_get(&a, "resp_15", "bounded"), 0, "bounded");
    asking_end(&a);
}

/* What is under way leaves last. */
TEST(memory_passes_over_what_is_under_way) {
    struct response_store_options options = { .kind = RESPONSE_STORE_MEMORY, .responses_max = 10 };
    struct response_record run = record_of("resp_run", "", "queued", "{}");
    struct asking a;
    asking_begin(&a, &options);
    CHECK_INT(ask_put(&a, &run, "run"), 0, "run");
    for (int i = 0; i < 25; i++) {
        char id[32];
        struct response_record record;
        (void)snprintf(id, sizeof(id), "resp_%d", i);
        record = record_of(id, "", "completed", "{}");
        CHECK_INT(ask_put(&a, &record, "others"), 0, "others");
    }
    CHECK_INT(ask_progress(&a, "resp_run", "goes on"), 0, "goes on");
    CHECK_INT(count_present(&a, 25), 9, "others");
    for (int i = 0; i < 25; i++) { /* but not for ever: where nothing has ended, the oldest of them */
        char id[32];
        struct response_record record;
        (void)snprintf(id, sizeof(id), "resp_run_%d", i);
        record = record_of(id, "", "queued", "{}");
        CHECK_INT(ask_put(&a, &record, "runs"), 0, "runs");
    }
    CHECK_INT(count_present(&a, 25), 0, "runs");
    CHECK_INT(ask_progress(&a, "resp_run", "runs"), VSR_E_NOT_FOUND, "runs");
    CHECK(!a.deleted, "runs");
    CHECK_INT(ask_get(&a, "resp_run_24", "runs"), 0, "runs");
    asking_end(&a);
}

RUN_TESTS(T(every_place_keeps_the_contract), T(lanes_may_end_at_any_time), T(memory_is_bounded),
          T(memory_passes_over_what_is_under_way))
