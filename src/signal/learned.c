#include "signal/learned.h"

#include "config/global_catalog.h"
#include "config/global_tables.h"
#include "core/arena.h"
#include "core/base64.h"
#include "signal/picture_example.h"

void *learned_build(struct signal_builder *builder) {
    return (void *)builder->rules;
}

bool learned_has_text(const void *state, const struct request_facts *facts, size_t rule) {
    (void)state;
    (void)rule;
    return str_trim(facts->eval_text).len > 0;
}

static bool any_text(const struct texts *texts) {
    for (size_t i = 0; i < texts->n; i++)
        if (str_trim(texts->items[i]).len > 0)
            return true;
    return false;
}

bool learned_has_contents(const struct request_facts *facts, bool with_history, bool with_tool_results) {
    return str_trim(facts->eval_text).len > 0 ||
           (with_history && (any_text(&facts->non_user) || any_text(&facts->prior_user))) ||
           (with_tool_results && any_text(&facts->tool_text));
}

const struct config_model_catalog *learned_catalog(const struct config_document *doc) {
    const struct config_model_catalog *catalog = &doc->global.model_catalog;
    return catalog->at.path.ptr ? catalog : NULL;
}

void learned_check_image_model(const struct config_document *doc, struct diag_at at, const char *what,
                               struct diag *diag) {
    const struct config_model_catalog *catalog = learned_catalog(doc);
    if (catalog && catalog->embeddings.semantic.embedding_config.model_type != EMBEDDING_MULTIMODAL)
        diag_error(diag, "E_CONFLICT", at,
                   VSR_STR("set global.model_catalog.embeddings.semantic.embedding_config.model_type"),
                   "%s needs an embedding model of type multimodal", what);
}

/* What people write in place of a picture; whether a file is there is seen when it is read. */
static const char *refusal_of(vsr_str example, struct arena *arena) {
    struct picture_example found = picture_example_of(example);
    struct arena_mark mark = arena_mark(arena);
    const char *why = found.kind == EXAMPLE_REFUSED ? found.refusal : NULL;
    size_t len;
    if (found.kind == EXAMPLE_BASE64 &&
        !base64_read(found.value, false, arena_alloc(arena, base64_room(found.value.len)), &len))
        why = "the picture is not base64";
    arena_rewind(arena, mark);
    return why;
}

void learned_check_images(const struct schema *schema, const void *object, const char *field,
                          const struct config_strings *examples, struct arena *arena, struct diag *diag) {
    struct diag_at list = schema_field_at(schema, object, field, arena);
    for (size_t i = 0; i < examples->n; i++) {
        const char *why = refusal_of(examples->items[i], arena);
        struct diag_at at = { .line = list.line, .col = list.col };
        if (!why)
            continue;
        if (examples->nodes && examples->nodes[i])
            at = (struct diag_at){ examples->nodes[i]->line, examples->nodes[i]->col };
        at.path = arena_printf(arena, "%.*s[%zu]", VSR_FMT(list.path), i);
        diag_error(diag, "E_TYPE", at, VSR_STR("a text, a data URI, or a path that begins with / or ./"), "%s", why);
    }
}

void learned_check_examples(const struct schema *schema, const void *object, const char *field, size_t n,
                            struct arena *arena, struct diag *diag) {
    if (n > SIGNAL_BANK_TEXTS_MAX)
        diag_error(diag, "E_RANGE", schema_field_at(schema, object, field, arena),
                   VSR_STR("keep those that differ most"), "at most %d examples, found %zu", SIGNAL_BANK_TEXTS_MAX, n);
}

