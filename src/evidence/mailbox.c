#include "evidence/mailbox.h"

#include <pthread.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/loop.h"

struct mailbox {
    struct loop *loop;
    pthread_mutex_t lock; /* guards the rest */
    struct letter *first, **end;
    size_t n_promised; /* letters that are yet to come */
    bool closed;
};

static void lock(struct mailbox *mailbox) {
    (void)pthread_mutex_lock(&mailbox->lock); /* fails only for a mutex that is none */
}

/* With the lock, which it gives up. */
static void unlock_or_free(struct mailbox *mailbox) {
    bool over = mailbox->closed && mailbox->n_promised == 0;
    (void)pthread_mutex_unlock(&mailbox->lock);
    if (!over)
        return;
    (void)pthread_mutex_destroy(&mailbox->lock);
    mem_free(mailbox);
}

static struct letter *take_all(struct mailbox *mailbox) {
    struct letter *first = mailbox->first;
    mailbox->first = NULL;
    mailbox->end = &mailbox->first;
    return first;
}

static void open_all(struct letter *letter, bool late) {
    while (letter) {
        struct letter *next = letter->next;
        letter->open(letter, late);
        letter = next;
    }
}

struct mailbox *mailbox_new(struct loop *loop) {
    struct mailbox *mailbox = MEM_NEW(struct mailbox);
    (void)pthread_mutex_init(&mailbox->lock, NULL); /* default attributes cannot fail */
    mailbox->loop = loop;
    mailbox->end = &mailbox->first;
    return mailbox;
}

void mailbox_close(struct mailbox *mailbox) {
    struct letter *rest;
    if (!mailbox)
        return;
    lock(mailbox);
    mailbox->closed = true;
    rest = take_all(mailbox);
    unlock_or_free(mailbox);
    open_all(rest, true);
}

void mailbox_promise(struct mailbox *mailbox) {
    lock(mailbox);
    VSR_ASSERT(!mailbox->closed);
    mailbox->n_promised++;
    unlock_or_free(mailbox);
}

void mailbox_take_back(struct mailbox *mailbox) {
    lock(mailbox);
    VSR_ASSERT(mailbox->n_promised > 0);
    mailbox->n_promised--;
    unlock_or_free(mailbox);
}

static void on_loop(void *data) {
    struct mailbox *mailbox = data;
    struct letter *letters;
    lock(mailbox);
    letters = take_all(mailbox);
    unlock_or_free(mailbox);
    open_all(letters, false);
}

void mailbox_post(struct mailbox *mailbox, struct letter *letter) {
    bool late;
    lock(mailbox);
    VSR_ASSERT(mailbox->n_promised > 0);
    mailbox->n_promised--;
    late = mailbox->closed;
    letter->next = NULL;
    if (!late) {
        if (!mailbox->first)
            loop_post(mailbox->loop, on_loop, mailbox);
        *mailbox->end = letter;
        mailbox->end = &letter->next;
    }
    unlock_or_free(mailbox);
    if (late)
        letter->open(letter, true);
}
