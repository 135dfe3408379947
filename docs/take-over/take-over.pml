/*
 * The take-over protocol of replicated mode, for Spin: three members, every order of steps.
 *
 * A log is an array of epochs: the leader of an epoch is the only one that writes under it, and appends, so that the
 * epoch at an index says which write is there. Lease, suspicion and time do not occur: a new epoch may be begun by any
 * member at any moment, which covers every expiry, pause and false suspicion. Messages do not occur either: an answer is
 * read when it is given and used whenever the candidate gets to it, which covers every delay.
 *
 * What must hold: a leader that begins to serve has every write that was acknowledged, and what is acknowledged later
 * by an older leader is part of what the newer one serves.
 *
 * A replica that takes in a whole data set has it in memory only until its AOF is rewritten: a restart brings back what
 * was on the disk before. All members may lose power at once.
 *
 * A leader may hand over: it takes nothing more, and resigns when its successor has everything, which then has every write
 * that was acknowledged; or it goes on. Who leads next is whoever wins the next key, which may be the successor.
 *
 * Options (-D): EPOCHS, LENGTH, RESTARTS, LOSSES, WHOLES (data sets that are taken in whole and not at once rewritten),
 * CUTS (of the power of all) and HANDOVERS bound the state space. NO_CUT, PROMISE_IGNORED, PROMISE_FORGOTTEN, KEY_IGNORED,
 * LENGTH_COMPARED, EMPTY_VOTES, NO_MAJORITY, UNSETTLED_LEADS, UNSETTLED_VOTES, EMPTY_OVERLOOKED, LAST_WITHOUT_VOTE and
 * HANDOVER_UNDRAINED each break a rule; Spin then has to find a lost write.
 */

#ifndef EPOCHS
#define EPOCHS 3
#endif
#ifndef LENGTH
#define LENGTH 4
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#ifndef LOSSES
#define LOSSES 1
#endif

#ifndef WHOLES
#define WHOLES 0
#endif
#ifndef CUTS
#define CUTS 0
#endif

#ifndef HANDOVERS
#define HANDOVERS 0
#endif

#define NONE 0
#define CUTTING 1
#define PROMOTED 2
#define PUBLISHED 3
#define SERVING 4
#define PAUSING 5

#define LOG(node, index) log[(node) * LENGTH + (index)]
#define DISK(node, index) disk[(node) * LENGTH + (index)]
#define PAIR(candidate, node) ((candidate) * 3 + (node))

/* etcd: the epoch that is created next; who owns each epoch; which epochs were published. */
byte next = 1;
byte owner[EPOCHS + 1];
bool published[EPOCHS + 1];

/* On the disk of each member. */
byte promise[3];
byte log[3 * LENGTH];
byte length[3];
bool voter[3] = true;
/* While a member is not settled its log is in memory only, and this is on its disk. */
bool settled[3] = true;
byte disk[3 * LENGTH];
byte diskLength[3];

/* In memory: an epoch that was current when the process began to read etcd, so that none below is followed. */
byte floor[3];
byte following[3];
byte primary[3];
byte epoch[3];
byte phase[3];
/* Who is to lead next, and how much there was when that was asked for. */
byte successor[3];
byte pausedLength[3];

/* What a candidate was answered, and what a primary was confirmed. */
bool answered[9];
bool votes[9];
byte answerEpoch[9];
byte answerLength[9];
byte confirmed[9];

/* The observer. */
byte acknowledged[LENGTH];
byte served[LENGTH];
byte servedEpoch;
byte restarts;
byte losses;
byte wholes;
byte cuts;
byte handOvers;

inline forget(node) {
    epoch[node] = 0; phase[node] = NONE; successor[node] = 0; pausedLength[node] = 0;
    k = 0;
    do
    :: k < 3 ->
        answered[PAIR(node, k)] = false; votes[PAIR(node, k)] = false;
        answerEpoch[PAIR(node, k)] = 0; answerLength[PAIR(node, k)] = 0; confirmed[PAIR(node, k)] = 0;
        k++
    :: else -> break
    od;
    k = 0
}

inline lastEpoch(node, into) {
    into = 0;
    if
    :: length[node] > 0 -> into = LOG(node, length[node] - 1)
    :: else
    fi
}

