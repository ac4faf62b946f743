/*
 * stage_image - pictures in place of an answer of text, or beside one (gateway.md 14).
 *
 * A request goes here when the modality signal says DIFFUSION or BOTH and its decision can make pictures: one of its
 * models is an omni or a diffusion model, or it has the plugin image_gen. A decision that can do neither answers in
 * text: it was chosen for other reasons. Clients of Messages get text too, because their protocol has no pictures to
 * give.
 *
 *     DIFFUSION   one call, to the plugin's backend, else the omni model, else the diffusion model
 *     BOTH        the same; and with no omni model, at the same time the request itself as text, without tools
 *
 * What comes of it is put into a chat completion, which goes the way of a backend's answer: to chat clients as it is,
 * to others translated, stored, counted.
 */
#include "serve/image.h"

#include "config/address.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/json_edit.h"
#include "core/log.h"
#include "net/client.h"
#include "plugin/image_gen.h"
#include "provider/pricing.h"
#include "serve/image_call.h"
#include "serve/relay.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "wire/chat_edit.h"
#include "wire/image.h"

enum {
    OMNI_TIMEOUT_MS = 120000,
    OPENAI_TIMEOUT_MS = 60000,
    SIDE = 1024,
    STEPS = 50,
};
#define CFG_SCALE 4.0
#define OPENAI_URL "https://api.openai.com"
#define OPENAI_MODEL "gpt-image-1"

/* What callers may have is asked for before anything is made. */
enum paying { OWN_BUDGETS, BUDGETS_BESIDE, PAID };

struct images {
    struct request *request;
    bool both;
    const struct image_gen_config *plugin;  /* NULL: none */
    const struct config_model_ref *picture; /* who makes it; NULL: the plugin's backend alone */
    const struct config_model_ref *text;    /* who answers beside it; NULL: nobody */
    struct image_request asked;
    struct image_call draw, say;
    uint64_t began_ns;
    enum paying paying;
};

/* ---- calls */

static bool is_under_way(const struct images *images) {
    return images->draw.call || images->say.call;
}

static void on_ended(void *owner) {
    struct images *images = owner;
    if (!is_under_way(images))
        pipeline_resume(images->request);
}

void images_cancel(struct images *images) {
    if (!images)
        return;
    image_call_done(&images->draw);
    image_call_done(&images->say);
}

static uint64_t timeout_ms(const struct images *images) {
    const struct image_gen_config *plugin = images->plugin;
    if (plugin && plugin->timeout_seconds > 0)
        return (uint64_t)(plugin->timeout_seconds * 1000);
    return images->asked.backend == IMAGE_OPENAI ? OPENAI_TIMEOUT_MS : OMNI_TIMEOUT_MS;
}

/* ---- the picture */

static bool write_picture(struct image_call *call, vsr_str model_id) {
    struct images *images = call->owner;
    struct image_request *asked = &images->asked;
    if (asked->model.len == 0)
        asked->model = model_id;
    image_write_request(&call->body, asked);
    return buf_failed(&call->body) == 0;
}

/* The plugin's own backend, wherever that is. */
static bool ask_plugin(struct image_call *call) {
    struct images *images = call->owner;
    struct request *request = images->request;
    struct arena *arena = request->arena;
    bool openai = images->asked.backend == IMAGE_OPENAI;
    const struct image_openai *config = images->plugin->backend_config;
    vsr_str url = image_gen_base_url(images->plugin);
    struct http1_field fields[2] = { { VSR_STR("content-type"), VSR_STR("application/json") } };
    struct address address;
    vsr_str path;
    if (address_parse(url.len ? url : VSR_STR(OPENAI_URL), false, arena, &address) != NULL ||
        !write_picture(call, VSR_STR(OPENAI_MODEL)))
        return false;
    path = arena_printf(arena, "%.*s%s%s", VSR_FMT(address.path), str_ends(address.path, VSR_STR("/v1")) ? "" : "/v1",
                        openai ? "/images/generations" : "/chat/completions");
    if (openai)
        fields[1] = (struct http1_field){ VSR_STR("authorization"),
                                          arena_printf(arena, "Bearer %.*s", VSR_FMT(config->api_key)) };
    call->own_pool = client_endpoint(request->worker->client,
                                     &(struct client_place){ .host = address.host,
                                                             .port = address.port,
                                                             .tls = address.tls ? request->snapshot->tls : NULL });
    image_call_send(call, call->own_pool, address_authority(&address, arena), path, fields, openai ? 2 : 1);
    return true;
}

