/*
 * chat_decoder - answers of Chat Completions backends, as many servers write them.
 *
 * Taken besides what OpenAI sends: `reasoning_content` or `reasoning`; content as an array of parts, `thinking` parts
 * among them; tool calls without an index, or with their arguments as an object; the old `function_call`; `images` of
 * models that draw. A stream ends properly with `[DONE]`, or with a clean end after some choice had finished.
 */
#include "core/arena.h"
#include "core/mem.h"
#include "wire/decoder_kind.h"
#include "wire/members.h"

enum { CALL_INDEX_NONE = -1 };

/* A call of a stream: what later pieces are recognised by. */
struct chat_call {
    int64_t index; /* the backend's own, or CALL_INDEX_NONE */
    uint64_t id_hash;
    bool has_id;
};

struct chat_choice {
    struct chat_call *calls; /* by number */
    size_t n_calls, calls_cap;
    bool seen, finished;
};

struct chat_decoder {
    struct decoder base;
    struct chat_choice *choices; /* by index; grown on demand */
    size_t n_choices;
    bool begun;
    size_t n_finished;
};

enum { ID, MODEL, CREATED, CHOICES, USAGE, ERROR, BODY_MEMBERS };
static const vsr_str body_members[BODY_MEMBERS] = {
    [ID] = VSR_STR_INIT("id"),           [MODEL] = VSR_STR_INIT("model"), [CREATED] = VSR_STR_INIT("created"),
    [CHOICES] = VSR_STR_INIT("choices"), [USAGE] = VSR_STR_INIT("usage"), [ERROR] = VSR_STR_INIT("error"),
};

enum { INDEX, DELTA, MESSAGE, FINISH_REASON, LOGPROBS, CHOICE_MEMBERS };
static const vsr_str choice_members[CHOICE_MEMBERS] = {
    [INDEX] = VSR_STR_INIT("index"),       [DELTA] = VSR_STR_INIT("delta"),
    [MESSAGE] = VSR_STR_INIT("message"),   [FINISH_REASON] = VSR_STR_INIT("finish_reason"),
    [LOGPROBS] = VSR_STR_INIT("logprobs"),
};

enum { CONTENT, REASONING_CONTENT, REASONING, REFUSAL, TOOL_CALLS, FUNCTION_CALL, IMAGES, ANNOTATIONS, SAID_MEMBERS };
static const vsr_str said_members[SAID_MEMBERS] = {
    [CONTENT] = VSR_STR_INIT("content"),       [REASONING_CONTENT] = VSR_STR_INIT("reasoning_content"),
    [REASONING] = VSR_STR_INIT("reasoning"),   [REFUSAL] = VSR_STR_INIT("refusal"),
    [TOOL_CALLS] = VSR_STR_INIT("tool_calls"), [FUNCTION_CALL] = VSR_STR_INIT("function_call"),
    [IMAGES] = VSR_STR_INIT("images"),         [ANNOTATIONS] = VSR_STR_INIT("annotations"),
};

static struct chat_decoder *self(struct decoder *decoder) {
    return (struct chat_decoder *)decoder;
}

static void done(struct decoder *decoder) {
    struct chat_decoder *d = self(decoder);
    for (size_t i = 0; i < d->n_choices; i++)
        mem_free(d->choices[i].calls);
    mem_free(d->choices);
}

/* ---- saying */

static vsr_str text_of(struct chat_decoder *d, const struct json_doc *doc, json_ref ref) {
    return decoder_text(d->base.scratch, doc, ref);
}

static void say_text(struct chat_decoder *d, enum delta_kind kind, uint32_t choice, vsr_str text) {
    if (text.len > 0)
        decoder_say(&d->base, &(struct answer_delta){ .kind = kind, .choice = choice, .text = text });
}

static void say_raw(struct chat_decoder *d, enum delta_kind kind, uint32_t choice, vsr_str raw) {
    decoder_say(&d->base,
                &(struct answer_delta){ .kind = kind, .family = PROTOCOL_CHAT, .choice = choice, .text = raw });
}

static void say_end(struct chat_decoder *d) {
    decoder_say(&d->base, &(struct answer_delta){ .kind = DELTA_END });
}

static void begin(struct chat_decoder *d, const struct json_doc *doc, const json_ref *body) {
    struct answer_delta delta = { .kind = DELTA_BEGIN };
    if (d->begun)
        return;
    d->begun = true;
    delta.id = text_of(d, doc, body[ID]);
    delta.name = text_of(d, doc, body[MODEL]);
    if (body[CREATED] != JSON_NONE)
        (void)json_i64(doc, body[CREATED], &delta.created); /* stays 0: unknown */
    decoder_say(&d->base, &delta);
}

/* ---- content */

