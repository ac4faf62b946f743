#include "model/readiness.h"

#include <pthread.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "model/catalogue.h"

struct entry {
    char name[READINESS_NAME_LEN], type[READINESS_NAME_LEN], path[READINESS_NAME_LEN];
    char resolved_path[READINESS_NAME_LEN], message[READINESS_MESSAGE_LEN];
    bool used, mandatory;
    enum readiness_state state;
    uint64_t load_ms, memory_bytes;
    struct arena *arena; /* of `load`'s texts; NULL: it has never been loaded */
    struct readiness_load load;
};

struct readiness {
    pthread_mutex_t lock;
    enum readiness_phase phase;
    char message[READINESS_MESSAGE_LEN];
    char without_entry[READINESS_NAME_LEN]; /* a mandatory model; empty: none */
    uint64_t updated_ms;                    /* wall time */
    struct entry entries[READINESS_MODELS_MAX];
    int n; /* entries behind it were never used */
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

const char *model_state_name(enum readiness_state state) {
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
    for (int i = 0; i < readiness->n; i++)
        arena_free(readiness->entries[i].arena);
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
    VSR_ASSERT(model >= 0 && model < readiness->n && readiness->entries[model].used);
    return &readiness->entries[model];
}

static void describe(struct entry *entry, const struct readiness_model *model) {
    entry->mandatory = model->mandatory;
    copy(entry->name, sizeof(entry->name), model->name);
    copy(entry->type, sizeof(entry->type), model->type);
    copy(entry->path, sizeof(entry->path), model->path);
}

int readiness_add(struct readiness *readiness, const struct readiness_model *model) {
    struct entry *entry;
    int index = 0;
    begin(readiness);
    while (index < readiness->n && readiness->entries[index].used)
        index++;
    if (index == READINESS_MODELS_MAX) {
        end(readiness);
        return -1;
    }
    entry = &readiness->entries[index];
    *entry = (struct entry){ .used = true, .state = MODEL_STATE_ABSENT };
    describe(entry, model);
    if (index == readiness->n)
        readiness->n++;
    end(readiness);
    return index;
}

void readiness_remove(struct readiness *readiness, int model) {
    struct entry *entry;
    begin(readiness);
    entry = entry_of(readiness, model);
    arena_free(entry->arena);
    *entry = (struct entry){ .used = false };
    end(readiness);
}

void readiness_describe(struct readiness *readiness, int model, const struct readiness_model *described) {
    begin(readiness);
    describe(entry_of(readiness, model), described);
    end(readiness);
}

void readiness_set_without_entry(struct readiness *readiness, vsr_str name) {
    begin(readiness);
    copy(readiness->without_entry, sizeof(readiness->without_entry), name);
    end(readiness);
}

void readiness_set_phase(struct readiness *readiness, enum readiness_phase phase, vsr_str message) {
    begin(readiness);
    readiness->phase = phase;
    copy(readiness->message, sizeof(readiness->message), message);
    end(readiness);
}

void readiness_set_state(struct readiness *readiness, int model, enum readiness_state state, vsr_str message) {
    struct entry *entry;
    begin(readiness);
    entry = entry_of(readiness, model);
    entry->state = state;
    if (state != MODEL_STATE_READY)
        entry->memory_bytes = 0;
    copy(entry->message, sizeof(entry->message), message);
    end(readiness);
}

static void copy_load(struct entry *entry, const struct readiness_load *load) {
    struct arena *arena = arena_new(0, 0);
    vsr_str *labels = ARENA_ARRAY(arena, vsr_str, load->n_labels);
    for (size_t i = 0; i < load->n_labels; i++)
        labels[i] = arena_str(arena, load->labels[i]);
    arena_free(entry->arena);
    entry->arena = arena;
    entry->load = *load;
    entry->load.labels = labels;
    entry->load.resolved_path = arena_str(arena, load->resolved_path);
    entry->load.task = arena_str(arena, load->task);
    entry->load.architecture = arena_str(arena, load->architecture);
    entry->load.precision = arena_str(arena, load->precision);
}

void readiness_loaded(struct readiness *readiness, int model, const struct readiness_load *load) {
    struct entry *entry;
    begin(readiness);
    entry = entry_of(readiness, model);
    entry->state = MODEL_STATE_READY;
    entry->message[0] = 0;
    entry->load_ms = load->load_ms;
    entry->memory_bytes = load->memory_bytes;
    copy(entry->resolved_path, sizeof(entry->resolved_path), load->resolved_path);
    copy_load(entry, load);
    end(readiness);
}

enum readiness_state readiness_state(struct readiness *readiness, int model) {
    enum readiness_state state;
    pthread_mutex_lock(&readiness->lock);
    state = entry_of(readiness, model)->state;
    pthread_mutex_unlock(&readiness->lock);
    return state;
}

/* With the lock held: the name of a mandatory model; NULL when none is missing. */
static const char *first_missing(const struct readiness *readiness) {
    for (int i = 0; i < readiness->n; i++)
        if (readiness->entries[i].used && readiness->entries[i].mandatory &&
            readiness->entries[i].state != MODEL_STATE_READY)
            return readiness->entries[i].name;
    return readiness->without_entry[0] ? readiness->without_entry : NULL;
}

bool readiness_is_ready(struct readiness *readiness, char missing[static READINESS_NAME_LEN]) {
    const char *name;
    pthread_mutex_lock(&readiness->lock);
    name = first_missing(readiness);
    copy(missing, READINESS_NAME_LEN, str_from_c(name ? name : ""));
    pthread_mutex_unlock(&readiness->lock);
    return name == NULL;
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

/* What the configuration, or the catalogue, calls it by. */
static const struct model_record *record_of(const struct entry *entry) {
    const struct model_record *record = catalogue_find(str_from_c(entry->path));
    return record ? record : catalogue_find(str_from_c(entry->name));
}

static void texts(struct json_writer *w, const char *key, const char *const *values, size_t n_max) {
    json_write_key(w, str_from_c(key));
    json_write_begin_array(w);
    for (size_t i = 0; i < n_max && values[i]; i++)
        json_write_str(w, str_from_c(values[i]));
    json_write_end(w);
}

static void record_json(const struct model_record *record, struct json_writer *w) {
    json_write_key(w, VSR_STR("registry"));
    json_write_begin_object(w);
    text(w, "local_path", record->local_path);
    text(w, "repo_id", record->repo_id);
    text(w, "purpose", model_purpose_name(record->purpose));
    text(w, "description", record->description);
    text(w, "parameter_size", record->parameter_size);
    number(w, "embedding_dim", record->embedding_dim);
    number(w, "num_classes", record->num_classes);
    number(w, "max_context_length", record->max_context_length);
    number(w, "base_model_max_context", record->base_model_max_context);
    flag(w, "uses_lora", record->uses_lora);
    texts(w, "tags", record->tags, CATALOGUE_TAGS_MAX);
    json_write_end(w);
}

static void load_json(const struct readiness_load *load, struct json_writer *w) {
    json_write_key(w, VSR_STR("categories"));
    json_write_begin_array(w);
    for (size_t i = 0; i < load->n_labels; i++)
        json_write_str(w, load->labels[i]);
    json_write_end(w);
    json_write_key(w, VSR_STR("metadata"));
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("task"));
    json_write_str(w, load->task);
    json_write_key(w, VSR_STR("architecture"));
    json_write_str(w, load->architecture);
    json_write_key(w, VSR_STR("precision"));
    json_write_str(w, load->precision);
    number(w, "max_tokens", load->tokens_max);
    number(w, "width", load->width);
    number(w, "self_test_us", load->self_test_us);
    json_write_end(w);
}

static void entry_json(const struct entry *entry, struct json_writer *w) {
    const struct model_record *record = record_of(entry);
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
    if (entry->arena)
        load_json(&entry->load, w);
    if (record)
        record_json(record, w);
    json_write_end(w);
}

/* What is neither ready nor given up. */
static bool is_pending(const struct entry *entry) {
    return entry->used && entry->state != MODEL_STATE_READY && entry->state != MODEL_STATE_FAILED;
}

static void pending_json(const struct readiness *readiness, struct json_writer *w) {
    json_write_key(w, VSR_STR("pending_models"));
    json_write_begin_array(w);
    for (int i = 0; i < readiness->n; i++)
        if (is_pending(&readiness->entries[i]))
            json_write_str(w, str_from_c(readiness->entries[i].name));
    json_write_end(w);
}

static const char *downloading(const struct readiness *readiness) {
    for (int i = 0; i < readiness->n; i++)
        if (readiness->entries[i].used && readiness->entries[i].state == MODEL_STATE_DOWNLOADING)
            return readiness->entries[i].name;
    return "";
}

static uint64_t count(const struct readiness *readiness, bool only_ready) {
    uint64_t n = 0;
    for (int i = 0; i < readiness->n; i++)
        n += readiness->entries[i].used && (!only_ready || readiness->entries[i].state == MODEL_STATE_READY);
    return n;
}

/* With the lock held, in an object that is open. */
static void summary(const struct readiness *readiness, const char *ready_key, struct json_writer *w) {
    char updated[CLOCK_RFC3339_LEN];
    uint64_t n_ready = count(readiness, true);
    flag(w, "any_ready", n_ready > 0);
    text(w, "phase", phases[readiness->phase]);
    text(w, "message", readiness->message);
    text(w, "downloading_model", downloading(readiness));
    pending_json(readiness, w);
    number(w, ready_key, n_ready);
    number(w, "total_models", count(readiness, false));
    text(w, "updated_at", clock_rfc3339(readiness->updated_ms, updated));
}

static void models(const struct readiness *readiness, struct json_writer *w) {
    json_write_begin_array(w);
    for (int i = 0; i < readiness->n; i++)
        if (readiness->entries[i].used)
            entry_json(&readiness->entries[i], w);
    json_write_end(w);
}

void readiness_summary_json(struct readiness *readiness, const char *ready_key, struct json_writer *w) {
    pthread_mutex_lock(&readiness->lock);
    summary(readiness, ready_key, w);
    pthread_mutex_unlock(&readiness->lock);
}

void readiness_models_json(struct readiness *readiness, struct json_writer *w) {
    pthread_mutex_lock(&readiness->lock);
    models(readiness, w);
    pthread_mutex_unlock(&readiness->lock);
}

void readiness_json(struct readiness *readiness, struct json_writer *w) {
    pthread_mutex_lock(&readiness->lock);
    json_write_begin_object(w);
    flag(w, "ready", first_missing(readiness) == NULL);
    summary(readiness, "ready_models", w);
    json_write_key(w, VSR_STR("models"));
    models(readiness, w);
    json_write_end(w);
    pthread_mutex_unlock(&readiness->lock);
}

void readiness_each(struct readiness *readiness, void (*visit)(void *data, const struct readiness_view *view),
                    void *data) {
    pthread_mutex_lock(&readiness->lock);
    for (int i = 0; i < readiness->n; i++) {
        const struct entry *entry = &readiness->entries[i];
        const struct readiness_view view = { entry->name,      entry->type,    entry->path,        entry->state,
                                             entry->mandatory, entry->load_ms, entry->memory_bytes };
        if (entry->used)
            visit(data, &view);
    }
    pthread_mutex_unlock(&readiness->lock);
}