static const char *backend_name(const struct images *images) {
    return images->asked.backend == IMAGE_OPENAI ? "openai" : "vllm_omni";
}

static bool is_openai_model(const struct config_model_ref *ref) {
    const struct config_backend_ref *refs = ref->provider ? ref->provider->backend_refs.items : NULL;
    return refs && ref->provider->backend_refs.n > 0 &&
           (refs[0].provider == PROVIDER_OPENAI || refs[0].provider == PROVIDER_AZURE_OPENAI);
}

static void read_settings(struct images *images) {
    struct image_request *asked = &images->asked;
    const struct image_gen_config *plugin = images->plugin;
    const struct config_strings *prefixes =
        &images->request->snapshot->doc->global.model_catalog.modules.modality_detector.prompt_prefixes;
    asked->prompt = image_prompt(images->request->facts.current_user, prefixes->items, prefixes->n);
    asked->width = plugin && plugin->default_width ? plugin->default_width : SIDE;
    asked->height = plugin && plugin->default_height ? plugin->default_height : SIDE;
    asked->steps = STEPS;
    asked->cfg_scale = CFG_SCALE;
    asked->backend = plugin ? (image_gen_is_openai(plugin) ? IMAGE_OPENAI : IMAGE_OMNI)
                            : (is_openai_model(images->picture) ? IMAGE_OPENAI : IMAGE_OMNI);
    if (!plugin)
        return;
    if (asked->backend == IMAGE_OPENAI) {
        const struct image_openai *config = plugin->backend_config;
        asked->model = config->model;
        asked->quality = str_from_c(image_gen_qualities[config->quality]);
        asked->style = str_from_c(image_gen_styles[config->style]);
    } else {
        const struct image_vllm_omni *config = plugin->backend_config;
        asked->model = config->model.len || !images->picture ? config->model : config_ref_name(images->picture);
        asked->steps = config->num_inference_steps ? config->num_inference_steps : STEPS;
        if (plugin->max_inference_steps && asked->steps > plugin->max_inference_steps)
            asked->steps = plugin->max_inference_steps;
        asked->cfg_scale = config->cfg_scale > 0 ? config->cfg_scale : CFG_SCALE;
        asked->has_seed = image_gen_has_seed(config);
        asked->seed = config->seed;
    }
}

/* ---- the text beside it */

/* The request itself, whole and without tools, which nobody could answer for. */
static bool write_text(struct image_call *call, vsr_str model_id) {
    static const vsr_str gone[] = { VSR_STR_INIT("tools"), VSR_STR_INIT("tool_choice"),
                                    VSR_STR_INIT("parallel_tool_calls"), VSR_STR_INIT("stream"),
                                    VSR_STR_INIT("stream_options") };
    struct request *request = call->request;
    struct json_edit *edit = json_edit_new(request->arena, &request->doc);
    int rc = chat_edit_model(request->arena, edit, &request->doc, model_id, NULL);
    for (size_t i = 0; i < VSR_COUNT(gone) && rc == 0; i++)
        rc = json_edit_delete(edit, &JSON_KEY_STR(gone[i]), 1, NULL);
    if (rc == 0 && json_edit_changed(edit))
        rc = json_edit_apply(edit, &call->body);
    else if (rc == 0)
        rc = buf_append(&call->body, request->original_body);
    return rc == 0;
}

