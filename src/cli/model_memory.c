#include "cli/model_memory.h"

#include "cli/model_use.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "model/model.h"
#include "nn/runtime.h"
#include "nn/tensor_store.h"

enum { BYTES_WIDTH = 10 };

static const struct model *nth(const struct model_use *use, size_t i) {
    return i == 0 ? use->model : use->beside[i - 1];
}

static double megabytes(size_t bytes) {
    return (double)bytes / 1e6;
}

void model_memory_text(const struct model_use *use, struct buf *out) {
    const struct tensor_store_bytes all = tensor_store_bytes(use->runtime->tensors);
    buf_printf(out, "memory, in %s\n", precision_name(model_precision(use->model)));
    for (size_t i = 0; i <= use->n_beside; i++) {
        struct model_bytes bytes = model_bytes(nth(use, i));
        vsr_str directory = model_directory_of(nth(use, i));
        buf_printf(out, "%*.1f MB, %.1f MB of it shared  %.*s\n", BYTES_WIDTH, megabytes(bytes.all),
                   megabytes(bytes.shared), VSR_FMT(directory));
    }
    buf_printf(out, "%*.1f MB of weights together, %.1f MB more if nothing were shared\n", BYTES_WIDTH,
               megabytes(all.held), megabytes(all.spared));
}

static void count(struct json_writer *w, const char *key, size_t value) {
    json_write_key(w, str_from_c(key));
    json_write_u64(w, value);
}

void model_memory_json(const struct model_use *use, struct json_writer *w) {
    const struct tensor_store_bytes all = tensor_store_bytes(use->runtime->tensors);
    json_write_key(w, VSR_STR("memory"));
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("precision"));
    json_write_str(w, str_from_c(precision_name(model_precision(use->model))));
    json_write_key(w, VSR_STR("models"));
    json_write_begin_array(w);
    for (size_t i = 0; i <= use->n_beside; i++) {
        struct model_bytes bytes = model_bytes(nth(use, i));
        json_write_begin_object(w);
        json_write_key(w, VSR_STR("location"));
        json_write_str(w, model_directory_of(nth(use, i)));
        count(w, "bytes", bytes.all);
        count(w, "shared_bytes", bytes.shared);
        json_write_end(w);
    }
    json_write_end(w);
    count(w, "weight_bytes", all.held);
    count(w, "spared_bytes", all.spared);
    json_write_end(w);
}