void learned_warn_label(const struct schema *schema, const void *rule, vsr_str name, const char *const *known,
                        struct arena *arena, struct diag *diag) {
    vsr_str names[8], all = { 0 };
    size_t n = 0;
    for (; known[n] && n < VSR_COUNT(names); n++) {
        names[n] = str_from_c(known[n]);
        if (str_eq(name, names[n]))
            return;
        all = arena_printf(arena, "%.*s%s%s", VSR_FMT(all), n ? ", " : "", known[n]);
    }
    diag_warn(diag, "W_NEVER", schema_field_at(schema, rule, "name", arena), diag_suggest(diag, name, names, n),
              "no model gives the label \"%.*s\"; known are %.*s", VSR_FMT(name), VSR_FMT(all));
}

/* ---- building */

/* Models do not say how to be left early but by the settings of embeddings; built-in ones have no layers to leave. */
static size_t layers_of(const struct config_semantic *semantic, const struct signal_model *model) {
    int64_t layers = semantic->embedding_config.target_layer;
    if (!schema_present(&config_embedding_config_schema, &semantic->embedding_config, "target_layer") ||
        str_starts(model->path, VSR_STR("builtin/")))
        return 0;
    return layers > 0 ? (size_t)layers : 0;
}

static void set_model(void *data, const struct signal_model *model) {
    struct signal_source *source = data;
    source->model = *model;
}

static uint32_t add_server(struct signal_builder *builder, const struct config_semantic *semantic) {
    struct signal_source source = { .kind = SOURCE_HTTP_EMBEDDINGS,
                                    .config = semantic,
                                    .timeout_ms = semantic->endpoint.timeout_seconds * 1000 };
    if (semantic->embedding_config.backend == EMBEDDING_BACKEND_MCP) {
        source.kind = SOURCE_MCP_EMBEDDINGS;
        source.timeout_ms = semantic->mcp.server.timeout_seconds * 1000;
    }
    return signal_source_add(builder, &source);
}

uint32_t learned_embedder_of(struct signal_builder *builder, int kind, bool images) {
    const struct config_semantic *semantic = &builder->doc->global.model_catalog.embeddings.semantic;
    struct signal_source source = { .kind = SOURCE_MODEL, .model.type = "embedding", .images = images };
    bool server = semantic->embedding_config.backend != EMBEDDING_BACKEND_NATIVE;
    if (kind == EMBEDDING_REMOTE || (kind == EMBEDDING_UNSET && server))
        return add_server(builder, semantic);
    signal_models_embedder(builder->doc, kind, set_model, &source);
    source.layers = layers_of(semantic, &source.model);
    return signal_source_add(builder, &source);
}

uint32_t learned_embedder(struct signal_builder *builder, bool images) {
    return learned_embedder_of(builder, EMBEDDING_UNSET, images);
}

uint32_t learned_beside(struct signal_builder *builder, const char *type, vsr_str rule, const char *what) {
    return signal_slots_add(builder->slots, str_from_c(type),
                            arena_printf(builder->arena, "%.*s:%s", VSR_FMT(rule), what));
}

/* ---- asking and judging */

int learned_ask_window(struct signal_request *request, enum evidence_kind kind, uint32_t source, enum signal_text text,
                       const struct evidence_answer **ret_answer, struct vsr_err *err) {
    vsr_str window;
    int rc = signal_request_window(request, text, &window, err);
    if (rc == 0)
        *ret_answer = &evidence_ask(request->asks, kind, source, window)->answer;
    return rc;
}

static void fail(struct signal_results *results, uint32_t slot, enum signal_code code, const char *reason) {
    if (reason)
        signal_fail_because(results, slot, code, reason);
    else
        signal_fail(results, slot, code);
}

void learned_fail(struct signal_results *results, uint32_t slot, const struct evidence_answer *answer) {
    fail(results, slot, answer->code, answer->reason);
}

bool learned_score(const struct signal_bank *bank, const struct evidence_answer *answer, enum signal_bank_method method,
                   struct signal_results *results, uint32_t slot, struct signal_bank_score *ret_score) {
    enum signal_code code;
    const char *reason;
    if (signal_bank_score(bank, answer, method, ret_score, &code, &reason))
        return true;
    fail(results, slot, code, reason);
    return false;
}
