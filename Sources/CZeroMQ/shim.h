#pragma once
#include <sys/eventfd.h>
#include <zmq.h>

// Swift does not import macros that are sums of other macros, nor those that name enumerators; constants it does.
static const int millrace_zmq_terminated = ETERM;
// libzmq's stable releases have the option, but name it only for those who ask for its drafts.
static const int millrace_zmq_zap_enforce_domain = 93;
static const int millrace_eventfd_flags = EFD_NONBLOCK | EFD_CLOEXEC;
