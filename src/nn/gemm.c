#include "nn/gemm.h"

#include <math.h>
#include <pthread.h>

#include <dnnl.h>

#include "core/assert.h"
#include "core/mem.h"
#include "nn/gemm_rows.h"
#include "nn/gemm_vnni.h"
#include "nn/pages.h"

/* OpenMP 5.0, section 3.2. There is no omp.h that all compilers share. */
void omp_set_num_threads(int n);
int omp_get_max_threads(void);

enum {
    ROW_KERNELS = 9,         /* for 1, 2, 4, ..., GEMM_ROWS_MAX rows */
    KERNELS_MAX = 4096,      /* different shapes in a process */
    ZERO_POINT = 128,        /* of the bytes of x */
    PRODUCT_LEN = 768 << 10, /* of the second cache, which has 1 MB or more where gemm_vnni.h serves */
};

/* What the library computes for one shape: one primitive for each number of rows. */
struct kernel {
    size_t out, in;
    enum precision precision;
    bool has_bias;
    size_t index; /* in the library */
    dnnl_memory_desc_t weights;
    dnnl_primitive_desc_t descs[ROW_KERNELS];
    dnnl_primitive_t primitives[ROW_KERNELS];
    unsigned usable; /* bit i: primitives[i] gives a row the same bits as the others do */
    size_t least;    /* the first usable one; fewer rows are filled up to as many */
};

struct gemm_library {
    dnnl_engine_t engine;
    bool has_avx512, has_bf16, has_vnni; /* as far as oneDNN may use them */
    int byte_max;                        /* of a weight */
    bool own_bytes;                      /* products of bytes are nn/gemm_vnni.h's */
    pthread_mutex_t mutex;               /* guards the rest */
    struct kernel *kernels[KERNELS_MAX];
    size_t n_kernels;
};

struct gemm {
    struct gemm_library *library;
    size_t out, in;
    const struct kernel *kernel; /* NULL: nn/gemm_vnni.h has it */
    enum precision precision;    /* that the caller asked for; the kernel's is f32 where bf16 is imitated */
    struct pages packed;
    dnnl_memory_t weights, bias; /* bias: NULL where we add it ourselves */
    /* int8 only, [out] each. */
    float *channel_scales;
    int32_t *compensation; /* ZERO_POINT times the sum of the channel's bytes */
    float *channel_bias;
};

/* The memory objects of one primitive: they hold pointers, so every thread has its own. */
struct binding {
    dnnl_memory_t x, y, scratch;
};

struct gemm_context {
    struct gemm_library *library;
    dnnl_stream_t stream;
    struct binding *bindings[KERNELS_MAX]; /* [ROW_KERNELS] each; NULL until prepared */
    struct pages scratch;
    struct pages
        widened; /* rows of bf16 as f32, where bf16 is imitated; rows that are filled up to a kernel's number */
    struct pages product; /* of rows that are filled up */
};

static int failed(struct vsr_err *err, dnnl_status_t status, const char *what) {
    return err_set(err, status == dnnl_out_of_memory ? VSR_E_NOMEM : VSR_E_INVALID, "oneDNN cannot %s (status %d)",
                   what, (int)status);
}

/* ---- library */

/*
 * What oneDNN finds, or is left by the variable ONEDNN_MAX_CPU_ISA: its levels are sets of bits, each with those below.
 * Without VNNI it multiplies pairs of bytes with sums of 16 bits, which saturate; other makers' processors do not.
 */
#if defined(__x86_64__)
static const bool is_x86 = true;
#else
static const bool is_x86 = false;
#endif

static bool may_use(dnnl_cpu_isa_t isa) {
    return is_x86 && ((unsigned)dnnl_get_effective_cpu_isa() & isa) == isa;
}

int gemm_byte_max(const struct gemm_library *library) {
    return library->byte_max;
}

