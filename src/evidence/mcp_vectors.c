/*
 * Vectors by a tool:
 *
 *     embed_texts {"texts":["a","b"]}    ->    {"embeddings":[[...],[...]]}
 *
 * One list for each text, in their order, of finite numbers. All have one length, also those of later answers as long
 * as the server's session lasts, and not all numbers of one are 0. They are brought to length 1.
 */
#include <math.h>

#include "core/arena.h"
#include "core/json_write.h"
#include "evidence/mcp_format.h"
#include "evidence/remote.h"
#include "evidence/unit_vector.h"

static void write_arguments(struct json_writer *w, const struct mcp_tools *tools, const struct mcp_asked *asked) {
    (void)tools;
    json_write_key(w, VSR_STR("texts"));
    json_write_begin_array(w);
    for (size_t i = 0; i < asked->n_texts; i++)
        json_write_str(w, asked->texts[i]);
    json_write_end(w);
}

static int check_dims(size_t n, size_t place, size_t dims, const struct mcp_asked *asked, struct vsr_err *err) {
    if (n == 0)
        return err_set(err, VSR_E_INVALID, "embeddings[%zu] is empty", place);
    if (n > REMOTE_DIMS_MAX)
        return err_set(err, VSR_E_LIMIT, "embeddings[%zu] has more than %d numbers", place, REMOTE_DIMS_MAX);
    if (dims > 0 && n != dims)
        return err_set(err, VSR_E_INVALID, "embeddings[%zu] has %zu numbers, expected %zu", place, n, dims);
    if (n < asked->dims_least)
        return err_set(err, VSR_E_INVALID, "embeddings[%zu] has %zu numbers, and target_dimension is %zu", place, n,
                       asked->dims_least);
    return 0;
}

static int read_vector(const struct json_doc *doc, json_ref list, size_t place, float *numbers, size_t dims,
                       struct vsr_err *err) {
    double value, length;
    size_t i = 0;
    for (json_ref node = json_first(doc, list); node != JSON_NONE; node = json_next(doc, list, node), i++) {
        if (!json_double(doc, node, &value) || !isfinite((float)value))
            return err_set(err, VSR_E_INVALID, "embeddings[%zu][%zu] is no number that fits", place, i);
        numbers[i] = (float)value;
    }
    if (!unit_vector(numbers, dims, &length))
        return err_set(err, VSR_E_INVALID, "embeddings[%zu] has no direction: its length is %g", place, length);
    return 0;
}

static int read_object(struct arena *arena, const struct json_doc *doc, json_ref object, const struct mcp_asked *asked,
                       struct mcp_told *ret_told, struct vsr_err *err) {
    json_ref lists = json_get(doc, object, VSR_STR("embeddings"));
    size_t dims = asked->dims, place = 0;
    float *numbers = NULL;
    int rc = 0;
    if (!json_is(doc, lists, JSON_ARRAY))
        return err_set(err, VSR_E_INVALID, "the tool's answer has no list `embeddings`");
    if (json_count(doc, lists) != asked->n_texts)
        return err_set(err, VSR_E_INVALID, "there are %zu embeddings for %zu texts", json_count(doc, lists),
                       asked->n_texts);
    for (json_ref list = json_first(doc, lists); list != JSON_NONE && rc == 0;
         list = json_next(doc, lists, list), place++) {
        if (!json_is(doc, list, JSON_ARRAY))
            return err_set(err, VSR_E_INVALID, "embeddings[%zu] is no list of numbers", place);
        rc = check_dims(json_count(doc, list), place, dims, asked, err);
        if (rc < 0)
            return rc;
        dims = json_count(doc, list);
        if (!numbers)
            numbers = arena_try_alloc_raw(arena, asked->n_texts * dims * sizeof(*numbers));
        if (!numbers)
            return err_set(err, VSR_E_NOMEM, "no memory for %zu vectors of %zu numbers", asked->n_texts, dims);
        rc = read_vector(doc, list, place, numbers + place * dims, dims, err);
    }
    if (rc == 0)
        *ret_told = (struct mcp_told){ .numbers = numbers, .n = asked->n_texts * dims };
    return rc;
}

const struct mcp_format mcp_vectors = {
    .purpose = "embed",
    .does = "embeds texts",
    .tool = { .usual = "embed_texts", .brief = "embed", .part = "embed", .argument = "texts" },
    .write = write_arguments,
    .read = read_object,
};
