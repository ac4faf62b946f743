#include "model/readiness.h"

#include <pthread.h>
#include <stdio.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "core/utf8.h"

struct entry {
    char name[READINESS_NAME_LEN], type[READINESS_NAME_LEN], path[READINESS_NAME_LEN];
    char resolved_path[READINESS_NAME_LEN], message[READINESS_MESSAGE_LEN];
    bool mandatory;
    enum model_state state;
    uint64_t load_ms, memory_bytes;
};

struct readiness {
    pthread_mutex_t lock;
    enum readiness_phase phase;
    char message[READINESS_MESSAGE_LEN];
    uint64_t updated_ms; /* wall time */
    struct entry entries[READINESS_MODELS_MAX];
    int n;
};

static const char *const phases[] = {
#define X(name, text) [READINESS_##name] = text,
    READINESS_PHASES(X)
#undef X
};

static const char *const states[] = {
#define X(name, text) [MODEL_STATE_##name] = text,
    MODEL_STATES(X)
#undef X
};

const char *readiness_phase_name(enum readiness_phase phase) {
    return phases[phase];
}

const char *model_state_name(enum model_state state) {
    return states[state];
}

struct readiness *readiness_new(void) {
    struct readiness *readiness = MEM_NEW(struct readiness);
    pthread_mutex_init(&readiness->lock, NULL);
    readiness->updated_ms = clock_wall_ms();
    return readiness;
}

void readiness_free(struct readiness *readiness) {
    if (!readiness)
        return;
    pthread_mutex_destroy(&readiness->lock);
    mem_free(readiness);
}

/* What is too long is cut between characters. */
static void copy(char *out, size_t len, vsr_str text) {
    text = utf8_cut(text, len - 1);
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
}

static void begin(struct readiness *readiness) {
    pthread_mutex_lock(&readiness->lock);
    readiness->updated_ms = clock_wall_ms();
}

static void end(struct readiness *readiness) {
    pthread_mutex_unlock(&readiness->lock);
}

static struct entry *entry_of(struct readiness *readiness, int model) {
    VSR_ASSERT(model >= 0 && model < readiness->n);
    return &readiness->entries[model];
}

int readiness_add(struct readiness *readiness, const struct readiness_model *model) {
    int index = -1;
    begin(readiness);
    if (readiness->n < READINESS_MODELS_MAX) {
        struct entry *entry = &readiness->entries[index = readiness->n++];
        copy(entry->name, sizeof(entry->name), model->name);
        copy(entry->type, sizeof(entry->type), model->type);
        copy(entry->path, sizeof(entry->path), model->path);
        entry->mandatory = model->mandatory;
        entry->state = MODEL_STATE_ABSENT;
    }
    end(readiness);
    return index;
}

void readiness_set_phase(struct readiness *readiness, enum readiness_phase phase, vsr_str message) {
    begin(readiness);
    readiness->phase = phase;
    copy(readiness->message, sizeof(readiness->message), message);
    end(readiness);
}

void readiness_set_state(struct readiness *readiness, int model, enum model_state state, vsr_str message) {
    struct entry *entry;
    begin(readiness);
    entry = entry_of(readiness, model);
    entry->state = state;
    if (state != MODEL_STATE_READY)
        entry->memory_bytes = 0;
    copy(entry->message, sizeof(entry->message), message);
    end(readiness);
}

void readiness_loaded(struct readiness *readiness, int model, vsr_str resolved_path, uint64_t load_ms,
                      uint64_t memory_bytes) {
    struct entry *entry;
    begin(readiness);
    entry = entry_of(readiness, model);
    entry->state = MODEL_STATE_READY;
    entry->message[0] = 0;
    entry->load_ms = load_ms;
    entry->memory_bytes = memory_bytes;
    copy(entry->resolved_path, sizeof(entry->resolved_path), resolved_path);
    end(readiness);
}

enum model_state readiness_state(struct readiness *readiness, int model) {
    enum model_state state;
    pthread_mutex_lock(&readiness->lock);
    state = entry_of(readiness, model)->state;
    pthread_mutex_unlock(&readiness->lock);
    return state;
}

