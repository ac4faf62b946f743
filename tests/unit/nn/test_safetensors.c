#include "test.h"

#include "core/arena.h"
#include "nn/safetensors.h"
#include "nn/tensor_hash.h"
#include "unit/nn/model_dir.h"

static const float numbers[] = { 1, -2, 3.5f, 0, 1e-3f, 6 };

TEST(reads_what_was_written) {
    struct arena *arena = arena_new(0, 0);
    struct tensor_file file;
    struct safetensors st;
    struct vsr_err err = VSR_ERR_NONE;
    const struct tensor *tensor;
    float back[6];
    int rc;
    tensor_file_begin(&file);
    buf_printf(&file.header, "\"__metadata__\":{\"format\":\"pt\"}");
    tensor_file_add(&file, "z", "F32", "[2,3]", numbers, sizeof(numbers));
    tensor_file_add(&file, "odd", "U8", "[1]", "\7", 1);
    tensor_file_add(&file, "a \\u00e9", "F32", "[3, 2, 1]", numbers, sizeof(numbers));
    tensor_file_add(&file, "none", "F32", "[0, 4]", "", 0);
    tensor_file_add(&file, "scalar", "I64", "[]", "\1\0\0\0\0\0\0\0", 8);
    rc = safetensors_parse(arena, tensor_file_bytes(&file), &st, &err);
    CHECK_MSG(rc == 0, "%s", err.text);
    CHECK_INT(st.n, 5, "count");
    CHECK_STR(st.format, "pt", "format");
    CHECK_STR(st.tensors[0].name, "a é", "sorted by name");
    tensor = safetensors_find(&st, VSR_STR("a é"));
    CHECK(tensor && tensor->n_dims == 3 && tensor->dims[0] == 3 && tensor->dims[2] == 1 && tensor->n == 6, "shape");
    CHECK(dtype_to_f32(tensor->dtype, tensor->data, tensor->n, back), "numbers");
    CHECK(memcmp(back, numbers, sizeof(back)) == 0, "unaligned data");
    CHECK(safetensors_find(&st, VSR_STR("none"))->n == 0, "an empty tensor");
    CHECK(safetensors_find(&st, VSR_STR("scalar"))->n == 1, "a scalar");
    CHECK(safetensors_find(&st, VSR_STR("b")) == NULL, "absent");
    tensor_file_end(&file);
    arena_free(arena);
}

