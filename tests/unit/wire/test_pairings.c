/*
 * Every answer of tests/fixtures/pairings/<backend's protocol>/ in every client's protocol, streamed and whole, beside
 * what it has to be in tests/fixtures/pairings/want/; VSR_TEST_UPDATE=1 rewrites that. A protocol takes part, as
 * backend and as client, once it has a folder of answers.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"
#include "wire/decoder.h"
#include "wire/encoder.h"
#include "wire/responses_object.h"
#include "wire/responses_request.h"
#include "wire/warnings.h"

enum { PATH_LEN = 1024, TEXT_LEN_MAX = 1 << 20 };

static const struct {
    enum protocol protocol;
    const char *name;
} protocols[] = {
    { PROTOCOL_CHAT, "chat" },
    { PROTOCOL_MESSAGES, "messages" },
    { PROTOCOL_RESPONSES, "responses" },
};

static const char *folder(const char *name) {
    static char path[PATH_LEN];
    const char *source = getenv("VSR_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/tests/fixtures/pairings/%s", source ? source : ".", name);
    return path;
}

static bool takes_part(const char *name) {
    DIR *dir = opendir(folder(name));
    if (dir)
        closedir(dir);
    return dir != NULL;
}

static vsr_str read_file(struct arena *arena, const char *path) {
    char *bytes = arena_alloc(arena, TEXT_LEN_MAX);
    FILE *file = fopen(path, "rb");
    size_t len;
    if (!file)
        return (vsr_str){ 0 };
    len = fread(bytes, 1, TEXT_LEN_MAX, file);
    fclose(file);
    return str_make(bytes, len);
}

static void write_file(const char *path, vsr_str text) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL, path);
    fwrite(text.ptr, 1, text.len, file);
    fclose(file);
}

/* What is the same whatever the pairing: the order of answer_model.h. */
struct order {
    bool begun, failed, ended, broken;
    uint32_t n_tools[4];
    bool finished[4];
};

static void check_order(struct order *o, const struct answer_delta *delta) {
    uint32_t c = delta->choice < 4 ? delta->choice : 0;
    bool says = delta->kind != DELTA_BEGIN && delta->kind != DELTA_USAGE && delta->kind != DELTA_PING &&
                delta->kind != DELTA_ERROR && delta->kind != DELTA_END;
    if (o->ended || (o->failed && delta->kind != DELTA_END))
        o->broken = true;
    if (delta->kind == DELTA_BEGIN && o->begun)
        o->broken = true;
    if (says && o->finished[c])
        o->broken = true;
    if (delta->kind == DELTA_TOOL_BEGIN && delta->index != o->n_tools[c]++)
        o->broken = true;
    if ((delta->kind == DELTA_TOOL_ARGUMENTS || delta->kind == DELTA_TOOL_END) && delta->index >= o->n_tools[c])
        o->broken = true;
    if (delta->kind == DELTA_FINISH)
        o->finished[c] = true;
    o->begun |= delta->kind == DELTA_BEGIN || says;
    o->failed |= delta->kind == DELTA_ERROR;
    o->ended |= delta->kind == DELTA_END;
}

struct pairing {
    struct encoder *encoder;
    struct answer *answer;
    struct order order;
};

static void on_delta(void *user, const struct answer_delta *delta) {
    struct pairing *pairing = user;
    check_order(&pairing->order, delta);
    answer_take(pairing->answer, delta);
    encoder_take(pairing->encoder, delta);
}

struct job {
    enum protocol backend, client;
    bool from_stream, to_stream;
    size_t step; /* bytes fed at once */
    const char *name;
};

static void collect(void *user, const struct answer_delta *delta) {
    answer_take(user, delta);
}

static const char *words(struct arena *arena, vsr_str text) {
    return arena_c_str(arena, text);
}

