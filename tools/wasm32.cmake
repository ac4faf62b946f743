# Builds for WebAssembly with Debian's clang, lld and wasi-libc. The sysroot is made of links, so that no header of this
# machine's own C library is found.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(wasm_sysroot ${CMAKE_BINARY_DIR}/sysroot)
file(MAKE_DIRECTORY ${wasm_sysroot}/include ${wasm_sysroot}/lib)
foreach(part include lib)
    file(CREATE_LINK /usr/${part}/wasm32-wasi ${wasm_sysroot}/${part}/wasm32-wasi SYMBOLIC)
endforeach()
set(CMAKE_SYSROOT ${wasm_sysroot})
