#ifndef CLINUX_SHIM_H
#define CLINUX_SHIM_H

#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>

// Declared by <spawn.h> for GNU programs only, which Swift's importer is not.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);

/// Lets a child begin without the descriptors from one on.
static inline int clinux_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

// prctl is variadic, which Swift does not import.

/// Asks the kernel to send the calling process a signal when the thread that created it ends.
static inline int clinux_set_parent_death_signal(int signal) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL);
}

/// The signal that was asked for; 0 for none.
static inline int clinux_parent_death_signal(void) {
    int signal = 0;
    return prctl(PR_GET_PDEATHSIG, (unsigned long)&signal, 0UL, 0UL, 0UL) == 0 ? signal : 0;
}

#endif
