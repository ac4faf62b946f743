#include "evidence/mcp_result.h"

#include "core/arena.h"

/* ---- tools */

enum { FITNESS_NONE, FITNESS_LIKE, FITNESS_SHORT, FITNESS_USUAL, FITNESS_WANTED };

static int fitness_of(struct arena *arena, vsr_str name, const struct mcp_tool_form *form, vsr_str wanted,
                      bool takes_argument) {
    if (wanted.len)
        return str_eq(name, wanted) ? FITNESS_WANTED : FITNESS_NONE;
    if (!takes_argument)
        return FITNESS_NONE;
    if (str_eq_c(name, form->usual))
        return FITNESS_USUAL;
    if (str_eq_c(name, form->brief))
        return FITNESS_SHORT;
    return str_find(arena_str_lower(arena, name), str_from_c(form->part)) >= 0 ? FITNESS_LIKE : FITNESS_NONE;
}

/* A schema without `properties` says nothing about them. */
static bool takes(const struct json_doc *doc, json_ref tool, const char *argument) {
    json_ref properties = json_get(doc, json_get(doc, tool, VSR_STR("inputSchema")), VSR_STR("properties"));
    return !json_is(doc, properties, JSON_OBJECT) || json_get(doc, properties, str_from_c(argument)) != JSON_NONE;
}

int mcp_tools_read(struct arena *arena, const struct json_doc *doc, json_ref result, const struct mcp_tool_form *form,
                   vsr_str wanted, struct mcp_tools *tools, struct vsr_err *err) {
    json_ref list = json_get(doc, result, VSR_STR("tools"));
    vsr_str name;
    if (!json_is(doc, list, JSON_ARRAY))
        return err_set(err, VSR_E_INVALID, "its answer to tools/list has no list of tools");
    for (json_ref tool = json_first(doc, list); tool != JSON_NONE; tool = json_next(doc, list, tool)) {
        int fitness;
        if (!json_str(arena, doc, json_get(doc, tool, VSR_STR("name")), &name))
            continue;
        tools->has_lister |= form->lister && str_eq_c(name, form->lister);
        fitness = fitness_of(arena, name, form, wanted, takes(doc, tool, form->argument));
        if (fitness <= tools->fitness)
            continue;
        tools->fitness = fitness;
        tools->tool = arena_str(arena, name);
        tools->has_option = form->option && takes(doc, tool, form->option);
    }
    tools->next = VSR_STR("");
    if (json_str(arena, doc, json_get(doc, result, VSR_STR("nextCursor")), &name))
        tools->next = arena_str(arena, name);
    return 0;
}

/* ---- the object in a result */

/* A text of the result's content that is a JSON object. */
static bool find_text_object(struct arena *arena, const struct json_doc *doc, json_ref content,
                             struct json_doc *ret_doc) {
    for (json_ref block = json_first(doc, content); block != JSON_NONE; block = json_next(doc, content, block)) {
        vsr_str text;
        if (json_str(arena, doc, json_get(doc, block, VSR_STR("text")), &text) &&
            json_parse(arena, text, ret_doc, NULL) == 0 && json_is(ret_doc, 0, JSON_OBJECT))
            return true;
    }
    return false;
}

int mcp_tool_object(struct arena *arena, const struct json_doc *doc, json_ref result, const struct json_doc **ret_doc,
                    json_ref *ret_object, struct vsr_err *err) {
    json_ref structured = json_get(doc, result, VSR_STR("structuredContent"));
    struct json_doc *text;
    bool failed = false;
    if (json_bool(doc, json_get(doc, result, VSR_STR("isError")), &failed) && failed)
        return err_set(err, VSR_E_INVALID, "the tool reports a failure");
    if (json_is(doc, structured, JSON_OBJECT)) {
        *ret_doc = doc;
        *ret_object = structured;
        return 0;
    }
    text = ARENA_NEW(arena, struct json_doc);
    if (!find_text_object(arena, doc, json_get(doc, result, VSR_STR("content")), text))
        return err_set(err, VSR_E_INVALID, "the tool's result holds no JSON object");
    *ret_doc = text;
    *ret_object = 0;
    return 0;
}