/* What was said; empty when nothing was, or nothing that can be read. */
static vsr_str read_text(struct image_call *call, struct usage *usage) {
    struct request *request = call->request;
    struct json_doc doc;
    vsr_str text;
    json_ref content;
    if (!call->ended || call->status != 200 || json_parse(request->arena, buf_str(&call->answer), &doc, NULL) < 0)
        return VSR_STR("");
    content =
        json_get(&doc, json_get(&doc, json_at(&doc, json_get(&doc, 0, VSR_STR("choices")), 0), VSR_STR("message")),
                 VSR_STR("content"));
    if (!json_str(request->arena, &doc, content, &text))
        return VSR_STR("");
    (void)usage_read_answer(&doc, usage);
    return text;
}

/* ---- what is to be done */

static bool is_modality(const struct config_model_ref *ref, const char *const *names) {
    vsr_str modality = ref->card ? ref->card->modality : VSR_STR("");
    for (; *names; names++)
        if (str_eq_c(modality, *names))
            return true;
    return false;
}

/* The text beside a picture is asked for as chat, whatever endpoint is chosen. */
static bool speaks_chat(const struct request *request, const struct config_model_ref *ref) {
    struct provider_target target;
    if (!provider_set_find(request->snapshot->providers, config_ref_name(ref), &target))
        return false;
    for (size_t i = 0; i < target.model->n_endpoints; i++)
        if (provider_endpoint_protocol(&target.model->endpoints[i]) != PROTOCOL_CHAT)
            return false;
    return target.model->n_endpoints > 0;
}

/* The first model of that kind that the decision names. */
static const struct config_model_ref *find_ref(const struct request *request, const char *const *names, bool chat) {
    CONFIG_EACH(const struct config_model_ref, ref, &request->decision->config->model_refs)
    if (ref->provider && is_modality(ref, names) && (!chat || speaks_chat(request, ref)))
        return ref;
    return NULL;
}

static const struct image_gen_config *plugin_of(const struct config_decision *decision) {
    const struct config_plugin *plugin = config_decision_plugin(decision, VSR_STR("image_gen"));
    const struct image_gen_config *config = plugin ? plugin->configuration : NULL;
    return config && config->enabled && config->backend_config ? config : NULL;
}

/* NULL: an answer in text is what is wanted, or all that can be had. */
static struct images *plan(struct request *request) {
    static const char *const omni_names[] = { "omni", "multimodal", "both", NULL };
    static const char *const diffusion_names[] = { "diffusion", NULL };
    static const char *const text_names[] = { "", "ar", "text", NULL };
    const char *method, *label;
    const struct config_decision *decision = request->decision ? request->decision->config : NULL;
    const struct config_model_ref *omni, *diffusion;
    struct images *images;
    if (!decision || !request->route || request->client_protocol == PROTOCOL_MESSAGES || !request->as_chat ||
        request->client_protocol == PROTOCOL_COMPLETIONS)
        return NULL;
    label = route_modality(request->route, &method);
    omni = find_ref(request, omni_names, false);
    diffusion = find_ref(request, diffusion_names, false);
    if (!label || str_eq_c(str_from_c(label), "AR") || (!omni && !diffusion && !plugin_of(decision)))
        return NULL;
    images = ARENA_NEW(request->arena, struct images);
    images->request = request;
    images->both = str_eq_c(str_from_c(label), "BOTH");
    images->plugin = plugin_of(decision);
    images->picture = omni ? omni : diffusion;
    images->text = images->both && !omni ? find_ref(request, text_names, true) : NULL;
    if (images->both && !omni && !images->text)
        LOG_WARN("a picture comes without text: no model for text speaks chat", LOG_S("decision", decision->name),
                 LOG_S("request_id", request->request_id));
    read_settings(images);
    image_call_init(&images->draw, request, timeout_ms(images), on_ended, images);
    image_call_init(&images->say, request, timeout_ms(images), on_ended, images);
    request_add_field(request, VSR_STR("x-vsr-selected-modality"),
                      arena_printf(request->arena, "%s;%s", label, method));
    return images;
}