/* `{type: text, text}`, `{type: thinking, thinking: [...]}`, `{type: image_url, image_url: {url}}`. */
static void read_part(struct chat_decoder *d, const struct json_doc *doc, json_ref part, uint32_t choice) {
    json_ref thinking = json_get(doc, part, VSR_STR("thinking"));
    json_ref image = json_get(doc, part, VSR_STR("image_url"));
    say_text(d, DELTA_TEXT, choice, text_of(d, doc, json_get(doc, part, VSR_STR("text"))));
    say_text(d, DELTA_REFUSAL, choice, text_of(d, doc, json_get(doc, part, VSR_STR("refusal"))));
    if (json_is(doc, image, JSON_OBJECT))
        image = json_get(doc, image, VSR_STR("url"));
    say_text(d, DELTA_IMAGE, choice, text_of(d, doc, image));
    if (!json_is(doc, thinking, JSON_ARRAY)) {
        say_text(d, DELTA_REASONING, choice, text_of(d, doc, thinking));
        return;
    }
    for (json_ref piece = json_first(doc, thinking); piece != JSON_NONE; piece = json_next(doc, thinking, piece))
        say_text(d, DELTA_REASONING, choice, text_of(d, doc, json_get(doc, piece, VSR_STR("text"))));
}

static void read_content(struct chat_decoder *d, const struct json_doc *doc, json_ref content, uint32_t choice) {
    if (!json_is(doc, content, JSON_ARRAY)) {
        say_text(d, DELTA_TEXT, choice, text_of(d, doc, content));
        return;
    }
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part))
        read_part(d, doc, part, choice);
}

/* `images: [{type: image_url, image_url: {url}}]` beside the content. */
static void read_images(struct chat_decoder *d, const struct json_doc *doc, json_ref images, uint32_t choice) {
    if (!json_is(doc, images, JSON_ARRAY))
        return;
    for (json_ref part = json_first(doc, images); part != JSON_NONE; part = json_next(doc, images, part)) {
        json_ref image = json_get(doc, part, VSR_STR("image_url"));
        if (json_is(doc, image, JSON_OBJECT))
            image = json_get(doc, image, VSR_STR("url"));
        say_text(d, DELTA_IMAGE, choice, text_of(d, doc, image));
    }
}

static void read_annotations(struct chat_decoder *d, const struct json_doc *doc, json_ref annotations,
                             uint32_t choice) {
    if (!json_is(doc, annotations, JSON_ARRAY))
        return;
    for (json_ref a = json_first(doc, annotations); a != JSON_NONE; a = json_next(doc, annotations, a))
        say_raw(d, DELTA_CITATION, choice, json_raw(doc, a));
}

static void read_logprobs(struct chat_decoder *d, const struct json_doc *doc, json_ref logprobs, uint32_t choice) {
    json_ref content = json_get(doc, logprobs, VSR_STR("content"));
    if (json_is(doc, content, JSON_ARRAY) && json_first(doc, content) != JSON_NONE)
        say_raw(d, DELTA_LOGPROBS, choice, json_raw(doc, content));
}

/* ---- tool calls */

/* A piece that begins a call of its own although its index is taken: some servers give every call index 0. */
static bool is_other_call(const struct chat_call *call, uint64_t id_hash, bool has_id, bool has_name) {
    return has_id && has_name && call->has_id && call->id_hash != id_hash;
}

/* The call that a piece continues: by index, else by id, else the last one. n_calls: it begins one. */
static size_t find_call(const struct chat_choice *choice, int64_t index, vsr_str id, bool has_name) {
    uint64_t hash = str_hash(id, 0);
    for (size_t i = choice->n_calls; i-- > 0;) {
        const struct chat_call *call = &choice->calls[i];
        bool same = index != CALL_INDEX_NONE ? call->index == index && !is_other_call(call, hash, id.len > 0, has_name)
                    : id.len > 0             ? call->has_id && call->id_hash == hash
                                             : !has_name;
        if (same)
            return i;
    }
    return choice->n_calls;
}

static bool add_call(struct chat_choice *choice, int64_t index, vsr_str id) {
    struct chat_call *calls;
    if (choice->n_calls == ANSWER_TOOLS_MAX)
        return false;
    if (choice->n_calls == choice->calls_cap) {
        size_t cap = choice->calls_cap ? choice->calls_cap * 2 : 4;
        calls = mem_try_realloc(choice->calls, cap * sizeof(struct chat_call));
        if (!calls)
            return false;
        choice->calls = calls;
        choice->calls_cap = cap;
    }
    choice->calls[choice->n_calls++] =
        (struct chat_call){ .index = index, .id_hash = str_hash(id, 0), .has_id = id.len > 0 };
    return true;
}

