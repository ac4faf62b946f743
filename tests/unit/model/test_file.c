#include "model/file.h"

#include <errno.h>
#include <fcntl.h>

#include "core/buf.h"
#include "files.h"

static void collect(void *data, vsr_str bytes) {
    (void)buf_append(data, bytes);
}

TEST(copied) {
    struct file_failure failure;
    struct tree tree;
    struct buf seen;
    char bytes[16] = "";
    tree_make(&tree);
    tree_text(&tree, "from", "what is there");
    buf_init(&seen, 64);
    FILE_AUTO from = open(tree_path(&tree, "from"), O_RDONLY);
    FILE_AUTO to = open(tree_path(&tree, "to"), O_RDWR | O_CREAT, 0644);
    CHECK_INT(file_copy(from, to, collect, &seen, &failure), 0, "copied");
    CHECK_STR(buf_str(&seen), "what is there", "seen");
    CHECK(pread(to, bytes, sizeof(bytes), 0) == 13 && strcmp(bytes, "what is there") == 0, "written");
    buf_done(&seen);
    tree_remove(&tree);
}

/* A device that is full, and a directory, which cannot be read. */
TEST(which_side_failed) {
    struct file_failure failure;
    struct tree tree;
    tree_make(&tree);
    tree_text(&tree, "from", "what is there");
    FILE_AUTO from = open(tree_path(&tree, "from"), O_RDONLY);
    FILE_AUTO full = open("/dev/full", O_WRONLY);
    FILE_AUTO directory = open(tree.root, O_RDONLY);
    FILE_AUTO to = open(tree_path(&tree, "to"), O_WRONLY | O_CREAT, 0644);
    CHECK(from >= 0 && full >= 0 && directory >= 0 && to >= 0, "opened");
    CHECK_INT(file_copy(from, full, NULL, NULL, &failure), VSR_E_IO, "full");
    CHECK_INT(failure.side, FILE_SIDE_TO, "full");
    CHECK_INT(failure.error, ENOSPC, "full");
    CHECK_INT(file_copy(directory, to, NULL, NULL, &failure), VSR_E_IO, "a directory");
    CHECK_INT(failure.side, FILE_SIDE_FROM, "a directory");
    CHECK_INT(failure.error, EISDIR, "a directory");
    tree_remove(&tree);
}

RUN_TESTS(T(copied), T(which_side_failed))
