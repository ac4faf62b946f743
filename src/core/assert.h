/*
 * assert - what the programmer guarantees.
 *
 * Always on; prints expression, place and a backtrace-friendly abort. Never used on input. VSR_DEBUG_ASSERT is for
 * checks too dear for a release build.
 */
#ifndef VSR_CORE_ASSERT_H
#define VSR_CORE_ASSERT_H

#include <stddef.h>

__attribute__((noreturn, cold)) void vsr_assert_failed(const char *expr, const char *file, int line);
/* Out of memory where no sensible state remains. */
__attribute__((noreturn, cold)) void vsr_out_of_memory(size_t len);

#define VSR_ASSERT(expr) \
    do { \
        if (__builtin_expect(!(expr), 0)) \
            vsr_assert_failed(#expr, __FILE__, __LINE__); \
    } while (0)

#ifdef NDEBUG
#define VSR_DEBUG_ASSERT(expr) ((void)0)
#else
#define VSR_DEBUG_ASSERT(expr) VSR_ASSERT(expr)
#endif

#endif