/* Text of `arguments`; an object, as some servers send it, is its own JSON text. */
static vsr_str arguments_of(struct chat_decoder *d, const struct json_doc *doc, json_ref function) {
    json_ref arguments = json_get(doc, function, VSR_STR("arguments"));
    return json_is(doc, arguments, JSON_OBJECT) ? json_raw(doc, arguments) : text_of(d, doc, arguments);
}

static int64_t index_of(const struct json_doc *doc, json_ref call) {
    int64_t index;
    return json_i64(doc, json_get(doc, call, VSR_STR("index")), &index) && index >= 0 ? index : CALL_INDEX_NONE;
}

static void read_call(struct chat_decoder *d, const struct json_doc *doc, json_ref call, json_ref function,
                      uint32_t choice_index) {
    struct chat_choice *choice = &d->choices[choice_index];
    struct answer_delta delta = { .kind = DELTA_TOOL_BEGIN, .choice = choice_index };
    delta.id = text_of(d, doc, json_get(doc, call, VSR_STR("id")));
    delta.name = text_of(d, doc, json_get(doc, function, VSR_STR("name")));
    /* In a whole answer each element is a call. */
    delta.index = (uint32_t)(d->base.streamed ? find_call(choice, index_of(doc, call), delta.id, delta.name.len > 0)
                                              : choice->n_calls);
    if (delta.index == choice->n_calls) {
        if (!add_call(choice, index_of(doc, call), delta.id))
            return; /* past the limit */
        decoder_say(&d->base, &delta);
    }
    delta.kind = DELTA_TOOL_ARGUMENTS;
    delta.id = delta.name = str_make(NULL, 0);
    delta.text = arguments_of(d, doc, function);
    if (delta.text.len > 0)
        decoder_say(&d->base, &delta);
}

static void read_calls(struct chat_decoder *d, const struct json_doc *doc, const json_ref *said, uint32_t choice) {
    json_ref calls = said[TOOL_CALLS];
    if (json_is(doc, said[FUNCTION_CALL], JSON_OBJECT))
        read_call(d, doc, JSON_NONE, said[FUNCTION_CALL], choice);
    if (!json_is(doc, calls, JSON_ARRAY))
        return;
    for (json_ref call = json_first(doc, calls); call != JSON_NONE; call = json_next(doc, calls, call))
        if (json_is(doc, call, JSON_OBJECT))
            read_call(d, doc, call, json_get(doc, call, VSR_STR("function")), choice);
}

/* ---- choices */

static enum finish finish_of(const struct json_doc *doc, json_ref reason) {
    static const struct {
        vsr_str name;
        enum finish finish;
    } reasons[] = {
        { VSR_STR_INIT("stop"), FINISH_STOP },
        { VSR_STR_INIT("length"), FINISH_LENGTH },
        { VSR_STR_INIT("tool_calls"), FINISH_TOOL_CALLS },
        { VSR_STR_INIT("function_call"), FINISH_TOOL_CALLS },
        { VSR_STR_INIT("content_filter"), FINISH_CONTENT_FILTER },
    };
    for (size_t i = 0; i < VSR_COUNT(reasons); i++)
        if (json_str_eq(doc, reason, reasons[i].name))
            return reasons[i].finish;
    return FINISH_NONE;
}

static void finish(struct chat_decoder *d, uint32_t index, enum finish why) {
    struct chat_choice *choice = &d->choices[index];
    if (choice->finished)
        return;
    for (size_t i = 0; i < choice->n_calls; i++)
        decoder_say(&d->base, &(struct answer_delta){ .kind = DELTA_TOOL_END, .choice = index, .index = (uint32_t)i });
    choice->finished = true;
    d->n_finished++;
    decoder_say(&d->base, &(struct answer_delta){ .kind = DELTA_FINISH, .choice = index, .finish = why });
}

/* False past the limit, or without memory: such a choice is not read. */
static bool has_choice(struct chat_decoder *d, int64_t index) {
    struct chat_choice *choices;
    if (index < 0 || index >= ANSWER_CHOICES_MAX)
        return false;
    if ((size_t)index < d->n_choices)
        return true;
    choices = mem_try_realloc(d->choices, ((size_t)index + 1) * sizeof(struct chat_choice));
    if (!choices)
        return false;
    memset(choices + d->n_choices, 0, ((size_t)index + 1 - d->n_choices) * sizeof(struct chat_choice));
    d->choices = choices;
    d->n_choices = (size_t)index + 1;
    return true;
}