int gemm_library_new(struct gemm_library **ret, struct vsr_err *err) {
    struct gemm_library *library = MEM_NEW(struct gemm_library);
    dnnl_status_t status = dnnl_engine_create(&library->engine, dnnl_cpu, 0);
    if (status != dnnl_success) {
        mem_free(library);
        return failed(err, status, "be started");
    }
    (void)pthread_mutex_init(&library->mutex, NULL); /* cannot fail with default attributes */
    library->has_avx512 = may_use(dnnl_cpu_isa_avx512_core);
    library->has_bf16 = may_use(dnnl_cpu_isa_avx512_core_bf16);
    library->has_vnni = may_use(dnnl_cpu_isa_avx512_core_vnni);
    library->byte_max = library->has_vnni || !is_x86 ? 127 : 63;
    library->own_bytes = library->has_vnni && gemm_vnni_serves();
    *ret = library;
    return 0;
}

static void kernel_free(struct kernel *kernel) {
    for (size_t i = 0; i < ROW_KERNELS; i++) {
        if (kernel->primitives[i])
            (void)dnnl_primitive_destroy(kernel->primitives[i]);
        if (kernel->descs[i])
            (void)dnnl_primitive_desc_destroy(kernel->descs[i]);
    }
    mem_free(kernel);
}

void gemm_library_free(struct gemm_library *library) {
    if (!library)
        return;
    for (size_t i = 0; i < library->n_kernels; i++)
        kernel_free(library->kernels[i]);
    (void)dnnl_engine_destroy(library->engine);
    (void)pthread_mutex_destroy(&library->mutex);
    mem_free(library);
}

/* ---- kernels */

static dnnl_data_type_t x_type(enum precision precision) {
    return precision == PRECISION_F32 ? dnnl_f32 : precision == PRECISION_BF16 ? dnnl_bf16 : dnnl_u8;
}

static dnnl_data_type_t w_type(enum precision precision) {
    return precision == PRECISION_F32 ? dnnl_f32 : precision == PRECISION_BF16 ? dnnl_bf16 : dnnl_s8;
}

static dnnl_data_type_t y_type(enum precision precision) {
    return precision == PRECISION_INT8 ? dnnl_s32 : dnnl_f32;
}

static dnnl_status_t plain_desc(size_t rows, size_t cols, dnnl_data_type_t type, dnnl_format_tag_t tag,
                                dnnl_memory_desc_t *ret) {
    dnnl_dims_t dims = { (dnnl_dim_t)rows, (dnnl_dim_t)cols };
    return dnnl_memory_desc_init_by_tag(ret, 2, dims, type, tag);
}

static dnnl_status_t describe(const struct kernel *kernel, size_t n, const dnnl_memory_desc_t *weights,
                              dnnl_matmul_desc_t *ret) {
    dnnl_memory_desc_t x, y, bias;
    dnnl_status_t status = plain_desc(n, kernel->in, x_type(kernel->precision), dnnl_ab, &x);
    if (status == dnnl_success)
        status = plain_desc(n, kernel->out, y_type(kernel->precision), dnnl_ab, &y);
    if (status == dnnl_success)
        status = plain_desc(1, kernel->out, dnnl_f32, dnnl_ab, &bias);
    if (status == dnnl_success)
        status = dnnl_matmul_desc_init(ret, &x, weights, kernel->has_bias ? &bias : NULL, &y);
    return status;
}

/* The one for the most rows says how the weights are packed; the others take them so. */
static dnnl_status_t make_primitive(struct gemm_library *library, struct kernel *kernel, size_t i,
                                    const dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t desc;
    dnnl_memory_desc_t any;
    dnnl_status_t status = dnnl_success;
    bool first = i == ROW_KERNELS - 1;
    if (first)
        status = plain_desc(kernel->in, kernel->out, w_type(kernel->precision), dnnl_format_tag_any, &any);
    if (status == dnnl_success)
        status = describe(kernel, (size_t)1 << i, first ? &any : &kernel->weights, &desc);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(&kernel->descs[i], &desc, attributes, library->engine, NULL);
    if (status == dnnl_success && first)
        kernel->weights = *dnnl_primitive_desc_query_md(kernel->descs[i], dnnl_query_weights_md, 0);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&kernel->primitives[i], kernel->descs[i]);
    return status;
}

static dnnl_status_t make_primitives(struct gemm_library *library, struct kernel *kernel) {
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    for (size_t i = ROW_KERNELS; status == dnnl_success && i > 0; i--)
        status = make_primitive(library, kernel, i - 1, attributes);
    (void)dnnl_primitive_attr_destroy(attributes);
    return status;
}

