#pragma once
#include <sys/eventfd.h>
#include <zmq.h>

// ZeroMQ numbers its own errors from a cast-free sum of macros, which Swift may not import; a constant it does.
static const int millrace_zmq_terminated = ETERM;
static const int millrace_eventfd_flags = EFD_NONBLOCK | EFD_CLOEXEC;