/* What a choice says after its finish is no part of the answer; only usage may follow. */
static void read_choice(struct chat_decoder *d, const struct json_doc *doc, json_ref choice) {
    json_ref c[CHOICE_MEMBERS], said[SAID_MEMBERS];
    int64_t given = 0;
    uint32_t index;
    members_read(doc, choice, choice_members, CHOICE_MEMBERS, c);
    if (c[INDEX] != JSON_NONE)
        (void)json_i64(doc, c[INDEX], &given); /* 0 when a backend leaves it out */
    if (!has_choice(d, given) || d->choices[given].finished)
        return;
    index = (uint32_t)given;
    d->choices[index].seen = true;
    members_read(doc, c[DELTA] != JSON_NONE ? c[DELTA] : c[MESSAGE], said_members, SAID_MEMBERS, said);
    say_text(d, DELTA_REASONING, index,
             text_of(d, doc,
                     json_is(doc, said[REASONING_CONTENT], JSON_STRING) ? said[REASONING_CONTENT] : said[REASONING]));
    read_content(d, doc, said[CONTENT], index);
    say_text(d, DELTA_REFUSAL, index, text_of(d, doc, said[REFUSAL]));
    read_annotations(d, doc, said[ANNOTATIONS], index);
    read_images(d, doc, said[IMAGES], index);
    read_logprobs(d, doc, c[LOGPROBS], index);
    read_calls(d, doc, said, index);
    if (json_is(doc, c[FINISH_REASON], JSON_STRING))
        finish(d, index, finish_of(doc, c[FINISH_REASON]));
}

static void read_choices(struct chat_decoder *d, const struct json_doc *doc, json_ref choices) {
    if (!json_is(doc, choices, JSON_ARRAY))
        return;
    for (json_ref choice = json_first(doc, choices); choice != JSON_NONE; choice = json_next(doc, choices, choice))
        read_choice(d, doc, choice);
}

static void read_usage(struct chat_decoder *d, const struct json_doc *doc, json_ref object) {
    struct usage usage;
    if (usage_read(doc, object, &usage) && usage.has)
        decoder_say(&d->base, &(struct answer_delta){ .kind = DELTA_USAGE, .usage = &usage });
}

/* ---- the kind */

static bool read_error(struct chat_decoder *d, const struct json_doc *doc, json_ref object, vsr_str type) {
    struct answer_error error = { .status = 502 };
    int64_t status;
    bool is_event = str_eq(type, VSR_STR("error"));
    if (object == JSON_NONE || json_is(doc, object, JSON_NULL)) {
        if (!is_event)
            return false;
        object = 0;
    }
    decoder_read_error(d->base.scratch, doc, object, &error);
    error.status = decoder_error_status(error.type, 502);
    if ((json_i64(doc, json_get(doc, object, VSR_STR("status")), &status) ||
         json_i64(doc, json_get(doc, object, VSR_STR("code")), &status)) &&
        status >= 400 && status <= 599)
        error.status = (int)status;
    decoder_fail(&d->base, &error);
    return true;
}

static void on_event(struct decoder *decoder, vsr_str type, const struct json_doc *doc) {
    struct chat_decoder *d = self(decoder);
    json_ref body[BODY_MEMBERS];
    members_read(doc, 0, body_members, BODY_MEMBERS, body);
    if (read_error(d, doc, body[ERROR], type))
        return;
    if (body[CHOICES] == JSON_NONE && body[USAGE] == JSON_NONE)
        return; /* no chunk */
    begin(d, doc, body);
    read_choices(d, doc, body[CHOICES]);
    read_usage(d, doc, body[USAGE]);
}

static void on_stop(struct decoder *decoder, bool done_seen) {
    struct chat_decoder *d = self(decoder);
    if (!done_seen && d->n_finished == 0)
        return;
    for (size_t i = 0; i < d->n_choices; i++)
        if (d->choices[i].n_calls > 0)
            finish(d, (uint32_t)i, FINISH_NONE); /* open calls have to be ended */
    say_end(d);
}

static void on_body(struct decoder *decoder, const struct json_doc *doc) {
    struct chat_decoder *d = self(decoder);
    json_ref body[BODY_MEMBERS];
    members_read(doc, 0, body_members, BODY_MEMBERS, body);
    if (read_error(d, doc, body[ERROR], str_make(NULL, 0)))
        return;
    if (!json_is(doc, body[CHOICES], JSON_ARRAY)) {
        decoder_fail_format(decoder, "the answer has no choices");
        return;
    }
    begin(d, doc, body);
    read_choices(d, doc, body[CHOICES]);
    read_usage(d, doc, body[USAGE]);
    for (size_t i = 0; i < d->n_choices; i++)
        if (d->choices[i].seen)
            finish(d, (uint32_t)i, FINISH_NONE);
    say_end(d);
}

const struct decoder_kind decoder_chat = {
    .size = sizeof(struct chat_decoder),
    .on_event = on_event,
    .on_stop = on_stop,
    .on_body = on_body,
    .done = done,
};
