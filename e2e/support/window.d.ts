import type { Space } from '@skein/agent'

declare global {
  interface Window {
    /** What the demo's page offers to tests and curious people. */
    skein?: { space: Space; encode: () => Uint8Array }
  }
}