/* What a client reads out of its answer is what the backend said. */
static void check_heard(struct arena *arena, const struct job *job, const struct answer *said, vsr_str text) {
    struct answer *heard = answer_new(arena, TEXT_LEN_MAX);
    struct decoder *decoder = decoder_new(job->client, job->to_stream, collect, heard);
    const struct answer_choice *a, *b;
    size_t n_tools = 0;
    decoder_feed(decoder, text);
    decoder_end(decoder, true);
    decoder_free(decoder);
    CHECK_INT(answer_head(heard)->error.status > 0, answer_head(said)->error.status > 0, job->name);
    a = answer_choice(said, 0);
    b = answer_choice(heard, 0);
    if (!a || !b || answer_head(said)->error.status > 0)
        return;
    /* Only Chat Completions tells refusals from text, and a whole message has nothing beside them. */
    if (a->refusal.len == 0 || job->client == PROTOCOL_CHAT) {
        CHECK_STR(b->text, words(arena, a->text), job->name);
        CHECK_STR(b->refusal, words(arena, a->refusal), job->name);
    }
    if (a->summary.len == 0) /* only Responses tells it from reasoning */
        CHECK_STR(b->reasoning, words(arena, a->reasoning), job->name);
    for (size_t i = 0; i < a->n_tools; i++) {
        if (a->tools[i].server && job->client == PROTOCOL_RESPONSES)
            continue; /* that protocol has other items for what the provider runs */
        CHECK(n_tools < b->n_tools, job->name);
        if (a->tools[i].id.len > 0) /* else minted */
            CHECK_STR(b->tools[n_tools].id, words(arena, a->tools[i].id), job->name);
        CHECK_STR(b->tools[n_tools++].name, words(arena, a->tools[i].name), job->name);
    }
    CHECK_INT(b->n_tools, n_tools, job->name);
    if (answer_head(heard)->usage.has && answer_head(said)->usage.has) {
        CHECK_INT(answer_head(heard)->usage.prompt, answer_head(said)->usage.prompt, job->name);
        CHECK_INT(answer_head(heard)->usage.completion, answer_head(said)->usage.completion, job->name);
    }
}

/* What a client of Responses asked. */
struct asked {
    struct json_doc doc;
    struct responses_request request;
    struct response_meta meta;
};

static const struct response_meta *ask(struct arena *arena, struct asked *asked) {
    CHECK_INT(json_parse(arena, VSR_STR("{\"model\":\"shown-model\",\"input\":\"q\"}"), &asked->doc, NULL), 0, "asked");
    CHECK_INT(responses_read(arena, &asked->doc, &asked->request, NULL), 0, "asked");
    asked->meta = (struct response_meta){
        .id = VSR_STR("id_1"), .created_s = 1700000000, .model = VSR_STR("shown-model"), .request = &asked->request
    };
    return &asked->meta;
}

static void translate(struct arena *arena, const struct job *job, vsr_str text, struct buf *out) {
    struct warnings warnings;
    struct asked asked;
    struct encoder_options options = {
        .protocol = job->client,
        .upstream = job->backend,
        .streamed = job->to_stream,
        .include_usage = true,
        .id = VSR_STR("id_1"),
        .model = VSR_STR("shown-model"),
        .now_s = 1700000000,
        .response = ask(arena, &asked),
        .warnings = &warnings,
    };
    struct pairing pairing = { 0 };
    struct decoder *decoder;
    vsr_str header;
    warnings_init(&warnings, arena);
    pairing.answer = answer_new(arena, TEXT_LEN_MAX);
    pairing.encoder = encoder_new(&options, arena, out);
    decoder = decoder_new(job->backend, job->from_stream, on_delta, &pairing);
    for (size_t at = 0; at < text.len; at += job->step)
        decoder_feed(decoder, str_sub(text, at, at + job->step));
    decoder_end(decoder, true);
    CHECK(!pairing.order.broken, job->name);
    CHECK(pairing.order.ended, job->name);
    CHECK(answer_head(pairing.answer)->ended, job->name);
    check_heard(arena, job, pairing.answer, buf_str(out));
    header = warnings_header(&warnings, arena);
    buf_printf(out, "\n--- status %d; usage %lld %lld; warnings %.*s\n", encoder_error_status(pairing.encoder),
               (long long)answer_head(pairing.answer)->usage.prompt,
               (long long)answer_head(pairing.answer)->usage.completion, VSR_FMT(header));
    decoder_free(decoder);
    encoder_free(pairing.encoder);
}