/* P2, P3: a member obeys the candidate, and answers. */
inline cut(candidate, node) {
#ifndef NO_CUT
    promise[node] = epoch[candidate];
    following[node] = 0;
    primary[node] = 0;
    if
    :: epoch[node] != epoch[candidate] -> forget(node)
    :: else
    fi;
#endif
    answered[PAIR(candidate, node)] = true;
    votes[PAIR(candidate, node)] = voter[node];
    lastEpoch(node, k);
#ifdef LENGTH_COMPARED
    k = 0;
#endif
    answerEpoch[PAIR(candidate, node)] = k;
    answerLength[PAIR(candidate, node)] = length[node];
    k = 0
}

#ifdef PROMISE_IGNORED
#define OBEYS(node, number) true
#else
#define OBEYS(node, number) ((number) >= promise[node])
#endif

#define AHEAD(candidate, node) \
    (answerEpoch[PAIR(candidate, node)] > answerEpoch[PAIR(candidate, candidate)] || \
    (answerEpoch[PAIR(candidate, node)] == answerEpoch[PAIR(candidate, candidate)] && \
    answerLength[PAIR(candidate, node)] > answerLength[PAIR(candidate, candidate)]))
#define VOTES(candidate, node) (answered[PAIR(candidate, node)] && votes[PAIR(candidate, node)])
#define FAVOURS(candidate, node) (VOTES(candidate, node) && !AHEAD(candidate, node))
#define MAJORITY(x, y, z) (((x) && (y)) || ((x) && (z)) || ((y) && (z)))
#define ALL(candidate) (answered[PAIR(candidate, 0)] && answered[PAIR(candidate, 1)] && answered[PAIR(candidate, 2)])

/* P9: no member came back empty, or the one that served last, if any did, kept its disk. */
#ifdef EMPTY_OVERLOOKED
#define HAVE_EVERYTHING(c) true
#else
#define HAVE_EVERYTHING(c) \
    ((answerLength[PAIR(c, 0)] > 0 && answerLength[PAIR(c, 1)] > 0 && answerLength[PAIR(c, 2)] > 0) || \
    (EPOCHS > 2 && epoch[c] > 2 && published[EPOCHS - 1] -> VOTES(c, owner[EPOCHS - 1]) : \
    (epoch[c] > 1 && published[1] -> VOTES(c, owner[1]) : true)))
#endif

/* The epoch that was published last before this one, 0 for none; nobody else publishes while the key is the candidate's. */
#define LAST(c) \
    ((EPOCHS > 2 && epoch[c] > 2 && published[EPOCHS - 1]) -> EPOCHS - 1 : ((epoch[c] > 1 && published[1]) -> 1 : 0))

/* The member that served last stands in for a majority of votes, if it kept what it had; a majority is cut all the same. */
#ifdef LAST_WITHOUT_VOTE
#define IS_WHOLE(c) true
#else
#define IS_WHOLE(c) (VOTES(c, c) && answerEpoch[PAIR(c, c)] == LAST(c))
#endif
#define IS_HEIR(c) \
    (LAST(c) != 0 && owner[LAST(c)] == c && IS_WHOLE(c) && \
    MAJORITY(answered[PAIR(c, 0)], answered[PAIR(c, 1)], answered[PAIR(c, 2)]))

/* P4, P9. */
#define MAY_LEAD(c) \
    (answered[PAIR(c, c)] && (MAJORITY(FAVOURS(c, 0), FAVOURS(c, 1), FAVOURS(c, 2)) || \
    (((ALL(c) && HAVE_EVERYTHING(c)) || IS_HEIR(c)) && !AHEAD(c, 0) && !AHEAD(c, 1) && !AHEAD(c, 2))))

/* P5: a candidate has everything on its own disk. */
#ifdef UNSETTLED_LEADS
#define SETTLED(node) true
#else
#define SETTLED(node) settled[node]
#endif

/* P6: this member has it, and another one confirmed it. */
#ifdef NO_MAJORITY
#define CONFIRMED(c, count) true
#else
#define CONFIRMED(c, count) \
    (confirmed[PAIR(c, (c + 1) % 3)] >= (count) || confirmed[PAIR(c, (c + 2) % 3)] >= (count))
#endif

inline append(node) {
    LOG(node, length[node]) = epoch[node];
    length[node]++
}