/* Sums of bytes are exact. */
static dnnl_status_t find_usable(struct gemm_library *library, struct kernel *kernel) {
    dnnl_status_t status = dnnl_success;
    kernel->usable = (1u << ROW_KERNELS) - 1;
    if (kernel->precision == PRECISION_F32 && !library->has_avx512)
        status = gemm_rows_compare(library->engine, kernel->descs, kernel->primitives, ROW_KERNELS, &kernel->usable);
    kernel->least = (size_t)__builtin_ctz(kernel->usable);
    return status;
}

static int kernel_make(struct gemm_library *library, const struct kernel *want, const struct kernel **ret,
                       struct vsr_err *err) {
    struct kernel *kernel;
    dnnl_status_t status;
    int threads = omp_get_max_threads();
    if (library->n_kernels == KERNELS_MAX)
        return err_set(err, VSR_E_LIMIT, "more than %d shapes of matrices", KERNELS_MAX);
    kernel = MEM_NEW(struct kernel);
    *kernel = *want;
    kernel->index = library->n_kernels;
    omp_set_num_threads(1); /* a kernel is made for the number of threads of the thread that makes it */
    status = make_primitives(library, kernel);
    if (status == dnnl_success)
        status = find_usable(library, kernel);
    omp_set_num_threads(threads);
    if (status != dnnl_success) {
        kernel_free(kernel);
        return failed(err, status, "multiply matrices of this shape");
    }
    library->kernels[library->n_kernels++] = kernel;
    *ret = kernel;
    return 0;
}

static int kernel_get(struct gemm_library *library, const struct kernel *want, const struct kernel **ret,
                      struct vsr_err *err) {
    int rc = 0;
    size_t i = 0;
    (void)pthread_mutex_lock(&library->mutex);
    while (i < library->n_kernels &&
           (library->kernels[i]->out != want->out || library->kernels[i]->in != want->in ||
            library->kernels[i]->precision != want->precision || library->kernels[i]->has_bias != want->has_bias))
        i++;
    if (i < library->n_kernels)
        *ret = library->kernels[i];
    else
        rc = kernel_make(library, want, ret, err);
    (void)pthread_mutex_unlock(&library->mutex);
    return rc;
}

/* ---- packing */

static bool is_own(const struct gemm *gemm) {
    return gemm->precision == PRECISION_INT8 && gemm->library->own_bytes && gemm->in % GEMM_VNNI_STEP == 0;
}

static dnnl_status_t reorder(struct gemm *gemm, const void *plain, dnnl_data_type_t type) {
    dnnl_engine_t engine = gemm->library->engine;
    dnnl_memory_desc_t desc;
    dnnl_memory_t from = NULL;
    dnnl_primitive_desc_t reorder_desc = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_stream_t stream = NULL;
    dnnl_status_t status = plain_desc(gemm->in, gemm->out, type, dnnl_ba, &desc); /* W', read by columns */
    if (status == dnnl_success)
        status = dnnl_memory_create(&from, &desc, engine, (void *)(uintptr_t)plain); /* is only read */
    if (status == dnnl_success)
        status = dnnl_memory_create(&gemm->weights, &gemm->kernel->weights, engine, gemm->packed.data);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&reorder_desc, &desc, engine, &gemm->kernel->weights, engine, NULL);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&primitive, reorder_desc);
    if (status == dnnl_success)
        status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    if (status == dnnl_success) {
        const dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, gemm->weights } };
        status = dnnl_primitive_execute(primitive, stream, 2, args);
    }
    if (status == dnnl_success)
        status = dnnl_stream_wait(stream);
    (void)dnnl_stream_destroy(stream);
    (void)dnnl_primitive_destroy(primitive);
    (void)dnnl_primitive_desc_destroy(reorder_desc);
    (void)dnnl_memory_destroy(from);
    return status;
}