/* Whose prices and metrics count: who says something, else who draws. */
static void choose_model(struct request *request, const struct config_model_ref *ref) {
    struct provider_target target;
    if (!ref || !provider_set_find(request->snapshot->providers, config_ref_name(ref), &target))
        return;
    request->selected_model = config_ref_name(ref);
    request->target = target;
    request->model = snapshot_model(request->snapshot, target.model->name);
}

static void begin(struct images *images) {
    struct request *request = images->request;
    images->began_ns = clock_mono_ns();
    request->dispatched_ns = images->began_ns;
    if (images->plugin
            ? !ask_plugin(&images->draw)
            : !image_call_model(&images->draw, images->picture,
                                images->asked.backend == IMAGE_OPENAI ? PROTOCOL_IMAGES : PROTOCOL_CHAT, write_picture))
        image_call_end(&images->draw, PROVIDER_CANCELLED);
    if (images->text && !image_call_model(&images->say, images->text, PROTOCOL_CHAT, write_text))
        image_call_end(&images->say, PROVIDER_CANCELLED);
}

/* ---- the answer */

static void count(const struct images *images, bool drawn) {
    const struct telemetry *telemetry = images->request->worker->telemetry;
    const vsr_str labels[] = { str_from_c(backend_name(images)), drawn ? VSR_STR("success") : VSR_STR("error") };
    metric_inc(metric_with(telemetry->image_requests, labels, VSR_COUNT(labels)));
    metric_observe(metric_with(telemetry->image_seconds, labels, 1),
                   (double)(clock_mono_ns() - images->began_ns) / 1e9);
}

static bool read_picture(struct images *images, struct image_answer *answer) {
    struct image_call *call = &images->draw;
    struct vsr_err err = VSR_ERR_NONE;
    struct json_doc doc;
    int rc = call->ended && call->status == 200 ? 0 : err_set(&err, VSR_E_UNAVAILABLE, "status %d", call->status);
    if (rc == 0)
        rc = json_parse(images->request->arena, buf_str(&call->answer), &doc, &err);
    if (rc == 0)
        rc = image_read_answer(images->request->arena, &doc, images->asked.backend, answer, &err);
    if (rc < 0)
        LOG_WARN("no picture was made", LOG_S("request_id", images->request->request_id),
                 LOG_C("backend", backend_name(images)), LOG_C("error", err.text));
    count(images, rc == 0);
    return rc == 0;
}

/* From here on it is a backend's answer, that nobody has to be judged by any more. `counted`: its model was asked. */
static void give(struct request *request, const struct image_chat *chat, bool counted) {
    struct http1_field type = { VSR_STR("content-type"), chat->streamed ? VSR_STR("text/event-stream; charset=utf-8")
                                                                        : VSR_STR("application/json") };
    struct buf *body = &request->images->say.body;
    const struct http1_head head = { .status = 200, .fields = &type, .n_fields = 1, .chunked = true };
    buf_reset(body);
    image_write_chat(body, chat);
    request->upstream_protocol = PROTOCOL_CHAT;
    request->forwarded = true;
    request->call_begun = true;
    if (!counted)
        metric_inc(request->model->metrics.requests);
    metric_add(request->model->metrics.inflight, 1);
    pipeline_upstream_head(request, &head);
    pipeline_upstream_body(request, buf_str(body));
    pipeline_upstream_end(request);
}

static double above_zero(int64_t n) {
    return n > 0 ? (double)n : 0;
}

/* Of the one that draws beside another; NULL: nobody's model does. */
static const struct snapshot_model *model_beside(const struct images *images) {
    const struct request *request = images->request;
    struct provider_target target;
    if (!images->text || !images->picture ||
        !provider_set_find(request->snapshot->providers, config_ref_name(images->picture), &target))
        return NULL;
    return snapshot_model(request->snapshot, target.model->name);
}