/* P2: a member follows the primary that etcd names. */
inline follow(number, node) {
    if
    :: promise[node] < number -> promise[node] = number
    :: else
    fi;
    if
    :: epoch[node] != 0 -> forget(node)
    :: else
    fi;
    primary[node] = 0;
    following[node] = number
}

/* What a log is on disk becomes what it is in memory. */
inline rewrite(node) {
    settled[node] = true;
    diskLength[node] = 0;
    k = 0;
    do
    :: k < LENGTH -> DISK(node, k) = 0; k++
    :: else -> break
    od;
    k = 0
}

/* A process restarts with what is on its disk. */
inline reload(node) {
    if
    :: settled[node]
    :: else ->
        k = 0;
        do
        :: k < LENGTH -> LOG(node, k) = DISK(node, k); k++
        :: else -> break
        od;
        length[node] = diskLength[node];
#ifndef UNSETTLED_VOTES
        voter[node] = false;
#endif
        rewrite(node)
    fi
}

inline restart(node) {
    forget(node);
    following[node] = 0; primary[node] = 0; floor[node] = next - 1;
#ifdef PROMISE_FORGOTTEN
    promise[node] = 0; floor[node] = 0;
#endif
    reload(node)
}

/* The replica of a primary takes what it lacks; what it has beyond is thrown away. */
inline replicate(node) {
    j = owner[following[node]];
    if
    :: true
    :: wholes < WHOLES ->
        wholes++;
        if
        :: settled[node] ->
            settled[node] = false;
            diskLength[node] = length[node];
            k = 0;
            do
            :: k < LENGTH -> DISK(node, k) = LOG(node, k); k++
            :: else -> break
            od
        :: else
        fi
    fi;
    k = 0;
    do
    :: k < LENGTH -> LOG(node, k) = LOG(j, k); k++
    :: else -> break
    od;
    length[node] = length[j];
    voter[node] = true;
    if
    :: epoch[j] == following[node] -> confirmed[PAIR(j, node)] = length[node]
    :: else
    fi;
    j = 0; k = 0
}

/* A leader that was deposed before it began to serve does no harm: it is confirmed no more. */
inline serve(node) {
    phase[node] = SERVING;
    if
    :: epoch[node] > servedEpoch ->
        servedEpoch = epoch[node];
        k = 0;
        do
        :: k < LENGTH ->
            assert(acknowledged[k] == 0 || acknowledged[k] == LOG(node, k));
            served[k] = LOG(node, k);
            k++
        :: else -> break
        od;
        k = 0
    :: else
    fi
}

/* P10: what the successor has is everything that was acknowledged, unless somebody else has served meanwhile. */
inline handOver(node) {
    if
    :: epoch[node] == servedEpoch ->
        k = 0;
        do
        :: k < LENGTH -> assert(acknowledged[k] == 0 || acknowledged[k] == LOG(successor[node], k)); k++
        :: else -> break
        od;
        k = 0
    :: else
    fi;
    forget(node)
}

inline acknowledge(node, index) {
    assert(acknowledged[index] == 0 || acknowledged[index] == LOG(node, index));
    assert(epoch[node] >= servedEpoch || served[index] == LOG(node, index));
    acknowledged[index] = LOG(node, index)
}

#define MAY_CUT(c, node) \
    (phase[c] == CUTTING && !answered[PAIR(c, node)] && OBEYS(node, epoch[c]) && \
    following[node] != epoch[c] && (node == c || answered[PAIR(c, c)]))
#define MAY_FOLLOW(number, node) \
    (published[number] && OBEYS(node, number) && (number) >= floor[node] && following[node] != (number) && \
    owner[number] != node)
#define IS_SERVING(c) (phase[c] == SERVING || phase[c] == PAUSING)
#ifdef HANDOVER_UNDRAINED
#define MAY_WRITE(c) IS_SERVING(c)
#define DRAINED_LENGTH(c) pausedLength[c]
#else
#define MAY_WRITE(c) (phase[c] == SERVING)
#define DRAINED_LENGTH(c) length[c]
#endif
#define MAY_ACKNOWLEDGE(c, index) \
    (IS_SERVING(c) && length[c] > (index) && LOG(c, index) == epoch[c] && acknowledged[index] != epoch[c] && \
    CONFIRMED(c, (index) + 1))

