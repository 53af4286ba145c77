import { CLOSE, encodeFrame } from '@skein/protocol'
import { expect, onTestFinished, test } from 'vitest'
import * as Y from 'yjs'
import { startRelay } from '../../src/relay.js'
import type { StrongRegion } from '../../src/strong/region.js'
import { StrongSpaces } from '../../src/strong/spaces.js'
import { RawClient, until } from '../helpers.js'
import { MemoryRegion } from '../support/memory-region.js'

async function relayOver(region: StrongRegion, strong: readonly string[] = []) {
  const relay = await startRelay({ strong }, region)
  onTestFinished(() => relay.close())
  return relay
}

/** Whether the relay closes a stock client that writes this key, or tells another client of it. */
async function isRefused(url: string, key: string): Promise<boolean> {
  const reader = await new RawClient(url).opened()
  const writer = await new RawClient(url).opened()
  await until('both are greeted', () => reader.frames.length > 0 && writer.frames.length > 0)
  const before = reader.frames.length
  const doc = new Y.Doc()
  doc.getMap('state').set(key, 1)
  writer.socket.send(encodeFrame({ type: 'update', update: Y.encodeStateAsUpdate(doc) }))
  await until('it is told or refused', () => writer.closed !== undefined || reader.frames.length > before)
  const code = writer.closed?.code
  if (code !== undefined) expect(code).toBe(CLOSE.strongKey)
  reader.socket.terminate()
  writer.socket.terminate()
  return code !== undefined
}

test('G10 the shared state takes no strong key, and nothing of a refused update is told', async () => {
  const relay = await relayOver(new MemoryRegion(), ['lock/'])
  expect(await isRefused(`${relay.url}/home`, 'lock/front')).toBe(true)
  expect(await isRefused(`${relay.url}/home`, 'light')).toBe(false)
  const state = await fetch(`${relay.url.replace('ws:', 'http:')}/v1/spaces/home/state`)
  expect(await state.json()).toEqual({ light: 1 })
})

test('G10 a declaration made elsewhere is learned when somebody joins', async () => {
  const region = new MemoryRegion()
  await new StrongSpaces(region.as('elsewhere')).declare('home', ['alarm/'], { withinMs: 10_000 })
  const relay = await relayOver(region, ['lock/'])
  const first = await new RawClient(`${relay.url}/home`).opened()
  await until('it is greeted', () => first.frames.length > 0)
  const isAsked = () => region.executed.filter(({ key }) => key === 'home\0').length > 2
  await until('it is asked for', isAsked)
  expect(await isRefused(`${relay.url}/home`, 'alarm/1')).toBe(true)
  expect(await isRefused(`${relay.url}/home`, 'lock/front')).toBe(false)
})

test('G10 a room does not wait for a quorum', async () => {
  const region: StrongRegion = {
    clientId: 'relay',
    execute: () => new Promise(() => {}),
    watch: () => () => {},
  }
  const relay = await relayOver(region, ['lock/'])
  expect(await isRefused(`${relay.url}/home`, 'lock/front')).toBe(true)
  expect(await isRefused(`${relay.url}/home`, 'alarm/1')).toBe(false)
})
