/** The package under test, given to the world as a value so that an altered copy of it can be tried as well. */
export type PaxosModule = typeof import('@skein/paxos')