active [3] proctype Member() {
    byte j;
    byte k;
end:
    do
    /* P1: a key is won; whatever this member was before is over. */
    :: atomic { next <= EPOCHS -> forget(_pid); epoch[_pid] = next; owner[next] = _pid; phase[_pid] = CUTTING; next++ }

    :: atomic { MAY_CUT(0, _pid) -> cut(0, _pid) }
    :: atomic { MAY_CUT(1, _pid) -> cut(1, _pid) }
    :: atomic { MAY_CUT(2, _pid) -> cut(2, _pid) }

    /* P5: the marker, the name in etcd if the key is still its own, the followers, and only then service. */
    :: atomic { phase[_pid] == CUTTING && MAY_LEAD(_pid) && !voter[_pid] -> voter[_pid] = true }
    :: atomic { phase[_pid] == CUTTING && MAY_LEAD(_pid) && SETTLED(_pid) && length[_pid] < LENGTH ->
        primary[_pid] = epoch[_pid]; following[_pid] = 0; append(_pid); phase[_pid] = PROMOTED }
    :: atomic { phase[_pid] == PROMOTED && epoch[_pid] == next - 1 ->
        published[epoch[_pid]] = true; phase[_pid] = PUBLISHED }
    :: atomic { phase[_pid] == PUBLISHED && CONFIRMED(_pid, length[_pid]) -> serve(_pid) }

    :: atomic { MAY_FOLLOW(1, _pid) -> follow(1, _pid) }
    :: atomic { EPOCHS >= 2 && MAY_FOLLOW(2, _pid) -> follow(2, _pid) }
    :: atomic { EPOCHS >= 3 && MAY_FOLLOW(EPOCHS, _pid) -> follow(EPOCHS, _pid) }
    :: atomic { following[_pid] != 0 && primary[owner[following[_pid]]] == following[_pid] -> replicate(_pid) }

    :: atomic { MAY_WRITE(_pid) && primary[_pid] == epoch[_pid] && length[_pid] < LENGTH -> append(_pid) }
    :: atomic { MAY_ACKNOWLEDGE(_pid, 0) -> acknowledge(_pid, 0) }
    :: atomic { MAY_ACKNOWLEDGE(_pid, 1) -> acknowledge(_pid, 1) }
    :: atomic { LENGTH >= 3 && MAY_ACKNOWLEDGE(_pid, 2 % LENGTH) -> acknowledge(_pid, 2 % LENGTH) }
    :: atomic { LENGTH >= 4 && MAY_ACKNOWLEDGE(_pid, LENGTH - 1) -> acknowledge(_pid, LENGTH - 1) }

    /* P10: a hand-over begins, ends with the successor having everything, or is given up. */
    :: atomic { handOvers < HANDOVERS && phase[_pid] == SERVING ->
        handOvers++; phase[_pid] = PAUSING; pausedLength[_pid] = length[_pid];
        if
        :: successor[_pid] = (_pid + 1) % 3
        :: successor[_pid] = (_pid + 2) % 3
        fi }
    :: atomic { phase[_pid] == PAUSING && confirmed[PAIR(_pid, successor[_pid])] >= DRAINED_LENGTH(_pid) -> handOver(_pid) }
    :: atomic { phase[_pid] == PAUSING -> phase[_pid] = SERVING; successor[_pid] = 0; pausedLength[_pid] = 0 }

    :: atomic { !settled[_pid] -> rewrite(_pid) }

    /* The processes of a member restart, or those of all; the disks are kept. */
    :: atomic { restarts < RESTARTS -> restarts++; restart(_pid) }
    :: atomic { cuts < CUTS && _pid == 0 -> cuts++; restart(0); restart(1); restart(2) }
    /* P9: a member comes back with nothing, not even its promise. */
    :: atomic { losses < LOSSES -> losses++;
        forget(_pid); following[_pid] = 0; primary[_pid] = 0; floor[_pid] = next - 1; promise[_pid] = 0;
        k = 0;
        do
        :: k < LENGTH -> LOG(_pid, k) = 0; k++
        :: else -> break
        od;
        k = 0;
        length[_pid] = 0;
        rewrite(_pid);
#ifndef EMPTY_VOTES
        voter[_pid] = false;
#endif
#ifdef KEY_IGNORED
        floor[_pid] = 0;
#endif
        }
    od;
}