static bool is_hex(char c) {
    return ascii_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* Minted ids are random: their digits become 0. */
static void mask_ids(char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        size_t n = 0;
        if (text[i] != '_' && text[i] != '-')
            continue;
        while (i + 1 + n < len && is_hex(text[i + 1 + n]))
            n++;
        if (n == PROTOCOL_ID_LEN)
            memset(text + i + 1, '0', n);
    }
}

static vsr_str translated(struct arena *arena, struct job job, bool to_stream, size_t step, vsr_str text) {
    struct buf out;
    vsr_str copy;
    buf_init(&out, TEXT_LEN_MAX);
    job.to_stream = to_stream;
    job.step = step;
    translate(arena, &job, text, &out);
    mask_ids(out.ptr, out.len);
    copy = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return copy;
}

/* Splits that are as many as the text is long, though each is checked for one kind of client only. */
static void check_splits(struct arena *arena, const struct job *job, vsr_str text, vsr_str streamed) {
    for (size_t step = 1; step < text.len; step += step < 16 ? 1 : 61) {
        struct arena_mark mark = arena_mark(arena);
        vsr_str split = translated(arena, *job, true, step, text);
        if (!str_eq(split, streamed))
            print_error("%s in pieces of %zu:\n%.*s", job->name, step, VSR_FMT(split));
        CHECK(str_eq(split, streamed), job->name);
        arena_rewind(arena, mark);
    }
}

static bool check_pairing(struct job job, const char *file, const char *client_name, const char *backend_name) {
    struct arena *arena = arena_new(0, 0);
    char path[PATH_LEN];
    vsr_str text, streamed, whole, got, want;
    bool same;
    snprintf(path, sizeof(path), "%s/%s", folder(backend_name), file);
    text = read_file(arena, path);
    streamed = translated(arena, job, true, text.len, text);
    whole = translated(arena, job, false, text.len, text);
    check_splits(arena, &job, text, streamed);
    got = arena_printf(arena, "%.*s%.*s", VSR_FMT(streamed), VSR_FMT(whole));
    snprintf(path, sizeof(path), "%s/%s-%s.%s.txt", folder("want"), backend_name, file, client_name);
    if (getenv("VSR_TEST_UPDATE"))
        write_file(path, got);
    want = read_file(arena, path);
    same = str_eq(got, want);
    if (!same)
        print_error("%s:\n--- want\n%.*s--- got\n%.*s", path, VSR_FMT(want), VSR_FMT(got));
    arena_free(arena);
    return same;
}

static int is_answer(const struct dirent *entry) {
    vsr_str name = str_from_c(entry->d_name);
    return str_ends(name, VSR_STR(".sse")) || str_ends(name, VSR_STR(".json"));
}

static int check_backend(size_t backend) {
    struct dirent **entries;
    int n = scandir(folder(protocols[backend].name), &entries, is_answer, alphasort), n_wrong = 0;
    CHECK(n > 0, protocols[backend].name);
    for (int i = 0; i < n; i++) {
        const char *file = entries[i]->d_name;
        struct job job = { .backend = protocols[backend].protocol, .name = file };
        job.from_stream = str_ends(str_from_c(file), VSR_STR(".sse"));
        for (size_t client = 0; client < VSR_COUNT(protocols); client++) {
            job.client = protocols[client].protocol;
            if (takes_part(protocols[client].name))
                n_wrong += !check_pairing(job, file, protocols[client].name, protocols[backend].name);
        }
        free(entries[i]);
    }
    free(entries);
    return n_wrong;
}

TEST(pairings) {
    for (size_t backend = 0; backend < VSR_COUNT(protocols); backend++)
        if (takes_part(protocols[backend].name))
            CHECK_INT(check_backend(backend), 0, protocols[backend].name);
}

RUN_TESTS(T(pairings))
