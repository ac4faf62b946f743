/*
 * Places that go away and come back: killed while much is under way, never there, there for others only.
 */
#include "asking.h"
#include "places.h"
#include "store/store_driver.h"

enum { STREAM_MS = 2500 };

/* ---- killed under load */

struct load {
    struct asking *a;
    size_t n_put, n_acknowledged, n_failed;
    size_t n_reads, n_unavailable;
    uint64_t read_ms_max;
};

struct timed_read {
    struct load *load;
    uint64_t begun_ms;
};

static void on_put(void *owner, const struct store_reply *reply) {
    struct load *load = owner;
    load->n_acknowledged += reply->rc == 0;
    load->n_failed += reply->rc < 0;
}

static void on_read(void *owner, const struct store_reply *reply) {
    struct timed_read *read = owner;
    uint64_t ms = clock_mono_ms() - read->begun_ms;
    read->load->n_reads++;
    read->load->n_unavailable += reply->rc == VSR_E_UNAVAILABLE;
    CHECK_MSG(reply->rc == 0 || reply->rc == VSR_E_UNAVAILABLE, "a stored response is %d: %s", reply->rc,
              reply->err ? reply->err->text : "");
    if (ms > read->load->read_ms_max)
        read->load->read_ms_max = ms;
    free(read);
}

static void put_one(struct load *load) {
    char id[32], object[64];
    struct response_record record;
    struct event_record event = { .seq = 0, .type = VSR_STR("response.completed"), .last = true };
    (void)snprintf(id, sizeof(id), "resp_%zu", load->n_put);
    (void)snprintf(object, sizeof(object), "{\"n\":%zu}", load->n_put);
    load->n_put++;
    record = record_of(id, "", "completed", object);
    event.json = str_from_c(object);
    (void)response_store_put(load->a->lane, &record, on_put, load);
    (void)event_log_append(load->a->lane, record.id, &event, 1, NULL, NULL);
}

static void read_first(struct load *load) {
    struct timed_read *read = malloc(sizeof(*read));
    *read = (struct timed_read){ load, clock_mono_ms() };
    (void)response_store_get(load->a->lane, VSR_STR("resp_0"), on_read, read);
}

/* 200 writes a second, and some reads. */
static void run_load(struct load *load, uint64_t ms) {
    uint64_t begun = clock_mono_ms(), n = 0;
    while (clock_mono_ms() < begun + ms) {
        for (; n < (clock_mono_ms() - begun) / 5; n++) {
            put_one(load);
            if (n % 10 == 0)
                read_first(load);
        }
        loop_run_once(load->a->loop, 2);
    }
}

/* Every response that was acknowledged is there as it was written, with its one event. */
static void check_all_there(struct asking *a, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++) {
        char id[32], want[64];
        (void)snprintf(id, sizeof(id), "resp_%zu", i);
        (void)snprintf(want, sizeof(want), "{\"n\":%zu}", i);
        CHECK_MSG(ask_get(a, id, name) == 0, "case \"%s\": %s is lost: %s", name, id, a->error);
        CHECK_STR(a->records[0].object_json, want, name);
        CHECK_MSG(ask_read(a, id, -1, 0, name) == 0, "case \"%s\": the event of %s: %s", name, id, a->error);
        CHECK_INT(a->n_events, 1, name);
        CHECK_STR(a->events[0].json, want, name);
    }
}

