#include <sys/prctl.h>
#include <uv.h>

// prctl is variadic, which Swift cannot call. Delete when the toolchain imports it.
static inline int tidemark_die_with_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }
