import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { LAB_PATH, type LabRelay, type LineMode, readLabChange, readLabState } from '../src/model/lab.js'
import { Lab, type LabSubject } from '../src/start/lab.js'
import { servePage } from '../src/start/page.js'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

describe('the lab of the page server', () => {
  test('tells what the relays are', async () => {
    const { ask } = await served()
    const { status, body } = await ask()
    expect(status).toBe(200)
    expect(readLabState(body)).toEqual({
      relays: [
        { id: 'r1', port: 1, process: 'running', line: 'normal' },
        { id: 'r2', port: 2, process: 'running', line: 'normal' },
      ],
    })
  })

  test('sets a line, kills a relay and starts it again, and answers with the new state', async () => {
    const { change } = await served()
    expect((await change({ relay: 'r2', line: 'silent' })).body).toMatchObject({
      relays: [{ line: 'normal' }, { line: 'silent' }],
    })
    expect((await change({ relay: 'r1', running: false })).body).toMatchObject({
      relays: [{ process: 'ended' }, { process: 'running' }],
    })
    expect((await change({ relay: 'r1', running: true })).body).toMatchObject({
      relays: [{ process: 'running' }, { line: 'silent' }],
    })
  })

  test('a page of another origin can change nothing, nor can one whose name was made to point here', async () => {
    const { change, relays } = await served()
    const kill = { relay: 'r1', running: false }
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1']) {
      expect(await change(kill, { origin })).toMatchObject({
        status: 403,
        body: { error: { code: 'bad-origin' } },
      })
    }
    const rebound = { host: 'evil.example:80', origin: 'http://evil.example:80' }
    expect(await change(kill, rebound)).toMatchObject({ status: 403, body: { error: { code: 'bad-host' } } })
    // What a form or a script without the lab's consent can send: never as JSON.
    expect(await change(kill, { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      body: { error: { code: 'not-json' } },
    })
    expect(relays.every(({ state }) => state.process === 'running')).toBe(true)
  })

  test('the own page may', async () => {
    const { change, url } = await served()
    expect((await change({ relay: 'r1', line: 'slow' }, { origin: url.origin })).status).toBe(200)
  })

  test('reads are refused under another name, too', async () => {
    const { ask } = await served()
    expect(await ask('GET', { host: 'evil.example' })).toMatchObject({ status: 403 })
  })

  test('nothing else is possible', async () => {
    const { ask } = await served()
    for (const method of ['PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ask(method)
      expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: 'GET, POST' })
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })

  test.each([
    ['not JSON', '{', 400, 'bad-json'],
    ['no object', '[]', 400, 'bad-change'],
    ['no relay', '{"line":"slow"}', 400, 'bad-change'],
    ['nothing to change', '{"relay":"r1"}', 400, 'bad-change'],
    ['two things at once', '{"relay":"r1","line":"slow","running":true}', 400, 'bad-change'],
    ['a line that does not exist', '{"relay":"r1","line":"bent"}', 400, 'bad-change'],
    ['no truth value', '{"relay":"r1","running":1}', 400, 'bad-change'],
    ['a field too many', '{"relay":"r1","line":"slow","pid":1}', 400, 'bad-change'],
    ['a relay that does not exist', '{"relay":"r9","running":false}', 404, 'unknown-relay'],
    ['a name of every object', '{"relay":"__proto__","running":false}', 404, 'unknown-relay'],
    ['too much', JSON.stringify({ relay: 'r'.repeat(2_000), running: false }), 413, 'too-large'],
  ])('a change that is %s is refused', async (_what, text, status, code) => {
    const { send } = await served()
    expect(await send(text)).toMatchObject({ status, body: { error: { code } } })
  })

  test('one start or kill of a relay at a time', async () => {
    const { change, relays } = await served()
    const hold = relays[0]!.holdStarts()
    const starting = change({ relay: 'r1', running: true })
    await hold.reached
    expect(await change({ relay: 'r1', running: false })).toMatchObject({
      status: 409,
      body: { error: { code: 'busy' } },
    })
    hold.release()
    expect((await starting).status).toBe(200)
  })

  test('nothing is changed while the demo starts, which a tab from before may ask for', async () => {
    const { ask, change, relays, lab } = await served({ open: false })
    const kill = { relay: 'r1', running: false }
    for (const early of [kill, { relay: 'r1', line: 'silent' }]) {
      expect(await change(early)).toMatchObject({ status: 409, body: { error: { code: 'starting' } } })
    }
    expect((await ask()).status).toBe(200)
    expect(relays[0]!.state).toMatchObject({ process: 'running', line: 'normal' })
    lab.open()
    expect((await change(kill)).status).toBe(200)
  })

  test('a relay that does not start is told with the reason', async () => {
    const { change, relays } = await served()
    relays[0]!.start = () => Promise.reject(new Error('The relay r1 ended with code 1, before it listened.'))
    expect(await change({ relay: 'r1', running: true })).toMatchObject({
      status: 500,
      body: { error: { code: 'failed', message: /ended with code 1/ } },
    })
  })

  test('nothing is started while the demo stops', async () => {
    const { change, stopping } = await served()
    stopping.abort()
    expect(await change({ relay: 'r1', running: true })).toMatchObject({
      status: 503,
      body: { error: { code: 'stopping' } },
    })
  })

  test('a server without a lab answers as for any other file that it does not have', async () => {
    const { ask } = await served({ offered: false })
    expect((await ask()).status).toBe(404)
  })
})

