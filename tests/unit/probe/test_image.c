/* Pictures: containers of every kind, whole, cut at every byte, moving, too large; base64; fixtures with their digests.
 */
#include "suites.h"

#include <openssl/sha.h>
#include <string.h>

#include "probe/image.h"

/* ---- files, made here: the containers are whole, pixels are only where a container needs some */

enum { FILE_LEN_MAX = 256 };

struct file {
    unsigned char bytes[FILE_LEN_MAX];
    size_t len;
};

static void add(struct file *file, const char *bytes, size_t len) {
    CHECK_MSG(file->len + len <= FILE_LEN_MAX, "the file grows too large");
    memcpy(file->bytes + file->len, bytes, len);
    file->len += len;
}

#define ADD(file, literal) add((file), (literal), sizeof(literal) - 1)

static void add_number(struct file *file, uint32_t value, size_t n_bytes, bool big) {
    for (size_t i = 0; i < n_bytes; i++) {
        char byte = (char)(value >> 8 * (big ? n_bytes - 1 - i : i));
        add(file, &byte, 1);
    }
}

static void add_chunk(struct file *file, const char *type, const char *data, size_t len) {
    add_number(file, (uint32_t)len, 4, true);
    add(file, type, 4);
    add(file, data, len);
    ADD(file, "\0\0\0\0"); /* the checksum is not looked at */
}