static void check_killed(struct place_state *state, const struct response_store_options *options, const char *name) {
    struct asking a;
    struct load load = { .a = &a };
    struct response_store_status status;
    asking_begin(&a, options);
    asking_wait_up(&a, true, name);
    run_load(&load, STREAM_MS / 2);
    server_kill(&state->server, SIGKILL);
    run_load(&load, STREAM_MS / 2);
    response_store_status(a.store, &status);
    CHECK(!status.up, name);
    CHECK(status.error[0], name);
    CHECK(status.held > 0, name);
    CHECK(load.n_unavailable > 0, name);
    server_start(&state->server);
    run_load(&load, STREAM_MS / 2);
    asking_wait_up(&a, true, name);
    while (load.n_acknowledged + load.n_failed < load.n_put)
        loop_run_once(a.loop, 2);
    CHECK_INT(load.n_failed, 0, name);
    CHECK_MSG(load.read_ms_max <= STORE_READ_TIMEOUT_MS + 500, "case \"%s\": a read took %llu ms", name,
              (unsigned long long)load.read_ms_max);
    response_store_status(a.store, &status);
    CHECK_INT(status.lost, 0, name);
    CHECK_INT(status.held, 0, name);
    asking_end(&a);
    /* from the place alone: another process */
    asking_begin(&a, options);
    asking_wait_up(&a, true, name);
    check_all_there(&a, load.n_put, name);
    asking_end(&a);
}

struct looks {
    size_t n, n_refused;
};

static void on_looked(void *owner, const struct store_reply *reply) {
    struct looks *looks = owner;
    looks->n++;
    looks->n_refused += reply->rc == VSR_E_UNAVAILABLE;
}

/* What finds no place in the queue and would have written nothing is no loss. */
static void check_full_queue(struct asking *a, const char *name) {
    enum { N = STORE_QUEUE_MAX + 2 * STORE_BATCH_MAX };
    struct response_store_status status;
    struct looks looks = { 0 };
    for (int i = 0; i < N; i++)
        (void)response_store_progress(a->lane, VSR_STR("resp_hung"), on_looked, &looks);
    while (looks.n < N)
        loop_run_once(a->loop, 2);
    CHECK(looks.n_refused > 0, name);
    response_store_status(a->store, &status);
    CHECK_INT((int64_t)status.lost, 0, name);
}

/* The server stands still while it keeps its sockets: the worst kind of being away. */
static void check_hung(struct place_state *state, const struct response_store_options *options, const char *name) {
    struct response_store_options quick = *options;
    struct response_record record = record_of("resp_hung", "", "completed", "{}");
    struct asking a;
    uint64_t begun;
    quick.redis.io_ms = quick.postgres.io_ms = 500;
    quick.redis.connect_ms = quick.postgres.connect_ms = 500;
    asking_begin(&a, &quick);
    asking_wait_up(&a, true, name);
    CHECK_INT(ask_put(&a, &record, name), 0, name);
    server_signal_all(&state->server, SIGSTOP);
    check_full_queue(&a, name);
    begun = clock_mono_ms();
    CHECK_INT(ask_get(&a, "resp_hung", name), VSR_E_UNAVAILABLE, name);
    CHECK(clock_mono_ms() - begun <= STORE_READ_TIMEOUT_MS + 500, name);
    record.id = VSR_STR("resp_meanwhile");
    CHECK_INT(ask_put(&a, &record, name), 0, name);
    CHECK_INT(ask_get(&a, "resp_meanwhile", name), 0, name);
    server_signal_all(&state->server, SIGCONT);
    asking_wait_up(&a, true, name);
    CHECK_INT(ask_get(&a, "resp_hung", name), 0, name);
    CHECK_INT(ask_get(&a, "resp_meanwhile", name), 0, name);
    asking_end(&a);
}

/* It is not there when vsr starts. */
static void check_late(struct place_state *state, const struct response_store_options *options, const char *name) {
    struct response_record record = record_of("resp_late", "", "completed", "{}");
    struct asking a;
    server_kill(&state->server, SIGKILL);
    asking_begin(&a, options);
    CHECK_INT(ask_put(&a, &record, name), 0, name);
    CHECK_INT(ask_get(&a, "resp_late", name), 0, name);
    CHECK_INT(ask_get(&a, "resp_0", name), VSR_E_UNAVAILABLE, name);
    CHECK_INT(ask_chain(&a, "resp_0", 0, name), VSR_E_UNAVAILABLE, name);
    CHECK_INT(ask_delete(&a, "resp_1", name), 0, name);
    CHECK_INT(ask_get(&a, "resp_1", name), VSR_E_NOT_FOUND, name);
    server_start(&state->server);
    asking_wait_up(&a, true, name);
    CHECK_INT(ask_get(&a, "resp_late", name), 0, name);
    CHECK_INT(ask_get(&a, "resp_0", name), 0, name);
    CHECK_INT(ask_get(&a, "resp_1", name), VSR_E_NOT_FOUND, name);
    asking_end(&a);
}

