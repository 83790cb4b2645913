// glibc's mallopt, which the toolchain's own Glibc module leaves out. Delete when it does not.
#include <malloc.h>