static void begin_png(struct file *file, uint32_t width, uint32_t height) {
    *file = (struct file){ 0 };
    ADD(file, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    add_number(file, width, 4, true);
    add_number(file, height, 4, true);
    ADD(file, "\x08\0\0\0\0\0\0\0\0");
}

static void make_png(struct file *file, uint32_t width, uint32_t height) {
    begin_png(file, width, height);
    add_chunk(file, "IDAT", "\x78\x9c\x63\0\0\0\x02\0\x01", 9);
    add_chunk(file, "IEND", "", 0);
}

static void make_moving_png(struct file *file) {
    begin_png(file, 1, 1);
    add_chunk(file, "acTL", "\0\0\0\x02\0\0\0\0", 8);
    add_chunk(file, "IDAT", "\x78\x9c\x63\0\0\0\x02\0\x01", 9);
    add_chunk(file, "IEND", "", 0);
}

static void make_jpeg(struct file *file, uint32_t width, uint32_t height) {
    *file = (struct file){ 0 };
    ADD(file, "\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    ADD(file, "\xff\xff\xc0\0\x0b\x08"); /* a fill byte, then the frame */
    add_number(file, height, 2, true);
    add_number(file, width, 2, true);
    ADD(file, "\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0\0\xff\xd9");
}

static void add_gif_frame(struct file *file) {
    ADD(file, "\x21\xf9\x04\0\0\0\0\0"); /* an extension */
    ADD(file, "\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0");
}

static void make_gif(struct file *file, uint32_t width, uint32_t height, size_t n_frames) {
    *file = (struct file){ 0 };
    ADD(file, "GIF89a");
    add_number(file, width, 2, false);
    add_number(file, height, 2, false);
    ADD(file, "\x80\0\0\0\0\0\xff\xff\xff"); /* a table of two colours */
    for (size_t i = 0; i < n_frames; i++)
        add_gif_frame(file);
    ADD(file, ";");
}

static void make_webp(struct file *file, const char *type, const char *data, size_t len) {
    *file = (struct file){ 0 };
    ADD(file, "RIFF");
    add_number(file, (uint32_t)(4 + 8 + len + (len & 1)), 4, false);
    ADD(file, "WEBP");
    add(file, type, 4);
    add_number(file, (uint32_t)len, 4, false);
    add(file, data, len);
    if (len & 1)
        ADD(file, "\0");
}

static void make_lossless_webp(struct file *file, uint32_t width, uint32_t height) {
    uint32_t bits = (width - 1) | (height - 1) << 14;
    char data[5] = { 0x2f, (char)bits, (char)(bits >> 8), (char)(bits >> 16), (char)(bits >> 24) };
    make_webp(file, "VP8L", data, sizeof(data));
}

static void make_large_webp(struct file *file, uint32_t width, uint32_t height, char flags) {
    char data[10] = { flags };
    for (size_t i = 0; i < 3; i++) {
        data[4 + i] = (char)((width - 1) >> 8 * i);
        data[7 + i] = (char)((height - 1) >> 8 * i);
    }
    make_webp(file, "VP8X", data, sizeof(data));
}

static void make_lossy_webp(struct file *file) {
    make_webp(file, "VP8 ", "\x10\x02\0\x9d\x01\x2a\x01\0\x01\0", 10);
}

static const char *fault(const struct file *file, const char *type) {
    return probe_image_fault(str_make((const char *)file->bytes, file->len), str_from_c(type));
}

static void check(const struct file *file, const char *type, const char *want, const char *name) {
    const char *got = fault(file, type);
    CHECK_STR(str_from_c(got ? got : "fine"), want ? want : "fine", name);
}

/* ---- containers */

/* Every file that begins like `file` and ends early is refused; one behind its end is looked at in exact memory. */
static void check_cut(const struct file *file, const char *type) {
    for (size_t len = 0; len < file->len; len++) {
        char *bytes = malloc(len + !len); /* so that a sanitizer sees a read past the end */
        memcpy(bytes, file->bytes, len);
        CHECK_MSG(probe_image_fault(str_make(bytes, len), str_from_c(type)), "%s of %zu bytes is cut, and fine", type,
                  len);
        free(bytes);
    }
}

TEST(whole_files_are_fine_and_cut_ones_are_not) {
    struct file file;
    make_png(&file, 1, 1);
    check(&file, "image/png", NULL, "png");
    check_cut(&file, "image/png");
    make_jpeg(&file, 1, 1);
    check(&file, "image/jpeg", NULL, "jpeg");
    check_cut(&file, "image/jpeg");
    make_gif(&file, 1, 1, 1);
    check(&file, "image/gif", NULL, "gif");
    check_cut(&file, "image/gif");
    make_lossless_webp(&file, 1, 1);
    check(&file, "image/webp", NULL, "lossless webp");
    check_cut(&file, "image/webp");
    make_large_webp(&file, 1, 1, 0);
    check(&file, "image/webp", NULL, "large webp");
    check_cut(&file, "image/webp");
    make_lossy_webp(&file);
    check(&file, "image/webp", NULL, "lossy webp");
    check_cut(&file, "image/webp");
}

TEST(moving_pictures_are_refused) {
    struct file file;
    make_moving_png(&file);
    check(&file, "image/png", "it moves", "png");
    make_gif(&file, 1, 1, 2);
    check(&file, "image/gif", "it moves", "gif");
    make_large_webp(&file, 1, 1, 0x02);
    check(&file, "image/webp", "it moves", "webp");
}

TEST(sizes) {
    static const struct {
        uint32_t width, height;
        const char *want;
    } cases[] = {
        { 8192, 2048, NULL },           { 2048, 8192, NULL },           { 4096, 4096, NULL },
        { 8193, 1, "it is too large" }, { 1, 8193, "it is too large" }, { 4097, 4096, "it is too large" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        uint32_t width = cases[i].width, height = cases[i].height;
        struct file file;
        char name[64];
        snprintf(name, sizeof(name), "%u x %u", width, height);
        make_png(&file, width, height);
        check(&file, "image/png", cases[i].want, name);
        make_jpeg(&file, width, height);
        check(&file, "image/jpeg", cases[i].want, name);
        make_gif(&file, width, height, 1);
        check(&file, "image/gif", cases[i].want, name);
        make_lossless_webp(&file, width, height);
        check(&file, "image/webp", cases[i].want, name);
        make_large_webp(&file, width, height, 0);
        check(&file, "image/webp", cases[i].want, name);
    }
}

TEST(no_size) {
    struct file file;
    make_png(&file, 0, 1);
    check(&file, "image/png", "it has no size", "png");
    make_png(&file, UINT32_MAX, UINT32_MAX);
    check(&file, "image/png", "it is too large", "png of all bits");
    make_jpeg(&file, 1, 0);
    check(&file, "image/jpeg", "it has no size", "jpeg");
    make_gif(&file, 0, 0, 1);
    check(&file, "image/gif", "it has no size", "gif");
}

TEST(one_kind_is_not_another) {
    static const char *const types[] = { "image/png", "image/jpeg", "image/gif", "image/webp" };
    struct file files[4];
    make_png(&files[0], 1, 1);
    make_jpeg(&files[1], 1, 1);
    make_gif(&files[2], 1, 1, 1);
    make_lossless_webp(&files[3], 1, 1);
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++)
            CHECK_MSG(!fault(&files[i], types[k]) == (i == k), "%s as %s", types[i], types[k]);
        check(&files[i], "image/bmp", "its media_type is none of image/png, image/jpeg, image/gif, image/webp", "bmp");
    }
}

TEST(damage) {
    struct file file;
    begin_png(&file, 1, 1);
    add_chunk(&file, "IEND", "", 0);
    check(&file, "image/png", "it has no pixels", "png without pixels");
    make_png(&file, 1, 1);
    ADD(&file, "more");
    check(&file, "image/png", "there is something behind its end", "png with more");
    begin_png(&file, 1, 1);
    ADD(&file, "\xff\xff\xff\xffIDAT\0\0\0\0");
    check(&file, "image/png", "it is cut off", "png with a chunk of 4 GiB");
    make_gif(&file, 1, 1, 0);
    check(&file, "image/gif", "it is cut off", "gif without a frame");
    make_webp(&file, "VP8L", "\x2e\0\0\0\0", 5);
    check(&file, "image/webp", "it is damaged", "webp of another signature");
    file = (struct file){ 0 };
    ADD(&file, "\xff\xd8\xff\xd9");
    check(&file, "image/jpeg", "it has no frame", "jpeg without a frame");
}

/* ---- base64 */

TEST(base64) {
    static const struct {
        const char *text, *want; /* NULL: refused */
    } cases[] = {
        { "Zm9v", "foo" }, { "Zm8=", "fo" },     { "Zg==", "f" },  { "Zm9vYmFy", "foobar" }, { "+/+/", "\xfb\xff\xbf" },
        { "", NULL },      { "Zm9", NULL },      { "Zm8", NULL },  { "Zh==", NULL },         { "Zm9=", NULL },
        { "Z===", NULL },  { "====", NULL },     { "Zm 9", NULL }, { "Zm9v\n", NULL },       { "Zm9v\n\n\n\n", NULL },
        { "-_-_", NULL },  { "Zg==Zg==", NULL }, { "=Zm9", NULL }, { "Zm=v", NULL },         { "Zm9\xc3", NULL },
    };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str bytes = VSR_STR("");
        bool ok = probe_base64(arena, str_from_c(cases[i].text), &bytes);
        CHECK_INT(ok, cases[i].want != NULL, cases[i].text);
        CHECK_STR(bytes, cases[i].want ? cases[i].want : "", cases[i].text);
    }
    arena_free(arena);
}