static void run_server(const struct place *place) {
    struct place_state state = { 0 };
    struct response_store_options options = { 0 };
    char name[64];
    if (!place->begin(&state, &options)) {
        print_message("%s: %s\n", place->name, state.skipped);
        return;
    }
    (void)snprintf(name, sizeof(name), "%s killed", place->name);
    check_killed(&state, &options, name);
    (void)snprintf(name, sizeof(name), "%s hung", place->name);
    check_hung(&state, &options, name);
    (void)snprintf(name, sizeof(name), "%s late", place->name);
    check_late(&state, &options, name);
    place->end(&state);
}

TEST(postgres_may_be_killed) {
    run_server(place_named("postgres"));
}

TEST(redis_may_be_killed) {
    run_server(place_named("redis"));
}

/* ---- what a former process had under way */

static void check_restart(const struct response_store_options *options, const char *name) {
    struct response_store_options own = *options, other = *options;
    struct response_record mine = record_of("resp_mine", "", "in_progress", "{\"status\":\"in_progress\",\"x\":1}");
    struct response_record theirs = record_of("resp_theirs", "", "queued", "{\"status\":\"queued\"}");
    struct response_record done = record_of("resp_done", "", "completed", "{\"status\":\"completed\"}");
    struct asking a;
    own.instance = VSR_STR("one");
    other.instance = VSR_STR("two");
    asking_begin(&a, &own);
    asking_wait_up(&a, true, name);
    CHECK_INT(ask_put(&a, &mine, name), 0, name);
    CHECK_INT(ask_put(&a, &done, name), 0, name);
    asking_end(&a);
    asking_begin(&a, &other);
    asking_wait_up(&a, true, name);
    CHECK_INT(ask_put(&a, &theirs, name), 0, name);
    asking_end(&a);
    asking_begin(&a, &own);
    asking_wait_up(&a, true, name);
    CHECK_INT(ask_get(&a, "resp_mine", name), 0, name);
    CHECK_STR(a.records[0].status, "failed", name);
    CHECK_STR(a.records[0].object_json,
              "{\"status\":\"failed\",\"x\":1,\"error\":{\"code\":\"server_error\",\"message\":\"the server "
              "restarted\"}}",
              name);
    CHECK_INT(ask_get(&a, "resp_theirs", name), 0, name);
    CHECK_STR(a.records[0].status, "queued", name);
    CHECK_INT(ask_get(&a, "resp_done", name), 0, name);
    CHECK_STR(a.records[0].status, "completed", name);
    asking_end(&a);
}

TEST(what_a_restart_cut_off_has_failed) {
    for (size_t i = 0; i < VSR_COUNT(places); i++) {
        struct place_state place_state = { 0 };
        struct response_store_options options = { 0 };
        if (strcmp(places[i].name, "memory") == 0 || !places[i].begin(&place_state, &options))
            continue;
        check_restart(&options, places[i].name);
        places[i].end(&place_state);
    }
}

/* ---- files */

