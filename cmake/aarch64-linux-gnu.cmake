# Cross-compiling for 64-bit ARM on Debian or Ubuntu: their cross compiler and the arm64 libraries of multiarch
# (packaging/install-deps.sh aarch64 installs both). What is built runs under qemu-user, ctest's programs included:
# the arm64 C library lies at its place in /lib, so the emulator needs no other root.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
find_program(RAYO_QEMU_AARCH64 NAMES qemu-aarch64 qemu-aarch64-static)
mark_as_advanced(RAYO_QEMU_AARCH64)
if(RAYO_QEMU_AARCH64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${RAYO_QEMU_AARCH64})
endif()

# Headers are shared between architectures; libraries and CMake packages of the host must not be found.
set(CMAKE_IGNORE_PREFIX_PATH /usr/local)
set(CMAKE_IGNORE_PATH /usr/lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu/cmake /usr/lib/x86_64-linux-gnu/pkgconfig
    /lib/x86_64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