static int pack(struct gemm *gemm, const void *plain, dnnl_data_type_t type, struct vsr_err *err) {
    dnnl_status_t status;
    int rc = pages_new(dnnl_memory_desc_get_size(&gemm->kernel->weights), "weights", &gemm->packed, err);
    if (rc < 0)
        return rc;
    status = reorder(gemm, plain, type);
    return status == dnnl_success ? 0 : failed(err, status, "pack the weights");
}

static int keep_bias(struct gemm *gemm, const float *bias, struct vsr_err *err) {
    dnnl_memory_desc_t desc;
    dnnl_status_t status;
    float *copy;
    if (!bias)
        return 0;
    status = plain_desc(1, gemm->out, dnnl_f32, dnnl_ab, &desc);
    if (status == dnnl_success)
        status = dnnl_memory_create(&gemm->bias, &desc, gemm->library->engine, DNNL_MEMORY_ALLOCATE);
    if (status == dnnl_success)
        status = dnnl_memory_get_data_handle(gemm->bias, (void **)&copy);
    if (status != dnnl_success)
        return failed(err, status, "keep the bias");
    memcpy(copy, bias, gemm->out * sizeof(*bias));
    return 0;
}

/* bf16 where the processor has none: the same numbers, as f32. */
static int pack_rounded(struct gemm *gemm, const float *weights, struct vsr_err *err) {
    size_t n = gemm->out * gemm->in;
    struct pages rounded;
    float *values;
    int rc = pages_new(n * sizeof(*values), "rounded weights", &rounded, err);
    if (rc < 0)
        return rc;
    values = rounded.data;
    for (size_t i = 0; i < n; i++)
        values[i] = bf16_to_f32(bf16_from_f32(weights[i]));
    rc = pack(gemm, values, dnnl_f32, err);
    pages_free(&rounded);
    return rc;
}

/* False where a weight is no number: bytes would make one of it. */
static bool channel_scale(const float *weights, size_t in, float top, float *ret) {
    float greatest = 0;
    for (size_t i = 0; i < in; i++) {
        if (!isfinite(weights[i]))
            return false;
        greatest = fmaxf(greatest, fabsf(weights[i]));
    }
    *ret = greatest / top > 0 ? greatest / top : 1.0f; /* all zero, or so small that the scale would be */
    return true;
}

static int pack_own(struct gemm *gemm, const int8_t *bytes, struct vsr_err *err) {
    int rc = pages_new(gemm_vnni_len(gemm->out, gemm->in), "weights", &gemm->packed, err);
    if (rc == 0)
        gemm_vnni_pack(bytes, gemm->out, gemm->in, gemm->packed.data);
    return rc;
}

static int pack_bytes(struct gemm *gemm, const float *weights, struct vsr_err *err) {
    size_t out = gemm->out, in = gemm->in;
    float top = (float)gemm->library->byte_max;
    struct pages quantised;
    int8_t *bytes;
    int rc = pages_new(out * in, "quantised weights", &quantised, err);
    if (rc < 0)
        return rc;
    bytes = quantised.data;
    for (size_t channel = 0; channel < out; channel++) {
        const float *row = weights + channel * in;
        float scale;
        int32_t sum = 0;
        if (!channel_scale(row, in, top, &scale)) {
            pages_free(&quantised);
            return err_set(err, VSR_E_INVALID, "row %zu of the weights holds what is no finite number", channel);
        }
        for (size_t i = 0; i < in; i++) {
            bytes[channel * in + i] = (int8_t)lrintf(row[i] / scale);
            sum += bytes[channel * in + i];
        }
        gemm->channel_scales[channel] = scale;
        gemm->compensation[channel] = ZERO_POINT * sum;
    }
    rc = gemm->kernel ? pack(gemm, bytes, dnnl_s8, err) : pack_own(gemm, bytes, err);
    pages_free(&quantised);
    return rc;
}

static int fill_bytes(struct gemm *gemm, const float *weights, const float *bias, struct vsr_err *err) {
    size_t out = gemm->out;
    gemm->channel_scales = mem_alloc(out * sizeof(float));
    gemm->compensation = mem_alloc(out * sizeof(int32_t));
    gemm->channel_bias = mem_alloc(out * sizeof(float));
    if (bias)
        memcpy(gemm->channel_bias, bias, out * sizeof(*bias));
    return pack_bytes(gemm, weights, err);
}