/* Memory stands for a directory that cannot be written, and what it held goes there once it can. */
TEST(a_file_that_cannot_be_made) {
    struct place_state place_state = { 0 };
    struct response_store_options options = { 0 };
    struct response_record record = record_of("resp_1", "", "completed", "{}");
    struct response_store_status status;
    struct asking a;
    char obstacle[128];
    CHECK(place_named("sqlite")->begin(&place_state, &options), "begin");
    (void)snprintf(obstacle, sizeof(obstacle), "%s/state", place_state.dir);
    FILE *file = fopen(obstacle, "w"); /* where a directory has to be: for root, too */
    CHECK(file && fclose(file) == 0, obstacle);
    asking_begin(&a, &options);
    CHECK_INT(ask_put(&a, &record, "no directory"), 0, "no directory");
    CHECK_INT(ask_get(&a, "resp_1", "no directory"), 0, "no directory");
    CHECK_INT(ask_get(&a, "resp_2", "no directory"), VSR_E_UNAVAILABLE, "no directory");
    response_store_status(a.store, &status);
    CHECK(!status.up && strstr(status.error, place_state.dir), status.error);
    CHECK(unlink(obstacle) == 0, obstacle);
    asking_wait_up(&a, true, "a directory");
    CHECK_INT(ask_get(&a, "resp_1", "a directory"), 0, "a directory");
    CHECK_INT(ask_get(&a, "resp_2", "a directory"), VSR_E_NOT_FOUND, "a directory");
    asking_end(&a);
    asking_begin(&a, &options);
    asking_wait_up(&a, true, "again");
    CHECK_INT(ask_get(&a, "resp_1", "again"), 0, "again");
    asking_end(&a);
    place_named("sqlite")->end(&place_state);
}

TEST(a_file_that_is_none_of_ours) {
    struct place_state place_state = { 0 };
    struct response_store_options options = { 0 };
    struct response_record record = record_of("resp_1", "", "completed", "{}");
    struct response_store_status status;
    struct asking a;
    char path[64];
    CHECK(place_named("sqlite")->begin(&place_state, &options), "begin");
    (void)snprintf(path, sizeof(path), "%s/text", place_state.dir);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        (void)fputs("This is no database, but it is long enough for one.\n", file);
    CHECK(file && fclose(file) == 0, path);
    options.path = str_from_c(path);
    asking_begin(&a, &options);
    CHECK_INT(ask_put(&a, &record, "text"), 0, "text");
    response_store_status(a.store, &status);
    CHECK(!status.up && strstr(status.error, "not a database"), status.error);
    asking_end(&a);
    place_named("sqlite")->end(&place_state);
}

/* The oldest leave a file that has reached its limit; nothing that was written last is lost, nothing fails. */
TEST(a_file_has_a_limit) {
    enum { LEN = 64 << 10, N = 200 };
    struct place_state place_state = { 0 };
    struct response_store_options options = { .file_len_max = 4 << 20 };
    struct response_store_status status;
    struct asking a;
    struct response_record run = record_of("resp_run", "", "queued", "{}");
    char *text = malloc(LEN);
    CHECK(place_named("sqlite")->begin(&place_state, &options), "begin");
    memset(text, 'x', LEN);
    text[0] = text[LEN - 1] = '"';
    asking_begin(&a, &options);
    asking_wait_up(&a, true, "limit");
    CHECK_INT(ask_put(&a, &run, "run"), 0, "run");
    for (int i = 0; i < N; i++) {
        char id[32];
        struct response_record record;
        (void)snprintf(id, sizeof(id), "resp_%d", i);
        record = record_of(id, "", "completed", "");
        record.object_json = str_make(text, LEN);
        CHECK_INT(ask_put(&a, &record, "limit"), 0, "limit");
        CHECK_INT(ask_get(&a, id, "limit"), 0, "limit");
    }
    response_store_status(a.store, &status);
    CHECK(status.up, status.error);
    CHECK_INT(ask_get(&a, "resp_0", "limit"), VSR_E_NOT_FOUND, "limit");
    CHECK_INT(ask_progress(&a, "resp_run", "under way"), 0, "under way");
    asking_end(&a);
    free(text);
    place_named("sqlite")->end(&place_state);
}

