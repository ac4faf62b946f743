#include "cli/backend_control.h"

#include "cli/backend.h"
#include "core/buf.h"
#include "core/json_write.h"

static void write_listener(struct json_writer *w, struct backend_listener *listener) {
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("address"));
    json_write_str(w, str_from_c(listener->shown));
    json_write_key(w, VSR_STR("requests"));
    json_write_u64(w, atomic_load_explicit(&listener->n_requests, memory_order_relaxed));
    json_write_key(w, VSR_STR("completed"));
    json_write_u64(w, atomic_load_explicit(&listener->n_completed, memory_order_relaxed));
    json_write_key(w, VSR_STR("cancelled"));
    json_write_u64(w, atomic_load_explicit(&listener->n_cancelled, memory_order_relaxed));
    json_write_end(w);
}

void backend_control_stats(struct backend *backend, struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("listeners"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < backend->n_listeners; i++)
        write_listener(&w, &backend->listeners[i]);
    json_write_end(&w);
    json_write_end(&w);
}