static int fill(struct gemm *gemm, const float *weights, const float *bias, struct vsr_err *err) {
    size_t n = gemm->out * gemm->in;
    struct pages narrow;
    uint16_t *values;
    int rc;
    if (gemm->precision == PRECISION_INT8)
        return fill_bytes(gemm, weights, bias, err);
    rc = keep_bias(gemm, bias, err);
    if (rc < 0)
        return rc;
    if (gemm->precision == PRECISION_F32)
        return pack(gemm, weights, dnnl_f32, err);
    if (gemm->kernel->precision == PRECISION_F32)
        return pack_rounded(gemm, weights, err);
    rc = pages_new(n * sizeof(*values), "bf16 weights", &narrow, err);
    if (rc < 0)
        return rc;
    values = narrow.data;
    for (size_t i = 0; i < n; i++)
        values[i] = bf16_from_f32(weights[i]);
    rc = pack(gemm, values, dnnl_bf16, err);
    pages_free(&narrow);
    return rc;
}

int gemm_new(struct gemm_library *library, const float *weights, const float *bias, size_t out, size_t in,
             enum precision precision, struct gemm **ret, struct vsr_err *err) {
    struct kernel want = { .out = out, .in = in, .precision = precision };
    struct gemm *gemm;
    int rc;
    if (out == 0 || in == 0 || out > GEMM_SIDE_MAX || in > GEMM_SIDE_MAX)
        return err_set(err, VSR_E_LIMIT, "a matrix of %zu x %zu, sides are 1 to %d", out, in, GEMM_SIDE_MAX);
    if (precision == PRECISION_BF16 && !library->has_bf16)
        want.precision = PRECISION_F32;
    want.has_bias = bias && precision != PRECISION_INT8;
    gemm = MEM_NEW(struct gemm);
    *gemm = (struct gemm){ .library = library, .out = out, .in = in, .precision = precision };
    rc = is_own(gemm) ? 0 : kernel_get(library, &want, &gemm->kernel, err);
    if (rc == 0)
        rc = fill(gemm, weights, bias, err);
    if (rc < 0) {
        gemm_free(gemm);
        return err_wrap(err, "matrix of %zu x %zu", out, in);
    }
    *ret = gemm;
    return 0;
}

void gemm_free(struct gemm *gemm) {
    if (!gemm)
        return;
    (void)dnnl_memory_destroy(gemm->weights); /* NULL is allowed */
    (void)dnnl_memory_destroy(gemm->bias);
    pages_free(&gemm->packed);
    mem_free(gemm->channel_scales);
    mem_free(gemm->compensation);
    mem_free(gemm->channel_bias);
    mem_free(gemm);
}

/* oneDNN's kernels lose more by few rows than the cache gives. */
size_t gemm_rows(const struct gemm *gemm) {
    size_t rows = PRODUCT_LEN / sizeof(float) / gemm->out / GEMM_VNNI_ROWS * GEMM_VNNI_ROWS;
    if (gemm->kernel || rows > GEMM_ROWS_MAX)
        return GEMM_ROWS_MAX;
    return rows > GEMM_VNNI_ROWS ? rows : GEMM_VNNI_ROWS;
}

size_t gemm_out(const struct gemm *gemm) {
    return gemm->out;
}

size_t gemm_in(const struct gemm *gemm) {
    return gemm->in;
}

enum precision gemm_precision(const struct gemm *gemm) {
    return gemm->precision;
}

size_t gemm_bytes(const struct gemm *gemm) {
    return gemm->packed.len + (gemm->channel_scales ? 3 * gemm->out * sizeof(float) : 0);
}

/* ---- contexts */

static void unbind(struct binding **bindings) {
    for (size_t j = 0; *bindings && j < ROW_KERNELS; j++) {
        (void)dnnl_memory_destroy((*bindings)[j].x);
        (void)dnnl_memory_destroy((*bindings)[j].y);
        (void)dnnl_memory_destroy((*bindings)[j].scratch);
    }
    mem_free(*bindings);
    *bindings = NULL;
}

