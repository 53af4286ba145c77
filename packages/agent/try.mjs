import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:net'
import { joinSpace } from '@skein/agent'
import { createRelay } from '@skein/relay'

const free = () =>
  new Promise((r) => {
    const s = createServer()
    s.listen(0, '127.0.0.1', () => {
      const p = s.address().port
      s.close(() => r(p))
    })
  })
const ports = [await free(), await free(), await free()]
const ids = ['r1', 'r2', 'r3']
const urls = Object.fromEntries(ids.map((id, i) => [id, `ws://127.0.0.1:${ports[i]}`]))
const dir = mkdtempSync('/tmp/me/c-')
const start = (id, i) =>
  createRelay({
    port: ports[i],
    dataDir: `${dir}/${id}`,
    cluster: { id, peers: Object.fromEntries(ids.filter((o) => o !== id).map((o) => [o, urls[o]])) },
  })
const relays = await Promise.all(ids.map(start))
const a = await joinSpace('home', { relays: Object.values(urls), presence: { name: 'a' } })
const b = await joinSpace('home', { relays: [urls.r3, urls.r2, urls.r1], presence: { name: 'b' } })
const t0 = performance.now()
const log = (...x) => console.log((performance.now() - t0).toFixed(0), ...x)
let last
a.onStatus((s) => {
  if (s.lastSwitch !== last) {
    last = s.lastSwitch
    log('a switch', last)
  }
})
let lastc
a.onStatus((s) => {
  if (s.connection !== lastc) {
    lastc = s.connection
    log('a', lastc)
  }
})
let lastb
b.onStatus((s) => {
  if (s.lastSwitch !== lastb) {
    lastb = s.lastSwitch
    log('b switch', lastb)
  }
})
b.presence.observe((ag) => log('b sees', ag.map((x) => x.state.name).join()))
await a.whenSynced
await b.whenSynced
log('synced')
a.set('x', 1)
await a.durable('quorum')
log('quorum')
await new Promise((r) => setTimeout(r, 3000))
console.table(
  a.status.paths.map(({ url, role, state, roundTripMs, reliability, confirms }) => ({
    url,
    role,
    state,
    roundTripMs,
    reliability,
    confirms,
  })),
)
let n = 0
const tick = setInterval(() => a.set('n', ++n), 10)
let got = 0,
  gap = 0,
  lastAt = performance.now()
b.observe('n', (c) => {
  const now = performance.now()
  gap = Math.max(gap, now - lastAt)
  lastAt = now
  got = c.value
})
await new Promise((r) => setTimeout(r, 6000))
log('busy 6 s: max gap', gap.toFixed(1))
gap = 0
lastAt = performance.now()
const act = ids[Object.values(urls).findIndex((u) => a.status.path.url.startsWith(u))]
log('close', act)
await relays[ids.indexOf(act)].close()
log('closed')
await new Promise((r) => setTimeout(r, 3000))
log('gap', gap.toFixed(1))
clearInterval(tick)
await a.durable('relay')
await new Promise((r) => setTimeout(r, 500))
log(n, got, a.digest() === b.digest())
console.table(
  a.status.paths.map(({ url, role, state, roundTripMs, reliability, confirms, retryAt, error }) => ({
    url,
    role,
    state,
    roundTripMs,
    reliability,
    confirms,
    retryAt,
    error,
  })),
)
await a.leave()
log('left')
await b.leave()
await Promise.all(relays.map((r) => r.close()))
