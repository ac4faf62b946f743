/*
 * Pictures of every kind, scaled as Pillow does it (tests/nn/pictures.py wrote what that gives); cut at every byte,
 * damaged at every byte, moving, too large.
 */
#include "nn/picture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fd.h"
#include "nn/picture_scale.h"
#include "test.h"

enum { SIDE = 16, SCALED_LEN = SIDE * SIDE * PICTURE_CHANNELS, FILE_LEN_MAX = 1 << 16 };

struct file {
    char bytes[FILE_LEN_MAX];
    size_t len;
};

static vsr_str file_str(const struct file *file) {
    return str_make(file->bytes, file->len);
}

static void read_fixture(const char *name, const char *end, struct file *file) {
    const char *source = getenv("VSR_TEST_SOURCE");
    char path[4096];
    ssize_t n;
    int fd;
    (void)snprintf(path, sizeof(path), "%s/tests/fixtures/pictures/%s%s", source ? source : ".", name, end);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, file->bytes, sizeof(file->bytes));
    CHECK_MSG(n > 0, "cannot read %s", path);
    file->len = (size_t)n;
    close(fd);
}

/* Lossy formats are undone by a library that may be another one than Pillow has: its last bit is its own. */
static const struct {
    const char *name;
    int tolerance;
} files[] = {
    { "rgb.png", 0 },           { "small.png", 0 },       { "one.png", 0 },       { "alpha.png", 0 },
    { "grey.png", 0 },          { "grey-alpha.png", 0 },  { "bits.png", 0 },      { "palette.png", 0 },
    { "palette-alpha.png", 0 }, { "interlaced.png", 0 },  { "deep.png", 0 },      { "noted.png", 0 },
    { "plain.jpg", 1 },         { "progressive.jpg", 1 }, { "full.jpg", 1 },      { "grey.jpg", 1 },
    { "inks.jpg", 2 },          { "lossy.webp", 1 },      { "lossless.webp", 0 }, { "alpha.webp", 0 },
    { "plain.gif", 0 },         { "woven.gif", 0 },       { "few.gif", 0 },       { "clear.gif", 0 },
    { "inner.gif", 0 },         { "noise.gif", 0 },
};

TEST(every_kind) {
    static struct file file, want;
    for (size_t i = 0; i < VSR_COUNT(files); i++) {
        struct vsr_err err = VSR_ERR_NONE;
        uint8_t got[SCALED_LEN];
        int worst = 0;
        read_fixture(files[i].name, "", &file);
        read_fixture(files[i].name, ".rgb", &want);
        CHECK_INT(want.len, SCALED_LEN, files[i].name);
        CHECK_MSG(picture_scale(file_str(&file), SIDE, SIDE, got, &err) == 0, "%s: %s", files[i].name, err.text);
        for (size_t k = 0; k < SCALED_LEN; k++) {
            int distance = abs((int)got[k] - (int)(uint8_t)want.bytes[k]);
            worst = distance > worst ? distance : worst;
        }
        CHECK_MSG(worst <= files[i].tolerance, "%s: a colour differs by %d", files[i].name, worst);
    }
}

/* ---- rows */

struct counted {
    size_t width, height, rows;
};

static int count_begin(void *data, size_t width, size_t height, struct vsr_err *err) {
    struct counted *counted = data;
    (void)err;
    counted->width = width;
    counted->height = height;
    return 0;
}

static void count_row(void *data, const uint8_t *rgb) {
    struct counted *counted = data;
    volatile uint8_t last = rgb[counted->width * PICTURE_CHANNELS - 1]; /* all of it can be read */
    (void)last;
    counted->rows++;
}

static int count(vsr_str bytes, struct counted *counted, struct vsr_err *err) {
    const struct picture_sink sink = { .begin = count_begin, .row = count_row, .data = counted };
    *counted = (struct counted){ 0 };
    return picture_read(bytes, &sink, err);
}

static int refuse(void *data, size_t width, size_t height, struct vsr_err *err) {
    (void)data;
    (void)width;
    (void)height;
    return err_set(err, VSR_E_CANCELLED, "not wanted");
}

TEST(rows_and_sizes) {
    static const char *const names[] = { "rgb.png",         "interlaced.png", "plain.jpg",
                                         "progressive.jpg", "lossy.webp",     "plain.gif" };
    static struct file file;
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        const struct picture_sink none = { .begin = refuse, .row = count_row };
        struct vsr_err err = VSR_ERR_NONE;
        struct counted counted;
        read_fixture(names[i], "", &file);
        CHECK_MSG(count(file_str(&file), &counted, &err) == 0, "%s: %s", names[i], err.text);
        CHECK_INT(counted.width, 53, names[i]);
        CHECK_INT(counted.height, 31, names[i]);
        CHECK_INT(counted.rows, 31, names[i]);
        CHECK_INT(picture_read(file_str(&file), &none, &err), VSR_E_CANCELLED, names[i]);
    }
}

/* ---- what is not read */