/* Another place behind the same store, lanes and all. */
TEST(options_change_while_it_works) {
    struct place_state place_state = { 0 };
    struct response_store_options memory = { .kind = RESPONSE_STORE_MEMORY }, file = { 0 };
    struct response_record record = record_of("resp_1", "", "completed", "{}");
    struct response_store_status status;
    struct asking a;
    CHECK(place_named("sqlite")->begin(&place_state, &file), "begin");
    asking_begin(&a, &memory);
    CHECK_INT(ask_put(&a, &record, "memory"), 0, "memory");
    response_store_configure(a.store, &memory); /* nothing changes */
    CHECK_INT(ask_get(&a, "resp_1", "memory"), 0, "memory");
    response_store_configure(a.store, &file);
    CHECK_INT(ask_get(&a, "resp_1", "file"), VSR_E_NOT_FOUND, "file");
    CHECK_INT(ask_put(&a, &record, "file"), 0, "file");
    response_store_status(a.store, &status);
    CHECK_INT(status.kind, RESPONSE_STORE_SQLITE, "file");
    asking_end(&a);
    asking_begin(&a, &file);
    asking_wait_up(&a, true, "file again");
    CHECK_INT(ask_get(&a, "resp_1", "file again"), 0, "file again");
    asking_end(&a);
    place_named("sqlite")->end(&place_state);
}

/* What is at work in this process has not been cut off by a restart. */
TEST(other_options_end_nothing) {
    struct place_state place_state = { 0 };
    struct response_store_options file = { 0 }, memory = { .kind = RESPONSE_STORE_MEMORY };
    struct response_record record = record_of("resp_1", "", "in_progress", "{\"status\":\"in_progress\"}");
    struct asking a;
    CHECK(place_named("sqlite")->begin(&place_state, &file), "begin");
    file.instance = memory.instance = VSR_STR("one");
    asking_begin(&a, &file);
    asking_wait_up(&a, true, "file");
    CHECK_INT(ask_put(&a, &record, "file"), 0, "file");
    file.ttl_s = STORE_TTL_S + 1;
    response_store_configure(a.store, &file);
    CHECK_INT(ask_get(&a, "resp_1", "another time"), 0, "another time");
    CHECK_STR(a.records[0].status, "in_progress", "another time");
    response_store_configure(a.store, &memory);
    response_store_configure(a.store, &file);
    CHECK_INT(ask_get(&a, "resp_1", "there and back"), 0, "there and back");
    CHECK_STR(a.records[0].status, "in_progress", "there and back");
    record.status = VSR_STR("completed");
    CHECK_INT(ask_put(&a, &record, "ends"), 0, "ends");
    CHECK(!a.kept, "ends");
    asking_end(&a);
    place_named("sqlite")->end(&place_state);
}

/* Memory holds writes for a place that never comes: the next place gets them. */
TEST(a_place_is_left_while_it_is_away) {
    enum { LEN = 1 << 20, N = 10 };
    struct place_state place_state = { 0 };
    struct response_store_options file = { 0 },
                                  away = { .kind = RESPONSE_STORE_REDIS, .redis.address = VSR_STR("127.0.0.1:1") };
    struct response_record record = record_of("resp_1", "", "completed", "{}");
    struct event_record event = { .type = VSR_STR("response.completed"), .json = VSR_STR("{}"), .last = true };
    struct response_store_status status;
    struct asking a;
    char *text = malloc(LEN);
    CHECK(place_named("sqlite")->begin(&place_state, &file), "begin");
    memset(text, 'x', LEN);
    text[0] = text[LEN - 1] = '"';
    asking_begin(&a, &away);
    for (int i = 0; i < N; i++) { /* more than goes together */
        char id[32];
        (void)snprintf(id, sizeof(id), "resp_%d", i);
        record.id = str_from_c(id);
        record.object_json = str_make(text, LEN);
        CHECK_INT(ask_put(&a, &record, "away"), 0, "away");
        CHECK_INT(ask_append(&a, id, &event, 1, "away"), 0, "away");
    }
    CHECK_INT(ask_delete(&a, "resp_gone", "away"), 0, "away");
    response_store_configure(a.store, &file);
    for (int i = 0; i < N; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "resp_%d", i);
        CHECK_INT(ask_get(&a, id, "file"), 0, "file");
        CHECK_INT((int64_t)a.records[0].object_json.len, LEN, "file");
        CHECK_INT(ask_read(&a, id, -1, 0, "file"), 0, "file");
        CHECK_INT((int64_t)a.n_events, 1, "file");
    }
    response_store_status(a.store, &status);
    CHECK_INT((int64_t)status.held, 0, "file");
    CHECK_INT((int64_t)status.lost, 0, "file");
    asking_end(&a);
    free(text);
    place_named("sqlite")->end(&place_state);
}

