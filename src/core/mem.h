/*
 * mem - heap memory for objects that outlive an arena: connections, pools, parsers. Any thread.
 */
#ifndef VSR_CORE_MEM_H
#define VSR_CORE_MEM_H

#include <stddef.h>

/* Zeroed. Aborts without memory: for objects whose number is bounded by a limit. Free with mem_free(). */
void *mem_alloc(size_t len);
#define MEM_NEW(type) ((type *)mem_alloc(sizeof(type)))

/* NULL without memory: for sizes that a peer chooses. Not zeroed. */
void *mem_try_realloc(void *old, size_t len);

/* NULL is allowed. */
void mem_free(void *ptr);

#endif
