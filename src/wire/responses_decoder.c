/*
 * responses_decoder - a Responses backend's stream or object as deltas (gateway.md 6.4).
 *
 * Deltas come from the events that carry pieces; where a backend sends only the finished item, it is read from there.
 * Items that no other protocol has (searches, shells, calls of tool servers) are passed whole when they are done.
 */
#include "core/arena.h"
#include "wire/decoder_kind.h"
#include "wire/responses_events.h"
#include "wire/value.h"

struct call {
    int64_t place; /* output_index */
    bool has_arguments, ended;
};

struct responses_decoder {
    struct decoder base;
    bool begun;
    int64_t told; /* output_index + 1 of the item whose text or reasoning came in pieces last */
    struct call calls[ANSWER_TOOLS_MAX];
    uint32_t n_calls;
};

static struct responses_decoder *self(struct decoder *decoder) {
    return (struct responses_decoder *)decoder;
}

static vsr_str text_of(struct responses_decoder *d, const struct json_doc *doc, json_ref object, const char *key) {
    return decoder_text(d->base.scratch, doc, value_get(doc, object, key));
}

static int64_t place_of(const struct json_doc *doc) {
    int64_t place = 0;
    json_ref ref = value_get(doc, 0, "output_index");
    if (ref == JSON_NONE || !json_i64(doc, ref, &place) || place < 0 || place > UINT32_MAX)
        return 0;
    return place;
}

/* ---- saying */

static void say(struct responses_decoder *d, const struct answer_delta *delta) {
    decoder_say(&d->base, delta);
}

static void begin(struct responses_decoder *d, const struct json_doc *doc, json_ref response) {
    struct answer_delta delta = { .kind = DELTA_BEGIN };
    json_ref created = value_get(doc, response, "created_at");
    double seconds;
    if (d->begun)
        return;
    d->begun = true;
    delta.id = text_of(d, doc, response, "id");
    delta.name = text_of(d, doc, response, "model");
    if (created != JSON_NONE && json_double(doc, created, &seconds) && seconds > 0 && seconds < 1e15)
        delta.created = (int64_t)seconds; /* some write a fraction */
    say(d, &delta);
}

static void say_text(struct responses_decoder *d, enum delta_kind kind, int64_t place, vsr_str text) {
    if (text.len)
        say(d, &(struct answer_delta){ .kind = kind, .index = (uint32_t)place, .text = text });
}

static void say_raw(struct responses_decoder *d, enum delta_kind kind, enum protocol family, int64_t place,
                    vsr_str raw) {
    say(d, &(struct answer_delta){ .kind = kind, .family = family, .index = (uint32_t)place, .text = raw });
}

/* Logprobs look the same in both families. */
static void say_logprobs(struct responses_decoder *d, const struct json_doc *doc, json_ref object, int64_t place) {
    json_ref list = value_get(doc, object, "logprobs");
    if (json_is(doc, list, JSON_ARRAY) && json_first(doc, list) != JSON_NONE)
        say_raw(d, DELTA_LOGPROBS, PROTOCOL_CHAT, place, json_raw(doc, list));
}

/* ---- calls */

static struct call *find_call(struct responses_decoder *d, int64_t place, uint32_t *ret_index) {
    for (uint32_t i = 0; i < d->n_calls; i++) {
        if (d->calls[i].place == place) {
            *ret_index = i;
            return &d->calls[i];
        }
    }
    return NULL;
}

static void begin_call(struct responses_decoder *d, const struct json_doc *doc, json_ref item, int64_t place) {
    uint32_t index;
    if (find_call(d, place, &index) || d->n_calls >= ANSWER_TOOLS_MAX)
        return;
    d->calls[d->n_calls] = (struct call){ .place = place };
    say(d, &(struct answer_delta){ .kind = DELTA_TOOL_BEGIN,
                                   .index = d->n_calls++,
                                   .id = text_of(d, doc, item, "call_id"),
                                   .name = text_of(d, doc, item, "name") });
}

static void say_arguments(struct responses_decoder *d, int64_t place, vsr_str text) {
    uint32_t index = 0;
    struct call *call = find_call(d, place, &index);
    if (!call || call->ended || text.len == 0)
        return;
    call->has_arguments = true;
    say(d, &(struct answer_delta){ .kind = DELTA_TOOL_ARGUMENTS, .index = index, .text = text });
}

static void end_call(struct responses_decoder *d, const struct json_doc *doc, json_ref item, int64_t place) {
    uint32_t index = 0;
    struct call *call = find_call(d, place, &index);
    if (!call || call->ended)
        return;
    if (!call->has_arguments)
        say_arguments(d, place, text_of(d, doc, item, "arguments"));
    call->ended = true;
    say(d, &(struct answer_delta){ .kind = DELTA_TOOL_END, .index = index });
}

/* ---- whole items */