/* `data` bytes follow the header. */
static const struct {
    const char *name, *header;
    size_t data;
    const char *says;
} hostile[] = {
    { "no object", "[]", 0, "does not begin" },
    { "blank before the object", " {}", 0, "does not begin" },
    { "not closed", "{\"a\":", 0, "header" },
    { "trailing text", "{} x", 0, "header" },
    { "tensor is no object", "{\"a\":1}", 0, "expected \"dtype\"" },
    { "no dtype", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "expected \"dtype\"" },
    { "a fourth key", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4,
      "expected \"dtype\"" },
    { "a key twice", "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
      "each once" },
    { "unknown dtype", "{\"a\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "type \"C64\"" },
    { "dtype is a number", "{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "type 1" },
    { "shape is a number", "{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, "no array" },
    { "negative dimension", "{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "no count" },
    { "fraction", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1.5],\"data_offsets\":[0,1]}}", 1, "no count" },
    { "nine dimensions", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1,
      "more than 8" },
    { "elements overflow", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
      "can be counted" },
    { "elements overflow, then none",
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296,0],\"data_offsets\":[0,0]}}", 0, "can be counted" },
    { "bytes overflow", "{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0,
      "not what" },
    { "more bytes than shape", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "not what" },
    { "fewer bytes than shape", "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "not what" },
    { "end before begin", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", 1, "no pair" },
    { "one offset", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, "no pair" },
    { "three offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, "no pair" },
    { "negative offset", "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[-1,1]}}", 1, "no pair" },
    { "huge offset", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,99999999999999999999]}}", 1,
      "no pair" },
    { "past the end", "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 1, "cut off" },
    { "hole in front", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "hole" },
    { "hole between",
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}",
      3, "hole" },
    { "overlap",
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
      "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
      3, "inside" },
    { "the same bytes twice",
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
      "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
      2, "inside" },
    { "an empty one inside another",
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
      "\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[1,1]}}",
      2, "inside" },
    { "a name twice",
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
      2, "twice" },
    { "a name twice, once escaped",
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      "\"\\u0061\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
      2, "twice" },
    { "metadata is no object", "{\"__metadata__\":[]}", 0, "no object" },
    { "metadata holds a number", "{\"__metadata__\":{\"a\":1}}", 0, "no text" },
    { "metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "twice" },
};

TEST(hostile_headers) {
    for (size_t i = 0; i < VSR_COUNT(hostile); i++) {
        struct arena *arena = arena_new(0, 0);
        struct tensor_file file;
        struct safetensors st = { .n = 77 };
        struct vsr_err err = VSR_ERR_NONE;
        char data[16] = { 0 };
        vsr_str bytes;
        tensor_file_begin(&file);
        bytes = tensor_file_join(&file, str_from_c(hostile[i].header), str_make(data, hostile[i].data));
        CHECK(safetensors_parse(arena, bytes, &st, &err) < 0, hostile[i].name);
        CHECK_ERR(err, hostile[i].says, hostile[i].name);
        CHECK(st.n == 77, hostile[i].name);
        tensor_file_end(&file);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *bytes;
    size_t len;
    int code;
} cut[] = {
    { "nothing", "", 0, VSR_E_INVALID },
    { "seven bytes", "\2\0\0\0\0\0\0", 7, VSR_E_INVALID },
    { "no header", "\0\0\0\0\0\0\0\0", 8, VSR_E_INVALID },
    { "header longer than the file", "\3\0\0\0\0\0\0\0{}", 10, VSR_E_INVALID },
    { "header of 100 MB and a byte", "\1\0\x40\6\0\0\0\0{}", 10, VSR_E_LIMIT },
    { "length that overflows", "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, VSR_E_LIMIT },
};

TEST(cut_files) {
    for (size_t i = 0; i < VSR_COUNT(cut); i++) {
        struct arena *arena = arena_new(0, 0);
        struct safetensors st;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_INT(safetensors_parse(arena, str_make(cut[i].bytes, cut[i].len), &st, &err), cut[i].code, cut[i].name);
        arena_free(arena);
    }
}

/* Each proper prefix of a file is an error, and the whole with a tail is none. */
TEST(every_prefix) {
    struct arena *arena = arena_new(0, 0);
    struct tensor_file file;
    struct safetensors st;
    vsr_str bytes;
    tensor_file_begin(&file);
    tensor_file_add(&file, "a", "F32", "[2,3]", numbers, sizeof(numbers));
    tensor_file_add(&file, "b", "U8", "[3]", "abc", 3);
    bytes = tensor_file_bytes(&file);
    for (size_t len = 0; len < bytes.len; len++) {
        char *copy = malloc(len + 1); /* to its own end, so that reading past it is seen */
        memcpy(copy, bytes.ptr, len);
        CHECK_MSG(safetensors_parse(arena, str_make(copy, len), &st, NULL) < 0, "prefix of %zu bytes", len);
        free(copy);
    }
    buf_append_c(&file.bytes, "tail");
    CHECK(safetensors_parse(arena, buf_str(&file.bytes), &st, NULL) == 0, "tail");
    tensor_file_end(&file);
    arena_free(arena);
}

TEST(too_many_tensors) {
    struct arena *arena = arena_new(0, 0);
    struct tensor_file file;
    struct safetensors st;
    struct vsr_err err = VSR_ERR_NONE;
    char name[32];
    tensor_file_begin(&file);
    for (int i = 0; i < SAFETENSORS_TENSORS_MAX; i++) {
        snprintf(name, sizeof(name), "t%d", i);
        tensor_file_add(&file, name, "U8", "[0]", "", 0);
    }
    CHECK(safetensors_parse(arena, tensor_file_bytes(&file), &st, &err) == 0, "as many as can be");
    tensor_file_add(&file, "one more", "U8", "[0]", "", 0);
    CHECK_INT(safetensors_parse(arena, tensor_file_bytes(&file), &st, &err), VSR_E_LIMIT, "one more");
    tensor_file_end(&file);
    arena_free(arena);
}

TEST(files) {
    struct arena *arena = arena_new(0, 0);
    struct model_dir dir = model_dir_make();
    struct tensor_file file;
    struct safetensors st;
    struct vsr_err err = VSR_ERR_NONE;
    char path[512];
    CHECK_INT(safetensors_open(arena, dir.path, &st, &err), VSR_E_IO, "a directory");
    snprintf(path, sizeof(path), "%s/none", dir.path);
    CHECK_INT(safetensors_open(arena, path, &st, &err), VSR_E_NOT_FOUND, "no file");
    model_dir_write_c(&dir, "empty", "");
    snprintf(path, sizeof(path), "%s/empty", dir.path);
    CHECK_INT(safetensors_open(arena, path, &st, &err), VSR_E_INVALID, "an empty file");
    tensor_file_begin(&file);
    tensor_file_add(&file, "a", "F32", "[2,3]", numbers, sizeof(numbers));
    model_dir_write(&dir, "good", tensor_file_bytes(&file));
    tensor_file_end(&file);
    snprintf(path, sizeof(path), "%s/good", dir.path);
    CHECK(safetensors_open(arena, path, &st, &err) == 0, "a file");
    CHECK(memcmp(st.tensors[0].data, numbers, sizeof(numbers)) == 0, "its data");
    arena_free(arena);
    model_dir_remove(&dir);
}

TEST(hashes) {
    char data[] = "abcdefgh", same[] = "abcdefgh", other[] = "abcdefgi";
    struct tensor a = { .data = data, .len = 8, .n = 2, .dtype = DTYPE_F32, .n_dims = 1, .dims = { 2 } }, b = a;
    CHECK(tensor_hash_eq(tensor_hash(&a), tensor_hash(&b)), "itself");
    b.data = same;
    b.name = VSR_STR("elsewhere");
    CHECK(tensor_hash_eq(tensor_hash(&a), tensor_hash(&b)), "the same elsewhere");
    b.data = other;
    CHECK(!tensor_hash_eq(tensor_hash(&a), tensor_hash(&b)), "other bytes");
    b = a;
    b.dtype = DTYPE_I32;
    CHECK(!tensor_hash_eq(tensor_hash(&a), tensor_hash(&b)), "another type");
    b = a;
    b.n_dims = 2;
    b.dims[1] = 1;
    CHECK(!tensor_hash_eq(tensor_hash(&a), tensor_hash(&b)), "another shape");
}

RUN_TESTS(T(reads_what_was_written), T(hostile_headers), T(cut_files), T(every_prefix), T(too_many_tensors), T(files),
          T(hashes))