/* ---- fixtures */

static void encode(const struct file *file, struct buf *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < file->len; i += 3) {
        size_t n = file->len - i;
        uint32_t bits = (uint32_t)file->bytes[i] << 16 | (n > 1 ? (uint32_t)file->bytes[i + 1] << 8 : 0) |
                        (n > 2 ? file->bytes[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_append_char(out, k > n ? '=' : digits[bits >> (18 - 6 * k) & 63]);
    }
}

/* What is said of a suite with this picture. */
static void check_fixture(const char *id, size_t description_len, const struct file *file, int flip, const char *want,
                          const char *name) {
    struct suite_fixture f;
    struct buf text;
    unsigned char sum[SHA256_DIGEST_LENGTH];
    buf_init(&text, SUITES_TEXT_LEN_MAX);
    buf_append_c(&text, SUITE_HEAD SUITE_COVERAGE
                 "decisions: [{id: d, expected_decision: d, variants: [{id: v, query: q}]}]\nfixtures: {images: {");
    buf_printf(&text, "%s: {description: \"", id);
    for (size_t i = 0; i < description_len; i++)
        buf_append_c(&text, "\xc3\xa9");
    buf_append_c(&text, "\", media_type: image/png, data_base64: \"");
    encode(file, &text);
    buf_append_c(&text, "\", sha256: \"sha256:");
    SHA256(file->bytes, file->len, sum);
    sum[31] ^= (unsigned char)flip;
    for (size_t i = 0; i < sizeof(sum); i++)
        buf_printf(&text, "%02x", sum[i]);
    buf_append_c(&text, "\"}}}\n");
    suite_read(&f, buf_str(&text));
    CHECK_INT(f.suite == NULL, want != NULL, name);
    CHECK_MSG(!want || str_find(buf_str(&f.problems), str_from_c(want)) >= 0, "case \"%s\": %.*s", name,
              (int)f.problems.len, f.problems.ptr);
    if (!want)
        CHECK(probe_image(f.suite, str_from_c(id)) && !probe_image(f.suite, VSR_STR("nobody")), name);
    suite_done(&f);
    buf_done(&text);
}

TEST(fixtures) {
    char longest[129 + 1] = { 0 };
    struct file file;
    make_png(&file, 1, 1);
    memset(longest, 'a', 128);
    check_fixture("A.b_c-9", 1, &file, 0, NULL, "fine");
    check_fixture(longest, 512, &file, 0, NULL, "at both limits");
    longest[128] = 'a';
    check_fixture(longest, 1, &file, 0, "the name must be", "a name too long");
    check_fixture("_a", 1, &file, 0, "the name must be", "a name that begins with a mark");
    check_fixture("a b", 1, &file, 0, "the name must be", "a name with a blank");
    check_fixture("a", 513, &file, 0, "longer than 512 characters", "a long description");
    check_fixture("a", 1, &file, 1, "sha256 is not the digest", "another digest");
    make_gif(&file, 1, 1, 1);
    check_fixture("a", 1, &file, 0, "it is no PNG", "another kind");
}

RUN_TESTS(T(whole_files_are_fine_and_cut_ones_are_not), T(moving_pictures_are_refused), T(sizes), T(no_size),
          T(one_kind_is_not_another), T(damage), T(base64), T(fixtures))
