#include "serve/responses.h"

#include <openssl/sha.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "core/log.h"
#include "serve/request.h"
#include "serve/responses_service.h"
#include "serve/run_front.h"
#include "serve/sealed.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "store/response_store.h"
#include "wire/answer_model.h"
#include "wire/encoder.h"
#include "wire/protocol.h"
#include "wire/responses_encoder.h"
#include "wire/responses_write.h"
#include "wire/warnings.h"

enum {
    OWNER_HEX_LEN = 32,
    TRANSLATION_SPARE = 1 << 20,
    RECORD_COPIES = 2, /* of what is read from the store: in the arena, and on its way out */
    CHAIN_COPIES = 3,  /* the same, and as chat */
};

struct responses_exchange *responses_exchange(struct request *request) {
    if (!request->responses)
        request->responses = ARENA_NEW(request->arena, struct responses_exchange);
    return request->responses;
}

/* ---- whose it is */

/*
 * Empty where nobody is told apart. A hash, so that neither keys nor names of people lie in the store; each part with
 * its length, so that none can be mistaken for another.
 */
static vsr_str owner_of(const struct request *request) {
    static const char digits[] = "0123456789abcdef";
    const struct identity *who = &request->identity;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    vsr_str all;
    char *hex;
    if (who->tenant.len == 0 && who->user.len == 0 && who->key.len == 0)
        return (vsr_str){ NULL, 0 };
    all = arena_printf(request->arena, "%zu:%.*s|%zu:%.*s|%zu:%.*s", who->tenant.len, VSR_FMT(who->tenant),
                       who->user.len, VSR_FMT(who->user), who->key.len, VSR_FMT(who->key));
    SHA256((const unsigned char *)all.ptr, all.len, digest);
    hex = arena_alloc(request->arena, OWNER_HEX_LEN);
    for (size_t i = 0; i < OWNER_HEX_LEN / 2; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    return str_make(hex, OWNER_HEX_LEN);
}

/* ---- failures */

enum stage_result responses_not_found(struct request *request, vsr_str id) {
    request_error(request, 404, TELEMETRY_REASON_parse_error, NULL,
                  arena_printf(request->arena, "Response not found: %.*s", VSR_FMT(str_sub(id, 0, STORE_ID_LEN_MAX))));
    return STAGE_FAIL;
}

enum stage_result responses_store_failed(struct request *request, int rc) {
    switch (rc) {
    case VSR_E_UNAVAILABLE:
        request_error(request, 503, TELEMETRY_REASON_overloaded, "store_unavailable",
                      VSR_STR("the store of responses cannot be reached at present"));
        request->reply.extra = (struct http1_field){ VSR_STR("retry-after"), VSR_STR("1") };
        break;
    case VSR_E_LIMIT:
    case VSR_E_NOMEM:
        request_error(request, 413, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("the response is larger than what this server keeps"));
        break;
    default:
        request_error(request, 500, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("what the store of responses holds cannot be read"));
    }
    return STAGE_FAIL;
}

static enum stage_result refuse(struct request *request, const struct vsr_err *err) {
    int status = err->code == VSR_E_INVALID ? 400 : err->code == VSR_E_INTERNAL ? 500 : 413;
    request_error(request, status, TELEMETRY_REASON_parse_error,
                  str_ends(str_from_c(err->where), VSR_STR(".encrypted_content")) ? "invalid_encrypted_content" : NULL,
                  arena_str(request->arena, str_from_c(err->text)));
    request->reply.param = arena_str(request->arena, str_from_c(err->where));
    return STAGE_FAIL;
}

static enum stage_result refuse_previous(struct request *request, vsr_str message) {
    request_error(request, 400, TELEMETRY_REASON_parse_error, "previous_response_not_found", message);
    request->reply.param = VSR_STR("previous_response_id");
    return STAGE_FAIL;
}

/* ---- what the store answers */

/* False: no memory within the request's limit. */
static bool copy_text(struct arena *arena, vsr_str text, vsr_str *ret_copy) {
    char *copy = arena_try_alloc_raw(arena, text.len + 1);
    if (!copy)
        return false;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    *ret_copy = str_make(copy, text.len);
    return true;
}

static bool copy_record(struct arena *arena, const struct response_record *from, struct response_record *to) {
    return copy_text(arena, from->id, &to->id) && copy_text(arena, from->previous_id, &to->previous_id) &&
           copy_text(arena, from->conversation_id, &to->conversation_id) && copy_text(arena, from->owner, &to->owner) &&
           copy_text(arena, from->status, &to->status) && copy_text(arena, from->object_json, &to->object_json) &&
           copy_text(arena, from->input_json, &to->input_json);
}

/* What is asked of a record: a large one is not copied for nothing. */
static struct response_record wanted_of(const struct request *request, const struct response_record *record) {
    struct response_record wanted = *record;
    if (request->endpoint == ENDPOINT_RESPONSE)
        wanted.input_json = VSR_STR("");
    if (str_eq(request->head->method, VSR_STR("DELETE")))
        wanted.object_json = VSR_STR("");
    return wanted;
}

static void take_record(struct request *request, const struct response_record *record) {
    struct responses_exchange *exchange = request->responses;
    const struct response_record wanted = wanted_of(request, record);
    if (!str_eq(record->owner, exchange->owner)) {
        exchange->rc = VSR_E_NOT_FOUND;
        return;
    }
    if (!request_hold_bytes(request, RECORD_COPIES * (wanted.object_json.len + wanted.input_json.len))) {
        exchange->crowded = true;
        return;
    }
    exchange->record = ARENA_NEW(request->arena, struct response_record);
    *exchange->record = wanted;
    if (!copy_record(request->arena, &wanted, exchange->record))
        exchange->rc = VSR_E_NOMEM;
}

static void on_record(void *owner, const struct store_reply *reply) {
    struct request *request = owner;
    struct responses_exchange *exchange = request->responses;
    exchange->op = NULL;
    exchange->answered = true;
    exchange->rc = reply->rc;
    if (reply->rc == 0 && reply->n > 0)
        take_record(request, &reply->records[0]);
    pipeline_resume(request);
}

enum stage_result responses_load_record(struct request *request) {
    struct responses_exchange *exchange = responses_exchange(request);
    vsr_str id = request->resource_id;
    if (!exchange->asked) {
        if (id.len > STORE_ID_LEN_MAX)
            return responses_not_found(request, id);
        exchange->asked = true;
        exchange->owner = owner_of(request);
        exchange->op = response_store_get(request->worker->store, id, on_record, request);
    }
    if (!exchange->answered)
        return STAGE_WAIT;
    if (exchange->crowded)
        return STAGE_FAIL;
    if (exchange->rc == VSR_E_NOT_FOUND || (exchange->rc == 0 && !exchange->record))
        return responses_not_found(request, id);
    if (exchange->rc == VSR_E_NOMEM) {
        request_error(request, 413, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("the stored response is larger than this server hands out"));
        return STAGE_FAIL;
    }
    if (exchange->rc < 0)
        return responses_store_failed(request, exchange->rc);
    return STAGE_NEXT;
}

/* The member `output` of a stored object; empty when it cannot be read. */
static vsr_str output_of(struct arena *arena, vsr_str object) {
    struct json_doc doc;
    json_ref output;
    if (json_parse(arena, object, &doc, NULL) < 0)
        return (vsr_str){ NULL, 0 };
    output = json_get(&doc, 0, VSR_STR("output"));
    return json_is(&doc, output, JSON_ARRAY) ? json_raw(&doc, output) : (vsr_str){ NULL, 0 };
}

static bool take_turn(struct request *request, const struct response_record *record, struct responses_turn *turn) {
    struct arena *arena = request->arena;
    struct arena_mark mark = arena_mark(arena);
    vsr_str output = output_of(arena, record->object_json);
    arena_rewind(arena, mark);
    return copy_text(arena, record->input_json, &turn->input) && copy_text(arena, output, &turn->output);
}

static bool hold_chain(struct request *request, const struct store_reply *reply, size_t first) {
    size_t len = 0;
    for (size_t i = first; i < reply->n; i++)
        len += reply->records[i].input_json.len + reply->records[i].object_json.len;
    return request_hold_bytes(request, CHAIN_COPIES * len);
}

/* Turns of somebody else, and what is before them, are none of ours. */
static size_t first_own(const struct responses_exchange *exchange, const struct store_reply *reply) {
    size_t first = reply->n;
    while (first > 0 && str_eq(reply->records[first - 1].owner, exchange->owner))
        first--;
    return first;
}

static void take_chain(struct request *request, const struct store_reply *reply) {
    struct responses_exchange *exchange = request->responses;
    const struct response_record *last = &reply->records[reply->n - 1];
    size_t first = first_own(exchange, reply);
    if (first == reply->n) {
        exchange->rc = VSR_E_NOT_FOUND;
        return;
    }
    if (!store_status_is_final(last->status)) {
        exchange->rc = VSR_E_INVALID;
        return;
    }
    if (!hold_chain(request, reply, first)) {
        exchange->crowded = true;
        return;
    }
    exchange->turns = ARENA_ARRAY(request->arena, struct responses_turn, reply->n - first);
    for (size_t i = first; i < reply->n && exchange->rc == 0; i++)
        if (!take_turn(request, &reply->records[i], &exchange->turns[exchange->n_turns++]))
            exchange->rc = VSR_E_NOMEM;
    for (size_t i = first; i < reply->n && request->conversation_id.len == 0; i++)
        request->conversation_id = arena_str(request->arena, reply->records[i].conversation_id);
}

static void on_chain(void *owner, const struct store_reply *reply) {
    struct request *request = owner;
    struct responses_exchange *exchange = request->responses;
    exchange->op = NULL;
    exchange->state = RESPONSES_LOADED;
    exchange->rc = reply->rc;
    if (reply->rc == 0 && reply->n == 0)
        exchange->rc = VSR_E_NOT_FOUND;
    if (exchange->rc == 0)
        take_chain(request, reply);
    pipeline_resume(request);
}

/* ---- create */

static enum stage_result read_request(struct request *request) {
    struct responses_exchange *exchange = responses_exchange(request);
    struct vsr_err err = VSR_ERR_NONE;
    if (responses_read(request->arena, &request->client_doc, &exchange->request, &err) < 0)
        return refuse(request, &err);
    exchange->owner = owner_of(request);
    request->conversation_id = exchange->request.conversation_id;
    return STAGE_NEXT;
}

static enum stage_result load_chain(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    vsr_str id = exchange->request.previous_response_id;
    if (id.len > STORE_ID_LEN_MAX) {
        exchange->rc = VSR_E_NOT_FOUND;
        exchange->state = RESPONSES_LOADED;
        return STAGE_NEXT;
    }
    exchange->state = RESPONSES_LOADING;
    exchange->op = response_store_chain(request->worker->store, id, STORE_CHAIN_HOPS_MAX, on_chain, request);
    return STAGE_WAIT;
}

static enum stage_result check_chain(struct request *request) {
    const struct responses_exchange *exchange = request->responses;
    vsr_str id = str_sub(exchange->request.previous_response_id, 0, STORE_ID_LEN_MAX);
    if (exchange->crowded)
        return STAGE_FAIL;
    switch (exchange->rc) {
    case 0:
        return STAGE_NEXT;
    case VSR_E_NOT_FOUND:
        return refuse_previous(request, arena_printf(request->arena, "Previous response with id '%.*s' not found.",
                                                     VSR_FMT(id)));
    case VSR_E_INVALID:
        request_error(request, 400, TELEMETRY_REASON_parse_error, NULL,
                      arena_printf(request->arena, "Previous response '%.*s' is still in progress.", VSR_FMT(id)));
        request->reply.param = VSR_STR("previous_response_id");
        return STAGE_FAIL;
    case VSR_E_NOMEM:
        request_error(request, 413, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("the conversation is larger than this server accepts"));
        return STAGE_FAIL;
    default:
        return responses_store_failed(request, exchange->rc);
    }
}

static int seal(void *user, struct arena *arena, vsr_str plain, vsr_str *ret_sealed) {
    const struct request *request = user;
    return sealer_seal(responses_service_sealer(request->worker->responses_service), arena, request->responses->owner,
                       plain, ret_sealed);
}

static int unseal(void *user, struct arena *arena, vsr_str sealed, vsr_str *ret_text) {
    const struct request *request = user;
    return sealer_open(responses_service_sealer(request->worker->responses_service), arena, request->responses->owner,
                       sealed, ret_text);
}

static void fill_meta(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    if (request->conversation_id.len == 0)
        request->conversation_id = protocol_mint_id(request->arena, VSR_STR("conv_"));
    exchange->run = run_of(request);
    if (exchange->run)
        request->conversation_id = run_meta(exchange->run)->conversation_id;
    exchange->meta = (struct response_meta){
        .id = exchange->run ? run_meta(exchange->run)->id : protocol_mint_id(request->arena, VSR_STR("resp_")),
        .created_s = exchange->run ? run_meta(exchange->run)->created_s : (int64_t)(clock_wall_ms() / 1000),
        .queued = exchange->run != NULL,
        .model = exchange->request.model,
        .previous_response_id = exchange->request.previous_response_id,
        .conversation_id = request->conversation_id,
        .request = &exchange->request,
        .stores = exchange->request.store,
        .seal = exchange->request.wants_encrypted_reasoning ? seal : NULL,
        .seal_user = request,
    };
}

/* The turns from `first` on. */
static struct responses_chat chat_of(struct request *request, size_t first) {
    const struct responses_exchange *exchange = request->responses;
    return (struct responses_chat){
        .turns = exchange->turns + first,
        .n_turns = exchange->n_turns - first,
        .trimmed = first > 0,
        .unseal = unseal,
        .unseal_user = request,
    };
}

/* Brings the request to chat with the turns from `first` on. */
static enum stage_result translate(struct request *request, size_t first) {
    struct responses_exchange *exchange = request->responses;
    const struct responses_chat chat = chat_of(request, first);
    struct vsr_err err = VSR_ERR_NONE;
    request_note_warnings(request);
    buf_reset(&request->translated);
    request->translated.max =
        request->body.max > SIZE_MAX / 4 ? SIZE_MAX : 2 * request->body.max + STORE_CHAIN_BYTES_MAX;
    if (responses_to_chat(request->arena, &exchange->request, &chat, request->warnings, &request->translated, &err) < 0)
        return refuse(request, &err);
    return translate_done(request, 0, &err);
}

static enum stage_result keep_input(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    struct vsr_err err = VSR_ERR_NONE;
    struct buf items;
    bool copied;
    if (!exchange->request.store)
        return STAGE_NEXT;
    buf_init(&items, STORE_RECORD_BYTES_MAX);
    if (responses_input_items(request->arena, &exchange->request, exchange->meta.id, &items, &err) < 0) {
        buf_done(&items);
        return refuse(request, &err);
    }
    copied = copy_text(request->arena, buf_str(&items), &exchange->input_items);
    buf_done(&items);
    if (copied)
        return STAGE_NEXT;
    request_error(request, 413, TELEMETRY_REASON_parse_error, NULL, VSR_STR("the input is too large to be kept"));
    return STAGE_FAIL;
}

/* What a conversation of OpenAI's brings along is not here: whoever relies on it is told. */
static void warn_of_conversation(struct request *request) {
    json_ref ref = request->responses->request.members[RESPONSES_CONVERSATION];
    if (ref != JSON_NONE && !json_is(&request->client_doc, ref, JSON_NULL))
        warnings_add(request->warnings, WARNING_LOSSY, "conversation_items", VSR_STR("conversation"),
                     VSR_STR("it names the session and brings no items; previous_response_id does"));
}

static enum stage_result create(struct request *request) {
    struct responses_exchange *exchange = responses_exchange(request);
    enum stage_result result = STAGE_NEXT;
    if (exchange->state == RESPONSES_NEW) {
        result = read_request(request);
        if (result == STAGE_NEXT && exchange->request.previous_response_id.len)
            result = load_chain(request);
    }
    if (exchange->state == RESPONSES_LOADING && result == STAGE_NEXT)
        return STAGE_WAIT;
    if (exchange->state == RESPONSES_QUEUED)
        return responses_queue(request);
    if (result == STAGE_NEXT)
        result = check_chain(request);
    if (result != STAGE_NEXT)
        return result;
    fill_meta(request);
    result = translate(request, 0);
    warn_of_conversation(request);
    if (result == STAGE_NEXT)
        result = keep_input(request);
    if (result == STAGE_NEXT && exchange->request.background && !exchange->run && !request->front.ops->watches)
        return responses_queue(request);
    exchange->state = RESPONSES_READY;
    if (result == STAGE_NEXT && exchange->run)
        run_begins(exchange->run);
    return result;
}

static enum stage_result refuse_off(struct request *request) {
    request_error(request, 404, TELEMETRY_REASON_parse_error, NULL, VSR_STR("endpoint not found"));
    return STAGE_FAIL;
}

static bool is_on(const struct request *request) {
    return request->snapshot->doc->global.services.response_api.enabled;
}

enum stage_result responses_translate(struct request *request) {
    return is_on(request) ? create(request) : refuse_off(request);
}

enum stage_result stage_stored(struct request *request) {
    switch (request->endpoint) {
    case ENDPOINT_RESPONSE:
    case ENDPOINT_RESPONSE_ITEMS:
    case ENDPOINT_RESPONSE_CANCEL:
        return is_on(request) ? responses_stored(request) : refuse_off(request);
    default:
        return STAGE_NEXT;
    }
}

/* ---- the model is known */

static enum stage_result refuse_tool(struct request *request, vsr_str type) {
    request_error(request, 400, TELEMETRY_REASON_parse_error, "unsupported_tool",
                  arena_printf(request->arena,
                               "tools of type \"%.*s\" need a backend that speaks the Responses API (api_format: "
                               "openai-responses); the selected model's does not",
                               VSR_FMT(str_sub(type, 0, STORE_ID_LEN_MAX))));
    request->reply.param = VSR_STR("tools");
    return STAGE_FAIL;
}

/* All endpoints: with one that does not, it would depend on chance what becomes of a tool. */
static bool speaks_responses(const struct request *request) {
    const struct provider_model *model = request->target.model;
    for (size_t i = 0; i < model->n_endpoints; i++)
        if (provider_endpoint_protocol(&model->endpoints[i]) != PROTOCOL_RESPONSES)
            return false;
    return model->n_endpoints > 0;
}

static int64_t window_of(const struct request *request) {
    CONFIG_EACH(const struct config_model_card, card, &request->snapshot->doc->routing.model_cards)
    if (str_eq(card->name, request->selected_model))
        return card->context_window_size;
    return 0;
}

/* The first turn that is kept when the oldest ones give way until the model can read the rest; by estimate. */
static size_t first_that_fits(const struct request *request, uint64_t window) {
    const struct responses_exchange *exchange = request->responses;
    double ratio = token_estimate_ratio(request->worker->token_estimate);
    uint64_t tokens = request->facts.token_floor;
    size_t first = 0;
    while (first < exchange->n_turns && tokens > window) {
        const struct responses_turn *turn = &exchange->turns[first++];
        uint64_t freed = token_estimate_tokens(turn->input.len + turn->output.len, ratio);
        tokens = tokens > freed ? tokens - freed : 0;
    }
    return first;
}

/*
 * gateway.md 6.3: a chain that has outgrown the model loses its oldest turns. Signals have read all of it; only what is
 * sent is made anew, beside the text that facts are slices of.
 */
static enum stage_result fit(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    int64_t window = window_of(request);
    struct vsr_err err = VSR_ERR_NONE;
    struct responses_chat chat;
    struct buf shorter;
    vsr_str text;
    int rc;
    if (exchange->first_turn > 0) { /* cut for a model that does not answer after all */
        exchange->first_turn = 0;
        if (translate_done(request, 0, &err) != STAGE_NEXT)
            return STAGE_FAIL;
    }
    if (window <= 0 || exchange->n_turns == 0 || request->facts.token_floor <= (uint64_t)window)
        return STAGE_NEXT;
    exchange->first_turn = first_that_fits(request, (uint64_t)window);
    chat = chat_of(request, exchange->first_turn);
    buf_init(&shorter, request->translated.max);
    rc = responses_to_chat(request->arena, &exchange->request, &chat, request->warnings, &shorter, &err);
    if (rc == 0 && !copy_text(request->arena, buf_str(&shorter), &text))
        rc = err_set(&err, VSR_E_NOMEM, "the conversation is larger than this server accepts");
    buf_done(&shorter);
    if (rc == 0)
        rc = json_parse(request->arena, text, &request->doc, &err);
    if (rc < 0)
        return refuse(request, &err);
    request->original_body = text;
    warnings_add(request->warnings, WARNING_LOSSY, "history_trimmed", VSR_STR("previous_response_id"),
                 arena_printf(request->arena, "%zu of %zu turns", exchange->first_turn, exchange->n_turns));
    return STAGE_NEXT;
}

enum stage_result stage_adapt(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    const struct responses_request *asked;
    if (!exchange || request->endpoint != ENDPOINT_RESPONSES)
        return STAGE_NEXT;
    asked = &exchange->request;
    exchange->meta.model = request->selected_model;
    if (speaks_responses(request)) /* its tools are its own */
        return fit(request);
    if (asked->foreign_tool.len)
        return refuse_tool(request, asked->foreign_tool);
    if (asked->wants_mcp)
        return refuse_tool(request, VSR_STR("mcp"));
    if (asked->wants_image)
        return refuse_tool(request, VSR_STR("image_generation"));
    return fit(request);
}

int responses_body_write(struct request *request, vsr_str model_id, vsr_str effort, struct vsr_err *err) {
    const struct responses_chat chat = chat_of(request, request->responses->first_turn);
    return responses_forward(request->arena, &request->responses->request, &chat, model_id, effort,
                             &request->upstream_body, err);
}

const struct response_meta *responses_meta(const struct request *request) {
    return request->endpoint == ENDPOINT_RESPONSES && request->responses ? &request->responses->meta : NULL;
}

/* ---- the end of an answer */

static void go_on(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    void (*next)(struct request *) = exchange->go_on;
    loop_timer_stop(&exchange->timer);
    exchange->go_on = NULL;
    if (next)
        next(request);
}

static void on_kept(void *owner, const struct store_reply *reply) {
    struct request *request = owner;
    struct run *run = request->responses->run;
    request->responses->op = NULL;
    if (run && (reply->kept || reply->deleted)) {
        run_refused(run, reply);
        return;
    }
    if (reply->rc < 0)
        LOG_WARN("a response could not be stored", LOG_S("id", request->responses->meta.id),
                 LOG_C("error", reply->err ? reply->err->text : ""));
    go_on(request);
}

/* The store is slow: the client does not wait for it, and the write is done all the same. */
static void on_late(void *data) {
    struct request *request = data;
    LOG_WARN("the store is slow: a response ends before it is known to be kept",
             LOG_S("id", request->responses->meta.id));
    store_op_cancel(request->responses->op);
    request->responses->op = NULL;
    go_on(request);
}

static struct response_record record_of(const struct request *request, const char *status, vsr_str object) {
    const struct responses_exchange *exchange = request->responses;
    const struct usage *usage = request->said ? &answer_head(request->said)->usage : NULL;
    return (struct response_record){
        .id = exchange->meta.id,
        .previous_id = exchange->meta.previous_response_id,
        .conversation_id = exchange->meta.conversation_id,
        .owner = exchange->owner,
        .status = str_from_c(status),
        .object_json = object,
        .input_json = exchange->input_items,
        .created_s = exchange->meta.created_s,
        .input_tokens = usage ? usage->prompt : 0,
        .output_tokens = usage ? usage->completion : 0,
    };
}

vsr_str responses_object(const struct response_meta *meta, struct arena *arena, const struct response_state *state) {
    struct json_writer w;
    struct buf out;
    vsr_str object;
    buf_init(&out, STORE_RECORD_BYTES_MAX);
    json_write_init(&w, &out);
    response_object_write(&w, meta, state);
    object = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return object;
}

bool responses_settling(const struct request *request) {
    return request->responses && request->responses->go_on;
}

bool responses_settle(struct request *request, void (*next)(struct request *)) {
    struct responses_exchange *exchange = request->responses;
    struct response_record record;
    if (responses_settling(request)) {
        exchange->go_on = next;
        return true;
    }
    if (!exchange || !request->encoder || exchange->settled || !exchange->meta.stores)
        return false;
    if (!request->streaming && encoder_error_status(request->encoder) > 0)
        return false; /* nobody learns its name */
    exchange->settled = true;
    record = record_of(request, response_status_name(responses_encoder_status(request->encoder)),
                       responses_encoder_object(request->encoder));
    exchange->go_on = next;
    if (exchange->run) { /* nobody waits, and it has to be known whether others have ended it */
        exchange->op = response_store_update(request->worker->store, &record, on_kept, request);
        return true;
    }
    exchange->op = response_store_put(request->worker->store, &record, on_kept, request);
    loop_timer_start(request->worker->loop, &exchange->timer, RESPONSES_SETTLE_MS, on_late, request);
    return true;
}

void responses_free(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    if (!exchange)
        return;
    loop_timer_stop(&exchange->timer);
    store_op_cancel(exchange->op);
    exchange->op = NULL;
    responses_unqueue(request);
    responses_follow_free(request);
}
