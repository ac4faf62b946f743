/*
 * banned - functions that nobody calls here, as compile errors.
 *
 * Included last by CMake's -include for our own sources, after the system headers that declare them.
 */
#ifndef VSR_CORE_BANNED_H
#define VSR_CORE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets gmtime localtime ctime asctime atoi atol \
    atof

#endif