TEST(refused) {
    static const struct {
        const char *name;
        int code;
        const char *says;
    } cases[] = {
        { "moving.png", VSR_E_INVALID, "PNG: the picture moves (3 frames)" },
        { "moving.webp", VSR_E_INVALID, "WebP: the picture moves" },
        { "moving.gif", VSR_E_INVALID, "GIF: the picture moves" },
        { "vast.png", VSR_E_LIMIT, "60000 x 60000 pixels" },
        { "surplus.png", VSR_E_INVALID, "more pixels than it says" },
    };
    static struct file file;
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct vsr_err err = VSR_ERR_NONE;
        struct counted counted;
        read_fixture(cases[i].name, "", &file);
        CHECK_INT(count(file_str(&file), &counted, &err), cases[i].code, cases[i].name);
        CHECK_MSG(strstr(err.text, cases[i].says) != NULL, "%s: %s", cases[i].name, err.text);
        CHECK_INT(counted.rows, 0, cases[i].name);
    }
}

/* A file of 70 bytes that says how long its rows are, which would be 768 MB. */
TEST(sizes_are_checked_before_there_is_room) {
    enum { MOST_KB = 128 << 10 };
    static struct file file;
    struct vsr_err err = VSR_ERR_NONE;
    struct rusage before, after;
    struct counted counted;
    read_fixture("broad.png", "", &file);
    CHECK_INT(getrusage(RUSAGE_SELF, &before), 0, "before");
    CHECK_INT(count(file_str(&file), &counted, &err), VSR_E_LIMIT, "too broad");
    CHECK_INT(getrusage(RUSAGE_SELF, &after), 0, "after");
    CHECK_MSG(strstr(err.text, "268435455 x 1 pixels") != NULL, "%s", err.text);
    CHECK_MSG(after.ru_maxrss - before.ru_maxrss < MOST_KB, "it took %ld KB", after.ru_maxrss - before.ru_maxrss);
}

TEST(no_picture) {
    struct vsr_err err = VSR_ERR_NONE;
    struct counted counted;
    uint8_t rgb[SCALED_LEN];
    char *large = calloc(1, (size_t)PICTURE_LEN_MAX + 1);
    CHECK_INT(count(VSR_STR(""), &counted, &err), VSR_E_INVALID, "empty");
    CHECK_INT(count(VSR_STR("a text"), &counted, &err), VSR_E_INVALID, "a text");
    memcpy(large, "\xff\xd8\xff", 3);
    CHECK_INT(count(str_make(large, (size_t)PICTURE_LEN_MAX + 1), &counted, &err), VSR_E_LIMIT, "one byte too long");
    CHECK_INT(count(str_make(large, PICTURE_LEN_MAX), &counted, &err), VSR_E_INVALID, "as long as can be");
    CHECK_INT(picture_scale(VSR_STR("x"), 0, SIDE, rgb, &err), VSR_E_LIMIT, "no side");
    CHECK_INT(picture_scale(VSR_STR("x"), SIDE, PICTURE_SCALED_SIDE_MAX + 1, rgb, &err), VSR_E_LIMIT, "a long side");
    free(large);
}

TEST(cut_at_every_byte) {
    static struct file file;
    for (size_t i = 0; i < VSR_COUNT(files); i++) {
        read_fixture(files[i].name, "", &file);
        for (size_t n = 0; n < file.len; n++) {
            struct vsr_err err = VSR_ERR_NONE;
            struct counted counted;
            char *cut = malloc(n + 1); /* so that what lies behind is noticed */
            int rc;
            memcpy(cut, file.bytes, n);
            rc = count(str_make(cut, n), &counted, &err);
            CHECK_MSG(rc == VSR_E_INVALID && err.text[0], "%s cut to %zu of %zu bytes: %d", files[i].name, n, file.len,
                      rc);
            free(cut);
        }
    }
}

/* Something comes of it or not, but nothing else happens. */
TEST(damaged_at_every_byte) {
    static struct file file;
    for (size_t i = 0; i < VSR_COUNT(files); i++) {
        read_fixture(files[i].name, "", &file);
        for (size_t n = 0; n < file.len; n++) {
            struct vsr_err err = VSR_ERR_NONE;
            struct counted counted;
            char kept = file.bytes[n];
            int rc;
            file.bytes[n] = (char)(kept ^ (n % 3 == 0 ? 0xff : 1 << n % 8));
            rc = count(file_str(&file), &counted, &err);
            CHECK_MSG(rc == VSR_E_INVALID || rc == VSR_E_LIMIT || (rc == 0 && counted.rows == counted.height),
                      "%s damaged at %zu: %d, %s", files[i].name, n, rc, err.text);
            file.bytes[n] = kept;
        }
    }
}

RUN_TESTS(T(every_kind), T(rows_and_sizes), T(refused), T(sizes_are_checked_before_there_is_room), T(no_picture),
          T(cut_at_every_byte), T(damaged_at_every_byte))
