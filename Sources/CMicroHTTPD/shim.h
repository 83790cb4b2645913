#include <microhttpd.h>

/* MHD_start_daemon is variadic, which Swift cannot call. */

struct CMicroHTTPD_Options {
    int listen_socket;
    unsigned int threads;
    unsigned int connections_max;
    unsigned int connections_per_address_max; /* 0: no limit of its own */
    unsigned int timeout_seconds;
    size_t connection_memory_bytes;
    const char *certificate_pem; /* NULL: no TLS */
    const char *key_pem;
};

/* `context` is the first argument of each callback. */
static inline struct MHD_Daemon *CMicroHTTPD_start(
    const struct CMicroHTTPD_Options *options, void *context,
    void *(*uri)(void *, const char *, struct MHD_Connection *),
    MHD_AccessHandlerCallback handle, MHD_RequestCompletedCallback completed)
{
    /* TLS 1.2 and 1.3 with what GnuTLS holds to be good in them. */
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->certificate_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key_pem},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    if (options->certificate_pem != NULL) flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, handle, context,
        MHD_OPTION_URI_LOG_CALLBACK, uri, context,
        MHD_OPTION_NOTIFY_COMPLETED, completed, context,
        MHD_OPTION_LISTEN_SOCKET, options->listen_socket,
        MHD_OPTION_THREAD_POOL_SIZE, options->threads,
        MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->connections_per_address_max,
        MHD_OPTION_CONNECTION_TIMEOUT, options->timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->connection_memory_bytes,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_ARRAY, options->certificate_pem != NULL ? tls : none,
        MHD_OPTION_END);
}

/* MHD_get_connection_info is variadic too. -1 when unknown. */
static inline int CMicroHTTPD_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : (int)info->connect_fd;
}

/* The client's address, good as long as the connection; NULL when unknown. */
static inline const struct sockaddr *CMicroHTTPD_address(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info == NULL ? NULL : info->client_addr;
}

/* Macros with casts, which Swift does not see. */
static inline uint64_t CMicroHTTPD_unknownSize(void) { return MHD_SIZE_UNKNOWN; }
static inline ssize_t CMicroHTTPD_endOfStream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t CMicroHTTPD_endWithError(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }
