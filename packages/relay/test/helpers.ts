import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { createRelay, type Relay, type RelayOptions } from '../src/index.js'

/** Waits until a condition holds. Says what it waited for when it never does. */
export async function until(what: string, holds: () => boolean, withinMs = 20_000): Promise<void> {
  const end = Date.now() + withinMs
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A relay that stops with the test. */
export async function relayForTest(options: RelayOptions = {}): Promise<Relay> {
  const relay = await createRelay(options)
  onTestFinished(() => relay.close())
  return relay
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'skein-relay-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** State vector, delete set and content: what converged replicas have in common. */
export function fingerprint(doc: Y.Doc): unknown {
  return {
    stateVector: [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort((a, b) => a[0] - b[0]),
    deleteSet: [...Y.createDeleteSetFromStructStore(doc.store).clients].sort((a, b) => a[0] - b[0]),
    json: {
      state: doc.getMap('state').toJSON(),
      text: doc.getText('text').toString(),
      list: doc.getArray('list').toJSON(),
    },
  }
}

/** A bare WebSocket that keeps what it gets. */
export class RawClient {
  readonly frames: Uint8Array[] = []
  closed: { code: number; reason: string } | undefined
  readonly socket: WebSocket

  constructor(url: string, origin?: string) {
    this.socket = new WebSocket(url, origin === undefined ? {} : { origin })
    this.socket.on('message', (data: Buffer) => this.frames.push(new Uint8Array(data)))
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    this.socket.on('error', () => {})
    onTestFinished(() => this.socket.terminate())
  }

  async opened(): Promise<this> {
    await until('the socket opens', () => this.socket.readyState !== WebSocket.CONNECTING)
    return this
  }

  async closedWith(): Promise<number> {
    await until('the socket closes', () => this.closed !== undefined)
    return this.closed!.code
  }
}

/** The seed of this run: SKEIN_SEED, or a new one. It is printed, so that a failure can be repeated. */
export function runSeed(suite: string): number {
  const seed = Number(process.env.SKEIN_SEED ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`${suite}: seed ${seed}; repeat with SKEIN_SEED=${seed} npx vitest run ${suite}`)
  return seed
}

/** Mulberry32: small, seeded, good enough to drive a test. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
