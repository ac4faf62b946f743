/*
 * build_info - what CMake knew when it configured this program. Static; any thread.
 */
#ifndef VSR_CLI_BUILD_INFO_H
#define VSR_CLI_BUILD_INFO_H

extern const char build_info_commit[]; /* `git describe`; "" outside a checkout */
extern const char build_info_type[];   /* "Release", ... */

/* recipes/demo/config.yaml. */
extern const unsigned char build_info_demo[];
extern const unsigned build_info_demo_len;

#endif
