import type { Json } from '@skein/agent'
// Placeholder
export interface StrongEntry {
  readonly value: Json | undefined
  readonly version: number
  readonly fence: number
}
export interface Strong {
  get(key: string, options?: { deadlineMs?: number }): Promise<StrongEntry>
  set(key: string, value: Json, options?: { deadlineMs?: number }): Promise<StrongEntry>
  compareAndSet(
    key: string,
    condition: { ifVersion: number } | { ifAbsent: true },
    value: Json,
    options?: { deadlineMs?: number },
  ): Promise<StrongEntry>
  watch(key: string): AsyncIterable<StrongEntry>
  resolve(id: string, options?: { deadlineMs?: number }): Promise<{ kind: 'done' | 'aborted' }>
}
