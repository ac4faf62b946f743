/*
 * mailbox - brings what has ended on other threads back to a loop.
 *
 * A letter is part of what ended. While the mailbox is open its open() runs on the loop's thread; what comes later, or
 * waits when the mailbox is closed, is opened there and then with `late`: whoever waited is gone, and the letter only
 * frees what it is part of. So work that nobody can take back any more outlives the loop that asked for it.
 */
#ifndef VSR_EVIDENCE_MAILBOX_H
#define VSR_EVIDENCE_MAILBOX_H

#include <stdbool.h>

struct loop;
struct mailbox;

struct letter {
    struct letter *next;
    void (*open)(struct letter *letter, bool late);
};

/* Keeps `loop`. Loop thread, as is closing. */
struct mailbox *mailbox_new(struct loop *loop);
/* The loop runs no more. The mailbox is freed once every letter that was promised has come. NULL is allowed. */
void mailbox_close(struct mailbox *mailbox);

/* A letter will come: exactly one mailbox_post() or mailbox_take_back() follows. Loop thread. */
void mailbox_promise(struct mailbox *mailbox);
/* Loop thread: it will not come after all. */
void mailbox_take_back(struct mailbox *mailbox);

/* Any thread. */
void mailbox_post(struct mailbox *mailbox, struct letter *letter);

#endif