static void say_message(struct responses_decoder *d, const struct json_doc *doc, json_ref item, int64_t place) {
    json_ref content = value_get(doc, item, "content");
    if (!json_is(doc, content, JSON_ARRAY))
        return;
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part)) {
        json_ref list = value_get(doc, part, "annotations");
        say_text(d, DELTA_TEXT, place, text_of(d, doc, part, "text"));
        say_text(d, DELTA_REFUSAL, place, text_of(d, doc, part, "refusal"));
        say_logprobs(d, doc, part, place);
        if (!json_is(doc, list, JSON_ARRAY))
            continue;
        for (json_ref ref = json_first(doc, list); ref != JSON_NONE; ref = json_next(doc, list, ref))
            say_raw(d, DELTA_CITATION, PROTOCOL_RESPONSES, place, json_raw(doc, ref));
    }
}

static void say_texts(struct responses_decoder *d, const struct json_doc *doc, json_ref list, enum delta_kind kind,
                      int64_t place) {
    if (!json_is(doc, list, JSON_ARRAY))
        return;
    for (json_ref part = json_first(doc, list); part != JSON_NONE; part = json_next(doc, list, part))
        say_text(d, kind, place, text_of(d, doc, part, "text"));
}

static void say_reasoning(struct responses_decoder *d, const struct json_doc *doc, json_ref item, int64_t place) {
    say_texts(d, doc, value_get(doc, item, "summary"), DELTA_REASONING_SUMMARY, place);
    say_texts(d, doc, value_get(doc, item, "content"), DELTA_REASONING, place);
}

static void say_image(struct responses_decoder *d, const struct json_doc *doc, json_ref item, int64_t place) {
    vsr_str result = text_of(d, doc, item, "result"), format = text_of(d, doc, item, "output_format");
    if (result.len == 0)
        return;
    if (!str_starts(result, VSR_STR("http")) && !str_starts(result, VSR_STR("data:")))
        result = arena_printf(d->base.scratch, "data:image/%.*s;base64,%.*s",
                              VSR_FMT(format.len ? format : VSR_STR("png")), VSR_FMT(result));
    say_text(d, DELTA_IMAGE, place, result);
}

/* An item that is complete; `told`: its texts have been said in pieces. */
static void say_item(struct responses_decoder *d, const struct json_doc *doc, json_ref item, int64_t place, bool told) {
    json_ref type = value_get(doc, item, "type");
    vsr_str sealed;
    if (!json_is(doc, item, JSON_OBJECT) || !json_is(doc, type, JSON_STRING))
        return;
    if (json_str_eq(doc, type, VSR_STR("message"))) {
        if (!told)
            say_message(d, doc, item, place);
    } else if (json_str_eq(doc, type, VSR_STR("reasoning"))) {
        if (!told)
            say_reasoning(d, doc, item, place);
        sealed = text_of(d, doc, item, "encrypted_content");
        if (sealed.len)
            say_raw(d, DELTA_REASONING_SIGNATURE, PROTOCOL_RESPONSES, place, sealed);
    } else if (json_str_eq(doc, type, VSR_STR("function_call"))) {
        begin_call(d, doc, item, place);
        end_call(d, doc, item, place);
    } else if (json_str_eq(doc, type, VSR_STR("image_generation_call"))) {
        say_image(d, doc, item, place);
    } else {
        say(d, &(struct answer_delta){ .kind = DELTA_FOREIGN,
                                       .family = PROTOCOL_RESPONSES,
                                       .index = (uint32_t)place,
                                       .name = decoder_text(d->base.scratch, doc, type),
                                       .text = json_raw(doc, item) });
    }
}

/* ---- the end */

static void fail(struct responses_decoder *d, const struct json_doc *doc, json_ref object) {
    struct answer_error error = { .status = 502 };
    decoder_read_error(d->base.scratch, doc, object, &error);
    error.status = decoder_error_status(error.code.len ? error.code : error.type, 502);
    decoder_fail(&d->base, &error);
}

static enum finish finish_of(const struct responses_decoder *d, const struct json_doc *doc, json_ref response) {
    json_ref reason = value_get(doc, value_get(doc, response, "incomplete_details"), "reason");
    json_ref status = value_get(doc, response, "status");
    if (json_is(doc, reason, JSON_STRING))
        return json_str_eq(doc, reason, VSR_STR("content_filter")) ? FINISH_CONTENT_FILTER : FINISH_LENGTH;
    if (json_is(doc, status, JSON_STRING) && json_str_eq(doc, status, VSR_STR("incomplete")))
        return FINISH_LENGTH;
    return d->n_calls ? FINISH_TOOL_CALLS : FINISH_STOP;
}

static void end(struct responses_decoder *d, const struct json_doc *doc, json_ref response) {
    struct usage usage;
    for (uint32_t i = 0; i < d->n_calls; i++) {
        if (!d->calls[i].ended)
            say(d, &(struct answer_delta){ .kind = DELTA_TOOL_END, .index = i });
        d->calls[i].ended = true;
    }
    if (usage_read(doc, value_get(doc, response, "usage"), &usage) && usage.has)
        say(d, &(struct answer_delta){ .kind = DELTA_USAGE, .usage = &usage });
    say(d, &(struct answer_delta){ .kind = DELTA_FINISH, .finish = finish_of(d, doc, response) });
    say(d, &(struct answer_delta){ .kind = DELTA_END });
}