/* Memory cannot know what became of a response: what it takes is written only where that is still under way. */
static void check_deleted(const struct response_store_options *place, const char *name) {
    struct response_store_options away = { .kind = RESPONSE_STORE_REDIS, .redis.address = VSR_STR("127.0.0.1:1") };
    struct response_record there = record_of("resp_there", "", "queued", "{}"), gone = there, new = there, lost = there;
    struct event_record events[] = { { .seq = 0, .type = VSR_STR("t"), .json = VSR_STR("{}") },
                                     { .seq = 1, .type = VSR_STR("t"), .json = VSR_STR("{}") },
                                     { .seq = 3, .type = VSR_STR("t"), .json = VSR_STR("{}"), .last = true } };
    struct asking a, other;
    gone.id = VSR_STR("resp_gone");
    new.id = VSR_STR("resp_new");
    lost.id = VSR_STR("resp_lost");
    asking_begin(&a, place);
    asking_wait_up(&a, true, name);
    CHECK_INT(ask_put(&a, &there, name), 0, name);
    CHECK_INT(ask_put(&a, &gone, name), 0, name);
    CHECK_INT(ask_append(&a, "resp_there", events, 1, name), 0, name);
    CHECK_INT(ask_append(&a, "resp_gone", events, 1, name), 0, name);
    asking_end(&a);

    asking_begin(&a, &away);
    asking_begin(&other, place);
    asking_wait_up(&other, true, name);
    CHECK_INT(ask_delete(&other, "resp_gone", name), 0, name);
    asking_end(&other);
    CHECK_INT(ask_append(&a, "resp_gone", events + 1, 1, name), 0, name);
    CHECK_INT(ask_progress(&a, "resp_there", name), 0, name);
    CHECK_INT(ask_append(&a, "resp_there", events + 1, 1, name), 0, name);
    CHECK_INT(ask_append(&a, "resp_there", events + 2, 1, name), VSR_E_INVALID, name);
    there.status = gone.status = new.status = lost.status = VSR_STR("completed");
    CHECK_INT(ask_update(&a, &lost, name), 0, name);
    CHECK_INT(ask_update(&a, &there, name), 0, name);
    CHECK_INT(ask_progress(&a, "resp_there", name), 0, name);
    CHECK(a.kept, name);
    CHECK_INT(ask_update(&a, &gone, name), 0, name);
    CHECK_INT(ask_get(&a, "resp_gone", name), 0, name);
    CHECK_INT(ask_put(&a, &new, name), 0, name);
    CHECK_INT(ask_delete(&a, "resp_2", name), 0, name);
    CHECK_INT(ask_progress(&a, "resp_2", name), VSR_E_NOT_FOUND, name);
    CHECK(a.deleted, name);
    CHECK_INT(ask_append(&a, "resp_2", events, 1, name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_append(&a, "resp_2", events + 1, 1, name), VSR_E_NOT_FOUND, name);
    response_store_configure(a.store, place);
    asking_wait_up(&a, true, name);
    CHECK_INT(ask_get(&a, "resp_gone", name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_read(&a, "resp_gone", -1, 0, name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_read(&a, "resp_gone", 0, 0, name), VSR_E_NOT_FOUND, name);
    CHECK_INT(ask_progress(&a, "resp_2", name), VSR_E_NOT_FOUND, name);
    CHECK(a.deleted, name); /* also where it never was */
    CHECK_INT(ask_get(&a, "resp_lost", name), 0, name);
    CHECK_INT(ask_get(&a, "resp_new", name), 0, name);
    CHECK_INT(ask_get(&a, "resp_there", name), 0, name);
    CHECK_STR(a.records[0].status, "completed", name);
    CHECK_INT(ask_read(&a, "resp_there", -1, 0, name), 0, name);
    CHECK_INT((int64_t)a.n_events, 2, name);
    asking_end(&a);
}

/* What memory holds of a log may have lost its beginning: then only that is left of the log. */
static void check_lost_events(const struct response_store_options *place, const char *name) {
    enum { LEN = 1 << 20, N = 40 };
    struct response_store_options away = { .kind = RESPONSE_STORE_REDIS, .redis.address = VSR_STR("127.0.0.1:1") };
    struct event_record event = { .type = VSR_STR("t"), .json = VSR_STR("{}") };
    struct asking a;
    char *text = malloc(LEN);
    memset(text, 'x', LEN);
    text[0] = text[LEN - 1] = '"';
    asking_begin(&a, place);
    asking_wait_up(&a, true, name);
    CHECK_INT(ask_append(&a, "resp_1", &event, 1, name), 0, name);
    asking_end(&a);
    asking_begin(&a, &away);
    for (event.seq = 1; event.seq < N; event.seq++) {
        event.json = str_make(text, LEN);
        CHECK_INT(ask_append(&a, "resp_1", &event, 1, name), 0, name);
    }
    response_store_configure(a.store, place);
    asking_wait_up(&a, true, name);
    CHECK_INT(ask_read(&a, "resp_1", -1, 0, name), VSR_E_LIMIT, name);
    CHECK_INT(ask_read(&a, "resp_1", N - 2, 0, name), 0, name);
    CHECK_INT((int64_t)a.n_events, 1, name);
    asking_end(&a);
    free(text);
}

/* Over every place that may be away. */
TEST(what_memory_held_does_no_harm) {
    static const char *const names[] = { "sqlite", "redis", "postgres" };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        struct place_state place_state = { 0 };
        struct response_store_options options = { .read_ms = ASK_MS_MAX };
        if (!place_named(names[i])->begin(&place_state, &options)) {
            print_message("place %s: %s\n", names[i], place_state.skipped);
            continue;
        }
        check_deleted(&options, names[i]);
        check_lost_events(&options, names[i]);
        place_named(names[i])->end(&place_state);
    }
}

/* Logs fill a file, too: those leave whose time ends first. */
TEST(logs_make_room_in_a_file) {
    enum { LEN = 64 << 10, N = 200 };
    struct place_state place_state = { 0 };
    struct response_store_options options = { .file_len_max = 4 << 20 };
    struct response_store_status status;
    struct asking a;
    char *text = malloc(LEN);
    CHECK(place_named("sqlite")->begin(&place_state, &options), "begin");
    memset(text, 'x', LEN);
    text[0] = text[LEN - 1] = '"';
    asking_begin(&a, &options);
    asking_wait_up(&a, true, "logs");
    for (int i = 0; i < N; i++) {
        struct event_record event = { .type = VSR_STR("response.completed"),
                                      .json = str_make(text, LEN),
                                      .last = true };
        char id[32];
        (void)snprintf(id, sizeof(id), "resp_%d", i);
        CHECK_INT(ask_append(&a, id, &event, 1, "logs"), 0, "logs");
        CHECK_INT(ask_read(&a, id, -1, 0, "logs"), 0, id);
    }
    response_store_status(a.store, &status);
    CHECK(status.up, status.error);
    CHECK_INT((int64_t)status.held, 0, "logs");
    asking_end(&a);
    free(text);
    place_named("sqlite")->end(&place_state);
}

RUN_TESTS(T(redis_may_be_killed), T(postgres_may_be_killed), T(what_a_restart_cut_off_has_failed),
          T(a_file_that_cannot_be_made), T(a_file_that_is_none_of_ours), T(a_file_has_a_limit),
          T(options_change_while_it_works), T(other_options_end_nothing), T(a_place_is_left_while_it_is_away),
          T(what_memory_held_does_no_harm), T(logs_make_room_in_a_file))