/* Of the prompt that a picture is drawn from. */
static int64_t picture_tokens(const struct images *images) {
    return (int64_t)token_estimate_tokens(images->asked.prompt.len,
                                          token_estimate_ratio(images->request->worker->token_estimate));
}

static void count_beside(const struct snapshot_model *model, const struct usage *usage) {
    metric_add(model->metrics.prompt_tokens, above_zero(usage->prompt));
    metric_add(model->metrics.completion_tokens, above_zero(usage->completion));
    metric_add(model->metrics.tokens, above_zero(usage->prompt) + above_zero(usage->completion));
    if (model->metrics.cost)
        metric_add(model->metrics.cost, pricing_cost(model->provider->config->pricing, usage));
}

/* The picture's own model gets what the picture took. Who draws may be all that has answered: then it is the model of
 * the request, and only the budgets are told here. */
static void settle_beside(struct images *images, bool drawn, bool said, const struct usage *reported) {
    const struct snapshot_model *model = model_beside(images);
    struct usage usage = *reported;
    if (!model)
        return;
    if (drawn && !usage.has)
        usage = (struct usage){ .has = true, .prompt = picture_tokens(images) };
    limit_beside_ends(images->request, model, &usage);
    if (!said)
        limit_part_ends(images->request);
    else if (reported->has)
        count_beside(model, reported);
}

static enum stage_result finish(struct request *request, struct images *images) {
    struct image_answer picture = { 0 };
    struct image_chat chat = { .created = (int64_t)(clock_wall_ms() / 1000),
                               .streamed = request->facts.stream,
                               .include_usage = request->facts.include_usage_asked };
    bool drawn = read_picture(images, &picture);
    chat.text = images->text ? read_text(&images->say, &chat.usage) : picture.text;
    settle_beside(images, drawn, chat.text.len > 0, &picture.usage);
    if (!drawn && chat.text.len == 0 && (images->draw.overloaded || images->say.overloaded)) {
        request_overloaded(request, VSR_STR("too many requests to the backends are under way"));
        return STAGE_FAIL;
    }
    if (!drawn && chat.text.len == 0) {
        request_error(request, 503, TELEMETRY_REASON_upstream_5xx, NULL, VSR_STR("no picture could be made"));
        return STAGE_FAIL;
    }
    if (images->text && chat.text.len == 0) /* who draws is all that has answered */
        choose_model(request, images->picture);
    if (!images->text || chat.text.len == 0)
        chat.usage = picture.usage;
    chat.url = picture.url;
    chat.id = protocol_mint_id(request->arena, VSR_STR("chatcmpl-"));
    chat.model = request->selected_model;
    give(request, &chat, !images->plugin || (images->text && chat.text.len > 0));
    return STAGE_DONE;
}

/* Of the selected model, and of the one that draws beside it. */
static enum stage_result pay(struct images *images) {
    struct request *request = images->request;
    const struct snapshot_model *beside = model_beside(images);
    enum stage_result result = STAGE_NEXT;
    if (images->paying == OWN_BUDGETS)
        result = stage_budget(request);
    if (result != STAGE_NEXT)
        return result;
    images->paying = BUDGETS_BESIDE;
    if (beside)
        result = limit_beside(request, beside, config_ref_name(images->picture), picture_tokens(images));
    if (result == STAGE_NEXT)
        images->paying = PAID;
    return result;
}

enum stage_result stage_image(struct request *request) {
    struct images *images = request->images;
    enum stage_result result;
    if (request->front.ops->watches)
        return STAGE_NEXT; /* pictures cost money */
    if (!images) {
        images = request->images = plan(request);
        if (!images)
            return STAGE_NEXT;
        choose_model(request, images->text ? images->text : images->picture);
    }
    if (images->paying != PAID) {
        result = pay(images);
        if (result != STAGE_NEXT)
            return result;
        begin(images);
    }
    return is_under_way(images) ? STAGE_WAIT : finish(request, images);
}