/* With the lock held; NULL when no mandatory model is missing. */
static const struct entry *first_missing(const struct readiness *readiness) {
    for (int i = 0; i < readiness->n; i++)
        if (readiness->entries[i].mandatory && readiness->entries[i].state != MODEL_STATE_READY)
            return &readiness->entries[i];
    return NULL;
}

bool readiness_is_ready(struct readiness *readiness, char missing[static READINESS_NAME_LEN]) {
    const struct entry *entry;
    pthread_mutex_lock(&readiness->lock);
    entry = first_missing(readiness);
    copy(missing, READINESS_NAME_LEN, str_from_c(entry ? entry->name : ""));
    pthread_mutex_unlock(&readiness->lock);
    return entry == NULL;
}

/* ---- JSON */

static void text(struct json_writer *w, const char *key, const char *value) {
    json_write_key(w, str_from_c(key));
    json_write_str(w, str_from_c(value));
}

static void number(struct json_writer *w, const char *key, uint64_t value) {
    json_write_key(w, str_from_c(key));
    json_write_u64(w, value);
}

static void flag(struct json_writer *w, const char *key, bool value) {
    json_write_key(w, str_from_c(key));
    json_write_bool(w, value);
}

static void entry_json(const struct entry *entry, struct json_writer *w) {
    json_write_begin_object(w);
    text(w, "name", entry->name);
    text(w, "type", entry->type);
    flag(w, "loaded", entry->state == MODEL_STATE_READY);
    text(w, "state", states[entry->state]);
    flag(w, "mandatory", entry->mandatory);
    text(w, "model_path", entry->path);
    text(w, "resolved_model_path", entry->resolved_path);
    text(w, "message", entry->message);
    number(w, "load_time_ms", entry->load_ms);
    number(w, "memory_usage_bytes", entry->memory_bytes);
    json_write_end(w);
}

/* What is neither ready nor given up. */
static void pending_json(const struct readiness *readiness, struct json_writer *w) {
    json_write_key(w, VSR_STR("pending_models"));
    json_write_begin_array(w);
    for (int i = 0; i < readiness->n; i++)
        if (readiness->entries[i].state != MODEL_STATE_READY && readiness->entries[i].state != MODEL_STATE_FAILED)
            json_write_str(w, str_from_c(readiness->entries[i].name));
    json_write_end(w);
}

static const char *downloading(const struct readiness *readiness) {
    for (int i = 0; i < readiness->n; i++)
        if (readiness->entries[i].state == MODEL_STATE_DOWNLOADING)
            return readiness->entries[i].name;
    return "";
}

static uint64_t count_ready(const struct readiness *readiness) {
    uint64_t n = 0;
    for (int i = 0; i < readiness->n; i++)
        n += readiness->entries[i].state == MODEL_STATE_READY;
    return n;
}

void readiness_json(struct readiness *readiness, struct json_writer *w) {
    char updated[CLOCK_RFC3339_LEN];
    uint64_t n_ready;
    pthread_mutex_lock(&readiness->lock);
    n_ready = count_ready(readiness);
    json_write_begin_object(w);
    flag(w, "ready", first_missing(readiness) == NULL);
    flag(w, "any_ready", n_ready > 0);
    text(w, "phase", phases[readiness->phase]);
    text(w, "message", readiness->message);
    text(w, "downloading_model", downloading(readiness));
    pending_json(readiness, w);
    number(w, "ready_models", n_ready);
    number(w, "total_models", (uint64_t)readiness->n);
    text(w, "updated_at", clock_rfc3339(readiness->updated_ms, updated));
    json_write_key(w, VSR_STR("models"));
    json_write_begin_array(w);
    for (int i = 0; i < readiness->n; i++)
        entry_json(&readiness->entries[i], w);
    json_write_end(w);
    json_write_end(w);
    pthread_mutex_unlock(&readiness->lock);
}
