import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createRelay, type Relay, type RelayOptions } from '@skein/relay'
import { onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { type JoinOptions, joinSpace, type Space } from '../src/node.js'

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

/** An agent that leaves with the test. */
export async function joinForTest(name: string, options: JoinOptions = {}): Promise<Space> {
  const space = await joinSpace(name, options)
  onTestFinished(() => space.leave())
  return space
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'skein-agent-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A port nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** State vector, delete set and content: what converged replicas have in common. */
export function fingerprint(doc: Y.Doc): unknown {
  return {
    stateVector: [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort((a, b) => a[0] - b[0]),
    deleteSet: [...Y.createDeleteSetFromStructStore(doc.store).clients].sort((a, b) => a[0] - b[0]),
    json: doc.getMap('state').toJSON(),
  }
}

/** Starts the stock y-websocket server as its own process; it ends with the test. */
export async function stockServer(port: number): Promise<{ url: string; stop: () => Promise<void> }> {
  const script = path.resolve(import.meta.dirname, '../node_modules/@y/websocket-server/src/server.js')
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async () => {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(stop)
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the stock server ended with ${code}`)))
  })
  return { url: `ws://127.0.0.1:${port}`, stop }
}