test('what is no state of a lab is taken for none', () => {
  for (const json of [
    null,
    1,
    [],
    {},
    { relays: [{}] },
    { relays: [{ id: 'r1', port: 1, process: 'up' }] },
  ]) {
    expect(readLabState(json)).toBeUndefined()
  }
})

test('a change is read as it is meant', () => {
  expect(readLabChange({ relay: 'r1', line: 'slow' })).toEqual({ relay: 'r1', line: 'slow' })
  expect(readLabChange({ relay: 'r1', running: false })).toEqual({ relay: 'r1', running: false })
})

/** A relay of which only the state changes. */
class RelayDouble implements LabSubject {
  readonly line = { mode: 'normal' as LineMode } as LabSubject['line']
  private process: LabRelay['process'] = 'running'
  private held: { reached(): void; released: Promise<void> } | undefined

  constructor(
    readonly id: string,
    private readonly port: number,
  ) {}

  get state(): LabRelay {
    return { id: this.id, port: this.port, process: this.process, line: this.line.mode }
  }

  async start(): Promise<void> {
    this.held?.reached()
    await this.held?.released
    this.process = 'running'
  }

  async kill(): Promise<void> {
    this.process = 'ended'
  }

  holdStarts(): { reached: Promise<void>; release(): void } {
    let release = () => {}
    let reached = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const whenReached = new Promise<void>((resolve) => {
      reached = resolve
    })
    this.held = { reached, released }
    return { reached: whenReached, release }
  }
}

interface Answer {
  readonly status: number | undefined
  readonly headers: Record<string, unknown>
  readonly body: unknown
}

async function served({ offered = true, open = true } = {}) {
  const stopping = new AbortController()
  const relays = [new RelayDouble('r1', 1), new RelayDouble('r2', 2)]
  const files = Promise.resolve(new Map())
  const lab = new Lab(relays, stopping.signal)
  if (open) lab.open()
  const server = await servePage(files, 0, offered ? lab : undefined)
  cleanups.push(() => server.close())
  const url = new URL(LAB_PATH, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)

  // Not by fetch, which sets Host and Origin itself.
  const ask = async (method = 'GET', headers: Record<string, string> = {}, text = ''): Promise<Answer> => {
    const sent = request(url, { method, headers, agent: false }).end(text)
    const [response] = await once(sent, 'response')
    let answer = ''
    for await (const chunk of response) answer += chunk
    const isJson = String(response.headers['content-type']).startsWith('application/json')
    return {
      status: response.statusCode,
      headers: response.headers,
      body: isJson ? JSON.parse(answer) : answer,
    }
  }
  const send = (text: string, headers: Record<string, string> = {}) =>
    ask('POST', { 'content-type': 'application/json', ...headers }, text)
  return {
    relays,
    stopping,
    lab,
    url,
    ask,
    send,
    change: (json: unknown, headers: Record<string, string> = {}) => send(JSON.stringify(json), headers),
  }
}
