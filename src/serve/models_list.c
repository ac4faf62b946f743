#include "serve/models_list.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "serve/snapshot.h"

enum { MODELS_JSON_LEN_MAX = 64 << 20 };

static void write_routing(struct json_writer *w, const struct model_name *name) {
    json_write_key(w, VSR_STR("routing"));
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("resolution"));
    json_write_str(w, name->recipe ? VSR_STR("virtual") : VSR_STR("passthrough"));
    if (name->recipe) {
        json_write_key(w, VSR_STR("selectable"));
        json_write_bool(w, true);
        json_write_key(w, VSR_STR("default_route"));
        json_write_bool(w, name->kind == TARGET_AUTO);
        json_write_key(w, VSR_STR("recipe"));
        json_write_str(w, name->recipe->scope->name);
    }
    json_write_end(w);
}

static vsr_str describe(const struct config_scope *scope) {
    return scope->description.len ? scope->description
                                  : VSR_STR("Routes each request to the model that the policy chooses");
}

static vsr_str entry_json(const struct snapshot *snapshot, const struct model_name *name) {
    struct json_writer w;
    struct buf out;
    vsr_str copy;
    buf_init(&out, MODELS_JSON_LEN_MAX);
    json_write_init(&w, &out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("id"));
    json_write_str(&w, name->name);
    json_write_key(&w, VSR_STR("object"));
    json_write_str(&w, VSR_STR("model"));
    json_write_key(&w, VSR_STR("created"));
    json_write_u64(&w, snapshot->created_s);
    json_write_key(&w, VSR_STR("owned_by"));
    json_write_str(&w, name->recipe ? VSR_STR("vllm-semantic-router") : VSR_STR("upstream-endpoint"));
    if (name->recipe) {
        json_write_key(&w, VSR_STR("description"));
        json_write_str(&w, describe(name->recipe->scope));
    }
    write_routing(&w, name);
    json_write_end(&w);
    copy = arena_str(snapshot->arena, buf_str(&out));
    buf_done(&out);
    return copy;
}

bool models_list_shows(const struct snapshot *snapshot, const struct model_name *name) {
    if (name->recipe)
        return true;
    return snapshot->doc->global.router.include_config_models_in_list && config_card(snapshot->doc, name->name);
}

void models_list_build(struct snapshot *snapshot) {
    struct buf out;
    bool any = false;
    buf_init(&out, MODELS_JSON_LEN_MAX);
    (void)buf_append_c(&out, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < snapshot->names.n; i++) {
        const struct model_name *name = snapshot->names.entries[i].value;
        vsr_str *entry = ARENA_NEW(snapshot->arena, vsr_str);
        *entry = entry_json(snapshot, name);
        (void)map_put(&snapshot->model_entries, name->name, entry); /* names are unique */
        if (!models_list_shows(snapshot, name))
            continue;
        (void)buf_append_c(&out, any ? "," : "");
        (void)buf_append(&out, *entry);
        any = true;
    }
    (void)buf_append_c(&out, "]}");
    snapshot->models_json = arena_str(snapshot->arena, buf_str(&out));
    buf_done(&out);
}

vsr_str models_list_entry(const struct snapshot *snapshot, vsr_str id) {
    const vsr_str *entry = map_get(&snapshot->model_entries, id);
    return entry ? *entry : (vsr_str){ NULL, 0 };
}
