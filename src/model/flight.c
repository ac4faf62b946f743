#include "model/flight.h"

#include <string.h>

#include "core/assert.h"
#include "core/mem.h"
#include "model/engine.h"
#include "model/model.h"

static struct result_key key_of(const struct flight_input *input) {
    uint64_t words[7] = { model_serial(input->model),
                          input->layers,
                          input->width,
                          input->skip,
                          input->n_rows,
                          input->no_exit_norm,
                          input->picture.len == 0 ? 0
                          : input->is_base64      ? 1
                                                  : 2 };
    struct result_key key = result_key_add((struct result_key){ 0 }, words, sizeof(words));
    if (input->picture.len > 0)
        return result_key_add(key, input->picture.ptr, input->picture.len);
    key = result_key_add(key, input->ids, input->n_tokens * sizeof(*input->ids));
    return result_key_add(key, input->types, input->n_tokens);
}

/* One allocation: the flight, its result, its tokens or its picture. */
size_t flight_bytes(size_t n_tokens, size_t picture_len, size_t n_rows, size_t width) {
    return sizeof(struct flight) + n_rows * width * sizeof(float) + n_tokens * (sizeof(uint32_t) + 1) + picture_len;
}

struct flight *flight_new(const struct flight_input *input) {
    size_t n = input->n_tokens;
    struct flight *flight = mem_alloc(flight_bytes(n, input->picture.len, input->n_rows, input->width));
    uint32_t *ids = (uint32_t *)((float *)(flight + 1) + input->n_rows * input->width);
    uint8_t *types = (uint8_t *)(ids + n);
    flight->input = *input;
    flight->key = key_of(input);
    flight->result = (float *)(flight + 1);
    if (n > 0) {
        memcpy(ids, input->ids, n * sizeof(*ids));
        memcpy(types, input->types, n);
    }
    flight->input.ids = ids;
    flight->input.types = types;
    if (input->picture.len > 0)
        memcpy(types + n, input->picture.ptr, input->picture.len);
    flight->input.picture = str_make((const char *)types + n, input->picture.len);
    model_ref(input->model);
    flight->n_refs = 1;
    return flight;
}

bool flight_unref(struct flight *flight) {
    VSR_ASSERT(flight->n_refs > 0);
    return --flight->n_refs == 0;
}

void flight_free(struct flight *flight) {
    VSR_ASSERT(flight->n_refs == 0 && !flight->parts && !flight->listed);
    model_unref(flight->input.model);
    mem_free(flight->err);
    mem_free(flight);
}

void flight_fail(struct flight *flight, int rc, const struct vsr_err *err) {
    if (flight->err)
        return;
    flight->rc = rc;
    flight->err = MEM_NEW(struct vsr_err);
    *flight->err = *err;
}

void flight_attach(struct flight *flight, struct engine_part *part) {
    part->flight = flight;
    part->prev = NULL;
    part->next = flight->parts;
    if (flight->parts)
        flight->parts->prev = part;
    flight->parts = part;
}

void flight_detach(struct flight *flight, struct engine_part *part) {
    if (part->prev)
        part->prev->next = part->next;
    else
        flight->parts = part->next;
    if (part->next)
        part->next->prev = part->prev;
    part->prev = part->next = NULL;
}

struct flight *flight_find(const struct flight_table *table, struct result_key key) {
    struct flight *flight = table->buckets[key.low % FLIGHT_BUCKETS];
    while (flight && (flight->key.low != key.low || flight->key.high != key.high))
        flight = flight->next;
    return flight;
}

void flight_list(struct flight_table *table, struct flight *flight) {
    struct flight **bucket = &table->buckets[flight->key.low % FLIGHT_BUCKETS];
    flight->next = *bucket;
    *bucket = flight;
    flight->listed = true;
}

void flight_unlist(struct flight_table *table, struct flight *flight) {
    struct flight **at = &table->buckets[flight->key.low % FLIGHT_BUCKETS];
    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
    flight->next = NULL;
    flight->listed = false;
}
