#include <sqlite3.h>

/* SQLITE_TRANSIENT is a cast, which Swift does not see: the library copies the text before this returns. */
static inline int CSQLite_bind_text(sqlite3_stmt *statement, int index, const char *text, int byte_count) {
    return sqlite3_bind_text(statement, index, text, byte_count, SQLITE_TRANSIENT);
}