/* ---- events */

static void on_item_added(struct responses_decoder *d, const struct json_doc *doc) {
    json_ref item = value_get(doc, 0, "item"), type = value_get(doc, item, "type");
    if (json_is(doc, type, JSON_STRING) && json_str_eq(doc, type, VSR_STR("function_call")))
        begin_call(d, doc, item, place_of(doc));
}

static void on_piece(struct responses_decoder *d, const struct json_doc *doc, enum delta_kind kind) {
    d->told = place_of(doc) + 1;
    say_text(d, kind, place_of(doc), text_of(d, doc, 0, "delta"));
    if (kind == DELTA_TEXT)
        say_logprobs(d, doc, 0, place_of(doc));
}

static void on_event(struct decoder *decoder, vsr_str type, const struct json_doc *doc) {
    struct responses_decoder *d = self(decoder);
    json_ref response = value_get(doc, 0, "response");
    vsr_str said = text_of(d, doc, 0, "type");
    enum responses_event event = responses_event_find(said.len ? said : type);
    if (event == RESPONSES_EVENT_ERROR) { /* the error's members stand at the top, or in an object */
        json_ref nested = value_get(doc, 0, "error");
        fail(d, doc, json_is(doc, nested, JSON_OBJECT) ? nested : 0);
        return;
    }
    if (event == RESPONSES_EVENT_UNKNOWN)
        return;
    begin(d, doc, response);
    switch (event) {
    case RESPONSES_EVENT_ITEM_ADDED:
        on_item_added(d, doc);
        break;
    case RESPONSES_EVENT_TEXT_DELTA:
        on_piece(d, doc, DELTA_TEXT);
        break;
    case RESPONSES_EVENT_REFUSAL_DELTA:
        on_piece(d, doc, DELTA_REFUSAL);
        break;
    case RESPONSES_EVENT_REASONING_DELTA:
        on_piece(d, doc, DELTA_REASONING);
        break;
    case RESPONSES_EVENT_SUMMARY_DELTA:
        on_piece(d, doc, DELTA_REASONING_SUMMARY);
        break;
    case RESPONSES_EVENT_ARGUMENTS_DELTA:
        say_arguments(d, place_of(doc), text_of(d, doc, 0, "delta"));
        break;
    case RESPONSES_EVENT_ANNOTATION_ADDED:
        if (value_get(doc, 0, "annotation") != JSON_NONE)
            say_raw(d, DELTA_CITATION, PROTOCOL_RESPONSES, place_of(doc),
                    json_raw(doc, value_get(doc, 0, "annotation")));
        break;
    case RESPONSES_EVENT_ITEM_DONE:
        say_item(d, doc, value_get(doc, 0, "item"), place_of(doc), d->told == place_of(doc) + 1);
        break;
    case RESPONSES_EVENT_FAILED:
    case RESPONSES_EVENT_CANCELLED:
        fail(d, doc, value_get(doc, response, "error"));
        break;
    case RESPONSES_EVENT_COMPLETED:
    case RESPONSES_EVENT_INCOMPLETE:
        end(d, doc, response);
        break;
    default:
        break;
    }
}

/* Neither `[DONE]`, which this protocol does not have, nor the end of the body is an end of the answer. */
static void on_stop(struct decoder *decoder, bool done) {
    (void)decoder;
    (void)done;
}

static void on_body(struct decoder *decoder, const struct json_doc *doc) {
    struct responses_decoder *d = self(decoder);
    json_ref output = value_get(doc, 0, "output"), error = value_get(doc, 0, "error"),
             status = value_get(doc, 0, "status");
    int64_t place = 0;
    if (json_is(doc, error, JSON_OBJECT) || json_is(doc, error, JSON_STRING)) {
        fail(d, doc, error);
        return;
    }
    if (!json_is(doc, output, JSON_ARRAY)) {
        decoder_fail_format(decoder, "the answer has no output");
        return;
    }
    if (json_is(doc, status, JSON_STRING) && !json_str_eq(doc, status, VSR_STR("completed")) &&
        !json_str_eq(doc, status, VSR_STR("incomplete"))) {
        decoder_fail_format(decoder, "the answer is not complete");
        return;
    }
    begin(d, doc, 0);
    for (json_ref item = json_first(doc, output); item != JSON_NONE; item = json_next(doc, output, item))
        say_item(d, doc, item, place++, false);
    end(d, doc, 0);
}

const struct decoder_kind decoder_responses = {
    .size = sizeof(struct responses_decoder),
    .on_event = on_event,
    .on_stop = on_stop,
    .on_body = on_body,
};