struct gemm_context *gemm_context_new(struct gemm_library *library) {
    struct gemm_context *context = MEM_NEW(struct gemm_context);
    context->library = library;
    omp_set_num_threads(1); /* of this thread: work is shared out above us */
    VSR_ASSERT(dnnl_stream_create(&context->stream, library->engine, dnnl_stream_default_flags) == dnnl_success);
    return context;
}

void gemm_context_free(struct gemm_context *context) {
    if (!context)
        return;
    for (size_t i = 0; i < KERNELS_MAX; i++)
        unbind(&context->bindings[i]);
    (void)dnnl_stream_destroy(context->stream);
    pages_free(&context->scratch);
    pages_free(&context->widened);
    pages_free(&context->product);
    mem_free(context);
}

static dnnl_status_t bind(const struct kernel *kernel, size_t i, dnnl_engine_t engine, struct binding *binding) {
    const dnnl_memory_desc_t *x = dnnl_primitive_desc_query_md(kernel->descs[i], dnnl_query_src_md, 0);
    const dnnl_memory_desc_t *y = dnnl_primitive_desc_query_md(kernel->descs[i], dnnl_query_dst_md, 0);
    const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(kernel->descs[i], dnnl_query_scratchpad_md, 0);
    dnnl_status_t status = dnnl_memory_create(&binding->x, x, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_memory_create(&binding->y, y, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_memory_create(&binding->scratch, scratch, engine, DNNL_MEMORY_NONE);
    return status;
}

static size_t scratch_len(const struct kernel *kernel) {
    size_t longest = 0;
    for (size_t i = 0; i < ROW_KERNELS; i++) {
        size_t len =
            dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(kernel->descs[i], dnnl_query_scratchpad_md, 0));
        longest = len > longest ? len : longest;
    }
    return longest;
}

/* Whether the kernel takes other numbers than the caller gives. */
static bool is_imitated(const struct gemm *gemm) {
    return gemm->precision == PRECISION_BF16 && gemm->kernel->precision == PRECISION_F32;
}

int gemm_prepare(const struct gemm *gemm, struct gemm_context *context, struct vsr_err *err) {
    const struct kernel *kernel = gemm->kernel;
    struct binding **bindings;
    dnnl_status_t status = dnnl_success;
    int rc;
    if (!kernel)
        return 0;
    bindings = &context->bindings[kernel->index];
    rc = pages_grow(&context->scratch, scratch_len(kernel), err);
    if (rc == 0 && (is_imitated(gemm) || kernel->least > 0))
        rc = pages_grow(&context->widened, GEMM_ROWS_MAX * gemm->in * sizeof(float), err);
    if (rc == 0 && kernel->least > 0)
        rc = pages_grow(&context->product, ((size_t)1 << kernel->least) * gemm->out * sizeof(float), err);
    if (rc < 0 || *bindings)
        return rc;
    *bindings = mem_alloc(ROW_KERNELS * sizeof(**bindings));
    for (size_t i = 0; status == dnnl_success && i < ROW_KERNELS; i++)
        status = bind(kernel, i, context->library->engine, &(*bindings)[i]);
    if (status == dnnl_success)
        return 0;
    unbind(bindings); /* half made: another try begins anew */
    return failed(err, status, "make memory objects");
}

/* ---- running */

static dnnl_status_t execute(const struct gemm *gemm, struct gemm_context *context, size_t i, const void *x, void *y) {
    const struct kernel *kernel = gemm->kernel;
    struct binding *binding = &context->bindings[kernel->index][i];
    const dnnl_exec_arg_t args[] = {
        { DNNL_ARG_SRC, binding->x },  { DNNL_ARG_WEIGHTS, gemm->weights },
        { DNNL_ARG_DST, binding->y },  { DNNL_ARG_SCRATCHPAD, binding->scratch },
        { DNNL_ARG_BIAS, gemm->bias },
    };
    dnnl_status_t status = dnnl_memory_set_data_handle(binding->x, (void *)(uintptr_t)x); /* is only read */
    if (status == dnnl_success)
        status = dnnl_memory_set_data_handle(binding->y, y);
    if (status == dnnl_success)
        status = dnnl_memory_set_data_handle(binding->scratch, context->scratch.data);
    if (status == dnnl_success)
        status = dnnl_primitive_execute(kernel->primitives[i], context->stream, gemm->bias ? 5 : 4, args);
    return status;
}

static struct rows_in describe_rows(const struct gemm *gemm, const float *scales, const void *y) {
    if (gemm->precision != PRECISION_INT8 || !gemm->kernel)
        return (struct rows_in){ .type = ROWS_F32, .data = y, .stride = gemm->out };
    return (struct rows_in){
        .type = ROWS_S32,
        .data = y,
        .stride = gemm->out,
        .bias = gemm->channel_bias,
        .compensation = gemm->compensation,
        .column_scale = gemm->channel_scales,
        .row_scale = scales,
    };
}

static const void *widen(const struct gemm *gemm, struct gemm_context *context, const uint16_t *x, size_t n) {
    float *wide = context->widened.data;
    for (size_t i = 0; i < n * gemm->in; i++)
        wide[i] = bf16_to_f32(x[i]);
    return wide;
}

static size_t x_len(enum precision precision) {
    return precision == PRECISION_F32 ? sizeof(float) : precision == PRECISION_BF16 ? sizeof(uint16_t) : 1;
}

static void run_own(const struct gemm *gemm, const void *x, const float *scales, size_t n, void *y) {
    const struct gemm_vnni matrix = {
        gemm->out, gemm->in, gemm->packed.data, gemm->compensation, gemm->channel_scales, gemm->channel_bias
    };
    gemm_vnni_run(&matrix, x, scales, n, y);
}

/* The largest kernel for no more than `n` rows; the least for too few. */
static size_t kernel_for(const struct kernel *kernel, size_t n) {
    unsigned fitting =
        kernel->usable & (n >= GEMM_ROWS_MAX ? ~0u : (1u << (64 - __builtin_clzll(n))) - 1); /* 2^i <= n */
    return fitting ? (size_t)(31 - __builtin_clz(fitting)) : kernel->least;
}

/* `n` rows, fewer than the kernel takes: zeros stand in for the others. */
static dnnl_status_t execute_filled(const struct gemm *gemm, struct gemm_context *context, size_t i, const void *x,
                                    size_t n, float *y) {
    float *rows = context->widened.data;
    dnnl_status_t status;
    if (x != rows)
        memcpy(rows, x, n * gemm->in * sizeof(*rows));
    memset(rows + n * gemm->in, 0, (((size_t)1 << i) - n) * gemm->in * sizeof(*rows));
    status = execute(gemm, context, i, rows, context->product.data);
    if (status == dnnl_success)
        memcpy(y, context->product.data, n * gemm->out * sizeof(*y));
    return status;
}

static int run_kernels(const struct gemm *gemm, struct gemm_context *context, const void *x, size_t n, void *y,
                       struct vsr_err *err) {
    size_t row_len = gemm->in * x_len(gemm->precision);
    const char *from = x;
    int rc = gemm_prepare(gemm, context, err);
    if (rc < 0)
        return rc;
    for (size_t done = 0, rows; done < n; done += rows) {
        size_t i = kernel_for(gemm->kernel, n - done), takes = (size_t)1 << i;
        const void *input = from + done * row_len;
        int32_t *output = (int32_t *)y + done * gemm->out; /* or f32, as long */
        dnnl_status_t status;
        rows = takes < n - done ? takes : n - done;
        if (is_imitated(gemm))
            input = widen(gemm, context, input, rows);
        status = rows == takes ? execute(gemm, context, i, input, output)
                               : execute_filled(gemm, context, i, input, rows, (float *)output);
        if (status != dnnl_success)
            return failed(err, status, "multiply");
    }
    return 0;
}

int gemm_run(const struct gemm *gemm, struct gemm_context *context, const void *x, const float *scales, size_t n,
             void *y, struct rows_in *ret_rows, struct vsr_err *err) {
    int rc = 0;
    if (gemm->kernel)
        rc = run_kernels(gemm, context, x, n, y, err);
    else
        run_own(gemm, x, scales, n, y);
    if (rc == 0)
        *ret_rows = describe_rows(gemm, scales, y);
    return rc;
}
